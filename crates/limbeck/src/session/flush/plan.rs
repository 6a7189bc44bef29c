//! What a flush has to do, found before anything is sent.

use rustc_hash::{FxHashMap, FxHashSet};

use super::circles::{self, Waits};
use super::deletes::{self, Removal};
use super::park::Values;
use super::rounds::{Round, Step};
use super::switch::{Sweep, Switch};
use super::{check, room};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::mapping::{KeyPair, Path, Reference};
use crate::model::{ColumnSet, ModelDef};
use crate::schema::Action;
use crate::session::cascade::nulling;
use crate::session::objects::{LinkRow, Obj, Objects};
use crate::session::store::{KeyLink, State};
use crate::types::Value;

/// The work of a flush.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The models that have work, referred ones first.
    pub(super) models: Vec<Work>,
    /// UPDATEs and INSERTs, in the order in which they are sent.
    pub(super) rounds: Vec<Round>,
    /// Rows of association tables to insert.
    pub(super) links: Vec<LinkRow>,
    /// Rows of association tables to delete.
    pub(super) unlinks: Vec<LinkRow>,
    /// Rows that lose their key before anything else, since another row takes their place.
    pub(super) evictions: Vec<Eviction>,
    /// What refers to rows that get another object.
    pub(super) sweeps: Vec<Sweep>,
    /// Foreign keys that are to be checked at the end only.
    pub(super) deferred: Vec<Constraint>,
    /// How rows are deleted before all others, since others take their unique values.
    pub(super) early: Removal,
    /// How rows are deleted at the end.
    pub(super) removal: Removal,
}

/// A key that is written by an UPDATE of its own, after all rows.
#[derive(Debug)]
pub(super) struct Later {
    pub(super) keys: &'static [KeyPair],
    /// The columns of it that are NULL until then.
    pub(super) nulls: ColumnSet,
    /// Their values; `None` where a linked object says them.
    pub(super) values: Option<Vec<Value<'static>>>,
}

/// A place in a one-to-one relationship that is taken without knowing who has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eviction {
    pub(super) parent: Obj,
    /// The model at the other end, which has the key.
    pub(super) child: &'static ModelDef,
    pub(super) keys: &'static [KeyPair],
}

/// A constraint that is checked when all is sent.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    pub(super) model: &'static ModelDef,
    pub(super) name: String,
}

impl Constraint {
    pub(super) fn foreign_key(model: &'static ModelDef, reference: &Reference) -> Self {
        Constraint { model, name: reference.constraint(model) }
    }

    /// Enters it into a list once.
    pub(super) fn note(self, list: &mut Vec<Constraint>) {
        let same = |other: &Constraint| std::ptr::eq(other.model, self.model) && other.name == self.name;
        if !list.iter().any(same) {
            list.push(self);
        }
    }
}

/// The work on one model's table.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) model: &'static ModelDef,
    /// In the order of `add`.
    pub(super) inserts: Vec<Obj>,
    /// In no order yet.
    pub(super) updates: Vec<Obj>,
    /// Rows that get another object.
    pub(super) switches: Vec<Switch>,
    pub(super) deletes: Vec<Obj>,
    /// Rows to update before anything else, since they refer to some that are deleted early.
    pub(super) first: Vec<Obj>,
    /// Rows to delete before anything else but these, since others take their unique values.
    pub(super) early: Vec<Obj>,
    /// Rows that give up columns before anything else, since others take their values: what they hold meanwhile.
    pub(super) parked: FxHashMap<Obj, Vec<(usize, Value<'static>)>>,
    /// Keys that are written after all rows, by the row that has them.
    pub(super) later: FxHashMap<Obj, Vec<Later>>,
    /// Models of the plan that this one refers to, by position, without itself and those of its cycle.
    pub(super) parents: Vec<usize>,
    /// Whether its rows may refer to each other, directly or over other models: the position of the first model
    /// of that circle.
    pub(super) cycle: Option<usize>,
}

impl Work {
    /// The objects whose rows are inserted or updated in their turn.
    pub(super) fn written(&self) -> impl Iterator<Item = Obj> {
        let new = self.switches.iter().map(|switch| switch.new);
        self.inserts.iter().chain(&self.updates).copied().chain(new)
    }

    /// All objects.
    pub(super) fn rows(&self) -> impl Iterator<Item = Obj> {
        self.written().chain(self.deletes.iter().chain(&self.early).chain(&self.first).copied())
    }

