//! What was found, with what was linked or unlinked since, into the fields of the owners.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::model::{Handle, Many, ModelDef, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::undo::Undo;

impl Objects {
    /// Sets a to-one field to the object that its key says. Where that one leads back to one object alone, which is
    /// `back`, this is it; unless its place was taken.
    pub(super) fn loaded_parent(&mut self, owner: Obj, relation: usize, parent: Obj, back: Option<usize>) {
        let mut target = Some(self.handle(parent));
        if let Some(back) = back {
            if self.is_evicting((parent, back)) && !self.is_going(owner) {
                target = None;
            } else if !self.is_loaded(parent, back) && !self.is_going(owner) {
                let owner = self.handle(owner);
                self.loaded_one(parent, back, Some(owner));
            }
        }
        self.loaded_one(owner, relation, target);
    }

    /// Sets the one-to-one fields of all owners. Where a row was found and another object is to have its place,
    /// that one comes last in `pairs`, and counts.
    pub(super) fn fill_ones(&mut self, owners: &[Obj], relation: usize, pairs: &[(u32, Handle)]) {
        let mut found: Vec<Option<Handle>> = vec![None; owners.len()];
        for (owner, handle) in pairs {
            found[*owner as usize] = Some(*handle);
        }
        for (owner, handle) in owners.iter().zip(found) {
            self.loaded_one(*owner, relation, handle);
        }
    }

    /// Merges the planned rows of an association into what the database said.
    pub(super) fn merge_rows(
        &self,
        model: &'static ModelDef,
        relation: usize,
        target: &'static ModelDef,
        owners: &[Obj],
        pairs: &mut Vec<(u32, Handle)>,
    ) {
        let mut added = Vec::new();
        let mut planned: FxHashSet<(u32, Handle)> = FxHashSet::default();
        for row in self.link_rows.values() {
            if row.owner.relations[row.relation].secondary != model.relations[relation].secondary {
                continue;
            }
            // From whichever end the row was planned: only between rows of one table does it matter.
            let same_side = std::ptr::eq(row.owner, model) && row.relation == relation;
            let both = [(row.local, row.remote, true), (row.remote, row.local, false)];
            for (own, other, forth) in both {
                let meant = forth == same_side || !std::ptr::eq(model, target);
                if meant
                    && other.model == target.id.get() as u32
                    && let Ok(owner) = owners.binary_search(&own)
                {
                    let pair = (owner as u32, self.handle(other));
                    planned.insert(pair);
                    if row.add && !self.is_going(other) {
                        added.push(pair);
                    }
                }
            }
        }
        if !planned.is_empty() {
            pairs.retain(|pair| !planned.contains(pair));
            added.sort_unstable();
            pairs.append(&mut added);
        }
    }

    /// Sets the collections of all owners: one slice, of which each gets its range.
    pub(super) fn fill(&mut self, owners: &[Obj], relation: usize, mut pairs: Vec<(u32, Handle)>, partial: bool) {
        // Stable: the database's order holds within a collection.
        pairs.sort_by_key(|(owner, _)| *owner);
        let shared = Arc::new(pairs.iter().map(|(_, handle)| *handle).collect::<Vec<_>>());
        let mut start = 0;
        let writing = self.is_writing();
        for (position, owner) in owners.iter().enumerate() {
            let length = pairs[start..].iter().take_while(|(of, _)| *of as usize == position).count();
            let range = start as u32..(start + length) as u32;
            if writing && let RelationRef::Many(field) = self.store(*owner).relation(owner.slot, relation) {
                let state = field.state.clone();
                self.undo.push(Undo::Many(*owner, relation, state));
            }
            self.set_many_field(*owner, relation, Many::part(&shared, range, partial));
            start += length;
        }
    }
}
