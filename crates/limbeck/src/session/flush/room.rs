//! Room for unique values: who holds one that another row takes in the same flush lets go of it first.
//!
//! Databases check unique values row by row. A *conflict* is a row that holds a value and goes or moves away, and
//! one that takes it. The means, in the order in which they are tried:
//!
//! * A row that is deleted goes first, and with it what is deleted and refers to it. An updated row that refers to
//!   it lets go before: by an update that comes earlier, or by NULL.
//! * A row that moves away goes before the one that takes its value (`circles`), where an order is all that it takes.
//! * A unique constraint that PostgreSQL can check later is checked later.
//! * Otherwise it stands aside at NULL, or at a value made up for its type (`park`).
//! * Where there is none of these, `Error::UniqueCycle` says so before anything is sent.
//!
//! Only objects of the session are seen. Of a value that a row has which nobody loaded, the database has the last word.

use rustc_hash::{FxHashMap, FxHashSet};

use super::park::{self, Values};
use super::plan::{Constraint, Eviction, Orphans, Work, orphans};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::mapping::{KeyPair, Path, Reference, Unique};
use crate::model::{Cascade, ColumnSet};
use crate::schema::Deferrable;
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::types::Value;

/// A row that holds a unique value, and one that takes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conflict {
    pub(super) unique: &'static Unique,
    pub(super) holder: Obj,
    pub(super) taker: Obj,
}

/// Finds the rows that are in the way of others.
pub(super) fn conflicts(objects: &Objects, models: &[Work]) -> Result<Vec<Conflict>> {
    let mut found = Vec::new();
    for work in models {
        if work.deletes.is_empty() && work.updates.is_empty() && work.switches.is_empty() {
            continue;
        }
        let mut moving: Vec<(Obj, ColumnSet)> = work.updates.iter().map(|obj| (*obj, written(objects, *obj))).collect();
        let all = ColumnSet::first(work.model.columns.len());
        moving.extend(work.switches.iter().map(|switch| (switch.new, all)));
        for unique in &work.model.mapping()?.uniques {
            of_unique(objects, work, unique, &moving, &mut found);
        }
    }
    Ok(found)
}

fn of_unique(
    objects: &Objects,
    work: &Work,
    unique: &'static Unique,
    moving: &[(Obj, ColumnSet)],
    found: &mut Vec<Conflict>,
) {
    let columns = unique.columns.as_slice();
    let moves = |written: &ColumnSet| columns.iter().any(|column| written.contains(*column));
    let moving: Vec<Obj> = moving.iter().filter(|(_, written)| moves(written)).map(|(obj, _)| *obj).collect();
    if moving.is_empty() && work.inserts.is_empty() {
        return;
    }
    let before: FxHashMap<Obj, Obj> = work.switches.iter().map(|switch| (switch.new, switch.old)).collect();
    // Who holds which value and may let go of it: several only where an expired object may hold it no longer.
    let mut held: FxHashMap<RowKey, Vec<Obj>> = FxHashMap::default();
    for holder in work.deletes.iter().chain(&moving) {
        let row = before.get(holder).unwrap_or(holder);
        if let Some(key) = objects.saved_key_in(*row, columns) {
            held.entry(key).or_default().push(*holder);
        }
    }
    if held.is_empty() {
        return;
    }
    let stays = |holder: Obj, key: &RowKey| {
        !objects.is_going(holder) && objects.key_to_be(holder, columns).as_ref() == Some(key)
    };
    for taker in moving.iter().chain(&work.inserts) {
        let Some(wanted) = objects.key_to_be(*taker, columns) else { continue };
        let holders = held.get(&wanted).into_iter().flatten();
        // Who is to keep the value cannot make room: that is for the database to say.
        let others = holders.filter(|holder| *holder != taker && !stays(**holder, &wanted));
        found.extend(others.map(|holder| Conflict { unique, holder: *holder, taker: *taker }));
    }
}

