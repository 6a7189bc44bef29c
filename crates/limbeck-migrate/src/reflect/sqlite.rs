//! SQLite: the table-valued pragmas give the columns and keys of all tables at once; `sqlite_schema.sql` the
//! names of constraints, the checks, and the text to rebuild a table from.

use std::collections::{BTreeMap, HashMap};

use limbeck::dialect::{Dialect, ddl};
use limbeck::engine::Connection;
use limbeck::schema::{
    Action, Check, Collation, Column, ForeignKey, Index, PrimaryKey, SqlType, Table, UniqueConstraint,
};

use super::create::{ColumnText, CreateTable, What, same_names};
use super::{Schema, SqliteTable};
use crate::error::Result;

const OBJECTS: &str = "SELECT s.type, s.name, s.tbl_name, s.sql FROM sqlite_schema s \
     WHERE s.sql IS NOT NULL AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY s.rowid";

const COLUMNS: &str = "SELECT l.name, x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden \
     FROM pragma_table_list l, pragma_table_xinfo(l.name) x \
     WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     ORDER BY l.name, x.cid";

const INDEXES: &str = "SELECT t.name, l.name, l.\"unique\", l.origin, l.partial, x.name, x.\"desc\", x.coll \
     FROM pragma_table_list t, pragma_index_list(t.name) l, pragma_index_xinfo(l.name) x \
     WHERE t.schema = 'main' AND t.type = 'table' AND x.key = 1 ORDER BY t.name, l.seq DESC, x.seqno";

const KEYS: &str = "SELECT t.name, f.id, f.\"table\", f.\"from\", f.\"to\", f.on_update, f.on_delete \
     FROM pragma_table_list t, pragma_foreign_key_list(t.name) f \
     WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name, f.id DESC, f.seq";

/// Reads it as it is after these statements, which are taken back.
pub(super) async fn read_after(connection: &mut Connection, first: &[String]) -> Result<Schema> {
    if first.is_empty() {
        return read(connection).await;
    }
    connection.begin().await?;
    let read = async {
        for statement in first {
            connection.execute_raw(statement).await?;
        }
        read(connection).await
    };
    let read = read.await;
    connection.rollback().await?;
    read
}

async fn read(connection: &mut Connection) -> Result<Schema> {
    let mut schema = Schema::empty(Dialect::Sqlite);
    objects(connection, &mut schema).await?;
    let mut tables = columns(connection, &schema).await?;
    indexes(connection, &schema, &mut tables).await?;
    foreign_keys(connection, &schema, &mut tables).await?;
    for (name, table) in &mut tables {
        if let Some(own) = schema.sqlite.get(name) {
            constraints(&own.create, table);
        }
    }
    schema.tables = tables.into_values().collect();
    Ok(schema)
}

async fn objects(connection: &mut Connection, schema: &mut Schema) -> Result<()> {
    let rows: Vec<(String, String, String, String)> = connection.fetch_raw(OBJECTS, &[]).await?;
    for (_, name, _, sql) in rows.iter().filter(|row| row.0 == "table") {
        if let Some(create) = CreateTable::parse(sql) {
            let own = SqliteTable { create, triggers: Vec::new(), indexes: BTreeMap::new() };
            schema.sqlite.insert(name.clone(), own);
        }
    }
    for (kind, name, table, sql) in rows {
        let own = schema.sqlite.get_mut(&table);
        match (kind.as_str(), own) {
            ("index", Some(own)) => {
                own.indexes.insert(name, sql);
            }
            ("trigger", own) => {
                if let Some(own) = own {
                    own.triggers.push(sql.clone());
                }
                schema.sqlite_readers.push(sql);
            }
            ("view", _) => schema.sqlite_readers.push(sql),
            _ => {}
        }
    }
    Ok(())
}

async fn columns(connection: &mut Connection, schema: &Schema) -> Result<BTreeMap<String, Table>> {
    type Row = (String, String, String, i64, Option<String>, i64, i64);
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut keys: HashMap<String, Vec<(i64, String)>> = HashMap::new();
    for (table, name, declared, not_null, default, key, _hidden) in connection.fetch_raw::<Row>(COLUMNS, &[]).await? {
        let Some(own) = schema.sqlite.get(&table) else { continue };
        if key > 0 {
            keys.entry(table.clone()).or_default().push((key, name.clone()));
        }
        let entry = tables.entry(table.clone()).or_insert_with(|| Table { name: table, ..Table::default() });
        let generated = own.create.rowid_column().is_some_and(|c| c.eq_ignore_ascii_case(&name));
        let text = own.create.column(&name);
        let collation = text.and_then(ColumnText::collation);
        entry.columns.push(Column {
            // A key's columns are never NULL for us; of a rowid SQLite itself sees to it.
            nullable: not_null == 0 && key == 0,
            server_default: default,
            generated,
            computed: text.and_then(ColumnText::computed),
            collation: collation.map(|name| Collation::of(Dialect::Sqlite, name)),
            ..Column::new(&name, declared_type(&declared))
        });
    }
    for (name, mut columns) in keys {
        columns.sort();
        if let Some(table) = tables.get_mut(&name) {
            let columns = columns.into_iter().map(|(_, column)| column).collect();
            table.primary_key = Some(PrimaryKey { name: None, columns });
        }
    }
    Ok(tables)
}

