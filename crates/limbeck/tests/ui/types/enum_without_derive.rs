use limbeck::prelude::*;

#[derive(Clone, PartialEq)]
enum Status {
    Draft,
    Published,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    status: Status,
}

fn main() {}
