//! What a flush that succeeded leaves in memory.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::counted;
use super::plan::{Eviction, Orphans, Plan, Work, orphans};
use crate::model::mapping::{KeyPair, Path, Reference};
use crate::model::{ColumnSet, Handle, Many, ModelDef, One, RelationRef};
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::{KeyLink, State};
use crate::session::undo::Undo;
use crate::types::{Cell, Value};

/// An object whose row was written.
pub(in crate::session) struct Written {
    pub(in crate::session) obj: Obj,
    pub(in crate::session) columns: ColumnSet,
    /// The keys that were taken from other objects: their relationships say so already.
    pub(in crate::session) links: Vec<KeyLink>,
    /// Whether it had a row before.
    pub(in crate::session) moved: bool,
}

impl Objects {
    /// Makes memory agree with what was sent.
    pub(super) fn finish(&mut self, plan: Plan) {
        self.drop_doomed_pending();
        let goes = |work: &Work| !work.early.is_empty() || !work.deletes.is_empty();
        if !plan.evictions.is_empty() || plan.models.iter().any(goes) {
            // Rows that are no objects here may have been written with them.
            self.doubt();
        }
        let (first, updates) = (|work: &Work| work.first.clone(), |work: &Work| work.updates.clone());
        let (of_first, of_updates) = (counted::sent(self, &plan, first), counted::sent(self, &plan, updates));
        self.evicted(&plan.evictions);
        self.reset_versions(of_first);
        // Others may have their keys now.
        for work in &plan.models {
            if !work.early.is_empty() {
                self.deleted(work.model, &work.early);
            }
        }
        let of_first = counted::sent(self, &plan, first);
        self.switched(&plan);
        self.reset_versions(of_first);
        self.reset_versions(of_updates);
        let moved = self.moved(plan.models.iter().flat_map(|work| work.first.iter().chain(&work.updates)));
        // Relationships follow once everything is found by the key that it has now.
        let mut written = Vec::new();
        for work in &plan.models {
            written.extend(work.inserts.iter().map(|obj| self.inserted(*obj)));
            written.extend(work.switches.iter().map(|switch| self.inserted(switch.new)));
            written.extend(work.first.iter().chain(&work.updates).map(|obj| self.updated(*obj)));
        }
        self.follow_moved(moved, written.iter().map(|written| (written.obj, written.columns)));
        written.iter().for_each(|written| self.follow_keys(written));
        for work in &plan.models {
            if !work.deletes.is_empty() {
                self.deleted(work.model, &work.deletes);
            }
        }
        for store in self.stores_mut() {
            for slot in store.take_touched() {
                // Borrowed, and found to be the same.
                if !store.occupied(slot) {
                    continue;
                }
                if store.meta(slot).state == State::Transient {
                    // It may yet be added.
                    let changed = store.changed(slot);
                    let meta = store.meta_mut(slot);
                    meta.given = meta.given.union(changed);
                }
                store.take_saved(slot);
            }
        }
        self.drop_expressions();
        self.evictions.clear();
        self.pending.clear();
        self.doomed.clear();
        self.cascaded.clear();
        self.single.clear();
        self.linked.clear();
        self.link_rows.clear();
        self.refused.clear();
    }

    fn inserted(&mut self, obj: Obj) -> Written {
        if let Some(expressions) = self.expressions.remove(&obj) {
            self.undo.push(Undo::Expressed(obj, expressions));
        }
        let store = self.store_mut(obj);
        store.take_saved(obj.slot);
        store.identify(obj.slot);
        let meta = store.meta_mut(obj.slot);
        let given = std::mem::replace(&mut meta.given, ColumnSet::EMPTY);
        let links = std::mem::take(&mut meta.links);
        meta.state = State::Persistent;
        self.undo.push(Undo::Inserted(obj, given));
        let columns = ColumnSet::first(self.store(obj).model().columns.len());
        Written { obj, columns, links, moved: false }
    }

    fn updated(&mut self, obj: Obj) -> Written {
        let expressed = self.expressed(obj);
        let changed = self.store(obj).changed(obj.slot);
        self.leave_old_parents(obj, changed);
        let links = std::mem::take(&mut self.store_mut(obj).meta_mut(obj.slot).links);
        let store = self.store_mut(obj);
        let blind = !store.meta(obj.slot).given.is_empty();
        let written = changed.union(store.meta(obj.slot).given);
        let another_key = store.model().primary_key.iter().any(|key| written.contains(*key));
        if another_key {
            store.unidentify(obj.slot);
        }
        let saved = store.take_saved(obj.slot);
        if another_key {
            store.identify(obj.slot);
        }
        store.meta_mut(obj.slot).given = ColumnSet::EMPTY;
        if let Some(saved) = saved {
            self.undo.push(Undo::Updated(obj, saved));
        }
        if blind {
            self.undo.push(Undo::Unknown(obj));
        }
        Written { obj, columns: changed.union(expressed), links, moved: true }
    }

