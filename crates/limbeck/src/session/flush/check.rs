//! What no database would keep as it is, refused before it is sent.

use std::cmp::Ordering;

use crate::dialect::Dialect;
use crate::error::{Error, Result, Violation};
use crate::model::{ColumnSet, Handle, ModelDef};
use crate::schema::naming;
use crate::session::objects::{Obj, Objects};
use crate::session::store::{AnyStore, State};
use crate::types::{Value, refusal};

/// Checks the values of an object's columns.
pub(super) fn values(dialect: Dialect, store: &dyn AnyStore, slot: u32, columns: ColumnSet) -> Result<()> {
    let (model, fields) = (store.model(), store.object(slot));
    for column in columns.iter() {
        let def = &model.columns[column];
        if let Some(reason) = refusal(dialect, def.sql_type, &fields.value(column)) {
            let object = Some(Handle { slot, stamp: store.meta(slot).stamp });
            return Err(Error::InvalidValue { model: model.name, column: def.field, reason, object });
        }
    }
    Ok(())
}

/// Refuses values for columns whose values only the database makes.
pub(super) fn read_only(store: &dyn AnyStore, slot: u32, written: ColumnSet) -> Result<()> {
    let model = store.model();
    let Some(column) = written.both(model.mapping()?.read_only).iter().next() else { return Ok(()) };
    let def = &model.columns[column];
    let how = if def.options.computed.is_some() { "computes it" } else { "numbers it: `identity(always)`" };
    let reason = format!("a value, but the database {how}; nothing can be written to it");
    let object = Some(Handle { slot, stamp: store.meta(slot).stamp });
    Err(Error::InvalidValue { model: model.name, column: def.field, reason, object })
}

/// Refuses a new row with the key of one that is here and stays, before the database does.
pub(super) fn key_is_free(objects: &Objects, obj: Obj) -> Result<()> {
    let store = objects.store(obj);
    let (model, meta) = (store.model(), store.meta(obj.slot));
    let known = |key: &usize| meta.given.contains(*key) && !meta.links.iter().any(|link| link.has(*key));
    if !model.primary_key.iter().all(known) {
        return Ok(());
    }
    let values: Vec<Value<'_>> = model.primary_key.iter().map(|key| store.value(obj.slot, *key)).collect();
    let Some(holder) = store.find(&values) else { return Ok(()) };
    let other = store.meta(holder);
    let moves = |key: &usize| {
        other.links.iter().any(|link| link.has(*key)) || store.value(holder, *key) != store.saved_value(holder, *key)
    };
    // What an expired object holds may be so no more: the database knows.
    if other.state != State::Persistent || other.doomed || other.expired || model.primary_key.iter().any(moves) {
        return Ok(());
    }
    let columns = model.primary_key.iter().map(|key| model.columns[*key].name.to_string()).collect();
    Err(Error::UniqueViolation(Box::new(Violation {
        table: model.table.to_string(),
        constraint: Some(naming::primary_key(model.table)),
        columns,
        model: Some(model.name),
        object: Some(objects.handle(obj)),
        of: Some(model.id.get()),
        message: format!("this session has the `{}` with that key: change it, or bring values by `merge`", model.name),
        ..Violation::default()
    })))
}

/// Whether two keys are the same, whatever the width of their integers.
pub(in crate::session) fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The order of two key values.
pub(super) fn order(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => match (a, b) {
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
            (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
            _ => Ordering::Equal,
        },
    }
}

/// The number that a value is, or counts from its beginning.
pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::I16(v) => Some(i64::from(*v)),
        Value::I32(v) | Value::Date(v) => Some(i64::from(*v)),
        Value::I64(v) | Value::DateTime(v) | Value::Timestamp(v) | Value::Time(v) | Value::Interval(v) => Some(*v),
        Value::Bool(v) => Some(i64::from(*v)),
        _ => None,
    }
}

/// The first of several comparisons that is not equal.
pub(super) fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The order of two objects of a model by the key that their rows have.
pub(super) fn by_key(objects: &Objects, model: &ModelDef, a: Obj, b: Obj) -> Ordering {
    let store = objects.store(a);
    let part = |key: &usize| order(&store.saved_value(a.slot, *key), &store.saved_value(b.slot, *key));
    first_difference(model.primary_key.iter().map(part))
}
