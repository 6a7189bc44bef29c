//! The way back: what a rollback, or a flush that fails, does to the objects in memory.
//!
//! Whatever the session itself writes into objects (keys, defaults, relationship fields, states) leaves a step
//! here, in order. A rollback runs the steps backwards; a flush that fails runs its own.
//!
//! An object that a rollback leaves without a row is transient, and keeps what the program gave it and linked
//! it to: those steps are left out for it, so that it can be added again as it was. What the database gave it
//! (a key, a default) is taken back.

use rustc_hash::FxHashSet;

use super::expression::Expressed;
use super::objects::{Obj, Objects};
use super::store::{Fields, State};
use crate::model::mapping::Path;
use crate::model::{ColumnSet, Handle, Many, One, RelationMut};
use crate::types::{Cell, Value};

/// One step back.
pub(crate) enum Undo {
    /// The object was added.
    Added(Obj),
    /// The object was inserted; these columns had been given.
    Inserted(Obj, ColumnSet),
    /// The object was updated; this is what it was before.
    Updated(Obj, Box<dyn Fields>),
    /// The object was updated by columns that were set while it was expired: what they were is not known.
    Unknown(Obj),
    /// The object was deleted.
    Deleted(Obj),
    /// The flush wrote a column: a key, a default, a time of change.
    Filled(Obj, usize, Value<'static>),
    /// An inserted object had these expressions, which the insert computed.
    Expressed(Obj, Vec<Expressed>),
    /// A to-one field was set.
    One(Obj, usize, One),
    /// A to-one field followed its key column at a flush.
    Followed(Obj, usize, One),
    /// A collection was loaded or changed as a whole.
    Many(Obj, usize, Many),
    /// An object was put into a collection.
    Pushed(Obj, usize, Handle),
    /// An object was taken out of a collection, where it had this position.
    Pulled(Obj, usize, usize, Handle),
}

impl Undo {
    fn obj(&self) -> Obj {
        match self {
            Undo::Added(obj)
            | Undo::Inserted(obj, _)
            | Undo::Updated(obj, _)
            | Undo::Deleted(obj)
            | Undo::Unknown(obj)
            | Undo::Filled(obj, ..)
            | Undo::Expressed(obj, _)
            | Undo::One(obj, ..)
            | Undo::Followed(obj, ..)
            | Undo::Many(obj, ..)
            | Undo::Pushed(obj, ..)
            | Undo::Pulled(obj, ..) => *obj,
        }
    }

    /// Whether it is about what the program linked.
    fn is_link(&self) -> bool {
        matches!(self, Undo::One(..) | Undo::Many(..) | Undo::Pushed(..) | Undo::Pulled(..))
    }
}

impl Objects {
    /// Runs the steps behind `mark` backwards: a flush failed.
    pub(super) fn undo_to(&mut self, mark: usize) {
        for step in self.undo.split_off(mark).into_iter().rev() {
            self.step_back(step);
        }
    }

    /// Drops what was changed since the last flush, then everything since the transaction began.
    pub(super) fn roll_back(&mut self) {
        self.roll_back_to(0);
        self.no_doubt();
    }

    /// Drops what was changed since the last flush, then everything behind `mark`, where a flush had just ended.
    pub(super) fn roll_back_to(&mut self, mark: usize) {
        self.drop_plans();
        for store in self.stores_mut() {
            for slot in store.take_touched() {
                if !store.occupied(slot) {
                    continue;
                }
                if matches!(store.meta(slot).state, State::Pending | State::Transient) {
                    // What was never in the database keeps what was written into it: it may be added again.
                    let changed = store.changed(slot);
                    store.take_saved(slot);
                    let meta = store.meta_mut(slot);
                    meta.given = meta.given.union(changed);
                } else {
                    store.revert(slot);
                    let meta = store.meta_mut(slot);
                    // Set while it was expired: what it held before is not known here.
                    meta.expired |= !meta.given.is_empty();
                    meta.given = ColumnSet::EMPTY;
                }
            }
        }
        let steps = self.undo.split_off(mark.saturating_sub(self.forgotten).min(self.undo.len()));
        let added: FxHashSet<Obj> =
            steps.iter().filter_map(|step| if let Undo::Added(obj) = step { Some(*obj) } else { None }).collect();
        for step in steps.into_iter().rev() {
            if !(step.is_link() && added.contains(&step.obj())) {
                self.step_back(step);
            }
        }
        for obj in added {
            self.trust_keys(obj);
        }
        self.pending.clear();
        self.refused.clear();
        self.expire_doubtful();
        self.reclaim();
    }

