//! Rollback: memory goes back as well, and what had no row before can be added again.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::prelude::*;
use limbeck::session::State;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

both! {
    async fn columns_keys_and_relationships_have_their_old_values(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let tags = session.add_all(["a", "b", "c"].map(|name| Tag::builder().name(name)));
        let post = session.add(Post::builder().title("old").author(ada).tags([tags[0], tags[1]]));
        session.commit().await?;
        let (stamp, id) = (session[ada].updated_at, session[ada].id);
        for flush in [false, true] {
            session[post].title = "new".into();
            session[ada].full_name = Some("Ada".into());
            session.link(post, Post.author, bob)?;
            session.unlink(post, Post.tags, tags[0])?;
            session.link(post, Post.tags, tags[2])?;
            session.delete(tags[1])?;
            if flush {
                session.flush().await?;
                assert!(session[ada].updated_at > stamp);
                assert_eq!(session[post].author_id, session[bob].id);
                session[post].title = "newer".into();
                session.flush().await?;
                session[post].title = "unsent".into();
            }
            session.rollback().await?;
            assert!(!session.in_transaction());
            assert_eq!(session[post].title, "old");
            assert_eq!((session[ada].updated_at, &session[ada].full_name), (stamp, &None));
            assert_eq!((session[post].author.get(), session[post].author_id), (Some(ada), id));
            assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [post]);
            assert!(session[bob].posts.is_empty());
            assert_eq!(session[post].tags.handles().collect::<Vec<_>>(), [tags[0], tags[1]]);
            assert!(session[tags[2]].posts.is_empty());
            assert_eq!(session[tags[0]].posts.handles().collect::<Vec<_>>(), [post]);
            assert_eq!(session.state(tags[1])?, State::Persistent);
            assert!(!session.has_changes());
            session.commit().await?;
            assert_eq!(session.get(User, id).await?, Some(ada));
        }
        let title: String = session.one(select(Post.title)).await?;
        assert_eq!(title, "old");
        Ok(())
    }

    async fn a_primary_key_that_was_changed_is_found_under_the_old_one(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let tag = session.add(Tag::builder().id(5).name("a"));
        session.commit().await?;
        session[tag].id = 6;
        session.flush().await?;
        assert_eq!(session.get(Tag, 6).await?, Some(tag));
        session.rollback().await?;
        assert_eq!(session.get(Tag, 5).await?, Some(tag));
        assert_eq!(session.get(Tag, 6).await?, None);
        session[tag].id = 7;
        session.commit().await?;
        assert_eq!(session.get(Tag, 7).await?, Some(tag));
        assert_eq!(session.get(Tag, 5).await?, None);
        Ok(())
    }

    async fn a_graph_that_was_rolled_back_can_be_added_again(db: TestDb) -> Result<()> {
        for flush in [false, true] {
            for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
                let db = TestDb::of(db.kind()).expect("another database");
                let mut session = session(db.url()).await;
                let ada = session.add(user("ada"));
                let rust = session.add(Tag::builder().name("rust"));
                let post = session.add(Post::builder().title("a").author(ada).tags([rust]));
                if flush {
                    session.flush().await?;
                    assert!(session[post].id > 0 && session[post].views == 0);
                }
                session.rollback().await?;
                assert_eq!(session.state(ada)?, State::Transient);
                assert_eq!((session[ada].id, session[post].id, session[rust].id), (0, 0, 0));
                assert_eq!(session[ada].username, "ada");
                assert_eq!(session[post].author.get(), Some(ada));
                // Nothing is planned for them.
                session.commit().await?;
                assert_eq!(session.count(select(User)).await?, 0);
                assert!(session.link(post, Post.tags, rust).unwrap_err().to_string().contains("add it again first"));
                session[ada].full_name = Some("Ada".into());
                for which in order {
                    match which {
                        0 => drop(session.add(ada)),
                        1 => drop(session.add(rust)),
                        _ => drop(session.add(post)),
                    }
                }
                session.commit().await?;
                assert_eq!(session.state(post)?, State::Persistent);
                assert_eq!(session[post].author_id, session[ada].id);
                assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [post]);
                assert_eq!(session[post].tags.handles().collect::<Vec<_>>(), [rust]);
                assert_eq!(session[rust].posts.handles().collect::<Vec<_>>(), [post]);
                session.expunge_all();
                let post = session.one(select(Post).with(Post.author).with(Post.tags)).await?;
                assert_eq!(session[session[post].author].full_name.as_deref(), Some("Ada"));
                assert_eq!(session[post].tags.len(), 1);
            }
        }
        Ok(())
    }

    async fn a_link_to_an_object_that_was_not_added_again_is_refused(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("a").author(ada));
        session.rollback().await?;
        session.add(post);
        let refused = session.flush().await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`User`: was rolled back, but `Post.author` links to it: add it again, or unlink it"
        );
        session.add(ada);
        session.commit().await?;
        assert_eq!(session[post].author_id, session[ada].id);
        Ok(())
    }

    async fn a_collection_that_was_loaded_in_the_transaction_does_not_keep_what_was_rolled_back(db: TestDb) -> Result<()> {
        for autoflush in [true, false] {
            let db = TestDb::of(db.kind()).expect("another database");
            let sessions = sessions(db.url()).await.autoflush(autoflush);
            let mut session = sessions.open();
            session.add(user("ada"));
            session.add(Tag::builder().name("rust"));
            session.commit().await?;
            let mut session = sessions.open();
            let ada = session.one(select(User)).await?;
            let rust = session.one(select(Tag)).await?;
            session.add(Post::builder().title("a").author(ada).tags([rust]));
            session.load(ada, User.posts).await?;
            session.load(rust, Tag.posts).await?;
            assert_eq!((session[ada].posts.len(), session[rust].posts.len()), (1, 1));
            session.rollback().await?;
            assert!(!session[ada].posts.is_loaded());
            session.load(ada, User.posts).await?;
            session.load(rust, Tag.posts).await?;
            assert_eq!((session[ada].posts.len(), session[rust].posts.len()), (0, 0));
        }
        Ok(())
    }

    async fn an_object_with_a_key_that_was_given_trusts_the_key_when_added_again(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        session.commit().await?;
        let (first, second) = (session[ada].id, session[bob].id);
        let post = session.add(Post::builder().title("a").author_id(first));
        let tag = session.add(Tag::builder().name("t"));
        session[tag].id = 77;
        session.flush().await?;
        assert_eq!(session[post].author.get(), Some(ada));
        session.rollback().await?;
        assert!(session[ada].posts.is_empty());
        session[post].author_id = second;
        session.add(post);
        session.add(tag);
        session.commit().await?;
        assert_eq!(session[post].author.get(), Some(bob));
        assert_eq!(session[bob].posts.len(), 1);
        assert_eq!(session[tag].id, 77);
        Ok(())
    }

    async fn dropping_the_session_rolls_back(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        session.add(Tag::builder().name("a"));
        session.flush().await?;
        drop(session);
        assert_eq!(sessions.open().count(select(Tag)).await?, 0);
        Ok(())
    }

    async fn ten_thousand_pending_objects_roll_back_at_once(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let tags = session.add_all((0..10_000).map(|i| Tag::builder().name(format!("{i}"))));
        let clock = std::time::Instant::now();
        session.rollback().await?;
        assert!(clock.elapsed().as_secs_f64() < 1.0, "{:?}", clock.elapsed());
        assert!(tags.iter().all(|tag| session.state(*tag).is_ok_and(|state| state == State::Transient)));
        for tag in &tags {
            session.expunge(*tag)?;
        }
        assert!(matches!(session.try_get(tags[0]), Err(Error::StaleHandle { .. })));
        assert!(clock.elapsed().as_secs_f64() < 2.0, "{:?}", clock.elapsed());
        Ok(())
    }

    async fn ten_thousand_posts_are_linked_and_deleted_in_time_that_grows_with_their_number(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        let clock = std::time::Instant::now();
        let posts = session.add_all((0..10_000).map(|i| Post::builder().title(format!("{i}")).author(ada)));
        for post in &posts {
            session.link(*post, Post.tags, rust)?;
        }
        let linked = clock.elapsed();
        session.commit().await?;
        let inserted = clock.elapsed();
        for post in &posts {
            session.delete(*post)?;
        }
        session.commit().await?;
        let deleted = clock.elapsed();
        assert!(session[ada].posts.is_empty());
        assert!(session[rust].posts.is_empty());
        assert!(deleted.as_secs_f64() < 15.0, "linked {linked:?}, inserted {inserted:?}, deleted {deleted:?}");
        Ok(())
    }

    async fn a_column_that_was_set_on_an_expired_object_is_read_again_after_a_rollback(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        for (flush, fresh) in [(false, false), (false, true), (true, false), (true, true)] {
            session.expire_all();
            session.set(ada, User.full_name, Some("Nobody".into()))?;
            if flush {
                session.flush().await?;
            }
            if fresh {
                assert_eq!(session.fresh(ada).await?.full_name.as_deref(), Some("Nobody"));
            }
            session.rollback().await?;
            assert_eq!(session.fresh(ada).await?.full_name, None);
        }
        Ok(())
    }
}
