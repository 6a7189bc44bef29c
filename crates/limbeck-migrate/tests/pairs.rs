//! Pairs of schemas with a change between them: `limbeck diff` finds it, what it writes makes it, and takes it back. What
//! is not managed is said by name, and nothing else is harmed by it.
//!
//! `LIMBECK_CORPUS` names their folder.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use limbeck::dialect::Dialect;
use limbeck::engine::Engine;
use limbeck_migrate::between::{Between, between};
use limbeck_migrate::render::render;
use limbeck_migrate::revision::{DraftStep, RevisionFile};
use limbeck_test_support::{Kind, TestDb};

/// The words by which a dump's statement is about something that is not managed.
const UNMANAGED: [&str; 14] = [
    "VIEW",
    "FUNCTION",
    "PROCEDURE",
    "AGGREGATE",
    "TRIGGER",
    "POLICY",
    "GRANT",
    "REVOKE",
    "PARTITION",
    "EXCLUDE",
    "RULE",
    "SECURITY",
    "INHERITS",
    "EXTENSION",
];

fn pairs(folder: &str) -> Vec<PathBuf> {
    let Some(root) = std::env::var_os("LIMBECK_CORPUS") else {
        eprintln!("left out: LIMBECK_CORPUS is not set");
        return Vec::new();
    };
    let entries = std::fs::read_dir(PathBuf::from(root).join(folder)).expect("LIMBECK_CORPUS names a folder");
    let mut pairs: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    pairs.sort();
    assert!(!pairs.is_empty());
    pairs
}

fn statements(dialect: Dialect, sql: &str) -> Vec<String> {
    let source = format!("-- x\n-- limbeck: revision=aaaa\n-- limbeck: upgrade\n{sql}");
    let parsed = RevisionFile::parse(dialect, "x.sql", &source).expect("statements");
    parsed.upgrade.statements.into_iter().map(|statement| statement.sql).collect()
}

