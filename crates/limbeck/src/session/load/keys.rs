//! Keys as they come out of rows, to find the owner of each.

use std::hash::{Hash, Hasher};

use crate::driver::Row;
use crate::error::Error;
use crate::error::Result;
use crate::model::ModelDef;
use crate::types::Value;

/// A value that can be looked up. Floats are no keys.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::session) struct KeyValue(pub(in crate::session) Value<'static>);

impl Eq for KeyValue {}

impl Hash for KeyValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::I16(v) => v.hash(state),
            Value::I32(v) => v.hash(state),
            Value::I64(v) => v.hash(state),
            Value::Bool(v) => v.hash(state),
            Value::Text(v) => v.hash(state),
            Value::Bytes(v) => v.hash(state),
            Value::Date(v) => v.hash(state),
            Value::DateTime(v) | Value::Timestamp(v) | Value::Time(v) => v.hash(state),
            Value::Uuid(v) => v.hash(state),
            Value::Decimal(v) => v.hash(state),
            Value::Interval(v) => v.hash(state),
            Value::Json(v) => v.hash(state),
            Value::Null | Value::F32(_) | Value::F64(_) | Value::Array(_) | Value::Invalid(_) => {}
        }
    }
}

/// The value of a key column in a row.
pub(super) fn key_of(row: &Row<'_>, position: usize, model: &ModelDef, column: usize) -> Result<KeyValue> {
    let def = &model.columns[column];
    row.cell(position).value(def.sql_type.kind()).map(KeyValue).map_err(|source| Error::Decode {
        table: model.table.into(),
        column: def.name.into(),
        source,
    })
}
