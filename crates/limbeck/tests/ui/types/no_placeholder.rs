use limbeck::prelude::*;
use limbeck::schema::SqlType;
use limbeck::types::{Cell, ColumnType, DecodeError, Value};

#[derive(Clone, PartialEq)]
struct Colour(i32);

impl ColumnType for Colour {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Integer;
    fn encode(&self) -> Value<'_> {
        Value::I32(self.0)
    }
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        i32::decode(cell).map(Colour)
    }
}

#[derive(Model)]
struct Paint {
    #[column(primary_key)]
    id: i64,
    #[column(server_default = "0")]
    colour: Colour,
}

fn main() {}
