//! The way out: objects that leave the session, and objects that are to be read again.

use super::Session;
use super::objects::{Obj, Objects};
use super::store::State;
use crate::error::{Error, Result};
use crate::model::mapping::Path;
use crate::model::{Cascade, Model, RelationRef, Tracked};

impl Session {
    /// Takes an object out of the session and gives it back. Unflushed changes of it are forgotten; its row
    /// is left alone.
    ///
    /// Loaded collections that the session finds it in without a search are unloaded; others keep its handle,
    /// which no longer fits.
    ///
    /// What it leads to by loaded relationships with the cascade `expunge` leaves with it, over any number of steps.
    /// Those values are dropped: expunge what you want to keep before.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] or [`Error::StaleHandle`]; [`Error::InvalidState`] when another object is
    /// linked to it by a change that is not flushed, and stays.
    pub fn expunge<M: Model>(&mut self, handle: Tracked<M>) -> Result<M> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        self.objects.expunge_others(obj)?;
        self.objects.forget(obj)?;
        self.objects.expressions.remove(&obj);
        let object = self.objects.typed_mut::<M>().remove(handle.raw);
        self.objects.reclaim();
        object.ok_or(Error::StaleHandle { model: M::def().name })
    }

    /// Takes all objects out of the session. Unflushed changes are forgotten, handles no longer fit.
    pub fn expunge_all(&mut self) {
        self.objects.clear();
    }

    /// Lets an object be read again before it is looked at: [`fresh`](Self::fresh), [`refresh`](Self::refresh) and
    /// queries do so. What was not flushed of its columns is forgotten, and its relationships are unloaded. So it is
    /// with what it leads to by loaded relationships with the cascade `refresh_expire`.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] or [`Error::StaleHandle`]; [`Error::InvalidState`] when it has no row, or when a
    /// relationship of it was changed and is not flushed.
    pub fn expire<M: Model>(&mut self, handle: Tracked<M>) -> Result<()> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let meta = self.objects.store(obj).meta(obj.slot);
        let invalid = |reason: &str| Error::InvalidState { model: M::def().name, reason: reason.into() };
        if meta.state != State::Persistent {
            return Err(invalid("cannot be expired, since it has no row"));
        }
        if !self.objects.is_unplanned(obj) {
            return Err(invalid("cannot be expired while a link of it is not flushed: flush first"));
        }
        let others = self.objects.reach(obj, Cascade::REFRESH_EXPIRE);
        self.objects.expire_one(obj);
        // One that is new, or that is linked and not flushed, stays as it is.
        for other in others {
            if self.objects.is_unplanned(other) {
                self.objects.expire_one(other);
            }
        }
        Ok(())
    }

    /// Lets all objects be read again before they are looked at, as `expire_on_commit` does. Unflushed
    /// changes are forgotten, but for objects that have no row yet.
    pub fn expire_all(&mut self) {
        self.objects.expire_all();
    }
}

impl Objects {
    fn expire_one(&mut self, obj: Obj) {
        self.expressions.remove(&obj);
        self.note_places(obj);
        let store = self.store_mut(obj);
        store.revert(obj.slot);
        let meta = store.meta_mut(obj.slot);
        meta.expired = true;
        meta.given = crate::model::ColumnSet::EMPTY;
        store.unload(obj.slot);
    }

    /// Whether it has a row, and no link of it waits for a flush.
    pub(super) fn is_unplanned(&self, obj: Obj) -> bool {
        let meta = self.store(obj).meta(obj.slot);
        meta.state == State::Persistent
            && meta.links.is_empty()
            && !self.link_rows.values().any(|row| row.local == obj || row.remote == obj)
    }

    /// Takes an object out of every plan.
    pub(super) fn forget(&mut self, obj: Obj) -> Result<()> {
        self.check_unneeded(obj)?;
        let meta = self.store(obj).meta(obj.slot);
        let (pending, doomed, linked) = (meta.state == State::Pending, meta.doomed, !meta.links.is_empty());
        let has_row = meta.state == State::Persistent;
        if pending {
            self.pending.retain(|other| *other != obj);
            self.refused.retain(|refused| refused.place.is_none_or(|(other, _)| other != obj));
        }
        if doomed {
            self.doomed.retain(|other| *other != obj);
        }
        if linked {
            self.linked.retain(|other| *other != obj);
        }
        self.evictions.retain(|(owner, _)| *owner != obj);
        for (other, relation) in self.ends_of_links(obj) {
            if has_row {
                self.unload_field(other, relation);
            } else {
                self.pull(other, relation, obj);
            }
        }
        if !self.link_rows.is_empty() {
            self.link_rows.retain(|_, row| row.local != obj && row.remote != obj);
        }
        self.leave_collections(obj, has_row);
        if has_row && !self.undo.is_empty() {
            // Read again, nothing would bring it back to what it was before the transaction.
            self.doubt();
        }
        Ok(())
    }

