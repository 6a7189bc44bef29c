use limbeck::prelude::*;

struct Author;

#[derive(FromRow)]
struct Report {
    title: String,
    #[from_row(flatten)]
    author: Author,
}

fn main() {}
