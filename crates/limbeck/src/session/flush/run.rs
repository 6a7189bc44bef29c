//! Sending the rounds of a flush, and writing what comes back into the objects.

use std::cmp::Ordering;

use rustc_hash::FxHashSet;

use super::batch::{Batch, BatchKind, Rows, Source};
use super::check;
use super::plan::{Orphans, Plan, Work, orphans};
use super::statement;
use crate::dialect::Dialect;
use crate::driver::{Returns, Write, Written};
use crate::engine::{Connection, Engine};
use crate::error::{DatabaseError, Error, Result};
use crate::model::mapping::Path;
use crate::model::{ColumnSet, ModelDef, RelationKind};
use crate::session::Session;
use crate::session::objects::{LinkRow, Obj, Objects};
use crate::session::undo::Undo;
use crate::sql::compile::Compiler;
use crate::types::{Cell, Value};

/// Sends everything that the plan has.
pub(super) async fn run(
    objects: &mut Objects,
    connection: &mut Connection,
    engine: &Engine,
    plan: &Plan,
) -> Result<()> {
    let compiler = Session::compiler(engine);
    let mut rounds = Rounds::new(plan);
    while let Some(batches) = rounds.next(objects, compiler)? {
        send(objects, connection, batches).await?;
    }
    let links = links(objects, compiler, &plan.links, true)?;
    send(objects, connection, links).await?;
    let mut last = links_of(objects, compiler, plan)?;
    last.extend(deletes(objects, compiler, plan)?);
    send(objects, connection, last).await
}

/// The rounds of UPDATEs and INSERTs: each is what can be sent once the keys of the last are known.
struct Rounds<'p> {
    plan: &'p Plan,
    /// What is left of each model.
    left: Vec<Left>,
    /// Objects that have no row yet.
    waiting: FxHashSet<Obj>,
}

struct Left {
    inserts: Vec<Obj>,
    updates: Vec<Obj>,
    done: bool,
}

impl<'p> Rounds<'p> {
    fn new(plan: &'p Plan) -> Self {
        let left = plan
            .models
            .iter()
            .map(|work| Left { inserts: work.inserts.clone(), updates: work.updates.clone(), done: false })
            .collect();
        let waiting = plan.models.iter().flat_map(|work| work.inserts.iter().copied()).collect();
        Rounds { plan, left, waiting }
    }

    /// The batches of the next round; `None` when all is sent.
    fn next(&mut self, objects: &mut Objects, compiler: Compiler<'_>) -> Result<Option<Vec<Batch>>> {
        if self.left.iter().all(|left| left.done) {
            return Ok(None);
        }
        let ready: Vec<usize> = (0..self.left.len())
            .filter(|index| !self.left[*index].done)
            .filter(|index| self.plan.models[*index].parents.iter().all(|parent| self.left[*parent].done))
            .collect();
        let mut batches = Vec::new();
        let mut sent = Vec::new();
        for index in &ready {
            let work = &self.plan.models[*index];
            let waiting = &self.waiting;
            let mut can_go = |obj: &Obj| !work.cyclic || !waits(objects, *obj, waiting);
            let left = &mut self.left[*index];
            let updates: Vec<Obj> = left.updates.extract_if(.., |obj| can_go(obj)).collect();
            let inserts: Vec<Obj> = left.inserts.extract_if(.., |obj| can_go(obj)).collect();
            sent.extend(inserts.iter().copied());
            self::updates(objects, compiler, work, updates, &mut batches)?;
            self::inserts(objects, compiler, work, inserts, &mut batches)?;
        }
        for obj in &sent {
            self.waiting.remove(obj);
        }
        let mut moved = !sent.is_empty() || !batches.is_empty();
        for index in ready {
            let left = &mut self.left[index];
            if left.inserts.is_empty() && left.updates.is_empty() {
                left.done = true;
                moved = true;
            }
        }
        if !moved {
            let tables = self.plan.models.iter().zip(&self.left).filter(|(_, left)| !left.done);
            return Err(Error::Cycle { tables: tables.map(|(work, _)| work.model.table).collect() });
        }
        Ok(Some(batches))
    }
}

