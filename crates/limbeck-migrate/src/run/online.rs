//! Statements that run outside of a transaction, and what they leave when they are interrupted.
//!
//! `CREATE INDEX CONCURRENTLY` that fails leaves an index that is INVALID: it costs every write and serves no query,
//! and another run would find its name taken. So a run looks into the catalog before it begins one again.

use std::time::{Duration, Instant};

use limbeck::dialect::{Dialect, ddl::text_literal};
use limbeck::engine::Connection;

use crate::error::Result;
use crate::token::{self, Kind, Token};

/// A statement whose outcome the catalog can tell.
#[derive(Debug, PartialEq, Eq)]
enum Online {
    /// `CREATE INDEX CONCURRENTLY name ON table`
    CreateIndex { name: String, table: String },
    /// `DROP INDEX CONCURRENTLY name`
    DropIndex { name: String },
    /// `ALTER TYPE name ADD VALUE 'value'`
    AddValue { of: String, value: String },
}

/// Clears away what an earlier try has left. Returns whether the statement has been done already, where it is known to
/// have begun.
pub(super) async fn settle(connection: &mut Connection, sql: &str, begun: bool, wait: Duration) -> Result<bool> {
    if connection.dialect() != Dialect::Postgres {
        return Ok(false);
    }
    match Online::read(sql) {
        Some(Online::CreateIndex { name, table }) => {
            let start = Instant::now();
            let (index, valid) = loop {
                let query = format!(
                    "SELECT i.indexrelid::regclass::text, i.indisvalid, EXISTS (SELECT FROM pg_stat_progress_create_index p \
                     WHERE p.index_relid = i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE \
                     c.relname = {} AND i.indrelid = to_regclass({})",
                    text_literal(&name),
                    text_literal(&table)
                );
                let found: Vec<(String, bool, bool)> = connection.fetch_raw(&query, &[]).await?;
                match found.into_iter().next() {
                    None => return Ok(false),
                    // The server goes on building for a client that is gone, until it has something to say to it.
                    Some((_, false, true)) if start.elapsed() < wait => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    Some((index, valid, _)) => break (index, valid),
                }
            };
            if !valid {
                connection.execute_raw(&format!("DROP INDEX CONCURRENTLY {index}")).await?;
            }
            Ok(valid && begun)
        }
        Some(Online::DropIndex { name }) if begun => {
            let query = format!("SELECT to_regclass({}) IS NULL", text_literal(&name));
            Ok(is_true(connection, &query).await?)
        }
        Some(Online::AddValue { of, value }) if begun => {
            let query = format!(
                "SELECT EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype({}) AND enumlabel = {value})",
                text_literal(&of)
            );
            Ok(is_true(connection, &query).await?)
        }
        _ => Ok(false),
    }
}

async fn is_true(connection: &mut Connection, query: &str) -> Result<bool> {
    let rows: Vec<(bool,)> = connection.fetch_raw(query, &[]).await?;
    Ok(rows.first().is_some_and(|row| row.0))
}

impl Online {
    fn read(sql: &str) -> Option<Online> {
        let tokens = token::code(Dialect::Postgres, sql).ok()?;
        let mut words = Words { sql, tokens: &tokens };
        if words.take("create") {
            words.take("unique");
            if !(words.take("index") && words.take("concurrently")) {
                return None;
            }
            let _ = words.take("if") && words.take("not") && words.take("exists");
            let name = words.name()?;
            let name = token::code(Dialect::Postgres, name).ok()?.last().and_then(folded)?;
            if !words.take("on") {
                return None;
            }
            words.take("only");
            return Some(Online::CreateIndex { name, table: words.name()?.to_string() });
        }
        if words.take("drop") {
            if !(words.take("index") && words.take("concurrently")) {
                return None;
            }
            let _ = words.take("if") && words.take("exists");
            return Some(Online::DropIndex { name: words.name()?.to_string() });
        }
        if words.take("alter") && words.take("type") {
            let of = words.name()?.to_string();
            if !(words.take("add") && words.take("value")) {
                return None;
            }
            let _ = words.take("if") && words.take("not") && words.take("exists");
            let value = words.tokens.first().filter(|token| token.kind == Kind::Text)?;
            return Some(Online::AddValue { of, value: value.text.to_string() });
        }
        None
    }
}

/// The identifier as the server stores it.
fn folded(token: &Token<'_>) -> Option<String> {
    let name = token.identifier()?;
    Some(if token.kind == Kind::Word { name.to_lowercase() } else { name })
}

/// The words of a statement that are left.
struct Words<'a> {
    sql: &'a str,
    tokens: &'a [Token<'a>],
}

impl<'a> Words<'a> {
    /// Takes a keyword, if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let is_next = self.tokens.first().is_some_and(|token| token.is(word));
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    /// Takes a name, with its schema and quotes as it is written.
    fn name(&mut self) -> Option<&'a str> {
        let is_name = |token: &Token<'_>| matches!(token.kind, Kind::Word | Kind::Quoted);
        let first = self.tokens.first().filter(|token| is_name(token))?;
        let mut last = first;
        let mut taken = 1;
        while let [dot, name, ..] = &self.tokens[taken..]
            && dot.is_symbol('.')
            && is_name(name)
        {
            last = name;
            taken += 2;
        }
        self.tokens = &self.tokens[taken..];
        Some(&self.sql[first.start..last.end()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_catalog_can_tell_is_recognised() {
        let index = |name: &str, table: &str| Some(Online::CreateIndex { name: name.into(), table: table.into() });
        assert_eq!(Online::read("CREATE INDEX CONCURRENTLY ix_A ON s.\"T\" (b)"), index("ix_a", "s.\"T\""));
        assert_eq!(
            Online::read("create unique index concurrently if not exists \"ix A\" on only t using btree (b)"),
            index("ix A", "t")
        );
        assert_eq!(Online::read("CREATE INDEX ix ON t (b)"), None);
        assert_eq!(Online::read("CREATE INDEX CONCURRENTLY ON t (b)"), None);
        assert_eq!(
            Online::read("DROP INDEX CONCURRENTLY IF EXISTS s.ix"),
            Some(Online::DropIndex { name: "s.ix".into() })
        );
        assert_eq!(
            Online::read("ALTER TYPE s.mood ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'b'"),
            Some(Online::AddValue { of: "s.mood".into(), value: "'it''s'".into() })
        );
        assert_eq!(Online::read("VACUUM"), None);
    }
}
