//! `expunge` and `refresh-expire`: cascades over what is loaded. Nothing is read for them.

use rustc_hash::FxHashSet;

use crate::error::{Error, Result};
use crate::model::Cascade;
use crate::session::objects::{Obj, Objects};

impl Objects {
    /// Takes those out of the session that go with an object that is expunged.
    ///
    /// # Errors
    /// [`Error::InvalidState`] when one that stays waits for the key of one that goes. Then none has gone.
    pub(in crate::session) fn expunge_others(&mut self, obj: Obj) -> Result<()> {
        let others = self.reach(obj, Cascade::EXPUNGE);
        if others.is_empty() {
            return Ok(());
        }
        let mut going: FxHashSet<Obj> = others.iter().copied().collect();
        going.insert(obj);
        for waiting in &self.linked {
            if going.contains(waiting) {
                continue;
            }
            let links = &self.store(*waiting).meta(waiting.slot).links;
            if let Some(target) = links.iter().filter_map(|link| link.target).find(|target| going.contains(target)) {
                return Err(Error::InvalidState {
                    model: self.store(target).model().name,
                    reason: format!(
                        "cannot be expunged, since a `{}` that is not flushed is linked to it: flush first, or unlink it",
                        self.store(*waiting).model().name
                    ),
                });
            }
        }
        // Those that wait for each other's keys wait no more.
        for obj in &going {
            self.store_mut(*obj).meta_mut(obj.slot).links.clear();
        }
        self.linked.retain(|obj| !going.contains(obj));
        for other in others {
            self.forget(other)?;
            self.store_mut(other).discard(other.slot);
        }
        Ok(())
    }

    /// What an object leads to by loaded relationships with a cascade, over any number of steps, without itself. In
    /// the order in which it is met.
    pub(in crate::session) fn reach(&self, obj: Obj, cascade: Cascade) -> Vec<Obj> {
        let mut met: Vec<Obj> = Vec::new();
        let mut seen: FxHashSet<Obj> = FxHashSet::default();
        seen.insert(obj);
        let mut at = Some(obj);
        let mut next = 0;
        while let Some(here) = at {
            for target in self.near(here, cascade) {
                if seen.insert(target) {
                    met.push(target);
                }
            }
            at = met.get(next).copied();
            next += 1;
        }
        met
    }
}
