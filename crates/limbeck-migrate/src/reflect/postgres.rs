//! PostgreSQL: four queries over the catalogs, in one transaction that sees one moment.
//!
//! `search_path` is emptied first, so that the server writes the names in expressions out in full, and alike in
//! every session. `$1` is the list of schemas, of which the connection's current one is the first.

use std::collections::{BTreeMap, BTreeSet};

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::schema::{
    Action, ArrayType, Check, Collation, Column, Computed, Deferrable, ForeignKey, Identity, Index, PrimaryKey,
    SqlType, Table, TableName, UniqueConstraint,
};
use limbeck::types::Value;

use super::enums::{ENUMS, Enums};
use super::{Schema, no_schema};
use crate::error::Result;

/// Plain and partitioned tables that no extension has made; and the schemas that there are.
const TABLES: &str = "SELECT n.nspname::text, c.relname::text, obj_description(c.oid, 'pg_class'), \
     c.relpersistence::text = 'u' \
     FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
     AND NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_depend x \
       WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e') \
     WHERE n.nspname = ANY($1::text::text[])";

const COLUMNS: &str = "SELECT n.nspname::text, c.relname::text, a.attname::text, \
     format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text, \
     pg_get_expr(d.adbin, d.adrelid), \
     (SELECT s.relname::text FROM pg_depend x JOIN pg_class s ON s.oid = x.objid AND s.relkind = 'S' \
       WHERE x.classid = 'pg_class'::regclass AND x.refclassid = 'pg_class'::regclass \
       AND x.refobjid = a.attrelid AND x.refobjsubid = a.attnum AND x.deptype = 'a' LIMIT 1), \
     CASE WHEN a.attcollation <> t.typcollation \
       THEN (SELECT o.collname::text FROM pg_collation o WHERE o.oid = a.attcollation) END, \
     col_description(a.attrelid, a.attnum), q.seqstart, q.seqincrement \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_type t ON t.oid = a.atttypid \
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     LEFT JOIN LATERAL (SELECT s.seqstart, s.seqincrement FROM pg_depend x JOIN pg_sequence s ON s.seqrelid = x.objid \
       WHERE a.attidentity <> '' AND x.classid = 'pg_class'::regclass AND x.refclassid = 'pg_class'::regclass \
       AND x.refobjid = a.attrelid AND x.refobjsubid = a.attnum AND x.deptype = 'i' LIMIT 1) q ON true \
     WHERE n.nspname = ANY($1::text::text[]) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped \
     ORDER BY n.nspname, c.relname, a.attnum";

const CONSTRAINTS: &str = "SELECT n.nspname::text, c.relname::text, k.conname::text, k.contype::text, a.attname::text, \
     m.nspname::text, t.relname::text, b.attname::text, k.confdeltype::text, k.confupdtype::text, k.condeferrable, \
     k.condeferred, CASE WHEN k.contype = 'u' THEN coalesce((SELECT to_jsonb(i) ->> 'indnullsnotdistinct' \
       FROM pg_index i WHERE i.indexrelid = k.conindid) = 'true', false) ELSE false END, \
     CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END, k.connoinherit \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY p (own, other, place) ON k.contype <> 'c' \
     LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own \
     LEFT JOIN pg_class t ON t.oid = k.confrelid LEFT JOIN pg_namespace m ON m.oid = t.relnamespace \
     LEFT JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.other \
     WHERE n.nspname = ANY($1::text::text[]) AND k.contype IN ('p', 'u', 'f', 'c') \
     ORDER BY n.nspname, c.relname, k.conname, p.place";

/// Server text (the slow part) only for indexes that have more than plain columns.
const INDEXES: &str = "SELECT n.nspname::text, c.relname::text, ic.relname::text, i.indisunique, a.attname::text, \
     obj_description(ic.oid, 'pg_class'), \
     CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR am.amname <> 'btree' OR i.indnkeyatts <> i.indnatts \
       OR ic.reloptions IS NOT NULL OR 0 <> ANY (i.indoption::int2[]) OR (to_jsonb(i) ->> 'indnullsnotdistinct') = 'true' \
       OR EXISTS (SELECT FROM unnest(i.indclass::oid[]) o (id) JOIN pg_opclass q ON q.oid = o.id WHERE NOT q.opcdefault) \
       OR EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) z (col, coll) JOIN pg_attribute y \
         ON y.attrelid = i.indrelid AND y.attnum = z.col WHERE y.attcollation <> z.coll) \
     THEN pg_get_indexdef(i.indexrelid) END \
     FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam \
     JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY p (own, place) \
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.own \
     WHERE n.nspname = ANY($1::text::text[]) AND p.place <= i.indnkeyatts AND NOT EXISTS (SELECT FROM pg_constraint k \
       WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) \
     ORDER BY n.nspname, c.relname, ic.relname, p.place";

