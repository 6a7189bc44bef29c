//! The objects of one model in a session.
//!
//! Objects lie side by side, in pieces that do not move, so that loading a thousand of them costs a few allocations
//! beyond their own. `any` is how the flush and the loaders see them: by slot and column number.

mod any;
mod fields;
mod slots;

pub use any::AnyStore;
pub(crate) use fields::Fields;

use std::any::Any;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::num::NonZeroU32;

use rustc_hash::FxHashMap;

use super::objects::{Obj, Stamps};
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::model::mapping::KeyPair;
use crate::model::{ColumnSet, Handle, Key, Model, ModelDef};
use crate::types::{Cell, DecodeError, Value};
use any::{View, ViewMut};
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

impl Meta {
    fn new(state: State, given: ColumnSet, stamp: NonZeroU32) -> Self {
        Meta { stamp, state, doomed: false, expired: false, touched: false, given, links: Vec::new() }
    }

    /// Of a slot that another object had: a later stamp tells the two apart.
    fn renew(&mut self, state: State, given: ColumnSet, stamps: &mut Stamps) {
        if self.stamp == stamps.now() {
            stamps.renew();
        }
        *self = Meta::new(state, given, stamps.now());
    }
}

struct Entry<M> {
    /// `None` in a slot that is free.
    object: Option<M>,
    /// The object as it was at the last flush, from the first write after it.
    saved: Option<Box<M>>,
    meta: Meta,
}

/// What a store has whatever its model.
#[derive(Debug)]
pub struct Base {
    model: &'static ModelDef,
    free: Vec<u32>,
    /// Slots that are empty, but that the way back of this transaction still names.
    emptied: Vec<u32>,
    /// Objects that were borrowed mutably or linked since the last flush.
    touched: Vec<u32>,
}

impl Base {
    fn new(model: &'static ModelDef) -> Self {
        Base { model, free: Vec::new(), emptied: Vec::new(), touched: Vec::new() }
    }

    fn enlist(&mut self, slot: u32, meta: &mut Meta) {
        if !meta.touched {
            meta.touched = true;
            self.touched.push(slot);
        }
    }
}

/// The objects of one model.
///
/// All of this is compiled for each model of a program: `match` and not closures, one function and not two.
pub(crate) struct Store<M: Model> {
    entries: Slots<Entry<M>>,
    identity: FxHashMap<M::Key, u32>,
    base: Base,
}

impl<M: Model> Store<M> {
    pub(crate) fn new() -> Self {
        Store { entries: Slots::new(), identity: FxHashMap::default(), base: Base::new(M::def()) }
    }

    /// The object of a handle, expired or not.
    pub(crate) fn get(&self, handle: Handle) -> Option<(&M, &Meta)> {
        match self.entries.get(handle.slot as usize) {
            Some(Entry { object: Some(object), meta, .. }) if meta.stamp == handle.stamp => Some((object, meta)),
            _ => None,
        }
    }

    /// The object of a handle, to change. The first time since the last flush keeps a copy.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut M> {
        self.get(handle)?;
        self.touch(handle.slot);
        self.entries.get_mut(handle.slot as usize)?.object.as_mut()
    }

    /// Takes in an object.
    pub(crate) fn insert(&mut self, object: M, state: State, given: ColumnSet, stamps: &mut Stamps) -> Handle {
        let handle = open(&mut self.entries, &mut self.base, state, given, stamps);
        if let Some(entry) = self.entries.get_mut(handle.slot as usize) {
            entry.object = Some(object);
        }
        handle
    }

    pub(crate) fn find_key(&self, key: &M::Key) -> Option<Handle> {
        let slot = *self.identity.get(key)?;
        Some(Handle { slot, stamp: self.meta(slot).stamp })
    }

    /// Two objects, to change; `None` when they are the same.
    pub(crate) fn pair_mut(&mut self, a: Handle, b: Handle) -> Option<(&mut M, &mut M)> {
        if a.slot == b.slot {
            return None;
        }
        self.get(a)?;
        self.get(b)?;
        self.touch(a.slot);
        self.touch(b.slot);
        let (first, second) = self.entries.pair_mut(a.slot as usize, b.slot as usize)?;
        Some((first.object.as_mut()?, second.object.as_mut()?))
    }

    /// Takes an object out.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<M> {
        self.get(handle)?;
        let store: &mut dyn AnyStore = self;
        store.unidentify(handle.slot);
        store.vacate(handle.slot);
        let entry = self.entries.get_mut(handle.slot as usize)?;
        entry.saved = None;
        entry.object.take()
    }
}

