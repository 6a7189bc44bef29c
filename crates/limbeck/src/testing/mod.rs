//! For tests of programs that use limbeck: databases that are gone afterwards, and what was sent to them.
//!
//! * [`database`] makes a database for one test, and drops it at its end, after a panic as well.
//! * [`rolled_back`] makes sessions whose work is never committed, whatever the code under test calls.
//! * [`assert_statements!`](crate::assert_statements) counts what a piece of code sends, and [`StatementLog`] keeps it.
//!
//! Tests that run at the same time do not disturb each other. Which of the first two to take: a database per test lets
//! everything happen that happens in production (several connections, deferred constraints, DDL), and costs
//! PostgreSQL some tens of milliseconds; a rolled-back transaction costs nothing.

mod database;
mod log;

pub use crate::assert_statements;
pub use database::{TestDatabase, database};
pub use log::StatementLog;

use crate::error::Result;
use crate::session::SessionMaker;

/// Sessions that all work in one transaction, which is rolled back when the last of them is gone: SQLAlchemy's
/// `join_transaction_mode="create_savepoint"`. The settings and hooks are those of the maker that is given.
///
/// To the code under test a session is as any other. A `commit` releases a savepoint, a `rollback` goes back to it,
/// `sessions.transaction` does one or the other, and what one session has committed the next one sees. After the test
/// the database is as it was before. `.engine()` is an engine of that kind, for code that wants one.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::session::SessionMaker;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String }
/// /// The code under test.
/// async fn publish(sessions: &SessionMaker, title: &str) -> limbeck::Result<()> {
///     let title = title.to_string();
///     sessions.transaction(async move |session| {
///         session.add(Post::builder().title(title));
///         Ok(())
///     }).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![Post]?).await?;
/// let sessions = limbeck::testing::rolled_back(&engine.sessionmaker()).await?;
/// publish(&sessions, "Hello").await?;
/// assert_eq!(sessions.open().count(select(Post)).await?, 1);
///
/// drop(sessions);
/// assert_eq!(engine.sessionmaker().open().count(select(Post)).await?, 0);
/// # Ok(())
/// # }
/// ```
///
/// # What is different
///
/// There is one connection, so one session writes at a time: another one that wants to write or read meanwhile waits,
/// and fails after three seconds with an error that says so. Sessions that only read do not keep each other waiting.
/// A constraint that is deferred is not checked, since nothing is committed. On SQLite the test holds the write lock of
/// the file all the time: give tests that run at the same time a [`database`] each. And SQLite gives up the whole
/// transaction when a statement that writes is stopped halfway, by a future that is dropped: what comes after fails
/// then.
///
/// # Errors
/// When no connection can be had.
pub async fn rolled_back(sessions: &SessionMaker) -> Result<SessionMaker> {
    let engine = sessions.engine().joined().await?;
    Ok(sessions.with_engine(engine))
}
