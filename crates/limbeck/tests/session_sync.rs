//! Statements over many rows, run through a session: the objects that they change follow.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::sql::{delete, excluded, insert, update};
use limbeck_test_support::{TestDb, both};

/// A session with ada, who wrote `a` (1 view) and `b` (2 views), and bea, who wrote `c` (3 views); all are loaded, and so
/// are the collections.
struct Blog {
    session: Session,
    log: Log,
    ada: Tracked<User>,
    bea: Tracked<User>,
    posts: Vec<Tracked<Post>>,
}

async fn blog(db: &TestDb) -> Result<Blog> {
    let (engine, log) = logged(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let (ada, bea) = (session.add(user("ada")), session.add(user("bea")));
    let posts = [("a", ada, 1), ("b", ada, 2), ("c", bea, 3)]
        .map(|(title, author, views)| session.add(Post::builder().title(title).author(author).views(views)));
    session.commit().await?;
    session.load([ada, bea], User.posts).await?;
    session.commit().await?;
    log.take();
    Ok(Blog { session, log, ada, bea, posts: posts.to_vec() })
}

impl Blog {
    fn views(&self) -> Vec<i32> {
        self.posts.iter().map(|post| self.session[*post].views).collect()
    }

    async fn rows(&mut self) -> Result<Vec<(String, i32)>> {
        self.session.all(select((Post.title, Post.views)).order_by(Post.title)).await
    }

    /// The texts that were sent, without quotes and transactions.
    fn sent(&self) -> Vec<String> {
        let mut sent: Vec<String> = self.log.take().iter().map(|line| line.replace('"', "")).collect();
        sent.retain(|line| !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| line.starts_with(word)));
        sent
    }
}

