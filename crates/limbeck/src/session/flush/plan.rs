//! What a flush has to do, found before anything is sent.

use rustc_hash::FxHashMap;

use super::check;
use crate::error::{Error, Result};
use crate::model::mapping::Path;
use crate::model::{ColumnSet, ModelDef, RelationKind};
use crate::schema::Action;
use crate::session::objects::{LinkRow, Obj, Objects};
use crate::session::store::State;

/// The work of a flush.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The models that have work, referred ones first.
    pub(super) models: Vec<Work>,
    /// Rows of association tables to insert.
    pub(super) links: Vec<LinkRow>,
    /// Rows of association tables to delete.
    pub(super) unlinks: Vec<LinkRow>,
}

/// The work on one model's table.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) model: &'static ModelDef,
    /// In the order of `add`.
    pub(super) inserts: Vec<Obj>,
    /// In no order yet.
    pub(super) updates: Vec<Obj>,
    pub(super) deletes: Vec<Obj>,
    /// Models of the plan that this one refers to, by position, without itself and those of its cycle.
    pub(super) parents: Vec<usize>,
    /// Whether its rows may refer to each other, directly or over other models.
    pub(super) cyclic: bool,
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.unlinks.is_empty()
            && self.models.iter().all(|w| w.inserts.is_empty() && w.updates.is_empty() && w.deletes.is_empty())
    }
}

impl Objects {
    /// Finds out what a flush has to do.
    ///
    /// # Errors
    /// What cannot be sent as it is. Nothing is changed then.
    pub(super) fn plan(&mut self) -> Result<Plan> {
        self.check_broken()?;
        let mut work: FxHashMap<usize, Work> = FxHashMap::default();
        for obj in self.touched() {
            self.check_object(obj)?;
            let meta = self.store(obj).meta(obj.slot);
            if meta.state == State::Persistent && !meta.doomed && self.is_changed(obj) {
                entry(&mut work, self.store(obj).model()).updates.push(obj);
            }
        }
        for obj in &self.pending {
            let store = self.store(*obj);
            check::values(store, obj.slot, ColumnSet::first(store.model().columns.len()))?;
            entry(&mut work, store.model()).inserts.push(*obj);
        }
        for obj in &self.doomed {
            entry(&mut work, self.store(*obj).model()).deletes.push(*obj);
        }
        let mut plan = Plan { models: super::order::sorted(work), ..Plan::default() };
        let mut rows: Vec<_> = self.link_rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| **key);
        for (_, row) in rows {
            let gone = self.is_going(row.local) || self.is_going(row.remote);
            match row.add {
                true if !gone => plan.links.push(*row),
                false if !gone => plan.unlinks.push(*row),
                // The rows of a deleted object go with it.
                _ => {}
            }
        }
        Ok(plan)
    }

    /// Everything that was borrowed mutably or linked, but not what was only added.
    pub(super) fn touched(&self) -> Vec<Obj> {
        let mut touched = Vec::new();
        for store in self.stores() {
            let model = store.model().id.get() as u32;
            touched.extend(store.touched().iter().map(|slot| Obj { model, slot: *slot }));
        }
        touched.retain(|obj| {
            self.store(*obj).occupied(obj.slot) && matches!(self.state(*obj), State::Persistent | State::Pending)
        });
        touched
    }

    fn is_changed(&self, obj: Obj) -> bool {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        !meta.given.is_empty() || !meta.links.is_empty() || !store.changed(obj.slot).is_empty()
    }

    /// Refuses what the session could not follow, and brings values to what the database keeps.
    fn check_object(&mut self, obj: Obj) -> Result<()> {
        let store = self.store_mut(obj);
        let model = store.model();
        if let Some(relation) = store.assigned(obj.slot) {
            return Err(Error::RelationshipAssigned { relation: model.relations[relation].label });
        }
        let changed = store.changed(obj.slot);
        store.normalize(obj.slot, changed);
        let changed = store.changed(obj.slot);
        if store.meta(obj.slot).state == State::Pending {
            let meta = store.meta_mut(obj.slot);
            meta.given = meta.given.union(changed);
        }
        check::values(store, obj.slot, changed.union(store.meta(obj.slot).given))?;
        self.check_links(obj, changed)
    }

    /// Of a key column and its relationship the one that was changed wins; both may be changed only if they
    /// agree.
    fn check_links(&self, obj: Obj, changed: ColumnSet) -> Result<()> {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        let written = if meta.state == State::Pending { meta.given } else { changed };
        for link in &meta.links {
            if !written.contains(link.column) {
                continue;
            }
            let value = store.value(obj.slot, link.column);
            let agrees = match link.target {
                None => value.is_null(),
                Some((target, column)) => {
                    let unknown = self.state(target) == State::Pending
                        && self.store(target).model().columns[column].generated
                        && !self.store(target).meta(target.slot).given.contains(column);
                    !unknown && check::same(&self.store(target).value(target.slot, column), &value)
                }
            };
            if !agrees {
                return Err(Error::KeyConflict {
                    relation: link.label,
                    column: store.model().columns[link.column].field,
                });
            }
        }
        Ok(())
    }

    /// Objects that were added with a link to an object that is not in this session.
    fn check_broken(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.broken);
        self.broken = pending.into_iter().filter(|(obj, ..)| self.pending.contains(obj)).collect();
        match self.broken.first() {
            None => Ok(()),
            Some((_, model, true)) => Err(Error::ForeignHandle { model }),
            Some((_, model, false)) => Err(Error::StaleHandle { model }),
        }
    }
}

fn entry<'w>(work: &'w mut FxHashMap<usize, Work>, model: &'static ModelDef) -> &'w mut Work {
    work.entry(model.id.get()).or_insert_with(|| Work {
        model,
        inserts: Vec::new(),
        updates: Vec::new(),
        deletes: Vec::new(),
        parents: Vec::new(),
        cyclic: false,
    })
}

/// What the deletion of rows does to the rows that refer to them over a one-to-many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orphans {
    /// The database deletes them.
    Deleted,
    /// The database sets their key to NULL.
    Nulled,
    /// The flush sets their key to NULL.
    ToNull,
    /// The database refuses, as long as there are any.
    Kept,
}

/// What happens to the rows at the other end of a one-to-many when this end is deleted.
pub(super) fn orphans(
    model: &'static ModelDef,
    relation: usize,
) -> Result<Option<(&'static ModelDef, usize, usize, Orphans)>> {
    if model.relations[relation].kind != RelationKind::HasMany {
        return Ok(None);
    }
    let resolved = &model.mapping()?.relations[relation];
    let Path::HasMany { key, from } = resolved.path else { return Ok(None) };
    let column = &resolved.target.columns[key];
    let fate = match column.foreign_key.as_ref().map(|foreign| foreign.on_delete) {
        Some(Action::Cascade) => Orphans::Deleted,
        Some(Action::SetNull | Action::SetDefault) => Orphans::Nulled,
        _ if column.nullable => Orphans::ToNull,
        _ => Orphans::Kept,
    };
    Ok(Some((resolved.target, key, from, fate)))
}
