//! Values of every type in conditions: what is found is what was written, and NULL is SQL's.

use limbeck::engine::Connection;
use limbeck::model::Column;
use limbeck::prelude::*;
use limbeck::types::ColumnType;
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
struct Sample {
    #[column(primary_key)]
    id: i64,
    text: Option<String>,
    big: Option<i64>,
    number: Option<i32>,
    small: Option<i16>,
    double: Option<f64>,
    single: Option<f32>,
    flag: Option<bool>,
    day: Option<NaiveDate>,
    moment: Option<DateTime<Utc>>,
    local: Option<NaiveDateTime>,
}

async fn engine(db: &TestDb) -> Engine {
    let engine = Engine::builder(db.url()).connect().await.expect("an engine");
    engine.create_all(&limbeck::metadata![Sample].expect("metadata")).await.expect("tables");
    engine
}

/// A row for each value, with ids from 1, and one more whose column is NULL.
async fn fill<V: Clone>(engine: &Engine, values: &[V], set: impl Fn(&mut Sample, V)) -> Connection {
    let mut session = engine.sessionmaker().open();
    for value in values {
        let row = session.add(Sample::builder());
        set(&mut session[row], value.clone());
    }
    session.add(Sample::builder());
    session.commit().await.expect("the rows");
    drop(session);
    engine.connect().await.expect("a connection")
}

/// Each value, alone and among all others, finds its row and no other.
async fn each_finds_its_row<V>(
    db: TestDb,
    column: Column<Sample, Option<V>>,
    values: &[V],
    set: impl Fn(&mut Sample, V),
) where
    V: ColumnType<Base = V> + limbeck::sql::Fetch + std::fmt::Debug,
{
    let mut db = fill(&engine(&db).await, values, set).await;
    let ids = select(Sample.id).order_by(Sample.id);
    let all: Vec<i64> = (1..=values.len() as i64).collect();
    assert_eq!(db.all(select(column).order_by(Sample.id)).await.expect("rows")[..values.len()], {
        let values: Vec<Option<V>> = values.iter().cloned().map(Some).collect();
        values
    });
    for (value, id) in values.iter().zip(1..) {
        let found = db.all(ids.clone().filter(column.eq(value))).await.expect("rows");
        assert_eq!(found, [id], "= {value:?}");
        let found = db.all(ids.clone().filter(column.in_([value]))).await.expect("rows");
        assert_eq!(found, [id], "IN ({value:?})");
        let others: Vec<V> = values.iter().filter(|other| *other != value).cloned().collect();
        let found = db.all(ids.clone().filter(column.not_in(others))).await.expect("rows");
        assert_eq!(found, [id], "NOT IN (all but {value:?})");
    }
    assert_eq!(db.all(ids.clone().filter(column.in_(values))).await.expect("rows"), all);
    assert_eq!(db.all(ids.clone().filter(column.not_in(values))).await.expect("rows"), [0i64; 0]);
}

