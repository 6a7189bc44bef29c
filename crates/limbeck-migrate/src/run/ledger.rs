//! The table in which a database keeps what was applied to it: a row for each revision.
//!
//! It is a set and not a pointer, so that an older branch that arrives later is applied, never skipped.

use std::collections::BTreeSet;

use limbeck::dialect::{Dialect, ddl::text_literal};
use limbeck::engine::Connection;

use crate::error::Result;

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
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) rows: Vec<Applied>,
}

impl Ledger {
    /// Reads it; a database without one has had nothing applied.
    pub(super) async fn read(connection: &mut Connection) -> Result<Ledger> {
        let exists = match connection.dialect() {
            Dialect::Postgres => "SELECT 1::int8 FROM pg_class WHERE oid = to_regclass('limbeck_revision')",
            _ => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'limbeck_revision'",
        };
        if connection.fetch_raw::<(i64,)>(exists, &[]).await?.is_empty() {
            return Ok(Ledger::default());
        }
        let rows: Vec<(String, String, String, String)> = connection
            .fetch_raw("SELECT id, file, hash, applied_at FROM limbeck_revision ORDER BY applied_at, id", &[])
            .await?;
        let rows = rows.into_iter();
        let rows = rows.map(|(id, file, hash, at)| Applied { id, message: String::new(), file, hash, at }).collect();
        Ok(Ledger { rows })
    }

    /// Makes the table where it is missing. Dates are text on every database: they are for people.
    pub(super) async fn create(connection: &mut Connection) -> Result<()> {
        let sql = "CREATE TABLE IF NOT EXISTS limbeck_revision (\n    id VARCHAR(64) NOT NULL,\n    parents VARCHAR NOT \
                   NULL,\n    file VARCHAR NOT NULL,\n    hash VARCHAR(64) NOT NULL,\n    applied_at VARCHAR NOT NULL,\n    \
                   CONSTRAINT pk_limbeck_revision PRIMARY KEY (id)\n)";
        connection.execute_raw(sql).await?;
        Ok(())
    }

    pub(super) async fn add(connection: &mut Connection, applied: &Applied, parents: &[String]) -> Result<()> {
        let values = [&applied.id, &parents.join(","), &applied.file, &applied.hash, &applied.at];
        let values = values.map(|value| text_literal(value)).join(", ");
        let sql = format!("INSERT INTO limbeck_revision (id, parents, file, hash, applied_at) VALUES ({values})");
        connection.execute_raw(&sql).await?;
        Ok(())
    }

    pub(super) async fn remove(connection: &mut Connection, id: &str) -> Result<()> {
        connection.execute_raw(&format!("DELETE FROM limbeck_revision WHERE id = {}", text_literal(id))).await?;
        Ok(())
    }

    pub(super) async fn set_hash(connection: &mut Connection, id: &str, hash: &str) -> Result<()> {
        let (hash, id) = (text_literal(hash), text_literal(id));
        connection.execute_raw(&format!("UPDATE limbeck_revision SET hash = {hash} WHERE id = {id}")).await?;
        Ok(())
    }

    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.rows.iter().map(|row| row.id.clone()).collect()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.rows.iter().any(|row| row.id == id)
    }
}
