//! Throwaway databases for limbeck's own tests.
//!
//! ```
//! use limbeck_test_support::{TestDb, both};
//!
//! both! {
//!     async fn a_new_database_is_empty(db: TestDb) {
//!         assert!(db.url().starts_with(db.kind().scheme()));
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! makes two tests, `a_new_database_is_empty::sqlite` and `a_new_database_is_empty::postgres`, each with a
//! database of its own that is gone when the test ends.
//!
//! # How PostgreSQL is shared
//!
//! Under cargo-nextest each test is a process, so that a server per process would mean hundreds of them. One
//! server is therefore shared by all tests of a run: all processes with the same parent. It is started by the
//! first that asks, found by the others through a directory in the system's temporary folder, and stopped and
//! removed a few seconds after the last has gone, by a small shell script (`keeper.sh`). The script learns of
//! it by end-of-file on a named pipe that all hold open, so a test that panics or is killed leaves nothing. There
//! is no lock to be left behind: making the directory is what decides who starts the server, renaming it what
//! decides that it is over.
//!
//! A test that stops, kills or configures a server asks for [`Postgres::own`].
//!
//! # Without PostgreSQL
//!
//! Tests fail, and say that `scripts/setup` installs it. `LIMBECK_TEST_DATABASES=sqlite` leaves those tests
//! out that [`both!`] makes for PostgreSQL; they print that they did.
//!
//! Everything here panics when a database cannot be had: it is for tests, and that is how a test fails.

mod binaries;
mod db;
mod folder;
mod keeper;
mod postgres;
mod shared;

pub use db::{Kind, Skipped, TestDb, temp_sqlite};
pub use folder::TempFolder;
pub use postgres::{Database, Postgres};
