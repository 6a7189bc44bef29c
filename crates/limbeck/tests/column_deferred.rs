//! `Deferred<T>`: columns that are fetched when they are asked for.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(missing_docs, unreachable_pub)]

use limbeck::dialect::Dialect;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
pub struct Author {
    #[column(primary_key)]
    pub id: i64,
    pub bio: Deferred<Option<String>>,
    pub name: String,
    #[relationship(back_populates = author)]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(text)]
    pub body: Deferred<String>,
    pub title: String,
    #[column(server_default = "'new'")]
    pub state: Deferred<String>,
    #[column(foreign_key(Author.id))]
    pub author_id: i64,
    #[relationship(back_populates = posts)]
    pub author: BelongsTo<Author>,
}

/// A key of two columns.
#[derive(Model, Debug)]
pub struct Page {
    #[column(primary_key)]
    pub book: String,
    #[column(primary_key)]
    pub number: i32,
    pub text: Deferred<String>,
}

/// In a schema of its own, on PostgreSQL.
#[derive(Model, Debug)]
#[model(schema = "archive")]
pub struct Scan {
    #[column(primary_key)]
    pub id: i64,
    pub image: Deferred<Vec<u8>>,
}

async fn open(db: &TestDb) -> Session {
    let engine = Engine::builder(db.url()).connect().await.expect("a database");
    let metadata = limbeck::metadata![Author, Post, Page].expect("models that fit");
    engine.create_all(&metadata).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    let ada = session.add(Author::builder().name("ada").bio("long".to_string()));
    session.add(Author::builder().name("bea"));
    for title in ["a", "b", "c"] {
        session.add(Post::builder().title(title).body(format!("body of {title}")).author(ada));
    }
    session.commit().await.expect("rows");
    session.expunge_all();
    session
}

/// How many statements a piece of work sends.
macro_rules! statements {
    ($session:expr, $work:expr) => {{
        let before = $session.engine().stats();
        let out = $work;
        let after = $session.engine().stats();
        (out, (after - before).statements)
    }};
}

#[test]
fn deferred_columns_are_numbered_last_and_are_not_selected() {
    let names: Vec<_> = Post::def().columns.iter().map(|column| (column.name, column.deferred)).collect();
    assert_eq!(names, [("id", false), ("title", false), ("author_id", false), ("body", true), ("state", true)]);
    let sql = |query: &limbeck::sql::Select<Post>| query.to_sql(Dialect::Postgres).unwrap();
    assert_eq!(sql(&select(Post)), "SELECT posts.id, posts.title, posts.author_id FROM posts");
    assert_eq!(
        sql(&select(Post).undefer(Post.body).undefer(Post.body).undefer(Post.title)),
        "SELECT posts.id, posts.title, posts.author_id, posts.body FROM posts"
    );
}

#[test]
fn undefer_is_for_what_is_selected() {
    let error = select(Post.title).undefer(Post.body).to_sql(Dialect::Sqlite).unwrap_err().to_string();
    assert_eq!(
        error,
        "`.undefer(Post.body)` is for a query that selects `Post` itself; one of single columns selects `Post.body`"
    );
}

#[test]
#[should_panic = "`Post.body` is deferred and was not loaded: add `.undefer(Post.body)` to the query, or call \
                  `session.load_column(handle, Post.body).await?`"]
fn reading_what_is_not_loaded_names_the_call() {
    let body: Deferred<String> = Deferred::unloaded("Post.body");
    let _ = body.len();
}

#[test]
fn a_relationship_does_not_go_by_a_deferred_column() {
    #[derive(Model)]
    struct Land {
        #[column(primary_key)]
        id: i64,
        #[column(unique)]
        code: Deferred<String>,
        #[relationship(back_populates = land)]
        towns: HasMany<Town>,
    }
    #[derive(Model)]
    struct Town {
        #[column(primary_key)]
        id: i64,
        #[column(foreign_key(Land.code))]
        land_code: String,
        #[relationship(back_populates = towns, key = land_code)]
        land: BelongsTo<Land>,
    }
    let error = limbeck::metadata![Land, Town].unwrap_err().to_string();
    assert!(error.contains("goes by `Land.code`, which is `Deferred`"), "{error}");
}

