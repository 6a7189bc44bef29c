//! A connection of the pool.

use std::sync::Arc;
use std::time::Instant;

use super::options::{IsolationLevel, ResetOnReturn};
use super::pool::{Idle, Lease};
use super::{Inner, StatementCache, ValueSink, echo};
use crate::dialect::Dialect;
use crate::driver::{Begin, Bind, Cursor, Driver, Leftover, Meter, RowSink, Stats, Stmt, Write, WriteError, Written};
use crate::error::{Error, Result};
use crate::sql::Fetch;
use crate::types::Value;

/// A connection of the pool. It goes back when it is dropped, and what its transaction did without a
/// [`commit`](Connection::commit) is rolled back.
///
/// Outside a transaction every statement is committed by itself.
///
/// Any future of a connection may be dropped before it is done. The connection then goes back when it is
/// dropped itself, after what was running has ended; whether a statement outside a transaction has run is not
/// known in that case.
pub struct Connection {
    /// `None` only while it is dropped.
    idle: Option<Idle>,
    lease: Option<Lease>,
    engine: Arc<Inner>,
    meter: Meter,
    /// A statement of the transaction failed, or its future was dropped.
    failed: bool,
    /// It is not to go back to the pool.
    closing: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("url", &self.engine.url)
            .field("in_transaction", &self.in_transaction())
            .finish_non_exhaustive()
    }
}

/// Runs an operation of the driver, and watches how it ends.
macro_rules! run {
    ($self:ident, $driver:ident, $meter:ident => $call:expr) => {{
        let Some(Idle { driver: $driver, .. }) = &mut $self.idle else { return Err(closed()) };
        let $meter = &mut $self.meter;
        let failed = std::mem::replace(&mut $self.failed, true);
        let outcome = $call.await;
        $self.failed = failed;
        outcome
    }};
}

impl Connection {
    pub(super) fn new(engine: Arc<Inner>, lease: Lease, idle: Idle, meter: Meter) -> Self {
        Connection { idle: Some(idle), lease: Some(lease), engine, meter, failed: false, closing: false }
    }

    /// The engine that it belongs to.
    pub(crate) fn engine(&self) -> super::Engine {
        super::Engine { inner: Arc::clone(&self.engine) }
    }

    /// The database's way to spell SQL.
    pub fn dialect(&self) -> Dialect {
        self.engine.address.dialect()
    }

    /// What this connection has sent since it left the pool.
    pub fn stats(&self) -> Stats {
        self.meter.stats()
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.idle.as_ref().is_some_and(|idle| idle.driver.in_transaction())
    }

    /// Whether a transaction is open in which something may have been written.
    pub(crate) fn in_write_transaction(&self) -> bool {
        self.idle.as_ref().is_some_and(|idle| idle.driver.in_write_transaction())
    }

    /// Whether a query sees the same with a transaction around it and without: each statement has a snapshot
    /// of its own anyway.
    pub(crate) fn reads_stand_alone(&self) -> bool {
        self.dialect() == Dialect::Postgres
            && matches!(self.engine.options.isolation_level, None | Some(IsolationLevel::ReadCommitted))
    }

    /// Has the connection closed instead of given back to the pool when it is dropped: for one whose own
    /// settings were changed (`PRAGMA`, `SET`), so that nobody else gets them.
    pub fn close_on_return(&mut self) {
        self.closing = true;
    }

    /// Takes the driver out, for good: it never goes back to the pool. What is returned with it is the right to hold
    /// it.
    pub(super) fn detach(mut self) -> Result<(Driver, Lease)> {
        match (self.idle.take(), self.lease.take()) {
            (Some(idle), Some(lease)) => Ok((idle.driver, lease)),
            _ => Err(Error::Closed),
        }
    }

    /// The engine's rendered statements.
    #[allow(dead_code)]
    pub(crate) fn statements(&self) -> &StatementCache {
        &self.engine.statements
    }

    // ------------------------------------------------------------------------------- transactions

    /// Begins a transaction, for writing as well as reading. Does nothing when one is open.
    ///
    /// On SQLite it takes the write lock, and waits for it as long as `busy_timeout` says.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another writer keeps the lock; otherwise what the database says.
    pub async fn begin(&mut self) -> Result<()> {
        self.begin_mode(Begin::Write).await
    }

