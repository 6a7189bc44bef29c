//! Pairs of schemas with one change between them: `limbeck diff` finds it, what it writes makes it, and takes it back.
//!
//! `LIMBECK_CORPUS` names their folder.

mod support;

use std::path::{Path, PathBuf};

use limbeck::dialect::Dialect;
use limbeck::engine::Engine;
use limbeck_migrate::between::between;
use limbeck_migrate::render::render;
use limbeck_migrate::revision::RevisionFile;
use limbeck_test_support::{Kind, TestDb};

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

async fn load(engine: &Engine, dialect: Dialect, file: &Path) {
    let sql = std::fs::read_to_string(file).unwrap();
    let source = format!("-- x\n-- limbeck: revision=aaaa\n-- limbeck: upgrade\n{sql}");
    let parsed = RevisionFile::parse(dialect, "x.sql", &source).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut connection = engine.connect().await.unwrap();
    for statement in parsed.upgrade.statements {
        connection.execute_raw(&statement.sql).await.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }
}

/// A schema as its own tools show it.
async fn dump(db: &TestDb, engine: &Engine) -> String {
    if db.is_postgres() {
        let out = std::process::Command::new("/usr/lib/postgresql/15/bin/pg_dump").args(["-s", "-O", "-x", db.url()]).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let kept = text.lines().filter(|l| !l.starts_with("--") && !l.is_empty() && !l.starts_with("SET ") && !l.starts_with("\\"));
        let mut lines: Vec<&str> = kept.collect();
        lines.sort_unstable();
        return lines.join("\n");
    }
    let rows: Vec<(String,)> = engine.connect().await.unwrap().fetch_raw("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name", &[]).await.unwrap();
    rows.into_iter().map(|(sql,)| sql).collect::<Vec<_>>().join("\n")
}

async fn run(engine: &Engine, steps: &[limbeck_migrate::revision::DraftStep]) -> Result<(), String> {
    let mut connection = engine.connect().await.unwrap();
    for step in steps {
        for sql in &step.statements {
            connection.execute_raw(sql).await.map_err(|e| format!("{e}\n{sql}"))?;
        }
    }
    Ok(())
}

async fn pair(kind: Kind, folder: &Path) -> Result<(), String> {
    let (a, b) = (TestDb::of(kind).unwrap(), TestDb::of(kind).unwrap());
    let dialect = if kind == Kind::Sqlite { Dialect::Sqlite } else { Dialect::Postgres };
    let (from, to) = (Engine::builder(a.url()).connect().await.unwrap(), Engine::builder(b.url()).connect().await.unwrap());
    load(&from, dialect, &folder.join("old.sql")).await;
    load(&to, dialect, &folder.join("new.sql")).await;
    let (old, new) = (dump(&a, &from).await, dump(&b, &to).await);
    let found = between(&from, &to).await.map_err(|e| e.to_string())?;
    let plan = render(&found.diff.ops, &found.live);
    if plan.upgrade.is_empty() {
        return Err("found nothing".into());
    }
    run(&from, &plan.upgrade).await?;
    let again = between(&from, &to).await.unwrap();
    if !again.diff.ops.is_empty() {
        return Err(format!("still differs: {:?}", again.diff.ops));
    }
    let made = dump(&a, &from).await;
    if made != new {
        return Err(format!("made\n{made}\nwanted\n{new}"));
    }
    run(&from, &plan.downgrade).await?;
    let back = dump(&a, &from).await;
    if back != old {
        return Err(format!("back\n{back}\nwas\n{old}"));
    }
    Ok(())
}

#[tokio::test]
async fn single_changes_of_postgres() {
    let mut bad = 0;
    for kind in [Kind::Postgres, Kind::Sqlite] {
    for folder in pairs(&format!("single-change/{}", kind.scheme())) {
        let name = folder.file_name().unwrap().to_string_lossy().to_string();
        match pair(kind, &folder).await {
            Ok(()) => eprintln!("ok   {name}"),
            Err(e) => { bad += 1; eprintln!("FAIL {name}: {e}") }
        }
    }
    }
    assert_eq!(bad, 0);
}
