use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i32,
}

fn main() {
    let _ = select(Post).filter(Post.id.in_(5));
}
