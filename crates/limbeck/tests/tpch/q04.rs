//! Query 4: order priority checking.

use crate::prelude::*;

pub type Row = (String, i64);

pub const SQL: &str = "
SELECT o_orderpriority, count(*)
FROM orders
WHERE o_orderdate >= '1993-07-01' AND o_orderdate < '1993-10-01'
  AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
GROUP BY o_orderpriority
ORDER BY o_orderpriority
";

pub fn typed() -> Select<Row> {
    let late = select(LineItem)
        .filter(LineItem.l_orderkey.eq(Order.o_orderkey))
        .filter(LineItem.l_commitdate.lt(LineItem.l_receiptdate));
    select((Order.o_orderpriority, count()))
        .filter(Order.o_orderdate.ge(day(1993, 7, 1)))
        .filter(Order.o_orderdate.lt(day(1993, 10, 1)))
        .filter(exists(late))
        .group_by(Order.o_orderpriority)
        .order_by(Order.o_orderpriority)
}