/// The columns that an update may change.
fn written(objects: &Objects, obj: Obj) -> ColumnSet {
    let store = objects.store(obj);
    let meta = store.meta(obj.slot);
    let mut columns = store.changed(obj.slot).union(meta.given).union(objects.expressed(obj));
    meta.links.iter().flat_map(|link| link.keys).for_each(|pair| columns.insert(pair.key));
    columns
}

/// Leaves out the conflicts that PostgreSQL lets be until all is sent, with the constraints that have to be told so.
/// Rows that only have to be deleted first need no telling.
pub(super) fn put_off(
    objects: &Objects,
    dialect: Dialect,
    conflicts: Vec<Conflict>,
) -> (Vec<Conflict>, Vec<Constraint>) {
    let mut told = Vec::new();
    if dialect != Dialect::Postgres || conflicts.iter().all(|one| one.unique.deferrable.is_none()) {
        return (conflicts, told);
    }
    for one in conflicts.iter().filter(|one| !objects.is_going(one.holder)) {
        if let Some((name, Deferrable::InitiallyImmediate)) = &one.unique.deferrable {
            Constraint { model: objects.store(one.holder).model(), name: name.clone() }.note(&mut told);
        }
    }
    let is_put_off = |one: &Conflict| match &one.unique.deferrable {
        None => false,
        Some((_, Deferrable::InitiallyDeferred)) => true,
        Some((name, _)) => told.iter().any(|constraint| constraint.name == *name),
    };
    let left = conflicts.into_iter().filter(|one| !is_put_off(one)).collect();
    (left, told)
}

/// Has rows that are deleted make room: first of all, or by standing aside. What is left are rows that move away.
///
/// # Errors
/// [`Error::UniqueCycle`]
pub(super) fn clear(
    objects: &Objects,
    models: &mut [Work],
    conflicts: Vec<Conflict>,
    values: &mut Values,
) -> Result<Vec<Conflict>> {
    let (going, moving): (Vec<_>, Vec<_>) = conflicts.into_iter().partition(|one| objects.is_going(one.holder));
    if going.is_empty() {
        return Ok(moving);
    }
    let referring = Referring::new(objects, models)?;
    let mut ties: FxHashSet<Obj> = moving.iter().flat_map(|one| [one.holder, one.taker]).collect();
    ties.extend(going.iter().map(|one| one.taker));
    let (mut early, mut first): (FxHashSet<Obj>, FxHashSet<Obj>) = Default::default();
    for conflict in &going {
        let holder = conflict.holder;
        let work = of(models, holder);
        let aside = models[work].parked.get(&holder);
        if early.contains(&holder)
            || aside.is_some_and(|all| all.iter().any(|(column, _)| conflict.unique.columns.contains(column)))
        {
            continue;
        }
        let (gone, tied) = referring.closure(holder);
        // Those that let go by themselves, if they come early; and those that have to be made to.
        let (ready, unready): (Vec<_>, Vec<_>) =
            tied.into_iter().partition(|(obj, _)| is_ready(objects, *obj) && !ties.contains(obj));
        if !unready.is_empty() {
            let model = models[work].model;
            let spot = park::spot(model, conflict.unique, true);
            if let Some((spot, value)) = spot.and_then(|spot| {
                let value = values.make(objects, model, spot, &mut models[work].rows())?;
                Some((spot, value))
            }) {
                models[work].parked.entry(holder).or_default().push((spot.column, value));
                continue;
            }
            if let Some(obj) = unready.iter().find(|(obj, keys)| !can_let_go(objects, *obj, keys)) {
                return Err(unique_cycle(objects, conflict.unique, &[holder, conflict.taker, obj.0]));
            }
            for (obj, keys) in unready {
                let child = of(models, obj);
                let model = models[child].model;
                for column in model.mapping()?.nulls(model, keys).iter() {
                    models[child].parked.entry(obj).or_default().push((column, Value::Null));
                }
            }
        }
        first.extend(ready.into_iter().map(|(obj, _)| obj));
        early.extend(gone);
    }
    for work in models.iter_mut() {
        work.first = work.updates.iter().copied().filter(|obj| first.contains(obj)).collect();
        work.updates.retain(|obj| !first.contains(obj));
        work.early = work.deletes.iter().copied().filter(|obj| early.contains(obj)).collect();
        work.deletes.retain(|obj| !early.contains(obj));
    }
    Ok(moving)
}

