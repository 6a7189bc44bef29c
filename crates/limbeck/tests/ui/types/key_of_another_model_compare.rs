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

fn main() {
    let _ = select(User).filter(User.id.eq(PostId(1)));
}
