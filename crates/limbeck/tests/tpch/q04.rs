//! Query 4: order priority checking.

#[allow(unused_imports)]
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