both! {
    async fn an_update_returns_what_it_changed_in_the_same_statement(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let more = update(Post).set(Post.views, Post.views * 10).filter(Post.title.in_(["a", "c", "x"]));
        assert_eq!(blog.session.execute(&more).await?, 2);
        let sent = blog.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].ends_with(" RETURNING posts.id, posts.views"), "{sent:?}");
        assert_eq!(blog.views(), [10, 2, 30]);
        assert!(!blog.session.has_changes() && !blog.session.is_modified(blog.posts[0])?);
        blog.session.commit().await?;
        assert_eq!(blog.sent(), Vec::<String>::new());
        assert_eq!(blog.rows().await?, [("a".into(), 10), ("b".into(), 2), ("c".into(), 30)]);
        // What was changed on the way is there when the object is changed again.
        blog.session[blog.posts[0]].views += 1;
        blog.session.commit().await?;
        assert_eq!(blog.rows().await?[0], ("a".into(), 11));
        Ok(())
    }

    async fn without_objects_of_the_model_the_plain_statement_is_sent(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        blog.session.expunge_all();
        let more = update(Post).set(Post.views, 7).filter(Post.title.eq("a"));
        assert_eq!(blog.session.execute(&more).await?, 1);
        assert!(!blog.sent().concat().contains("RETURNING"));
        assert_eq!(blog.session.execute(delete(Post).filter(Post.title.eq("b"))).await?, 1);
        assert!(!blog.sent().concat().contains("RETURNING"));
        blog.session.commit().await?;
        assert_eq!(blog.rows().await?, [("a".into(), 7), ("c".into(), 3)]);
        Ok(())
    }

    async fn unflushed_changes_go_first_and_on_update_fires(db: TestDb) -> Result<()> {
        let blog = blog(&db).await?;
        let before = blog.session[blog.ada].updated_at;
        let sessions = blog.session.engine().sessionmaker().autoflush(true);
        let mut session = sessions.open();
        let ada = session.one(select(User).filter(User.username.eq("ada"))).await?;
        session[ada].full_name = Some("Ada".into());
        let named = update(User).set(User.full_name, User.full_name.concat(" L.")).filter(User.username.eq("ada"));
        assert_eq!(session.execute(named).await?, 1);
        assert_eq!(session[ada].full_name.as_deref(), Some("Ada L."));
        assert!(session[ada].updated_at > before);
        let updated = session[ada].updated_at;
        session.commit().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].updated_at, updated);
        Ok(())
    }

    async fn without_autoflush_a_change_of_ones_own_stays_and_is_sent(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let sessions = blog.session.engine().sessionmaker().autoflush(false);
        let mut session = sessions.open();
        let post = session.one(select(Post).filter(Post.title.eq("a"))).await?;
        session[post].views = 100;
        session.execute(update(Post).set(Post.views, 50).set(Post.title, "A").filter(Post.title.eq("a"))).await?;
        assert_eq!((session[post].views, session[post].title.as_str()), (100, "A"));
        assert!(session.is_modified(post)?);
        session.commit().await?;
        assert_eq!(blog.rows().await?[0], ("A".into(), 100));
        session[post].views = 7;
        session.execute(update(Post).set(Post.views, 8).filter(Post.title.eq("A"))).await?;
        session.rollback().await?;
        assert_eq!(session[post].views, 100);
        Ok(())
    }

    async fn a_rollback_takes_back_what_a_statement_did_to_objects(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let Blog { session, ada, posts, .. } = &mut blog;
        session.execute(update(Post).set(Post.views, Post.views + 1).all_rows()).await?;
        let mut nested = session.begin_nested().await?;
        nested.execute(update(Post).set(Post.views, 0).all_rows()).await?;
        nested.execute(delete(Post).filter(Post.title.eq("b"))).await?;
        assert_eq!((nested[posts[0]].views, nested.state(posts[1])?), (0, State::Deleted));
        assert_eq!(nested[*ada].posts.len(), 1);
        nested.rollback().await?;
        assert_eq!((session[posts[0]].views, session.state(posts[1])?), (2, State::Persistent));
        assert_eq!(session[*ada].posts.len(), 2);
        session.rollback().await?;
        assert_eq!(blog.views(), [1, 2, 3]);
        assert_eq!(blog.rows().await?, [("a".into(), 1), ("b".into(), 2), ("c".into(), 3)]);
        Ok(())
    }

    async fn a_statement_that_fails_changes_no_object(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let Blog { session, ada, .. } = &mut blog;
        let mut nested = session.begin_nested().await?;
        nested.execute(update(User).set(User.username, "same").all_rows()).await.expect_err("two of one name");
        assert_eq!(nested[*ada].username, "ada");
        nested.rollback().await?;
        assert_eq!(session[*ada].username, "ada");
        assert_eq!(blog.views(), [1, 2, 3]);
        Ok(())
    }

    async fn a_key_that_is_changed_moves_the_object_to_the_other_collection(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let Blog { session, ada, bea, posts, .. } = &mut blog;
        let to = session[*bea].id;
        session.execute(update(Post).set(Post.author_id, to).filter(Post.title.eq("a"))).await?;
        assert_eq!(session[posts[0]].author.get(), Some(*bea));
        assert_eq!((session[*ada].posts.len(), session[*bea].posts.len()), (1, 2));
        session.rollback().await?;
        assert_eq!(session[posts[0]].author.get(), Some(*ada));
        assert_eq!((session[*ada].posts.len(), session[*bea].posts.len()), (2, 1));
        Ok(())
    }

    async fn a_delete_takes_objects_out_of_collections(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let Blog { session, ada, posts, .. } = &mut blog;
        assert_eq!(session.execute(delete(Post).filter(Post.views.lt(2))).await?, 1);
        assert_eq!(session.state(posts[0])?, State::Deleted);
        assert_eq!(session[*ada].posts.handles().collect::<Vec<_>>(), [posts[1]]);
        session.commit().await?;
        assert!(session.try_get(posts[0]).is_err());
        assert_eq!(session.get(Post, 1).await?, None);
        Ok(())
    }

    async fn deleted_rows_take_those_along_that_refer_to_them(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let Blog { session, ada, bea, posts, .. } = &mut blog;
        // ada is here, bea is not: her post goes with her all the same.
        session.expunge(*bea)?;
        session.execute(delete(User).all_rows()).await?;
        assert_eq!(session.state(*ada)?, State::Deleted);
        for post in posts.iter() {
            assert_eq!(session.state(*post)?, State::Deleted);
        }
        session.rollback().await?;
        for post in posts.iter() {
            assert_eq!(session.state(*post)?, State::Persistent);
        }
        assert_eq!(session[*ada].posts.len(), 2);
        // A key that the database sets to NULL.
        let shelf = session.add(Shelf::builder());
        let (dropped, alone) = (session.add(Dropped::builder().shelf(shelf)), session.add(Dropped::builder().shelf(shelf)));
        session.commit().await?;
        session.expunge(alone)?;
        session.execute(delete(Shelf).all_rows()).await?;
        assert_eq!((session[dropped].shelf_id, session[dropped].shelf.get()), (None, None));
        session.commit().await?;
        assert_eq!(session.count(select(Dropped).filter(Dropped.shelf_id.is_null())).await?, 2);
        Ok(())
    }

    async fn an_upsert_brings_the_row_that_was_there_up_to_date(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let seat = session.add(Seat::builder().room("a").number(1).price(5));
        session.commit().await?;
        let dearer = insert(Seat)
            .rows([1, 2].map(|number| Seat::builder().room("a").number(number).price(7)))
            .on_conflict((Seat.room, Seat.number))
            .do_update()
            .set(Seat.price, Seat.price + excluded(Seat.price));
        assert_eq!(session.execute(&dearer).await?, 2);
        assert_eq!(session[seat].price, 12);
        let seats = session.all(dearer.returning(Seat)).await?;
        assert_eq!(seats[0], seat);
        assert_eq!(seats.iter().map(|seat| session[*seat].price).collect::<Vec<_>>(), [19, 14]);
        session.rollback().await?;
        assert_eq!(session[seat].price, 5);
        Ok(())
    }

    async fn rows_that_a_statement_returns_are_objects_that_are_up_to_date(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let Blog { session, posts, .. } = &mut blog;
        let changed = update(Post).set(Post.views, Post.views + 5).filter(Post.title.eq("a"));
        assert_eq!(session.all(changed.clone().returning(Post)).await?, [posts[0]]);
        assert_eq!(session[posts[0]].views, 6);
        assert_eq!(session.all(changed.returning((Post.title, Post.views))).await?, [("a".into(), 11)]);
        assert_eq!(session[posts[0]].views, 11);
        session.expunge(posts[2])?;
        let gone = session.all(delete(Post).filter(Post.title.ne("b")).returning(Post)).await?;
        assert_eq!(gone.len(), 2);
        for post in gone {
            assert_eq!(session.state(post)?, State::Deleted);
        }
        session.commit().await?;
        assert_eq!(blog.rows().await?, [("b".into(), 2)]);
        Ok(())
    }

    async fn other_tables_aliases_and_subqueries_are_the_databases_business(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let post = Post.alias("p");
        let joined = update(post).set(Post.views, User.id.cast::<i32>() + 100).from(User);
        blog.session.execute(joined.filter(post.author_id.eq(User.id)).filter(User.username.eq("ada"))).await?;
        assert_eq!(blog.views(), [101, 101, 3]);
        let adas = select(User.id).filter(User.username.eq("ada"));
        blog.session.execute(update(Post).set(Post.views, 0).filter(Post.author_id.in_(adas))).await?;
        assert_eq!(blog.views(), [0, 0, 3]);
        // Expired objects are read again when they are looked at.
        blog.session.expire(blog.posts[0])?;
        blog.session.execute(update(Post).set(Post.views, 9).all_rows()).await?;
        assert_eq!(blog.session.fresh(blog.posts[0]).await?.views, 9);
        Ok(())
    }

    async fn objects_are_found_by_the_keys_that_a_statement_gave_them(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let seats: Vec<_> = (1..=3).map(|n| session.add(Seat::builder().room("a").number(n).price(n * 10))).collect();
        session.commit().await?;
        let moved = update(Seat).set(Seat.number, Seat.number + 10).set(Seat.price, 1).filter(Seat.number.ge(2));
        assert_eq!(session.execute(moved).await?, 2);
        let numbers = |session: &Session| seats.iter().map(|seat| session[*seat].number).collect::<Vec<_>>();
        assert_eq!((numbers(&session), session[seats[1]].price), (vec![1, 12, 13], 1));
        assert_eq!(session.get(Seat, ("a".to_string(), 12)).await?, Some(seats[1]));
        assert_eq!(session.get(Seat, ("a".to_string(), 2)).await?, None);
        session[seats[2]].price = 4;
        session.flush().await?;
        session.rollback().await?;
        assert_eq!((numbers(&session), session[seats[1]].price, session[seats[2]].price), (vec![1, 2, 3], 20, 30));
        assert_eq!(session.get(Seat, ("a".to_string(), 2)).await?, Some(seats[1]));
        // A circle of keys, of which each is another's for a moment.
        session.execute(update(Seat).set(Seat.room, Seat.room.concat("b")).all_rows()).await?;
        session.commit().await?;
        assert_eq!(session.get(Seat, ("ab".to_string(), 3)).await?, Some(seats[2]));
        Ok(())
    }

    async fn with_autocommit_a_statement_is_final(db: TestDb) -> Result<()> {
        let mut blog = blog(&db).await?;
        let mut session = blog.session.engine().sessionmaker().autocommit(true).open();
        let post = session.one(select(Post).filter(Post.title.eq("a"))).await?;
        session.execute(update(Post).set(Post.views, 40).filter(Post.title.eq("a"))).await?;
        session.rollback().await?;
        assert_eq!(session[post].views, 40);
        session.execute(delete(Post).filter(Post.title.eq("a"))).await?;
        assert!(session.try_get(post).is_err());
        assert_eq!(blog.rows().await?.len(), 2);
        Ok(())
    }
}
