//! What each word of the pool means.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

use std::time::{Duration, Instant};

use limbeck::Error;
use limbeck::engine::{Connection, Engine, IsolationLevel, ResetOnReturn};
use limbeck_test_support::{Postgres, TestDb, both};

/// The server's process that serves a connection.
async fn pid(c: &mut Connection) -> i32 {
    c.fetch_raw::<i32>("SELECT pg_backend_pid()", &[]).await.unwrap()[0]
}

both! {
    async fn pool_size_connections_are_kept_and_overflow_is_closed_when_it_comes_back(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(2).max_overflow(1).connect().await.unwrap();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(engine.connect().await.unwrap());
        }
        let status = engine.pool_status();
        assert_eq!((status.size, status.idle, status.in_use, status.overflow), (2, 0, 3, 1));
        drop(held);
        let status = engine.pool_status();
        assert_eq!((status.size, status.idle, status.in_use, status.overflow), (2, 2, 0, 0));
    }

    async fn max_overflow_of_minus_one_and_pool_size_of_zero_have_no_limit(db: TestDb) {
        let endless = Engine::builder(db.url()).pool_size(1).max_overflow(-1).pool_timeout(Duration::ZERO);
        let sizeless = Engine::builder(db.url()).pool_size(0).max_overflow(0).pool_timeout(Duration::ZERO);
        for (engine, kept) in [(endless.connect().await.unwrap(), 1), (sizeless.connect().await.unwrap(), 12)] {
            let mut held = Vec::new();
            for _ in 0..12 {
                held.push(engine.connect().await.unwrap());
            }
            assert_eq!(engine.pool_status().in_use, 12);
            drop(held);
            assert_eq!(engine.pool_status().idle, kept);
        }
    }

    async fn pool_timeout_ends_the_wait_and_names_the_holders(db: TestDb) {
        let engine = Engine::builder(db.url())
            .pool_size(1)
            .max_overflow(1)
            .pool_timeout(Duration::from_millis(50))
            .connect()
            .await
            .unwrap();
        let one = engine.connect().await.unwrap();
        let _two = engine.connect().await.unwrap();
        let line = line!() - 1;
        let start = Instant::now();
        let error = engine.connect().await.unwrap_err();
        assert!(start.elapsed() >= Duration::from_millis(50));
        let Error::PoolTimeout { limit, ref holders, .. } = error else { panic!("{error}") };
        assert_eq!(limit, 2);
        assert_eq!(holders.len(), 2);
        assert!(holders.iter().any(|h| h.location.file() == file!() && h.location.line() == line), "{holders:?}");
        assert!(error.to_string().contains("engine_pool.rs"), "{error}");
        drop(one);
        engine.connect().await.unwrap();
    }

    async fn whoever_waits_gets_the_next_connection_that_comes_back(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await.unwrap();
        let held = engine.connect().await.unwrap();
        let waiting = tokio::spawn(engine.connect());
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap().unwrap();
    }

    async fn a_closed_engine_gives_no_connection_and_closes_those_in_use(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await.unwrap();
        let held = engine.connect().await.unwrap();
        let waiting = tokio::spawn(engine.connect());
        tokio::time::sleep(Duration::from_millis(10)).await;
        engine.close().await;
        assert!(matches!(waiting.await.unwrap(), Err(Error::Closed)));
        assert!(matches!(engine.connect().await, Err(Error::Closed)));
        drop(held);
        let status = engine.pool_status();
        assert_eq!((status.idle, status.in_use), (0, 0));
    }

    async fn reset_on_return_commit_commits_unless_a_statement_failed(db: TestDb) {
        let engine = Engine::builder(db.url())
            .pool_size(1)
            .max_overflow(0)
            .reset_on_return(ResetOnReturn::Commit)
            .connect()
            .await
            .unwrap();
        let mut c = engine.connect().await.unwrap();
        c.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
        c.begin().await.unwrap();
        c.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
        drop(c);
        let mut c = engine.connect().await.unwrap();
        c.begin().await.unwrap();
        c.execute_raw("INSERT INTO t VALUES (2)").await.unwrap();
        c.execute_raw("INSERT INTO nowhere VALUES (2)").await.unwrap_err();
        drop(c);
        let mut c = engine.connect().await.unwrap();
        assert_eq!(c.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap(), [1]);
    }

    #[multi_thread]
    async fn many_tasks_share_a_small_pool(db: TestDb) {
        let engine = Engine::builder(db.url()).pool_size(2).max_overflow(2).connect().await.unwrap();
        engine.connect().await.unwrap().execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
        let tasks: Vec<_> = (0..40)
            .map(|i| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    let mut c = engine.connect().await.unwrap();
                    c.begin().await.unwrap();
                    c.execute_raw(&format!("INSERT INTO t VALUES ({i})")).await.unwrap();
                    c.commit().await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let mut c = engine.connect().await.unwrap();
        assert_eq!(c.fetch_raw::<i64>("SELECT count(*) FROM t", &[]).await.unwrap(), [40]);
        let status = engine.pool_status();
        assert_eq!((status.idle, status.in_use, status.overflow), (1, 1, 0));
    }
}

