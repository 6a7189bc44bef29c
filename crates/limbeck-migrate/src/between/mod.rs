//! From one database to another, without any models: `limbeck diff`.
//!
//! Tables are compared as they are with models, but that names count too. What no model says is in `facts`: PostgreSQL
//! gives the statements for it, so that a kind of thing is a row of a query and not a type of its own. What is not
//! managed is in `unmanaged`, by name; an operation that cannot be made for the sake of such a thing is left out and
//! said (`obstacles`).

mod facts;
mod obstacles;
mod sqlite;
mod unmanaged;

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};
use limbeck::schema::{Metadata, TableName};

use crate::compare::{Diff, Op, Spelling, compare_with};
use crate::error::{Error, Result};
use crate::reflect::Schema;

/// What would turn one database into another.
#[derive(Clone, Debug)]
pub struct Between {
    /// The first database as it is.
    pub live: Schema,
    /// What would make it the second.
    pub diff: Diff,
    /// What differs and is not managed, each in a sentence that has its kind and name.
    pub unmanaged: Vec<String>,
    /// What differs, and cannot be changed for the sake of something unmanaged, each in a sentence that says why.
    pub left_out: Vec<String>,
}

/// Compares two databases of one kind. All schemas of PostgreSQL are compared that belong to nobody else.
///
/// # Errors
/// When they are of different kinds, or cannot be read.
pub async fn between(from: &Engine, to: &Engine) -> Result<Between> {
    if from.dialect() != to.dialect() {
        return Err(Error::Revision(format!(
            "{} and {} cannot be compared: what one keeps the other spells in another way",
            from.dialect().name(),
            to.dialect().name()
        )));
    }
    let (mut from, mut to) = (from.connect().await?, to.connect().await?);
    match from.dialect() {
        Dialect::Postgres => postgres(&mut from, &mut to).await,
        _ => sqlite::between(&mut from, &mut to).await,
    }
}

async fn postgres(from: &mut Connection, to: &mut Connection) -> Result<Between> {
    let (mut live, mut wanted) = (read(from).await?, read(to).await?);
    let mut live_facts = facts::read(from, live.current.as_deref()).await?;
    let mut wanted_facts = facts::read(to, wanted.current.as_deref()).await?;
    let live_unmanaged = unmanaged::read(from, live.current.as_deref()).await?;
    let wanted_unmanaged = unmanaged::read(to, wanted.current.as_deref()).await?;
    live.tables.retain(|table| !live_unmanaged.has_table(&table.full_name()));
    wanted.tables.retain(|table| !wanted_unmanaged.has_table(&table.full_name()));
    facts::sequences(&mut live, &mut live_facts, &mut wanted, &mut wanted_facts);
    facts::constraints(&mut live, &live_facts);
    facts::constraints(&mut wanted, &wanted_facts);

    let (live_tables, wanted_tables) = (Metadata::new(live.tables.clone()), Metadata::new(wanted.tables.clone()));
    let there = Spelling::ask(from, &wanted_tables, &live).await?;
    let here = Spelling::ask(to, &live_tables, &wanted).await?;
    let spelling = Spelling::both(there, here);
    let all: BTreeSet<TableName> = live.tables.iter().map(|table| table.full_name()).collect();
    let diff = compare_with(&wanted_tables, &live, &spelling, &all, Some(&wanted.enums));

    let ops = facts::with(diff.ops, &live, &wanted, &live_facts, &wanted_facts);
    let bonds = unmanaged::bonds(from, live.current.as_deref()).await?;
    let (ops, left_out) = obstacles::leave_out(ops, &live, &wanted_unmanaged.missing_in(&live_unmanaged), &bonds);
    let unmanaged = unmanaged::differences(&live_unmanaged, &wanted_unmanaged);
    Ok(Between { live, diff: Diff { ops, unknown: Vec::new() }, unmanaged, left_out })
}

async fn read(connection: &mut Connection) -> Result<Schema> {
    let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
    let schemas: Vec<(String,)> = connection.fetch_raw(sql, &[]).await?;
    Schema::read_in(connection, schemas.iter().map(|(name,)| name.as_str()).collect()).await
}

/// Reads the rows of a query with an empty search path, so that names are written out in full.
macro_rules! fetch_catalog {
    ($connection:expr, $sql:expr, $parameters:expr) => {{
        $connection.begin().await?;
        let rows = match $connection.execute_raw("SET LOCAL search_path = ''").await {
            Ok(_) => $connection.fetch_raw($sql, $parameters).await,
            Err(error) => Err(error),
        };
        $connection.rollback().await?;
        rows?
    }};
}
use fetch_catalog;

/// A table's name, without the schema where that is the current one.
fn place(schema: String, name: String, current: Option<&str>) -> TableName {
    TableName { schema: Some(schema).filter(|schema| Some(schema.as_str()) != current), name }
}

/// Whether an operation takes a type of the current schema away; types go when nothing has them any more.
fn drops_type(op: &Op) -> bool {
    matches!(op, Op::DropEnum(_))
}
