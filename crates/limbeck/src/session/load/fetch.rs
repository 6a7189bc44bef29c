//! The three statements that load relationships.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::keys::{KeyValue, key_of};
use crate::driver::{Access, Bind, Row, RowSink, Stmt};
use crate::error::Result;
use crate::model::mapping::Resolved;
use crate::model::{Handle, Many, ModelDef, RelationRef};
use crate::schema::Association;
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::read::kind_of;
use crate::session::undo::Undo;
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::Value;

impl Session {
    /// A to-one relationship: from the identity map where the target is there, else in one query.
    pub(super) async fn load_one(
        &mut self,
        owners: &[Obj],
        relation: usize,
        target: &'static ModelDef,
        key: usize,
        to: usize,
    ) -> Result<()> {
        let mut wanted: FxHashMap<KeyValue, Vec<Obj>> = FxHashMap::default();
        for owner in owners {
            let value = self.objects.store(*owner).value(owner.slot, key).into_owned();
            if value.is_null() {
                self.objects.loaded_one(*owner, relation, None);
            } else if let Some(found) = self.objects.by_key(*owner, key, target, to) {
                let found = self.objects.handle(found);
                self.objects.loaded_one(*owner, relation, Some(found));
            } else {
                wanted.entry(KeyValue(value)).or_default().push(*owner);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let stmt = self.statement_one(target, to)?;
        let keys: Vec<Value<'static>> = wanted.keys().map(|key| key.0.clone()).collect();
        let mut sink =
            Tracking { objects: &mut self.objects, model: target, key: to, key_at: to, at: 0, found: Vec::new() };
        let result = self.line.query(&stmt, &[Bind::Many(&keys)], &mut sink).await;
        let found = sink.found;
        result?;
        for (key, handle) in found {
            for owner in wanted.remove(&key).unwrap_or_default() {
                self.objects.loaded_one(owner, relation, Some(handle));
            }
        }
        // A key without a row: there is no foreign key constraint to forbid it.
        for owner in wanted.into_values().flatten() {
            self.objects.loaded_one(owner, relation, None);
        }
        Ok(())
    }

    /// A one-to-many relationship.
    pub(super) async fn load_many(
        &mut self,
        owners: &[Obj],
        relation: usize,
        resolved: &Resolved,
        key: usize,
        from: usize,
    ) -> Result<()> {
        let target = resolved.target;
        let (keys, index) = self.owner_keys(owners, from);
        let stmt = self.statement_many(target, key)?;
        let mut sink =
            Tracking { objects: &mut self.objects, model: target, key, key_at: key, at: 0, found: Vec::new() };
        let result = self.line.query(&stmt, &[Bind::Many(&keys)], &mut sink).await;
        let found = sink.found;
        result?;

        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        for (value, handle) in found {
            let Some(owner) = index.get(&value) else { continue };
            let child = self.objects.resolve(target, handle)?;
            // It was linked elsewhere, or is to be deleted: the plan counts, not the row.
            if self.objects.is_going(child) || self.objects.planned(child, key).is_some() {
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
        for child in self.objects.linked.clone() {
            if child.model != target.id.get() as u32 {
                continue;
            }
            if let Some(Some(parent)) = self.objects.planned(child, key)
                && let Ok(owner) = owners.binary_search(&parent)
            {
                pairs.push((owner as u32, self.objects.handle(child)));
            }
        }
        self.objects.fill(owners, relation, pairs);
        Ok(())
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
        let (Some((_, from)), Some(_)) = (link.local.first(), link.remote.first()) else { return Ok(()) };
        let from = *from;
        let (keys, index) = self.owner_keys(owners, from);
        let owner_model = self.objects.store(owners[0]).model();
        let stmt = self.statement_associated(owner_model, relation, target, link)?;
        let mut sink = TrackingLinked {
            objects: &mut self.objects,
            model: target,
            owner: owner_model,
            key: from,
            found: Vec::new(),
        };
        let result = self.line.query(&stmt, &[Bind::Many(&keys)], &mut sink).await;
        let found = sink.found;
        result?;

        let mut pairs: Vec<(u32, Handle)> = Vec::with_capacity(found.len());
        for (value, handle) in found {
            if let Some(owner) = index.get(&value)
                && !self.objects.is_going(self.objects.resolve(target, handle)?)
            {
                pairs.push((*owner, handle));
            }
        }
        self.objects.merge_rows(owner_model, relation, target, owners, &mut pairs);
        self.objects.fill(owners, relation, pairs);
        Ok(())
    }

    /// The owners' keys, and which owner has each. Owners without a row yet have no rows at the other end.
    fn owner_keys(&self, owners: &[Obj], from: usize) -> (Vec<Value<'static>>, FxHashMap<KeyValue, u32>) {
        let mut keys = Vec::with_capacity(owners.len());
        let mut index = FxHashMap::default();
        for (position, owner) in owners.iter().enumerate() {
            let value = self.objects.store(*owner).value(owner.slot, from).into_owned();
            if !value.is_null() {
                keys.push(value.clone());
                index.insert(KeyValue(value), position as u32);
            }
        }
        (keys, index)
    }

    fn statement_one(&self, target: &'static ModelDef, to: usize) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::LoadOne);
        shape.number(target.id.get() as u64);
        shape.number(to as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ").columns(target, target.table).push(" FROM ").ident(target.table);
            renderer.push(" WHERE ").qualified(target.table, target.columns[to].name);
            renderer.in_list(kind_of(target, to), false);
            Ok(())
        })?;
        Ok(compiled.stmt)
    }

    fn statement_many(&self, target: &'static ModelDef, key: usize) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::LoadMany);
        shape.number(target.id.get() as u64);
        shape.number(key as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ").columns(target, target.table).push(" FROM ").ident(target.table);
            renderer.push(" WHERE ").qualified(target.table, target.columns[key].name);
            renderer.in_list(kind_of(target, key), false);
            order_by_key(renderer, target);
            Ok(())
        })?;
        Ok(compiled.stmt)
    }

    fn statement_associated(
        &self,
        owner: &'static ModelDef,
        relation: usize,
        target: &'static ModelDef,
        link: &Association,
    ) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::LoadAssociated);
        shape.number(owner.id.get() as u64);
        shape.number(relation as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            let (local, from) = &link.local[0];
            renderer.push("SELECT ").qualified(link.table, local).push(", ").columns(target, target.table);
            renderer.push(" FROM ").ident(target.table).push(" JOIN ").ident(link.table).push(" ON ");
            for (index, (column, key)) in link.remote.iter().enumerate() {
                renderer.push(if index > 0 { " AND " } else { "" });
                renderer.qualified(target.table, target.columns[*key].name).push(" = ");
                renderer.qualified(link.table, column);
            }
            renderer.push(" WHERE ").qualified(link.table, local);
            renderer.in_list(kind_of(owner, *from), false);
            order_by_key(renderer, target);
            Ok(())
        })?;
        Ok(compiled.stmt)
    }
}