/// The type of a declared one. What limbeck would spell otherwise keeps its own words, so that nothing is
/// rebuilt, or lost in a rebuild, for a spelling.
pub(crate) fn declared_type(declared: &str) -> SqlType {
    let length = declared.strip_prefix("VARCHAR(").and_then(|rest| rest.strip_suffix(')')?.parse().ok());
    let size = declared.strip_prefix("NUMERIC(").and_then(|rest| rest.strip_suffix(')')?.split_once(", "));
    let (precision, scale) = size.and_then(|(p, s)| Some((p.parse().ok()?, s.parse().ok()?))).unzip();
    let candidates = [
        SqlType::BigInteger,
        SqlType::Boolean,
        SqlType::Text,
        SqlType::Double,
        SqlType::String { length: None },
        SqlType::String { length },
        SqlType::LargeBinary,
        SqlType::Uuid { text: true },
        SqlType::Numeric { precision: None, scale: 0 },
        SqlType::Numeric { precision, scale: scale.unwrap_or_default() },
    ];
    candidates
        .into_iter()
        .find(|candidate| ddl::type_name(Dialect::Sqlite, candidate) == declared)
        .unwrap_or_else(|| SqlType::Other(declared.to_string()))
}

async fn indexes(connection: &mut Connection, schema: &Schema, tables: &mut BTreeMap<String, Table>) -> Result<()> {
    type Row = (String, String, i64, String, i64, Option<String>, i64, Option<String>);
    let mut found: Vec<(String, Index, String)> = Vec::new();
    for (table, name, unique, origin, partial, column, descending, collation) in
        connection.fetch_raw::<Row>(INDEXES, &[]).await?
    {
        if !found.last().is_some_and(|(t, index, _)| *t == table && index.name == name) {
            let index = Index { name: name.clone(), unique: unique == 1, ..Index::default() };
            found.push((table.clone(), index, origin));
        }
        let Some((_, index, origin)) = found.last_mut() else { continue };
        let own_collation = column.as_deref().and_then(|column| collation_of(schema, &table, column));
        let plain = column.is_some()
            && partial == 0
            && descending == 0
            && collation.is_none_or(|used| used.eq_ignore_ascii_case(own_collation.as_deref().unwrap_or("BINARY")));
        if let Some(column) = column {
            index.columns.push(column);
        }
        if !plain && origin == "c" {
            index.definition = schema.sqlite.get(&table).and_then(|own| own.indexes.get(&name)).cloned();
        }
    }
    for (table, index, origin) in found {
        let Some(table) = tables.get_mut(&table) else { continue };
        match origin.as_str() {
            "u" => table.uniques.push(UniqueConstraint { columns: index.columns, ..UniqueConstraint::default() }),
            "c" => table.indexes.push(index),
            _ => {}
        }
    }
    Ok(())
}

fn collation_of(schema: &Schema, table: &str, column: &str) -> Option<String> {
    schema.sqlite.get(table)?.create.column(column)?.collation()
}

async fn foreign_keys(connection: &mut Connection, _: &Schema, tables: &mut BTreeMap<String, Table>) -> Result<()> {
    type Row = (String, i64, String, String, Option<String>, String, String);
    let mut last = None;
    for (table, id, target, from, to, on_update, on_delete) in connection.fetch_raw::<Row>(KEYS, &[]).await? {
        // Without columns a key refers to the target's primary key.
        let key_of_target = tables.get(&target).and_then(|t| t.primary_key.as_ref().map(|k| k.columns.clone()));
        let Some(entry) = tables.get_mut(&table) else { continue };
        if last.as_ref() != Some(&(table.clone(), id)) {
            entry.foreign_keys.push(ForeignKey {
                target_table: target,
                on_delete: action(&on_delete),
                on_update: action(&on_update),
                ..ForeignKey::default()
            });
            last = Some((table, id));
        }
        let Some(key) = entry.foreign_keys.last_mut() else { continue };
        let position = key.columns.len();
        key.columns.push(from);
        key.target_columns.extend(to.or_else(|| key_of_target?.get(position).cloned()));
    }
    Ok(())
}

fn action(text: &str) -> Action {
    [Action::Restrict, Action::Cascade, Action::SetNull, Action::SetDefault]
        .into_iter()
        .find(|action| action.as_sql().eq_ignore_ascii_case(text))
        .unwrap_or_default()
}

/// What only the text says: the names of constraints, and the checks.
fn constraints(create: &CreateTable, table: &mut Table) {
    for (about, constraint) in create.all_constraints() {
        let name = || constraint.name.clone();
        match &constraint.what {
            What::PrimaryKey(_) => {
                if let Some(key) = &mut table.primary_key {
                    key.name = name();
                }
            }
            What::Unique(_) => {
                if let Some(unique) = table.uniques.iter_mut().find(|u| same_names(&u.columns, &about)) {
                    unique.name = name();
                }
            }
            What::ForeignKey { target, .. } => {
                let same = |k: &&mut ForeignKey| {
                    k.name.is_none() && same_names(&k.columns, &about) && k.target_table.eq_ignore_ascii_case(target)
                };
                if let Some(key) = table.foreign_keys.iter_mut().find(same) {
                    key.name = name();
                    key.deferrable = constraint.deferrable();
                }
            }
            What::Check(expression) => {
                table.checks.push(Check { name: name(), expression: expression.clone(), no_inherit: false });
            }
            _ => {}
        }
    }
}
