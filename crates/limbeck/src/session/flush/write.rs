//! The batches of a flush: rows of one shape, with the statement that writes them.

use super::batch::{Batch, BatchKind, Rows, group};
use super::plan::{Eviction, Plan, Work, key_conflict};
use super::receive::fill;
use super::rounds::Step;
use super::sentinel::{self, Tie};
use super::statement::{self, Update};
use super::{check, version};
use crate::dialect::Dialect;
use crate::driver::Returns;
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path};
use crate::model::{ColumnSet, ModelDef};
use crate::session::expression::alike;
use crate::session::objects::{LinkRow, Obj, Objects};
use crate::session::store::{KeyLink, State};
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
    let computed = computed(model);
    let mut objs = step.updates.clone();
    objs.sort_by(|a, b| check::by_key(objects, model, *a, *b));
    let mut groups: Vec<(ColumnSet, bool, Vec<Obj>)> = Vec::new();
    let work = plan.models.iter().find(|work| std::ptr::eq(work.model, model));
    for obj in objs {
        let Some((changed, moved)) = changes(objects, plan, obj, !computed.is_empty())? else { continue };
        // Rows with expressions follow each other as a rule, or differ altogether: only the last group is looked at.
        let group = match objects.expressions_of(obj) {
            [] => groups.iter_mut().find(|(columns, other, objs)| {
                (*columns, *other) == (changed, moved) && !has_expressions(objects, objs)
            }),
            _ => groups.last_mut().filter(|(columns, other, objs)| {
                *columns == changed && !moved && !other && are_alike(objects, compiler, objs[0], obj)
            }),
        };
        match group {
            Some((.., objs)) => objs.push(obj),
            None => groups.push((changed, moved, vec![obj])),
        }
    }
    for (columns, moved, objs) in groups {
        let first = objs[0];
        let expressed = objects.expressed(first);
        let returning: Vec<usize> = computed.iter().copied().chain(expressed.iter()).collect();
        // PostgreSQL gives rows back in any order; SQLite's are sent one by one.
        let told_apart = !returning.is_empty() || model.version().is_some();
        let keys = told_apart && compiler.dialect == Dialect::Postgres && objs.len() > 1;
        let (expressions, found) = (objects.expressions_of(first), version::found_by(model));
        let values = values_of(objects, compiler, &objs);
        let update = Update { expressions, found, returning: &returning, keys, ..Update::of(model, columns) };
        batches.push(Batch {
            stmt: statement::update(compiler, &update)?,
            rows: match work.filter(|_| moved) {
                Some(work) => rekeyed(objects, work, objs, columns, &update.found),
                None => Rows::objects(objs, columns, &update.found),
            }
            .with_values(values),
            returns: update.returns(),
            kind: BatchKind::Update { returning, keys },
        });
    }
    Ok(())
}

/// The columns that the UPDATE of an object sends, brought to what they are to hold, and whether its key stands aside;
/// `None` where there is nothing to send. `computed` says whether the model has columns that follow from others.
fn changes(objects: &mut Objects, plan: &Plan, obj: Obj, computed: bool) -> Result<Option<(ColumnSet, bool)>> {
    sync_keys(objects, plan, obj)?;
    let work = plan.work_of(obj);
    let expressed = objects.expressed(obj);
    let store = objects.store(obj);
    // What has an UPDATE of its own later.
    let later = work.map_or(ColumnSet::EMPTY, |work| work.later_of(obj));
    let mut changed = store.changed(obj.slot).union(store.meta(obj.slot).given).without(later);
    // What was written in advance is sent, if it was not for good: even where the row keeps what it had.
    let aside = work.and_then(|work| work.parked.get(&obj)).map(Vec::as_slice).unwrap_or_default();
    let (parked, for_good) = parked_columns(objects, aside, obj);
    let (mut touched, mut counted) = (ColumnSet::EMPTY, ColumnSet::EMPTY);
    if !changed.is_empty() || !expressed.is_empty() {
        let store = objects.store_mut(obj);
        touched = store.on_update(obj.slot, changed.union(expressed));
        store.normalize(obj.slot, touched);
        for column in touched.iter() {
            let old = objects.store(obj).saved_value(obj.slot, column).into_owned();
            objects.undo.push(Undo::Filled(obj, column, old));
        }
        counted = version::count(objects, obj, changed)?;
    }
    changed = changed.union(touched).union(counted).union(parked.without(later));
    // What is computed from a column that was set to NULL in advance is still to be read.
    if !computed {
        changed = changed.without(for_good);
    }
    changed = changed.without(expressed);
    if changed.is_empty() && expressed.is_empty() {
        return Ok(None);
    }
    let moved = objects.store(obj).model().primary_key.iter().any(|key| parked.contains(*key));
    Ok(Some((changed, moved)))
}

