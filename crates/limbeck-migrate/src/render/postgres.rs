//! PostgreSQL can change a table in place: a statement or two for each operation.

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Column, SqlType, TableName};

use super::{Plan, neutral, numbers, title};
use crate::compare::Op;
use crate::revision::DraftStep;

const DIALECT: Dialect = Dialect::Postgres;

pub(super) fn render(ops: &[Op]) -> Plan {
    let step = |op: &Op, downgrade| DraftStep {
        title: title(op, downgrade),
        statements: statements(op, downgrade),
        ..DraftStep::default()
    };
    let says = |step: &DraftStep| !step.statements.is_empty();
    Plan {
        upgrade: ops.iter().map(|op| step(op, false)).filter(says).collect(),
        downgrade: ops.iter().rev().map(|op| step(&op.clone().inverse(), true)).filter(says).collect(),
        ..Plan::default()
    }
}

fn statements(op: &Op, downgrade: bool) -> Vec<String> {
    match op {
        Op::CreateSchema(schema) => vec![ddl::create_schema(DIALECT, schema)],
        Op::DropSchema(schema) => vec![format!("DROP SCHEMA {}", DIALECT.ident(schema))],
        Op::CreateEnum(values) => vec![ddl::create_enum(DIALECT, values)],
        Op::DropEnum(values) => vec![ddl::drop_enum(DIALECT, values.name())],
        Op::AlterEnum { from, to, columns, anew, released } => {
            let down = released.iter().flat_map(|op| statements(op, downgrade)).collect();
            let up = released.iter().rev().flat_map(|op| statements(&op.clone().inverse(), downgrade)).collect();
            super::enums::alter(from, to, columns, *anew, (down, up))
        }
        Op::CreateTable(table) => {
            let name = table.full_name();
            let indexes = table.indexes.iter().map(|index| ddl::create_index(DIALECT, &name, index));
            let comments = ddl::comments(DIALECT, table);
            std::iter::once(ddl::create_table(DIALECT, table)).chain(indexes).chain(comments).collect()
        }
        Op::DropTable(table) => vec![ddl::drop_table(DIALECT, &table.full_name())],
        Op::AddColumn { table, column } => add_column(table, column, downgrade),
        Op::DropColumn { table, column } => vec![alter(table, &format!("DROP COLUMN {}", DIALECT.ident(&column.name)))],
        Op::AlterColumn { table, from, to } => alter_column(table, from, to),
        Op::SetPrimaryKey { table, from, to } => {
            let drop = from.as_ref().and_then(|key| key.name.as_ref());
            let drop = drop.map(|name| ddl::drop_constraint(DIALECT, table, name));
            let add = to.as_ref().map(|key| ddl::add_constraint(DIALECT, table, &ddl::primary_key(DIALECT, key)));
            drop.into_iter().chain(add).collect()
        }
        Op::CreateIndex { table, index } => {
            let comment = index.comment.as_deref();
            let comment = comment.map(|text| ddl::comment_on_index(DIALECT, table, &index.name, Some(text)));
            std::iter::once(ddl::create_index(DIALECT, table, index)).chain(comment).collect()
        }
        Op::DropIndex { table, index } => vec![ddl::drop_index(DIALECT, table, &index.name)],
        Op::AddUnique { table, unique } => vec![ddl::add_constraint(DIALECT, table, &ddl::unique(DIALECT, unique))],
        Op::DropUnique { table, unique } => drop_named(table, unique.name.as_deref()),
        Op::AddCheck { table, check } => vec![ddl::add_constraint(DIALECT, table, &ddl::check(DIALECT, check))],
        Op::DropCheck { table, check } => drop_named(table, check.name.as_deref()),
        Op::SetLogged { table, logged } => vec![alter(table, if *logged { "SET LOGGED" } else { "SET UNLOGGED" })],
        Op::SetComment { table, index: None, to, .. } => vec![ddl::comment_on_table(DIALECT, table, to.as_deref())],
        Op::SetComment { table, index: Some(index), to, .. } => {
            vec![ddl::comment_on_index(DIALECT, table, index, to.as_deref())]
        }
        Op::AddForeignKey { table, key } => vec![ddl::add_constraint(DIALECT, table, &ddl::foreign_key(DIALECT, key))],
        Op::DropForeignKey { table, key } => drop_named(table, key.name.as_deref()),
        Op::Object(change) => change.statements.clone(),
        // Of SQLite; renames come before all this.
        Op::Rewrite { .. } | Op::RenameTable { .. } | Op::RenameColumn { .. } => Vec::new(),
    }
}

fn alter(table: &TableName, action: &str) -> String {
    format!("ALTER TABLE {} {action}", DIALECT.table(table))
}

