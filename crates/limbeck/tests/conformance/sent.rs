//! What a flush sent, in short: `INSERT posts (3)` is one statement for three rows.

use std::sync::{Arc, Mutex};

use limbeck::prelude::*;
use limbeck::schema::Metadata;
use limbeck::session::SessionMaker;
use limbeck_test_support::TestDb;

/// What is said of a statement: by the number of its rows and its text without quotes. Nothing of those that do not count.
pub(crate) type Short = fn(&str, &str) -> Option<String>;

/// The lines that an engine wrote.
#[derive(Clone)]
pub(crate) struct Sent {
    log: Arc<Mutex<Vec<String>>>,
    short: Short,
}

impl Sent {
    /// What was written since the last call, in short.
    pub(crate) fn take(&self) -> Vec<String> {
        self.lines().iter().filter_map(|(rows, sql)| (self.short)(rows, sql)).collect()
    }

    /// The texts of what was written since the last call, without quotes.
    pub(crate) fn texts(&self) -> Vec<String> {
        let lines = self.lines().into_iter();
        lines.filter(|(rows, sql)| (self.short)(rows, sql).is_some()).map(|(_, sql)| sql).collect()
    }

    fn lines(&self) -> Vec<(String, String)> {
        let lines = std::mem::take(&mut *self.log.lock().expect("the log"));
        let split = |line: &String| {
            let (head, sql) = line.split_once(" rows  ")?;
            // One that is a transaction by itself, and asks for that whether all is well.
            let sql = sql.strip_prefix("WITH added AS (").unwrap_or(sql);
            let rows = head.split_whitespace().last()?.to_string();
            Some((rows, sql.split("  ").next()?.replace('"', "")))
        };
        lines.iter().filter_map(split).collect()
    }
}

/// Kind, table and rows.
fn short(rows: &str, sql: &str) -> Option<String> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let table = match words[0] {
        "UPDATE" => words[1],
        "INSERT" | "DELETE" => words[2],
        "SET" => words[1],
        _ => return None,
    };
    Some(if words[0] == "SET" { sql.to_string() } else { format!("{} {table} ({rows})", words[0]) })
}

/// Sessions over a fresh database that has the tables, and what they send.
pub(crate) async fn sessions(db: &TestDb, tables: Metadata) -> (SessionMaker, Sent) {
    sessions_with(db, tables, short).await
}

/// The same, with other words for what they send.
pub(crate) async fn sessions_with(db: &TestDb, tables: Metadata, short: Short) -> (SessionMaker, Sent) {
    let sent = Sent { log: Arc::default(), short };
    let sink = Arc::clone(&sent.log);
    let engine = Engine::builder(db.url())
        .echo_to(move |line| sink.lock().expect("the log").push(line.to_string()))
        .connect()
        .await
        .expect("the test's database");
    engine.create_all(&tables).await.expect("tables");
    sent.take();
    (engine.sessionmaker(), sent)
}
