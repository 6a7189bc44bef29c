//! What PostgreSQL's errors mean.

use std::error::Error as _;

use tokio_postgres::error::{DbError, SqlState};

use super::encode::Unfit;
use crate::error::{DatabaseError, Error, Violation};

/// tokio-postgres's error as limbeck's.
#[cold]
pub(super) fn convert(error: tokio_postgres::Error) -> Error {
    if let Some(said) = error.as_db_error() {
        return from_server(said);
    }
    let source = error.source();
    if let Some(unfit) = source.and_then(|s| s.downcast_ref::<Unfit>()) {
        return Error::Statement(unfit.to_string());
    }
    if error.is_closed() || source.is_some_and(|s| s.is::<std::io::Error>()) {
        return Error::ConnectionLost { message: message_of(&error) };
    }
    Error::Database(Box::new(DatabaseError { message: message_of(&error), ..Default::default() }))
}

fn from_server(said: &DbError) -> Error {
    let code = said.code();
    match *code {
        SqlState::UNIQUE_VIOLATION => Error::UniqueViolation(violation(said)),
        SqlState::FOREIGN_KEY_VIOLATION => Error::ForeignKeyViolation(violation(said)),
        SqlState::NOT_NULL_VIOLATION => Error::NotNullViolation(violation(said)),
        SqlState::CHECK_VIOLATION => Error::CheckViolation(violation(said)),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED | SqlState::LOCK_NOT_AVAILABLE => {
            Error::Conflict { code: code.code().to_string(), message: full(said) }
        }
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            Error::ConnectionLost { message: full(said) }
        }
        _ if code.code().starts_with("08") => Error::ConnectionLost { message: full(said) },
        // The table changed under a prepared statement. It is prepared again by the next run.
        _ if is_stale_code(said) => Error::Conflict { code: code.code().to_string(), message: full(said) },
        _ => Error::Database(Box::new(DatabaseError {
            code: Some(code.code().to_string()),
            message: full(said),
            sql: String::new(),
        })),
    }
}

/// Whether a prepared statement has to be prepared again: its table changed, or somebody else discarded it.
pub(super) fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(is_stale_code)
}

fn is_stale_code(said: &DbError) -> bool {
    *said.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*said.code() == SqlState::FEATURE_NOT_SUPPORTED && said.routine() == Some("RevalidateCachedQuery"))
}

fn violation(said: &DbError) -> Box<Violation> {
    let mut columns: Vec<String> = said.column().map(str::to_string).into_iter().collect();
    if columns.is_empty() {
        columns = said.detail().map(key_columns).unwrap_or_default();
    }
    Box::new(Violation {
        table: said.table().unwrap_or_default().to_string(),
        constraint: said.constraint().map(str::to_string),
        columns,
        message: full(said),
        ..Default::default()
    })
}

/// `Key (first, "Last")=(a, b) already exists.` → `[first, Last]`. A server of another language puts other
/// words around the parentheses, but not inside.
fn key_columns(detail: &str) -> Vec<String> {
    let Some((before, _)) = detail.split_once(")=(") else { return Vec::new() };
    let Some((_, list)) = before.split_once('(') else { return Vec::new() };
    list.split(", ")
        .map(|name| match name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => name.to_string(),
        })
        .collect()
}

/// The message with detail and hint.
fn full(said: &DbError) -> String {
    let mut out = said.message().to_string();
    if let Some(detail) = said.detail() {
        out.push_str(": ");
        out.push_str(detail);
    }
    if let Some(hint) = said.hint() {
        out.push_str(" (hint: ");
        out.push_str(hint);
        out.push(')');
    }
    out
}

/// All that an error says.
pub(super) fn message_of(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => full(said),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_key_are_read_from_the_detail() {
        assert_eq!(key_columns("Key (email)=(a@b.c) already exists."), ["email"]);
        assert_eq!(key_columns("Key (a, \"B c\")=(1, x)=(y) already exists."), ["a", "B c"]);
        assert_eq!(key_columns("Schlüssel »(email)=(x)« existiert bereits."), ["email"]);
        assert!(key_columns("Something else.").is_empty());
    }
}
