//! What kills a run: the program at any statement, the server under it, the disk. Another run ends it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use limbeck::engine::{Connection, Engine};
use limbeck_test_support::{Kind, Postgres, TempFolder, TestDb};

/// A project with two revisions, written by hand, on a database.
struct Project {
    folder: TempFolder,
    url: String,
}

/// The numbers of the gates are those of advisory locks.
const GATES: i64 = 1_000;

/// A statement that stands still while a test holds the gate.
fn gate(number: i64) -> String {
    format!("SELECT pg_advisory_lock_shared({});", GATES + number)
}

impl Project {
    fn new(url: &str, revisions: &[(&str, String, &str)]) -> Project {
        let project = Project { folder: TempFolder::new(), url: url.to_string() };
        let migrations = project.path().join("migrations");
        std::fs::create_dir(&migrations).expect("a folder");
        std::fs::write(project.path().join("limbeck.toml"), "").expect("a file");
        std::fs::write(migrations.join("limbeck.lock"), "").expect("a file");
        let mut parent = "";
        for (id, up, down) in revisions {
            let text = format!(
                "-- {id}\n-- limbeck: revision={id} revises={parent}\n\n-- limbeck: upgrade\n{up}\n\n-- limbeck: \
                 downgrade\n{down}\n"
            );
            std::fs::write(migrations.join(format!("{id}.sql")), text).expect("a file");
            parent = id;
        }
        project.ok(&["repair"]);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
        command.args(arguments).current_dir(self.path()).env("DATABASE_URL", &self.url);
        command.env_remove("CARGO_MANIFEST_DIR").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("limbeck runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("limbeck runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}\n{said}");
        said
    }

    async fn connect(&self) -> Connection {
        let engine = Engine::builder(&self.url).connect().await.expect("an engine");
        engine.connect().await.expect("a connection")
    }
}

/// `kill -9`
fn kill(mut child: Child) {
    child.kill().expect("it is there to be killed");
    child.wait().expect("it ends");
}

async fn count(connection: &mut Connection, from: &str) -> i64 {
    let rows: Vec<(i64,)> = connection.fetch_raw(&format!("SELECT count(*) FROM {from}"), &[]).await.expect("a count");
    rows[0].0
}

/// Waits until something is so.
async fn until(connection: &mut Connection, what: &str, condition: &str) {
    let start = Instant::now();
    while count(connection, &format!("(SELECT 1 WHERE {condition}) AS found")).await == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} within 30 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A revision that is one transaction, and one that is not. After each statement there is a gate.
fn revisions() -> Vec<(&'static str, String, &'static str)> {
    let whole = [
        "CREATE TABLE a (id INTEGER NOT NULL);",
        &gate(0),
        "INSERT INTO a SELECT g FROM generate_series(1, 1000) g;",
        &gate(1),
    ];
    let parts = [
        "ALTER TABLE a ADD COLUMN b INTEGER;",
        &gate(2),
        "INSERT INTO a VALUES (1001, 1);",
        "-- limbeck: transaction=none",
        &gate(3),
        "-- limbeck: transaction=none",
        "CREATE UNIQUE INDEX CONCURRENTLY ix_a ON a (id);",
        "-- limbeck: transaction=none",
        &gate(4),
        "CREATE TABLE c (id INTEGER);",
        &gate(5),
        "INSERT INTO a VALUES (1002, 2);",
    ];
    vec![
        ("whole", whole.join("\n"), "DROP TABLE a;"),
        (
            "parts",
            parts.join("\n"),
            "DROP TABLE c;\nDROP INDEX ix_a;\nDELETE FROM a WHERE b IS NOT NULL;\nALTER TABLE a DROP COLUMN b;",
        ),
    ]
}

