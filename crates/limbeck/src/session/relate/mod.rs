//! `link`, `unlink`, `assign`: changing relationships, with both sides true at once.
//!
//! A relationship has one fact behind it: the key columns of one object, or a row of an association table.
//! These verbs plan that fact for the next flush and bring both fields in line with it. A collection that is
//! not loaded stays so: the plan is merged into it when it is loaded.
//!
//! * `one`: relationships that lead to one object, and what makes room for it. `keys`: key columns, as they
//!   are and as they are planned. `fields`: what the objects' fields hold. `adopt`: what new objects say.

mod adopt;
mod fields;
mod keys;
mod one;

use rustc_hash::FxHashSet;

use super::Session;
use super::objects::{LinkRow, Obj, Objects};
use super::store::State;
use crate::error::{Error, Result};
use crate::model::mapping::Path;
use crate::model::{Cascade, Handle, Model, ModelDef, Related, RelationKind, RelationRef, Tracked, registry};

impl Session {
    /// Relates two objects: `session.link(post, Post.author, ada)`, `session.link(post, Post.tags, rust)`.
    ///
    /// A to-one relationship is replaced: of a one-to-one, the object that it held before has its key set to
    /// NULL. The other side (`back_populates`) follows at once; nothing is sent
    /// before the next flush. Linking what is linked already does nothing. A transient object (one that was rolled
    /// back) is added again if the relationship has the cascade `save_update`, as it has unless it says otherwise.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] or [`Error::StaleHandle`]; [`Error::InvalidState`] when one of the two is
    /// deleted, when the relationship is `view_only`, and when a one-to-one holds another object whose key is
    /// NOT NULL: link that one elsewhere, or delete it, first (not so with `delete_orphan`, which deletes it);
    /// and when the relationship is `single_parent` and another object leads to `target`.
    pub fn link<R: Related>(
        &mut self,
        owner: Tracked<R::Owner>,
        relation: R,
        target: Tracked<R::Target>,
    ) -> Result<()> {
        let (owner, target) = self.ends::<R>(owner, target)?;
        self.objects.link(owner, relation.index(), target)
    }

    /// Ends the relation of two objects. If they are not related, nothing happens.
    ///
    /// By a relationship with the cascade `delete_orphan` the object that loses its parent is deleted at the flush,
    /// unless it was linked to another one by then. One that has no row yet becomes transient at once.
    ///
    /// # Errors
    /// As [`link`](Self::link), and [`Error::InvalidState`] when the key column is NOT NULL and no
    /// `delete_orphan` says what becomes of the object: then it has to be linked to another one, or deleted.
    pub fn unlink<R: Related>(
        &mut self,
        owner: Tracked<R::Owner>,
        relation: R,
        target: Tracked<R::Target>,
    ) -> Result<()> {
        let (owner, target) = self.ends::<R>(owner, target)?;
        self.objects.unlink(owner, relation.index(), target)
    }

