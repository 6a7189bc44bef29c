//! What can be done to a schema. Every operation knows its inverse.

use limbeck::schema::{Column, ForeignKey, Index, PrimaryKey, Table, UniqueConstraint};

/// One change of a schema.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// A table with all that belongs to it, indexes too.
    CreateTable(Table),
    /// The inverse: the table as it was.
    DropTable(Table),
    /// A column, without the constraints and indexes on it.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: Column,
    },
    /// The inverse.
    DropColumn {
        /// The table.
        table: String,
        /// The column as it was.
        column: Column,
    },
    /// A column's type, nullability, default, or whether the database numbers it.
    AlterColumn {
        /// The table.
        table: String,
        /// The column as it was.
        from: Column,
        /// The column as it shall be.
        to: Column,
    },
    /// Another primary key, or none.
    SetPrimaryKey {
        /// The table.
        table: String,
        /// The key as it was.
        from: Option<PrimaryKey>,
        /// The key as it shall be.
        to: Option<PrimaryKey>,
    },
    /// An index.
    CreateIndex {
        /// The table.
        table: String,
        /// The index.
        index: Index,
    },
    /// The inverse.
    DropIndex {
        /// The table.
        table: String,
        /// The index as it was.
        index: Index,
    },
    /// A unique constraint.
    AddUnique {
        /// The table.
        table: String,
        /// The constraint.
        unique: UniqueConstraint,
    },
    /// The inverse.
    DropUnique {
        /// The table.
        table: String,
        /// The constraint as it was.
        unique: UniqueConstraint,
    },
    /// A foreign key.
    AddForeignKey {
        /// The table.
        table: String,
        /// The key.
        key: ForeignKey,
    },
    /// The inverse.
    DropForeignKey {
        /// The table.
        table: String,
        /// The key as it was.
        key: ForeignKey,
    },
}

impl Op {
    /// The table that it changes.
    pub fn table(&self) -> &str {
        match self {
            Op::CreateTable(table) | Op::DropTable(table) => &table.name,
            Op::AddColumn { table, .. }
            | Op::DropColumn { table, .. }
            | Op::AlterColumn { table, .. }
            | Op::SetPrimaryKey { table, .. }
            | Op::CreateIndex { table, .. }
            | Op::DropIndex { table, .. }
            | Op::AddUnique { table, .. }
            | Op::DropUnique { table, .. }
            | Op::AddForeignKey { table, .. }
            | Op::DropForeignKey { table, .. } => table,
        }
    }

    /// What takes it back.
    #[must_use]
    pub fn inverse(self) -> Op {
        match self {
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
            Op::AddForeignKey { table, key } => Op::DropForeignKey { table, key },
            Op::DropForeignKey { table, key } => Op::AddForeignKey { table, key },
        }
    }

    /// The data that it loses: `widgets`, `users.email`.
    pub fn loses(&self) -> Option<String> {
        match self {
            Op::DropTable(table) => Some(table.name.clone()),
            Op::DropColumn { table, column } => Some(format!("{table}.{}", column.name)),
            _ => None,
        }
    }

    /// What it does, in a few words: the title of its step.
    pub fn describe(&self) -> String {
        let of = |table: &str, columns: &[String]| format!("{table}.{}", columns.join(", "));
        match self {
            Op::CreateTable(table) => format!("create table {}", table.name),
            Op::DropTable(table) => format!("drop table {}", table.name),
            Op::AddColumn { table, column } => format!("add column {table}.{}", column.name),
            Op::DropColumn { table, column } => format!("drop column {table}.{}", column.name),
            Op::AlterColumn { table, from, to } => format!("alter column {table}.{}: {}", to.name, changes(from, to)),
            Op::SetPrimaryKey { table, to: Some(key), .. } => {
                format!("primary key of {table}: {}", key.columns.join(", "))
            }
            Op::SetPrimaryKey { table, to: None, .. } => format!("no primary key of {table}"),
            Op::CreateIndex { table, index } if index.columns.is_empty() => format!("index {} on {table}", index.name),
            Op::CreateIndex { table, index } => format!("index on {}", of(table, &index.columns)),
            Op::DropIndex { index, .. } => format!("drop index {}", index.name),
            Op::AddUnique { table, unique } => format!("unique {}", of(table, &unique.columns)),
            Op::DropUnique { table, unique } => format!("drop unique {}", of(table, &unique.columns)),
            Op::AddForeignKey { table, key } => {
                format!("foreign key {} to {}", of(table, &key.columns), key.target_table)
            }
            Op::DropForeignKey { table, key } => {
                format!("drop foreign key {} to {}", of(table, &key.columns), key.target_table)
            }
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
            Some(default) => format!("default {default}"),
            None => "no default".to_string(),
        });
    }
    if from.generated != to.generated {
        changes.push(if to.generated { "numbered by the database" } else { "not numbered" }.to_string());
    }
    changes.join(", ")
}
