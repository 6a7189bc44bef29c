//! Objects that are to be read again, when rows go that take others along.
//!
//! What an expired object holds in memory says nothing of its row: its key may lead to the row that goes, and then the
//! database took it along. Only reading it again tells. Until then nothing may say that it is there, so the collections
//! that have it are unloaded, and what refers to it is to be read again as well.

use rustc_hash::FxHashSet;

use super::plan::{Orphans, orphans};
use crate::model::mapping::{Path, Reference};
use crate::model::{ColumnSet, Handle, ModelDef, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::session::undo::Undo;

impl Objects {
    /// Rows are gone that take along those of `model` which refer to them; some of these are expired.
    pub(in crate::session) fn perhaps_gone(&mut self, model: &'static ModelDef) {
        let mut models = vec![model];
        let mut done: FxHashSet<Obj> = FxHashSet::default();
        while let Some(model) = models.pop() {
            let mut unsure = self.all_of(model);
            unsure.retain(|obj| self.is_expired(*obj) && self.state(*obj) == State::Persistent && !done.contains(obj));
            if unsure.is_empty() {
                continue;
            }
            done.extend(&unsure);
            self.unload_holders(model, &unsure);
            for (child, reference) in self.references_to(model) {
                let fate = orphans(model, child, reference);
                if fate == Orphans::Kept {
                    continue;
                }
                for obj in self.referring(child, &reference.keys, &unsure) {
                    self.reread_later(obj);
                }
                if fate == Orphans::Deleted {
                    models.push(child);
                }
            }
        }
    }

    /// The keys by which models of the session refer to another.
    pub(super) fn references_to(&self, model: &'static ModelDef) -> Vec<(&'static ModelDef, &'static Reference)> {
        let mut found = Vec::new();
        for child in self.stores().map(|store| store.model()) {
            let to_it = child.references().iter().filter(|reference| std::ptr::eq(reference.target, model));
            found.extend(to_it.map(|reference| (child, reference)));
        }
        found
    }

    fn reread_later(&mut self, obj: Obj) {
        let store = self.store_mut(obj);
        let meta = store.meta_mut(obj.slot);
        meta.expired = true;
        meta.given = ColumnSet::EMPTY;
        store.unload(obj.slot);
    }

    /// Rows of objects that are to be read again got other values of these columns, and so perhaps other parents: whoever
    /// has them in a collection, or is to have them, is unloaded.
    pub(in crate::session) fn perhaps_moved(&mut self, model: &'static ModelDef, objs: &[Obj], columns: ColumnSet) {
        for (relation, resolved) in model.resolved().iter().enumerate() {
            let Path::BelongsTo(keys) = &resolved.path else { continue };
            if !keys.iter().any(|pair| columns.contains(pair.key)) {
                continue;
            }
            self.unload_holders_by(relation, model, objs);
            let Some(back) = resolved.back else { continue };
            let parents: FxHashSet<Obj> =
                objs.iter().filter_map(|obj| self.by_key(*obj, keys, resolved.target)).collect();
            for parent in parents {
                self.unload_to_be_loaded(parent, back);
            }
        }
    }

    /// Unloads whatever holds one of these objects at the other end of a relationship.
    fn unload_holders(&mut self, model: &'static ModelDef, objs: &[Obj]) {
        for relation in 0..model.relations.len() {
            self.unload_holders_by(relation, model, objs);
        }
    }

    fn unload_holders_by(&mut self, relation: usize, model: &'static ModelDef, objs: &[Obj]) {
        let wanted: FxHashSet<Handle> = objs.iter().map(|obj| self.handle(*obj)).collect();
        let Some(resolved) = model.resolved().get(relation) else { return };
        if let Some(back) = resolved.back {
            for holder in self.all_of(resolved.target) {
                match self.store(holder).relation(holder.slot, back) {
                    RelationRef::Many(field) => {
                        if field.state.handles().is_some_and(|all| all.iter().any(|handle| wanted.contains(handle))) {
                            self.unload_to_be_loaded(holder, back);
                        }
                    }
                    RelationRef::One(field) => {
                        if field.state.handle().is_some_and(|handle| wanted.contains(&handle)) {
                            self.unload_field(holder, back);
                        }
                    }
                }
            }
        }
    }

    /// Unloads a field, and a rollback brings back what it held.
    fn unload_to_be_loaded(&mut self, holder: Obj, relation: usize) {
        if let RelationRef::Many(field) = self.store(holder).relation(holder.slot, relation) {
            let state = field.state.clone();
            self.undo.push(Undo::Many(holder, relation, state));
        }
        self.unload_field(holder, relation);
    }
}
