//! Values on their way to the database.

use std::borrow::Cow;

use super::Numeric;

/// How a value travels: the type of a bound parameter, apart from lengths and other details that only
/// matter in a `CREATE TABLE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// true or false.
    Bool,
    /// A 16-bit integer.
    I16,
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A moment, with zone.
    DateTime,
    /// A date and time of no zone.
    Timestamp,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// An exact decimal number.
    Decimal,
    /// A UUID.
    Uuid,
    /// A UUID that SQLite keeps as text, for programs that want it so. Elsewhere it is a [`Uuid`](Self::Uuid).
    UuidText,
    /// JSON.
    Json,
    /// A length of time.
    Interval,
    /// An array of one of the others.
    Array(&'static Kind),
    /// Text that PostgreSQL has to take as a type of this name, such as an enum's. SQLite knows no types and takes
    /// the text.
    Named(&'static str),
}

impl Kind {
    /// Writes everything that tells two kinds apart.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Kind::Bool => 1,
            Kind::I16 => 2,
            Kind::I32 => 3,
            Kind::I64 => 4,
            Kind::F32 => 5,
            Kind::F64 => 6,
            Kind::Text => 7,
            Kind::Bytes => 8,
            Kind::DateTime => 9,
            Kind::Timestamp => 10,
            Kind::Date => 11,
            Kind::Time => 12,
            Kind::Decimal => 13,
            Kind::Uuid => 14,
            Kind::UuidText => 15,
            Kind::Json => 16,
            Kind::Interval => 17,
            Kind::Array(element) => {
                out.push(18);
                return element.write(out);
            }
            Kind::Named(name) => {
                out.push(19);
                out.extend_from_slice(&(name.len() as u32).to_le_bytes());
                return out.extend_from_slice(name.as_bytes());
            }
        });
    }
}

/// One value for the database: what a column's [`encode`](super::ColumnType::encode) makes.
///
/// It borrows text and bytes where it can, so that a flush copies nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// SQL's NULL.
    Null,
    /// true or false.
    Bool(bool),
    /// A 16-bit integer.
    I16(i16),
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A moment: microseconds since 1970-01-01T00:00:00Z.
    DateTime(i64),
    /// A date and time of no zone: microseconds since 1970-01-01T00:00:00.
    Timestamp(i64),
    /// A calendar date: days since 1970-01-01.
    Date(i32),
    /// A time of day: microseconds since midnight.
    Time(i64),
    /// An exact decimal number.
    Decimal(Numeric),
    /// A UUID's bytes.
    Uuid([u8; 16]),
    /// A JSON text.
    Json(Cow<'a, str>),
    /// A length of time: microseconds.
    Interval(i64),
    /// An array.
    Array(Vec<Value<'a>>),
    /// Something that cannot be sent, and why: what [`encode`](super::ColumnType::encode) makes of a value that no
    /// database could keep. Binding it is an error.
    Invalid(Cow<'static, str>),
}

impl Value<'_> {
    /// The same value, owning what it borrowed.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(v) => Value::Bool(v),
            Value::I16(v) => Value::I16(v),
            Value::I32(v) => Value::I32(v),
            Value::I64(v) => Value::I64(v),
            Value::F32(v) => Value::F32(v),
            Value::F64(v) => Value::F64(v),
            Value::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Value::Bytes(v) => Value::Bytes(Cow::Owned(v.into_owned())),
            Value::DateTime(v) => Value::DateTime(v),
            Value::Timestamp(v) => Value::Timestamp(v),
            Value::Date(v) => Value::Date(v),
            Value::Time(v) => Value::Time(v),
            Value::Decimal(v) => Value::Decimal(v),
            Value::Uuid(v) => Value::Uuid(v),
            Value::Json(v) => Value::Json(Cow::Owned(v.into_owned())),
            Value::Interval(v) => Value::Interval(v),
            Value::Array(v) => Value::Array(v.into_iter().map(Value::into_owned).collect()),
            Value::Invalid(v) => Value::Invalid(v),
        }
    }

    /// The same value, borrowing from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(v) => Value::Bool(*v),
            Value::I16(v) => Value::I16(*v),
            Value::I32(v) => Value::I32(*v),
            Value::I64(v) => Value::I64(*v),
            Value::F32(v) => Value::F32(*v),
            Value::F64(v) => Value::F64(*v),
            Value::Text(v) => Value::Text(Cow::Borrowed(v)),
            Value::Bytes(v) => Value::Bytes(Cow::Borrowed(v)),
            Value::DateTime(v) => Value::DateTime(*v),
            Value::Timestamp(v) => Value::Timestamp(*v),
            Value::Date(v) => Value::Date(*v),
            Value::Time(v) => Value::Time(*v),
            Value::Decimal(v) => Value::Decimal(*v),
            Value::Uuid(v) => Value::Uuid(*v),
            Value::Json(v) => Value::Json(Cow::Borrowed(v)),
            Value::Interval(v) => Value::Interval(*v),
            Value::Array(v) => Value::Array(v.iter().map(Value::borrowed).collect()),
            Value::Invalid(v) => Value::Invalid(v.clone()),
        }
    }

    /// Whether this is SQL's NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether a parameter of that kind takes this value. NULL is of every kind.
    pub fn is(&self, kind: Kind) -> bool {
        match (self, kind) {
            (Value::Null, _) => true,
            (Value::Array(values), Kind::Array(element)) => values.iter().all(|value| value.is(*element)),
            (Value::Bool(_), Kind::Bool)
            | (Value::I16(_), Kind::I16)
            | (Value::I32(_), Kind::I32)
            | (Value::I64(_), Kind::I64)
            | (Value::F32(_), Kind::F32)
            | (Value::F64(_), Kind::F64)
            | (Value::Text(_), Kind::Text | Kind::Named(_))
            | (Value::Bytes(_), Kind::Bytes)
            | (Value::DateTime(_), Kind::DateTime)
            | (Value::Timestamp(_), Kind::Timestamp)
            | (Value::Date(_), Kind::Date)
            | (Value::Time(_), Kind::Time)
            | (Value::Decimal(_), Kind::Decimal)
            | (Value::Uuid(_), Kind::Uuid | Kind::UuidText)
            | (Value::Json(_), Kind::Json | Kind::Named(_))
            | (Value::Interval(_), Kind::Interval) => true,
            _ => false,
        }
    }
}
