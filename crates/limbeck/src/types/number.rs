//! Integers, floats and booleans.

use super::{Cell, ColumnType, DecodeError, Placeholder, Value};
use crate::schema::SqlType;

macro_rules! integer {
    ($ty:ty, $value:ident, $sql:ident, $name:literal) => {
        impl ColumnType for $ty {
            type Base = Self;
            type Null<T: ColumnType> = T;
            const SQL_TYPE: SqlType = SqlType::$sql;
            const NUMBERED: bool = true;

            #[inline]
            fn encode(&self) -> Value<'_> {
                Value::$value(*self)
            }

            #[inline]
            fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
                let wide = cell.i64()?;
                <$ty>::try_from(wide).map_err(|_| DecodeError::new($name, format!("the integer {wide}")))
            }
        }

        impl Placeholder for $ty {
            fn placeholder() -> Self {
                0
            }
        }
    };
}

integer!(i16, I16, SmallInteger, "a 16-bit integer");
integer!(i32, I32, Integer, "a 32-bit integer");
integer!(i64, I64, BigInteger, "a 64-bit integer");

impl ColumnType for f64 {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Double;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::F64(*self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.f64()
    }
}

impl Placeholder for f64 {
    fn placeholder() -> Self {
        0.0
    }
}

impl ColumnType for f32 {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Real;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::F32(*self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        let wide = cell.f64()?;
        let narrow = wide as f32;
        if f64::from(narrow) == wide || wide.is_nan() {
            Ok(narrow)
        } else {
            Err(DecodeError::new("a 32-bit float", format!("{wide}")))
        }
    }
}

impl Placeholder for f32 {
    fn placeholder() -> Self {
        0.0
    }
}

impl ColumnType for bool {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Boolean;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Bool(*self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.bool()
    }
}

impl Placeholder for bool {
    fn placeholder() -> Self {
        false
    }
}
