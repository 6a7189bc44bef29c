//! A future of a session that is dropped at any await, and a connection that is cut.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::time::Duration;

use common::*;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

/// What is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Flush,
    Commit,
    Rollback,
    Load,
    All,
}

async fn work(session: &mut Session, post: Tracked<Post>, work: Work) -> Result<()> {
    match work {
        Work::Flush => session.flush().await,
        Work::Commit => session.commit().await,
        Work::Rollback => session.rollback().await,
        Work::Load => session.load(post, Post.tags).await,
        Work::All => session.all(select(Post).with(Post.author)).await.map(drop),
    }
}

/// A session in the middle of its work: something flushed, something not.
async fn begun(sessions: &SessionMaker, name: &str, flushed: bool) -> Result<(Session, Tracked<Post>)> {
    let mut session = sessions.open();
    let post = session.first(select(Post).order_by(Post.id)).await?.expect("a post");
    if flushed {
        session.add(Tag::builder().name(format!("{name} flushed")));
        session.flush().await?;
    } else {
        session.commit().await?;
    }
    session[post].title = name.into();
    let tag = session.add(Tag::builder().name(name));
    session.link(post, Post.tags, tag)?;
    Ok((session, post))
}

async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

both! {
    async fn a_future_dropped_at_any_poll_leaves_a_session_that_a_rollback_mends(db: TestDb) -> Result<()> {
        create_tables(&Engine::builder(db.url()).connect().await?).await;
        let engine = Engine::builder(db.url()).pool_size(2).max_overflow(0).connect().await?;
        let watcher = Engine::builder(db.url()).connect().await?.sessionmaker();
        let sessions = engine.sessionmaker().autoflush(false);
        let mut first = sessions.open();
        let ada = first.add(user("ada"));
        first.add(Post::builder().title("old").author(ada));
        first.commit().await?;
        drop(first);
        for flushed in [false, true] {
            for what in [Work::Flush, Work::Commit, Work::Rollback, Work::Load, Work::All] {
                for polls in 0..100 {
                    let name = format!("{what:?} {flushed} {polls}");
                    let (mut session, post) = begun(&sessions, &name, flushed).await?;
                    let outcome = polled(work(&mut session, post, what), polls).await;
                    if let Some(outcome) = &outcome {
                        assert!(outcome.is_ok(), "{name}: {outcome:?}");
                    } else if let Err(error) = session.count(select(Tag)).await {
                        // Nobody knows what the database has seen, until it is rolled back.
                        assert!(matches!(error, Error::Interrupted), "{name}: {error}");
                        assert!(matches!(session.flush().await, Err(Error::Interrupted)));
                        assert!(matches!(session.commit().await, Err(Error::Interrupted)));
                        assert!(matches!(session.load(post, Post.author).await, Err(Error::Interrupted)));
                        assert!(matches!(session.begin().await, Err(Error::Interrupted)));
                    }
                    session.rollback().await?;
                    assert!(!session.in_transaction());
                    let in_use = async || engine.pool_status().in_use == 0;
                    eventually(&format!("{name}: {:?}", engine.pool_status()), in_use).await;
                    // Nothing is open, and the session works again.
                    let mut other = watcher.open();
                    other.begin().await?;
                    other.execute(sql("UPDATE posts SET title = 'old'")).await?;
                    if !matches!(what, Work::Commit) {
                        let left: i64 = other.one(sql("SELECT count(*) FROM tags").rows::<i64>()).await?;
                        assert_eq!(left, 0, "{name}");
                    }
                    other.execute(sql("DELETE FROM post_tags")).await?;
                    other.execute(sql("DELETE FROM tags")).await?;
                    other.commit().await?;
                    let tag = session.add(Tag::builder().name("works"));
                    session.link(post, Post.tags, tag)?;
                    session.commit().await.unwrap_or_else(|error| panic!("{name}: {error}"));
                    session.delete(tag)?;
                    session.commit().await?;
                    if outcome.is_some() {
                        break;
                    }
                    assert!(polls < 99, "{name}: it never ends");
                }
            }
        }
        Ok(())
    }

    async fn giving_up_the_wait_for_a_connection_leaves_the_session_as_it_was(db: TestDb) -> Result<()> {
        create_tables(&Engine::builder(db.url()).connect().await?).await;
        let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await?;
        let held = engine.connect().await?;
        let mut session = engine.sessionmaker().open();
        let tag = session.add(Tag::builder().name("a"));
        let given_up = tokio::time::timeout(Duration::from_millis(20), session.commit()).await;
        assert!(given_up.is_err());
        drop(held);
        session.commit().await?;
        assert!(session[tag].id > 0);
        Ok(())
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_is_an_error_until_the_rollback() -> Result<()> {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return Ok(()) };
    let engine = engine(db.url()).await;
    let killer = Engine::builder(db.url()).connect().await?;
    let sessions = engine.sessionmaker();
    for flushed in [false, true] {
        let mut session = sessions.open();
        if flushed {
            session.add(Tag::builder().name("before"));
            session.flush().await?;
        } else {
            session.count(select(Tag)).await?;
        }
        let tag = session.add(Tag::builder().name("a"));
        killer
            .connect()
            .await?
            .fetch_raw::<bool>(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                 AND state = 'idle in transaction'",
                &[],
            )
            .await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let lost = session.commit().await.unwrap_err();
        assert!(lost.is_disconnect(), "{lost:?}");
        session.rollback().await?;
        assert!(!session.in_transaction());
        session.add(tag);
        session.commit().await?;
        assert_eq!(session.all(select(Tag)).await?, [tag]);
        session.delete(tag)?;
        session.commit().await?;
    }
    Ok(())
}
