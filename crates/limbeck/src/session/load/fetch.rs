//! Asking for rows at the other end of a relationship, and finding the owner of each.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::part::Found;
use super::reading::{Reading, Targets};
use super::statement::order_of;
use crate::driver::{Row, RowSink, Stmt};
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path, Resolved};
use crate::model::{Handle, ModelDef, RelationKind};
use crate::schema::Association;
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::sql::keys::{KeyList, RowKey, key_of};
use crate::sql::load::Load;

impl Session {
    /// A to-one relationship by its key: from the identity map where the target is there, else in one query. `joined`
    /// are targets that came in the rows of their owners.
    pub(super) async fn load_one(
        &mut self,
        owners: &[Obj],
        load: &Load,
        resolved: &Resolved,
        keys: &[KeyPair],
        joined: &[Handle],
        reading: &mut Reading,
    ) -> Result<Option<Targets>> {
        let relation = load.relation;
        let target = resolved.target;
        let back = resolved.back.filter(|back| target.relations[*back].kind == RelationKind::HasOne);
        let columns = KeyPair::columns(keys);
        let mut wanted: FxHashMap<RowKey, Vec<Obj>> = FxHashMap::default();
        for owner in owners {
            if let Some(planned) = self.objects.planned(*owner, keys) {
                let target = planned.map(|target| self.objects.handle(target));
                self.objects.loaded_one(*owner, relation, target);
                continue;
            }
            let Some(key) = self.objects.key_in(*owner, &columns) else {
                self.objects.loaded_one(*owner, relation, None);
                continue;
            };
            match self.objects.by_key(*owner, keys, target) {
                Some(found) if reading.is_read(found) => {
                    self.objects.loaded_parent(*owner, relation, found, back);
                }
                _ => wanted.entry(key).or_default().push(*owner),
            }
        }
        let columns = KeyPair::referred(keys);
        if !wanted.is_empty() {
            // By a key that is not the primary key.
            for handle in joined {
                let parent = self.objects.resolve(target, *handle)?;
                let owners = self.objects.key_in(parent, &columns).and_then(|key| wanted.remove(&key));
                for owner in owners.unwrap_or_default() {
                    self.objects.loaded_parent(owner, relation, parent, back);
                }
            }
        }
        let Some(owner) = wanted.values().flatten().next() else { return Ok(None) };
        let model = self.objects.store(*owner).model();
        let mut list = KeyList::new(columns.len());
        wanted.keys().for_each(|key| list.push(key));
        let Found { rows, targets } = self.rows(model, resolved, load, list, reading).await?;
        for (key, handle) in rows {
            let parent = self.objects.resolve(target, handle)?;
            for owner in wanted.remove(&key).unwrap_or_default() {
                self.objects.loaded_parent(owner, relation, parent, back);
            }
        }
        // A key without a row: there is no foreign key constraint to forbid it.
        for owner in wanted.into_values().flatten() {
            self.objects.loaded_one(owner, relation, None);
        }
        Ok(targets)
    }

    /// Reads those objects again that are expired, since their keys may no longer be those of their rows. One whose
    /// row is gone stays expired.
    pub(in crate::session) async fn reread_expired(&mut self, model: &'static ModelDef, owners: &[Obj]) -> Result<()> {
        let mut list = KeyList::new(model.primary_key.len());
        for owner in owners.iter().filter(|owner| self.objects.is_expired(**owner)) {
            if let Some(key) = self.objects.saved_key_in(*owner, model.primary_key) {
                list.push(&key);
            }
        }
        if !list.is_empty() {
            self.tracked_by(model, model.primary_key, &[], list).await?;
        }
        Ok(())
    }

    /// A collection, or a one-to-one from the side without the key.
    pub(super) async fn load_many(
        &mut self,
        model: &'static ModelDef,
        owners: &[Obj],
        load: &Load,
        resolved: &Resolved,
        reading: &mut Reading,
    ) -> Result<Option<Targets>> {
        let columns: Vec<usize> = match &resolved.path {
            Path::BelongsTo(keys) | Path::HasMany(keys) | Path::HasOne(keys) => KeyPair::referred(keys),
            Path::ManyToMany(link) => link.local.iter().map(|(_, key)| *key).collect(),
        };
        let (list, index) = self.owner_keys(owners, &columns);
        let Found { rows, targets } =
            if list.is_empty() { Found::nothing() } else { self.rows(model, resolved, load, list, reading).await? };
        let pair = |(key, handle): (RowKey, Handle)| Some((*index.get(&key)?, handle));
        self.settle(model, owners, load, resolved, rows.into_iter().filter_map(pair).collect())?;
        Ok(targets)
    }

