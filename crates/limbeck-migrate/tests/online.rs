//! Steps outside of a transaction, and tables that others have locked.

mod support;

use std::time::{Duration, Instant};

use limbeck::engine::Engine;
use limbeck_migrate::Error;
use limbeck_migrate::revision::{content_hash, repair_folder};
use limbeck_test_support::{Kind, TestDb};
use support::Project;

const TABLE: &str = "CREATE TABLE a (id INTEGER NOT NULL, name TEXT);";
const INDEX: &str = "-- limbeck: transaction=none\nCREATE UNIQUE INDEX CONCURRENTLY ix_a_name ON a (name);";
const NO_INDEX: &str = "-- limbeck: transaction=none\nDROP INDEX CONCURRENTLY ix_a_name;";

async fn postgres() -> Option<Project> {
    Some(Project::new(TestDb::of(Kind::Postgres)?).await)
}

/// Replaces a text in the file that has it, as somebody who mends it.
fn edit(project: &Project, from: &str, to: &str) {
    let files = std::fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "sql")) {
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }
    repair_folder(project.path()).unwrap();
}

async fn execute(project: &Project, sql: &str) {
    project.engine.connect().await.unwrap().execute_raw(sql).await.unwrap();
}

async fn is_valid(project: &Project, index: &str) -> Option<bool> {
    let sql = format!("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{index}')");
    let rows: Vec<(bool,)> = project.engine.connect().await.unwrap().fetch_raw(&sql, &[]).await.unwrap();
    rows.first().map(|row| row.0)
}

#[tokio::test]
async fn an_index_is_built_without_a_transaction_and_dropped_so() {
    let Some(project) = postgres().await else { return };
    let up = format!("{TABLE}\n{INDEX}\nINSERT INTO a (id) VALUES (1);");
    project.write("All", &up, &format!("{NO_INDEX}\nDROP TABLE a;"));
    project.upgrade().await;
    assert_eq!(is_valid(&project, "ix_a_name").await, Some(true));
    assert_eq!(project.count("limbeck_statement").await, 0, "the journal is for runs that have not ended");
    assert_eq!(project.schema().await.len(), 1, "and no table of the schema");
    project.downgrade("base").await;
    assert_eq!(project.schema().await, []);
    assert_eq!(project.count("limbeck_statement").await, 0);
}

#[tokio::test]
async fn an_invalid_index_of_a_failed_run_is_built_anew() {
    let Some(project) = postgres().await else { return };
    project.write("Table", &format!("{TABLE}\nINSERT INTO a VALUES (1, 'x'), (2, 'x');"), "DROP TABLE a;");
    let up = format!("CREATE TABLE b (id INTEGER);\n{INDEX}");
    project.write("Index", &up, &format!("{NO_INDEX}\nDROP TABLE b;"));
    let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err();
    let Error::Statement { kept, sql, .. } = &error else { panic!("{error}") };
    assert_eq!(*kept, 1, "{error}");
    assert!(sql.starts_with("CREATE UNIQUE INDEX"), "{error}");
    assert!(error.to_string().contains("1 statement(s) of this revision were applied and stay"), "{error}");
    assert_eq!(is_valid(&project, "ix_a_name").await, Some(false), "the server leaves it");
    assert_eq!(project.migrator().pending(&project.engine).await.unwrap().len(), 1);

    execute(&project, "DELETE FROM a WHERE id = 2").await;
    project.upgrade().await;
    assert_eq!(is_valid(&project, "ix_a_name").await, Some(true));
}

#[tokio::test]
async fn a_statement_that_the_server_refused_may_be_edited() {
    let Some(project) = postgres().await else { return };
    project.write("Table", &format!("{TABLE}\nINSERT INTO a VALUES (1, 'x'), (2, 'x');"), "DROP TABLE a;");
    project.write("Index", INDEX, NO_INDEX);
    let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err();
    assert!(matches!(error, Error::Statement { kept: 0, .. }), "{error}");
    edit(&project, "CREATE UNIQUE INDEX", "CREATE INDEX");
    project.upgrade().await;
    assert_eq!(is_valid(&project, "ix_a_name").await, Some(true));
}

/// The run was killed between a statement and the note that it is done.
#[tokio::test]
async fn a_statement_that_was_not_seen_to_end_is_looked_up_in_the_catalog() {
    let Some(project) = postgres().await else { return };
    let up = format!(
        "{TABLE}\nCREATE TYPE mood AS ENUM ('sad');\n{INDEX}\n-- limbeck: transaction=none\nALTER TYPE mood ADD VALUE \
         'glad';\nINSERT INTO a VALUES (3, 'glad'::mood::text);"
    );
    let id = project.write("All", &up, "DROP TABLE a;\nDROP TYPE mood;");
    project.upgrade().await;
    let sections = project.history().revisions()[0].for_database(project.dialect()).unwrap().upgrade;
    execute(&project, "DELETE FROM limbeck_revision; DELETE FROM a").await;
    for (number, state) in [(0, "done"), (1, "done"), (2, "begun"), (3, "begun")] {
        let hash = content_hash(project.dialect(), &sections.statements[number].sql);
        let sql = format!("INSERT INTO limbeck_statement VALUES ('{id}', 'up', {number}, '{hash}', '{state}')");
        execute(&project, &sql).await;
    }
    project.upgrade().await;
    assert_eq!(project.count("a").await, 1, "only what was not done was run again");
    assert_eq!(project.count("limbeck_revision").await, 1);
}

