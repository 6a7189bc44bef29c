//! All that a database has, as it was read at one moment: what is compared with models, what no model says, and what is
//! not managed. It can be compared with another database, or with the same one at another time.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::schema::{Metadata, TableName};

use super::facts::{self, Fact};
use super::sqlite;
use super::unmanaged::{self, OVER_TIME, Unmanaged};
use crate::compare::{Op, Spelling, compare_with};
use crate::error::Result;
use crate::reflect::Schema;
use crate::render::render;

/// A database as it is.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(super) schema: Schema,
    /// Of PostgreSQL alone.
    pub(super) facts: Vec<Fact>,
    pub(super) unmanaged: Unmanaged,
}

/// What differs between a database and what it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// What would have to be done, each in a few words: `drop index ix_a`.
    pub operations: Vec<String>,
    /// The same as SQL.
    pub sql: Vec<String>,
    /// What differs and is not managed, each in a sentence.
    pub unmanaged: Vec<String>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.unmanaged.is_empty()
    }
}

impl Catalog {
    /// Reads a database, on PostgreSQL all schemas that belong to nobody else.
    pub(crate) async fn read(connection: &mut Connection) -> Result<Catalog> {
        if connection.dialect() != Dialect::Postgres {
            let schema = Schema::read_in(connection, BTreeSet::new()).await?;
            return Ok(Catalog { schema, facts: Vec::new(), unmanaged: sqlite::others(connection).await? });
        }
        let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
        let schemas: Vec<(String,)> = connection.fetch_raw(sql, &[]).await?;
        let mut schema = Schema::read_in(connection, schemas.iter().map(|(name,)| name.as_str()).collect()).await?;
        let facts = facts::read(connection, schema.current.as_deref()).await?;
        let unmanaged = unmanaged::read(connection, schema.current.as_deref()).await?;
        schema.tables.retain(|table| !unmanaged.has_table(&table.full_name()));
        Ok(Catalog { schema, facts, unmanaged })
    }

    /// Makes two of PostgreSQL alike in what can be said in two ways. It comes before [`operations`](Self::operations).
    pub(super) fn level(&mut self, other: &mut Catalog) {
        facts::sequences(&mut self.schema, &mut self.facts, &mut other.schema, &mut other.facts);
        facts::constraints(&mut self.schema, &self.facts);
        facts::constraints(&mut other.schema, &other.facts);
    }

    /// What makes it the other one. What it says of the tables of SQLite grows by those that are new.
    pub(super) fn operations(&mut self, wanted: &Catalog, spelling: &Spelling) -> Vec<Op> {
        if self.schema.dialect != Dialect::Postgres {
            return sqlite::operations(&mut self.schema, &wanted.schema);
        }
        let all: BTreeSet<TableName> = self.schema.tables.iter().map(|table| table.full_name()).collect();
        let tables = Metadata::new(wanted.schema.tables.clone());
        let diff = compare_with(&tables, &self.schema, spelling, &all, Some(&wanted.schema.enums));
        facts::with(diff.ops, &self.schema, &wanted.schema, &self.facts, &wanted.facts)
    }

    /// What would make it what the same database was at another time: a server spells both in the same way.
    pub(crate) fn changes(&self, wanted: &Catalog) -> Changes {
        let (mut live, mut wanted) = (self.clone(), wanted.clone());
        if live.schema.dialect == Dialect::Postgres {
            live.level(&mut wanted);
        }
        let ops = live.operations(&wanted, &Spelling::exact());
        Changes {
            operations: ops.iter().map(Op::describe).collect(),
            sql: render(&ops, &live.schema).upgrade.into_iter().flat_map(|step| step.statements).collect(),
            unmanaged: unmanaged::differences(&live.unmanaged, &wanted.unmanaged, &OVER_TIME),
        }
    }
}
