//! Enumerations: types of their own on PostgreSQL, which come before the columns that have them and go after.

use std::collections::BTreeSet;

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, EnumType, Index, IndexKey, IndexOn, Metadata, SqlType, Table, TableName};

use super::op::EnumColumn;
use super::replace::mentions;
use super::{Op, Parts, types};
use crate::reflect::Schema;

impl Parts {
    /// What has to happen to types. `gone` are the tables that this revision drops. Called when what happens to tables
    /// is known.
    ///
    /// `all` are the types that are wanted, where that is more than those of the columns: then those without a column
    /// count too.
    pub(super) fn enums(
        &mut self,
        wanted: &Metadata,
        live: &Schema,
        gone: &BTreeSet<TableName>,
        all: Option<&[EnumType]>,
    ) {
        let wanted_enums = match all {
            Some(all) => all.iter().collect(),
            None => ddl::enums(live.dialect, &wanted.tables),
        };
        for &values in &wanted_enums {
            match live.enums.iter().find(|other| other.name() == values.name()) {
                None => self.create_enums.push(Op::CreateEnum(values.clone())),
                Some(old) if old != values => self.alter_enum(old, values, live, gone),
                Some(_) => {}
            }
        }
        for values in &live.enums {
            let users: Vec<(&Table, &Column)> = users(live, values).collect();
            let leaves = |(table, column): &(&Table, &Column)| {
                let stays = wanted.tables.iter().find(|other| other.full_name() == table.full_name());
                match stays {
                    Some(stays) => stays
                        .column(&column.name)
                        .is_none_or(|new| !types::same_type(live.dialect, &new.sql_type, &column.sql_type)),
                    None => gone.contains(&table.full_name()),
                }
            };
            let is_wanted = wanted_enums.iter().any(|other| other.name() == values.name());
            if !is_wanted && (all.is_some() || !users.is_empty()) && users.iter().all(leaves) {
                self.drop_enums.push(Op::DropEnum(values.clone()));
            }
        }
    }

    fn alter_enum(&mut self, from: &EnumType, to: &EnumType, live: &Schema, gone: &BTreeSet<TableName>) {
        let loses = from.values().iter().any(|value| !to.values().contains(value));
        let both = from.values().iter().filter(|value| to.values().contains(value)).map(|value| value.to_string());
        let stay = EnumType::read(to.name().to_owned(), both.collect());
        let mut columns = Vec::new();
        for (table, column) in users(live, from).filter(|(table, _)| !gone.contains(&table.full_name())) {
            let (table, name) = (table.full_name(), column.name.clone());
            let default = column.server_default.clone();
            let taken = self.take_default(&table, &name);
            let taken = taken.or_else(|| if loses { self.part_with_default(&table, &name, &stay) } else { None });
            let to_default = taken.unwrap_or_else(|| default.clone());
            let array = !matches!(column.sql_type, SqlType::Enum(_));
            columns.push(EnumColumn { table, column: name, array, from_default: default, to_default });
        }
        let anew =
            columns.iter().any(|column| column.from_default != column.to_default) || self.uses_what_is_added(from, to);
        let released = self.released(to, &columns, live, gone);
        self.alter_enums.push(Op::AlterEnum { from: from.clone(), to: to.clone(), columns, anew, released });
    }

    /// Whether what follows uses a value that is added: it cannot before the transaction is over.
    fn uses_what_is_added(&self, from: &EnumType, to: &EnumType) -> bool {
        let added: Vec<String> =
            to.values().iter().filter(|v| !from.values().contains(v)).map(|v| ddl::text_literal(v)).collect();
        let says = |sql: &str| added.iter().any(|value| sql.contains(value));
        let column = |column: &Column| {
            let is_of = ddl::enum_of(&column.sql_type).is_some_and(|of| of.name() == to.name());
            let computed = column.computed.as_ref().is_some_and(|computed| says(&computed.expression));
            computed || (is_of && column.server_default.as_deref().is_some_and(says))
        };
        let index = |index: &Index| {
            let options = index.options.as_ref().is_some_and(|options| {
                let expression = |key: &IndexKey| matches!(&key.on, IndexOn::Expression(sql) if says(sql));
                options.predicate.as_deref().is_some_and(says) || options.keys.iter().any(expression)
            });
            options || index.definition.as_deref().is_some_and(says)
        };
        let follows = [&self.create_tables, &self.columns, &self.add_computed, &self.add_indexes, &self.add_checks];
        follows.into_iter().flatten().any(|op| match op {
            Op::CreateTable(table) => {
                table.columns.iter().any(column)
                    || table.indexes.iter().any(index)
                    || table.checks.iter().any(|check| says(&check.expression))
            }
            Op::AddColumn { column: to, .. } | Op::AlterColumn { to, .. } => column(to),
            Op::CreateIndex { index: new, .. } => index(new),
            Op::AddCheck { check, .. } => says(&check.expression),
            _ => false,
        })
    }

