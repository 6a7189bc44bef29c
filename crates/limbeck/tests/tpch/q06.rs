//! Query 6: forecasting revenue change.

use crate::prelude::*;

pub type Row = Option<Decimal>;

pub const SQL: &str = "
SELECT sum(l_extendedprice * l_discount)
FROM lineitem
WHERE l_shipdate >= '1994-01-01' AND l_shipdate < '1995-01-01'
  AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24
";

pub fn typed() -> Select<Row> {
    select((LineItem.l_extendedprice * LineItem.l_discount).sum())
        .filter(LineItem.l_shipdate.ge(day(1994, 1, 1)))
        .filter(LineItem.l_shipdate.lt(day(1995, 1, 1)))
        .filter(LineItem.l_discount.between(Decimal::new(5, 2), Decimal::new(7, 2)))
        .filter(LineItem.l_quantity.lt(Decimal::from(24)))
}
