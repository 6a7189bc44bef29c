//! `limbeck doctor`: what it finds, and that it changes nothing. With models it is in `projects.rs`.

use std::process::{Command, Output};

use limbeck::engine::Engine;
use limbeck_test_support::{Kind, TempFolder, TestDb};
use serde_json::Value;

struct Found {
    code: Option<i32>,
    findings: Vec<Value>,
}

impl Found {
    /// Level, message and advice of what was found about this.
    fn of(&self, check: &str) -> (&str, &str, &str) {
        let finding = self.findings.iter().find(|finding| finding["check"] == check);
        let finding = finding.unwrap_or_else(|| panic!("nothing about `{check}`: {:#?}", self.findings));
        let text = |name: &str| finding[name].as_str().unwrap_or_default();
        (text("level"), text("message"), text("advice"))
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self.findings.iter().filter(|finding| finding["level"] == "fail");
        failed.filter_map(|finding| finding["check"].as_str()).collect()
    }
}

fn limbeck(folder: &TempFolder, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limbeck"));
    command.args(arguments).current_dir(folder.path()).env_remove("DATABASE_URL").env_remove("CARGO_MANIFEST_DIR");
    command.envs(environment.iter().copied()).output().expect("limbeck runs")
}

fn doctor(folder: &TempFolder, url: &str, more: &[&str], environment: &[(&str, &str)]) -> Found {
    let words = [&["doctor", "--json", "--without-models", "--url", url], more].concat();
    let output = limbeck(folder, &words, environment);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let findings = told["result"]["findings"].as_array().expect("findings").clone();
    Found { code: output.status.code(), findings }
}

