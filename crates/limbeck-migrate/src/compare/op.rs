//! What can be done to a schema. Every operation knows its inverse.

use limbeck::schema::{Check, Column, EnumType, ForeignKey, Index, PrimaryKey, Table, TableName, UniqueConstraint};

use crate::reflect::SqliteTable;

/// A column of an enumeration that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumColumn {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: String,
    /// Whether it is an array.
    pub array: bool,
    /// Its default as it was.
    pub from_default: Option<String>,
    /// Its default as it shall be.
    pub to_default: Option<String>,
}

impl EnumColumn {
    fn inverse(self) -> Self {
        EnumColumn { from_default: self.to_default, to_default: self.from_default, ..self }
    }
}

/// A change of something that no model says: a sequence, a domain, how a column is stored. Its statements are made
/// where it is found.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectChange {
    /// What it does, in a few words.
    pub title: String,
    /// What its inverse does.
    pub inverse_title: String,
    /// The statements. None where something else takes care of it on this way.
    pub statements: Vec<String>,
    /// The statements of the inverse.
    pub inverse: Vec<String>,
}

/// One change of a schema.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there are few of them, and they are matched on everywhere")]
pub enum Op {
    /// A schema, in which there are no tables yet.
    CreateSchema(String),
    /// The inverse.
    DropSchema(String),
    /// Another name of a table. What refers to it follows.
    RenameTable {
        /// The name that it had.
        from: TableName,
        /// The name that it shall have.
        to: TableName,
    },
    /// Another name of a column. What is over it or refers to it follows.
    RenameColumn {
        /// The table, by its new name.
        table: TableName,
        /// The name that it had.
        from: String,
        /// The name that it shall have.
        to: String,
    },
    /// A table with all that belongs to it, indexes too.
    CreateTable(Table),
    /// The inverse: the table as it was.
    DropTable(Table),
    /// A column, without the constraints and indexes on it.
    AddColumn {
        /// The table.
        table: TableName,
        /// The column.
        column: Column,
    },
    /// The inverse.
    DropColumn {
        /// The table.
        table: TableName,
        /// The column as it was.
        column: Column,
    },
    /// A column's type, nullability, default, or whether the database numbers it.
    AlterColumn {
        /// The table.
        table: TableName,
        /// The column as it was.
        from: Column,
        /// The column as it shall be.
        to: Column,
    },
    /// Another primary key, or none.
    SetPrimaryKey {
        /// The table.
        table: TableName,
        /// The key as it was.
        from: Option<PrimaryKey>,
        /// The key as it shall be.
        to: Option<PrimaryKey>,
    },
    /// An index.
    CreateIndex {
        /// The table.
        table: TableName,
        /// The index.
        index: Index,
    },
    /// The inverse.
    DropIndex {
        /// The table.
        table: TableName,
        /// The index as it was.
        index: Index,
    },
    /// A unique constraint.
    AddUnique {
        /// The table.
        table: TableName,
        /// The constraint.
        unique: UniqueConstraint,
    },
    /// The inverse.
    DropUnique {
        /// The table.
        table: TableName,
        /// The constraint as it was.
        unique: UniqueConstraint,
    },
    /// A check constraint.
    AddCheck {
        /// The table.
        table: TableName,
        /// The constraint.
        check: Check,
    },
    /// The inverse.
    DropCheck {
        /// The table.
        table: TableName,
        /// The constraint as it was.
        check: Check,
    },
    /// A table goes into the log of PostgreSQL, or out of it.
    SetLogged {
        /// The table.
        table: TableName,
        /// Whether it is kept through a crash.
        logged: bool,
    },
    /// Another comment of a table or of one of its indexes, or none.
    SetComment {
        /// The table.
        table: TableName,
        /// The index; `None` for the table itself.
        index: Option<String>,
        /// The comment as it was.
        from: Option<String>,
        /// The comment as it shall be.
        to: Option<String>,
    },
    /// An enumeration, for the columns to come.
    CreateEnum(EnumType),
    /// The inverse: of one that no column has any more.
    DropEnum(EnumType),
    /// Other values of an enumeration, or another order of them.
    AlterEnum {
        /// The enumeration as it was.
        from: EnumType,
        /// The enumeration as it shall be.
        to: EnumType,
        /// The columns that have it.
        columns: Vec<EnumColumn>,
        /// Whether the type has to be made anew, because what follows uses a value that is added.
        anew: bool,
        /// The checks and indexes whose SQL mentions it, as the operations that take them down: a type that is made
        /// anew cannot have them, and they are put back behind it.
        released: Vec<Op>,
    },
    /// A foreign key.
    AddForeignKey {
        /// The table.
        table: TableName,
        /// The key.
        key: ForeignKey,
    },
    /// The inverse.
    DropForeignKey {
        /// The table.
        table: TableName,
        /// The key as it was.
        key: ForeignKey,
    },
    /// Something of PostgreSQL that no model says.
    Object(ObjectChange),
    /// An SQLite table in other words, after all else that happens to it.
    Rewrite {
        /// The table.
        table: TableName,
        /// As it was.
        from: Box<SqliteTable>,
        /// As it shall be.
        to: Box<SqliteTable>,
    },
}

