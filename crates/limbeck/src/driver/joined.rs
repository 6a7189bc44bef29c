//! Connections that share one, for tests: whatever they do lies in a transaction that nobody commits.
//!
//! A transaction is a savepoint there: committing releases it, rolling back goes back to it. A statement outside a
//! transaction has a savepoint of its own on PostgreSQL, where an error would otherwise end everything.
//!
//! One connection at a time may write: it holds the shared one from `begin` to the end. Those that only read take it
//! for each statement.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Begin, Bind, Cursor, Driver, Leftover, Meter, RowSink, Stmt, Write, WriteError, Written};
use crate::error::{DatabaseError, Error, Result};
use crate::types::Value;

/// How long another's transaction is waited for. In a test that runs on one task it never ends.
const PATIENCE: Duration = Duration::from_secs(3);

const TRANSACTION: &str = "limbeck_joined";
const STATEMENT: &str = "limbeck_statement";

/// The connection that is shared, in its transaction.
pub(crate) struct Shared {
    driver: Driver,
    /// A savepoint whose user has not come to an end: it is gone back to before anything else is done.
    open: Option<&'static str>,
}

/// One of those that share it.
pub(crate) struct Joined {
    shared: Arc<Mutex<Shared>>,
    /// While this one writes.
    held: Option<OwnedMutexGuard<Shared>>,
    /// A transaction for reading is open.
    reading: bool,
}

/// Runs an operation of the shared driver: inside this one's transaction, or as one of its own.
macro_rules! run {
    ($self:ident, $meter:ident, $driver:ident => $call:expr) => {
        match &mut $self.held {
            Some(shared) => {
                let $driver = &mut shared.driver;
                $call.await
            }
            None => {
                let mut shared = $self.lock($meter).await?;
                shared.set($meter, STATEMENT).await?;
                let $driver = &mut shared.driver;
                let outcome = $call.await;
                match &outcome {
                    Ok(_) => shared.release($meter).await?,
                    Err(_) => shared.go_back($meter).await?,
                }
                outcome
            }
        }
    };
}

impl Shared {
    /// Shares a connection in which a transaction is open.
    pub(crate) fn new(driver: Driver) -> Arc<Mutex<Shared>> {
        Arc::new(Mutex::new(Shared { driver, open: None }))
    }

    async fn set(&mut self, meter: &mut Meter, name: &'static str) -> Result<()> {
        self.open = Some(name);
        self.driver.savepoint(meter, name).await
    }

    async fn release(&mut self, meter: &mut Meter) -> Result<()> {
        let Some(name) = self.open else { return Ok(()) };
        self.driver.release(meter, name).await?;
        self.open = None;
        Ok(())
    }

    async fn go_back(&mut self, meter: &mut Meter) -> Result<()> {
        let Some(name) = self.open else { return Ok(()) };
        self.driver.rollback_to(meter, name).await?;
        self.release(meter).await
    }
}

impl Joined {
    pub(crate) fn new(shared: Arc<Mutex<Shared>>) -> Self {
        Joined { shared, held: None, reading: false }
    }

