//! `limbeck diff`: two databases, outside of any project.

use std::process::{Command, Output};

use limbeck::engine::Engine;
use limbeck_test_support::{Kind, TempFolder, TestDb};

/// Runs the command where no project is.
fn diff(arguments: &[&str]) -> Output {
    let folder = TempFolder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
    command.arg("diff").args(arguments).current_dir(folder.path()).env_remove("DATABASE_URL");
    command.output().expect("limbeck runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn run(url: &str, statements: &[&str]) {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    let mut connection = engine.connect().await.expect("a connection");
    for sql in statements {
        connection.execute_raw(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
    drop(connection);
    engine.close().await;
}

/// Runs what was printed, a statement at a time.
async fn apply(url: &str, printed: &str) {
    let statements: Vec<&str> = printed.split(";\n").map(str::trim).filter(|sql| !sql.is_empty()).collect();
    run(url, &statements).await;
}

#[tokio::test]
async fn what_it_prints_makes_the_first_the_second_and_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (Some(a), Some(b)) = (TestDb::of(kind), TestDb::of(kind)) else { continue };
        run(a.url(), &["CREATE TABLE t (id integer PRIMARY KEY, a varchar(10), gone text)"]).await;
        let b_is = [
            "CREATE TABLE u (id integer PRIMARY KEY)",
            "CREATE TABLE t (id integer PRIMARY KEY, a varchar(20) NOT NULL, b integer REFERENCES u (id))",
            "CREATE INDEX ix ON t (a)",
        ];
        run(b.url(), &b_is).await;

        let there = diff(&[a.url(), b.url()]);
        assert_eq!(there.status.code(), Some(2), "{}", err(&there));
        assert!(out(&there).lines().all(|line| !line.starts_with("--") && !line.contains("note")), "{}", out(&there));
        assert!(err(&there).contains("drops the column t.gone"), "{}", err(&there));
        let back = diff(&[a.url(), b.url(), "--downgrade"]);
        assert!(err(&back).contains("loses data: u"), "{}", err(&back));

        apply(a.url(), &out(&there)).await;
        let again = diff(&[a.url(), b.url()]);
        assert_eq!((again.status.code(), out(&again)), (Some(0), String::new()), "{}", err(&again));

        let reverse = diff(&[b.url(), a.url()]);
        assert_eq!(reverse.status.code(), Some(0));
        apply(a.url(), &out(&back)).await;
        let first_again = out(&diff(&[a.url(), b.url()]));
        assert_eq!(first_again, out(&there), "the way back leads to where it began");
    }
}

#[tokio::test]
async fn what_is_not_managed_is_said_on_standard_error_and_makes_no_difference() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (Some(a), Some(b)) = (TestDb::of(kind), TestDb::of(kind)) else { continue };
        run(a.url(), &["CREATE TABLE t (id integer)"]).await;
        run(b.url(), &["CREATE TABLE t (id integer)", "CREATE VIEW seen AS SELECT id FROM t"]).await;
        let found = diff(&[a.url(), b.url()]);
        assert_eq!((found.status.code(), out(&found)), (Some(0), String::new()));
        let said = err(&found);
        assert!(said.contains("not managed: the view") && said.contains("seen: only in the second database"), "{said}");
    }
}

#[tokio::test]
async fn json_has_both_ways_and_what_is_not_managed() {
    let (Some(a), Some(b)) = (TestDb::of(Kind::Sqlite), TestDb::of(Kind::Sqlite)) else { return };
    run(a.url(), &["CREATE TABLE t (id integer)"]).await;
    run(b.url(), &["CREATE TABLE t (id integer, x TEXT)", "CREATE VIEW seen AS SELECT id FROM t"]).await;
    let found = diff(&[a.url(), b.url(), "--json"]);
    assert_eq!(found.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(json["result"]["operations"][0]["title"], "add column t.x");
    assert_eq!(json["result"]["operations"][0]["sql"][0], "ALTER TABLE t ADD COLUMN x TEXT");
    assert_eq!(json["result"]["downgrade"][0]["sql"][0], "ALTER TABLE t DROP COLUMN x");
    assert_eq!(json["result"]["downgrade_loses"][0], "t.x");
    assert_eq!(json["result"]["unmanaged"][0], "the view seen: only in the second database");
}

#[tokio::test]
async fn databases_that_cannot_be_compared_are_an_error() {
    let Some(a) = TestDb::of(Kind::Sqlite) else { return };
    run(a.url(), &["CREATE TABLE t (id integer)"]).await;
    let missing = diff(&[a.url(), "sqlite://not/there.db"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("there is no database at sqlite://not/there.db"), "{}", err(&missing));
    let Some(b) = TestDb::of(Kind::Postgres) else { return };
    let other = diff(&[a.url(), b.url()]);
    assert_eq!(other.status.code(), Some(1));
    assert!(err(&other).contains("cannot be compared"), "{}", err(&other));
}
