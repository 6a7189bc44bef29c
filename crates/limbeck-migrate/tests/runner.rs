//! Applying revisions: one run at a time, all of a revision or nothing, and no surprise in what was applied.

mod support;

use std::time::Duration;

use limbeck::engine::Engine;
use limbeck_migrate::{Embedded, Error, Migrator};
use limbeck_test_support::{TestDb, both};
use support::Project;

const TABLE: &str = "CREATE TABLE a (id INTEGER NOT NULL);";

fn insert(n: i32) -> String {
    format!("INSERT INTO a (id) VALUES ({n});")
}

both! {
    /// Eight programs start at the same time.
    async fn of_several_runs_one_does_the_work(db: TestDb) {
        let project = Project::new(db).await;
        project.write("Start", TABLE, "DROP TABLE a;");
        for n in 0..5 {
            project.write(&format!("Row {n}"), &insert(n), &format!("DELETE FROM a WHERE id = {n};"));
        }
        let mut runs = Vec::new();
        for _ in 0..8 {
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
        assert_eq!(applied, 6);
        assert_eq!(project.count("a").await, 5);
        assert_eq!(project.count("limbeck_revision").await, 6);
    }

    async fn a_revision_that_fails_leaves_nothing_and_those_before_it_stay(db: TestDb) {
        let project = Project::new(db).await;
        project.write("Good", &format!("{TABLE}\n{}", insert(1)), "DROP TABLE a;");
        let bad = "CREATE TABLE b (id INTEGER NOT NULL);\nINSERT INTO a (id) VALUES (2);\nINSERT INTO a (id)\n    VALUES (NULL);";
        project.write("Bad", bad, "DROP TABLE b;");
        let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err();
        let Error::Statement { file, line, sql, .. } = &error else { panic!("{error}") };
        assert!(file.contains("_bad."), "{file}");
        assert_eq!(*line, 7, "{error}");
        assert_eq!(sql, "INSERT INTO a (id)\n    VALUES (NULL)");
        assert!(error.to_string().ends_with("nothing of this revision was applied"), "{error}");
        assert_eq!(project.count("a").await, 1);
        assert_eq!(project.schema().await.len(), 1, "b was rolled back");
        assert_eq!(project.migrator().current(&project.engine).await.unwrap()[0].message, "Good");
        // The connection that failed goes back whole.
        assert_eq!(project.migrator().pending(&project.engine).await.unwrap().len(), 1);
    }

    async fn upgrades_and_downgrades_go_where_they_are_told(db: TestDb) {
        let project = Project::new(db).await;
        let first = project.write("Start", TABLE, "DROP TABLE a;");
        let second = project.write("One", &insert(1), "DELETE FROM a WHERE id = 1;");
        project.write("Two", &insert(2), "DELETE FROM a WHERE id = 2;");
        let migrator = project.migrator();
        let engine = &project.engine;
        assert_eq!(migrator.upgrade(engine, "+1").await.unwrap()[0].id, first);
        assert_eq!(migrator.upgrade(engine, &second[..4]).await.unwrap()[0].id, second);
        assert_eq!(migrator.upgrade(engine, "head").await.unwrap().len(), 1);
        assert_eq!(migrator.upgrade(engine, "head").await.unwrap().len(), 0);
        assert_eq!(migrator.downgrade(engine, &first[..6]).await.unwrap().len(), 2);
        assert_eq!(project.count("a").await, 0);
        assert_eq!(migrator.downgrade(engine, "base").await.unwrap().len(), 1);
        assert_eq!(migrator.current(engine).await.unwrap(), []);
        assert!(migrator.downgrade(engine, "-1").await.unwrap_err().to_string().contains("only 0"));
    }

    async fn a_program_can_insist_on_head(db: TestDb) {
        let project = Project::new(db).await;
        let id = project.write("Start", TABLE, "DROP TABLE a;");
        let error = project.migrator().check_at_head(&project.engine).await.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(
            error.to_string(),
            format!("the database is not at head: run `limbeck upgrade head`; missing\n  {id} Start")
        );
        project.upgrade().await;
        project.migrator().check_at_head(&project.engine).await.unwrap();
    }

    async fn an_edit_after_the_fact_is_an_error_until_it_is_recorded(db: TestDb) {
        let project = Project::new(db).await;
        let id = project.write("Start", TABLE, "DROP TABLE a;");
        project.upgrade().await;
        let file = std::fs::read_dir(project.path()).unwrap().map(|e| e.unwrap().path()).find(|p| p.extension().unwrap() == "sql");
        let file = file.unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let put = |text: &str| {
            std::fs::write(&file, text).unwrap();
            limbeck_migrate::revision::repair_folder(project.path()).unwrap();
        };

        // Another checkout, a formatter, a comment: not an edit.
        put(&text.replace('\n', "\r\n").replace("CREATE TABLE a", "create   table a /* ! */"));
        project.migrator().check_at_head(&project.engine).await.unwrap();

        put(&text.replace("INTEGER", "BIGINT"));
        let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err();
        assert!(matches!(&error, Error::Edited { id: edited, .. } if *edited == id), "{error}");
        assert!(error.to_string().contains("limbeck repair"), "{error}");
        assert_eq!(project.migrator().repair(&project.engine).await.unwrap(), [id]);
        project.migrator().check_at_head(&project.engine).await.unwrap();
    }

    async fn a_database_that_is_ahead_is_not_touched(db: TestDb) {
        let project = Project::new(db).await;
        let old = project.migrator();
        let id = project.write("Start", TABLE, "DROP TABLE a;");
        project.upgrade().await;
        for error in [
            old.upgrade(&project.engine, "head").await.unwrap_err(),
            old.downgrade(&project.engine, "base").await.unwrap_err(),
            old.check_at_head(&project.engine).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains(&id) && error.to_string().contains("older"), "{error}");
        }
        assert_eq!(old.current(&project.engine).await.unwrap()[0].id, id);
    }

    async fn without_a_way_back_nothing_is_taken_back(db: TestDb) {
        let project = Project::new(db).await;
        project.write("Start", TABLE, "DROP TABLE a;");
        project.write("One way", &insert(1), "");
        let file = std::fs::read_dir(project.path()).unwrap().map(|e| e.unwrap().path());
        let file = file.into_iter().find(|p| p.to_string_lossy().contains("one_way")).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.split("-- limbeck: downgrade").next().unwrap()).unwrap();
        limbeck_migrate::revision::repair_folder(project.path()).unwrap();
        project.upgrade().await;
        let error = project.migrator().downgrade(&project.engine, "base").await.unwrap_err();
        assert!(error.to_string().contains("no `downgrade` section"), "{error}");
        assert_eq!(project.count("a").await, 1);
    }

    /// Dropped at every poll of an upgrade, the pool is whole and a second run does the rest.
    async fn a_run_that_is_dropped_leaves_no_half_revision(db: TestDb) {
        let project = Project::new(db).await;
        let rebuild = if project.db.is_postgres() { "" } else { "-- limbeck: sqlite-foreign-keys=off\n" };
        project.write("Start", &format!("{rebuild}{TABLE}\n{}", insert(1)), "DROP TABLE a;");
        project.write("More", &format!("{}\n{}", insert(2), insert(3)), "DELETE FROM a WHERE id > 1;");
        for polls in 0.. {
            let migrator = project.migrator();
            let mut run = Box::pin(migrator.upgrade(&project.engine, "head"));
            let mut left = polls;
            let finished = std::future::poll_fn(|context| {
                if left == 0 {
                    return std::task::Poll::Ready(None);
                }
                left -= 1;
                run.as_mut().poll(context).map(Some)
            })
            .await;
            drop(run);
            if !project.db.is_postgres() {
                let mut connection = project.engine.connect().await.unwrap();
                let keys: Vec<(i64,)> = connection.fetch_raw("PRAGMA foreign_keys", &[]).await.unwrap();
                assert_eq!(keys, [(1,)], "after {polls} polls the pool lends a connection with foreign keys off");
            }
            if finished.is_some() {
                break;
            }
        }
        project.migrator().check_at_head(&project.engine).await.unwrap();
        assert_eq!(project.count("a").await, 3);
        assert_eq!(project.count("limbeck_revision").await, 2);
    }
}

