//! The table in which a database keeps how far a revision has come that is not one transaction: a row for each
//! statement, until the revision's own row is there.

use limbeck::dialect::ddl::text_literal;
use limbeck::engine::Connection;

use super::ledger::Ledger;
use crate::error::Result;

/// The table's name.
pub(crate) const JOURNAL: &str = "limbeck_statement";

/// How far one revision has come, one way.
#[derive(Debug)]
pub(super) struct Journal {
    table: String,
    revision: String,
    way: &'static str,
    pub(super) entries: Vec<Entry>,
}

/// A statement that was begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its number in its section, from 0.
    pub(super) number: usize,
    /// The hash of its text when it was begun.
    pub(super) hash: String,
    /// Whether it ended well. One that was begun alone may have ended, too.
    pub(super) done: bool,
}

impl Journal {
    /// Reads it, and makes the table where it is missing.
    pub(super) async fn open(
        connection: &mut Connection,
        ledger: &Ledger,
        revision: &str,
        way: &'static str,
    ) -> Result<Journal> {
        let table = ledger.beside(JOURNAL);
        connection
            .execute_raw(&format!(
                "CREATE TABLE IF NOT EXISTS {table} (\n    revision VARCHAR(64) NOT NULL,\n    way VARCHAR(8) NOT NULL,\n    \
                 number INTEGER NOT NULL,\n    hash VARCHAR(64) NOT NULL,\n    state VARCHAR(8) NOT NULL,\n    CONSTRAINT \
                 pk_limbeck_statement PRIMARY KEY (revision, way, number)\n)"
            ))
            .await?;
        let mut journal = Journal { table, revision: revision.to_string(), way, entries: Vec::new() };
        let query = format!(
            "SELECT CAST(number AS BIGINT), hash, state FROM {} WHERE {} ORDER BY number",
            journal.table,
            journal.of_it()
        );
        let rows: Vec<(i64, String, String)> = connection.fetch_raw(&query, &[]).await?;
        let entry = |(number, hash, state): (i64, String, String)| Entry {
            number: usize::try_from(number).unwrap_or_default(),
            hash,
            done: state == "done",
        };
        journal.entries = rows.into_iter().map(entry).collect();
        Ok(journal)
    }

    fn of_it(&self) -> String {
        format!("revision = {} AND way = '{}'", text_literal(&self.revision), self.way)
    }

    pub(super) fn entry(&self, number: usize) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.number == number)
    }

    /// How many statements ended well.
    pub(super) fn done(&self) -> usize {
        self.entries.iter().filter(|entry| entry.done).count()
    }

    /// Records that a statement has begun, or that it ended well.
    pub(super) async fn record(
        &mut self,
        connection: &mut Connection,
        number: usize,
        hash: &str,
        done: bool,
    ) -> Result<()> {
        let state = if done { "done" } else { "begun" };
        let sql = match self.entry(number) {
            Some(_) => {
                format!("UPDATE {} SET state = '{state}' WHERE {} AND number = {number}", self.table, self.of_it())
            }
            None => format!(
                "INSERT INTO {} (revision, way, number, hash, state) VALUES ({}, '{}', {number}, '{hash}', '{state}')",
                self.table,
                text_literal(&self.revision),
                self.way
            ),
        };
        connection.execute_raw(&sql).await?;
        self.entries.retain(|entry| entry.number != number);
        self.entries.push(Entry { number, hash: hash.to_string(), done });
        Ok(())
    }

    /// Forgets one statement.
    pub(super) async fn forget(&mut self, connection: &mut Connection, number: usize) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE {} AND number = {number}", self.table, self.of_it());
        connection.execute_raw(&sql).await?;
        self.entries.retain(|entry| entry.number != number);
        Ok(())
    }

    /// Forgets all: the revision is applied, or taken back, as a whole.
    pub(super) async fn clear(&self, connection: &mut Connection) -> Result<()> {
        connection.execute_raw(&format!("DELETE FROM {} WHERE {}", self.table, self.of_it())).await?;
        Ok(())
    }
}
