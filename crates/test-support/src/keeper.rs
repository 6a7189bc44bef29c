//! Starting `keeper.sh`, which holds a server for as long as somebody uses it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::binaries;

/// How long a start may take: a loaded machine needs seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A running server, and our share in keeping it up: it goes down when all who hold one are gone.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) port: u16,
    /// The writing end of the pipe. Closed by the kernel when this process ends, in whatever way.
    pub(crate) _users: File,
}

/// Starts a server in `folder`, which exists, is empty (or has a `template`) and belongs to the caller. It is
/// removed `linger` after the last user has gone.
///
/// # Panics
/// When the server does not start, with its log.
pub(crate) fn start(folder: &Path, linger: Duration, settings: &[&str]) -> Hold {
    let log = folder.join("keeper.log");
    prepare(folder);
    // Opening for both never waits. It is held until the keeper is there, so that the pipe has a reader and a
    // writer from the first moment to the last.
    let both = OpenOptions::new().read(true).write(true).open(folder.join("users")).expect("cannot open a named pipe");
    let reader = File::open(folder.join("users")).expect("cannot open a named pipe for reading");
    let users = announce(OpenOptions::new().write(true).open(folder.join("users")).expect("cannot open a named pipe"));
    let port = free_port();
    let output = File::create(&log).unwrap_or_else(|e| panic!("cannot write {}: {e}", log.display()));
    let mut keeper = binaries::command("/bin/sh")
        .args(["-c", include_str!("keeper.sh"), "keeper.sh"])
        .arg(folder)
        .arg(binaries::folder())
        .args([port.to_string(), format!("{:.1}", linger.as_secs_f64())])
        .args(settings)
        // Of a group of its own, so that what ends the tests (Ctrl-C, nextest's time limit) does not end it.
        .process_group(0)
        .stdin(reader)
        .stdout(output.try_clone().expect("cannot duplicate a file"))
        .stderr(output)
        .spawn()
        .expect("cannot run /bin/sh");
    drop(both);
    wait(folder, &mut keeper);
    Hold { port, _users: users }
}

fn prepare(folder: &Path) {
    let made = Command::new("mkfifo").args(["-m", "600"]).arg(folder.join("users")).stdin(Stdio::null()).status();
    assert!(made.is_ok_and(|status| status.success()), "cannot make a named pipe in {}", folder.display());
    if let Some(account) = binaries::account() {
        for path in [folder, &folder.join("users")] {
            std::os::unix::fs::chown(path, Some(account.user), Some(account.group))
                .unwrap_or_else(|e| panic!("cannot give {} to PostgreSQL's user: {e}", path.display()));
        }
    }
}

/// Writes the byte by which the keeper counts those who came.
pub(crate) fn announce(mut users: File) -> File {
    users.write_all(b"u").expect("cannot write to a named pipe");
    users
}

fn wait(folder: &Path, keeper: &mut Child) {
    let start = Instant::now();
    while !folder.join("ready").exists() {
        let ended = matches!(keeper.try_wait(), Ok(Some(_)));
        let failed = ended || folder.join("failed").exists() || start.elapsed() > PATIENCE;
        assert!(!failed, "PostgreSQL did not start in {}:\n{}", folder.display(), logs(folder));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn logs(folder: &Path) -> String {
    let read = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
    format!("{}{}", read("keeper.log"), read("server.log"))
}

/// A port of 127.0.0.1 that nobody listens on. Another process may take it before the server does; the system
/// hands out ports in turn, which makes that rare.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port on 127.0.0.1");
    listener.local_addr().expect("a listener has an address").port()
}
