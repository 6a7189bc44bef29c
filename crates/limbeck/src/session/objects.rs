//! All objects of a session: a store for each model, and what is planned for the next flush.

use std::any::Any;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use super::doubt::Doubt;
use super::expression::Expressed;
use super::load::Reading;
use super::store::{AnyStore, State, Store};
use super::undo::Undo;
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::model::{ColumnSet, Handle, Model, ModelDef, Tracked};

/// An object of this session, without its type: the model's number and the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Obj {
    pub(crate) model: u32,
    pub(crate) slot: u32,
}

impl Obj {
    /// Both of its numbers in one, in the same order.
    pub(crate) fn number(self) -> u64 {
        u64::from(self.model) << 32 | u64::from(self.slot)
    }
}

/// The stamps of a session. Each is drawn once in the process, so that a handle of another session never fits.
#[derive(Debug)]
pub struct Stamps {
    now: NonZeroU32,
    past: FxHashSet<NonZeroU32>,
    /// What is read is noted, since a rollback may make it untrue.
    pub(super) doubt: Doubt,
}

impl Stamps {
    fn new() -> Self {
        Stamps { now: draw(), past: FxHashSet::default(), doubt: Doubt::default() }
    }

    /// The stamp of objects that are taken in now.
    pub(crate) fn now(&self) -> NonZeroU32 {
        self.now
    }

    /// Draws another one.
    pub(crate) fn renew(&mut self) {
        self.past.insert(self.now);
        self.now = draw();
    }

    /// Whether this session gave out the stamp.
    fn has(&self, stamp: NonZeroU32) -> bool {
        stamp == self.now || self.past.contains(&stamp)
    }
}

/// A function of its own, so that it is not written out for each model.
#[cold]
fn wrong_store() -> ! {
    unreachable!("a model's store is of its type")
}

fn draw() -> NonZeroU32 {
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
    /// Of one that is deleted: whether it is known to be there.
    pub(crate) seen: bool,
}

/// Something that `add` was asked for and could not do. It returns a handle and no error, so the flush says it.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The object that was added, and the relationship that could not be made; linked again, it is forgotten.
    pub(crate) place: Option<(Obj, usize)>,
    pub(crate) why: Error,
}

impl Refused {
    /// The error, for each flush until the object is mended.
    pub(crate) fn again(&self) -> Error {
        match &self.why {
            Error::ForeignHandle { model } => Error::ForeignHandle { model },
            Error::StaleHandle { model } => Error::StaleHandle { model },
            Error::InvalidState { model, reason } => Error::InvalidState { model, reason: reason.clone() },
            other => Error::Mapping(other.to_string()),
        }
    }
}

/// The objects of a session.
pub(crate) struct Objects {
    /// By the model's number.
    stores: Vec<Option<Box<dyn AnyStore>>>,
    pub(super) stamps: Stamps,
    /// Objects to insert, in the order in which they were added.
    pub(crate) pending: Vec<Obj>,
    /// Objects to delete.
    pub(crate) doomed: Vec<Obj>,
    /// Those among them, and pending ones, that a flush marked by itself.
    pub(crate) cascaded: Vec<Obj>,
    /// Objects with key links, in the order in which they were linked.
    pub(crate) linked: Vec<Obj>,
    /// Rows of association tables, by (association, both ends).
    pub(crate) link_rows: FxHashMap<(&'static str, Obj, Obj), LinkRow>,
    /// One-to-one relationships, by owner, whose place was taken without knowing which row has it.
    pub(crate) evictions: FxHashSet<(Obj, usize)>,
    /// What columns were set to that is no value.
    pub(super) expressions: FxHashMap<Obj, Vec<Expressed>>,
    /// Who was linked to an object by a relationship with `single_parent` (model and number). It may have changed.
    pub(crate) single: FxHashMap<(u32, usize, Obj), Obj>,
    /// What `add` could not do, for the next flush to say.
    pub(crate) refused: Vec<Refused>,
    /// How to bring memory back if the transaction is rolled back.
    pub(crate) undo: Vec<Undo>,
    /// How many steps of the way back were forgotten with all objects since the transaction began.
    pub(super) forgotten: usize,
}

impl Objects {
    pub(crate) fn new() -> Self {
        Objects {
            stores: Vec::new(),
            stamps: Stamps::new(),
            pending: Vec::new(),
            doomed: Vec::new(),
            cascaded: Vec::new(),
            linked: Vec::new(),
            link_rows: FxHashMap::default(),
            evictions: FxHashSet::default(),
            expressions: FxHashMap::default(),
            single: FxHashMap::default(),
            refused: Vec::new(),
            undo: Vec::new(),
            forgotten: 0,
        }
    }

