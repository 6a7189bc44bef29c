//! The table in which a database keeps what was applied to it: a row for each revision.
//!
//! It is a set and not a pointer, so that an older branch that arrives later is applied, never skipped.

use std::collections::BTreeSet;

use limbeck::dialect::{Dialect, ddl::text_literal};
use limbeck::engine::Connection;

use crate::error::Result;
use crate::reflect::no_schema;

/// The table's name.
pub(crate) const LEDGER: &str = "limbeck_revision";

/// A revision that a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The revision's id.
    pub id: String,
    /// What it does; empty when it is not among the revisions at hand.
    pub message: String,
    /// Its file.
    pub file: String,
    /// The hash of its statements when it was applied.
    pub hash: String,
    /// When it was applied, in UTC: `2026-11-22T08:12:00Z`.
    pub at: String,
}

/// What a database has.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The table with its schema: a revision may change `search_path`, as dumps do in their first lines.
    table: String,
    exists: bool,
    pub(super) rows: Vec<Applied>,
}

impl Ledger {
    /// Reads it; a database without one has had nothing applied.
    pub(super) async fn read(connection: &mut Connection) -> Result<Ledger> {
        let (table, exists) = match connection.dialect() {
            Dialect::Postgres => {
                let found: Vec<(Option<String>, bool)> = connection
                    .fetch_raw(
                        "SELECT quote_ident(current_schema()), EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid \
                         = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = 'limbeck_revision')",
                        &[],
                    )
                    .await?;
                match found.into_iter().next() {
                    Some((Some(schema), exists)) => (format!("{schema}.{LEDGER}"), exists),
                    _ => return Err(no_schema()),
                }
            }
            _ => {
                let query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'limbeck_revision'";
                (LEDGER.to_string(), !connection.fetch_raw::<(i64,)>(query, &[]).await?.is_empty())
            }
        };
        if !exists {
            return Ok(Ledger { table, exists, rows: Vec::new() });
        }
        let query = format!("SELECT id, file, hash, applied_at FROM {table} ORDER BY applied_at, id");
        let rows: Vec<(String, String, String, String)> = connection.fetch_raw(&query, &[]).await?;
        let rows = rows.into_iter();
        let rows = rows.map(|(id, file, hash, at)| Applied { id, message: String::new(), file, hash, at }).collect();
        Ok(Ledger { table, exists, rows })
    }

    /// Makes the table where it is missing.
    pub(super) async fn create(&self, connection: &mut Connection) -> Result<()> {
        if !self.exists {
            connection.execute_raw(&sql::create(&self.table)).await?;
        }
        Ok(())
    }

    pub(super) async fn add(&self, connection: &mut Connection, applied: &Applied, parents: &[String]) -> Result<()> {
        connection.execute_raw(&sql::add(&self.table, applied, parents, &text_literal(&applied.at))).await?;
        Ok(())
    }

    pub(super) async fn remove(&self, connection: &mut Connection, id: &str) -> Result<()> {
        connection.execute_raw(&sql::remove(&self.table, id)).await?;
        Ok(())
    }

    pub(super) async fn set_hash(&self, connection: &mut Connection, id: &str, hash: &str) -> Result<()> {
        let (hash, id) = (text_literal(hash), text_literal(id));
        connection.execute_raw(&format!("UPDATE {} SET hash = {hash} WHERE id = {id}", self.table)).await?;
        Ok(())
    }

    /// The name of another table in the same schema.
    pub(super) fn beside(&self, name: &str) -> String {
        match self.table.strip_suffix(LEDGER) {
            Some(schema) => format!("{schema}{name}"),
            None => name.to_string(),
        }
    }

    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.rows.iter().map(|row| row.id.clone()).collect()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.rows.iter().any(|row| row.id == id)
    }
}

/// The statements that write it, for a run and for one that is only printed.
pub(super) mod sql {
    use limbeck::dialect::ddl::text_literal;

    use super::Applied;

    /// Dates are text on every database: they are for people.
    pub(in crate::run) fn create(table: &str) -> String {
        format!(
            "CREATE TABLE {table} (\n    id VARCHAR(64) NOT NULL,\n    parents VARCHAR NOT NULL,\n    file VARCHAR NOT \
             NULL,\n    hash VARCHAR(64) NOT NULL,\n    applied_at VARCHAR NOT NULL,\n    CONSTRAINT pk_limbeck_revision \
             PRIMARY KEY (id)\n)"
        )
    }

    /// `at` is an expression.
    pub(in crate::run) fn add(table: &str, applied: &Applied, parents: &[String], at: &str) -> String {
        let values = [&applied.id, &parents.join(","), &applied.file, &applied.hash];
        let values = values.map(|value| text_literal(value)).join(", ");
        format!("INSERT INTO {table} (id, parents, file, hash, applied_at) VALUES ({values}, {at})")
    }

    pub(in crate::run) fn remove(table: &str, id: &str) -> String {
        format!("DELETE FROM {table} WHERE id = {}", text_literal(id))
    }
}
