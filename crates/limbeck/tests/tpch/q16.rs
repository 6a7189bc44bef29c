//! Query 16: parts/supplier relationship.

use crate::prelude::*;

pub type Row = (String, String, i32, i64);

pub const SQL: &str = "
SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt
FROM partsupp, part
WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%'
  AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')
GROUP BY p_brand, p_type, p_size
ORDER BY supplier_cnt DESC, p_brand, p_type, p_size
";

pub fn typed() -> Select<Row> {
    let complained = select(Supplier.s_suppkey).filter(Supplier.s_comment.like("%Customer%Complaints%"));
    let suppliers = || PartSupp.ps_suppkey.count_distinct();
    select((Part.p_brand, Part.p_type, Part.p_size, suppliers()))
        .from(PartSupp)
        .join(PartSupp.part)
        .filter(Part.p_brand.ne("Brand#45"))
        .filter(!Part.p_type.starts_with("MEDIUM POLISHED"))
        .filter(Part.p_size.in_([49, 14, 23, 45, 19, 3, 36, 9]))
        .filter(PartSupp.ps_suppkey.not_in(complained))
        .group_by((Part.p_brand, Part.p_type, Part.p_size))
        .order_by((suppliers().desc(), Part.p_brand, Part.p_type, Part.p_size))
}
