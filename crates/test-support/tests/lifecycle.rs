//! The servers come, are shared, and go.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use limbeck_test_support::{Kind, Postgres, TestDb, both, temp_sqlite};

fn postgres_is_left_out() -> bool {
    std::env::var("LIMBECK_TEST_DATABASES").is_ok_and(|list| !list.contains("postgres"))
}

/// The folder has another name, or none, before the server is stopped.
fn wait_until_gone(folder: &Path, port: u16) {
    let start = Instant::now();
    while folder.exists() || answers(port) {
        assert!(start.elapsed() < Duration::from_secs(20), "{} is still there, or its server", folder.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

both! {
    async fn every_test_has_an_empty_database_of_its_own(db: TestDb) {
        let other = TestDb::of(db.kind()).expect("one of the kind was made already");
        assert_ne!(db.url(), other.url());
        if db.kind() == Kind::Postgres {
            let name = db.url().rsplit('/').next().expect("a name");
            let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
            assert_eq!(Postgres::shared().sql(name, tables), "0");
        }
    }

    #[multi_thread]
    /// Which takes two threads here.
    async fn a_test_may_return_a_result(db: TestDb) -> Result<(), std::io::Error> {
        tokio::task::yield_now().await;
        assert!(db.url().contains("://"));
        Ok(())
    }
}

#[test]
fn a_database_is_dropped_with_its_guard_even_while_it_is_in_use() {
    if postgres_is_left_out() {
        return;
    }
    let server = Postgres::shared();
    let database = server.database();
    let name = database.url().rsplit('/').next().expect("a name").to_string();
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(server.sql("postgres", &count), "1");
    drop(database);
    assert_eq!(server.sql("postgres", &count), "0");
}

#[test]
fn the_folder_of_a_sqlite_database_goes_with_its_guard() {
    let (folder, url) = temp_sqlite();
    let path = folder.path().to_path_buf();
    std::fs::write(url.strip_prefix("sqlite://").expect("the scheme"), "x").expect("the folder takes a file");
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn a_server_of_ones_own_survives_kill_and_restart_and_goes_when_dropped() {
    if postgres_is_left_out() {
        return;
    }
    let server = Postgres::own_with(&["max_connections = 7"]);
    assert_ne!(server.port(), Postgres::shared().port());
    assert_eq!(server.sql("postgres", "SHOW max_connections"), "7");
    server.sql("postgres", "CREATE TABLE kept (id int)");
    server.kill9();
    assert!(!answers(server.port()));
    server.restart();
    assert_eq!(server.sql("postgres", "SELECT count(*) FROM kept"), "0");
    server.stop();
    assert!(!answers(server.port()));
    server.restart();
    let (port, folder) = (server.port(), server.socket_folder().to_path_buf());
    drop(server);
    wait_until_gone(&folder, port);
}

/// Runs itself as another process, kills that while it has a server, and looks what is left.
#[test]
fn a_killed_test_leaves_no_server() {
    const NAME: &str = "a_killed_test_leaves_no_server";
    if postgres_is_left_out() {
        return;
    }
    if std::env::var_os("LIMBECK_TEST_CHILD").is_some() {
        let server = Postgres::own();
        println!("\nserver {} {}", server.port(), server.socket_folder().display());
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("a test is a program"))
        .args([NAME, "--exact", "--nocapture"])
        .env("LIMBECK_TEST_CHILD", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test runs");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let line = output.lines().map_while(Result::ok).find(|line| line.starts_with("server "));
    let line = line.expect("the child names its server");
    let mut words = line.split(' ').skip(1);
    let port: u16 = words.next().and_then(|port| port.parse().ok()).expect("a port");
    let folder = PathBuf::from(words.next().expect("a folder"));
    assert!(answers(port));
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    wait_until_gone(&folder, port);
}
