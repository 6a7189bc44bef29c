use limbeck::prelude::*;

#[derive(Model)]
struct Product {
    #[column(primary_key)]
    id: i64,
    #[column(length = 10)]
    price: f64,
    #[column(default = "none")]
    stock: i32,
}

fn main() {}
