//! Relationship fields: what they hold, and changing it so that a rollback finds the way back.

use crate::model::mapping::Path;
use crate::model::{Many, One, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
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
                    let state = self.left_by(obj, relation, target);
                    self.set_one_field(obj, relation, state);
                }
            }
        }
    }

    /// What a relationship that leads to one object holds once that one has left. Nothing, if the row of the object had
    /// the place, or whoever had it lost it to the object; else a row that nobody knows may have it still.
    pub(in crate::session) fn left_by(&self, parent: Obj, relation: usize, child: Obj) -> One {
        let (nothing, model) = (One::Loaded(None), self.store(parent).model());
        let Ok(mapping) = model.mapping() else { return nothing };
        let resolved = &mapping.relations[relation];
        let Path::HasOne(keys) = &resolved.path else { return nothing };
        let lost = || resolved.target.mapping().is_ok_and(|child| !child.nulls(resolved.target, keys).is_empty());
        let had = || {
            let state = self.state(child);
            state != State::Pending
                && state != State::Transient
                && self.by_saved_key(child, keys, model) == Some(parent)
        };
        if self.state(parent) != State::Persistent || lost() || had() { nothing } else { One::Unloaded }
    }

    /// Puts an object that stays after all into what was loaded while it was marked to be deleted, and left it out. Where
    /// it is not known whether that has it, it is unloaded.
    pub(in crate::session) fn rejoin(&mut self, obj: Obj) {
        let Ok(mapping) = self.store(obj).model().mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            let Some(back) = resolved.back else { continue };
            match &resolved.path {
                Path::BelongsTo(keys) => {
                    let parent = self.parent(obj, keys, resolved.target);
                    let Some(parent) = parent.filter(|parent| self.holds(*parent, back, obj) == Some(false)) else {
                        continue;
                    };
                    // Another one may have been given the place meanwhile.
                    let taken = matches!(self.store(parent).relation(parent.slot, back),
                        RelationRef::One(field) if field.state != One::Loaded(None));
                    if !taken {
                        if !self.is_going(parent) {
                            self.push(parent, back, obj);
                        }
                    } else if let Ok(child) = self.store(obj).model().mapping()
                        && !child.nulls(self.store(obj).model(), keys).is_empty()
                    {
                        // It can be NULL, and nothing else was asked of an object that has a row.
                        let _ = self.set_one(obj, relation, None);
                    }
                }
                Path::ManyToMany(_) => {
                    for other in self.all_of(resolved.target) {
                        if self.holds(other, back, obj) != Some(false) {
                            continue;
                        }
                        match self.holds(obj, relation, other) {
                            Some(true) => self.push(other, back, obj),
                            Some(false) => {}
                            None => {
                                let RelationRef::Many(field) = self.store(other).relation(other.slot, back) else {
                                    continue;
                                };
                                let state = field.state.clone();
                                self.undo.push(Undo::Many(other, back, state));
                                self.unload_field(other, back);
                            }
                        }
                    }
                }
                _ => {}
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
