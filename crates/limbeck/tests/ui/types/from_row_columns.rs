use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
}

#[derive(FromRow)]
struct Report {
    title: String,
    posts: i64,
}

fn main() {
    let _ = select((Post.id, Post.title)).rows::<Report>();
}
