//! From one database to another, without any models: `limbeck diff`.
//!
//! Tables are compared as they are with models, but that names count too. What no model says is in `facts`: PostgreSQL
//! gives the statements for it, so that a kind of thing is a row of a query and not a type of its own. What is not
//! managed is in `unmanaged`, by name; an operation that cannot be made for the sake of such a thing is left out and
//! said (`obstacles`).

mod catalog;
mod facts;
mod obstacles;
mod sqlite;
mod unmanaged;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};
use limbeck::schema::{Metadata, TableName};

pub(crate) use catalog::Catalog;
pub use catalog::Changes;

use crate::compare::{Diff, Op, Spelling};
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
        _ => {
            let (mut live, wanted) = (Catalog::read(&mut from).await?, Catalog::read(&mut to).await?);
            let ops = live.operations(&wanted, &Spelling::exact());
            Ok(found(live, &wanted, ops, Vec::new()))
        }
    }
}

async fn postgres(from: &mut Connection, to: &mut Connection) -> Result<Between> {
    let (mut live, mut wanted) = (Catalog::read(from).await?, Catalog::read(to).await?);
    live.level(&mut wanted);
    let tables = |catalog: &Catalog| Metadata::new(catalog.schema.tables.clone());
    let there = Spelling::ask(from, &tables(&wanted), &live.schema).await?;
    let here = Spelling::ask(to, &tables(&live), &wanted.schema).await?;
    let ops = live.operations(&wanted, &Spelling::both(there, here));
    let bonds = unmanaged::bonds(from, live.schema.current.as_deref()).await?;
    let missing = wanted.unmanaged.missing_in(&live.unmanaged);
    let (ops, left_out) = obstacles::leave_out(ops, &live.schema, &missing, &bonds);
    Ok(found(live, &wanted, ops, left_out))
}

fn found(live: Catalog, wanted: &Catalog, ops: Vec<Op>, left_out: Vec<String>) -> Between {
    let unmanaged = unmanaged::differences(&live.unmanaged, &wanted.unmanaged, &unmanaged::OF_TWO);
    Between { live: live.schema, diff: Diff { ops, unknown: Vec::new() }, unmanaged, left_out }
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
