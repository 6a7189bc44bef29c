//! Row switch: an object is deleted and another one with its primary key is added, and one UPDATE does both.
//!
//! The row goes from one object to the other: the columns in which they differ are written, those of the primary key
//! never are. What refers to the row is treated as if it had been deleted: keys are set to NULL where the deletion
//! would do so, rows are deleted where the database would cascade, association rows go. Only where a deletion would be
//! refused (a key that is NOT NULL and says nothing of deletes) do the rows stay, now with the new object; its
//! collections of them are then not loaded, since nobody knows what is in them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind, Rows, group};
use super::plan::{Orphans, Plan, Work, orphans};
use super::receive::fill;
use super::rounds::Step;
use super::statement::{self, Update};
use super::{check, counted, deletes, version, write};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::mapping::{KeyPair, Path, Reference};
use crate::model::{Cascade, ColumnSet, ModelDef, PassiveDeletes, registry};
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::sql::compile::Compiler;
use crate::types::Value;

/// A row that goes from one object to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switch {
    pub(super) old: Obj,
    pub(super) new: Obj,
}

/// What refers to rows that get another object.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) child: &'static ModelDef,
    pub(super) reference: &'static Reference,
    pub(super) fate: Orphans,
    /// The objects that lose the rows.
    pub(super) olds: Vec<Obj>,
}

/// Finds objects that are added in place of others, and what refers to these.
pub(super) fn find(objects: &mut Objects, models: &mut [Work]) -> Result<Vec<Sweep>> {
    let mut sweeps = Vec::new();
    for work in models.iter_mut().filter(|work| !work.deletes.is_empty() && !work.inserts.is_empty()) {
        let key = work.model.primary_key;
        let keyed = |obj: &Obj| objects.saved_key_in(*obj, key).map(|key| (key, *obj));
        let mut doomed: FxHashMap<RowKey, Obj> = work.deletes.iter().filter_map(keyed).collect();
        work.inserts.retain(|new| {
            // Expressions are for an INSERT: then the other row is deleted first.
            if !objects.expressions_of(*new).is_empty() {
                return true;
            }
            let old = objects.key_to_be(*new, key).and_then(|key| doomed.remove(&key));
            work.switches.extend(old.map(|old| Switch { old, new: *new }));
            old.is_none()
        });
        if work.switches.is_empty() {
            continue;
        }
        let olds: FxHashSet<Obj> = work.switches.iter().map(|switch| switch.old).collect();
        work.deletes.retain(|obj| !olds.contains(obj));
        check_linked(objects, &olds)?;
        sweep(objects, work, &mut sweeps)?;
    }
    for sweep in sweeps.iter().filter(|sweep| sweep.fate == Orphans::Deleted) {
        swept_away(objects, models, sweep);
    }
    Ok(sweeps)
}

/// Objects whose rows are deleted by what refers to switched ones, or by the database with these, need no DELETE of
/// their own; and nobody can get these rows: the other one has a new one.
fn swept_away(objects: &Objects, models: &mut [Work], sweep: &Sweep) {
    let mut met: FxHashSet<Obj> = FxHashSet::default();
    let mut ways = vec![(sweep.child, sweep.reference, sweep.olds.clone())];
    while let Some((child, reference, parents)) = ways.pop() {
        let referring = deletes::referring(objects, &objects.all_of(child), &parents, &reference.keys);
        let gone: Vec<Obj> = referring.into_iter().map(|(obj, _)| obj).filter(|obj| met.insert(*obj)).collect();
        if gone.is_empty() {
            continue;
        }
        if let Some(work) = models.iter_mut().find(|work| std::ptr::eq(work.model, child)) {
            work.deletes.retain(|obj| !met.contains(obj));
            let is_gone = |switch: &Switch| met.contains(&switch.old);
            let (away, left): (Vec<_>, Vec<_>) = work.switches.drain(..).partition(is_gone);
            work.switches = left;
            work.inserts.extend(away.iter().map(|switch| switch.new));
        }
        for (other, reference) in objects.references_to(child) {
            if orphans(child, other, reference) == Orphans::Deleted {
                ways.push((other, reference, gone.clone()));
            }
        }
    }
}

