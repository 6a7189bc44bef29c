//! The flush: what was changed, as statements, in an order that every constraint accepts.
//!
//! The rule is SQLAlchemy's. Tables in the order of their foreign keys; in a table UPDATEs by primary key,
//! then INSERTs in the order of `add`; rows of association tables last; then DELETEs, the other way round. It is
//! departed from where a unique value changes hands or rows refer to each other in a circle, and for those rows only.
//! Rows of one shape are one batch. A round is everything whose keys are known: on PostgreSQL a round is one
//! round trip, so their number grows with the depth of the graph and not with the number of rows.
//!
//! * `plan` finds what has to be done, and what is wrong with it, before anything is sent.
//! * `order` sorts models by their foreign keys, `rounds` cuts the work where a key has to be known first.
//! * `room` finds rows whose unique values others take, `park` the values that these hold meanwhile; `switch` an
//!   object that takes the row of another; `circles` puts rows in order that wait for each other (`graph`).
//! * `batch` is rows of one shape; `statement` its SQL; `write` makes the batches; `deletes` those at the end.
//! * `run` sends them, `alone` one that needs no transaction; `sentinel` ties rows that come back to objects; `receive`
//!   writes what comes back into the objects, or says which object was refused.
//! * `version` and `stale`: rows that are changed only as they were read, and those that were not met; `counted` those
//!   that statements over many rows have met before.
//! * `rekey`: keys that change, and the rows that refer to them; `carried` those whose own key changes with it.
//! * `finish` is what a flush that succeeded leaves in memory, `unsure` what it leaves unknown; one that failed leaves
//!   nothing (`undo`).

mod alone;
mod batch;
mod carried;
pub(super) mod check;
mod circles;
mod counted;
mod deletes;
mod failing;
pub(super) mod finish;
mod graph;
mod order;
mod park;
mod plan;
mod receive;
pub(super) mod rekey;
mod room;
mod rounds;
mod run;
mod sentinel;
pub(super) mod stale;
mod statement;
mod switch;
mod unsure;
pub(super) mod version;
mod write;

use super::Session;
use super::line::Line;
use super::objects::Objects;
use crate::dialect::Dialect;
use crate::driver::Begin;
use crate::engine::Connection;
use crate::error::{Error, Result};
use crate::sql::compile::Compiler;
use plan::Plan;
pub(crate) use sentinel::Trust;

/// The savepoint of a flush inside a transaction.
const SAVEPOINT: &str = "limbeck_flush";

impl Session {
    /// Sends what was changed to the database, in the transaction that is open, or in a new one. Nothing is
    /// committed, but with `autocommit`.
    ///
    /// # Errors
    /// What the database refuses, with the table, constraint and object where they are known
    /// ([`Error::UniqueViolation`] …); [`Error::StaleRow`] when a row is not what was read; what a hook refuses; and
    /// what is found before anything is sent: [`Error::RelationshipAssigned`], [`Error::KeyConflict`],
    /// [`Error::InvalidValue`], [`Error::Cycle`], [`Error::UniqueCycle`]. The session and the transaction are then as
    /// they were before the flush: mend the object and flush again.
    pub async fn flush(&mut self) -> Result<()> {
        self.flush_before(Next::More).await
    }

    pub(super) async fn flush_before(&mut self, next: Next) -> Result<()> {
        self.line.usable()?;
        if !self.objects.has_changes() {
            return Ok(());
        }
        if self.hooked.is_some() {
            return Box::pin(self.flush_hooked(next)).await;
        }
        self.send(next).await
    }

    /// The flush itself, without hooks.
    pub(super) async fn send(&mut self, next: Next) -> Result<()> {
        self.cascade().await?;
        let sent = self.send_planned(next).await;
        if sent.is_err() {
            self.objects.unmark();
        }
        sent
    }

    async fn send_planned(&mut self, next: Next) -> Result<()> {
        self.read_versions().await?;
        let linked = self.plan_new_keys().await?;
        let sent = self.send_linked(next).await;
        if sent.is_err() {
            self.objects.unplan(linked);
        }
        sent
    }

