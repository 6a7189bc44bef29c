//! The settings of a session, each both ways, and `transaction`.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::*;
use limbeck::engine::IsolationLevel;
use limbeck::prelude::*;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

/// An error type of the program's own.
#[derive(Debug)]
enum Mine {
    Refused(&'static str),
    Database(Error),
}

impl From<Error> for Mine {
    fn from(error: Error) -> Self {
        Mine::Database(error)
    }
}

both! {
    async fn without_expire_on_commit_objects_are_read_without_a_query(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        let before = session.engine().stats();
        assert_eq!(session[rust].name, "rust");
        session.fresh(rust).await?;
        assert_eq!(session.engine().stats(), before);
        Ok(())
    }

    async fn with_expire_on_commit_objects_are_read_again(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.clone().expire_on_commit(true).open();
        let ada = session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        assert!(matches!(session.try_get(rust), Err(Error::Expired { model: "Tag" })));
        assert!(matches!(session.try_get_mut(rust), Err(Error::Expired { .. })));
        let ours = std::panic::AssertUnwindSafe(&session);
        let panic = std::panic::catch_unwind(|| ours[rust].id).unwrap_err();
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("session.fresh(handle).await?")));
        let mut other = sessions.open();
        let theirs = other.one(select(Tag)).await?;
        other[theirs].name = "Rust".into();
        other.commit().await?;
        assert_eq!(session.fresh(rust).await?.name, "Rust");
        assert_eq!(session[rust].name, "Rust");
        // A query brings it back as well, and `set` writes without reading.
        session.commit().await?;
        session.set(ada, User.full_name, Some("Ada".into()))?;
        assert!(matches!(session.try_get(ada), Err(Error::Expired { .. })));
        session.all(select(Tag)).await?;
        assert_eq!(session[rust].name, "Rust");
        session.commit().await?;
        assert_eq!(session.fresh(ada).await?.full_name.as_deref(), Some("Ada"));
        assert_eq!(session[ada].username, "ada");
        Ok(())
    }

    async fn autoflush_sends_changes_before_a_query_and_can_be_left_out(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.clone().autoflush(true).open();
        session.add(Tag::builder().name("a"));
        assert_eq!(session.count(select(Tag)).await?, 1);
        session.rollback().await?;
        let mut session = sessions.autoflush(false).open();
        let tag = session.add(Tag::builder().name("a"));
        assert_eq!(session.count(select(Tag)).await?, 0);
        assert_eq!(session.all(select(Tag)).await?, []);
        session.flush().await?;
        assert_eq!(session.all(select(Tag)).await?, [tag]);
        Ok(())
    }

    async fn without_autocommit_a_transaction_stays_open_until_it_is_ended(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        let mut session = engine.sessionmaker().open();
        session.count(select(Tag)).await?;
        assert!(session.in_transaction());
        assert_eq!(engine.pool_status().in_use, 1);
        session.commit().await?;
        assert!(!session.in_transaction());
        assert_eq!(engine.pool_status().in_use, 0);
        Ok(())
    }

    async fn with_autocommit_every_statement_and_flush_is_committed(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        let sessions = engine.sessionmaker();
        let mut session = sessions.clone().autocommit(true).open();
        let tag = session.add(Tag::builder().name("a"));
        session.flush().await?;
        assert!(!session.in_transaction());
        assert_eq!(engine.pool_status().in_use, 0);
        assert_eq!(sessions.open().count(select(Tag)).await?, 1);
        session.rollback().await?;
        assert!(session[tag].id > 0, "there is no way back behind a commit");
        session.count(select(Tag)).await?;
        session.execute(sql("UPDATE tags SET name = 'b'")).await?;
        assert_eq!(engine.pool_status().in_use, 0);
        assert_eq!(sessions.open().all(select(Tag.name)).await?, ["b"]);
        // A flush that fails leaves nothing of itself.
        session.add(Tag::builder().name("c"));
        let twice = session.add(Tag::builder().name("b"));
        assert!(matches!(session.flush().await, Err(Error::UniqueViolation(_))));
        assert_eq!(sessions.open().count(select(Tag)).await?, 1);
        session.expunge(twice)?;
        // Inside `begin` there is a transaction.
        session.begin().await?;
        session.flush().await?;
        assert!(session.in_transaction());
        session.rollback().await?;
        assert!(!session.in_transaction());
        assert_eq!(sessions.open().count(select(Tag)).await?, 1);
        session.begin().await?;
        session.add(Tag::builder().name("d"));
        session.commit().await?;
        session.delete(tag)?;
        session.flush().await?;
        assert!(matches!(session.try_get(tag), Err(Error::StaleHandle { .. })));
        assert_eq!(sessions.open().all(select(Tag.name)).await?, ["d"]);
        Ok(())
    }

    async fn a_transaction_commits_on_ok_and_rolls_back_on_err(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        let sessions = engine.sessionmaker();
        let name = "borrowed".to_string();
        let id = sessions
            .transaction(async |session| {
                let tag = session.add(Tag::builder().name(&name));
                session.flush().await?;
                Ok(session[tag].id)
            })
            .await?;
        assert!(id > 0);
        let refused = sessions
            .transaction(async |session| {
                session.add(Tag::builder().name("lost"));
                session.flush().await?;
                Err::<(), _>(Error::NoRows)
            })
            .await;
        assert!(matches!(refused, Err(Error::NoRows)));
        assert_eq!(sessions.open().all(select(Tag.name)).await?, ["borrowed"]);
        let mine = sessions
            .try_transaction(async |session| {
                session.add(Tag::builder().name("lost"));
                if session.count(select(Tag)).await? > 1 { Err(Mine::Refused("too many")) } else { Ok(()) }
            })
            .await;
        assert!(matches!(mine, Err(Mine::Refused("too many"))));
        let theirs = sessions
            .try_transaction(async |session| {
                session.add(Tag::builder().name("borrowed"));
                Ok::<_, Mine>(())
            })
            .await;
        assert!(matches!(theirs, Err(Mine::Database(Error::UniqueViolation(_)))));
        assert_eq!(engine.pool_status().in_use, 0);
        Ok(())
    }

    #[multi_thread]
    async fn transactions_that_meet_run_again_until_all_are_done(db: TestDb) -> Result<()> {
        create_tables(&Engine::builder(db.url()).connect().await?).await;
        let engine = Engine::builder(db.url()).isolation_level(IsolationLevel::Serializable).connect().await?;
        let sessions = engine.sessionmaker();
        let mut session = sessions.open();
        session.add(Seat::builder().room("a").number(1).price(0));
        session.commit().await?;
        let runs = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (sessions, runs) = (sessions.clone(), Arc::clone(&runs));
                tokio::spawn(async move {
                    sessions
                        .transaction(async move |session| {
                            runs.fetch_add(1, Ordering::Relaxed);
                            let seat = session.one(select(Seat)).await?;
                            tokio::task::yield_now().await;
                            session[seat].price += 1;
                            Ok(())
                        })
                        .await
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic")?;
        }
        session.expunge_all();
        let seat = session.one(select(Seat)).await?;
        assert_eq!(session[seat].price, 4);
        assert_eq!(engine.pool_status().in_use, 1);
        Ok(())
    }
}

