//! A collection cannot be walked by reference while its objects change: `handles()` is for that.

use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
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

fn walked(session: &mut limbeck::session::Session, user: Tracked<User>) {
    let posts = &session[user].posts;
    for post in posts.handles() {
        session[post].title.push('!');
        println!("{}", posts.len());
    }
}

fn main() {}
