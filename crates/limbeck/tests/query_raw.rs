//! SQL written by hand: bound values, and what its rows become.

mod common;

use common::*;
use insta::assert_snapshot;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};

async fn blog(db: &TestDb) -> (Engine, Connection) {
    let engine = engine(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(user("ada"));
    let bea = session.add(user("bea"));
    session.add(Post::builder().title("Hello").author(ada).views(10));
    session.add(Post::builder().title("it's").author(bea).views(7));
    session.commit().await.expect("the blog");
    let connection = engine.connect().await.expect("a connection");
    (engine, connection)
}

/// What a statement that cannot be built says.
async fn refused<T: limbeck::sql::Fetch>(db: &mut Connection, query: limbeck::sql::RawQuery<T>) -> String {
    match db.all(query).await {
        Err(limbeck::Error::Statement(message)) => message,
        Err(other) => panic!("expected Error::Statement, got {other:?}"),
        Ok(rows) => panic!("expected Error::Statement, got {} rows", rows.len()),
    }
}

/// The same on each run of the test, of which there is one for each database.
macro_rules! assert_message {
    ($said:expr, @$message:literal) => {
        let said: String = $said;
        insta::allow_duplicates! { assert_snapshot!(said, @$message) }
    };
}

both! {
    async fn rows_become_values_and_tuples(db: TestDb) {
        let (_engine, mut db) = blog(&db).await;
        let titles = sql("SELECT title FROM posts ORDER BY id").rows::<String>();
        assert_eq!(db.all(&titles).await.expect("rows"), ["Hello", "it's"]);
        assert_eq!(db.first(&titles).await.expect("a row").as_deref(), Some("Hello"));
        let rows = sql("SELECT id, title, views > 8, NULL FROM posts WHERE views < :most OR title = :title ORDER BY id")
            .bind("most", 8)
            .bind("title", "Hello")
            .rows::<(i64, String, bool, Option<String>)>();
        assert_eq!(db.all(rows).await.expect("rows"), [
            (1, "Hello".to_owned(), true, None),
            (2, "it's".to_owned(), false, None),
        ]);
        assert_eq!(db.one(sql("SELECT count(*) FROM posts").rows::<i64>()).await.expect("a row"), 2);
    }

    async fn every_type_is_bound(db: TestDb) {
        let (_engine, mut db) = blog(&db).await;
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day");
        let moment = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a moment");
        let text = String::from("it's");
        let query = sql("SELECT :text, :borrowed, :big, :small, :real, :flag, :day, :moment, :none, :maybe, :text")
            .bind("text", "‘x’ :no $1 ?")
            .bind("borrowed", &text)
            .bind("big", i64::MIN)
            .bind("small", 7i16)
            .bind("real", 0.1)
            .bind("flag", true)
            .bind("day", day)
            .bind("moment", moment)
            .bind("none", None::<&str>)
            .bind("maybe", Some(3i32))
            .rows::<(String, String, i64, i16, f64, bool, NaiveDate, DateTime<Utc>, Option<String>, Option<i32>, String)>();
        let row = db.one(query).await.expect("a row");
        let bound = "‘x’ :no $1 ?".to_owned();
        assert_eq!(row, (bound.clone(), text, i64::MIN, 7, 0.1, true, day, moment, None, Some(3), bound));
    }

    async fn rows_become_models_by_column_name(db: TestDb) {
        let (engine, mut db) = blog(&db).await;
        // Another order, a column too many, a comment and a semicolon at the end.
        let posts = sql(
            "SELECT 'extra' AS extra, views, p.title, p.id, author_id FROM posts p WHERE id > :id ORDER BY p.id DESC -- all
            ;",
        );
        let posts = posts.bind("id", 0i64).rows::<Post>();
        let found = db.all(&posts).await.expect("posts");
        let found: Vec<_> = found.iter().map(|post| (post.id, post.title.as_str(), post.views)).collect();
        assert_eq!(found, [(2, "it's", 7), (1, "Hello", 10)]);
        let with = sql("WITH best AS (SELECT * FROM posts WHERE views > 8) SELECT * FROM best").rows::<Post>();
        assert_eq!(db.one(&with).await.expect("a post").title, "Hello");

        // A session gives handles, of which one row has one.
        let mut session = engine.sessionmaker().open();
        let known = session.get(Post, 2).await.expect("a post").expect("a post");
        let handles = session.all(&posts).await.expect("posts");
        assert_eq!(handles[0], known);
        assert_eq!(session[handles[1]].title, "Hello");
        let pairs = session.all(sql("SELECT title, views FROM posts ORDER BY id").rows::<(String, i32)>()).await;
        assert_eq!(pairs.expect("rows"), [("Hello".to_owned(), 10), ("it's".to_owned(), 7)]);
    }

    async fn rows_are_counted(db: TestDb) {
        let (engine, mut db) = blog(&db).await;
        let query = sql("SELECT title FROM posts WHERE views > :views; ").bind("views", 8).rows::<String>();
        assert_eq!(db.count(&query).await.expect("a count"), 1);
        assert!(db.exists(&query).await.expect("an answer"));
        let query = sql("SELECT title FROM posts WHERE views > :views -- more").bind("views", 80).rows::<Post>();
        assert_eq!(db.count(&query).await.expect("a count"), 0);
        let mut session = engine.sessionmaker().open();
        assert!(!session.exists(&query).await.expect("an answer"));
    }

    async fn statements_say_how_many_rows_they_changed(db: TestDb) {
        let (engine, mut db) = blog(&db).await;
        let raise = |by: i32| sql("UPDATE posts SET views = views + :by WHERE views > :from").bind("by", by).bind("from", 5);
        assert_eq!(db.execute_sql(raise(1)).await.expect("an update"), 2);
        assert_eq!(db.execute_sql(raise(-1)).await.expect("an update"), 2);
        let insert = sql("INSERT INTO tags (name) VALUES (:name)").bind("name", "it's");
        assert_eq!(db.execute_sql(insert).await.expect("an insert"), 1);
        let returning = sql("INSERT INTO tags (name) VALUES (:name) RETURNING id, name").bind("name", "sql");
        assert_eq!(db.all(returning.rows::<(i64, String)>()).await.expect("rows"), [(2, "sql".to_owned())]);
        assert_eq!(db.all(select(Tag.name).order_by(Tag.id)).await.expect("rows"), ["it's", "sql"]);
        let mut session = engine.sessionmaker().open();
        assert_eq!(session.execute(sql("DELETE FROM tags")).await.expect("a delete"), 2);
        session.rollback().await.expect("a rollback");
        assert_eq!(db.count(select(Tag)).await.expect("a count"), 2);
    }

    async fn a_name_bound_again_has_the_later_value(db: TestDb) {
        let (_engine, mut db) = blog(&db).await;
        let by_id = sql("SELECT title FROM posts WHERE id = :id").bind("id", 1);
        assert_eq!(db.one(by_id.clone().rows::<String>()).await.expect("a row"), "Hello");
        assert_eq!(db.one(by_id.bind("id", 2).rows::<String>()).await.expect("a row"), "it's");
    }

    async fn binds_that_do_not_fit_are_errors(db: TestDb) {
        let (_engine, mut db) = blog(&db).await;
        let query = sql("SELECT title FROM posts WHERE id = :id AND views = :views").bind("id", 1).rows::<String>();
        assert_message!(refused(&mut db, query).await, @r#"
        `:views` has no value: call `.bind("views", …)`
          in: SELECT title FROM posts WHERE id = :id AND views = :views
        "#);
        let query = sql("SELECT title FROM posts WHERE id = :id").bind("id", 1).bind("di", 1).rows::<String>();
        assert_message!(refused(&mut db, query).await, @"
        a value is bound to `:di`, which is not in the statement
          in: SELECT title FROM posts WHERE id = :id
        ");
        let query = sql("SELECT id, title FROM posts").rows::<(i64, String, i32)>();
        assert_message!(refused(&mut db, query).await, @"the query returns 2 columns, but 3 are read of each row");
        let query = sql("SELECT id, title FROM posts").rows::<i64>();
        assert_message!(refused(&mut db, query).await, @"the query returns 2 columns, but 1 is read of each row");
    }

    async fn a_session_reads_all_columns_or_none(db: TestDb) {
        let (engine, _) = blog(&db).await;
        let mut session = engine.sessionmaker().open();
        let error = session.all(sql("SELECT id, title FROM posts").rows::<i64>()).await.expect_err("too many columns");
        assert!(matches!(error, limbeck::Error::Statement(_)), "{error:?}");
        let error = session.all(sql("SELECT id FROM posts").rows::<(i64, Option<i64>)>()).await.expect_err("too few");
        assert!(matches!(error, limbeck::Error::Statement(_)), "{error:?}");
    }
}
