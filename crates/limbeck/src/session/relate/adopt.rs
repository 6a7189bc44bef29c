//! What the relationship fields of an object that is added say.

use crate::error::Result;
use crate::model::mapping::Path;
use crate::model::{Handle, Many, One, RelationKind, RelationRef};
use crate::session::objects::{Obj, Objects, Refused};
use crate::session::store::State;
use crate::session::undo::Undo;

impl Objects {
    /// Plans the links that an added object's relationship fields say. What cannot be linked is noted for the
    /// flush to say.
    ///
    /// `again` is for an object that was rolled back. Others that were rolled back with it may be added after it,
    /// and then link themselves.
    pub(in crate::session) fn adopt(&mut self, obj: Obj, again: bool) {
        for (relation, def) in self.store(obj).model().relations.iter().enumerate() {
            // Fields that were made by `Default` do not know their name.
            self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| field.name(def.label));
            match self.store(obj).relation(obj.slot, relation) {
                RelationRef::One(field) => match (def.kind, field.state) {
                    // A new object has no row at the other end but the one that is linked to it.
                    (RelationKind::HasOne, state) => {
                        self.set_one_field(obj, relation, One::Loaded(None));
                        if let One::Loaded(Some(handle)) = state
                            && let Err(why) = self.adopt_many(obj, relation, handle, again)
                        {
                            self.refused.push(Refused { place: Some((obj, relation)), why });
                        }
                    }
                    (_, One::Loaded(target)) => self.adopt_one(obj, relation, target, again),
                    // Nothing was said: the key columns, if they were given, say it.
                    (_, One::Unloaded) => {}
                },
                // Others write its rows, now or later.
                RelationRef::Many(field) if def.view_only && field.state == Many::Unloaded => {}
                RelationRef::Many(field) => {
                    let state = field.state.clone();
                    // A new object has no rows at the other end but those that are linked to it.
                    self.set_many_field(obj, relation, Many::of(Vec::new()));
                    let handles = state.handles().unwrap_or_default().to_vec();
                    self.undo.push(Undo::Many(obj, relation, state));
                    for handle in handles {
                        if let Err(why) = self.adopt_many(obj, relation, handle, again) {
                            self.refused.push(Refused { place: Some((obj, relation)), why });
                        }
                    }
                }
            }
        }
    }

    fn adopt_one(&mut self, obj: Obj, relation: usize, target: Option<Handle>, again: bool) {
        self.set_one_field(obj, relation, One::Unloaded);
        let Some(handle) = target else { return self.set_one_field(obj, relation, One::Loaded(None)) };
        let model = self.store(obj).model();
        let linked = self.resolve((model.relations[relation].target)(), handle).and_then(|target| {
            self.check_target(target)?;
            self.check_single_parent(obj, relation, target)?;
            if !again {
                self.save_target(obj, relation, target);
            }
            // Rolled back together, it has kept this one in its collection.
            if let Some(back) = model.mapping()?.relations[relation].back {
                self.pull(target, back, obj);
            }
            self.set_one(obj, relation, Some(target))
        });
        if let Err(why) = linked {
            self.refused.push(Refused { place: Some((obj, relation)), why });
        }
    }

    fn adopt_many(&mut self, obj: Obj, relation: usize, handle: Handle, again: bool) -> Result<()> {
        let model = self.store(obj).model();
        let target = self.resolve((model.relations[relation].target)(), handle)?;
        if again {
            if self.state(target) == State::Transient {
                return Ok(());
            }
            let resolved = &model.mapping()?.relations[relation];
            if let Some(back) = resolved.back {
                match resolved.path {
                    // It was added again before this one, and has linked itself.
                    Path::HasMany(_) | Path::HasOne(_) if self.holds(target, back, obj) == Some(true) => {
                        self.push(obj, relation, target);
                        return Ok(());
                    }
                    _ => self.pull(target, back, obj),
                }
            }
        }
        self.link(obj, relation, target)
    }
}
