//! A session cannot be used by two tasks at once.

use limbeck::prelude::*;

#[derive(Model)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
}

async fn shared(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
    let one = session.all(select(Tag));
    let two = session.all(select(Tag));
    one.await?;
    two.await?;
    Ok(())
}

fn main() {}
