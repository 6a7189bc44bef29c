use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
}

struct Report {
    id: i64,
    title: String,
}

fn main() {
    let _ = select((Post.id, Post.title)).rows::<Report>();
}
