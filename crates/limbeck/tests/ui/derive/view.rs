use limbeck::prelude::*;

#[derive(View)]
struct NoModel {
    title: String,
}

#[derive(View)]
#[view(table = "posts")]
struct WrongModel {
    title: String,
}

#[derive(View)]
#[view(Post)]
struct Options {
    #[view(colum = title)]
    name: String,
    #[view(column = title, path = author.username)]
    both: String,
    #[view(expr = Post.title.upper(), column = title)]
    also_both: String,
    #[view(order_by = Post.title)]
    title: String,
    #[view(column = "title")]
    quoted: String,
}

#[derive(View)]
#[view(Post)]
struct Generic<T> {
    title: T,
}

#[derive(View)]
#[view(Post)]
struct Nothing {}

#[derive(View)]
#[view(Post)]
enum Either {
    Title(String),
}

fn main() {}
