//! Where PostgreSQL's programs are, and as whom they run.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder of `initdb`, `pg_ctl` and `psql`: on the PATH, else the newest version that Debian installed (it
/// keeps them off the PATH).
pub(crate) fn folder() -> PathBuf {
    let on_path = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    on_path.filter(|folder| is_complete(folder)).chain(installed()).next().unwrap_or_else(|| {
        panic!(
            "PostgreSQL is needed for this test: no folder of PATH and no /usr/lib/postgresql/*/bin has initdb, pg_ctl \
             and psql. `scripts/setup` installs it; LIMBECK_TEST_DATABASES=sqlite leaves out the tests that need it"
        )
    })
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
}

fn installed() -> impl Iterator<Item = PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| is_complete(folder))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder)
}

/// A user of the system, by number.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// Who has to run the server, when it may not be ourselves: PostgreSQL refuses to run as root.
pub(crate) fn account() -> Option<Account> {
    if fs::metadata("/proc/self").map_or(1, |me| me.uid()) != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = ["postgres", "nobody"].iter().find_map(|name| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|n| n.parse().ok());
        Some(Account { user: numbers.next()??, group: numbers.next()?? })
    });
    Some(found.expect("root cannot run PostgreSQL, and /etc/passwd has neither a user `postgres` nor `nobody`"))
}

/// A command that runs as [`account`], in a folder that this user may enter.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(account) = account() {
        command.uid(account.user).gid(account.group);
    }
    command
}