impl Op {
    /// The table that it changes, if it changes one.
    pub fn table(&self) -> Option<TableName> {
        Some(match self {
            Op::CreateSchema(_) | Op::DropSchema(_) => return None,
            Op::CreateEnum(_) | Op::DropEnum(_) | Op::AlterEnum { .. } | Op::Object(_) => return None,
            Op::CreateTable(table) | Op::DropTable(table) => table.full_name(),
            Op::RenameTable { to, .. } => to.clone(),
            Op::RenameColumn { table, .. }
            | Op::AddColumn { table, .. }
            | Op::DropColumn { table, .. }
            | Op::AlterColumn { table, .. }
            | Op::SetPrimaryKey { table, .. }
            | Op::CreateIndex { table, .. }
            | Op::DropIndex { table, .. }
            | Op::AddUnique { table, .. }
            | Op::DropUnique { table, .. }
            | Op::AddCheck { table, .. }
            | Op::DropCheck { table, .. }
            | Op::SetLogged { table, .. }
            | Op::SetComment { table, .. }
            | Op::AddForeignKey { table, .. }
            | Op::DropForeignKey { table, .. }
            | Op::Rewrite { table, .. } => table.clone(),
        })
    }

    /// What takes it back.
    #[must_use]
    pub fn inverse(self) -> Op {
        match self {
            Op::CreateSchema(schema) => Op::DropSchema(schema),
            Op::DropSchema(schema) => Op::CreateSchema(schema),
            Op::RenameTable { from, to } => Op::RenameTable { from: to, to: from },
            Op::RenameColumn { table, from, to } => Op::RenameColumn { table, from: to, to: from },
            Op::CreateTable(table) => Op::DropTable(table),
            Op::DropTable(table) => Op::CreateTable(table),
            Op::AddColumn { table, column } => Op::DropColumn { table, column },
            Op::DropColumn { table, column } => Op::AddColumn { table, column },
            Op::AlterColumn { table, from, to } => Op::AlterColumn { table, from: to, to: from },
            Op::SetPrimaryKey { table, from, to } => Op::SetPrimaryKey { table, from: to, to: from },
            Op::CreateIndex { table, index } => Op::DropIndex { table, index },
            Op::DropIndex { table, index } => Op::CreateIndex { table, index },
            Op::AddUnique { table, unique } => Op::DropUnique { table, unique },
            Op::DropUnique { table, unique } => Op::AddUnique { table, unique },
            Op::AddCheck { table, check } => Op::DropCheck { table, check },
            Op::DropCheck { table, check } => Op::AddCheck { table, check },
            Op::SetLogged { table, logged } => Op::SetLogged { table, logged: !logged },
            Op::SetComment { table, index, from, to } => Op::SetComment { table, index, from: to, to: from },
            Op::CreateEnum(values) => Op::DropEnum(values),
            Op::DropEnum(values) => Op::CreateEnum(values),
            Op::AlterEnum { from, to, columns, anew, released } => {
                let columns = columns.into_iter().map(EnumColumn::inverse).collect();
                Op::AlterEnum { from: to, to: from, columns, anew, released }
            }
            Op::AddForeignKey { table, key } => Op::DropForeignKey { table, key },
            Op::DropForeignKey { table, key } => Op::AddForeignKey { table, key },
            Op::Object(change) => Op::Object(ObjectChange {
                title: change.inverse_title,
                inverse_title: change.title,
                statements: change.inverse,
                inverse: change.statements,
            }),
            Op::Rewrite { table, from, to } => Op::Rewrite { table, from: to, to: from },
        }
    }

    /// The data that it loses: `widgets`, `users.email`.
    pub fn loses(&self) -> Option<String> {
        match self {
            Op::DropTable(table) => Some(table.full_name().to_string()),
            // What was computed can be computed again.
            Op::DropColumn { column, .. } if column.computed.is_some() => None,
            Op::AlterColumn { table, from, to } if from.computed.is_none() && to.computed.is_some() => {
                Some(format!("{table}.{}", to.name))
            }
            Op::DropColumn { table, column } => Some(format!("{table}.{}", column.name)),
            _ => None,
        }
    }

