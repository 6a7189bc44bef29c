//! Keys that change, and the rows that refer to them.
//!
//! With `on_update = cascade` the database changes the keys of the rows that refer to a row, and the objects here
//! follow once it has. Without it the session does what the database does not: children are found by the
//! relationship that leads to them (`HasMany`, `HasOne`), linked to their parent, and written after it. A key that the
//! database checks at the end of each statement, as it does unless it is deferrable, is set to NULL before, if it can
//! be NULL; if not, the database refuses the parent's new key.

use rustc_hash::FxHashMap;

use super::check;
use super::plan::Work;
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path, Reference};
use crate::model::{ColumnSet, ModelDef};
use crate::schema::{Action, Deferrable};
use crate::session::Session;
use crate::session::load::{KeyList, RowKey};
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::session::undo::Undo;
use crate::types::{Cell, Value};

/// A row whose key was changed: its object, and what the columns of it were that others refer to.
pub(in crate::session) struct Moved {
    pub(in crate::session) obj: Obj,
    pub(in crate::session) old: Vec<(usize, Value<'static>)>,
}

impl Session {
    /// Links the rows that refer to objects whose keys are changed, so that they are written as well; says which.
    pub(super) async fn plan_new_keys(&mut self) -> Result<Vec<(Obj, &'static [KeyPair])>> {
        let mut linked: Vec<(Obj, &'static [KeyPair])> = Vec::new();
        let mut parents: Vec<Obj> =
            self.objects.touched().into_iter().filter(|obj| self.objects.may_move(*obj)).collect();
        while let Some(parent) = parents.pop() {
            let model = self.objects.store(parent).model();
            for (relation, resolved) in model.mapping()?.relations.iter().enumerate() {
                let (Path::HasMany(keys) | Path::HasOne(keys)) = &resolved.path else { continue };
                let child = resolved.target;
                if model.relations[relation].view_only
                    || !self.objects.moves(parent, keys)
                    || reference(child, keys)?.is_some_and(|reference| reference.on_update == Action::Cascade)
                {
                    continue;
                }
                let to = KeyPair::referred(keys);
                let columns = KeyPair::columns(keys);
                let Some(key) = self.objects.saved_key_in(parent, &to) else { continue };
                let mut list = KeyList::new(to.len());
                list.push(&key);
                let order: Vec<(usize, bool)> = child.primary_key.iter().map(|key| (*key, false)).collect();
                for (_, handle) in self.tracked_by(child, &columns, &order, list).await? {
                    let obj = self.objects.resolve(child, handle)?;
                    let held = self.objects.key_in(obj, &columns);
                    // What the program says of it counts.
                    if self.objects.is_going(obj)
                        || self.objects.planned(obj, keys).is_some()
                        || held.as_ref() != Some(&key)
                    {
                        continue;
                    }
                    self.objects.plan_key(obj, keys, Some(parent), model.relations[relation].label);
                    linked.push((obj, keys));
                    if columns.iter().any(|column| child.primary_key.contains(column)) {
                        parents.push(obj);
                    }
                }
            }
        }
        Ok(linked)
    }
}

/// The foreign key that a relationship goes by, where the table has one.
fn reference(child: &'static ModelDef, keys: &[KeyPair]) -> Result<Option<&'static Reference>> {
    Ok(child.mapping()?.references.iter().find(|reference| reference.keys == keys))
}

impl Objects {
    /// Forgets keys that were planned for a flush that failed.
    pub(super) fn unplan(&mut self, linked: Vec<(Obj, &'static [KeyPair])>) {
        for (obj, keys) in linked {
            let links = &mut self.store_mut(obj).meta_mut(obj.slot).links;
            links.retain(|link| link.keys != keys);
            if links.is_empty() {
                self.linked.retain(|other| *other != obj);
            }
        }
    }

    /// Whether the key of an object's row may be another one after the flush. Looks at no more than it has to, since it
    /// is asked for every object that was changed.
    fn may_move(&self, obj: Obj) -> bool {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        if meta.state != State::Persistent || meta.doomed {
            return false;
        }
        let model = store.model();
        let relations = model.resolved();
        relations.iter().any(|resolved| match &resolved.path {
            Path::HasMany(keys) | Path::HasOne(keys) => self.moves(obj, keys),
            _ => false,
        })
    }

    /// Whether columns that a key refers to are about to be changed.
    fn moves(&self, obj: Obj, keys: &[KeyPair]) -> bool {
        let store = self.store(obj);
        let links = &store.meta(obj.slot).links;
        keys.iter().any(|pair| {
            let saved = store.saved_value(obj.slot, pair.to);
            // A part of the key that another key shares may be linked, and stay as it is.
            let linked = links.iter().any(|link| link.has(pair.to));
            let stays = || self.to_be(obj, pair.to).is_some_and(|value| check::same(&value, &saved));
            store.value(obj.slot, pair.to) != saved || linked && (self.is_expired(obj) || !stays())
        })
    }

    /// The keys that have to be let go of before those that they refer to can change, with the rows that hold them.
    pub(super) fn held_back(&self, work: &Work) -> Result<Vec<(ColumnSet, Obj)>> {
        let mut held = Vec::new();
        for obj in &work.updates {
            for link in &self.store(*obj).meta(obj.slot).links {
                let Some(target) = link.target else { continue };
                if self.state(target) != State::Persistent || !self.moves(target, link.keys) {
                    continue;
                }
                let Some(reference) = reference(work.model, link.keys)? else { continue };
                let to = KeyPair::referred(link.keys);
                let columns = KeyPair::columns(link.keys);
                if reference.deferrable == Deferrable::InitiallyDeferred
                    || !matches!(reference.on_update, Action::NoAction | Action::Restrict)
                    || self.saved_key_in(*obj, &columns) != self.saved_key_in(target, &to)
                {
                    continue;
                }
                let can_be_null = columns.iter().copied().filter(|column| work.model.columns[*column].nullable);
                let nulls: ColumnSet = can_be_null.collect();
                if !nulls.is_empty() {
                    held.push((nulls, *obj));
                }
            }
        }
        Ok(held)
    }

    /// The rows of a flush whose keys others refer to and that are others now. To be asked while what they were is
    /// known.
    pub(super) fn moved<'w>(&self, updates: impl Iterator<Item = &'w Obj>) -> Vec<Moved> {
        let mut columns: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        let mut moved = Vec::new();
        for obj in updates {
            let columns = columns.entry(obj.model).or_insert_with(|| self.followed(self.store(*obj).model()));
            if columns.is_empty() {
                continue;
            }
            let store = self.store(*obj);
            let is_moved = |column: &usize| store.value(obj.slot, *column) != store.saved_value(obj.slot, *column);
            if columns.iter().any(is_moved) {
                let old = |column: &usize| (*column, store.saved_value(obj.slot, *column).into_owned());
                moved.push(Moved { obj: *obj, old: columns.iter().map(old).collect() });
            }
        }
        moved
    }

    /// The columns of a model that the database has other rows follow.
    fn followed(&self, model: &'static ModelDef) -> Vec<usize> {
        let mut columns: Vec<usize> = self.followers(model).flat_map(|(_, r)| &r.keys).map(|pair| pair.to).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The foreign keys to a model that the database has follow, of models that have objects here.
    fn followers(
        &self,
        model: &'static ModelDef,
    ) -> impl Iterator<Item = (&'static ModelDef, &'static Reference)> + use<'_> {
        self.stores().flat_map(move |store| {
            let child = store.model();
            let references = child.references();
            let follow = move |reference: &&Reference| {
                std::ptr::eq(reference.target, model) && reference.on_update == Action::Cascade
            };
            references.iter().filter(follow).map(move |reference| (child, reference))
        })
    }

    /// Objects follow as their rows did. Of `written` the flush wrote columns itself: a key among them may be the one
    /// that a row had before and another has now.
    pub(in crate::session) fn follow_moved(
        &mut self,
        mut moved: Vec<Moved>,
        written: impl Iterator<Item = (Obj, ColumnSet)>,
    ) {
        if moved.is_empty() {
            return;
        }
        let written: FxHashMap<Obj, ColumnSet> = written.collect();
        while !moved.is_empty() {
            let mut next: Vec<Moved> = Vec::new();
            let mut models: Vec<u32> = moved.iter().map(|moved| moved.obj.model).collect();
            models.sort_unstable();
            models.dedup();
            for id in models {
                let of_model: Vec<&Moved> = moved.iter().filter(|moved| moved.obj.model == id).collect();
                let Some(first) = of_model.first() else { continue };
                let model = self.store(first.obj).model();
                let followers: Vec<_> = self.followers(model).collect();
                for (child, reference) in followers {
                    next.extend(self.follow_reference(child, reference, &of_model, &written));
                }
            }
            moved = next;
        }
    }

    fn follow_reference(
        &mut self,
        child: &'static ModelDef,
        reference: &'static Reference,
        parents: &[&Moved],
        written: &FxHashMap<Obj, ColumnSet>,
    ) -> Vec<Moved> {
        let keys = &reference.keys;
        let old = |moved: &Moved| {
            let value = |to: usize| moved.old.iter().find(|(column, _)| *column == to).map(|(_, value)| value);
            let values: Option<Vec<&Value<'static>>> = keys.iter().map(|pair| value(pair.to)).collect();
            RowKey::of(keys.len(), |part| values.as_ref().map_or(Value::Null, |values| values[part].borrowed()))
        };
        let of: FxHashMap<RowKey, Obj> = parents.iter().filter_map(|moved| Some((old(moved)?, moved.obj))).collect();
        let columns = KeyPair::columns(keys);
        let in_key = columns.iter().any(|column| child.primary_key.contains(column));
        let followed = if in_key { self.followed(child) } else { Vec::new() };
        let Some(store) = self.find_store(child) else { return Vec::new() };
        let model = child.id.get() as u32;
        let mut met: Vec<(Obj, Obj)> = Vec::new();
        for slot in (0..store.slots()).filter(|slot| store.occupied(*slot)) {
            let obj = Obj { model, slot };
            if store.meta(slot).state == State::Persistent
                && let Some(parent) = self.key_in(obj, &columns).and_then(|key| of.get(&key))
                && !written.get(&obj).is_some_and(|set| columns.iter().any(|column| set.contains(*column)))
            {
                met.push((obj, *parent));
            }
        }
        let mut moved = Vec::new();
        for (obj, parent) in met {
            let old: Vec<_> = followed
                .iter()
                .map(|column| (*column, self.store(obj).value(obj.slot, *column).into_owned()))
                .collect();
            if in_key {
                self.store_mut(obj).unidentify(obj.slot);
            }
            self.store_mut(obj).touch(obj.slot);
            for pair in keys {
                let value = self.store(parent).value(parent.slot, pair.to).into_owned();
                // The types of a key and of what it refers to are the same.
                let _ = self.store_mut(obj).set_value(obj.slot, pair.key, Cell::from_value(&value));
            }
            if let Some(saved) = self.store_mut(obj).take_saved(obj.slot) {
                self.undo.push(Undo::Updated(obj, saved));
            }
            if in_key {
                self.store_mut(obj).identify(obj.slot);
            }
            if !old.is_empty() {
                moved.push(Moved { obj, old });
            }
        }
        moved
    }
}
