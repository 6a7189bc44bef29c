use limbeck::prelude::*;

#[derive(Model)]
struct Account {
    #[column(primary_key, version)]
    id: i64,
    #[column(version)]
    version: Option<i64>,
    #[column(version, server_default = "1", on_update = 2)]
    revision: i32,
    #[column(version)]
    body: Deferred<i64>,
}

#[derive(Embed)]
struct Counted {
    #[column(version)]
    version: i64,
}

fn main() {}
