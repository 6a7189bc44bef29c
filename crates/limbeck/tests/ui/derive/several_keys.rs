use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(User.id))]
    author_id: i64,
    #[column(foreign_key(User.id))]
    editor_id: i64,
    #[relationship]
    writer: BelongsTo<User>,
    #[relationship(key = editor)]
    editor: BelongsTo<User>,
}

fn main() {}
