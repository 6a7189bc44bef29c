//! Arrays of the scalar types, with NULLs in them and without.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use limbeck_test_support::{TestDb, both};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::case::{case, check};

/// Nothing, one, many, and many with a NULL.
fn lists<T: Clone>(values: Vec<T>) -> Vec<Vec<Option<T>>> {
    let all: Vec<Option<T>> = values.into_iter().map(Some).collect();
    let mut with_null = all.clone();
    with_null.insert(1, None);
    vec![vec![], vec![None], all[..1].to_vec(), all, with_null]
}

case!(Truths: Vec<Option<bool>>, (), vec![Some(true), None]);
case!(Smalls: Vec<Option<i16>>, (), vec![Some(1), None]);
case!(Middles: Vec<Option<i32>>, (), vec![Some(1), None]);
case!(Larges: Vec<Option<i64>>, (), vec![Some(1), None]);
case!(Singles: Vec<Option<f32>>, (), vec![Some(1.0), None]);
case!(Doubles: Vec<Option<f64>>, (), vec![Some(1.0), None]);
case!(Words: Vec<Option<String>>, (), vec![Some("a".into()), None]);
case!(Plain: Vec<String>, (), vec!["a".into()]);
case!(Blobs: Vec<Option<Vec<u8>>>, (), vec![Some(vec![1]), None]);
case!(Decimals: Vec<Option<Decimal>>, (), vec![Some(Decimal::ONE), None]);
case!(Uuids: Vec<Option<Uuid>>, (), vec![Some(Uuid::nil()), None]);
case!(Moments: Vec<Option<DateTime<Utc>>>, (), vec![Some(DateTime::UNIX_EPOCH), None]);
case!(Readings: Vec<Option<NaiveDateTime>>, (), vec![Some(DateTime::UNIX_EPOCH.naive_utc()), None]);
case!(Days: Vec<Option<NaiveDate>>, (), vec![Some(DateTime::UNIX_EPOCH.date_naive()), None]);
case!(Clocks: Vec<Option<NaiveTime>>, (), vec![Some(NaiveTime::MIN), None]);
case!(Deltas: Vec<Option<TimeDelta>>, (), vec![Some(TimeDelta::zero()), None]);

const ONE: [&str; 2] = ["'[1, null]'", "'{1,NULL}'"];

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>, const N: usize>(texts: [&str; N]) -> Vec<T> {
    texts.map(|text| text.parse().unwrap()).into()
}

both! {
    async fn booleans(db: TestDb) {
        check::<Truths>(db, lists(vec![true, false]), ["'[true, null]'", "'{t,NULL}'"]).await;
    }

    async fn integers_of_16_bits(db: TestDb) {
        check::<Smalls>(db, lists(vec![i16::MIN, i16::MAX]), ONE).await;
    }

    async fn integers_of_32_bits(db: TestDb) {
        check::<Middles>(db, lists(vec![i32::MIN, i32::MAX]), ONE).await;
    }

    async fn integers_of_64_bits(db: TestDb) {
        check::<Larges>(db, lists(vec![i64::MIN, i64::MAX]), ONE).await;
    }

    async fn floats_of_32_bits(db: TestDb) {
        check::<Singles>(db, lists(vec![0.1, f32::MAX, f32::MIN_POSITIVE, f32::NEG_INFINITY]), ONE).await;
    }

    async fn floats_of_64_bits(db: TestDb) {
        check::<Doubles>(db, lists(vec![0.1, f64::MAX, 5e-324, f64::INFINITY]), ONE).await;
    }

    async fn text(db: TestDb) {
        let words = ["", "NULL", "null", "it's", "a,b", "{\"x\"}", "\\", "\"", "ä𝄞\n\t\u{1}\u{7f}"].map(String::from);
        check::<Words>(db, lists(words.into()), ["'[\"a\", null]'", "'{a,NULL}'"]).await;
    }

    async fn text_without_nulls(db: TestDb) {
        check::<Plain>(db, vec![vec![], vec!["x".into(), "y".into()]], ["'[\"a\"]'", "'{a}'"]).await;
    }

    async fn bytes(db: TestDb) {
        check::<Blobs>(db, lists(vec![vec![], (0..=255).collect()]), ["'[\"01\", null]'", r#"'{"\\x01",NULL}'"#]).await;
    }

    async fn decimals(db: TestDb) {
        check::<Decimals>(db, lists(parsed(["0", "-0.1", "999999999999.999"])), ONE).await;
    }

    async fn uuids(db: TestDb) {
        let nil = "00000000-0000-0000-0000-000000000000";
        let made = [format!("'[\"{nil}\", null]'"), format!("'{{{nil},NULL}}'")];
        check::<Uuids>(db, lists(vec![Uuid::nil(), Uuid::max()]), [&made[0], &made[1]]).await;
    }

    async fn moments(db: TestDb) {
        let values = parsed(["1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"]);
        check::<Moments>(db, lists(values), ["'[\"1970-01-01 00:00:00\", null]'", "'{1970-01-01 00:00:00Z,NULL}'"]).await;
    }

    async fn readings_of_a_clock(db: TestDb) {
        let values = parsed(["1969-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999", "0000-01-01T00:00:00"]);
        check::<Readings>(db, lists(values), ["'[\"1970-01-01 00:00:00\", null]'", "'{1970-01-01 00:00:00,NULL}'"]).await;
    }

    async fn days(db: TestDb) {
        let values = parsed(["1970-01-01", "9999-12-31", "-4712-01-01", "+12000-01-01"]);
        check::<Days>(db, lists(values), ["'[\"1970-01-01\", null]'", "'{1970-01-01,NULL}'"]).await;
    }

    async fn times_of_day(db: TestDb) {
        check::<Clocks>(db, lists(parsed(["00:00:00", "23:59:59.999999"])), ["'[\"00:00\", null]'", "'{00:00,NULL}'"]).await;
    }

    async fn lengths_of_time(db: TestDb) {
        let values = [i64::MAX, i64::MIN, -1, 0].map(TimeDelta::microseconds).into();
        check::<Deltas>(db, lists(values), ["'[\"1970-01-01 00:00:00\", null]'", "'{0,NULL}'"]).await;
    }
}