impl<M: Model> AnyStore for Store<M> {
    fn base(&self) -> &Base {
        &self.base
    }

    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }

    fn slots(&self) -> u32 {
        self.entries.len() as u32
    }

    fn meta(&self, slot: u32) -> &Meta {
        match self.entries.get(slot as usize) {
            Some(entry) => &entry.meta,
            None => vacant(self.base.model),
        }
    }

    fn meta_mut(&mut self, slot: u32) -> &mut Meta {
        match self.entries.get_mut(slot as usize) {
            Some(entry) => &mut entry.meta,
            None => vacant(self.base.model),
        }
    }

    fn view(&self, slot: u32) -> View<'_> {
        match self.entries.get(slot as usize) {
            Some(Entry { object, saved, meta }) => View {
                meta,
                object: match object {
                    Some(object) => Some(object),
                    None => None,
                },
                saved: match saved {
                    Some(saved) => Some(&**saved),
                    None => None,
                },
            },
            None => vacant(self.base.model),
        }
    }

    fn view_mut(&mut self, slot: u32) -> ViewMut<'_> {
        match self.entries.get_mut(slot as usize) {
            Some(Entry { object, saved, meta }) => ViewMut {
                meta,
                object: match object {
                    Some(object) => Some(object),
                    None => None,
                },
                saved: match saved {
                    Some(saved) => Some(&mut **saved),
                    None => None,
                },
            },
            None => vacant(self.base.model),
        }
    }

    fn value(&self, slot: u32, column: usize) -> Value<'_> {
        match self.entries.get(slot as usize) {
            Some(Entry { object: Some(object), .. }) => Model::value(object, column),
            _ => vacant(self.base.model),
        }
    }

    fn differences(&self, slot: u32, copy: Option<&dyn Fields>) -> ColumnSet {
        let Some(Entry { object: Some(object), saved, .. }) = self.entries.get(slot as usize) else {
            return ColumnSet::EMPTY;
        };
        let copy = match copy {
            Some(copy) => (copy as &dyn Any).downcast_ref::<M>(),
            None => saved.as_deref(),
        };
        match copy {
            Some(copy) => object.changed(copy),
            None => ColumnSet::EMPTY,
        }
    }

    fn touch(&mut self, slot: u32) {
        if let Some(Entry { object: Some(object), saved, meta }) = self.entries.get_mut(slot as usize) {
            if saved.is_none() {
                *saved = Some(Box::new(object.snapshot()));
            }
            self.base.enlist(slot, meta);
        }
    }

    fn take_saved(&mut self, slot: u32) -> Option<Box<dyn Fields>> {
        match self.entries.get_mut(slot as usize) {
            Some(entry) => match entry.saved.take() {
                Some(saved) => Some(saved),
                None => None,
            },
            None => None,
        }
    }

    fn revert(&mut self, slot: u32) {
        // The copy's relationship fields are kept up to date, so that one that was assigned comes back, too.
        if let Some(Entry { object: Some(object), saved, .. }) = self.entries.get_mut(slot as usize)
            && let Some(copy) = saved.take()
        {
            *object = *copy;
        }
    }

    fn empty(&mut self, slot: u32) {
        if let Some(entry) = self.entries.get_mut(slot as usize) {
            entry.object = None;
            entry.saved = None;
        }
    }

    fn index(&mut self, slot: u32, of_copy: bool, enter: bool) {
        let key = match self.entries.get(slot as usize) {
            Some(Entry { saved: Some(saved), .. }) if of_copy => saved.key(),
            Some(Entry { object: Some(object), .. }) if !of_copy => object.key(),
            _ => return,
        };
        index_key(&mut self.identity, key, slot, enter);
    }

    fn find(&self, key: &[Value<'_>]) -> Option<u32> {
        find_values(&self.identity, key)
    }

    fn track(&mut self, row: &Row<'_>, at: usize, stamps: &mut Stamps) -> Result<Handle> {
        let model = self.base.model;
        let slot = match self.identity.entry(row_key::<M::Key>(model, row, at)?) {
            Occupied(slot) => *slot.get(),
            Vacant(vacant) => {
                let handle = open(&mut self.entries, &mut self.base, State::Persistent, ColumnSet::EMPTY, stamps);
                match (self.entries.get_mut(handle.slot as usize), M::decode(row, at)) {
                    (Some(entry), Ok(object)) => entry.object = Some(object),
                    (_, Ok(_)) => self::vacant(model),
                    (_, Err(source)) => {
                        self.base.free.push(handle.slot);
                        return Err(unreadable(model, source, at));
                    }
                }
                vacant.insert(handle.slot);
                stamps.doubt.note(model, handle.slot);
                return Ok(handle);
            }
        };
        let store: &mut dyn AnyStore = self;
        store.seen(slot, row, at, stamps)
    }
}

/// A slot for an object: one that is free, or a new one. It is made ready first, and the object put into it once: an
/// object that is copied just after it was written costs more than the rest of all this.
#[inline(always)]
fn open<M>(
    entries: &mut Slots<Entry<M>>,
    base: &mut Base,
    state: State,
    given: ColumnSet,
    stamps: &mut Stamps,
) -> Handle {
    if let Some(slot) = base.free.pop()
        && let Some(entry) = entries.get_mut(slot as usize)
    {
        entry.meta.renew(state, given, stamps);
        return Handle { slot, stamp: stamps.now() };
    }
    let slot = entries.len() as u32;
    entries.push(Entry { object: None, saved: None, meta: Meta::new(state, given, stamps.now()) });
    Handle { slot, stamp: stamps.now() }
}

// These are instantiated for each type of key, of which there are few.

#[inline]
fn row_key<K: Key>(model: &ModelDef, row: &Row<'_>, at: usize) -> Result<K> {
    K::decode(|part| row.cell(at + model.primary_key[part])).map_err(|source| unreadable(model, source, at))
}

fn find_values<K: Key>(identity: &FxHashMap<K, u32>, values: &[Value<'_>]) -> Option<u32> {
    let key = K::decode(|part| Cell::from_value(&values[part])).ok()?;
    identity.get(&key).copied()
}

fn index_key<K: Key>(identity: &mut FxHashMap<K, u32>, key: K, slot: u32, enter: bool) {
    if enter {
        identity.insert(key, slot);
    } else if identity.get(&key) == Some(&slot) {
        identity.remove(&key);
    }
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
