//! `single_parent`: an object has one parent by the relationship, and a second is an error at the call.

use crate::error::{Error, Result};
use crate::model::mapping::Path;
use crate::model::{ModelDef, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;

impl Objects {
    /// Refuses a second parent of `target` by a relationship with `single_parent`.
    ///
    /// What the session knows is looked at, not the database. Of an object that has no row yet that is what was
    /// noted when it was linked; else all objects of the parent's model are gone through.
    pub(in crate::session) fn check_single_parent(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        let model = self.store(owner).model();
        if !model.relations[relation].options.single_parent {
            return Ok(());
        }
        if self.has_other_parent(owner, relation, target) {
            return Err(Error::InvalidState {
                model: self.store(target).model().name,
                reason: format!(
                    "has a parent by `{}` already, which is `single_parent`: unlink it from that one first",
                    model.relations[relation].label
                ),
            });
        }
        Ok(())
    }

    /// Whether another object than `owner` is known to lead to `target` by a relationship.
    pub(in crate::session) fn has_other_parent(&self, owner: Obj, relation: usize, target: Obj) -> bool {
        self.other_parent(owner, self.store(owner).model(), relation, target).is_some()
    }

    /// Notes who has an object, so that the next who wants it need not search.
    pub(in crate::session) fn note_single_parent(&mut self, owner: Obj, relation: usize, target: Obj) {
        if self.store(owner).model().relations[relation].options.single_parent {
            self.single.insert((owner.model, relation, target), owner);
        }
    }

    fn other_parent(&self, owner: Obj, model: &'static ModelDef, relation: usize, target: Obj) -> Option<Obj> {
        let is_other = |other: &Obj| *other != owner && self.is_parent(*other, model, relation, target);
        let noted = self.single.get(&(owner.model, relation, target)).copied();
        if let Some(noted) = noted.filter(|noted| self.store(*noted).occupied(noted.slot)).filter(is_other) {
            return Some(noted);
        }
        if self.state(target) != State::Persistent {
            return None;
        }
        let store = self.find_store(model)?;
        let objs = (0..store.slots()).map(|slot| Obj { model: owner.model, slot });
        objs.filter(|obj| store.occupied(obj.slot)).find(is_other)
    }

    fn is_parent(&self, parent: Obj, model: &'static ModelDef, relation: usize, target: Obj) -> bool {
        if self.is_going(parent) || self.state(parent) == State::Transient {
            return false;
        }
        let Ok(mapping) = model.mapping() else { return false };
        match &mapping.relations[relation].path {
            Path::BelongsTo(keys) => self.points_to(parent, keys, target),
            _ => match self.store(parent).relation(parent.slot, relation) {
                RelationRef::Many(field) => {
                    let handle = self.handle(target);
                    field.state.handles().is_some_and(|handles| handles.contains(&handle))
                }
                RelationRef::One(_) => false,
            },
        }
    }
}