/// Whether an object needs the key of one that has no row yet.
fn waits(objects: &Objects, obj: Obj, waiting: &FxHashSet<Obj>) -> bool {
    let links = &objects.store(obj).meta(obj.slot).links;
    links.iter().any(|link| link.target.is_some_and(|(target, _)| target != obj && waiting.contains(&target)))
}

/// Writes the keys of linked objects into an object's key columns.
fn sync_keys(objects: &mut Objects, obj: Obj) -> Result<()> {
    let links = objects.store(obj).meta(obj.slot).links.clone();
    for link in links {
        let value = match link.target {
            None => Value::Null,
            Some((target, column)) => objects.store(target).value(target.slot, column).into_owned(),
        };
        fill(objects, obj, link.column, &value)?;
    }
    Ok(())
}

/// Writes a column, and notes the way back.
fn fill(objects: &mut Objects, obj: Obj, column: usize, value: &Value<'_>) -> Result<()> {
    let old = objects.store(obj).value(obj.slot, column).into_owned();
    if check::same(&old, value) {
        return Ok(());
    }
    objects.undo.push(Undo::Filled(obj, column, old));
    let store = objects.store_mut(obj);
    let model = store.model();
    store
        .set_value(obj.slot, column, Cell::from_value(value))
        .map_err(|source| crate::session::store::unreadable(model, source.at(column), 0))
}

fn updates(
    objects: &mut Objects,
    compiler: Compiler<'_>,
    work: &Work,
    mut objs: Vec<Obj>,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let model = work.model;
    objs.sort_by(|a, b| by_key(objects, model, *a, *b));
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
        changed = changed.union(touched);
        match shapes.iter_mut().find(|(columns, _)| *columns == changed) {
            Some((_, objs)) => objs.push(obj),
            None => shapes.push((changed, vec![obj])),
        }
    }
    for (columns, objs) in shapes {
        batches.push(Batch {
            stmt: statement::update(compiler, model, columns)?,
            rows: Rows::objects(objs, columns, model.primary_key),
            returns: Returns::Count,
            kind: BatchKind::Update,
        });
    }
    Ok(())
}

fn inserts(
    objects: &mut Objects,
    compiler: Compiler<'_>,
    work: &Work,
    objs: Vec<Obj>,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let model = work.model;
    let mut runs: Vec<(ColumnSet, Vec<Obj>)> = Vec::new();
    for obj in objs {
        sync_keys(objects, obj)?;
        let meta = objects.store(obj).meta(obj.slot);
        let mut columns = meta.given;
        meta.links.iter().for_each(|link| columns.insert(link.column));
        for (column, def) in model.columns.iter().enumerate() {
            if !def.made_by_database() {
                columns.insert(column);
            }
        }
        // Only neighbours share a batch, so that the database numbers the rows in the order of `add`.
        match runs.last_mut() {
            Some((shape, objs)) if *shape == columns => objs.push(obj),
            _ => runs.push((columns, vec![obj])),
        }
    }
    for (columns, objs) in runs {
        let missing: Vec<usize> = (0..model.columns.len()).filter(|column| !columns.contains(*column)).collect();
        let rowid = compiler.dialect == Dialect::Sqlite
            && matches!(missing.as_slice(), [only] if model.columns[*only].generated);
        let returning = match missing.iter().any(|column| model.columns[*column].generated) {
            // Without a generated key, the key that was sent ties a row to its object.
            false if !missing.is_empty() => model.primary_key.iter().copied().chain(missing).collect(),
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
            kind: BatchKind::Insert { returning },
        });
    }
    Ok(())
}

