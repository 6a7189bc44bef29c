use limbeck::prelude::*;

#[derive(FromRow)]
struct Report {
    #[from_row(nmae = "title")]
    title: String,
    #[from_row(flatten, name = "author")]
    author: Author,
    #[from_row(prefix = "post_")]
    views: i64,
    #[from_row(flatten, default)]
    reviewer: Author,
}

#[derive(FromRow)]
struct Author {}

#[derive(FromRow)]
struct Pair(i64, String);

fn main() {}
