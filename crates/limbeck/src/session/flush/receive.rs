//! What comes back from a batch: the columns that the database made, or the reason why it refused.

use super::batch::{Batch, BatchKind};
use super::check::{self, first_difference};
use super::failing;
use super::sentinel::{self, Tie};
use crate::driver::Written;
use crate::error::{Error, Result, Violation};
use crate::model::{IndexKeyDef, ModelDef};
use crate::schema::naming;
use crate::session::objects::{Obj, Objects};
use crate::session::undo::Undo;
use crate::types::{Cell, Value, hyphenated};

/// Writes what a batch brought back into its objects; `Received::Untied` if it cannot be told which row is whose.
pub(super) fn receive(objects: &mut Objects, batch: &Batch, mut written: Written) -> Result<Received> {
    let rows = batch.rows.len();
    let model = batch.rows.object(0).map(|obj| objects.store(obj).model());
    match (&batch.kind, model) {
        (BatchKind::Insert { returning, tie }, Some(model)) if !returning.is_empty() => {
            let width = returning.len() + if let Tie::BySent(columns) = tie { columns.len() } else { 0 };
            if written.returned.len() != rows * width {
                return Err(not_inserted(model, rows, written.returned.len() / width));
            }
            if !tied(objects, batch, returning, tie, &mut written.returned) {
                return Ok(Received::Untied(model));
            }
            take(objects, batch, returning, &written.returned, width)?;
            Ok(Received::Written)
        }
        (BatchKind::Insert { .. }, Some(model)) if written.affected != rows as u64 => {
            Err(not_inserted(model, rows, written.affected as usize))
        }
        (BatchKind::Update { returning, keys }, Some(model)) if !returning.is_empty() => {
            let width = returning.len() + if *keys { model.primary_key.len() } else { 0 };
            if *keys {
                as_sent(model, width, &mut written.returned, |row, part| batch.rows.sent_key(objects, row, part));
            }
            take(objects, batch, returning, &written.returned, width)?;
            Ok(Received::Written)
        }
        (BatchKind::Delete, Some(model)) if written.affected != rows as u64 => {
            tracing::warn!(
                table = model.table,
                expected = rows,
                found = written.affected,
                "a DELETE met fewer rows than there were objects: another transaction deleted them first"
            );
            Ok(Received::Written)
        }
        _ => Ok(Received::Written),
    }
}

