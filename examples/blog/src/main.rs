//! A small blog, from an empty database to queries: everything that the README's page shows, and what
//! comes next.
//!
//! `cargo run -p blog` uses the SQLite file `blog.db`; `DATABASE_URL=postgres://…` another database, with the
//! same output. `DEBUG=true` shows the SQL.

use blog::models::{Post, Tag, User};
use limbeck::Error;
use limbeck::engine::Settings;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck_migrate::Migrator;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::load_or("sqlite://blog.db")?;
    let engine = Engine::from_settings(&settings).pool_size(10).max_overflow(20).pool_pre_ping(true).connect().await?;

    heading("Migrations");
    let applied = Migrator::embedded(&blog::MIGRATIONS)?.upgrade(&engine, "head").await?;
    for revision in &applied {
        println!("applied {} {}", revision.id, revision.message);
    }
    if applied.is_empty() {
        println!("the database is at head");
    }

    let sessions = engine.sessionmaker().expire_on_commit(false).autoflush(false);
    fill(&sessions).await?;
    let mut session = sessions.open();
    list(&mut session).await?;
    change(&mut session).await?;
    numbers(&engine).await?;
    refuse(&sessions).await?;
    remove(&sessions).await?;
    engine.close().await;
    Ok(())
}

/// New objects: users, posts and tags, linked before any of them has a key.
async fn fill(sessions: &SessionMaker) -> limbeck::Result<()> {
    heading("Filling the blog");
    let mut session = sessions.open();
    if session.exists(select(User)).await? {
        println!("it is filled already");
        return Ok(());
    }
    let ada = session
        .add(User::builder().email("ada@example.com").username("ada").hashed_password("…").full_name("Ada Lovelace"));
    let grace = session.add(User::builder().email("grace@example.com").username("grace").hashed_password("…"));
    let rust = session.add(Tag::builder().name("rust"));
    let databases = session.add(Tag::builder().name("databases"));
    let history = session.add(Tag::builder().name("history"));

    session.add(
        Post::builder().title("Hello").body("The first post.").author(ada).tags([rust]).published_on(day(2026, 11, 1)),
    );
    session.add(Post::builder().title("Notes on the engine").body("…").author(ada).tags([history, rust]));
    session.add(Post::builder().title("Compilers").body("…").author(grace).tags([history]));
    session.add(Post::builder().title("Tables and trees").body("…").author(grace).tags([databases, rust]));
    session.commit().await?;
    println!(
        "{} users, {} posts, {} tags",
        count_of(&mut session, select(User)).await?,
        count_of(&mut session, select(Post)).await?,
        count_of(&mut session, select(Tag)).await?
    );
    println!("{} has written {} posts", session[ada].username, session[ada].posts.len());
    Ok(())
}

/// Posts with their authors and tags: three statements, however many posts there are.
async fn list(session: &mut Session) -> limbeck::Result<()> {
    heading("All posts");
    let posts = session.all(select(Post).with(Post.author).with(Post.tags).order_by(Post.id)).await?;
    for post in posts {
        let post = &session[post];
        let tags: Vec<&str> = post.tags.handles().map(|tag| session[tag].name.as_str()).collect();
        println!("{} by {} ({})", post.title, session[post.author].username, tags.join(", "));
    }
    Ok(())
}

/// Changes: fields are written like fields, relationships by `link`, `unlink` and `assign`; the flush sends
/// what differs.
async fn change(session: &mut Session) -> limbeck::Result<()> {
    heading("Changes");
    let post = session.one(select(Post).filter(Post.title.eq("Hello")).with(Post.tags)).await?;
    let databases = session.one(select(Tag).filter(Tag.name.eq("databases"))).await?;
    session[post].views += 1;
    session.link(post, Post.tags, databases)?;
    session.commit().await?;
    let tags: Vec<&str> = session[post].tags.handles().map(|tag| session[tag].name.as_str()).collect();
    println!("\"{}\" is about {}", session[post].title, tags.join(" and "));

    session.unlink(post, Post.tags, databases)?;
    session.commit().await?;
    println!("… and about {} tag again", session[post].tags.len());

    let grace = session.one(select(User).filter(User.username.eq("grace")).with(User.posts)).await?;
    for post in session[grace].posts.handles() {
        session[post].published_on = Some(day(2026, 11, 22));
    }
    session[grace].full_name = Some("Grace Hopper".into());
    session.commit().await?;
    println!("Grace Hopper has published {} posts", session[grace].posts.len());
    Ok(())
}

/// Queries without a session: plain values.
async fn numbers(engine: &Engine) -> limbeck::Result<()> {
    heading("Numbers");
    let mut connection = engine.connect().await?;
    let titles = connection
        .all(select((Post.title, User.username)).join(Post.author).filter(User.username.eq("ada")).order_by(Post.id))
        .await?;
    for (title, username) in titles {
        println!("{username}: {title}");
    }
    let tags: Vec<(String, i64)> = connection
        .all(
            sql("SELECT t.name, count(*) FROM tags t JOIN post_tags p ON p.tag_id = t.id \
                 GROUP BY t.name HAVING count(*) >= :least ORDER BY t.name")
            .bind("least", 2_i64)
            .rows(),
        )
        .await?;
    for (tag, posts) in tags {
        println!("{posts} posts about {tag}");
    }
    Ok(())
}

/// What the database refuses is a typed error, and the session goes on.
async fn refuse(sessions: &SessionMaker) -> limbeck::Result<()> {
    heading("A mistake");
    let mut session = sessions.open();
    let double = session.add(User::builder().email("ada@example.com").username("ada2").hashed_password("…"));
    match session.flush().await {
        Err(Error::UniqueViolation(violation)) => {
            println!("{} has that {} already", violation.table, violation.columns.join(", "));
        }
        other => return other,
    }
    session[double].email = "ada2@example.com".into();
    session.flush().await?;
    println!("{} was mended, saved, and rolled back", session[double].username);
    session.rollback().await
}

/// A transaction that is committed as a whole, or not at all.
async fn remove(sessions: &SessionMaker) -> limbeck::Result<()> {
    heading("A transaction");
    let left = sessions
        .transaction(async |session| {
            let draft = session.add(Tag::builder().name("draft"));
            session.flush().await?;
            session.delete(draft)?;
            session.flush().await?;
            session.count(select(Tag)).await
        })
        .await?;
    println!("one tag came and went: {left} are left");
    Ok(())
}

async fn count_of<M: Model>(session: &mut Session, query: limbeck::sql::Select<M>) -> limbeck::Result<u64> {
    session.count(query).await
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.len()));
}
