//! Applying revisions.
//!
//! One transaction for each revision (where its steps allow), one statement for each message, one run at a time. On PostgreSQL the
//! run's lock is an advisory one, held by an open transaction on a connection of its own; on SQLite it is the
//! write lock of the revision's own `BEGIN IMMEDIATE`. What is applied is read again once the lock is held, so
//! that of two programs that start together one does the work and the other finds it done.

mod apply;
mod journal;
mod ledger;
mod lock;
mod offline;
mod online;
mod progress;
mod revision;
mod stamp;
mod trial;

use std::collections::BTreeSet;
use std::time::Duration;

use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};

pub(crate) use journal::JOURNAL;
pub use ledger::Applied;
pub(crate) use ledger::LEDGER;
pub use offline::Script;
pub use progress::Progress;
pub use stamp::{Stamped, alembic_heads};
pub use trial::{Fault, Tested};

use crate::Embedded;
use crate::error::{Error, Result};
use crate::revision::{History, Revision, RevisionFile, Target};
use apply::{Patience, Way, Work};
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
    patience: Patience,
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
        let patience = Patience { wait: Duration::from_secs(60), lock_timeout: Duration::from_secs(2) };
        Migrator { history, patience, watch: Watch::default() }
    }

    /// How long to wait in all before giving up: for another run to end ([`Error::Locked`]), and, over all tries of a
    /// revision, for tables that others have locked ([`Error::Statement`]). A minute if not said.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.patience.wait = wait;
        self
    }

    /// How long one try waits for the lock of a table, on PostgreSQL; two seconds if not said. While it waits, whoever
    /// else wants the table waits behind it; so a try is short, the revision is rolled back, and begun again later.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.patience.lock_timeout = timeout;
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
        let planned = self.ids(&self.history.upgrades(&self.applied(&mut connection).await?, &target)?);
        self.run(engine, connection, planned, Way::Up, &mut applied).await
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
        let planned = self.ids(&self.history.downgrades(&self.applied(&mut connection).await?, &target)?);
        self.run(engine, connection, planned, Way::Down, &mut reverted).await
    }

    async fn run(
        &self,
        engine: &Engine,
        mut connection: Connection,
        planned: Vec<String>,
        way: Way,
        each: &mut (dyn FnMut(&Applied) + Send),
    ) -> Result<Vec<Applied>> {
        // Nothing pending takes no lock: most starts of most programs.
        if planned.is_empty() {
            return Ok(Vec::new());
        }
        // All files are read before the first statement runs.
        let mut work = Vec::with_capacity(planned.len());
        for id in &planned {
            let revision = self.history.find(id)?;
            let file = revision.for_database(connection.dialect())?;
            if way == Way::Down && file.downgrade.is_none() {
                return Err(Error::without_downgrade(id, file.file));
            }
            work.push((revision, file));
        }
        let mut lock = Lock::take(engine, self.patience.wait).await?;
        let mut done = Vec::new();
        let of = work.len();
        for (i, (revision, file)) in work.iter().enumerate() {
            lock.check().await?;
            let (id, message) = (&revision.id, &revision.message);
            self.watch.tell(&Progress::Revision { id, message, position: i + 1, of });
            let work = Work { revision, file, way, patience: self.patience, watch: &self.watch };
            if let Some(one) = work.run(&mut connection).await? {
                each(&one);
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
        self.history.upgrades(&applied, &Target::HEAD)
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
