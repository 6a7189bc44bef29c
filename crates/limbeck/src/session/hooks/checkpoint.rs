//! What the session was to do before the hooks of a flush: a flush that fails is taken back with what its hooks did, so
//! that the next one does not find their work twice.
//!
//! A flush that fails by itself has the undo log for that. What programs and hooks change between two flushes is not in
//! it but in the objects' copies and in the plans; they are kept here. An object that only its hook touches needs no
//! copy, since its own one is from before the hook.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Error, Result};
use crate::model::{ColumnSet, Handle};
use crate::session::expression::Expressed;
use crate::session::objects::{LinkRow, Obj, Objects};
use crate::session::store::{KeyLink, State};
use crate::types::{Cell, Value};

pub(super) struct Checkpoint {
    /// How long the way back was.
    undo: usize,
    pending: Vec<Obj>,
    doomed: Vec<Obj>,
    linked: Vec<Obj>,
    link_rows: FxHashMap<(&'static str, Obj, Obj), LinkRow>,
    evictions: FxHashSet<(Obj, usize)>,
    single: FxHashMap<(u32, usize, Obj), Obj>,
    expressions: FxHashMap<Obj, Vec<Expressed>>,
    objects: FxHashMap<Obj, Kept>,
}

/// An object that was touched, or has no row.
struct Kept {
    /// A slot may have another object by the time it is looked at again.
    handle: Handle,
    touched: bool,
    given: ColumnSet,
    links: Vec<KeyLink>,
    /// The columns that differed from the last flush.
    columns: Vec<(usize, Value<'static>)>,
}

impl Checkpoint {
    /// # Errors
    /// What a plan would refuse whatever the hooks did.
    pub(super) fn of(objects: &mut Objects) -> Result<Self> {
        objects.check_refused()?;
        let mut kept = FxHashMap::default();
        for obj in objects.touched() {
            let store = objects.store(obj);
            if let Some(relation) = store.assigned(obj.slot) {
                return Err(Error::RelationshipAssigned { relation: store.model().relations[relation].label });
            }
            let columns = objects.written(obj).iter().filter(|column| store.is_loaded(obj.slot, *column));
            let columns = columns.map(|column| (column, store.value(obj.slot, column).into_owned())).collect();
            kept.insert(obj, Kept::of(objects, obj, true, columns));
        }
        for obj in &objects.pending {
            kept.entry(*obj).or_insert_with(|| Kept::of(objects, *obj, false, Vec::new()));
        }
        Ok(Checkpoint {
            undo: objects.undo.len(),
            pending: objects.pending.clone(),
            doomed: objects.doomed.clone(),
            linked: objects.linked.clone(),
            link_rows: objects.link_rows.clone(),
            evictions: objects.evictions.clone(),
            single: objects.single.clone(),
            expressions: objects.expressions.clone(),
            objects: kept,
        })
    }

    /// The hooks that come before the statements ran. What they wrote into objects without a row is noted, since a
    /// flush ends those objects' copies.
    pub(super) fn hooks_ran(&mut self, objects: &Objects) {
        for (obj, kept) in &mut self.objects {
            let store = objects.store(*obj);
            if store.slot(kept.handle).is_none() || store.meta(obj.slot).state != State::Pending {
                continue;
            }
            for column in store.changed(obj.slot).iter() {
                if kept.columns.iter().all(|(known, _)| *known != column) {
                    kept.columns.push((column, store.saved_value(obj.slot, column).into_owned()));
                }
            }
        }
    }

    /// Brings everything back.
    pub(super) fn restore(self, objects: &mut Objects) {
        objects.undo_to(self.undo.min(objects.undo.len()));
        let here = |objects: &Objects, obj: &Obj| match self.objects.get(obj) {
            Some(kept) => objects.store(*obj).slot(kept.handle).is_some(),
            None => objects.store(*obj).occupied(obj.slot),
        };
        objects.drop_plans();
        objects.refused.clear();
        for obj in objects.take_all_touched() {
            let store = objects.store_mut(obj);
            if !store.occupied(obj.slot) {
                continue;
            }
            if store.meta(obj.slot).state == State::Transient {
                // It is no part of a flush, and may yet be added.
                let changed = store.changed(obj.slot);
                store.take_saved(obj.slot);
                let meta = store.meta_mut(obj.slot);
                meta.given = meta.given.union(changed);
                continue;
            }
            store.revert(obj.slot);
            let meta = store.meta_mut(obj.slot);
            if !self.objects.contains_key(&obj) && meta.state == State::Persistent {
                // Set by a hook while it was expired: what it held before is not known here.
                meta.expired |= !meta.given.is_empty();
                meta.given = ColumnSet::EMPTY;
            }
        }
        for (obj, kept) in &self.objects {
            if !here(objects, obj) {
                continue;
            }
            let store = objects.store_mut(*obj);
            if kept.touched && !store.meta(obj.slot).expired {
                store.touch(obj.slot);
            } else if kept.touched {
                store.enlist(obj.slot);
            }
            for (column, value) in &kept.columns {
                // A value that the column held always reads back.
                let _ = store.set_value(obj.slot, *column, Cell::from_value(value));
            }
            let meta = store.meta_mut(obj.slot);
            meta.given = kept.given;
            meta.links.clone_from(&kept.links);
        }
        let still = |list: &[Obj]| list.iter().copied().filter(|obj| here(objects, obj)).collect::<Vec<Obj>>();
        let (pending, doomed, linked) = (still(&self.pending), still(&self.doomed), still(&self.linked));
        let expressed: Vec<Obj> = still(&self.expressions.keys().copied().collect::<Vec<Obj>>());
        let link_rows =
            self.link_rows.iter().filter(|(_, row)| here(objects, &row.local) && here(objects, &row.remote));
        let link_rows = link_rows.map(|(key, row)| (*key, *row)).collect();
        objects.evictions = self.evictions.iter().copied().filter(|(owner, _)| here(objects, owner)).collect();
        objects.link_rows = link_rows;
        objects.single = self.single;
        // Those of an object that has no row are taken back with what was written into it; one that a hook added keeps its
        // own, as it keeps its columns.
        objects.expressions.retain(|obj, _| !self.objects.contains_key(obj));
        let expressions = self.expressions.into_iter().filter(|(obj, _)| expressed.contains(obj));
        objects.expressions.extend(expressions);
        for obj in &doomed {
            objects.store_mut(*obj).meta_mut(obj.slot).doomed = true;
        }
        (objects.pending, objects.doomed, objects.linked) = (pending, doomed, linked);
    }
}

impl Kept {
    fn of(objects: &Objects, obj: Obj, touched: bool, columns: Vec<(usize, Value<'static>)>) -> Self {
        let meta = objects.store(obj).meta(obj.slot);
        // Of an object without a row, what was written into it was given; a comparison may no longer say so.
        let given = if meta.state == State::Pending { objects.written(obj) } else { meta.given };
        Kept { handle: objects.handle(obj), touched, given, links: meta.links.clone(), columns }
    }
}

impl Objects {
    fn take_all_touched(&mut self) -> Vec<Obj> {
        let mut all = Vec::new();
        for store in self.stores_mut() {
            let model = store.model().id.get() as u32;
            all.extend(store.take_touched().into_iter().map(|slot| Obj { model, slot }));
        }
        all
    }
}
