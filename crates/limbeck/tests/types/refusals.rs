//! What a column would not keep as it is: refused with the model, the column and the value, before anything is sent.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};
use rust_decimal::Decimal;

#[derive(Model, Debug)]
#[model(table = "goods")]
struct Good {
    #[column(primary_key)]
    id: i64,
    #[column(length = 3, default = "abc")]
    code: String,
    #[column(numeric(5, 2), default = Decimal::ONE)]
    price: Decimal,
    #[column(default = Decimal::ONE)]
    weight: Decimal,
    #[column(default = 0.0)]
    ratio: f64,
    #[column(default = vec![])]
    names: Vec<String>,
    #[column(default = DateTime::UNIX_EPOCH)]
    made_at: DateTime<Utc>,
    #[column(default = NaiveTime::MIN)]
    opens: NaiveTime,
    #[column(default = TimeDelta::zero())]
    lasts: TimeDelta,
}

/// The error of a row that is changed so, and that nothing was sent for it.
async fn refused(session: &mut limbeck::session::Session, change: impl FnOnce(&mut Good)) -> String {
    let row = session.add(Good::builder());
    change(&mut session[row]);
    let before = session.stats();
    let error = session.flush().await.expect_err("a value that does not fit");
    assert!(matches!(error, limbeck::Error::InvalidValue { model: "Good", .. }), "{error:?}");
    assert_eq!(session.stats().statements, before.statements);
    session.expunge(row).unwrap();
    error.to_string()
}

async fn goods(db: &TestDb) -> limbeck::session::Session {
    let engine = Engine::builder(db.url()).connect().await.unwrap();
    engine.create_all(&limbeck::metadata![Good].unwrap()).await.unwrap();
    engine.sessionmaker().open()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

both! {
    async fn digits_beyond_the_column(db: TestDb) {
        let mut session = goods(&db).await;
        let error = refused(&mut session, |good| good.price = decimal("0.001")).await;
        assert_eq!(error, "Good.price: 0.001 has 3 digits after the point, but the column holds 2");
        let error = refused(&mut session, |good| good.price = decimal("-1000")).await;
        assert_eq!(error, "Good.price: -1000 has 4 digits before the point, but the column holds 3");
    }

    async fn digits_beyond_sqlite(db: TestDb) {
        let mut session = goods(&db).await;
        let long = decimal("1234567890.123456");
        if db.is_postgres() {
            let row = session.add(Good::builder().weight(long));
            session.commit().await.unwrap();
            session.expire(row).unwrap();
            assert_eq!(session.fresh(row).await.unwrap().weight, long);
        } else {
            let error = refused(&mut session, |good| good.weight = long).await;
            let says = "1234567890.123456 has more than the 15 significant digits that SQLite keeps exactly";
            assert_eq!(error, format!("Good.weight: {says}"));
            let error = session.count(select(Good).filter(Good.weight.eq(long))).await.unwrap_err().to_string();
            assert!(error.contains("1234567890.123456"), "{error}");
        }
    }

    async fn not_a_number(db: TestDb) {
        let mut session = goods(&db).await;
        if db.is_postgres() {
            let row = session.add(Good::builder().ratio(f64::NAN));
            session.commit().await.unwrap();
            session.expire(row).unwrap();
            assert!(session.fresh(row).await.unwrap().ratio.is_nan());
        } else {
            let error = refused(&mut session, |good| good.ratio = f64::NAN).await;
            assert_eq!(error, "Good.ratio: NaN, which SQLite would turn into NULL");
        }
    }

    async fn text_too_long_or_with_a_nul(db: TestDb) {
        let mut session = goods(&db).await;
        let error = refused(&mut session, |good| good.code = "äöüß".into()).await;
        assert_eq!(error, "Good.code: 4 characters, but the column holds 3");
        let error = refused(&mut session, |good| good.names = vec!["a".into(), "b\0".into()]).await;
        assert_eq!(error, "Good.names: element 1: text with a NUL character, which PostgreSQL cannot hold");
    }

    async fn times_that_no_database_has(db: TestDb) {
        let mut session = goods(&db).await;
        let early = DateTime::from_timestamp(-210_866_803_201, 0).unwrap();
        let error = refused(&mut session, |good| good.made_at = early).await;
        assert_eq!(error, "Good.made_at: -4713-11-23 23:59:59.000000, which PostgreSQL cannot hold");
        let leap = NaiveTime::MIN.with_nanosecond(1_500_000_000).unwrap();
        let error = refused(&mut session, |good| good.opens = leap).await;
        assert_eq!(error, "Good.opens: a leap second, which no database keeps");
        let error = refused(&mut session, |good| good.lasts = TimeDelta::MAX).await;
        assert!(error.starts_with("Good.lasts: ") && error.ends_with("longer than 292 thousand years"), "{error}");
    }

    async fn finer_than_a_microsecond_is_cut_in_memory_too(db: TestDb) {
        let mut session = goods(&db).await;
        let (moment, time) = (DateTime::from_timestamp_nanos(-1), NaiveTime::from_hms_nano_opt(1, 2, 3, 999_999_999).unwrap());
        let row = session.add(Good::builder());
        session.commit().await.unwrap();
        session[row].made_at = moment;
        session[row].opens = time;
        session[row].lasts = TimeDelta::nanoseconds(1999);
        session.commit().await.unwrap();
        let kept = |good: &Good| (good.made_at, good.opens, good.lasts);
        let before = kept(&session[row]);
        assert_eq!(before, (
            DateTime::from_timestamp_micros(-1).unwrap(),
            NaiveTime::from_hms_micro_opt(1, 2, 3, 999_999).unwrap(),
            TimeDelta::microseconds(1),
        ));
        session.expire(row).unwrap();
        assert_eq!(kept(session.fresh(row).await.unwrap()), before);
    }
}
