//! From one database to another, without any models: `limbeck diff`.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};
use limbeck::schema::{Metadata, TableName};

use crate::compare::{Diff, Spelling, compare};
use crate::error::{Error, Result};
use crate::reflect::Schema;

/// What would turn one database into another.
#[derive(Clone, Debug)]
pub struct Between {
    /// The first database as it is.
    pub live: Schema,
    /// What would make it the second.
    pub diff: Diff,
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
    let live = read(&mut from.connect().await?).await?;
    let wanted = read(&mut to.connect().await?).await?;
    let all: BTreeSet<TableName> = live.tables.iter().map(|table| table.full_name()).collect();
    let diff = compare(&Metadata::new(wanted.tables), &live, &Spelling::exact(), &all);
    Ok(Between { live, diff })
}

async fn read(connection: &mut Connection) -> Result<Schema> {
    let schemas: Vec<(String,)> = match connection.dialect() {
        Dialect::Postgres => {
            let sql =
                "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
            connection.fetch_raw(sql, &[]).await?
        }
        _ => Vec::new(),
    };
    Schema::read_in(connection, schemas.iter().map(|(name,)| name.as_str()).collect()).await
}