both! {
    async fn a_column_is_loaded_by_the_query_or_afterwards(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let posts = session.all(select(Post).order_by(Post.title)).await?;
        assert!(posts.iter().all(|post| !session[*post].body.is_loaded()));
        assert_eq!(session[posts[0]].body.get(), None);
        let Err(Error::Deferred { column }) = session[posts[0]].body.try_get() else { panic!("it is not loaded") };
        assert_eq!(column, "Post.body");

        let (done, sent) = statements!(session, session.load_column(posts[0], Post.body).await);
        done?;
        assert_eq!((&**session[posts[0]].body, sent), ("body of a", 1));
        let (done, sent) = statements!(session, session.load_column(&posts, Post.body).await);
        done?;
        assert_eq!((&**session[posts[2]].body, sent), ("body of c", 1));
        let (done, sent) = statements!(session, session.load_column(&posts, Post.body).await);
        done?;
        assert_eq!(sent, 0);
        assert!(!session.is_modified(posts[0])? && !session.has_changes());
        assert!(!session[posts[0]].state.is_loaded());

        // Objects that are there already get it, too.
        let same = session.all(select(Post).undefer(Post.state).order_by(Post.title)).await?;
        assert_eq!(same, posts);
        assert_eq!(*session[posts[1]].state, "new");
        Ok(())
    }

    async fn a_tuple_finds_each_model_s_columns(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let query = select((Post, Post.id, Author)).join(Post.author).undefer(Author.bio).undefer(Post.body)
            .order_by(Post.title);
        let rows = session.all(&query).await?;
        let (post, id, author) = rows[1];
        assert_eq!((session[post].id, session[post].body.as_str()), (id, "body of b"));
        assert_eq!((session[author].name.as_str(), session[author].bio.as_deref()), ("ada", Some("long")));
        let engine = session.engine().clone();
        let rows = engine.connect().await?.all(&query).await?;
        assert_eq!((rows[2].0.body.as_str(), rows[2].2.bio.as_deref()), ("body of c", Some("long")));
        assert!(!rows[2].0.state.is_loaded());
        Ok(())
    }

    async fn null_is_a_value_and_not_loaded_is_none(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let bea = session.one(select(Author).filter(Author.name.eq("bea")).undefer(Author.bio)).await?;
        assert_eq!(session[bea].bio.get(), Some(&None));
        let filtered = session.one(select(Author).filter(Author.bio.is_not_null())).await?;
        assert!(!session[filtered].bio.is_loaded());
        session.refresh(bea).await?;
        assert!(!session[bea].bio.is_loaded());
        Ok(())
    }

    async fn a_new_object_has_it(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let author = session.one(select(Author).filter(Author.name.eq("ada"))).await?;
        let post = session.add(Post::builder().title("d").body("text").author(author));
        session.commit().await?;
        assert_eq!((session[post].body.as_str(), session[post].state.as_str()), ("text", "new"));
        Ok(())
    }

    async fn setting_needs_no_loading_and_sends_one_column(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let posts = session.all(select(Post).order_by(Post.title)).await?;
        session[posts[0]].body.set("new text");
        session[posts[1]].body = "other".to_string().into();
        session.set(posts[2], Post.body, "third".to_string())?;
        assert_eq!(*session[posts[0]].body, "new text");
        let (done, sent) = statements!(session, session.flush().await);
        done?;
        // BEGIN, and one statement for all; on SQLite it runs once a row.
        assert_eq!(sent, if db.is_postgres() { 2 } else { 3 });
        session.commit().await?;
        let bodies: Vec<String> = session.all(select(Post.body).order_by(Post.title)).await?;
        assert_eq!(bodies, ["new text", "other", "third"]);
        Ok(())
    }

    async fn a_rollback_makes_what_was_set_unloaded_again(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let post = session.one(select(Post).filter(Post.title.eq("a"))).await?;
        let ada = session.one(select(Author).filter(Author.name.eq("ada"))).await?;
        session[post].body.set("flushed");
        session[ada].bio = None.into();
        session.flush().await?;
        session.rollback().await?;
        assert!(!session[post].body.is_loaded() && !session[ada].bio.is_loaded());
        session[post].body.set("never sent");
        session.rollback().await?;
        assert!(!session[post].body.is_loaded());
        session.load_column(post, Post.body).await?;
        assert_eq!(*session[post].body, "body of a");
        Ok(())
    }

    async fn what_is_loaded_beside_a_change_is_no_change(db: TestDb) -> Result<()> {
        let mut session = open(&db).await.engine().sessionmaker().autoflush(false).open();
        let post = session.one(select(Post).filter(Post.title.eq("a"))).await?;
        session[post].title = "z".into();
        session.load_column(post, Post.body).await?;
        session[post].title = "a".into();
        assert!(!session.is_modified(post)?);
        session[post].body.push('!');
        session.commit().await?;
        assert_eq!(session.one(select(Post.body).filter(Post.id.eq(session[post].id))).await?, "body of a!");
        Ok(())
    }

    async fn many_rows_with_a_key_of_two_columns_are_one_statement(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        session.add_all((0..120).map(|n| Page::builder().book("b").number(n).text(format!("page {n}"))));
        session.commit().await?;
        session.expunge_all();
        let pages = session.all(select(Page).order_by(Page.number)).await?;
        let (done, sent) = statements!(session, session.load_column(&pages, Page.text).await);
        done?;
        assert_eq!(sent, 1);
        assert!(pages.iter().enumerate().all(|(n, page)| *session[*page].text == format!("page {n}")));
        Ok(())
    }

    async fn a_column_of_another_schema_s_table_is_loaded(db: TestDb) -> Result<()> {
        let engine = Engine::builder(db.url()).connect().await?;
        engine.create_all(&limbeck::metadata![Scan]?).await?;
        let mut session = engine.sessionmaker().open();
        session.add_all((0..3).map(|n| Scan::builder().image(vec![n])));
        session.commit().await?;
        session.expunge_all();
        let scans = session.all(select(Scan).order_by(Scan.id)).await?;
        session.load_column(&scans, Scan.image).await?;
        assert_eq!(*session[scans[2]].image, [2]);
        session[scans[2]].image.set(vec![9]);
        session.commit().await?;
        assert_eq!(session.all(select(Scan.image).order_by(Scan.id)).await?, [vec![0], vec![1], vec![9]]);
        Ok(())
    }

    async fn a_row_that_is_gone_is_an_error(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let post = session.one(select(Post).filter(Post.title.eq("a"))).await?;
        session.execute(sql("delete from posts")).await?;
        let error = session.load_column(post, Post.body).await.unwrap_err().to_string();
        assert!(error.contains("row is gone"), "{error}");
        Ok(())
    }

    async fn an_object_that_does_not_know_its_column_is_not_added(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let page = session.add(Page::builder().book("b").number(1).text("text"));
        session.commit().await?;
        let mut other = session.engine().sessionmaker().open();
        let page_there = other.get(Page, ("b".to_string(), 1)).await?.expect("the page");
        let mut unloaded = other.expunge(page_there)?;
        unloaded.number = 2;
        session.add(unloaded);
        let error = session.flush().await.unwrap_err().to_string();
        assert!(error.contains("`Page.text`"), "{error}");
        assert_eq!(*session[page].text, "text");
        Ok(())
    }

    async fn an_expired_object_is_read_again_first(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let post = session.one(select(Post).filter(Post.title.eq("a"))).await?;
        session.expire_all();
        session.load_column(post, Post.body).await?;
        assert_eq!((session[post].title.as_str(), session[post].body.as_str()), ("a", "body of a"));
        session.expire_all();
        let again = session.one(select(Post).filter(Post.title.eq("a")).undefer(Post.body)).await?;
        assert_eq!(session[again].body.as_str(), "body of a");
        Ok(())
    }

    async fn raw_sql_into_a_model_leaves_it_out(db: TestDb) -> Result<()> {
        let mut session = open(&db).await;
        let posts = session.all(sql("select * from posts order by title").rows::<Post>()).await?;
        assert_eq!((session[posts[0]].title.as_str(), session[posts[0]].body.is_loaded()), ("a", false));
        Ok(())
    }
}
