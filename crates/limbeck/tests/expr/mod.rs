//! The table that the tests of expressions ask, and how they ask it.
#![allow(dead_code, unreachable_pub, unused_macros, unused_imports)]

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::{Fetch, Select};
use limbeck_test_support::TestDb;

#[derive(Model, Debug)]
#[model(table = "items")]
pub struct Item {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    pub nick: Option<String>,
    pub n: i32,
    pub m: Option<i32>,
    pub small: i16,
    pub big: i64,
    pub x: f64,
    pub y: Option<f64>,
    pub ok: bool,
    pub at: DateTime<Utc>,
    pub seen: Option<NaiveDateTime>,
    pub day: NaiveDate,
}

/// Both spellings, SQLite's above PostgreSQL's; one line where they agree.
pub fn sql_of<T: Fetch>(query: &Select<T>) -> String {
    let spelled = |dialect| {
        let sql = query.to_sql(dialect).unwrap_or_else(|error| format!("error: {error}"));
        let sql = sql.replace("items.", "").replace("events.", "").replacen("SELECT ", "", 1);
        let sql = sql.strip_suffix(" ORDER BY id").unwrap_or(&sql);
        sql.strip_suffix(" FROM items").or(sql.strip_suffix(" FROM events")).unwrap_or(sql).to_owned()
    };
    let (sqlite, postgres) = (spelled(Dialect::Sqlite), spelled(Dialect::Postgres));
    if sqlite == postgres { sqlite } else { format!("{sqlite}\n{postgres}") }
}

/// What a query is in SQL. The same on each run of the test, of which there is one for each database.
macro_rules! assert_sql {
    ($query:expr, @$sql:literal) => {
        insta::allow_duplicates! { insta::assert_snapshot!($crate::expr::sql_of(&$query), @$sql) }
    };
}
pub(crate) use assert_sql;

/// What an expression is in SQL, and what it is for each item; of aggregates (`whole`), for all of them.
macro_rules! check {
    ($db:ident, $expression:expr, @$sql:literal, $expected:expr) => {{
        let query = select($expression).from(Item).order_by(Item.id);
        $crate::expr::assert_sql!(query, @$sql);
        assert_eq!($db.all(&query).await.expect("rows"), $expected);
    }};
    ($db:ident, $expression:expr, @$sql:literal, $expected:expr, whole) => {{
        let query = select($expression).from(Item);
        $crate::expr::assert_sql!(query, @$sql);
        assert_eq!($db.all(&query).await.expect("a row"), $expected);
    }};
}
pub(crate) use check;

/// Three items in a new database.
pub async fn items(db: &TestDb) -> Connection {
    let engine = Engine::builder(db.url()).connect().await.expect("the test's database");
    engine.create_all(&limbeck::metadata![Item].expect("metadata")).await.expect("tables");
    let time = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").expect("a time");
    let mut session = engine.sessionmaker().open();
    let at = time("2024-02-29 23:59:58.123456");
    session.add(
        Item::builder()
            .name("Ada")
            .n(7)
            .m(2)
            .small(3)
            .big(5_000_000_000)
            .x(2.5)
            .ok(true)
            .at(at.and_utc())
            .day(at.date()),
    );
    let at = time("1969-07-20 20:17:40");
    session.add(
        Item::builder()
            .name("bea%_/")
            .nick("B")
            .n(-7)
            .small(-3)
            .big(-1)
            .x(-2.5)
            .y(0.5)
            .ok(false)
            .at(at.and_utc())
            .seen(at)
            .day(at.date()),
    );
    let at = time("2001-01-01 00:00:00.5");
    session.add(
        Item::builder()
            .name(" öle ")
            .nick("")
            .n(0)
            .m(-2)
            .small(0)
            .big(0)
            .x(0.0)
            .y(10.0)
            .ok(false)
            .at(at.and_utc())
            .seen(at)
            .day(at.date()),
    );
    session.commit().await.expect("the items");
    engine.connect().await.expect("a connection")
}
