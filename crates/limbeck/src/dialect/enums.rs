//! Enumerations: PostgreSQL's types, and the CHECK that stands for one on SQLite.

use std::collections::BTreeMap;

use super::Dialect;
use super::ddl::text_literal;
use crate::schema::{EnumType, SqlType, Table};

/// The enumerations that columns of these tables have, or arrays of them, where the database has types for them; each
/// once, by name.
pub fn enums(dialect: Dialect, tables: &[Table]) -> Vec<&EnumType> {
    if dialect != Dialect::Postgres {
        return Vec::new();
    }
    let columns = tables.iter().flat_map(|table| &table.columns);
    let by_name: BTreeMap<&str, &EnumType> =
        columns.filter_map(|column| enum_of(&column.sql_type)).map(|values| (values.name(), values)).collect();
    by_name.into_values().collect()
}

/// The enumeration that a type is, or is an array of.
pub fn enum_of(sql_type: &SqlType) -> Option<&EnumType> {
    match sql_type {
        SqlType::Enum(values) => Some(values),
        SqlType::Array(array) => enum_of(array.element()),
        _ => None,
    }
}

/// What keeps a column to the values of its enumeration on SQLite, which has no types for them:
/// `status IN ('draft', 'published')`.
pub(super) fn enum_check(column: &str, values: &EnumType) -> String {
    format!("{} IN ({})", Dialect::Sqlite.ident(column), literals(values))
}

/// `'draft', 'published'`
fn literals(values: &EnumType) -> String {
    values.values().iter().map(|value| text_literal(value)).collect::<Vec<_>>().join(", ")
}

/// `CREATE TYPE post_status AS ENUM ('draft', 'published')`
pub fn create_enum(dialect: Dialect, values: &EnumType) -> String {
    format!("CREATE TYPE {} AS ENUM ({})", dialect.ident(values.name()), literals(values))
}

/// `DROP TYPE post_status`
pub fn drop_enum(dialect: Dialect, name: &str) -> String {
    format!("DROP TYPE {}", dialect.ident(name))
}

/// PostgreSQL has no `CREATE TYPE IF NOT EXISTS`.
pub(super) fn create_enum_if_missing(dialect: Dialect, values: &EnumType) -> String {
    format!(
        "DO $limbeck$\nBEGIN\n    IF to_regtype({}) IS NULL THEN\n        {};\n    END IF;\nEND\n$limbeck$",
        text_literal(&dialect.ident(values.name())),
        create_enum(dialect, values)
    )
}
