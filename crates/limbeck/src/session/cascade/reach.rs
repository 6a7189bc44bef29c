//! `expunge` and `refresh-expire`: cascades over what is loaded. Nothing is read for them.

use rustc_hash::FxHashSet;

use crate::model::Cascade;
use crate::session::objects::{Obj, Objects};

impl Objects {
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
