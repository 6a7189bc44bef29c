//! The way back: what a rollback, or a flush that fails, does to the objects in memory.
//!
//! Whatever the session itself writes into objects (keys, defaults, relationship fields, states) leaves an
//! entry here, in order. A rollback runs the entries backwards.

use std::any::Any;

use super::objects::{Obj, Objects};
use super::store::State;
use crate::model::{ColumnSet, Handle, One, RelationMut};
use crate::types::{Cell, Value};

/// One step back.
pub(crate) enum Undo {
    /// The object was added.
    Added(Obj),
    /// The object was inserted; these columns had been given.
    Inserted(Obj, ColumnSet),
    /// The object was updated; this is what it was before.
    Updated(Obj, Box<dyn Any + Send + Sync>),
    /// The object was deleted.
    Deleted(Obj),
    /// The flush wrote a column: a key, a default, a time of change.
    Filled(Obj, usize, Value<'static>),
    /// A to-one field was set.
    One(Obj, usize, One),
    /// An object was put into a collection.
    Pushed(Obj, usize, Handle),
    /// An object was taken out of a collection, where it had this position.
    Pulled(Obj, usize, usize, Handle),
}

impl Objects {
    /// Runs the entries behind `mark` backwards.
    pub(crate) fn undo_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            let Some(step) = self.undo.pop() else { return };
            match step {
                Undo::Added(obj) => {
                    if self.store(obj).occupied(obj.slot) {
                        self.store_mut(obj).meta_mut(obj.slot).state = State::Transient;
                        self.pending.retain(|pending| *pending != obj);
                    }
                }
                Undo::Inserted(obj, given) => {
                    if self.store(obj).occupied(obj.slot) {
                        self.store_mut(obj).unidentify(obj.slot);
                        let meta = self.store_mut(obj).meta_mut(obj.slot);
                        meta.state = State::Pending;
                        meta.given = given;
                        self.pending.push(obj);
                    }
                }
                Undo::Updated(obj, saved) => {
                    if self.store(obj).occupied(obj.slot) {
                        let store = self.store_mut(obj);
                        store.unidentify(obj.slot);
                        store.restore(obj.slot, &*saved);
                        store.identify(obj.slot);
                    }
                }
                Undo::Deleted(obj) => {
                    if self.store(obj).occupied(obj.slot) {
                        let store = self.store_mut(obj);
                        store.meta_mut(obj.slot).state = State::Persistent;
                        store.identify(obj.slot);
                    }
                }
                Undo::Filled(obj, column, value) => {
                    if self.store(obj).occupied(obj.slot) {
                        // A value that the column held always reads back.
                        let _ = self.store_mut(obj).set_value(obj.slot, column, Cell::from_value(&value));
                    }
                }
                Undo::One(obj, relation, state) => {
                    if self.store(obj).occupied(obj.slot) {
                        self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| {
                            if let RelationMut::One(field) = field {
                                field.state = state;
                            }
                        });
                    }
                }
                Undo::Pushed(obj, relation, handle) => {
                    if self.store(obj).occupied(obj.slot) {
                        self.store_mut(obj).change_many(obj.slot, relation, &mut |handles| {
                            if let Some(at) = handles.iter().rposition(|other| *other == handle) {
                                handles.remove(at);
                            }
                        });
                    }
                }
                Undo::Pulled(obj, relation, at, handle) => {
                    if self.store(obj).occupied(obj.slot) {
                        self.store_mut(obj).change_many(obj.slot, relation, &mut |handles| {
                            handles.insert(at.min(handles.len()), handle);
                        });
                    }
                }
            }
        }
    }

    /// Drops what was changed since the last flush, then everything since the transaction began.
    pub(crate) fn roll_back(&mut self) {
        for obj in std::mem::take(&mut self.linked) {
            if self.store(obj).occupied(obj.slot) {
                self.store_mut(obj).meta_mut(obj.slot).links.clear();
            }
        }
        self.link_rows.clear();
        for obj in std::mem::take(&mut self.doomed) {
            if self.store(obj).occupied(obj.slot) {
                self.store_mut(obj).meta_mut(obj.slot).doomed = false;
            }
        }
        for store in self.stores_mut() {
            for slot in store.take_touched() {
                // What was never in the database keeps what was written into it: it may be added again.
                if store.occupied(slot) && store.meta(slot).state != State::Pending {
                    store.revert(slot);
                    store.meta_mut(slot).given = ColumnSet::EMPTY;
                }
            }
        }
        self.undo_to(0);
        self.pending.clear();
        self.broken.clear();
    }
}
