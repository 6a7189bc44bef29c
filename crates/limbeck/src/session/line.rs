//! The session's line to the database: its connection, and what is known of the transaction on it.
//!
//! It lies apart from the objects, so that a query can write rows into those while it runs. Whatever a session
//! sends goes through here, in the same steps: take a connection, begin a transaction unless `autocommit` says
//! otherwise, send, and give the connection back unless a transaction is open. A future that is dropped on the
//! way leaves [`interrupted`](Line::interrupted) set, and from then on the session refuses everything but
//! `rollback`: nobody knows what the database has seen.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::driver::{Access, Begin, Bind, Cursor, RowSink, Stats, Stmt};
use crate::engine::{Connection, Engine};
use crate::error::{Error, Result};
use crate::sql::compile::Compiler;
use crate::sql::view::Channel;

pub(crate) struct Line {
    pub(super) engine: Engine,
    /// Outside `begin`, every statement is committed by itself.
    pub(super) autocommit: bool,
    pub(super) connection: Option<Connection>,
    /// Whether `begin` was called: with `autocommit`, only that keeps a transaction open.
    explicit: bool,
    /// Whether the server aborted the transaction for a reason that is worth another try.
    pub(super) aborted: bool,
    /// An exchange began and did not end: its future was dropped.
    interrupted: bool,
    /// What is sent commits: if it is not answered, nobody knows whether it has.
    pub(super) committing: bool,
    /// A savepoint whose guard was dropped: what came after it is undone before anything else is sent.
    abandoned: Option<String>,
    /// How many transactions, or attempts at one, have ended.
    pub(super) ended: u64,
    /// How many cursors were opened: each has a name of its own, since one that was left open keeps its.
    cursors: u64,
    /// What connections that were given back have sent for this session.
    spent: Stats,
    /// Where the session was opened, for the pool's list of holders.
    location: &'static Location<'static>,
}

impl Line {
    pub(super) fn new(engine: Engine, autocommit: bool, location: &'static Location<'static>) -> Self {
        Line {
            engine,
            autocommit,
            connection: None,
            explicit: false,
            aborted: false,
            interrupted: false,
            committing: false,
            abandoned: None,
            ended: 0,
            cursors: 0,
            spent: Stats::default(),
            location,
        }
    }