fn project(revisions: bool) -> TempFolder {
    let folder = TempFolder::new();
    std::fs::create_dir(folder.path().join("migrations")).expect("a folder");
    std::fs::write(folder.path().join("limbeck.toml"), "databases = [\"sqlite\", \"postgres\"]\n").expect("a file");
    std::fs::write(folder.path().join("migrations/limbeck.lock"), "").expect("a file");
    if revisions {
        let output = limbeck(&folder, &["revision", "-m", "Start"], &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    folder
}

async fn run(url: &str, statements: &[&str]) {
    let engine = Engine::builder(url).connect().await.expect("an engine");
    let mut connection = engine.connect().await.expect("a connection");
    for sql in statements {
        connection.execute_raw(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
    drop(connection);
    engine.close().await;
}

#[tokio::test]
async fn a_sound_project_has_nothing_wrong_and_a_pending_revision_is_2() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(db) = TestDb::of(kind) else { continue };
        run(db.url(), &["SELECT 1"]).await;
        let folder = project(true);
        let found = doctor(&folder, db.url(), &[], &[]);
        assert_eq!((found.code, found.failed()), (Some(2), vec![]), "{:#?}", found.findings);
        let (level, message, advice) = found.of("pending");
        assert!(level == "warn" && message.contains("Start") && advice.contains("limbeck upgrade"), "{message}");

        let upgraded = limbeck(&folder, &["upgrade", "--url", db.url()], &[]);
        assert!(upgraded.status.success(), "{}", String::from_utf8_lossy(&upgraded.stderr));
        let found = doctor(&folder, db.url(), &[], &[]);
        assert_eq!((found.code, found.failed()), (Some(0), vec![]), "{:#?}", found.findings);
        assert_eq!(found.of("pending").0, "ok");
        assert_eq!(found.of("revisions").0, "ok");
        assert_eq!(found.of("version").0, "ok");
    }
}

#[tokio::test]
async fn it_makes_no_file_and_changes_none() {
    let folder = project(false);
    let path = folder.path().join("app.db");
    let url = "sqlite://app.db";
    let found = doctor(&folder, url, &[], &[]);
    assert_eq!((found.code, found.of("file").0), (Some(0), "warn"));
    assert!(!path.exists());

    // One that is not in WAL: to open it for writing would turn it.
    run(&format!("sqlite://{}", path.display()), &["PRAGMA journal_mode = DELETE", "CREATE TABLE t (id integer)"])
        .await;
    let before = std::fs::read(&path).expect("the file");
    let found = doctor(&folder, url, &[], &[]);
    assert_eq!(found.code, Some(0), "{:#?}", found.findings);
    assert!(found.of("journal").1.starts_with("delete"), "{}", found.of("journal").1);
    let databases: std::collections::BTreeSet<_> =
        found.findings.iter().filter_map(|f| f["database"].as_str()).collect();
    assert_eq!(databases.into_iter().collect::<Vec<_>>(), [url]);
    assert!(std::fs::read(&path).expect("the file") == before);
    let names =
        folder.path().read_dir().expect("the folder").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(names.filter(|name| name.starts_with("app.db")).count(), 1);

    assert_eq!(doctor(&folder, "sqlite://not/there.db", &[], &[]).failed(), ["file"]);
    std::fs::write(folder.path().join("text.db"), "this is no database, only a text of some length").expect("a file");
    let found = doctor(&folder, "sqlite://text.db", &[], &[]);
    assert_eq!((found.code, found.failed().is_empty()), (Some(1), false));
}

#[tokio::test]
async fn each_step_to_the_server_says_that_it_is_the_one() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let folder = project(false);
    let found = |url: &str| doctor(&folder, url, &[], &[]);
    assert_eq!(found("app.db").failed(), ["url"]);
    assert_eq!(found("postgres://ann@no-such-host.invalid/app").failed(), ["dns"]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number");
    assert_eq!(found(&format!("postgres://ann@{closed}/app")).failed(), ["tcp"]);
    let (server, _) = db.url().rsplit_once('/').expect("a path");
    let missing = found(&format!("{server}/no_such_database"));
    assert_eq!((missing.code, missing.failed()), (Some(1), vec!["database"]));
    assert!(missing.of("database").2.contains("createdb no_such_database"), "{}", missing.of("database").2);
    let (_, host) = db.url().rsplit_once('@').expect("a login");
    assert_eq!(found(&format!("postgres://nobody_here@{host}")).failed(), ["login"]);
}

#[tokio::test]
async fn the_pool_is_held_against_the_limits_of_the_server() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let folder = project(false);
    let too_many = doctor(&folder, db.url(), &[], &[("DATABASE_POOL_SIZE", "5000")]);
    assert_eq!((too_many.code, too_many.failed()), (Some(1), vec!["pool"]));
    let (_, message, advice) = too_many.of("pool");
    assert!(message.contains("up to 5010 connections") && advice.contains("DATABASE_POOL_SIZE"), "{message}");
    assert_eq!(doctor(&folder, db.url(), &["--instances", "1000"], &[]).failed(), ["pool"]);
    let endless = doctor(&folder, db.url(), &[], &[("DATABASE_MAX_OVERFLOW", "-1")]);
    assert_eq!((endless.code, endless.of("pool").0), (Some(0), "warn"));
}

#[tokio::test]
async fn what_the_server_does_by_default_is_held_against_what_migrations_need() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let folder = project(false);
    let url = |options: &str| {
        let joint = if db.url().contains('?') { '&' } else { '?' };
        format!("{}{joint}options={options}", db.url())
    };
    for (options, check, said) in [
        ("-c%20statement_timeout%3D5s", "statement timeout", "after 5 s"),
        ("-c%20timezone%3DEurope/Berlin", "time zone", "Europe/Berlin"),
        ("-c%20default_transaction_isolation%3Dserializable", "isolation", "serializable"),
        ("-c%20default_transaction_read_only%3Don", "read only", "migrations would fail"),
    ] {
        let found = doctor(&folder, &url(options), &[], &[]);
        let (level, message, advice) = found.of(check);
        assert!(level == "warn" && message.contains(said) && !advice.is_empty(), "{check}: {level} {message}");
        assert_eq!(found.code, Some(0));
    }
    let nowhere = doctor(&folder, &url("-c%20search_path%3Dnowhere"), &[], &[]);
    assert!(nowhere.failed().contains(&"schema"), "{:?}", nowhere.failed());
}

#[test]
fn files_that_do_not_fit_the_lock_file_are_found() {
    let folder = project(true);
    std::fs::write(folder.path().join("migrations/stray.sql"), "SELECT 1;\n").expect("a file");
    let found = doctor(&folder, "sqlite://app.db", &[], &[]);
    assert_eq!((found.code, found.of("revisions").0), (Some(2), "warn"));
    assert!(found.of("revisions").1.contains("stray.sql"));

    let lock = folder.path().join("migrations/limbeck.lock");
    std::fs::write(&lock, format!("{}nonsense\n", std::fs::read_to_string(&lock).expect("the file")))
        .expect("the file");
    assert_eq!(doctor(&folder, "sqlite://app.db", &[], &[]).failed(), ["revisions"]);
}

#[test]
fn it_is_of_use_without_a_project_and_with_a_broken_one() {
    let folder = TempFolder::new();
    let found = doctor(&folder, "sqlite::memory:", &[], &[]);
    assert_eq!((found.code, found.of("project").0), (Some(0), "warn"));
    std::fs::write(folder.path().join("limbeck.toml"), "databse = 1\n").expect("a file");
    let found = doctor(&folder, "sqlite::memory:", &[], &[]);
    assert_eq!((found.code, found.failed()), (Some(1), vec!["settings"]));
    assert!(found.of("settings").1.starts_with("limbeck.toml:1: "), "{}", found.of("settings").1);
}