    /// The columns of a row that are NULL until an UPDATE after all rows.
    pub(super) fn later_of(&self, obj: Obj) -> ColumnSet {
        let later = self.later.get(&obj).into_iter().flatten();
        later.fold(ColumnSet::EMPTY, |columns, later| columns.union(later.nulls))
    }

    fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }
}

impl Plan {
    /// The work on an object's table.
    pub(super) fn work_of(&self, obj: Obj) -> Option<&Work> {
        self.models.iter().find(|work| work.model.id.get() as u32 == obj.model)
    }

    /// Whether an object loses its row to another one.
    pub(super) fn is_switched(&self, obj: Obj) -> bool {
        self.work_of(obj).is_some_and(|work| work.switches.iter().any(|switch| switch.old == obj))
    }

    /// The INSERTs into one table, if that is all it has.
    pub(super) fn only_inserts(&self) -> Option<&Step> {
        let ([work], [round]) = (self.models.as_slice(), self.rounds.as_slice()) else { return None };
        let [step] = round.as_slice() else { return None };
        let inserts = step.inserts.len() == work.rows().count() && work.later.is_empty() && work.parked.is_empty();
        let rest = self.links.is_empty()
            && self.unlinks.is_empty()
            && self.evictions.is_empty()
            && self.deferred.is_empty()
            && self.sweeps.is_empty();
        (inserts && rest).then_some(step)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.unlinks.is_empty()
            && self.evictions.is_empty()
            && self.models.iter().all(Work::is_empty)
    }
}

impl Objects {
    /// Finds out what a flush has to do.
    ///
    /// # Errors
    /// What cannot be sent as it is. Nothing is changed then.
    pub(super) fn plan(&mut self, dialect: Dialect) -> Result<Plan> {
        self.check_refused()?;
        self.check_transient()?;
        let evictions = room::evictions(self)?;
        let mut work: FxHashMap<usize, Work> = FxHashMap::default();
        for obj in self.touched() {
            if self.is_going(obj) && self.state(obj) == State::Pending {
                continue;
            }
            let written = self.check_object(dialect, obj)?;
            let meta = self.store(obj).meta(obj.slot);
            let changed = !written.is_empty() || !meta.links.is_empty() || !self.expressions_of(obj).is_empty();
            if changed && meta.state == State::Persistent && !meta.doomed {
                entry(&mut work, self.store(obj).model()).updates.push(obj);
            }
        }
        for obj in self.pending.iter().filter(|obj| !self.is_going(**obj)) {
            self.check_deferred(*obj)?;
            check::key_is_free(self, *obj)?;
            let store = self.store(*obj);
            check::read_only(store, obj.slot, store.meta(obj.slot).given)?;
            check::values(dialect, store, obj.slot, ColumnSet::first(store.model().columns.len()))?;
            entry(&mut work, store.model()).inserts.push(*obj);
        }
        for obj in &self.doomed {
            entry(&mut work, self.store(*obj).model()).deletes.push(*obj);
        }
        let mut models = super::order::sorted(work)?;
        let sweeps = super::switch::find(self, &mut models)?;
        let mut values = Values::default();
        circles::post_updates(self, &mut models)?;
        let (conflicts, mut later) = room::put_off(self, dialect, room::conflicts(self, &models)?);
        let conflicts = room::clear(self, &mut models, conflicts, &mut values)?;
        let conflicts = circles::without_later(&mut models, conflicts);
        let Waits { levels, deferred } = circles::sort_out(self, dialect, &mut models, &conflicts, &mut values)?;
        for work in &mut models {
            for (columns, obj) in self.held_back(work)? {
                let aside = work.parked.entry(obj).or_default();
                for column in columns.iter() {
                    if aside.iter().all(|(other, _)| *other != column) {
                        aside.push((column, Value::Null));
                    }
                }
            }
        }
        later.extend(deferred);
        let rounds = super::rounds::rounds(self, &models, &levels);
        let early = deletes::removal(self, dialect, &models, |work| &work.early)?;
        let removal = deletes::removal(self, dialect, &models, |work| &work.deletes)?;
        let mut plan = Plan { models, rounds, evictions, sweeps, deferred: later, early, removal, ..Plan::default() };
        // By the association, then by its ends; but texts are compared once a row, not once a step of the sorting, and
        // the ends lie beside each other.
        let ends = |local: &Obj, remote: &Obj| u128::from(local.number()) << 64 | u128::from(remote.number());
        let rows = self.link_rows.iter().map(|((table, local, remote), row)| (ends(local, remote), *table, row));
        let mut rows: Vec<(u128, &str, &LinkRow)> = rows.collect();
        rows.sort_unstable_by_key(|(ends, ..)| *ends);
        rows.sort_by_key(|(_, table, _)| *table);
        let along = if rows.is_empty() { FxHashSet::default() } else { self.taken_along()? };
        let goes = |obj: Obj| self.is_going(obj) || along.contains(&obj);
        for (.., row) in rows {
            let gone = goes(row.local) || goes(row.remote);
            match row.add {
                true if !gone => plan.links.push(one_way(row)?),
                false if !gone => plan.unlinks.push(one_way(row)?),
                // The rows of a deleted object go with it.
                _ => {}
            }
        }
        Ok(plan)
    }

