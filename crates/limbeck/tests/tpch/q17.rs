//! Query 17: small-quantity-order revenue.

use crate::prelude::*;

pub type Row = Option<Decimal>;

pub const SQL: &str = "
SELECT sum(l_extendedprice) / 7.0
FROM lineitem, part
WHERE p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'MED BOX'
  AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)
";

pub fn typed() -> Select<Row> {
    let small = select(Decimal::new(2, 1) * LineItem.l_quantity.avg())
        .from(LineItem)
        .filter(LineItem.l_partkey.eq(Part.p_partkey));
    select(LineItem.l_extendedprice.sum() / Decimal::from(7))
        .from(LineItem)
        .join(LineItem.part)
        .filter(Part.p_brand.eq("Brand#23"))
        .filter(Part.p_container.eq("MED BOX"))
        .filter(LineItem.l_quantity.lt(small.scalar()))
}
