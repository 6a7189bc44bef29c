//! Hooks: functions of the program that run around flushes and at the end of transactions.
//!
//! They are collected in [`Hooks`], which a [`SessionMaker`](super::SessionMaker) gives to every session and a
//! single session may be given alone. A session without hooks asks one `Option` and goes on.
//!
//! * `run`: when hooks are called, and how often. `checkpoint`: a flush that fails takes back what they did.
//! * `changes`: what an object's columns were and are. `flushed`: what a flush has written.

mod changes;
mod checkpoint;
mod flushed;
mod run;

pub use changes::ColumnChange;
pub use flushed::{Flushed, FlushedRow, RowEvent};

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rustc_hash::FxHashMap;

use super::{Session, SessionMaker, Work};
use crate::error::{Error, Result};
use crate::model::{Handle, Model, TableOf, Tracked};

type Pinned<'r, T> = Pin<Box<dyn Future<Output = T> + Send + 'r>>;
type SessionHook<T> = Arc<dyn for<'r> Fn(&'r mut Session) -> Pinned<'r, T> + Send + Sync>;
type FlushedHook = Arc<dyn for<'r> Fn(&'r mut Session, Flushed) -> Pinned<'r, Result<()>> + Send + Sync>;
type RowHook = Arc<dyn Fn(&mut Session, Handle) -> Result<()> + Send + Sync>;

/// Functions that sessions call around a flush and at the end of a transaction: SQLAlchemy's session and mapper
/// events.
///
/// Those of one kind are called in the order in which they were added. [`SessionMaker::hooks`] gives them to every
/// session that it opens, [`Session::add_hooks`] to one.
///
/// ```
/// # use limbeck::prelude::*;
/// use limbeck::session::Hooks;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String, slug: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![Post]?).await?;
///
/// let hooks = Hooks::new().before_insert(Post, |session, post| {
///     let slug = session[post].title.to_lowercase().replace(' ', "-");
///     session[post].slug = slug;
///     Ok(())
/// });
/// let sessions = engine.sessionmaker().hooks(hooks);
///
/// let mut session = sessions.open();
/// let post = session.add(Post::builder().title("Hello World").slug(""));
/// session.commit().await?;
/// assert_eq!(session[post].slug, "hello-world");
/// # Ok(())
/// # }
/// ```
///
/// # When
///
/// They hold for every flush: one that is asked for, that of a commit or a savepoint, the one before a query, and
/// with `autocommit`. A flush that has nothing to look at calls none. Statements that change many rows at once
/// (`update(Post)…`, `delete(Post)…`) are no flush and call no hook of a row.
///
/// What hooks of a flush change, add, delete and link is part of that flush. The hooks of the rows that come along are
/// called as well, until nothing new comes; after a hundred rounds of that the flush fails with [`Error::HookLoop`].
///
/// In a hook of a flush, queries see the database without what this flush is about to send, and `flush`, `commit`,
/// `rollback` and `begin_nested` are refused ([`Error::InHook`]).
///
/// # When one fails
///
/// The flush fails with the hook's error, and session and transaction are as they were before the flush: what the hooks
/// changed and sent is taken back, as it is when the database refuses a row. Objects that a hook added are then
/// transient. What a hook did outside the session is its own business.
#[derive(Clone, Default)]
#[must_use = "hooks do nothing until a session has them: `sessionmaker().hooks(…)`"]
pub struct Hooks {
    before_flush: Vec<SessionHook<Result<()>>>,
    after_flush: Vec<FlushedHook>,
    after_commit: Vec<SessionHook<()>>,
    after_rollback: Vec<SessionHook<()>>,
    /// By the model's number.
    rows: FxHashMap<u32, [Vec<RowHook>; 3]>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("before_flush", &self.before_flush.len())
            .field("after_flush", &self.after_flush.len())
            .field("after_commit", &self.after_commit.len())
            .field("after_rollback", &self.after_rollback.len())
            .field("models", &self.rows.len())
            .finish()
    }
}

impl Hooks {
    /// No hooks yet.
    pub fn new() -> Self {
        Hooks::default()
    }

