//! From operations to the SQL of a revision: the way there and the way back.

mod enums;
mod numbers;
mod postgres;
pub(crate) mod sqlite;

use std::borrow::Cow;

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, SqlType};

use crate::compare::Op;
use crate::reflect::Schema;
use crate::rename;
use crate::revision::DraftStep;

/// The statements for a list of operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The way there.
    pub upgrade: Vec<DraftStep>,
    /// The way back.
    pub downgrade: Vec<DraftStep>,
    /// What the way back loses: `widgets`, `users.email`.
    pub loses: Vec<String>,
    /// What a person should know before running it.
    pub warnings: Vec<String>,
}

/// Renders operations for the database that `live` was read from. Renames come first among them; `live` is what it is
/// after these.
pub fn render(ops: &[Op], live: &Schema) -> Plan {
    let is_rename = |op: &&Op| matches!(op, Op::RenameTable { .. } | Op::RenameColumn { .. });
    let (renames, others) = ops.split_at(ops.iter().take_while(is_rename).count());
    let mut plan = match live.dialect {
        Dialect::Postgres => postgres::render(others),
        _ => sqlite::render(others, live),
    };
    let renamed = renames.iter().map(|op| rename_step(op, live.dialect, &plan.upgrade)).collect::<Vec<_>>();
    let back = renames.iter().rev().map(|op| rename_step(&op.clone().inverse(), live.dialect, &plan.downgrade));
    let back: Vec<DraftStep> = back.collect();
    plan.upgrade.splice(0..0, renamed);
    plan.downgrade.extend(back);
    let inverse: Vec<Op> = ops.iter().rev().map(|op| op.clone().inverse()).collect();
    // A table that goes takes its columns with it.
    let whole = |op: &Op| inverse.iter().any(|other| matches!(other, Op::DropTable(_)) && other.table() == op.table());
    let lost = |op: &&Op| matches!(op, Op::DropTable(_)) || !whole(op);
    plan.loses = inverse.iter().filter(lost).filter_map(Op::loses).collect();
    plan.warnings = ops.iter().filter_map(warning).collect();
    plan
}

/// A rename, beside other steps.
fn rename_step(op: &Op, dialect: Dialect, others: &[DraftStep]) -> DraftStep {
    let mut statements: Vec<String> = rename::statement(dialect, op).into_iter().collect();
    // Where a table is rebuilt, SQLite is told to rename a table and nothing else. Here, what refers to it shall follow.
    if dialect == Dialect::Sqlite && others.iter().any(|step| step.foreign_keys_off) {
        statements.insert(0, "PRAGMA legacy_alter_table = OFF".to_string());
        statements.push("PRAGMA legacy_alter_table = ON".to_string());
    }
    DraftStep { title: op.describe(), statements, ..DraftStep::default() }
}

fn warning(op: &Op) -> Option<String> {
    match op {
        Op::AddColumn { table, column }
            if !column.nullable
                && column.server_default.is_none()
                && column.computed.is_none()
                && !column.generated =>
        {
            Some(format!(
                "{table}.{0} is NOT NULL and has no server default: the upgrade fails where {table} has rows. Give the \
                 rows a value in the revision, or the column a `server_default`",
                column.name
            ))
        }
        Op::AlterColumn { table, from, to } if from.nullable && !to.nullable => Some(format!(
            "{table}.{0} becomes NOT NULL: the upgrade fails where a row has NULL in it; fill it in the revision first",
            to.name
        )),
        Op::AlterColumn { table, from, to } if from.computed.is_none() && to.computed.is_some() => {
            Some(format!("{table}.{} becomes a computed column: the values that are there are lost", to.name))
        }
        Op::AddCheck { table, check } => Some(format!(
            "{table} gets the check `{}`: the upgrade fails where a row does not meet it",
            check.expression
        )),
        Op::DropTable(table) => Some(format!("the upgrade drops the table {} and its rows", table.full_name())),
        Op::DropColumn { column, .. } if column.computed.is_some() => None,
        Op::DropColumn { table, column } => {
            Some(format!("the upgrade drops the column {table}.{} and its values", column.name))
        }
        _ => None,
    }
}

/// The step's title, with what it loses; for the way back the section's head says it.
fn title(op: &Op, downgrade: bool) -> String {
    match op.loses() {
        Some(lost) if !downgrade => format!("{}      (loses data: {lost})", op.describe()),
        _ => op.describe(),
    }
}

/// A value that stands for nothing: what rows get in a column that comes back by a downgrade, is NOT NULL,
/// and has no default. Its values were lost when it was dropped.
fn neutral(dialect: Dialect, column: &Column) -> Option<Cow<'_, str>> {
    if column.nullable || column.server_default.is_some() || column.generated || column.computed.is_some() {
        return None;
    }
    Some(Cow::Borrowed(match (&column.sql_type, dialect) {
        (SqlType::Enum(values), _) => return values.values().first().map(|value| ddl::text_literal(value).into()),
        (SqlType::SmallInteger | SqlType::Integer | SqlType::BigInteger, _) => "0",
        (SqlType::Real | SqlType::Double | SqlType::Numeric { .. }, _) => "0",
        (SqlType::Boolean, _) => "false",
        (SqlType::String { .. } | SqlType::Text | SqlType::Named(_), _) => "''",
        (SqlType::LargeBinary, Dialect::Sqlite) => "x''",
        (SqlType::LargeBinary, Dialect::Postgres) => "''",
        (SqlType::DateTime { .. }, _) | (SqlType::Interval, Dialect::Sqlite) => "'1970-01-01 00:00:00'",
        (SqlType::Date, _) => "'1970-01-01'",
        (SqlType::Time, _) | (SqlType::Interval, Dialect::Postgres) => "'00:00:00'",
        (SqlType::Json { .. }, _) => "'null'",
        (SqlType::Array(_), Dialect::Sqlite) => "'[]'",
        (SqlType::Array(_), Dialect::Postgres) => "'{}'",
        (SqlType::Uuid { .. }, _) => "'00000000-0000-0000-0000-000000000000'",
        (SqlType::LargeBinary | SqlType::Interval | SqlType::Array(_) | SqlType::Other(_), _) => return None,
    }))
}
