//! Objects in a session: adding, finding, changing, deleting them.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

/// How many statements a piece of work sends.
macro_rules! statements {
    ($session:expr, $work:expr) => {{
        let before = $session.engine().stats();
        let out = $work;
        let after = $session.engine().stats();
        (out, (after - before).statements)
    }};
}

both! {
    async fn an_added_object_can_be_read_at_once_and_has_its_key_after_the_flush(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        assert_eq!(session[ada].username, "ada");
        assert_eq!(session[ada].id, 0);
        assert_eq!(session.state(ada)?, State::Pending);
        session.flush().await?;
        assert!(session[ada].id > 0);
        assert_eq!(session.state(ada)?, State::Persistent);
        assert!(session.in_transaction());
        session.commit().await?;
        assert!(!session.in_transaction());
        Ok(())
    }

    async fn objects_are_numbered_in_the_order_of_add(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let users = session.add_all((0..50).map(|i| user(&format!("user{i}"))));
        session.commit().await?;
        let ids: Vec<i64> = users.iter().map(|user| session[*user].id).collect();
        assert!(ids.is_sorted());
        let names: Vec<String> = session.all(select(User.username).order_by(User.id)).await?;
        assert_eq!(names, users.iter().map(|user| session[*user].username.clone()).collect::<Vec<_>>());
        Ok(())
    }

    async fn a_default_of_the_database_is_read_back_in_the_right_row(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        // In an order that is not the key's.
        let seats = session.add_all([5, 3, 9, 1].map(|n| Seat::builder().room("b").number(n)));
        let dear = session.add(Seat::builder().room("a").number(2).price(70));
        session.commit().await?;
        for (seat, number) in seats.into_iter().zip([5, 3, 9, 1]) {
            assert_eq!((session[seat].number, session[seat].price), (number, 1));
        }
        assert_eq!(session[dear].price, 70);
        assert_eq!(session.get(Seat, ("a".to_string(), 2)).await?, Some(dear));
        Ok(())
    }

    async fn a_key_that_is_given_is_sent_also_when_it_is_the_placeholder(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let zero = session.add(Tag::builder().id(0).name("zero"));
        let by_value = session.add(Tag { id: 0, name: "numbered".into(), posts: Default::default() });
        let seven = session.add(Tag { id: 7, name: "seven".into(), posts: Default::default() });
        session.commit().await?;
        assert_eq!(session[zero].id, 0);
        assert!(session[by_value].id > 0);
        assert_eq!(session[seven].id, 7);
        Ok(())
    }

    async fn get_finds_what_the_session_has_without_a_query(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(user("ada"));
        session.commit().await?;
        let id = session[ada].id;
        let (found, sent) = statements!(session, session.get(User, id).await?);
        assert_eq!((found, sent), (Some(ada), 0));
        let mut other = sessions.open();
        let first = other.get(User, id).await?.expect("the row");
        let (again, sent) = statements!(other, other.get(User, id).await?);
        assert_eq!((again, sent), (Some(first), 0));
        assert_eq!(other.get(User, -1).await?, None);
        assert!(matches!(other.try_get(ada), Err(Error::ForeignHandle { model: "User" })));
        Ok(())
    }

    async fn get_does_not_find_what_is_marked_to_be_deleted(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        let id = session[ada].id;
        session.delete(ada)?;
        assert_eq!(session.get(User, id).await?, None);
        session.flush().await?;
        assert_eq!(session.get(User, id).await?, None);
        Ok(())
    }

    async fn one_row_is_one_object(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        session.add_all([user("ada"), user("bob")]);
        session.commit().await?;
        let mut session = sessions.open();
        let first = session.all(select(User).order_by(User.id)).await?;
        let second = session.all(select(User).order_by(User.id)).await?;
        assert_eq!(first, second);
        // A later query does not overwrite what was loaded and changed.
        session[first[0]].full_name = Some("Ada".into());
        session.all(select(User)).await?;
        assert_eq!(session[first[0]].full_name.as_deref(), Some("Ada"));
        Ok(())
    }

    async fn first_one_and_one_or_none_say_how_many_rows_there_are(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        assert_eq!(session.first(select(User)).await?, None);
        assert_eq!(session.one_or_none(select(User)).await?, None);
        assert!(matches!(session.one(select(User)).await, Err(Error::NoRows)));
        assert!(!session.exists(select(User)).await?);
        let users = session.add_all([user("ada"), user("bob")]);
        assert_eq!(session.count(select(User)).await?, 2);
        assert_eq!(session.first(select(User).order_by(User.id)).await?, Some(users[0]));
        assert!(matches!(session.one(select(User)).await, Err(Error::MultipleRows)));
        assert!(matches!(session.one_or_none(select(User)).await, Err(Error::MultipleRows)));
        let bob = select(User).filter(User.username.eq("bob"));
        assert_eq!(session.one(bob.clone()).await?, users[1]);
        assert_eq!(session.one_or_none(bob.clone()).await?, Some(users[1]));
        assert!(session.exists(bob.clone()).await?);
        assert_eq!(session.count(bob).await?, 1);
        Ok(())
    }

    async fn an_update_sends_only_what_changed(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        log.take();
        session[rust].name = "Rust".into();
        assert!(session.is_modified(rust)?);
        session.commit().await?;
        let sent = log.take().join("\n");
        let update = if db.is_postgres() {
            r#"UPDATE tags SET name = r.c0 FROM unnest($1, $2) AS r(c0, k0) WHERE tags.id = r.k0"#
        } else {
            r#"UPDATE tags SET name = ? WHERE id = ?"#
        };
        assert!(sent.replace('"', "").contains(update), "{sent}");
        // Set and set back, or to what it was: nothing.
        session[ada].full_name = Some("x".into());
        session[ada].full_name = None;
        session[rust].name = "Rust".into();
        assert!(!session.is_modified(ada)?);
        session.commit().await?;
        assert_eq!(log.take(), Vec::<String>::new());
        Ok(())
    }

    async fn on_update_is_applied_when_something_else_changed(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        let before = session[ada].updated_at;
        assert_eq!(before.timestamp_subsec_nanos() % 1000, 0, "times are cut to microseconds");
        session[ada].full_name = Some("Ada".into());
        session.commit().await?;
        let after = session[ada].updated_at;
        assert!(after > before);
        assert_eq!(after.timestamp_subsec_nanos() % 1000, 0);
        session.expire_all();
        assert_eq!(session.fresh(ada).await?.updated_at, after);
        session[ada].is_active = true;
        session.commit().await?;
        assert_eq!(session[ada].updated_at, after);
        Ok(())
    }

    async fn refresh_reads_again_and_forgets_what_was_changed(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        let mut other = sessions.open();
        let theirs = other.one(select(Tag)).await?;
        other[theirs].name = "Rust".into();
        other.commit().await?;
        assert_eq!(session[rust].name, "rust");
        session[rust].name = "mine".into();
        session.refresh(rust).await?;
        assert_eq!(session[rust].name, "Rust");
        assert!(!session.is_modified(rust)?);
        let pending = session.add(Tag::builder().name("new"));
        assert!(matches!(session.refresh(pending).await, Err(Error::InvalidState { model: "Tag", .. })));
        session.expunge(pending)?;
        session.commit().await?;
        other.delete(theirs)?;
        other.commit().await?;
        let gone = session.refresh(rust).await;
        assert!(gone.is_err_and(|e| e.to_string().contains("was deleted by another transaction")));
        Ok(())
    }

    async fn expunge_gives_the_value_back_and_leaves_the_row(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        session[rust].name = "unsent".into();
        let owned = session.expunge(rust)?;
        assert_eq!(owned.name, "unsent");
        assert!(matches!(session.try_get(rust), Err(Error::StaleHandle { model: "Tag" })));
        assert!(matches!(session.expunge(rust), Err(Error::StaleHandle { .. })));
        session.commit().await?;
        let again = session.one(select(Tag)).await?;
        assert_ne!(again, rust);
        assert_eq!(session[again].name, "rust");
        assert!(matches!(session.try_get(rust), Err(Error::StaleHandle { .. })), "the slot is used again");
        // One that is new is not inserted any more.
        let new = session.add(Tag::builder().name("new"));
        session.expunge(new)?;
        session.commit().await?;
        assert_eq!(session.count(select(Tag)).await?, 1);
        Ok(())
    }

    async fn a_rollback_does_not_touch_an_object_in_the_slot_of_an_expunged_one(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        session.add(Tag::builder().name("old"));
        session.commit().await?;
        let mut session = sessions.open();
        let new = session.add(Tag::builder().name("new"));
        session.flush().await?;
        session.expunge(new)?;
        let old = session.one(select(Tag).filter(Tag.name.eq("old"))).await?;
        session.rollback().await?;
        assert_eq!(session.state(old)?, State::Persistent);
        // The session no longer followed what the transaction had written: it looks again.
        assert_eq!(session.fresh(old).await?.name, "old");
        assert!(session[old].id > 0);
        Ok(())
    }

    async fn an_object_that_others_wait_for_cannot_be_expunged(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("a").author(ada));
        let refused = session.expunge(ada).unwrap_err();
        assert!(refused.to_string().contains("a `Post` that is not flushed is linked to it"), "{refused}");
        session.expunge(post)?;
        assert!(session[ada].posts.is_empty());
        session.expunge(ada)?;
        session.commit().await?;
        Ok(())
    }

    async fn a_collection_that_an_expunged_object_was_in_is_loaded_again(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        let post = session.add(Post::builder().title("a").author(ada).tags([rust]));
        session.commit().await?;
        let tagged = session[post].id;
        session.expunge(post)?;
        assert!(!session[ada].posts.is_loaded());
        assert!(!session[rust].posts.is_loaded());
        session.load(ada, User.posts.with(Post.tags)).await?;
        let again = session[ada].posts.handles().next().expect("the post");
        assert_eq!(session[again].id, tagged);
        // The tag has gone: what held its handle is loaded again.
        session.expunge(rust)?;
        session.load(again, Post.tags).await?;
        let tag = session[again].tags.handles().next().expect("the tag");
        assert_eq!(session[tag].name, "rust");
        Ok(())
    }

    async fn expunge_all_makes_every_handle_stale(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        let pending = session.add(Tag::builder().name("pending"));
        session.expunge_all();
        assert!(matches!(session.try_get(rust), Err(Error::StaleHandle { .. })));
        assert!(matches!(session.try_get(pending), Err(Error::StaleHandle { .. })));
        session.commit().await?;
        assert_eq!(session.count(select(Tag)).await?, 1);
        Ok(())
    }

    async fn deleted_rows_go_and_their_objects_with_the_commit(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        assert!(session.delete(rust).unwrap_err().to_string().contains("call `expunge`"));
        session.commit().await?;
        session.delete(rust)?;
        session.delete(rust)?;
        session.flush().await?;
        assert_eq!(session.state(rust)?, State::Deleted);
        assert_eq!(session[rust].name, "rust");
        session.commit().await?;
        assert!(matches!(session.try_get(rust), Err(Error::StaleHandle { .. })));
        assert_eq!(session.count(select(Tag)).await?, 0);
        Ok(())
    }

    async fn adding_a_doomed_object_again_takes_the_mark_away(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        session.delete(rust)?;
        session.add(rust);
        session.commit().await?;
        assert_eq!(session.count(select(Tag)).await?, 1);
        // Once it is sent, only a rollback brings it back.
        session.delete(rust)?;
        session.flush().await?;
        session.add(rust);
        assert!(session.flush().await.unwrap_err().to_string().contains("after a rollback"));
        session.rollback().await?;
        assert_eq!(session.state(rust)?, State::Persistent);
        Ok(())
    }

    async fn delete_nulls_cascades_or_is_refused_as_the_keys_say(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        let dropped = session.add(Dropped::builder().shelf(shelf));
        session.commit().await?;
        session.delete(shelf)?;
        session.flush().await?;
        assert_eq!((session[loose].shelf_id, session[dropped].shelf_id), (None, None));
        assert_eq!(session[loose].shelf.get(), None);
        assert_eq!(session[dropped].shelf.get(), None);
        session.rollback().await?;
        let id = session[shelf].id;
        assert_eq!((session[loose].shelf_id, session[dropped].shelf_id), (Some(id), Some(id)));
        assert_eq!(session[loose].shelf.get(), Some(shelf));
        session.delete(shelf)?;
        session.commit().await?;
        let left: Vec<Option<i64>> = session.all(select(Loose.shelf_id)).await?;
        assert_eq!(left, [None]);
        let left: Vec<Option<i64>> = session.all(select(Dropped.shelf_id)).await?;
        assert_eq!(left, [None]);

        let shelf = session.add(Shelf::builder());
        let fixed = session.add(Fixed::builder().shelf(shelf));
        session.commit().await?;
        session.delete(shelf)?;
        let refused = session.commit().await.unwrap_err();
        assert!(matches!(refused, Error::ForeignKeyViolation(_)), "{refused}");
        assert_eq!(refused.violation().and_then(|v| v.model), Some("Shelf"));
        // Both at once, in either order of calls, is fine.
        session.delete(fixed)?;
        session.commit().await?;
        assert_eq!(session.count(select(Shelf)).await?, 0);
        Ok(())
    }

    async fn deleting_a_user_takes_posts_and_association_rows_along(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let rust = session.add(Tag::builder().name("rust"));
        let hers = session.add(Post::builder().title("hers").author(ada).tags([rust]));
        let his = session.add(Post::builder().title("his").author(bob).tags([rust]));
        session.commit().await?;
        session.delete(ada)?;
        session.flush().await?;
        assert_eq!(session.state(hers)?, State::Deleted);
        assert_eq!(session[rust].posts.handles().collect::<Vec<_>>(), [his]);
        session.rollback().await?;
        assert_eq!(session.state(hers)?, State::Persistent);
        assert_eq!(session[rust].posts.len(), 2);
        assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [hers]);
        session.delete(ada)?;
        session.delete(rust)?;
        session.commit().await?;
        assert!(session[his].tags.is_empty());
        let rows: i64 = session.one(sql("SELECT count(*) FROM post_tags").rows::<i64>()).await?;
        assert_eq!(rows, 0);
        Ok(())
    }

    async fn pair_mut_borrows_two_objects(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let tags = session.add_all(["a", "b"].map(|name| Tag::builder().name(name)));
        session.commit().await?;
        let (a, b) = session.pair_mut(tags[0], tags[1])?;
        std::mem::swap(&mut a.id, &mut b.id);
        assert!(session.is_modified(tags[0])?);
        session.rollback().await?;
        assert!(session.pair_mut(tags[0], tags[0]).unwrap_err().to_string().contains("two different objects"));
        Ok(())
    }
}

