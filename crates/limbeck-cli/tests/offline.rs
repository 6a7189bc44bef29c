//! `--sql`: the script of a run, which another program runs, and after which limbeck goes on.

mod by_hand;

use std::process::Command;

use by_hand::Project;
use limbeck::engine::{Connection, Engine};
use limbeck_test_support::{Kind, TestDb, both};

async fn connect(url: &str) -> Connection {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    engine.connect().await.expect("a connection")
}

/// Runs a script, and stops at the first error: `psql`, and for SQLite one statement after the other.
async fn run(db: &TestDb, script: &str) -> Result<(), String> {
    if db.is_postgres() {
        let file = limbeck_test_support::TempFolder::new();
        let path = file.path().join("script.sql");
        std::fs::write(&path, script).expect("a file");
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", db.url(), "-f"]).arg(&path);
        let output = psql.output().expect("psql runs");
        return match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        };
    }
    let mut connection = connect(db.url()).await;
    for statement in script.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        connection.execute_raw(statement).await.map_err(|error| format!("{error}"))?;
    }
    Ok(())
}

async fn rows(url: &str, query: &str) -> Vec<(String, String, String, String)> {
    connect(url).await.fetch_raw(query, &[]).await.expect("rows")
}

const LEDGER: &str = "SELECT id, parents, file, hash FROM limbeck_revision ORDER BY id";

fn project(db: &TestDb) -> Project {
    let (wider, alone) = match db.kind() {
        Kind::Sqlite => (
            "-- limbeck: sqlite-foreign-keys=off\nCREATE TABLE new (id integer NOT NULL PRIMARY KEY, name text);\nINSERT INTO \
             new SELECT id, name FROM users;\nDROP TABLE users;\nALTER TABLE new RENAME TO users;",
            "VACUUM;",
        ),
        Kind::Postgres => (
            // As a dump begins.
            "SELECT pg_catalog.set_config('search_path', '', false);\nSET statement_timeout = 0;\nALTER TABLE public.users ALTER \
             name DROP NOT NULL, ALTER name TYPE text;",
            "CREATE INDEX CONCURRENTLY ix_posts ON posts (author);",
        ),
    };
    let back = match db.kind() {
        Kind::Sqlite => wider.replace("name text", "name varchar(20) NOT NULL"),
        Kind::Postgres => "ALTER TABLE users ALTER name SET NOT NULL, ALTER name TYPE varchar(20);".to_string(),
    };
    let away = if db.is_postgres() { "DROP INDEX ix_posts;" } else { "" };
    let parts = format!(
        "CREATE TABLE a (id integer);\n-- limbeck: transaction=none\n-- step 2: alone\n{alone}\n-- step 3: rest\nCREATE TABLE b \
         (id integer);"
    );
    Project::line(
        db.url(),
        &[
            (
                "users",
                "CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL) -- those who write\n;\nINSERT INTO \
             users VALUES (1, 'it''s; a' -- name\n);",
                Some("DROP TABLE users;"),
            ),
            (
                "posts",
                "CREATE TABLE posts (id integer NOT NULL PRIMARY KEY, author integer REFERENCES users (id));\nINSERT INTO posts \
             VALUES (1, 1);",
                Some("DROP TABLE posts;"),
            ),
            ("wider", wider, Some(&back)),
            ("parts", &parts, Some(&format!("{away}\nDROP TABLE a;\nDROP TABLE b;"))),
        ],
    )
}

