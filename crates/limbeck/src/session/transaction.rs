//! Transactions: when a connection is taken, and what happens to the objects when one ends.

use super::Session;
use super::store::State;
use crate::driver::Begin;
use crate::error::Result;

impl Session {
    /// Begins a transaction that may write. Needed only with `autocommit`, or to take the write lock of
    /// SQLite before the first read: a session otherwise begins one by itself.
    ///
    /// # Errors
    /// When no connection can be had or the database refuses.
    pub async fn begin(&mut self) -> Result<()> {
        self.explicit = true;
        let result = self.connect(Begin::Write).await.map(|_| ());
        if result.is_err() {
            self.explicit = false;
        }
        result
    }

    /// Flushes, and makes everything permanent that was done since the transaction began.
    ///
    /// # Errors
    /// What a flush may fail with: then nothing is committed, the transaction is open still, and the objects
    /// are as they were. When the COMMIT itself fails, the transaction is rolled back.
    pub async fn commit(&mut self) -> Result<()> {
        self.flush().await?;
        if let Some(connection) = &mut self.connection
            && connection.in_transaction()
        {
            let result = connection.commit().await;
            if let Err(error) = self.note(result) {
                self.forget_transaction();
                self.objects.roll_back();
                return Err(error);
            }
        }
        self.forget_transaction();
        self.objects.committed();
        if self.options.expire_on_commit {
            self.objects.expire_all();
        }
        Ok(())
    }

    /// Gives up everything that was done since the transaction began, flushed or not: new objects are
    /// transient, deleted ones are back, and columns and relationships have their old values.
    ///
    /// # Errors
    /// When the server cannot be told: the connection is closed then, which ends the transaction as well.
    pub async fn rollback(&mut self) -> Result<()> {
        self.interrupted = false;
        self.objects.roll_back();
        let connection = self.connection.take();
        self.forget_transaction();
        match connection {
            Some(mut connection) if connection.in_transaction() => connection.rollback().await,
            _ => Ok(()),
        }
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(crate::engine::Connection::in_transaction)
    }

    fn forget_transaction(&mut self) {
        self.connection = None;
        self.explicit = false;
    }

    /// Remembers that the server aborted the transaction, so that `transaction` knows whether to try again.
    pub(super) fn note<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && error.is_retryable()
        {
            self.aborted = true;
        }
        result
    }

    /// With `autocommit`, the connection goes back after each statement.
    pub(super) async fn release_after<T>(&mut self, result: Result<T>) -> Result<T> {
        if self.options.autocommit && !self.explicit {
            self.connection = None;
        }
        result
    }
}

impl super::objects::Objects {
    /// The transaction is permanent: there is no way back, and deleted objects are gone.
    pub(super) fn committed(&mut self) {
        self.undo.clear();
        for store in self.stores_mut() {
            if store.has_deleted() {
                for slot in 0..store.len() {
                    if store.occupied(slot) && store.meta(slot).state == State::Deleted {
                        store.discard(slot);
                    }
                }
            }
        }
    }
}
