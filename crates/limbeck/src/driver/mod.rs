//! How each database's bytes travel.
//!
//! A driver knows statements ([`Stmt`]), values and rows; it knows nothing of models or sessions. The set
//! of drivers is closed: rows are decoded by a `match`, not through `dyn`, straight from the driver's bytes.

mod address;
mod meter;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
mod stmt;

pub(crate) use address::{Address, Common, without_password};
pub use meter::Stats;
pub(crate) use meter::{Meter, SharedStats};
pub use row::Row;
pub(crate) use row::RowSink;
pub(crate) use stmt::{Access, Begin, Bind, Param, Returns, RowSource, Stmt, Write, WriteError, Written};

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("limbeck needs a database: enable its feature `sqlite` or `postgres`");

use std::sync::Arc;

use crate::error::Result;
use crate::types::Value;

/// One connection to a database.
pub(crate) enum Driver {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Postgres>),
}

/// What has to be done with a connection before somebody else may have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftover {
    /// Nothing: it is between transactions.
    Nothing,
    /// Something is open or still running: [`Driver::reset`] has to be awaited.
    Work,
    /// It is dead.
    Dead,
}

/// Calls the same method of whichever driver it is.
macro_rules! each {
    ($self:expr, $driver:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite($driver) => $call,
            #[cfg(feature = "postgres")]
            Driver::Postgres($driver) => $call,
        }
    };
}

impl Driver {
    /// Whether a transaction is open in which something may have been written.
    pub(crate) fn in_write_transaction(&self) -> bool {
        each!(self, driver => driver.in_write_transaction())
    }

    /// Runs a query and hands its rows to the sink.
    pub(crate) async fn query(
        &mut self,
        meter: &mut Meter,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        each!(self, driver => driver.query(meter, stmt, params, sink).await)
    }

    /// Runs a statement and says how many rows it affected.
    pub(crate) async fn execute(&mut self, meter: &mut Meter, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<u64> {
        each!(self, driver => driver.execute(meter, stmt, params).await)
    }

    /// Runs the statements of a flush, in order.
    pub(crate) async fn write(&mut self, meter: &mut Meter, writes: &[Write<'_>]) -> Result<Vec<Written>, WriteError> {
        each!(self, driver => driver.write(meter, writes).await)
    }

    pub(crate) async fn begin(&mut self, meter: &mut Meter, mode: Begin) -> Result<()> {
        each!(self, driver => driver.begin(meter, mode).await)
    }

    pub(crate) async fn commit(&mut self, meter: &mut Meter) -> Result<()> {
        each!(self, driver => driver.commit(meter).await)
    }

    pub(crate) async fn rollback(&mut self, meter: &mut Meter) -> Result<()> {
        each!(self, driver => driver.rollback(meter).await)
    }

    pub(crate) async fn savepoint(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        each!(self, driver => driver.savepoint(meter, name).await)
    }

    pub(crate) async fn release(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        each!(self, driver => driver.release(meter, name).await)
    }

    pub(crate) async fn rollback_to(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        each!(self, driver => driver.rollback_to(meter, name).await)
    }

    /// One statement, verbatim, without parameters and without preparing it on the server.
    pub(crate) async fn execute_raw(&mut self, meter: &mut Meter, sql: &str) -> Result<u64> {
        each!(self, driver => driver.execute_raw(meter, sql).await)
    }

    /// A statement in the database's own spelling, whose parameter types the database decides.
    pub(crate) async fn query_raw(
        &mut self,
        meter: &mut Meter,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        each!(self, driver => driver.query_raw(meter, sql, params, sink).await)
    }

    /// Asks the database for a sign of life.
    pub(crate) async fn ping(&mut self, meter: &mut Meter) -> Result<()> {
        each!(self, driver => driver.ping(meter).await)
    }

    pub(crate) fn in_transaction(&self) -> bool {
        each!(self, driver => driver.in_transaction())
    }

    /// What has to be done before somebody else may have the connection. What can be done at once, is.
    pub(crate) fn leftover(&mut self) -> Leftover {
        each!(self, driver => driver.leftover())
    }

    /// Ends what a dropped future left. An error means that the connection has to be closed.
    pub(crate) async fn reset(&mut self) -> Result<()> {
        each!(self, driver => driver.reset().await)
    }

    /// Whether the connection is known to be dead.
    pub(crate) fn is_dead(&self) -> bool {
        each!(self, driver => driver.is_dead())
    }
}