/// Writes what came back into the objects of a batch. The columns are the last of the `width` of each row.
fn take(
    objects: &mut Objects,
    batch: &Batch,
    columns: &[usize],
    returned: &[Value<'static>],
    width: usize,
) -> Result<()> {
    for (row, values) in returned.chunks_exact(width).enumerate() {
        let Some(obj) = batch.rows.object(row) else { continue };
        for (column, value) in columns.iter().zip(&values[width - columns.len()..]) {
            fill(objects, obj, *column, value)?;
        }
    }
    Ok(())
}

/// What came of a batch.
pub(super) enum Received {
    /// Its objects have what the database made.
    Written,
    /// Which row is whose cannot be told: nothing was written into objects of this model.
    Untied(&'static ModelDef),
}

/// Puts returned rows into the order of the objects that they belong to. `false` if it cannot be told.
fn tied(objects: &Objects, batch: &Batch, made: &[usize], tie: &Tie, returned: &mut Vec<Value<'static>>) -> bool {
    match tie {
        Tie::InOrder => true,
        Tie::ByNumber { column, descending } => {
            let at = made.iter().position(|made| made == column).unwrap_or_default();
            sentinel::ascend(returned.iter().skip(at).step_by(made.len()), *descending)
        }
        Tie::BySent(columns) => sentinel::by_sent(columns.len() + made.len(), columns.len(), returned, |row, part| {
            let obj = batch.rows.object(row);
            obj.map_or(Value::Null, |obj| objects.store(obj).value(obj.slot, columns[part]))
        }),
    }
}

/// Puts returned rows into the order in which they were sent. The key comes first in each, as it was sent: both sides
/// are sorted by it.
fn as_sent<'v>(
    model: &'static ModelDef,
    width: usize,
    returned: &mut Vec<Value<'static>>,
    sent: impl Fn(usize, usize) -> Value<'v>,
) {
    let parts = 0..model.primary_key.len();
    let mut rows: Vec<&[Value<'static>]> = returned.chunks_exact(width).collect();
    rows.sort_by(|a, b| first_difference(parts.clone().map(|part| check::order(&a[part], &b[part]))));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| first_difference(parts.clone().map(|part| check::order(&sent(*a, part), &sent(*b, part)))));
    let mut tied: Vec<&[Value<'static>]> = vec![&[]; rows.len()];
    for (row, place) in rows.into_iter().zip(order) {
        tied[place] = row;
    }
    *returned = tied.concat();
}

/// Writes a column, and notes the way back.
pub(super) fn fill(objects: &mut Objects, obj: Obj, column: usize, value: &Value<'_>) -> Result<()> {
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

#[cold]
fn not_inserted(model: &ModelDef, expected: usize, found: usize) -> Error {
    Error::NotInserted { table: model.table, expected: expected as u64, found: found as u64 }
}

/// The error of a batch, with the model and, where it can be told, the object that was refused.
#[cold]
pub(super) fn blame(objects: &Objects, batch: &Batch, row: Option<usize>, mut error: Error) -> Error {
    let Some(first) = batch.rows.object(0) else { return error };
    let model = objects.store(first).model();
    let writes = matches!(batch.kind, BatchKind::Insert { .. } | BatchKind::Update { .. });
    let missing = matches!(error, Error::NotNullViolation(_));
    if let Error::ForeignKeyViolation(violation) = &mut error
        && writes
    {
        name_key(model, violation);
    }
    if let Error::UniqueViolation(violation) = &mut error
        && violation.table == model.table
    {
        name_unique(model, violation);
    }
    if let Some(violation) = error.violation_mut() {
        violation.model = Some(model.name);
        violation.of = Some(model.id.get());
        // SQLite does not name the table of a foreign key or a check.
        if violation.table.is_empty() && writes {
            violation.table = model.table.to_string();
        }
        let row = row.or_else(|| (batch.rows.len() == 1).then_some(0)).or_else(|| {
            let obj = |row: usize| batch.rows.object(row);
            find_row(batch.rows.len(), violation, missing, &|row, column| {
                let obj = obj(row)?;
                let store = objects.store(obj);
                let position = model.columns.iter().position(|def| def.name == column)?;
                Some(store.value(obj.slot, position))
            })
        });
        let row = row.or_else(|| failing::row(objects, batch, violation));
        violation.object = row.and_then(|row| batch.rows.object(row)).map(|obj| objects.handle(obj));
    }
    error
}

/// The name of a foreign key that the database does not say, as SQLite: clear only where a table has one.
fn name_key(model: &'static ModelDef, violation: &mut Violation) {
    let references = model.references();
    if let (None, [only]) = (&violation.constraint, references) {
        let columns: Vec<&str> = only.keys.iter().map(|pair| model.columns[pair.key].name).collect();
        violation.constraint = Some(only.constraint(model));
        violation.columns = columns.into_iter().map(str::to_string).collect();
    }
}

/// The row of a batch that a violation is about, by the values that the server quotes: `Key (email)=(a@b.c)
/// already exists`. Of two rows with the same values the second is the one too many.
fn find_row<'v>(
    rows: usize,
    violation: &Violation,
    missing: bool,
    value: &dyn Fn(usize, &str) -> Option<Value<'v>>,
) -> Option<usize> {
    if violation.columns.is_empty() {
        return None;
    }
    let quoted = |row: usize| {
        let values: Option<Vec<String>> =
            violation.columns.iter().map(|column| value(row, column).and_then(|value| shown(&value))).collect();
        values.is_some_and(|values| violation.message.contains(&format!(")=({})", values.join(", "))))
    };
    let null = |row: usize| violation.columns.iter().any(|column| value(row, column).is_some_and(|v| v.is_null()));
    let mut found = (0..rows).filter(|row| if missing { null(*row) } else { quoted(*row) });
    let first = found.next()?;
    Some(if missing { first } else { found.next().unwrap_or(first) })
}

/// A value as PostgreSQL quotes it. Times and floats, whose text depends on settings, are not tried.
pub(super) fn shown(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::I16(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::Text(v) => v.to_string(),
        Value::Uuid(v) => hyphenated(v),
        Value::Bool(v) => if *v { "t" } else { "f" }.to_string(),
        _ => return None,
    })
}

/// The name of a unique constraint, where SQLite says its columns alone and the model has given it another name than the
/// one that is made of them.
fn name_unique(model: &'static ModelDef, violation: &mut Violation) {
    let guess = naming::unique(model.table, &violation.columns);
    if violation.constraint.as_ref() != Some(&guess) {
        return;
    }
    let same = |columns: &mut dyn Iterator<Item = usize>| {
        columns.map(|column| model.columns[column].name).eq(violation.columns.iter().map(String::as_str))
    };
    let single = (0..model.columns.len()).filter(|column| model.columns[*column].unique);
    let single = single.filter(|column| same(&mut std::iter::once(*column))).map(|_| guess.clone());
    let constraints = model.options.uniques.iter().filter(|def| same(&mut def.columns.iter().copied()));
    let constraints = constraints.map(|def| def.name.map_or_else(|| guess.clone(), str::to_owned));
    let indexes = model.options.indexes.iter().filter(|index| {
        let columns: Option<Vec<usize>> = index.keys.iter().map(IndexKeyDef::column).collect();
        index.unique && columns.is_some_and(|columns| same(&mut columns.into_iter()))
    });
    let by_columns = || naming::index(model.table, &violation.columns);
    let indexes = indexes.map(|index| index.name.map_or_else(by_columns, str::to_owned));
    let named = constraints.chain(single).chain(indexes).next();
    violation.constraint = named.or(Some(guess));
}
