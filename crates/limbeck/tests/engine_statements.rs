//! Statements, values and errors through the engine, on both databases.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use limbeck::Error;
use limbeck::dialect::Dialect;
use limbeck::engine::{Connection, Engine};
use limbeck::types::{ColumnType, Value};
use limbeck_test_support::{TestDb, both};

/// `$1` on PostgreSQL, `?` on SQLite.
fn spelled(connection: &Connection, sql: &str) -> String {
    if connection.dialect() == Dialect::Postgres {
        return sql.to_string();
    }
    let mut out = sql.to_string();
    for i in (1..10).rev() {
        out = out.replace(&format!("${i}"), &format!("?{i}"));
    }
    out
}

async fn there_and_back<T: ColumnType + limbeck::sql::Fetch + std::fmt::Debug>(
    connection: &mut Connection,
    values: &[T],
) {
    let postgres = connection.dialect() == Dialect::Postgres;
    let sql_type = match T::SQL_TYPE.kind() {
        k if !postgres => {
            let _ = k;
            "ANY_THING"
        }
        limbeck::types::Kind::Bool => "boolean",
        limbeck::types::Kind::I16 => "smallint",
        limbeck::types::Kind::I32 => "integer",
        limbeck::types::Kind::I64 => "bigint",
        limbeck::types::Kind::F32 => "real",
        limbeck::types::Kind::F64 => "double precision",
        limbeck::types::Kind::Text => "text",
        limbeck::types::Kind::DateTime => "timestamptz",
        limbeck::types::Kind::Timestamp => "timestamp",
        limbeck::types::Kind::Date => "date",
        other => panic!("{other:?}"),
    };
    connection.execute_raw("DROP TABLE IF EXISTS t").await.unwrap();
    connection.execute_raw(&format!("CREATE TABLE t (v {})", if postgres { sql_type } else { "" })).await.unwrap();
    let insert = spelled(connection, "INSERT INTO t (v) VALUES ($1) RETURNING v");
    for value in values {
        let back: Vec<T> = connection.fetch_raw(&insert, &[value.encode()]).await.unwrap();
        assert_eq!(back, std::slice::from_ref(value));
        let found = spelled(connection, "SELECT v FROM t WHERE v = $1");
        let found: Vec<T> = connection.fetch_raw(&found, &[value.encode()]).await.unwrap();
        assert_eq!(found, std::slice::from_ref(value), "found by comparison");
    }
    let null = spelled(connection, "SELECT v FROM t WHERE v = $1");
    let none: Vec<Option<T>> = connection.fetch_raw(&null, &[Value::Null]).await.unwrap();
    assert!(none.is_empty());
}

