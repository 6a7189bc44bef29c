//! Keys as they come out of rows, to find the owner of each.

use std::hash::{Hash, Hasher};

use crate::driver::Row;
use crate::error::Error;
use crate::error::Result;
use crate::model::ModelDef;
use crate::types::{Cell, Kind, Value};

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
            Value::Null | Value::F32(_) | Value::F64(_) => {}
        }
    }
}

/// The value of a key column in a row.
pub(super) fn key_of(row: &Row<'_>, position: usize, model: &ModelDef, column: usize) -> Result<KeyValue> {
    let def = &model.columns[column];
    value(row.cell(position), def.sql_type.kind()).map(KeyValue).map_err(|source| Error::Decode {
        table: model.table.into(),
        column: def.name.into(),
        source,
    })
}

/// A cell as a value of a kind.
pub(crate) fn value(cell: Cell<'_>, kind: Kind) -> std::result::Result<Value<'static>, crate::types::DecodeError> {
    if cell.is_null() {
        return Ok(Value::Null);
    }
    Ok(match kind {
        Kind::Bool => Value::Bool(cell.bool()?),
        Kind::I16 => Value::I16(narrow(cell.i64()?)?),
        Kind::I32 => Value::I32(narrow(cell.i64()?)?),
        Kind::I64 => Value::I64(cell.i64()?),
        Kind::F32 => Value::F32(cell.f64()? as f32),
        Kind::F64 => Value::F64(cell.f64()?),
        Kind::Text => Value::Text(cell.text()?.to_owned().into()),
        Kind::Bytes => Value::Bytes(cell.bytes()?.to_owned().into()),
        Kind::DateTime => Value::DateTime(cell.datetime()?),
        Kind::Timestamp => Value::Timestamp(cell.timestamp()?),
        Kind::Date => Value::Date(cell.date()?),
        Kind::Time => return Err(crate::types::DecodeError::new("a key", "a time of day")),
    })
}

fn narrow<T: TryFrom<i64>>(wide: i64) -> std::result::Result<T, crate::types::DecodeError> {
    T::try_from(wide).map_err(|_| crate::types::DecodeError::new("a narrower integer", wide.to_string()))
}
