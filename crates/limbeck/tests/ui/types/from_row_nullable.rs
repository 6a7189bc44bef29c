use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    subtitle: Option<String>,
}

#[derive(FromRow)]
struct Report {
    id: i64,
    subtitle: String,
}

fn main() {
    let _ = select((Post.id, Post.subtitle)).rows::<Report>();
}
