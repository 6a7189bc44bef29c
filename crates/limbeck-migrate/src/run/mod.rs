//! Applying revisions.
//!
//! One transaction for each revision, one statement for each message, one run at a time. On PostgreSQL the
//! run's lock is an advisory one, held by an open transaction on a connection of its own; on SQLite it is the
//! write lock of the revision's own `BEGIN IMMEDIATE`. What is applied is read again once the lock is held, so
//! that of two programs that start together one does the work and the other finds it done.

mod ledger;
mod lock;
mod progress;
mod revision;

use std::collections::BTreeSet;
use std::time::Duration;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};

pub use ledger::Applied;
pub(crate) use ledger::LEDGER;
pub use progress::Progress;

use crate::Embedded;
use crate::error::{Error, Result};
use crate::revision::{History, Revision, RevisionFile, Target};
use ledger::Ledger;
use lock::Lock;
use progress::Watch;

/// Applies revisions to a database, and takes them back.
///
/// ```no_run
/// # static MIGRATIONS: limbeck_migrate::Embedded = limbeck_migrate::Embedded { lock: "", files: &[] };
/// # async fn f(engine: limbeck::engine::Engine) -> limbeck_migrate::Result<()> {
/// for applied in limbeck_migrate::Migrator::embedded(&MIGRATIONS)?.upgrade(&engine, "head").await? {
///     println!("applied {} {}", applied.id, applied.message);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Migrator {
    history: History,
    wait: Duration,
    watch: Watch,
}

impl Migrator {
    /// A migrator for the revisions that `embed!` has put into the program.
    ///
    /// # Errors
    /// When they cannot be understood, or a file was edited after `limbeck.lock` recorded it.
    pub fn embedded(embedded: &Embedded) -> Result<Self> {
        Ok(Migrator::new(History::embedded(embedded)?))
    }

    /// A migrator for revisions that were read.
    pub fn new(history: History) -> Self {
        Migrator { history, wait: Duration::from_secs(60), watch: Watch::default() }
    }