    /// Makes `targets` what the relationship holds: links those that are missing, unlinks those that are too
    /// many. A collection that is not loaded, or only in part, is loaded first, and so is a one-to-one. A to-one
    /// relationship takes an `Option`.
    ///
    /// An object that goes from one collection to another is moved, not shared: it has one key.
    ///
    /// # Errors
    /// As [`link`](Self::link) and [`unlink`](Self::unlink), and what loading may fail with.
    pub async fn assign<R: Related>(
        &mut self,
        owner: Tracked<R::Owner>,
        relation: R,
        targets: impl IntoIterator<Item = Tracked<R::Target>>,
    ) -> Result<()> {
        let targets: Vec<Handle> = targets.into_iter().map(|target| target.raw).collect();
        let obj = self.objects.resolve(R::Owner::def(), owner.raw)?;
        let index = relation.index();
        self.objects.check_owner(obj)?;
        let def = &R::Owner::def().relations[index];
        let label = def.label;
        if def.kind == RelationKind::HasOne && !self.objects.is_current(obj, index) {
            self.load_raw(R::Owner::def(), vec![owner.raw], index, &[]).await?;
        }
        if !relation.is_many() {
            return match targets.as_slice() {
                [] => self.objects.clear_one(obj, index),
                [one] => {
                    let target = self.objects.resolve(R::Target::def(), *one)?;
                    self.objects.link(obj, index, target)
                }
                more => Err(Error::InvalidState {
                    model: R::Owner::def().name,
                    reason: format!("`{label}` takes one object, not {}", more.len()),
                }),
            };
        }
        if !self.objects.is_current(obj, index) {
            self.load_raw(R::Owner::def(), vec![owner.raw], index, &[]).await?;
        }
        let target_def = R::Target::def();
        let mut wanted = Vec::with_capacity(targets.len());
        for target in &targets {
            let target = self.objects.resolve(target_def, *target)?;
            self.objects.check_target(target)?;
            wanted.push(target);
        }
        self.objects.refused.retain(|refused| refused.place != Some((obj, index)));
        let keep: FxHashSet<Handle> = targets.into_iter().collect();
        let now = match self.objects.store(obj).relation(obj.slot, index) {
            RelationRef::Many(field) => field.state.handles().unwrap_or_default().to_vec(),
            RelationRef::One(_) => Vec::new(),
        };
        for handle in now.into_iter().filter(|handle| !keep.contains(handle)) {
            // One that was expunged is not ours to unlink; one that is to be deleted leaves by itself.
            if let Ok(target) = self.objects.resolve(target_def, handle)
                && !self.objects.is_going(target)
            {
                self.objects.unlink(obj, index, target)?;
            }
        }
        for target in wanted {
            self.objects.link(obj, index, target)?;
        }
        Ok(())
    }

    fn ends<R: Related>(&self, owner: Tracked<R::Owner>, target: Tracked<R::Target>) -> Result<(Obj, Obj)> {
        let owner = self.objects.resolve(R::Owner::def(), owner.raw)?;
        let target = self.objects.resolve(R::Target::def(), target.raw)?;
        Ok((owner, target))
    }
}

