//! Savepoints: a part of a transaction that is given up alone, in the database and in memory.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

both! {
    async fn memory_and_rows_are_as_they_were_at_the_savepoint(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let tag = session.add(Tag::builder().name("a"));
        let gone = session.add(Tag::builder().name("gone"));
        session.commit().await?;
        // Done before the savepoint, and kept.
        session[ada].full_name = Some("Ada".into());
        session.delete(gone)?;
        let early = session.add(Post::builder().title("early").author(ada));
        for how in ["rollback", "drop", "drop unflushed"] {
            let mut nested = session.begin_nested().await?;
            assert_eq!(nested.state(early)?, State::Persistent);
            nested[ada].full_name = Some("Countess".into());
            nested[early].title = "late".into();
            let late = nested.add(Post::builder().title("late").author(ada).tags([tag]));
            nested.link(early, Post.tags, tag)?;
            nested.delete(tag)?;
            if how != "drop unflushed" {
                nested.unlink(early, Post.tags, tag)?;
                nested.unlink(late, Post.tags, tag)?;
                nested.flush().await?;
                assert_eq!(nested.count(select(Post)).await?, 2);
            }
            if how == "rollback" {
                nested.rollback().await?;
            } else {
                drop(nested);
            }
            assert!(session.in_transaction());
            assert_eq!(session.state(late)?, State::Transient);
            assert_eq!(session.state(tag)?, State::Persistent);
            assert_eq!(session.state(gone)?, State::Deleted);
            assert_eq!(session[ada].full_name.as_deref(), Some("Ada"));
            assert_eq!(session[early].title, "early");
            assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [early]);
            assert!(!session.has_changes());
            session.expunge(late)?;
            assert_eq!(session.count(select(Post)).await?, 1, "{how}");
        }
        session.commit().await?;
        let rows: Vec<(String, Option<String>)> =
            session.all(select((Post.title, User.full_name)).join(Post.author)).await?;
        assert_eq!(rows, [("early".to_owned(), Some("Ada".to_owned()))]);
        assert_eq!(session.all(select(Tag.name)).await?, ["a"]);
        Ok(())
    }

    async fn what_is_released_is_part_of_the_transaction(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let mut outer = session.begin_nested().await?;
        let a = outer.add(Tag::builder().name("a"));
        let mut inner = outer.begin_nested().await?;
        let b = inner.add(Tag::builder().name("b"));
        inner.commit().await?;
        let mut inner = outer.begin_nested().await?;
        let c = inner.add(Tag::builder().name("c"));
        drop(inner);
        outer.commit().await?;
        assert_eq!(session.all(select(Tag.name).order_by(Tag.name)).await?, ["a", "b"]);
        session.rollback().await?;
        for tag in [a, b, c] {
            assert_eq!(session.state(tag)?, State::Transient);
        }
        assert_eq!(session.count(select(Tag)).await?, 0);
        Ok(())
    }

    async fn an_error_inside_leaves_the_transaction_outside(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        session.add(Tag::builder().name("a"));
        session.flush().await?;
        let mut nested = session.begin_nested().await?;
        nested.execute(sql("INSERT INTO tags (name) VALUES ('a')")).await.unwrap_err();
        drop(nested);
        let mut nested = session.begin_nested().await?;
        nested.add(Tag::builder().name("a"));
        let error = nested.commit().await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(!session.has_changes());
        session.add(Tag::builder().name("b"));
        session.commit().await?;
        assert_eq!(session.count(select(Tag)).await?, 2);
        Ok(())
    }

    async fn a_savepoint_ends_with_its_transaction(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let mut nested = session.begin_nested().await?;
        let tag = nested.add(Tag::builder().name("a"));
        Session::commit(&mut nested).await?;
        // Of another transaction: nothing of it is undone.
        nested[tag].name = "b".into();
        nested.flush().await?;
        let error = nested.rollback().await.unwrap_err();
        assert_eq!(error.to_string(), "the transaction of the savepoint has ended");
        assert_eq!(session[tag].name, "b");
        session.commit().await?;
        let mut session = sessions.autocommit(true).open();
        assert!(matches!(session.begin_nested().await, Err(Error::Statement(_))));
        session.begin().await?;
        let nested = session.begin_nested().await?;
        nested.commit().await?;
        session.commit().await
    }

    async fn a_session_counts_what_it_sends(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        session.add(Tag::builder().name("a"));
        session.commit().await?;
        let before = session.stats();
        for _ in 0..3 {
            session.all(select(Tag)).await?;
        }
        session.rollback().await?;
        let other = sessions.open();
        assert_eq!(other.stats().statements, 0);
        // The BEGIN and the ROLLBACK of SQLite count.
        let sent = session.stats() - before;
        assert_eq!(sent.statements, if db.is_postgres() { 3 } else { 5 });
        Ok(())
    }
}