fn sweep(objects: &mut Objects, work: &Work, sweeps: &mut Vec<Sweep>) -> Result<()> {
    let model = work.model;
    for child in registry::all() {
        let Ok(mapping) = child.mapping() else { continue };
        for reference in mapping.references.iter().filter(|reference| std::ptr::eq(reference.target, model)) {
            let fate = orphans(model, child, reference);
            if fate == Orphans::Kept || cascades(model, child, &reference.keys) {
                continue;
            }
            let moved = moved(objects, work, child, reference);
            // Of rows that are moved to the new object nothing may be deleted: then all stay.
            if fate == Orphans::Deleted && !moved.is_empty() {
                continue;
            }
            for obj in moved {
                let meta = objects.store_mut(obj).meta_mut(obj.slot);
                reference.keys.iter().for_each(|pair| meta.given.insert(pair.key));
            }
            let olds = work.switches.iter().map(|switch| switch.old).collect();
            sweeps.push(Sweep { child, reference, fate, olds });
        }
    }
    Ok(())
}

/// Refuses objects that were linked to one that is deleted, if they cannot be without it: their rows would be given to
/// the other object.
fn check_linked(objects: &Objects, olds: &FxHashSet<Obj>) -> Result<()> {
    for obj in objects.linked.iter().filter(|obj| !objects.is_going(**obj)) {
        let store = objects.store(*obj);
        let (model, links) = (store.model(), &store.meta(obj.slot).links);
        let linked = links.iter().filter(|link| link.target.is_some_and(|target| olds.contains(&target)));
        for link in linked {
            if model.mapping()?.nulls(model, link.keys).is_empty() {
                let reason = format!(
                    "is linked by `{}` to an object that is deleted, and whose key another one takes: link it to that one, \
                     or delete it",
                    link.label
                );
                return Err(Error::InvalidState { model: model.name, reason });
            }
        }
    }
    Ok(())
}

/// Whether the session itself has marked the children to be deleted.
pub(super) fn cascades(model: &'static ModelDef, child: &'static ModelDef, of: &[KeyPair]) -> bool {
    let relations = model.resolved();
    relations.iter().zip(model.relations).any(|(resolved, def)| {
        let same = match &resolved.path {
            Path::HasMany(keys) | Path::HasOne(keys) => std::ptr::eq(resolved.target, child) && keys == of,
            _ => false,
        };
        same && def.options.cascade.contains(Cascade::DELETE) && def.options.passive_deletes == PassiveDeletes::No
    })
}

/// The objects of a model that have rows and are linked to one of the new objects.
fn moved(objects: &Objects, work: &Work, child: &ModelDef, reference: &Reference) -> Vec<Obj> {
    let of_child = |obj: &Obj| obj.model as usize == child.id.get() && objects.state(*obj) == State::Persistent;
    let news: FxHashSet<Obj> = work.switches.iter().map(|switch| switch.new).collect();
    let links = |obj: &Obj| &objects.store(*obj).meta(obj.slot).links;
    let linked = objects.linked.iter().copied().filter(of_child);
    linked
        .filter(|obj| {
            links(obj)
                .iter()
                .any(|link| link.keys == reference.keys && link.target.is_some_and(|target| news.contains(&target)))
        })
        .collect()
}

/// What is done to rows that refer to the switched ones, and to their association rows.
pub(super) fn sweeps(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for work in plan.models.iter().filter(|work| !work.switches.is_empty()) {
        let olds: Vec<Obj> = work.switches.iter().map(|switch| switch.old).collect();
        super::deletes::unlinks(objects, compiler, work.model, &olds, &mut batches)?;
    }
    for Sweep { child, reference, fate, olds } in &plan.sweeps {
        let to = KeyPair::referred(&reference.keys);
        let stmt = match fate {
            Orphans::Deleted => statement::delete_children(compiler, child, &reference.keys)?,
            _ => statement::nullify(compiler, child, &reference.keys)?,
        };
        batches.push(Batch::unasked(stmt, Rows::saved(olds.clone(), &to)));
    }
    Ok(batches)
}

