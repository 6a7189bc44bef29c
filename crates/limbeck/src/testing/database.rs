//! A database for one test.
//!
//! On PostgreSQL its tables are made once for a test binary, in a template that every test's database is a copy of. The
//! template's name holds the binary's path and time, so that a new build makes a new one. A database that is in use is
//! known by an advisory lock on its name, which ends with the connection that holds it: what a killed run has left is
//! not locked, and is dropped by whoever comes next.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hasher;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rustc_hash::FxHasher;

use super::StatementLog;
use crate::engine::{Connection, Engine};
use crate::error::{Error, Result};
use crate::session::SessionMaker;

/// How the names of tests' databases, and of templates, begin.
const PREFIX: &str = "limbeck_test_";
const TEMPLATE: &str = "limbeck_template_";

/// The first halves of the keys of advisory locks.
const IN_USE: i32 = 0x6c69_6d01;
const BEING_MADE: i32 = 0x6c69_6d02;

/// A database that is dropped with this value, also after a panic.
///
/// It belongs to the tokio runtime in which it was made.
pub struct TestDatabase {
    engine: Engine,
    url: String,
    log: StatementLog,
    home: Home,
}

enum Home {
    /// Gone with its engine.
    Memory,
    Folder(PathBuf),
    Server {
        /// The URL of the database that was given.
        maintenance: String,
        name: String,
        /// Holds the lock that says that the database is in use.
        _in_use: Box<Connection>,
    },
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl TestDatabase {
    /// An engine on it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its URL, for an engine of your own.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sessions on it.
    pub fn sessions(&self) -> SessionMaker {
        self.engine.sessionmaker()
    }

    /// What [`engine`](Self::engine) has sent since `setup`.
    pub fn log(&self) -> &StatementLog {
        &self.log
    }
}

/// Makes a database for one test, on the server of a URL, and dropped at its end.
///
/// * `postgres://user:password@host/app`: a new database on that server, where the user may make some. `app` is not
///   touched. `setup` runs once for each test binary, in a template that is copied from then on.
/// * `sqlite::memory:`: a database in memory; `sqlite://anything`: a file in a temporary folder. `setup` runs each
///   time.
///
/// `setup` makes the tables: by `create_all`, or by running the migrations, whose error type then is that of the whole
/// (any that a limbeck [`Error`] can become). A place in the source that calls this has
/// one setup; where tests share a function that calls it, they share the template.
///
/// ```
/// use limbeck::prelude::*;
/// use limbeck::testing::{self, TestDatabase};
///
/// #[derive(Model)]
/// struct Tag { #[column(primary_key)] id: i64, #[column(unique)] name: String }
///
/// async fn database() -> limbeck::Result<TestDatabase> {
///     let url = std::env::var("BLOG_TEST_DATABASE").unwrap_or_else(|_| "sqlite::memory:".into());
///     testing::database(&url, async |engine| engine.create_all(&limbeck::metadata![Tag]?).await).await
/// }
///
/// #[tokio::main(flavor = "current_thread")] // in a test: #[tokio::test]
/// async fn main() -> limbeck::Result<()> {
///     let database = database().await?;
///     let mut session = database.sessions().open();
///     session.add(Tag::builder().name("rust"));
///     session.commit().await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
/// When the database cannot be made, and what `setup` fails with.
#[track_caller]
pub fn database<F, E>(url: &str, setup: F) -> impl Future<Output = Result<TestDatabase, E>>
where
    F: AsyncFnOnce(&Engine) -> Result<(), E>,
    E: From<Error>,
{
    let place = Location::caller();
    async move {
        if url.starts_with("sqlite:") {
            return in_file(url, setup).await;
        }
        let server = Engine::builder(url).pool_size(0).connect().await?;
        sweep(&server).await?;
        let template = template(&server, url, place, setup).await?;
        let (name, in_use) = unused(&server).await?;
        on_server(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        let home = Home::Server { maintenance: url.to_string(), name: name.clone(), _in_use: Box::new(in_use) };
        Ok(opened(with_database(url, &name), home).await?)
    }
}

/// From here on, the database is dropped whatever happens.
async fn opened(url: String, home: Home) -> Result<TestDatabase> {
    let log = StatementLog::new();
    let dropped = Dropped(Some(home));
    let engine = Engine::builder(&url).echo_to(log.sink()).connect().await?;
    Ok(TestDatabase { engine, url, log, home: dropped.keep() })
}

async fn in_file<E: From<Error>>(
    url: &str,
    setup: impl AsyncFnOnce(&Engine) -> Result<(), E>,
) -> Result<TestDatabase, E> {
    let (url, home) = if url.contains(":memory:") {
        (url.to_string(), Home::Memory)
    } else {
        let folder = std::env::temp_dir().join(unique());
        sweep_folders();
        std::fs::create_dir_all(&folder).map_err(|e| unusable(&folder, &e))?;
        // A space or a percent sign in the path of the temporary folder would mean something in a URL.
        let path = folder.join("test.db").display().to_string().replace('%', "%25").replace('?', "%3F");
        (format!("sqlite://{path}"), Home::Folder(folder))
    };
    let database = opened(url, home).await?;
    setup(&database.engine).await?;
    database.log.take();
    Ok(database)
}

// ---------------------------------------------------------------------------------- on a server

/// The template of a place in the source, made if this is the first to need it.
async fn template<E: From<Error>>(
    server: &Engine,
    url: &str,
    place: &'static Location<'static>,
    setup: impl AsyncFnOnce(&Engine) -> Result<(), E>,
) -> Result<String, E> {
    let (family, name) = template_name(place);
    let mut connection = server.connect().await?;
    connection.close_on_return();
    let lock = format!("{BEING_MADE}, {}", key(&family));
    connection.execute_raw(&format!("SELECT pg_advisory_lock({lock})")).await?;
    if !names(&mut connection, &name).await?.is_empty() {
        return Ok(name);
    }
    for old in names(&mut connection, &format!("{family}%")).await? {
        // Of an earlier build, which may be running still.
        let _ = connection.execute_raw(&format!("DROP DATABASE IF EXISTS {old}")).await;
    }
    let (unfinished, in_use) = unused(server).await?;
    on_server(server, &format!("CREATE DATABASE {unfinished}")).await?;
    let home = Home::Server { maintenance: url.to_string(), name: unfinished.clone(), _in_use: Box::new(in_use) };
    let database = opened(with_database(url, &unfinished), home).await?;
    setup(&database.engine).await?;
    database.engine.close().await;
    // The server waits some seconds for the connections to be gone.
    on_server(server, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await?;
    Ok(name)
}

/// What the templates of a place are called, and the one of this build.
fn template_name(place: &'static Location<'static>) -> (String, String) {
    let binary = std::env::current_exe().unwrap_or_default();
    let family =
        hash(&[&binary.to_string_lossy(), place.file(), &place.line().to_string(), &place.column().to_string()]);
    let built = std::fs::metadata(&binary).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let built = built.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let family = format!("{TEMPLATE}{family:016x}_");
    let name = format!("{family}{:016x}", hash(&[&built.to_string()]));
    (family, name)
}

/// A name that no database has, and a connection that keeps it so.
async fn unused(server: &Engine) -> Result<(String, Connection)> {
    let name = unique();
    let mut connection = server.connect().await?;
    connection.close_on_return();
    connection.execute_raw(&format!("SELECT pg_advisory_lock({IN_USE}, {})", key(&name))).await?;
    Ok((name, connection))
}

/// Drops what killed runs have left, once for a server and process.
async fn sweep(server: &Engine) -> Result<()> {
    static SWEPT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if !SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(server.url().to_string()) {
        return Ok(());
    }
    let mut connection = server.connect().await?;
    connection.close_on_return();
    for name in names(&mut connection, &format!("{PREFIX}%")).await? {
        let lock = format!("{IN_USE}, {}", key(&name));
        let free: Vec<bool> = connection.fetch_raw(&format!("SELECT pg_try_advisory_lock({lock})"), &[]).await?;
        if free == [true] {
            // Another run may be sweeping as well.
            let _ = connection.execute_raw(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            connection.execute_raw(&format!("SELECT pg_advisory_unlock({lock})")).await?;
        }
    }
    Ok(())
}

/// The databases whose names are like this. They are ours, so they need no quotes.
async fn names(connection: &mut Connection, like: &str) -> Result<Vec<String>> {
    let like = like.replace('_', "\\_");
    let sql = format!("SELECT datname::text FROM pg_database WHERE datname LIKE '{like}'");
    let names: Vec<String> = connection.fetch_raw(&sql, &[]).await?;
    let ours = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Ok(names.into_iter().filter(ours).collect())
}

async fn on_server(server: &Engine, sql: &str) -> Result<()> {
    let mut connection = server.connect().await?;
    connection.execute_raw(sql).await.map(drop)
}

/// The second half of an advisory lock's key.
fn key(name: &str) -> i32 {
    hash(&[name]) as i32
}

/// The same in every process of a build, and in others' as well as far as anybody depends on it.
fn hash(parts: &[&str]) -> u64 {
    let mut hasher = FxHasher::default();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0);
    }
    hasher.finish()
}

/// A name for one database.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    format!("{PREFIX}{}_{now:x}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The URL of another database on the same server.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &base[..end])
}

// -------------------------------------------------------------------------------------- the end

/// Drops a database that nobody has got.
struct Dropped(Option<Home>);

impl Dropped {
    fn keep(mut self) -> Home {
        self.0.take().unwrap_or(Home::Memory)
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some(home) = &self.0 {
            home.remove();
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.home.remove();
    }
}

impl Home {
    fn remove(&self) {
        match self {
            Home::Memory => {}
            Home::Folder(folder) => {
                let _ = std::fs::remove_dir_all(folder);
            }
            Home::Server { maintenance, name, .. } => {
                let (url, sql) = (maintenance.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
                // The runtime of the test cannot be waited for here, and may be about to end.
                let thread = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .map_err(|e| Error::Config(format!("no runtime to drop the database in: {e}")))?;
                    runtime.block_on(async { on_server(&Engine::builder(url).connect().await?, &sql).await })
                });
                if let Ok(Err(error)) = thread.join() {
                    tracing::warn!(target: "limbeck::testing", %error, database = name, "a test's database stays");
                }
            }
        }
    }
}

/// Removes the folders of processes that are gone, where the system shows which are.
fn sweep_folders() {
    static SWEPT: AtomicBool = AtomicBool::new(false);
    if SWEPT.swap(true, Ordering::Relaxed) || !Path::new("/proc/self").exists() {
        return;
    }
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let Some(process) = rest.split('_').next().filter(|id| id.parse::<u32>().is_ok()) else { continue };
        if !Path::new("/proc").join(process).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cold]
fn unusable(folder: &Path, error: &std::io::Error) -> Error {
    Error::Config(format!("the folder {} for a test's database cannot be made: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_led_to_another_database() {
        for (url, expected) in [
            ("postgres://ann:pw@db:5432/app", "postgres://ann:pw@db:5432/x"),
            ("postgres://db/app?sslmode=require", "postgres://db/x?sslmode=require"),
            ("postgres://db", "postgres://db/x"),
            ("postgres://db?host=/run/postgresql", "postgres://db/x?host=/run/postgresql"),
        ] {
            assert_eq!(with_database(url, "x"), expected);
        }
    }

    #[test]
    fn names_fit_into_what_postgres_keeps_of_them() {
        let (family, name) = template_name(Location::caller());
        assert!(name.starts_with(&family) && name.len() <= 63, "{name}");
        assert!(unique().len() <= 63);
        assert_ne!(unique(), unique());
    }
}