    /// Before a flush plans what to send. `session.new(Post)`, `session.dirty(Post)` and `session.deleted(Post)` say
    /// what there is to do, [`Session::changes`] and [`Session::original`] what an object was; the hook may query as
    /// well.
    ///
    /// The closure is cloned for each call, so what it shares lies behind an `Arc`.
    pub fn before_flush<F>(mut self, hook: F) -> Self
    where
        F: for<'r> AsyncFnOnce(&'r mut Session) -> Result<()>
            + for<'r> Work<&'r mut Session, Result<()>, Fut: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.before_flush.push(erased(hook));
        self
    }

    /// After a flush has written rows, in the same transaction: generated keys are known. What was written is in
    /// [`Flushed`]. What the hook adds or changes is flushed at once, and comes to this hook again; a hook that adds
    /// something for each row has to leave out its own.
    ///
    /// With hooks of this kind, or `before_flush`, a flush inside a transaction has a savepoint around it and them, so
    /// that an error undoes it all.
    pub fn after_flush<F>(mut self, hook: F) -> Self
    where
        F: for<'r> AsyncFnOnce(&'r mut Session, Flushed) -> Result<()>
            + for<'r> FlushedWork<&'r mut Session, Result<()>, Fut: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        fn shaped<F>(hook: F) -> F
        where
            F: for<'r> Fn(&'r mut Session, Flushed) -> Pinned<'r, Result<()>>,
        {
            hook
        }
        self.after_flush.push(Arc::new(shaped(move |session, flushed| Box::pin(hook.clone()(session, flushed)))));
        self
    }

    /// After a commit that succeeded; not after the release of a savepoint. With `autocommit` after each flush and
    /// each statement that writes.
    ///
    /// There is nothing left for an error to undo, so the hook returns none. The session may be used: that is a new
    /// transaction, whose own end calls no hook as long as this one runs.
    pub fn after_commit<F>(mut self, hook: F) -> Self
    where
        F: for<'r> AsyncFnOnce(&'r mut Session)
            + for<'r> Work<&'r mut Session, (), Fut: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.after_commit.push(erased(hook));
        self
    }

    /// After a rollback that had anything to give up, and after a COMMIT that the database refused; not for a
    /// savepoint, and not when a session is dropped, which nobody awaits.
    pub fn after_rollback<F>(mut self, hook: F) -> Self
    where
        F: for<'r> AsyncFnOnce(&'r mut Session)
            + for<'r> Work<&'r mut Session, (), Fut: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.after_rollback.push(erased(hook));
        self
    }

    /// For each object of a model that a flush is about to insert, once: to fill in columns, to check them, to add
    /// others. A key that the database makes is not known yet.
    pub fn before_insert<T: TableOf>(
        self,
        table: T,
        hook: impl Fn(&mut Session, Tracked<T::Model>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.row(table, RowEvent::Insert, hook)
    }

    /// For each object of a model whose columns or key a flush is about to update, once. An object that was borrowed to
    /// be changed and holds what it held is not updated.
    pub fn before_update<T: TableOf>(
        self,
        table: T,
        hook: impl Fn(&mut Session, Tracked<T::Model>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.row(table, RowEvent::Update, hook)
    }

    /// For each object of a model that a flush is about to delete, once. Rows that the database deletes by a foreign
    /// key's ON DELETE CASCADE are not known to the session and call nothing.
    pub fn before_delete<T: TableOf>(
        self,
        table: T,
        hook: impl Fn(&mut Session, Tracked<T::Model>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.row(table, RowEvent::Delete, hook)
    }

    /// These hooks, and then others.
    pub fn and(mut self, other: Hooks) -> Self {
        self.before_flush.extend(other.before_flush);
        self.after_flush.extend(other.after_flush);
        self.after_commit.extend(other.after_commit);
        self.after_rollback.extend(other.after_rollback);
        for (model, events) in other.rows {
            let mine = self.rows.entry(model).or_default();
            mine.iter_mut().zip(events).for_each(|(mine, more)| mine.extend(more));
        }
        self
    }

    fn row<T: TableOf>(
        mut self,
        table: T,
        event: RowEvent,
        hook: impl Fn(&mut Session, Tracked<T::Model>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let _ = table;
        let model = T::Model::def().id.get() as u32;
        let hook: RowHook = Arc::new(move |session, handle| hook(session, Tracked::new(handle)));
        self.rows.entry(model).or_default()[event as usize].push(hook);
        self
    }

    fn of_row(&self, model: u32, event: RowEvent) -> &[RowHook] {
        self.rows.get(&model).map_or(&[], |events| &events[event as usize])
    }

    fn is_for_flush(&self) -> bool {
        !(self.before_flush.is_empty() && self.after_flush.is_empty() && self.rows.is_empty())
    }
}

fn erased<T: 'static, F>(hook: F) -> SessionHook<T>
where
    F: for<'r> AsyncFnOnce(&'r mut Session) -> T
        + for<'r> Work<&'r mut Session, T, Fut: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    fn shaped<T, F>(hook: F) -> F
    where
        F: for<'r> Fn(&'r mut Session) -> Pinned<'r, T>,
    {
        hook
    }
    Arc::new(shaped(move |session| Box::pin(hook.clone()(session))))
}

