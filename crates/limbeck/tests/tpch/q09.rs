//! Query 9: product type profit measure.

use crate::prelude::*;

pub type Row = (String, i32, Option<Decimal>);

pub const SQL: &str = "
SELECT nation, o_year, sum(amount)
FROM (
    SELECT n_name AS nation, YEAR(o_orderdate) AS o_year,
           l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount
    FROM part, supplier, lineitem, partsupp, orders, nation
    WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey
      AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%green%') AS profit
GROUP BY nation, o_year
ORDER BY nation, o_year DESC
";

pub fn typed() -> Select<Row> {
    let amount = volume() - PartSupp.ps_supplycost * LineItem.l_quantity;
    let profit = select((Nation.n_name, Order.o_orderdate.year(), amount))
        .from(LineItem)
        .join(LineItem.part)
        .join(LineItem.supplier)
        .join(LineItem.offer)
        .join(LineItem.order)
        .join(Supplier.nation)
        .filter(Part.p_name.contains("green"))
        .subquery("profit");
    let (nation, year, amount) = profit.columns();
    select((nation.clone(), year.clone(), amount.sum()))
        .group_by((nation.clone(), year.clone()))
        .order_by((nation, year.desc()))
}
