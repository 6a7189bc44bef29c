use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = editors)]
    edited: HasMany<Post>,
    #[relationship(back_populates = title)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[relationship(secondary = "post_editors")]
    editors: ManyToMany<User>,
}

fn main() {}
