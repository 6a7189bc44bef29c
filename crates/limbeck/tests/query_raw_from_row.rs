//! `derive(FromRow)`: structs that are read from rows by the names of columns.

mod common;

use common::*;
use insta::assert_snapshot;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::Fetch;
use limbeck_test_support::{TestDb, both};

async fn blog(db: &TestDb) -> (Engine, Connection) {
    let engine = engine(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(user("ada"));
    session.add(Post::builder().title("Hello").author(ada).views(10));
    session.add(Post::builder().title("it's").author(ada).views(7));
    session.commit().await.expect("the blog");
    let connection = engine.connect().await.expect("a connection");
    (engine, connection)
}

/// What a statement that cannot be read says.
async fn refused<T: Fetch + std::fmt::Debug>(db: &mut Connection, sql: limbeck::sql::Sql) -> String {
    db.all(sql.rows::<T>()).await.expect_err("an error").to_string()
}

macro_rules! assert_message {
    ($said:expr, @$message:literal) => {
        let said: String = $said;
        insta::allow_duplicates! { assert_snapshot!(said, @$message) }
    };
}

#[derive(FromRow, Debug, PartialEq)]
struct Report {
    title: String,
    #[from_row(name = "how often")]
    reads: i64,
    r#type: Option<String>,
}

#[derive(FromRow, Debug, PartialEq)]
struct Card {
    id: i64,
    #[from_row(flatten, prefix = "author_")]
    author: Author,
    #[from_row(flatten, prefix = "reviewer_")]
    reviewer: Option<Author>,
    #[from_row(default)]
    likes: i32,
    title: String,
}

#[derive(FromRow, Debug, PartialEq)]
struct Author {
    username: String,
    #[from_row(flatten)]
    contact: Contact,
}

#[derive(FromRow, Debug, PartialEq)]
struct Contact {
    email: Option<String>,
}

both! {
    async fn columns_are_found_by_name(db: TestDb) {
        let (engine, mut db) = blog(&db).await;
        let query = sql!("SELECT 'a' AS type, views + 0 AS \"how often\", 1 AS more, title AS TITLE FROM posts ORDER BY id");
        let expected = [("Hello", 10), ("it's", 7)];
        let expected = expected.map(|(title, reads)| Report { title: title.into(), reads, r#type: Some("a".into()) });
        assert_eq!(db.all(query.clone().rows::<Report>()).await.expect("rows"), expected);
        let mut session = engine.sessionmaker().open();
        assert_eq!(session.all(query.clone().rows::<Report>()).await.expect("rows"), expected);
        assert_eq!(session.count(query.rows::<Report>()).await.expect("a count"), 2);
        let returning = sql!("UPDATE posts SET views = views + 1 WHERE id = 1 RETURNING 't' AS type, views AS \"how often\", title");
        assert_eq!(session.one(returning.rows::<Report>()).await.expect("a row").reads, 11);
    }

    async fn structs_are_flattened(db: TestDb) {
        let (_, mut db) = blog(&db).await;
        let query = sql!(
            "SELECT p.id, title, u.username AS author_username, u.email AS author_email,
                    r.username AS reviewer_username, r.email AS reviewer_email
             FROM posts p JOIN users u ON u.id = p.author_id LEFT JOIN users r ON r.id = p.id ORDER BY p.id"
        );
        let author = || Author { username: "ada".into(), contact: Contact { email: Some("ada@example.com".into()) } };
        assert_eq!(db.all(query.rows::<Card>()).await.expect("rows"), [
            Card { id: 1, author: author(), reviewer: Some(author()), likes: 0, title: "Hello".into() },
            Card { id: 2, author: author(), reviewer: None, likes: 0, title: "it's".into() },
        ]);
        let query = sql!("SELECT 3 AS likes, 1 AS id, 't' AS title, 'u' AS author_username, NULL AS author_email,
            NULL AS reviewer_username, NULL AS reviewer_email");
        let card = db.one(query.rows::<Card>()).await.expect("a row");
        assert_eq!((card.likes, card.author.contact.email, card.reviewer), (3, None, None));
    }

    async fn typed_queries_are_read_in_the_order_of_the_fields(db: TestDb) {
        let (engine, mut db) = blog(&db).await;
        #[derive(FromRow, Debug, PartialEq)]
        struct Line {
            name: String,
            #[from_row(flatten)]
            post: Title,
            reads: i32,
        }
        #[derive(FromRow, Debug, PartialEq)]
        struct Title {
            title: String,
        }
        let query = select((User.username, Post.title, Post.views)).join(User.posts).order_by(Post.id).rows::<Line>();
        let line = |title: &str, reads| Line { name: "ada".into(), post: Title { title: title.into() }, reads };
        assert_eq!(db.all(query.clone()).await.expect("rows"), [line("Hello", 10), line("it's", 7)]);
        let mut session = engine.sessionmaker().open();
        assert_eq!(session.first(query.filter(Post.views.lt(9))).await.expect("a row"), Some(line("it's", 7)));
        assert_eq!(session.all(select(Post.title).order_by(Post.id).rows::<Title>()).await.expect("rows").len(), 2);
        // In a tuple a struct takes the next of the columns.
        let pair = sql!("SELECT title AS anything, id FROM posts ORDER BY id").rows::<(Title, i64)>();
        assert_eq!(session.first(pair).await.expect("a row"), Some((Title { title: "Hello".into() }, 1)));
    }

    async fn what_is_missing_is_named(db: TestDb) {
        let (_, mut db) = blog(&db).await;
        assert_message!(refused::<Report>(&mut db, sql!("SELECT title, views AS reads FROM posts")).await,
            @r#"`Report.reads`: the result has no column `how often`, only `title`, `reads`; rename one by `AS how often` in the statement or by `#[from_row(name = "…")]` at the field"#);
        assert_message!(refused::<Author>(&mut db, sql!("SELECT username FROM users")).await,
            @r#"`Contact.email`: the result has no column `email`, only `username`; rename one by `AS email` in the statement or by `#[from_row(name = "…")]` at the field"#);
        assert_message!(refused::<Contact>(&mut db, sql!("SELECT email, email FROM users")).await,
            @"`Contact.email`: the result has several columns `email`; give each another name by `AS`");
    }

    async fn a_value_that_cannot_be_read_names_the_field(db: TestDb) {
        let (engine, mut db) = blog(&db).await;
        let query = sql!("SELECT 1 AS more, 'x' AS type, title, 'often' AS \"how often\" FROM posts");
        assert_message!(refused::<Report>(&mut db, query.clone()).await,
            @r#"cannot read Report.reads: expected an integer, found the text "often""#);
        let mut session = engine.sessionmaker().open();
        let error = session.all(query.rows::<Report>()).await.expect_err("an error");
        assert_message!(error.to_string(), @r#"cannot read Report.reads: expected an integer, found the text "often""#);
        let query = sql!("SELECT NULL AS username, NULL AS email");
        assert_message!(refused::<Author>(&mut db, query).await,
            @"cannot read Author.username: expected text, found NULL, which only an `Option` can hold");
    }
}

/// A long statement on SQLite runs on a thread of its own, which brings back the names with the rows.
#[tokio::test]
async fn a_long_statement_on_sqlite_keeps_its_names() {
    let engine = Engine::builder("sqlite::memory:").connect().await.expect("a database");
    let mut db = engine.connect().await.expect("a connection");
    #[derive(FromRow, Debug, PartialEq)]
    struct Sum {
        most: i64,
        sum: i64,
    }
    let most = 3_000_000i64;
    let query = sql!(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {most})
         SELECT sum(x) AS sum, max(x) AS most FROM n"
    );
    let sum = db.one(query.rows::<Sum>()).await.expect("a row");
    assert_eq!(sum, Sum { most, sum: most * (most + 1) / 2 });
}
