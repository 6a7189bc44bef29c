//! `limbeck::testing`: what it promises to users' tests.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::*;
use limbeck::prelude::*;
use limbeck::session::{Hooks, SessionMaker};
use limbeck::testing::{self, StatementLog, TestDatabase};
use limbeck::{Error, Result, assert_statements};
use limbeck_test_support::{Kind, Postgres, TestDb, both};

fn tag(name: &str) -> impl limbeck::model::New<Model = Tag> + use<> {
    Tag::builder().name(name)
}

async fn names(sessions: &SessionMaker) -> Result<Vec<String>> {
    sessions.open().all(select(Tag.name).order_by(Tag.name)).await
}

both! {
    async fn nothing_is_left_of_a_test_that_is_rolled_back(db: TestDb) -> Result<()> {
        let real = sessions(db.url()).await;
        let mut before = real.open();
        before.add(tag("before"));
        before.commit().await?;
        drop(before);

        let sessions = testing::rolled_back(&real).await?;
        let mut session = sessions.open();
        session.add(tag("committed"));
        session.commit().await?;
        // Code that opens sessions of its own sees it, and commits, and rolls back.
        sessions.transaction(async |session| {
            assert_eq!(session.count(select(Tag)).await?, 2);
            session.add(tag("by a transaction"));
            Ok(())
        }).await?;
        let failed: Result<()> = sessions.transaction(async |session| {
            session.add(tag("never"));
            session.flush().await?;
            Err(Error::NoRows)
        }).await;
        assert!(matches!(failed, Err(Error::NoRows)), "{failed:?}");
        // One that read before does not keep others from writing.
        assert_eq!(session.count(select(Tag)).await?, 3);
        let mut other = sessions.open();
        other.add(tag("dropped"));
        other.flush().await?;
        drop(other);
        session.add(tag("rolled back"));
        session.flush().await?;
        session.rollback().await?;
        let mut connection = sessions.engine().connect().await?;
        connection.execute_raw("INSERT INTO tags (name) VALUES ('by hand')").await?;
        drop(connection);
        assert_eq!(names(&sessions).await?, ["before", "by a transaction", "by hand", "committed"]);

        drop((session, sessions));
        assert_eq!(names(&real).await?, ["before"]);
        Ok(())
    }

    async fn errors_inside_do_not_end_the_transaction_around(db: TestDb) -> Result<()> {
        let real = sessions(db.url()).await;
        let sessions = testing::rolled_back(&real).await?;
        let mut session = sessions.open();
        session.add(tag("a"));
        session.commit().await?;
        // In a flush, in a statement, and in one outside any transaction.
        let again = session.add(tag("a"));
        assert!(matches!(session.commit().await, Err(Error::UniqueViolation(_))));
        session[again].name = "b".into();
        session.commit().await?;
        let mut connection = sessions.engine().connect().await?;
        assert!(connection.execute_raw("SELECT nonsense").await.is_err());
        assert!(connection.fetch_raw::<i64>("SELECT more nonsense", &[]).await.is_err());
        connection.begin().await?;
        connection.execute_raw("INSERT INTO tags (name) VALUES ('c')").await?;
        assert!(connection.execute_raw("INSERT INTO tags (name) VALUES ('a')").await.is_err());
        // As on a server of its own: PostgreSQL refuses to commit, SQLite undid the one statement.
        let refused = connection.commit().await;
        assert_eq!(refused.is_err(), db.is_postgres(), "{refused:?}");
        drop(connection);
        let mut nested = session.begin_nested().await?;
        nested.add(tag("nested"));
        nested.flush().await?;
        nested.rollback().await?;
        session.add(tag("d"));
        session.commit().await?;
        let expected: &[&str] = if db.is_postgres() { &["a", "b", "d"] } else { &["a", "b", "c", "d"] };
        assert_eq!(names(&sessions).await?, expected);
        drop((session, sessions));
        assert_eq!(names(&real).await?.len(), 0);
        Ok(())
    }

    async fn a_future_that_is_dropped_takes_only_its_own_work_along(db: TestDb) -> Result<()> {
        let real = sessions(db.url()).await;
        let sessions = testing::rolled_back(&real).await?;
        let mut session = sessions.open();
        session.add(tag("kept"));
        session.commit().await?;
        for polls in 1..6 {
            let mut other = sessions.open();
            other.add(tag("dropped"));
            let done = polled(other.flush(), polls).await;
            drop(other);
            assert_eq!(names(&sessions).await?, ["kept"], "{polls} polls: {done:?}");
        }
        let mut slow = sessions.engine().connect().await?;
        let sql = if db.is_postgres() { "SELECT pg_sleep(0.3)" } else {
            // A SELECT: SQLite ends the whole transaction when a statement that writes is stopped.
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n"
        };
        let _ = tokio::time::timeout(Duration::from_millis(10), slow.execute_raw(sql)).await;
        drop(slow);
        session.add(tag("after"));
        session.commit().await?;
        drop((session, sessions));
        assert_eq!(names(&real).await?.len(), 0);
        Ok(())
    }

    async fn two_sessions_that_write_at_once_are_told_why_they_cannot(db: TestDb) -> Result<()> {
        let real = sessions(db.url()).await;
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let hooks = Hooks::new().before_insert(Tag, move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        // Settings and hooks come along.
        let sessions = testing::rolled_back(&real.hooks(hooks).autoflush(false)).await?;
        let (mut first, mut second) = (sessions.open(), sessions.open());
        first.add(tag("first"));
        assert_eq!(first.count(select(Tag)).await?, 0, "no autoflush");
        first.flush().await?;
        second.add(tag("second"));
        let refused = second.flush().await.expect_err("both write");
        assert!(refused.to_string().contains("one transaction writes at a time"), "{refused}");
        first.commit().await?;
        second.commit().await?;
        assert_eq!(names(&sessions).await?, ["first", "second"]);
        assert!(calls.load(Ordering::Relaxed) >= 2);
        Ok(())
    }

    async fn statements_are_counted_alike_on_all_databases(db: TestDb) -> Result<()> {
        let log = StatementLog::new();
        let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await?;
        create_tables(&engine).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        log.take();
        let posts = assert_statements!(session, 3, {
            session.add(Post::builder().title("a").author(ada));
            session.add(Post::builder().title("b").author(ada));
            session.flush().await?;
            session.all(select(Post.title).order_by(Post.id)).await?
        });
        assert_eq!(posts, ["a", "b"]);
        assert_statements!(session, 0, { session.commit().await? });
        let queries = log.queries();
        assert_eq!(queries.len(), 3, "{queries:?}");
        assert!(queries[0].starts_with("INSERT INTO users") && queries[1].starts_with("INSERT INTO posts"), "{queries:?}");
        assert_eq!(queries[2], "SELECT posts.title FROM posts ORDER BY posts.id");
        session.count(select(Post)).await?;
        session.rollback().await?;
        assert!(log.take().iter().any(|sql| sql.starts_with("SELECT count(*)")));
        Ok(())
    }
}

#[tokio::test]
#[should_panic(expected = "expected 2 statement(s), 1 were sent")]
async fn another_number_of_statements_fails_the_test() {
    let engine = engine("sqlite::memory:").await;
    let session = &mut engine.sessionmaker().open();
    assert_statements!(session, 2, {
        session.count(select(Tag)).await.expect("a count");
    });
}

static SETUPS: AtomicUsize = AtomicUsize::new(0);

async fn database(url: &str) -> Result<TestDatabase> {
    testing::database(url, async |engine| {
        SETUPS.fetch_add(1, Ordering::Relaxed);
        engine.create_all(&limbeck::metadata![Tag, Post, User]?).await?;
        let mut session = engine.sessionmaker().open();
        session.add(tag("of the setup"));
        session.commit().await
    })
    .await
}

/// What of ours is on a server.
async fn ours(server: &Postgres, like: &str) -> Vec<String> {
    let sql = format!("SELECT datname FROM pg_database WHERE datname LIKE '{like}%' ORDER BY 1");
    server.sql("postgres", &sql).lines().map(str::to_string).collect()
}

#[tokio::test]
async fn each_test_has_a_database_and_the_tables_are_made_once() -> Result<()> {
    if TestDb::of(Kind::Postgres).is_none() {
        return Ok(());
    }
    let server = Postgres::own();
    // What killed runs have left, one of which is running still.
    server.sql("postgres", "CREATE DATABASE limbeck_test_1_dead_0");
    let url = server.url("postgres");
    let (a, b) = tokio::join!(database(&url), database(&url));
    let (a, b) = (a?, b?);
    assert_ne!(a.url(), b.url());
    let setups = SETUPS.load(Ordering::Relaxed);
    assert_eq!(setups, 1, "the second one is a copy");
    assert_eq!(ours(&server, "limbeck_test_").await.len(), 2);
    assert_eq!(ours(&server, "limbeck_template_").await.len(), 1);

    let mut session = a.sessions().open();
    session.add(tag("only here"));
    session.commit().await?;
    assert!(a.log().queries().iter().any(|sql| sql.starts_with("INSERT INTO tags")));
    assert_eq!(names(&a.sessions()).await?, ["of the setup", "only here"]);
    assert_eq!(names(&b.sessions()).await?, ["of the setup"]);

    // At the end, and when a test panics with a session open.
    drop((session, a));
    let panicked = tokio::spawn(async move {
        let mut session = b.sessions().open();
        session.add(tag("lost"));
        session.flush().await.expect("a flush");
        panic!("as a failing assertion does");
    });
    assert!(panicked.await.is_err());
    assert_eq!(ours(&server, "limbeck_test_").await, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_setup_that_fails_leaves_nothing() {
    if TestDb::of(Kind::Postgres).is_none() {
        return;
    }
    let server = Postgres::own();
    let failed = testing::database(&server.url("postgres"), async |_| Err(Error::NoRows)).await;
    assert!(matches!(failed, Err(Error::NoRows)), "{failed:?}");
    assert_eq!(ours(&server, "limbeck_t").await, [""; 0]);
}

#[tokio::test]
async fn a_file_is_gone_with_its_test() -> Result<()> {
    let (a, b) = (database("sqlite://test.db").await?, database("sqlite::memory:").await?);
    let folder =
        std::path::Path::new(a.url().trim_start_matches("sqlite://")).parent().expect("a folder").to_path_buf();
    assert!(folder.join("test.db").exists());
    for database in [&a, &b] {
        let mut session = database.sessions().open();
        session.add(tag("here"));
        session.commit().await?;
        assert_eq!(names(&database.sessions()).await?, ["here", "of the setup"]);
    }
    drop(a);
    assert!(!folder.exists());
    Ok(())
}
