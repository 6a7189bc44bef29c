//! Values in PostgreSQL's binary format.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, IsNull, Kind as PgKind, ToSql, Type};

use crate::driver::{Bind, Param, RowSource};
use crate::types::{Kind, Numeric, POSTGRES_EPOCH_DAYS, POSTGRES_EPOCH_MICROS, Value};

type Encoded = Result<IsNull, Box<dyn StdError + Sync + Send>>;

/// The server's type of a parameter.
pub(super) fn type_of(param: Param) -> Type {
    match param {
        Param::One(kind) => match kind {
            Kind::Bool => Type::BOOL,
            Kind::I16 => Type::INT2,
            Kind::I32 => Type::INT4,
            Kind::I64 => Type::INT8,
            Kind::F32 => Type::FLOAT4,
            Kind::F64 => Type::FLOAT8,
            Kind::Text => Type::TEXT,
            Kind::Bytes => Type::BYTEA,
            Kind::DateTime => Type::TIMESTAMPTZ,
            Kind::Timestamp => Type::TIMESTAMP,
            Kind::Date => Type::DATE,
            Kind::Time => Type::TIME,
            Kind::Decimal => Type::NUMERIC,
            Kind::Uuid | Kind::UuidText => Type::UUID,
            Kind::Json => Type::JSONB,
            Kind::Interval => Type::INTERVAL,
            Kind::Named(_) => Type::TEXT,
            Kind::Array(element) => type_of(Param::Many(*element)),
        },
        Param::Many(kind) => match kind {
            Kind::Bool => Type::BOOL_ARRAY,
            Kind::I16 => Type::INT2_ARRAY,
            Kind::I32 => Type::INT4_ARRAY,
            Kind::I64 => Type::INT8_ARRAY,
            Kind::F32 => Type::FLOAT4_ARRAY,
            Kind::F64 => Type::FLOAT8_ARRAY,
            Kind::Text => Type::TEXT_ARRAY,
            Kind::Bytes => Type::BYTEA_ARRAY,
            Kind::DateTime => Type::TIMESTAMPTZ_ARRAY,
            Kind::Timestamp => Type::TIMESTAMP_ARRAY,
            Kind::Date => Type::DATE_ARRAY,
            Kind::Time => Type::TIME_ARRAY,
            Kind::Decimal => Type::NUMERIC_ARRAY,
            Kind::Uuid | Kind::UuidText => Type::UUID_ARRAY,
            Kind::Json => Type::JSONB_ARRAY,
            Kind::Interval => Type::INTERVAL_ARRAY,
            // Arrays of several rows are texts, and each is made an array of its own by a cast.
            Kind::Named(_) | Kind::Array(_) => Type::TEXT_ARRAY,
        },
    }
}

/// A value that its parameter's type cannot take.
#[derive(Debug)]
pub(super) struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Unfit {}

/// What every `ToSql` here has in common: any type is accepted, and refused with a better message if need be.
macro_rules! accept_all {
    () => {
        fn accepts(_: &Type) -> bool {
            true
        }

        fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
            self.to_sql(ty, out)
        }

        fn encode_format(&self, _: &Type) -> Format {
            Format::Binary
        }
    };
}

/// A value.
#[derive(Debug)]
pub(super) struct One<'a>(pub(super) &'a Value<'a>);

impl ToSql for One<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        encode(self.0, ty, out)
    }

    accept_all!();
}

/// A parameter.
#[derive(Debug)]
pub(super) struct Any<'a>(pub(super) &'a Bind<'a>);

impl ToSql for Any<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self.0 {
            Bind::One(value) => encode(value, ty, out),
            Bind::Many(values) => array(values.len(), ty, out, |i, element, out| encode(&values[i], element, out)),
        }
    }

    accept_all!();
}

/// One parameter of all rows of a batch, read in place.
pub(super) struct Column<'a> {
    pub(super) rows: &'a dyn RowSource,
    pub(super) param: usize,
}

impl fmt::Debug for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.rows.len()).map(|row| self.rows.value(row, self.param))).finish()
    }
}