#[tokio::test]
async fn handles_of_two_sessions_never_fit_each_other() -> Result<()> {
    let sessions = sessions("sqlite::memory:").await;
    let (mut one, mut two) = (sessions.open(), sessions.open());
    let a = one.add(Tag::builder().name("a"));
    let b = two.add(Tag::builder().name("b"));
    assert!(matches!(one.try_get(b), Err(Error::ForeignHandle { .. })));
    assert!(matches!(two.delete(a), Err(Error::ForeignHandle { .. })));
    assert!(matches!(two.expunge(a), Err(Error::ForeignHandle { .. })));
    assert!(matches!(two.set(a, Tag.name, "x"), Err(Error::ForeignHandle { .. })));
    assert!(matches!(two.load(a, Tag.posts).await, Err(Error::ForeignHandle { .. })));
    // Also when the other session has used that slot before.
    two.expunge(b)?;
    assert!(matches!(two.try_get(a), Err(Error::ForeignHandle { .. })));
    assert!(matches!(two.try_get(b), Err(Error::StaleHandle { .. })));
    // `add` has no error to return: the flush says it, once.
    two.add(a);
    assert!(matches!(two.flush().await, Err(Error::ForeignHandle { .. })));
    two.flush().await?;
    Ok(())
}

#[test]
fn a_session_is_send_and_sync() {
    fn assert<T: Send + Sync>() {}
    assert::<Session>();
}

