//! The engine on SQLite.

use limbeck::engine::Engine;
use limbeck::types::Value;

#[tokio::test]
async fn a_database_in_memory_is_shared_by_the_pool_and_its_transactions_are_apart() {
    let engine = Engine::builder("sqlite::memory:").connect().await.unwrap();
    let mut one = engine.connect().await.unwrap();
    one.execute_raw("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)").await.unwrap();
    let mut two = engine.connect().await.unwrap();
    one.begin().await.unwrap();
    one.fetch_raw::<i64>("INSERT INTO t (b) VALUES (?) RETURNING a", &[Value::Text("x".into())]).await.unwrap();
    one.commit().await.unwrap();
    let rows: Vec<(i64, String)> = two.fetch_raw("SELECT a, b FROM t", &[]).await.unwrap();
    assert_eq!(rows, [(1, "x".to_string())]);
    drop((one, two));
    assert_eq!(engine.pool_status().idle, 2);
    assert_eq!(engine.pool_status().in_use, 0);
}
