//! What each database calls a column's type.

use super::Dialect;
use crate::schema::SqlType;

/// A column's type as the database spells it.
pub fn type_name(dialect: Dialect, sql_type: &SqlType) -> String {
    let name = match (dialect, sql_type) {
        (_, SqlType::Other(name)) => return name.clone(),
        (_, SqlType::String { length: Some(length) }) => return format!("VARCHAR({length})"),
        (_, SqlType::Numeric { precision: Some(precision), scale }) => return format!("NUMERIC({precision}, {scale})"),
        (Dialect::Postgres, SqlType::Array(array)) => return format!("{}[]", type_name(dialect, array.element())),
        (Dialect::Sqlite, SqlType::Enum(values)) => return format!("VARCHAR({})", values.longest()),
        (Dialect::Postgres, SqlType::Enum(values)) => return dialect.ident(values.name()),
        (_, SqlType::Numeric { precision: None, .. }) => "NUMERIC",
        (_, SqlType::String { length: None }) => "VARCHAR",
        (Dialect::Postgres, SqlType::Named(name)) => return dialect.ident(name),
        (_, SqlType::Text) | (Dialect::Sqlite, SqlType::Named(_)) => "TEXT",
        (_, SqlType::Boolean) => "BOOLEAN",
        // Exactly INTEGER: only a key of that name is SQLite's rowid, which is what numbers rows.
        (Dialect::Sqlite, SqlType::SmallInteger | SqlType::Integer | SqlType::BigInteger) => "INTEGER",
        (Dialect::Sqlite, SqlType::Real | SqlType::Double) => "REAL",
        // SQLite has no dates, JSON or arrays; TEXT has the affinity that leaves them as they are written. Declared as
        // JSON or DATETIME, a column would turn a text that looks like a number into one.
        (
            Dialect::Sqlite,
            SqlType::DateTime { .. }
            | SqlType::Date
            | SqlType::Time
            | SqlType::Interval
            | SqlType::Json { .. }
            | SqlType::Array(_),
        ) => "TEXT",
        (Dialect::Sqlite, SqlType::LargeBinary | SqlType::Uuid { text: false }) => "BLOB",
        (Dialect::Sqlite, SqlType::Uuid { text: true }) => "CHAR(32)",
        (Dialect::Postgres, SqlType::SmallInteger) => "SMALLINT",
        (Dialect::Postgres, SqlType::Integer) => "INTEGER",
        (Dialect::Postgres, SqlType::BigInteger) => "BIGINT",
        (Dialect::Postgres, SqlType::Real) => "REAL",
        (Dialect::Postgres, SqlType::Double) => "DOUBLE PRECISION",
        (Dialect::Postgres, SqlType::LargeBinary) => "BYTEA",
        (Dialect::Postgres, SqlType::DateTime { timezone: true }) => "TIMESTAMPTZ",
        (Dialect::Postgres, SqlType::DateTime { timezone: false }) => "TIMESTAMP",
        (Dialect::Postgres, SqlType::Date) => "DATE",
        (Dialect::Postgres, SqlType::Time) => "TIME",
        (Dialect::Postgres, SqlType::Interval) => "INTERVAL",
        (Dialect::Postgres, SqlType::Json { binary: true }) => "JSONB",
        (Dialect::Postgres, SqlType::Json { binary: false }) => "JSON",
        (Dialect::Postgres, SqlType::Uuid { .. }) => "UUID",
    };
    name.to_string()
}
