//! Objects without a row that are not to have one: they become transient, and can be added again.
//!
//! SQLAlchemy expunges a pending orphan at once. Here the session keeps the object, so that its handle still fits: it
//! is transient, as after a rollback. Linked to another parent by a relationship with the cascade `save-update`, it is
//! added again.

use rustc_hash::FxHashSet;

use crate::model::{Cascade, RelationRef};
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;

impl Objects {
    /// Drops an orphan that has no row yet, and what is to go with it. Of one that has a row, the flush decides.
    pub(in crate::session) fn drop_pending_orphan(&mut self, obj: Obj) {
        if self.state(obj) != State::Pending {
            return;
        }
        let mut found: FxHashSet<Obj> = FxHashSet::default();
        found.insert(obj);
        let mut next = vec![obj];
        while let Some(obj) = next.pop() {
            for target in self.near(obj, Cascade::EXPUNGE).into_iter().chain(self.near(obj, Cascade::DELETE)) {
                if self.state(target) == State::Pending && found.insert(target) {
                    next.push(target);
                }
            }
        }
        self.drop_pending(&found);
    }

    /// Drops the pending objects that a flush found to go with their parents.
    pub(in crate::session) fn drop_doomed_pending(&mut self) {
        if self.cascaded.is_empty() {
            return;
        }
        let pending = self.pending.iter().copied();
        let doomed: FxHashSet<Obj> = pending.filter(|obj| self.store(*obj).meta(obj.slot).doomed).collect();
        if !doomed.is_empty() {
            self.drop_pending(&doomed);
        }
    }

    fn drop_pending(&mut self, objs: &FxHashSet<Obj>) {
        self.pending.retain(|obj| !objs.contains(obj));
        self.linked.retain(|obj| !objs.contains(obj));
        self.refused.retain(|refused| refused.place.is_none_or(|(obj, _)| !objs.contains(&obj)));
        self.evictions.retain(|(obj, _)| !objs.contains(obj));
        self.link_rows.retain(|_, row| !objs.contains(&row.local) && !objs.contains(&row.remote));
        let mut sorted: Vec<Obj> = objs.iter().copied().collect();
        sorted.sort_unstable();
        for obj in sorted {
            let store = self.store_mut(obj);
            let changed = store.changed(obj.slot);
            store.take_saved(obj.slot);
            let meta = store.meta_mut(obj.slot);
            meta.given = meta.given.union(changed);
            meta.links.clear();
            meta.doomed = false;
            meta.state = State::Transient;
            self.leave_collections(obj, false);
        }
    }

    /// Adds a transient object again, since it is linked to by a relationship with the cascade `save-update`.
    pub(in crate::session) fn save_target(&mut self, owner: Obj, relation: usize, target: Obj) {
        if self.state(target) == State::Transient
            && self.state(owner) != State::Transient
            && self.cascades(owner, relation, Cascade::SAVE_UPDATE)
        {
            self.store_mut(target).meta_mut(target.slot).state = State::Pending;
            self.plan_insert(target, true);
        }
    }

    /// What an object leads to by loaded relationships with a cascade.
    pub(super) fn near(&self, obj: Obj, cascade: Cascade) -> Vec<Obj> {
        let store = self.store(obj);
        let mut near = Vec::new();
        for (relation, def) in store.model().relations.iter().enumerate() {
            if !def.options.cascade.contains(cascade) {
                continue;
            }
            let target = (def.target)();
            let mut take = |handle| near.extend(self.resolve(target, handle).ok());
            match store.relation(obj.slot, relation) {
                RelationRef::One(field) => field.state.handle().into_iter().for_each(&mut take),
                RelationRef::Many(field) => {
                    field.state.handles().unwrap_or_default().iter().copied().for_each(&mut take);
                }
            }
        }
        near
    }
}
