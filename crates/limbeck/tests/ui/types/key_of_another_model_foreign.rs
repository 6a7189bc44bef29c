use limbeck::prelude::*;

#[derive(ColumnType, Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct UserId(i64);

#[derive(ColumnType, Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct PostId(i64);

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: UserId,
    name: String,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: PostId,
    #[column(foreign_key(User.id))]
    author_id: PostId,
}

fn main() {}
