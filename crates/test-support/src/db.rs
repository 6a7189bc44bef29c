//! One test on every database.

use std::env;
use std::path::Path;

use crate::folder::TempFolder;
use crate::postgres::{Database, Postgres};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Kind {
    /// The scheme of its URLs: `sqlite`, `postgres`.
    pub fn scheme(self) -> &'static str {
        match self {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
        }
    }
}

/// An empty database for one test, removed when this is dropped.
#[derive(Debug)]
pub struct TestDb(Home);

#[derive(Debug)]
enum Home {
    Sqlite { url: String, folder: TempFolder },
    Postgres(Database),
}

impl TestDb {
    /// A new SQLite file, in a folder of its own since it makes a WAL beside it.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn sqlite() -> TestDb {
        let (folder, url) = temp_sqlite();
        TestDb(Home::Sqlite { url, folder })
    }

    /// A new database of the shared server.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, does not start or does not make it.
    pub fn postgres() -> TestDb {
        TestDb(Home::Postgres(Postgres::shared().database()))
    }

    /// A new database of this kind; `None`, with a note on standard error, when `LIMBECK_TEST_DATABASES` leaves
    /// that kind out.
    ///
    /// # Panics
    /// As [`TestDb::sqlite`] and [`TestDb::postgres`] do.
    pub fn of(kind: Kind) -> Option<TestDb> {
        if !is_wanted(kind, env::var("LIMBECK_TEST_DATABASES").ok().as_deref()) {
            eprintln!("left out: LIMBECK_TEST_DATABASES does not name {}", kind.scheme());
            return None;
        }
        Some(match kind {
            Kind::Sqlite => TestDb::sqlite(),
            Kind::Postgres => TestDb::postgres(),
        })
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        match self.0 {
            Home::Sqlite { .. } => Kind::Sqlite,
            Home::Postgres(_) => Kind::Postgres,
        }
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.kind() == Kind::Postgres
    }

    /// Its URL, as an engine takes it.
    pub fn url(&self) -> &str {
        match &self.0 {
            Home::Sqlite { url, .. } => url,
            Home::Postgres(database) => database.url(),
        }
    }

    /// SQLite: the folder of its file, for a test that wants another file beside it.
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Home::Sqlite { folder, .. } => Some(folder.path()),
            Home::Postgres(_) => None,
        }
    }
}

fn is_wanted(kind: Kind, databases: Option<&str>) -> bool {
    databases.is_none_or(|list| list.split(',').any(|name| name.trim() == kind.scheme()))
}

/// A folder that removes itself and the URL of a SQLite file in it, which does not exist yet.
///
/// # Panics
/// When the folder cannot be made.
pub fn temp_sqlite() -> (TempFolder, String) {
    let folder = TempFolder::new();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    (folder, url)
}

/// What a test returns that is left out. Used by [`both!`](crate::both).
#[doc(hidden)]
pub trait Skipped {
    fn skipped() -> Self;
}

impl Skipped for () {
    fn skipped() {}
}

impl<E> Skipped for Result<(), E> {
    fn skipped() -> Self {
        Ok(())
    }
}

/// Makes of each async function a test on SQLite and one on PostgreSQL: a module of the function's name with
/// the tests `sqlite` and `postgres`.
///
/// The function takes a [`TestDb`] by value and returns `()` or a `Result<(), E>`. `#[multi_thread]` before it,
/// and before its documentation, runs the tests on a runtime of two threads. The crate that uses this has tokio, with `macros` and `rt`, among its
/// dependencies.
#[macro_export]
macro_rules! both {
    () => {};
    (#[multi_thread] $($rest:tt)*) => {
        $crate::both! { @test (flavor = "multi_thread", worker_threads = 2) $($rest)* }
    };
    (@test ($($flavor:tt)*) $(#[$meta:meta])* async fn $name:ident($($db:tt)+) $(-> $output:ty)? $body:block $($rest:tt)*) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($($db)+) $(-> $output)? $body

            #[::tokio::test($($flavor)*)]
            async fn sqlite() $(-> $output)? {
                $crate::both!(@run body, Sqlite)
            }

            #[::tokio::test($($flavor)*)]
            async fn postgres() $(-> $output)? {
                $crate::both!(@run body, Postgres)
            }
        }
        $crate::both! { $($rest)* }
    };
    (@run $body:ident, $kind:ident) => {
        match $crate::TestDb::of($crate::Kind::$kind) {
            Some(db) => $body(db).await,
            None => $crate::Skipped::skipped(),
        }
    };
    ($($rest:tt)+) => {
        $crate::both! { @test () $($rest)+ }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_the_databases_that_are_tested() {
        assert!(is_wanted(Kind::Postgres, None));
        assert!(!is_wanted(Kind::Postgres, Some("sqlite")));
        assert!(is_wanted(Kind::Postgres, Some("sqlite, postgres")));
        assert!(!is_wanted(Kind::Sqlite, Some("postgres")));
    }
}
