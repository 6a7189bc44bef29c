//! Query 10: returned item reporting.

use crate::prelude::*;

pub type Row = (i32, String, Option<Decimal>, Decimal, String, String, String, String);

pub const SQL: &str = "
SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address, c_phone,
       c_comment
FROM customer, orders, lineitem, nation
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= '1993-10-01'
  AND o_orderdate < '1994-01-01' AND l_returnflag = 'R' AND c_nationkey = n_nationkey
GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
ORDER BY revenue DESC
LIMIT 20
";

pub fn typed() -> Select<Row> {
    select((
        Customer.c_custkey,
        Customer.c_name,
        volume().sum(),
        Customer.c_acctbal,
        Nation.n_name,
        Customer.c_address,
        Customer.c_phone,
        Customer.c_comment,
    ))
    .from(LineItem)
    .join(LineItem.order)
    .join(Order.customer)
    .join(Customer.nation)
    .filter(Order.o_orderdate.ge(day(1993, 10, 1)))
    .filter(Order.o_orderdate.lt(day(1994, 1, 1)))
    .filter(LineItem.l_returnflag.eq("R"))
    .group_by((
        Customer.c_custkey,
        Customer.c_name,
        Customer.c_acctbal,
        Customer.c_phone,
        Nation.n_name,
        Customer.c_address,
        Customer.c_comment,
    ))
    .order_by(volume().sum().desc())
    .limit(20)
}
