//! Query 1: pricing summary report.

use crate::prelude::*;

pub type Row = (String, String, Option<Decimal>, Option<Decimal>, Option<Decimal>, Option<Decimal>, Option<Decimal>, Option<Decimal>, Option<Decimal>, i64);

pub const SQL: &str = "
SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),
       sum(l_extendedprice * (1 - l_discount)),
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)),
       avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
FROM lineitem
WHERE l_shipdate <= '1998-09-02'
GROUP BY l_returnflag, l_linestatus
ORDER BY l_returnflag, l_linestatus
";

pub fn typed() -> Select<Row> {
    select((
        LineItem.l_returnflag,
        LineItem.l_linestatus,
        LineItem.l_quantity.sum(),
        LineItem.l_extendedprice.sum(),
        volume().sum(),
        (volume() * (Decimal::ONE + LineItem.l_tax)).sum(),
        LineItem.l_quantity.avg(),
        LineItem.l_extendedprice.avg(),
        LineItem.l_discount.avg(),
        count(),
    ))
    .filter(LineItem.l_shipdate.le(day(1998, 9, 2)))
    .group_by((LineItem.l_returnflag, LineItem.l_linestatus))
    .order_by((LineItem.l_returnflag, LineItem.l_linestatus))
}
