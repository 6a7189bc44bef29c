//! Cascades: what goes on from an object to those at the other end of a relationship.
//!
//! SQLAlchemy loads what a delete reaches when `delete` is called. Our `delete` sends nothing, so it is done at the
//! flush, before the plan: whatever a deleted object's relationships with the cascade `delete` lead to is loaded, one
//! query for each relationship and level, and marked; and so is what lost its last parent by a relationship with
//! `delete-orphan`. The plan then finds the marks of `delete` and these alike. A flush that fails takes its own back.
//!
//! * `delete`: what goes with an object. `orphans`: persistent objects without their parent. `pending`: those that
//!   have no row yet, which leave at once. `single`: `single_parent`. `reach`: cascades that only look at what is
//!   loaded. `nulls`: whose keys a flush sets to NULL.

mod delete;
mod nulls;
mod orphans;
mod pending;
mod reach;
mod single;

pub(super) use nulls::nulling;

use super::Session;
use super::objects::{LinkRow, Obj, Objects};
use super::store::State;
use crate::error::Result;
use crate::model::mapping::{KeyPair, Mapping, Path};
use crate::model::{Cascade, ModelDef};

impl Session {
    /// Loads what cascades have to know, and marks what follows from what was deleted and unlinked.
    pub(super) async fn cascade(&mut self) -> Result<()> {
        // Left by a flush whose future was dropped.
        self.objects.unmark();
        if !self.objects.may_cascade() {
            return Ok(());
        }
        // Boxed: most flushes have none of this.
        let marked = Box::pin(self.mark()).await;
        if marked.is_err() {
            self.objects.unmark();
        }
        marked
    }

    async fn mark(&mut self) -> Result<()> {
        let mut level = self.objects.doomed.clone();
        level.extend(self.orphans().await?);
        while !level.is_empty() {
            level = self.delete_next(level).await?;
        }
        Ok(())
    }
}

impl Objects {
    /// Whether anything that was deleted or unlinked has a cascade. Most models have none.
    fn may_cascade(&self) -> bool {
        let has = |objs: &[Obj], of: fn(&Mapping) -> bool| {
            let mut last = None;
            objs.iter().any(|obj| {
                let again = last == Some(obj.model);
                last = Some(obj.model);
                !again && self.store(*obj).model().mapping().is_ok_and(of)
            })
        };
        has(&self.doomed, |mapping| !mapping.deleting.is_empty())
            || has(&self.linked, |mapping| !mapping.claims.is_empty() || mapping.orphans_target)
            || self.link_rows.values().any(|row| !row.add && orphaning(row).is_some())
            || self.evictions.iter().any(|(obj, relation)| self.cascades(*obj, *relation, Cascade::DELETE_ORPHAN))
    }

    /// Whether a relationship of an object has a cascade.
    pub(super) fn cascades(&self, obj: Obj, relation: usize, cascade: Cascade) -> bool {
        self.store(obj).model().relations[relation].options.cascade.contains(cascade)
    }

    /// Marks an object to go with the next flush, if it does not go already.
    fn doom(&mut self, obj: Obj) -> bool {
        let meta = self.store_mut(obj).meta_mut(obj.slot);
        if meta.doomed || !matches!(meta.state, State::Persistent | State::Pending) {
            return false;
        }
        meta.doomed = true;
        if meta.state == State::Persistent {
            self.doomed.push(obj);
        }
        self.cascaded.push(obj);
        true
    }

    /// Takes the marks back that a flush made by itself.
    pub(super) fn unmark(&mut self) {
        let cascaded = std::mem::take(&mut self.cascaded);
        for obj in &cascaded {
            self.store_mut(*obj).meta_mut(obj.slot).doomed = false;
        }
        if !cascaded.is_empty() {
            let objects: &Objects = self;
            let mut doomed = objects.doomed.clone();
            doomed.retain(|obj| objects.store(*obj).meta(obj.slot).doomed);
            self.doomed = doomed;
            for obj in cascaded {
                if self.state(obj) == State::Persistent && !self.is_going(obj) {
                    self.rejoin(obj);
                }
            }
        }
    }
}

/// Of a row of an association that is taken away: the ends in the direction in which it makes an orphan.
fn orphaning(row: &LinkRow) -> Option<(&'static ModelDef, usize, Obj, Obj)> {
    let orphans =
        |model: &ModelDef, relation: usize| model.relations[relation].options.cascade.contains(Cascade::DELETE_ORPHAN);
    if orphans(row.owner, row.relation) {
        return Some((row.owner, row.relation, row.local, row.remote));
    }
    let resolved = &row.owner.mapping().ok()?.relations[row.relation];
    let back = resolved.back.filter(|back| orphans(resolved.target, *back))?;
    Some((resolved.target, back, row.remote, row.local))
}

/// Whether an object that loses the parent that a key of it says is an orphan by that. `label` is the relationship that
/// it was unlinked by: one that nothing ties to the parent's says nothing of it.
pub(super) fn is_claimed(model: &'static ModelDef, keys: &[KeyPair], label: &str) -> bool {
    let Ok(mapping) = model.mapping() else { return false };
    mapping.claims.iter().any(|claim| {
        let by_back = claim.back.is_some_and(|back| model.relations[back].label == label);
        claim.keys == keys && (by_back || claim.label == label)
    })
}

/// The key of a `BelongsTo`.
fn own_key(model: &'static ModelDef, relation: usize) -> Option<&'static [KeyPair]> {
    match &model.mapping().ok()?.relations[relation].path {
        Path::BelongsTo(keys) => Some(keys),
        _ => None,
    }
}
