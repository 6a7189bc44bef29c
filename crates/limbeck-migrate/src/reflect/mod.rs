//! A live database, read into the same plain data that models become.
//!
//! A handful of catalog queries, whatever the number of tables.

pub(crate) mod create;
pub(crate) mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::schema::Table;

pub use create::CreateTable;

use crate::error::Result;
use crate::run::LEDGER;

/// The tables of a database.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The database's way to spell SQL.
    pub dialect: Dialect,
    /// The tables, by name, without the one in which migrations keep what was applied.
    pub tables: Vec<Table>,
    /// What SQLite's tables are in their own words.
    pub sqlite: BTreeMap<String, SqliteTable>,
    /// The text of SQLite's views and triggers: a column that they name cannot simply be dropped.
    pub sqlite_readers: Vec<String>,
}

/// An SQLite table in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteTable {
    /// The statement that makes it.
    pub create: CreateTable,
    /// The statements that make its triggers.
    pub triggers: Vec<String>,
    /// The statements that make its indexes, by name.
    pub indexes: BTreeMap<String, String>,
}

/// What a PostgreSQL connection without a schema is told.
pub(crate) fn no_schema() -> crate::Error {
    crate::Error::Revision("the connection has no current schema: none of those in `search_path` exists".into())
}

impl Schema {
    /// Reads the schema of a database: on PostgreSQL, the current schema of the connection.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(connection: &mut Connection) -> Result<Schema> {
        let mut schema = match connection.dialect() {
            Dialect::Postgres => postgres::read(connection).await?,
            _ => sqlite::read(connection).await?,
        };
        schema.tables.retain(|table| table.name != LEDGER);
        schema.sqlite.remove(LEDGER);
        schema.tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(schema)
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}
