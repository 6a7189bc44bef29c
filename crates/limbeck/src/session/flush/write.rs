//! The batches of a flush: rows of one shape, with the statement that writes them.

use super::batch::{Batch, BatchKind, Rows, Tie};
use super::plan::{Eviction, Plan, key_conflict};
use super::receive::fill;
use super::rounds::Step;
use super::{check, statement, version};
use crate::dialect::Dialect;
use crate::driver::Returns;
use crate::error::Result;
use crate::model::ColumnSet;
use crate::model::mapping::{KeyPair, Path};
use crate::session::objects::{LinkRow, Obj, Objects};
use crate::session::undo::Undo;
use crate::sql::compile::Compiler;
use crate::types::Value;

/// UPDATEs of a model, by primary key, so that two flushes that meet lock rows in the same order.
pub(super) fn updates(
    objects: &mut Objects,
    compiler: Compiler<'_>,
    step: &Step,
    plan: &Plan,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let model = step.model;
    let computed: Vec<usize> =
        (0..model.columns.len()).filter(|column| model.columns[*column].options.computed.is_some()).collect();
    let mut objs = step.updates.clone();
    objs.sort_by(|a, b| check::by_key(objects, model, *a, *b));
    let mut shapes: Vec<(ColumnSet, Vec<Obj>)> = Vec::new();
    for obj in objs {
        sync_keys(objects, obj)?;
        let store = objects.store_mut(obj);
        let mut changed = store.changed(obj.slot).union(store.meta(obj.slot).given);
        if changed.is_empty() {
            continue;
        }
        let touched = store.on_update(obj.slot, changed);
        store.normalize(obj.slot, touched);
        for column in touched.iter() {
            let old = objects.store(obj).saved_value(obj.slot, column).into_owned();
            objects.undo.push(Undo::Filled(obj, column, old));
        }
        let counted = version::count(objects, obj, changed)?;
        // What was set to NULL in advance is sent, if it was not for good.
        let (parked, for_good) = parked_columns(objects, plan, obj);
        changed = changed.union(touched).union(counted).union(parked);
        // What is computed from a column that was set to NULL in advance is still to be read.
        if computed.is_empty() {
            changed = changed.without(for_good);
        }
        if changed.is_empty() {
            continue;
        }
        match shapes.iter_mut().find(|(columns, _)| *columns == changed) {
            Some((_, objs)) => objs.push(obj),
            None => shapes.push((changed, vec![obj])),
        }
    }
    for (columns, objs) in shapes {
        // PostgreSQL gives rows back in any order; SQLite's are sent one by one.
        let told_apart = !computed.is_empty() || model.version().is_some();
        let keys = told_apart && compiler.dialect == Dialect::Postgres && objs.len() > 1;
        let width = computed.len() + if keys { model.primary_key.len() } else { 0 };
        batches.push(Batch {
            stmt: statement::update(compiler, model, columns, &computed, keys)?,
            rows: Rows::objects(objs, columns, &version::found_by(model)),
            returns: if width == 0 { Returns::Count } else { Returns::Columns(width) },
            kind: BatchKind::Update { returning: computed.clone(), keys },
        });
    }
    Ok(())
}

/// INSERTs of a model, in the order of `add`.
pub(super) fn inserts(
    objects: &mut Objects,
    compiler: Compiler<'_>,
    step: &Step,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let model = step.model;
    let mut runs: Vec<(ColumnSet, Vec<Obj>)> = Vec::new();
    for obj in step.inserts.iter().copied() {
        sync_keys(objects, obj)?;
        let meta = objects.store(obj).meta(obj.slot);
        let mut columns = meta.given;
        meta.links.iter().flat_map(|link| link.keys).for_each(|pair| columns.insert(pair.key));
        for (column, def) in model.columns.iter().enumerate() {
            if !def.made_by_database() {
                columns.insert(column);
            }
        }
        // Without any key a row that comes back cannot be told from the others: then each is sent alone.
        let nameless = model.primary_key.iter().any(|key| !columns.contains(*key) && !model.columns[*key].generated);
        // Only neighbours share a batch, so that the database numbers the rows in the order of `add`.
        match runs.last_mut() {
            Some((shape, objs)) if *shape == columns && !nameless => objs.push(obj),
            _ => runs.push((columns, vec![obj])),
        }
    }
    for (columns, objs) in runs {
        let missing: Vec<usize> = (0..model.columns.len()).filter(|column| !columns.contains(*column)).collect();
        let rowid = compiler.dialect == Dialect::Sqlite
            && matches!(missing.as_slice(), [only] if model.columns[*only].generated);
        let numbered = missing.iter().any(|column| model.columns[*column].generated);
        let tie = match (compiler.dialect, objs.len()) {
            // Its rows are sent, and come back, one by one.
            (Dialect::Sqlite, _) | (_, 1) => Tie::InOrder,
            _ if numbered => Tie::ByNumber,
            _ => Tie::BySentKey,
        };
        let returning = match tie {
            Tie::BySentKey if !missing.is_empty() => model.primary_key.iter().copied().chain(missing).collect(),
            _ => missing,
        };
        let returns = match returning.len() {
            0 => Returns::Count,
            _ if rowid => Returns::RowId,
            count => Returns::Columns(count),
        };
        let sql_returning: &[usize] = if rowid { &[] } else { &returning };
        batches.push(Batch {
            stmt: statement::insert(compiler, model, columns, sql_returning)?,
            rows: Rows::objects(objs, columns, &[]),
            returns,
            kind: BatchKind::Insert { returning, tie },
        });
    }
    Ok(())
}