/// Makes a schema; `Err` is what the server says that cannot load it.
async fn load(engine: &Engine, file: &Path) -> Result<(), String> {
    if !file.exists() {
        return Ok(());
    }
    let sql = std::fs::read_to_string(file).expect("a file of the corpus");
    let mut connection = engine.connect().await.expect("a connection");
    for statement in statements(engine.dialect(), &sql) {
        connection.execute_raw(&statement).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A schema as its own tools show it: its statements, without what is no matter of it.
async fn dump(db: &TestDb, engine: &Engine) -> Vec<String> {
    if db.is_postgres() {
        let program = "/usr/lib/postgresql/15/bin/pg_dump";
        let out = std::process::Command::new(program).args(["-s", "-O", "-x", db.url()]).output().expect("pg_dump");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('\\')).collect();
        let all = statements(Dialect::Postgres, &text.join("\n")).into_iter();
        return all.filter(|sql| !sql.starts_with("SET ") && !sql.starts_with("SELECT ")).collect();
    }
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name";
    let rows: Vec<(String,)> = engine.connect().await.expect("a connection").fetch_raw(sql, &[]).await.expect("rows");
    rows.into_iter().map(|(sql,)| sql).collect()
}

/// What two dumps are compared by: statements in any order, and their parts in any order, since columns may have another
/// place, and a constraint may stand with its column.
fn parts(db: &TestDb, dump: &[String]) -> BTreeSet<String> {
    let own = |sql: &&String| {
        let words: Vec<&str> = sql.split(|c: char| !c.is_alphanumeric()).collect();
        !UNMANAGED.iter().any(|word| words.contains(word))
    };
    let statement = |sql: &String| {
        if db.is_postgres() {
            let mut lines: Vec<&str> = sql.lines().map(|line| line.trim_end_matches(',')).collect();
            lines.sort_unstable();
            return lines.join("\n");
        }
        support::sqlite_words(sql)
    };
    dump.iter().filter(own).map(statement).collect()
}

/// Whether two dumps say the same, as the server would write them when it has read them once more: what it writes of an
/// expression may change when it is read back.
async fn same(db: &TestDb, a: &[String], b: &[String]) -> bool {
    if parts(db, a) == parts(db, b) {
        return true;
    }
    if !db.is_postgres() {
        return false;
    }
    let mut normal = Vec::new();
    for dumped in [a, b] {
        let scratch = TestDb::of(Kind::Postgres).expect("a database");
        let engine = Engine::builder(scratch.url()).connect().await.expect("an engine");
        let mut connection = engine.connect().await.expect("a connection");
        for sql in dumped {
            // `CREATE SCHEMA public` and the like.
            let _ = connection.execute_raw(sql).await;
        }
        drop(connection);
        let again = dump(&scratch, &engine).await;
        normal.push(parts(&scratch, &again));
        engine.close().await;
    }
    normal[0] == normal[1]
}

async fn run(engine: &Engine, steps: &[DraftStep]) -> Result<(), String> {
    let mut connection = engine.connect().await.expect("a connection");
    for sql in steps.iter().flat_map(|step| &step.statements) {
        connection.execute_raw(sql).await.map_err(|error| format!("{error}\n{sql}"))?;
    }
    Ok(())
}

/// Tries a pair; `None` when the server cannot load it.
async fn pair(kind: Kind, folder: &Path) -> Result<Option<Between>, String> {
    let (a, b) = (TestDb::of(kind).expect("a database"), TestDb::of(kind).expect("a database"));
    let from = Engine::builder(a.url()).connect().await.expect("an engine");
    let to = Engine::builder(b.url()).connect().await.expect("an engine");
    for (engine, file) in [(&from, "setup.sql"), (&to, "setup.sql"), (&from, "old.sql"), (&to, "new.sql")] {
        if let Err(error) = load(engine, &folder.join(file)).await {
            eprintln!("not loaded {}: {error}", folder.display());
            return Ok(None);
        }
    }
    let (old, new) = (dump(&a, &from).await, dump(&b, &to).await);
    let found = between(&from, &to).await.map_err(|error| error.to_string())?;
    let plan = render(&found.diff.ops, &found.live);
    let sql =
        |steps: &[DraftStep]| steps.iter().flat_map(|step| step.statements.clone()).collect::<Vec<_>>().join(";\n");
    if plan.upgrade.is_empty() && found.unmanaged.is_empty() && found.left_out.is_empty() {
        return if same(&a, &old, &new).await { Ok(Some(found)) } else { Err("found nothing".into()) };
    }
    run(&from, &plan.upgrade).await?;
    let again = between(&from, &to).await.map_err(|error| error.to_string())?;
    if !again.diff.ops.is_empty() {
        return Err(format!("after\n{}\nit still differs: {:?}", sql(&plan.upgrade), again.diff.ops));
    }
    let made = dump(&a, &from).await;
    if found.left_out.is_empty() && !same(&a, &made, &new).await {
        let (made, new) = (parts(&a, &made), parts(&a, &new));
        let (only_made, only_new): (Vec<_>, Vec<_>) =
            (made.difference(&new).collect(), new.difference(&made).collect());
        return Err(format!("made {only_made:#?}\nwanted {only_new:#?}\nby {}", sql(&plan.upgrade)));
    }
    run(&from, &plan.downgrade).await?;
    let back = dump(&a, &from).await;
    if !same(&a, &back, &old).await {
        let (back, old) = (parts(&a, &back), parts(&a, &old));
        let (only_back, only_old): (Vec<_>, Vec<_>) =
            (back.difference(&old).collect(), old.difference(&back).collect());
        return Err(format!("back {only_back:#?}\nwas {only_old:#?}\nby {}", sql(&plan.downgrade)));
    }
    from.close().await;
    to.close().await;
    Ok(Some(found))
}

/// All pairs of folders.
async fn all(kind: Kind, folders: &[&str]) {
    let only = std::env::var("LIMBECK_PAIR").ok();
    let mut bad = Vec::new();
    let mut loaded = 0;
    for folder in folders.iter().flat_map(|folder| pairs(folder)) {
        let name = folder.display().to_string();
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        match pair(kind, &folder).await {
            Ok(Some(found)) => {
                loaded += 1;
                for said in found.unmanaged.iter().chain(&found.left_out) {
                    eprintln!("{name}: {said}");
                }
            }
            Ok(None) => {}
            Err(error) => bad.push(format!("== {name}\n{error}")),
        }
    }
    assert!(bad.is_empty(), "{} pairs of {} are wrong:\n{}", bad.len(), loaded + bad.len(), bad.join("\n"));
    eprintln!("{loaded} pairs are right");
}

#[tokio::test]
async fn single_changes_of_postgresql_are_made_and_taken_back() {
    all(Kind::Postgres, &["single-change/postgres"]).await;
}

#[tokio::test]
async fn single_changes_of_sqlite_are_made_and_taken_back() {
    all(Kind::Sqlite, &["single-change/sqlite"]).await;
}

#[tokio::test]
async fn changes_of_what_is_managed_are_made_and_taken_back() {
    let folders = [
        "create_table",
        "create_index",
        "create_sequence",
        "create_domain",
        "create_type",
        "comment",
        "online",
        "dependency",
        "migrate",
    ];
    all(Kind::Postgres, &folders.map(|folder| format!("pgschema/{folder}")).each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn changes_of_what_is_not_managed_are_said_and_harm_nothing() {
    let folders = [
        "create_aggregate",
        "create_function",
        "create_materialized_view",
        "create_policy",
        "create_procedure",
        "create_trigger",
        "create_view",
        "default_privilege",
        "privilege",
    ];
    all(Kind::Postgres, &folders.map(|folder| format!("pgschema/{folder}")).each_ref().map(String::as_str)).await;
}