#[tokio::test]
async fn pool_recycle_replaces_a_connection_that_is_too_old() {
    let db = TestDb::postgres();
    let engine = |age: Option<Duration>| Engine::builder(db.url()).pool_size(1).pool_recycle(age).connect();
    for (age, same) in [(Some(Duration::from_millis(30)), false), (Some(Duration::from_secs(60)), true), (None, true)] {
        let engine = engine(age).await.unwrap();
        let first = pid(&mut engine.connect().await.unwrap()).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
        let second = pid(&mut engine.connect().await.unwrap()).await;
        assert_eq!(first == second, same, "{age:?}");
    }
}

#[tokio::test]
async fn pool_use_lifo_takes_the_last_that_came_back_and_fifo_the_longest_idle() {
    let db = TestDb::postgres();
    for lifo in [false, true] {
        let engine = Engine::builder(db.url()).pool_size(2).pool_use_lifo(lifo).connect().await.unwrap();
        let (mut a, mut b) = (engine.connect().await.unwrap(), engine.connect().await.unwrap());
        let (first, last) = (pid(&mut a).await, pid(&mut b).await);
        drop(a);
        drop(b);
        let next = pid(&mut engine.connect().await.unwrap()).await;
        assert_eq!(next, if lifo { last } else { first });
    }
}

/// Ends a session on the server, as an administrator or a firewall would.
async fn terminate(db: &TestDb, pids: &[i32]) {
    let admin = Engine::builder(db.url()).connect().await.unwrap();
    let mut c = admin.connect().await.unwrap();
    for pid in pids {
        c.execute_raw(&format!("SELECT pg_terminate_backend({pid}, 5000)")).await.unwrap();
    }
}

#[tokio::test]
async fn pool_pre_ping_replaces_a_dead_connection_unseen() {
    let db = TestDb::postgres();
    let engine = Engine::builder(db.url()).pool_size(2).pool_pre_ping(true).connect().await.unwrap();
    let (mut a, mut b) = (engine.connect().await.unwrap(), engine.connect().await.unwrap());
    let pids = [pid(&mut a).await, pid(&mut b).await];
    drop((a, b));
    terminate(&db, &pids).await;
    let before = engine.stats();
    let mut c = engine.connect().await.unwrap();
    assert!(!pids.contains(&pid(&mut c).await));
    drop(c);
    // A living one is asked, which is one round trip.
    let before_living = engine.stats();
    engine.connect().await.unwrap();
    assert_eq!((engine.stats() - before_living).round_trips, 1);
    assert!((engine.stats() - before).round_trips >= 2);
}

