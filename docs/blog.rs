//! The tutorial's models and a small blog of them, for the hidden lines of its snippets.

use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::testing::StatementLog;

/// Somebody who writes.
#[derive(Model, Debug)]
pub struct User {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// Unique.
    #[column(unique)]
    pub email: String,
    /// The name to log in with.
    #[column(unique, length = 100)]
    pub username: String,
    /// The name to show.
    pub full_name: Option<String>,
    /// Whether the user may log in.
    #[column(default = true)]
    pub is_active: bool,
    /// When it was made.
    #[column(default = Utc::now())]
    pub created_at: DateTime<Utc>,
    /// What the user wrote.
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

/// What somebody wrote.
#[derive(Model, Debug)]
pub struct Post {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// What it is called.
    #[column(length = 200)]
    pub title: String,
    /// How often it was read.
    #[column(default = 0)]
    pub views: i64,
    /// The author's key.
    #[column(foreign_key(User.id, on_delete = cascade))]
    pub author_id: i64,
    /// Who wrote it.
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<User>,
    /// What it is about.
    #[relationship(secondary = "post_tags", back_populates = posts)]
    pub tags: ManyToMany<Tag>,
}

/// What a post is about.
#[derive(Model, Debug)]
pub struct Tag {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// Unique.
    #[column(unique)]
    pub name: String,
    /// The posts about it.
    #[relationship(secondary = "post_tags", back_populates = tags)]
    pub posts: ManyToMany<Post>,
}

/// An engine on a database in memory with the tables of the blog, and nothing in them.
///
/// # Errors
/// None that a correct limbeck would return.
pub async fn engine() -> limbeck::Result<Engine> {
    let engine = Engine::builder("sqlite::memory:").connect().await?;
    engine.create_all(&limbeck::metadata![User, Post, Tag]?).await?;
    Ok(engine)
}

/// Sessions on a database with two users, three posts and two tags.
///
/// # Errors
/// None that a correct limbeck would return.
pub async fn sessions() -> limbeck::Result<SessionMaker> {
    filled(engine().await?).await
}

async fn filled(engine: Engine) -> limbeck::Result<SessionMaker> {
    let sessions = engine.sessionmaker();
    let mut session = sessions.open();
    let ada = session.add(User::builder().email("ada@example.com").username("ada"));
    let grace = session.add(User::builder().email("grace@example.com").username("grace"));
    let rust = session.add(Tag::builder().name("rust"));
    let history = session.add(Tag::builder().name("history"));
    session.add(Post::builder().title("Hello").author(ada).tags([rust]));
    session.add(Post::builder().title("The engine").author(ada).tags([rust, history]));
    session.add(Post::builder().title("Compilers").author(grace).tags([history]));
    session.commit().await?;
    Ok(sessions)
}

/// A session on such a database.
///
/// # Errors
/// None that a correct limbeck would return.
pub async fn session() -> limbeck::Result<Session> {
    Ok(sessions().await?.open())
}

/// A session on such a database, and what it sends.
///
/// # Errors
/// None that a correct limbeck would return.
pub async fn logged() -> limbeck::Result<(Session, StatementLog)> {
    let log = StatementLog::new();
    let engine = Engine::builder("sqlite::memory:").echo_to(log.sink()).connect().await?;
    engine.create_all(&limbeck::metadata![User, Post, Tag]?).await?;
    let sessions = filled(engine).await?;
    log.take();
    Ok((sessions.open(), log))
}
