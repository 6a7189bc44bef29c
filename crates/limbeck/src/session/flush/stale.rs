//! Rows that were not met: which of a batch, and what is there in their place.
//!
//! A statement says how many rows it changed, and that is all that is looked at as long as the number is right. Where
//! it is not, the rows are asked for once more, so that the error can name the object and the version that its row has.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind, Rows};
use super::receive::shown;
use super::version::number;
use crate::driver::{Access, Returns, Row, RowSink, Written};
use crate::engine::Connection;
use crate::error::{Error, Result, StaleRow};
use crate::model::ModelDef;
use crate::session::load::{KeyList, RowKey};
use crate::session::objects::{Obj, Objects};
use crate::session::read::kind_of;
use crate::session::store::State;
use crate::sql::compile::Compiler;
use crate::sql::keys::{in_keys, key_of};
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::{Cell, Value};

/// Whether rows of a batch that had to be there were not.
pub(super) fn missed(objects: &Objects, batch: &Batch, written: &Written) -> bool {
    let Some(first) = batch.rows.object(0) else { return false };
    let checked = match batch.kind {
        BatchKind::Update { .. } => true,
        BatchKind::Delete => objects.store(first).model().version().is_some(),
        BatchKind::Insert { .. } | BatchKind::Other => false,
    };
    checked && written.affected != batch.rows.len() as u64
}

/// The error for the first row of a batch that was not met.
#[cold]
pub(super) async fn explain(
    objects: &Objects,
    connection: &mut Connection,
    compiler: Compiler<'_>,
    batch: &Batch,
    written: &Written,
) -> Error {
    let objs: Vec<Obj> = (0..batch.rows.len()).filter_map(|row| batch.rows.object(row)).collect();
    let Some(first) = objs.first() else { return Error::NoRows };
    let model = objects.store(*first).model();
    let rows = look(objects, connection, compiler, model, &objs, &batch.rows).await;
    let told = met(model, batch, written);
    let sent = |row: usize| RowKey::of(model.primary_key.len(), |part| batch.rows.sent_key(objects, row, part));
    let met = |row: usize| match &told {
        Some(keys) => sent(row).is_some_and(|key| keys.contains(&key)),
        None => {
            let key = objs.get(row).and_then(|obj| objects.key_in(*obj, model.primary_key));
            rows.as_ref().ok().zip(key).is_some_and(|(rows, key)| rows.contains_key(&key))
        }
    };
    let mut stale = StaleRow::new(model);
    let missing = match (written.missed.first(), objs.as_slice()) {
        (Some(row), _) => Some(*row),
        (None, [_]) => Some(0),
        // Without an answer nobody knows which row it is.
        _ => (0..objs.len()).find(|row| !met(*row)).filter(|_| told.is_some() || rows.is_ok()),
    };
    if let Some((row, obj)) = missing.and_then(|row| Some((row, *objs.get(row)?))) {
        let found = rows.as_ref().ok().zip(sent(row)).map(|(rows, key)| rows.get(&key).copied());
        describe(&mut stale, objects, held_by(objects, obj));
        stale.expected = number(&batch.rows.sent_key(objects, row, model.primary_key.len())).or(stale.expected);
        stale.found = found.flatten().flatten();
        stale.is_gone = found == Some(None);
    }
    Error::StaleRow(Box::new(stale))
}

/// The object that has the row: of one that takes the row of another, the other.
fn held_by(objects: &Objects, obj: Obj) -> Obj {
    if objects.state(obj) != State::Pending {
        return obj;
    }
    let key = objects.store(obj).model().primary_key;
    let mut old = objects.doomed.iter().filter(|old| old.model == obj.model);
    let same = |old: &&Obj| objects.saved_key_in(**old, key) == objects.saved_key_in(obj, key);
    old.find(same).copied().unwrap_or(obj)
}

/// Says which object it is about, and the version that was read.
pub(in crate::session) fn describe(stale: &mut StaleRow, objects: &Objects, obj: Obj) {
    let store = objects.store(obj);
    let model = store.model();
    let part = |key: &usize| {
        let value = store.saved_value(obj.slot, *key);
        shown(&value).unwrap_or_else(|| format!("{value:?}"))
    };
    let parts = model.primary_key.iter().map(part);
    stale.key = parts.collect::<Vec<_>>().join(", ");
    stale.expected = model.version().and_then(|version| number(&store.saved_value(obj.slot, version)));
    stale.object = Some(objects.handle(obj));
}

/// The keys of the rows that were met, as they were, where they came back.
fn met(model: &'static ModelDef, batch: &Batch, written: &Written) -> Option<FxHashSet<RowKey>> {
    let keys = model.primary_key.len();
    let width = match (&batch.kind, batch.returns) {
        (BatchKind::Delete, Returns::Columns(width)) => width,
        (BatchKind::Update { returning, keys: true }, _) => keys + returning.len(),
        _ => return None,
    };
    // As the column's type has them: databases have fewer types than we do.
    let part = |row: &[Value<'static>], index: usize| {
        let kind = kind_of(model, model.primary_key[index]);
        Cell::from_value(&row[index]).value(kind).unwrap_or(Value::Null)
    };
    Some(written.returned.chunks_exact(width).filter_map(|row| RowKey::of(keys, |index| part(row, index))).collect())
}

/// The versions of the rows that are there, under the keys that the objects had and have, and that were sent.
async fn look(
    objects: &Objects,
    connection: &mut Connection,
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    objs: &[Obj],
    sent: &Rows,
) -> Result<FxHashMap<RowKey, Option<i64>>> {
    let mut shape = Shape::new(ShapeKind::Versions);
    shape.number(model.id.get() as u64);
    let columns: Vec<usize> = model.primary_key.iter().copied().chain(model.version()).collect();
    let stmt = compiler
        .statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ");
            for (index, column) in columns.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).qualified(model.table, model.columns[*column].name);
            }
            renderer.push(" FROM ").table_of(model).push(" WHERE ");
            let name = |column: &usize| (model.table, model.columns[*column].name, kind_of(model, *column));
            in_keys(renderer, &model.primary_key.iter().map(name).collect::<Vec<_>>());
            Ok(())
        })?
        .stmt;
    let mut list = KeyList::new(model.primary_key.len());
    let mut listed: FxHashSet<RowKey> = FxHashSet::default();
    for (row, obj) in objs.iter().enumerate() {
        let sent = RowKey::of(model.primary_key.len(), |part| sent.sent_key(objects, row, part));
        let keys = [objects.key_in(*obj, model.primary_key), objects.saved_key_in(*obj, model.primary_key), sent];
        for key in keys.into_iter().flatten() {
            if !listed.contains(&key) {
                list.push(&key);
                listed.insert(key);
            }
        }
    }
    let binds = list.binds(stmt.params.len());
    let mut sink = Versions { model, found: FxHashMap::default() };
    connection.query(&stmt, &binds.binds(), &mut sink).await?;
    Ok(sink.found)
}

struct Versions {
    model: &'static ModelDef,
    found: FxHashMap<RowKey, Option<i64>>,
}

impl RowSink for Versions {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let Versions { model, found } = self;
        let Some(key) = key_of(&row, &|part| part, model, model.primary_key)? else { return Ok(()) };
        let version = model.version().and_then(|version| {
            row.cell(model.primary_key.len()).value(kind_of(model, version)).ok().as_ref().and_then(number)
        });
        found.insert(key, version);
        Ok(())
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}