both! {
    async fn what_the_next_flush_would_do_can_be_asked(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        assert_eq!(session.new(User).collect::<Vec<_>>(), [ada, bob]);
        assert_eq!(session.new(Tag).count(), 0);
        let tag = session.add(Tag::builder().name("a"));
        let post = session.add(Post::builder().title("t").author(ada));
        session.commit().await?;
        assert_eq!((session.new(User).count(), session.dirty(User).count(), session.deleted(User).count()), (0, 0, 0));
        session[ada].full_name = Some("Ada".into());
        session[bob].is_active = true;
        session.link(post, Post.author, bob)?;
        session.delete(tag)?;
        assert_eq!(session.dirty(User).collect::<Vec<_>>(), [ada]);
        assert_eq!(session.dirty(Post).collect::<Vec<_>>(), [post]);
        assert_eq!(session.deleted(Tag).collect::<Vec<_>>(), [tag]);
        session.flush().await?;
        assert_eq!((session.dirty(User).count(), session.dirty(Post).count(), session.deleted(Tag).count()), (0, 0, 0));
        session.commit().await
    }

    async fn one_object_can_be_expired(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        assert!(matches!(session.expire(ada), Err(Error::InvalidState { .. })));
        session.commit().await?;
        session.execute(sql("UPDATE users SET full_name = 'new'")).await?;
        session[ada].username = "forgotten".into();
        session.expire(ada)?;
        assert!(matches!(session.try_get(ada), Err(Error::Expired { model: "User" })));
        assert_eq!(session[bob].full_name, None);
        let fresh = session.fresh(ada).await?;
        assert_eq!((fresh.full_name.as_deref(), fresh.username.as_str()), (Some("new"), "ada"));
        assert!(!session[ada].posts.is_loaded());
        let post = session.add(Post::builder().title("t").author(ada));
        session.flush().await?;
        session.link(post, Post.author, bob)?;
        let error = session.expire(post).unwrap_err();
        assert!(error.to_string().contains("flush first"), "{error}");
        session.commit().await
    }
}