    pub(super) fn compiler(&self) -> Compiler<'_> {
        Compiler { dialect: self.engine.dialect(), cache: self.engine.statements() }
    }

    /// Whether a transaction is open in which something may have been written.
    pub(super) fn in_write_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::in_write_transaction)
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::in_transaction)
    }

    /// Whether what is sent now is a transaction of its own.
    pub(super) fn commits_at_once(&self) -> bool {
        self.autocommit && !self.explicit
    }

    /// Refuses to go on after an exchange whose future was dropped.
    pub(super) fn usable(&self) -> Result<()> {
        if self.interrupted { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// A connection for one exchange, which ends with [`ended`](Self::ended).
    ///
    /// Waiting for the pool is not part of the exchange: given up, it leaves nothing behind.
    pub(super) async fn ready(&mut self) -> Result<&mut Connection> {
        self.usable()?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.engine.connect_at(self.location).await?),
        };
        self.interrupted = true;
        if let Some(name) = self.abandoned.take()
            && connection.in_transaction()
        {
            Box::pin(undo_to(connection, &name)).await?;
        }
        Ok(connection)
    }

    /// Gives the connection back to the pool.
    fn give_back(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.spent = self.spent + connection.stats();
            self.ended += 1;
        }
    }

    /// What the session has sent.
    pub(super) fn stats(&self) -> Stats {
        self.connection.as_ref().map_or(self.spent, |connection| self.spent + connection.stats())
    }

    /// The end of an exchange, however it went.
    pub(super) fn ended<T>(&mut self, result: Result<T>) -> Result<T> {
        self.interrupted = false;
        // A line that was cut gave no answer.
        self.committing &= result.as_ref().is_err_and(Error::is_disconnect);
        self.aborted |= result.as_ref().is_err_and(Error::is_retryable);
        if !self.in_transaction() && (self.commits_at_once() || result.is_err()) {
            self.give_back();
        }
        result
    }

    /// Runs a query and hands its rows to the sink.
    pub(super) async fn query(&mut self, stmt: &Arc<Stmt>, binds: &[Bind<'_>], sink: &mut dyn RowSink) -> Result<()> {
        let alone = self.commits_at_once();
        let connection = self.ready().await?;
        let begun = match stmt.access {
            _ if alone => Ok(()),
            // On PostgreSQL under READ COMMITTED nobody could tell, but the server: a session that reads and then
            // waits for something else is not `idle in transaction`, and sends no BEGIN and no ROLLBACK.
            Access::Reads if !connection.in_transaction() && connection.reads_stand_alone() => Ok(()),
            Access::Reads | Access::Selects => connection.begin_mode(Begin::Read).await,
            Access::Writes => connection.begin_mode(Begin::Write).await,
        };
        let result = match begun {
            Ok(()) => connection.query(stmt, binds, sink).await,
            Err(error) => Err(error),
        };
        self.ended(result)
    }

    /// Runs a statement and says how many rows it affected.
    pub(super) async fn execute(&mut self, stmt: &Arc<Stmt>, binds: &[Bind<'_>]) -> Result<u64> {
        let alone = self.commits_at_once();
        let connection = self.ready().await?;
        let begun = if alone { Ok(()) } else { connection.begin_mode(Begin::Write).await };
        let result = match begun {
            Ok(()) => connection.execute_compiled(stmt, binds).await,
            Err(error) => Err(error),
        };
        self.ended(result)
    }

    /// Opens a query whose rows are taken some at a time. Says whether a transaction was begun for it alone.
    pub(super) async fn open_cursor(&mut self, stmt: &Arc<Stmt>, binds: &[Bind<'_>]) -> Result<(Cursor, bool)> {
        let alone = self.commits_at_once();
        self.cursors += 1;
        let name = format!("limbeck_{}", self.cursors);
        let connection = self.ready().await?;
        let mode = if stmt.access == Access::Writes { Begin::Write } else { Begin::Read };
        let (postgres, open) = (connection.dialect() == Dialect::Postgres, connection.in_transaction());
        let begun = if postgres || !alone { connection.begin_mode(mode).await } else { Ok(()) };
        let result = match begun {
            Ok(()) => connection.open_cursor(&name, stmt, binds).await,
            Err(error) => Err(error),
        };
        let own = !open && (alone || (postgres && mode == Begin::Read && connection.reads_stand_alone()));
        match result {
            Ok(cursor) => {
                // The connection is kept, whether a transaction is open or not.
                self.interrupted = false;
                Ok((cursor, own))
            }
            Err(error) => self.ended(Err(error)),
        }
    }

    /// Hands the next rows of an open query to a sink, and says whether there may be more.
    pub(super) async fn fetch_cursor(&mut self, cursor: &mut Cursor, sink: &mut dyn RowSink) -> Result<bool> {
        let connection = self.ready().await?;
        let result = connection.fetch_cursor(cursor, sink).await;
        if result.is_err() {
            return self.ended(result);
        }
        self.interrupted = false;
        result
    }

    /// Closes an open query whose rows were all taken, and ends the transaction that was begun for it alone.
    pub(super) async fn close_cursor(&mut self, cursor: Cursor, own: bool) -> Result<()> {
        let connection = self.ready().await?;
        let result = match own {
            true if connection.in_transaction() => connection.commit().await,
            true => Ok(()),
            false => connection.close_cursor(cursor).await,
        };
        let result = self.ended(result);
        if own && !self.in_transaction() && !self.explicit {
            self.give_back();
        }
        result
    }

    /// Lets go of an open query whose rows were not all taken: its reader was dropped.
    pub(super) fn leave_cursor(&mut self, own: bool) {
        if own {
            // The pool ends what is still running.
            self.give_back();
        }
    }

    pub(super) async fn begin(&mut self) -> Result<()> {
        let result = self.ready().await?.begin_mode(Begin::Write).await;
        self.explicit |= result.is_ok();
        self.ended(result)
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        self.usable()?;
        let result = if self.in_transaction() {
            self.ready().await?;
            self.committing = true;
            match &mut self.connection {
                Some(connection) => connection.commit().await,
                None => Ok(()),
            }
        } else {
            Ok(())
        };
        self.explicit = false;
        let result = self.ended(result);
        self.give_back();
        result
    }

    pub(super) async fn rollback(&mut self) -> Result<()> {
        let interrupted = std::mem::take(&mut self.interrupted);
        self.explicit = false;
        self.aborted = false;
        self.committing = false;
        self.abandoned = None;
        self.ended += 1;
        match self.connection.take() {
            // The pool ends what is still running, and rolls back.
            Some(connection) if interrupted => {
                self.spent = self.spent + connection.stats();
                Ok(())
            }
            Some(mut connection) => {
                let result = connection.rollback().await;
                self.spent = self.spent + connection.stats();
                match result {
                    // The server has rolled back when the line was cut.
                    Err(error) if error.is_disconnect() => Ok(()),
                    result => result,
                }
            }
            None => Ok(()),
        }
    }

    /// Rolls back a transaction that a flush has opened, and goes on.
    pub(super) async fn give_up(&mut self) {
        if let Some(connection) = &mut self.connection {
            // What failed first is what counts; a connection that cannot go back is closed by the pool.
            let _ = connection.rollback().await;
        }
    }

    /// Sets a savepoint, in the transaction that is open or a new one.
    pub(super) async fn savepoint(&mut self, name: &str) -> Result<()> {
        if self.commits_at_once() {
            return Err(Error::Statement(
                "a savepoint needs a transaction: with `autocommit`, call `begin` first".into(),
            ));
        }
        let connection = self.ready().await?;
        let result = match connection.begin_mode(Begin::Write).await {
            Ok(()) => connection.savepoint(name).await,
            Err(error) => Err(error),
        };
        self.ended(result)
    }

    /// Gives up a savepoint, and keeps what came after it.
    pub(super) async fn release(&mut self, name: &str) -> Result<()> {
        let result = self.ready().await?.release(name).await;
        self.ended(result)
    }

    /// Undoes what came after a savepoint, and gives it up.
    pub(super) async fn rollback_to(&mut self, name: &str) -> Result<()> {
        self.abandon(name);
        // Whatever is sent next would do it; here it is sent at once.
        let result = self.ready().await.map(|_| ());
        self.ended(result)
    }

    /// Has what came after a savepoint undone before anything else is sent.
    pub(super) fn abandon(&mut self, name: &str) {
        self.abandoned = Some(name.to_owned());
    }
}

impl Channel for Line {
    fn compiler(&self) -> Compiler<'_> {
        self.compiler()
    }

    fn query<'a>(
        &'a mut self,
        stmt: &'a Arc<Stmt>,
        binds: &'a [Bind<'a>],
        sink: &'a mut dyn RowSink,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(self.query(stmt, binds, sink))
    }
}

/// Undoes what came after a savepoint, and forgets it. Seldom run, and large: no part of every statement's future.
async fn undo_to(connection: &mut Connection, savepoint: &str) -> Result<()> {
    connection.rollback_to(savepoint).await?;
    connection.release(savepoint).await
}
