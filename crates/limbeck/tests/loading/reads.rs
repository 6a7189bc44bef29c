//! What rows do with objects that are here already, and joins of the query's own.

use limbeck::prelude::*;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use super::*;

/// Changes a row behind a session's back.
async fn rename(sessions: &SessionMaker, id: i64, name: &str) -> Result<()> {
    let mut other = sessions.open();
    other.execute(update(Author).set(Author.name, name).filter(Author.id.eq(id))).await?;
    other.commit().await
}

both! {
    async fn a_query_leaves_objects_alone_unless_it_is_to_overwrite_them(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.clone().autoflush(false).open();
        let ada = session.one(select(Author).filter(Author.id.eq(1)).with(Author.posts).with(Author.profile)).await?;
        session.commit().await?;
        rename(&sessions, 1, "Ada").await?;
        session.one(select(Author).filter(Author.id.eq(1))).await?;
        assert_eq!(session[ada].name, "ada");
        session[ada].name = "mine".into();
        session.one(select(Author).filter(Author.id.eq(1)).populate_existing().with(Author.profile)).await?;
        assert_eq!(session[ada].name, "Ada", "the change that was not flushed is lost");
        assert!(!session.is_modified(ada)?);
        assert!(session[ada].profile.is_loaded(), "asked for");
        assert!(!session[ada].posts.is_loaded(), "not asked for");
        session.commit().await?;
        assert_eq!(session.one(select(Author.name).filter(Author.id.eq(1))).await?, "Ada");
        Ok(())
    }

    async fn overwriting_reaches_what_is_loaded_along(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        for joined in [false, true] {
            let mut session = sessions.clone().autoflush(false).open();
            let posts = session.all(select(Post).with(Post.author).order_by(Post.id)).await?;
            let ada = session[posts[0]].author.get().expect("ada");
            session[ada].name = "mine".into();
            let query = select(Post).order_by(Post.id).populate_existing();
            session.all(if joined { query.with(Post.author.joined()) } else { query.with(Post.author) }).await?;
            assert_eq!(session[ada].name, "ada", "joined: {joined}");
            assert_eq!(session[posts[0]].author.get(), Some(ada));
            session.rollback().await?;
        }
        Ok(())
    }

    async fn what_was_linked_stays_linked_when_rows_overwrite_objects(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.clone().autoflush(false).open();
        let authors = session.all(select(Author).order_by(Author.id)).await?;
        let post = session.get(Post, 1).await?.expect("it is there");
        session.link(post, Post.author, authors[2])?;
        session[post].title = "mine".into();
        session.all(select(Post).populate_existing()).await?;
        assert_eq!(session[post].title, "Hello");
        assert_eq!(session[post].author.get(), Some(authors[2]));
        session.commit().await?;
        assert_eq!(session.one(select(Post.author_id).filter(Post.id.eq(1))).await?, 3);
        Ok(())
    }

    async fn get_for_update_reads_the_row_and_locks_it(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let ada = session.get(Author, 1).await?.expect("ada");
        session.commit().await?;
        rename(&sessions, 1, "Ada").await?;
        log.take();
        assert_eq!(session.get_for_update(Author, 1).await?, Some(ada));
        assert_eq!(session[ada].name, "Ada");
        let sent = log.take();
        assert_eq!(sent.iter().any(|line| line.ends_with("FOR UPDATE")), db.is_postgres(), "{sent:?}");
        assert!(sent.iter().any(|line| line == "BEGIN (write)"), "{sent:?}");
        assert_eq!(session.get_for_update(Author, 99).await?, None);
        session.rollback().await?;
        let room = session.get_for_update(Room, ("north".to_string(), 2)).await?.expect("a key of two columns");
        assert_eq!(session[room].number, 2);
        Ok(())
    }

    async fn a_join_of_the_query_fills_a_collection_in_part(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Author).join(Author.posts).filter(Post.views.lt(10)).order_by((Author.id, Post.id.desc()));
        let authors = session.all(query.with(Author.posts.from_join().with(Post.tags))).await?;
        let sent = selects(&log);
        let value = if db.is_postgres() { "$1" } else { "?" };
        assert_eq!(sent[0], format!(
            "SELECT authors.*, posts.* FROM authors JOIN posts ON posts.author_id = authors.id WHERE posts.views < {value} \
             ORDER BY authors.id, posts.id DESC"
        ));
        assert_eq!(sent.len(), 2, "and the tags");
        assert_eq!(authors.iter().map(|author| titles(&session, *author)).collect::<Vec<_>>(), [["Bye"], ["Hello"]]);
        assert!(session[authors[0]].posts.is_partial());
        // To one, under another name; the join's target is what its key says, so that it is whole.
        session.expunge_all();
        let boss = Author.alias("boss");
        let posts = session.all(select(Post).join(Post.author.to(boss)).filter(boss.name.eq("ada")).with(Post.author.from_join())).await?;
        assert_eq!(posts.len(), 2);
        assert_eq!(session[session[posts[0]].author].name, "ada");
        assert_eq!(selects(&log).len(), 1);
        let none = session.all(select(Author).with(Author.posts.from_join())).await;
        assert!(matches!(none, Err(Error::Statement(why)) if why.contains(".join(Author.posts)")));
        Ok(())
    }

    async fn a_lock_inside_of_a_view_list_begins_a_transaction_that_writes(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let page = session.one(select(AuthorPage).filter(Author.name.eq("ada"))).await?;
        assert_eq!(page.posts, ["Hello", "Bye"]);
        assert!(log.take().iter().any(|line| line == "BEGIN (write)"));
        Ok(())
    }
}

#[derive(View, Debug)]
#[view(Author)]
struct AuthorPage {
    #[view(path = posts.title, filter = Post.id.in_(select(Post.id).with_for_update()))]
    posts: Vec<String>,
}