#[tokio::test]
async fn what_was_applied_is_not_edited_and_what_was_not_may_be_mended() {
    let Some(project) = postgres().await else { return };
    let up = format!("{TABLE}\n{INDEX}\nINSERT INTO nowhere VALUES (1);");
    project.write("All", &up, &format!("{NO_INDEX}\nDROP TABLE a;"));
    let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err();
    assert!(matches!(error, Error::Statement { kept: 2, .. }), "{error}");

    edit(&project, "name TEXT", "name VARCHAR");
    let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err().to_string();
    assert!(error.contains("statement 1 was changed") && error.contains(".sql"), "{error}");

    edit(&project, "name VARCHAR", "name TEXT");
    edit(&project, "INTO nowhere VALUES (1)", "INTO a VALUES (1)");
    project.upgrade().await;
    assert_eq!(project.count("a").await, 1);
}

/// A run that waits for the run lock holds no snapshot, for which CREATE INDEX CONCURRENTLY would wait: with
/// `pg_advisory_lock` both would stand still.
#[tokio::test]
async fn of_twenty_runs_that_build_an_index_concurrently_one_does() {
    let Some(project) = postgres().await else { return };
    let rows = format!("{TABLE}\nINSERT INTO a SELECT g, g::text FROM generate_series(1, 20000) g;");
    project.write("Table", &rows, "DROP TABLE a;");
    project.write("Index", INDEX, NO_INDEX);
    let mut runs = Vec::new();
    for _ in 0..20 {
        let (migrator, url) = (project.migrator(), project.db.url().to_string());
        runs.push(tokio::spawn(async move {
            let engine = Engine::builder(url).pool_size(2).connect().await.unwrap();
            let applied = migrator.upgrade(&engine, "head").await.unwrap().len();
            engine.close().await;
            applied
        }));
    }
    let mut applied = 0;
    for run in runs {
        applied += run.await.unwrap();
    }
    assert_eq!(applied, 2);
    assert_eq!(is_valid(&project, "ix_a_name").await, Some(true));
}

#[tokio::test]
async fn a_locked_table_is_tried_again_without_making_others_wait() {
    let Some(project) = postgres().await else { return };
    project.write("Table", TABLE, "DROP TABLE a;");
    project.upgrade().await;
    project.write("Column", "ALTER TABLE a ADD COLUMN b INTEGER;", "ALTER TABLE a DROP COLUMN b;");
    let mut reader = project.engine.connect().await.unwrap();
    reader.begin().await.unwrap();
    reader.execute_raw("LOCK TABLE a IN ACCESS SHARE MODE").await.unwrap();

    let hasty = project.migrator().lock_timeout(Duration::from_millis(50)).wait(Duration::from_millis(400));
    let error = hasty.upgrade(&project.engine, "head").await.unwrap_err();
    assert_eq!(error.exit_code(), 4, "{error}");
    assert!(matches!(&error, Error::Statement { kept: 0, .. }), "{error}");

    let patient = project.migrator().lock_timeout(Duration::from_millis(100)).wait(Duration::from_secs(30));
    let engine = project.engine.clone();
    let waiting = tokio::spawn(async move { patient.upgrade(&engine, "head").await.map(|applied| applied.len()) });
    // Whoever queries the table meanwhile waits for one try, not for the reader's transaction.
    let mut other = project.engine.connect().await.unwrap();
    let start = Instant::now();
    let mut queries = 0;
    while start.elapsed() < Duration::from_millis(1_500) {
        let _: Vec<(i64,)> = other.fetch_raw("SELECT count(*) FROM a", &[]).await.unwrap();
        queries += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(queries > 3, "{queries} queries of others got through");
    assert!(!waiting.is_finished());
    reader.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn on_sqlite_vacuum_stands_outside_of_the_transaction() {
    let project = Project::new(TestDb::sqlite()).await;
    let vacuum = "-- limbeck: transaction=none\nVACUUM;\nINSERT INTO a VALUES (1, 'x');";
    project.write("All", &format!("{TABLE}\n{vacuum}"), "DROP TABLE a;");
    project.upgrade().await;
    assert_eq!(project.count("a").await, 1);
    project.downgrade("base").await;
    assert_eq!(project.schema().await, []);
}