/// UPDATEs of rows that get another object.
pub(super) fn updates(
    objects: &mut Objects,
    compiler: Compiler<'_>,
    step: &Step,
    plan: &Plan,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let model = step.model;
    let mut switches = step.switches.clone();
    switches.sort_by(|a, b| check::by_key(objects, model, a.old, b.old));
    let mut shapes: Vec<((ColumnSet, ColumnSet), Vec<Switch>)> = Vec::new();
    for switch in switches {
        write::sync_keys(objects, plan, switch.new)?;
        let given = write::inserted_columns(objects, switch.new)?;
        let mut columns = differing(objects, switch, given);
        let emptied = counted::emptied(objects, plan, switch.old);
        emptied.iter().filter(|column| given.contains(*column)).for_each(|column| columns.insert(column));
        if let Some(parked) = plan.work_of(switch.new).and_then(|work| work.parked.get(&switch.new)) {
            parked.iter().for_each(|(column, _)| columns.insert(*column));
        }
        let missing = ColumnSet::first(model.columns.len()).without(given);
        let mut defaults: ColumnSet =
            missing.iter().filter(|column| model.columns[*column].server_default.is_some()).collect();
        if columns.is_empty() && defaults.is_empty() {
            // The row is what the new object says; what only the database knows is what it was.
            for column in missing.iter() {
                let value = objects.store(switch.old).saved_value(switch.old.slot, column).into_owned();
                fill(objects, switch.new, column, &value)?;
            }
            continue;
        }
        if let Some(version) = model.version() {
            let next = next_version(objects, switch, version, given);
            fill(objects, switch.new, version, &next)?;
            columns.insert(version);
            defaults.remove(version);
        }
        group(&mut shapes, (columns, defaults), switch);
    }
    for ((columns, defaults), switches) in shapes {
        let given = write::inserted_columns(objects, switches[0].new)?.union(columns);
        let returning: Vec<usize> = ColumnSet::first(model.columns.len()).without(given).iter().collect();
        let keys = !returning.is_empty() && compiler.dialect == Dialect::Postgres && switches.len() > 1;
        let row = |switch: &Switch| {
            let (new, old) = (objects.store(switch.new), objects.store(switch.old));
            let sent = columns.iter().map(|column| new.value(switch.new.slot, column).into_owned());
            let found = version::found_by(model).into_iter();
            sent.chain(found.map(|key| old.saved_value(switch.old.slot, key).into_owned())).collect()
        };
        let rows = switches.iter().map(row).collect();
        let found = version::found_by(model);
        let update = Update { defaults, found, returning: &returning, keys, ..Update::of(model, columns) };
        batches.push(Batch {
            stmt: statement::update(compiler, &update)?,
            rows: Rows::Built {
                objs: switches.iter().map(|switch| switch.new).collect(),
                values: rows,
                at: columns.len(),
            },
            returns: update.returns(),
            kind: BatchKind::Update { returning, keys },
        });
    }
    Ok(())
}

/// The columns of the new object that are not what the row has, or may not be.
fn differing(objects: &Objects, switch: Switch, given: ColumnSet) -> ColumnSet {
    let (new, old) = (objects.store(switch.new), objects.store(switch.old));
    let unknown = old.meta(switch.old.slot).expired;
    let mut columns = ColumnSet::EMPTY;
    for column in given.iter().filter(|column| !old.model().primary_key.contains(column)) {
        let known = !unknown && old.is_loaded(switch.old.slot, column);
        let same = || check::same(&new.value(switch.new.slot, column), &old.saved_value(switch.old.slot, column));
        if !known || !same() {
            columns.insert(column);
        }
    }
    columns
}

/// The version after that of the row, or the one that the new object was given, if it is later.
fn next_version(objects: &Objects, switch: Switch, version: usize, given: ColumnSet) -> Value<'static> {
    let old = objects.store(switch.old).saved_value(switch.old.slot, version).into_owned();
    let new = objects.store(switch.new).value(switch.new.slot, version).into_owned();
    if given.contains(version) && check::order(&old, &new).is_lt() {
        return new;
    }
    version::after(&old).unwrap_or(old)
}
