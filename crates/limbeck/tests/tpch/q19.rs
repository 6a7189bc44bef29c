//! Query 19: discounted revenue.

use crate::prelude::*;

pub type Row = Option<Decimal>;

pub const SQL: &str = "
SELECT sum(l_extendedprice * (1 - l_discount))
FROM lineitem, part
WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
       AND l_quantity >= 1 AND l_quantity <= 11 AND p_size BETWEEN 1 AND 5
       AND l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON')
   OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')
       AND l_quantity >= 10 AND l_quantity <= 20 AND p_size BETWEEN 1 AND 10
       AND l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON')
   OR (p_partkey = l_partkey AND p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')
       AND l_quantity >= 20 AND l_quantity <= 30 AND p_size BETWEEN 1 AND 15
       AND l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON')
";

pub fn typed() -> Select<Row> {
    let of = |brand: &str, containers: [&str; 4], quantity: i64, size: i32| {
        Part.p_brand
            .eq(brand)
            .and(Part.p_container.in_(containers))
            .and(LineItem.l_quantity.between(Decimal::from(quantity), Decimal::from(quantity + 10)))
            .and(Part.p_size.between(1, size))
    };
    select(volume().sum())
        .from(LineItem)
        .join(LineItem.part)
        .filter(any_of([
            of("Brand#12", ["SM CASE", "SM BOX", "SM PACK", "SM PKG"], 1, 5),
            of("Brand#23", ["MED BAG", "MED BOX", "MED PKG", "MED PACK"], 10, 10),
            of("Brand#34", ["LG CASE", "LG BOX", "LG PACK", "LG PKG"], 20, 15),
        ]))
        .filter(LineItem.l_shipmode.in_(["AIR", "REG AIR"]))
        .filter(LineItem.l_shipinstruct.eq("DELIVER IN PERSON"))
}
