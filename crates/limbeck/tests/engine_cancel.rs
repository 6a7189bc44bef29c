//! A future that is dropped at any await leaves the pool whole and no transaction open.
//!
//! Each test polls a future n times and drops it, for n from 0 until the future completes, and looks at the
//! pool and at the server each time.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use limbeck::engine::{Connection, Engine};
use limbeck_test_support::{TestDb, both};

/// Polls a future at most `n` times, then drops it. `None` when it was not done.
async fn polled<F: Future>(future: F, n: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        if polls == n {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // Dropped now, in the state in which the poll left it, and not when it would be woken.
            Poll::Pending if polls == n => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The engine under test, and another one that watches the database.
struct Bench {
    engine: Engine,
    watcher: Engine,
}

const LIMIT: usize = 3;

impl Bench {
    async fn new(db: &TestDb) -> Self {
        let engine = Engine::builder(db.url())
            .pool_size(2)
            .max_overflow(1)
            .pool_timeout(Duration::from_secs(20))
            .connect()
            .await
            .unwrap();
        let watcher = Engine::builder(db.url()).busy_timeout(Duration::ZERO).connect().await.unwrap();
        let mut c = watcher.connect().await.unwrap();
        c.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
        c.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
        drop(c);
        Bench { engine, watcher }
    }

    /// Waits until everything that was given up has ended, then looks whether all is whole.
    async fn assert_whole(&self, what: &str) {
        let waited = tokio::time::timeout(Duration::from_secs(15), async {
            while self.engine.pool_status().in_use > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{what}: still in use: {:?}", self.engine.pool_status()));
        let status = self.engine.pool_status();
        assert_eq!(status.overflow, 0, "{what}: {status:?}");
        assert!(status.idle <= 2, "{what}: {status:?}");

        // Nothing is open: the table can be locked by somebody else at once.
        let mut c = self.watcher.connect().await.unwrap();
        if self.watcher.dialect() == limbeck::dialect::Dialect::Postgres {
            let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                        AND pid <> pg_backend_pid() AND state <> 'idle'";
            // The server notes that a session has gone a moment after it has.
            for attempt in 0.. {
                if c.fetch_raw::<i64>(idle, &[]).await.unwrap() == [0] {
                    break;
                }
                assert!(attempt < 2000, "{what}: a session is not idle");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            c.begin().await.unwrap();
            c.execute_raw("LOCK TABLE t IN ACCESS EXCLUSIVE MODE NOWAIT")
                .await
                .unwrap_or_else(|e| panic!("{what}: {e}"));
        } else {
            c.begin().await.unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        c.rollback().await.unwrap();
        drop(c);

        // As many connections as ever can be had, all at once, and all of them work.
        let mut all = Vec::new();
        for _ in 0..LIMIT {
            let mut c = self.engine.connect().await.unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(!c.in_transaction(), "{what}");
            let rows: Vec<i64> = c.fetch_raw("SELECT a FROM t", &[]).await.unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(rows, [1], "{what}: something was committed, or is missing");
            all.push(c);
        }
        assert_eq!(self.engine.pool_status().in_use, LIMIT, "{what}");
    }

    /// Runs an operation on a connection that `prepare` made ready, and drops it after n polls, for every n.
    async fn drop_everywhere(
        &self,
        name: &str,
        prepare: impl AsyncFn(&mut Connection),
        operation: impl AsyncFn(&mut Connection),
    ) {
        for n in 0.. {
            assert!(n < 10_000, "{name} does not end");
            let mut c = self.engine.connect().await.unwrap();
            prepare(&mut c).await;
            let done = polled(operation(&mut c), n).await.is_some();
            drop(c);
            self.assert_whole(&format!("{name}, dropped after {n} polls")).await;
            if done {
                break;
            }
        }
    }
}

async fn nothing(_: &mut Connection) {}

async fn in_a_transaction(c: &mut Connection) {
    c.begin().await.unwrap();
    c.execute_raw("INSERT INTO t VALUES (2)").await.unwrap();
}

/// A query that takes a while, longer than SQLite may keep the runtime's thread.
const LONG: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400000) \
                    SELECT CAST(count(*) AS bigint) FROM n";

both! {
    async fn connect(db: TestDb) {
        let bench = Bench::new(&db).await;
        for n in 0.. {
            // Both that are idle are taken, so that a new one has to be opened.
            let held = (bench.engine.connect().await.unwrap(), bench.engine.connect().await.unwrap());
            let done = polled(bench.engine.connect(), n).await.is_some();
            drop(held);
            bench.assert_whole(&format!("connect, dropped after {n} polls")).await;
            if done {
                break;
            }
        }
    }

    async fn connect_while_none_is_free(db: TestDb) {
        let bench = Bench::new(&db).await;
        for n in 0..3 {
            let mut held = Vec::new();
            for _ in 0..LIMIT {
                held.push(bench.engine.connect().await.unwrap());
            }
            // Woken by time only: the connections come back after it was dropped.
            let waiting = tokio::time::timeout(Duration::from_millis(20), polled(bench.engine.connect(), n));
            let outcome = waiting.await;
            assert!(matches!(outcome, Ok(None) | Err(_)), "it got a connection that was not free");
            drop(held);
            bench.assert_whole(&format!("connect at the limit, dropped after {n} polls")).await;
        }
    }

    async fn query(db: TestDb) {
        let bench = Bench::new(&db).await;
        bench.drop_everywhere("query", nothing, async |c| {
            c.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap();
        }).await;
        bench.drop_everywhere("query in a transaction", in_a_transaction, async |c| {
            c.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap();
        }).await;
    }

    async fn a_long_query(db: TestDb) {
        let bench = Bench::new(&db).await;
        bench.drop_everywhere("a long query in a transaction", in_a_transaction, async |c| {
            assert_eq!(c.fetch_raw::<i64>(LONG, &[]).await.unwrap(), [400_000]);
        }).await;
    }

    async fn a_query_of_many_rows(db: TestDb) {
        let bench = Bench::new(&db).await;
        let many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000) SELECT x FROM n";
        bench.drop_everywhere("a query of many rows", in_a_transaction, async |c| {
            assert_eq!(c.fetch_raw::<i32>(many, &[]).await.unwrap().len(), 3000);
        }).await;
    }

    async fn execute_raw_in_a_transaction(db: TestDb) {
        let bench = Bench::new(&db).await;
        bench.drop_everywhere("execute_raw in a transaction", in_a_transaction, async |c| {
            c.execute_raw("UPDATE t SET a = a + 1").await.unwrap();
        }).await;
        bench.drop_everywhere("DDL in a transaction", in_a_transaction, async |c| {
            c.execute_raw("CREATE TABLE u (a bigint)").await.unwrap();
        }).await;
    }

    async fn begin(db: TestDb) {
        let bench = Bench::new(&db).await;
        bench.drop_everywhere("begin", nothing, async |c| {
            c.begin().await.unwrap();
        }).await;
        bench.drop_everywhere("begin and the first statement", nothing, async |c| {
            c.begin().await.unwrap();
            c.execute_raw("UPDATE t SET a = 5").await.unwrap();
        }).await;
    }

    async fn rollback(db: TestDb) {
        let bench = Bench::new(&db).await;
        bench.drop_everywhere("rollback", in_a_transaction, async |c| {
            c.rollback().await.unwrap();
        }).await;
    }

    async fn commit(db: TestDb) {
        let bench = Bench::new(&db).await;
        // Whether a commit that is dropped takes effect is open; that nothing stays open is not.
        bench.drop_everywhere("commit", async |c| {
            c.begin().await.unwrap();
            c.execute_raw("UPDATE t SET a = 1").await.unwrap();
        }, async |c| {
            c.commit().await.unwrap();
        }).await;
    }

    async fn a_connection_that_was_dropped_in_mid_flight_comes_back(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await.unwrap();
        for n in 1..4 {
            let mut c = engine.connect().await.unwrap();
            c.begin().await.unwrap();
            assert!(polled(c.fetch_raw::<i64>("SELECT CAST(1 AS bigint)", &[]), n).await.is_none_or(|r| r.is_ok()));
            drop(c);
            let mut again = engine.connect().await.unwrap();
            assert_eq!(again.fetch_raw::<i64>("SELECT CAST(2 AS bigint)", &[]).await.unwrap(), [2]);
        }
    }
}

both! {
    async fn a_connection_may_be_used_on_after_a_future_of_it_was_dropped(db: TestDb) {
        let bench = Bench::new(&db).await;
        for n in 1..4 {
            let mut c = bench.engine.connect().await.unwrap();
            in_a_transaction(&mut c).await;
            let _ = polled(c.fetch_raw::<i64>(LONG, &[]), n).await;
            let start = std::time::Instant::now();
            let rows: Vec<i64> = c.fetch_raw("SELECT a FROM t ORDER BY a", &[]).await.unwrap();
            assert_eq!(rows, [1, 2], "{:?}", start.elapsed());
            c.rollback().await.unwrap();
            drop(c);
            bench.assert_whole("used on").await;
        }
    }

    async fn a_commit_after_a_statement_that_was_dropped_and_failed_is_no_success(db: TestDb) {
        let bench = Bench::new(&db).await;
        // It is on its way, and will fail; nobody sees that. A thread may be done within the first poll: again then.
        let failing = "INSERT INTO t SELECT a FROM nowhere";
        let mut c = loop {
            let mut c = bench.engine.connect().await.unwrap();
            in_a_transaction(&mut c).await;
            if polled(c.execute_raw(failing), 1).await.is_none() {
                break c;
            }
        };
        let committed = c.commit().await;
        drop(c);
        let mut c = bench.watcher.connect().await.unwrap();
        let rows: Vec<i64> = c.fetch_raw("SELECT a FROM t ORDER BY a", &[]).await.unwrap();
        // SQLite's transaction survives such an error, PostgreSQL's does not.
        assert_eq!(committed.is_ok(), rows == [1, 2], "{committed:?} {rows:?}");
        assert_eq!(committed.is_ok(), !db.is_postgres(), "{committed:?}");
    }
}

/// A write that is dropped while it runs on a thread takes its transaction along, and a commit says so.
#[tokio::test]
async fn on_sqlite_a_commit_after_an_interrupted_write_is_no_success() {
    let db = TestDb::sqlite();
    let bench = Bench::new(&db).await;
    let mut c = bench.engine.connect().await.unwrap();
    in_a_transaction(&mut c).await;
    let endless = format!("INSERT INTO t {}", LONG.replace("400000", "4000000000"));
    assert!(tokio::time::timeout(Duration::from_millis(50), c.execute_raw(&endless)).await.is_err());
    let error = c.commit().await.unwrap_err();
    assert!(error.to_string().contains("roll the transaction back"), "{error}");
    assert!(!c.in_transaction());
    drop(c);
    bench.assert_whole("an interrupted write").await;
}

/// On SQLite a begin that waits for another writer is dropped while it sleeps.
#[tokio::test]
async fn begin_while_another_writes() {
    let db = TestDb::sqlite();
    let bench = Bench::new(&db).await;
    for n in 0..6 {
        let mut writer = bench.watcher.connect().await.unwrap();
        writer.begin().await.unwrap();
        let mut c = bench.engine.connect().await.unwrap();
        assert!(polled(c.begin(), n).await.is_none(), "it got a lock that another one holds");
        drop(c);
        drop(writer);
        bench.assert_whole(&format!("begin that waits, dropped after {n} polls")).await;
    }
}

/// A statement that would run for minutes is ended on the server when its future is dropped.
#[tokio::test]
async fn a_statement_of_minutes_ends_with_its_future() {
    let db = TestDb::postgres();
    let bench = Bench::new(&db).await;
    for transaction in [true, false] {
        let mut c = bench.engine.connect().await.unwrap();
        if transaction {
            in_a_transaction(&mut c).await;
        }
        let sleep = c.execute_raw("SELECT pg_sleep(300)");
        assert!(tokio::time::timeout(Duration::from_millis(50), sleep).await.is_err());
        drop(c);
        bench.assert_whole("a sleep of five minutes").await;
    }
}

/// A job that waits for a thread when its future is dropped does not run later, on a connection that is
/// somebody else's by then.
#[test]
fn a_statement_that_had_not_begun_when_it_was_dropped_never_runs() {
    let db = TestDb::sqlite();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let bench = Bench::new(&db).await;
        let mut c = bench.engine.connect().await.unwrap();
        let busy = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(50)));
        assert!(polled(c.execute_raw("INSERT INTO t VALUES (2)"), 1).await.is_none());
        drop(c);
        busy.await.unwrap();
        bench.assert_whole("an insert that waited for a thread").await;
    });
}