impl Objects {
    pub(super) fn link(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        self.check_owner(owner)?;
        self.check_target(target)?;
        self.save_target(owner, relation, target);
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo(_) => {
                self.check_single_parent(owner, relation, target)?;
                self.set_one(owner, relation, Some(target))
            }
            Path::HasMany(keys) | Path::HasOne(keys) => match resolved.back {
                Some(back) => self.set_one(target, back, Some(owner)),
                None => {
                    self.check_owner(target)?;
                    self.displace(owner, relation, target)?;
                    if self.is_expired(target) || !self.points_to(target, keys, owner) {
                        if let Some(old) = self.parent(target, keys, model) {
                            self.pull(old, relation, target);
                        }
                        self.plan_key(target, keys, Some(owner), model.relations[relation].label);
                    }
                    if self.holds(owner, relation, target) != Some(true) {
                        self.push(owner, relation, target);
                    }
                    Ok(())
                }
            },
            Path::ManyToMany(_) => {
                check_written(&model.relations[relation], model)?;
                // Both ends say the same, but perhaps only one is loaded.
                let there = || resolved.back.and_then(|back| self.holds(target, back, owner));
                if self.holds(owner, relation, target).or_else(there) != Some(true) {
                    self.link_row(owner, relation, target)?;
                    self.push(owner, relation, target);
                }
                Ok(())
            }
        }
    }

    /// Plans a row of an association table that is known to be new, and tells the other end.
    fn link_row(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        let model = self.store(owner).model();
        let back = model.mapping()?.relations[relation].back;
        self.check_single_parent(owner, relation, target)?;
        if let Some(back) = back {
            self.check_single_parent(target, back, owner)?;
            self.note_single_parent(target, back, owner);
        }
        self.note_single_parent(owner, relation, target);
        self.plan_row(model, relation, owner, target, true)?;
        if let Some(back) = back {
            self.push(target, back, owner);
        }
        Ok(())
    }

    pub(super) fn unlink(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        self.check_owner(owner)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo(keys) => {
                if self.points_to(owner, keys, target) {
                    self.set_one(owner, relation, None)?;
                }
                Ok(())
            }
            Path::HasMany(keys) | Path::HasOne(keys) => match resolved.back {
                Some(back) => self.unlink(target, back, owner),
                None => {
                    self.check_owner(target)?;
                    if self.points_to(target, keys, owner) {
                        self.end_key(target, keys, owner, relation)?;
                    }
                    Ok(())
                }
            },
            Path::ManyToMany(_) => {
                check_written(&model.relations[relation], model)?;
                let there = resolved.back.and_then(|back| self.holds(target, back, owner));
                let seen = self.holds(owner, relation, target).or(there);
                let orphans = self.cascades(owner, relation, Cascade::DELETE_ORPHAN);
                let orphans_back =
                    resolved.back.is_some_and(|back| self.cascades(target, back, Cascade::DELETE_ORPHAN));
                // Who was not in it loses nothing.
                if (orphans || orphans_back) && seen == Some(false) {
                    return Ok(());
                }
                self.plan_row(model, relation, owner, target, false)?;
                if let Some(row) = self.link_rows.get_mut(&row_key(model, relation, owner, target)?) {
                    row.seen = seen == Some(true);
                }
                self.pull(owner, relation, target);
                if let Some(back) = resolved.back {
                    self.pull(target, back, owner);
                }
                if orphans && self.state(target) == State::Pending && !self.has_other_parent(owner, relation, target) {
                    self.drop_pending_orphan(target);
                }
                if let Some(back) = resolved.back
                    && orphans_back
                    && self.state(owner) == State::Pending
                    && !self.has_other_parent(target, back, owner)
                {
                    self.drop_pending_orphan(owner);
                }
                Ok(())
            }
        }
    }

    /// Refuses to change the relationships of an object that has none.
    fn check_owner(&self, obj: Obj) -> Result<()> {
        if self.state(obj) == State::Transient {
            return Err(self.not_linked(obj, "it was rolled back: add it again first"));
        }
        self.check_target(obj)
    }

    /// Refuses to point to an object that goes. One that was rolled back may yet be added again: the flush looks.
    fn check_target(&self, obj: Obj) -> Result<()> {
        let meta = self.store(obj).meta(obj.slot);
        match meta.state {
            State::Deleted => Err(self.not_linked(obj, "it is deleted")),
            _ if meta.doomed => Err(self.not_linked(obj, "it is marked to be deleted")),
            _ => Ok(()),
        }
    }

    #[cold]
    fn not_linked(&self, obj: Obj, reason: &str) -> Error {
        Error::InvalidState { model: self.store(obj).model().name, reason: format!("cannot be linked: {reason}") }
    }

    /// Plans a row of an association table. The last word counts; only where an end is new do a plan and its
    /// opposite cancel out, since otherwise the row may be there and nobody has looked.
    fn plan_row(
        &mut self,
        model: &'static ModelDef,
        relation: usize,
        owner: Obj,
        target: Obj,
        add: bool,
    ) -> Result<()> {
        let key = row_key(model, relation, owner, target)?;
        if !add && (self.state(owner) != State::Persistent || self.state(target) != State::Persistent) {
            self.link_rows.remove(&key);
        } else {
            self.link_rows
                .insert(key, LinkRow { owner: model, relation, local: owner, remote: target, add, seen: false });
        }
        Ok(())
    }
}

/// What a row of an association table is known by: the same from both ends, ordered by the table's columns.
fn row_key(model: &'static ModelDef, relation: usize, owner: Obj, target: Obj) -> Result<(&'static str, Obj, Obj)> {
    let table = model.relations[relation].secondary.unwrap_or_default();
    let local_first = match &model.mapping()?.relations[relation].path {
        Path::ManyToMany(link) => link.local.first().map(|c| &c.0) <= link.remote.first().map(|c| &c.0),
        _ => true,
    };
    Ok(if local_first { (table, owner, target) } else { (table, target, owner) })
}

/// Refuses to write through a relationship that is only read.
fn check_written(relation: &crate::model::RelationDef, model: &ModelDef) -> Result<()> {
    if !relation.view_only {
        return Ok(());
    }
    let table = relation.secondary.unwrap_or_default();
    let between = registry::all().find(|model| model.table == table).map_or(table, |model| model.name);
    Err(Error::InvalidState {
        model: model.name,
        reason: format!("cannot be linked by `{}`, which is `view_only`: add or delete a `{between}`", relation.label),
    })
}