    /// Everything that was borrowed mutably or linked, but not what was only added.
    pub(in crate::session) fn touched(&self) -> Vec<Obj> {
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

    pub(in crate::session) fn is_changed(&self, obj: Obj) -> bool {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        !meta.given.is_empty()
            || !meta.links.is_empty()
            || !self.expressions_of(obj).is_empty()
            || !store.changed(obj.slot).is_empty()
    }

    /// Refuses what the session could not follow, and brings values to what the database keeps. The columns that are to
    /// be written are returned.
    fn check_object(&mut self, dialect: Dialect, obj: Obj) -> Result<ColumnSet> {
        self.prune_expressions(obj);
        let store = self.store_mut(obj);
        let model = store.model();
        if let Some(relation) = store.assigned(obj.slot) {
            return Err(Error::RelationshipAssigned { relation: model.relations[relation].label });
        }
        let mut changed = store.changed(obj.slot);
        if !changed.is_empty() {
            store.normalize(obj.slot, changed);
            changed = store.changed(obj.slot);
        }
        if store.meta(obj.slot).state == State::Pending {
            let meta = store.meta_mut(obj.slot);
            meta.given = meta.given.union(changed);
        }
        let written = changed.union(store.meta(obj.slot).given);
        // All columns of a new row are looked at later.
        if store.meta(obj.slot).state != State::Pending {
            check::read_only(store, obj.slot, written)?;
            check::values(dialect, store, obj.slot, written)?;
        }
        self.check_links(obj, changed)?;
        Ok(written)
    }

    /// Of a key column and its relationship the one that was changed wins; both may be changed only if they
    /// agree.
    fn check_links(&self, obj: Obj, changed: ColumnSet) -> Result<()> {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        let written = if meta.state == State::Pending { meta.given } else { changed };
        if meta.links.is_empty() {
            return Ok(());
        }
        let mapping = store.model().mapping()?;
        let expressed = self.expressed(obj);
        for link in &meta.links {
            let nulls = mapping.nulls(store.model(), link.keys);
            if let Some(pair) = link.keys.iter().find(|pair| expressed.contains(pair.key)) {
                return Err(key_conflict(store.model(), link, pair.key));
            }
            for pair in link.keys.iter().filter(|pair| written.contains(pair.key)) {
                let value = store.value(obj.slot, pair.key);
                let agrees = match link.target {
                    None => value.is_null() || !nulls.contains(pair.key),
                    Some(target) => {
                        let key = self.to_be(target, pair.to);
                        key.is_some_and(|key| check::same(&key, &value))
                    }
                };
                if !agrees {
                    return Err(key_conflict(store.model(), link, pair.key));
                }
            }
        }
        Ok(())
    }

    /// The value of a column, if it is known already what it will be after the flush.
    pub(in crate::session) fn settled(&self, obj: Obj, column: usize) -> Option<Value<'_>> {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        let made = meta.state == State::Pending
            && store.model().columns[column].made_by_database()
            && !meta.given.contains(column);
        let linked = meta.links.iter().any(|link| link.has(column));
        let expressed = self.expressed(obj).contains(column);
        (!made && !linked && !expressed).then(|| store.value(obj.slot, column))
    }