both! {
    async fn text(db: TestDb) {
        let values: Vec<String> = [
            "", " ", "plain", "Plain", "it's", "''", "\"", "\\", "\\\"", "\\u0041", "a\\nb", "a\nb\r\n\t", "\u{1}\u{1f}\u{7f}",
            "null", "NULL", "1", "1.0", "true", "[1,2]", "{}", "$1", ":name", "?", "%", "_", "--", "/*", "Ünïcödé", "e\u{301}",
            "é", "日本語", "👩‍👩‍👧", "\u{2028}\u{2029}", "\u{feff}", "\u{fffd}\u{ffff}\u{10ffff}",
        ]
        .map(String::from)
        .into();
        each_finds_its_row(db, Sample.text, &values, |row, value| row.text = Some(value)).await;
    }

    async fn big_integers(db: TestDb) {
        let float = 1i64 << 53;
        let values = [i64::MIN, i64::MIN + 1, -float - 1, -1, 0, 1, float, float + 1, i64::MAX - 1, i64::MAX];
        each_finds_its_row(db, Sample.big, &values, |row, value| row.big = Some(value)).await;
    }

    async fn integers(db: TestDb) {
        let values = [i32::MIN, -1, 0, 1, i32::MAX];
        each_finds_its_row(db, Sample.number, &values, |row, value| row.number = Some(value)).await;
    }

    async fn small_integers(db: TestDb) {
        let values = [i16::MIN, -1, 0, 1, i16::MAX];
        each_finds_its_row(db, Sample.small, &values, |row, value| row.small = Some(value)).await;
    }

    async fn doubles(db: TestDb) {
        let values = [
            f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, f64::MIN_POSITIVE, 5e-324, 0.1, 1.0, 1.5, 1e15, 1e16, 1e300,
            9007199254740993.0, f64::MAX, f64::INFINITY,
        ];
        each_finds_its_row(db, Sample.double, &values, |row, value| row.double = Some(value)).await;
    }

    async fn singles(db: TestDb) {
        let values = [f32::NEG_INFINITY, f32::MIN, -0.1, 0.0, 0.1, 1.0, 16777217.0, f32::MAX, f32::INFINITY];
        each_finds_its_row(db, Sample.single, &values, |row, value| row.single = Some(value)).await;
    }

    async fn booleans(db: TestDb) {
        each_finds_its_row(db, Sample.flag, &[true, false], |row, value| row.flag = Some(value)).await;
    }

    async fn days(db: TestDb) {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).expect("a day");
        let values = [day(1, 1, 1), day(1969, 12, 31), day(1970, 1, 1), day(2000, 2, 29), day(9999, 12, 31)];
        each_finds_its_row(db, Sample.day, &values, |row, value| row.day = Some(value)).await;
    }

    async fn moments(db: TestDb) {
        let values = [-62_135_596_800_000_000, -1, 0, 1, 1_700_000_000_000_000, 1_700_000_000_123_456, 253_402_300_799_999_999]
            .map(|micros| DateTime::from_timestamp_micros(micros).expect("a moment"));
        each_finds_its_row(db, Sample.moment, &values, |row, value| row.moment = Some(value)).await;
    }

    async fn local_times(db: TestDb) {
        let values = [-62_135_596_800_000_000, -1, 0, 1_700_000_000_123_456, 253_402_300_799_999_999]
            .map(|micros| DateTime::from_timestamp_micros(micros).expect("a moment").naive_utc());
        each_finds_its_row(db, Sample.local, &values, |row, value| row.local = Some(value)).await;
    }

    async fn nanoseconds_are_cut_alike_when_written_and_when_asked_for(db: TestDb) {
        let fine = DateTime::from_timestamp_nanos(1_700_000_000_123_456_789);
        let mut db = fill(&engine(&db).await, &[fine], |row, value| row.moment = Some(value)).await;
        assert_eq!(db.all(select(Sample.id).filter(Sample.moment.eq(fine))).await.expect("rows"), [1]);
        assert_eq!(db.all(select(Sample.id).filter(Sample.moment.in_([fine]))).await.expect("rows"), [1]);
        assert_eq!(db.all(select(Sample.id).filter(Sample.moment.lt(fine))).await.expect("rows"), [0i64; 0]);
    }

    /// What is in a list, with NULL on either side, and with NOT by each of its spellings.
    async fn null_in_lists(db: TestDb) {
        // Row 1 has 1, row 2 has 2, row 3 has NULL.
        let mut db = fill(&engine(&db).await, &[1i64, 2], |row, value| row.big = Some(value)).await;
        let none: [i64; 0] = [];
        for (list, within, without) in [
            (vec![], &none[..], &[1, 2, 3][..]),
            (vec![Some(1)], &[1], &[2]),
            (vec![None], &none, &none),
            (vec![Some(1), None], &[1], &none),
            (vec![Some(7), None, Some(2), Some(2)], &[2], &none),
        ] {
            let ids = select(Sample.id).order_by(Sample.id);
            let found = db.all(ids.clone().filter(Sample.big.in_(list.clone()))).await.expect("rows");
            assert_eq!(found, within, "in {list:?}");
            let found = db.all(ids.clone().filter(Sample.big.not_in(list.clone()))).await.expect("rows");
            assert_eq!(found, without, "not_in {list:?}");
            let found = db.all(ids.clone().filter(!Sample.big.in_(list.clone()))).await.expect("rows");
            assert_eq!(found, without, "!in {list:?}");
            let found = db.all(ids.clone().filter(!Sample.big.not_in(list.clone()))).await.expect("rows");
            assert_eq!(found, within, "!not_in {list:?}");
        }
    }

    async fn a_hundred_thousand_values_are_one_statement(db: TestDb) {
        let engine = engine(&db).await;
        let mut db = fill(&engine, &[7i64, 200_000, 99_999], |row, value| row.big = Some(value)).await;
        let before = engine.stats();
        let query = |from: i64| select(Sample.id).filter(Sample.big.in_(from..from + 100_000)).order_by(Sample.id);
        assert_eq!(db.all(query(0)).await.expect("rows"), [1, 3]);
        assert_eq!(db.all(query(150_000)).await.expect("rows"), [2]);
        assert_eq!(db.all(select(Sample.id).filter(Sample.big.not_in(0..100_000))).await.expect("rows"), [2]);
        let sent = engine.stats() - before;
        assert_eq!((sent.statements, sent.prepares), (3, 2));
        let texts: Vec<String> = (0..100_000).map(|i| format!("it's \"{i}\"")).collect();
        assert_eq!(db.all(select(Sample.id).filter(Sample.text.in_(&texts))).await.expect("rows"), [0i64; 0]);
    }

    async fn expressions_and_nulls_in_a_list(db: TestDb) {
        let mut db = fill(&engine(&db).await, &[1i64, 2], |row, value| row.big = Some(value)).await;
        let ids = select(Sample.id).order_by(Sample.id);
        assert_eq!(db.all(ids.clone().filter(Sample.big.in_([Sample.id]))).await.expect("rows"), [1, 2]);
        assert_eq!(db.all(ids.clone().filter(Sample.big.not_in([Sample.id]))).await.expect("rows"), [0i64; 0]);
        assert_eq!(db.all(ids.clone().filter(!Sample.id.in_([Sample.big]))).await.expect("rows"), [0i64; 0]);
    }
}
