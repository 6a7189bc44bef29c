//! How each database's bytes travel.
//!
//! A driver knows statements ([`Stmt`]), values and rows; it knows nothing of models or sessions. The set
//! of drivers is closed: rows are decoded by a `match`, not through `dyn`, straight from the driver's bytes.

mod address;
mod cursor;
mod joined;
mod meter;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
mod stmt;

pub(crate) use address::{Address, Common, without_password};
pub(crate) use cursor::Cursor;
pub(crate) use joined::{Joined, Shared};
pub use meter::Stats;
pub(crate) use meter::{Meter, SharedStats};
pub use row::Row;
pub(crate) use row::{Extra, RowSink};
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
    /// One of several that share a connection, in tests.
    Joined(Joined),
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

/// Awaits the same method of whichever driver it is.
///
/// A future is as large as the largest that it awaits. PostgreSQL's are large, and one allocation is nothing
/// beside a round trip; SQLite's run in a microsecond, and should not be moved around at PostgreSQL's size.
macro_rules! each_async {
    ($self:expr, $driver:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite($driver) => $call.await,
            #[cfg(feature = "postgres")]
            Driver::Postgres($driver) => Box::pin($call).await,
            Driver::Joined($driver) => Box::pin($call).await,
        }
    };
}

/// Calls the same method of whichever driver it is.
macro_rules! each {
    ($self:expr, $driver:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite($driver) => $call,
            #[cfg(feature = "postgres")]
            Driver::Postgres($driver) => $call,
            Driver::Joined($driver) => $call,
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
        each_async!(self, driver => driver.query(meter, stmt, params, sink))
    }

    /// Runs a statement and says how many rows it affected.
    pub(crate) async fn execute(&mut self, meter: &mut Meter, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<u64> {
        each_async!(self, driver => driver.execute(meter, stmt, params))
    }

    /// Runs the statements of a flush, in order.
    pub(crate) async fn write(&mut self, meter: &mut Meter, writes: &[Write<'_>]) -> Result<Vec<Written>, WriteError> {
        each_async!(self, driver => driver.write(meter, writes))
    }

    pub(crate) async fn begin(&mut self, meter: &mut Meter, mode: Begin) -> Result<()> {
        each_async!(self, driver => driver.begin(meter, mode))
    }

    pub(crate) async fn commit(&mut self, meter: &mut Meter) -> Result<()> {
        each_async!(self, driver => driver.commit(meter))
    }

    pub(crate) async fn rollback(&mut self, meter: &mut Meter) -> Result<()> {
        each_async!(self, driver => driver.rollback(meter))
    }

    pub(crate) async fn savepoint(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        each_async!(self, driver => driver.savepoint(meter, name))
    }

    pub(crate) async fn release(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        each_async!(self, driver => driver.release(meter, name))
    }

    pub(crate) async fn rollback_to(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        each_async!(self, driver => driver.rollback_to(meter, name))
    }

    /// One statement, verbatim, without parameters and without preparing it on the server.
    pub(crate) async fn execute_raw(&mut self, meter: &mut Meter, sql: &str) -> Result<u64> {
        each_async!(self, driver => driver.execute_raw(meter, sql))
    }

    /// A statement in the database's own spelling, whose parameter types the database decides.
    pub(crate) async fn query_raw(
        &mut self,
        meter: &mut Meter,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        each_async!(self, driver => driver.query_raw(meter, sql, params, sink))
    }

    /// Asks the database for a sign of life.
    pub(crate) async fn ping(&mut self, meter: &mut Meter) -> Result<()> {
        each_async!(self, driver => driver.ping(meter))
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
        each_async!(self, driver => driver.reset())
    }

    /// Whether the database refuses everything but a rollback.
    pub(crate) fn is_failed(&self) -> bool {
        each!(self, driver => driver.is_failed())
    }

    /// Whether the connection is known to be dead.
    pub(crate) fn is_dead(&self) -> bool {
        each!(self, driver => driver.is_dead())
    }
}
