//! The session: an identity map and unit of work over an arena of objects.
//!
//! The session owns the objects and gives out [`Tracked`](crate::model::Tracked) handles, eight bytes and
//! `Copy`. There are no locks, no reference counts and no guards: `session[user]` is a plain reference, whose
//! lifetime the compiler knows, and everything that could change the object behind it takes `&mut Session`.
//!
//! * `objects`, `store`: where the objects are; `undo`: the way back.
//! * `access`, `relate`: reading and changing them.
//! * `read`, `load`: queries and relationships. `flush`: what was changed, in statements.
//! * `transaction`, `maker`: when connections are taken and given back.

mod access;
mod flush;
mod load;
mod maker;
mod objects;
mod read;
mod relate;
mod store;
mod transaction;
mod undo;

pub use load::Owners;
pub use maker::{SessionMaker, Work};
pub use objects::Loader;
pub use store::{AnyStore, State, new_store};

use crate::engine::{Connection, Engine};
use crate::error::{Error, Result};
use crate::model::{Model, New, NewObject, Tracked};
use crate::sql::compile::Compiler;
use objects::{Obj, Objects};
use undo::Undo;

/// How a session behaves; set by the [`SessionMaker`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) expire_on_commit: bool,
    pub(crate) autoflush: bool,
    pub(crate) autocommit: bool,
}

/// Objects, the transaction that they are read and written in, and what is to be written.
///
/// A connection is taken from the pool when the first statement needs one, and given back when the
/// transaction ends. Dropping the session rolls back.
///
/// A session is `Send` and `Sync`, and is used by one task at a time, since everything that talks to the
/// database takes `&mut self`.
pub struct Session {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) connection: Option<Connection>,
    pub(crate) objects: Objects,
    /// Whether `begin` was called: with `autocommit`, only that keeps a transaction open.
    pub(crate) explicit: bool,
    /// Whether the server aborted the transaction for a reason that is worth another try.
    pub(crate) aborted: bool,
    /// Whether the future of a flush was dropped before it ended.
    pub(crate) interrupted: bool,
    /// Where the session was opened, for the pool's list of holders.
    pub(crate) location: &'static std::panic::Location<'static>,
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
    pub(crate) fn new(engine: Engine, options: Options, location: &'static std::panic::Location<'static>) -> Self {
        Session {
            engine,
            options,
            connection: None,
            objects: Objects::new(),
            explicit: false,
            aborted: false,
            interrupted: false,
            location,
        }
    }

    /// Adds a new object: a finished builder, or a model by value. Its row is inserted at the next flush; it
    /// can be read, changed and linked at once.
    ///
    /// The handle of an object whose insert was rolled back adds that object again.
    pub fn add<N: New>(&mut self, object: N) -> Tracked<N::Model> {
        match object.into_new() {
            NewObject::Draft(draft) => {
                let stamp = self.objects.stamp;
                let store = self.objects.typed_mut::<N::Model>();
                let handle = store.insert(draft.object, State::Pending, draft.given, stamp);
                self.plan_insert(Obj { model: N::Model::def().id.get() as u32, slot: handle.slot });
                Tracked::new(handle)
            }
            NewObject::Again(handle) => {
                if let Ok(obj) = self.objects.resolve(N::Model::def(), handle.raw)
                    && self.objects.state(obj) == State::Transient
                {
                    self.objects.store_mut(obj).meta_mut(obj.slot).state = State::Pending;
                    self.plan_insert(obj);
                }
                handle
            }
        }
    }

    /// Adds several objects of one model.
    pub fn add_all<N: New>(&mut self, objects: impl IntoIterator<Item = N>) -> Vec<Tracked<N::Model>> {
        objects.into_iter().map(|object| self.add(object)).collect()
    }

    fn plan_insert(&mut self, obj: Obj) {
        self.objects.pending.push(obj);
        self.objects.undo.push(Undo::Added(obj));
        // A link to an object that is not here cannot be reported from here: the flush does, see `flush::plan`.
        match self.objects.adopt(obj) {
            Err(Error::ForeignHandle { model }) => self.objects.broken.push((obj, model, true)),
            Err(Error::StaleHandle { model } | Error::InvalidState { model, .. }) => {
                self.objects.broken.push((obj, model, false));
            }
            // A mapping that is wrong is found again when the flush asks for it.
            _ => {}
        }
    }

    /// Marks an object to be deleted at the next flush.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or
    /// [`Error::StaleHandle`](crate::Error::StaleHandle);
    /// [`Error::InvalidState`](crate::Error::InvalidState) when it has no row: `expunge` it instead.
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

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn compiler(engine: &Engine) -> Compiler<'_> {
        Compiler { dialect: engine.dialect(), cache: engine.statements() }
    }
}
