//! A row that a type cannot read names the table, the column, and what was found.

use chrono::{NaiveTime, TimeDelta};
use limbeck_test_support::{TestDb, both};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::case::{Case, case, engine};

case!(Number: Decimal, (), Decimal::ZERO);
case!(Clock: NaiveTime, (), NaiveTime::MIN);
case!(Delta: TimeDelta, (), TimeDelta::zero());
case!(Id: Uuid, (), Uuid::nil());
case!(List: Vec<i32>, (), vec![]);
case!(Middle: i32, (), 0);
case!(Bytes: Vec<u8>, (), vec![]);

/// Puts something into a column, of another type where PostgreSQL would not take it, and reads it.
async fn error<C: Case>(db: &TestDb, made: [&str; 2], postgres_type: &str, found: &str) -> String {
    let engine = engine::<C>(db, made[usize::from(db.is_postgres())]).await;
    let mut connection = engine.connect().await.unwrap();
    if db.is_postgres() {
        connection.execute_raw("ALTER TABLE things DROP COLUMN value").await.unwrap();
        connection.execute_raw(&format!("ALTER TABLE things ADD COLUMN value {postgres_type}")).await.unwrap();
    } else {
        // Without the checks, which name the column.
        connection.execute_raw("DROP TABLE things").await.unwrap();
        connection
            .execute_raw("CREATE TABLE things (id INTEGER PRIMARY KEY, value, maybe, given, made)")
            .await
            .unwrap();
    }
    let given = made[usize::from(db.is_postgres())];
    connection
        .execute_raw(&format!("INSERT INTO things (value, given, made) VALUES ({found}, {given}, {given})"))
        .await
        .unwrap();
    connection.all(C::query()).await.unwrap_err().to_string()
}

const ZERO: [&str; 2] = ["0"; 2];

both! {
    async fn numbers(db: TestDb) {
        let nan = error::<Number>(&db, ZERO, "numeric", if db.is_postgres() { "'NaN'" } else { "'x'" }).await;
        let found = if db.is_postgres() { "NaN" } else { "the text \"x\"" };
        assert_eq!(nan, format!("cannot read things.value: expected a decimal number, found {found}"));
    }

    async fn numbers_of_too_many_digits(db: TestDb) {
        let found = if db.is_postgres() { "1e40" } else { "'12345678901234567890123456789012345'" };
        let long = error::<Number>(&db, ZERO, "numeric", found).await;
        assert!(long.starts_with("cannot read things.value: expected a decimal number, found "), "{long}");
    }

    async fn times_of_day(db: TestDb) {
        let late = error::<Clock>(&db, ["'00:00'"; 2], "time", "'24:00'").await;
        let found = if db.is_postgres() { "24:00:00.000000" } else { "the text \"24:00\"" };
        assert_eq!(late, format!("cannot read things.value: expected a time of day, found {found}"));
    }

    async fn lengths_of_time(db: TestDb) {
        let month = error::<Delta>(&db, ["'1970-01-01'", "'0'"], "interval", "'1 month'").await;
        let says = if db.is_postgres() {
            "expected an interval of days and less, found one of 1 months"
        } else {
            "expected an interval, found the text \"1 month\""
        };
        assert_eq!(month, format!("cannot read things.value: {says}"));
    }

    async fn uuids(db: TestDb) {
        let nil = "'00000000-0000-0000-0000-000000000000'";
        let text = error::<Id>(&db, [nil; 2], "text", "'0123'").await;
        assert_eq!(text, "cannot read things.value: expected a UUID, found the text \"0123\"");
    }

    async fn arrays(db: TestDb) {
        let nested = error::<List>(&db, ["'[]'", "'{}'"], "int[]", if db.is_postgres() { "'{{1},{2}}'" } else { "'[[1],[2]]'" }).await;
        assert!(nested.starts_with("cannot read things.value: expected a"), "{nested}");
    }

    async fn a_null_in_an_array_that_has_none(db: TestDb) {
        let null = error::<List>(&db, ["'[]'", "'{}'"], "int[]", if db.is_postgres() { "'{1,NULL}'" } else { "'[1,null]'" }).await;
        assert_eq!(null, "cannot read things.value: expected an integer, found NULL, which only an `Option` can hold");
    }

    async fn a_number_that_is_too_large(db: TestDb) {
        let large = error::<Middle>(&db, ZERO, "bigint", "2147483648").await;
        assert_eq!(large, "cannot read things.value: expected a 32-bit integer, found the integer 2147483648");
    }

    async fn bytes(db: TestDb) {
        let text = error::<Bytes>(&db, ["x''", "''"], "text", "'x'").await;
        assert_eq!(text, "cannot read things.value: expected bytes, found the text \"x\"");
    }
}

/// PostgreSQL has enums, domains and types of extensions: text types of their own, whose values are text to a program.
#[tokio::test]
async fn text_of_a_type_of_its_own_is_text() {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return };
    let engine = limbeck::prelude::Engine::builder(db.url()).connect().await.unwrap();
    let mut connection = engine.connect().await.unwrap();
    connection.execute_raw("CREATE TYPE mood AS ENUM ('glad', 'sad')").await.unwrap();
    let rows: Vec<(String, Vec<Option<String>>)> =
        connection.fetch_raw("SELECT 'sad'::mood, '{glad,NULL}'::mood[]", &[]).await.unwrap();
    assert_eq!(rows, [("sad".into(), vec![Some("glad".into()), None])]);
}
