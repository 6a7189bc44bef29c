//! Key columns: what they say now, and what they are planned to say after the next flush.

use crate::error::{Error, Result};
use crate::model::mapping::KeyPair;
use crate::model::{ModelDef, One, RelationRef};
use crate::session::flush::check;
use crate::session::objects::{Obj, Objects};
use crate::session::store::{KeyLink, State};
use crate::types::Value;

impl Objects {
    /// Whether the values of an object may no longer be those of its row.
    pub(in crate::session) fn is_expired(&self, obj: Obj) -> bool {
        self.store(obj).meta(obj.slot).expired
    }

    /// The plan for a key, if there is one.
    pub(in crate::session) fn link_of(&self, child: Obj, keys: &[KeyPair]) -> Option<&KeyLink> {
        self.store(child).meta(child.slot).links.iter().find(|link| link.keys == keys)
    }

    /// What the next flush will make a key say: `None` if nothing, `Some(None)` for NULL.
    pub(in crate::session) fn planned(&self, child: Obj, keys: &[KeyPair]) -> Option<Option<Obj>> {
        self.link_of(child, keys).map(|link| link.target)
    }

    /// Whether a key says another object, or will after the next flush.
    pub(in crate::session) fn points_to(&self, child: Obj, keys: &[KeyPair], parent: Obj) -> bool {
        match self.planned(child, keys) {
            Some(target) => target == Some(parent),
            None => {
                let (child_store, parent_store) = (self.store(child), self.store(parent));
                self.state(parent) == State::Persistent
                    && keys.iter().all(|pair| {
                        let value = child_store.value(child.slot, pair.key);
                        !value.is_null() && check::same(&value, &parent_store.value(parent.slot, pair.to))
                    })
            }
        }
    }

    /// The object that a key says, or will after the next flush, if the session has it.
    pub(super) fn parent(&self, child: Obj, keys: &[KeyPair], target: &'static ModelDef) -> Option<Obj> {
        match self.planned(child, keys) {
            Some(parent) => parent,
            None => self.by_key(child, keys, target),
        }
    }

    /// All objects that may hold another in a collection: the one that it leads to, the one that it is planned to lead
    /// to, and those whose keys it has, and had at the last flush.
    pub(in crate::session) fn parents_known(
        &self,
        child: Obj,
        relation: usize,
        keys: &[KeyPair],
        target: &'static ModelDef,
    ) -> Vec<Obj> {
        let field = match self.store(child).relation(child.slot, relation) {
            RelationRef::One(field) => match field.state {
                One::Loaded(handle) => handle.and_then(|handle| self.resolve(target, handle).ok()),
                One::Unloaded => None,
            },
            RelationRef::Many(_) => None,
        };
        let by_keys = [self.by_key(child, keys, target), self.by_saved_key(child, keys, target)];
        let mut parents: Vec<Obj> =
            [field, self.planned(child, keys).flatten()].into_iter().chain(by_keys).flatten().collect();
        parents.sort_unstable();
        parents.dedup();
        parents
    }

    /// The object whose primary key a key holds, if the session has it.
    pub(in crate::session) fn by_key(&self, owner: Obj, keys: &[KeyPair], target: &'static ModelDef) -> Option<Obj> {
        let store = self.store(owner);
        self.by_values(keys, target, &mut |column| store.value(owner.slot, column))
    }

    /// The object whose primary key a key held at the last flush, if the session has it.
    pub(in crate::session) fn by_saved_key(
        &self,
        owner: Obj,
        keys: &[KeyPair],
        target: &'static ModelDef,
    ) -> Option<Obj> {
        let store = self.store(owner);
        self.by_values(keys, target, &mut |column| store.saved_value(owner.slot, column))
    }

    fn by_values<'v>(
        &self,
        keys: &[KeyPair],
        target: &'static ModelDef,
        value: &mut dyn FnMut(usize) -> Value<'v>,
    ) -> Option<Obj> {
        let store = self.find_store(target)?;
        let slot = match (keys, target.primary_key) {
            ([pair], [part]) if pair.to == *part => store.find(&[value(pair.key)])?,
            (keys, parts) if keys.len() == parts.len() => {
                let value_of = |part: &usize| Some(value(keys.iter().find(|pair| pair.to == *part)?.key));
                let values: Option<Vec<Value<'_>>> = parts.iter().map(value_of).collect();
                store.find(&values?)?
            }
            _ => return None,
        };
        Some(Obj { model: target.id.get() as u32, slot })
    }

    /// Plans a key to be filled from another object, or with NULL.
    pub(in crate::session) fn plan_key(
        &mut self,
        obj: Obj,
        keys: &'static [KeyPair],
        target: Option<Obj>,
        label: &'static str,
    ) {
        let expired = self.is_expired(obj);
        let store = self.store_mut(obj);
        if expired {
            // What the row holds is not known, so that no comparison can leave the key out.
            if keys.iter().any(|pair| store.model().primary_key.contains(&pair.key)) {
                // The row is found by what it held.
                store.touch(obj.slot);
            }
            keys.iter().for_each(|pair| store.meta_mut(obj.slot).given.insert(pair.key));
            store.enlist(obj.slot);
        } else if store.meta(obj.slot).state == State::Persistent {
            // The flush compares: the key may turn out to be the same.
            store.touch(obj.slot);
        } else {
            store.enlist(obj.slot);
        }
        let links = &mut store.meta_mut(obj.slot).links;
        let first = links.is_empty();
        links.retain(|link| link.keys != keys);
        // Few objects have more than one.
        links.reserve_exact(1);
        links.push(KeyLink { keys, target, label });
        if first {
            self.linked.push(obj);
        }
    }
}

/// Refuses to end a relation whose key cannot be NULL.
pub(super) fn check_nullable(model: &'static ModelDef, keys: &[KeyPair], label: &str) -> Result<()> {
    if keys.iter().any(|pair| model.columns[pair.key].nullable) {
        return Ok(());
    }
    let fields: Vec<&str> = keys.iter().map(|pair| model.columns[pair.key].field).collect();
    Err(Error::InvalidState {
        model: model.name,
        reason: format!(
            "`{label}` cannot be unlinked, since its key `{}` is NOT NULL: link it to another object, or delete it",
            fields.join(", ")
        ),
    })
}