/// Rows of association tables, to insert or to delete.
pub(super) fn links(objects: &Objects, compiler: Compiler<'_>, rows: &[LinkRow], add: bool) -> Result<Vec<Batch>> {
    // One group for each association and end from which it was planned.
    let mut groups: Vec<(LinkRow, Vec<Vec<Value<'static>>>)> = Vec::new();
    for row in rows {
        let Path::ManyToMany(link) = &row.owner.mapping()?.relations[row.relation].path else { continue };
        let values = |obj: Obj, columns: &[(String, usize)]| {
            columns.iter().map(|(_, key)| objects.store(obj).value(obj.slot, *key).into_owned()).collect::<Vec<_>>()
        };
        let mut cells = values(row.local, &link.local);
        cells.extend(values(row.remote, &link.remote));
        let group =
            groups.iter_mut().find(|(first, _)| std::ptr::eq(first.owner, row.owner) && first.relation == row.relation);
        match group {
            Some((_, group)) => group.push(cells),
            None => groups.push((*row, vec![cells])),
        }
    }
    let mut batches = Vec::new();
    for (row, values) in groups {
        let resolved = &row.owner.mapping()?.relations[row.relation];
        let Path::ManyToMany(link) = &resolved.path else { continue };
        let make = if add { statement::link } else { statement::unlink };
        batches.push(Batch {
            stmt: make(compiler, row.owner, row.relation, resolved.target, link)?,
            rows: Rows::Values(values),
            returns: Returns::Count,
            kind: BatchKind::Other,
        });
    }
    Ok(batches)
}

/// Rows whose place in a one-to-one relationship another takes, and of which no more is known.
pub(super) fn evictions(compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut groups: Vec<(Eviction, Vec<Obj>)> = Vec::new();
    for eviction in &plan.evictions {
        let same = |other: &Eviction| {
            let models = std::ptr::eq(other.child, eviction.child) && other.parent.model == eviction.parent.model;
            models && other.keys == eviction.keys
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, parents)) => parents.push(eviction.parent),
            None => groups.push((*eviction, vec![eviction.parent])),
        }
    }
    let mut batches = Vec::new();
    for (eviction, parents) in groups {
        let to: Vec<usize> = eviction.keys.iter().map(|pair| pair.to).collect();
        batches.push(Batch {
            stmt: statement::nullify(compiler, eviction.child, eviction.keys)?,
            rows: Rows::objects(parents, ColumnSet::EMPTY, &to),
            returns: Returns::Count,
            kind: BatchKind::Other,
        });
    }
    Ok(batches)
}

/// The columns of an object that were set to NULL in advance, and those of them that are to stay so.
fn parked_columns(objects: &Objects, plan: &Plan, obj: Obj) -> (ColumnSet, ColumnSet) {
    let (mut all, mut for_good) = (ColumnSet::EMPTY, ColumnSet::EMPTY);
    let work = plan.models.iter().find(|work| work.model.id.get() as u32 == obj.model);
    for (parked, other) in work.map(|work| work.parked.as_slice()).unwrap_or_default() {
        if *other == obj {
            let is_null = |column: &usize| objects.store(obj).value(obj.slot, *column).is_null();
            all = all.union(*parked);
            parked.iter().filter(is_null).for_each(|column| for_good.insert(column));
        }
    }
    (all, for_good)
}

/// Rows that give up unique values which others take.
pub(super) fn parked(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for work in &plan.models {
        let mut groups: Vec<(ColumnSet, Vec<Obj>)> = Vec::new();
        for (columns, obj) in &work.parked {
            match groups.iter_mut().find(|(other, _)| other == columns) {
                Some((_, objs)) => objs.push(*obj),
                None => groups.push((*columns, vec![*obj])),
            }
        }
        for (columns, mut objs) in groups {
            objs.sort_by(|a, b| check::by_key(objects, work.model, *a, *b));
            objs.dedup();
            let row = |obj: &Obj| {
                let store = objects.store(*obj);
                let found_by = version::found_by(work.model).into_iter();
                let key = found_by.map(|key| store.saved_value(obj.slot, key).into_owned());
                columns.iter().map(|_| Value::Null).chain(key).collect()
            };
            batches.push(Batch {
                stmt: statement::update(compiler, work.model, columns, &[], false)?,
                rows: Rows::Values(objs.iter().map(row).collect()),
                returns: Returns::Count,
                kind: BatchKind::Other,
            });
        }
    }
    Ok(batches)
}

/// Writes the keys of linked objects into an object's key columns.
///
/// # Errors
/// [`Error::KeyConflict`] when two relationships share a column and disagree about it.
fn sync_keys(objects: &mut Objects, obj: Obj) -> Result<()> {
    let links = objects.store(obj).meta(obj.slot).links.clone();
    if links.is_empty() {
        return Ok(());
    }
    let model = objects.store(obj).model();
    let key =
        |objects: &Objects, target: Obj, column: usize| objects.store(target).value(target.slot, column).into_owned();
    // NULL first: a column that another relationship shares keeps what that one says.
    for link in links.iter().filter(|link| link.target.is_none()) {
        for column in model.mapping()?.nulls(model, link.keys) {
            fill(objects, obj, column, &Value::Null)?;
        }
    }
    for link in &links {
        let Some(target) = link.target else { continue };
        for pair in link.keys {
            fill(objects, obj, pair.key, &key(objects, target, pair.to))?;
        }
    }
    if links.len() > 1 {
        for link in &links {
            let Some(target) = link.target else { continue };
            let differs = |pair: &&KeyPair| {
                !check::same(&objects.store(obj).value(obj.slot, pair.key), &key(objects, target, pair.to))
            };
            if let Some(pair) = link.keys.iter().find(differs) {
                return Err(key_conflict(model, link, pair.key));
            }
        }
    }
    Ok(())
}
