//! Computed columns of PostgreSQL, which cannot be changed: they go and come again, and what depends on them with
//! them.

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, Metadata, Table, TableName};

use super::{Op, Parts, is_retyped};
use crate::reflect::create::mentions_in;

impl Parts {
    /// Replaces columns whose expression changes, or whose expression is over a column that changes.
    pub(super) fn replace_columns(&mut self, wanted: &Metadata, live: &crate::reflect::Schema) {
        let enums = ddl::enums(Dialect::Postgres, &wanted.tables);
        // Other values may mean another type, on the way there or on the way back.
        let other_values = |column: &Column| {
            let of = ddl::enum_of(&column.sql_type);
            of.is_some_and(|of| enums.iter().any(|new| new.name() == of.name() && *new != of))
        };
        for wanted in &wanted.tables {
            if let Some(live) = live.table(&wanted.full_name()) {
                let changed = live.columns.iter().filter(|column| other_values(column));
                self.replace_columns_of(wanted, live, changed.map(|column| column.name.clone()).collect());
            }
        }
    }

    /// `changed` are columns whose type becomes another one beside what is known here.
    fn replace_columns_of(&mut self, wanted: &Table, live: &Table, mut changed: Vec<String>) {
        let name = wanted.full_name();
        let mut replaced: Vec<(Column, Column)> = Vec::new();
        let mut freed: Vec<String> = Vec::new();
        self.columns.retain(|op| match op {
            Op::AlterColumn { table, from, to } if *table == name => {
                if to.computed.is_some() && (from.computed != to.computed || is_retyped(from, to)) {
                    replaced.push((from.clone(), to.clone()));
                    return false;
                }
                if from.computed.is_some() && to.computed.is_none() {
                    freed.push(to.name.clone());
                }
                if is_retyped(from, to) {
                    changed.push(to.name.clone());
                }
                true
            }
            _ => true,
        });
        let dropped = live.columns.iter().filter(|column| wanted.column(&column.name).is_none());
        changed.extend(dropped.map(|column| column.name.clone()));
        // A computed column that stays what it is, over one that does not.
        for column in &live.columns {
            let Some(computed) = &column.computed else { continue };
            let stays = wanted.column(&column.name).is_some()
                && !freed.contains(&column.name)
                && !replaced.iter().any(|(from, _)| from.name == column.name);
            if stays && changed.iter().any(|other| mentions(&computed.expression, other)) {
                // Other changes of it are made by making it anew.
                let mut to = column.clone();
                self.columns.retain(|op| match op {
                    Op::AlterColumn { table, from, to: wanted } if *table == name && from.name == column.name => {
                        to = wanted.clone();
                        false
                    }
                    _ => true,
                });
                replaced.push((column.clone(), to));
            }
        }
        // One that goes, goes before the columns that it is computed from.
        let mut gone = Vec::new();
        self.drop_columns.retain(|op| match op {
            Op::DropColumn { table, column } if *table == name && column.computed.is_some() => {
                gone.push(op.clone());
                false
            }
            _ => true,
        });
        // One that comes, comes after them.
        let mut new = Vec::new();
        self.columns.retain(|op| match op {
            Op::AddColumn { table, column } if *table == name && column.computed.is_some() => {
                new.push(op.clone());
                false
            }
            _ => true,
        });
        self.add_computed.extend(new);
        for (from, to) in &replaced {
            self.drop_computed.push(Op::DropColumn { table: name.clone(), column: from.clone() });
            self.add_computed.push(Op::AddColumn { table: name.clone(), column: to.clone() });
        }
        self.drop_computed.extend(gone);
        let released: Vec<&str> =
            replaced.iter().map(|(from, _)| from.name.as_str()).chain(freed.iter().map(String::as_str)).collect();
        self.release(&name, live, &released);
    }

    /// What depends on these columns goes before them and comes again behind them, unless it goes anyway.
    fn release(&mut self, name: &TableName, live: &Table, columns: &[&str]) {
        let has = |of: &[String]| of.iter().any(|column| columns.contains(&column.as_str()));
        let says = |sql: &str| columns.iter().any(|column| mentions(sql, column));
        let table = || name.clone();
        let mut indexes = Vec::new();
        for index in &live.indexes {
            if has(&index.columns) || index.definition.as_deref().is_some_and(says) {
                indexes.push(Op::DropIndex { table: table(), index: index.clone() });
            }
        }
        for unique in live.uniques.iter().filter(|unique| has(&unique.columns)) {
            indexes.push(Op::DropUnique { table: table(), unique: unique.clone() });
        }
        for drop in indexes.into_iter().filter(|drop| !self.drop_indexes.contains(drop)).collect::<Vec<_>>() {
            self.add_indexes.push(drop.clone().inverse());
            self.drop_indexes.push(drop);
        }
        for check in live.checks.iter().filter(|check| says(&check.expression)) {
            let drop = Op::DropCheck { table: table(), check: check.clone() };
            if !self.drop_checks.contains(&drop) {
                self.add_checks.push(drop.clone().inverse());
                self.drop_checks.push(drop);
            }
        }
        for key in live.foreign_keys.iter().filter(|key| has(&key.columns)) {
            let drop = Op::DropForeignKey { table: table(), key: key.clone() };
            if !self.drop_keys.contains(&drop) {
                self.add_keys.push(drop.clone().inverse());
                self.drop_keys.push(drop);
            }
        }
    }
}

/// Whether an expression of PostgreSQL names something.
pub(super) fn mentions(sql: &str, identifier: &str) -> bool {
    mentions_in(Dialect::Postgres, sql, identifier)
}
