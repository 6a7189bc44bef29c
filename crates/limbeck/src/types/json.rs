//! JSON: `serde_json::Value`, and `Json<T>` for a type of your own.
//!
//! The copy that a session keeps of an object is compared by value when it flushes, so that a change deep inside a JSON
//! column is noticed like any other.
//!
//! PostgreSQL's `jsonb` keeps numbers as decimals, without an exponent. A float is therefore written without one too,
//! and with a point, or `1e17` would come back as an integer, which is another JSON value for a program.

use std::fmt;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::{Formatter, Serializer};

use super::{Cell, ColumnType, DecodeError, Placeholder, Value};
use crate::model::Assign;
use crate::schema::SqlType;

/// A value of your own as JSON in a column: anything that `serde` can write and read.
///
/// ```
/// use limbeck::prelude::*;
/// use limbeck::types::Json;
///
/// #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct Settings {
///     theme: String,
///     columns: Vec<u8>,
/// }
///
/// #[derive(Model)]
/// struct Account {
///     #[column(primary_key)]
///     id: i64,
///     settings: Json<Settings>,
/// }
/// # fn change(account: &mut Account) {
/// account.settings.columns.push(3);
/// # }
/// ```
///
/// The column is `jsonb` on PostgreSQL (`json` by `#[column(json)]`), and text on SQLite. It must not be NULL; for
/// that there is `Option<Json<T>>`, whose `None` is SQL's NULL. A JSON `null` is a value like others.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

impl<T> Json<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Json(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A builder's setter takes the value as it is.
#[diagnostic::do_not_recommend]
impl<T> Assign<Json<T>> for T {
    fn assign(self) -> Json<T> {
        Json(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Assign<Option<Json<T>>> for T {
    fn assign(self) -> Option<Json<T>> {
        Some(Json(self))
    }
}

impl<T> ColumnType for Json<T>
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static,
{
    type Base = Self;
    type Null<U: ColumnType> = U;
    const SQL_TYPE: SqlType = SqlType::Json { binary: true };

    fn encode(&self) -> Value<'_> {
        write(&self.0)
    }

    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        read(cell).map(Json)
    }
}

impl<T> Placeholder for Json<T>
where
    T: Serialize + DeserializeOwned + Default + Clone + PartialEq + Send + Sync + 'static,
{
    fn placeholder() -> Self {
        Json::default()
    }
}

impl ColumnType for serde_json::Value {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Json { binary: true };

    fn encode(&self) -> Value<'_> {
        write(self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        read(cell)
    }
}

impl Placeholder for serde_json::Value {
    fn placeholder() -> Self {
        serde_json::Value::Null
    }
}

fn write<T: Serialize>(value: &T) -> Value<'static> {
    let mut out = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Plain));
    match written
        .map_err(|error| error.to_string())
        .and_then(|()| String::from_utf8(out).map_err(|error| error.to_string()))
    {
        Ok(text) => Value::Json(text.into()),
        Err(error) => Value::Invalid(format!("a value that cannot be written as JSON: {error}").into()),
    }
}

fn read<T: DeserializeOwned>(cell: Cell<'_>) -> Result<T, DecodeError> {
    let text = cell.json()?;
    serde_json::from_str(&text)
        .map_err(|error| DecodeError::new("JSON of the column's type", format!("{}: {error}", cell.describe())))
}

/// Floats without an exponent.
struct Plain;

impl Formatter for Plain {
    fn write_f32<W: ?Sized + Write>(&mut self, out: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(out, f64::from(value))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 { write!(out, "{value}.0") } else { write!(out, "{value}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_stay_floats() {
        let text = |number: f64| match write(&number) {
            Value::Json(text) => text.into_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(text(1.0), "1.0");
        assert_eq!(text(1e17), "100000000000000000.0");
        assert_eq!(text(-0.5), "-0.5");
        assert_eq!(text(1e-7), "0.0000001");
        for number in [f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1, -1e300] {
            assert_eq!(serde_json::from_str::<f64>(&text(number)).unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn what_json_has_no_form_for_cannot_be_sent() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(write(&map), Value::Invalid(why) if why.contains("key must be a string")));
    }
}
