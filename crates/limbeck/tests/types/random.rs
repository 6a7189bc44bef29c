//! Random values: a few thousand of each type in one flush, read back by another session.
//!
//! `LIMBECK_RANDOM_VALUES` sets how many of each type; by default it is so many that all types on both databases are
//! more than a hundred thousand.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use limbeck_test_support::{TestDb, both};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::case::{Case, case, engine};

fn many() -> usize {
    std::env::var("LIMBECK_RANDOM_VALUES").ok().and_then(|n| n.parse().ok()).unwrap_or(3000)
}

/// Writes values in one batch, reads them in one query, and compares. The seed is proptest's own, the same every time.
async fn round_trip<C: Case>(db: TestDb, values: impl Strategy<Value = C::Value>, made: [&str; 2]) {
    let engine = engine::<C>(&db, made[usize::from(db.is_postgres())]).await;
    let sessions = engine.sessionmaker();
    let mut runner = TestRunner::deterministic();
    let values: Vec<C::Value> = (0..many()).map(|_| values.new_tree(&mut runner).unwrap().current()).collect();
    let mut session = sessions.open();
    let rows: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(i, v)| session.add(C::row(v.clone(), (i % 3 > 0).then(|| v.clone()))))
        .collect();
    session.commit().await.unwrap();
    let mut other = sessions.open();
    let mut read = other.all(C::query()).await.unwrap();
    // In the order in which they were added, which is that of their keys.
    read.sort_by_key(|row| other[*row].id());
    assert_eq!(read.len(), rows.len());
    for (i, (row, value)) in read.iter().zip(&values).enumerate() {
        let row = &other[*row];
        let maybe = (i % 3 > 0).then_some(value);
        assert_eq!((row.plain(), row.maybe().as_ref()), (value, maybe), "value {i}");
    }
    // A few of them are found again by themselves.
    for (row, value) in rows.iter().zip(&values).step_by(many() / 20) {
        let found =
            session.all(C::query().filter(limbeck::prelude::Expression::eq(C::VALUE, value.clone()))).await.unwrap();
        assert!(found.contains(row), "{value:?}");
    }
}

/// Text without NUL, which no database keeps.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', ""))
}

fn decimal(db: &TestDb) -> BoxedStrategy<Decimal> {
    if db.is_postgres() {
        let mantissa = (-(1_i128 << 96) + 1..1_i128 << 96, 0..96_u32).prop_map(|(mantissa, bits)| mantissa >> bits);
        (mantissa, 0..29_u32).prop_map(|(m, scale)| Decimal::from_i128_with_scale(m, scale)).boxed()
    } else {
        let mantissa = (-999_999_999_999_999_i64..=999_999_999_999_999, 0..50_u32).prop_map(|(m, bits)| m >> bits);
        (mantissa, 0..29_u32).prop_map(|(m, scale)| Decimal::new(m, scale)).boxed()
    }
}

/// From PostgreSQL's first day to chrono's last.
fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![
        -210_866_803_200_000_000..8_210_000_000_000_000_000_i64,
        -2_000_000_000_000_000..4_000_000_000_000_000_i64
    ]
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    micros().prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
}

fn time() -> impl Strategy<Value = NaiveTime> {
    (0..86_400_u32, 0..1_000_000_u32)
        .prop_map(|(s, micros)| NaiveTime::from_num_seconds_from_midnight_opt(s, micros * 1000).unwrap())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO).prop_map(Into::into),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn list<T: std::fmt::Debug + Clone>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Option<T>>> {
    prop::collection::vec(prop::option::of(of), 0..4)
}

case!(Large: i64, (), 0);
case!(Single: f32, (), 0.0);
case!(Double: f64, (), 0.0);
case!(Word: String, (), String::new());
case!(Bytes: Vec<u8>, (), vec![]);
case!(Number: Decimal, (), Decimal::ZERO);
case!(Moment: DateTime<Utc>, (), DateTime::UNIX_EPOCH);
case!(Reading: NaiveDateTime, (), DateTime::UNIX_EPOCH.naive_utc());
case!(Day: NaiveDate, (), DateTime::UNIX_EPOCH.date_naive());
case!(Clock: NaiveTime, (), NaiveTime::MIN);
case!(Delta: TimeDelta, (), TimeDelta::zero());
case!(Id: Uuid, (), Uuid::nil());
case!(TextId: Uuid, (text), Uuid::nil());
case!(Tree: serde_json::Value, (), serde_json::Value::Null);
case!(TextTree: serde_json::Value, (json), serde_json::Value::Null);
case!(JiffMoment: jiff::Timestamp, (), jiff::Timestamp::UNIX_EPOCH);
case!(TimeMoment: time::OffsetDateTime, (), time::OffsetDateTime::UNIX_EPOCH);
case!(Larges: Vec<Option<i64>>, (), vec![]);
case!(Doubles: Vec<Option<f64>>, (), vec![]);
case!(Words: Vec<Option<String>>, (), vec![]);
case!(Blobs: Vec<Option<Vec<u8>>>, (), vec![]);
case!(Numbers: Vec<Option<Decimal>>, (), vec![]);
case!(Moments: Vec<Option<DateTime<Utc>>>, (), vec![]);
case!(Deltas: Vec<Option<TimeDelta>>, (), vec![]);

