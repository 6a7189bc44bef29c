//! `link`, `unlink`, `assign`: changing relationships, with both sides true at once.
//!
//! A relationship has one fact behind it: a key column of one object, or a row of an association table.
//! These verbs plan that fact for the next flush and bring both fields in line with it. A collection that is
//! not loaded stays so: the plan is merged into it when it is loaded.

use super::Session;
use super::objects::{LinkRow, Obj, Objects};
use super::store::{KeyLink, State};
use super::undo::Undo;
use crate::error::{Error, Result};
use crate::model::mapping::Path;
use crate::model::{Handle, Many, Model, ModelDef, One, Related, RelationMut, RelationRef, Tracked};

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
        let now = match self.objects.store(obj).relation(obj.slot, index) {
            RelationRef::Many(field) => field.state.handles().unwrap_or_default().to_vec(),
            RelationRef::One(_) => Vec::new(),
        };
        let target_def = R::Target::def();
        let wanted: Vec<Obj> =
            targets.iter().map(|target| self.objects.resolve(target_def, *target)).collect::<Result<_>>()?;
        for handle in now.iter().filter(|handle| !targets.contains(handle)) {
            let target = self.objects.resolve(target_def, *handle)?;
            self.objects.unlink(obj, index, target)?;
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
    pub(crate) fn link(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        self.usable(owner)?;
        self.usable(target)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo { .. } => self.set_one(owner, relation, Some(target)),
            Path::HasMany { key, from } => match resolved.back {
                Some(back) => self.set_one(target, back, Some(owner)),
                None => {
                    self.plan_key(target, *key, Some((owner, *from)), model.relations[relation].label);
                    self.push(owner, relation, target);
                    Ok(())
                }
            },
            Path::ManyToMany(_) => {
                if self.holds(owner, relation, target) {
                    return Ok(());
                }
                self.plan_row(model, relation, owner, target, true)?;
                self.push(owner, relation, target);
                if let Some(back) = resolved.back {
                    self.push(target, back, owner);
                }
                Ok(())
            }
        }
    }

    pub(crate) fn unlink(&mut self, owner: Obj, relation: usize, target: Obj) -> Result<()> {
        self.usable(owner)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        match &resolved.path {
            Path::BelongsTo { .. } => match self.store(owner).relation(owner.slot, relation) {
                RelationRef::One(field) if field.state == One::Loaded(Some(self.handle(target))) => {
                    self.set_one(owner, relation, None)
                }
                _ => Ok(()),
            },
            Path::HasMany { key, .. } => match resolved.back {
                Some(back) => self.unlink(target, back, owner),
                None => {
                    self.nullable(resolved.target, *key, model.relations[relation].label)?;
                    self.plan_key(target, *key, None, model.relations[relation].label);
                    self.pull(owner, relation, target);
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
    pub(crate) fn set_one(&mut self, owner: Obj, relation: usize, target: Option<Obj>) -> Result<()> {
        self.usable(owner)?;
        let model = self.store(owner).model();
        let resolved = &model.mapping()?.relations[relation];
        let Path::BelongsTo { key, to } = resolved.path else { return Ok(()) };
        let label = model.relations[relation].label;
        if target.is_none() {
            self.nullable(model, key, label)?;
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

    /// The object that a key column points to, if the session has it.
    pub(crate) fn by_key(&self, owner: Obj, key: usize, target: &'static ModelDef, to: usize) -> Option<Obj> {
        if target.primary_key != [to] {
            return None;
        }
        let value = self.store(owner).value(owner.slot, key);
        let slot = self.find_store(target)?.find(&[value])?;
        Some(Obj { model: target.id.get() as u32, slot })
    }

    /// Adds an object's links as its relationship fields say: for objects that are added.
    pub(crate) fn adopt(&mut self, obj: Obj) -> Result<()> {
        let model = self.store(obj).model();
        for (relation, def) in model.relations.iter().enumerate() {
            match self.store(obj).relation(obj.slot, relation) {
                RelationRef::One(field) => match field.state {
                    // Nothing was said: the key column, if it was given, says it.
                    One::Unloaded => {}
                    One::Loaded(handle) => {
                        let target = handle.map(|handle| self.resolve((def.target)(), handle)).transpose();
                        self.set_one_field_silently(obj, relation, One::Unloaded);
                        if let Some(target) = target? {
                            self.set_one(obj, relation, Some(target))?;
                        } else {
                            self.set_one_field_silently(obj, relation, One::Loaded(None));
                        }
                    }
                },
                RelationRef::Many(field) => {
                    let handles = field.state.handles().unwrap_or_default().to_vec();
                    // A new object has no rows at the other end but those that are linked to it.
                    self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| {
                        if let RelationMut::Many(field) = field {
                            field.state = Many::of(Vec::new());
                        }
                    });
                    for handle in handles {
                        let target = self.resolve((def.target)(), handle)?;
                        self.link(obj, relation, target)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn usable(&self, obj: Obj) -> Result<()> {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        let reason = match meta.state {
            State::Deleted => "it is deleted",
            State::Transient => "it was rolled back: add it again first",
            _ if meta.doomed => "it is marked to be deleted",
            _ => return Ok(()),
        };
        Err(Error::InvalidState { model: store.model().name, reason: format!("cannot be linked: {reason}") })
    }

    fn nullable(&self, model: &'static ModelDef, key: usize, label: &str) -> Result<()> {
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

    /// Plans a row of an association table. A plan and its opposite cancel out.
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
        let row = LinkRow { owner: model, relation, local: owner, remote: target, add };
        match self.link_rows.get(&key) {
            Some(planned) if planned.add != add => {
                self.link_rows.remove(&key);
            }
            _ => {
                self.link_rows.insert(key, row);
            }
        }
        Ok(())
    }

    pub(crate) fn set_one_field(&mut self, obj: Obj, relation: usize, state: One) {
        if let RelationRef::One(field) = self.store(obj).relation(obj.slot, relation) {
            let old = field.state;
            self.undo.push(Undo::One(obj, relation, old));
        }
        self.set_one_field_silently(obj, relation, state);
    }

    pub(crate) fn set_one_field_silently(&mut self, obj: Obj, relation: usize, state: One) {
        self.store_mut(obj).relation_mut(obj.slot, relation, &mut |field| {
            if let RelationMut::One(field) = field {
                field.state = state;
            }
        });
    }

    /// Puts an object into a loaded collection. The caller knows that it is not in it yet.
    pub(crate) fn push(&mut self, obj: Obj, relation: usize, target: Obj) {
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
    pub(crate) fn pull(&mut self, obj: Obj, relation: usize, target: Obj) {
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
