//! Query 12: shipping modes and order priority.

use crate::prelude::*;

pub type Row = (String, Option<i64>, Option<i64>);

pub const SQL: &str = "
SELECT l_shipmode,
       sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END),
       sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END)
FROM orders, lineitem
WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate
  AND l_shipdate < l_commitdate AND l_receiptdate >= '1994-01-01' AND l_receiptdate < '1995-01-01'
GROUP BY l_shipmode
ORDER BY l_shipmode
";

pub fn typed() -> Select<Row> {
    let urgent = || Order.o_orderpriority.eq("1-URGENT").or(Order.o_orderpriority.eq("2-HIGH"));
    let other = Order.o_orderpriority.ne("1-URGENT").and(Order.o_orderpriority.ne("2-HIGH"));
    select((
        LineItem.l_shipmode,
        case().when(urgent(), 1).otherwise(0).sum(),
        case().when(other, 1).otherwise(0).sum(),
    ))
    .join(LineItem.order)
    .filter(LineItem.l_shipmode.in_(["MAIL", "SHIP"]))
    .filter(LineItem.l_commitdate.lt(LineItem.l_receiptdate))
    .filter(LineItem.l_shipdate.lt(LineItem.l_commitdate))
    .filter(LineItem.l_receiptdate.ge(day(1994, 1, 1)))
    .filter(LineItem.l_receiptdate.lt(day(1995, 1, 1)))
    .group_by(LineItem.l_shipmode)
    .order_by(LineItem.l_shipmode)
}
