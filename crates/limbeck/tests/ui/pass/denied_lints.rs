//! The generated code is quiet in a crate that allows nothing.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unsafe_code)]
#![deny(clippy::all, clippy::pedantic, rust_2018_idioms, unused_qualifications, single_use_lifetimes)]
#![forbid(non_ascii_idents)]
#![allow(dead_code)]

use limbeck::prelude::*;

/// A user.
#[derive(Debug, Model)]
pub struct User {
    /// Its key.
    #[column(primary_key)]
    pub id: i64,
    /// Its name.
    pub name: String,
    /// When it was changed.
    #[column(default = Utc::now(), on_update = Utc::now())]
    pub updated_at: DateTime<Utc>,
    /// What it wrote.
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

/// A post.
#[derive(Debug, Model)]
pub struct Post {
    /// Its key.
    #[column(primary_key)]
    pub id: i64,
    /// Its author's key.
    #[column(foreign_key(User.id))]
    pub author_id: i64,
    /// Its author.
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
}

fn main() {
    let _ = User.name;
    let _ = User::builder().name("Ada");
}
