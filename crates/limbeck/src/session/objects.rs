//! All objects of a session: a store for each model, and what is planned for the next flush.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::FxHashMap;

use super::store::{AnyStore, State, Store};
use super::undo::Undo;
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::model::{Handle, Model, ModelDef, Tracked};

/// An object of this session, without its type: the model's number and the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Obj {
    pub(crate) model: u32,
    pub(crate) slot: u32,
}

/// A stamp that no session of this process has had.
pub(crate) fn draw_stamp() -> NonZeroU32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    loop {
        if let Some(stamp) = NonZeroU32::new(NEXT.fetch_add(1, Ordering::Relaxed)) {
            return stamp;
        }
    }
}

/// A row of an association table that is to be inserted or deleted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkRow {
    /// The model whose relationship names the association.
    pub(crate) owner: &'static ModelDef,
    /// Which relationship.
    pub(crate) relation: usize,
    pub(crate) local: Obj,
    pub(crate) remote: Obj,
    pub(crate) add: bool,
}

/// The objects of a session.
pub(crate) struct Objects {
    /// By the model's number.
    stores: Vec<Option<Box<dyn AnyStore>>>,
    pub(crate) stamp: NonZeroU32,
    /// Objects to insert, in the order in which they were added.
    pub(crate) pending: Vec<Obj>,
    /// Objects to delete.
    pub(crate) doomed: Vec<Obj>,
    /// Objects with key links, in the order in which they were linked.
    pub(crate) linked: Vec<Obj>,
    /// Rows of association tables, by (association, both ends).
    pub(crate) link_rows: FxHashMap<(&'static str, Obj, Obj), LinkRow>,
    /// Objects that were added with a link to an object that is not here: the model of that object, and
    /// whether it belongs to another session.
    pub(crate) broken: Vec<(Obj, &'static str, bool)>,
    /// How to bring memory back if the transaction is rolled back.
    pub(crate) undo: Vec<Undo>,
}

impl Objects {
    pub(crate) fn new() -> Self {
        Objects {
            stores: Vec::new(),
            stamp: draw_stamp(),
            pending: Vec::new(),
            doomed: Vec::new(),
            linked: Vec::new(),
            link_rows: FxHashMap::default(),
            broken: Vec::new(),
            undo: Vec::new(),
        }
    }

    /// The store of a model; made if there is none.
    pub(crate) fn store_of(&mut self, model: &'static ModelDef) -> &mut dyn AnyStore {
        let index = model.id.get();
        if self.stores.len() <= index {
            self.stores.resize_with(index + 1, || None);
        }
        &mut **self.stores[index].get_or_insert_with(model.store)
    }

    /// The store of a model, if it has one.
    pub(crate) fn find_store(&self, model: &ModelDef) -> Option<&dyn AnyStore> {
        self.stores.get(model.id.get())?.as_deref()
    }

    /// All stores.
    pub(crate) fn stores_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn AnyStore>> {
        self.stores.iter_mut().flatten()
    }

    /// All stores.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &dyn AnyStore> {
        self.stores.iter().flatten().map(|store| &**store)
    }

    /// The store that an object is in.
    pub(crate) fn store(&self, obj: Obj) -> &dyn AnyStore {
        match &self.stores[obj.model as usize] {
            Some(store) => &**store,
            None => unreachable!("an object's model has a store"),
        }
    }

    /// The store that an object is in, to change.
    pub(crate) fn store_mut(&mut self, obj: Obj) -> &mut dyn AnyStore {
        match &mut self.stores[obj.model as usize] {
            Some(store) => &mut **store,
            None => unreachable!("an object's model has a store"),
        }
    }

    #[inline]
    pub(crate) fn typed<M: Model>(&self) -> Option<&Store<M>> {
        self.stores.get(M::def().id.get())?.as_ref()?.as_any().downcast_ref()
    }

    #[inline]
    pub(crate) fn typed_mut<M: Model>(&mut self) -> &mut Store<M> {
        match self.store_of(M::def()).as_any_mut().downcast_mut() {
            Some(store) => store,
            None => unreachable!("a model's store is of its type"),
        }
    }

    /// The object of a handle.
    pub(crate) fn get<M: Model>(&self, handle: Tracked<M>) -> Result<&M> {
        match self.typed::<M>().and_then(|store| store.get(handle.raw)) {
            Some((object, meta)) if !meta.expired => Ok(object),
            Some(_) => Err(Error::Expired { model: M::def().name }),
            None => Err(self.unknown(M::def(), handle.raw)),
        }
    }

    /// The object of a handle, to change.
    pub(crate) fn get_mut<M: Model>(&mut self, handle: Tracked<M>) -> Result<&mut M> {
        self.get(handle)?;
        let stamp = handle.raw;
        match self.typed_mut::<M>().get_mut(stamp) {
            Some(object) => Ok(object),
            None => Err(Error::StaleHandle { model: M::def().name }),
        }
    }

    /// The object of a handle, without its type.
    pub(crate) fn resolve(&self, model: &'static ModelDef, handle: Handle) -> Result<Obj> {
        match self.find_store(model).and_then(|store| store.slot(handle)) {
            Some(slot) => Ok(Obj { model: model.id.get() as u32, slot }),
            None => Err(self.unknown(model, handle)),
        }
    }

    #[cold]
    fn unknown(&self, model: &ModelDef, handle: Handle) -> Error {
        let ours = handle.stamp == self.stamp
            || self
                .find_store(model)
                .is_some_and(|store| store.len() > handle.slot && store.meta(handle.slot).stamp != self.stamp);
        if ours { Error::StaleHandle { model: model.name } } else { Error::ForeignHandle { model: model.name } }
    }

    pub(crate) fn handle(&self, obj: Obj) -> Handle {
        Handle { slot: obj.slot, stamp: self.store(obj).meta(obj.slot).stamp }
    }

    pub(crate) fn state(&self, obj: Obj) -> State {
        self.store(obj).meta(obj.slot).state
    }

    /// Whether a flush would send anything.
    pub(crate) fn has_changes(&self) -> bool {
        !self.pending.is_empty()
            || !self.doomed.is_empty()
            || !self.link_rows.is_empty()
            || self.stores.iter().flatten().any(|store| !store.touched().is_empty())
    }

    /// Finds or makes the object of a row.
    pub(crate) fn track(&mut self, model: &'static ModelDef, row: &Row<'_>, at: usize) -> Result<Handle> {
        let stamp = self.stamp;
        self.store_of(model).track(row, at, stamp).map(|(handle, _)| handle)
    }

    /// Forgets everything. Old handles do not fit what comes after.
    pub(crate) fn clear(&mut self) {
        self.stores_mut().for_each(|store| store.clear());
        self.stamp = draw_stamp();
        self.pending.clear();
        self.doomed.clear();
        self.linked.clear();
        self.link_rows.clear();
        self.broken.clear();
        self.undo.clear();
    }
}

/// Where rows of a query become tracked objects; the session's business alone.
pub struct Loader<'s> {
    pub(crate) objects: &'s mut Objects,
    /// The objects that the rows were, where relationships are to be loaded along.
    pub(crate) roots: Option<Vec<Handle>>,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

impl Loader<'_> {
    /// Finds or makes the object of a row. Used by `derive(Model)`.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    pub fn track<M: Model>(&mut self, row: &Row<'_>, at: usize) -> Result<Tracked<M>> {
        let stamp = self.objects.stamp;
        let (handle, _) = self.objects.typed_mut::<M>().track(row, at, stamp)?;
        if let Some(roots) = &mut self.roots {
            roots.push(handle);
        }
        Ok(Tracked::new(handle))
    }
}

