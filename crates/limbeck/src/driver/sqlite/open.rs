//! Opening a database file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file.
    File {
        /// Its path, relative to the working directory or absolute.
        path: PathBuf,
        /// `?mode=ro`: nothing is written, not even the journal mode.
        read_only: bool,
    },
    /// A database in memory, by the name that connections of this process share.
    Memory(String),
}

impl Target {
    /// Reads what follows `sqlite:` in a URL.
    pub(crate) fn parse(rest: &str) -> Result<Self> {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if matches!(path, ":memory:" | "/:memory:") {
            // A name of its own for each engine: two engines in a process are two databases.
            static NEXT: AtomicU64 = AtomicU64::new(1);
            return Ok(Target::Memory(format!("limbeck_{}", NEXT.fetch_add(1, Ordering::Relaxed))));
        }
        let read_only = match query {
            "" | "mode=rwc" => false,
            "mode=ro" => true,
            other => {
                return Err(Error::Config(format!(
                    "the SQLite URL has an unknown option `{other}`: `mode=ro` (read only) and `mode=rwc` are known"
                )));
            }
        };
        if path.is_empty() {
            return Err(Error::Config(
                "the SQLite URL names no file: write `sqlite://blog.db`, `sqlite:///var/lib/blog.db` or `sqlite::memory:`"
                    .into(),
            ));
        }
        let path = percent_decoded(path).ok_or_else(|| {
            Error::Config(format!(
                "the path `{path}` in the SQLite URL has a `%` that is not followed by two hex digits"
            ))
        })?;
        Ok(Target::File { path, read_only })
    }

    /// Opens a connection. Blocks for as long as the disk takes.
    pub(super) fn open(&self, statement_cache: usize, patience: Duration) -> rusqlite::Result<Connection> {
        // Only one thread at a time uses a connection (it is behind a mutex of ours), so SQLite's own is left out.
        let base = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let write = base | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let db = match self {
            Target::File { path, read_only: false } => Connection::open_with_flags(path, write)?,
            Target::File { path, read_only: true } => {
                Connection::open_with_flags(path, base | OpenFlags::SQLITE_OPEN_READ_ONLY)?
            }
            Target::Memory(name) => {
                let uri = format!("file:/{name}?vfs=memdb");
                Connection::open_with_flags(uri, write | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        // This thread may block, so SQLite may wait by itself while the file is set up.
        db.busy_timeout(patience)?;
        match self {
            Target::File { read_only: false, .. } => {
                db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
                db.execute_batch("PRAGMA synchronous = NORMAL")?;
            }
            Target::File { .. } => {}
            Target::Memory(_) => {
                db.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
            }
        }
        db.execute_batch("PRAGMA foreign_keys = ON")?;
        // A misspelt "column" in double quotes is an error, as everywhere else, and not a text.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        db.set_prepared_statement_cache_capacity(statement_cache);
        db.busy_timeout(Duration::ZERO)?;
        Ok(db)
    }
}

/// A path with its `%20`s replaced; `None` when a `%` is not followed by two hexadecimal digits.
fn percent_decoded(path: &str) -> Option<PathBuf> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files_relative_absolute_and_memory() {
        let path = |url: &str| match Target::parse(url) {
            Ok(Target::File { path, .. }) => Some(path),
            _ => None,
        };
        assert_eq!(path("//blog.db"), Some("blog.db".into()));
        assert_eq!(path("blog.db"), Some("blog.db".into()));
        assert_eq!(path("///var/lib/b.db"), Some("/var/lib/b.db".into()));
        assert_eq!(path("//a%20b.db"), Some("a b.db".into()));
        assert!(matches!(Target::parse(":memory:"), Ok(Target::Memory(_))));
        assert!(matches!(Target::parse("//:memory:"), Ok(Target::Memory(_))));
        assert!(Target::parse("//").is_err());
        assert!(Target::parse("//x.db?cache=shared").is_err());
        assert!(Target::parse("//a%2").is_err());
    }
}
