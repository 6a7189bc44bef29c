//! `limbeck test`: revisions that lead back, and all the ways in which one does not.

mod by_hand;

use std::time::{Duration, Instant};

use by_hand::{Project, Written};
use limbeck_test_support::{Kind, Postgres, TestDb, both};

const USERS: (&str, &str, Option<&str>) = (
    "users",
    "CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(20) NOT NULL);\nINSERT INTO users VALUES (1, 'a');",
    Some("DROP TABLE users;"),
);

both! {
    async fn revisions_that_lead_back_are_sound_and_the_database_is_not_touched(db: TestDb) {
        let rebuild = match db.kind() {
            Kind::Sqlite => {
                "-- limbeck: sqlite-foreign-keys=off\nCREATE TABLE new (id integer NOT NULL PRIMARY KEY, name text);\nINSERT \
                 INTO new SELECT id, name FROM users;\nDROP TABLE users;\nALTER TABLE new RENAME TO users;"
            }
            Kind::Postgres => "ALTER TABLE users ALTER name DROP NOT NULL, ALTER name TYPE text;",
        };
        let back = match db.kind() {
            Kind::Sqlite => rebuild.replace("name text", "name varchar(20) NOT NULL"),
            Kind::Postgres => "ALTER TABLE users ALTER name SET NOT NULL, ALTER name TYPE varchar(20);".to_string(),
        };
        let posts = "CREATE TABLE posts (id integer NOT NULL PRIMARY KEY, author integer REFERENCES users (id));\nCREATE INDEX \
                     ix_posts ON posts (author);";
        let project = Project::line(db.url(), &[
            USERS,
            ("posts", posts, Some("DROP TABLE posts;")),
            ("wider", rebuild, Some(&back)),
            ("data", "UPDATE users SET name = 'b';", Some("")),
        ]);
        let said = project.limbeck(&["test"], 0);
        assert!(said.contains("sound wider wider") && said.contains("4 revision(s): up, down and up again"), "{said}");
        assert!(project.limbeck(&["current"], 0).contains("base"));
        let told = project.told(&["test"], 0);
        let revisions = told["result"]["databases"][0]["revisions"].as_array().expect("a list");
        assert_eq!(revisions.len(), 4, "{told}");
    }

    async fn what_a_downgrade_leaves_is_named_with_its_file_and_the_sql_that_it_lacks(db: TestDb) {
        let project = Project::line(db.url(), &[
            USERS,
            ("bits", "CREATE INDEX IF NOT EXISTS ix_left ON users (name);\nCREATE TABLE t (id integer);", Some("DROP TABLE t;")),
            ("view", "DROP VIEW IF EXISTS v;\nCREATE VIEW v AS SELECT 1 AS one;", Some("SELECT 1;")),
        ]);
        let said = project.limbeck(&["test"], 2);
        for wanted in ["sound users users", "not sound bits bits", "bits.sql: the downgrade of bits does not lead back",
            "ix_left", "| DROP INDEX ix_left", "view.sql: the downgrade of view"] {
            assert!(said.contains(wanted), "{wanted}\n{said}");
        }
        assert!(said.lines().any(|line| line.contains("the view ") && line.ends_with("v: left over")), "{said}");
        let told = project.told(&["test"], 2);
        let fault = &told["result"]["databases"][0]["revisions"][1]["faults"][0];
        assert_eq!(fault["kind"], "downgrade_differs", "{told}");
        assert!(fault["sql"][0].as_str().is_some_and(|sql| sql.starts_with("DROP INDEX")), "{told}");
    }

    async fn a_second_upgrade_that_makes_another_schema_is_a_difference(db: TestDb) {
        let up = "CREATE TABLE u (id integer);\nCREATE INDEX IF NOT EXISTS ix ON u (id);";
        let project = Project::line(db.url(), &[("u", up, Some("ALTER TABLE u RENAME TO old;"))]);
        let said = project.limbeck(&["test"], 2);
        assert!(said.contains("u.sql: applied again after its downgrade, u makes another schema"), "{said}");
    }

    async fn a_revision_that_cannot_be_applied_again_ends_the_test(db: TestDb) {
        let project = Project::line(db.url(), &[("t", "CREATE TABLE t (id integer);", Some("")), USERS]);
        let said = project.limbeck(&["test"], 1);
        assert!(said.contains("cannot be applied again after its downgrade: t.sql:5:"), "{said}");
        assert!(said.contains("t.sql: the downgrade of t does not lead back") && !said.contains("users"), "{said}");
    }

    async fn a_downgrade_that_fails_is_named_and_the_next_revision_is_tried(db: TestDb) {
        let project = Project::line(db.url(), &[
            ("t", "CREATE TABLE t (id integer);", Some("DROP TABLE t;\nDROP TABLE other;")),
            USERS,
        ]);
        let said = project.limbeck(&["test"], 1);
        assert!(said.contains("its downgrade fails: t.sql:9:") && said.contains("sound users users"), "{said}");
    }

    async fn a_revision_that_cannot_be_applied_is_an_error(db: TestDb) {
        let project = Project::line(db.url(), &[USERS, ("wrong", "CREATE TABEL t;", Some(""))]);
        let told = project.told(&["test"], 1);
        assert_eq!((&told["error"]["file"], &told["error"]["line"]), (&"wrong.sql".into(), &5.into()), "{told}");
        assert_eq!(told["result"]["databases"][0]["revisions"][0]["id"], "users", "{told}");
    }

    async fn no_way_back_is_a_fault_unless_it_is_allowed(db: TestDb) {
        let project = Project::line(db.url(), &[("t", "CREATE TABLE t (id integer);", None), USERS]);
        let said = project.limbeck(&["test"], 1);
        assert!(said.contains("t.sql: revision t has no `downgrade` section"), "{said}");
        let said = project.limbeck(&["test", "--allow-irreversible"], 0);
        assert!(said.contains("irreversible t t"), "{said}");
        let said = project.limbeck(&["test", "--from", "users"], 0);
        assert!(said.contains("1 revision(s)") && !said.contains(" t t"), "{said}");
    }

    async fn branches_are_tried_one_on_top_of_the_other(db: TestDb) {
        let (a, b) = ("CREATE TABLE a (id integer PRIMARY KEY);", "CREATE TABLE b (id integer REFERENCES a (id));");
        let project = Project::new(db.url(), &[
            Written { id: "aaaa", header: "revises=", up: a, down: Some("DROP TABLE a;") },
            Written { id: "bbbb", header: "revises= depends_on=aaaa", up: b, down: Some("DROP TABLE b;") },
        ]);
        assert!(project.limbeck(&["test"], 0).contains("2 revision(s)"));
    }

    async fn a_named_database_has_to_be_empty_and_is_so_afterwards(db: TestDb) {
        let project = Project::line("", &[USERS]);
        for _ in 0..2 {
            project.limbeck(&["test", "--scratch", db.url()], 0);
        }
        let there = Project::line(db.url(), &[USERS]);
        there.limbeck(&["upgrade"], 0);
        let said = project.limbeck(&["test", "--scratch", db.url()], 1);
        assert!(said.contains("is not empty: it has ") && said.contains("users"), "{said}");
    }
}

