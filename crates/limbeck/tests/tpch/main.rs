//! The 22 queries of TPC-H, each twice: as SQL and in the typed language. Both give the same rows, and SQLite gives
//! the same as PostgreSQL.
//!
//! A file holds a query in both forms. The tables are filled by a generator of ours with about 10 MB.
#![cfg(all(feature = "chrono", feature = "decimal"))]
#![allow(unreachable_pub)]

use std::time::Instant;

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::model::New;
use limbeck::sql::{Query, trusted};
use limbeck_test_support::{TestDb, both};

mod answer;
mod generate;
mod models;
mod prelude;
mod random;

use answer::{Shown, fingerprint};
use prelude::*;

/// Writes the rows of one table.
async fn fill<N: New>(engine: &Engine, rows: Vec<N>) {
    let mut session = engine.sessionmaker().open();
    session.add_all(rows);
    session.commit().await.expect("the rows");
}

/// A database with the eight tables, filled.
async fn filled(url: &str) -> Engine {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    let metadata = limbeck::metadata![Region, Nation, Supplier, Part, PartSupp, Customer, Order, LineItem];
    engine.create_all(&metadata.expect("metadata")).await.expect("tables");
    let (orders, items) = generate::orders();
    fill(&engine, generate::regions()).await;
    fill(&engine, generate::nations()).await;
    fill(&engine, generate::suppliers()).await;
    fill(&engine, generate::parts()).await;
    fill(&engine, generate::part_suppliers()).await;
    fill(&engine, generate::customers()).await;
    fill(&engine, orders).await;
    fill(&engine, items).await;
    let mut db = engine.connect().await.expect("a connection");
    db.execute_raw("ANALYZE").await.expect("statistics");
    engine
}

/// The text of a query as a database spells it. They differ in one thing: `YEAR(date)` is how neither says it.
fn spelled(sql: &str, dialect: Dialect) -> String {
    let Some((before, rest)) = sql.split_once("YEAR(") else { return sql.to_owned() };
    let Some((date, after)) = rest.split_once(')') else { return sql.to_owned() };
    let year = match dialect {
        Dialect::Sqlite => format!("CAST(strftime('%Y', {date}) AS INTEGER)"),
        _ => format!("CAST(EXTRACT(YEAR FROM {date}) AS INTEGER)"),
    };
    format!("{before}{year}{after}")
}

/// Runs a query in both forms: the number of rows, what tells them from others, and the first; or what is
/// wrong.
async fn answer<Q>(db: &mut Connection, sql: &str, typed: Q) -> Result<String, String>
where
    Q: Query<Row: Shown>,
{
    let sql = spelled(sql, db.dialect());
    let start = Instant::now();
    let by_text = db.all(trusted(sql).rows::<Q::Row>()).await.map_err(|error| format!("as SQL: {error}"))?;
    let middle = Instant::now();
    let by_type = db.all(typed).await.map_err(|error| format!("typed: {error}"))?;
    eprintln!("{:>8.1?} as SQL, {:>8.1?} typed", middle - start, middle.elapsed());
    let by_text: Vec<String> = by_text.iter().map(Shown::shown).collect();
    let by_type: Vec<String> = by_type.iter().map(Shown::shown).collect();
    if by_text != by_type {
        return Err(format!("as SQL:\n{}\ntyped:\n{}", by_text.join("\n"), by_type.join("\n")));
    }
    let first = by_text.first().ok_or("no rows: it proves nothing")?;
    Ok(format!("{} rows, {}: {first}", by_text.len(), fingerprint(by_text.iter().map(String::as_str))))
}

macro_rules! queries {
    ($($module:ident),+) => {
        $(mod $module;)+

        /// A line for each query.
        async fn answers(db: &mut Connection) -> String {
            let mut lines = Vec::new();
            $(
                let found = answer(db, $module::SQL, $module::typed()).await;
                lines.push(match found {
                    Ok(found) => format!("{}: {found}", stringify!($module)),
                    Err(wrong) => format!("{} is wrong: {wrong}", stringify!($module)),
                });
            )+
            lines.join("\n")
        }
    };
}

queries! {
    q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22
}

both! {
    async fn the_typed_queries_say_what_their_sql_says(db: TestDb) {
        let engine = filled(db.url()).await;
        let mut connection = engine.connect().await.expect("a connection");
        let answers = answers(&mut connection).await;
        // The same on both databases.
        insta::allow_duplicates! { insta::assert_snapshot!(answers, @r"
        q01: 4 rows, 4b3eac41: A | F | 380945 | 532687400.37 | 505881483.697 | 526188994.228 | 25.5462043991 | 35722.0627931 | 0.0502005096567 | 14912
        q02: 2 rows, e3bc366c: 3019.84 | Supplier#000000027 | RUSSIA | 272 | Manufacturer#4 | ck226ZzKUGJJb | 32-821-765-8588 | wake packages dolphins quick Customer final patter Complaints
        q03: 10 rows, 2323fb1f: 42792 | 284672.3421 | 1995-03-13 | 0
        q04: 5 rows, b99a8700: 1-URGENT | 115
        q05: 5 rows, e88292ac: CHINA | 1160646.6567
        q06: 1 rows, 4851cc16: 1238196.8723
        q07: 4 rows, 514aecbb: FRANCE | GERMANY | 1995 | 232334.5369
        q08: 2 rows, 473a21a0: 1995 | 0.188283309717
        q09: 175 rows, 6f326799: ALGERIA | 1998 | 136258.9055
        q10: 20 rows, 3a2961de: 193 | Customer#000000193 | 378809.9984 | 4487.2 | PERU | 2DpW48hZQWDbXgzBYpoKF3,XR1 | 27-194-335-4745 | sentiments bold multipliers orbits furious theodolites maintain deco
        q11: 7 rows, bb4c5284: 570 | 9950917.46
        q12: 2 rows, 5499ad91: MAIL | 71 | 106
        q13: 23 rows, cef289b9: 0 | 500
        q14: 1 rows, 31d07633: 13.9319530718
        q15: 1 rows, 269f746d: 97 | Supplier#000000097 | AacFtjh7SFO5ugLKpJA | 34-923-543-8753 | 1379696.6411
        q16: 302 rows, 6e88ab61: Brand#43 | ECONOMY POLISHED TIN | 49 | 8
        q17: 1 rows, f65316c0: 4191.91142857
        q18: 1 rows, dde1ac77: Customer#000001448 | 1448 | 12071 | 1992-07-18 | 432296.43 | 302
        q19: 1 rows, 357fa8b4: 48460.2438
        q20: 1 rows, 05707841: Supplier#000000064 | krkEDnEj228hNddcDd
        q21: 5 rows, 807e05b7: Supplier#000000074 | 11
        q22: 7 rows, dcd167e5: 13 | 12 | 98851.82
        ") }
    }
}

#[test]
fn the_data_is_the_same_on_every_run() {
    let (orders, items) = generate::orders();
    assert_eq!((orders.len(), items.len()), (15_000, 60_137));
    let orders = orders.iter().map(|order| order.o_comment.as_str());
    let items = items.iter().map(|item| item.l_comment.as_str());
    assert_eq!(fingerprint(orders.chain(items)), "f60f8f90");
}
