//! A database for each test.

use limbeck::testing::{self, TestDatabase};
use limbeck_migrate::Migrator;

/// A new database with all revisions applied: a SQLite file, or one on the PostgreSQL server that
/// `SERVICE_TEST_DATABASE=postgres://…` names.
pub async fn database() -> TestDatabase {
    let url = std::env::var("SERVICE_TEST_DATABASE").unwrap_or_else(|_| "sqlite://service.db".into());
    let migrated = testing::database(&url, async |engine| {
        Migrator::embedded(&service::MIGRATIONS)?.upgrade(engine, "head").await?;
        Ok::<(), limbeck_migrate::Error>(())
    });
    migrated.await.expect("a database for the test")
}
