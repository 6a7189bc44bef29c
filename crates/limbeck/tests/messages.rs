//! What errors say at run time: the words are part of the interface, so each is kept beside its cause.

mod common;

use common::*;
use insta::assert_snapshot;
use limbeck::engine::Settings;
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both, temp_sqlite};

/// A model of its own for what a column refuses and cannot read.
#[derive(Model, Debug)]
struct Reading {
    #[column(primary_key)]
    id: i64,
    #[column(length = 5)]
    sensor: String,
    value: f64,
    taken: Option<DateTime<Utc>>,
    day: Option<NaiveDate>,
}

/// One message for both databases, or one for each. A test runs once for each database.
macro_rules! says {
    ($error:expr, @$message:literal) => {
        let said = $error.to_string();
        insta::allow_duplicates! { assert_snapshot!(said, @$message) }
    };
    ($db:expr, $error:expr, sqlite @$sqlite:literal, postgres @$postgres:literal) => {
        let said = $error.to_string();
        if $db.is_postgres() {
            insta::allow_duplicates! { assert_snapshot!(said, @$postgres) }
        } else {
            insta::allow_duplicates! { assert_snapshot!(said, @$sqlite) }
        }
    };
}

async fn connect(url: &str) -> limbeck::Error {
    match Engine::builder(url).connect().await {
        Err(error) => error,
        Ok(_) => panic!("{url} should not be reachable"),
    }
}

async fn readings(db: &TestDb) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.expect("an engine");
    engine.create_all(&limbeck::metadata![Reading].expect("metadata")).await.expect("tables");
    engine
}

fn reading(sensor: &str, value: f64) -> impl limbeck::model::New<Model = Reading> + use<> {
    Reading::builder().sensor(sensor).value(value)
}

#[tokio::test]
async fn urls() {
    says!(connect("mongodb://localhost/blog").await, @"unknown database `mongodb` in the URL: limbeck knows `sqlite://` and `postgres://`");
    says!(connect("blog.db").await, @"`blog.db` is not a database URL: expected `sqlite://file.db` or `postgres://user:password@host/database`");
    says!(connect("sqlite://blog.db?cache=shared").await, @"the SQLite URL has an unknown option `cache=shared`: `mode=ro` (read only) and `mode=rwc` are known");
    says!(connect("postgres://db/blog?sslmode=perhaps").await, @"sslmode=perhaps in the URL is not known: expected disable, prefer, require or verify-full");
    let missing = limbeck::Error::FeatureMissing { scheme: "postgres".into(), feature: "postgres" };
    says!(missing, @"limbeck is compiled without postgres: add the feature `postgres` to limbeck in Cargo.toml");
}