/// The place of an object's model in the plan.
pub(super) fn of(models: &[Work], obj: Obj) -> usize {
    models.iter().position(|work| work.model.id.get() as u32 == obj.model).unwrap_or_default()
}

/// Whether a row can be updated before all others: nothing that it is to hold is still to come.
fn is_ready(objects: &Objects, obj: Obj) -> bool {
    let links = &objects.store(obj).meta(obj.slot).links;
    objects.state(obj) == State::Persistent
        && links.iter().all(|link| link.target.is_none_or(|target| objects.state(target) == State::Persistent))
}

/// Whether a row that is updated can stop referring to another before. It has to be told again where it leads.
fn can_let_go(objects: &Objects, obj: Obj, keys: &'static [KeyPair]) -> bool {
    let model = objects.store(obj).model();
    let moves = objects.store(obj).meta(obj.slot).links.iter().any(|link| link.keys == keys);
    moves
        && !keys.iter().any(|pair| objects.computes_from(obj, pair.key))
        && objects.state(obj) == State::Persistent
        && model.mapping().is_ok_and(|mapping| !mapping.nulls(model, keys).is_empty())
}

/// Who refers to rows that are deleted.
#[derive(Default)]
struct Referring {
    /// What is deleted as well.
    gone: FxHashMap<Obj, Vec<Obj>>,
    /// What is updated or inserted, and would be gone with the row or keep it from going; by which key.
    tied: FxHashMap<Obj, Vec<(Obj, &'static [KeyPair])>>,
}

impl Referring {
    fn new(objects: &Objects, models: &[Work]) -> Result<Self> {
        let mut referring = Referring::default();
        for child in models {
            for reference in &child.model.mapping()?.references {
                let target = models.iter().find(|work| std::ptr::eq(work.model, reference.target));
                if let Some(target) = target.filter(|target| !target.deletes.is_empty()) {
                    referring.by(objects, child, target, reference);
                }
            }
        }
        Ok(referring)
    }

    fn by(&mut self, objects: &Objects, child: &Work, target: &Work, reference: &'static Reference) {
        let (keys, to) = (KeyPair::columns(&reference.keys), KeyPair::referred(&reference.keys));
        let rows = target.deletes.iter().filter_map(|obj| Some((objects.saved_key_in(*obj, &to)?, *obj)));
        let rows: FxHashMap<RowKey, Obj> = rows.collect();
        let row = |obj: &Obj| objects.saved_key_in(*obj, &keys).and_then(|key| rows.get(&key).copied());
        for obj in &child.deletes {
            if let Some(row) = row(obj).filter(|row| row != obj) {
                self.gone.entry(row).or_default().push(*obj);
            }
        }
        // Where the key is set to NULL with the deletion, the row is there for its update.
        let fate = orphans(target.model, child.model, reference);
        if matches!(fate, Orphans::Deleted | Orphans::Kept) {
            for obj in &child.updates {
                if let Some(row) = row(obj) {
                    self.tied.entry(row).or_default().push((*obj, &reference.keys));
                }
            }
        }
        // A row that gets another object is there still.
        for switch in &child.switches {
            if let Some(row) = row(&switch.old) {
                self.tied.entry(row).or_default().push((switch.new, &reference.keys));
            }
        }
        // Linked before the other was deleted: it leads there for a moment, or keeps the other from going.
        let news = child.switches.iter().map(|switch| &switch.new);
        for obj in child.inserts.iter().chain(&child.updates).chain(news) {
            let to_be = objects.key_to_be(*obj, &keys).and_then(|key| rows.get(&key).copied());
            if let Some(row) = to_be.filter(|to_be| row(obj) != Some(*to_be)) {
                self.tied.entry(row).or_default().push((*obj, &reference.keys));
            }
        }
    }

