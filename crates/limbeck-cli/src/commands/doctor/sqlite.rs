//! What can be wrong with an SQLite database: its file, where that is, and how it is written.

use std::path::{Path, PathBuf};

use limbeck::engine::{Connection, Engine};
use limbeck_migrate::revision::History;

use super::report::Report;

/// File systems over a network, on which SQLite's locks cannot be relied on and WAL does not work.
const NETWORK: &[&str] = &["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs", "afs"];

/// What is used of SQLite came with 3.35: RETURNING, and ALTER TABLE … DROP COLUMN.
const OLDEST: (u32, u32) = (3, 35);

/// The file of an SQLite URL, if it is one and has one.
pub(super) fn file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next()?;
    (!path.is_empty() && !path.ends_with(":memory:")).then(|| PathBuf::from(path.replace("%20", " ")))
}

/// Looks at the file; whether there is one.
pub(super) fn is_there(report: &mut Report, path: &Path, history: Option<&History>) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !path.exists() {
        if !folder.is_dir() {
            let advice = format!("make it: mkdir -p {}", folder.display());
            report.fail("file", format!("there is no folder {}", folder.display()), advice);
        } else if history.is_some_and(|history| !history.revisions().is_empty()) {
            report.behind("file", "there is no database yet", "`limbeck upgrade` makes it");
        } else {
            report.warn("file", "there is no database yet", "it is made when it is first opened");
        }
        return false;
    }
    permissions(report, path, folder);
    if let Some(system) = network(path) {
        report.fail(
            "file system",
            format!("the file is on a network file system ({system})"),
            "put it on a local disk: there its locks and its WAL can be relied on",
        );
    }
    true
}

fn permissions(report: &mut Report, path: &Path, folder: &Path) {
    let read_only = std::fs::metadata(folder).is_ok_and(|folder| folder.permissions().readonly());
    match std::fs::OpenOptions::new().read(true).append(true).open(path) {
        Err(error) => {
            report.fail("file", format!("it cannot be written: {error}"), "let the user of the program own the file");
        }
        Ok(_) if read_only => report.fail(
            "file",
            format!("the folder {} cannot be written", folder.display()),
            "SQLite keeps the files -wal and -shm beside the database: let the user of the program own the folder",
        ),
        Ok(file) if all_may_write(&file) => {
            report.warn("file", "everybody on this machine may write it", format!("chmod o-w {}", path.display()));
        }
        Ok(_) => report.ok("file", "it can be read and written"),
    }
}

#[cfg(unix)]
fn all_may_write(file: &std::fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|file| file.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn all_may_write(_: &std::fs::File) -> bool {
    false
}

/// The kind of file system that a file is on, where it is one over a network and that can be seen.
fn network(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    network_in(&mounts, &path)
}

fn network_in(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let mut words = line.split(' ').skip(1);
        Some((PathBuf::from(words.next()?.replace("\\040", " ")), words.next()?.to_string()))
    };
    let (_, system) = mounts
        .lines()
        .filter_map(mount)
        .filter(|(folder, _)| path.starts_with(folder))
        .max_by_key(|(folder, _)| folder.components().count())?;
    NETWORK.contains(&system.as_str()).then_some(system)
}

/// Looks at the database itself.
pub(super) async fn examine(report: &mut Report, engine: &Engine) {
    if let Err(error) = look(report, engine).await {
        report.fail(
            "database",
            error.to_string(),
            "is it an SQLite database, and whole? `PRAGMA integrity_check` says",
        );
    }
}

async fn look(report: &mut Report, engine: &Engine) -> limbeck::Result<()> {
    let mut connection = engine.connect().await?;
    let version = text(&mut connection, "SELECT sqlite_version()").await?;
    let mut numbers = version.split('.').filter_map(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if (major, minor) < OLDEST {
        report.fail("version", format!("SQLite {version}"), format!("{}.{} is the oldest", OLDEST.0, OLDEST.1));
    } else {
        report.ok("version", format!("SQLite {version}"));
    }
    match text(&mut connection, "PRAGMA journal_mode").await?.as_str() {
        "wal" => report.ok("journal", "WAL: readers do not wait for the writer"),
        "memory" => report.ok("journal", "in memory, as the database is"),
        other => report.ok_but(
            "journal",
            format!("{other}: readers and the writer wait for each other"),
            "limbeck turns it to WAL when it opens the file for writing; what else opens it should do so as well",
        ),
    }
    let keys: Vec<(i64,)> = connection.fetch_raw("PRAGMA foreign_keys", &[]).await?;
    if keys.first().is_some_and(|row| row.0 == 1) {
        report.ok("foreign keys", "SQLite follows them on limbeck's connections; other programs have to ask for it");
    } else {
        report.fail("foreign keys", "SQLite does not follow them", "this SQLite is built without foreign keys");
    }
    let dangling: Vec<(String, String)> = connection
        .fetch_raw("SELECT DISTINCT \"table\", parent FROM pragma_foreign_key_check LIMIT 5", &[])
        .await
        .unwrap_or_default();
    if !dangling.is_empty() {
        let pairs: Vec<String> = dangling.iter().map(|(table, parent)| format!("{table} → {parent}")).collect();
        report.warn(
            "rows",
            format!("there are rows that refer to rows which are not there: {}", pairs.join(", ")),
            "`PRAGMA foreign_key_check` lists them; a revision that makes such a table anew keeps them",
        );
    }
    match text(&mut connection, "PRAGMA encoding").await?.as_str() {
        "UTF-8" => report.ok("encoding", "UTF-8"),
        other => report.warn("encoding", other, "texts are converted on every read; a new database is UTF-8"),
    }
    report.ok(
        "busy timeout",
        "a connection waits 5 s for the lock of another writer, unless the program says `busy_timeout`",
    );
    Ok(())
}

async fn text(connection: &mut Connection, sql: &str) -> limbeck::Result<String> {
    let rows: Vec<(String,)> = connection.fetch_raw(sql, &[]).await?;
    Ok(rows.into_iter().next().map(|row| row.0).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_on_the_nearest_mount_above_it() {
        let mounts =
            "/dev/sda1 / ext4 rw 0 0\nhost:/x /srv/data nfs4 rw 0 0\n/dev/sdb /srv/data/local\\040disk xfs rw 0 0\n";
        let of = |path: &str| network_in(mounts, Path::new(path));
        assert_eq!(of("/srv/data/app.db").as_deref(), Some("nfs4"));
        assert_eq!(of("/srv/data/local disk/app.db"), None);
        assert_eq!(of("/home/app.db"), None);
    }

    #[test]
    fn the_file_of_a_url() {
        assert_eq!(file("sqlite://a%20b.db?mode=rwc"), Some(PathBuf::from("a b.db")));
        assert_eq!(file("sqlite:///var/a.db"), Some(PathBuf::from("/var/a.db")));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://a/b"), None);
    }
}