    /// Brings what was found for the owners into their fields, with what is planned.
    pub(super) fn settle(
        &mut self,
        model: &'static ModelDef,
        owners: &[Obj],
        load: &Load,
        resolved: &Resolved,
        found: Vec<(u32, Handle)>,
    ) -> Result<()> {
        match &resolved.path {
            Path::BelongsTo(_) => Ok(()),
            Path::HasMany(keys) | Path::HasOne(keys) => self.settle_children(owners, load, resolved, keys, found),
            Path::ManyToMany(_) => self.settle_associated(model, owners, load, resolved, found),
        }
    }

    fn settle_children(
        &mut self,
        owners: &[Obj],
        load: &Load,
        resolved: &Resolved,
        keys: &[KeyPair],
        found: Vec<(u32, Handle)>,
    ) -> Result<()> {
        let (relation, target) = (load.relation, resolved.target);
        let planned = self.planned_children(owners, target, keys);
        let is_one = matches!(resolved.path, Path::HasOne(_));
        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        for (owner, handle) in found {
            let child = self.objects.resolve(target, handle)?;
            // It was linked elsewhere, or is to be deleted: the plan counts, not the row.
            if self.objects.is_going(child) || self.objects.planned(child, keys).is_some() {
                continue;
            }
            // Another is to have the one place that there is.
            let place = (owners[owner as usize], relation);
            if is_one && (planned.iter().any(|(taken, _)| *taken == owner) || self.objects.is_evicting(place)) {
                continue;
            }
            pairs.push((owner, handle));
            if let Some(back) = resolved.back
                && !self.objects.is_loaded(child, back)
            {
                let owner = self.objects.handle(owners[owner as usize]);
                self.objects.loaded_one(child, back, Some(owner));
            }
        }
        pairs.extend(planned);
        if is_one {
            self.objects.fill_ones(owners, relation, &pairs);
        } else {
            self.objects.fill(owners, relation, pairs, load.is_partial());
        }
        Ok(())
    }

    fn settle_associated(
        &mut self,
        model: &'static ModelDef,
        owners: &[Obj],
        load: &Load,
        resolved: &Resolved,
        found: Vec<(u32, Handle)>,
    ) -> Result<()> {
        let target = resolved.target;
        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        for (owner, handle) in found {
            if !self.objects.is_going(self.objects.resolve(target, handle)?) {
                pairs.push((owner, handle));
            }
        }
        self.objects.merge_rows(model, load.relation, target, owners, &mut pairs);
        self.objects.fill(owners, load.relation, pairs, load.is_partial());
        Ok(())
    }

    /// The rows at the other end of a relationship for these keys of owners.
    async fn rows(
        &mut self,
        owner: &'static ModelDef,
        resolved: &Resolved,
        load: &Load,
        list: KeyList,
        reading: &mut Reading,
    ) -> Result<Found> {
        if load.part.is_some() || load.nested.iter().any(Load::is_joined) {
            return self.part(owner, resolved, load, list, reading).await;
        }
        let model = resolved.target;
        let order = order_of(resolved);
        let rows = match &resolved.path {
            Path::BelongsTo(keys) => self.track_by(model, &KeyPair::referred(keys), &[], list, reading).await?,
            Path::HasMany(keys) | Path::HasOne(keys) => {
                self.track_by(model, &KeyPair::columns(keys), &order, list, reading).await?
            }
            Path::ManyToMany(link) => {
                let columns: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
                let stmt = self.statement_associated(owner, load.relation, model, link, &order)?;
                let keyed = Keyed { at: columns.len(), model: owner, columns: &columns, key_at: &|part| part };
                self.track_keyed(&stmt, list, model, keyed, reading).await?
            }
        };
        Ok(Found { rows, targets: None })
    }

    /// The objects that are planned to have the key of one of the owners.
    fn planned_children(&self, owners: &[Obj], target: &ModelDef, keys: &[KeyPair]) -> Vec<(u32, Handle)> {
        let model = target.id.get() as u32;
        let of_target = self.objects.linked.iter().filter(|child| child.model == model);
        let owner = |child: &Obj| owners.binary_search(&self.objects.planned(*child, keys)??).ok();
        of_target.filter_map(|child| Some((owner(child)? as u32, self.objects.handle(*child)))).collect()
    }

