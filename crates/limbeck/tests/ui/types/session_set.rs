use limbeck::prelude::*;
use limbeck::session::Session;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
    note: Option<String>,
}

fn set(session: &mut Session, post: Tracked<Post>) -> limbeck::Result<()> {
    session.set(post, Post.title, 1)?;
    session.set(post, Post.title, Post.views + 1)?;
    session.set(post, Post.title, Post.note)
}

fn main() {}