/// The columns that the database computes.
fn computed(model: &ModelDef) -> Vec<usize> {
    (0..model.columns.len()).filter(|column| model.columns[*column].options.computed.is_some()).collect()
}

fn has_expressions(objects: &Objects, objs: &[Obj]) -> bool {
    objs.first().is_some_and(|obj| !objects.expressions_of(*obj).is_empty())
}

/// Whether the expressions of two objects can be in one statement: on SQLite, which is given one row after the other,
/// where they differ in nothing but values; on PostgreSQL, where one text stands for all rows, where they are equal.
fn are_alike(objects: &Objects, compiler: Compiler<'_>, a: Obj, b: Obj) -> bool {
    let values = compiler.dialect == Dialect::Postgres;
    alike(objects.expressions_of(a), objects.expressions_of(b), values)
}

/// The values of the expressions of each object; on PostgreSQL they are the same.
fn values_of(objects: &Objects, compiler: Compiler<'_>, objs: &[Obj]) -> Vec<Vec<Value<'static>>> {
    if !has_expressions(objects, objs) {
        return Vec::new();
    }
    let objs = if compiler.dialect == Dialect::Postgres { &objs[..1] } else { objs };
    let values = |obj: &Obj| {
        let all = objects.expressions_of(*obj).iter();
        all.flat_map(|expressed| expressed.expression.values().iter().cloned()).collect()
    };
    objs.iter().map(values).collect()
}

/// INSERTs of a model, in the order of `add`.
pub(super) fn inserts(
    objects: &mut Objects,
    compiler: Compiler<'_>,
    step: &Step,
    plan: &Plan,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let model = step.model;
    let mut runs: Vec<(ColumnSet, Vec<Obj>)> = Vec::new();
    for obj in step.inserts.iter().copied() {
        sync_keys(objects, plan, obj)?;
        let columns = inserted_columns(objects, obj)?.without(objects.expressed(obj));
        // Only neighbours share a batch, so that the database numbers the rows in the order of `add`.
        match runs.last_mut() {
            Some((shape, objs)) if *shape == columns && are_alike(objects, compiler, objs[0], obj) => objs.push(obj),
            _ => runs.push((columns, vec![obj])),
        }
    }
    for (columns, objs) in runs {
        insert_run(objects, compiler, model, columns, objs, batches)?;
    }
    Ok(())
}

/// The INSERT of rows of one shape: one batch, or one for each row where nothing would tell them apart.
fn insert_run(
    objects: &Objects,
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    columns: ColumnSet,
    objs: Vec<Obj>,
    batches: &mut Vec<Batch>,
) -> Result<()> {
    let made: Vec<usize> = (0..model.columns.len()).filter(|column| !columns.contains(*column)).collect();
    let expressions = objects.expressions_of(objs[0]);
    let rowid = compiler.dialect == Dialect::Sqlite
        && expressions.is_empty()
        && matches!(made.as_slice(), [only] if model.columns[*only].generated);
    let tie = match compiler.dialect {
        // Its rows are sent, and come back, one by one.
        Dialect::Sqlite => Some(Tie::InOrder),
        Dialect::Postgres => {
            sentinel::choose(objects, model, &objs, columns, &made, compiler.cache.trust(model.id.get()))
        }
    };
    let Some(tie) = tie else {
        for obj in objs {
            insert_run(objects, compiler, model, columns, vec![obj], batches)?;
        }
        return Ok(());
    };
    let returning: Vec<usize> = match &tie {
        Tie::BySent(columns) => columns.iter().copied().chain(made.iter().copied()).collect(),
        _ => made.clone(),
    };
    let returns = match returning.len() {
        0 => Returns::Count,
        _ if rowid => Returns::RowId,
        count => Returns::Columns(count),
    };
    let sql_returning: &[usize] = if rowid { &[] } else { &returning };
    let values = values_of(objects, compiler, &objs);
    batches.push(Batch {
        stmt: statement::insert(compiler, model, columns, expressions, sql_returning)?,
        rows: Rows::objects(objs, columns, &[]).with_values(values),
        returns,
        kind: BatchKind::Insert { returning: made, tie },
    });
    Ok(())
}

/// Whether one of the keys that an association row holds is about to change.
pub(super) fn ends_move(objects: &Objects, row: &LinkRow) -> Result<bool> {
    let Path::ManyToMany(link) = &row.owner.mapping()?.relations[row.relation].path else { return Ok(false) };
    let moves = |obj: Obj, columns: &[(String, usize)]| {
        let store = objects.store(obj);
        columns.iter().any(|(_, key)| store.value(obj.slot, *key) != store.saved_value(obj.slot, *key))
    };
    Ok(moves(row.local, &link.local) || moves(row.remote, &link.remote))
}

/// What is done with rows of association tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linking {
    Insert,
    Delete,
    /// By the keys that their ends had, since these are about to change.
    DeleteFirst,
}