    /// The checks and indexes that stay, and whose SQL mentions a type or one of its columns: PostgreSQL has compiled
    /// them for the type as it is, and would not let it go.
    fn released(&self, to: &EnumType, columns: &[EnumColumn], live: &Schema, gone: &BTreeSet<TableName>) -> Vec<Op> {
        let mut released = Vec::new();
        for table in live.tables.iter().filter(|table| !gone.contains(&table.full_name())) {
            let name = table.full_name();
            let says = |sql: &str| {
                let column = |of: &EnumColumn| of.table == name && mentions(sql, &of.column);
                mentions(sql, to.name()) || columns.iter().any(column)
            };
            for index in table.indexes.iter().filter(|index| index.definition.as_deref().is_some_and(says)) {
                let drop = Op::DropIndex { table: name.clone(), index: index.clone() };
                if !self.drop_indexes.contains(&drop) {
                    released.push(drop);
                }
            }
            for check in table.checks.iter().filter(|check| says(&check.expression)) {
                let drop = Op::DropCheck { table: name.clone(), check: check.clone() };
                if !self.drop_checks.contains(&drop) {
                    released.push(drop);
                }
            }
        }
        released
    }

    /// Takes the change of a default out of the changes of a column: it has to happen together with that of the type,
    /// since the one default may have no place in the other type.
    fn take_default(&mut self, table: &TableName, name: &str) -> Option<Option<String>> {
        let position = self.columns.iter().position(|op| match op {
            Op::AlterColumn { table: altered, from, to } => {
                altered == table && to.name == name && types::same_type(Dialect::Postgres, &to.sql_type, &from.sql_type)
            }
            _ => false,
        })?;
        let Some(Op::AlterColumn { from, to, .. }) = self.columns.get_mut(position) else { return None };
        let default = to.server_default.clone();
        from.server_default.clone_from(&default);
        if from == to {
            self.columns.remove(position);
        }
        Some(default)
    }

    /// Takes the default off a column that goes, or that gets another type: on the way back it comes again when the type
    /// has its values again. Of a column that goes, rows then get a value that both types have.
    fn part_with_default(&mut self, table: &TableName, name: &str, stay: &EnumType) -> Option<Option<String>> {
        for op in self.columns.iter_mut().chain(&mut self.drop_columns) {
            match op {
                Op::AlterColumn { table: of, from, .. } if of == table && from.name == name => {
                    from.server_default = None;
                    return Some(None);
                }
                Op::DropColumn { table: of, column } if of == table && column.name == name => {
                    column.server_default = None;
                    if matches!(column.sql_type, SqlType::Enum(_)) {
                        column.sql_type = SqlType::Enum(stay.clone());
                    }
                    return Some(None);
                }
                _ => {}
            }
        }
        None
    }

    /// Whether a column's type is made anew.
    pub(super) fn is_made_anew(&self, table: &TableName, name: &str) -> bool {
        self.alter_enums.iter().any(|op| match op {
            Op::AlterEnum { columns, .. } => {
                columns.iter().any(|column| column.table == *table && column.column == name)
            }
            _ => false,
        })
    }
}

/// The columns that have a type, or arrays of it.
fn users<'s>(live: &'s Schema, values: &EnumType) -> impl Iterator<Item = (&'s Table, &'s Column)> {
    let one = ddl::type_name(live.dialect, &SqlType::Enum(values.clone()));
    let many = format!("{one}[]");
    let name = values.name().to_owned();
    live.tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column))).filter(
        move |(_, column)| match &column.sql_type {
            SqlType::Enum(of) => of.name() == name,
            SqlType::Other(declared) => *declared == many,
            _ => false,
        },
    )
}

/// `added late, removed draft`
pub(super) fn changes(from: &EnumType, to: &EnumType) -> String {
    let only = |of: &EnumType, other: &EnumType| {
        let values = of.values().iter().filter(|value| !other.values().contains(value));
        values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (added, removed) = (only(to, from), only(from, to));
    let mut out = Vec::new();
    if !added.is_empty() {
        out.push(format!("added {added}"));
    }
    if !removed.is_empty() {
        out.push(format!("removed {removed}"));
    }
    if out.is_empty() { "another order".to_string() } else { out.join(", ") }
}
