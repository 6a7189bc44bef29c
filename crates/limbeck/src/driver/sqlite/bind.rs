//! Values as SQLite keeps them: booleans as 0 and 1, dates as text, lists as JSON.

use std::fmt::Write as _;

use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};

use crate::driver::Bind;
use crate::error::Error;
use crate::types::{Value, clock};

/// A value on its way into a statement.
pub(super) struct Bound<'a>(pub(super) &'a Value<'a>);

impl ToSql for Bound<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        output(self.0)
    }
}

/// A parameter on its way into a statement.
pub(super) struct BoundAny<'a>(pub(super) &'a Bind<'a>);

impl ToSql for BoundAny<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Bind::One(value) => output(value),
            Bind::Many(values) => json_array(values).map(|text| ToSqlOutput::Owned(Owned::Text(text))),
        }
    }
}

#[inline]
fn output<'a>(value: &'a Value<'_>) -> rusqlite::Result<ToSqlOutput<'a>> {
    Ok(ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Bool(v) => ValueRef::Integer(i64::from(*v)),
        Value::I16(v) => ValueRef::Integer(i64::from(*v)),
        Value::I32(v) => ValueRef::Integer(i64::from(*v)),
        Value::I64(v) => ValueRef::Integer(*v),
        Value::F32(v) => ValueRef::Real(number(f64::from(*v))?),
        Value::F64(v) => ValueRef::Real(number(*v)?),
        Value::Text(v) => ValueRef::Text(plain(v)?.as_bytes()),
        Value::Bytes(v) => ValueRef::Blob(v),
        Value::DateTime(v) | Value::Timestamp(v) => return Ok(text(clock::format_datetime(*v))),
        Value::Date(v) => return Ok(text(clock::format_date(*v))),
        Value::Time(v) => return Ok(text(clock::format_time(*v))),
    }))
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
    if text.as_bytes().contains(&0) {
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
            Value::DateTime(v) | Value::Timestamp(v) => write!(out, "\"{}\"", clock::format_datetime(*v)),
            Value::Date(v) => write!(out, "\"{}\"", clock::format_date(*v)),
            Value::Time(v) => write!(out, "\"{}\"", clock::format_time(*v)),
            Value::Bytes(_) => return Err(refused("a list of bytes, which SQLite cannot take as one parameter")),
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
