//! Query 21: suppliers who kept orders waiting.

use crate::prelude::*;

pub type Row = (String, i64);

pub const SQL: &str = "
SELECT s_name, count(*) AS numwait
FROM supplier, lineitem l1, orders, nation
WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F'
  AND l1.l_receiptdate > l1.l_commitdate
  AND EXISTS (
    SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)
  AND NOT EXISTS (
    SELECT * FROM lineitem l3
    WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> l1.l_suppkey AND l3.l_receiptdate > l3.l_commitdate)
  AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA'
GROUP BY s_name
ORDER BY numwait DESC, s_name
LIMIT 100
";

pub fn typed() -> Select<Row> {
    let (other, late) = (LineItem.alias("l2"), LineItem.alias("l3"));
    let others = select(other)
        .filter(other.l_orderkey.eq(LineItem.l_orderkey))
        .filter(other.l_suppkey.ne(LineItem.l_suppkey));
    let late_too = select(late)
        .filter(late.l_orderkey.eq(LineItem.l_orderkey))
        .filter(late.l_suppkey.ne(LineItem.l_suppkey))
        .filter(late.l_receiptdate.gt(late.l_commitdate));
    select((Supplier.s_name, count()))
        .from(LineItem)
        .join(LineItem.supplier)
        .join(LineItem.order)
        .join(Supplier.nation)
        .filter(Order.o_orderstatus.eq("F"))
        .filter(LineItem.l_receiptdate.gt(LineItem.l_commitdate))
        .filter(exists(others))
        .filter(!exists(late_too))
        .filter(Nation.n_name.eq("SAUDI ARABIA"))
        .group_by(Supplier.s_name)
        .order_by((count().desc(), Supplier.s_name))
        .limit(100)
}
