//! `Decimal` of the crate `rust_decimal`.
//!
//! PostgreSQL keeps every one of them exactly. SQLite keeps 15 significant digits, and what has more is refused.

use rust_decimal::Decimal;

use super::{Cell, ColumnType, DecodeError, Element, Numeric, Placeholder, Value};
use crate::schema::SqlType;

impl ColumnType for Decimal {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Numeric { precision: None, scale: 0 };

    #[inline]
    fn encode(&self) -> Value<'_> {
        match Numeric::new(self.mantissa(), self.scale()) {
            Some(number) => Value::Decimal(number),
            None => Value::Invalid(format!("{self}, which has more than 28 digits after the point").into()),
        }
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        let number = cell.numeric()?;
        Decimal::try_from_i128_with_scale(number.mantissa(), number.scale())
            .map_err(|_| DecodeError::new("a decimal number", number.to_string()))
    }
}

impl Placeholder for Decimal {
    fn placeholder() -> Self {
        Decimal::ZERO
    }
}

impl Element for Decimal {}