    /// What has to go with a row, itself included; and what has to let go of these.
    fn closure(&self, holder: Obj) -> (Vec<Obj>, Vec<(Obj, &'static [KeyPair])>) {
        let mut gone = vec![holder];
        let mut met: FxHashSet<Obj> = FxHashSet::from_iter([holder]);
        let mut tied = Vec::new();
        let mut at = 0;
        while let Some(row) = gone.get(at).copied() {
            at += 1;
            gone.extend(self.gone.get(&row).into_iter().flatten().copied().filter(|obj| met.insert(*obj)));
            tied.extend(self.tied.get(&row).into_iter().flatten().copied());
        }
        (gone, tied)
    }
}

#[cold]
pub(super) fn unique_cycle(objects: &Objects, unique: &Unique, rows: &[Obj]) -> Error {
    let Some(model) = rows.first().map(|obj| objects.store(*obj).model()) else {
        return Error::Cycle { tables: vec![] };
    };
    let mut rows: Vec<Obj> = rows.iter().copied().filter(|obj| obj.model as usize == model.id.get()).collect();
    rows.sort_unstable();
    rows.dedup();
    Error::UniqueCycle {
        table: model.table,
        columns: unique.columns.iter().map(|column| model.columns[*column].name).collect(),
        objects: rows.into_iter().map(|obj| objects.handle(obj)).collect(),
    }
}

/// The places in one-to-one relationships that were taken without knowing who has them.
pub(super) fn evictions(objects: &mut Objects) -> Result<Vec<Eviction>> {
    let mut evictions = Vec::with_capacity(objects.evictions.len());
    let mut places: Vec<(Obj, usize)> = objects.evictions.iter().copied().collect();
    // Not in the order of a hash.
    places.sort_unstable();
    for (parent, relation) in places {
        // An orphan that has the place is known by now, and deleted. A parent that goes is there until the end.
        if objects.cascades(parent, relation, Cascade::DELETE_ORPHAN) {
            continue;
        }
        let resolved = &objects.store(parent).model().mapping()?.relations[relation];
        let Path::HasOne(keys) = &resolved.path else { continue };
        evictions.push(Eviction { parent, child: resolved.target, keys });
    }
    if evictions.is_empty() {
        return Ok(evictions);
    }
    // The row may be that of the newcomer itself, which went away and came back: it is written in any case.
    // Keys of other models may have the same columns.
    let places: FxHashSet<(usize, Obj, &[KeyPair])> =
        evictions.iter().map(|one| (one.child.id.get(), one.parent, one.keys)).collect();
    for child in objects.linked.clone() {
        if objects.state(child) != State::Persistent {
            continue;
        }
        let links = objects.store(child).meta(child.slot).links.clone();
        for link in links {
            let place = |target| (child.model as usize, target, link.keys);
            if link.target.is_some_and(|target| places.contains(&place(target))) {
                let meta = objects.store_mut(child).meta_mut(child.slot);
                link.keys.iter().for_each(|pair| meta.given.insert(pair.key));
            }
        }
    }
    Ok(evictions)
}

impl Objects {
    /// Whether a place was taken, so that the row that has it is to lose it.
    pub(in crate::session) fn is_evicting(&self, place: (Obj, usize)) -> bool {
        self.evictions.contains(&place)
    }

    /// What columns will hold after the flush, if it is known already and not NULL.
    pub(super) fn key_to_be(&self, obj: Obj, columns: &[usize]) -> Option<RowKey> {
        let values: Vec<_> = columns.iter().map(|column| self.to_be(obj, *column)).collect::<Option<_>>()?;
        RowKey::of(values.len(), |part| values[part].clone())
    }
}
