//! Every type that holds one value.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};
use rust_decimal::Decimal;

use crate::case::{case, check};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

case!(Small: i16, (), 7);
case!(Middle: i32, (), 7);
case!(Large: i64, (), 7);
case!(Single: f32, (), 0.1);
case!(Double: f64, (), 0.1);
case!(Truth: bool, (), true);
case!(Word: String, (), "it's".to_string());
case!(Short: String, (length = 5), "it's".to_string());
case!(Long: String, (text), "it's".to_string());
case!(Bytes: Vec<u8>, (), vec![0, 255]);
/// Decimals in all the places that a row fills.
#[derive(Model, Debug)]
#[model(table = "offers")]
struct Offer {
    #[column(primary_key)]
    id: i64,
    #[column(numeric(10, 2))]
    price: Decimal,
    #[column(numeric(10, 2))]
    maybe: Option<Decimal>,
    #[column(numeric(10, 2))]
    seldom: limbeck::types::Deferred<Decimal>,
    #[column(numeric(10, 2), server_default = "19.5")]
    made: Decimal,
}

case!(Price: Decimal, (numeric(15, 2)), decimal("19.50"));
case!(Exact: Decimal, (), decimal("19.50"));
case!(Moment: DateTime<Utc>, (), moment("2024-02-29T12:00:00.000001Z"));
case!(Reading: NaiveDateTime, (), moment("2024-02-29T12:00:00.000001Z").naive_utc());
case!(Day: NaiveDate, (), moment("2024-02-29T00:00:00Z").date_naive());
case!(Clock: NaiveTime, (), moment("2024-02-29T12:00:00.000001Z").time());
case!(Delta: TimeDelta, (), TimeDelta::minutes(90));
case!(JiffMoment: jiff::Timestamp, (), "2024-02-29T12:00:00.000001Z".parse().unwrap());
case!(JiffReading: jiff::civil::DateTime, (), "2024-02-29T12:00:00.000001".parse().unwrap());
case!(JiffDay: jiff::civil::Date, (), "2024-02-29".parse().unwrap());
case!(JiffClock: jiff::civil::Time, (), "12:00:00.000001".parse().unwrap());
case!(JiffDelta: jiff::SignedDuration, (), jiff::SignedDuration::from_mins(90));
case!(TimeMoment: time::OffsetDateTime, (), time::macros::datetime!(2024-02-29 12:00:00.000001 UTC));
case!(TimeReading: time::PrimitiveDateTime, (), time::macros::datetime!(2024-02-29 12:00:00.000001));
case!(TimeDay: time::Date, (), time::macros::date!(2024 - 02 - 29));
case!(TimeClock: time::Time, (), time::macros::time!(12:00:00.000001));
case!(TimeDelta2: time::Duration, (), time::Duration::minutes(90));

const MOMENT: [&str; 2] = ["'2024-02-29 12:00:00.000001'", "'2024-02-29 12:00:00.000001Z'"];
const READING: [&str; 2] = ["'2024-02-29 12:00:00.000001'"; 2];
const DAY: [&str; 2] = ["'2024-02-29'"; 2];
const CLOCK: [&str; 2] = ["'12:00:00.000001'"; 2];
const DELTA: [&str; 2] = ["'1970-01-01 01:30:00.000000'", "'01:30:00'"];

fn words() -> Vec<String> {
    ["", " ", "it's", "\"\\\n\t", "äöü", "𝄞 e\u{301}", "\u{1}\u{7f}\u{feff}", "NULL", "{}", "0"]
        .map(String::from)
        .into()
}

