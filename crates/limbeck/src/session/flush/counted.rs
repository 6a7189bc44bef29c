//! Rows whose versions were counted by the time they are written.
//!
//! A statement that sets the keys of all rows that refer to another one to NULL counts their versions, and nobody says
//! which rows it met. A row with a version is found by the one that was read; where such a statement comes before that
//! of the row itself, it is found by the one that it has by then. What it is met by follows from what was read: once
//! its key is NULL, no second statement meets it by the same one.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind};
use super::deletes::{referring, set_to_null};
use super::plan::{Orphans, Plan, Work};
use super::version;
use crate::error::Result;
use crate::model::mapping::KeyPair;
use crate::model::{ColumnSet, ModelDef};
use crate::session::objects::{Obj, Objects};
use crate::types::{Cell, Value};

/// Deletes that set keys to NULL before batches are sent.
pub(super) type Deletes = fn(&Work) -> &[Obj];

/// Has batches find rows by the version that they have once places were taken, rows got other objects, and these
/// deletes set keys to NULL.
pub(super) fn follow(objects: &Objects, plan: &Plan, batches: &mut [Batch], deletes: &[Deletes]) -> Result<()> {
    if plan.evictions.is_empty() && plan.sweeps.is_empty() && !any(plan, deletes) {
        return Ok(());
    }
    for batch in batches {
        if !matches!(batch.kind, BatchKind::Update { .. } | BatchKind::Delete) {
            continue;
        }
        let Some(model) = batch.rows.object(0).map(|obj| objects.store(obj).model()) else { continue };
        if model.version().is_none() {
            continue;
        }
        let objs: Vec<Obj> = (0..batch.rows.len()).filter_map(|row| batch.rows.object(row)).collect();
        let counts = counts(objects, plan, model, &objs, deletes)?;
        if counts.is_empty() {
            continue;
        }
        let (rows, part) = (batch.rows.built(objects), model.primary_key.len());
        for (row, obj) in objs.iter().enumerate() {
            for _ in 0..counts.get(obj).copied().unwrap_or_default() {
                if let Some(version) = rows.sent_key_mut(row, part)
                    && let Some(next) = version::after(version)
                {
                    *version = next;
                }
            }
        }
    }
    Ok(())
}

fn any(plan: &Plan, deletes: &[Deletes]) -> bool {
    deletes.iter().any(|of| plan.models.iter().any(|work| !of(work).is_empty()))
}

/// How often the versions of rows were counted, without those that were not.
fn counts(
    objects: &Objects,
    plan: &Plan,
    model: &'static ModelDef,
    objs: &[Obj],
    deletes: &[Deletes],
) -> Result<FxHashMap<Obj, usize>> {
    let switches = plan.models.iter().filter(|work| std::ptr::eq(work.model, model)).flat_map(|work| &work.switches);
    let olds: FxHashMap<Obj, Obj> = switches.map(|switch| (switch.new, switch.old)).collect();
    // Who had the row that is looked for, beside who has it now.
    let rows: FxHashMap<Obj, Obj> = objs.iter().map(|obj| (olds.get(obj).copied().unwrap_or(*obj), *obj)).collect();
    let holders: Vec<Obj> = rows.keys().copied().collect();
    let mut met: FxHashSet<(Obj, &'static [KeyPair])> = FxHashSet::default();
    let mut meet = |keys: &'static [KeyPair], parents: &[Obj], parked: bool| {
        for (holder, _) in referring(objects, &holders, parents, keys) {
            let obj = rows.get(&holder).copied().unwrap_or(holder);
            if !(parked && [obj, holder].into_iter().any(|obj| is_parked(plan, obj, keys))) {
                met.insert((obj, keys));
            }
        }
    };
    for eviction in plan.evictions.iter().filter(|eviction| std::ptr::eq(eviction.child, model)) {
        meet(eviction.keys, &[eviction.parent], false);
    }
    for sweep in plan.sweeps.iter().filter(|sweep| std::ptr::eq(sweep.child, model)) {
        if sweep.fate != Orphans::Deleted {
            meet(&sweep.reference.keys, &sweep.olds, false);
        }
    }
    for work in &plan.models {
        let mut gone: Vec<Obj> = deletes.iter().flat_map(|of| of(work)).copied().collect();
        gone.sort_unstable();
        gone.dedup();
        if gone.is_empty() {
            continue;
        }
        for (child, reference, rows) in set_to_null(objects, plan, work.model, &gone)? {
            if std::ptr::eq(child, model) {
                meet(&reference.keys, &rows, true);
            }
        }
    }
    let mut counts: FxHashMap<Obj, usize> = FxHashMap::default();
    met.into_iter().for_each(|(obj, _)| *counts.entry(obj).or_default() += 1);
    Ok(counts)
}

/// The columns of a row that are NULL by the time it gets another object.
pub(super) fn emptied(objects: &Objects, plan: &Plan, old: Obj) -> ColumnSet {
    let model = objects.store(old).model();
    let evictions = plan.evictions.iter().filter(|eviction| std::ptr::eq(eviction.child, model));
    let evicted = evictions.map(|eviction| (eviction.keys, std::slice::from_ref(&eviction.parent)));
    let sweeps = plan.sweeps.iter().filter(|sweep| std::ptr::eq(sweep.child, model) && sweep.fate != Orphans::Deleted);
    let swept = sweeps.map(|sweep| (sweep.reference.keys.as_slice(), sweep.olds.as_slice()));
    let met = evicted.chain(swept).filter(|(keys, parents)| !referring(objects, &[old], parents, keys).is_empty());
    met.flat_map(|(keys, _)| KeyPair::columns(keys)).collect()
}

/// Whether a row gave up a key before it was deleted what that led to.
fn is_parked(plan: &Plan, obj: Obj, keys: &[KeyPair]) -> bool {
    let aside = plan.work_of(obj).and_then(|work| work.parked.get(&obj));
    aside.is_some_and(|aside| aside.iter().any(|(column, _)| keys.iter().any(|pair| pair.key == *column)))
}

/// The versions that were sent for rows which such statements may have met before.
pub(super) fn sent(objects: &Objects, plan: &Plan, of: fn(&Work) -> Vec<Obj>) -> Vec<(Obj, usize, Value<'static>)> {
    if plan.evictions.is_empty() && plan.sweeps.is_empty() && !any(plan, &[|work| &work.early]) {
        return Vec::new();
    }
    let mut sent = Vec::new();
    for work in &plan.models {
        let Some(version) = work.model.version() else { continue };
        for obj in of(work) {
            let store = objects.store(obj);
            let written = store.changed(obj.slot).union(store.meta(obj.slot).given);
            if written.contains(version) {
                sent.push((obj, version, store.value(obj.slot, version).into_owned()));
            }
        }
    }
    sent
}

impl Objects {
    /// Gives objects the versions that were sent for them, whatever was counted since.
    pub(super) fn reset_versions(&mut self, sent: Vec<(Obj, usize, Value<'static>)>) {
        for (obj, version, value) in sent {
            if self.store(obj).value(obj.slot, version) != value {
                // It is a value of the column's own.
                let _ = self.store_mut(obj).set_value(obj.slot, version, Cell::from_value(&value));
            }
        }
    }
}
