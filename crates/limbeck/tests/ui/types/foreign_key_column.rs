use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
}

struct Plain {
    id: i64,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(User.ident))]
    author_id: i64,
    #[column(foreign_key(Plain.id))]
    editor_id: i64,
}

fn main() {}
