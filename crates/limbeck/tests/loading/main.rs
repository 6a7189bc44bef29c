//! Reading through a session: what is loaded along, by which statements, and what objects hold afterwards.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod joined;
mod pages;
mod partial;
mod reads;
mod stream;

use common::Log;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck_test_support::TestDb;

#[derive(Model, Debug)]
pub struct Author {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[relationship(back_populates = author)]
    pub profile: HasOne<Profile>,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
    /// The other way to posts.
    #[relationship(back_populates = editor)]
    pub edited: HasMany<Post>,
}

#[derive(Model, Debug)]
pub struct Profile {
    #[column(primary_key)]
    pub id: i64,
    pub text: String,
    #[column(unique, foreign_key(Author.id))]
    pub author_id: i64,
    #[relationship(back_populates = profile)]
    pub author: BelongsTo<Author>,
}

#[derive(Model, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    pub views: i32,
    pub body: Deferred<String>,
    #[column(foreign_key(Author.id))]
    pub author_id: i64,
    #[column(foreign_key(Author.id))]
    pub editor_id: Option<i64>,
    #[relationship(back_populates = posts, key = author_id)]
    pub author: BelongsTo<Author>,
    #[relationship(back_populates = edited, key = editor_id)]
    pub editor: BelongsTo<Option<Author>>,
    #[relationship(back_populates = post, order_by(desc(text)))]
    pub comments: HasMany<Comment>,
    #[relationship(secondary = "post_tags", back_populates = posts, order_by = name)]
    pub tags: ManyToMany<Tag>,
}

#[derive(Model, Debug)]
pub struct Comment {
    #[column(primary_key)]
    pub id: i64,
    pub text: String,
    #[column(foreign_key(Post.id))]
    pub post_id: Option<i64>,
    #[relationship(back_populates = comments)]
    pub post: BelongsTo<Option<Post>>,
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

/// A tree.
#[derive(Model, Debug)]
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

/// A key of two columns.
#[derive(Model, Debug)]
pub struct Room {
    #[column(primary_key)]
    pub house: String,
    #[column(primary_key)]
    pub number: i32,
    #[relationship(back_populates = room)]
    pub desks: HasMany<Desk>,
}

#[derive(Model, Debug)]
#[model(foreign_key((house, number), Room(house, number)))]
pub struct Desk {
    #[column(primary_key)]
    pub id: i64,
    pub house: Option<String>,
    pub number: Option<i32>,
    #[relationship(back_populates = desks)]
    pub room: BelongsTo<Option<Room>>,
}

/// Sessions over a database that has this, and what they send:
///
/// - ada (profile "first") wrote 1 "Hello" (10 views; edited by bea; tags rust, sql; comments "a", "c", "b") and
///   2 "Bye" (0 views; tag sql); bea wrote 3 "Hello" (5 views; edited by bea; no tags; comment "d"); cyd nothing.
/// - the tree root(1) → left(2), right(3); left → leaf(4).
/// - the rooms north 1 (desks 1, 2) and north 2 (none); desk 3 is in no room.
pub async fn blog(db: &TestDb) -> Result<(SessionMaker, Log)> {
    let log = Log::default();
    let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await?;
    let models = limbeck::metadata![Author, Profile, Post, Comment, Tag, Node, Room, Desk]?;
    engine.create_all(&models).await?;
    let mut session = engine.sessionmaker().open();
    let [ada, bea, _] = ["ada", "bea", "cyd"].map(|name| session.add(Author::builder().name(name)));
    session.add(Profile::builder().text("first").author(ada));
    let [sql, rust] = ["sql", "rust"].map(|name| session.add(Tag::builder().name(name)));
    let hello = Post::builder().title("Hello").views(10).body("long").author(ada).editor(bea).tags([rust, sql]);
    let hello = session.add(hello);
    session.add(Post::builder().title("Bye").views(0).body("short").author(ada).tags([sql]));
    let other = session.add(Post::builder().title("Hello").views(5).body("").author(bea).editor(bea));
    for (text, post) in [("a", hello), ("c", hello), ("b", hello), ("d", other)] {
        session.add(Comment::builder().text(text).post(post));
    }
    let root = session.add(Node::builder().name("root"));
    let left = session.add(Node::builder().name("left").parent(root));
    session.add(Node::builder().name("right").parent(root));
    session.add(Node::builder().name("leaf").parent(left));
    let [north, _] = [1, 2].map(|number| session.add(Room::builder().house("north").number(number)));
    session.add(Desk::builder().room(north));
    session.add(Desk::builder().room(north));
    session.add(Desk::builder());
    session.commit().await?;
    log.take();
    Ok((engine.sessionmaker(), log))
}

/// The SELECTs that were sent since the last look, with `posts.*` for all columns of posts.
pub fn selects(log: &Log) -> Vec<String> {
    let tables: [(&str, &[&str]); 6] = [
        ("authors", &["id", "name"]),
        ("posts", &["id", "title", "views", "author_id", "editor_id"]),
        ("comments", &["id", "text", "post_id"]),
        ("tags", &["id", "name"]),
        ("nodes", &["id", "name", "parent_id"]),
        ("profiles", &["id", "text", "author_id"]),
    ];
    let short = |line: String| {
        let mut line = line.replace('"', "");
        for (table, columns) in tables {
            let names = [table.to_owned(), "anon_1".into(), "top_1".into()];
            for name in names.into_iter().chain((1..4).map(|number| format!("{table}_{number}"))) {
                let all: Vec<String> = columns.iter().map(|column| format!("{name}.{column}")).collect();
                line = line.replace(&all.join(", "), &format!("{name}.*"));
            }
        }
        line
    };
    log.take().into_iter().filter(|line| line.starts_with("SELECT") || line.starts_with("WITH")).map(short).collect()
}

/// The titles of an author's posts.
pub fn titles(session: &Session, author: Tracked<Author>) -> Vec<String> {
    session[author].posts.handles().map(|post| session[post].title.clone()).collect()
}
