//! Query 11: important stock identification.

use crate::prelude::*;

pub type Row = (i32, Option<Decimal>);

pub const SQL: &str = "
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value
FROM partsupp, supplier, nation
WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
GROUP BY ps_partkey
HAVING sum(ps_supplycost * ps_availqty) > (
    SELECT sum(ps_supplycost * ps_availqty) * 0.01
    FROM partsupp, supplier, nation
    WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY')
ORDER BY value DESC
";

pub fn typed() -> Select<Row> {
    let value = || (PartSupp.ps_supplycost * PartSupp.ps_availqty.cast::<Decimal>()).sum();
    let total = select(value() * Decimal::new(1, 2))
        .join(PartSupp.supplier)
        .join(Supplier.nation)
        .filter(Nation.n_name.eq("GERMANY"));
    select((PartSupp.ps_partkey, value()))
        .join(PartSupp.supplier)
        .join(Supplier.nation)
        .filter(Nation.n_name.eq("GERMANY"))
        .group_by(PartSupp.ps_partkey)
        .having(value().gt(total.scalar()))
        .order_by(value().desc())
}