fn order_by_key(renderer: &mut crate::sql::render::Renderer, model: &'static ModelDef) {
    for (index, column) in model.primary_key.iter().enumerate() {
        renderer.push(if index == 0 { " ORDER BY " } else { ", " });
        renderer.qualified(model.table, model.columns[*column].name);
    }
}

impl Objects {
    /// What the next flush will write into a key column: `None` if nothing, `Some(None)` for NULL.
    pub(in crate::session) fn planned(&self, child: Obj, key: usize) -> Option<Option<Obj>> {
        let links = &self.store(child).meta(child.slot).links;
        let link = links.iter().find(|link| link.column == key)?;
        Some(link.target.map(|(target, _)| target))
    }

    /// Merges the planned rows of an association into what the database said.
    fn merge_rows(
        &self,
        model: &'static ModelDef,
        relation: usize,
        target: &'static ModelDef,
        owners: &[Obj],
        pairs: &mut Vec<(u32, Handle)>,
    ) {
        let mut added = Vec::new();
        let mut planned: FxHashSet<(u32, Handle)> = FxHashSet::default();
        for row in self.link_rows.values() {
            if row.owner.relations[row.relation].secondary != model.relations[relation].secondary {
                continue;
            }
            // From whichever end the row was planned: only between rows of one table does it matter.
            let same_side = std::ptr::eq(row.owner, model) && row.relation == relation;
            let both = [(row.local, row.remote, true), (row.remote, row.local, false)];
            for (own, other, forth) in both {
                let meant = forth == same_side || !std::ptr::eq(model, target);
                if meant
                    && other.model == target.id.get() as u32
                    && let Ok(owner) = owners.binary_search(&own)
                {
                    let pair = (owner as u32, self.handle(other));
                    planned.insert(pair);
                    if row.add && !self.is_going(other) {
                        added.push(pair);
                    }
                }
            }
        }
        if !planned.is_empty() {
            pairs.retain(|pair| !planned.contains(pair));
            added.sort_unstable();
            pairs.append(&mut added);
        }
    }

    /// Sets the collections of all owners: one slice, of which each gets its range.
    fn fill(&mut self, owners: &[Obj], relation: usize, mut pairs: Vec<(u32, Handle)>) {
        // Stable: the database's order holds within a collection.
        pairs.sort_by_key(|(owner, _)| *owner);
        let shared = Arc::new(pairs.iter().map(|(_, handle)| *handle).collect::<Vec<_>>());
        let mut start = 0;
        let writing = self.is_writing();
        for (position, owner) in owners.iter().enumerate() {
            let length = pairs[start..].iter().take_while(|(of, _)| *of as usize == position).count();
            let range = start as u32..(start + length) as u32;
            if writing && let RelationRef::Many(field) = self.store(*owner).relation(owner.slot, relation) {
                let state = field.state.clone();
                self.undo.push(Undo::Many(*owner, relation, state));
            }
            self.set_many_field(*owner, relation, Many::part(&shared, range));
            start += length;
        }
    }
}

/// Tracks rows of a model, with the value of one column of each.
struct Tracking<'s> {
    objects: &'s mut Objects,
    model: &'static ModelDef,
    key: usize,
    key_at: usize,
    at: usize,
    found: Vec<(KeyValue, Handle)>,
}

impl RowSink for Tracking<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let handle = self.objects.track(self.model, &row, self.at)?;
        self.found.push((key_of(&row, self.at + self.key_at, self.model, self.key)?, handle));
        Ok(())
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}

/// Tracks rows of a model behind the key of their owner.
struct TrackingLinked<'s> {
    objects: &'s mut Objects,
    model: &'static ModelDef,
    owner: &'static ModelDef,
    key: usize,
    found: Vec<(KeyValue, Handle)>,
}

impl RowSink for TrackingLinked<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let handle = self.objects.track(self.model, &row, 1)?;
        self.found.push((key_of(&row, 0, self.owner, self.key)?, handle));
        Ok(())
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}
