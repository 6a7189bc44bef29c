//! One database, two libraries: what SQLAlchemy writes limbeck reads, and the other way round.
//!
//! The other half is `sqlalchemy/samples.py`. It runs in the Python that `LIMBECK_PYTHON` names, in the one that
//! `scripts/setup` made, or in `python3`, whichever has SQLAlchemy. Where none has, these tests are left out and say
//! so; where `LIMBECK_PYTHON` is set they fail.

#![cfg(all(feature = "chrono", feature = "decimal", feature = "json", feature = "uuid"))]

use std::path::PathBuf;
use std::process::Command;

use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};
use serde_json::{Value, json};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum Status {
    Draft,
    InReview,
    Published,
}

/// A column of each type, in the order of `samples.py`.
#[derive(Model, Debug, PartialEq)]
struct Sample {
    #[column(primary_key)]
    id: i32,
    writer: String,
    case: String,
    small: Option<i16>,
    number: Option<i32>,
    big: Option<i64>,
    single: Option<f32>,
    double: Option<f64>,
    flag: Option<bool>,
    #[column(length = 100)]
    name: Option<String>,
    plain: Option<String>,
    #[column(text)]
    body: Option<String>,
    moment: Option<DateTime<Utc>>,
    clock: Option<NaiveDateTime>,
    day: Option<NaiveDate>,
    time: Option<NaiveTime>,
    span: Option<TimeDelta>,
    #[column(numeric(10, 2))]
    price: Option<Decimal>,
    #[column(numeric(15, 6))]
    rate: Option<Decimal>,
    document: Option<Value>,
    #[column(json)]
    verbatim: Option<Value>,
    numbers: Option<Vec<i64>>,
    words: Option<Vec<String>>,
    gaps: Option<Vec<Option<i32>>>,
    status: Option<Status>,
    #[column(text)]
    token: Option<Uuid>,
    payload: Option<Vec<u8>>,
}

impl Sample {
    /// The row of a case of which nothing else is known.
    fn empty(case: &str) -> Sample {
        Sample {
            id: 0,
            writer: String::new(),
            case: case.to_owned(),
            small: None,
            number: None,
            big: None,
            single: None,
            double: None,
            flag: None,
            name: None,
            plain: None,
            body: None,
            moment: None,
            clock: None,
            day: None,
            time: None,
            span: None,
            price: None,
            rate: None,
            document: None,
            verbatim: None,
            numbers: None,
            words: None,
            gaps: None,
            status: None,
            token: None,
            payload: None,
        }
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// What `samples.py` calls `CASES`.
fn cases() -> Vec<Sample> {
    let typical = day(2026, 11, 22).and_hms_micro_opt(8, 12, 0, 123_456).expect("a time");
    let first = day(1, 1, 1).and_hms_opt(0, 0, 0).expect("a time");
    let last = day(9999, 12, 31).and_hms_micro_opt(23, 59, 59, 999_999).expect("a time");
    let epoch = DateTime::UNIX_EPOCH.naive_utc();
    let document = json!({
        "title": "Ünï \u{1f600}",
        "tags": ["a", null, true],
        "deep": {"n": -1.5, "big": 9_007_199_254_740_993_i64},
    });
    vec![
        Sample {
            small: Some(7),
            number: Some(-42),
            big: Some(1_234_567_890_123),
            single: Some(1.5),
            double: Some(0.1),
            flag: Some(true),
            name: Some("Ada".into()),
            plain: Some("it's \"quoted\" \\ 100%".into()),
            body: Some("two\nlines\tand a tab".into()),
            moment: Some(typical.and_utc()),
            clock: day(2026, 11, 22).and_hms_milli_opt(8, 12, 0, 120),
            day: Some(day(2024, 2, 29)),
            time: NaiveTime::from_hms_micro_opt(8, 12, 0, 1),
            span: Some(TimeDelta::days(1) + TimeDelta::seconds(7384) + TimeDelta::microseconds(5)),
            price: Some(Decimal::new(1999, 2)),
            rate: Some(Decimal::new(123_456, 6)),
            document: Some(document.clone()),
            verbatim: Some(document),
            numbers: Some(vec![1, 2, 3]),
            words: Some(["a", "b,c", "d\"e", "{f}", "NULL", "", "\\"].map(String::from).to_vec()),
            gaps: Some(vec![Some(1), None, Some(3)]),
            status: Some(Status::InReview),
            token: Some(Uuid::from_u128(0x0192_f0c1_2d3e_7f4a_8b5c_6d7e_8f90_1234)),
            payload: Some((0..=255).collect()),
            ..Sample::empty("typical")
        },
        Sample {
            small: Some(i16::MIN),
            number: Some(i32::MIN),
            big: Some(i64::MIN),
            single: Some(f32::MIN),
            double: Some(f64::MIN),
            flag: Some(false),
            name: Some(String::new()),
            plain: Some(String::new()),
            body: Some(String::new()),
            moment: Some(first.and_utc()),
            clock: Some(first),
            day: Some(day(1, 1, 1)),
            time: Some(NaiveTime::MIN),
            span: Some(first - epoch),
            price: Some(Decimal::new(-9_999_999_999, 2)),
            rate: Some(Decimal::new(-999_999_999_999_999, 6)),
            // JSON's null, which is not SQL's.
            document: Some(Value::Null),
            verbatim: Some(Value::Null),
            numbers: Some(Vec::new()),
            words: Some(Vec::new()),
            gaps: Some(vec![None]),
            status: Some(Status::Draft),
            token: Some(Uuid::nil()),
            payload: Some(Vec::new()),
            ..Sample::empty("lowest")
        },
        Sample {
            small: Some(i16::MAX),
            number: Some(i32::MAX),
            big: Some(i64::MAX),
            single: Some(f32::MAX),
            double: Some(f64::MAX),
            flag: Some(true),
            name: Some("é".repeat(100)),
            plain: Some("\u{1f9d7}\u{200d}\u{2640}\u{fe0f} \u{202e}right to left\u{202c}".into()),
            body: Some("\u{4e2d}\u{6587}".repeat(5000)),
            moment: Some(last.and_utc()),
            clock: Some(last),
            day: Some(day(9999, 12, 31)),
            time: NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999),
            span: Some(last - epoch),
            price: Some(Decimal::new(9_999_999_999, 2)),
            rate: Some(Decimal::new(999_999_999_999_999, 6)),
            document: Some(json!([])),
            verbatim: Some(json!("text")),
            numbers: Some(vec![i64::MIN, 0, i64::MAX]),
            words: Some(["\u{1f600}", "é", " "].map(String::from).to_vec()),
            gaps: Some(Vec::new()),
            status: Some(Status::Published),
            token: Some(Uuid::max()),
            payload: Some(vec![0; 100_000]),
            ..Sample::empty("highest")
        },
        Sample {
            single: Some(f32::from_bits(1)),
            double: Some(f64::from_bits(1)),
            price: Some(Decimal::new(1, 2)),
            rate: Some(Decimal::ZERO),
            document: Some(json!(7)),
            verbatim: Some(json!(-0.5)),
            ..Sample::empty("smallest")
        },
        Sample::empty("nulls"),
    ]
}

/// Looks for the packages without the time that loading them takes.
const LOOK: &str = "from importlib.util import find_spec as find; exit(not (find('sqlalchemy') and find('psycopg')))";

/// SQLAlchemy, and the database of a test as it calls it.
struct Python {
    program: PathBuf,
    url: String,
}

impl Python {
    /// `None`, with a note, where no Python has SQLAlchemy.
    fn find(db: &TestDb) -> Option<Python> {
        let url = match db.url().split_once("://") {
            Some(("sqlite", file)) => format!("sqlite:///{file}"),
            Some((_, rest)) => format!("postgresql+psycopg://{rest}"),
            None => panic!("not a URL: {}", db.url()),
        };
        let named = std::env::var_os("LIMBECK_PYTHON").map(PathBuf::from);
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
        let home = std::env::var_os("LIMBECK_PYTHON_HOME").map(PathBuf::from);
        let home = home.or_else(|| cache.map(|cache| cache.join("limbeck/python")));
        let places = match &named {
            Some(program) => vec![program.clone()],
            None => home.map(|home| home.join("bin/python")).into_iter().chain(["python3".into()]).collect(),
        };
        for program in places {
            let import = Command::new(&program).args(["-c", LOOK]).output();
            if import.is_ok_and(|output| output.status.success()) {
                return Some(Python { program, url });
            }
        }
        if let Some(program) = named {
            panic!("LIMBECK_PYTHON is {}, which has no SQLAlchemy and psycopg", program.display());
        }
        eprintln!("left out: no Python has SQLAlchemy and psycopg; scripts/setup installs them");
        None
    }