    /// Forgets what the next flush was to do, apart from the columns of objects.
    pub(super) fn drop_plans(&mut self) {
        for obj in std::mem::take(&mut self.linked) {
            self.store_mut(obj).meta_mut(obj.slot).links.clear();
        }
        self.link_rows.clear();
        self.drop_expressions();
        self.evictions.clear();
        self.unmark();
        self.single.clear();
        for obj in std::mem::take(&mut self.doomed) {
            self.store_mut(obj).meta_mut(obj.slot).doomed = false;
        }
    }

    /// Of a transient object's key columns, those that were given say what it points to.
    fn trust_keys(&mut self, obj: Obj) {
        if !self.store(obj).occupied(obj.slot) {
            return;
        }
        let given = self.store(obj).meta(obj.slot).given;
        let Ok(mapping) = self.store(obj).model().mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            if let Path::BelongsTo(keys) = &resolved.path
                && keys.iter().all(|pair| given.contains(pair.key))
            {
                self.set_one_field_silently(obj, relation, One::Unloaded);
            }
        }
    }

    fn step_back(&mut self, step: Undo) {
        let obj = step.obj();
        if !self.store(obj).occupied(obj.slot) {
            // It was expunged since; its slot stays empty as long as a step names it.
            return;
        }
        let step = match step {
            Undo::One(_, relation, state) if !self.are_here(obj, relation, state.handle().as_slice()) => {
                Undo::One(obj, relation, One::Unloaded)
            }
            Undo::Followed(_, relation, state) if !self.are_here(obj, relation, state.handle().as_slice()) => {
                Undo::Followed(obj, relation, One::Unloaded)
            }
            Undo::Many(_, relation, state) if !self.are_here(obj, relation, state.handles().unwrap_or_default()) => {
                Undo::Many(obj, relation, Many::Unloaded)
            }
            Undo::Pulled(_, relation, _, handle) if !self.are_here(obj, relation, &[handle]) => {
                Undo::Many(obj, relation, Many::Unloaded)
            }
            step => step,
        };
        let store = self.store_mut(obj);
        match step {
            Undo::Added(_) => store.meta_mut(obj.slot).state = State::Transient,
            Undo::Inserted(_, given) => {
                store.unidentify(obj.slot);
                let meta = store.meta_mut(obj.slot);
                meta.state = State::Pending;
                meta.given = given;
                meta.expired = false;
            }
            Undo::Updated(_, saved) => {
                store.unidentify(obj.slot);
                store.restore(obj.slot, &*saved);
                store.identify(obj.slot);
            }
            Undo::Unknown(_) => store.meta_mut(obj.slot).expired = true,
            Undo::Deleted(_) => {
                store.meta_mut(obj.slot).state = State::Persistent;
                store.identify(obj.slot);
            }
            // A value that the column held always reads back.
            Undo::Filled(_, column, value) => drop(store.set_value(obj.slot, column, Cell::from_value(&value))),
            Undo::Expressed(obj, expressions) => drop(self.expressions.insert(obj, expressions)),
            Undo::One(_, relation, state) | Undo::Followed(_, relation, state) => {
                self.set_one_field_silently(obj, relation, state);
            }
            Undo::Many(_, relation, state) => self.set_many_field(obj, relation, state),
            Undo::Pushed(_, relation, handle) => store.change_many(obj.slot, relation, &mut |handles| {
                if let Some(at) = handles.iter().rposition(|other| *other == handle) {
                    handles.remove(at);
                }
            }),
            Undo::Pulled(_, relation, at, handle) => store.change_many(obj.slot, relation, &mut |handles| {
                handles.insert(at.min(handles.len()), handle);
            }),
        }
    }

    /// Whether objects that a relationship field held are in the session still: one that was expunged since would be a
    /// handle that does not fit. A field that had it is unloaded.
    fn are_here(&self, obj: Obj, relation: usize, handles: &[Handle]) -> bool {
        let target = (self.store(obj).model().relations[relation].target)();
        match self.find_store(target) {
            Some(store) => !store.has_emptied() || handles.iter().all(|handle| store.slot(*handle).is_some()),
            None => handles.is_empty(),
        }
    }

    pub(super) fn set_one_field(&mut self, obj: Obj, relation: usize, state: One) {
        if let crate::model::RelationRef::One(field) = self.store(obj).relation(obj.slot, relation) {
            let old = field.state;
            self.undo.push(Undo::One(obj, relation, old));
        }
        self.set_one_field_silently(obj, relation, state);
    }

    pub(super) fn set_one_field_silently(&mut self, obj: Obj, relation: usize, state: One) {
        self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| {
            if let RelationMut::One(field) = field {
                field.state = state;
            }
        });
    }

    pub(super) fn set_many_field(&mut self, obj: Obj, relation: usize, state: Many) {
        self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| {
            if let RelationMut::Many(field) = field {
                field.state = state.clone();
            }
        });
    }
}