both! {
    async fn integers_of_16_bits(db: TestDb) {
        check::<Small>(db, vec![0, 1, -1, i16::MIN, i16::MAX], ["7"; 2]).await;
    }

    async fn integers_of_32_bits(db: TestDb) {
        check::<Middle>(db, vec![0, 1, -1, i32::MIN, i32::MAX], ["7"; 2]).await;
    }

    async fn integers_of_64_bits(db: TestDb) {
        check::<Large>(db, vec![0, 1, -1, i64::MIN, i64::MAX, (1 << 53) + 1], ["7"; 2]).await;
    }

    async fn floats_of_32_bits(db: TestDb) {
        let values = vec![0.0, 0.1, -1.5, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NEG_INFINITY, 16_777_216.0];
        check::<Single>(db, values, ["0.10000000149011612", "0.1"]).await;
    }

    async fn floats_of_64_bits(db: TestDb) {
        let values = vec![0.0, 0.1, -1.5, 1e300, f64::MAX, 5e-324, f64::INFINITY, f64::NEG_INFINITY, 9_007_199_254_740_992.0];
        check::<Double>(db, values, ["0.1"; 2]).await;
    }

    async fn booleans(db: TestDb) {
        check::<Truth>(db, vec![true, false], ["true"; 2]).await;
    }

    async fn text_without_a_length(db: TestDb) {
        check::<Word>(db, words(), ["'it''s'"; 2]).await;
    }

    async fn text_with_a_length(db: TestDb) {
        check::<Short>(db, vec!["".into(), "äöüß𝄞".into(), "    ".into()], ["'it''s'"; 2]).await;
    }

    async fn text_of_any_length(db: TestDb) {
        check::<Long>(db, vec!["".into(), "ä".repeat(100_000)], ["'it''s'"; 2]).await;
    }

    async fn bytes(db: TestDb) {
        let values = vec![vec![], vec![0], b"it's".to_vec(), (0..=255).collect()];
        check::<Bytes>(db, values, ["x'00ff'", "'\\x00ff'"]).await;
    }

    async fn decimals_of_a_precision(db: TestDb) {
        let values = ["0", "0.01", "-0.01", "9999999999999.99", "-9999999999999.99", "1.5", "100"].map(decimal).into();
        check::<Price>(db, values, ["19.5"; 2]).await;
    }

    /// Whoever prints a price sees the same on both databases, however the row came.
    async fn decimals_have_the_digits_of_their_column(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        engine.create_all(&limbeck::metadata![Offer].unwrap()).await.unwrap();
        let mut session = engine.sessionmaker().open();
        for (value, text) in [("1.5", "1.50"), ("2", "2.00"), ("0", "0.00"), ("-0.1", "-0.10"), ("100", "100.00")] {
            let sent = decimal(value);
            let row = session.add(Offer::builder().price(sent).maybe(Some(sent)).seldom(sent));
            session.commit().await.unwrap();
            assert_eq!(session[row].made.to_string(), "19.50");
            session.expunge_all();
            let query = select(Offer).filter(Offer.price.eq(sent)).undefer(Offer.seldom);
            let row = session.one(query).await.unwrap();
            let offer = &session[row];
            let read = [offer.price, offer.maybe.unwrap(), *offer.seldom].map(|number| number.to_string());
            assert_eq!(read, [text; 3]);
            assert_eq!(offer.made.to_string(), "19.50");
            session.refresh(row).await.unwrap();
            assert_eq!(session[row].price.to_string(), text);
            session.expunge_all();
            let row = session.one(select(Offer).filter(Offer.price.eq(sent))).await.unwrap();
            session.load_column(row, Offer.seldom).await.unwrap();
            assert_eq!(session[row].seldom.to_string(), text);
        }
    }

    async fn decimals_of_any_precision(db: TestDb) {
        let mut values: Vec<Decimal> = ["0", "0.1", "-0.000000000000001", "999999999999999", "1e20", "1e-28"]
            .map(|text| text.parse().or_else(|_| Decimal::from_scientific(text)).unwrap())
            .into();
        if db.is_postgres() {
            values.extend([Decimal::MAX, Decimal::MIN, decimal("-0.1234567890123456789012345678")]);
        }
        check::<Exact>(db, values, ["19.5"; 2]).await;
    }

    async fn moments(db: TestDb) {
        let values = ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"];
        check::<Moment>(db, values.map(moment).into(), MOMENT).await;
    }

    async fn readings_of_a_clock(db: TestDb) {
        let values = ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"];
        check::<Reading>(db, values.map(|text| moment(text).naive_utc()).into(), READING).await;
    }

    async fn days(db: TestDb) {
        let values = ["1970-01-01", "0001-01-01", "9999-12-31", "2000-02-29", "-4712-01-01", "+12000-01-01"];
        check::<Day>(db, values.map(|text| text.parse().unwrap()).into(), DAY).await;
    }

    async fn times_of_day(db: TestDb) {
        let values = ["00:00:00", "23:59:59.999999", "12:34:56.7"];
        check::<Clock>(db, values.map(|text| text.parse().unwrap()).into(), CLOCK).await;
    }

    async fn lengths_of_time(db: TestDb) {
        let (second, micro) = (TimeDelta::seconds(1), TimeDelta::microseconds(1));
        let values = vec![
            TimeDelta::zero(), second, -second, micro, -micro, TimeDelta::days(10_000), -TimeDelta::days(10_000),
            TimeDelta::microseconds(i64::MAX), TimeDelta::microseconds(i64::MIN),
        ];
        check::<Delta>(db, values, DELTA).await;
    }

    async fn jiffs_moments(db: TestDb) {
        let values = ["1970-01-01T00:00:00Z", "9999-12-30T22:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z"];
        check::<JiffMoment>(db, values.map(|text| text.parse().unwrap()).into(), MOMENT).await;
    }

    async fn jiffs_readings_of_a_clock(db: TestDb) {
        let values = ["1970-01-01T00:00", "9999-12-31T23:59:59.999999", "0001-01-01T00:00", "1969-12-31T23:59:59.999999"];
        check::<JiffReading>(db, values.map(|text| text.parse().unwrap()).into(), READING).await;
    }

    async fn jiffs_days(db: TestDb) {
        let values = ["1970-01-01", "0001-01-01", "9999-12-31", "2000-02-29", "-004712-01-01"];
        check::<JiffDay>(db, values.map(|text| text.parse().unwrap()).into(), DAY).await;
    }

    async fn jiffs_times_of_day(db: TestDb) {
        let values = ["00:00:00", "23:59:59.999999", "12:34:56.7"];
        check::<JiffClock>(db, values.map(|text| text.parse().unwrap()).into(), CLOCK).await;
    }

    async fn jiffs_lengths_of_time(db: TestDb) {
        let micros = [0, 1, -1, 86_400_000_000_000, i64::MAX, i64::MIN];
        check::<JiffDelta>(db, micros.map(jiff::SignedDuration::from_micros).into(), DELTA).await;
    }

    async fn times_moments(db: TestDb) {
        use time::macros::datetime;
        let values = vec![
            datetime!(1970-01-01 0:00 UTC), datetime!(9999-12-31 23:59:59.999999 UTC), datetime!(0001-01-01 0:00 UTC),
            datetime!(1969-12-31 23:59:59.999999 UTC), datetime!(2024-06-01 12:00 +5:30),
        ];
        check::<TimeMoment>(db, values, MOMENT).await;
    }

    async fn times_readings_of_a_clock(db: TestDb) {
        use time::macros::datetime;
        let values = vec![
            datetime!(1970-01-01 0:00), datetime!(9999-12-31 23:59:59.999999), datetime!(1969-12-31 23:59:59.999999),
        ];
        check::<TimeReading>(db, values, READING).await;
    }

    async fn times_days(db: TestDb) {
        use time::macros::date;
        check::<TimeDay>(db, vec![date!(1970-01-01), date!(0001-01-01), date!(9999-12-31), date!(-4712-01-01)], DAY).await;
    }

    async fn times_times_of_day(db: TestDb) {
        use time::macros::time;
        check::<TimeClock>(db, vec![time!(0:00), time!(23:59:59.999999), time!(12:34:56.7)], CLOCK).await;
    }

    async fn times_lengths_of_time(db: TestDb) {
        let micros = [0, 1, -1, 86_400_000_000_000, i64::MAX, i64::MIN];
        check::<TimeDelta2>(db, micros.map(time::Duration::microseconds).into(), DELTA).await;
    }
}
