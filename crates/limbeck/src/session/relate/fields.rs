//! Relationship fields: what they hold, and changing it so that a rollback finds the way back.

use crate::model::{Many, One, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::undo::Undo;

impl Objects {
    /// Whether a relationship field holds an object; `None` if it is not loaded, or a part is that has it not.
    pub(super) fn holds(&self, obj: Obj, relation: usize, target: Obj) -> Option<bool> {
        let handle = self.handle(target);
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::Many(field) => match field.state.handles().map(|handles| handles.contains(&handle)) {
                Some(false) if field.state.is_partial() => None,
                known => known,
            },
            RelationRef::One(field) => (field.state != One::Unloaded).then(|| field.state == One::Loaded(Some(handle))),
        }
    }

    /// Puts an object into a loaded collection, or into the field that leads to it alone. The caller knows that it is
    /// not in it yet.
    pub(in crate::session) fn push(&mut self, obj: Obj, relation: usize, target: Obj) {
        let handle = self.handle(target);
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::Many(field) if field.state != Many::Unloaded => {
                self.undo.push(Undo::Pushed(obj, relation, handle));
                self.store_mut(obj).change_many(obj.slot, relation, &mut |handles| handles.push(handle));
            }
            RelationRef::Many(_) => {}
            RelationRef::One(_) => self.set_one_field(obj, relation, One::Loaded(Some(handle))),
        }
    }

    /// Takes an object out of a loaded collection, or out of the field that leads to it alone.
    pub(in crate::session) fn pull(&mut self, obj: Obj, relation: usize, target: Obj) {
        let handle = self.handle(target);
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::Many(field) => {
                let all = field.state.handles();
                if let Some(at) = all.and_then(|all| all.iter().position(|other| *other == handle)) {
                    self.undo.push(Undo::Pulled(obj, relation, at, handle));
                    self.store_mut(obj).change_many(obj.slot, relation, &mut |handles| {
                        handles.remove(at);
                    });
                }
            }
            RelationRef::One(field) => {
                if field.state == One::Loaded(Some(handle)) {
                    self.set_one_field(obj, relation, One::Loaded(None));
                }
            }
        }
    }

    /// Makes a field unloaded, since what it holds is no longer known.
    pub(in crate::session) fn unload_field(&mut self, obj: Obj, relation: usize) {
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::Many(_) => self.set_many_field(obj, relation, Many::Unloaded),
            RelationRef::One(_) => self.set_one_field(obj, relation, One::Unloaded),
        }
    }
}
