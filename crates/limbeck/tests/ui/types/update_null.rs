use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let title: Option<String> = None;
    let _ = update(Post).set(Post.title, title);
}
