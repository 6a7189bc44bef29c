//! What a flush that succeeded leaves in memory.

use rustc_hash::FxHashSet;

use super::plan::{Orphans, Plan, orphans};
use crate::model::mapping::Path;
use crate::model::{ColumnSet, Handle, Many, ModelDef, One, RelationRef};
use crate::session::load::KeyValue;
use crate::session::objects::{Obj, Objects};
use crate::session::store::{KeyLink, State};
use crate::session::undo::Undo;
use crate::types::{Cell, Value};

impl Objects {
    /// Makes memory agree with what was sent.
    pub(super) fn finish(&mut self, plan: Plan) {
        for work in &plan.models {
            for obj in &work.inserts {
                self.inserted(*obj);
            }
            for obj in &work.updates {
                self.updated(*obj);
            }
        }
        for work in &plan.models {
            if !work.deletes.is_empty() {
                self.deleted(work.model, &work.deletes);
            }
        }
        for store in self.stores_mut() {
            for slot in store.take_touched() {
                // Borrowed, and found to be the same.
                if store.occupied(slot) {
                    store.take_saved(slot);
                }
            }
        }
        self.pending.clear();
        self.doomed.clear();
        self.linked.clear();
        self.link_rows.clear();
        self.refused.clear();
    }

    fn inserted(&mut self, obj: Obj) {
        let store = self.store_mut(obj);
        store.take_saved(obj.slot);
        store.identify(obj.slot);
        let meta = store.meta_mut(obj.slot);
        let given = std::mem::replace(&mut meta.given, ColumnSet::EMPTY);
        let links = std::mem::take(&mut meta.links);
        meta.state = State::Persistent;
        self.undo.push(Undo::Inserted(obj, given));
        let all = ColumnSet::first(self.store(obj).model().columns.len());
        self.follow_keys(obj, all, &links, false);
    }

    fn updated(&mut self, obj: Obj) {
        let changed = self.store(obj).changed(obj.slot);
        let links = std::mem::take(&mut self.store_mut(obj).meta_mut(obj.slot).links);
        self.follow_keys(obj, changed, &links, true);
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
    }

    /// Brings to-one relationships in line with key columns that were written directly.
    fn follow_keys(&mut self, obj: Obj, written: ColumnSet, links: &[KeyLink], moved: bool) {
        let model = self.store(obj).model();
        let Ok(mapping) = model.mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            let Path::BelongsTo { key, to } = resolved.path else { continue };
            if !written.contains(key) || links.iter().any(|link| link.column == key) {
                continue;
            }
            let parent = self.by_key(obj, key, resolved.target, to);
            if let (true, Some(back)) = (moved, resolved.back)
                && let RelationRef::One(field) = self.store(obj).relation(obj.slot, relation)
                && let One::Loaded(Some(old)) = field.state
                && let Ok(old) = self.resolve(resolved.target, old)
            {
                self.pull(old, back, obj);
            }
            let is_null = self.store(obj).value(obj.slot, key).is_null();
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
    fn deleted(&mut self, model: &'static ModelDef, rows: &[Obj]) {
        self.leave(model, rows);
        let mut fates = Vec::new();
        for store in self.stores() {
            let child = store.model();
            for (key, column) in child.columns.iter().enumerate() {
                if let Some(foreign) = &column.foreign_key
                    && std::ptr::eq((foreign.target)(), model)
                    && let Some(from) = model.column_of_field(foreign.field)
                {
                    fates.push((child, key, from, orphans(model, child, key)));
                }
            }
        }
        for (child, key, from, fate) in fates {
            if fate == Orphans::Kept {
                continue;
            }
            let keys: FxHashSet<KeyValue> =
                rows.iter().map(|obj| KeyValue(self.store(*obj).value(obj.slot, from).into_owned())).collect();
            let mut met = self.all_of(child);
            met.retain(|obj| {
                let meta = self.store(*obj).meta(obj.slot);
                meta.state == State::Persistent
                    && !meta.expired
                    && keys.contains(&KeyValue(self.store(*obj).value(obj.slot, key).into_owned()))
            });
            match fate {
                _ if met.is_empty() => {}
                Orphans::Deleted => self.deleted(child, &met),
                _ => met.into_iter().for_each(|obj| self.orphaned(obj, key)),
            }
        }
    }

    /// A row's key column became NULL.
    fn orphaned(&mut self, obj: Obj, key: usize) {
        let old = self.store(obj).value(obj.slot, key).into_owned();
        self.undo.push(Undo::Filled(obj, key, old));
        // A column that the database sets to NULL can be NULL.
        let _ = self.store_mut(obj).set_value(obj.slot, key, Cell::from_value(&Value::Null));
        let Ok(mapping) = self.store(obj).model().mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            if matches!(resolved.path, Path::BelongsTo { key: of, .. } if of == key) {
                self.set_one_field(obj, relation, One::Loaded(None));
            }
        }
    }

    /// Takes deleted objects out of the collections that they are in, of each collection all at once.
    fn leave(&mut self, model: &'static ModelDef, rows: &[Obj]) {
        let gone: FxHashSet<Handle> = rows.iter().map(|obj| self.handle(*obj)).collect();
        let mut holders: FxHashSet<(Obj, usize)> = FxHashSet::default();
        if let Ok(mapping) = model.mapping() {
            for (relation, resolved) in mapping.relations.iter().enumerate() {
                let Some(back) = resolved.back else { continue };
                let mut search = false;
                for obj in rows {
                    match (&resolved.path, self.store(*obj).relation(obj.slot, relation)) {
                        (Path::BelongsTo { key, to }, _) => {
                            holders.extend(self.by_key(*obj, *key, resolved.target, *to).map(|one| (one, back)));
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
        }
        for (holder, relation) in holders {
            let RelationRef::Many(field) = self.store(holder).relation(holder.slot, relation) else { continue };
            let Some(all) = field.state.handles() else { continue };
            if !all.iter().any(|handle| gone.contains(handle)) {
                continue;
            }
            let left = all.iter().copied().filter(|handle| !gone.contains(handle)).collect();
            let old = field.state.clone();
            self.undo.push(Undo::Many(holder, relation, old));
            self.set_many_field(holder, relation, Many::of(left));
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
            self.undo.push(Undo::Deleted(*obj));
        }
    }

    /// All objects of a model.
    fn all_of(&self, model: &'static ModelDef) -> Vec<Obj> {
        let Some(store) = self.find_store(model) else { return Vec::new() };
        let id = model.id.get() as u32;
        (0..store.slots()).filter(|slot| store.occupied(*slot)).map(|slot| Obj { model: id, slot }).collect()
    }
}
