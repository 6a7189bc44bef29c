//! PostgreSQL: four queries over the catalogs, in one transaction that sees one moment.
//!
//! `search_path` is emptied first, so that the server writes the names in expressions out in full, and alike in
//! every session.

use std::collections::BTreeMap;

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::schema::{
    Action, ArrayType, Check, Column, Deferrable, ForeignKey, Index, PrimaryKey, SqlType, Table, UniqueConstraint,
};
use limbeck::types::{Kind, Value};

use super::{Schema, no_schema};
use crate::error::Result;

/// Plain and partitioned tables of a schema that no extension has made.
const TABLES: &str = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT EXISTS (SELECT FROM \
     pg_depend x WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')";

const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
     a.attidentity <> '', a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid), \
     EXISTS (SELECT FROM pg_depend x JOIN pg_class s ON s.oid = x.objid AND s.relkind = 'S' \
       WHERE x.classid = 'pg_class'::regclass AND x.refclassid = 'pg_class'::regclass \
       AND x.refobjid = a.attrelid AND x.refobjsubid = a.attnum AND x.deptype = 'a') \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped \
     ORDER BY c.relname, a.attnum";

const CONSTRAINTS: &str = "SELECT c.relname::text, k.conname::text, k.contype::text, a.attname::text, \
     CASE WHEN t.relnamespace = c.relnamespace THEN t.relname::text ELSE t.oid::regclass::text END, b.attname::text, \
     k.confdeltype::text, k.confupdtype::text, CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY p (own, other, place) ON k.contype <> 'c' \
     LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own \
     LEFT JOIN pg_class t ON t.oid = k.confrelid \
     LEFT JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.other \
     WHERE n.nspname = $1::text AND k.contype IN ('p', 'u', 'f', 'c') ORDER BY c.relname, k.conname, p.place";

/// Server text (the slow part) only for indexes that have more than plain columns.
const INDEXES: &str = "SELECT c.relname::text, ic.relname::text, i.indisunique, a.attname::text, \
     CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR am.amname <> 'btree' OR i.indnkeyatts <> i.indnatts \
       OR 0 <> ANY (i.indoption::int2[]) OR (to_jsonb(i) ->> 'indnullsnotdistinct') = 'true' \
       OR EXISTS (SELECT FROM unnest(i.indclass::oid[]) o (id) JOIN pg_opclass q ON q.oid = o.id WHERE NOT q.opcdefault) \
       OR EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) z (col, coll) JOIN pg_attribute y \
         ON y.attrelid = i.indrelid AND y.attnum = z.col WHERE y.attcollation <> z.coll) \
     THEN pg_get_indexdef(i.indexrelid) END \
     FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam \
     JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY p (own, place) \
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.own \
     WHERE n.nspname = $1::text AND p.place <= i.indnkeyatts AND NOT EXISTS (SELECT FROM pg_constraint k \
       WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) \
     ORDER BY c.relname, ic.relname, p.place";

pub(super) async fn read(connection: &mut Connection) -> Result<Schema> {
    connection.begin().await?;
    let read = read_in_transaction(connection).await;
    connection.rollback().await?;
    let tables = read?.into_values().collect();
    Ok(Schema { dialect: Dialect::Postgres, tables, sqlite: BTreeMap::new(), sqlite_readers: Vec::new() })
}

async fn read_in_transaction(connection: &mut Connection) -> Result<BTreeMap<String, Table>> {
    connection.execute_raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let schema: Vec<(Option<String>,)> = connection.fetch_raw("SELECT current_schema()::text", &[]).await?;
    let Some((Some(schema),)) = schema.into_iter().next() else {
        return Err(no_schema());
    };
    connection.execute_raw("SET LOCAL search_path = ''").await?;
    let schema = [Value::Text(schema.into())];
    let names: Vec<(String,)> = connection.fetch_raw(TABLES, &schema).await?;
    let mut tables: BTreeMap<String, Table> = names
        .into_iter()
        .map(|(name,)| {
            let table = Table {
                name: name.clone(),
                columns: Vec::new(),
                primary_key: None,
                uniques: Vec::new(),
                indexes: Vec::new(),
                foreign_keys: Vec::new(),
                checks: Vec::new(),
            };
            (name, table)
        })
        .collect();
    columns(connection.fetch_raw(COLUMNS, &schema).await?, &mut tables);
    constraints(connection.fetch_raw(CONSTRAINTS, &schema).await?, &mut tables);
    indexes(connection.fetch_raw(INDEXES, &schema).await?, &mut tables);
    Ok(tables)
}

/// What stands between the type of a computed column and its expression.
pub(crate) const COMPUTED: &str = " GENERATED ALWAYS AS (";

type ColumnRow = (String, String, String, bool, bool, bool, Option<String>, bool);

fn columns(rows: Vec<ColumnRow>, tables: &mut BTreeMap<String, Table>) {
    for (table, name, declared, not_null, identity, computed, expression, owns_sequence) in rows {
        let Some(table) = tables.get_mut(&table) else { continue };
        let serial = owns_sequence && expression.as_deref().is_some_and(|e| e.starts_with("nextval("));
        let sql_type = match &expression {
            Some(expression) if computed => SqlType::Other(format!("{declared}{COMPUTED}{expression}) STORED")),
            _ => declared_type(&declared),
        };
        table.columns.push(Column {
            name,
            sql_type,
            nullable: !not_null,
            server_default: expression.filter(|_| !serial && !computed),
            generated: identity || serial,
        });
    }
}