both! {
    async fn every_type_comes_back_as_it_was_sent(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        there_and_back(&mut c, &[true, false]).await;
        there_and_back(&mut c, &[0i16, i16::MIN, i16::MAX]).await;
        there_and_back(&mut c, &[0i32, i32::MIN, i32::MAX]).await;
        there_and_back(&mut c, &[0i64, i64::MIN, i64::MAX]).await;
        there_and_back(&mut c, &[0.0f32, 1.5, f32::MAX, f32::MIN_POSITIVE]).await;
        there_and_back(&mut c, &[0.0f64, -0.1, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY]).await;
        there_and_back(&mut c, &["".to_string(), "naïve 🦀 'quoted' \"twice\"\n".to_string(), "x".repeat(100_000)]).await;
        let moment = "2026-11-22T14:42:03.123456Z".parse::<DateTime<Utc>>().unwrap();
        there_and_back(&mut c, &[DateTime::UNIX_EPOCH, moment]).await;
        there_and_back::<NaiveDateTime>(&mut c, &[moment.naive_utc()]).await;
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        there_and_back(&mut c, &[day(1970, 1, 1), day(1, 1, 1), day(9999, 12, 31), day(2024, 2, 29)]).await;
    }

    async fn a_text_with_a_nul_is_refused_before_it_is_sent(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw("CREATE TABLE t (v text)").await.unwrap();
        let sql = spelled(&c, "INSERT INTO t (v) VALUES ($1) RETURNING v");
        let error = c.fetch_raw::<String>(&sql, &[Value::Text("a\0b".into())]).await.unwrap_err();
        assert!(matches!(&error, Error::Statement(m) if m.contains("NUL")), "{error}");
        assert_eq!(c.fetch_raw::<i64>("SELECT count(*) FROM t", &[]).await.unwrap(), [0]);
    }

    async fn a_wrong_number_of_values_is_an_error_and_not_null(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw("CREATE TABLE t (a integer, b integer)").await.unwrap();
        let sql = spelled(&c, "INSERT INTO t (a, b) VALUES ($1, $2) RETURNING a");
        let error = c.fetch_raw::<i64>(&sql, &[Value::I32(1)]).await.unwrap_err();
        assert!(error.to_string().contains("2 placeholder(s) and got 1 value(s)"), "{error}");
        assert!(c.execute_raw("INSERT INTO t VALUES (1, 2)").await.unwrap() == 1);
    }

    async fn a_broken_constraint_is_named_with_its_table_and_columns(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw(
            "CREATE TABLE users (id bigint CONSTRAINT pk_users PRIMARY KEY, email text NOT NULL, name text, \
             age integer CONSTRAINT ck_users_age CHECK (age >= 0), CONSTRAINT uq_users_email UNIQUE (email), \
             CONSTRAINT uq_users_name_age UNIQUE (name, age))",
        )
        .await
        .unwrap();
        c.execute_raw(
            "CREATE TABLE posts (id bigint PRIMARY KEY, author_id bigint CONSTRAINT fk_posts_author_id_users REFERENCES users (id))",
        )
        .await
        .unwrap();
        c.execute_raw("INSERT INTO users VALUES (1, 'a', 'n', 5)").await.unwrap();

        let error = c.execute_raw("INSERT INTO users VALUES (2, 'a', 'm', 5)").await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        let violation = error.violation().unwrap();
        assert_eq!(violation.table, "users");
        assert_eq!(violation.columns, ["email"]);
        assert_eq!(violation.constraint.as_deref(), Some("uq_users_email"));
        assert!(violation.sql.contains("INSERT INTO users"));

        let error = c.execute_raw("INSERT INTO users VALUES (3, 'b', 'n', 5)").await.unwrap_err();
        let violation = error.violation().unwrap();
        assert_eq!(violation.columns, ["name", "age"]);
        assert_eq!(violation.constraint.as_deref(), Some("uq_users_name_age"));

        let error = c.execute_raw("INSERT INTO users VALUES (1, 'c', 'c', 5)").await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert_eq!(error.violation().unwrap().constraint.as_deref(), Some("pk_users"));

        let error = c.execute_raw("INSERT INTO users VALUES (4, NULL, 'd', 5)").await.unwrap_err();
        assert!(matches!(error, Error::NotNullViolation(_)), "{error}");
        assert_eq!(error.violation().unwrap().table, "users");
        assert_eq!(error.violation().unwrap().columns, ["email"]);

        let error = c.execute_raw("INSERT INTO users VALUES (5, 'e', 'e', -1)").await.unwrap_err();
        assert!(matches!(error, Error::CheckViolation(_)), "{error}");
        assert_eq!(error.violation().unwrap().constraint.as_deref(), Some("ck_users_age"));

        let error = c.execute_raw("INSERT INTO posts VALUES (1, 99)").await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
    }

    async fn an_error_says_the_statement_and_leaves_the_connection_usable(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        let error = c.fetch_raw::<i64>("SELECT nothing FROM nowhere", &[]).await.unwrap_err();
        assert!(matches!(&error, Error::Database(e) if e.sql.contains("nowhere")), "{error}");
        assert_eq!(c.fetch_raw::<i64>("SELECT CAST(1 AS bigint)", &[]).await.unwrap(), [1]);
    }

    async fn commit_keeps_rollback_and_drop_undo(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
        c.begin().await.unwrap();
        assert!(c.in_transaction());
        c.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
        c.commit().await.unwrap();
        assert!(!c.in_transaction());
        c.begin().await.unwrap();
        c.execute_raw("INSERT INTO t VALUES (2)").await.unwrap();
        c.rollback().await.unwrap();
        assert!(!c.in_transaction());
        c.begin().await.unwrap();
        c.execute_raw("INSERT INTO t VALUES (3)").await.unwrap();
        drop(c);
        let mut c = engine.connect().await.unwrap();
        assert!(!c.in_transaction());
        assert_eq!(c.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap(), [1]);
    }

    async fn a_transaction_that_raw_sql_began_ends_with_the_connection(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
        c.execute_raw("BEGIN").await.unwrap();
        assert!(c.in_transaction());
        c.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
        drop(c);
        let mut c = engine.connect().await.unwrap();
        assert!(!c.in_transaction());
        assert!(c.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap().is_empty());
    }

    async fn a_commit_whose_deferred_constraint_fails_rolls_back(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw("CREATE TABLE p (id bigint PRIMARY KEY)").await.unwrap();
        c.execute_raw("CREATE TABLE k (p bigint REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
        c.begin().await.unwrap();
        c.execute_raw("INSERT INTO k VALUES (7)").await.unwrap();
        let error = c.commit().await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        assert!(!c.in_transaction());
        c.begin().await.unwrap();
        assert!(c.fetch_raw::<i64>("SELECT p FROM k", &[]).await.unwrap().is_empty());
        c.commit().await.unwrap();
    }

    async fn a_query_of_another_width_than_is_read_is_an_error(db: TestDb) {
        let engine = Engine::builder(db.url()).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        let error = c.fetch_raw::<(i32, i32)>("SELECT 1", &[]).await.unwrap_err();
        assert!(error.to_string().contains("returns 1 column, but 2"), "{error}");
        let error = c.fetch_raw::<i32>("SELECT 'x'", &[]).await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error}");
    }

    async fn echo_shows_text_parameters_and_rows_unless_they_are_hidden(db: TestDb) {
        for hide in [false, true] {
            let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
            let sink = lines.clone();
            let engine = Engine::builder(db.url())
                .echo_to(move |line| sink.lock().unwrap().push(line.to_string()))
                .hide_parameters(hide)
                .connect()
                .await
                .unwrap();
            let mut c = engine.connect().await.unwrap();
            c.execute_raw("CREATE TABLE IF NOT EXISTS\n  t (a bigint, b text)").await.unwrap();
            let sql = spelled(&c, "INSERT INTO t (a, b) VALUES ($1, $2) RETURNING a");
            c.fetch_raw::<i64>(&sql, &[Value::I64(7), Value::Text("secret".into())]).await.unwrap();
            c.fetch_raw::<i64>("SELECT x FROM missing", &[]).await.unwrap_err();
            let lines = lines.lock().unwrap();
            assert_eq!(lines.len(), 3, "{lines:#?}");
            assert!(lines[0].ends_with("CREATE TABLE IF NOT EXISTS t (a bigint, b text)"), "{}", lines[0]);
            assert!(lines[1].contains("1 rows"), "{}", lines[1]);
            assert_eq!(lines[1].contains("[7, \"secret\"]"), !hide, "{}", lines[1]);
            assert!(lines[2].contains("FAILED"), "{}", lines[2]);
        }
    }
}
