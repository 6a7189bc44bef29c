//! A run as a script, without a database: for where somebody else runs what was reviewed, by `psql` or `sqlite3`.
//!
//! It does what a run does, in the same order and with the same rows in the ledger, so that the next run goes on from
//! there. What only a live run can do is left out: the lock, other tries, the journal of what has no transaction.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use limbeck::dialect::Dialect;

use super::apply::Way;
use super::ledger::{LEDGER, sql};
use super::{Applied, Migrator};
use crate::error::{Error, Result};
use crate::revision::{History, Revision, Section, Statement, Target};
use crate::token::{self, Kind};

/// The SQL of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Script {
    /// The database that it is for.
    pub dialect: Dialect,
    /// The ids of its revisions, in order.
    pub revisions: Vec<String>,
    /// The text; empty where there is nothing to do.
    pub sql: String,
}

impl Migrator {
    /// The SQL that takes a database up: `base:head`, `3f2a:head`, or only where to, from before the first revision.
    ///
    /// # Errors
    /// When the range is not clear or leads down, or a revision has no file for this database.
    pub fn upgrade_script(&self, dialect: Dialect, range: &str) -> Result<Script> {
        let (from, to) = range.split_once(':').unwrap_or(("", range));
        let has = applied_at(self.history(), from)?;
        let target = Target::parse(if to.is_empty() { "head" } else { to })?;
        script(dialect, Way::Up, &self.history().upgrades(&has, &target)?, has.is_empty())
    }

    /// The SQL that takes a database down: `head:base`, `3f2a:91ab`, `head:-1`.
    ///
    /// # Errors
    /// As [`upgrade_script`](Self::upgrade_script), and when a revision has no `downgrade` section.
    pub fn downgrade_script(&self, dialect: Dialect, range: &str) -> Result<Script> {
        let Some((from, to)) = range.split_once(':').filter(|(from, to)| !from.is_empty() && !to.is_empty()) else {
            return Err(Error::Revision(format!(
                "no database is asked where it is, so a downgrade needs both ends, such as head:-1 or head:base; `{range}` \
                 is one"
            )));
        };
        let has = applied_at(self.history(), from)?;
        script(dialect, Way::Down, &self.history().downgrades(&has, &Target::parse(to)?)?, false)
    }
}

/// What a database has that is at a place.
fn applied_at(history: &History, place: &str) -> Result<BTreeSet<String>> {
    let places = if place.is_empty() { Vec::new() } else { history.named(place)? };
    Ok(history.below(places).into_iter().map(str::to_string).collect())
}

fn script(dialect: Dialect, way: Way, revisions: &[&Revision], is_new: bool) -> Result<Script> {
    let mut out = Text { dialect, sql: String::new() };
    for (i, revision) in revisions.iter().enumerate() {
        let file = revision.for_database(dialect)?;
        let (section, verb) = match way {
            Way::Up => (&file.upgrade, "upgrade"),
            Way::Down => match &file.downgrade {
                Some(section) => (section, "downgrade"),
                None => return Err(Error::without_downgrade(&revision.id, file.file)),
            },
        };
        if i == 0 {
            out.head();
        }
        let _ = writeln!(out.sql, "\n-- {verb} {} {}: {}", revision.id, revision.message, file.file);
        let mut ledger = Vec::new();
        match way {
            Way::Up => {
                if i == 0 && is_new {
                    ledger.push(sql::create(&format!("IF NOT EXISTS {LEDGER}")));
                }
                let applied = Applied {
                    id: revision.id.clone(),
                    message: revision.message.clone(),
                    file: file.file.clone(),
                    hash: revision.hash(dialect)?,
                    at: String::new(),
                };
                ledger.push(sql::add(LEDGER, &applied, &revision.parents, now(dialect)));
            }
            Way::Down => ledger.push(sql::remove(LEDGER, &revision.id)),
        }
        out.revision(section, &ledger);
    }
    let revisions = revisions.iter().map(|revision| revision.id.clone()).collect();
    Ok(Script { dialect, revisions, sql: out.sql })
}

/// The time at which the script runs, as a run writes it.
fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        _ => "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')",
    }
}

struct Text {
    dialect: Dialect,
    sql: String,
}

impl Text {
    fn head(&mut self) {
        let shell = match self.dialect {
            Dialect::Postgres => "psql -v ON_ERROR_STOP=1 -f",
            _ => "sqlite3 -bail app.db <",
        };
        let _ = writeln!(self.sql, "-- To be run by what stops at the first error: {shell} FILE");
        if self.dialect == Dialect::Sqlite {
            // As in a run: a shell has them off.
            self.statement("PRAGMA foreign_keys = ON");
        }
    }