    /// Begins a transaction for reading or for writing.
    ///
    /// On SQLite, `Begin::Write` while a transaction for reading is open ends that one and begins another:
    /// nothing is lost, but what was read may have changed in between.
    pub(crate) async fn begin_mode(&mut self, mode: Begin) -> Result<()> {
        let again = self.in_transaction();
        let before = self.meter.stats();
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.begin(meter, mode));
        if !again {
            self.failed = false;
        } else if self.meter.stats() == before && outcome.is_ok() {
            return outcome;
        }
        self.ended(clock, if mode == Begin::Write { "BEGIN (write)" } else { "BEGIN (read)" }, outcome)
    }

    /// Commits the transaction. Without one it does nothing.
    ///
    /// # Errors
    /// What the database says: a deferred constraint does not hold, the connection was lost. The transaction is
    /// then rolled back.
    pub async fn commit(&mut self) -> Result<()> {
        if !self.in_transaction() {
            return Ok(());
        }
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.commit(meter));
        self.failed = false;
        self.ended(clock, "COMMIT", outcome)
    }

    /// Rolls the transaction back. Without one it does nothing.
    ///
    /// # Errors
    /// [`Error::ConnectionLost`]; the server has then rolled back by itself.
    pub async fn rollback(&mut self) -> Result<()> {
        if !self.in_transaction() {
            return Ok(());
        }
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.rollback(meter));
        self.failed = false;
        self.ended(clock, "ROLLBACK", outcome)
    }

    /// Marks a point in the transaction to which it can go back.
    #[allow(dead_code)]
    pub(crate) async fn savepoint(&mut self, name: &str) -> Result<()> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.savepoint(meter, name));
        self.ended(clock, "SAVEPOINT", outcome)
    }

    /// Forgets a savepoint and keeps what was done since.
    #[allow(dead_code)]
    pub(crate) async fn release(&mut self, name: &str) -> Result<()> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.release(meter, name));
        self.ended(clock, "RELEASE SAVEPOINT", outcome)
    }

    /// Undoes what was done since a savepoint, which stays.
    #[allow(dead_code)]
    pub(crate) async fn rollback_to(&mut self, name: &str) -> Result<()> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.rollback_to(meter, name));
        self.ended(clock, "ROLLBACK TO SAVEPOINT", outcome)
    }

    // --------------------------------------------------------------------------------- statements

    /// Runs a query and hands its rows to a sink.
    #[allow(dead_code)]
    pub(crate) async fn query(&mut self, stmt: &Arc<Stmt>, params: &[Bind<'_>], sink: &mut dyn RowSink) -> Result<()> {
        let Some(clock) = echo::start(&self.engine.options) else {
            let outcome = run!(self, driver, meter => driver.query(meter, stmt, params, sink));
            return outcome.or_else(|error| self.fail(error, &stmt.sql));
        };
        let mut sink = echo::Counted { sink, rows: 0 };
        let outcome = run!(self, driver, meter => driver.query(meter, stmt, params, &mut sink));
        let rows = sink.rows;
        echo::show(&self.engine.options, clock, &stmt.sql, &|o| echo::binds(params, o), rows, outcome.as_ref().err());
        outcome.or_else(|error| self.fail(error, &stmt.sql))
    }

    /// Opens a query whose rows are taken some at a time. On PostgreSQL it needs a transaction.
    pub(crate) async fn open_cursor(&mut self, name: &str, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<Cursor> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.open_cursor(meter, name, stmt, params));
        if let Some(clock) = clock {
            echo::show(&self.engine.options, clock, &stmt.sql, &|o| echo::binds(params, o), 0, outcome.as_ref().err());
        }
        outcome.or_else(|error| self.fail(error, &stmt.sql))
    }

    /// Hands the next rows of an open query to a sink, and says whether there may be more.
    pub(crate) async fn fetch_cursor(&mut self, cursor: &mut Cursor, sink: &mut dyn RowSink) -> Result<bool> {
        let outcome = run!(self, driver, meter => driver.fetch_cursor(meter, cursor, sink));
        outcome.or_else(|error| self.fail(error, "FETCH"))
    }

    /// Closes an open query.
    pub(crate) async fn close_cursor(&mut self, cursor: Cursor) -> Result<()> {
        let outcome = run!(self, driver, meter => driver.close_cursor(meter, cursor));
        outcome.or_else(|error| self.fail(error, "CLOSE"))
    }

    /// Runs a statement and says how many rows it affected.
    #[allow(dead_code)]
    pub(crate) async fn execute_compiled(&mut self, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<u64> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.execute(meter, stmt, params));
        if let Some(clock) = clock {
            let rows = *outcome.as_ref().unwrap_or(&0);
            echo::show(
                &self.engine.options,
                clock,
                &stmt.sql,
                &|o| echo::binds(params, o),
                rows,
                outcome.as_ref().err(),
            );
        }
        outcome.or_else(|error| self.fail(error, &stmt.sql))
    }

    /// Runs the statements of a flush in order, each for all its rows, in as few round trips as the database
    /// allows: on PostgreSQL in one. To be called in a transaction.
    #[allow(dead_code)]
    pub(crate) async fn write(&mut self, writes: &[Write<'_>]) -> Result<Vec<Written>, WriteError> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.write(meter, writes));
        if let Some(clock) = clock {
            self.show_writes(clock, writes, &outcome);
        }
        outcome.map_err(|WriteError { index, row, error, done }| {
            self.note(&error);
            let sql = writes.get(index).map_or("", |write| &*write.stmt.sql);
            WriteError { index, row, error: error.with_sql(sql), done }
        })
    }

    /// Runs one statement verbatim: DDL, `VACUUM`, `SET`, whatever takes no parameters. Says how many rows it
    /// affected; rows that it returns are dropped.
    ///
    /// On SQLite it runs on a thread of its own, since it may take long.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute_raw(&mut self, sql: &str) -> Result<u64> {
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.execute_raw(meter, sql));
        if let Some(clock) = clock {
            let rows = *outcome.as_ref().unwrap_or(&0);
            echo::show(&self.engine.options, clock, sql, &|_| (), rows, outcome.as_ref().err());
        }
        outcome.or_else(|error| self.fail(error, sql))
    }

    /// Runs a query in the database's own spelling (`?` on SQLite, `$1` on PostgreSQL) and reads its rows.
    ///
    /// On PostgreSQL the server says what types the parameters are.
    ///
    /// # Errors
    /// What the database says; [`Error::Decode`] when a column holds something that `T` cannot read.
    pub async fn fetch_raw<T: Fetch>(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<T>> {
        let mut sink = ValueSink::<T>::default();
        let clock = echo::start(&self.engine.options);
        let outcome = run!(self, driver, meter => driver.query_raw(meter, sql, params, &mut sink));
        if let Some(clock) = clock {
            let shown = |out: &mut String| {
                let binds: Vec<Bind<'_>> = params.iter().map(|v| Bind::One(v.borrowed())).collect();
                echo::binds(&binds, out);
            };
            echo::show(&self.engine.options, clock, sql, &shown, sink.out.len() as u64, outcome.as_ref().err());
        }
        match outcome {
            Ok(()) => Ok(sink.out),
            Err(error) => self.fail(error, sql),
        }
    }

    // ------------------------------------------------------------------------------------ endings

    fn ended(&mut self, clock: Option<echo::Clock>, what: &str, outcome: Result<()>) -> Result<()> {
        if let Some(clock) = clock {
            echo::show(&self.engine.options, clock, what, &|_| (), 0, outcome.as_ref().err());
        }
        outcome.or_else(|error| self.fail(error, what))
    }

    #[cold]
    fn fail<T>(&mut self, error: Error, sql: &str) -> Result<T> {
        self.note(&error);
        Err(error.with_sql(sql))
    }

    /// Remembers what an error says about the connection.
    fn note(&mut self, error: &Error) {
        self.failed = true;
        if error.is_disconnect() {
            self.engine.pool.suspect_all();
        }
    }

    #[cold]
    fn show_writes(&self, clock: echo::Clock, writes: &[Write<'_>], outcome: &Result<Vec<Written>, WriteError>) {
        let mut clock = Some(clock);
        for (i, write) in writes.iter().enumerate() {
            let error = outcome.as_ref().err().filter(|e| e.index == i).map(|e| &e.error);
            let rows = outcome.as_ref().ok().and_then(|all| all.get(i)).map_or(0, |written| written.affected);
            // They were sent together: the time is that of all, shown with the first.
            let clock = clock.take().unwrap_or_else(echo::Clock::now);
            let shown = |out: &mut String| echo::rows(write.rows, write.stmt.params.len(), out);
            echo::show(&self.engine.options, clock, &write.stmt.sql, &shown, rows, error);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Some(mut idle), Some(lease)) = (self.idle.take(), self.lease.take()) else { return };
        if self.closing {
            // What is open in it is rolled back by the closing.
            return;
        }
        let commit = self.engine.options.reset_on_return == ResetOnReturn::Commit
            && idle.driver.in_transaction()
            && !self.failed;
        let leftover = if commit { Leftover::Work } else { idle.driver.leftover() };
        match leftover {
            Leftover::Nothing => lease.pool.give(idle),
            Leftover::Dead => lease.pool.suspect_all(),
            Leftover::Work => {
                let mut meter = Meter::new(Arc::clone(&self.engine.stats));
                // The runtime that is running now, which may be another than the engine was made in.
                let runtime = tokio::runtime::Handle::try_current();
                let runtime = runtime.unwrap_or_else(|_| self.engine.runtime.clone());
                // The lease goes along: until the server has ended what was running, the connection counts.
                runtime.spawn(async move {
                    if commit && let Err(error) = idle.driver.commit(&mut meter).await {
                        tracing::warn!(target: "limbeck::pool", %error, "the commit of a returned connection failed");
                    }
                    match idle.driver.reset().await {
                        Ok(()) => {
                            idle.checked = Instant::now();
                            lease.pool.give(idle);
                        }
                        Err(error) => {
                            tracing::debug!(target: "limbeck::pool", %error, "a connection was closed");
                        }
                    }
                    drop(lease);
                });
            }
        }
    }
}

/// What an operation on a connection that is gone says, in the type of its errors.
fn closed<E: From<Error>>() -> E {
    E::from(Error::Closed)
}
