//! Text, and bytes.

use std::borrow::Cow;

use super::{Cell, ColumnType, DecodeError, Placeholder, Value};
use crate::schema::SqlType;

impl ColumnType for String {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::String { length: None };

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.text().map(str::to_owned)
    }
}

impl Placeholder for String {
    fn placeholder() -> Self {
        String::new()
    }
}

impl ColumnType for Vec<u8> {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::LargeBinary;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(self))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.bytes().map(<[u8]>::to_vec)
    }
}

impl Placeholder for Vec<u8> {
    fn placeholder() -> Self {
        Vec::new()
    }
}
