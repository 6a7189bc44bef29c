//! SQLite, by rusqlite.
//!
//! Statements run *inline*, on the thread of the runtime that polls them: a hop to another thread costs
//! more than most statements do. So that a long one does not starve the other tasks of its thread, a
//! statement that only reads runs under a budget ([`watch`]: 10 ms, 50 for one that does little); when it
//! exceeds it, it is interrupted and run again on a thread where it may block, and its rows are brought back.
//! The next time that statement goes there at once, until it turns out to be short. A statement that writes is
//! never interrupted: SQLite would roll the whole transaction back.
//!
//! On the machine where it was decided, one row by primary key took 0.7 µs by rusqlite in a transaction, 1.1 by
//! limbeck inline; 2.5 and 3.4 outside one. A thread of its own for the connection, with a channel there and
//! back, took 7.4 µs, `spawn_blocking` 13.7 (one CPU, one client; the ratios are what matters).
//!
//! Nothing here blocks to wait for a lock: SQLite's own busy handler is off, and a statement that meets a
//! lock is tried again after a sleep of the runtime's.
//!
//! What is set on every connection, and why:
//! - `journal_mode = WAL`: readers and the writer do not wait for each other.
//! - `synchronous = NORMAL`: a commit does not wait for the disk, a checkpoint does. After a power cut the
//!   last transactions may be missing, but the file is whole; a crash of the program loses nothing.
//! - `foreign_keys = ON`: SQLite leaves them unchecked by default.
//!
//! **In memory**, all connections of an engine share one database through SQLite's `memdb` file system, so
//! that two users of the pool have transactions of their own, as with a file. It has no WAL: a writer keeps
//! readers out while its transaction is open, and an open read would keep a writer from committing. Therefore
//! a transaction for reading takes no lock here: each query sees what is committed when it runs. Then only
//! an open writer makes others wait, nobody waits for a reader, and there is no circle to deadlock in. Such
//! a database can grow to 1 GiB.

mod bind;
mod cursor;
mod error;
mod open;
mod run;
mod transaction;
mod watch;

pub(crate) use cursor::Chunks;
pub(crate) use open::Target;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::driver::Leftover;
use crate::error::{DatabaseError, Error, Result};
use watch::Watch;

/// What a connection is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) target: Target,
    pub(crate) statement_cache: usize,
    pub(crate) busy_timeout: Duration,
}

/// A connection.
pub(crate) struct Sqlite {
    /// Shared with a job on a blocking thread, which may outlive the future that started it.
    db: Arc<Mutex<rusqlite::Connection>>,
    watch: Arc<Watch>,
    busy_timeout: Duration,
    /// In memory, where a transaction for reading is none.
    memory: bool,
    tx: Tx,
    /// A job that was started and not seen to end.
    flying: Option<Arc<AtomicBool>>,
    /// Statements that exceeded their budget when they last ran.
    long: FxHashSet<Box<str>>,
    /// Whether raw SQL may have changed settings of the connection.
    unknown_settings: bool,
    read_only: bool,
}

/// The transaction as we know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tx {
    None,
    Read,
    Write,
    /// SQLite rolled it back by itself (disk full, I/O error): only `rollback` is possible.
    Lost,
}