/// Every constraint of PostgreSQL has a name.
fn drop_named(table: &TableName, name: Option<&str>) -> Vec<String> {
    name.map(|name| ddl::drop_constraint(DIALECT, table, name)).into_iter().collect()
}

fn add_column(table: &TableName, column: &Column, downgrade: bool) -> Vec<String> {
    let name = DIALECT.ident(&column.name);
    let mut out = match neutral(DIALECT, column).filter(|_| downgrade) {
        Some(value) => {
            let filled = Column { server_default: Some(value.to_string()), ..column.clone() };
            vec![
                alter(table, &format!("ADD COLUMN {}", ddl::column(DIALECT, &filled))),
                alter(table, &format!("ALTER COLUMN {name} DROP DEFAULT")),
            ]
        }
        None => vec![alter(table, &format!("ADD COLUMN {}", ddl::column(DIALECT, column)))],
    };
    let comment = column.comment.as_deref();
    out.extend(comment.map(|text| ddl::comment_on_column(DIALECT, table, &column.name, Some(text))));
    out
}

fn alter_column(table: &TableName, from: &Column, to: &Column) -> Vec<String> {
    let name = DIALECT.ident(&to.name);
    let change = |action: &str| alter(table, &format!("ALTER COLUMN {name} {action}"));
    let mut out = Vec::new();
    if from.computed.is_some() && to.computed.is_none() {
        out.push(change("DROP EXPRESSION"));
    } else if from.computed != to.computed {
        // What it was computed by cannot be changed. Nothing depends on it here: `compare` sees to that.
        out.push(alter(table, &format!("DROP COLUMN {name}")));
        out.extend(add_column(table, to, false));
        return out;
    }
    let retyped = from.sql_type != to.sql_type || from.collation != to.collation;
    let renumbered = numbers::differ(from, to);
    if renumbered {
        out.extend(numbers::change(table, from, to));
    }
    // A default of the old type may not be one of the new.
    let redefault = from.server_default != to.server_default || (retyped && to.server_default.is_some());
    if redefault && from.server_default.is_some() && (retyped || to.server_default.is_none()) {
        out.push(change("DROP DEFAULT"));
    }
    if retyped {
        let type_name = ddl::type_name(DIALECT, &to.sql_type);
        // Without a word it is the type's own.
        let collation = to.collation.as_ref().and_then(|collation| collation.on(DIALECT));
        let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {}", DIALECT.ident(name)));
        let using = conversion(&from.sql_type, &to.sql_type, &name, &type_name);
        let using = using.map_or_else(String::new, |using| format!(" USING {using}"));
        out.push(change(&format!("TYPE {type_name}{collation}{using}")));
    }
    if redefault && let Some(default) = &to.server_default {
        out.push(change(&format!("SET DEFAULT {}", ddl::default_expression(DIALECT, default))));
    }
    if from.nullable != to.nullable {
        out.push(change(if to.nullable { "DROP NOT NULL" } else { "SET NOT NULL" }));
    }
    if renumbered && to.generated {
        out.extend(numbers::begin(table, from, to));
    }
    if from.comment != to.comment {
        out.push(ddl::comment_on_column(DIALECT, table, &to.name, to.comment.as_deref()));
    }
    out
}

/// How the values become the new type, where PostgreSQL does not know it by itself.
///
/// What has no cast goes by way of text: that is right for an empty table and for NULLs, and stops at the first
/// value that makes no sense, so that nothing is changed in silence.
fn conversion(from: &SqlType, to: &SqlType, name: &str, type_name: &str) -> Option<String> {
    let text = |t: &SqlType| matches!(t, SqlType::String { .. } | SqlType::Text);
    let number = |t: &SqlType| t.is_integer() || matches!(t, SqlType::Real | SqlType::Double | SqlType::Numeric { .. });
    let dated = |t: &SqlType| matches!(t, SqlType::DateTime { .. } | SqlType::Date);
    let other = |t: &SqlType| matches!(t, SqlType::Other(_) | SqlType::Named(_));
    if from == to || text(to) || (number(from) && number(to)) || (dated(from) && dated(to)) {
        // Smaller numbers and shorter texts convert too, and fail where a value does not fit.
        None
    } else if text(from) || other(from) || other(to) {
        Some(format!("{name}::{type_name}"))
    } else if let (SqlType::Json { .. }, SqlType::Json { .. }) = (from, to) {
        Some(format!("{name}::{type_name}"))
    } else if number(from) && *to == SqlType::Boolean {
        Some(format!("{name} <> 0"))
    } else if *from == SqlType::Boolean && number(to) {
        Some(format!("{name}::INTEGER::{type_name}"))
    } else {
        Some(format!("{name}::TEXT::{type_name}"))
    }
}
