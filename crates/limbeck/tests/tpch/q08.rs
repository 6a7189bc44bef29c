//! Query 8: national market share.

use crate::prelude::*;

pub type Row = (i32, Option<Decimal>);

pub const SQL: &str = "
SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume)
FROM (
    SELECT YEAR(o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume, n2.n_name AS nation
    FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region
    WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey
      AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA'
      AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN '1995-01-01' AND '1996-12-31'
      AND p_type = 'ECONOMY ANODIZED STEEL') AS all_nations
GROUP BY o_year
ORDER BY o_year
";

pub fn typed() -> Select<Row> {
    let (of_customer, of_supplier) = (Nation.alias("n1"), Nation.alias("n2"));
    let all = select((Order.o_orderdate.year(), volume(), of_supplier.n_name))
        .from(LineItem)
        .join(LineItem.part)
        .join(LineItem.supplier)
        .join(LineItem.order)
        .join(Order.customer)
        .join(Customer.nation.to(of_customer))
        .join(of_customer.region)
        .join(Supplier.nation.to(of_supplier))
        .filter(Region.r_name.eq("AMERICA"))
        .filter(Order.o_orderdate.between(day(1995, 1, 1), day(1996, 12, 31)))
        .filter(Part.p_type.eq("ECONOMY ANODIZED STEEL"))
        .subquery("all_nations");
    let (year, volume, nation) = all.columns();
    let of_brazil = case().when(nation.eq("BRAZIL"), volume.clone()).otherwise(Decimal::ZERO);
    select((year.clone(), of_brazil.sum() / volume.sum())).group_by(year.clone()).order_by(year)
}
