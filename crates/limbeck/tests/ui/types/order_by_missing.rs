use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[relationship(order_by(desc(titel), author))]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(foreign_key(User.id))]
    author_id: i64,
    #[relationship]
    author: BelongsTo<User>,
}

fn main() {}
