//! Loading relationships: one query for any number of objects.
//!
//! A to-one relationship whose target is in the session costs no query. Collections come in one statement
//! (`… WHERE author_id IN (…)`, all keys in one parameter), ordered by the target's key, and lie in one shared
//! slice. What was linked or unlinked and not flushed yet is merged in (`merge`), so that a collection never
//! contradicts what the program said before it was loaded.

mod deferred;
mod fetch;
mod merge;
mod statement;

pub(super) use crate::sql::keys::{KeyList, RowKey};

use super::Session;
use super::objects::Obj;
use super::store::State;
use crate::error::Result;
use crate::model::mapping::Path;
use crate::model::{Handle, Many, Model, ModelDef, One, Related, RelationRef, Tracked};
use crate::sql::{IntoLoad, Load};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;

/// What `load` takes: a handle, or several.
pub trait Owners<M> {
    /// The handles.
    fn handles(self) -> Vec<Tracked<M>>;
}

impl<M> Owners<M> for Tracked<M> {
    fn handles(self) -> Vec<Tracked<M>> {
        vec![self]
    }
}

impl<M> Owners<M> for &[Tracked<M>] {
    fn handles(self) -> Vec<Tracked<M>> {
        self.to_vec()
    }
}

impl<M> Owners<M> for &Vec<Tracked<M>> {
    fn handles(self) -> Vec<Tracked<M>> {
        self.clone()
    }
}

impl<M, const N: usize> Owners<M> for [Tracked<M>; N] {
    fn handles(self) -> Vec<Tracked<M>> {
        self.to_vec()
    }
}

impl Session {
    /// Loads a relationship of one object or of several, in one query: `session.load(post, Post.tags)`,
    /// `session.load(&posts, Post.author.with(User.posts))`. What is loaded already is left as it is.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or
    /// [`Error::StaleHandle`](crate::Error::StaleHandle), and when the database cannot be asked.
    #[track_caller]
    pub fn load<M: Model, L: IntoLoad<M>>(
        &mut self,
        owners: impl Owners<M>,
        relation: L,
    ) -> impl Future<Output = Result<()>> {
        let owners: Vec<Handle> = owners.handles().into_iter().map(|handle| handle.raw).collect();
        self.load_counted(M::def(), owners, relation.into_load(), Location::caller())
    }

    /// The collection or target of a relationship, loaded first if need be.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    #[track_caller]
    pub fn related<R: Related + IntoLoad<R::Owner>>(
        &mut self,
        owner: Tracked<R::Owner>,
        relation: R,
    ) -> impl Future<Output = Result<Vec<Tracked<R::Target>>>> {
        let at = Location::caller();
        async move {
            self.load_counted(R::Owner::def(), vec![owner.raw], relation.into_load(), at).await?;
            let obj = self.objects.resolve(R::Owner::def(), owner.raw)?;
            Ok(match self.objects.store(obj).relation(obj.slot, relation.index()) {
                RelationRef::One(field) => match field.state {
                    One::Loaded(target) => target.into_iter().map(Tracked::new).collect(),
                    One::Unloaded => Vec::new(),
                },
                RelationRef::Many(field) => {
                    field.state.handles().unwrap_or_default().iter().copied().map(Tracked::new).collect()
                }
            })
        }
    }

    /// Loads a relationship, and what is nested in it. Boxed, since it calls itself for what is nested.
    pub(super) fn load_raw<'a>(
        &'a mut self,
        model: &'static ModelDef,
        owners: Vec<Handle>,
        relation: usize,
        nested: &'a [Load],
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            let mut objs = Vec::with_capacity(owners.len());
            for handle in owners {
                objs.push(self.objects.resolve(model, handle)?);
            }
            objs.sort_unstable();
            objs.dedup();
            let missing: Vec<Obj> =
                objs.iter().copied().filter(|obj| !self.objects.is_current(*obj, relation)).collect();
            if !missing.is_empty() {
                self.load_missing(model, &missing, relation).await?;
            }
            if nested.is_empty() {
                return Ok(());
            }
            let target = (model.relations[relation].target)();
            let next = self.objects.targets(&objs, relation);
            if next.is_empty() {
                return Ok(());
            }
            for load in nested {
                self.load_raw(target, next.clone(), load.relation, &load.nested).await?;
            }
            Ok(())
        })
    }

    async fn load_missing(&mut self, model: &'static ModelDef, owners: &[Obj], relation: usize) -> Result<()> {
        let resolved = &model.mapping()?.relations[relation];
        if let Path::BelongsTo(_) = &resolved.path {
            self.reread_expired(model, owners).await?;
        }
        match &resolved.path {
            Path::BelongsTo(keys) => self.load_one(owners, relation, resolved, keys).await,
            Path::HasMany(keys) | Path::HasOne(keys) => self.load_many(owners, relation, resolved, keys).await,
            Path::ManyToMany(link) => self.load_associated(owners, relation, resolved, link).await,
        }
    }
}

impl super::objects::Objects {
    /// Whether a relationship field holds something, even if it is nothing.
    pub(super) fn is_loaded(&self, obj: Obj, relation: usize) -> bool {
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::One(field) => field.state != One::Unloaded,
            RelationRef::Many(field) => !matches!(field.state, Many::Unloaded),
        }
    }

    /// Whether a relationship field holds all that there is: a collection that was loaded with a filter does not.
    pub(super) fn is_complete(&self, obj: Obj, relation: usize) -> bool {
        match self.store(obj).relation(obj.slot, relation) {
            RelationRef::One(field) => field.state != One::Unloaded,
            RelationRef::Many(field) => !matches!(field.state, Many::Unloaded) && !field.state.is_partial(),
        }
    }

    /// Whether a relationship is loaded, wholly, and none of the objects in it was expunged since.
    fn is_current(&self, obj: Obj, relation: usize) -> bool {
        let store = self.store(obj);
        let target = self.find_store((store.model().relations[relation].target)());
        let here = |handle: &Handle| target.is_some_and(|store| store.slot(*handle).is_some());
        match store.relation(obj.slot, relation) {
            RelationRef::One(field) => match &field.state {
                One::Unloaded => false,
                One::Loaded(target) => target.iter().all(here),
            },
            RelationRef::Many(field) => {
                !field.state.is_partial() && field.state.handles().is_some_and(|handles| handles.iter().all(here))
            }
        }
    }

    /// Whether a rollback would have anything to take back: then what is loaded now may show it.
    fn is_writing(&self) -> bool {
        !self.undo.is_empty() || self.has_changes()
    }

    /// Sets a to-one field to what the database, or the identity map, says.
    fn loaded_one(&mut self, obj: Obj, relation: usize, target: Option<Handle>) {
        let state = One::Loaded(target);
        if self.is_writing() {
            self.set_one_field(obj, relation, state)
        } else {
            self.set_one_field_silently(obj, relation, state)
        }
    }

    /// The objects at the other end.
    pub(super) fn targets(&self, owners: &[Obj], relation: usize) -> Vec<Handle> {
        let mut targets = Vec::new();
        for obj in owners {
            match self.store(*obj).relation(obj.slot, relation) {
                RelationRef::One(field) => {
                    if let One::Loaded(Some(handle)) = field.state {
                        targets.push(handle);
                    }
                }
                RelationRef::Many(field) => targets.extend(field.state.handles().unwrap_or_default()),
            }
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Whether an object will have no row after the next flush, or has none any more.
    pub(super) fn is_going(&self, obj: Obj) -> bool {
        let meta = self.store(obj).meta(obj.slot);
        meta.doomed || meta.state == State::Deleted
    }
}
