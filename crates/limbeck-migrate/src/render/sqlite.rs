//! SQLite: `ALTER TABLE` where it can, otherwise the table is made anew from its own text, by the procedure that
//! loses nothing: create, copy, drop, rename, and its indexes and triggers again.

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, ForeignKey, Index, TableName, UniqueConstraint, naming};

use super::{Plan, neutral, title};
use crate::compare::Op;
use crate::reflect::create::{CreateTable, What, mentions};
use crate::reflect::{Schema, SqliteTable};
use crate::revision::DraftStep;

const DIALECT: Dialect = Dialect::Sqlite;

pub(super) fn render(ops: &[Op], live: &Schema) -> Plan {
    let mut plan = Plan::default();
    // Tables go and come as a whole; the changes of a table that stays are made together, in the place of the
    // first of them.
    let mut changed: Vec<String> = Vec::new();
    let mut downgrade: Vec<Vec<DraftStep>> = Vec::new();
    for (i, op) in ops.iter().enumerate() {
        if matches!(op, Op::CreateTable(_) | Op::DropTable(_)) {
            plan.upgrade.push(whole_table(op, live, &ops[i + 1..], false));
            downgrade.push(vec![whole_table(&op.clone().inverse(), live, &ops[..i], true)]);
            continue;
        }
        let Some(TableName { name: table, .. }) = op.table() else { continue };
        if changed.contains(&table) {
            continue;
        }
        changed.push(table.clone());
        let table = table.as_str();
        let own: Vec<Op> = ops.iter().filter(|o| is_change_of(o, table)).cloned().collect();
        let Some(before) = live.sqlite.get(table) else { continue };
        let own = inline_keys(own);
        let after = apply(before, &own);
        let inverse: Vec<Change> = own.iter().rev().map(|change| change.clone().inverse()).collect();
        plan.upgrade.extend(steps(table, &own, before, &after, live, false));
        downgrade.push(steps(table, &inverse, &after, before, live, true));
    }
    plan.downgrade = downgrade.into_iter().rev().flatten().collect();
    plan
}

fn is_change_of(op: &Op, table: &str) -> bool {
    op.table().is_some_and(|own| own.name == table) && !matches!(op, Op::CreateTable(_) | Op::DropTable(_))
}

/// A table that comes or goes; `later` are the operations that are done or taken back after it.
fn whole_table(op: &Op, live: &Schema, later: &[Op], downgrade: bool) -> DraftStep {
    let mut step = DraftStep { title: title(op, downgrade), ..DraftStep::default() };
    match op {
        Op::CreateTable(table) => match live.sqlite.get(&table.name) {
            // The way back of a drop: as it was, in its own words.
            Some(own) => {
                step.statements.push(own.create.write(&table.name));
                step.statements.extend(own.indexes.values().cloned());
                step.statements.extend(own.triggers.iter().cloned());
            }
            None => {
                step.statements.push(ddl::create_table(DIALECT, table));
                let indexes = table.indexes.iter().map(|index| ddl::create_index(DIALECT, &table.full_name(), index));
                step.statements.extend(indexes);
            }
        },
        Op::DropTable(table) => {
            // Dropping deletes the rows first, which a key of a table that is still there may forbid, or answer
            // with deletes of its own. Only tables that refer to each other in a circle come to this.
            step.foreign_keys_off = later.iter().any(|op| match op {
                Op::CreateTable(other) | Op::DropTable(other) => {
                    other.foreign_keys.iter().any(|key| key.target_table == table.name)
                }
                _ => false,
            });
            step.statements.push(ddl::drop_table(DIALECT, &table.full_name()));
        }
        _ => {}
    }
    step
}

/// The table after operations that keep it, in its own words.
pub(crate) fn applied(before: &SqliteTable, ops: Vec<Op>) -> SqliteTable {
    apply(before, &inline_keys(ops))
}

/// An operation, with the foreign key that comes with a new column.
#[derive(Clone, Debug)]
struct Change {
    op: Op,
    key: Option<ForeignKey>,
}