/// [`Work`] of an [`after_flush`](Hooks::after_flush) hook, which gets what was flushed as well. Every `AsyncFnOnce` of
/// that shape is one; there is nothing to implement.
pub trait FlushedWork<A, R>: AsyncFnOnce(A, Flushed) -> R + FnOnce(A, Flushed) -> Self::Fut {
    /// The future that the closure returns.
    type Fut: Future<Output = R>;
}

impl<A, R, F, Fut> FlushedWork<A, R> for F
where
    F: AsyncFnOnce(A, Flushed) -> R + FnOnce(A, Flushed) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

impl SessionMaker {
    /// Gives hooks to every session that is opened from now on, behind those that were given before.
    #[must_use]
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = Some(match self.hooks.take() {
            Some(before) => Arc::new(Arc::unwrap_or_clone(before).and(hooks)),
            None => Arc::new(hooks),
        });
        self
    }
}

impl Session {
    /// Gives this session hooks, behind those that it has.
    ///
    /// # Errors
    /// [`Error::InHook`] in a hook.
    pub fn add_hooks(&mut self, hooks: Hooks) -> Result<()> {
        self.outside_hooks("add_hooks")?;
        self.hooked = Some(match self.hooked.take() {
            Some(mut hooked) => {
                hooked.hooks = Arc::new(Arc::unwrap_or_clone(hooked.hooks).and(hooks));
                hooked
            }
            None => Hooked::new(Arc::new(hooks)),
        });
        Ok(())
    }

    /// Refuses what would end or begin something under the feet of a hook.
    pub(super) fn outside_hooks(&self, call: &'static str) -> Result<()> {
        match self.hooked.as_ref().map(|hooked| hooked.phase.get()) {
            Some(Phase::Flushing) => Err(Error::InHook { call }),
            Some(Phase::Broken) => Err(Error::Interrupted),
            _ => Ok(()),
        }
    }

    /// Whether a hook of a flush is running: queries then do not flush first.
    pub(super) fn is_flushing(&self) -> bool {
        self.hooked.as_ref().is_some_and(|hooked| hooked.phase.get() == Phase::Flushing)
    }
}

/// The hooks of a session, and which of them run.
pub(crate) struct Hooked {
    hooks: Arc<Hooks>,
    /// Shared with the [`Running`] that brings it back, since nothing can be lent while a hook has the session.
    phase: Arc<PhaseCell>,
}

impl Hooked {
    pub(super) fn new(hooks: Arc<Hooks>) -> Self {
        Hooked { hooks, phase: Arc::default() }
    }

    /// After a rollback nothing is halfway any more.
    pub(super) fn mend(&self) {
        if self.phase.get() == Phase::Broken {
            self.phase.set(Phase::Idle);
        }
    }
}

/// Where a session is with its hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// A flush with hooks runs.
    Flushing,
    /// Hooks of a transaction's end run.
    Ending,
    /// The future of a flush was dropped while hooks had done a part of their work, or one of them panicked.
    Broken,
}

#[derive(Default)]
struct PhaseCell(AtomicU8);

impl PhaseCell {
    fn get(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Flushing,
            2 => Phase::Ending,
            _ => Phase::Broken,
        }
    }

    fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }
}

/// A phase that lasts until this is dropped. Dropped before [`end`](Running::end), a flush is [`Phase::Broken`].
struct Running {
    cell: Arc<PhaseCell>,
    then: Phase,
}

impl Running {
    fn flush(cell: &Arc<PhaseCell>) -> Self {
        let then = if cell.get() == Phase::Ending { Phase::Ending } else { Phase::Idle };
        cell.set(Phase::Flushing);
        Running { cell: Arc::clone(cell), then }
    }

    fn ending(cell: &Arc<PhaseCell>) -> Self {
        cell.set(Phase::Ending);
        Running { cell: Arc::clone(cell), then: Phase::Idle }
    }

    fn end(self) {
        self.cell.set(self.then);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match self.cell.get() {
            Phase::Flushing => self.cell.set(Phase::Broken),
            Phase::Ending => self.cell.set(self.then),
            Phase::Idle | Phase::Broken => {}
        }
    }
}
