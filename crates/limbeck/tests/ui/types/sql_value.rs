use limbeck::prelude::*;

struct Money(i64);

fn main() {
    let (price, id, missing) = (Money(1), 1i64, [1i64]);
    let _ = sql!("SELECT {price}");
    let _ = sql!("SELECT 1 WHERE 1 IN {..id}");
    let _ = sql!("SELECT {missing}");
}
