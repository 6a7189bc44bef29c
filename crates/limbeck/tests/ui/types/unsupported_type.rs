use limbeck::prelude::*;

struct Money(i64);

#[derive(Model)]
struct Product {
    #[column(primary_key)]
    id: i64,
    price: Money,
}

fn main() {}
