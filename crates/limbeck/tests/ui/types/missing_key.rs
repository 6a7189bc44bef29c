use limbeck::model::New;
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
    #[relationship]
    author: BelongsTo<User>,
}

fn add(_: impl New) {}

fn main() {
    add(Post::builder());
}