    /// The store of a model; made if there is none.
    pub(crate) fn store_of(&mut self, model: &'static ModelDef) -> &mut dyn AnyStore {
        self.store_and_stamps(model).0
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
        let store: &dyn Any = &**self.stores.get(M::def().id.get())?.as_ref()?;
        store.downcast_ref()
    }

    #[inline]
    pub(crate) fn typed_mut<M: Model>(&mut self) -> &mut Store<M> {
        let store: &mut dyn Any = self.store_of(M::def());
        match store.downcast_mut() {
            Some(store) => store,
            None => wrong_store(),
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
        if self.stamps.has(handle.stamp) {
            Error::StaleHandle { model: model.name }
        } else {
            Error::ForeignHandle { model: model.name }
        }
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
            || !self.refused.is_empty()
            || !self.doomed.is_empty()
            || !self.link_rows.is_empty()
            || !self.evictions.is_empty()
            || self.stores.iter().flatten().any(|store| !store.touched().is_empty())
    }

    /// Finds or makes the object of a row.
    pub(crate) fn track(&mut self, model: &'static ModelDef, row: &Row<'_>, at: usize) -> Result<Handle> {
        let (store, stamps) = self.store_and_stamps(model);
        store.track(row, at, stamps)
    }

    /// Takes in a new object.
    pub(crate) fn insert<M: Model>(&mut self, object: M, given: ColumnSet) -> Handle {
        let (store, stamps) = self.store_and_stamps(M::def());
        let store: &mut dyn Any = store;
        match store.downcast_mut::<Store<M>>() {
            Some(store) => store.insert(object, State::Pending, given, stamps),
            None => wrong_store(),
        }
    }

    fn store_and_stamps(&mut self, model: &'static ModelDef) -> (&mut dyn AnyStore, &mut Stamps) {
        let index = model.id.get();
        if self.stores.len() <= index {
            self.stores.resize_with(index + 1, || None);
        }
        (&mut **self.stores[index].get_or_insert_with(model.store), &mut self.stamps)
    }

    /// Forgets everything. Old handles do not fit what comes after.
    pub(crate) fn clear(&mut self) {
        for store in self.stores_mut() {
            *store = (store.model().store)();
        }
        self.stamps.renew();
        self.pending.clear();
        self.doomed.clear();
        self.cascaded.clear();
        self.single.clear();
        self.linked.clear();
        self.link_rows.clear();
        self.evictions.clear();
        self.expressions.clear();
        self.refused.clear();
        self.forget_way_back();
    }

    /// Lets emptied slots be used again, once no way back names them.
    pub(crate) fn reclaim(&mut self) {
        if self.undo.is_empty() {
            self.stores_mut().for_each(|store| store.reclaim());
        }
    }
}

/// Where rows of a query become tracked objects; the session's business alone.
pub struct Loader<'s> {
    pub(crate) objects: &'s mut Objects,
    /// The objects that the rows were, where relationships are to be loaded along.
    pub(crate) roots: Option<Vec<Handle>>,
    /// What rows do with objects that are here.
    pub(super) reading: Reading,
    /// Whether the rows are locked: then an object that is here has to be what its row is.
    pub(crate) locking: bool,
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
        let handle = self.reading.track(self.objects, M::def(), row, at)?;
        if self.locking {
            self.objects.check_version(M::def(), handle, row, at)?;
        }
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
}