impl Sqlite {
    /// Opens a connection, on a thread that may block.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self> {
        let Settings { target, statement_cache, busy_timeout } = settings.clone();
        let read_only = matches!(target, Target::File { read_only: true, .. });
        let memory = matches!(target, Target::Memory(_));
        let opened = tokio::task::spawn_blocking(move || {
            let mut db = target.open(statement_cache, busy_timeout).map_err(|e| unreachable_file(&target, e))?;
            let watch = Watch::install(&mut db).map_err(error::convert)?;
            Ok::<_, Error>((db, watch))
        });
        let (db, watch) = opened.await.map_err(job_failed)??;
        Ok(Sqlite {
            db: Arc::new(Mutex::new(db)),
            watch,
            busy_timeout,
            memory,
            tx: Tx::None,
            flying: None,
            long: FxHashSet::default(),
            unknown_settings: false,
            read_only,
        })
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.tx != Tx::None
    }

    pub(crate) fn in_write_transaction(&self) -> bool {
        matches!(self.tx, Tx::Write | Tx::Lost)
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.tx == Tx::Lost
    }

    pub(crate) fn is_dead(&self) -> bool {
        false
    }

    pub(crate) fn leftover(&mut self) -> Leftover {
        if let Some(job) = &self.flying {
            job.store(true, Ordering::Release);
            self.watch.stop();
            return Leftover::Work;
        }
        // No job is running, so the lock is free and a rollback takes microseconds.
        match clean(&lock(&self.db), self.unknown_settings, self.read_only) {
            Ok(()) => {
                self.tx = Tx::None;
                self.unknown_settings = false;
                Leftover::Nothing
            }
            Err(_) => Leftover::Dead,
        }
    }

    pub(crate) async fn reset(&mut self) -> Result<()> {
        let (db, watch) = (Arc::clone(&self.db), Arc::clone(&self.watch));
        let read_only = self.read_only;
        let job = tokio::task::spawn_blocking(move || {
            // Waits for the job that was left behind, which the watch has told to stop.
            let db = lock(&db);
            watch.resume();
            clean(&db, true, read_only)
        });
        job.await.map_err(job_failed)?.map_err(error::convert)?;
        self.flying = None;
        self.tx = Tx::None;
        self.unknown_settings = false;
        Ok(())
    }

    /// Ends the job of a future that was dropped, when the connection is used on all the same. To be awaited
    /// before the lock is taken, which that job may hold for long.
    async fn settle(&mut self) -> Result<()> {
        let Some(job) = &self.flying else { return Ok(()) };
        job.store(true, Ordering::Release);
        self.watch.stop();
        let (db, watch) = (Arc::clone(&self.db), Arc::clone(&self.watch));
        let job = tokio::task::spawn_blocking(move || {
            let db = lock(&db);
            watch.resume();
            db.is_autocommit()
        });
        let autocommit = job.await.map_err(job_failed)?;
        self.flying = None;
        // A statement that writes takes its whole transaction along when it is interrupted.
        if autocommit && self.is_really_open() {
            self.tx = Tx::Lost;
        }
        Ok(())
    }

    /// Whether SQLite has a transaction open, as far as we know.
    fn is_really_open(&self) -> bool {
        self.tx == Tx::Write || (self.tx == Tx::Read && !self.memory)
    }

    /// Runs a job with the connection on a thread that may block.
    async fn on_thread<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<rusqlite::Result<T>> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let (db, given_up) = (Arc::clone(&self.db), Arc::clone(&abandoned));
        self.flying = Some(abandoned);
        let outcome = tokio::task::spawn_blocking(move || {
            let db = lock(&db);
            // The future was dropped while this job waited for a thread: the connection is another's now.
            if given_up.load(Ordering::Acquire) { None } else { Some(job(&db)) }
        })
        .await;
        self.flying = None;
        match outcome.map_err(job_failed)? {
            Some(result) => Ok(result),
            None => Err(Error::Closed),
        }
    }
}

/// A lock that a panic in a row's decoder poisoned is as good as any: the statement was reset on the way.
fn lock(db: &Mutex<rusqlite::Connection>) -> MutexGuard<'_, rusqlite::Connection> {
    db.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rolls back what is open and sets again what raw SQL may have changed.
fn clean(db: &rusqlite::Connection, settings: bool, read_only: bool) -> rusqlite::Result<()> {
    if !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    if settings {
        db.execute_batch("PRAGMA foreign_keys = ON")?;
        if !read_only {
            db.execute_batch("PRAGMA synchronous = NORMAL")?;
        }
    }
    Ok(())
}

#[cold]
fn job_failed(error: tokio::task::JoinError) -> Error {
    let message = if error.is_panic() {
        "a statement's thread panicked".to_string()
    } else {
        "the runtime is shutting down".to_string()
    };
    Error::Database(Box::new(DatabaseError { message, ..Default::default() }))
}

#[cold]
fn unreachable_file(target: &Target, error: rusqlite::Error) -> Error {
    match target {
        Target::File { path, .. } => {
            let mut message = match &error {
                rusqlite::Error::SqliteFailure(e, said) => {
                    said.clone().unwrap_or_else(|| rusqlite::ffi::code_to_str(e.extended_code).to_string())
                }
                other => other.to_string(),
            };
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
            if let Some(parent) = parent.filter(|p| !p.is_dir()) {
                message = format!("the directory {} is not there", parent.display());
            }
            Error::Connect { url: format!("sqlite://{}", path.display()), message }
        }
        Target::Memory(_) => Error::Connect { url: "sqlite::memory:".into(), message: error.to_string() },
    }
}
