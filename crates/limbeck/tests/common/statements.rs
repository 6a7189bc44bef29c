//! Statements in snapshots: their text for each database, and the blog that they are run over.

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::{Delete, Fetch, Insert, Select, Update, Upsert};
use limbeck_test_support::TestDb;

use super::*;

/// Anything that has a text.
pub trait Text {
    fn text(&self, dialect: Dialect) -> limbeck::Result<String>;
}

impl<T: Fetch> Text for Select<T> {
    fn text(&self, dialect: Dialect) -> limbeck::Result<String> {
        self.to_sql(dialect)
    }
}

macro_rules! text {
    ($($name:ident)+) => {$(
        impl<M: Model, R> Text for $name<M, R> {
            fn text(&self, dialect: Dialect) -> limbeck::Result<String> {
                self.to_sql(dialect)
            }
        }
    )+};
}

text!(Insert Update Delete Upsert);

/// Both spellings, SQLite's above PostgreSQL's; one line where they agree. `users.*` stands for all columns.
pub fn both_texts(statement: &dyn Text) -> String {
    let spelled = |dialect| match statement.text(dialect) {
        Ok(sql) => shortened(sql),
        Err(error) => format!("error: {error}"),
    };
    let (sqlite, postgres) = (spelled(Dialect::Sqlite), spelled(Dialect::Postgres));
    if sqlite == postgres { sqlite } else { format!("{sqlite}\n{postgres}") }
}

/// With `users.*` for all columns of users, and so on.
fn shortened(mut sql: String) -> String {
    let tables = [User::def(), Post::def(), Tag::def(), Node::def()];
    let names = ["users", "posts", "tags", "nodes", "recent", "author", "boss", "other", "tree", "parent", "best"];
    for name in names {
        for model in tables {
            let columns: Vec<String> = model.columns.iter().map(|column| format!("{name}.{}", column.name)).collect();
            sql = sql.replace(&columns.join(", "), &format!("{name}.*"));
        }
    }
    sql
}

/// What a statement says that cannot be built.
pub fn refused(statement: &dyn Text) -> String {
    match statement.text(Dialect::Postgres) {
        Err(error) => error.to_string(),
        Ok(sql) => panic!("expected an error, got {sql}"),
    }
}

/// What a statement is in SQL. The same on each run of the test, of which there is one for each database.
#[macro_export]
macro_rules! assert_text {
    ($statement:expr, @$sql:literal) => {
        insta::allow_duplicates! { insta::assert_snapshot!($crate::common::statements::both_texts(&$statement), @$sql) }
    };
}

/// What a statement that cannot be built says.
#[macro_export]
macro_rules! assert_refused {
    ($statement:expr, @$message:literal) => {
        insta::allow_duplicates! { insta::assert_snapshot!($crate::common::statements::refused(&$statement), @$message) }
    };
}

/// ada wrote `Hello` (10 views, tags rust and sql) and `100%` (no views); bea wrote `it's` (7 views, tag sql);
/// cyd, who is not active and has a full name, wrote nothing. The tag `idle` is on no post.
pub async fn blog(db: &TestDb) -> Connection {
    let engine = engine(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(user("ada"));
    let bea = session.add(user("bea"));
    let cyd = User::builder().email("cyd@example.com").username("cyd").hashed_password("…");
    session.add(cyd.full_name("Cyd ‘C’ O'Neil").is_active(false));
    let rust = session.add(Tag::builder().name("rust"));
    let sql = session.add(Tag::builder().name("sql"));
    session.add(Tag::builder().name("idle"));
    session.add(Post::builder().title("Hello").author(ada).views(10).tags([rust, sql]));
    session.add(Post::builder().title("100%").author(ada).views(0));
    session.add(Post::builder().title("it's").author(bea).views(7).tags([sql]));
    session.commit().await.expect("the blog");
    engine.connect().await.expect("a connection")
}