/// How long a rename that is tried waits for the table: those who come after it wait too.
const PATIENCE: &str = "SET LOCAL lock_timeout = '5s'";

/// Reads it as it is after these statements, which are taken back.
pub(super) async fn read(connection: &mut Connection, schemas: &BTreeSet<&str>, first: &[String]) -> Result<Schema> {
    connection.begin().await?;
    let read = read_in_transaction(connection, schemas, first).await;
    connection.rollback().await?;
    read
}

async fn read_in_transaction(connection: &mut Connection, wanted: &BTreeSet<&str>, first: &[String]) -> Result<Schema> {
    let mode = if first.is_empty() { "READ ONLY" } else { "READ WRITE" };
    connection.execute_raw(&format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ {mode}")).await?;
    for statement in first.first().map(|_| PATIENCE).into_iter().chain(first.iter().map(String::as_str)) {
        connection.execute_raw(statement).await?;
    }
    let current: Vec<(Option<String>,)> = connection.fetch_raw("SELECT current_schema()::text", &[]).await?;
    let Some((Some(current),)) = current.into_iter().next() else {
        return Err(no_schema());
    };
    connection.execute_raw("SET LOCAL search_path = ''").await?;
    let list = [Value::Text(text_array(std::iter::once(current.as_str()).chain(wanted.iter().copied())).into())];
    let own = [Value::Text(current.clone().into())];
    let enums = Enums::new(connection.fetch_raw(ENUMS, &own).await?);
    let mut found = Found { current, tables: BTreeMap::new(), enums };
    let mut schemas = BTreeSet::new();
    let rows: Vec<TableRow> = connection.fetch_raw(TABLES, &list).await?;
    for (schema, name, comment, unlogged) in rows {
        if let Some(name) = name {
            let place = found.place(Some(schema.clone()), &name);
            let unlogged = unlogged.unwrap_or(false);
            let table = Table { schema: place.schema.clone(), name, comment, unlogged, ..Table::default() };
            found.tables.insert(place, table);
        }
        schemas.insert(schema);
    }
    found.columns(connection.fetch_raw(COLUMNS, &list).await?);
    found.constraints(connection.fetch_raw(CONSTRAINTS, &list).await?);
    found.indexes(connection.fetch_raw(INDEXES, &list).await?);
    Ok(Schema {
        tables: found.tables.into_values().collect(),
        current: Some(found.current),
        schemas,
        enums: found.enums.all,
        ..Schema::empty(Dialect::Postgres)
    })
}

/// An array of texts, as PostgreSQL writes one.
fn text_array<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let quoted = texts.map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// What was read so far.
struct Found {
    current: String,
    tables: BTreeMap<TableName, Table>,
    enums: Enums,
}

type TableRow = (String, Option<String>, Option<String>, Option<bool>);

type ColumnRow = (
    (String, String, String, String, bool),
    (String, String, Option<String>, Option<String>),
    (Option<String>, Option<String>, Option<i64>, Option<i64>),
);

type ConstraintRow = (
    (String, String, String, String, Option<String>),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
    (bool, bool, bool, Option<String>, bool),
);

type IndexRow = (String, String, String, bool, Option<String>, Option<String>, Option<String>);

impl Found {
    /// A table's name, without the schema where that is the current one.
    fn place(&self, schema: Option<String>, name: &str) -> TableName {
        TableName { schema: schema.filter(|schema| *schema != self.current), name: name.to_string() }
    }

    fn columns(&mut self, rows: Vec<ColumnRow>) {
        for ((schema, table, name, declared, not_null), made, (collation, comment, start, increment)) in rows {
            let (identity, computed, expression, sequence) = made;
            let place = self.place(Some(schema), &table);
            let Some(table) = self.tables.get_mut(&place) else { continue };
            let serial = sequence.filter(|_| expression.as_deref().is_some_and(|e| e.starts_with("nextval(")));
            let numbers =
                Identity { always: identity == "a", start: start.unwrap_or(1), increment: increment.unwrap_or(1) };
            let (default, computed) = match expression {
                Some(expression) if !computed.is_empty() => {
                    (None, Some(Computed { expression, stored: computed == "s" }))
                }
                expression => (expression.filter(|_| serial.is_none()), None),
            };
            table.columns.push(Column {
                nullable: !not_null,
                server_default: default,
                generated: !identity.is_empty() || serial.is_some(),
                serial,
                identity: Some(numbers).filter(|numbers| *numbers != Identity::default()),
                computed,
                collation: collation.map(|name| Collation::of(Dialect::Postgres, name)),
                comment,
                ..Column::new(&name, self.enums.of(&declared).unwrap_or_else(|| declared_type(&declared)))
            });
        }
    }

    fn constraints(&mut self, rows: Vec<ConstraintRow>) {
        for ((schema, table, name, kind, column), target, (deferrable, deferred, nulls, expression, no_inherit)) in rows
        {
            let place = self.place(Some(schema), &table);
            let (target_schema, target_table, target_column, on_delete, on_update) = target;
            let target = self.place(target_schema, &target_table.unwrap_or_default());
            let Some(table) = self.tables.get_mut(&place) else { continue };
            match (kind.as_str(), column) {
                ("p", Some(column)) => {
                    let empty = || PrimaryKey { name: Some(name), columns: Vec::new() };
                    table.primary_key.get_or_insert_with(empty).columns.push(column);
                }
                ("u", Some(column)) => {
                    if table.uniques.last().is_none_or(|last| last.name.as_ref() != Some(&name)) {
                        table.uniques.push(UniqueConstraint {
                            name: Some(name),
                            columns: Vec::new(),
                            nulls_not_distinct: nulls,
                            deferrable: moment(deferrable, deferred),
                        });
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
                            target_schema: target.schema,
                            target_table: target.name,
                            target_columns: Vec::new(),
                            on_delete: action(on_delete.as_deref()),
                            on_update: action(on_update.as_deref()),
                            deferrable: moment(deferrable, deferred),
                        });
                    }
                    if let Some(last) = table.foreign_keys.last_mut() {
                        last.columns.push(column);
                        last.target_columns.extend(target_column);
                    }
                }
                ("c", _) => {
                    let expression = expression.unwrap_or_default();
                    table.checks.push(Check { name: Some(name), expression, no_inherit });
                }
                _ => {}
            }
        }
    }

    fn indexes(&mut self, rows: Vec<IndexRow>) {
        for (schema, table, name, unique, column, comment, definition) in rows {
            let place = self.place(Some(schema), &table);
            let Some(table) = self.tables.get_mut(&place) else { continue };
            if table.indexes.last().is_none_or(|last| last.name != name) {
                table.indexes.push(Index { name, unique, definition, comment, ..Index::default() });
            }
            if let Some(last) = table.indexes.last_mut() {
                last.columns.extend(column);
            }
        }
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
    const ELEMENTS: &[SqlType] = &[
        SqlType::SmallInteger,
        SqlType::Integer,
        SqlType::BigInteger,
        SqlType::Real,
        SqlType::Double,
        SqlType::Boolean,
        SqlType::Text,
        SqlType::LargeBinary,
        SqlType::DateTime { timezone: true },
        SqlType::DateTime { timezone: false },
        SqlType::Date,
        SqlType::Time,
        SqlType::Interval,
        SqlType::Numeric { precision: None, scale: 0 },
        SqlType::Uuid { text: false },
    ];
    let element = declared_type(declared.strip_suffix("[]")?);
    ELEMENTS.iter().find(|known| **known == element).map(|known| SqlType::Array(ArrayType::new(known)))
}

fn moment(deferrable: bool, deferred: bool) -> Deferrable {
    match (deferrable, deferred) {
        (true, true) => Deferrable::InitiallyDeferred,
        (true, false) => Deferrable::InitiallyImmediate,
        (false, _) => Deferrable::NotDeferrable,
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