    /// The rows that an association table ties to objects of a model, each with the position of its owner.
    pub(in crate::session) async fn associated_rows(
        &mut self,
        owners: &[Obj],
        relation: usize,
        link: &Association,
    ) -> Result<Vec<(u32, Handle)>> {
        let Some(first) = owners.first() else { return Ok(Vec::new()) };
        let model = self.objects.store(*first).model();
        let columns: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
        let (list, index) = self.owner_keys(owners, &columns);
        let (resolved, load) = (&model.mapping()?.relations[relation], Load::of(relation));
        let found = self.rows(model, resolved, &load, list, &mut Reading::default()).await?;
        Ok(found.rows.into_iter().filter_map(|(value, handle)| Some((*index.get(&value)?, handle))).collect())
    }

    /// Tracks the rows of a model whose columns hold one of these keys, each with its key. `order` is as in
    /// [`statement_by_columns`](Self::statement_by_columns).
    pub(in crate::session) async fn tracked_by(
        &mut self,
        model: &'static ModelDef,
        columns: &[usize],
        order: &[(usize, bool)],
        list: KeyList,
    ) -> Result<Vec<(RowKey, Handle)>> {
        self.track_by(model, columns, order, list, &mut Reading::default()).await
    }

    async fn track_by(
        &mut self,
        model: &'static ModelDef,
        columns: &[usize],
        order: &[(usize, bool)],
        list: KeyList,
        reading: &mut Reading,
    ) -> Result<Vec<(RowKey, Handle)>> {
        let stmt = self.statement_by_columns(model, columns, order)?;
        let keyed = Keyed { at: 0, model, columns, key_at: &|part| columns[part] };
        self.track_keyed(&stmt, list, model, keyed, reading).await
    }

    async fn track_keyed(
        &mut self,
        stmt: &Arc<Stmt>,
        list: KeyList,
        model: &'static ModelDef,
        keyed: Keyed<'_>,
        reading: &mut Reading,
    ) -> Result<Vec<(RowKey, Handle)>> {
        let binds = list.binds(stmt.params.len());
        let mut sink = Tracking { objects: &mut self.objects, reading, model, keyed, found: Vec::new() };
        let result = self.line.query(stmt, &binds.binds(), &mut sink).await;
        let found = sink.found;
        result?;
        Ok(found)
    }

    /// The owners' keys, and which owner has each. Owners without a row yet have no rows at the other end.
    fn owner_keys(&self, owners: &[Obj], columns: &[usize]) -> (KeyList, FxHashMap<RowKey, u32>) {
        let mut list = KeyList::new(columns.len());
        let mut index = FxHashMap::default();
        for (position, owner) in owners.iter().enumerate() {
            if self.objects.state(*owner) != State::Persistent {
                continue;
            }
            if let Some(key) = self.objects.key_in(*owner, columns) {
                list.push(&key);
                index.insert(key, position as u32);
            }
        }
        (list, index)
    }
}

impl Objects {
    /// The values of some columns, unless one of them is NULL.
    pub(in crate::session) fn key_in(&self, obj: Obj, columns: &[usize]) -> Option<RowKey> {
        let store = self.store(obj);
        RowKey::of(columns.len(), |part| store.value(obj.slot, columns[part]))
    }

    /// The values of some columns at the last flush, unless one of them is NULL.
    pub(in crate::session) fn saved_key_in(&self, obj: Obj, columns: &[usize]) -> Option<RowKey> {
        let store = self.store(obj);
        RowKey::of(columns.len(), |part| store.saved_value(obj.slot, columns[part]))
    }
}

/// Which columns of a row are its key.
struct Keyed<'s> {
    /// Where the columns of the object begin.
    at: usize,
    /// The model whose columns are the key, and which.
    model: &'static ModelDef,
    columns: &'s [usize],
    /// Where each is in the row.
    key_at: &'s (dyn Fn(usize) -> usize + Sync),
}

/// Tracks rows of a model, with the values of some columns of each row.
struct Tracking<'s> {
    objects: &'s mut Objects,
    reading: &'s mut Reading,
    model: &'static ModelDef,
    keyed: Keyed<'s>,
    found: Vec<(RowKey, Handle)>,
}

impl RowSink for Tracking<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let handle = self.reading.track(self.objects, self.model, &row, self.keyed.at)?;
        if let Some(key) = key_of(&row, self.keyed.key_at, self.keyed.model, self.keyed.columns)? {
            self.found.push((key, handle));
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}
