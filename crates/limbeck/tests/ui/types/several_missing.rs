use limbeck::model::New;
use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    email: String,
    username: String,
}

fn add(_: impl New) {}

fn main() {
    add(User::builder());
}