#[tokio::test]
async fn a_serialization_failure_is_tried_again_and_not_for_ever() -> Result<()> {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return Ok(()) };
    create_tables(&Engine::builder(db.url()).connect().await?).await;
    let engine = Engine::builder(db.url()).isolation_level(IsolationLevel::Serializable).connect().await?;
    let sessions = engine.sessionmaker();
    let mut session = sessions.open();
    session.add(Seat::builder().room("a").number(1).price(0));
    session.commit().await?;
    // Somebody else changes the row between our read and our write: so often, then no more.
    for (disturbances, runs_wanted) in [(0, 1), (2, 3), (100, 5)] {
        let runs = AtomicU32::new(0);
        let outcome = sessions
            .try_transaction(async |session| {
                let run = runs.fetch_add(1, Ordering::Relaxed);
                let seat = session.one(select(Seat)).await?;
                if run < disturbances {
                    let mut other = sessions.open();
                    let theirs = other.one(select(Seat)).await?;
                    other[theirs].price += 1;
                    other.commit().await?;
                }
                session[seat].price += 1;
                // The error that is returned need not be the server's.
                session.flush().await.map_err(|_| Mine::Refused("flush"))
            })
            .await;
        assert_eq!(runs.load(Ordering::Relaxed), runs_wanted);
        assert_eq!(outcome.is_ok(), disturbances < 5);
        if disturbances > 5 {
            assert!(matches!(outcome, Err(Mine::Refused("flush"))));
        }
    }
    Ok(())
}
