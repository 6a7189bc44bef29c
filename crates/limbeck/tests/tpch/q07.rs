//! Query 7: volume shipping.

use crate::prelude::*;

pub type Row = (String, String, i32, Option<Decimal>);

pub const SQL: &str = "
SELECT supp_nation, cust_nation, l_year, sum(volume)
FROM (
    SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, YEAR(l_shipdate) AS l_year,
           l_extendedprice * (1 - l_discount) AS volume
    FROM supplier, lineitem, orders, customer, nation n1, nation n2
    WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey
      AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey
      AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'))
      AND l_shipdate BETWEEN '1995-01-01' AND '1996-12-31') AS shipping
GROUP BY supp_nation, cust_nation, l_year
ORDER BY supp_nation, cust_nation, l_year
";

pub fn typed() -> Select<Row> {
    let (from, to) = (Nation.alias("n1"), Nation.alias("n2"));
    let there = from.n_name.eq("FRANCE").and(to.n_name.eq("GERMANY"));
    let back = from.n_name.eq("GERMANY").and(to.n_name.eq("FRANCE"));
    let shipping = select((from.n_name, to.n_name, LineItem.l_shipdate.year(), volume()))
        .from(LineItem)
        .join(LineItem.supplier)
        .join(Supplier.nation.to(from))
        .join(LineItem.order)
        .join(Order.customer)
        .join(Customer.nation.to(to))
        .filter(there.or(back))
        .filter(LineItem.l_shipdate.between(day(1995, 1, 1), day(1996, 12, 31)))
        .subquery("shipping");
    let (from, to, year, volume) = shipping.columns();
    let groups = (from, to, year);
    select((groups.0.clone(), groups.1.clone(), groups.2.clone(), volume.sum()))
        .group_by(groups.clone())
        .order_by(groups)
}