impl Change {
    fn inverse(self) -> Change {
        Change { op: self.op.inverse(), key: self.key }
    }
}

/// `ALTER TABLE … ADD COLUMN` can bring a foreign key along, so that a table need not be rebuilt for it.
fn inline_keys(ops: Vec<Op>) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::with_capacity(ops.len());
    for op in ops {
        if let Op::AddForeignKey { key, .. } = &op
            && let [column] = &key.columns[..]
            && let Some(change) = changes.iter_mut().find(|change| {
                matches!(&change.op, Op::AddColumn { column: added, .. } if added.name == *column)
                    && change.key.is_none()
            })
        {
            change.key = Some(key.clone());
            continue;
        }
        changes.push(Change { op, key: None });
    }
    changes
}

/// A column's definition with its foreign key in it.
fn definition(column: &Column, key: Option<&ForeignKey>) -> String {
    let mut out = ddl::column(DIALECT, column);
    if let Some(key) = key {
        // The same words as a constraint of the table has, without the list of columns.
        let full = ddl::foreign_key(DIALECT, key);
        let list = format!("FOREIGN KEY ({}) ", ddl::column_list(DIALECT, &key.columns));
        out.push(' ');
        out.push_str(&full.replacen(&list, "", 1));
    }
    out
}

/// The table after the changes, in its own words.
fn apply(before: &SqliteTable, changes: &[Change]) -> SqliteTable {
    let mut after = before.clone();
    let create = &mut after.create;
    for Change { op, key } in changes {
        match op {
            Op::AddColumn { column, .. } => create.add_column(&definition(column, key.as_ref())),
            Op::DropColumn { column, .. } => create.drop_column(&column.name),
            Op::AlterColumn { from, to, .. } => {
                if to.generated && !from.generated {
                    // Only a key of exactly this type is the rowid.
                    create.set_type(&to.name, "INTEGER");
                } else if from.sql_type != to.sql_type {
                    create.set_type(&to.name, &ddl::type_name(DIALECT, &to.sql_type));
                }
                if from.nullable != to.nullable {
                    create.set_nullable(&to.name, to.nullable);
                }
                if from.server_default != to.server_default {
                    create.set_default(&to.name, to.server_default.as_deref());
                }
                if from.computed != to.computed {
                    create.set_computed(&to.name, to.computed.as_ref());
                }
                if from.collation != to.collation {
                    let collation = to.collation.as_ref().and_then(|collation| collation.on(DIALECT));
                    create.set_collation(&to.name, collation);
                }
            }
            Op::SetPrimaryKey { to, .. } => {
                create.drop_primary_key();
                if let Some(key) = to {
                    create.add_constraint(&ddl::primary_key(DIALECT, key));
                }
            }
            Op::CreateIndex { table, index } => {
                after.indexes.insert(index.name.clone(), ddl::create_index(DIALECT, table, index));
            }
            Op::DropIndex { index, .. } => {
                after.indexes.remove(&index.name);
            }
            // A unique index needs no rebuild and does the same.
            Op::AddUnique { table, unique } => {
                let index = unique_index(&table.name, unique);
                after.indexes.insert(index.name.clone(), ddl::create_index(DIALECT, table, &index));
            }
            Op::DropUnique { unique, .. } => create.drop_unique(&unique.columns),
            Op::AddCheck { check, .. } => create.add_constraint(&ddl::check(DIALECT, check)),
            Op::DropCheck { check, .. } => create.drop_check(check),
            Op::AddForeignKey { key, .. } => create.add_constraint(&ddl::foreign_key(DIALECT, key)),
            Op::DropForeignKey { key, .. } => create.drop_foreign_key(&key.columns, &key.target_table),
            Op::Rewrite { to, .. } => {
                create.clone_from(&to.create);
                after.indexes.clone_from(&to.indexes);
            }
            // SQLite has no schemas, no comments and no types.
            Op::CreateTable(_)
            | Op::DropTable(_)
            | Op::CreateSchema(_)
            | Op::DropSchema(_)
            | Op::CreateEnum(_)
            | Op::DropEnum(_)
            | Op::AlterEnum { .. }
            | Op::SetLogged { .. }
            | Op::Object(_)
            | Op::SetComment { .. }
            // These were made before.
            | Op::RenameTable { .. }
            | Op::RenameColumn { .. } => {}
        }
    }
    after
}