    /// How long to wait for another run to end before giving up with [`Error::Locked`]; a minute if not said.
    #[must_use]
    pub fn lock_timeout(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Calls this before each revision and each of its statements, so that one can see where a long run is.
    #[must_use]
    pub fn on_progress(mut self, watch: impl Fn(&Progress<'_>) + Send + Sync + 'static) -> Self {
        self.watch = Watch::new(watch);
        self
    }

    /// The revisions.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Applies the revisions up to a target: `head`, `+1`, or an id (its first four characters are enough).
    /// Returns those that were applied, in order; none when the database was there already.
    ///
    /// On PostgreSQL it takes two connections of the pool.
    ///
    /// # Errors
    /// [`Error::Statement`] when a statement fails: that revision is rolled back, those before it stay.
    /// [`Error::Edited`] when a revision that the database has is another one now.
    pub async fn upgrade(&self, engine: &Engine, target: &str) -> Result<Vec<Applied>> {
        self.upgrade_with(engine, target, |_| ()).await
    }

    /// As [`upgrade`](Self::upgrade); `applied` is called after each revision.
    ///
    /// # Errors
    /// As [`upgrade`](Self::upgrade).
    pub async fn upgrade_with(
        &self,
        engine: &Engine,
        target: &str,
        mut applied: impl FnMut(&Applied) + Send,
    ) -> Result<Vec<Applied>> {
        let target = Target::parse(target)?;
        let mut connection = engine.connect().await?;
        let dialect = connection.dialect();
        // Nothing pending takes no lock: most starts of most programs.
        let planned = self.ids(&self.history.upgrades(&self.applied(&mut connection).await?, &target)?);
        if planned.is_empty() {
            return Ok(Vec::new());
        }
        // All files are read before the first statement runs.
        for id in &planned {
            self.history.find(id)?.for_database(dialect)?;
        }
        let mut lock = Lock::take(engine, self.wait).await?;
        let mut done = Vec::new();
        let of = planned.len();
        for (position, id) in planned.into_iter().enumerate() {
            let revision = self.history.find(&id)?;
            let file = revision.for_database(dialect)?;
            lock.check().await?;
            self.watch.tell(&Progress::Revision { id: &id, message: &revision.message, position: position + 1, of });
            let run = revision::Run::begin(&mut connection, &file.upgrade, self.wait).await?;
            let outcome = self.apply(&mut connection, revision, &file).await;
            if let Some(one) = run.end(&mut connection, outcome).await? {
                applied(&one);
                done.push(one);
            }
        }
        lock.release().await?;
        Ok(done)
    }

    /// Takes revisions back, down to a target: `-1`, `base`, or the id of the one that shall be the last.
    /// Returns those that were taken back, in order.
    ///
    /// # Errors
    /// As [`upgrade`](Self::upgrade), and when a revision has no `downgrade` section.
    pub async fn downgrade(&self, engine: &Engine, target: &str) -> Result<Vec<Applied>> {
        self.downgrade_with(engine, target, |_| ()).await
    }

    /// As [`downgrade`](Self::downgrade); `reverted` is called after each revision.
    ///
    /// # Errors
    /// As [`downgrade`](Self::downgrade).
    pub async fn downgrade_with(
        &self,
        engine: &Engine,
        target: &str,
        mut reverted: impl FnMut(&Applied) + Send,
    ) -> Result<Vec<Applied>> {
        let target = Target::parse(target)?;
        let mut connection = engine.connect().await?;
        let dialect = connection.dialect();
        let planned = self.ids(&self.history.downgrades(&self.applied(&mut connection).await?, &target)?);
        for id in &planned {
            let file = self.history.find(id)?.for_database(dialect)?;
            if file.downgrade.is_none() {
                return Err(Error::file(file.file, None, format!("revision {id} has no `downgrade` section")));
            }
        }
        if planned.is_empty() {
            return Ok(Vec::new());
        }
        let mut lock = Lock::take(engine, self.wait).await?;
        let mut done = Vec::new();
        let of = planned.len();
        for (position, id) in planned.into_iter().enumerate() {
            let revision = self.history.find(&id)?;
            let file = revision.for_database(dialect)?;
            let section = file.downgrade.clone().unwrap_or_default();
            lock.check().await?;
            self.watch.tell(&Progress::Revision { id: &id, message: &revision.message, position: position + 1, of });
            let run = revision::Run::begin(&mut connection, &section, self.wait).await?;
            let outcome = async {
                let ledger = Ledger::read(&mut connection).await?;
                if !ledger.has(&id) {
                    return Ok(None);
                }
                revision::execute(&mut connection, &file.file, &section, &self.watch).await?;
                ledger.remove(&mut connection, &id).await?;
                Ok(Some(applied_now(revision, &file)))
            };
            let outcome = outcome.await;
            if let Some(one) = run.end(&mut connection, outcome).await? {
                reverted(&one);
                done.push(one);
            }
        }
        lock.release().await?;
        Ok(done)
    }

    /// The revisions that the database has and that no other one of them follows: usually one, none for a
    /// new database.
    ///
    /// # Errors
    /// What the database says.
    pub async fn current(&self, engine: &Engine) -> Result<Vec<Applied>> {
        let mut connection = engine.connect().await?;
        let ledger = Ledger::read(&mut connection).await?;
        let known = self.history.current(&ledger.ids());
        let known: BTreeSet<&str> = known.into_iter().map(|revision| revision.id.as_str()).collect();
        let is_unknown = |id: &str| !self.history.revisions().iter().any(|revision| revision.id == id);
        let mut current: Vec<Applied> =
            ledger.rows.into_iter().filter(|row| known.contains(row.id.as_str()) || is_unknown(&row.id)).collect();
        for row in &mut current {
            row.message = self.history.find(&row.id).map(|r| r.message.clone()).unwrap_or_default();
        }
        Ok(current)
    }

    /// The ids of all revisions that the database has.
    ///
    /// # Errors
    /// What the database says.
    pub async fn applied_ids(&self, engine: &Engine) -> Result<BTreeSet<String>> {
        Ok(Ledger::read(&mut engine.connect().await?).await?.ids())
    }

    /// The revisions that the database lacks, in order.
    ///
    /// # Errors
    /// When the database has a revision that is not among these, or an edited one.
    pub async fn pending(&self, engine: &Engine) -> Result<Vec<&Revision>> {
        let applied = self.applied(&mut engine.connect().await?).await?;
        self.history.upgrades(&applied, &Target::Head)
    }

    /// Makes sure that the database has all revisions: for the start of a program that does not migrate itself.
    ///
    /// # Errors
    /// [`Error::NotAtHead`] lists the missing ones and says what to run.
    pub async fn check_at_head(&self, engine: &Engine) -> Result<()> {
        let missing = self.pending(engine).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.into_iter().map(|r| (r.id.clone(), r.message.clone())).collect();
        Err(Error::NotAtHead { missing })
    }

    /// Records the present hashes of all revisions that the database has, after a reviewed edit. Returns the
    /// ids of those that had another hash.
    ///
    /// # Errors
    /// What the database says.
    pub async fn repair(&self, engine: &Engine) -> Result<Vec<String>> {
        let mut connection = engine.connect().await?;
        let dialect = connection.dialect();
        let mut repaired = Vec::new();
        let ledger = Ledger::read(&mut connection).await?;
        for row in &ledger.rows {
            let Ok(revision) = self.history.find(&row.id) else { continue };
            let hash = revision.hash(dialect)?;
            if hash != row.hash {
                ledger.set_hash(&mut connection, &row.id, &hash).await?;
                repaired.push(row.id.clone());
            }
        }
        Ok(repaired)
    }

    /// What the database has, after a look at whether it still is what it was.
    async fn applied(&self, connection: &mut Connection) -> Result<BTreeSet<String>> {
        let dialect = connection.dialect();
        let ledger = Ledger::read(connection).await?;
        for row in &ledger.rows {
            if let Some(revision) = self.history.revisions().iter().find(|revision| revision.id == row.id)
                && revision.hash(dialect)? != row.hash
            {
                let file = revision.for_database(dialect)?.file;
                return Err(Error::Edited { id: row.id.clone(), file });
            }
        }
        Ok(ledger.ids())
    }

    /// The body of a revision's transaction; `None` when another run has applied it meanwhile.
    async fn apply(
        &self,
        connection: &mut Connection,
        revision: &Revision,
        file: &RevisionFile,
    ) -> Result<Option<Applied>> {
        let ledger = Ledger::read(connection).await?;
        if ledger.has(&revision.id) {
            return Ok(None);
        }
        ledger.create(connection).await?;
        revision::execute(connection, &file.file, &file.upgrade, &self.watch).await?;
        let mut applied = applied_now(revision, file);
        applied.hash = revision.hash(connection.dialect())?;
        ledger.add(connection, &applied, &revision.parents).await?;
        Ok(Some(applied))
    }

    fn ids(&self, revisions: &[&Revision]) -> Vec<String> {
        revisions.iter().map(|revision| revision.id.clone()).collect()
    }
}

fn applied_now(revision: &Revision, file: &RevisionFile) -> Applied {
    Applied {
        id: revision.id.clone(),
        message: revision.message.clone(),
        file: file.file.clone(),
        hash: String::new(),
        at: crate::revision::iso_stamp(std::time::SystemTime::now()),
    }
}

/// Whether a database has a lock of its own for the time of a whole run.
fn has_run_lock(dialect: Dialect) -> bool {
    dialect == Dialect::Postgres
}
