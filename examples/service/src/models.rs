//! Users write posts, posts have tags.

use limbeck::model::Timestamps;
use limbeck::prelude::*;
use serde::{Deserialize, Serialize};

/// Somebody who writes.
#[derive(Model, Debug)]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 254)]
    pub email: String,
    #[column(unique, length = 100)]
    pub username: String,
    #[model(embed)]
    pub timestamps: Timestamps,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

/// Whether everybody may read a post. In the database an enum (PostgreSQL) or text with a CHECK (SQLite), in JSON text.
#[derive(DbEnum, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[db_enum(name = "post_status")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    Published,
}

/// What somebody wrote.
#[derive(Model, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(length = 200)]
    pub title: String,
    #[column(text)]
    pub body: String,
    #[column(default = Status::Draft)]
    pub status: Status,
    /// Counts the changes, so that nobody overwrites what he has not seen.
    #[column(version)]
    pub version: i32,
    #[column(foreign_key(User.id, on_delete = cascade))]
    pub author_id: i64,
    #[model(embed)]
    pub timestamps: Timestamps,
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
    #[relationship(secondary = "post_tags", back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

/// What a post is about.
#[derive(Model, Debug)]
pub struct Tag {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 50)]
    pub name: String,
    #[model(embed)]
    pub timestamps: Timestamps,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    pub posts: ManyToMany<Post>,
}
