//! The models of the page, for all tests of sessions and queries.
#![allow(dead_code)]

use limbeck::prelude::*;
use limbeck::session::SessionMaker;

#[derive(Model, Debug)]
#[model(table = "users")]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique)]
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

#[derive(Model, Debug)]
#[model(table = "posts")]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    #[column(foreign_key(User.id, on_delete = cascade))]
    pub author_id: i64,
    #[column(server_default = "0")]
    pub views: i32,
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
    #[relationship(secondary = "post_tags", back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Model, Debug)]
pub struct Tag {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique)]
    pub name: String,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    pub posts: ManyToMany<Post>,
}

/// A user with only what is required.
pub fn user(name: &str) -> impl limbeck::model::New<Model = User> + use<> {
    User::builder().email(format!("{name}@example.com")).username(name).hashed_password("…")
}

/// An engine over a fresh database that has the tables of the page.
pub async fn engine(url: &str) -> Engine {
    let engine = Engine::builder(url).connect().await.expect("the test's database");
    engine.create_all(&limbeck::metadata![User, Post, Tag].expect("metadata")).await.expect("tables");
    engine
}

/// Sessions over a fresh database.
pub async fn sessions(url: &str) -> SessionMaker {
    engine(url).await.sessionmaker()
}
