//! A query whose rows are taken some at a time, so that they need not all be in memory.
//!
//! On PostgreSQL it is a cursor of the server's, from which rows are fetched; it lives in a transaction. On SQLite a
//! thread that may block steps the statement, and hands over rows when they are asked for.

use std::sync::Arc;

#[cfg(feature = "sqlite")]
use super::sqlite::Chunks;
use super::{Bind, Driver, Meter, RowSink, Stmt};
use crate::error::Result;

/// How many rows are taken at a time.
pub(crate) const AT_ONCE: usize = 256;

/// A query that is open.
pub(crate) enum Cursor {
    #[cfg(feature = "sqlite")]
    Sqlite(Chunks),
    /// Its name.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Driver {
    /// Opens a query; `name` is one that no other in the transaction has.
    pub(crate) async fn open_cursor(
        &mut self,
        meter: &mut Meter,
        name: &str,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
    ) -> Result<Cursor> {
        let _ = name;
        match self {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(driver) => driver.open_cursor(meter, stmt, params).await.map(Cursor::Sqlite),
            #[cfg(feature = "postgres")]
            Driver::Postgres(driver) => {
                Box::pin(driver.open_cursor(meter, name, stmt, params)).await?;
                Ok(Cursor::Postgres(name.to_owned()))
            }
            Driver::Joined(driver) => Box::pin(driver.open_cursor(meter, name, stmt, params)).await,
        }
    }

    /// Hands the next rows to the sink, and says whether there may be more.
    pub(crate) async fn fetch_cursor(
        &mut self,
        meter: &mut Meter,
        cursor: &mut Cursor,
        sink: &mut dyn RowSink,
    ) -> Result<bool> {
        match (self, cursor) {
            #[cfg(feature = "sqlite")]
            (Driver::Sqlite(driver), Cursor::Sqlite(chunks)) => driver.fetch_cursor(chunks, sink).await,
            #[cfg(feature = "postgres")]
            (Driver::Postgres(driver), Cursor::Postgres(name)) => {
                Box::pin(driver.fetch_cursor(meter, name, sink)).await
            }
            (Driver::Joined(driver), cursor) => Box::pin(driver.fetch_cursor(meter, cursor, sink)).await,
            // A cursor is of the connection that opened it.
            #[cfg(all(feature = "sqlite", feature = "postgres"))]
            _ => Ok(false),
        }
    }

    /// Closes a query.
    pub(crate) async fn close_cursor(&mut self, meter: &mut Meter, cursor: Cursor) -> Result<()> {
        match (self, cursor) {
            #[cfg(feature = "sqlite")]
            (Driver::Sqlite(_), Cursor::Sqlite(chunks)) => {
                drop(chunks);
                Ok(())
            }
            #[cfg(feature = "postgres")]
            (Driver::Postgres(driver), Cursor::Postgres(name)) => {
                Box::pin(driver.execute_raw(meter, &format!("CLOSE {name}"))).await.map(|_| ())
            }
            (Driver::Joined(driver), cursor) => Box::pin(driver.close_cursor(meter, cursor)).await,
            #[cfg(all(feature = "sqlite", feature = "postgres"))]
            _ => Ok(()),
        }
    }
}
