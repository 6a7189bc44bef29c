//! Values that RETURNING gave, taken out of their row.

use tokio_postgres::types::{Kind as PgKind, Type};

use crate::driver::Row;
use crate::types::{Cell, DecodeError, Kind, Value};

/// A column of a row, owned. A type that limbeck does not know comes as text or bytes: whoever reads it says
/// what is wrong.
pub(super) fn owned(row: &Row<'_>, column: usize, ty: &Type) -> Value<'static> {
    value(row.cell(column), ty).unwrap_or_else(|error| Value::Text(error.found.into()))
}

fn value(cell: Cell<'_>, ty: &Type) -> Result<Value<'static>, DecodeError> {
    let kind = match *ty {
        Type::BOOL => Kind::Bool,
        // Whoever reads them wants a width of their own.
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Kind::I64,
        Type::FLOAT4 | Type::FLOAT8 => Kind::F64,
        Type::NUMERIC => Kind::Decimal,
        Type::TIMESTAMPTZ => Kind::DateTime,
        Type::TIMESTAMP => Kind::Timestamp,
        Type::DATE => Kind::Date,
        Type::TIME => Kind::Time,
        Type::INTERVAL => Kind::Interval,
        Type::BYTEA => Kind::Bytes,
        Type::UUID => Kind::Uuid,
        Type::JSON | Type::JSONB => Kind::Json,
        _ => match ty.kind() {
            PgKind::Domain(base) => return value(cell, base),
            PgKind::Array(element) if !cell.is_null() => {
                let mut values = Vec::new();
                cell.each(&mut |cell| {
                    values.push(value(cell, element)?);
                    Ok(())
                })?;
                return Ok(Value::Array(values));
            }
            _ => Kind::Text,
        },
    };
    cell.value(kind)
}