#[tokio::test]
async fn a_session_that_was_ended_gives_connection_lost_and_the_pool_recovers() {
    let db = TestDb::postgres();
    let engine = Engine::builder(db.url()).pool_size(3).connect().await.unwrap();
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(engine.connect().await.unwrap());
    }
    let mut pids = Vec::new();
    for c in &mut all {
        pids.push(pid(c).await);
    }
    let mut used = all.pop().unwrap();
    drop(all);
    used.begin().await.unwrap();
    used.execute_raw("SELECT 1").await.unwrap();
    terminate(&db, &pids).await;
    let error = used.fetch_raw::<i32>("SELECT 1", &[]).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert!(error.is_disconnect());
    drop(used);
    // The other two are as dead, and nobody sees it.
    for _ in 0..3 {
        assert!(!pids.contains(&pid(&mut engine.connect().await.unwrap()).await));
    }
    assert_eq!(engine.pool_status().in_use, 0);
}

#[tokio::test]
async fn a_killed_server_is_an_error_at_once_and_with_pre_ping_no_error_after_its_return() {
    let server = Postgres::own();
    let database = server.database();
    let engine = Engine::builder(database.url()).pool_size(2).pool_pre_ping(true).connect().await.unwrap();
    let mut in_use = engine.connect().await.unwrap();
    let idle = engine.connect().await.unwrap();
    drop(idle);
    in_use.begin().await.unwrap();
    in_use.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
    server.kill9();
    let error = in_use.execute_raw("INSERT INTO t VALUES (1)").await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    // To roll back what is gone is no error of the connection's own, but it says the same.
    assert!(in_use.rollback().await.is_err_and(|e| e.is_disconnect()));
    drop(in_use);
    let error = engine.connect().await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(error.to_string().contains("is PostgreSQL running at 127.0.0.1:"), "{error}");
    assert_eq!(engine.pool_status().in_use, 0);
    server.restart();
    let mut c = engine.connect().await.unwrap();
    assert_eq!(c.fetch_raw::<i32>("SELECT 1", &[]).await.unwrap(), [1]);
}

#[tokio::test]
async fn isolation_level_holds_for_every_transaction() {
    let db = TestDb::postgres();
    for (level, name) in [
        (IsolationLevel::ReadCommitted, "read committed"),
        (IsolationLevel::RepeatableRead, "repeatable read"),
        (IsolationLevel::Serializable, "serializable"),
    ] {
        let engine = Engine::builder(db.url()).isolation_level(level).connect().await.unwrap();
        let mut c = engine.connect().await.unwrap();
        c.begin().await.unwrap();
        assert_eq!(c.fetch_raw::<String>("SHOW transaction_isolation", &[]).await.unwrap(), [name]);
    }
}

#[tokio::test]
async fn a_serialization_failure_is_a_conflict_that_can_be_run_again() {
    let db = TestDb::postgres();
    let engine = Engine::builder(db.url()).isolation_level(IsolationLevel::RepeatableRead).connect().await.unwrap();
    let (mut a, mut b) = (engine.connect().await.unwrap(), engine.connect().await.unwrap());
    a.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
    a.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
    a.begin().await.unwrap();
    b.begin().await.unwrap();
    b.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap();
    a.execute_raw("UPDATE t SET a = 2").await.unwrap();
    a.commit().await.unwrap();
    let error = b.execute_raw("UPDATE t SET a = 3").await.unwrap_err();
    assert!(matches!(&error, Error::Conflict { code, .. } if code == "40001"), "{error}");
    assert!(error.is_retryable());
    // The server would answer COMMIT with a silent rollback.
    assert!(b.commit().await.is_err());
    assert!(!b.in_transaction());
}