both! {
    async fn the_script_does_what_a_run_does_and_limbeck_goes_on_from_there(db: TestDb) {
        let Some(other) = TestDb::of(db.kind()) else { return };
        let project = project(&db);
        // No database is asked: this one cannot be.
        let nowhere = match db.kind() {
            Kind::Sqlite => "sqlite:///no/such/folder/app.db",
            Kind::Postgres => "postgres://nobody@127.0.0.1:1/nothing",
        };
        let script = |arguments: &[&str]| {
            let output = project.output(&[&["--url", nowhere], arguments].concat());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("text")
        };

        let up = script(&["upgrade", "--sql"]);
        run(&db, &up).await.unwrap_or_else(|error| panic!("{error}\n{up}"));
        assert!(project.limbeck(&["upgrade"], 0).contains("nothing to do"));
        assert!(project.limbeck(&["current"], 0).contains("parts (head)"));
        project.limbeck(&["upgrade", "head", "--url", other.url()], 0);
        let made = rows(db.url(), LEDGER).await;
        assert_eq!(made, rows(other.url(), LEDGER).await);
        assert_eq!(made.len(), 4);
        let times = "SELECT id, applied_at, '', '' FROM limbeck_revision";
        for (id, at, ..) in rows(db.url(), times).await {
            assert!(at.len() == 20 && at.as_bytes()[10] == b'T' && at.ends_with('Z'), "{id} {at}");
        }
        project.limbeck(&["diff", db.url(), other.url()], 0);

        // Once more, it fails and changes nothing.
        run(&db, &up).await.expect_err("the tables are there");
        assert_eq!(rows(db.url(), LEDGER).await, made);

        // Half of the way back, and there again.
        let down = script(&["downgrade", "--sql", "head:posts"]);
        run(&db, &down).await.unwrap_or_else(|error| panic!("{error}\n{down}"));
        assert!(project.limbeck(&["current"], 0).starts_with("posts "));
        let up = script(&["upgrade", "--sql", "posts:head"]);
        assert!(!up.contains("CREATE TABLE users"), "{up}");
        run(&db, &up).await.unwrap_or_else(|error| panic!("{error}\n{up}"));
        project.limbeck(&["diff", db.url(), other.url()], 0);

        // All of it, and from a ledger that is there and empty.
        let down = script(&["downgrade", "--sql", "head:base"]);
        run(&db, &down).await.unwrap_or_else(|error| panic!("{error}\n{down}"));
        project.limbeck(&["downgrade", "base", "--url", other.url()], 0);
        project.limbeck(&["diff", db.url(), other.url()], 0);
        assert_eq!(rows(db.url(), LEDGER).await, []);
        run(&db, &script(&["upgrade", "--sql", "users"])).await.expect("it runs");
        assert!(project.limbeck(&["current"], 0).starts_with("users "));
    }

    async fn a_range_that_is_not_clear_is_refused(db: TestDb) {
        let project = project(&db);
        for (arguments, said) in [
            (["downgrade", "--sql", "posts"], "head:-1"),
            (["upgrade", "--sql", "nothing:head"], "no revision `nothing`"),
            (["upgrade", "--sql", "+1:head"], "steps need a revision"),
        ] {
            let message = project.limbeck(&arguments, 1);
            assert!(message.contains(said), "{message}");
        }
        let told = project.told(&["upgrade", "--sql", "posts:+1"], 0);
        assert_eq!(told["result"]["revisions"], serde_json::json!(["wider"]), "{told}");
        assert!(project.limbeck(&["upgrade", "--sql", "head:head"], 0).contains("nothing to do"));
    }
}

#[tokio::test]
async fn a_rebuild_that_leaves_rows_pointing_nowhere_is_rolled_back() {
    let db = TestDb::sqlite();
    let project = Project::line(
        db.url(),
        &[
            (
                "tables",
                "CREATE TABLE u (id integer PRIMARY KEY);\nCREATE TABLE p (u integer REFERENCES u (id));\nINSERT INTO u VALUES \
             (1);\nINSERT INTO p VALUES (1);",
                None,
            ),
            ("lost", "-- limbeck: sqlite-foreign-keys=off\nDELETE FROM u;", None),
        ],
    );
    let output = project.output(&["upgrade", "--sql"]);
    let error = run(&db, &String::from_utf8_lossy(&output.stdout)).await.expect_err("rows would point nowhere");
    assert!(error.contains("rows_that_refer_to_nothing"), "{error}");
    assert!(project.limbeck(&["current"], 0).starts_with("tables "));
    assert_eq!(rows(db.url(), "SELECT CAST(id AS TEXT), '', '', '' FROM u").await.len(), 1);
}