    fn revision(&mut self, section: &Section, ledger: &[String]) {
        if section.is_whole() {
            self.transaction(section, &section.statements, ledger);
            return;
        }
        self.sql.push_str("-- It is not one transaction: when it fails, what stands before stays.\n");
        for (_, block) in section.blocks() {
            match block {
                [alone] if !alone.transaction => self.statement(&alone.sql),
                _ => self.transaction(section, block, &[]),
            }
        }
        self.transaction(&Section::default(), &[], ledger);
    }

    /// Statements in a transaction, the ledger's last.
    fn transaction(&mut self, section: &Section, statements: &[Statement], ledger: &[String]) {
        let rebuild = section.foreign_keys_off && !statements.is_empty();
        if rebuild {
            for sql in BEFORE_REBUILD {
                self.statement(sql);
            }
        }
        self.statement(if self.dialect == Dialect::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" });
        if rebuild {
            self.statement(DANGLING_BEFORE);
        }
        for statement in statements {
            self.statement(&statement.sql);
        }
        // As a run does: what a revision sets for its session is not for those that come after it.
        if self.dialect == Dialect::Postgres && statements.iter().any(|statement| sets(&statement.sql)) {
            self.statement("RESET ALL");
        }
        for sql in ledger {
            self.statement(sql);
        }
        if rebuild {
            for sql in DANGLING_AFTER {
                self.statement(sql);
            }
        }
        self.statement("COMMIT");
        if rebuild {
            for sql in AFTER_REBUILD {
                self.statement(sql);
            }
        }
    }

    fn statement(&mut self, sql: &str) {
        self.sql.push_str(sql);
        // A semicolon behind a comment would be part of it.
        let last = token::tokens(self.dialect, sql).ok().and_then(|mut tokens| tokens.pop());
        if last.is_some_and(|last| last.kind == Kind::Comment && last.text.starts_with("--")) {
            self.sql.push('\n');
        }
        self.sql.push_str(";\n");
    }
}

/// `PRAGMA foreign_keys` has no effect inside a transaction; without the other one, the last step of a rebuild fails where
/// a view or trigger names the table.
const BEFORE_REBUILD: [&str; 2] = ["PRAGMA foreign_keys = OFF", "PRAGMA legacy_alter_table = ON"];
const AFTER_REBUILD: [&str; 2] = ["PRAGMA legacy_alter_table = OFF", "PRAGMA foreign_keys = ON"];

/// Rows that point nowhere before a rebuild; it must not add to them.
const DANGLING_BEFORE: &str = "CREATE TEMP TABLE limbeck_dangling AS SELECT \"table\", rowid AS id, parent, fkid FROM \
                               pragma_foreign_key_check";
const DANGLING_AFTER: [&str; 4] = [
    "CREATE TEMP TABLE limbeck_check (rows_that_refer_to_nothing INTEGER CHECK (rows_that_refer_to_nothing = 0))",
    // Without `ROLLBACK`, a shell that goes on after an error would commit.
    "INSERT OR ROLLBACK INTO limbeck_check SELECT count(*) FROM (SELECT \"table\", rowid, parent, fkid FROM \
     pragma_foreign_key_check EXCEPT SELECT * FROM limbeck_dangling)",
    "DROP TABLE temp.limbeck_check",
    "DROP TABLE temp.limbeck_dangling",
];

/// Whether a statement changes a setting of the session.
fn sets(sql: &str) -> bool {
    let Ok(tokens) = token::code(Dialect::Postgres, sql) else { return true };
    tokens.first().is_some_and(|first| first.is("set")) || tokens.iter().any(|token| token.is("set_config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_behind_its_comment() {
        let mut text = Text { dialect: Dialect::Sqlite, sql: String::new() };
        for sql in ["SELECT 1 -- why", "SELECT '--'", "SELECT 1 /* -- */"] {
            text.statement(sql);
        }
        assert_eq!(text.sql, "SELECT 1 -- why\n;\nSELECT '--';\nSELECT 1 /* -- */;\n");
    }

    #[test]
    fn what_changes_a_setting_is_seen() {
        for sql in ["SET search_path = ''", "SELECT pg_catalog.set_config('search_path', '', false)"] {
            assert!(sets(sql), "{sql}");
        }
        assert!(!sets("UPDATE t SET a = 'set_config'"));
    }
}