/// Rows of association tables, to insert or to delete.
pub(super) fn links(
    objects: &Objects,
    compiler: Compiler<'_>,
    rows: &[LinkRow],
    linking: Linking,
) -> Result<Vec<Batch>> {
    // One group for each association and end from which it was planned.
    let mut groups: Vec<((usize, usize), Vec<&LinkRow>)> = Vec::new();
    rows.iter().for_each(|row| group(&mut groups, (row.owner.id.get(), row.relation), row));
    let mut batches = Vec::new();
    for (_, rows) in groups {
        let Some(LinkRow { owner, relation, .. }) = rows.first().copied() else { continue };
        let resolved = &owner.mapping()?.relations[*relation];
        let Path::ManyToMany(link) = &resolved.path else { continue };
        let saved = |row: &&LinkRow| {
            let ends = [(row.local, &link.local), (row.remote, &link.remote)].into_iter();
            let keys = ends.flat_map(|(obj, columns)| columns.iter().map(move |(_, key)| (obj, *key)));
            keys.map(|(obj, key)| objects.store(obj).saved_value(obj.slot, key).into_owned()).collect()
        };
        let keys = |end: &[(String, usize)]| end.iter().map(|(_, key)| *key).collect();
        let make = if linking == Linking::Insert { statement::link } else { statement::unlink };
        let stmt = make(compiler, owner, *relation, resolved.target, link)?;
        let rows = match linking {
            Linking::DeleteFirst => Rows::Values(rows.iter().map(saved).collect()),
            Linking::Insert | Linking::Delete => Rows::Links {
                ends: rows.iter().map(|row| (row.local, row.remote)).collect(),
                local: keys(&link.local),
                remote: keys(&link.remote),
            },
        };
        batches.push(Batch::unasked(stmt, rows));
    }
    Ok(batches)
}

/// Rows whose place in a one-to-one relationship another takes, and of which no more is known.
pub(super) fn evictions(compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut groups = Vec::new();
    for Eviction { parent, child, keys } in plan.evictions.iter().copied() {
        group(&mut groups, (child.id.get(), parent.model, keys), (child, parent));
    }
    let mut batches = Vec::new();
    for ((.., keys), rows) in groups {
        let Some((child, _)) = rows.first().copied() else { continue };
        let parents = rows.into_iter().map(|(_, parent)| parent).collect();
        let stmt = statement::nullify(compiler, child, keys)?;
        batches.push(Batch::unasked(stmt, Rows::saved(parents, &KeyPair::referred(keys))));
    }
    Ok(batches)
}

