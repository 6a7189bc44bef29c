use limbeck::prelude::*;

type MaybeId = Option<i64>;
type Id = i64;

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: MaybeId,
    #[column(foreign_key(Post.id, on_delete = set_null))]
    first_id: Id,
    #[relationship(key = first_id)]
    first: BelongsTo<Post>,
    #[column(foreign_key(Post.id, on_delete = set_null))]
    next_id: MaybeId,
    #[relationship(key = next_id)]
    next: BelongsTo<Post>,
}

fn main() {}