    /// Takes a row whose key was written directly out of the collection that it was in. Its field may not be loaded.
    fn leave_old_parents(&mut self, obj: Obj, changed: ColumnSet) {
        let Ok(mapping) = self.store(obj).model().mapping() else { return };
        for resolved in &mapping.relations {
            if let (Path::BelongsTo(keys), Some(back)) = (&resolved.path, resolved.back)
                && keys.iter().any(|pair| changed.contains(pair.key))
                && let Some(old) = self.by_saved_key(obj, keys, resolved.target)
            {
                self.pull(old, back, obj);
            }
        }
    }

    /// Brings to-one relationships in line with key columns that were written directly.
    pub(in crate::session) fn follow_keys(&mut self, written: &Written) {
        let Written { obj, columns: written, ref links, moved } = *written;
        let model = self.store(obj).model();
        let Ok(mapping) = model.mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            let Path::BelongsTo(keys) = &resolved.path else { continue };
            let is_written = keys.iter().any(|pair| written.contains(pair.key));
            if !is_written || links.iter().any(|link| link.keys == keys) {
                continue;
            }
            let parent = self.by_key(obj, keys, resolved.target);
            if let (true, Some(back)) = (moved, resolved.back)
                && let RelationRef::One(field) = self.store(obj).relation(obj.slot, relation)
                && let One::Loaded(Some(old)) = field.state
                && let Ok(old) = self.resolve(resolved.target, old)
            {
                self.pull(old, back, obj);
            }
            let is_null = keys.iter().any(|pair| self.store(obj).value(obj.slot, pair.key).is_null());
            let state = match parent {
                Some(parent) => One::Loaded(Some(self.handle(parent))),
                None if is_null => One::Loaded(None),
                None => One::Unloaded,
            };
            if let RelationRef::One(field) = self.store(obj).relation(obj.slot, relation) {
                let old = field.state;
                self.undo.push(Undo::Followed(obj, relation, old));
            }
            self.set_one_field_silently(obj, relation, state);
            if let (Some(parent), Some(back)) = (parent, resolved.back) {
                // No collection that was loaded can know a row that is new.
                if moved {
                    self.pull(parent, back, obj);
                }
                self.push(parent, back, obj);
            }
        }
    }

    /// Rows are gone, and by the foreign keys of the database perhaps others with them.
    pub(in crate::session) fn deleted(&mut self, model: &'static ModelDef, rows: &[Obj]) {
        self.leave(model, rows);
        for (child, reference) in self.references_to(model) {
            let fate = orphans(model, child, reference);
            if fate == Orphans::Kept {
                continue;
            }
            let expired = self.unload_expired(child, &reference.keys, rows);
            if expired && fate == Orphans::Deleted {
                self.perhaps_gone(child);
            }
            let mut met = self.referring(child, &reference.keys, rows);
            // Of a row that was deleted early the key may be another's now (SQLite numbers by the highest that is
            // there).
            met.retain(|obj| match self.planned(*obj, &reference.keys) {
                Some(Some(parent)) => rows.contains(&parent),
                _ => true,
            });
            match fate {
                _ if met.is_empty() => {}
                Orphans::Deleted => self.deleted(child, &met),
                // The database sets the whole key to NULL, the flush what no other key needs.
                Orphans::ToNull => {
                    let columns = reference.keys.iter().map(|pair| pair.key).collect();
                    met.into_iter().for_each(|obj| self.orphaned(obj, columns));
                }
                _ => self.all_orphaned(child, &reference.keys, met),
            }
        }
    }

    /// Rows went from one object to another, and what referred to them was seen to.
    fn switched(&mut self, plan: &Plan) {
        for sweep in &plan.sweeps {
            let expired = self.unload_expired(sweep.child, &sweep.reference.keys, &sweep.olds);
            if expired && sweep.fate == Orphans::Deleted {
                self.perhaps_gone(sweep.child);
            }
            let mut met = self.referring(sweep.child, &sweep.reference.keys, &sweep.olds);
            // What is linked to the new object was written again.
            met.retain(|obj| !matches!(self.planned(*obj, &sweep.reference.keys), Some(Some(_))));
            match sweep.fate {
                _ if met.is_empty() => {}
                Orphans::Deleted => self.deleted(sweep.child, &met),
                _ => self.all_orphaned(sweep.child, &sweep.reference.keys, met),
            }
        }
        for work in plan.models.iter().filter(|work| !work.switches.is_empty()) {
            let olds: Vec<Obj> = work.switches.iter().map(|switch| switch.old).collect();
            self.unlinked_from(&olds);
            self.leave(work.model, &olds);
            // Rows that nothing was done to are now the new object's, and nobody knows them.
            let Ok(mapping) = work.model.mapping() else { continue };
            for (relation, resolved) in mapping.relations.iter().enumerate() {
                let (Path::HasMany(keys) | Path::HasOne(keys)) = &resolved.path else { continue };
                let swept = plan
                    .sweeps
                    .iter()
                    .any(|sweep| std::ptr::eq(sweep.child, resolved.target) && sweep.reference.keys == *keys);
                if !swept && !super::switch::cascades(work.model, resolved.target, keys) {
                    work.switches.iter().for_each(|switch| self.unload_field(switch.new, relation));
                }
            }
        }
    }

    /// Objects that were linked to ones whose rows went to others lead to nothing now.
    fn unlinked_from(&mut self, olds: &[Obj]) {
        for obj in self.linked.clone() {
            let model = self.store(obj).model();
            let Ok(mapping) = model.mapping() else { continue };
            let links = self.store(obj).meta(obj.slot).links.clone();
            for link in links.iter().filter(|link| link.target.is_some_and(|target| olds.contains(&target))) {
                self.orphaned(obj, mapping.nulls(model, link.keys));
            }
        }
    }

    /// Rows lost their place in a one-to-one relationship to other ones, before these had it.
    fn evicted(&mut self, evictions: &[Eviction]) {
        for eviction in evictions {
            let Eviction { parent, child, keys } = *eviction;
            self.unload_expired(child, keys, &[parent]);
            let mut met = self.referring(child, keys, &[parent]);
            let columns = KeyPair::columns(keys);
            // What the flush wrote into a key came after.
            met.retain(|obj| {
                self.planned(*obj, keys).is_none() && self.key_in(*obj, &columns) == self.saved_key_in(*obj, &columns)
            });
            self.all_orphaned(child, keys, met);
        }
    }

    /// Objects that are to be read again no longer lead to `parents`: where they lead, their rows know. Whether there
    /// are any.
    fn unload_expired(&mut self, child: &'static ModelDef, keys: &[KeyPair], parents: &[Obj]) -> bool {
        let Ok(mapping) = child.mapping() else { return false };
        let gone: FxHashSet<Handle> = parents.iter().map(|obj| self.handle(*obj)).collect();
        let mut expired = self.all_of(child);
        expired.retain(|obj| self.is_expired(*obj) && self.planned(*obj, keys).is_none());
        let any = !expired.is_empty();
        for obj in expired {
            for (relation, resolved) in mapping.relations.iter().enumerate() {
                if let Path::BelongsTo(of) = &resolved.path
                    && of == keys
                    && let RelationRef::One(field) = self.store(obj).relation(obj.slot, relation)
                    && matches!(field.state, One::Loaded(Some(handle)) if gone.contains(&handle))
                {
                    self.set_one_field(obj, relation, One::Unloaded);
                }
            }
        }
        any
    }

    /// The objects of a model whose rows refer to others by a key.
    pub(in crate::session) fn referring(
        &self,
        child: &'static ModelDef,
        keys: &[KeyPair],
        parents: &[Obj],
    ) -> Vec<Obj> {
        let to = KeyPair::referred(keys);
        let columns = KeyPair::columns(keys);
        let wanted: FxHashSet<RowKey> = parents.iter().filter_map(|obj| self.key_in(*obj, &to)).collect();
        self.having(child, &columns, &wanted)
    }

    /// The objects of a model whose columns hold one of some keys.
    fn having(&self, child: &'static ModelDef, columns: &[usize], wanted: &FxHashSet<RowKey>) -> Vec<Obj> {
        let mut met = self.all_of(child);
        met.retain(|obj| {
            let meta = self.store(*obj).meta(obj.slot);
            meta.state == State::Persistent
                && !meta.expired
                && self.key_in(*obj, columns).is_some_and(|key| wanted.contains(&key))
        });
        met
    }

    /// Rows that were no objects of the session are gone, and objects may refer to them by these keys.
    pub(in crate::session) fn bereaved(
        &mut self,
        model: &'static ModelDef,
        child: &'static ModelDef,
        reference: &Reference,
        gone: &FxHashSet<RowKey>,
    ) {
        let columns = KeyPair::columns(&reference.keys);
        let met = self.having(child, &columns, gone);
        let fate = orphans(model, child, reference);
        if fate == Orphans::Deleted {
            self.perhaps_gone(child);
        }
        match fate {
            _ if met.is_empty() => {}
            Orphans::Deleted => self.deleted(child, &met),
            Orphans::ToNull => {
                let columns = columns.into_iter().collect();
                met.into_iter().for_each(|obj| self.orphaned(obj, columns));
            }
            Orphans::Nullify | Orphans::Kept => {}
        }
    }

    fn all_orphaned(&mut self, child: &'static ModelDef, keys: &[KeyPair], rows: Vec<Obj>) {
        let Ok(mapping) = child.mapping() else { return };
        let nulls = mapping.nulls(child, keys);
        for obj in rows {
            self.orphaned(obj, nulls);
            super::version::follow(self, obj);
        }
    }

    /// Key columns of a row became NULL.
    fn orphaned(&mut self, obj: Obj, columns: ColumnSet) {
        for column in columns.iter() {
            let old = self.store(obj).value(obj.slot, column).into_owned();
            self.undo.push(Undo::Filled(obj, column, old));
            // A column that the database sets to NULL can be NULL.
            let _ = self.store_mut(obj).set_value(obj.slot, column, Cell::from_value(&Value::Null));
        }
        let Ok(mapping) = self.store(obj).model().mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            let Path::BelongsTo(keys) = &resolved.path else { continue };
            if keys.iter().any(|pair| columns.contains(pair.key)) {
                self.set_one_field(obj, relation, One::Loaded(None));
            }
        }
    }

    /// Takes deleted objects out of the collections that they are in, of each collection all at once.
    fn leave(&mut self, model: &'static ModelDef, rows: &[Obj]) {
        let gone: FxHashSet<Handle> = rows.iter().map(|obj| self.handle(*obj)).collect();
        for (holder, relation) in self.holders(model, rows) {
            self.let_go(holder, relation, model, &gone);
        }
        for obj in rows {
            let store = self.store_mut(*obj);
            store.revert(obj.slot);
            store.unidentify(obj.slot);
            let meta = store.meta_mut(obj.slot);
            meta.state = State::Deleted;
            meta.doomed = false;
            meta.given = ColumnSet::EMPTY;
            meta.links.clear();
            self.expressions.remove(obj);
            self.undo.push(Undo::Deleted(*obj));
        }
    }

    /// Who may hold one of these objects, and by which relationship.
    fn holders(&self, model: &'static ModelDef, rows: &[Obj]) -> FxHashSet<(Obj, usize)> {
        let mut holders: FxHashSet<(Obj, usize)> = FxHashSet::default();
        for (relation, resolved) in model.resolved().iter().enumerate() {
            let Some(back) = resolved.back else { continue };
            let mut search = false;
            for obj in rows {
                // Where the row of one that is to be read again leads, nobody knows.
                search |= self.is_expired(*obj);
                match (&resolved.path, self.store(*obj).relation(obj.slot, relation)) {
                    (Path::BelongsTo(keys), _) => {
                        let parents = self.parents_known(*obj, relation, keys, resolved.target);
                        holders.extend(parents.into_iter().map(|one| (one, back)));
                    }
                    (Path::ManyToMany(_), RelationRef::Many(field)) => match field.state.handles() {
                        Some(all) => {
                            let here = all.iter().filter_map(|handle| self.resolve(resolved.target, *handle).ok());
                            holders.extend(here.map(|other| (other, back)));
                        }
                        // Not loaded here, but perhaps at the other end.
                        None => search = true,
                    },
                    _ => {}
                }
            }
            if search {
                holders.extend(self.all_of(resolved.target).into_iter().map(|other| (other, back)));
            }
        }
        holders
    }

    /// Takes objects of a model out of a collection, or out of the field of a one-to-one.
    fn let_go(&mut self, holder: Obj, relation: usize, model: &'static ModelDef, gone: &FxHashSet<Handle>) {
        let field = match self.store(holder).relation(holder.slot, relation) {
            RelationRef::Many(field) => field,
            RelationRef::One(field) => {
                let child = field.state.handle().filter(|handle| gone.contains(handle));
                if let Some(Ok(child)) = child.map(|handle| self.resolve(model, handle)) {
                    let state = self.left_by(holder, relation, child);
                    self.set_one_field(holder, relation, state);
                }
                return;
            }
        };
        let Some(all) = field.state.handles() else { return };
        if !all.iter().any(|handle| gone.contains(handle)) {
            return;
        }
        let left: Vec<Handle> = all.iter().copied().filter(|handle| !gone.contains(handle)).collect();
        let old = field.state.clone();
        let (length, partial) = (left.len() as u32, old.is_partial());
        self.undo.push(Undo::Many(holder, relation, old));
        self.set_many_field(holder, relation, Many::part(&Arc::new(left), 0..length, partial));
    }

    /// All objects of a model.
    pub(in crate::session) fn all_of(&self, model: &'static ModelDef) -> Vec<Obj> {
        let Some(store) = self.find_store(model) else { return Vec::new() };
        let id = model.id.get() as u32;
        (0..store.slots()).filter(|slot| store.occupied(*slot)).map(|slot| Obj { model: id, slot }).collect()
    }
}
