//! Query 2: minimum cost supplier.

use crate::prelude::*;

pub type Row = (Decimal, String, String, i32, String, String, String, String);

pub const SQL: &str = "
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
FROM part, supplier, partsupp, nation, region
WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS'
  AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE'
  AND ps_supplycost = (
    SELECT min(ps_supplycost)
    FROM partsupp, supplier, nation, region
    WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey
      AND n_regionkey = r_regionkey AND r_name = 'EUROPE')
ORDER BY s_acctbal DESC, n_name, s_name, p_partkey
LIMIT 100
";

pub fn typed() -> Select<Row> {
    let cheapest = select(PartSupp.ps_supplycost.min())
        .join(PartSupp.supplier)
        .join(Supplier.nation)
        .join(Nation.region)
        .filter(PartSupp.ps_partkey.eq(Part.p_partkey))
        .filter(Region.r_name.eq("EUROPE"));
    select((
        Supplier.s_acctbal,
        Supplier.s_name,
        Nation.n_name,
        Part.p_partkey,
        Part.p_mfgr,
        Supplier.s_address,
        Supplier.s_phone,
        Supplier.s_comment,
    ))
    .from(PartSupp)
    .join(PartSupp.part)
    .join(PartSupp.supplier)
    .join(Supplier.nation)
    .join(Nation.region)
    .filter(Part.p_size.eq(15))
    .filter(Part.p_type.ends_with("BRASS"))
    .filter(Region.r_name.eq("EUROPE"))
    .filter(PartSupp.ps_supplycost.eq(cheapest.scalar()))
    .order_by((Supplier.s_acctbal.desc(), Nation.n_name, Supplier.s_name, Part.p_partkey))
    .limit(100)
}
