//! Transactions and savepoints on SQLite.

use std::time::Duration;

use super::{Sqlite, Tx, error, lock};
use crate::driver::{Begin, Meter};
use crate::error::{DatabaseError, Error, Result};

/// How long to wait for a lock, and how long to the next try.
pub(super) struct Patience {
    left: Duration,
    next: Duration,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        Patience { left: timeout, next: Duration::from_millis(1) }
    }

    /// Whether another try is due after a [`Patience::pause`].
    pub(super) fn lasts(&self) -> bool {
        !self.left.is_zero()
    }

    /// Sleeps without keeping the thread: 1, 2, 4 … 32 ms.
    pub(super) async fn pause(&mut self) {
        let nap = self.next.min(self.left);
        self.left -= nap;
        self.next = (self.next * 2).min(Duration::from_millis(32));
        tokio::time::sleep(nap).await;
    }
}

impl Sqlite {
    pub(crate) async fn begin(&mut self, meter: &mut Meter, mode: Begin) -> Result<()> {
        self.ready().await?;
        match (self.tx, mode) {
            (Tx::Write, _) | (Tx::Read, Begin::Read) => return Ok(()),
            (Tx::Lost, _) => return Err(lost()),
            (Tx::Read, Begin::Write) => {
                // A read transaction cannot become a writing one when another has written since, and waiting
                // does not help. It is ended instead: nothing is lost, but what it read may have changed.
                if !self.memory {
                    self.command(meter, "COMMIT").await?;
                }
                self.tx = Tx::None;
            }
            (Tx::None, _) => {}
        }
        match mode {
            Begin::Read => {
                if !self.memory {
                    self.command(meter, "BEGIN DEFERRED").await?;
                }
                self.tx = Tx::Read;
            }
            Begin::Write => {
                self.command(meter, "BEGIN IMMEDIATE").await?;
                self.tx = Tx::Write;
            }
        }
        Ok(())
    }

    pub(crate) async fn commit(&mut self, meter: &mut Meter) -> Result<()> {
        self.ready().await?;
        match self.tx {
            Tx::None => return Ok(()),
            Tx::Lost => {
                self.tx = Tx::None;
                return Err(lost());
            }
            Tx::Read if self.memory => {
                self.tx = Tx::None;
                return Ok(());
            }
            Tx::Read | Tx::Write => {}
        }
        match self.command(meter, "COMMIT").await {
            Ok(()) => {
                self.tx = Tx::None;
                Ok(())
            }
            Err(error) => {
                // A deferred foreign key, say. Other databases end the transaction then; so do we.
                self.rollback(meter).await?;
                Err(error)
            }
        }
    }

    pub(crate) async fn rollback(&mut self, meter: &mut Meter) -> Result<()> {
        self.settle().await?;
        // SQLite itself knows best whether anything is open.
        if !lock(&self.db).is_autocommit() {
            self.command(meter, "ROLLBACK").await?;
        }
        self.tx = Tx::None;
        Ok(())
    }

    pub(crate) async fn savepoint(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        match self.tx {
            Tx::None => return Err(no_transaction("SAVEPOINT")),
            // To begin writing later would end the transaction and the savepoint with it.
            Tx::Read => self.begin(meter, Begin::Write).await?,
            Tx::Write | Tx::Lost => {}
        }
        self.command(meter, &format!("SAVEPOINT {}", quoted(name))).await
    }

    pub(crate) async fn release(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        self.command(meter, &format!("RELEASE {}", quoted(name))).await
    }

    pub(crate) async fn rollback_to(&mut self, meter: &mut Meter, name: &str) -> Result<()> {
        self.command(meter, &format!("ROLLBACK TO {}", quoted(name))).await
    }

    /// To be awaited before each statement. A loop over inline statements would never let another task of its
    /// thread run, so now and then this yields.
    pub(super) async fn ready(&mut self) -> Result<()> {
        tokio::task::coop::consume_budget().await;
        if self.flying.is_some() { Box::pin(self.settle()).await } else { Ok(()) }
    }

    /// Runs a statement without parameters or rows, and waits for locks.
    async fn command(&mut self, meter: &mut Meter, sql: &str) -> Result<()> {
        self.ready().await?;
        if self.tx == Tx::Lost {
            return Err(lost());
        }
        meter.control();
        meter.round_trip();
        let mut patience = Patience::new(self.busy_timeout);
        loop {
            let outcome = lock(&self.db).prepare_cached(sql).and_then(|mut stmt| stmt.raw_execute());
            match outcome {
                Ok(_) => return Ok(()),
                Err(e) if error::is_busy(&e) && patience.lasts() => {}
                Err(e) => return Err(self.failed(e)),
            }
            patience.pause().await;
        }
    }

    /// Converts an error, and looks whether the transaction survived it.
    #[cold]
    pub(super) fn failed(&mut self, error: rusqlite::Error) -> Error {
        if self.is_really_open() && lock(&self.db).is_autocommit() {
            self.tx = Tx::Lost;
        }
        error::convert(error)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cold]
pub(super) fn lost() -> Error {
    Error::Database(Box::new(DatabaseError {
        code: None,
        message:
            "an earlier error made SQLite roll the transaction back: nothing of it is kept; roll back and begin again"
                .into(),
        sql: String::new(),
    }))
}

#[cold]
fn no_transaction(what: &str) -> Error {
    Error::Statement(format!("{what} needs a transaction: call `begin` first"))
}
