use limbeck::prelude::*;

#[derive(Clone, PartialEq, Debug)]
struct Address {
    street: String,
}

#[derive(Model)]
struct Customer {
    #[column(primary_key)]
    id: i64,
    #[model(embed)]
    home: Address,
}

fn main() {}
