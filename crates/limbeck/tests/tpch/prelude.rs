//! What the queries have in common.

pub use limbeck::prelude::*;
pub use limbeck::sql::{Expr, Select, any_of, case, exists};

pub use crate::generate::day;
pub use crate::models::*;

/// What an item costs: its price without the discount.
pub fn volume() -> Expr<Decimal> {
    LineItem.l_extendedprice * (Decimal::ONE - LineItem.l_discount)
}
