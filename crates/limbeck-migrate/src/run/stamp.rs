//! Saying what a database has without running anything: for one that was made in another way.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};

use super::ledger::Ledger;
use super::lock::Lock;
use super::revision::Run;
use super::{Applied, Migrator, applied_now};
use crate::error::{Error, Result};
use crate::revision::{Section, Target};

/// What a stamp has changed in a database's record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stamped {
    /// The revisions that it has from now on, in order.
    pub added: Vec<Applied>,
    /// The ids of those that it no longer has.
    pub removed: Vec<String>,
}

impl Migrator {
    /// Records that the database is at a target (`head`, an id, `base`), and runs nothing: what the target needs is
    /// there, what comes after it is not. `purge` removes the record of revisions that are not among these, too.
    ///
    /// # Errors
    /// When the target is not clear, the database has revisions that are not among these and `purge` is not said, or
    /// another run holds the lock.
    pub async fn stamp(&self, engine: &Engine, target: &str, purge: bool) -> Result<Stamped> {
        let target = Target::parse(target)?;
        let wanted: BTreeSet<String> =
            self.history.below(self.history.places(&target)?).into_iter().map(str::to_string).collect();
        let mut connection = engine.connect().await?;
        let lock = Lock::take(engine, self.patience.wait).await?;
        let run = Run::begin(&mut connection, &Section::default(), self.patience.wait).await?;
        let outcome = self.record(&mut connection, &wanted, purge).await;
        let stamped = run.end(&mut connection, outcome).await?;
        lock.release().await?;
        Ok(stamped)
    }

    async fn record(&self, connection: &mut Connection, wanted: &BTreeSet<String>, purge: bool) -> Result<Stamped> {
        let ledger = Ledger::read(connection).await?;
        ledger.create(connection).await?;
        let mut stamped = Stamped::default();
        for id in ledger.ids().difference(wanted) {
            if self.history.get(id).is_none() && !purge {
                return Err(Error::Revision(format!(
                    "the database has revision {id}, which is not among the migrations here: `--purge` forgets it"
                )));
            }
            ledger.remove(connection, id).await?;
            stamped.removed.push(id.clone());
        }
        let dialect = connection.dialect();
        for revision in self.history.revisions().iter().filter(|r| wanted.contains(&r.id) && !ledger.has(&r.id)) {
            let mut applied = applied_now(revision, &revision.for_database(dialect)?);
            applied.hash = revision.hash(dialect)?;
            ledger.add(connection, &applied, &revision.parents).await?;
            stamped.added.push(applied);
        }
        Ok(stamped)
    }
}

/// The revisions that Alembic has recorded in a database: what `alembic current` shows.
///
/// # Errors
/// When the database has no table `alembic_version`, or it is empty.
pub async fn alembic_heads(engine: &Engine) -> Result<Vec<String>> {
    let mut connection = engine.connect().await?;
    let there = match connection.dialect() {
        Dialect::Postgres => "SELECT CAST(count(*) AS BIGINT) FROM pg_class WHERE oid = to_regclass('alembic_version')",
        _ => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'",
    };
    let found: Vec<(i64,)> = connection.fetch_raw(there, &[]).await?;
    let heads: Vec<(String,)> = match found.first() {
        Some((1..,)) => connection.fetch_raw("SELECT version_num FROM alembic_version ORDER BY 1", &[]).await?,
        _ => {
            return Err(Error::Revision(
                "the database has no table `alembic_version`: Alembic has not run on it, or in another schema".into(),
            ));
        }
    };
    if heads.is_empty() {
        return Err(Error::Revision("the table `alembic_version` is empty: Alembic is at base there".into()));
    }
    Ok(heads.into_iter().map(|row| row.0).collect())
}
