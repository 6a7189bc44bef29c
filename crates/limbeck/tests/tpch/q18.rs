//! Query 18: large volume customer.

use crate::prelude::*;

pub type Row = (String, i32, i32, NaiveDate, Decimal, Option<Decimal>);

pub const SQL: &str = "
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity)
FROM customer, orders, lineitem
WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)
  AND c_custkey = o_custkey AND o_orderkey = l_orderkey
GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
ORDER BY o_totalprice DESC, o_orderdate
LIMIT 100
";

pub fn typed() -> Select<Row> {
    let large = select(LineItem.l_orderkey)
        .group_by(LineItem.l_orderkey)
        .having(LineItem.l_quantity.sum().gt(Decimal::from(300)));
    let groups =
        (Customer.c_name, Customer.c_custkey, Order.o_orderkey, Order.o_orderdate, Order.o_totalprice);
    select((
        Customer.c_name,
        Customer.c_custkey,
        Order.o_orderkey,
        Order.o_orderdate,
        Order.o_totalprice,
        LineItem.l_quantity.sum(),
    ))
    .from(LineItem)
    .join(LineItem.order)
    .join(Order.customer)
    .filter(Order.o_orderkey.in_(large))
    .group_by(groups)
    .order_by((Order.o_totalprice.desc(), Order.o_orderdate))
    .limit(100)
}
