//! The models of the page and a few more, for all tests of sessions and queries.
#![allow(dead_code, unreachable_pub)]

pub mod statements;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};

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

/// A tree: rows of one table that refer to each other.
#[derive(Model, Debug)]
#[model(table = "nodes")]
pub struct Node {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[column(foreign_key(Node.id))]
    pub parent_id: Option<i64>,
    #[relationship(back_populates = children, key = parent_id)]
    pub parent: BelongsTo<Option<Node>>,
    #[relationship(back_populates = parent)]
    pub children: HasMany<Node>,
}

/// A key of two columns that the program gives, and a default of the database.
#[derive(Model, Debug)]
#[model(table = "seats")]
pub struct Seat {
    #[column(primary_key)]
    pub room: String,
    #[column(primary_key)]
    pub number: i32,
    #[column(server_default = "1")]
    pub price: i32,
}

/// Things that refer to a shelf: each in another way.
#[derive(Model, Debug)]
#[model(table = "shelves")]
pub struct Shelf {
    #[column(primary_key)]
    pub id: i64,
    #[relationship(back_populates = shelf)]
    pub loose: HasMany<Loose>,
    #[relationship(back_populates = shelf)]
    pub fixed: HasMany<Fixed>,
    #[relationship(back_populates = shelf)]
    pub dropped: HasMany<Dropped>,
}

/// The flush sets its key to NULL.
#[derive(Model, Debug)]
#[model(table = "loose")]
pub struct Loose {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Shelf.id))]
    pub shelf_id: Option<i64>,
    #[relationship(back_populates = loose)]
    pub shelf: BelongsTo<Option<Shelf>>,
}

/// It keeps its shelf from being deleted.
#[derive(Model, Debug)]
#[model(table = "fixed")]
pub struct Fixed {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Shelf.id))]
    pub shelf_id: i64,
    #[relationship(back_populates = fixed)]
    pub shelf: BelongsTo<Shelf>,
}

/// The database sets its key to NULL.
#[derive(Model, Debug)]
#[model(table = "dropped")]
pub struct Dropped {
    #[column(primary_key)]
    pub id: i64,
    #[column(foreign_key(Shelf.id, on_delete = set_null))]
    pub shelf_id: Option<i64>,
    #[relationship(back_populates = dropped)]
    pub shelf: BelongsTo<Option<Shelf>>,
}

/// A user with only what is required.
pub fn user(name: &str) -> impl limbeck::model::New<Model = User> + use<> {
    User::builder().email(format!("{name}@example.com")).username(name).hashed_password("…")
}

/// Makes the tables of all models here.
pub async fn create_tables(engine: &Engine) {
    let models = limbeck::metadata![User, Post, Tag, Node, Seat, Shelf, Loose, Fixed, Dropped].expect("metadata");
    engine.create_all(&models).await.expect("tables");
}

/// An engine over a fresh database that has the tables.
pub async fn engine(url: &str) -> Engine {
    let engine = Engine::builder(url).connect().await.expect("the test's database");
    create_tables(&engine).await;
    engine
}

/// Sessions over a fresh database.
pub async fn sessions(url: &str) -> SessionMaker {
    engine(url).await.sessionmaker()
}

/// One session over a fresh database.
pub async fn session(url: &str) -> Session {
    sessions(url).await.open()
}

pub use limbeck::testing::StatementLog as Log;

/// An engine that keeps what it sends, over a fresh database that has the tables.
pub async fn logged(url: &str) -> (Engine, Log) {
    let log = Log::default();
    let engine = Engine::builder(url).echo_to(log.sink()).connect().await.expect("the test's database");
    create_tables(&engine).await;
    log.take();
    (engine, log)
}

/// Polls a future at most `n` times, then drops it. `None` when it was not done.
pub async fn polled<F: Future>(future: F, n: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        if polls == n {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == n => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