const ZERO: [&str; 2] = ["0"; 2];
const EMPTY: [&str; 2] = ["''"; 2];
const EPOCH: [&str; 2] = ["'1970-01-01 00:00:00'"; 2];
const NIL: [&str; 2] = ["'00000000-0000-0000-0000-000000000000'"; 2];
const NULL: [&str; 2] = ["'null'"; 2];
const LIST: [&str; 2] = ["'[]'", "'{}'"];
const FLOATS: proptest::num::f64::Any = proptest::num::f64::NORMAL;

both! {
    async fn integers(db: TestDb) {
        round_trip::<Large>(db, any::<i64>(), ZERO).await;
    }

    async fn floats_of_32_bits(db: TestDb) {
        use proptest::num::f32::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        round_trip::<Single>(db, POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE, crate::random::ZERO).await;
    }

    async fn floats_of_64_bits(db: TestDb) {
        use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        round_trip::<Double>(db, POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE, crate::random::ZERO).await;
    }

    async fn texts(db: TestDb) {
        round_trip::<Word>(db, text(), EMPTY).await;
    }

    async fn bytes(db: TestDb) {
        round_trip::<Bytes>(db, any::<Vec<u8>>(), ["x''", "''"]).await;
    }

    async fn decimals(db: TestDb) {
        let values = decimal(&db);
        round_trip::<Number>(db, values, ZERO).await;
    }

    async fn moments(db: TestDb) {
        round_trip::<Moment>(db, moment(), EPOCH).await;
    }

    async fn readings_of_a_clock(db: TestDb) {
        round_trip::<Reading>(db, moment().prop_map(|moment| moment.naive_utc()), EPOCH).await;
    }

    async fn days(db: TestDb) {
        round_trip::<Day>(db, moment().prop_map(|moment| moment.date_naive()), ["'1970-01-01'"; 2]).await;
    }

    async fn times_of_day(db: TestDb) {
        round_trip::<Clock>(db, time(), ["'00:00:00'"; 2]).await;
    }

    async fn lengths_of_time(db: TestDb) {
        round_trip::<Delta>(db, any::<i64>().prop_map(TimeDelta::microseconds), ["'1970-01-01'", "'0'"]).await;
    }

    async fn uuids(db: TestDb) {
        round_trip::<Id>(db, any::<u128>().prop_map(Uuid::from_u128), NIL).await;
    }

    async fn uuids_as_text(db: TestDb) {
        round_trip::<TextId>(db, any::<u128>().prop_map(Uuid::from_u128), NIL).await;
    }

    async fn trees_of_json(db: TestDb) {
        round_trip::<Tree>(db, json(), NULL).await;
    }

    async fn jiffs_moments(db: TestDb) {
        let micros = -210_866_803_200_000_000..253_402_207_200_000_000_i64;
        round_trip::<JiffMoment>(db, micros.prop_map(|m| jiff::Timestamp::from_microsecond(m).unwrap()), EPOCH).await;
    }

    async fn times_moments(db: TestDb) {
        let micros = -210_866_803_200_000_000..253_402_300_799_999_999_i128;
        let moments = micros.prop_map(|m| time::OffsetDateTime::from_unix_timestamp_nanos(m * 1000).unwrap());
        round_trip::<TimeMoment>(db, moments, EPOCH).await;
    }

    async fn arrays_of_integers(db: TestDb) {
        round_trip::<Larges>(db, list(any::<i64>()), LIST).await;
    }

    async fn arrays_of_floats(db: TestDb) {
        round_trip::<Doubles>(db, list(FLOATS), LIST).await;
    }

    async fn arrays_of_texts(db: TestDb) {
        round_trip::<Words>(db, list(text()), LIST).await;
    }

    async fn arrays_of_bytes(db: TestDb) {
        round_trip::<Blobs>(db, list(any::<Vec<u8>>()), LIST).await;
    }

    async fn arrays_of_decimals(db: TestDb) {
        let values = decimal(&db);
        round_trip::<Numbers>(db, list(values), LIST).await;
    }

    async fn arrays_of_moments(db: TestDb) {
        round_trip::<Moments>(db, list(moment()), LIST).await;
    }

    async fn arrays_of_lengths_of_time(db: TestDb) {
        round_trip::<Deltas>(db, list(any::<i64>().prop_map(TimeDelta::microseconds)), LIST).await;
    }
}

// PostgreSQL does not compare `json` with anything, so it is not looked up.
#[tokio::test]
async fn trees_of_json_as_text_on_postgres() {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return };
    let engine = engine::<TextTree>(&db, "'null'").await;
    let mut runner = TestRunner::deterministic();
    let strategy = json();
    let values: Vec<serde_json::Value> =
        (0..many()).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let mut session = engine.sessionmaker().open();
    let rows: Vec<_> = values.iter().map(|v| session.add(TextTree::row(v.clone(), None))).collect();
    session.commit().await.unwrap();
    for (row, value) in rows.iter().zip(&values) {
        session.expire(*row).unwrap();
        assert_eq!(session.fresh(*row).await.unwrap().value, *value);
    }
}