/// The databases that were made for tests.
fn made(server: &Postgres) -> String {
    server.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'limbeck_test_%'")
}

#[test]
fn on_a_server_nothing_is_left_whatever_happens() {
    let server = Postgres::own();
    let url = server.url("postgres");
    Project::line(&url, &[USERS]).limbeck(&["test"], 0);
    Project::line(&url, &[("wrong", "SELECT nothing;", None)]).limbeck(&["test"], 1);
    assert_eq!(made(&server), "0");

    let slow = Project::line(&url, &[("slow", "SELECT pg_sleep(60);", Some(""))]);
    let child = slow.command(&["test"]).spawn().expect("limbeck runs");
    let start = Instant::now();
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'";
    while server.sql("postgres", sleeping) != "1" {
        assert!(start.elapsed() < Duration::from_secs(30), "it sleeps within 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(made(&server), "1");
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("interrupted"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(50), "it does not wait for the statement");
    assert_eq!(made(&server), "0");
}

#[test]
fn without_the_right_to_make_a_database_it_says_what_to_do() {
    let server = Postgres::own();
    server.sql("postgres", "CREATE ROLE poor LOGIN");
    server.sql("postgres", "CREATE DATABASE own OWNER poor");
    let poor = |database| server.url(database).replace("postgres@", "poor@");
    let project = Project::line(&poor("postgres"), &[USERS]);
    let said = project.limbeck(&["test"], 1);
    assert!(said.contains("CREATEDB") && said.contains("--scratch URL"), "{said}");
    project.limbeck(&["test", "--scratch", &poor("own")], 0);
}