#[tokio::test]
async fn a_run_waits_for_the_lock_and_gives_up() {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return };
    let project = Project::new(db).await;
    project.write("Start", TABLE, "DROP TABLE a;");
    let other = Engine::builder(project.db.url()).connect().await.unwrap();
    let mut holder = other.connect().await.unwrap();
    holder.begin().await.unwrap();
    let key = i64::from_be_bytes(*b"\0limbeck");
    let _: Vec<(bool,)> = holder.fetch_raw(&format!("SELECT pg_try_advisory_xact_lock({key})"), &[]).await.unwrap();

    let hasty = project.migrator().wait(Duration::from_millis(300));
    let error = hasty.upgrade(&project.engine, "head").await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert_eq!(error.exit_code(), 4);
    assert_eq!(project.schema().await, []);

    // The holder ends while another waits.
    let waiting = tokio::spawn({
        let (migrator, engine) = (project.migrator(), project.engine.clone());
        async move { migrator.upgrade(&engine, "head").await.map(|applied| applied.len()) }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    holder.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);

    // At head nobody needs the lock.
    holder.begin().await.unwrap();
    let _: Vec<(bool,)> = holder.fetch_raw(&format!("SELECT pg_try_advisory_xact_lock({key})"), &[]).await.unwrap();
    assert_eq!(hasty.upgrade(&project.engine, "head").await.unwrap().len(), 0);
}

