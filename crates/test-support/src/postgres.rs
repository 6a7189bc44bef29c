//! A throwaway PostgreSQL, and databases in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::folder::fresh_path;
use crate::keeper::{self, Hold};
use crate::{binaries, shared};

/// A PostgreSQL server on a port of 127.0.0.1, with the superuser `postgres` and no password.
#[derive(Debug)]
pub struct Postgres {
    hold: Hold,
    folder: PathBuf,
}

impl Postgres {
    /// The server that all tests of this run share, started when nobody has yet.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Postgres { hold: shared::attach(), folder: shared::folder() })
    }

    /// A server of one's own, for tests that stop or kill it. It is removed when this is dropped.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn own() -> Postgres {
        Postgres::own_with(&[])
    }

    /// A server of one's own with lines for its postgresql.conf, such as `max_connections = 5`.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start with these settings.
    pub fn own_with(settings: &[&str]) -> Postgres {
        let folder = fresh_path("postgres");
        fs::create_dir(&folder).unwrap_or_else(|e| panic!("cannot make the folder {}: {e}", folder.display()));
        // Copying what the shared server was made from takes a tenth of what `initdb` takes.
        let template = Postgres::shared().folder.join("template");
        let copied = std::process::Command::new("cp").arg("-Rp").arg(&template).arg(&folder).status();
        assert!(copied.is_ok_and(|status| status.success()), "cannot copy {}", template.display());
        Postgres { hold: keeper::start(&folder, Duration::ZERO, settings), folder }
    }

    /// The port of 127.0.0.1 that it listens on; the same after [`Postgres::restart`].
    pub fn port(&self) -> u16 {
        self.hold.port
    }

    /// The URL of a database in it, by name.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }

    /// The folder of its socket, for clients that want one: `host=<folder>`.
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// A new, empty database, dropped when the value is.
    ///
    /// # Panics
    /// When the server does not make it.
    pub fn database(&self) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database { url: self.url(&name), drop: self.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)")) }
    }

    /// Runs SQL in one of its databases, by `psql`, and gives its output: rows as lines, columns separated by `|`.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql).output().expect("cannot run psql");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "PostgreSQL refused `{sql}` in {database}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_string()
    }

    fn psql(&self, database: &str, sql: &str) -> std::process::Command {
        let mut psql = std::process::Command::new(binaries::folder().join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]);
        psql.env_clear().stdin(Stdio::null());
        psql
    }

    /// Kills the server and all its processes at once, as a crash of the machine would: clients get no word.
    ///
    /// # Panics
    /// For the shared server, whose other users are not to be disturbed, and when it does not run.
    pub fn kill9(&self) {
        self.assert_own("killed");
        let pid_file = fs::read_to_string(self.data().join("postmaster.pid")).expect("the server does not run");
        let main = pid_file.lines().next().expect("postmaster.pid is empty").to_string();
        let children = std::process::Command::new("ps").args(["-o", "pid=", "--ppid", &main]).output();
        let children = children.map(|ps| String::from_utf8_lossy(&ps.stdout).into_owned()).unwrap_or_default();
        let pids = std::iter::once(main.as_str()).chain(children.split_whitespace());
        let _ = std::process::Command::new("kill").arg("-9").args(pids).stderr(Stdio::null()).status();
        self.wait_until_down();
        // Where nobody reaps the dead, as in many containers, the process seems to live, and a start refuses.
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
        let _ = fs::remove_file(self.folder.join(format!(".s.PGSQL.{}.lock", self.port())));
    }

    /// Stops the server in order: it ends its clients' sessions and tells them (`pg_ctl stop -m fast`).
    ///
    /// # Panics
    /// For the shared server, and when it does not stop.
    pub fn stop(&self) {
        self.assert_own("stopped");
        self.pg_ctl(&["stop", "-w", "-m", "fast"]);
    }

    /// Starts the server again on the same port, after [`Postgres::stop`] or [`Postgres::kill9`]; stops it
    /// before, if it runs. Returns when it takes connections.
    ///
    /// # Panics
    /// For the shared server, and when it does not start.
    pub fn restart(&self) {
        self.assert_own("restarted");
        self.pg_ctl(&["restart", "-w", "-m", "fast", "-l", &self.folder.join("server.log").to_string_lossy()]);
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn assert_own(&self, what: &str) {
        assert!(self.folder != shared::folder(), "the shared server is not to be {what}: use `Postgres::own`");
    }

    fn pg_ctl(&self, arguments: &[&str]) {
        let mut pg_ctl = binaries::command(binaries::folder().join("pg_ctl"));
        pg_ctl.args(arguments).arg("-D").arg(self.data()).stdin(Stdio::null()).stdout(Stdio::null());
        let status = pg_ctl.status().expect("cannot run pg_ctl");
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        assert!(status.success(), "`pg_ctl {}` failed:\n{log}", arguments.join(" "));
    }

    fn wait_until_down(&self) {
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port())).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(10), "the server on port {} is not down", self.port());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A database of a [`Postgres`], dropped with this value, whoever is connected to it.
#[derive(Debug)]
pub struct Database {
    url: String,
    drop: std::process::Command,
}

impl Database {
    /// `postgres://postgres@127.0.0.1:<port>/<name>`
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that was stopped or killed has nothing to drop.
        let _ = self.drop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
