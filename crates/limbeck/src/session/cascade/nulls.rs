//! Whose rows lose their keys when an object is deleted: those of relationships without the cascade `delete`.

use crate::model::mapping::{KeyPair, Path};
use crate::model::{Cascade, ModelDef, PassiveDeletes, RelationRef};
use crate::session::objects::{Obj, Objects};

/// The relationships of a model whose key the other model has, and is set to NULL by a flush that deletes an object:
/// which, that model, and the key.
pub(in crate::session) fn nulling(
    model: &'static ModelDef,
) -> impl Iterator<Item = (usize, &'static ModelDef, &'static [KeyPair])> {
    let relations = model.resolved();
    relations.iter().enumerate().filter_map(|(relation, resolved)| {
        let options = &model.relations[relation].options;
        let left = options.passive_deletes == PassiveDeletes::All || options.cascade.contains(Cascade::DELETE);
        match &resolved.path {
            Path::HasMany(keys) | Path::HasOne(keys) if !left => Some((relation, resolved.target, keys.as_slice())),
            _ => None,
        }
    })
}

impl Objects {
    /// Whether the rows that a relationship of a deleted object leads to have to be written. Not if they are left to
    /// the database, and not if all of them are known to go as well, unless that is `needed` nevertheless (others of
    /// them are written, and may have got the key otherwise).
    pub(in crate::session) fn is_nulling(&self, obj: Obj, relation: usize, needed: bool) -> bool {
        let store = self.store(obj);
        let target = (store.model().relations[relation].target)();
        let going = |handle| self.resolve(target, handle).is_ok_and(|child| self.is_going(child));
        match store.relation(obj.slot, relation) {
            _ if !self.is_complete(obj, relation) => !self.is_passive(obj, relation),
            RelationRef::One(field) => match field.state.handle() {
                None => !self.is_passive(obj, relation),
                Some(child) => needed || !going(child),
            },
            RelationRef::Many(field) => {
                let handles = field.state.handles().unwrap_or_default();
                // An empty one may have been filled by others since.
                let unknown = needed || handles.is_empty();
                (unknown && !self.is_passive(obj, relation)) || !handles.iter().copied().all(going)
            }
        }
    }

    /// Whether what is not loaded of a relationship is left to the database.
    pub(in crate::session) fn is_passive(&self, obj: Obj, relation: usize) -> bool {
        self.store(obj).model().relations[relation].options.passive_deletes != PassiveDeletes::No
    }
}