fn unique_index(table: &str, unique: &UniqueConstraint) -> Index {
    let name = unique.name.clone().unwrap_or_else(|| naming::unique(table, &unique.columns));
    Index { name, columns: unique.columns.clone(), unique: true, ..Index::default() }
}

/// The way from one form of a table to the other.
fn steps(
    table: &str,
    changes: &[Change],
    from: &SqliteTable,
    to: &SqliteTable,
    live: &Schema,
    downgrade: bool,
) -> Vec<DraftStep> {
    let mut native = Vec::new();
    for change in changes {
        match in_place(table, change, from, to, live) {
            Some(statements) => {
                native.push(DraftStep { title: title(&change.op, downgrade), statements, ..DraftStep::default() })
            }
            None => return vec![rebuild(table, changes, from, to, downgrade)],
        }
    }
    native
}

/// The statements that make a change without a rebuild, if there are such.
fn in_place(
    table: &str,
    Change { op, key }: &Change,
    from: &SqliteTable,
    to: &SqliteTable,
    live: &Schema,
) -> Option<Vec<String>> {
    let alter = |action: String| format!("ALTER TABLE {} {action}", DIALECT.ident(table));
    Some(match op {
        Op::CreateIndex { index, .. } => vec![to.indexes.get(&index.name)?.clone()],
        Op::DropIndex { index, .. } => vec![ddl::drop_index(DIALECT, &TableName::from(table), &index.name)],
        Op::AddUnique { unique, .. } => {
            // In the original, a constraint of the table; coming back to it, the table has to be rebuilt.
            vec![to.indexes.get(&unique_index(table, unique).name)?.clone()]
        }
        Op::DropUnique { unique, .. } => {
            let name = unique_index(table, unique).name;
            from.indexes.get(&name)?;
            vec![ddl::drop_index(DIALECT, &TableName::from(table), &name)]
        }
        Op::AddColumn { column, .. }
            if can_be_added(column, key.as_ref()) && is_plain(to, &column.name, key.as_ref()) =>
        {
            vec![alter(format!("ADD COLUMN {}", definition(column, key.as_ref())))]
        }
        Op::DropColumn { column, .. } if can_be_dropped(&column.name, from, to, live) => {
            vec![alter(format!("DROP COLUMN {}", DIALECT.ident(&column.name)))]
        }
        _ => return None,
    })
}

/// What `ADD COLUMN` takes: a constant default, and one where NOT NULL asks for it; a foreign key only where the
/// default is NULL.
fn can_be_added(column: &Column, key: Option<&ForeignKey>) -> bool {
    let constant = match &column.server_default {
        Some(default) => {
            let default = default.trim();
            !default.to_ascii_lowercase().starts_with("current_")
                && !ddl::default_expression(DIALECT, default).starts_with('(')
                && !default.eq_ignore_ascii_case("null")
        }
        None => column.nullable,
    };
    // A computed one can only come without being stored, and not everywhere: the table is made anew.
    constant && column.computed.is_none() && (key.is_none() || column.server_default.is_none())
}

/// Whether the column in the wanted form says no more than what would be added.
fn is_plain(to: &SqliteTable, name: &str, key: Option<&ForeignKey>) -> bool {
    let Some(column) = to.create.column(name) else { return false };
    let extra = |what: &What| match what {
        What::ForeignKey { .. } => key.is_none(),
        What::NotNull | What::Null | What::Default | What::Collate(_) => false,
        _ => true,
    };
    !column.constraints.iter().any(|k| extra(&k.what))
}

