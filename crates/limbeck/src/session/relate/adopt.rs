//! What the relationship fields of an object that is added say.

use super::check_written;
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
                RelationRef::Many(field) if def.kind == RelationKind::ManyToMany && !again => {
                    let state = field.state.clone();
                    self.adopt_rows(obj, relation, state);
                }
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

    /// Links a new object to those that its field of a many-to-many holds. Nobody has led to it so far, and the field
    /// stays as it is where all can be linked: what is left is to plan the rows, and to tell the other ends.
    fn adopt_rows(&mut self, obj: Obj, relation: usize, state: Many) {
        let handles = state.handles().unwrap_or_default();
        let mut left: Option<Vec<Handle>> = match state {
            Many::Loaded { partial: false, .. } => None,
            _ => Some(Vec::new()),
        };
        for (at, handle) in handles.iter().enumerate() {
            let linked = match handles[..at].contains(handle) {
                true => Ok(false),
                false => self.adopt_row(obj, relation, *handle).map(|()| true),
            };
            match (linked, &mut left) {
                (Ok(true), None) => {}
                (Ok(true), Some(left)) => left.push(*handle),
                (linked, left) => {
                    left.get_or_insert_with(|| handles[..at].to_vec());
                    if let Err(why) = linked {
                        self.refused.push(Refused { place: Some((obj, relation)), why });
                    }
                }
            }
        }
        if let Some(left) = left {
            self.set_many_field(obj, relation, Many::of(left));
            self.undo.push(Undo::Many(obj, relation, state));
        }
    }

    fn adopt_row(&mut self, obj: Obj, relation: usize, handle: Handle) -> Result<()> {
        let def = &self.store(obj).model().relations[relation];
        let target = self.resolve((def.target)(), handle)?;
        self.check_target(target)?;
        self.save_target(obj, relation, target);
        check_written(def, self.store(obj).model())?;
        self.link_row(obj, relation, target)
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
            } else if let Some(back) = model.mapping()?.relations[relation].back {
                // Rolled back together, it has kept this one in its collection.
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
