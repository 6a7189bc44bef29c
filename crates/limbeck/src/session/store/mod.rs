//! The objects of one model in a session.
//!
//! Objects lie side by side, in pieces that do not move, so that loading a thousand of them costs a few allocations
//! beyond their own. `any` is how the flush and the loaders see them: by slot and column number.

mod any;
mod slots;

pub use any::AnyStore;

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::num::NonZeroU32;

use rustc_hash::FxHashMap;

use super::objects::{Obj, Stamps};
use crate::driver::{Extra, Row};
use crate::error::{Error, Result};
use crate::model::mapping::KeyPair;
use crate::model::{ColumnSet, Handle, Model, ModelDef};
use crate::types::DecodeError;
use slots::Slots;

/// Where an object is in its life. SQLAlchemy's words; "detached" is a value that `expunge` gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It was added in a transaction that was rolled back: it has no row, and none is planned.
    Transient,
    /// It was added and has no row yet.
    Pending,
    /// It has a row.
    Persistent,
    /// Its row was deleted in the transaction that is open.
    Deleted,
}

/// What the session knows of an object beside its value.
#[derive(Debug)]
pub struct Meta {
    pub(crate) stamp: NonZeroU32,
    pub(crate) state: State,
    /// Marked by `delete`, until the flush.
    pub(crate) doomed: bool,
    /// Its columns have to be read again before they are looked at.
    pub(crate) expired: bool,
    /// Whether it is in the store's list of touched objects.
    touched: bool,
    /// Columns that were given: they are sent although no comparison says that they changed.
    pub(crate) given: ColumnSet,
    /// Keys that are to be taken from other objects at the next flush.
    pub(crate) links: Vec<KeyLink>,
}

/// A key that is taken from another object at the next flush.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyLink {
    /// The key columns, and those of the other object that are copied.
    pub(crate) keys: &'static [KeyPair],
    /// The object; `None` for NULL.
    pub(crate) target: Option<Obj>,
    /// The name of the relationship, for messages.
    pub(crate) label: &'static str,
}

impl KeyLink {
    /// Whether it writes a column.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.keys.iter().any(|pair| pair.key == column)
    }
}

struct Entry<M> {
    /// `None` in a slot that is free.
    object: Option<M>,
    /// The object as it was at the last flush, from the first write after it.
    saved: Option<Box<M>>,
    meta: Meta,
}

/// The objects of one model.
pub(crate) struct Store<M: Model> {
    entries: Slots<Entry<M>>,
    free: Vec<u32>,
    /// Slots that are empty, but that the way back of this transaction still names.
    emptied: Vec<u32>,
    identity: FxHashMap<M::Key, u32>,
    /// Objects that were borrowed mutably or linked since the last flush.
    touched: Vec<u32>,
}

impl<M: Model> Store<M> {
    pub(crate) fn new() -> Self {
        Store {
            entries: Slots::new(),
            free: Vec::new(),
            emptied: Vec::new(),
            identity: FxHashMap::default(),
            touched: Vec::new(),
        }
    }

    fn entry(&self, handle: Handle) -> Option<&Entry<M>> {
        let entry = self.entries.get(handle.slot as usize)?;
        (entry.meta.stamp == handle.stamp && entry.object.is_some()).then_some(entry)
    }

    /// The object of a handle, expired or not.
    pub(crate) fn get(&self, handle: Handle) -> Option<(&M, &Meta)> {
        let entry = self.entry(handle)?;
        Some((entry.object.as_ref()?, &entry.meta))
    }

