//! The session: an identity map and unit of work over an arena of objects.
//!
//! The session owns the objects and gives out [`Tracked`] handles, eight bytes and
//! `Copy`. There are no locks, no reference counts and no guards: `session[user]` is a plain reference, whose
//! lifetime the compiler knows, and everything that could change the object behind it takes `&mut Session`.
//!
//! * `objects`, `store`: where the objects are; `undo`: the way back, `doubt`: what has none; `forget`: the way out.
//! * `access`, `relate`, `expression`: reading and changing them; `cascade`: what follows from that for others;
//!   `inspect`: what the next flush would do. `merge`, `refresh`: values that come in, and objects that are read again.
//! * `read`, `load`: queries and relationships; `pages`, `stream`: many rows, some at a time. `flush`: what was
//!   changed, in statements. `sync`: statements over many rows, and the objects that they change.
//! * `hooks`: what the program wants to know of flushes and transactions; `info`: what it keeps with a session.
//! * `guard`: relationships that are loaded for one object at a time. `line`: its connection. `transaction`,
//!   `savepoint`, `maker`: where transactions begin and end.

mod access;
mod cascade;
mod doubt;
mod expression;
mod flush;
mod forget;
mod guard;
mod hooks;
mod info;
mod inspect;
mod line;
mod load;
mod maker;
mod merge;
mod objects;
mod pages;
mod read;
mod refresh;
mod relate;
mod savepoint;
mod store;
mod stream;
mod sync;
mod transaction;
mod undo;

pub(crate) use flush::Trust;
pub use guard::NPlusOne;
pub use hooks::{ColumnChange, Flushed, FlushedRow, FlushedWork, Hooks, RowEvent};
pub use load::Owners;
pub use maker::{SessionMaker, Work};
pub use objects::Loader;
pub use pages::Pages;
pub use savepoint::Savepoint;
pub use store::{AnyStore, State, new_store};
pub use stream::RowStream;

use crate::driver::Stats;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Handle, Model, ModelDef, New, NewObject, Tracked};
use guard::Guard;
use hooks::Hooked;
use info::Info;
use line::Line;
use objects::{Obj, Objects, Refused};
use undo::Undo;

/// How a session behaves; set by the [`SessionMaker`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) expire_on_commit: bool,
    pub(crate) autoflush: bool,
    pub(crate) autocommit: bool,
    pub(crate) n_plus_one: NPlusOne,
}

/// Objects, the transaction that they are read and written in, and what is to be written.
///
/// A connection is taken from the pool when the first statement needs one, and given back when the
/// transaction ends. Dropping the session rolls back.
///
/// A tracked object takes some 75 to 100 bytes more than the plain value: 56 for what the session knows of it, the rest
/// for its place in the identity map. For a `User` with 100 bytes of text that is a third more. An object that was
/// changed is there twice until the transaction ends.
///
/// A session is `Send` and `Sync`, and is used by one task at a time, since everything that talks to the
/// database takes `&mut self`.
pub struct Session {
    pub(crate) options: Options,
    pub(crate) line: Line,
    pub(crate) objects: Objects,
    pub(crate) hooked: Option<Hooked>,
    pub(crate) info: Option<Box<Info>>,
    pub(crate) guard: Guard,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("in_transaction", &self.in_transaction())
            .field("pending", &self.objects.pending.len())
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn open(maker: &SessionMaker, location: &'static std::panic::Location<'static>) -> Self {
        Session {
            options: maker.options,
            line: Line::new(maker.engine.clone(), maker.options.autocommit, location),
            objects: Objects::new(),
            hooked: maker.hooks.clone().map(Hooked::new),
            info: None,
            guard: Guard::default(),
        }
    }