/// The type that `format_type` writes.
pub(crate) fn declared_type(declared: &str) -> SqlType {
    match declared {
        "smallint" => SqlType::SmallInteger,
        "integer" => SqlType::Integer,
        "bigint" => SqlType::BigInteger,
        "real" => SqlType::Real,
        "double precision" => SqlType::Double,
        "boolean" => SqlType::Boolean,
        "text" => SqlType::Text,
        "character varying" => SqlType::String { length: None },
        "timestamp with time zone" => SqlType::DateTime { timezone: true },
        "timestamp without time zone" => SqlType::DateTime { timezone: false },
        "date" => SqlType::Date,
        "time without time zone" => SqlType::Time,
        "interval" => SqlType::Interval,
        "numeric" => SqlType::Numeric { precision: None, scale: 0 },
        "bytea" => SqlType::LargeBinary,
        "json" => SqlType::Json { binary: false },
        "jsonb" => SqlType::Json { binary: true },
        "uuid" => SqlType::Uuid { text: false },
        _ => sized(declared).or_else(|| array(declared)).unwrap_or_else(|| SqlType::Other(declared.to_string())),
    }
}

/// A type with numbers behind it: `character varying(20)`, `numeric(10,2)`.
fn sized(declared: &str) -> Option<SqlType> {
    let (name, size) = declared.strip_suffix(')')?.split_once('(')?;
    match (name, size.split_once(',')) {
        ("character varying", None) => Some(SqlType::String { length: Some(size.parse().ok()?) }),
        ("numeric", Some((precision, scale))) => {
            Some(SqlType::Numeric { precision: Some(precision.parse().ok()?), scale: scale.parse().ok()? })
        }
        _ => None,
    }
}

/// An array of one of the types that models have arrays of.
fn array(declared: &str) -> Option<SqlType> {
    const ARRAYS: [ArrayType; 15] = [
        ArrayType::new(&SqlType::SmallInteger, &Kind::I16),
        ArrayType::new(&SqlType::Integer, &Kind::I32),
        ArrayType::new(&SqlType::BigInteger, &Kind::I64),
        ArrayType::new(&SqlType::Real, &Kind::F32),
        ArrayType::new(&SqlType::Double, &Kind::F64),
        ArrayType::new(&SqlType::Boolean, &Kind::Bool),
        ArrayType::new(&SqlType::Text, &Kind::Text),
        ArrayType::new(&SqlType::LargeBinary, &Kind::Bytes),
        ArrayType::new(&SqlType::DateTime { timezone: true }, &Kind::DateTime),
        ArrayType::new(&SqlType::DateTime { timezone: false }, &Kind::Timestamp),
        ArrayType::new(&SqlType::Date, &Kind::Date),
        ArrayType::new(&SqlType::Time, &Kind::Time),
        ArrayType::new(&SqlType::Interval, &Kind::Interval),
        ArrayType::new(&SqlType::Numeric { precision: None, scale: 0 }, &Kind::Decimal),
        ArrayType::new(&SqlType::Uuid { text: false }, &Kind::Uuid),
    ];
    let element = declared_type(declared.strip_suffix("[]")?);
    ARRAYS.into_iter().find(|array| *array.element() == element).map(SqlType::Array)
}

type ConstraintRow = (
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

fn constraints(rows: Vec<ConstraintRow>, tables: &mut BTreeMap<String, Table>) {
    for (table, name, kind, column, target, target_column, on_delete, on_update, expression) in rows {
        let Some(table) = tables.get_mut(&table) else { continue };
        match (kind.as_str(), column) {
            ("p", Some(column)) => {
                let empty = || PrimaryKey { name: Some(name), columns: Vec::new() };
                table.primary_key.get_or_insert_with(empty).columns.push(column);
            }
            ("u", Some(column)) => {
                if table.uniques.last().is_none_or(|last| last.name.as_ref() != Some(&name)) {
                    table.uniques.push(UniqueConstraint { name: Some(name), columns: Vec::new() });
                }
                if let Some(last) = table.uniques.last_mut() {
                    last.columns.push(column);
                }
            }
            ("f", Some(column)) => {
                if table.foreign_keys.last().is_none_or(|last| last.name.as_ref() != Some(&name)) {
                    table.foreign_keys.push(ForeignKey {
                        name: Some(name),
                        columns: Vec::new(),
                        target_table: target.unwrap_or_default(),
                        target_columns: Vec::new(),
                        on_delete: action(on_delete.as_deref()),
                        on_update: action(on_update.as_deref()),
                        deferrable: Deferrable::NotDeferrable,
                    });
                }
                if let Some(last) = table.foreign_keys.last_mut() {
                    last.columns.push(column);
                    last.target_columns.extend(target_column);
                }
            }
            ("c", _) => {
                table.checks.push(Check { name: Some(name), expression: expression.unwrap_or_default() });
            }
            _ => {}
        }
    }
}

fn action(code: Option<&str>) -> Action {
    match code {
        Some("r") => Action::Restrict,
        Some("c") => Action::Cascade,
        Some("n") => Action::SetNull,
        Some("d") => Action::SetDefault,
        _ => Action::NoAction,
    }
}

type IndexRow = (String, String, bool, Option<String>, Option<String>);

fn indexes(rows: Vec<IndexRow>, tables: &mut BTreeMap<String, Table>) {
    for (table, name, unique, column, definition) in rows {
        let Some(table) = tables.get_mut(&table) else { continue };
        if table.indexes.last().is_none_or(|last| last.name != name) {
            table.indexes.push(Index { name, columns: Vec::new(), unique, definition });
        }
        if let Some(last) = table.indexes.last_mut() {
            last.columns.extend(column);
        }
    }
}