    /// Runs commands of `samples.py`.
    fn run(&self, commands: &[&str]) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sqlalchemy/samples.py");
        let output = Command::new(&self.program)
            .args(["-W", "error", script, &self.url])
            .args(commands)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("python runs");
        assert!(output.status.success(), "samples.py {commands:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Writes the cases as `writer`.
async fn write(engine: &Engine, writer: &str) {
    let mut session = engine.sessionmaker().open();
    for case in cases() {
        // The key is the placeholder, so the database makes one.
        session.add(Sample { writer: writer.to_owned(), ..case });
    }
    session.commit().await.expect("the rows");
}

/// Reads what `writer` wrote, and compares.
async fn read(engine: &Engine, writer: &str) {
    let mut db = engine.connect().await.expect("a connection");
    let rows = db.all(select(Sample).filter(Sample.writer.eq(writer)).order_by(Sample.id)).await.expect("the rows");
    assert_eq!(rows.len(), cases().len());
    for (row, case) in rows.into_iter().zip(cases()) {
        let case = Sample { id: row.id, writer: writer.to_owned(), ..case };
        assert_eq!(row, case, "in the case {:?}, written by {writer}", case.case);
    }
}

both! {
    async fn tables_of_sqlalchemy_are_shared(db: TestDb) {
        let Some(python) = Python::find(&db) else { return };
        python.run(&["create", "write=sqlalchemy"]);
        let engine = Engine::builder(db.url()).connect().await.expect("an engine");
        read(&engine, "sqlalchemy").await;
        write(&engine, "limbeck").await;
        read(&engine, "limbeck").await;
        python.run(&["read=limbeck"]);
    }

    async fn tables_of_limbeck_are_shared(db: TestDb) {
        let Some(python) = Python::find(&db) else { return };
        let engine = Engine::builder(db.url()).connect().await.expect("an engine");
        engine.create_all(&limbeck::metadata![Sample].expect("metadata")).await.expect("tables");
        python.run(&["write=sqlalchemy"]);
        read(&engine, "sqlalchemy").await;
        write(&engine, "limbeck").await;
        python.run(&["read=limbeck"]);
    }
}
