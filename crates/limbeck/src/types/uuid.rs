//! `Uuid` of the crate `uuid`.
//!
//! PostgreSQL has a type for it. SQLite keeps its 16 bytes, or with `#[column(text)]` its 32 hexadecimal digits, as
//! SQLAlchemy does; either is read. A filter on a column knows which it is; SQL written by hand does not, so there a
//! UUID in a text column is bound as text.

use uuid::Uuid;

use super::{Cell, ColumnType, DecodeError, Element, Placeholder, Value};
use crate::schema::SqlType;

/// A key that the program makes is best one that grows with time, so that rows which come together lie together:
///
/// ```
/// use limbeck::prelude::*;
/// use uuid::Uuid;
///
/// #[derive(Model)]
/// struct Event {
///     #[column(primary_key, default = Uuid::now_v7())]
///     id: Uuid,
///     name: String,
/// }
/// ```
impl ColumnType for Uuid {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Uuid { text: false };

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Uuid(*self.as_bytes())
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.uuid().map(Uuid::from_bytes)
    }
}

impl Placeholder for Uuid {
    fn placeholder() -> Self {
        Uuid::nil()
    }
}

impl Element for Uuid {}
