//! Query 13: customer distribution.

use crate::prelude::*;

pub type Row = (i64, i64);

pub const SQL: &str = "
SELECT c_count, count(*) AS custdist
FROM (
    SELECT c_custkey, count(o_orderkey) AS c_count
    FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%'
    GROUP BY c_custkey) AS c_orders
GROUP BY c_count
ORDER BY custdist DESC, c_count DESC
";

pub fn typed() -> Select<Row> {
    let mine = Order.o_custkey.eq(Customer.c_custkey).and(Order.o_comment.not_like("%special%requests%"));
    let orders = select((Customer.c_custkey, Order.o_orderkey.count()))
        .left_join_on(Order, mine)
        .group_by(Customer.c_custkey)
        .subquery("c_orders");
    let (_, orders) = orders.columns();
    select((orders.clone(), count())).group_by(orders.clone()).order_by((count().desc(), orders.desc()))
}
