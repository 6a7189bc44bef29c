//! Query 3: shipping priority.

use crate::prelude::*;

pub type Row = (i32, Option<Decimal>, NaiveDate, i32);

pub const SQL: &str = "
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
FROM customer, orders, lineitem
WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
  AND o_orderdate < '1995-03-15' AND l_shipdate > '1995-03-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority
ORDER BY revenue DESC, o_orderdate
LIMIT 10
";

pub fn typed() -> Select<Row> {
    select((LineItem.l_orderkey, volume().sum(), Order.o_orderdate, Order.o_shippriority))
        .join(LineItem.order)
        .join(Order.customer)
        .filter(Customer.c_mktsegment.eq("BUILDING"))
        .filter(Order.o_orderdate.lt(day(1995, 3, 15)))
        .filter(LineItem.l_shipdate.gt(day(1995, 3, 15)))
        .group_by((LineItem.l_orderkey, Order.o_orderdate, Order.o_shippriority))
        .order_by((volume().sum().desc(), Order.o_orderdate))
        .limit(10)
}