#[cfg(not(feature = "postgres"))]
#[tokio::test]
async fn a_database_that_is_not_compiled_in() {
    let error = connect("postgresql://localhost/blog").await;
    assert!(matches!(&error, limbeck::Error::FeatureMissing { feature: "postgres", .. }), "{error:?}");
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_opened() {
    let (folder, url) = temp_sqlite();
    let shown = |error: limbeck::Error| error.to_string().replace(&folder.path().display().to_string(), "/tmp");
    let nowhere = url.replace("test.db", "not/there/test.db");
    says!(shown(connect(&nowhere).await), @"cannot connect to sqlite:///tmp/not/there/test.db: the directory /tmp/not/there is not there");
    std::fs::write(
        folder.path().join("test.db"),
        "This is a text, and longer than a header would be: it goes on.".repeat(20),
    )
    .expect("a file");
    says!(shown(connect(&url).await), @"cannot connect to sqlite:///tmp/test.db: file is not a database");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_postgres_server_that_is_not_there() {
    says!(connect("postgres://ann:secret@127.0.0.1:1/blog").await, @"cannot connect to postgres://ann@127.0.0.1:1/blog: error connecting to server: Connection refused (os error 111); is PostgreSQL running at 127.0.0.1:1?");
    let db = TestDb::postgres();
    let (server, name) = db.url().rsplit_once('/').expect("a URL with a database");
    let nameless = |error: limbeck::Error| {
        let said = error.to_string();
        let host = said.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
        said.replace(&host, "ann@localhost").replace(name, "blog")
    };
    says!(nameless(connect(&format!("{server}/not_there")).await), @r#"cannot connect to postgres://ann@localhost/not_there: database "not_there" does not exist; make it with `createdb not_there`, or name another one in the URL"#);
}

#[test]
fn settings() {
    let load = |name: &'static str, value: &'static str| {
        Settings::from_lookup(|asked| match asked {
            _ if asked == name => Some(value.to_owned()),
            "DATABASE_URL" => Some("sqlite://blog.db".to_owned()),
            _ => None,
        })
        .expect_err("a setting that cannot be read")
    };
    says!(load("DATABASE_URL", ""), @"DATABASE_URL is not set: put it into the environment or into .env, for example `DATABASE_URL=sqlite://blog.db`");
    says!(load("DEBUG", "yess"), @"DEBUG is `yess`: expected true or false (also 1/0, yes/no, on/off)");
    says!(load("DATABASE_POOL_SIZE", "many"), @"DATABASE_POOL_SIZE is `many`: expected a number of connections");
    says!(load("DATABASE_POOL_TIMEOUT", "-3"), @"DATABASE_POOL_TIMEOUT is `-3`: expected a number of seconds");
    says!(load("DATABASE_POOL_PRE_PING", "2"), @"DATABASE_POOL_PRE_PING is `2`: expected true or false (also 1/0, yes/no, on/off)");
}

both! {
    async fn violations(db: TestDb) {
        let sessions = engine(db.url()).await.sessionmaker();
        let mut session = sessions.open();
        session.add(user("ada"));
        session.commit().await.expect("ada");
        session.add(user("ada"));
        let error = session.flush().await.expect_err("a second ada");
        says!(db, error, sqlite @"
        users: a row with the same value exists already (unique constraint uq_users_username on username)
          the database says: UNIQUE constraint failed: users.username
          in: INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        ", postgres @r#"
        users: a row with the same value exists already (unique constraint uq_users_email on email)
          the database says: duplicate key value violates unique constraint "uq_users_email": Key (email)=(ada@example.com) already exists.
          in: INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) SELECT c0, c1, c2, c3, c4, c5, c6 FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY AS r(c0, c1, c2, c3, c4, c5, c6, n) ORDER BY n RETURNING id
        "#);
        session.rollback().await.expect("a rollback");
        session.expunge_all();
        session.add(Post::builder().title("Hello").author_id(99));
        let error = session.commit().await.expect_err("no such author");
        says!(db, error, sqlite @"
        posts: it refers to a row that is not there, or rows that are there refer to it (foreign key fk_posts_author_id_users on author_id)
          the database says: FOREIGN KEY constraint failed
          in: INSERT INTO posts (title, author_id) VALUES (?, ?) RETURNING id, views
        ", postgres @r#"
        posts: it refers to a row that is not there, or rows that are there refer to it (foreign key fk_posts_author_id_users on author_id)
          the database says: insert or update on table "posts" violates foreign key constraint "fk_posts_author_id_users": Key (author_id)=(99) is not present in table "users".
          in: INSERT INTO posts (title, author_id) SELECT c0, c1 FROM unnest($1, $2) WITH ORDINALITY AS r(c0, c1, n) ORDER BY n RETURNING id, views
        "#);
        session.rollback().await.expect("a rollback");
        let error = session.execute(sql("INSERT INTO tags (name) VALUES (NULL)")).await.expect_err("no name");
        says!(db, error, sqlite @"
        tags: a column that is NOT NULL got no value (NOT NULL on name)
          the database says: NOT NULL constraint failed: tags.name
          in: INSERT INTO tags (name) VALUES (NULL)
        ", postgres @r#"
        tags: a column that is NOT NULL got no value (NOT NULL on name)
          the database says: null value in column "name" of relation "tags" violates not-null constraint: Failing row contains (1, null).
          in: INSERT INTO tags (name) VALUES (NULL)
        "#);
        session.rollback().await.expect("a rollback");
        let error = session.execute(sql("INSERT INTO post_tags VALUES (1, 1)")).await.expect_err("no such rows");
        says!(db, error, sqlite @"
        the row: it refers to a row that is not there, or rows that are there refer to it (foreign key)
          the database says: FOREIGN KEY constraint failed
          in: INSERT INTO post_tags VALUES (1, 1)
        ", postgres @r#"
        post_tags: it refers to a row that is not there, or rows that are there refer to it (foreign key fk_post_tags_post_id_posts on post_id)
          the database says: insert or update on table "post_tags" violates foreign key constraint "fk_post_tags_post_id_posts": Key (post_id)=(1) is not present in table "posts".
          in: INSERT INTO post_tags VALUES (1, 1)
        "#);
    }

    async fn relationships_that_are_not_loaded(db: TestDb) {
        let sessions = engine(db.url()).await.sessionmaker();
        let mut session = sessions.open();
        let ada = session.add(user("ada"));
        session.add(Post::builder().title("Hello").author(ada));
        session.commit().await.expect("the blog");
        let mut session = sessions.open();
        let post = session.one(select(Post)).await.expect("a post");
        says!(session[post].author.try_get().expect_err("not loaded"), @"`Post.author` is not loaded: add `.with(Post.author)` to the query, or call `session.load(handle, Post.author).await?` first");
        says!(session[post].tags.try_handles().expect_err("not loaded"), @"`Post.tags` is not loaded: add `.with(Post.tags)` to the query, or call `session.load(handle, Post.tags).await?` first");
    }

    async fn queries_that_cannot_be_built(db: TestDb) {
        let mut session = engine(db.url()).await.sessionmaker().open();
        let error = session.all(select(Post).filter(User.username.eq("ada"))).await.expect_err("no join");
        says!(error, @"`User.username` is used, but the table `users` is not in the query: add `.join(Post.author)`");
        let error = session.all(sql("SELECT id FROM posts WHERE id = :id").rows::<i64>()).await.expect_err("no bind");
        says!(error, @r#"
        `:id` has no value: call `.bind("id", …)`
          in: SELECT id FROM posts WHERE id = :id
        "#);
        says!(session.one(select(Post)).await.expect_err("no row"), @"expected one row, found none");
    }

    async fn statements_that_the_database_refuses(db: TestDb) {
        let mut session = engine(db.url()).await.sessionmaker().open();
        let error = session.all(sql("SELECT id FROM poste").rows::<i64>()).await.expect_err("no such table");
        says!(db, error, sqlite @"
        no such table: poste (SQLITE_ERROR)
          in: SELECT id FROM poste
        ", postgres @r#"
        relation "poste" does not exist (42P01)
          in: SELECT id FROM poste
        "#);
        session.rollback().await.expect("a rollback");
        let error = session.all(sql("SELECT id, title FROM posts").rows::<Post>()).await.expect_err("no such column");
        says!(db, error, sqlite @"
        no such column: raw.author_id; a `Post` needs the columns id, title, author_id, views (SQLITE_ERROR)
          in: SELECT raw.id, raw.title, raw.author_id, raw.views FROM (SELECT id, title FROM posts
        ) AS raw
        ", postgres @"
        column raw.author_id does not exist; a `Post` needs the columns id, title, author_id, views (42703)
          in: SELECT raw.id, raw.title, raw.author_id, raw.views FROM (SELECT id, title FROM posts
        ) AS raw
        ");
    }

    async fn rows_that_cannot_be_read(db: TestDb) {
        let engine = engine(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        session.add(Post::builder().title("Hello").author(ada));
        session.commit().await.expect("the blog");
        let mut connection = engine.connect().await.expect("a connection");
        if db.is_postgres() {
            connection.execute_raw("ALTER TABLE posts ALTER views DROP DEFAULT, ALTER views TYPE text USING 'many'").await
        } else {
            connection.execute_raw("UPDATE posts SET views = 'many'").await
        }
        .expect("a wrong type");
        let error = connection.all(select(Post)).await.expect_err("a model");
        says!(error, @r#"cannot read posts.views: expected an integer, found the text "many""#);
        let error = connection.all(select((User.email, Post.title, Post.views)).join(User.posts)).await;
        says!(error.expect_err("a tuple"), @r#"cannot read posts.views: expected an integer, found the text "many""#);
        let mut session = engine.sessionmaker().open();
        let error = session.all(select((Post.id, Post))).await.expect_err("a tracked model");
        says!(error, @r#"cannot read posts.views: expected an integer, found the text "many""#);
        let error = session.all(select((Post.id, Post.views))).await.expect_err("a tracked tuple");
        says!(error, @r#"cannot read posts.views: expected an integer, found the text "many""#);
        let error = connection.all(sql("SELECT id, full_name FROM users").rows::<(i64, String)>()).await;
        says!(error.expect_err("NULL"), @"cannot read column 2 of the result: expected text, found NULL, which only an `Option` can hold");
        // Types that are neither integer nor text are described by their names.
        if db.is_postgres() {
            let error = connection.all(sql("SELECT '\\x0102'::bytea").rows::<i64>()).await;
            says!(error.expect_err("bytes"), @"cannot read column 1 of the result: expected an integer, found a bytea of 2 bytes");
            let error = connection.all(sql("SELECT 1.5::numeric").rows::<String>()).await;
            says!(error.expect_err("a number"), @"cannot read column 1 of the result: expected text, found the number 1.5");
        }
        let error = connection.all(sql("SELECT id + 100000 FROM users").rows::<i16>()).await;
        says!(error.expect_err("too large"), @"cannot read column 1 of the result: expected a 16-bit integer, found the integer 100001");
    }

    async fn dates_that_cannot_be_read(db: TestDb) {
        let engine = readings(&db).await;
        let mut connection = engine.connect().await.expect("a connection");
        let insert = if db.is_postgres() {
            "INSERT INTO readings (sensor, value, day) VALUES ('a', 1, 'infinity')"
        } else {
            "INSERT INTO readings (sensor, value, day) VALUES ('a', 1, 'yesterday')"
        };
        connection.execute_raw(insert).await.expect("a row");
        let error = connection.all(select(Reading)).await.expect_err("a day");
        says!(db, error, sqlite @r#"cannot read readings.day: expected a date, found the text "yesterday""#, postgres @"cannot read readings.day: expected a date, found infinity");
    }

    async fn values_that_no_database_keeps(db: TestDb) {
        let mut session = readings(&db).await.sessionmaker().open();
        let long = session.add(reading("kitchen", 1.0));
        says!(session.flush().await.expect_err("too long"), @"Reading.sensor: 7 characters, but the column holds 5");
        session.expunge(long).expect("the reading");
        let nul = session.add(reading("a\0b", 1.0));
        says!(session.flush().await.expect_err("NUL"), @"Reading.sensor: text with a NUL character, which PostgreSQL cannot hold");
        session.expunge(nul).expect("the reading");
        if !db.is_postgres() {
            let nan = session.add(reading("a", f64::NAN));
            says!(session.flush().await.expect_err("NaN"), @"Reading.value: NaN, which SQLite would turn into NULL");
            session.expunge(nan).expect("the reading");
        }
        let error = session.all(select(Reading).filter(Reading.sensor.eq("a\0b"))).await.expect_err("NUL");
        says!(error, @"a parameter is a text with a NUL character (U+0000), which databases cannot keep in text");
        let error = session.all(select(Reading).filter(Reading.sensor.in_(["a\0b"]))).await.expect_err("NUL");
        says!(error, @"a parameter is a text with a NUL character (U+0000), which databases cannot keep in text");
    }
}
