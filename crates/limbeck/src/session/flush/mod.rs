//! The flush: what was changed, as statements, in an order that every constraint accepts.
//!
//! The rule is SQLAlchemy's. Tables in the order of their foreign keys; in a table UPDATEs by primary key,
//! then INSERTs in the order of `add`; rows of association tables last; then DELETEs, the other way round.
//! Rows of one shape are one batch. A round is everything whose keys are known: on PostgreSQL a round is one
//! round trip, so their number grows with the depth of the graph and not with the number of rows.
//!
//! * `plan` finds what has to be done, and what is wrong with it, before anything is sent.
//! * `order` sorts models by their foreign keys. `batch` is rows of one shape; `statement` its SQL.
//! * `run` sends the rounds and writes what comes back into the objects. `finish` is what a flush that
//!   succeeded leaves in memory; one that failed leaves nothing (`undo`).

mod batch;
mod check;
mod finish;
mod order;
mod plan;
mod run;
mod statement;

use super::Session;
use crate::driver::Begin;
use crate::error::{Error, Result};

/// The savepoint of a flush inside a transaction.
const SAVEPOINT: &str = "limbeck_flush";

impl Session {
    /// Sends what was changed to the database, in the transaction that is open, or in a new one. Nothing is
    /// committed, but with `autocommit`.
    ///
    /// # Errors
    /// What the database refuses, with the table, constraint and object where they are known
    /// ([`Error::UniqueViolation`] …); and what is found before anything is sent:
    /// [`Error::RelationshipAssigned`], [`Error::KeyConflict`], [`Error::InvalidValue`], [`Error::Cycle`].
    /// The session and the transaction are then as they were before the flush: mend the object and flush
    /// again.
    pub async fn flush(&mut self) -> Result<()> {
        self.usable()?;
        if !self.objects.has_changes() {
            return Ok(());
        }
        let plan = self.objects.plan()?;
        if plan.is_empty() {
            self.objects.finish(plan);
            return Ok(());
        }
        let mark = self.objects.undo.len();
        let opened = !self.in_transaction();
        // A flush whose future is dropped leaves this set: nobody knows then what the database has seen.
        self.interrupted = true;
        let result = self.send(&plan, opened).await;
        self.interrupted = false;
        match result {
            Ok(()) => {
                self.objects.finish(plan);
                if self.options.autocommit && !self.explicit {
                    self.objects.committed();
                }
                Ok(())
            }
            Err(error) => {
                self.objects.undo_to(mark);
                Err(error)
            }
        }
    }

    async fn send(&mut self, plan: &plan::Plan, opened: bool) -> Result<()> {
        let engine = self.engine.clone();
        let location = self.location;
        // Not `connect`: a flush is a transaction in any case.
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(engine.connect_at(location).await?),
        };
        let begun = async {
            connection.begin_mode(Begin::Write).await?;
            if opened { Ok(()) } else { connection.savepoint(SAVEPOINT).await }
        };
        if let Err(error) = begun.await {
            if opened {
                self.connection = None;
            }
            return self.note(Err(error));
        }
        let result = run::run(&mut self.objects, connection, &engine, plan).await;
        let end_transaction = self.options.autocommit && !self.explicit;
        let result = match (result, opened) {
            (Ok(()), _) if end_transaction => connection.commit().await,
            (Ok(()), true) => Ok(()),
            (Ok(()), false) => connection.release(SAVEPOINT).await,
            (Err(error), true) => {
                let _ = connection.rollback().await;
                self.connection = None;
                Err(error)
            }
            (Err(error), false) if error.is_disconnect() => Err(error),
            (Err(error), false) => match connection.rollback_to(SAVEPOINT).await {
                Ok(()) => connection.release(SAVEPOINT).await.and(Err(error)),
                Err(_) => Err(error),
            },
        };
        if end_transaction {
            self.connection = None;
        }
        self.note(result)
    }

    /// Refuses to go on after a flush whose future was dropped.
    pub(super) fn usable(&self) -> Result<()> {
        if self.interrupted {
            return Err(Error::Interrupted);
        }
        Ok(())
    }
}
