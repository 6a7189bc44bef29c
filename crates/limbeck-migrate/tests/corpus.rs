//! Schemas of real projects: read, compared with themselves, changed and changed back.
//!
//! `LIMBECK_CORPUS` names their folder; they are other people's works, and not part of this repository.

mod support;

use std::path::PathBuf;

use limbeck::dialect::Dialect;
use limbeck::schema::Metadata;
use limbeck_migrate::revision::RevisionFile;
use limbeck_test_support::{Kind, TestDb};
use support::{Project, sorted};

fn corpus(folder: &str) -> Vec<PathBuf> {
    let Some(root) = std::env::var_os("LIMBECK_CORPUS") else {
        eprintln!("left out: LIMBECK_CORPUS is not set");
        return Vec::new();
    };
    let entries = std::fs::read_dir(PathBuf::from(root).join(folder)).expect("LIMBECK_CORPUS names a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "sql")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The statements of a file, by our own splitter, without those that are for a shell or a transaction.
fn statements(dialect: Dialect, file: &std::path::Path) -> Vec<String> {
    let sql = std::fs::read_to_string(file).unwrap();
    let source = format!("-- x\n-- limbeck: revision=aaaa\n-- limbeck: upgrade\n{sql}");
    let parsed =
        RevisionFile::parse(dialect, "x.sql", &source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let word = |sql: &str| sql.split_whitespace().next().unwrap_or_default().to_uppercase();
    let wanted = |sql: &String| !matches!(word(sql).as_str(), "BEGIN" | "COMMIT" | "PRAGMA") && !sql.starts_with('\\');
    parsed.upgrade.statements.into_iter().map(|statement| statement.sql).filter(wanted).collect()
}

/// Loads a schema as far as this server can: an extension may be missing, with what needs it.
async fn load(project: &Project, file: &std::path::Path) -> usize {
    let mut connection = project.engine.connect().await.unwrap();
    let mut failed = 0;
    for statement in statements(project.dialect(), file) {
        failed += usize::from(connection.execute_raw(&statement).await.is_err());
    }
    // A dump sets its session up, and other sessions are not meant.
    connection.close_on_return();
    failed
}

#[tokio::test]
async fn a_schema_does_not_differ_from_itself() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for file in corpus(kind.scheme()) {
            let Some(db) = TestDb::of(kind) else { continue };
            let project = Project::new(db).await;
            let failed = load(&project, &file).await;
            let tables = project.schema().await;
            let count = tables.len();
            let ops = project.ops(&Metadata::new(tables)).await;
            assert_eq!(ops, [], "{}", file.display());
            println!("{}: {count} tables, {failed} statements failed", file.display());
        }
    }
}

/// Every table of every SQLite schema is rebuilt for one column, keeps all else, and comes back.
#[tokio::test]
async fn every_sqlite_table_can_be_rebuilt_and_comes_back() {
    for file in corpus("sqlite") {
        let project = Project::new(TestDb::sqlite()).await;
        load(&project, &file).await;
        let before = project.schema().await;
        let mut wanted = before.clone();
        let mut changed = 0;
        for table in &mut wanted {
            let key = table.primary_key.clone().map(|key| key.columns).unwrap_or_default();
            if let Some(column) = table.columns.iter_mut().find(|c| !key.contains(&c.name)) {
                column.nullable = !column.nullable;
                changed += 1;
            }
        }
        let wanted = Metadata::new(wanted);
        let plan = project.autogenerate("Change all", &wanted).await.unwrap();
        assert_eq!(plan.upgrade.len(), changed);
        project.upgrade().await;
        assert_eq!(project.ops(&wanted).await, [], "{}", file.display());
        project.downgrade("base").await;
        assert_eq!(sorted(project.schema().await), sorted(before), "{}", file.display());
    }
}

/// Whole schemas go, and the way back makes them as they were.
#[tokio::test]
async fn a_schema_can_go_and_come_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for file in corpus(kind.scheme()) {
            let Some(db) = TestDb::of(kind) else { continue };
            // On PostgreSQL those that are tables, indexes and keys alone: no views or functions on them, no types.
            const PLAIN: [&str; 6] = ["chinook", "ejabberd", "freeradius", "powerdns", "roundcube", "vaultwarden"];
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if kind == Kind::Postgres && !PLAIN.contains(&name.as_str()) {
                continue;
            }
            let project = Project::new(db).await;
            let sql: String = statements(project.dialect(), &file)
                .iter()
                .map(|sql| format!("{}{sql}{}\n", FENCE.0, FENCE.1))
                .collect();
            project.write("Load", &sql, "");
            project.upgrade().await;
            let before = project.schema().await;
            project.autogenerate("Drop all", &Metadata::default()).await.unwrap();
            project.upgrade().await;
            assert_eq!(project.schema().await, [], "{name}");
            project.downgrade("-1").await;
            assert_eq!(sorted(project.schema().await), sorted(before), "{kind:?} {name}");
        }
    }
}

const FENCE: (&str, &str) = ("-- limbeck: begin\n", "\n-- limbeck: end");

/// Pairs of schemas with one change between them: the new one, read back, is what the models say.
#[tokio::test]
async fn one_change_is_found_made_and_taken_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(root) = std::env::var_os("LIMBECK_CORPUS") else { return };
        let folder = PathBuf::from(root).join("single-change").join(kind.scheme());
        let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.sort();
        let mut unseen = Vec::new();
        for case in cases {
            let (Some(old), Some(new)) = (TestDb::of(kind), TestDb::of(kind)) else { continue };
            let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let new = Project::new(new).await;
            assert_eq!(load(&new, &case.join("new.sql")).await, 0, "{name}");
            let wanted = Metadata::new(new.schema().await);
            let project = Project::new(old).await;
            let sql = std::fs::read_to_string(case.join("old.sql")).unwrap();
            project.write("Load", &sql, "");
            project.upgrade().await;
            let before = project.schema().await;
            let Some(plan) = project.autogenerate("Change", &wanted).await else {
                unseen.push(name);
                continue;
            };
            project.upgrade().await;
            assert_eq!(project.ops(&wanted).await, [], "{name}: {plan:#?}");
            project.downgrade("-1").await;
            assert_eq!(sorted(project.schema().await), sorted(before), "{name}: {plan:#?}");
        }
        println!("{kind:?}: models cannot say, so nothing compares: {}", unseen.join(", "));
    }
}