    /// What a column will hold after the flush: as [`settled`](Self::settled), or as the objects say that its keys are
    /// linked to, over any number of them. `None` where that is not known, or NULL by a link.
    pub(super) fn to_be(&self, obj: Obj, column: usize) -> Option<Value<'_>> {
        let (mut obj, mut column) = (obj, column);
        // Links may go round.
        for _ in 0..=self.linked.len() {
            let store = self.store(obj);
            let meta = store.meta(obj.slot);
            if meta.doomed && meta.state == State::Persistent {
                return Some(store.saved_value(obj.slot, column));
            }
            let links = || meta.links.iter().filter(|link| link.has(column));
            let written = if meta.state == State::Pending { meta.given } else { store.changed(obj.slot) };
            if written.contains(column) || links().next().is_none() {
                let expressed = self.expressed(obj).contains(column);
                return if written.contains(column) && !expressed {
                    Some(store.value(obj.slot, column))
                } else {
                    self.settled(obj, column)
                };
            }
            let Some((link, target)) = links().find_map(|link| Some((link, link.target?))) else {
                let mapping = store.model().mapping().ok()?;
                let is_null = links().any(|link| mapping.nulls(store.model(), link.keys).contains(column));
                return (!is_null).then(|| store.value(obj.slot, column));
            };
            (obj, column) = (target, link.keys.iter().find(|pair| pair.key == column)?.to);
        }
        None
    }

    /// What `add` could not do. Without an object to mend, it is said once.
    pub(in crate::session) fn check_refused(&mut self) -> Result<()> {
        match self.refused.iter().position(|refused| refused.place.is_none()) {
            Some(at) => Err(self.refused.remove(at).why),
            None => self.refused.first().map_or(Ok(()), |refused| Err(refused.again())),
        }
    }

    /// Refuses links to objects that were rolled back and not added again.
    fn check_transient(&self) -> Result<()> {
        let linked = self.linked.iter().filter(|obj| !self.is_going(**obj));
        let keys = linked.flat_map(|obj| &self.store(*obj).meta(obj.slot).links);
        let targets = keys.filter_map(|link| link.target.map(|target| (target, link.label)));
        let rows = self.link_rows.values().filter(|row| row.add).flat_map(|row| {
            let label = row.owner.relations[row.relation].label;
            [(row.local, label), (row.remote, label)]
        });
        for (obj, label) in targets.chain(rows) {
            let why = match self.state(obj) {
                State::Transient => format!("was rolled back, but `{label}` links to it: add it again, or unlink it"),
                State::Pending if self.is_going(obj) => {
                    format!("goes with an object that is deleted, but `{label}` links to it: unlink it")
                }
                _ => continue,
            };
            return Err(Error::InvalidState { model: self.store(obj).model().name, reason: why });
        }
        Ok(())
    }
}

/// A row of an association as one of its ends says it, always the same: so rows that were linked from both ends are
/// one batch.
fn one_way(row: &LinkRow) -> Result<LinkRow> {
    let resolved = &row.owner.mapping()?.relations[row.relation];
    let (Path::ManyToMany(link), Some(back)) = (&resolved.path, resolved.back) else { return Ok(*row) };
    if link.local.first().map(|column| &column.0) <= link.remote.first().map(|column| &column.0) {
        return Ok(*row);
    }
    Ok(LinkRow { owner: resolved.target, relation: back, local: row.remote, remote: row.local, ..*row })
}

fn entry<'w>(work: &'w mut FxHashMap<usize, Work>, model: &'static ModelDef) -> &'w mut Work {
    work.entry(model.id.get()).or_insert_with(|| Work {
        model,
        inserts: Vec::new(),
        updates: Vec::new(),
        switches: Vec::new(),
        deletes: Vec::new(),
        first: Vec::new(),
        early: Vec::new(),
        parked: FxHashMap::default(),
        later: FxHashMap::default(),
        parents: Vec::new(),
        cycle: None,
    })
}

/// What the deletion of rows does to the rows that refer to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orphans {
    /// The database deletes them.
    Deleted,
    /// The database sets their key to NULL.
    ToNull,
    /// The flush sets their key to NULL.
    Nullify,
    /// The database refuses, as long as there are any.
    Kept,
}

/// What happens to the rows of `child` whose foreign key refers to a row of `model` that is deleted.
///
/// The flush itself sets keys to NULL only where the deleted model has the relationship from the other side, without
/// the cascade `delete`.
pub(super) fn orphans(model: &'static ModelDef, child: &'static ModelDef, reference: &Reference) -> Orphans {
    match reference.on_delete {
        Action::Cascade => Orphans::Deleted,
        Action::SetNull => Orphans::ToNull,
        _ if reference.keys.iter().any(|pair| child.columns[pair.key].nullable)
            && nulling(model).any(|(_, of, keys)| std::ptr::eq(of, child) && keys == reference.keys) =>
        {
            Orphans::Nullify
        }
        _ => Orphans::Kept,
    }
}

/// A key and its relationship, or two relationships over one column, that disagree.
#[cold]
pub(super) fn key_conflict(model: &'static ModelDef, link: &KeyLink, column: usize) -> Error {
    Error::KeyConflict { relation: link.label, column: model.columns[column].field }
}
