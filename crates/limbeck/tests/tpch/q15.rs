//! Query 15: top supplier.

use crate::prelude::*;

pub type Row = (i32, String, String, String, Option<Decimal>);

pub const SQL: &str = "
WITH revenue AS (
    SELECT l_suppkey AS supplier_no, sum(l_extendedprice * (1 - l_discount)) AS total_revenue
    FROM lineitem
    WHERE l_shipdate >= '1996-01-01' AND l_shipdate < '1996-04-01'
    GROUP BY l_suppkey)
SELECT s_suppkey, s_name, s_address, s_phone, total_revenue
FROM supplier, revenue
WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue)
ORDER BY s_suppkey
";

pub fn typed() -> Select<Row> {
    let revenue = select((LineItem.l_suppkey, volume().sum()))
        .filter(LineItem.l_shipdate.ge(day(1996, 1, 1)))
        .filter(LineItem.l_shipdate.lt(day(1996, 4, 1)))
        .group_by(LineItem.l_suppkey)
        .cte("revenue");
    let (supplier, total) = revenue.columns();
    let best = select(total.clone().max()).from(&revenue);
    select((Supplier.s_suppkey, Supplier.s_name, Supplier.s_address, Supplier.s_phone, total.clone()))
        .join_on(&revenue, supplier.eq(Supplier.s_suppkey))
        .filter(total.eq(best.scalar()))
        .order_by(Supplier.s_suppkey)
}
