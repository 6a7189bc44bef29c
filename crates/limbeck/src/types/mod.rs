//! Column types: what a Rust type is called in each database and how its values travel.
//!
//! A type family has a file. To add your own, implement [`ColumnType`].

mod array;
mod cell;
pub(crate) mod clock;
#[cfg(feature = "decimal")]
mod decimal;
mod decode_error;
mod deferred;
mod enumeration;
mod fit;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "json")]
mod json;
mod number;
mod numeric;
pub(crate) mod scan;
mod show;
mod text;
#[cfg(feature = "chrono")]
mod time;
#[cfg(feature = "time")]
mod time_crate;
#[cfg(feature = "uuid")]
mod uuid;
mod value;

pub use array::Element;
pub use cell::Cell;
#[cfg(feature = "postgres")]
pub(crate) use cell::{POSTGRES_EPOCH_DAYS, POSTGRES_EPOCH_MICROS};
pub(crate) use cell::{Source, hyphenated};
pub use decode_error::DecodeError;
pub use deferred::Deferred;
pub use enumeration::DbEnum;
#[cfg(feature = "sqlite")]
pub(crate) use fit::has_nul;
pub(crate) use fit::refusal;
#[cfg(feature = "json")]
pub use json::Json;
pub use limbeck_macros::{ColumnType, DbEnum};
pub use numeric::Numeric;
#[cfg(feature = "sqlite")]
pub(crate) use numeric::Real;
pub use value::{Kind, Value};

use crate::schema::SqlType;

/// A Rust type that a column can have.
///
/// ```
/// use limbeck::types::{Cell, ColumnType, DecodeError, Value};
/// use limbeck::schema::SqlType;
///
/// /// An e-mail address, kept in lower case.
/// #[derive(Clone, Debug, PartialEq)]
/// struct Email(String);
///
/// impl ColumnType for Email {
///     type Base = Self;
///     type Null<T: ColumnType> = T;
///     const SQL_TYPE: SqlType = SqlType::String { length: Some(254) };
///     fn encode(&self) -> Value<'_> {
///         self.0.encode()
///     }
///     fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
///         String::decode(cell).map(|s| Email(s.to_lowercase()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column's type",
    label = "limbeck has no column type for this",
    note = "column types are bool, i16, i32, i64, f32, f64, String, Vec<u8>, chrono's DateTime<Utc>, NaiveDateTime, NaiveDate, NaiveTime and TimeDelta, by features Decimal, Uuid, Json<T> and the times of `jiff` and `time`; Option of them, and Vec of all but Json",
    note = "an enum of your own has `#[derive(DbEnum)]`, a struct around one value `#[derive(ColumnType)]`; a relationship's field is marked `#[relationship]`, an embedded struct's `#[model(embed)]`"
)]
pub trait ColumnType: Clone + PartialEq + Send + Sync + 'static {
    /// The type without its nullability: `Self`, or `T` for an `Option<T>`.
    type Base: ColumnType;

    /// `T`, and NULL where this type may be: `T` itself for a plain type, an `Option` of it for an `Option`. It is
    /// how an expression over several columns knows whether it can be NULL; an implementation says
    /// `type Null<T: ColumnType> = T`.
    type Null<T: ColumnType>: ColumnType;

    /// Whether the column may be NULL. Only `Option` says yes.
    const NULLABLE: bool = false;

    /// The SQL type, before `length` and other options of the column.
    const SQL_TYPE: SqlType;

    /// Whether the database numbers a lone primary key of this type unless the model says otherwise, as it does for
    /// the integers.
    const NUMBERED: bool = false;

    /// The value as it is sent.
    fn encode(&self) -> Value<'_>;

    /// Reads the value of a row.
    ///
    /// # Errors
    /// When the cell holds something else than this type.
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError>;

    /// Brings the value to what the database keeps of it; times are cut to microseconds. Called on values
    /// that a default makes and on changed ones before they are sent.
    fn normalize(&mut self) {}
}

/// A type whose column the database may fill: a generated key, a server default, a key that comes from a
/// linked object. Until the flush the field reads as the placeholder.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no placeholder, so the database cannot make its value",
    label = "a column that is generated or filled at flush needs `limbeck::types::Placeholder`"
)]
pub trait Placeholder: ColumnType {
    /// What the field reads as until the database has made its value: `0`, an empty text, the epoch.
    fn placeholder() -> Self;
}

impl<T: ColumnType> ColumnType for Option<T> {
    type Base = T::Base;
    type Null<U: ColumnType> = Option<U::Base>;
    const NULLABLE: bool = true;
    const SQL_TYPE: SqlType = T::SQL_TYPE;

    #[inline]
    fn encode(&self) -> Value<'_> {
        match self {
            Some(value) => value.encode(),
            None => Value::Null,
        }
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        if cell.is_null() { Ok(None) } else { T::decode(cell).map(Some) }
    }

    fn normalize(&mut self) {
        if let Some(value) = self {
            value.normalize();
        }
    }
}

impl<T: ColumnType> Placeholder for Option<T> {
    fn placeholder() -> Self {
        None
    }
}
