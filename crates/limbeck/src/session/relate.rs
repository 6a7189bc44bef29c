//! `link`, `unlink`, `assign`: changing relationships, with both sides true at once.
//!
//! A relationship has one fact behind it: a key column of one object, or a row of an association table.
//! These verbs plan that fact for the next flush and bring both fields in line with it. A collection that is
//! not loaded stays so: the plan is merged into it when it is loaded.

use rustc_hash::FxHashSet;

use super::Session;
use super::flush::check;
use super::objects::{LinkRow, Obj, Objects, Refused};
use super::store::{KeyLink, State};
use super::undo::Undo;
use crate::error::{Error, Result};
use crate::model::mapping::Path;
use crate::model::{Handle, Many, Model, ModelDef, One, Related, RelationRef, Tracked};

impl Session {
    /// Relates two objects: `session.link(post, Post.author, ada)`, `session.link(post, Post.tags, rust)`.
    ///
    /// A to-one relationship is replaced. The other side (`back_populates`) follows at once; nothing is sent
    /// before the next flush. Linking what is linked already does nothing.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] or [`Error::StaleHandle`]; [`Error::InvalidState`] when one of the two is
    /// deleted.
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
    /// # Errors
    /// As [`link`](Self::link), and [`Error::InvalidState`] when the key column is NOT NULL: then the object
    /// has to be linked to another one, or deleted.
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
    /// many. A collection that is not loaded is loaded first. A to-one relationship takes an `Option`.
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
        let label = R::Owner::def().relations[index].label;
        if !relation.is_many() {
            return match targets.as_slice() {
                [] => self.objects.set_one(obj, index, None),
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
        if matches!(self.objects.store(obj).relation(obj.slot, index), RelationRef::Many(f) if f.state == Many::Unloaded)
        {
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
            // One that was expunged is not ours to unlink.
            if let Ok(target) = self.objects.resolve(target_def, handle) {
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
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo { .. } => self.set_one(owner, relation, Some(target)),
            Path::HasMany { key, from } => match resolved.back {
                Some(back) => self.set_one(target, back, Some(owner)),
                None => {
                    self.check_owner(target)?;
                    if !self.points_to(target, *key, owner, *from) {
                        if let Some(old) = self.parent(target, *key, model, *from) {
                            self.pull(old, relation, target);
                        }
                        self.plan_key(target, *key, Some((owner, *from)), model.relations[relation].label);
                        self.push(owner, relation, target);
                    }
                    Ok(())
                }
            },
            Path::ManyToMany(_) => {
                if !self.holds(owner, relation, target) {
                    self.plan_row(model, relation, owner, target, true)?;
                    self.push(owner, relation, target);
                    if let Some(back) = resolved.back {
                        self.push(target, back, owner);
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn unlink(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        self.check_owner(owner)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo { key, to } => {
                if self.points_to(owner, *key, target, *to) {
                    self.set_one(owner, relation, None)?;
                }
                Ok(())
            }
            Path::HasMany { key, from } => match resolved.back {
                Some(back) => self.unlink(target, back, owner),
                None => {
                    self.check_owner(target)?;
                    if self.points_to(target, *key, owner, *from) {
                        let label = model.relations[relation].label;
                        check_nullable(resolved.target, *key, label)?;
                        self.plan_key(target, *key, None, label);
                        self.pull(owner, relation, target);
                    }
                    Ok(())
                }
            },
            Path::ManyToMany(_) => {
                self.plan_row(model, relation, owner, target, false)?;
                self.pull(owner, relation, target);
                if let Some(back) = resolved.back {
                    self.pull(target, back, owner);
                }
                Ok(())
            }
        }
    }

    /// Points a to-one relationship to another object, or to none, and moves the object from one collection
    /// to the other.
    fn set_one(&mut self, owner: Obj, relation: usize, target: Option<Obj>) -> Result<()> {
        self.check_owner(owner)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        let Path::BelongsTo { key, to } = resolved.path else { return Ok(()) };
        let label = model.relations[relation].label;
        if target.is_none() {
            check_nullable(model, key, label)?;
        }
        let old = match self.store(owner).relation(owner.slot, relation) {
            RelationRef::One(field) => field.state,
            RelationRef::Many(_) => return Ok(()),
        };
        let new = One::Loaded(target.map(|target| self.handle(target)));
        if old == new {
            return Ok(());
        }
        // The parent that it leaves: the one in the field or, unloaded, the one with that key, if it is here.
        let parent = match old {
            One::Loaded(handle) => handle.and_then(|handle| self.resolve(resolved.target, handle).ok()),
            One::Unloaded => self.by_key(owner, key, resolved.target, to),
        };
        self.refused.retain(|refused| refused.place != Some((owner, relation)));
        self.set_one_field(owner, relation, new);
        self.plan_key(owner, key, target.map(|target| (target, to)), label);
        if let Some(back) = resolved.back {
            if let Some(parent) = parent {
                self.pull(parent, back, owner);
            }
            if let Some(target) = target {
                self.push(target, back, owner);
            }
        }
        Ok(())
    }

    /// Whether a key column holds another object's key, or will after the next flush.
    fn points_to(&self, child: Obj, key: usize, parent: Obj, from: usize) -> bool {
        match self.planned(child, key) {
            Some(target) => target == Some(parent),
            None => {
                let value = self.store(child).value(child.slot, key);
                self.state(parent) == State::Persistent
                    && !value.is_null()
                    && check::same(&value, &self.store(parent).value(parent.slot, from))
            }
        }
    }

    /// The object that a key column points to, or will after the next flush, if the session has it.
    fn parent(&self, child: Obj, key: usize, target: &'static ModelDef, to: usize) -> Option<Obj> {
        match self.planned(child, key) {
            Some(parent) => parent,
            None => self.by_key(child, key, target, to),
        }
    }

    /// The object that a key column points to, if the session has it.
    pub(super) fn by_key(&self, owner: Obj, key: usize, target: &'static ModelDef, to: usize) -> Option<Obj> {
        if target.primary_key != [to] {
            return None;
        }
        let value = self.store(owner).value(owner.slot, key);
        let slot = self.find_store(target)?.find(&[value])?;
        Some(Obj { model: target.id.get() as u32, slot })
    }

    /// Plans the links that an added object's relationship fields say. What cannot be linked is noted for the
    /// flush to say.
    ///
    /// `again` is for an object that was rolled back. Others that were rolled back with it may be added after it,
    /// and then link themselves.
    pub(super) fn adopt(&mut self, obj: Obj, again: bool) {
        for (relation, def) in self.store(obj).model().relations.iter().enumerate() {
            // Fields that were made by `Default` do not know their name.
            self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| field.name(def.label));
            match self.store(obj).relation(obj.slot, relation) {
                RelationRef::One(field) => {
                    // Unloaded, nothing was said: the key column, if it was given, says it.
                    if let One::Loaded(target) = field.state {
                        self.adopt_one(obj, relation, target);
                    }
                }
                RelationRef::Many(field) => {
                    let state = field.state.clone();
                    // A new object has no rows at the other end but those that are linked to it.
                    self.set_many_field(obj, relation, Many::of(Vec::new()));
                    let handles = state.handles().unwrap_or_default().to_vec();
                    self.undo.push(Undo::Many(obj, relation, state));
                    for handle in handles {
                        if let Err(why) = self.adopt_many(obj, relation, handle, again) {
                            self.refused.push(Refused { place: Some((obj, relation)), why });
                        }
                    }
                }
            }
        }
    }

    fn adopt_one(&mut self, obj: Obj, relation: usize, target: Option<Handle>) {
        self.set_one_field(obj, relation, One::Unloaded);
        let Some(handle) = target else { return self.set_one_field(obj, relation, One::Loaded(None)) };
        let model = self.store(obj).model();
        let linked = self.resolve((model.relations[relation].target)(), handle).and_then(|target| {
            self.check_target(target)?;
            // Rolled back together, it has kept this one in its collection.
            if let Some(back) = model.mapping()?.relations[relation].back {
                self.pull(target, back, obj);
            }
            self.set_one(obj, relation, Some(target))
        });
        if let Err(why) = linked {
            self.refused.push(Refused { place: Some((obj, relation)), why });
        }
    }

    fn adopt_many(&mut self, obj: Obj, relation: usize, handle: Handle, again: bool) -> Result<()> {
        let model = self.store(obj).model();
        let target = self.resolve((model.relations[relation].target)(), handle)?;
        if again {
            if self.state(target) == State::Transient {
                return Ok(());
            }
            let resolved = &model.mapping()?.relations[relation];
            if let Some(back) = resolved.back {
                match resolved.path {
                    // It was added again before this one, and has linked itself.
                    Path::HasMany { .. } if self.holds(target, back, obj) => {
                        self.push(obj, relation, target);
                        return Ok(());
                    }
                    _ => self.pull(target, back, obj),
                }
            }
        }
        self.link(obj, relation, target)
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

    fn holds(&self, obj: Obj, relation: usize, target: Obj) -> bool {
        let handle = self.handle(target);
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::Many(field) => field.state.handles().is_some_and(|handles| handles.contains(&handle)),
            RelationRef::One(field) => field.state == One::Loaded(Some(handle)),
        }
    }

    /// Plans a key column to be filled from another object.
    fn plan_key(&mut self, obj: Obj, column: usize, target: Option<(Obj, usize)>, label: &'static str) {
        let store = self.store_mut(obj);
        if store.meta(obj.slot).state == State::Persistent {
            // The flush compares: the key may turn out to be the same.
            store.touch(obj.slot);
        } else {
            store.enlist(obj.slot);
        }
        let links = &mut store.meta_mut(obj.slot).links;
        let first = links.is_empty();
        links.retain(|link| link.column != column);
        links.push(KeyLink { column, target, label });
        if first {
            self.linked.push(obj);
        }
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
        let Path::ManyToMany(link) = &model.mapping()?.relations[relation].path else { return Ok(()) };
        let table = model.relations[relation].secondary.unwrap_or_default();
        // The row is the same from both ends: its key is ordered by the association's columns.
        let local_first = link.local.first().map(|c| &c.0) <= link.remote.first().map(|c| &c.0);
        let key = if local_first { (table, owner, target) } else { (table, target, owner) };
        if !add && (self.state(owner) != State::Persistent || self.state(target) != State::Persistent) {
            self.link_rows.remove(&key);
        } else {
            self.link_rows.insert(key, LinkRow { owner: model, relation, local: owner, remote: target, add });
        }
        Ok(())
    }

    /// Puts an object into a loaded collection. The caller knows that it is not in it yet.
    pub(super) fn push(&mut self, obj: Obj, relation: usize, target: Obj) {
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

    /// Takes an object out of a loaded collection.
    pub(super) fn pull(&mut self, obj: Obj, relation: usize, target: Obj) {
        let handle = self.handle(target);
        if let RelationRef::Many(field) = self.store(obj).relation(obj.slot, relation)
            && let Some(at) = field.state.handles().and_then(|all| all.iter().position(|other| *other == handle))
        {
            self.undo.push(Undo::Pulled(obj, relation, at, handle));
            self.store_mut(obj).change_many(obj.slot, relation, &mut |handles| {
                handles.remove(at);
            });
        }
    }
}

/// Refuses to end a relation whose key cannot be NULL.
fn check_nullable(model: &'static ModelDef, key: usize, label: &str) -> Result<()> {
    let column = &model.columns[key];
    if column.nullable {
        return Ok(());
    }
    Err(Error::InvalidState {
        model: model.name,
        reason: format!(
            "`{label}` cannot be unlinked, since its key `{}` is NOT NULL: link it to another object, or delete it",
            column.field
        ),
    })
}
