//! Pairs of schemas with a change between them: `limbeck diff` finds it, what it writes makes it, and takes it back. What
//! is not managed is said by name, and nothing else is harmed by it.
//!
//! `LIMBECK_CORPUS` names their folder.

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

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
async fn load(engine: &Engine, sql: &str) -> Result<(), String> {
    let mut connection = engine.connect().await.expect("a connection");
    for statement in statements(engine.dialect(), sql) {
        connection.execute_raw(&statement).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Where Debian keeps it, or that of the path.
fn pg_dump() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin/pg_dump")).filter(|program| program.exists()).max();
    found.unwrap_or_else(|| PathBuf::from("pg_dump"))
}

/// A schema as its own tools show it: its statements, without what is no matter of it.
async fn dump(db: &TestDb, engine: &Engine) -> Vec<String> {
    if db.is_postgres() {
        let out = std::process::Command::new(pg_dump()).args(["-s", "-O", "-x", db.url()]).output().expect("pg_dump");
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

/// The names of tables and views that are not managed: what is said of them in a dump is no matter of ours.
fn names_of_unmanaged(found: &Between) -> Vec<String> {
    let about = found
        .unmanaged
        .iter()
        .filter(|said| ["partition", "materialized", "inheriting"].iter().any(|kind| said.contains(kind)));
    let words = about.flat_map(|said| said.split([' ', ':']).filter(|word| word.contains('.')));
    words.map(str::to_string).collect()
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
async fn same(db: &TestDb, unmanaged: &[String], a: &[String], b: &[String]) -> bool {
    let own = |dumped: &[String]| -> Vec<String> {
        let is_own = |sql: &&String| !unmanaged.iter().any(|name| sql.contains(name.as_str()));
        dumped.iter().filter(is_own).cloned().collect()
    };
    let (a, b) = (&own(a)[..], &own(b)[..]);
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
async fn pair(kind: Kind, before: &str, after: &str) -> Result<Option<Between>, String> {
    let (Some(a), Some(b)) = (TestDb::of(kind), TestDb::of(kind)) else { return Ok(None) };
    let from = Engine::builder(a.url()).connect().await.expect("an engine");
    let to = Engine::builder(b.url()).connect().await.expect("an engine");
    for (engine, sql) in [(&from, before), (&to, after)] {
        if let Err(error) = load(engine, sql).await {
            eprintln!("not loaded: {error}");
            return Ok(None);
        }
    }
    let (old, new) = (dump(&a, &from).await, dump(&b, &to).await);
    let found = between(&from, &to).await.map_err(|error| error.to_string())?;
    let others = names_of_unmanaged(&found);
    let plan = render(&found.diff.ops, &found.live);
    let sql =
        |steps: &[DraftStep]| steps.iter().flat_map(|step| step.statements.clone()).collect::<Vec<_>>().join(";\n");
    if plan.upgrade.is_empty() && found.unmanaged.is_empty() && found.left_out.is_empty() {
        return if same(&a, &others, &old, &new).await { Ok(Some(found)) } else { Err("found nothing".into()) };
    }
    run(&from, &plan.upgrade).await?;
    let again = between(&from, &to).await.map_err(|error| error.to_string())?;
    if !again.diff.ops.is_empty() {
        return Err(format!("after\n{}\nit still differs: {:?}", sql(&plan.upgrade), again.diff.ops));
    }
    let made = dump(&a, &from).await;
    if found.left_out.is_empty() && !same(&a, &others, &made, &new).await {
        let (made, new) = (parts(&a, &made), parts(&a, &new));
        let (only_made, only_new): (Vec<_>, Vec<_>) =
            (made.difference(&new).collect(), new.difference(&made).collect());
        return Err(format!("made {only_made:#?}\nwanted {only_new:#?}\nby {}", sql(&plan.upgrade)));
    }
    run(&from, &plan.downgrade).await?;
    let back = dump(&a, &from).await;
    if !same(&a, &others, &back, &old).await {
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
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let setup = read("setup.sql");
        let (before, after) = (format!("{setup}\n{}", read("old.sql")), format!("{setup}\n{}", read("new.sql")));
        match pair(kind, &before, &after).await {
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

/// What no model says, and no pair of the corpus has.
#[tokio::test]
async fn what_no_model_says_is_made_and_taken_back() {
    let t = "CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL, b integer);\n";
    let pairs = [
        ("storage", "", "ALTER TABLE t ALTER a SET STORAGE EXTERNAL"),
        ("statistics", "ALTER TABLE t ALTER a SET STATISTICS 7", "ALTER TABLE t ALTER a SET STATISTICS 9"),
        ("compression", "", "ALTER TABLE t ALTER a SET COMPRESSION pglz"),
        ("column options", "", "ALTER TABLE t ALTER a SET (n_distinct = 5)"),
        ("table options", "ALTER TABLE t SET (fillfactor = 70)", "ALTER TABLE t SET (autovacuum_enabled = false)"),
        ("replica identity", "", "ALTER TABLE t REPLICA IDENTITY FULL"),
        (
            "replica identity index",
            "CREATE UNIQUE INDEX i ON t (a)",
            "CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX i",
        ),
        ("cluster", "", "ALTER TABLE t CLUSTER ON t_pkey"),
        ("extended statistics", "", "CREATE STATISTICS s ON a, b FROM t"),
        ("not valid", "", "ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0) NOT VALID"),
        (
            "validated",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0) NOT VALID",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0)",
        ),
        ("foreign key not valid", "", "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES t NOT VALID"),
        (
            "match full",
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES t",
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES t MATCH FULL",
        ),
        (
            "include",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) INCLUDE (b)",
        ),
        (
            "deferrable",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) DEFERRABLE INITIALLY DEFERRED",
        ),
        (
            "constraint renamed",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
            "ALTER TABLE t ADD CONSTRAINT w UNIQUE (a)",
        ),
        ("primary key renamed", "", "ALTER TABLE t RENAME CONSTRAINT t_pkey TO other"),
        ("index renamed", "CREATE INDEX i ON t (a)", "CREATE INDEX j ON t (a)"),
        ("comment of a constraint", "", "COMMENT ON CONSTRAINT t_pkey ON t IS 'it''s the key'"),
        (
            "schemas",
            "CREATE SCHEMA one",
            "CREATE SCHEMA two; COMMENT ON SCHEMA two IS 'x'; CREATE TABLE two.t (id integer)",
        ),
        (
            "identity",
            "CREATE TABLE n (i integer GENERATED ALWAYS AS IDENTITY)",
            "CREATE TABLE n (i integer GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 2 MINVALUE 3 MAXVALUE 99 CACHE 4 CYCLE))",
        ),
        (
            "identity goes",
            "CREATE TABLE n (i integer GENERATED ALWAYS AS IDENTITY (MAXVALUE 99))",
            "CREATE TABLE n (i integer NOT NULL)",
        ),
        ("serial to identity", "CREATE TABLE n (i serial)", "CREATE TABLE n (i integer GENERATED ALWAYS AS IDENTITY)"),
        ("serial goes", "CREATE TABLE n (i serial)", "CREATE TABLE n (i integer NOT NULL)"),
        (
            "sequence",
            "CREATE SEQUENCE s",
            "CREATE SEQUENCE s AS integer INCREMENT BY -2 MINVALUE -9 MAXVALUE 7 START 7 CYCLE; COMMENT ON SEQUENCE s IS 'x'",
        ),
        ("owned sequence", "CREATE SEQUENCE s", "CREATE SEQUENCE s OWNED BY t.b"),
        ("default of a sequence", "", "CREATE SEQUENCE s; ALTER TABLE t ALTER b SET DEFAULT nextval('s')"),
        (
            "table with a sequence goes",
            "CREATE TABLE n (i bigserial PRIMARY KEY); COMMENT ON SEQUENCE n_i_seq IS 'x'",
            "",
        ),
        (
            "domain",
            "CREATE DOMAIN d AS text",
            "CREATE DOMAIN d AS text DEFAULT 'x' NOT NULL CONSTRAINT c CHECK (VALUE <> ''); COMMENT ON DOMAIN d IS 'y'",
        ),
        (
            "domain check",
            "CREATE DOMAIN d AS integer CONSTRAINT c CHECK (VALUE > 0)",
            "CREATE DOMAIN d AS integer CONSTRAINT c CHECK (VALUE > 1)",
        ),
        (
            "domain of another type",
            "CREATE DOMAIN d AS integer; CREATE TABLE n (d d DEFAULT 1)",
            "CREATE DOMAIN d AS bigint; CREATE TABLE n (d d DEFAULT 1)",
        ),
        ("composite type", "CREATE TYPE c AS (a integer, b text)", "CREATE TYPE c AS (a bigint, c text)"),
        (
            "enum of another schema",
            "CREATE SCHEMA x; CREATE TYPE x.e AS ENUM ('a', 'c'); CREATE TABLE n (e x.e DEFAULT 'a')",
            "CREATE SCHEMA x; CREATE TYPE x.e AS ENUM ('a', 'b', 'c'); CREATE TABLE n (e x.e DEFAULT 'a')",
        ),
        (
            "unused enum",
            "CREATE TYPE e AS ENUM ('a'); CREATE TYPE f AS ENUM ('a')",
            "CREATE TYPE e AS ENUM ('a', 'b'); COMMENT ON TYPE e IS 'x'",
        ),
        (
            "table goes",
            "CREATE TABLE n (i integer CONSTRAINT c CHECK (i > 0) NO INHERIT, CONSTRAINT u UNIQUE (i) DEFERRABLE) WITH (fillfactor = 50); ALTER TABLE n ALTER i SET STATISTICS 3",
            "",
        ),
        ("collation", "", "ALTER TABLE t ALTER a TYPE text COLLATE \"C\""),
    ];
    let only = std::env::var("LIMBECK_PAIR").ok();
    let mut bad = Vec::new();
    for (name, before, after) in pairs.into_iter().filter(|pair| only.as_ref().is_none_or(|only| pair.0 == only)) {
        match pair(Kind::Postgres, &format!("{t}{before}"), &format!("{t}{after}")).await {
            Ok(Some(found)) => {
                let said = [found.unmanaged, found.left_out].concat();
                if !said.is_empty() || found.diff.ops.is_empty() {
                    bad.push(format!("== {name}: {} operations, and {said:?}", found.diff.ops.len()));
                }
            }
            Ok(None) if std::env::var_os("LIMBECK_TEST_DATABASES").is_some() => {}
            Ok(None) => bad.push(format!("== {name}: not loaded")),
            Err(error) => bad.push(format!("== {name}\n{error}")),
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// What depends on what goes is said, and the rest is made.
#[tokio::test]
async fn what_something_unmanaged_needs_is_left_alone() {
    let before = "CREATE TABLE t (id integer, a text, b text); CREATE VIEW v AS SELECT a FROM t;\n\
                  CREATE TABLE gone (id integer); CREATE VIEW w AS SELECT id FROM gone";
    let after = "CREATE TABLE t (id bigint, b text); CREATE TABLE u (id integer)";
    let Some(found) = pair(Kind::Postgres, before, after).await.expect("a pair") else { return };
    let said = found.left_out.join("\n");
    assert!(said.contains("drop column t.a: the view public.v depends on it"), "{said}");
    assert!(said.contains("drop table gone: the view public.w depends on it"), "{said}");
    let done: Vec<String> = found.diff.ops.iter().map(limbeck_migrate::compare::Op::describe).collect();
    assert_eq!(done, ["alter column t.id: type", "create table u"]);
    assert!(found.unmanaged.contains(&"the view public.v: only in the first database".to_string()));
}
