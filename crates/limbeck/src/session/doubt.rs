//! What was read in a transaction in which rows were written that no object follows.
//!
//! The way back (`undo`) has a step for whatever the session writes into objects. Some writes have no object to write
//! into: an association's rows, keys that a DELETE sets to NULL or rows that it takes along, a statement of the
//! program's own, changes of an object that was expunged since. Who reads such a row afterwards sees what the
//! transaction made of it, and after a rollback that is not true any more. So from then on what is read is noted, and a
//! rollback expires it: it is read again before it is looked at.

use super::objects::{Obj, Objects};
use super::store::State;
use crate::model::ModelDef;

/// The objects that were read since such a write.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    on: bool,
    read: Vec<Obj>,
}

impl Doubt {
    /// From now on what is read may be untrue after a rollback.
    pub(super) fn begin(&mut self) {
        self.on = true;
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// An object was read.
    #[inline]
    pub(super) fn note(&mut self, model: &ModelDef, slot: u32) {
        if self.on {
            self.read.push(Obj { model: model.id.get() as u32, slot });
        }
    }
}

impl Objects {
    /// Rows are written that no object follows.
    pub(super) fn doubt(&mut self) {
        self.stamps.doubt.begin();
    }

    /// How long the way back is, with what was forgotten of it: a savepoint keeps that.
    pub(super) fn mark(&self) -> usize {
        self.forgotten + self.undo.len()
    }

    /// All objects are gone, so that there is nothing to bring back. What they wrote is in the transaction still.
    pub(super) fn forget_way_back(&mut self) {
        if !self.undo.is_empty() {
            self.stamps.doubt.begin();
        }
        self.stamps.doubt.read.clear();
        self.forgotten += self.undo.len();
        self.undo.clear();
    }

    /// After a rollback, perhaps only to a savepoint: what was read in doubt has to be read again.
    pub(super) fn expire_doubtful(&mut self) {
        let mut read = std::mem::take(&mut self.stamps.doubt.read);
        read.retain(|obj| {
            let store = self.store_mut(*obj);
            if !store.occupied(obj.slot) {
                return false;
            }
            if store.meta(obj.slot).state == State::Persistent {
                store.meta_mut(obj.slot).expired = true;
                store.unload(obj.slot);
                return false;
            }
            // Of one that is deleted still, the rollback of the whole transaction brings the row back.
            true
        });
        self.stamps.doubt.read = read;
    }

    /// The transaction has ended.
    pub(super) fn no_doubt(&mut self) {
        self.stamps.doubt = Doubt::default();
        self.forgotten = 0;
    }
}