    /// Adds a new object: a finished builder, or a model by value. Its row is inserted at the next flush; it
    /// can be read, changed and linked at once.
    ///
    /// The handle of an object whose insert was rolled back adds that object again; that of one that is marked
    /// to be deleted takes the mark away.
    ///
    /// What is wrong with the object or with those that it is linked to (a handle of another session, say) is
    /// the error of the next flush.
    pub fn add<N: New>(&mut self, object: N) -> Tracked<N::Model> {
        match object.into_new() {
            NewObject::Draft(draft) => {
                let handle = self.objects.insert(draft.object, draft.given);
                self.objects.plan_new(N::Model::def(), handle);
                Tracked::new(handle)
            }
            NewObject::Again(handle) => {
                self.objects.plan_again(N::Model::def(), handle.raw);
                handle
            }
        }
    }

    /// Adds several objects of one model.
    pub fn add_all<N: New>(&mut self, objects: impl IntoIterator<Item = N>) -> Vec<Tracked<N::Model>> {
        objects.into_iter().map(|object| self.add(object)).collect()
    }

    /// Marks an object to be deleted at the next flush.
    ///
    /// Nothing is sent before. What goes with it by the cascade `delete` of its relationships is found at the flush,
    /// which loads what is not loaded: one query for each relationship and level, not one an object. Keys that point to
    /// it by relationships without the cascade are set to NULL where they can be, without loading anything.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] or
    /// [`Error::StaleHandle`];
    /// [`Error::InvalidState`] when it has no row: `expunge` it instead.
    pub fn delete<M: Model>(&mut self, handle: Tracked<M>) -> Result<()> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let store = self.objects.store_mut(obj);
        let meta = store.meta_mut(obj.slot);
        if meta.state != State::Persistent {
            return Err(Error::InvalidState {
                model: M::def().name,
                reason: "cannot be deleted, since it has no row: call `expunge` to forget it".into(),
            });
        }
        if !meta.doomed {
            meta.doomed = true;
            self.objects.doomed.push(obj);
        }
        Ok(())
    }

    /// What the session has sent since it was opened. The difference of two tells what a piece of code costs, in a
    /// test of yours as in ours.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # engine.create_all(&limbeck::metadata![Post]?).await?;
    /// # let mut session = engine.sessionmaker().open();
    /// let before = session.stats();
    /// session.all(select(Post)).await?;
    /// session.get(Post, 1).await?;
    /// assert!((session.stats() - before).statements <= 3); // two SELECTs, and a BEGIN on SQLite
    /// # Ok(())
    /// # }
    /// ```
    pub fn stats(&self) -> Stats {
        self.line.stats()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.line.engine
    }
}

impl Objects {
    /// Plans the insert of an object, and the links that its relationship fields say.
    pub(super) fn plan_insert(&mut self, obj: Obj, again: bool) {
        self.pending.push(obj);
        self.undo.push(Undo::Added(obj));
        self.adopt(obj, again);
    }

    fn plan_new(&mut self, model: &'static ModelDef, handle: Handle) {
        self.plan_insert(Obj { model: model.id.get() as u32, slot: handle.slot }, false);
    }

    fn plan_again(&mut self, model: &'static ModelDef, handle: Handle) {
        if let Err(why) = self.add_again(model, handle) {
            self.refused.push(Refused { place: None, why });
        }
    }

    fn add_again(&mut self, model: &'static ModelDef, handle: Handle) -> Result<()> {
        let obj = self.resolve(model, handle)?;
        match self.state(obj) {
            State::Transient => {
                self.store_mut(obj).meta_mut(obj.slot).state = State::Pending;
                self.plan_insert(obj, true);
            }
            State::Deleted => {
                let reason = "is deleted in this transaction: it can be added again after a rollback".into();
                return Err(Error::InvalidState { model: model.name, reason });
            }
            State::Pending | State::Persistent => {
                let meta = self.store_mut(obj).meta_mut(obj.slot);
                if std::mem::take(&mut meta.doomed) {
                    self.doomed.retain(|other| *other != obj);
                    self.rejoin(obj);
                }
            }
        }
        Ok(())
    }
}
