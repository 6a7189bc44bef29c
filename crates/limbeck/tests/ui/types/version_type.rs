use limbeck::prelude::*;

type Count = Option<i64>;

#[derive(Model)]
struct Account {
    #[column(primary_key)]
    id: i64,
    #[column(version, default = "1")]
    version: String,
}

#[derive(Model)]
struct Note {
    #[column(primary_key)]
    id: i64,
    #[column(version)]
    version: Count,
}

fn main() {}
