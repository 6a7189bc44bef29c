//! `sql!`: what stands in its braces, and what the database gets of it.

mod common;

use std::collections::{BTreeSet, HashSet};

use common::*;
use insta::assert_snapshot;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};

async fn blog(db: &TestDb) -> (Connection, Log) {
    let (engine, log) = logged(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(user("ada"));
    session.add(Post::builder().title("Hello").author(ada).views(10));
    session.add(Post::builder().title("it's").author(ada).views(7));
    session.add(Post::builder().title("100%").author(ada).views(0));
    session.commit().await.expect("the blog");
    log.take();
    (engine.connect().await.expect("a connection"), log)
}

/// The one statement that was sent, as both databases spell it: SQLite's above PostgreSQL's. A run has one of them.
macro_rules! assert_sent {
    ($db:expr, $log:expr, $sqlite:literal, $postgres:literal) => {
        let expected = if $db.url().starts_with("sqlite") { $sqlite } else { $postgres };
        assert_eq!($log.take(), [expected]);
    };
}

struct Search {
    least: i32,
    title: Option<&'static str>,
    range: (i32, i32),
}

impl Search {
    async fn run(&self, db: &mut Connection) -> Vec<String> {
        let query = sql!(
            "SELECT title FROM posts
             WHERE views >= {self.least} AND views BETWEEN {self.range.0} AND {self.range.1} AND ({self.title} IS NULL)"
        );
        db.all(query.rows::<String>()).await.expect("titles")
    }
}

both! {
    async fn braces_are_bound_values(db: TestDb) {
        let (mut connection, log) = blog(&db).await;
        let title = String::from("it's'); DROP TABLE posts; --");
        let views = 7;
        let query = sql!("SELECT id FROM posts WHERE title = {title} OR (title <> {title} AND views = {views})");
        assert_eq!(connection.all(query.rows::<i64>()).await.expect("ids"), [2]);
        assert_sent!(db, log,
            "SELECT id FROM posts WHERE title = ? OR (title <> ? AND views = ?)",
            "SELECT id FROM posts WHERE title = $1 OR (title <> $2 AND views = $3)"
        );
        // It was borrowed.
        assert_eq!(title.len(), 28);
    }

    async fn braces_take_fields_and_arguments(db: TestDb) {
        let (mut connection, log) = blog(&db).await;
        let search = Search { least: 1, title: None, range: (0, 9) };
        assert_eq!(search.run(&mut connection).await, ["it's"]);
        log.take();
        let n = 1;
        // An argument is evaluated once, however often it is named.
        let mut asked = 0;
        let query = sql!(
            "SELECT title FROM posts WHERE views > {least} AND views <> {least} ORDER BY id LIMIT {limit}",
            limit = i64::from(n * 2),
            least = { asked += 1; asked },
        );
        assert_eq!(connection.all(query.rows::<String>()).await.expect("titles"), ["Hello", "it's"]);
        assert_eq!(asked, 1);
        assert_sent!(db, log,
            "SELECT title FROM posts WHERE views > ? AND views <> ? ORDER BY id LIMIT ?",
            "SELECT title FROM posts WHERE views > $1 AND views <> $2 ORDER BY id LIMIT $3"
        );
    }

    async fn every_type_is_bound(db: TestDb) {
        let (mut connection, _) = blog(&db).await;
        let (text, borrowed, day) = (String::from("‘x’ {no} $1 ?"), "it's", NaiveDate::from_ymd_opt(2026, 11, 22));
        let (to_text, none, maybe) = (&text, None::<i64>, Some("some"));
        let (small, real, flag) = (7i16, 0.5, true);
        let moment = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a moment");
        let query = sql!("SELECT {text}, {to_text}, {borrowed}, {day}, {none}, {maybe}, {small}, {real}, {flag}, {moment}, {other}",
            other = text.as_str());
        type Row = (String, String, String, Option<NaiveDate>, Option<i64>, Option<String>, i16, f64, bool, DateTime<Utc>, String);
        let row: Row = connection.one(query.rows()).await.expect("a row");
        assert_eq!(row, (text.clone(), text.clone(), "it's".into(), day, None, Some("some".into()), 7, 0.5, true, moment, text));
    }

    async fn a_list_is_one_parameter(db: TestDb) {
        let (mut connection, log) = blog(&db).await;
        let mut titles = vec!["Hello", "it's"];
        for expected in [vec![1, 2], vec![1, 2, 3], vec![]] {
            let query = sql!("SELECT id FROM posts WHERE title IN {..titles} ORDER BY id").rows::<i64>();
            assert_eq!(connection.all(query).await.expect("ids"), expected);
            assert_sent!(db, log,
                "SELECT id FROM posts WHERE title IN (SELECT value FROM json_each(?)) ORDER BY id",
                "SELECT id FROM posts WHERE title = ANY($1) ORDER BY id"
            );
            if titles.len() == 3 { titles.clear() } else { titles.push("100%") }
        }
        let ids = [1i64, 3];
        let query = sql!("SELECT id FROM posts WHERE id NOT IN ({..ids}) AND id in {..more}", more = &ids.map(|id| id + 1)[..]);
        assert_eq!(connection.all(query.rows::<i64>()).await.expect("ids"), [2]);
        assert_sent!(db, log,
            "SELECT id FROM posts WHERE id NOT IN (SELECT value FROM json_each(?)) AND id IN (SELECT value FROM json_each(?))",
            "SELECT id FROM posts WHERE id <> ALL($1) AND id = ANY($2)"
        );
        let (hashed, sorted, borrowed) = (HashSet::from([1i64]), BTreeSet::from([1i64]), &vec![Some(1i64)]);
        let query = sql!("SELECT id FROM posts WHERE id IN {..hashed} AND id IN {..sorted} AND id IN {..borrowed}");
        assert_eq!(connection.all(query.rows::<i64>()).await.expect("ids"), [1]);
    }

    async fn a_list_of_another_length_is_not_prepared_again(db: TestDb) {
        let (mut connection, _) = blog(&db).await;
        let mut ids = vec![1i64];
        for _ in 0..3 {
            let query = sql!("SELECT count(*) FROM posts WHERE id IN {..ids}").rows::<i64>();
            assert_eq!(connection.one(query).await.expect("a count"), ids.len() as i64);
            ids.push(ids.len() as i64 + 1);
        }
        assert_eq!(connection.stats().prepares, 1);
    }

    async fn names_are_those_of_the_model(db: TestDb) {
        let (mut connection, log) = blog(&db).await;
        let (author, p) = (1i64, Post.alias("p"));
        let query = sql!("SELECT {#p.title}, {#User.username} FROM {#Post} AS {#p} JOIN {#User} ON {#User.id} = {#p.author_id}
            WHERE {#p.author_id} = {author} AND {#p.id} = 1");
        assert_eq!(connection.one(query.rows::<(String, String)>()).await.expect("a row"), ("Hello".into(), "ada".into()));
        assert_sent!(db, log,
            "SELECT p.title, users.username FROM posts AS p JOIN users ON users.id = p.author_id WHERE p.author_id = ? AND p.id = 1",
            "SELECT p.title, users.username FROM posts AS p JOIN users ON users.id = p.author_id WHERE p.author_id = $1 AND p.id = 1"
        );
    }

    async fn text_is_left_alone(db: TestDb) {
        let (mut connection, _) = blog(&db).await;
        let id = 1i64;
        let query = sql!("SELECT '10:30 :id', '{{\"a\": {{}}}}', title -- it's a ? and a $1
            FROM posts /* \" */ WHERE id = {id};");
        let row: (String, String, String) = connection.one(query.clone().rows()).await.expect("a row");
        assert_eq!(row, ("10:30 :id".into(), "{\"a\": {}}".into(), "Hello".into()));
        assert_eq!(connection.count(query.rows::<(String, String, String)>()).await.expect("a count"), 1);
    }

    async fn rows_become_models_and_statements_are_executed(db: TestDb) {
        let (engine, _) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("Hello").author(ada).views(10));
        session.flush().await.expect("a flush");
        let (by, title) = (5, "Hello");
        assert_eq!(session.execute(sql!("UPDATE posts SET views = views + {by} WHERE title = {title}")).await.expect("one"), 1);
        let found = session.one(sql!("SELECT * FROM posts WHERE views = {views}", views = by + 10).rows::<Post>()).await;
        assert_eq!(found.expect("the post"), post);
    }

    async fn a_name_of_the_other_form_is_refused(db: TestDb) {
        let (mut connection, _) = blog(&db).await;
        let id = 1i64;
        let query = sql!("SELECT title FROM posts WHERE id = {id}").bind("id", 2i64).rows::<String>();
        let error = connection.all(query).await.expect_err("nothing is called `:id`");
        insta::allow_duplicates! { assert_snapshot!(error, @"
        a value is bound to `:id`, which is not in the statement
          in: SELECT title FROM posts WHERE id = {}
        ") }
    }
}
