//! Query 20: potential part promotion.

use crate::prelude::*;

pub type Row = (String, String);

pub const SQL: &str = "
SELECT s_name, s_address
FROM supplier, nation
WHERE s_suppkey IN (
    SELECT ps_suppkey
    FROM partsupp
    WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%')
      AND ps_availqty > (
        SELECT 0.5 * sum(l_quantity)
        FROM lineitem
        WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey
          AND l_shipdate >= '1994-01-01' AND l_shipdate < '1995-01-01'))
  AND s_nationkey = n_nationkey AND n_name = 'CANADA'
ORDER BY s_name
";

pub fn typed() -> Select<Row> {
    let forest = select(Part.p_partkey).filter(Part.p_name.starts_with("forest"));
    let half_of_the_year = select(Decimal::new(5, 1) * LineItem.l_quantity.sum())
        .from(LineItem)
        .filter(LineItem.l_partkey.eq(PartSupp.ps_partkey))
        .filter(LineItem.l_suppkey.eq(PartSupp.ps_suppkey))
        .filter(LineItem.l_shipdate.ge(day(1994, 1, 1)))
        .filter(LineItem.l_shipdate.lt(day(1995, 1, 1)));
    let suppliers = select(PartSupp.ps_suppkey)
        .filter(PartSupp.ps_partkey.in_(forest))
        .filter(PartSupp.ps_availqty.cast::<Decimal>().gt(half_of_the_year.scalar()));
    select((Supplier.s_name, Supplier.s_address))
        .join(Supplier.nation)
        .filter(Supplier.s_suppkey.in_(suppliers))
        .filter(Nation.n_name.eq("CANADA"))
        .order_by(Supplier.s_name)
}
