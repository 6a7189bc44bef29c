//! Times of the crates jiff and time in expressions: the same operators as with chrono.
#![cfg(all(feature = "jiff", feature = "time"))]

use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::{DatePart, now_as, today_as};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
struct Event {
    #[column(primary_key)]
    id: i64,
    at: jiff::Timestamp,
    seen: Option<jiff::civil::DateTime>,
    day: jiff::civil::Date,
    clock: time::Time,
    there: time::OffsetDateTime,
    then: time::Date,
}

async fn event(db: &TestDb) -> Connection {
    let engine = Engine::builder(db.url()).connect().await.expect("the test's database");
    engine.create_all(&limbeck::metadata![Event].expect("metadata")).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    let there = time::OffsetDateTime::from_unix_timestamp(951_782_399).expect("a moment");
    session.add(
        Event::builder()
            .at("1999-12-31T23:59:59.999999Z".parse::<jiff::Timestamp>().expect("a moment"))
            .seen(jiff::civil::date(2024, 2, 29).at(12, 30, 0, 0))
            .day(jiff::civil::date(2024, 1, 31))
            .clock(there.time())
            .there(there)
            .then(there.date()),
    );
    session.commit().await.expect("the event");
    engine.connect().await.expect("a connection")
}

both! {
    async fn times_of_jiff(db: TestDb) {
        let db = &mut event(&db).await;
        let parts = select((Event.at.year(), Event.seen.hour(), Event.day.extract(DatePart::Week)));
        assert_eq!(db.one(parts).await.expect("a row"), (1999, Some(12), 5));
        let shifted = select((Event.at + jiff::SignedDuration::from_micros(1), Event.day.add_months(1), Event.at.date()));
        let expected = (
            "2000-01-01T00:00:00Z".parse::<jiff::Timestamp>().expect("a moment"),
            jiff::civil::date(2024, 2, 29),
            jiff::civil::date(1999, 12, 31),
        );
        assert_eq!(db.one(shifted).await.expect("a row"), expected);
        let midnight = "2000-01-01T00:00:00Z".parse::<jiff::Timestamp>().expect("a moment");
        let between = select(Event.at.since(midnight)).filter(now_as::<jiff::Timestamp>().gt(Event.at));
        assert_eq!(db.one(between).await.expect("a row"), jiff::SignedDuration::from_micros(-1));
    }

    async fn times_of_the_crate_time(db: TestDb) {
        let db = &mut event(&db).await;
        let parts = select((Event.clock.hour(), Event.there.day(), Event.then.extract(DatePart::Quarter)));
        assert_eq!(db.one(parts).await.expect("a row"), (23, 28, 1));
        let days = time::Duration::days(2);
        let query = select((Event.there + days, Event.then.days_since(Event.there.date())))
            .filter(today_as::<time::Date>().gt(Event.then));
        let later = time::OffsetDateTime::from_unix_timestamp(951_782_399).expect("a moment") + days;
        assert_eq!(db.one(query).await.expect("a row"), (later, 0));
    }
}