/// SQLite's lock is the revision's own transaction.
#[tokio::test]
async fn a_run_on_sqlite_waits_for_another_writer_and_gives_up() {
    let project = Project::new(TestDb::sqlite()).await;
    project.write("Start", TABLE, "DROP TABLE a;");
    let mut writer = project.engine.connect().await.unwrap();
    writer.begin().await.unwrap();
    let engine = Engine::builder(project.db.url()).busy_timeout(Duration::from_millis(20)).connect().await.unwrap();
    let hasty = project.migrator().wait(Duration::from_millis(200));
    let error = hasty.upgrade(&engine, "head").await.unwrap_err();
    assert!(matches!(error, Error::Locked { waited } if waited >= Duration::from_millis(200)), "{error}");
    let waiting = tokio::spawn(async move { project.migrator().upgrade(&engine, "head").await.map(|a| a.len()) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    writer.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn bodies_with_semicolons_are_one_statement_each() {
    let project = Project::new(TestDb::sqlite()).await;
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET id = CASE WHEN id = 1 THEN 10 ELSE id END;\n  \
                   INSERT INTO log VALUES (';');\nEND;";
    project.write(
        "Start",
        &format!("{TABLE}\nCREATE TABLE log (x TEXT);\n{trigger}\n{}", insert(1)),
        "DROP TABLE a;\nDROP TABLE log;",
    );
    project.upgrade().await;
    assert_eq!(project.count("a WHERE id = 10").await, 1);
    assert_eq!(project.count("log").await, 1);
    project.downgrade("base").await;

    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return };
    let project = Project::new(db).await;
    let functions = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$\nBEGIN\n  INSERT INTO a VALUES (1);\n  \
                     PERFORM ';';\nEND;\n$f$;\nCREATE FUNCTION g() RETURNS void LANGUAGE sql BEGIN ATOMIC\n  INSERT INTO a \
                     VALUES (2);\n  INSERT INTO a VALUES (CASE WHEN true THEN 3 END);\nEND;\nSELECT f();\nSELECT g();";
    project.write("Start", &format!("{TABLE}\n{functions}"), "DROP FUNCTION f;\nDROP FUNCTION g;\nDROP TABLE a;");
    project.upgrade().await;
    assert_eq!(project.count("a").await, 3);
    project.downgrade("base").await;
}

/// Dumps begin with it, and many a first revision is one.
#[tokio::test]
async fn what_a_revision_sets_for_its_session_stays_in_it() {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return };
    let project = Project::new(db).await;
    let dump = "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a (id integer);";
    project.write("Dump", dump, "SET search_path = '';\nDROP TABLE public.a;");
    project.write("Next", &insert(1), "DELETE FROM a;");
    project.upgrade().await;
    assert_eq!(project.count("a").await, 1);
    project.downgrade("base").await;
    assert_eq!(project.schema().await, []);
}

const FILE: &str = "-- Start\n-- limbeck: revision=aaaa1 revises=\n\n-- limbeck: upgrade\nCREATE TABLE a (id INTEGER);\n\n\
                    -- limbeck: downgrade\nDROP TABLE a;\n";

#[tokio::test]
async fn embedded_revisions_are_applied_and_a_stale_lock_file_is_found() {
    let hash = limbeck_migrate::revision::content_hash(limbeck::dialect::Dialect::Postgres, FILE);
    let lock: &'static str = format!("aaaa1 - a.sql {hash}\n").leak();
    let engine = Engine::builder("sqlite::memory:").connect().await.unwrap();
    let embedded = Embedded { lock, files: &[("a.sql", FILE)] };
    assert_eq!(Migrator::embedded(&embedded).unwrap().upgrade(&engine, "head").await.unwrap().len(), 1);

    let stale = Embedded { lock: "aaaa1 - a.sql 00\n", files: &[("a.sql", FILE)] };
    let error = Migrator::embedded(&stale).unwrap_err().to_string();
    assert!(error.starts_with("a.sql:") && error.contains("limbeck repair"), "{error}");
    let missing = Embedded { lock, files: &[] };
    assert!(Migrator::embedded(&missing).unwrap_err().to_string().contains("build the program again"));
}
