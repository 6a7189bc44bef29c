//! Relationships that lead to one object.
//!
//! Of a one-to-one, two objects may want the place that only one can have. The one that leaves gets NULL for a
//! key, at once where the session knows it. Where it does not (the field is not loaded, or the object was
//! expunged) the flush sets the key of whatever row is there to NULL before it writes the new one.

use super::keys::check_nullable;
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path};
use crate::model::{Cascade, One, RelationKind, RelationRef};
use crate::session::cascade::is_claimed;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;

impl Objects {
    /// Points a to-one relationship to another object, or to none, and moves the object from one collection
    /// to the other.
    pub(super) fn set_one(&mut self, owner: Obj, relation: usize, target: Option<Obj>) -> Result<()> {
        self.check_owner(owner)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        let Path::BelongsTo(keys) = &resolved.path else { return Ok(()) };
        let label = model.relations[relation].label;
        let claimed = target.is_none() && is_claimed(model, keys, label);
        if target.is_none() && !claimed {
            check_nullable(model, keys, label)?;
        }
        let old = match self.store(owner).relation(owner.slot, relation) {
            RelationRef::One(field) => field.state,
            RelationRef::Many(_) => return Ok(()),
        };
        let new = One::Loaded(target.map(|target| self.handle(target)));
        if old == new {
            return Ok(());
        }
        if let (Some(target), Some(back)) = (target, resolved.back) {
            self.displace(target, back, owner)?;
        }
        // The parent that it leaves: the one in the field or, unloaded, the one with that key, if it is here.
        let parent = match old {
            // One that was expunged may be here again, with another handle.
            One::Loaded(Some(handle)) => {
                let here = self.resolve(resolved.target, handle).ok();
                here.or_else(|| self.by_key(owner, keys, resolved.target))
            }
            One::Loaded(None) => None,
            One::Unloaded => self.by_key(owner, keys, resolved.target),
        };
        self.refused.retain(|refused| refused.place != Some((owner, relation)));
        self.set_one_field(owner, relation, new);
        if let (Some(back), Some(parent)) = (resolved.back, parent) {
            self.pull(parent, back, owner);
        }
        self.plan_key(owner, keys, target, label);
        if let Some(target) = target {
            self.note_single_parent(owner, relation, target);
            if let Some(back) = resolved.back {
                self.push(target, back, owner);
            }
        }
        if claimed {
            self.drop_pending_orphan(owner);
        }
        if let Some(parent) = parent
            && self.cascades(owner, relation, Cascade::DELETE_ORPHAN)
            && self.state(parent) == State::Pending
            && !self.has_other_parent(owner, relation, parent)
        {
            self.drop_pending_orphan(parent);
        }
        Ok(())
    }

    /// Makes a to-one relationship, which is loaded if it is a one-to-one, lead to nothing.
    pub(super) fn clear_one(&mut self, owner: Obj, relation: usize) -> Result<()> {
        let model = self.store(owner).model();
        if model.relations[relation].kind != RelationKind::HasOne {
            return self.set_one(owner, relation, None);
        }
        let target = (model.relations[relation].target)();
        match self.one(owner, relation).map(|handle| self.resolve(target, handle)) {
            Some(Ok(child)) if !self.is_going(child) => self.unlink(owner, relation, child),
            _ => Ok(()),
        }
    }

    /// Makes room for `newcomer` in a relationship of `parent`, if it is a one-to-one.
    pub(super) fn displace(&mut self, parent: Obj, relation: usize, newcomer: Obj) -> Result<()> {
        let model = self.store(parent).model();
        let resolved = &model.mapping()?.relations[relation];
        let Path::HasOne(keys) = &resolved.path else { return Ok(()) };
        let RelationRef::One(field) = self.store(parent).relation(parent.slot, relation) else { return Ok(()) };
        let child = match field.state {
            One::Loaded(None) => return Ok(()),
            One::Loaded(Some(handle)) => self.resolve(resolved.target, handle).ok(),
            // Taken before, so that somebody is to have it.
            One::Unloaded if self.is_evicting((parent, relation)) => {
                let id = resolved.target.id.get() as u32;
                let wants = |child: &Obj| {
                    // Keys of other models may have the same columns.
                    child.model == id && *child != newcomer && self.planned(*child, keys) == Some(Some(parent))
                };
                self.linked.iter().copied().find(wants)
            }
            One::Unloaded => None,
        };
        match child {
            Some(child) if child == newcomer || self.is_going(child) => Ok(()),
            // It was rolled back, and has no row to make room with.
            Some(child) if self.state(child) == State::Transient => Ok(()),
            Some(child) => match resolved.back {
                Some(back) => self.set_one(child, back, None),
                None => self.end_key(child, keys, parent, relation),
            },
            None if !self.is_expired(newcomer) && self.points_to(newcomer, keys, parent) => Ok(()),
            None => {
                self.take_place(parent, relation);
                Ok(())
            }
        }
    }

    /// Before the relationships of an object are unloaded: whoever is to have a place that one of them says is noted, so
    /// that it is known when another one takes it.
    pub(in crate::session) fn note_places(&mut self, parent: Obj) {
        if self.linked.is_empty() {
            return;
        }
        for (relation, resolved) in self.store(parent).model().resolved().iter().enumerate() {
            if let Path::HasOne(keys) = &resolved.path
                && let Some(Ok(child)) = self.one(parent, relation).map(|handle| self.resolve(resolved.target, handle))
                && self.planned(child, keys) == Some(Some(parent))
            {
                self.take_place(parent, relation);
            }
        }
    }

    /// Has the flush set the key of whoever has a place to NULL, where it can be.
    fn take_place(&mut self, parent: Obj, relation: usize) {
        let resolved = &self.store(parent).model().resolved()[relation];
        let Path::HasOne(keys) = &resolved.path else { return };
        let nulls = resolved.target.mapping().is_ok_and(|child| !child.nulls(resolved.target, keys).is_empty());
        let orphans = self.cascades(parent, relation, Cascade::DELETE_ORPHAN);
        if self.state(parent) == State::Persistent && (orphans || nulls) {
            self.evictions.insert((parent, relation));
        }
    }

    /// Ends what a key says that no field of the child is for.
    pub(super) fn end_key(&mut self, child: Obj, keys: &'static [KeyPair], parent: Obj, relation: usize) -> Result<()> {
        let label = self.store(parent).model().relations[relation].label;
        let model = self.store(child).model();
        let claimed = is_claimed(model, keys, label);
        if !claimed {
            check_nullable(model, keys, label)?;
        }
        self.pull(parent, relation, child);
        self.plan_key(child, keys, None, label);
        if claimed {
            self.drop_pending_orphan(child);
        }
        Ok(())
    }

    /// What a loaded to-one field holds.
    fn one(&self, obj: Obj, relation: usize) -> Option<crate::model::Handle> {
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::One(field) => match field.state {
                One::Loaded(handle) => handle,
                One::Unloaded => None,
            },
            RelationRef::Many(_) => None,
        }
    }
}