    async fn send_linked(&mut self, next: Next) -> Result<()> {
        let plan = self.objects.plan(self.line.engine.dialect())?;
        if !plan.is_empty() {
            let mark = self.objects.undo.len();
            if let Err(error) = self.line.flush(&mut self.objects, &plan, next).await {
                self.objects.undo_to(mark);
                return Err(error);
            }
        }
        self.objects.finish(plan);
        if self.line.commits_at_once() {
            self.objects.committed();
        }
        Ok(())
    }

    /// Flushes before a query, if sessions are to.
    pub(super) async fn autoflush(&mut self) -> Result<()> {
        if self.options.autoflush && self.objects.has_changes() && !self.is_flushing() {
            // Boxed: the future of every query would be as large as that of a flush, and is moved several times.
            Box::pin(self.flush()).await
        } else {
            Ok(())
        }
    }
}

/// What comes after a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nobody knows.
    More,
    /// The transaction is committed.
    Commit,
}

impl Line {
    async fn flush(&mut self, objects: &mut Objects, plan: &Plan, next: Next) -> Result<()> {
        // What only read so far has nothing to lose: it needs no savepoint.
        let (alone, opened) = (self.commits_at_once(), !self.in_write_transaction());
        let engine = self.engine.clone();
        let compiler = Compiler { dialect: engine.dialect(), cache: engine.statements() };
        let last = alone || next == Next::Commit;
        let in_transaction = self.in_transaction();
        self.ready().await?;
        self.committing = alone;
        let Some(connection) = &mut self.connection else { return Err(Error::Closed) };
        if last && !in_transaction && connection.dialect() == Dialect::Postgres {
            self.committing = true;
            match alone::run(objects, connection, compiler, plan).await {
                Ok(false) => self.committing = alone,
                result => return self.ended(result.map(|_| ())),
            }
        }
        let mut result = match connection.begin_mode(Begin::Write).await {
            Ok(()) if opened => from_the_start(objects, connection, compiler, plan).await,
            Ok(()) => inside(objects, connection, compiler, plan).await,
            Err(error) => Err(error),
        };
        if alone && result.is_ok() {
            result = connection.commit().await;
        }
        if opened && result.is_err() {
            // The first error is the one that counts; a connection that cannot go back is closed by the pool.
            let _ = connection.rollback().await;
        }
        self.ended(result)
    }
}

/// A flush that opened the transaction.
async fn from_the_start(
    objects: &mut Objects,
    connection: &mut Connection,
    compiler: Compiler<'_>,
    plan: &Plan,
) -> Result<()> {
    let mark = objects.undo.len();
    // Each time with another means to tell rows apart, until there is one that cannot fail.
    while !run::run(objects, connection, compiler, plan).await? {
        objects.undo_to(mark);
        connection.rollback().await?;
        connection.begin_mode(Begin::Write).await?;
    }
    Ok(())
}

/// A flush in a transaction that was open before, which is to survive it.
async fn inside(objects: &mut Objects, connection: &mut Connection, compiler: Compiler<'_>, plan: &Plan) -> Result<()> {
    let mark = objects.undo.len();
    connection.savepoint(SAVEPOINT).await?;
    let mut result = run::run(objects, connection, compiler, plan).await;
    while let Ok(false) = result {
        objects.undo_to(mark);
        result = match connection.rollback_to(SAVEPOINT).await {
            Ok(()) => run::run(objects, connection, compiler, plan).await,
            Err(error) => Err(error),
        };
    }
    match result {
        Ok(_) => connection.release(SAVEPOINT).await,
        Err(error) => {
            // As above. Without the way back, the transaction says so when it is used next.
            if !error.is_disconnect() && connection.rollback_to(SAVEPOINT).await.is_ok() {
                let _ = connection.release(SAVEPOINT).await;
            }
            Err(error)
        }
    }
}