    async fn lock(&self, meter: &mut Meter) -> Result<OwnedMutexGuard<Shared>> {
        let waiting = Arc::clone(&self.shared).lock_owned();
        let mut shared = tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| busy())?;
        shared.go_back(meter).await?;
        if shared.driver.in_transaction() { Ok(shared) } else { Err(over()) }
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.reading || self.held.is_some()
    }

    pub(crate) fn in_write_transaction(&self) -> bool {
        self.held.is_some()
    }

    pub(crate) async fn begin(&mut self, meter: &mut Meter, mode: Begin) -> Result<()> {
        if self.held.is_some() {
            return Ok(());
        }
        if mode == Begin::Read {
            self.reading = true;
            return Ok(());
        }
        let mut shared = self.lock(meter).await?;
        shared.set(meter, TRANSACTION).await?;
        self.held = Some(shared);
        self.reading = false;
        Ok(())
    }

    /// Opens a query whose rows are taken some at a time: it keeps the others out, as one that writes does.
    pub(crate) async fn open_cursor(
        &mut self,
        meter: &mut Meter,
        name: &str,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
    ) -> Result<Cursor> {
        self.begin(meter, Begin::Write).await?;
        match &mut self.held {
            Some(shared) => shared.driver.open_cursor(meter, name, stmt, params).await,
            None => Err(over()),
        }
    }

    pub(crate) async fn fetch_cursor(
        &mut self,
        meter: &mut Meter,
        cursor: &mut Cursor,
        sink: &mut dyn RowSink,
    ) -> Result<bool> {
        match &mut self.held {
            Some(shared) => shared.driver.fetch_cursor(meter, cursor, sink).await,
            None => Err(over()),
        }
    }

    pub(crate) async fn close_cursor(&mut self, meter: &mut Meter, cursor: Cursor) -> Result<()> {
        match &mut self.held {
            Some(shared) => shared.driver.close_cursor(meter, cursor).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn commit(&mut self, meter: &mut Meter) -> Result<()> {
        self.reading = false;
        let Some(mut shared) = self.held.take() else { return Ok(()) };
        if shared.driver.is_failed() {
            shared.go_back(meter).await?;
            return Err(aborted());
        }
        shared.release(meter).await
    }

    pub(crate) async fn rollback(&mut self, meter: &mut Meter) -> Result<()> {
        self.reading = false;
        match self.held.take() {
            Some(mut shared) => shared.go_back(meter).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn savepoint(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        self.begin(meter, Begin::Write).await?;
        match &mut self.held {
            Some(shared) => shared.driver.savepoint(meter, name).await,
            None => Err(over()),
        }
    }

    pub(crate) async fn release(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        match &mut self.held {
            Some(shared) => shared.driver.release(meter, name).await,
            None => Err(over()),
        }
    }

    pub(crate) async fn rollback_to(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        match &mut self.held {
            Some(shared) => shared.driver.rollback_to(meter, name).await,
            None => Err(over()),
        }
    }

    pub(crate) async fn query(
        &mut self,
        meter: &mut Meter,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        run!(self, meter, driver => driver.query(meter, stmt, params, sink))
    }

    pub(crate) async fn execute(&mut self, meter: &mut Meter, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<u64> {
        run!(self, meter, driver => driver.execute(meter, stmt, params))
    }

    pub(crate) async fn write(&mut self, meter: &mut Meter, writes: &[Write<'_>]) -> Result<Vec<Written>, WriteError> {
        run!(self, meter, driver => driver.write(meter, writes))
    }

    pub(crate) async fn execute_raw(&mut self, meter: &mut Meter, sql: &str) -> Result<u64> {
        run!(self, meter, driver => driver.execute_raw(meter, sql))
    }

    pub(crate) async fn query_raw(
        &mut self,
        meter: &mut Meter,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        run!(self, meter, driver => driver.query_raw(meter, sql, params, sink))
    }

    pub(crate) async fn ping(&mut self, _: &mut Meter) -> Result<()> {
        Ok(())
    }

    /// What this one left open, whoever is next goes back from.
    pub(crate) fn leftover(&mut self) -> Leftover {
        self.held = None;
        self.reading = false;
        Leftover::Nothing
    }

    pub(crate) async fn reset(&mut self) -> Result<()> {
        self.leftover();
        Ok(())
    }

    pub(crate) fn is_dead(&self) -> bool {
        false
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.held.as_ref().is_some_and(|shared| shared.driver.is_failed())
    }
}

#[cold]
fn busy() -> Error {
    Error::Statement(format!(
        "another session of this test has been writing for {} s and has neither committed nor rolled back: sessions of \
         `limbeck::testing::rolled_back` share one connection, so one transaction writes at a time",
        PATIENCE.as_secs()
    ))
}

#[cold]
fn over() -> Error {
    Error::Statement(
        "the transaction around this test has ended: SQL of the program's own, or the loss of the connection, ended it"
            .into(),
    )
}

#[cold]
fn aborted() -> Error {
    Error::Database(Box::new(DatabaseError {
        code: Some("25P02".into()),
        message: "an earlier error aborted the transaction: nothing of it was committed".into(),
        sql: "COMMIT".into(),
    }))
}
