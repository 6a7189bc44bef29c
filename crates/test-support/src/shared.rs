//! One server for all test processes of a run.
//!
//! The folder's name is the meeting point. Who makes the folder starts the server; who finds it opens the pipe in
//! it. A folder whose pipe has no reader lost its keeper, and is taken away.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::folder::fresh_path;
use crate::keeper::{self, Hold};

/// How long the server outlives its last user: the gap between two tests or two test binaries.
const LINGER: Duration = Duration::from_secs(3);

/// How long a folder may be without a keeper: the moments between its making and the keeper's start.
const ORPHAN: Duration = Duration::from_secs(5);

/// O_NONBLOCK, with which opening a pipe that nobody reads fails instead of waiting.
const NON_BLOCKING: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 0x4 };

/// The folder of the run's server.
pub(crate) fn folder() -> PathBuf {
    let user = fs::metadata("/proc/self").map_or(0, |me| me.uid());
    std::env::temp_dir().join(format!("limbeck-postgres-{user}-{}", parent_id()))
}

/// Finds the run's server or starts it.
///
/// # Panics
/// When there is none and none can be started.
pub(crate) fn attach() -> Hold {
    let folder = folder();
    let start = Instant::now();
    let mut orphan_since = None;
    loop {
        match fs::create_dir(&folder) {
            Ok(()) => return keeper::start(&folder, LINGER, &[]),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => panic!("cannot make the folder {}: {e}", folder.display()),
        }
        match join(&folder) {
            Joined::Running(hold) => return hold,
            Joined::Starting => orphan_since = None,
            Joined::Orphan => {
                let since = *orphan_since.get_or_insert_with(Instant::now);
                if since.elapsed() > ORPHAN {
                    discard(&folder);
                    orphan_since = None;
                }
            }
        }
        assert!(start.elapsed() < keeper::PATIENCE, "the PostgreSQL in {} does not come up", folder.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

enum Joined {
    Running(Hold),
    Starting,
    Orphan,
}

fn join(folder: &Path) -> Joined {
    let pipe = folder.join("users");
    let Ok(users) = OpenOptions::new().write(true).custom_flags(NON_BLOCKING).open(&pipe) else {
        return Joined::Orphan;
    };
    let users = keeper::announce(users);
    let port = fs::read_to_string(folder.join("ready")).ok().and_then(|text| text.trim().parse().ok());
    match port {
        // Between the two, another server may have taken the folder's name.
        Some(port) if is_at(&users, &pipe) => Joined::Running(Hold { port, _users: users }),
        _ => Joined::Starting,
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let identity = |meta: fs::Metadata| (meta.dev(), meta.ino());
    let there = fs::metadata(path).map(identity).ok();
    there.is_some() && file.metadata().map(identity).ok() == there
}

/// Moves a folder away before it is removed, so that of several who want that only one gets it.
fn discard(folder: &Path) {
    let away = fresh_path("orphan");
    if fs::rename(folder, &away).is_ok() {
        let _ = fs::remove_dir_all(away);
    }
}