impl ToSql for Column<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        if self.rows.is_common(self.param) {
            encode(&self.rows.value(0, self.param), ty, out)
        } else if matches!(ty.kind(), PgKind::Array(_)) {
            array(self.rows.len(), ty, out, |row, element, out| encode(&self.rows.value(row, self.param), element, out))
        } else if self.rows.len() == 1 {
            encode(&self.rows.value(0, self.param), ty, out)
        } else {
            Err(unfit(format!("{} rows cannot be bound to a parameter of type {}", self.rows.len(), ty.name())))
        }
    }

    accept_all!();
}

/// The binary form of a one-dimensional array: dimensions, whether there are NULLs, the element's type, length,
/// lower bound, then each element with its length in front, or -1 for NULL.
fn array(
    len: usize,
    ty: &Type,
    out: &mut BytesMut,
    mut element: impl FnMut(usize, &Type, &mut BytesMut) -> Encoded,
) -> Encoded {
    let PgKind::Array(member) = ty.kind() else {
        return Err(unfit(format!("a list cannot be bound to a parameter of type {}", ty.name())));
    };
    let count = i32::try_from(len).map_err(|_| unfit("a list has more than 2147483647 elements".into()))?;
    out.put_i32(i32::from(len > 0));
    let nulls_at = out.len();
    out.put_i32(0);
    out.put_u32(member.oid());
    if len == 0 {
        return Ok(IsNull::No);
    }
    out.put_i32(count);
    out.put_i32(1);
    let mut nulls = false;
    for i in 0..len {
        let at = out.len();
        out.put_i32(0);
        let size = match element(i, member, out)? {
            IsNull::Yes => {
                nulls = true;
                -1
            }
            IsNull::No => i32::try_from(out.len() - at - 4)
                .map_err(|_| unfit("an element of a list is longer than 2147483647 bytes".into()))?,
        };
        out[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
    out[nulls_at..nulls_at + 4].copy_from_slice(&i32::from(nulls).to_be_bytes());
    Ok(IsNull::No)
}

/// A value as a parameter's type wants it.
#[inline]
fn encode(value: &Value<'_>, ty: &Type, out: &mut BytesMut) -> Encoded {
    match (value, ty) {
        (Value::Null, _) => return Ok(IsNull::Yes),
        (Value::I64(v), &Type::INT8) => out.put_i64(*v),
        (Value::I32(v), &Type::INT4) => out.put_i32(*v),
        (Value::I16(v), &Type::INT2) => out.put_i16(*v),
        (Value::Text(v), &Type::TEXT) => put_text(v, out)?,
        (Value::Bool(v), &Type::BOOL) => out.put_u8(u8::from(*v)),
        (Value::F64(v), &Type::FLOAT8) => out.put_f64(*v),
        (Value::F32(v), &Type::FLOAT4) => out.put_f32(*v),
        (Value::Bytes(v), &Type::BYTEA) => out.put_slice(v),
        (Value::DateTime(v), &Type::TIMESTAMPTZ) | (Value::Timestamp(v), &Type::TIMESTAMP) => {
            out.put_i64(v.checked_sub(POSTGRES_EPOCH_MICROS).ok_or_else(|| beyond(value, ty))?);
        }
        (Value::Date(v), &Type::DATE) => {
            out.put_i32(v.checked_sub(POSTGRES_EPOCH_DAYS).ok_or_else(|| beyond(value, ty))?);
        }
        (Value::Time(v), &Type::TIME) => out.put_i64(*v),
        (Value::Decimal(v), &Type::NUMERIC) => v.write_postgres(out),
        (Value::Uuid(v), &Type::UUID) => out.put_slice(v),
        (Value::Json(v), &Type::JSONB) => put_jsonb(v, out)?,
        (Value::Interval(v), &Type::INTERVAL) => {
            out.put_i64(*v);
            // Days and months.
            out.put_i64(0);
        }
        _ => return encode_as(value, ty, out),
    }
    Ok(IsNull::No)
}

/// A value for a parameter of another type than its own, as raw SQL has them: the server said what it wants.
#[cold]
fn encode_as(value: &Value<'_>, ty: &Type, out: &mut BytesMut) -> Encoded {
    if let PgKind::Domain(base) = ty.kind() {
        return encode(value, base, out);
    }
    match value {
        Value::I16(v) => integer(i64::from(*v), value, ty, out)?,
        Value::I32(v) => integer(i64::from(*v), value, ty, out)?,
        Value::I64(v) => integer(*v, value, ty, out)?,
        Value::F32(v) if *ty == Type::FLOAT8 => out.put_f64(f64::from(*v)),
        Value::F64(v) if *ty == Type::FLOAT4 && (f64::from(*v as f32) == *v || v.is_nan()) => out.put_f32(*v as f32),
        Value::Text(v) => match *ty {
            Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::XML => put_text(v, out)?,
            Type::JSONB => put_jsonb(v, out)?,
            // An enum, or a type of an extension such as citext.
            _ if matches!(ty.kind(), PgKind::Enum(_)) || ty.oid() >= 16384 => put_text(v, out)?,
            _ => return Err(mismatch(value, ty)),
        },
        Value::Json(v) if matches!(*ty, Type::JSON | Type::TEXT | Type::VARCHAR) => put_text(v, out)?,
        Value::Array(values) => match ty.kind() {
            PgKind::Array(_) => {
                return array(values.len(), ty, out, |i, element, out| encode(&values[i], element, out));
            }
            _ if *ty == Type::TEXT => put_text(&super::literal::array(values).map_err(unfit)?, out)?,
            _ => return Err(mismatch(value, ty)),
        },
        Value::Invalid(reason) => return Err(unfit(format!("a parameter is {reason}"))),
        _ => return Err(mismatch(value, ty)),
    }
    Ok(IsNull::No)
}

fn put_jsonb(text: &str, out: &mut BytesMut) -> Result<(), Box<dyn StdError + Sync + Send>> {
    // The version of the format.
    out.put_u8(1);
    put_text(text, out)
}

fn integer(v: i64, value: &Value<'_>, ty: &Type, out: &mut BytesMut) -> Result<(), Box<dyn StdError + Sync + Send>> {
    match *ty {
        Type::INT8 => out.put_i64(v),
        Type::INT4 => out.put_i32(i32::try_from(v).map_err(|_| beyond(value, ty))?),
        Type::INT2 => out.put_i16(i16::try_from(v).map_err(|_| beyond(value, ty))?),
        Type::OID => out.put_u32(u32::try_from(v).map_err(|_| beyond(value, ty))?),
        Type::FLOAT8 if v as f64 as i64 == v => out.put_f64(v as f64),
        Type::FLOAT4 if v as f32 as i64 == v => out.put_f32(v as f32),
        Type::NUMERIC => match Numeric::new(i128::from(v), 0) {
            Some(number) => number.write_postgres(out),
            None => return Err(beyond(value, ty)),
        },
        _ => return Err(mismatch(value, ty)),
    }
    Ok(())
}

fn put_text(text: &str, out: &mut BytesMut) -> Result<(), Box<dyn StdError + Sync + Send>> {
    if text.as_bytes().contains(&0) {
        return Err(unfit(
            "a parameter is a text with a NUL character (U+0000), which databases cannot keep in text".into(),
        ));
    }
    out.put_slice(text.as_bytes());
    Ok(())
}

#[cold]
fn unfit(message: String) -> Box<dyn StdError + Sync + Send> {
    Box::new(Unfit(message))
}

#[cold]
fn mismatch(value: &Value<'_>, ty: &Type) -> Box<dyn StdError + Sync + Send> {
    unfit(format!(
        "a parameter is of the type {}, which {value:?} is not: cast it in the SQL, as in `$1::text`",
        ty.name()
    ))
}

#[cold]
fn beyond(value: &Value<'_>, ty: &Type) -> Box<dyn StdError + Sync + Send> {
    unfit(format!("a parameter is of the type {}, which cannot hold {value:?}", ty.name()))
}
