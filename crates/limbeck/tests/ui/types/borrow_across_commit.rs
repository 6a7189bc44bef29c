//! A reference into the session cannot be kept across a commit.

use limbeck::prelude::*;

#[derive(Model)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
}

async fn kept(session: &mut limbeck::session::Session, tag: Tracked<Tag>) -> limbeck::Result<()> {
    let tag = &session[tag];
    session.commit().await?;
    println!("{}", tag.name);
    Ok(())
}

fn main() {}
