//! A folder that removes itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// A new, empty folder, removed with what is in it when this is dropped.
#[derive(Debug)]
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Makes one in the system's temporary folder.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::new_without_default, reason = "a folder on disk is not a default value")]
    pub fn new() -> TempFolder {
        let path = fresh_path("folder");
        fs::create_dir(&path).unwrap_or_else(|e| panic!("cannot make the folder {}: {e}", path.display()));
        TempFolder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A path in the temporary folder that no other process and no other call gets.
pub(crate) fn fresh_path(what: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    loop {
        // The clock tells a folder of a killed process with the same id from ours.
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |t| t.as_nanos() as u32);
        let path = env::temp_dir().join(format!("limbeck-{what}-{}-{number}-{now:08x}", process::id()));
        if !path.exists() {
            return path;
        }
    }
}