#[tokio::test]
async fn on_sqlite_a_writer_waits_for_another_without_blocking_the_thread_and_gives_up_in_time() {
    let db = TestDb::sqlite();
    let engine = Engine::builder(db.url()).busy_timeout(Duration::from_millis(100)).connect().await.unwrap();
    let (mut a, mut b) = (engine.connect().await.unwrap(), engine.connect().await.unwrap());
    a.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
    a.begin().await.unwrap();
    let start = Instant::now();
    let error = b.begin().await.unwrap_err();
    assert!(matches!(&error, Error::Conflict { code, .. } if code == "SQLITE_BUSY"), "{error}");
    assert!(start.elapsed() >= Duration::from_millis(100));
    // One thread: the other task could not commit if the wait blocked it.
    let waiting = tokio::spawn(async move { b.begin().await.map(|()| b) });
    tokio::time::sleep(Duration::from_millis(20)).await;
    a.commit().await.unwrap();
    assert!(waiting.await.unwrap().unwrap().in_transaction());
}

#[tokio::test]
async fn on_sqlite_a_reader_does_not_wait_for_a_writer() {
    let db = TestDb::sqlite();
    let engine = Engine::builder(db.url()).busy_timeout(Duration::ZERO).connect().await.unwrap();
    let (mut a, mut b) = (engine.connect().await.unwrap(), engine.connect().await.unwrap());
    a.execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
    a.begin().await.unwrap();
    a.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(b.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap().is_empty());
    a.commit().await.unwrap();
    assert_eq!(b.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap(), [1]);
}

#[tokio::test]
async fn on_sqlite_a_long_query_does_not_keep_the_thread_and_gives_the_same_rows() {
    let db = TestDb::sqlite();
    let engine = Engine::builder(db.url()).connect().await.unwrap();
    let mut c = engine.connect().await.unwrap();
    let ticks = tokio::spawn(async {
        let mut longest = Duration::ZERO;
        let start = Instant::now();
        let mut last = start;
        while start.elapsed() < Duration::from_millis(300) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        longest
    });
    tokio::task::yield_now().await;
    // Rows come before the budget is used up, and must not come twice.
    let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000) \
               SELECT x, 'row ' || x FROM n WHERE x % 100000 = 0 OR x < 3";
    let start = Instant::now();
    let rows: Vec<(i64, String)> = c.fetch_raw(sql, &[]).await.unwrap();
    let took = start.elapsed();
    assert_eq!(rows.len(), 22);
    assert_eq!(rows[0], (1, "row 1".to_string()));
    assert_eq!(rows[21], (2_000_000, "row 2000000".to_string()));
    let longest = ticks.await.unwrap();
    assert!(took > Duration::from_millis(100), "the query is too short to show anything: {took:?}");
    assert!(longest < took / 2, "another task of the thread waited {longest:?} of {took:?}");
}

#[tokio::test]
async fn a_database_in_memory_is_one_for_its_engine_and_none_for_another() {
    let engine = Engine::builder("sqlite::memory:").pool_size(0).connect().await.unwrap();
    engine.connect().await.unwrap().execute_raw("CREATE TABLE t (a bigint)").await.unwrap();
    let (mut a, mut b) = (engine.connect().await.unwrap(), engine.connect().await.unwrap());
    a.begin().await.unwrap();
    a.execute_raw("INSERT INTO t VALUES (1)").await.unwrap();
    a.rollback().await.unwrap();
    assert!(b.fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap().is_empty());
    // Two writers: the second waits for the first, and none sees the other's open work.
    a.begin().await.unwrap();
    a.execute_raw("INSERT INTO t VALUES (2)").await.unwrap();
    let second = tokio::spawn(async move {
        b.begin().await?;
        b.execute_raw("INSERT INTO t VALUES (3)").await?;
        b.commit().await
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(!second.is_finished());
    a.commit().await.unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(a.fetch_raw::<i64>("SELECT a FROM t ORDER BY a", &[]).await.unwrap(), [2, 3]);
    let other = Engine::builder("sqlite::memory:").connect().await.unwrap();
    assert!(other.connect().await.unwrap().fetch_raw::<i64>("SELECT a FROM t", &[]).await.is_err());
    // It lives while the engine does, whether or not a connection is in use.
    drop(a);
    engine.connect().await.unwrap().fetch_raw::<i64>("SELECT a FROM t", &[]).await.unwrap();
}
