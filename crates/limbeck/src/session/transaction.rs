//! Transactions: what happens to the objects when one ends.

use super::Session;
use super::flush::Next;
use super::undo::Undo;
use crate::error::{Error, Result};

impl Session {
    /// Begins a transaction that may write. Needed only with `autocommit`, or to take the write lock of
    /// SQLite before the first read: a session otherwise begins one by itself.
    ///
    /// # Errors
    /// When no connection can be had or the database refuses.
    pub async fn begin(&mut self) -> Result<()> {
        self.line.begin().await
    }

    /// Flushes, and makes everything permanent that was done since the transaction began.
    ///
    /// # Errors
    /// What a flush may fail with: then nothing is committed, the transaction is open still, and the objects
    /// are as they were. When the COMMIT itself fails, the transaction is rolled back, and the objects with it.
    pub async fn commit(&mut self) -> Result<()> {
        self.outside_hooks("commit")?;
        self.flush_before(Next::Commit).await?;
        if let Err(error) = self.line.commit().await {
            self.forget_transaction();
            self.after_rollback().await;
            return Err(error);
        }
        self.objects.committed();
        if self.options.expire_on_commit {
            self.objects.expire_all();
        }
        self.guard.restart();
        self.after_commit().await;
        Ok(())
    }

    /// Gives up everything that was done since the transaction began, flushed or not: new objects are
    /// transient, deleted ones are back, and columns and relationships have their old values.
    ///
    /// A transient object keeps what it was given and linked to, and `add` takes its handle to add it again.
    ///
    /// # Errors
    /// When the database refuses to roll back. A connection that is lost is no error: the server rolls back then.
    pub async fn rollback(&mut self) -> Result<()> {
        if self.is_flushing() {
            return Err(Error::InHook { call: "rollback" });
        }
        let anything = self.line.connection.is_some() || !self.objects.undo.is_empty() || self.objects.has_changes();
        self.forget_transaction();
        let result = self.line.rollback().await;
        if let Some(hooked) = &self.hooked {
            hooked.mend();
        }
        self.guard.restart();
        if anything {
            self.after_rollback().await;
        }
        result
    }

    /// Brings the objects back to what they were when the transaction began. Where a COMMIT was sent and never
    /// answered, the database may have done it: then nothing that they hold is trusted.
    fn forget_transaction(&mut self) {
        self.objects.roll_back();
        if std::mem::take(&mut self.line.committing) {
            self.objects.expire_all();
        }
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.line.in_transaction()
    }
}

impl super::objects::Objects {
    /// The transaction is permanent: there is no way back, and deleted objects are gone.
    pub(super) fn committed(&mut self) {
        let steps = std::mem::take(&mut self.undo);
        for step in &steps {
            if let Undo::Deleted(obj) = *step
                && self.store(obj).occupied(obj.slot)
            {
                self.store_mut(obj).discard(obj.slot);
            }
        }
        self.no_doubt();
        self.reclaim();
    }
}
