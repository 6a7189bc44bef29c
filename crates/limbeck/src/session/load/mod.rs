//! Loading relationships: one query for any number of objects, or none but that of the objects themselves.
//!
//! A to-one relationship whose target is in the session costs no query. Collections come in one statement
//! (`… WHERE author_id IN (…)`, all keys in one parameter, so that it is never cut into pieces), in the relationship's
//! order and then that of the target's key, and lie in one shared slice; or they come joined to their owners, in the
//! rows of these. What was linked or unlinked and not flushed yet is merged in (`merge`), so that a collection never
//! contradicts what the program said before it was loaded.
//!
//! * `statement`: the statements that know nothing but keys; `part`: those that have a filter, an order, a limit, or
//!   joins. `fetch`: running either, and `settle`, which brings what was found into the fields of the owners.
//! * `reading`: what rows do with objects that are here, and targets that come in the rows of their owners.
//! * `deferred`: columns.

mod deferred;
mod fetch;
mod merge;
mod part;
mod reading;
mod statement;

pub(super) use crate::sql::keys::{KeyList, RowKey};
pub(super) use reading::{Reading, Targets};

use super::Session;
use super::objects::Obj;
use super::store::State;
use crate::error::Result;
use crate::model::mapping::Path;
use crate::model::{Handle, Many, Model, ModelDef, One, Related, RelationRef, Tracked};
use crate::sql::IntoLoad;
use crate::sql::load::Load;
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
    /// `session.load(&posts, Post.author.with(User.posts))`. What is loaded already is left as it is; a collection that
    /// was loaded in part is loaded anew.
    ///
    /// All keys go in one parameter, however many they are, so that no limit of the database's is ever met.
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

    /// Loads a relationship, wholly, and what is nested in it.
    pub(super) fn load_raw<'a>(
        &'a mut self,
        model: &'static ModelDef,
        owners: Vec<Handle>,
        relation: usize,
        nested: &'a [Load],
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            let mut load = [Load::of(relation)];
            load[0].nested = nested.to_vec();
            self.load_along(model, owners, &load, &mut Reading::default(), None).await
        })
    }

    /// Loads relationships, and what is nested in them: out of the rows that the owners were in, where the targets
    /// are there, else by a statement for each. `rows` are those, with the branch of the owners in them. Boxed, since
    /// it calls itself for what is nested.
    pub(super) fn load_along<'a>(
        &'a mut self,
        model: &'static ModelDef,
        owners: Vec<Handle>,
        loads: &'a [Load],
        reading: &'a mut Reading,
        rows: Option<(&'a Targets, Option<usize>)>,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            let mut objs = Vec::with_capacity(owners.len());
            for handle in owners {
                objs.push(self.objects.resolve(model, handle)?);
            }
            objs.sort_unstable();
            objs.dedup();
            for load in loads {
                let relation = load.relation;
                let branch = rows.and_then(|(rows, parent)| Some((rows, rows.branch(parent, relation)?)));
                let is_missing = |obj: &Obj| !self.objects.is_current(*obj, relation);
                let mut missing: Vec<Obj> = objs.iter().copied().filter(is_missing).collect();
                if let Some((rows, branch)) = branch
                    && !missing.is_empty()
                {
                    missing = self.take_joined(model, missing, load, rows.found(branch), reading).await?;
                }
                let mut own = None;
                if !missing.is_empty() {
                    own = self.load_missing(model, &missing, load, reading).await?;
                }
                let next = if load.nested.is_empty() { Vec::new() } else { self.objects.targets(&objs, relation) };
                if next.is_empty() {
                    continue;
                }
                let rows = match (&own, branch) {
                    (Some(own), _) => Some((own, None)),
                    (None, Some((rows, branch))) => Some((rows, Some(branch))),
                    (None, None) => None,
                };
                let target = (model.relations[relation].target)();
                self.load_along(target, next, &load.nested, &mut *reading, rows).await?;
            }
            Ok(())
        })
    }

    /// Loads a relationship from the rows that its owners were in. Returns the owners that were in none.
    async fn take_joined(
        &mut self,
        model: &'static ModelDef,
        owners: Vec<Obj>,
        load: &Load,
        found: &[(Handle, Option<Handle>)],
        reading: &mut Reading,
    ) -> Result<Vec<Obj>> {
        const NOT_THERE: u32 = u32::MAX;
        let mut place = vec![NOT_THERE; owners.len()];
        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        let number = model.id.get() as u32;
        for (owner, target) in found {
            let Ok(at) = owners.binary_search(&Obj { model: number, slot: owner.slot }) else { continue };
            place[at] = 0;
            pairs.extend(target.map(|target| (at as u32, target)));
        }
        let (mut there, mut rest) = (Vec::with_capacity(owners.len()), Vec::new());
        for (at, owner) in owners.into_iter().enumerate() {
            if place[at] == NOT_THERE {
                rest.push(owner);
            } else {
                place[at] = there.len() as u32;
                there.push(owner);
            }
        }
        pairs.iter_mut().for_each(|(at, _)| *at = place[*at as usize]);
        let resolved = &model.mapping()?.relations[load.relation];
        match &resolved.path {
            Path::BelongsTo(keys) => {
                let joined: Vec<Handle> = pairs.into_iter().map(|(_, target)| target).collect();
                self.load_one(&there, load, resolved, keys, &joined, reading).await?;
            }
            _ => self.settle(model, &there, load, resolved, pairs)?,
        }
        Ok(rest)
    }

    async fn load_missing(
        &mut self,
        model: &'static ModelDef,
        owners: &[Obj],
        load: &Load,
        reading: &mut Reading,
    ) -> Result<Option<Targets>> {
        let resolved = &model.mapping()?.relations[load.relation];
        match &resolved.path {
            Path::BelongsTo(keys) => {
                self.reread_expired(model, owners).await?;
                self.load_one(owners, load, resolved, keys, &[], reading).await
            }
            _ => self.load_many(model, owners, load, resolved, reading).await,
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
    pub(super) fn is_current(&self, obj: Obj, relation: usize) -> bool {
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
        !self.undo.is_empty() || self.stamps.doubt.is_on() || self.has_changes()
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