/// What `DROP COLUMN` takes: a column that nothing else names.
fn can_be_dropped(name: &str, from: &SqliteTable, to: &SqliteTable, live: &Schema) -> bool {
    let Some(column) = from.create.column(name) else { return false };
    let harmless = |what: &What| {
        matches!(what, What::NotNull | What::Null | What::Default | What::Collate(_) | What::ForeignKey { .. })
    };
    let elsewhere = from.create.columns.iter().filter(|other| other.name != column.name);
    column.constraints.iter().all(|k| harmless(&k.what))
        && !elsewhere.flat_map(|c| &c.constraints).any(|k| mentions(&k.text, name))
        && !from.create.constraints.iter().any(|k| mentions(&k.text, name))
        && !to.indexes.values().any(|sql| mentions(sql, name))
        && !live.sqlite_readers.iter().any(|sql| mentions(sql, name))
}

/// The table made anew.
fn rebuild(table: &str, changes: &[Change], from: &SqliteTable, to: &SqliteTable, downgrade: bool) -> DraftStep {
    let scratch = format!("_limbeck_new_{table}");
    let name = DIALECT.ident(table);
    let new = DIALECT.ident(&scratch);
    let (columns, values) = copied(&from.create, &to.create, changes, downgrade);
    let mut statements = vec![
        to.create.write(&scratch),
        format!("INSERT INTO {new} ({})\n    SELECT {} FROM {name}", columns.join(", "), values.join(", ")),
    ];
    if from.create.is_autoincrement() && to.create.is_autoincrement() {
        // The highest number ever given out, which AUTOINCREMENT never gives again.
        let (new, old) = (ddl::text_literal(&scratch), ddl::text_literal(table));
        statements.push(format!("DELETE FROM sqlite_sequence WHERE name = {new}"));
        statements.push(format!(
            "INSERT INTO sqlite_sequence (name, seq)\n    SELECT {new}, seq FROM sqlite_sequence WHERE name = {old}"
        ));
    }
    statements.push(ddl::drop_table(DIALECT, &TableName::from(table)));
    statements.push(format!("ALTER TABLE {new} RENAME TO {name}"));
    statements.extend(to.indexes.values().cloned());
    statements.extend(to.triggers.iter().cloned());
    let what: Vec<String> = changes
        .iter()
        .flat_map(|change| {
            let key = change.key.as_ref().map(|key| format!("foreign key to {}", key.target_table));
            [Some(change.op.describe()), key]
        })
        .flatten()
        .collect();
    let lost: Vec<String> = changes.iter().filter_map(|change| change.op.loses()).collect();
    let lost =
        if lost.is_empty() || downgrade { String::new() } else { format!("      (loses data: {})", lost.join(", ")) };
    DraftStep {
        title: format!("rebuild {table}: {}{lost}", what.join("; ")),
        foreign_keys_off: true,
        statements,
        ..DraftStep::default()
    }
}

/// The columns that a rebuilt table takes over, and the values for those that have to have one.
fn copied(from: &CreateTable, to: &CreateTable, changes: &[Change], downgrade: bool) -> (Vec<String>, Vec<String>) {
    let mut columns = Vec::new();
    let mut values = Vec::new();
    let rowid =
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| from.column(name).is_none() && to.column(name).is_none());
    let has_own = |table: &CreateTable| table.rowid_column().is_some() || table.is_without_rowid();
    if let Some(rowid) = rowid.filter(|_| !has_own(from) && !has_own(to)) {
        // Other tables and full-text indexes may have kept it.
        columns.push(rowid.to_string());
        values.push(rowid.to_string());
    }
    for column in to.writable() {
        let added = changes.iter().find_map(|change| match &change.op {
            Op::AddColumn { column: added, .. } if added.name.eq_ignore_ascii_case(&column.name) => Some(added),
            _ => None,
        });
        match (from.column(&column.name), added) {
            (Some(old), _) => {
                columns.push(column.written.clone());
                values.push(old.written.clone());
            }
            (None, Some(added)) if downgrade => {
                if let Some(value) = neutral(DIALECT, added) {
                    columns.push(column.written.clone());
                    values.push(value.to_string());
                }
            }
            _ => {}
        }
    }
    if columns.is_empty() {
        // No column of the old table is left: as many rows as there were.
        columns.extend(to.writable().next().map(|c| c.written.clone()));
        values.push("NULL".to_string());
    }
    (columns, values)
}
