//! Transactions and savepoints on PostgreSQL.

use futures_util::future::join;

use super::{Postgres, Tx, error};
use crate::driver::{Begin, Meter};
use crate::error::{DatabaseError, Error, Result};

impl Postgres {
    pub(crate) async fn begin(&mut self, _: &mut Meter, _: Begin) -> Result<()> {
        if self.tx == Tx::None {
            self.tx = Tx::Wanted;
            self.push(self.begin);
        }
        Ok(())
    }

    pub(crate) async fn commit(&mut self, meter: &mut Meter) -> Result<()> {
        match self.tx {
            Tx::None => Ok(()),
            Tx::Wanted => {
                self.forget();
                Ok(())
            }
            Tx::Open => {
                // A savepoint that was not sent yet, or its release, is of no more use.
                self.pending.clear();
                if self.doubtful || self.flying {
                    // In an aborted transaction this fails, and the COMMIT behind it is a rollback.
                    self.push("SELECT");
                }
                self.command(meter, "COMMIT").await?;
                self.forget();
                Ok(())
            }
            Tx::Failed => {
                // The server would answer COMMIT with a silent rollback.
                self.rollback(meter).await?;
                Err(aborted())
            }
        }
    }

    pub(crate) async fn rollback(&mut self, meter: &mut Meter) -> Result<()> {
        match self.tx {
            Tx::None => {}
            Tx::Wanted => self.forget(),
            Tx::Open | Tx::Failed => {
                self.pending.clear();
                self.command(meter, "ROLLBACK").await?;
                self.forget();
            }
        }
        Ok(())
    }

    pub(crate) async fn savepoint(&mut self, _: &mut Meter, name: &str) -> Result<()> {
        if self.tx == Tx::None {
            return Err(Error::Statement("SAVEPOINT needs a transaction: call `begin` first".into()));
        }
        self.push(&format!("SAVEPOINT {}", quoted(name)));
        Ok(())
    }

    pub(crate) async fn release(&mut self, _: &mut Meter, name: &str) -> Result<()> {
        self.push(&format!("RELEASE SAVEPOINT {}", quoted(name)));
        Ok(())
    }

    pub(crate) async fn rollback_to(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        self.command(meter, &format!("ROLLBACK TO SAVEPOINT {}", quoted(name))).await?;
        if self.tx == Tx::Failed {
            self.tx = Tx::Open;
        }
        Ok(())
    }

    /// Queues a statement for the next exchange.
    fn push(&mut self, sql: &str) {
        if !self.pending.is_empty() {
            self.pending.push(';');
        }
        self.pending.push_str(sql);
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.doubtful = false;
        self.tx = Tx::None;
    }

    /// Runs a statement without parameters or rows, and awaits its end.
    async fn command(&mut self, meter: &mut Meter, sql: &str) -> Result<()> {
        let pending = self.take_pending(meter);
        meter.control();
        meter.round_trip();
        self.take_off();
        let outcome = match &pending {
            None => self.client.batch_execute(sql).await,
            Some(before) => {
                let (before, outcome) = join(self.client.batch_execute(before), self.client.batch_execute(sql)).await;
                if sql == "COMMIT" && before.is_err() && outcome.is_ok() {
                    self.flying = false;
                    self.forget();
                    return Err(aborted());
                }
                // A savepoint may fail in an aborted transaction; what counts is the statement behind it.
                outcome
            }
        };
        self.flying = false;
        match outcome {
            Ok(()) => Ok(()),
            Err(e) if sql == "COMMIT" && e.as_db_error().is_some() => {
                // A deferred constraint, a serialization failure: the server has rolled back.
                self.forget();
                Err(error::convert(e))
            }
            Err(e) => Err(self.failed(e)),
        }
    }

    /// What is to be sent in front of the next statement, which it then is.
    pub(super) fn take_pending(&mut self, meter: &mut Meter) -> Option<String> {
        if self.pending.is_empty() {
            return None;
        }
        meter.control();
        if self.tx == Tx::Wanted {
            self.tx = Tx::Open;
        }
        Some(std::mem::take(&mut self.pending))
    }

    /// Converts an error, and notes that the server refuses the rest of the transaction.
    #[cold]
    pub(super) fn failed(&mut self, error: tokio_postgres::Error) -> Error {
        if self.tx == Tx::Open && error.as_db_error().is_some() {
            self.tx = Tx::Failed;
        }
        error::convert(error)
    }
}

#[cold]
fn aborted() -> Error {
    Error::Database(Box::new(DatabaseError {
        code: Some("25P02".into()),
        message: "an earlier error aborted the transaction: nothing of it was committed".into(),
        sql: "COMMIT".into(),
    }))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
