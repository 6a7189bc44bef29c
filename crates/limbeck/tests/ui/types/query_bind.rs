use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    is_active: bool,
    #[relationship(back_populates = author)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(User.id))]
    author_id: i64,
    #[relationship(back_populates = posts)]
    author: BelongsTo<User>,
}

fn main() {
    let _ = sql("SELECT :ids").bind("ids", (1, 2));
}
