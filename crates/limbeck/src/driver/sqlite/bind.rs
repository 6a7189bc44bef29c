//! Values as SQLite keeps them: booleans as 0 and 1, dates as text, lists and arrays as JSON.

use std::fmt::Write as _;

use rusqlite::CachedStatement;
use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};

use crate::driver::{Bind, Param};
use crate::error::Error;
use crate::types::{Kind, Numeric, Real, Value, clock, has_nul, scan};

/// Binds a value of a row that is written. A time is spelled on the stack: a text of its own for each would cost more
/// than all else about it.
#[inline]
pub(super) fn bind(stmt: &mut CachedStatement<'_>, at: usize, value: &Value<'_>, param: Param) -> rusqlite::Result<()> {
    if let Value::DateTime(micros) | Value::Timestamp(micros) = value
        && let Some(text) = clock::canonical_datetime(*micros)
    {
        return stmt.raw_bind_parameter(at, ToSqlOutput::Borrowed(ValueRef::Text(&text)));
    }
    stmt.raw_bind_parameter(at, Bound::new(value, param))
}

/// A value on its way into a statement.
struct Bound<'a> {
    value: &'a Value<'a>,
    /// Whether a UUID is to be text.
    as_text: bool,
}

impl<'a> Bound<'a> {
    /// A value for a parameter.
    #[inline]
    fn new(value: &'a Value<'a>, param: Param) -> Self {
        Bound { value, as_text: is_text(param) }
    }
}

impl ToSql for Bound<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        output(self.value, self.as_text)
    }
}

/// What is bound to a statement, and what is known of its parameters: nothing, where the statement was written by
/// hand.
#[derive(Clone, Copy)]
pub(super) struct Binds<'a> {
    pub(super) values: &'a [Bind<'a>],
    pub(super) params: &'a [Param],
}

impl<'a> Binds<'a> {
    pub(super) fn len(self) -> usize {
        self.values.len()
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = BoundAny<'a>> {
        let as_text = move |i: usize| self.params.get(i).is_some_and(|param| is_text(*param));
        self.values.iter().enumerate().map(move |(i, bind)| BoundAny { bind, as_text: as_text(i) })
    }
}

/// A parameter on its way into a statement.
pub(super) struct BoundAny<'a> {
    bind: &'a Bind<'a>,
    as_text: bool,
}

impl ToSql for BoundAny<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.bind {
            Bind::One(value) => output(value, self.as_text),
            Bind::Many(values) => json_array(values).map(text),
        }
    }
}

fn is_text(param: Param) -> bool {
    matches!(param, Param::One(Kind::UuidText))
}

#[inline]
fn output<'a>(value: &'a Value<'_>, as_text: bool) -> rusqlite::Result<ToSqlOutput<'a>> {
    Ok(ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Bool(v) => ValueRef::Integer(i64::from(*v)),
        Value::I16(v) => ValueRef::Integer(i64::from(*v)),
        Value::I32(v) => ValueRef::Integer(i64::from(*v)),
        Value::I64(v) => ValueRef::Integer(*v),
        Value::F32(v) => ValueRef::Real(number(f64::from(*v))?),
        Value::F64(v) => ValueRef::Real(number(*v)?),
        Value::Decimal(v) => match exact(v)? {
            Real::Integer(v) => ValueRef::Integer(v),
            Real::Float(v) => ValueRef::Real(v),
        },
        Value::Text(v) | Value::Json(v) => ValueRef::Text(plain(v)?.as_bytes()),
        Value::Bytes(v) => ValueRef::Blob(v),
        Value::Uuid(v) if as_text => return Ok(text(scan::hex(v))),
        Value::Uuid(v) => ValueRef::Blob(v),
        Value::DateTime(v) | Value::Timestamp(v) | Value::Interval(v) => return Ok(text(clock::format_datetime(*v))),
        Value::Date(v) => return Ok(text(clock::format_date(*v))),
        Value::Time(v) => return Ok(text(clock::format_time(*v))),
        Value::Array(v) => return json_array(v).map(text),
        Value::Invalid(reason) => return Err(refused(reason)),
    }))
}

/// SQLite would round a number of more digits than a float has.
fn exact(value: &Numeric) -> rusqlite::Result<Real> {
    value.to_sqlite().ok_or_else(|| {
        refused(&format!("{value}, which has more than the 15 significant digits that SQLite keeps exactly"))
    })
}

fn text<'a>(text: String) -> ToSqlOutput<'a> {
    ToSqlOutput::Owned(Owned::Text(text))
}

/// SQLite would keep NaN as NULL without a word.
fn number(value: f64) -> rusqlite::Result<f64> {
    if value.is_nan() { Err(refused("NaN, which SQLite would silently keep as NULL")) } else { Ok(value) }
}

/// PostgreSQL refuses a NUL in text; SQLite keeps it, but its functions see the text end there. Refused
/// alike on both.
fn plain(text: &str) -> rusqlite::Result<&str> {
    if has_nul(text) {
        Err(refused("a text with a NUL character (U+0000), which databases cannot keep in text"))
    } else {
        Ok(text)
    }
}

#[cold]
fn refused(what: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(Error::Statement(format!("a parameter is {what}"))))
}

/// A list as `json_each` reads it.
fn json_array(values: &[Value<'_>]) -> rusqlite::Result<String> {
    let mut out = String::with_capacity(values.len() * 8 + 2);
    out.push('[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        // Writing to a String does not fail.
        let _ = match value {
            Value::Null => out.write_str("null"),
            Value::Bool(v) => write!(out, "{}", u8::from(*v)),
            Value::I16(v) => write!(out, "{v}"),
            Value::I32(v) => write!(out, "{v}"),
            Value::I64(v) => write!(out, "{v}"),
            Value::F32(v) => json_number(&mut out, f64::from(*v))?,
            Value::F64(v) => json_number(&mut out, *v)?,
            Value::Text(v) => json_string(&mut out, plain(v)?),
            Value::Decimal(v) => match exact(v)? {
                Real::Integer(v) => write!(out, "{v}"),
                Real::Float(v) => write!(out, "{v:?}"),
            },
            Value::DateTime(v) | Value::Timestamp(v) | Value::Interval(v) => {
                write!(out, "\"{}\"", clock::format_datetime(*v))
            }
            Value::Date(v) => write!(out, "\"{}\"", clock::format_date(*v)),
            Value::Time(v) => write!(out, "\"{}\"", clock::format_time(*v)),
            Value::Json(v) => json_string(&mut out, plain(v)?),
            Value::Bytes(v) => write!(out, "\"{}\"", scan::hex(v)),
            Value::Uuid(v) => write!(out, "\"{}\"", scan::hex(v)),
            Value::Array(v) => json_string(&mut out, &json_array(v)?),
            Value::Invalid(reason) => return Err(refused(reason)),
        };
    }
    out.push(']');
    Ok(out)
}

fn json_number(out: &mut String, value: f64) -> rusqlite::Result<std::fmt::Result> {
    let value = number(value)?;
    Ok(if value.is_infinite() {
        // JSON has no infinity; SQLite reads a number that is too large as one.
        out.write_str(if value > 0.0 { "9e999" } else { "-9e999" })
    } else {
        // `{:?}` is the shortest form that reads back as the same float, always with a point or exponent.
        write!(out, "{value:?}")
    })
}

fn json_string(out: &mut String, text: &str) -> std::fmt::Result {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}
