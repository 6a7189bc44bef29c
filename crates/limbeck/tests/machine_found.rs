//! What the state machine (`machine`) found in the session, each case as small as it can be.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::State;
use limbeck_test_support::{TestDb, both};

both! {
    async fn a_savepoint_is_rolled_back_after_expunge_all(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        session.add(Tag::builder().name("before"));
        let mut nested = session.begin_nested().await?;
        nested.expunge_all();
        let rust = nested.add(Tag::builder().name("rust"));
        nested.flush().await?;
        nested.rollback().await?;
        assert_eq!(session.state(rust)?, State::Transient);
        session.commit().await?;
        assert_eq!(session.all(select(Tag.name)).await?, ["before"]);
        Ok(())
    }

    async fn what_was_read_after_writes_that_no_object_follows_is_read_again_after_a_rollback(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let rust = session.add(Tag::builder().name("rust"));
        session.commit().await?;
        session[rust].name = "Rust".into();
        session.flush().await?;
        session.expunge(rust)?;
        let again = session.get(Tag, 1).await?.expect("the tag");
        assert_eq!(session[again].name, "Rust");
        session.rollback().await?;
        assert!(matches!(session.try_get(again), Err(limbeck::Error::Expired { .. })));
        assert_eq!(session.fresh(again).await?.name, "rust");
        // A key that a DELETE set to NULL, of a row that was read afterwards.
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        session.commit().await?;
        session.expunge(loose)?;
        session.delete(shelf)?;
        session.flush().await?;
        let loose = session.one(select(Loose)).await?;
        assert_eq!(session[loose].shelf_id, None);
        session.rollback().await?;
        let key = session[shelf].id;
        assert_eq!(session.fresh(loose).await?.shelf_id, Some(key));
        Ok(())
    }

    async fn refreshing_an_object_keeps_what_it_was_linked_to(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        session.commit().await?;
        session.unlink(loose, Loose.shelf, shelf)?;
        session.refresh(loose).await?;
        session.commit().await?;
        assert_eq!(session.all(select(Loose.shelf_id)).await?, [None]);
        Ok(())
    }

    async fn an_object_that_was_moved_and_deleted_in_one_flush_is_in_no_collection(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (one, other) = (session.add(Shelf::builder()), session.add(Shelf::builder()));
        let loose = session.add(Loose::builder().shelf(one));
        session.commit().await?;
        session.load(&vec![one, other], Shelf.loose).await?;
        session.link(loose, Loose.shelf, other)?;
        session.delete(loose)?;
        session.commit().await?;
        assert!(session[one].loose.is_empty() && session[other].loose.is_empty());
        Ok(())
    }

    async fn a_collection_that_an_expunged_object_was_moved_out_of_is_loaded_again(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (one, other) = (session.add(Shelf::builder()), session.add(Shelf::builder()));
        let loose = session.add(Loose::builder().shelf(one));
        session.commit().await?;
        session.load(&vec![one, other], Shelf.loose).await?;
        session.link(loose, Loose.shelf, other)?;
        session.expunge(loose)?;
        session.load(&vec![one, other], Shelf.loose).await?;
        assert_eq!((session[one].loose.len(), session[other].loose.len()), (1, 0));
        Ok(())
    }

    async fn a_row_that_goes_with_its_parent_gets_no_new_links(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("Hello").author(ada));
        session.commit().await?;
        // The user has to go first, since another one takes her name.
        session.delete(ada)?;
        session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        session.link(post, Post.tags, rust)?;
        session.commit().await?;
        assert_eq!(session.count(select(Post)).await?, 0);
        session.load(rust, Tag.posts).await?;
        assert!(session[rust].posts.is_empty());
        Ok(())
    }

    async fn a_new_row_that_was_linked_to_a_deleted_one_does_not_fall_to_its_successor(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        session.add(Post::builder().title("Hello").author(ada));
        session.delete(ada)?;
        // SQLite gives her the number of the one that is gone.
        let other = session.add(user("ada"));
        session.commit().await?;
        session.load(other, User.posts).await?;
        assert!(session[other].posts.is_empty());
        assert_eq!(session.count(select(Post)).await?, 0);
        Ok(())
    }

    async fn a_row_whose_key_is_written_leaves_the_collection_though_its_own_field_is_not_loaded(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let loose = session.add(Loose::builder().shelf(shelf));
        session.commit().await?;
        session.expire(loose)?;
        session.fresh(loose).await?;
        session[loose].shelf_id = None;
        session.commit().await?;
        assert!(session[shelf].loose.is_empty());
        Ok(())
    }

    async fn a_parent_that_was_expunged_and_read_again_is_assigned_its_children_once(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let shelf = session.add(Shelf::builder());
        let fixed = session.add(Fixed::builder().shelf(shelf));
        session.commit().await?;
        let id = session.expunge(shelf)?.id;
        let shelf = session.get(Shelf, id).await?.expect("the shelf");
        session.assign(shelf, Shelf.fixed, [fixed]).await?;
        assert_eq!(session[shelf].fixed.len(), 1);
        Ok(())
    }
}
