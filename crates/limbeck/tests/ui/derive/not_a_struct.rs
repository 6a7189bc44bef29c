use limbeck::prelude::*;

#[derive(Model)]
enum Kind {
    Small,
}

#[derive(Model)]
struct Pair(i64, i64);

#[derive(Model)]
struct Generic<T> {
    #[column(primary_key)]
    id: i64,
    value: T,
}

fn main() {}
