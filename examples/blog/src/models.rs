//! Users write posts, posts have tags.

use limbeck::prelude::*;

/// Somebody who writes.
#[derive(Model, Debug)]
#[model(table = "users")]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 254)]
    pub email: String,
    #[column(unique, length = 100)]
    pub username: String,
    pub hashed_password: String,
    pub full_name: Option<String>,
    #[column(default = true)]
    pub is_active: bool,
    #[column(default = Utc::now())]
    pub created_at: DateTime<Utc>,
    #[column(default = Utc::now(), on_update = Utc::now())]
    pub updated_at: DateTime<Utc>,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

/// What somebody wrote.
#[derive(Model, Debug)]
#[model(table = "posts")]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(length = 200)]
    pub title: String,
    #[column(text)]
    pub body: String,
    #[column(server_default = "0")]
    pub views: i64,
    pub published_on: Option<NaiveDate>,
    #[column(foreign_key(User.id, on_delete = cascade))]
    pub author_id: i64,
    #[column(default = Utc::now())]
    pub created_at: DateTime<Utc>,
    #[column(default = Utc::now(), on_update = Utc::now())]
    pub updated_at: DateTime<Utc>,
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
    #[relationship(secondary = "post_tags", back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

/// What a post is about.
#[derive(Model, Debug)]
#[model(allow(L008, reason = "a tag is a word: nobody asks since when there is one"))]
pub struct Tag {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 50)]
    pub name: String,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    pub posts: ManyToMany<Post>,
}
