//! What SQLite's errors mean.

use rusqlite::ffi;

use crate::error::{DatabaseError, Error, Violation};
use crate::schema::naming;

/// Whether waiting may help: somebody else holds a lock that will be given back.
///
/// Not so for `SQLITE_BUSY_SNAPSHOT`: this transaction reads an old state and can never write.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        code(error),
        Some(ffi::SQLITE_BUSY | ffi::SQLITE_BUSY_RECOVERY | ffi::SQLITE_LOCKED | ffi::SQLITE_LOCKED_SHAREDCACHE)
    )
}

/// Whether the statement was stopped by our own watch.
pub(super) fn is_interrupted(error: &rusqlite::Error) -> bool {
    code(error) == Some(ffi::SQLITE_INTERRUPT)
}

fn code(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(e, _) | rusqlite::Error::SqlInputError { error: e, .. } => Some(e.extended_code),
        _ => None,
    }
}

/// rusqlite's error as limbeck's.
#[cold]
pub(super) fn convert(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(e, message) => {
            let message = message.unwrap_or_else(|| ffi::code_to_str(e.extended_code).to_string());
            failure(e.extended_code, message)
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => failure(error.extended_code, msg),
        rusqlite::Error::ToSqlConversionFailure(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::Statement(other.to_string()),
        },
        rusqlite::Error::MultipleStatement => {
            Error::Statement("the text holds more than one statement: send them one by one".into())
        }
        other => Error::Database(Box::new(DatabaseError { message: other.to_string(), ..Default::default() })),
    }
}

fn failure(code: i32, message: String) -> Error {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE => Error::UniqueViolation(unique(message, false)),
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Error::UniqueViolation(unique(message, true))
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Error::ForeignKeyViolation(Box::new(Violation { message, ..Default::default() }))
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            let (table, columns) = failed_columns(&message);
            Error::NotNullViolation(Box::new(Violation { table, columns, message, ..Default::default() }))
        }
        ffi::SQLITE_CONSTRAINT_CHECK => {
            // A constraint without a name is given by its expression; ours all have names.
            let constraint = message.strip_prefix("CHECK constraint failed: ").map(str::to_string);
            Error::CheckViolation(Box::new(Violation { constraint, message, ..Default::default() }))
        }
        _ if matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => {
            Error::Conflict { code: name(code), message }
        }
        _ => Error::Database(Box::new(DatabaseError { code: Some(name(code)), message, ..Default::default() })),
    }
}

fn unique(message: String, primary: bool) -> Box<Violation> {
    let (table, columns) = failed_columns(&message);
    // SQLite names an index over expressions, and the columns of any other.
    let constraint = if let Some(rest) = message.strip_prefix("UNIQUE constraint failed: index '") {
        Some(rest.trim_end_matches('\'').to_string())
    } else if table.is_empty() {
        None
    } else if primary {
        Some(naming::primary_key(&table))
    } else {
        Some(naming::unique(&table, &columns))
    };
    Box::new(Violation { table, columns, constraint, message, ..Default::default() })
}

/// `… constraint failed: users.first, users.last` → `users`, `[first, last]`.
fn failed_columns(message: &str) -> (String, Vec<String>) {
    let Some((_, list)) = message.split_once(" constraint failed: ") else { return Default::default() };
    let mut table = String::new();
    let mut columns = Vec::new();
    for part in list.split(", ") {
        let Some((t, column)) = part.split_once('.') else { return Default::default() };
        table = t.to_string();
        columns.push(column.to_string());
    }
    (table, columns)
}

/// The name of a result code, as SQLite's documentation spells it.
fn name(code: i32) -> String {
    let name = match code {
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_BUSY_RECOVERY => "SQLITE_BUSY_RECOVERY",
        ffi::SQLITE_BUSY_SNAPSHOT => "SQLITE_BUSY_SNAPSHOT",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_LOCKED_SHAREDCACHE => "SQLITE_LOCKED_SHAREDCACHE",
        ffi::SQLITE_ERROR => "SQLITE_ERROR",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
        ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
        ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        _ => return format!("SQLite result code {code}"),
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_message_gives_table_columns_and_our_name_for_the_constraint() {
        let error = failure(ffi::SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: t.a, t.b".into());
        let violation = error.violation().expect("a violation");
        assert_eq!(violation.table, "t");
        assert_eq!(violation.columns, ["a", "b"]);
        assert_eq!(violation.constraint.as_deref(), Some("uq_t_a_b"));
        let error = failure(ffi::SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: index 'ix_lower'".into());
        assert_eq!(error.violation().and_then(|v| v.constraint.as_deref()), Some("ix_lower"));
    }

    #[test]
    fn a_stale_snapshot_is_a_conflict_that_waiting_does_not_cure() {
        let stale = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY_SNAPSHOT), None);
        assert!(!is_busy(&stale));
        assert!(convert(stale).is_retryable());
    }
}
