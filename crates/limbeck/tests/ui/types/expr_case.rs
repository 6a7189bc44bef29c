use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i32,
}

fn main() {
    let _ = limbeck::sql::case().when(Post.views.gt(1), "many").otherwise(0);
}
