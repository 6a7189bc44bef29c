use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = insert(Post).row(Post::builder().title(5).views(1));
}
