//! `FOR UPDATE`: rows that are to be changed, or kept from being changed, until the transaction ends.

use super::fetch::Fetch;
use super::node::Source;
use super::select::{Select, SelectCore};
use crate::model::TableOf;

/// How rows are locked.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub(crate) shared: bool,
    pub(crate) wait: Wait,
    /// The tables whose rows are locked; none are all.
    pub(crate) of: Vec<Source>,
}

impl SelectCore {
    /// Whether it locks the rows that it reads.
    pub(crate) fn locks(&self) -> bool {
        self.more().lock.is_some()
    }
}

/// What happens with rows that somebody else has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wait {
    /// They are waited for.
    Until = 1,
    /// They are left out.
    Skip,
    /// They are an error.
    Fail,
}

impl<T: Fetch> Select<T> {
    /// Locks the rows for this transaction: others that want to change or to lock them wait (`FOR UPDATE`).
    ///
    /// SQLite has one lock for the whole database and no such clause: there the transaction begins as one that writes,
    /// which keeps other writers out.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Job { #[column(primary_key)] id: i64, done: bool }
    /// let next = select(Job).filter(!Job.done).order_by(Job.id).limit(1).with_for_update().skip_locked();
    /// ```
    pub fn with_for_update(mut self) -> Self {
        self.lock().shared = false;
        self
    }

    /// Keeps others from changing the rows until this transaction ends, but not from locking them likewise
    /// (`FOR SHARE`). For SQLite, see [`with_for_update`](Self::with_for_update).
    pub fn with_for_share(mut self) -> Self {
        self.lock().shared = true;
        self
    }

    /// Leaves out rows that somebody else has locked. Without [`with_for_share`](Self::with_for_share) it locks
    /// `FOR UPDATE`.
    pub fn skip_locked(mut self) -> Self {
        self.lock().wait = Wait::Skip;
        self
    }

    /// Fails at once when somebody else has locked a row. Without [`with_for_share`](Self::with_for_share) it locks
    /// `FOR UPDATE`.
    pub fn no_wait(mut self) -> Self {
        self.lock().wait = Wait::Fail;
        self
    }

    /// Locks the rows of this table only; further calls add further tables.
    pub fn lock_of<S: TableOf>(mut self, table: S) -> Self {
        self.lock().of.push(Source::of(&table));
        self
    }

    fn lock(&mut self) -> &mut Lock {
        let unlocked = || Lock { shared: false, wait: Wait::Until, of: Vec::new() };
        self.core.more_mut().lock.get_or_insert_with(unlocked)
    }
}
