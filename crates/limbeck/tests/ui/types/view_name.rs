use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    #[relationship(back_populates = author)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(foreign_key(User.id))]
    author_id: i64,
    #[relationship(back_populates = posts)]
    author: BelongsTo<User>,
}

#[derive(View)]
#[view(User)]
struct AuthorName {
    username: String,
}

#[derive(View)]
#[view(Post)]
struct PostCard {
    titel: String,
    #[view(path = author.name)]
    by: String,
}

fn main() {
    let _ = select(PostCard);
}