/// Rows of association tables, to insert or to delete.
fn links(objects: &Objects, compiler: Compiler<'_>, rows: &[LinkRow], add: bool) -> Result<Vec<Batch>> {
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

/// The rows of association tables that go: those that were unlinked, and those of deleted objects.
fn links_of(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = links(objects, compiler, &plan.unlinks, false)?;
    for work in plan.models.iter().filter(|work| !work.deletes.is_empty()) {
        for (relation, def) in work.model.relations.iter().enumerate() {
            if def.kind != RelationKind::ManyToMany {
                continue;
            }
            let Path::ManyToMany(link) = &work.model.mapping()?.relations[relation].path else { continue };
            let keys: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
            batches.push(Batch {
                stmt: statement::unlink_all(compiler, work.model, relation, link)?,
                rows: Rows::objects(work.deletes.clone(), ColumnSet::EMPTY, &keys),
                returns: Returns::Count,
                kind: BatchKind::Other,
            });
        }
    }
    Ok(batches)
}

/// DELETEs, from the tables that refer to those that are referred to; before each, the keys of rows that stay.
fn deletes(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for work in plan.models.iter().filter(|work| !work.deletes.is_empty()) {
        for relation in 0..work.model.relations.len() {
            if let Some((target, key, from, Orphans::ToNull)) = orphans(work.model, relation)? {
                batches.push(Batch {
                    stmt: statement::nullify(compiler, target, key)?,
                    rows: Rows::objects(work.deletes.clone(), ColumnSet::EMPTY, &[from]),
                    returns: Returns::Count,
                    kind: BatchKind::Other,
                });
            }
        }
    }
    for work in plan.models.iter().rev().filter(|work| !work.deletes.is_empty()) {
        batches.push(Batch {
            stmt: statement::delete(compiler, work.model)?,
            rows: Rows::objects(children_first(objects, work), ColumnSet::EMPTY, work.model.primary_key),
            returns: Returns::Count,
            kind: BatchKind::Delete,
        });
    }
    Ok(batches)
}

/// By primary key; in a table that refers to itself, rows that refer to others of the batch before these.
fn children_first(objects: &Objects, work: &Work) -> Vec<Obj> {
    let model = work.model;
    let mut objs = work.deletes.clone();
    objs.sort_by(|a, b| by_key(objects, model, *a, *b));
    let own = |column: &&crate::model::ColumnDef| {
        column.foreign_key.as_ref().is_some_and(|key| std::ptr::eq((key.target)(), model))
    };
    let keys: Vec<usize> = (0..model.columns.len()).filter(|c| own(&&model.columns[*c])).collect();
    if keys.is_empty() {
        return objs;
    }
    let doomed: FxHashSet<Obj> = objs.iter().copied().collect();
    // Depth of each row below others of the batch; deepest first. A circle ends the climb.
    let depth = |obj: Obj| {
        let (mut depth, mut at) = (0usize, obj);
        while depth <= doomed.len() {
            let store = objects.store(at);
            let parent = keys.iter().find_map(|key| {
                let slot = store.find(&[store.saved_value(at.slot, *key)])?;
                let parent = Obj { model: at.model, slot };
                (doomed.contains(&parent) && parent != at).then_some(parent)
            });
            match parent {
                Some(parent) => (depth, at) = (depth + 1, parent),
                None => break,
            }
        }
        depth
    };
    objs.sort_by_cached_key(|obj| std::cmp::Reverse(depth(*obj)));
    objs
}

/// Sends one round and writes what comes back into the objects.
async fn send(objects: &mut Objects, connection: &mut Connection, batches: Vec<Batch>) -> Result<()> {
    if batches.is_empty() {
        return Ok(());
    }
    let outcome = {
        let sources: Vec<Source<'_>> = batches.iter().filter_map(|batch| Source::new(&batch.rows, objects)).collect();
        let writes: Vec<Write<'_>> = batches.iter().zip(&sources).map(|(batch, source)| batch.write(source)).collect();
        connection.write(&writes).await
    };
    match outcome {
        Ok(written) => {
            for (batch, written) in batches.iter().zip(written) {
                receive(objects, batch, written)?;
            }
            Ok(())
        }
        Err(failed) => {
            let batch = batches.get(failed.index);
            let row = failed.row.or(batch.filter(|batch| batch.rows.len() == 1).map(|_| 0));
            let obj = batch.and_then(|batch| batch.rows.object(row?));
            let any = batch.and_then(|batch| batch.rows.object(0));
            let mut error = failed.error;
            if let Some(violation) = error.violation_mut() {
                violation.model = any.map(|any| objects.store(any).model().name);
                violation.object = obj.map(|obj| objects.handle(obj));
            }
            Err(error)
        }
    }
}

fn receive(objects: &mut Objects, batch: &Batch, mut written: Written) -> Result<()> {
    let rows = batch.rows.len();
    let model = batch.rows.object(0).map(|obj| objects.store(obj).model());
    match (&batch.kind, model) {
        (BatchKind::Insert { returning }, Some(model)) if !returning.is_empty() => {
            if written.returned.len() != rows * returning.len() {
                return Err(not_inserted(model, rows, written.returned.len() / returning.len()));
            }
            tie(objects, batch, model, returning, &mut written.returned);
            for (row, values) in written.returned.chunks_exact(returning.len()).enumerate() {
                let Some(obj) = batch.rows.object(row) else { continue };
                for (column, value) in returning.iter().zip(values) {
                    fill(objects, obj, *column, value)?;
                }
            }
            Ok(())
        }
        (BatchKind::Insert { .. }, Some(model)) if written.affected != rows as u64 => {
            Err(not_inserted(model, rows, written.affected as usize))
        }
        (BatchKind::Update, Some(model)) if written.affected != rows as u64 => {
            Err(Error::StaleRow { table: model.table, expected: rows as u64, found: written.affected })
        }
        (BatchKind::Delete, Some(model)) if written.affected != rows as u64 => {
            tracing::warn!(
                table = model.table,
                expected = rows,
                found = written.affected,
                "a DELETE met fewer rows than there were objects: another transaction deleted them first"
            );
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Puts returned rows into the order of the objects that they belong to.
///
/// A generated key tells: rows were numbered in the order in which they were sent. Else the key that was sent
/// comes back with its row.
fn tie(
    objects: &Objects,
    batch: &Batch,
    model: &'static ModelDef,
    returning: &[usize],
    returned: &mut Vec<Value<'static>>,
) {
    let width = returning.len();
    let mut rows: Vec<Vec<Value<'static>>> = returned.chunks_exact(width).map(<[_]>::to_vec).collect();
    if let Some(at) = returning.iter().position(|column| model.columns[*column].generated) {
        if rows.is_sorted_by(|a, b| check::order(&a[at], &b[at]).is_le()) {
            return;
        }
        rows.sort_by(|a, b| check::order(&a[at], &b[at]));
        *returned = rows.into_iter().flatten().collect();
        return;
    }
    // The key comes first in each row, as it was sent: sort both sides by it.
    let parts = 0..model.primary_key.len();
    rows.sort_by(|a, b| first_difference(parts.clone().map(|part| check::order(&a[part], &b[part]))));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let value = |row: usize, part: usize| {
        let obj = batch.rows.object(row);
        obj.map_or(Value::Null, |obj| objects.store(obj).value(obj.slot, model.primary_key[part]))
    };
    order.sort_by(|a, b| first_difference(parts.clone().map(|part| check::order(&value(*a, part), &value(*b, part)))));
    let mut tied = vec![Vec::new(); rows.len()];
    for (row, place) in rows.into_iter().zip(order) {
        tied[place] = row;
    }
    *returned = tied.into_iter().flatten().collect();
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The order of two objects of a model by the key that their rows have.
fn by_key(objects: &Objects, model: &ModelDef, a: Obj, b: Obj) -> Ordering {
    let store = objects.store(a);
    first_difference(
        model
            .primary_key
            .iter()
            .map(|key| check::order(&store.saved_value(a.slot, *key), &store.saved_value(b.slot, *key))),
    )
}

#[cold]
fn not_inserted(model: &ModelDef, expected: usize, found: usize) -> Error {
    Error::Database(Box::new(DatabaseError {
        code: None,
        message: format!(
            "{expected} row(s) were sent to {}, but {found} were inserted: a trigger or rule holds them back",
            model.table
        ),
        sql: String::new(),
    }))
}
