//! The same with public models.
#![deny(warnings, missing_docs, missing_debug_implementations, unsafe_code, dead_code, private_interfaces)]
#![deny(private_bounds, missing_copy_implementations)]

use limbeck::prelude::*;

/// A tag.
#[derive(Debug, Model)]
pub struct Tag {
    /// Its key.
    #[column(primary_key)]
    pub id: i64,
    /// Its name.
    pub name: String,
    secret: Secret,
}

/// A type that nobody else sees.
#[derive(Clone, Debug, PartialEq)]
struct Secret;

impl limbeck::types::ColumnType for Secret {
    type Base = Self;
    type Null<T: limbeck::types::ColumnType> = T;
    const SQL_TYPE: limbeck::schema::SqlType = limbeck::schema::SqlType::Integer;

    fn encode(&self) -> limbeck::types::Value<'_> {
        limbeck::types::Value::I32(0)
    }

    fn decode(_: limbeck::types::Cell<'_>) -> Result<Self, limbeck::types::DecodeError> {
        Ok(Secret)
    }
}

fn main() {
    let _ = Tag.name;
    let _builder = Tag::builder().name("Ada").secret(Secret);
}
