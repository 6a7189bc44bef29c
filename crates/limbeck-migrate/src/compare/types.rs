//! When a column of the database has the type that a model wants.

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Check, SqlType, Table};

/// Whether the live type is the wanted one.
///
/// PostgreSQL's types are what they are. SQLite has no types but five affinities, and ignores lengths: there a declared
/// type is as good as the wanted one when it keeps values of that kind alike.
pub(crate) fn same_type(dialect: Dialect, wanted: &SqlType, live: &SqlType) -> bool {
    if wanted == live {
        return true;
    }
    if dialect == Dialect::Postgres {
        // An enum of which not all is known, by its name.
        let spelled = matches!(live, SqlType::Other(text) if *text == ddl::type_name(dialect, wanted));
        return spelled || plain(wanted) == plain(live) || is_named(wanted, live);
    }
    // What is written as text here, other tools declare by a name that says what it is.
    let named = match wanted {
        SqlType::DateTime { .. } | SqlType::Date | SqlType::Time | SqlType::Interval => class(live) == Class::Dated,
        SqlType::Json { .. } | SqlType::Array(_) => class(live) == Class::Json,
        _ => false,
    };
    named || class(wanted) == class(live)
}

/// Whether a check that is wanted and not there is that of a column which SQLite has declared as JSON.
///
/// limbeck's own columns of JSON are TEXT, so one that is declared JSON was made by another tool, which has no such
/// check: SQLAlchemy has none. As its declared type is good enough ([`same_type`]), so is what it does without, and its
/// table is not rebuilt for that alone. A TEXT that is to be JSON gets the check, as one that is to be an enum does.
pub(crate) fn is_json_of_others(dialect: Dialect, wanted: &Table, live: &Table, check: &Check) -> bool {
    let is_json = |name: &str| {
        let wanted = wanted.column(name).map(|column| &column.sql_type);
        matches!(wanted, Some(SqlType::Json { .. } | SqlType::Array(_)))
    };
    dialect == Dialect::Sqlite
        && live.columns.iter().any(|column| {
            class(&column.sql_type) == Class::Json
                && is_json(&column.name)
                && check.expression == ddl::json_check(&column.name)
        })
}

/// Whether the live type has the wanted name, in whichever schema that is.
fn is_named(wanted: &SqlType, live: &SqlType) -> bool {
    let (SqlType::Named(name), SqlType::Other(live)) = (wanted, live) else { return false };
    let written = Dialect::Postgres.ident(name);
    *live == written || live.strip_suffix(&written).is_some_and(|schema| schema.ends_with('.'))
}

/// The type without what only SQLite has to know, or what is no matter of the column.
fn plain(sql_type: &SqlType) -> SqlType {
    match sql_type {
        SqlType::Uuid { .. } => SqlType::Uuid { text: false },
        // Other values are a change of the type, and not of its columns.
        SqlType::Enum(_) => SqlType::Other(ddl::type_name(Dialect::Postgres, sql_type)),
        _ => sql_type.clone(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Integer,
    Boolean,
    Text,
    /// Declared as a date or time, which SQLite takes for a number.
    Dated,
    /// Declared as JSON, likewise.
    Json,
    Float,
    Blob,
    Numeric,
}

/// SQLite's own rules for a declared type, with booleans and dates taken out of its NUMERIC.
fn class(sql_type: &SqlType) -> Class {
    let declared = ddl::type_name(Dialect::Sqlite, sql_type).to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("BOOL") || declared == "TINYINT(1)" {
        Class::Boolean
    } else if has("INT") {
        Class::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Class::Text
    } else if has("BLOB") || declared.is_empty() {
        Class::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Class::Float
    } else if has("DATE") || has("TIME") {
        Class::Dated
    } else if has("JSON") {
        Class::Json
    } else {
        Class::Numeric
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(name: &str) -> SqlType {
        SqlType::Other(name.into())
    }

    #[test]
    fn sqlite_compares_by_class() {
        let same = [
            (SqlType::Integer, other("BIGINT")),
            (SqlType::String { length: Some(10) }, SqlType::String { length: Some(20) }),
            (SqlType::Text, other("character varying(7)")),
            (SqlType::DateTime { timezone: true }, other("DATETIME")),
            (SqlType::Date, SqlType::Text),
            (SqlType::Real, other("FLOAT")),
            (SqlType::Boolean, other("tinyint(1)")),
            (SqlType::Numeric { precision: Some(10), scale: 2 }, other("DECIMAL(12, 4)")),
            (SqlType::Interval, other("DATETIME")),
            (SqlType::Json { binary: true }, other("JSON")),
            (SqlType::Json { binary: true }, SqlType::Text),
            (SqlType::Uuid { text: true }, other("CHAR(36)")),
            (SqlType::LargeBinary, SqlType::Uuid { text: false }),
        ];
        for (wanted, live) in same {
            assert!(same_type(Dialect::Sqlite, &wanted, &live), "{wanted:?} {live:?}");
        }
        let different = [
            (SqlType::Integer, SqlType::Text),
            (SqlType::Boolean, SqlType::BigInteger),
            (SqlType::Text, other("DATETIME")),
            (SqlType::Double, other("DECIMAL(10,2)")),
            (SqlType::Text, other("")),
            (SqlType::Text, other("JSON")),
            (SqlType::Uuid { text: true }, SqlType::Uuid { text: false }),
            (SqlType::Double, SqlType::Numeric { precision: None, scale: 0 }),
        ];
        for (wanted, live) in different {
            assert!(!same_type(Dialect::Sqlite, &wanted, &live), "{wanted:?} {live:?}");
        }
    }

    #[test]
    fn postgresql_types_are_what_they_are() {
        let postgres = |wanted: SqlType, live: SqlType| same_type(Dialect::Postgres, &wanted, &live);
        assert!(postgres(SqlType::BigInteger, SqlType::BigInteger));
        assert!(!postgres(SqlType::BigInteger, SqlType::Integer));
        assert!(!postgres(SqlType::Json { binary: true }, SqlType::Json { binary: false }));
        // Where a UUID is kept as text is SQLite's business.
        assert!(postgres(SqlType::Uuid { text: true }, SqlType::Uuid { text: false }));
        assert!(!postgres(SqlType::String { length: Some(10) }, SqlType::String { length: Some(20) }));
        assert!(!postgres(SqlType::String { length: None }, SqlType::Text));
        assert!(postgres(SqlType::Named("citext"), other("public.citext")));
        assert!(!postgres(SqlType::Named("citext"), other("public.mycitext")));
    }
}
