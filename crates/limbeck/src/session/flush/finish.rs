//! What a flush that succeeded leaves in memory.

use rustc_hash::FxHashSet;

use super::plan::{Orphans, Plan, orphans};
use crate::model::mapping::Path;
use crate::model::{ColumnSet, Handle, One, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::store::{KeyLink, State};
use crate::session::undo::Undo;

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
            for obj in &work.deletes {
                self.deleted(*obj);
            }
            for relation in 0..work.model.relations.len() {
                self.leave_orphans(work.model, relation, &work.deletes);
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
        self.broken.clear();
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
        store.unidentify(obj.slot);
        let saved = store.take_saved(obj.slot);
        store.identify(obj.slot);
        store.meta_mut(obj.slot).given = ColumnSet::EMPTY;
        if let Some(saved) = saved {
            self.undo.push(Undo::Updated(obj, saved));
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
            self.set_one_field(obj, relation, state);
            if let (Some(parent), Some(back)) = (parent, resolved.back) {
                let handle = self.handle(obj);
                let known = match self.store(parent).relation(parent.slot, back) {
                    RelationRef::Many(field) => field.state.handles().is_some_and(|all| all.contains(&handle)),
                    RelationRef::One(_) => false,
                };
                if !known {
                    self.push(parent, back, obj);
                }
            }
        }
    }

    /// An object's row is gone: collections no longer hold it.
    fn deleted(&mut self, obj: Obj) {
        let model = self.store(obj).model();
        if let Ok(mapping) = model.mapping() {
            for (relation, resolved) in mapping.relations.iter().enumerate() {
                let Some(back) = resolved.back else { continue };
                match &resolved.path {
                    Path::BelongsTo { key, to } => {
                        if let Some(parent) = self.by_key(obj, *key, resolved.target, *to) {
                            self.pull(parent, back, obj);
                        }
                    }
                    Path::ManyToMany(_) => {
                        let others: Vec<Obj> = match self.store(obj).relation(obj.slot, relation) {
                            RelationRef::Many(field) if field.state.handles().is_some() => {
                                let handles: Vec<Handle> = field.state.handles().unwrap_or_default().to_vec();
                                handles.into_iter().filter_map(|h| self.resolve(resolved.target, h).ok()).collect()
                            }
                            // Not loaded here, but perhaps at the other end.
                            _ => self.all_of(resolved.target),
                        };
                        for other in others {
                            self.pull(other, back, obj);
                        }
                    }
                    Path::HasMany { .. } => {}
                }
            }
        }
        let store = self.store_mut(obj);
        store.revert(obj.slot);
        store.unidentify(obj.slot);
        let meta = store.meta_mut(obj.slot);
        meta.state = State::Deleted;
        meta.doomed = false;
        meta.links.clear();
        self.undo.push(Undo::Deleted(obj));
    }

    /// What the deletion of rows did to those that referred to them.
    fn leave_orphans(&mut self, model: &'static crate::model::ModelDef, relation: usize, deleted: &[Obj]) {
        if deleted.is_empty() {
            return;
        }
        let Ok(Some((target, key, from, fate))) = orphans(model, relation) else { return };
        let back = model.mapping().ok().and_then(|mapping| mapping.relations[relation].back);
        let keys: Vec<_> = deleted.iter().map(|obj| self.store(*obj).value(obj.slot, from).into_owned()).collect();
        let gone: FxHashSet<Handle> = deleted.iter().map(|obj| self.handle(*obj)).collect();
        for child in self.all_of(target) {
            if self.state(child) != State::Persistent {
                continue;
            }
            let value = self.store(child).value(child.slot, key).into_owned();
            if !keys.iter().any(|key| super::check::same(key, &value)) {
                continue;
            }
            match fate {
                Orphans::Deleted => {
                    self.deleted(child);
                    for relation in 0..target.relations.len() {
                        self.leave_orphans(target, relation, &[child]);
                    }
                }
                Orphans::Nulled | Orphans::ToNull => {
                    self.undo.push(Undo::Filled(child, key, value));
                    let null = crate::types::Value::Null;
                    // A nullable column reads NULL.
                    let _ = self.store_mut(child).set_value(child.slot, key, crate::types::Cell::from_value(&null));
                    if let Some(back) = back
                        && let RelationRef::One(field) = self.store(child).relation(child.slot, back)
                        && matches!(field.state, One::Loaded(Some(handle)) if gone.contains(&handle))
                    {
                        self.set_one_field(child, back, One::Loaded(None));
                    }
                }
                Orphans::Kept => {}
            }
        }
    }

    /// All objects of a model.
    fn all_of(&self, model: &'static crate::model::ModelDef) -> Vec<Obj> {
        let Some(store) = self.find_store(model) else { return Vec::new() };
        let id = model.id.get() as u32;
        (0..store.len()).filter(|slot| store.occupied(*slot)).map(|slot| Obj { model: id, slot }).collect()
    }
}
