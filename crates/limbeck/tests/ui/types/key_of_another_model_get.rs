use limbeck::prelude::*;

#[derive(ColumnType, Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct UserId(i64);

#[derive(ColumnType, Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct PostId(i64);

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: UserId,
    name: String,
}

async fn read(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
    let id = PostId(1);
    session.get(User, id).await?;
    Ok(())
}

fn main() {}