    /// What it does, in a few words: the title of its step.
    pub fn describe(&self) -> String {
        let of = |table: &TableName, columns: &[String]| format!("{table}.{}", columns.join(", "));
        match self {
            Op::CreateSchema(schema) => format!("create schema {schema}"),
            Op::DropSchema(schema) => format!("drop schema {schema}"),
            Op::CreateEnum(values) => format!("create type {}", values.name()),
            Op::DropEnum(values) => format!("drop type {}", values.name()),
            Op::AlterEnum { from, to, .. } => {
                format!("values of type {}: {}", to.name(), super::enums::changes(from, to))
            }
            Op::RenameTable { from, to } => format!("rename table {from} to {to}"),
            Op::RenameColumn { table, from, to } => format!("rename column {table}.{from} to {to}"),
            Op::CreateTable(table) => format!("create table {}", table.full_name()),
            Op::DropTable(table) => format!("drop table {}", table.full_name()),
            Op::AddColumn { table, column } => format!("add column {table}.{}", column.name),
            Op::DropColumn { table, column } => format!("drop column {table}.{}", column.name),
            Op::AlterColumn { table, from, to } => format!("alter column {table}.{}: {}", to.name, changes(from, to)),
            Op::SetPrimaryKey { table, to: Some(key), .. } => {
                format!("primary key of {table}: {}", key.columns.join(", "))
            }
            Op::SetPrimaryKey { table, to: None, .. } => format!("no primary key of {table}"),
            Op::CreateIndex { table, index } if !index.is_plain() => format!("index {} on {table}", index.name),
            Op::CreateIndex { table, index } => format!("index on {}", of(table, &index.columns)),
            Op::DropIndex { index, .. } => format!("drop index {}", index.name),
            Op::AddUnique { table, unique } => format!("unique {}", of(table, &unique.columns)),
            Op::DropUnique { table, unique } => format!("drop unique {}", of(table, &unique.columns)),
            Op::AddCheck { table, check } => format!("check of {table}: {}", one_line(&check.expression)),
            Op::DropCheck { table, check } => format!("drop check of {table}: {}", one_line(&check.expression)),
            Op::SetLogged { table, logged: true } => format!("log {table}"),
            Op::SetLogged { table, logged: false } => format!("do not log {table}"),
            Op::SetComment { table, index, to, .. } => {
                let what = index.as_ref().map_or_else(|| table.to_string(), |index| format!("index {index}"));
                format!("{} of {what}", if to.is_some() { "comment" } else { "no comment" })
            }
            Op::AddForeignKey { table, key } => {
                format!("foreign key {} to {}", of(table, &key.columns), key.target())
            }
            Op::DropForeignKey { table, key } => {
                format!("drop foreign key {} to {}", of(table, &key.columns), key.target())
            }
            Op::Object(change) => change.title.clone(),
            Op::Rewrite { .. } => "the words of its definition".to_string(),
        }
    }
}

fn changes(from: &Column, to: &Column) -> String {
    let mut changes = Vec::new();
    if from.sql_type != to.sql_type {
        changes.push("type".to_string());
    }
    if from.nullable != to.nullable {
        changes.push(if to.nullable { "NULL" } else { "NOT NULL" }.to_string());
    }
    if from.server_default != to.server_default {
        changes.push(match &to.server_default {
            Some(default) => format!("default {}", one_line(default)),
            None => "no default".to_string(),
        });
    }
    if from.serial != to.serial && from.generated && to.generated {
        changes
            .push(if to.serial.is_some() { "numbered by a sequence" } else { "numbered as an identity" }.to_string());
    }
    if from.generated != to.generated {
        changes.push(if to.generated { "numbered by the database" } else { "not numbered" }.to_string());
    }
    if from.identity != to.identity && from.generated && to.generated {
        changes.push("how it is numbered".to_string());
    }
    if from.computed != to.computed {
        changes.push(if to.computed.is_some() { "computed" } else { "not computed" }.to_string());
    }
    if from.collation != to.collation {
        changes.push("collation".to_string());
    }
    if from.comment != to.comment {
        changes.push("comment".to_string());
    }
    changes.join(", ")
}

/// An expression in a title, which is a comment of one line.
fn one_line(expression: &str) -> String {
    expression.split_whitespace().collect::<Vec<_>>().join(" ")
}
