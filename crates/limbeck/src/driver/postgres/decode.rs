//! Values that RETURNING gave, taken out of their row.

use tokio_postgres::types::Type;

use crate::driver::Row;
use crate::types::Value;

/// A column of a row, owned. A type that limbeck does not know comes as text or bytes: whoever reads it says
/// what is wrong.
pub(super) fn owned(row: &Row<'_>, column: usize, ty: &Type) -> Value<'static> {
    let cell = row.cell(column);
    if cell.is_null() {
        return Value::Null;
    }
    let value = match *ty {
        Type::BOOL => cell.bool().map(Value::Bool),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => cell.i64().map(Value::I64),
        Type::FLOAT4 | Type::FLOAT8 => cell.f64().map(Value::F64),
        Type::TIMESTAMPTZ => cell.datetime().map(Value::DateTime),
        Type::TIMESTAMP => cell.timestamp().map(Value::Timestamp),
        Type::DATE => cell.date().map(Value::Date),
        Type::BYTEA => cell.bytes().map(|b| Value::Bytes(b.to_vec().into())),
        _ => cell.text().map(|t| Value::Text(t.to_string().into())),
    };
    value.unwrap_or_else(|error| Value::Text(error.to_string().into()))
}
