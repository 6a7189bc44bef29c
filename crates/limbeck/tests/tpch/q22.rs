//! Query 22: global sales opportunity.

use crate::prelude::*;

pub type Row = (String, i64, Option<Decimal>);

pub const SQL: &str = "
SELECT cntrycode, count(*), sum(c_acctbal)
FROM (
    SELECT substr(c_phone, 1, 2) AS cntrycode, c_acctbal
    FROM customer
    WHERE substr(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
      AND c_acctbal > (
        SELECT avg(c_acctbal)
        FROM customer
        WHERE c_acctbal > 0.00 AND substr(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17'))
      AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)) AS custsale
GROUP BY cntrycode
ORDER BY cntrycode
";

pub fn typed() -> Select<Row> {
    let codes = ["13", "31", "23", "29", "30", "18", "17"];
    let code = || Customer.c_phone.substr(1, 2);
    let average = select(Customer.c_acctbal.avg())
        .filter(Customer.c_acctbal.gt(Decimal::ZERO))
        .filter(code().in_(codes));
    let customers = select((code(), Customer.c_acctbal))
        .filter(code().in_(codes))
        .filter(Customer.c_acctbal.gt(average.scalar()))
        .filter(!exists(select(Order).filter(Order.o_custkey.eq(Customer.c_custkey))))
        .subquery("custsale");
    let (code, balance) = customers.columns();
    select((code.clone(), count(), balance.sum())).group_by(code.clone()).order_by(code)
}
