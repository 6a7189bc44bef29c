use limbeck::prelude::*;

#[derive(Model)]
struct Measure {
    #[column(primary_key)]
    at: f64,
}

fn main() {}
