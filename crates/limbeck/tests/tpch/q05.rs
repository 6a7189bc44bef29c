//! Query 5: local supplier volume.

use crate::prelude::*;

pub type Row = (String, Option<Decimal>);

pub const SQL: &str = "
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM customer, orders, lineitem, supplier, nation, region
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey
  AND c_nationkey = s_nationkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey
  AND r_name = 'ASIA' AND o_orderdate >= '1994-01-01' AND o_orderdate < '1995-01-01'
GROUP BY n_name
ORDER BY revenue DESC
";

pub fn typed() -> Select<Row> {
    select((Nation.n_name, volume().sum()))
        .from(LineItem)
        .join(LineItem.order)
        .join(Order.customer)
        .join(LineItem.supplier)
        .join(Supplier.nation)
        .join(Nation.region)
        .filter(Customer.c_nationkey.eq(Supplier.s_nationkey))
        .filter(Region.r_name.eq("ASIA"))
        .filter(Order.o_orderdate.ge(day(1994, 1, 1)))
        .filter(Order.o_orderdate.lt(day(1995, 1, 1)))
        .group_by(Nation.n_name)
        .order_by(volume().sum().desc())
}