impl Objects {
    /// Two objects of one model at once.
    pub(crate) fn pair_mut<M: Model>(&mut self, a: Tracked<M>, b: Tracked<M>) -> Result<(&mut M, &mut M)> {
        self.get(a)?;
        self.get(b)?;
        self.typed_mut::<M>().pair_mut(a.raw, b.raw).ok_or_else(|| Error::InvalidState {
            model: M::def().name,
            reason: "`pair_mut` needs two different objects".into(),
        })
    }

    /// Takes an object out of every plan.
    pub(crate) fn forget(&mut self, obj: Obj) {
        self.pending.retain(|other| *other != obj);
        self.doomed.retain(|other| *other != obj);
        self.linked.retain(|other| *other != obj);
        self.link_rows.retain(|_, row| row.local != obj && row.remote != obj);
        for other in std::mem::take(&mut self.linked) {
            let links = &mut self.store_mut(other).meta_mut(other.slot).links;
            links.retain(|link| link.target.is_none_or(|(target, _)| target != obj));
            if !links.is_empty() {
                self.linked.push(other);
            }
        }
    }

    /// Marks all persistent objects as expired; what was not flushed is forgotten.
    pub(crate) fn expire_all(&mut self) {
        for store in self.stores_mut() {
            for slot in store.take_touched() {
                if store.occupied(slot) && store.meta(slot).state == State::Persistent {
                    store.revert(slot);
                }
            }
            for slot in 0..store.len() {
                if store.occupied(slot) && store.meta(slot).state == State::Persistent {
                    store.meta_mut(slot).expired = true;
                    store.unload(slot);
                }
            }
        }
    }
}
