//! A live database, read into the same plain data that models become.
//!
//! A handful of catalog queries, whatever the number of tables.

pub(crate) mod create;
mod enums;
pub(crate) mod postgres;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::schema::{EnumType, Metadata, Table, TableName};

pub use create::CreateTable;

use crate::error::Result;
use crate::run::{JOURNAL, LEDGER};

/// The tables of a database.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The database's way to spell SQL.
    pub dialect: Dialect,
    /// The tables, by name, without the one in which migrations keep what was applied. Those of the current schema
    /// have no schema in their name.
    pub tables: Vec<Table>,
    /// PostgreSQL's current schema.
    pub current: Option<String>,
    /// Those of PostgreSQL's schemas that were asked for and are there.
    pub schemas: BTreeSet<String>,
    /// The enumerations of PostgreSQL's current schema.
    pub enums: Vec<EnumType>,
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
    fn empty(dialect: Dialect) -> Schema {
        Schema {
            dialect,
            tables: Vec::new(),
            current: None,
            schemas: BTreeSet::new(),
            enums: Vec::new(),
            sqlite: BTreeMap::new(),
            sqlite_readers: Vec::new(),
        }
    }

    /// Reads the schema of a database: on PostgreSQL, the current schema of the connection.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(connection: &mut Connection) -> Result<Schema> {
        Schema::read_for(connection, &Metadata::default(), &BTreeSet::new()).await
    }

    /// Reads the schema of a database, and on PostgreSQL the other schemas that models name, or in which there are
    /// tables that revisions made.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read_for(
        connection: &mut Connection,
        wanted: &Metadata,
        owned: &BTreeSet<TableName>,
    ) -> Result<Schema> {
        Schema::read_after(connection, wanted, owned, &[]).await
    }

    /// The same, as it is after these statements, which are taken back.
    pub(crate) async fn read_after(
        connection: &mut Connection,
        wanted: &Metadata,
        owned: &BTreeSet<TableName>,
        first: &[String],
    ) -> Result<Schema> {
        let named = wanted.tables.iter().filter_map(|table| table.schema.as_deref());
        let owned = owned.iter().filter_map(|table| table.schema.as_deref());
        Schema::read_schemas(connection, named.chain(owned).collect(), first).await
    }

    /// Reads the schema of a database, and on PostgreSQL these schemas too.
    pub(crate) async fn read_in(connection: &mut Connection, schemas: BTreeSet<&str>) -> Result<Schema> {
        Schema::read_schemas(connection, schemas, &[]).await
    }

    async fn read_schemas(connection: &mut Connection, schemas: BTreeSet<&str>, first: &[String]) -> Result<Schema> {
        let mut schema = match connection.dialect() {
            Dialect::Postgres => postgres::read(connection, &schemas, first).await?,
            _ => sqlite::read_after(connection, first).await?,
        };
        for own in [LEDGER, JOURNAL] {
            schema.tables.retain(|table| table.name != own);
            schema.sqlite.remove(own);
        }
        schema.tables.sort_by_key(Table::full_name);
        Ok(schema)
    }

    /// The table of that name.
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name.name && table.schema == name.schema)
    }

    /// What models want, as this database would keep it; its current schema is not named.
    ///
    /// # Errors
    /// When this kind of database cannot hold it.
    pub fn adopt(&self, wanted: &Metadata) -> Result<Metadata> {
        let mut wanted = wanted.on(self.dialect).map_err(limbeck::Error::from)?;
        let current = |schema: &mut Option<String>| {
            if *schema == self.current {
                *schema = None;
            }
        };
        for table in &mut wanted.tables {
            current(&mut table.schema);
            table.foreign_keys.iter_mut().for_each(|key| current(&mut key.target_schema));
            if let Some(live) = self.table(&table.full_name()) {
                kept(table, live);
            }
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = wanted.tables.iter().find(|table| !seen.insert(table.full_name())) {
            return Err(limbeck::Error::Mapping(format!(
                "two models are for the table `{}`: one names the schema, and one means it because it is the current \
                 one",
                twice.name
            ))
            .into());
        }
        Ok(wanted)
    }
}

/// What no model can say stays as it is.
fn kept(wanted: &mut Table, live: &Table) {
    wanted.unlogged = live.unlogged;
    for column in wanted.columns.iter_mut().filter(|column| column.generated && column.identity.is_none()) {
        column.serial = live.column(&column.name).and_then(|column| column.serial.clone());
    }
    for check in &mut wanted.checks {
        check.no_inherit = live.checks.iter().any(|other| other.name == check.name && other.no_inherit);
    }
    for index in &mut wanted.indexes {
        let found = live.indexes.iter().find(|other| other.name == index.name);
        index.comment = found.and_then(|other| other.comment.clone());
    }
}