    /// The collections at the other ends of the association rows that an object is to gain or to lose.
    fn ends_of_links(&self, obj: Obj) -> Vec<(Obj, usize)> {
        let mut ends = Vec::new();
        for row in self.link_rows.values() {
            if row.remote == obj {
                ends.push((row.local, row.relation));
            }
            if row.local == obj
                && let Ok(mapping) = row.owner.mapping()
                && let Some(back) = mapping.relations[row.relation].back
            {
                ends.push((row.remote, back));
            }
        }
        ends
    }

    /// Refuses while another object waits for this one's key.
    fn check_unneeded(&self, obj: Obj) -> Result<()> {
        let waits = |other: &&Obj| {
            let links = &self.store(**other).meta(other.slot).links;
            **other != obj && links.iter().any(|link| link.target == Some(obj))
        };
        match self.linked.iter().find(waits) {
            None => Ok(()),
            Some(other) => Err(Error::InvalidState {
                model: self.store(obj).model().name,
                reason: format!(
                    "cannot be expunged, since a `{}` that is not flushed is linked to it: flush first, or unlink it",
                    self.store(*other).model().name
                ),
            }),
        }
    }

    /// Takes an object that leaves out of the collections that it is in. One that has a row is in them in the
    /// database still: then the collection is unloaded rather than wrong.
    pub(super) fn leave_collections(&mut self, obj: Obj, has_row: bool) {
        let model = self.store(obj).model();
        let Ok(mapping) = model.mapping() else { return };
        for (relation, resolved) in mapping.relations.iter().enumerate() {
            let Some(back) = resolved.back else { continue };
            let others: Vec<Obj> = match (&resolved.path, self.store(obj).relation(obj.slot, relation)) {
                // Of one that was linked elsewhere and not flushed, the row is where it was.
                (Path::BelongsTo(keys), _) => self.parents_known(obj, relation, keys, resolved.target),
                (Path::ManyToMany(_), RelationRef::Many(field)) => {
                    let handles = field.state.handles().unwrap_or_default();
                    handles.iter().filter_map(|handle| self.resolve(resolved.target, *handle).ok()).collect()
                }
                _ => continue,
            };
            for other in others {
                if has_row {
                    self.unload_field(other, back);
                } else {
                    self.pull(other, back, obj);
                }
            }
        }
    }

    /// Whom an object is linked to and not flushed.
    fn planned_parents(&self, child: Obj) -> Vec<Obj> {
        self.store(child).meta(child.slot).links.iter().filter_map(|link| link.target).collect()
    }

    /// Keeps only the places that are taken by objects whose links are still planned.
    fn keep_evictions(&mut self) {
        let mut places = std::mem::take(&mut self.evictions);
        places.retain(|(owner, relation)| {
            let resolved = self.store(*owner).model().mapping().map(|mapping| &mapping.relations[*relation]);
            let Ok(resolved) = resolved else { return false };
            let Path::HasOne(keys) = &resolved.path else { return false };
            let mut children = self.linked.iter().filter(|child| child.model == resolved.target.id.get() as u32);
            children.any(|child| self.planned(*child, keys) == Some(Some(*owner)))
        });
        self.evictions = places;
    }

    /// Marks all objects that have a row as expired; what was not flushed of them is forgotten.
    pub(super) fn expire_all(&mut self) {
        self.drop_expressions();
        for obj in std::mem::take(&mut self.doomed) {
            self.store_mut(obj).meta_mut(obj.slot).doomed = false;
        }
        for obj in std::mem::take(&mut self.linked) {
            if self.state(obj) == State::Pending {
                self.linked.push(obj);
            } else {
                self.store_mut(obj).meta_mut(obj.slot).links.clear();
            }
        }
        if !self.linked.is_empty() {
            let parents: Vec<Obj> = self.linked.iter().flat_map(|child| self.planned_parents(*child)).collect();
            parents.into_iter().for_each(|parent| self.note_places(parent));
        }
        self.keep_evictions();
        let rows = std::mem::take(&mut self.link_rows);
        let is_new = |obj: Obj| self.state(obj) == State::Pending;
        self.link_rows = rows.into_iter().filter(|(_, row)| is_new(row.local) || is_new(row.remote)).collect();
        for store in self.stores_mut() {
            for slot in store.take_touched() {
                if !store.occupied(slot) {
                    continue;
                }
                match store.meta(slot).state {
                    State::Persistent => store.revert(slot),
                    _ => store.enlist(slot),
                }
            }
            for slot in 0..store.slots() {
                if store.occupied(slot) && store.meta(slot).state == State::Persistent {
                    let meta = store.meta_mut(slot);
                    meta.expired = true;
                    meta.given = crate::model::ColumnSet::EMPTY;
                    store.unload(slot);
                }
            }
        }
    }
}