/// The same on SQLite, where it runs on a thread of its own.
#[tokio::test]
async fn a_computation_of_minutes_ends_with_its_future() {
    let db = TestDb::sqlite();
    let bench = Bench::new(&db).await;
    let endless = LONG.replace("400000", "4000000000");
    for raw in [false, true] {
        let mut c = bench.engine.connect().await.unwrap();
        in_a_transaction(&mut c).await;
        let waited = tokio::time::timeout(Duration::from_millis(100), async {
            if raw {
                c.execute_raw(&endless).await.unwrap();
            } else {
                c.fetch_raw::<i64>(&endless, &[]).await.unwrap();
            }
        });
        assert!(waited.await.is_err());
        drop(c);
        bench.assert_whole("a computation of minutes").await;
    }
}

/// An engine may be used after the runtime that made it has ended; what was open there is opened anew.
#[test]
fn an_engine_outlives_its_runtime() {
    for db in [TestDb::sqlite(), TestDb::postgres()] {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let first = runtime();
        let (engine, open) = first.block_on(async {
            let engine = Engine::builder(db.url()).pool_size(1).max_overflow(1).connect().await.unwrap();
            let mut open = engine.connect().await.unwrap();
            open.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
            open.begin().await.unwrap();
            open.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
            (engine, open)
        });
        drop(first);
        drop(open);
        runtime().block_on(async {
            let mut c = engine.connect().await.unwrap();
            assert!(c.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap().is_empty());
            drop(c);
            assert_eq!(engine.pool_status().in_use, 0);
        });
    }
}