    /// The object of a handle, to change. The first time since the last flush keeps a copy.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut M> {
        self.entry(handle)?;
        self.touch_slot(handle.slot);
        self.entries[handle.slot as usize].object.as_mut()
    }

    fn touch_slot(&mut self, slot: u32) {
        let entry = &mut self.entries[slot as usize];
        if entry.saved.is_none() {
            entry.saved = entry.object.as_ref().map(|object| Box::new(object.snapshot()));
        }
        if !entry.meta.touched {
            entry.meta.touched = true;
            self.touched.push(slot);
        }
    }

    /// Takes in an object.
    pub(crate) fn insert(&mut self, object: M, state: State, given: ColumnSet, stamps: &mut Stamps) -> Handle {
        place(&mut self.entries, &mut self.free, object, state, given, stamps)
    }

    /// The slot of the object with a key, which is made where there is none; and whether it was.
    fn identified(
        &mut self,
        key: M::Key,
        decode: impl FnOnce() -> Result<M>,
        stamps: &mut Stamps,
    ) -> Result<(u32, bool)> {
        match self.identity.entry(key) {
            Occupied(slot) => Ok((*slot.get(), false)),
            Vacant(vacant) => {
                let (entries, free) = (&mut self.entries, &mut self.free);
                let handle = place(entries, free, decode()?, State::Persistent, ColumnSet::EMPTY, stamps);
                Ok((*vacant.insert(handle.slot), true))
            }
        }
    }

    pub(crate) fn find_key(&self, key: &M::Key) -> Option<Handle> {
        let slot = *self.identity.get(key)?;
        Some(Handle { slot, stamp: self.entries[slot as usize].meta.stamp })
    }

    /// Two objects, to change; `None` when they are the same.
    pub(crate) fn pair_mut(&mut self, a: Handle, b: Handle) -> Option<(&mut M, &mut M)> {
        if a.slot == b.slot {
            return None;
        }
        self.entry(a)?;
        self.entry(b)?;
        self.touch_slot(a.slot);
        self.touch_slot(b.slot);
        let (first, second) = self.entries.pair_mut(a.slot as usize, b.slot as usize)?;
        Some((first.object.as_mut()?, second.object.as_mut()?))
    }

    /// Takes an object out.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<M> {
        self.entry(handle)?;
        self.unidentify(handle.slot);
        let entry = &mut self.entries[handle.slot as usize];
        entry.saved = None;
        entry.meta.links.clear();
        let object = entry.object.take();
        self.emptied.push(handle.slot);
        object
    }

    /// Gives deferred columns that the query fetched, and that were not loaded, their values.
    fn fill_deferred(&mut self, slot: u32, row: &Row<'_>, at: usize) -> Result<()> {
        for Extra { column, position, .. } in row.extras(at) {
            self.load_column(slot, column, row.cell(position))
                .map_err(|source| unreadable_column(M::def(), source, column))?;
        }
        Ok(())
    }

    fn object(&self, slot: u32) -> &M {
        match &self.entries[slot as usize].object {
            Some(object) => object,
            None => vacant(M::def()),
        }
    }

    fn object_mut(&mut self, slot: u32) -> &mut M {
        match &mut self.entries[slot as usize].object {
            Some(object) => object,
            None => vacant(M::def()),
        }
    }
}

/// Puts an object into a slot that is free, or a new one.
fn place<M>(
    entries: &mut Slots<Entry<M>>,
    free: &mut Vec<u32>,
    object: M,
    state: State,
    given: ColumnSet,
    stamps: &mut Stamps,
) -> Handle {
    let slot = match free.pop() {
        Some(slot) => {
            // Another object had this slot: a later stamp tells the two apart.
            if entries[slot as usize].meta.stamp == stamps.now() {
                stamps.renew();
            }
            slot
        }
        None => entries.len() as u32,
    };
    let meta =
        Meta { stamp: stamps.now(), state, doomed: false, expired: false, touched: false, given, links: Vec::new() };
    let entry = Entry { object: Some(object), saved: None, meta };
    match entries.get_mut(slot as usize) {
        Some(free) => *free = entry,
        None => entries.push(entry),
    }
    Handle { slot, stamp: stamps.now() }
}

/// Slots are passed on only after their handle was checked.
#[cold]
fn vacant(model: &ModelDef) -> ! {
    unreachable!("limbeck looked into an empty slot of `{}`: this is a bug, please report it", model.name)
}

/// Used by `derive(Model)`.
#[doc(hidden)]
pub fn new_store<M: Model>() -> Box<dyn AnyStore> {
    Box::new(Store::<M>::new())
}

/// Names the column that could not be read.
#[cold]
pub(crate) fn unreadable(model: &ModelDef, source: DecodeError, at: usize) -> Error {
    let column = source.column.and_then(|position| model.columns.get(position.checked_sub(at)?));
    Error::Decode {
        table: model.table.to_string(),
        column: column.map_or_else(|| "the primary key".to_string(), |column| column.name.to_string()),
        source,
    }
}

/// Names a column that could not be read.
#[cold]
pub(crate) fn unreadable_column(model: &ModelDef, source: DecodeError, column: usize) -> Error {
    Error::Decode {
        table: model.table.to_string(),
        column: model.columns.get(column).map_or_else(String::new, |column| column.name.to_string()),
        source,
    }
}
