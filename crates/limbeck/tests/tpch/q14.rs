//! Query 14: promotion effect.

use crate::prelude::*;

pub type Row = Option<Decimal>;

pub const SQL: &str = "
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
       / sum(l_extendedprice * (1 - l_discount))
FROM lineitem, part
WHERE l_partkey = p_partkey AND l_shipdate >= '1995-09-01' AND l_shipdate < '1995-10-01'
";

pub fn typed() -> Select<Row> {
    let promotion = case().when(Part.p_type.starts_with("PROMO"), volume()).otherwise(Decimal::ZERO);
    select(Decimal::ONE_HUNDRED * promotion.sum() / volume().sum())
        .from(LineItem)
        .join(LineItem.part)
        .filter(LineItem.l_shipdate.ge(day(1995, 9, 1)))
        .filter(LineItem.l_shipdate.lt(day(1995, 10, 1)))
}
