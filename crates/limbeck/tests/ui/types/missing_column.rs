use limbeck::model::New;
use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    email: String,
    username: String,
    full_name: Option<String>,
    #[column(default = true)]
    is_active: bool,
}

fn add(_: impl New) {}

fn main() {
    add(User::builder().email("ada@example.com").full_name("Ada Lovelace"));
}
