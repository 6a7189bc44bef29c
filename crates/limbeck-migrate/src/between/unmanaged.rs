//! What PostgreSQL has that is seen and not managed.

use std::collections::BTreeMap;

use limbeck::engine::Connection;
use limbeck::schema::TableName;

use super::{fetch_catalog, place};
use crate::error::Result;

const UNMANAGED: &str = include_str!("unmanaged.sql");
const BONDS: &str = include_str!("bonds.sql");

/// The types that an extension brings: known, so that nothing is made of what is not there.
const OF_EXTENSION: &str = "type of an extension";

/// All that is not managed: what two are the same by, by kind and name.
#[derive(Clone, Debug)]
pub(super) struct Unmanaged {
    things: BTreeMap<(String, String), String>,
    tables: Vec<TableName>,
}

/// Something that is not managed and depends on a part of a table, or on a type.
pub(super) struct Bond {
    /// `the view public.v`
    pub(super) user: String,
    pub(super) table: Option<TableName>,
    /// `None` for the table as a whole.
    pub(super) column: Option<String>,
    /// Whether it goes with the table.
    pub(super) is_own: bool,
    pub(super) type_name: Option<String>,
}

/// Something that is not managed, that the second database has and the first has not.
pub(super) struct Missing {
    pub(super) kind: String,
    pub(super) named: String,
}

pub(super) async fn read(connection: &mut Connection, current: Option<&str>) -> Result<Unmanaged> {
    type Row = (String, String, String, Option<String>, Option<String>);
    let rows: Vec<Row> = fetch_catalog!(connection, UNMANAGED, &[]);
    let mut found = Unmanaged { things: BTreeMap::new(), tables: Vec::new() };
    for (kind, named, said, schema, of) in rows {
        found.tables.extend(schema.zip(of).map(|(schema, of)| place(schema, of, current)));
        found.things.insert((kind, named), said);
    }
    Ok(found)
}

/// What depends on what is managed.
pub(super) async fn bonds(connection: &mut Connection, current: Option<&str>) -> Result<Vec<Bond>> {
    type Row = ((String, String, Option<String>, Option<String>), (Option<String>, Option<bool>, Option<String>));
    let rows: Vec<Row> = fetch_catalog!(connection, BONDS, &[]);
    let bonds = rows.into_iter().map(|((kind, named, schema, of), (column, is_own, type_name))| Bond {
        user: format!("the {kind} {named}"),
        table: schema.zip(of).map(|(schema, of)| place(schema, of, current)),
        column,
        is_own: is_own.unwrap_or(false),
        type_name,
    });
    Ok(bonds.collect())
}

impl Unmanaged {
    /// Things by kind and name, without any table.
    pub(super) fn of(things: BTreeMap<(String, String), String>) -> Unmanaged {
        Unmanaged { things, tables: Vec::new() }
    }

    /// Whether a table is one that is not compared.
    pub(super) fn has_table(&self, table: &TableName) -> bool {
        self.tables.contains(table)
    }

    pub(super) fn missing_in(&self, live: &Unmanaged) -> Vec<Missing> {
        let missing = self.things.keys().filter(|key| !live.things.contains_key(*key));
        missing.map(|(kind, named)| Missing { kind: kind.clone(), named: named.clone() }).collect()
    }
}

/// How it is said of a thing that it is another one, only wanted, or only there.
pub(super) struct Words {
    changed: &'static str,
    wanted: &'static str,
    live: &'static str,
}

/// Of two databases.
pub(super) const OF_TWO: Words = Words {
    changed: "not the same in both databases",
    wanted: "only in the second database",
    live: "only in the first database",
};

/// Of one database at two times.
pub(super) const OVER_TIME: Words = Words { changed: "not the same", wanted: "missing", live: "left over" };

/// What differs, in sentences.
pub(super) fn differences(live: &Unmanaged, wanted: &Unmanaged, words: &Words) -> Vec<String> {
    let mut out = Vec::new();
    for ((kind, named), said) in &wanted.things {
        match live.things.get(&(kind.clone(), named.clone())) {
            Some(other) if other == said => {}
            Some(_) => out.push(format!("the {kind} {named}: {}", words.changed)),
            None if kind == OF_EXTENSION => {}
            None => out.push(format!("the {kind} {named}: {}", words.wanted)),
        }
    }
    for key @ (kind, named) in live.things.keys() {
        if !wanted.things.contains_key(key) && kind != OF_EXTENSION {
            out.push(format!("the {kind} {named}: {}", words.live));
        }
    }
    out
}