#[tokio::test]
async fn killed_at_any_statement_another_run_goes_on_and_does_nothing_twice() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let project = Project::new(db.url(), &revisions());
    let mut connection = project.connect().await;
    for number in 0..6 {
        connection.execute_raw(&format!("SELECT pg_advisory_lock({})", GATES + number)).await.expect("the gate");
        let run = project.start(&["upgrade"]);
        let waits = format!(
            "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {} AND database = \
             (SELECT oid FROM pg_database WHERE datname = current_database()))",
            GATES + number
        );
        until(&mut connection, &format!("gate {number}"), &waits).await;
        kill(run);
        connection.execute_raw(&format!("SELECT pg_advisory_unlock({})", GATES + number)).await.expect("the gate");

        project.ok(&["upgrade"]);
        assert_eq!(count(&mut connection, "a").await, 1002, "killed at gate {number}");
        assert_eq!(count(&mut connection, "limbeck_revision").await, 2, "killed at gate {number}");
        let valid = "pg_index WHERE indexrelid = 'ix_a'::regclass AND indisvalid";
        assert_eq!(count(&mut connection, valid).await, 1, "killed at gate {number}");
        assert_eq!(count(&mut connection, "limbeck_statement").await, 0, "killed at gate {number}");
        project.ok(&["downgrade", "base"]);
    }
}

/// `CREATE INDEX CONCURRENTLY` waits for older transactions; the server may go on with it after its client is gone.
#[tokio::test]
async fn killed_while_an_index_is_built_another_run_ends_with_one_that_is_valid() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let project = Project::new(db.url(), &revisions());
    let mut connection = project.connect().await;
    project.ok(&["upgrade", "whole"]);
    // The part before the index wants the whole table: it is let through first.
    let mut older = project.connect().await;
    older.execute_raw("SELECT pg_advisory_lock(1003)").await.expect("the gate");
    let run = project.start(&["upgrade"]);
    until(
        &mut connection,
        "the gate before the index",
        "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 1003)",
    )
    .await;
    older.begin().await.expect("a transaction");
    older.execute_raw("INSERT INTO a (id) VALUES (5000)").await.expect("a row");
    older.execute_raw("SELECT pg_advisory_unlock(1003)").await.expect("the gate");
    until(
        &mut connection,
        "the index that waits",
        "EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX%' AND wait_event_type = 'Lock' AND \
         datname = current_database())",
    )
    .await;
    kill(run);
    older.rollback().await.expect("the end");
    project.ok(&["upgrade"]);
    let valid = "pg_index WHERE indexrelid = 'ix_a'::regclass AND indisvalid";
    assert_eq!(count(&mut connection, valid).await, 1);
    assert_eq!(count(&mut connection, "a").await, 1002);
}

#[tokio::test]
async fn when_the_server_is_killed_the_run_says_so_and_another_one_ends_it() {
    let server = Postgres::own();
    let database = server.database();
    let project = Project::new(database.url(), &revisions());
    {
        let mut connection = project.connect().await;
        connection.execute_raw(&format!("SELECT pg_advisory_lock({})", GATES + 4)).await.expect("the gate");
        let run = project.start(&["upgrade"]);
        let waits = "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 1004)";
        until(&mut connection, "gate 4", waits).await;
        server.kill9();
        let output = run.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("parts.sql:"), "{said}");
        assert!(said.contains("statement(s) of this revision were applied and stay"), "{said}");
    }
    server.restart();
    project.ok(&["upgrade"]);
    let mut connection = project.connect().await;
    assert_eq!(count(&mut connection, "a").await, 1002);
    assert_eq!(count(&mut connection, "limbeck_revision").await, 2);
}

/// On SQLite a transaction is all there is: a run that was killed has applied whole revisions or nothing.
#[tokio::test]
async fn killed_at_any_time_sqlite_has_whole_revisions() {
    let folder = TempFolder::new();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    let slow = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000) INSERT INTO a SELECT x FROM n;";
    let revisions: Vec<(&str, String, &str)> = vec![
        ("first", format!("CREATE TABLE a (id INTEGER NOT NULL);\n{slow}"), "DROP TABLE a;"),
        ("second", format!("{slow}\nCREATE TABLE b (id INTEGER);\n{slow}"), "DROP TABLE b;\nDELETE FROM a;"),
        (
            "third",
            format!("-- limbeck: sqlite-foreign-keys=off\nALTER TABLE a ADD COLUMN c;\n{slow}")
                .replace("INTO a", "INTO a (id)"),
            "ALTER TABLE a DROP COLUMN c;",
        ),
    ];
    let project = Project::new(&url, &revisions);
    for pause in [5, 20, 40, 80, 120, 160, 240, 320, 480] {
        let run = project.start(&["upgrade"]);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        kill(run);
    }
    project.ok(&["upgrade"]);
    let mut connection = project.connect().await;
    assert_eq!(count(&mut connection, "a").await, 800_000);
    assert_eq!(count(&mut connection, "limbeck_revision").await, 3);
}
