//! Operators and functions of times, decimals, JSON and arrays: the SQL that they are, and what it answers.
#![cfg(all(feature = "chrono", feature = "decimal", feature = "json", feature = "uuid"))]

mod expr;

use chrono::{NaiveTime, TimeDelta};
use expr::*;
use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::{DatePart, literal, now, today};
use limbeck::types::Json;
use limbeck_test_support::{TestDb, both};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Model, Debug)]
#[model(table = "events")]
struct Event {
    #[column(primary_key)]
    id: i64,
    at: DateTime<Utc>,
    seen: Option<NaiveDateTime>,
    day: NaiveDate,
    clock: NaiveTime,
    pause: Option<TimeDelta>,
    #[column(numeric(12, 4))]
    price: Decimal,
    #[column(numeric(12, 4))]
    rate: Option<Decimal>,
    data: Value,
    meta: Option<Json<Vec<i32>>>,
    tags: Vec<String>,
    nums: Option<Vec<Option<i32>>>,
    keys: Vec<Uuid>,
    key: Uuid,
}

fn moment(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").expect("a time")
}

fn utc(text: &str) -> DateTime<Utc> {
    moment(text).and_utc()
}

fn date(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a date")
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn some(texts: [Option<&str>; 2]) -> [Option<String>; 2] {
    texts.map(|text| text.map(str::to_owned))
}

/// Two events in a new database. The last microseconds of a year, and a time before 1970.
async fn events(db: &TestDb) -> Connection {
    let engine = Engine::builder(db.url()).connect().await.expect("the test's database");
    engine.create_all(&limbeck::metadata![Event].expect("metadata")).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    let at = moment("2023-12-31 23:59:59.999999");
    session.add(
        Event::builder()
            .at(at.and_utc())
            .day(date("2024-01-31"))
            .clock(at.time())
            .pause(TimeDelta::microseconds(1))
            .price(decimal("10"))
            .rate(decimal("0.25"))
            .data(json!({"name": "Ada", "age": 36.9, "ok": true, "tags": ["x", "y"], "a b'c": {"d": null}, "n": 7}))
            .meta(Json(vec![1, 2, 3]))
            .tags(["a", "b%", "it's"].map(str::to_owned).to_vec())
            .nums(vec![Some(1), None, Some(3)])
            .keys(vec![Uuid::from_u128(1), Uuid::from_u128(2)])
            .key(Uuid::from_u128(2)),
    );
    let at = moment("1969-07-20 20:17:40.000001");
    session.add(
        Event::builder()
            .at(at.and_utc())
            .seen(at)
            .day(date("1969-07-20"))
            .clock(at.time())
            .price(decimal("2.5"))
            .data(json!(["x", 1, false]))
            .tags(Vec::new())
            .keys(Vec::new())
            .key(Uuid::from_u128(3)),
    );
    session.commit().await.expect("the events");
    engine.connect().await.expect("a connection")
}

/// What an expression is in SQL, and what it is for both events.
macro_rules! ask {
    ($db:ident, $expression:expr, @$sql:literal, $expected:expr) => {{
        let query = select($expression).from(Event).order_by(Event.id);
        assert_sql!(query, @$sql);
        assert_eq!($db.all(&query).await.expect("rows"), $expected);
    }};
    // The SQL is long and nothing but its answer is of interest.
    ($db:ident, $expression:expr, $expected:expr) => {{
        let query = select($expression).from(Event).order_by(Event.id);
        assert_eq!($db.all(&query).await.expect("rows"), $expected, "{}", sql_of(&query));
    }};
}

both! {
    async fn parts_of_times(db: TestDb) {
        let db = &mut events(&db).await;
        ask!(db, Event.at.year(), @"
        CAST(strftime('%Y', substr(at, 1, 19)) AS INTEGER)
        CAST(extract(year FROM at AT TIME ZONE 'UTC') AS int4)
        ", [2023, 1969]);
        ask!(db, Event.seen.month(), @"
        CAST(strftime('%m', substr(seen, 1, 19)) AS INTEGER)
        CAST(extract(month FROM seen) AS int4)
        ", [None, Some(7)]);
        ask!(db, Event.day.extract(DatePart::Quarter), @"
        ((CAST(strftime('%m', substr(day, 1, 19)) AS INTEGER) + 2) / 3)
        CAST(extract(quarter FROM day) AS int4)
        ", [1, 3]);
        ask!(db, Event.clock.hour() * 60 + Event.clock.minute(), @"
        CAST(strftime('%H', substr(clock, 1, 19)) AS INTEGER) * ? + CAST(strftime('%M', substr(clock, 1, 19)) AS INTEGER)
        CAST(extract(hour FROM clock) AS int4) * $1 + CAST(extract(minute FROM clock) AS int4)
        ", [23 * 60 + 59, 20 * 60 + 17]);
        ask!(db, Event.at.second(), @"
        CAST(strftime('%S', substr(at, 1, 19)) AS INTEGER)
        CAST(floor(extract(second FROM at)) AS int4)
        ", [59, 40]);
        ask!(db, Event.at.epoch(), @"
        unixepoch(substr(at, 1, 19))
        CAST(floor(extract(epoch FROM at)) AS int8)
        ", [1_704_067_199i64, -14_182_940]);
        ask!(db, Event.clock.second(), [59, 40]);
        for (part, expected) in [
            (DatePart::Year, [2023, 1969]),
            (DatePart::Quarter, [4, 3]),
            (DatePart::Month, [12, 7]),
            (DatePart::Week, [52, 29]),
            (DatePart::Day, [31, 20]),
            (DatePart::DayOfWeek, [0, 0]),
            (DatePart::DayOfYear, [365, 201]),
            (DatePart::Hour, [23, 20]),
            (DatePart::Minute, [59, 17]),
            (DatePart::Second, [59, 40]),
        ] {
            ask!(db, Event.at.extract(part), expected);
            ask!(db, Event.at.cast::<NaiveDateTime>().extract(part), expected);
        }
    }

    async fn the_beginning_of_a_year_a_week_a_day(db: TestDb) {
        let db = &mut events(&db).await;
        ask!(db, Event.at.date_trunc(DatePart::Month), @"
        strftime('%Y-%m-01', substr(at, 1, 19)) || ' 00:00:00.000000'
        date_trunc('month', at, 'UTC')
        ", [utc("2023-12-01 00:00:00"), utc("1969-07-01 00:00:00")]);
        ask!(db, Event.day.date_trunc(DatePart::Month), @"
        strftime('%Y-%m-01', substr(day, 1, 19))
        CAST(date_trunc('month', CAST(day AS timestamp)) AS date)
        ", [date("2024-01-01"), date("1969-07-01")]);
        for (part, expected) in [
            (DatePart::Year, ["2023-01-01 00:00:00", "1969-01-01 00:00:00"]),
            (DatePart::Quarter, ["2023-10-01 00:00:00", "1969-07-01 00:00:00"]),
            (DatePart::Month, ["2023-12-01 00:00:00", "1969-07-01 00:00:00"]),
            (DatePart::Week, ["2023-12-25 00:00:00", "1969-07-14 00:00:00"]),
            (DatePart::Day, ["2023-12-31 00:00:00", "1969-07-20 00:00:00"]),
            (DatePart::Hour, ["2023-12-31 23:00:00", "1969-07-20 20:00:00"]),
            (DatePart::Minute, ["2023-12-31 23:59:00", "1969-07-20 20:17:00"]),
            (DatePart::Second, ["2023-12-31 23:59:59", "1969-07-20 20:17:40"]),
        ] {
            ask!(db, Event.at.date_trunc(part), expected.map(utc));
            ask!(db, Event.seen.date_trunc(part), [None, Some(moment(expected[1]))]);
        }
        for (part, expected) in [
            (DatePart::Year, ["2024-01-01", "1969-01-01"]),
            (DatePart::Quarter, ["2024-01-01", "1969-07-01"]),
            (DatePart::Week, ["2024-01-29", "1969-07-14"]),
            (DatePart::Day, ["2024-01-31", "1969-07-20"]),
        ] {
            ask!(db, Event.day.date_trunc(part), expected.map(date));
        }
    }

    async fn lengths_of_time(db: TestDb) {
        let db = &mut events(&db).await;
        let later = TimeDelta::days(1) + TimeDelta::microseconds(1);
        ask!(db, Event.at + later, @"
        strftime('%Y-%m-%d %H:%M:%S', unixepoch(substr(at, 1, 19)) + unixepoch(substr(?, 1, 19)) + (CAST(substr(at || '000000', 21, 6) AS INTEGER) + CAST(substr(? || '000000', 21, 6) AS INTEGER)) / 1000000, 'unixepoch') || printf('.%06d', (CAST(substr(at || '000000', 21, 6) AS INTEGER) + CAST(substr(? || '000000', 21, 6) AS INTEGER)) % 1000000)
        at + $1
        ", [utc("2024-01-02 00:00:00"), utc("1969-07-21 20:17:40.000002")]);
        ask!(db, Event.at - later, @"
        strftime('%Y-%m-%d %H:%M:%S', unixepoch(substr(at, 1, 19)) - unixepoch(substr(?, 1, 19)) - 1 + (CAST(substr(at || '000000', 21, 6) AS INTEGER) - CAST(substr(? || '000000', 21, 6) AS INTEGER) + 1000000) / 1000000, 'unixepoch') || printf('.%06d', (CAST(substr(at || '000000', 21, 6) AS INTEGER) - CAST(substr(? || '000000', 21, 6) AS INTEGER) + 1000000) % 1000000)
        at - $1
        ", [utc("2023-12-30 23:59:59.999998"), utc("1969-07-19 20:17:40.000000")]);
        ask!(db, Event.at + Event.pause, [Some(utc("2024-01-01 00:00:00")), None]);
        ask!(db, Event.at - TimeDelta::microseconds(-1), [utc("2024-01-01 00:00:00"), utc("1969-07-20 20:17:40.000002")]);
        ask!(db, Event.seen + later, [None, Some(moment("1969-07-21 20:17:40.000002"))]);
        ask!(db, Event.day + TimeDelta::hours(25), [moment("2024-02-01 01:00:00"), moment("1969-07-21 01:00:00")]);
        ask!(db, Event.pause + later + later, [Some(later * 2 + TimeDelta::microseconds(1)), None]);
        let half = utc("2023-12-31 12:00:00");
        ask!(
            db,
            Event.at.since(half),
            @"
        strftime('%Y-%m-%d %H:%M:%S', unixepoch(substr(at, 1, 19)) - unixepoch(substr(?, 1, 19)) - 1 + (CAST(substr(at || '000000', 21, 6) AS INTEGER) - CAST(substr(? || '000000', 21, 6) AS INTEGER) + 1000000) / 1000000, 'unixepoch') || printf('.%06d', (CAST(substr(at || '000000', 21, 6) AS INTEGER) - CAST(substr(? || '000000', 21, 6) AS INTEGER) + 1000000) % 1000000)
        at - $1
        ",
            [TimeDelta::hours(12) - TimeDelta::microseconds(1), utc("1969-07-20 20:17:40.000001") - half]
        );
        ask!(db, Event.day.days_since(date("2024-01-01")), @"
        CAST(julianday(day) - julianday(?) AS INTEGER)
        (day - $1)
        ", [30, -19888]);
        ask!(db, Event.day.add_days(1), @"
        date(day, ? || ' days')
        CAST(day + make_interval(days => $1) AS date)
        ", [date("2024-02-01"), date("1969-07-21")]);
        ask!(db, Event.day.add_months(1), @"
        date(day, ? || ' months', 'floor')
        CAST(day + make_interval(months => $1) AS date)
        ", [date("2024-02-29"), date("1969-08-20")]);
        ask!(db, Event.at.add_months(-10), @"
        (strftime('%Y-%m-%d %H:%M:%S', substr(at, 1, 19), ? || ' months', 'floor') || printf('.%06d', CAST(substr(at || '000000', 21, 6) AS INTEGER)))
        ((at AT TIME ZONE 'UTC' + make_interval(months => $1)) AT TIME ZONE 'UTC')
        ", [utc("2023-02-28 23:59:59.999999"), utc("1968-09-20 20:17:40.000001")]);
        ask!(db, Event.seen.add_days(Event.day.day()), [None, Some(moment("1969-08-09 20:17:40.000001"))]);
        ask!(db, Event.at.date().eq(Event.day), @"
        date(substr(at, 1, 19)) = day
        CAST(at AT TIME ZONE 'UTC' AS date) = day
        ", [false, true]);
        ask!(db, Event.at.cast::<String>().length().gt(18), [true, true]);
        ask!(db, Event.day.cast::<NaiveDateTime>(), @"
        strftime('%Y-%m-%d %H:%M:%f000', day)
        CAST(day AS timestamp)
        ", [moment("2024-01-31 00:00:00"), moment("1969-07-20 00:00:00")]);
        ask!(db, Event.at.cast::<NaiveDate>(), [date("2023-12-31"), date("1969-07-20")]);
        ask!(db, Event.at.cast::<NaiveTime>().eq(Event.clock), [true, true]);
    }

    async fn the_clock(db: TestDb) {
        let db = &mut events(&db).await;
        let before = Utc::now();
        let found = db.one(select(now()).from(Event).limit(1)).await.expect("the time");
        assert!((found - before).abs() < TimeDelta::seconds(10), "{found}");
        ask!(db, now().gt(Event.at), [true, true]);
        ask!(db, today().ge(Event.day).and(today().le(now().date())), [true, true]);
    }

    async fn decimals(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut events(&db).await;
        let (four, one) = (Decimal::from(4), Decimal::ONE);
        ask!(db, Event.price / four, @"
        CAST(price AS REAL) / ?
        price / $1
        ", [decimal("2.5"), decimal("0.625")]);
        ask!(db, Event.price * (one - Event.rate), @"
        price * (? - rate)
        price * ($1 - rate)
        ", [Some(decimal("7.5")), None]);
        ask!(db, (Event.price + decimal("0.06")).round_to(1), @"
        round(price + ?, ?)
        round(price + $1, $2)
        ", [decimal("10.1"), decimal("2.6")]);
        ask!(db, (-Event.price).floor(), [decimal("-10"), decimal("-3")]);
        ask!(db, Event.price.ceil(), [decimal("10"), decimal("3")]);
        ask!(db, Event.price.gt(Event.price * decimal("0.5") + one), [true, true]);
        ask!(db, Event.price.cast::<f64>(), [10.0, 2.5]);
        ask!(db, literal(7).cast::<Decimal>() / four, [decimal("1.75"), decimal("1.75")]);
        let (sum, mean, most) =
            db.one(select((Event.price.sum(), Event.price.avg(), Event.rate.max()))).await.expect("a row");
        assert_eq!((sum, mean, most), (Some(decimal("12.5")), Some(decimal("6.25")), Some(decimal("0.25"))));
        let rest = select(Event.price % four).order_by(Event.id);
        assert_sql!(rest, @"
        error: % of decimals cannot be used on sqlite: its % knows only integers
        price % $1
        ");
        if postgres {
            assert_eq!(db.all(&rest).await.expect("rows"), [decimal("2"), decimal("2.5")]);
        } else {
            let error = db.all(&rest).await.expect_err("SQLite has none").to_string();
            assert_eq!(error, "% of decimals cannot be used on sqlite: its % knows only integers");
        }
    }

    async fn paths_into_json(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut events(&db).await;
        ask!(db, Event.data.get("name"), @"
        data -> '$.\"name\"'
        data -> 'name'
        ", [Some(json!("Ada")), None]);
        ask!(db, Event.data.get("name").text(), @"
        CASE json_type(data, '$.\"name\"') WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(data ->> '$.\"name\"' AS TEXT) END
        data ->> 'name'
        ", some([Some("Ada"), None]));
        ask!(db, Event.data.get("tags").at(1).text(), @"
        CASE json_type(data, '$.\"tags\"[1]') WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(data ->> '$.\"tags\"[1]' AS TEXT) END
        data -> 'tags' ->> 1
        ", some([Some("y"), None]));
        ask!(db, Event.data.at(1), @"
        data -> '$[1]'
        data -> 1
        ", [None, Some(json!(1))]);
        ask!(db, Event.data.path(["a b'c", "d"]), @"
        data -> '$.\"a b''c\".\"d\"'
        data -> 'a b''c' -> 'd'
        ", [Some(Value::Null), None]);
        ask!(db, Event.data.path(["a b'c", "d"]).text(), some([None, None]));
        ask!(db, Event.data.get("ok").text(), some([Some("true"), None]));
        ask!(db, Event.data.at(1).text(), some([None, Some("1")]));
        ask!(db, Event.data.get("age").integer(), @"
        CASE json_type(data -> '$.\"age\"') WHEN 'integer' THEN json_extract(data -> '$.\"age\"', '$') WHEN 'real' THEN CAST(json_extract(data -> '$.\"age\"', '$') AS INTEGER) END
        CASE jsonb_typeof(CAST(data -> 'age' AS jsonb)) WHEN 'number' THEN CAST(trunc(CAST(CAST(data -> 'age' AS jsonb) AS numeric)) AS int8) END
        ", [Some(36i64), None]);
        ask!(db, Event.data.get("n").integer() + 1, [Some(8i64), None]);
        ask!(db, Event.data.get("name").integer(), [None::<i64>, None]);
        ask!(db, Event.data.get("age").float(), @"
        CASE WHEN json_type(data -> '$.\"age\"') IN ('integer', 'real') THEN CAST(json_extract(data -> '$.\"age\"', '$') AS REAL) END
        CASE jsonb_typeof(CAST(data -> 'age' AS jsonb)) WHEN 'number' THEN CAST(CAST(data -> 'age' AS jsonb) AS float8) END
        ", [Some(36.9), None]);
        ask!(db, Event.data.get("ok").boolean(), @"
        CASE json_type(data -> '$.\"ok\"') WHEN 'true' THEN 1 WHEN 'false' THEN 0 END
        CASE jsonb_typeof(CAST(data -> 'ok' AS jsonb)) WHEN 'boolean' THEN CAST(CAST(data -> 'ok' AS jsonb) AS bool) END
        ", [Some(true), None]);
        ask!(db, Event.data.at(2).boolean(), [None, Some(false)]);
        ask!(db, Event.data.json_kind(), @"
        CASE json_type(data) WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'text' THEN 'string' ELSE json_type(data) END
        jsonb_typeof(CAST(data AS jsonb))
        ", some([Some("object"), Some("array")]));
        ask!(db, Event.data.get("age").json_kind(), some([Some("number"), None]));
        ask!(db, Event.data.get("tags").json_len(), @"
        CASE json_type(data -> '$.\"tags\"') WHEN 'array' THEN json_array_length(data -> '$.\"tags\"') END
        CASE jsonb_typeof(CAST(data -> 'tags' AS jsonb)) WHEN 'array' THEN jsonb_array_length(CAST(data -> 'tags' AS jsonb)) END
        ", [Some(2), None]);
        ask!(db, Event.meta.json_len(), [Some(3), None]);
        ask!(db, Event.meta.at(2).integer(), [Some(3i64), None]);
        ask!(db, Event.data.has_key("ok"), @"
        iif(data IS NULL, NULL, (data -> '$.\"ok\"') IS NOT NULL)
        CAST(data AS jsonb) ? $1
        ", [true, false]);
        ask!(db, Event.data.get("a b'c").has_key("d").nullable(), [Some(true), None]);
        ask!(db, Event.data.get("tags").eq(json!(["x", "y"])).nullable(), @"
        data -> '$.\"tags\"' = ?
        data -> 'tags' = $1
        ", [Some(true), None]);
        ask!(db, Event.data.get("name").text().in_(["Ada", "Bea"]).nullable(), [Some(true), None]);
        let within = select(Event.data.contains(json!({"n": 7}))).order_by(Event.id);
        assert_sql!(within, @"
        error: `contains` of JSON cannot be used on sqlite: it has nothing like it; compare the parts, as in `.get(\"a\").text().eq(…)`
        CAST(data AS jsonb) @> CAST($1 AS jsonb)
        ");
        if postgres {
            assert_eq!(db.all(&within).await.expect("rows"), [true, false]);
        } else {
            assert!(db.all(&within).await.expect_err("SQLite has none").to_string().contains("compare the parts"));
        }
        let quoted = select(Event.data.get("a\\\"b")).order_by(Event.id);
        assert_sql!(quoted, @"
        error: the JSON key \"a\\\\\\\"b\" cannot be used on sqlite: its paths cannot have a quotation mark or a backslash in a key
        data -> E'a\\\\\"b'
        ");
        if postgres {
            assert_eq!(db.all(&quoted).await.expect("rows"), [None, None]);
        }
    }

    async fn arrays(db: TestDb) {
        let db = &mut events(&db).await;
        let texts = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
        ask!(db, Event.tags.any("b%"), @"
        iif(tags IS NULL, NULL, ? IN (SELECT value FROM json_each(tags)))
        $1 = ANY(tags)
        ", [true, false]);
        ask!(db, Event.nums.any(Event.id.cast::<i32>()).nullable(), [Some(true), None]);
        ask!(db, Event.keys.any(Event.key), @"
        iif(keys IS NULL, NULL, \"key\" IN (SELECT unhex(value) FROM json_each(keys)))
        \"key\" = ANY(keys)
        ", [true, false]);
        ask!(db, Event.tags.contains(texts(&["it's", "a"])), @"
        iif(tags IS NULL OR ? IS NULL, NULL, NOT EXISTS (SELECT 1 FROM json_each(?) AS limbeck_part WHERE limbeck_part.value IS NULL OR limbeck_part.value NOT IN (SELECT limbeck_whole.value FROM json_each(tags) AS limbeck_whole WHERE limbeck_whole.value IS NOT NULL)))
        tags @> $1
        ", [true, false]);
        ask!(db, Event.tags.contains(texts(&[])), [true, true]);
        ask!(db, Event.tags.overlaps(texts(&["z", "a"])), @"
        iif(tags IS NULL OR ? IS NULL, NULL, EXISTS (SELECT 1 FROM json_each(?) AS limbeck_part WHERE limbeck_part.value IN (SELECT limbeck_whole.value FROM json_each(tags) AS limbeck_whole)))
        tags && $1
        ", [true, false]);
        ask!(db, Event.nums.overlaps(vec![Some(3), Some(4)]).nullable(), [Some(true), None]);
        ask!(db, Event.nums.len(), @"
        json_array_length(nums)
        cardinality(nums)
        ", [Some(3), None]);
        ask!(db, Event.tags.is_empty(), [false, true]);
        ask!(db, Event.tags.item(2), @"
        tags ->> '$[2]'
        (tags)[3]
        ", [Some("it's".to_owned()), None]);
        ask!(db, Event.nums.item(1), [None::<i32>, None]);
        ask!(db, Event.keys.item(1).eq(Event.key).nullable(), @"
        unhex(keys ->> '$[1]') = \"key\"
        (keys)[2] = \"key\"
        ", [Some(true), None]);
        let all = select((
            Event.id.array_agg().order_by(Event.id.desc()),
            Event.seen.array_agg().order_by(Event.id),
            Event.key.array_agg().filter(Event.id.eq(2)),
            Event.id.array_agg().filter(Event.id.gt(9)),
        ));
        assert_sql!(all, @"
        nullif(json_group_array(id ORDER BY id DESC), '[]'), nullif(json_group_array(seen ORDER BY id), '[]'), nullif(json_group_array(hex(\"key\")) FILTER (WHERE id = ?), '[]'), nullif(json_group_array(id) FILTER (WHERE id > ?), '[]')
        array_agg(id ORDER BY id DESC), array_agg(seen ORDER BY id), array_agg(\"key\") FILTER (WHERE id = $1), array_agg(id) FILTER (WHERE id > $2)
        ");
        let seen = moment("1969-07-20 20:17:40.000001");
        let expected =
            (Some(vec![2, 1]), Some(vec![None, Some(seen)]), Some(vec![Uuid::from_u128(3)]), None::<Vec<i64>>);
        assert_eq!(db.one(&all).await.expect("a row"), expected);
    }
}

#[test]
fn a_part_that_a_type_has_not_is_refused_when_the_statement_is_built() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let refused = |query: limbeck::Result<String>| query.expect_err("a refusal").to_string();
        let error = refused(select(Event.clock.extract(DatePart::Year)).to_sql(dialect));
        assert!(error.ends_with("a time of day has none; its parts are hour, minute and second"), "{error}");
        let error = refused(select(Event.day.extract(DatePart::Hour)).to_sql(dialect));
        assert!(error.ends_with("a date has none"), "{error}");
        let error = refused(select(Event.at.date_trunc(DatePart::DayOfYear)).to_sql(dialect));
        assert!(error.starts_with("`date_trunc` to such a part cannot be used"), "{error}");
    }
}