/// The columns of an object that were written in advance, and those of them that are to stay so.
fn parked_columns(objects: &Objects, aside: &[(usize, Value<'static>)], obj: Obj) -> (ColumnSet, ColumnSet) {
    let (mut all, mut for_good) = (ColumnSet::EMPTY, ColumnSet::EMPTY);
    for (column, _) in aside {
        all.insert(*column);
        if objects.store(obj).value(obj.slot, *column).is_null() {
            for_good.insert(*column);
        }
    }
    (all, for_good)
}

/// Rows whose keys stand aside: they are found by what these hold meanwhile.
fn rekeyed(objects: &Objects, work: &Work, objs: Vec<Obj>, columns: ColumnSet, found: &[usize]) -> Rows {
    let values = |obj: &Obj| {
        let store = objects.store(*obj);
        let aside = work.parked.get(obj).map(Vec::as_slice).unwrap_or_default();
        let key = |column: &usize| match aside.iter().find(|(other, _)| other == column) {
            Some((_, value)) => value.clone(),
            None => store.saved_value(obj.slot, *column).into_owned(),
        };
        let sent = columns.iter().map(|column| store.value(obj.slot, column).into_owned());
        sent.chain(found.iter().map(key)).collect()
    };
    Rows::Built { values: objs.iter().map(values).collect(), objs, at: columns.len() }
}

/// Rows that give up unique values which others take.
pub(super) fn parked(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for work in &plan.models {
        let mut rows: Vec<Obj> = work.parked.keys().copied().collect();
        rows.sort_by(|a, b| check::by_key(objects, work.model, *a, *b));
        let mut groups: Vec<(ColumnSet, Vec<Obj>)> = Vec::new();
        for obj in rows {
            let columns: ColumnSet = work.parked[&obj].iter().map(|(column, _)| *column).collect();
            group(&mut groups, columns, obj);
        }
        for (columns, objs) in groups {
            let row = |obj: &Obj| {
                let store = objects.store(*obj);
                let aside = &work.parked[obj];
                let value = |column| aside.iter().find(|(other, _)| *other == column).map(|(_, value)| value.clone());
                let key = work.model.primary_key.iter().map(|key| store.saved_value(obj.slot, *key).into_owned());
                columns.iter().map(|column| value(column).unwrap_or(Value::Null)).chain(key).collect()
            };
            let rows = objs.iter().map(row).collect();
            batches.push(assigned(compiler, work.model, columns, rows)?);
        }
    }
    Ok(batches)
}

/// Sets columns of rows that are found by their keys, and nothing else: the values of each row are the columns, then
/// the key.
pub(super) fn assigned(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    columns: ColumnSet,
    rows: Vec<Vec<Value<'static>>>,
) -> Result<Batch> {
    Ok(Batch::unasked(statement::update(compiler, &Update::of(model, columns))?, Rows::Values(rows)))
}

/// The keys that are written after all rows.
pub(super) fn later(objects: &mut Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for work in plan.models.iter().filter(|work| !work.later.is_empty()) {
        let model = work.model;
        let mut rows: Vec<Obj> = work.later.keys().copied().collect();
        rows.sort_by(|a, b| check::by_key(objects, model, *a, *b));
        let mut groups = Vec::new();
        for obj in rows {
            for (column, value) in later_values(objects, work, obj) {
                fill(objects, obj, column, &value)?;
            }
            let columns = work.later_of(obj);
            let store = objects.store(obj);
            let key = model.primary_key.iter().copied();
            let values = columns.iter().chain(key).map(|column| store.value(obj.slot, column).into_owned()).collect();
            group(&mut groups, columns, (obj, values));
        }
        let computed = computed(model);
        for (columns, rows) in groups {
            let (objs, values): (Vec<Obj>, Vec<_>) = rows.into_iter().unzip();
            let keys = !computed.is_empty() && compiler.dialect == Dialect::Postgres && objs.len() > 1;
            let update = Update { returning: &computed, keys, ..Update::of(model, columns) };
            batches.push(Batch {
                stmt: statement::update(compiler, &update)?,
                rows: Rows::Built { objs, values, at: columns.len() },
                returns: update.returns(),
                kind: BatchKind::Update { returning: computed.clone(), keys },
            });
        }
    }
    Ok(batches)
}

/// What a row is referred to by. What was changed of one that goes is not written.
fn key_of_row(objects: &Objects, target: Obj, column: usize) -> Value<'_> {
    let store = objects.store(target);
    if store.meta(target.slot).doomed {
        store.saved_value(target.slot, column)
    } else {
        store.value(target.slot, column)
    }
}

/// What the keys of a row are that are written after all rows.
fn later_values(objects: &Objects, work: &Work, obj: Obj) -> Vec<(usize, Value<'static>)> {
    let links = &objects.store(obj).meta(obj.slot).links;
    let mut found = Vec::new();
    for later in work.later.get(&obj).into_iter().flatten() {
        match &later.values {
            Some(values) => found.extend(later.nulls.iter().zip(values.iter().cloned())),
            None => {
                let target = links.iter().find(|link| link.keys == later.keys).and_then(|link| link.target);
                let pairs = later.keys.iter().filter(|pair| later.nulls.contains(pair.key));
                found.extend(pairs.filter_map(|pair| {
                    let target = target?;
                    Some((pair.key, key_of_row(objects, target, pair.to).into_owned()))
                }));
            }
        }
    }
    found
}

/// The columns that an object sends when its row is inserted.
pub(super) fn inserted_columns(objects: &Objects, obj: Obj) -> Result<ColumnSet> {
    let store = objects.store(obj);
    let (model, meta) = (store.model(), store.meta(obj.slot));
    let mut columns = ColumnSet::first(model.columns.len()).without(model.mapping()?.made).union(meta.given);
    meta.links.iter().flat_map(|link| link.keys).for_each(|pair| columns.insert(pair.key));
    Ok(columns)
}

/// Writes the keys of linked objects into an object's key columns; NULL for what is written later into a row that is
/// new.
///
/// # Errors
/// [`Error::KeyConflict`] when two relationships share a column and disagree about it.
pub(super) fn sync_keys(objects: &mut Objects, plan: &Plan, obj: Obj) -> Result<()> {
    let later = plan.work_of(obj).map_or(ColumnSet::EMPTY, |work| work.later_of(obj));
    if objects.state(obj) == State::Pending {
        for column in later.iter() {
            fill(objects, obj, column, &Value::Null)?;
        }
    }
    if objects.store(obj).meta(obj.slot).links.is_empty() {
        return Ok(());
    }
    let links = std::mem::take(&mut objects.store_mut(obj).meta_mut(obj.slot).links);
    let synced = sync_links(objects, plan, obj, &links, later);
    objects.store_mut(obj).meta_mut(obj.slot).links = links;
    synced
}

/// The same for the links of the object, which are taken out meanwhile, without the columns that are written `later`.
fn sync_links(objects: &mut Objects, plan: &Plan, obj: Obj, links: &[KeyLink], later: ColumnSet) -> Result<()> {
    let model = objects.store(obj).model();
    let key = |objects: &Objects, target: Obj, column: usize| key_of_row(objects, target, column).into_owned();
    // Of one whose row another object gets, nothing is to be left.
    let target_of = |link: &KeyLink| link.target.filter(|target| !plan.is_switched(*target));
    // NULL first: a column that another relationship shares keeps what that one says.
    for link in links.iter().filter(|link| target_of(link).is_none()) {
        for column in model.mapping()?.nulls(model, link.keys).iter() {
            fill(objects, obj, column, &Value::Null)?;
        }
    }
    for link in links {
        let Some(target) = target_of(link) else { continue };
        for pair in link.keys.iter().filter(|pair| !later.contains(pair.key)) {
            fill(objects, obj, pair.key, &key(objects, target, pair.to))?;
        }
    }
    if links.len() > 1 {
        for link in links {
            let Some(target) = target_of(link) else { continue };
            let differs = |pair: &&KeyPair| {
                !later.contains(pair.key)
                    && !check::same(&objects.store(obj).value(obj.slot, pair.key), &key(objects, target, pair.to))
            };
            if let Some(pair) = link.keys.iter().find(differs) {
                return Err(key_conflict(model, link, pair.key));
            }
        }
    }
    Ok(())
}
