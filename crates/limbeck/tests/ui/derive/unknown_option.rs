use limbeck::prelude::*;

#[derive(Model)]
#[model(tabel = "users")]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(uniqe, lenght = 100)]
    email: String,
    #[column(serialize_with = "x")]
    name: String,
    #[relationship(back_populate = author)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(User.id, on_delete = cascad))]
    author_id: i64,
}

fn main() {}
