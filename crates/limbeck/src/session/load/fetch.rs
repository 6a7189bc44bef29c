//! Asking for rows at the other end of a relationship, and finding the owner of each.

use rustc_hash::FxHashMap;

use crate::driver::{Row, RowSink};
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path, Resolved};
use crate::model::{Handle, ModelDef, RelationKind};
use crate::schema::Association;
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::sql::keys::{KeyList, RowKey, key_of};

impl Session {
    /// A to-one relationship by its key: from the identity map where the target is there, else in one query.
    pub(super) async fn load_one(
        &mut self,
        owners: &[Obj],
        relation: usize,
        resolved: &Resolved,
        keys: &[KeyPair],
    ) -> Result<()> {
        let target = resolved.target;
        let back = resolved.back.filter(|back| target.relations[*back].kind == RelationKind::HasOne);
        let columns: Vec<usize> = keys.iter().map(|pair| pair.key).collect();
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
            if let Some(found) = self.objects.by_key(*owner, keys, target) {
                self.objects.loaded_parent(*owner, relation, found, back);
            } else {
                wanted.entry(key).or_default().push(*owner);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let columns: Vec<usize> = keys.iter().map(|pair| pair.to).collect();
        let stmt = self.statement_by_columns(target, &columns, false)?;
        let mut list = KeyList::new(columns.len());
        wanted.keys().for_each(|key| list.push(key));
        let found = self.tracked(&stmt, list, target, &columns).await?;
        for (key, handle) in found {
            let parent = self.objects.resolve(target, handle)?;
            for owner in wanted.remove(&key).unwrap_or_default() {
                self.objects.loaded_parent(owner, relation, parent, back);
            }
        }
        // A key without a row: there is no foreign key constraint to forbid it.
        for owner in wanted.into_values().flatten() {
            self.objects.loaded_one(owner, relation, None);
        }
        Ok(())
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
            let stmt = self.statement_by_columns(model, model.primary_key, false)?;
            self.tracked(&stmt, list, model, model.primary_key).await?;
        }
        Ok(())
    }

    /// A one-to-many or one-to-one relationship, from the side without the key.
    pub(super) async fn load_many(
        &mut self,
        owners: &[Obj],
        relation: usize,
        resolved: &Resolved,
        keys: &[KeyPair],
    ) -> Result<()> {
        let target = resolved.target;
        let columns: Vec<usize> = keys.iter().map(|pair| pair.to).collect();
        let (list, index) = self.owner_keys(owners, &columns);
        let columns: Vec<usize> = keys.iter().map(|pair| pair.key).collect();
        let stmt = self.statement_by_columns(target, &columns, true)?;
        let found = self.tracked(&stmt, list, target, &columns).await?;

        let planned = self.planned_children(owners, target, keys);
        let is_one = matches!(resolved.path, Path::HasOne(_));
        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        for (value, handle) in found {
            let Some(owner) = index.get(&value) else { continue };
            let child = self.objects.resolve(target, handle)?;
            // It was linked elsewhere, or is to be deleted: the plan counts, not the row.
            if self.objects.is_going(child) || self.objects.planned(child, keys).is_some() {
                continue;
            }
            // Another is to have the one place that there is.
            let place = (owners[*owner as usize], relation);
            if is_one && (planned.iter().any(|(taken, _)| taken == owner) || self.objects.is_evicting(place)) {
                continue;
            }
            pairs.push((*owner, handle));
            if let Some(back) = resolved.back
                && !self.objects.is_loaded(child, back)
            {
                let owner = self.objects.handle(owners[*owner as usize]);
                self.objects.loaded_one(child, back, Some(owner));
            }
        }
        pairs.extend(planned);
        if is_one {
            self.objects.fill_ones(owners, relation, &pairs);
        } else {
            self.objects.fill(owners, relation, pairs, false);
        }
        Ok(())
    }

    /// The objects that are planned to have the key of one of the owners.
    fn planned_children(&self, owners: &[Obj], target: &ModelDef, keys: &[KeyPair]) -> Vec<(u32, Handle)> {
        let model = target.id.get() as u32;
        let of_target = self.objects.linked.iter().filter(|child| child.model == model);
        let owner = |child: &Obj| owners.binary_search(&self.objects.planned(*child, keys)??).ok();
        of_target.filter_map(|child| Some((owner(child)? as u32, self.objects.handle(*child)))).collect()
    }

    /// A many-to-many relationship.
    pub(super) async fn load_associated(
        &mut self,
        owners: &[Obj],
        relation: usize,
        resolved: &Resolved,
        link: &Association,
    ) -> Result<()> {
        let target = resolved.target;
        let Some(first) = owners.first() else { return Ok(()) };
        let owner_model = self.objects.store(*first).model();
        let found = self.associated_rows(owners, relation, target, link).await?;
        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        for (owner, handle) in found {
            if !self.objects.is_going(self.objects.resolve(target, handle)?) {
                pairs.push((owner, handle));
            }
        }
        self.objects.merge_rows(owner_model, relation, target, owners, &mut pairs);
        self.objects.fill(owners, relation, pairs, false);
        Ok(())
    }

    /// The rows that an association table ties to objects of a model, each with the position of its owner.
    pub(in crate::session) async fn associated_rows(
        &mut self,
        owners: &[Obj],
        relation: usize,
        target: &'static ModelDef,
        link: &Association,
    ) -> Result<Vec<(u32, Handle)>> {
        let Some(first) = owners.first() else { return Ok(Vec::new()) };
        let columns: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
        let (list, index) = self.owner_keys(owners, &columns);
        let owner_model = self.objects.store(*first).model();
        let stmt = self.statement_associated(owner_model, relation, target, link)?;
        let mut sink = Tracking {
            objects: &mut self.objects,
            model: target,
            at: columns.len(),
            keyed: owner_model,
            key: &columns,
            key_at: &|position| position,
            found: Vec::new(),
        };
        let binds = list.binds(stmt.params.len());
        let result = self.line.query(&stmt, &binds.binds(), &mut sink).await;
        let found = sink.found;
        result?;

        Ok(found.into_iter().filter_map(|(value, handle)| Some((*index.get(&value)?, handle))).collect())
    }

    /// Tracks the rows of a statement, each with the values of some of its columns.
    pub(in crate::session) async fn tracked(
        &mut self,
        stmt: &std::sync::Arc<crate::driver::Stmt>,
        list: KeyList,
        model: &'static ModelDef,
        columns: &[usize],
    ) -> Result<Vec<(RowKey, Handle)>> {
        let binds = list.binds(stmt.params.len());
        let mut sink = Tracking {
            objects: &mut self.objects,
            model,
            at: 0,
            keyed: model,
            key: columns,
            key_at: &|position| columns[position],
            found: Vec::new(),
        };
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

/// Tracks rows of a model, with the values of some columns of each row.
struct Tracking<'s> {
    objects: &'s mut Objects,
    model: &'static ModelDef,
    /// Where the model's columns begin.
    at: usize,
    /// The model whose columns are the key, and which.
    keyed: &'static ModelDef,
    key: &'s [usize],
    /// Where each is in the row.
    key_at: &'s (dyn Fn(usize) -> usize + Sync),
    found: Vec<(RowKey, Handle)>,
}

impl RowSink for Tracking<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let handle = self.objects.track(self.model, &row, self.at)?;
        if let Some(key) = key_of(&row, self.key_at, self.keyed, self.key)? {
            self.found.push((key, handle));
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}
