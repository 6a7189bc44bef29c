//! Savepoints: a part of a transaction that can be given up alone, in the database and in memory.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Session;
use crate::error::{Error, Result};

/// A savepoint of a session, and the session behind it: everything is done through it until it is
/// [released](Savepoint::commit) or [rolled back to](Savepoint::rollback). Dropped, it is rolled back to.
#[must_use = "a savepoint that is dropped is rolled back"]
pub struct Savepoint<'s> {
    session: &'s mut Session,
    name: String,
    /// How long the way back was when it was set.
    mark: usize,
    /// How many transactions had ended before its own.
    transaction: u64,
}

/// Of a savepoint that was released or rolled back to.
const ENDED: u64 = u64::MAX;

impl Session {
    /// Flushes, and sets a savepoint: SQLAlchemy's `begin_nested`. What comes after it can be undone without giving up
    /// the transaction, and objects in memory are then as they were here: new ones are transient, deleted ones are
    /// back, columns and relationships have their old values.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Tag { #[column(primary_key)] id: i64, #[column(unique)] name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # engine.create_all(&limbeck::metadata![Tag]?).await?;
    /// # let mut session = engine.sessionmaker().open();
    /// let rust = session.add(Tag::builder().name("rust"));
    /// let mut nested = session.begin_nested().await?;
    /// nested[rust].name = "Rust".into();
    /// nested.flush().await?;
    /// nested.rollback().await?;
    /// assert_eq!(session[rust].name, "rust");
    /// session.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What a flush may fail with; [`Error::Statement`] with `autocommit` outside [`begin`](Self::begin).
    pub async fn begin_nested(&mut self) -> Result<Savepoint<'_>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.outside_hooks("begin_nested")?;
        self.flush().await?;
        let name = format!("limbeck_{}", NEXT.fetch_add(1, Ordering::Relaxed) % 1000);
        self.line.savepoint(&name).await?;
        let mark = self.objects.mark();
        let transaction = self.line.ended;
        Ok(Savepoint { session: self, name, mark, transaction })
    }
}

impl Savepoint<'_> {
    /// Flushes, and keeps what came after the savepoint, as a part of the transaction.
    ///
    /// # Errors
    /// What a flush may fail with: then the savepoint is rolled back to. [`Error::Statement`] when the transaction has
    /// ended meanwhile.
    pub async fn commit(mut self) -> Result<()> {
        self.check()?;
        self.session.flush().await?;
        let released = self.session.line.release(&self.name).await;
        if released.is_ok() {
            self.transaction = ENDED;
        }
        released
    }

    /// Undoes what came after the savepoint, flushed or not.
    ///
    /// # Errors
    /// What the database says; [`Error::Statement`] when the transaction has ended meanwhile.
    pub async fn rollback(mut self) -> Result<()> {
        self.check()?;
        self.transaction = ENDED;
        self.session.objects.roll_back_to(self.mark);
        self.session.line.rollback_to(&self.name).await
    }

    /// Whether it is still there: the session behind it can be committed or rolled back, too.
    fn is_open(&self) -> bool {
        self.transaction == self.session.line.ended
    }

    fn check(&self) -> Result<()> {
        let ended = || Error::Statement("the transaction of the savepoint has ended".into());
        self.is_open().then_some(()).ok_or_else(ended)
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        if self.is_open() {
            self.session.objects.roll_back_to(self.mark);
            self.session.line.abandon(&self.name);
        }
    }
}

impl Deref for Savepoint<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl DerefMut for Savepoint<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session
    }
}

impl fmt::Debug for Savepoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint").field("name", &self.name).field("session", &self.session).finish()
    }
}
