//! What a rebuild of an SQLite table must not lose: rows of other tables, triggers, views, indexes, checks,
//! collations, the AUTOINCREMENT mark, rowids. Other tools are known to lose each of them.

mod support;

use limbeck::schema::{Metadata, Table};
use limbeck_migrate::Error;
use limbeck_test_support::TestDb;
use support::{Project, sorted};

/// A project whose first revision is written by hand.
async fn project(sql: &str) -> Project {
    let project = Project::new(TestDb::sqlite()).await;
    project.write("Start", sql, "");
    project.upgrade().await;
    project
}

/// The database as it is, with a change: what models would say.
async fn with(project: &Project, table: &str, change: impl FnOnce(&mut Table)) -> Metadata {
    let mut tables = project.schema().await;
    change(tables.iter_mut().find(|t| t.name == table).unwrap());
    Metadata::new(tables)
}

fn nullable(column: &str) -> impl FnOnce(&mut Table) {
    let column = column.to_string();
    move |table| {
        let column = table.columns.iter_mut().find(|c| c.name == column).unwrap();
        column.nullable = !column.nullable;
    }
}

/// Rebuilds a table for a change of one column, and back.
async fn rebuild(project: &Project, table: &str, column: &str) {
    let before = project.schema().await;
    let wanted = with(project, table, nullable(column)).await;
    let plan = project.autogenerate("Rebuild", &wanted).await.unwrap();
    assert!(plan.upgrade[0].foreign_keys_off, "{plan:#?}");
    project.upgrade().await;
    assert_eq!(project.ops(&wanted).await, []);
    assert_ne!(project.schema().await, before);
}

async fn sql_of(project: &Project, name: &str) -> String {
    let mut connection = project.engine.connect().await.unwrap();
    let query = format!("SELECT sql FROM sqlite_schema WHERE name = '{name}'");
    let rows: Vec<(String,)> = connection.fetch_raw(&query, &[]).await.unwrap();
    rows.into_iter().next().unwrap_or_else(|| panic!("{name} is gone")).0
}

#[tokio::test]
async fn rows_that_refer_to_the_table_stay() {
    let project = project(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nCREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER \
         NOT NULL REFERENCES p (id) ON DELETE CASCADE);\nINSERT INTO p VALUES (1, 'a');\nINSERT INTO c VALUES (7, 1);",
    )
    .await;
    rebuild(&project, "p", "name").await;
    assert_eq!(project.count("c").await, 1);
    assert!(sql_of(&project, "c").await.contains("REFERENCES p (id)"), "the child still refers to p by its name");
    project.run("DELETE FROM p").await;
    assert_eq!(project.count("c").await, 0, "foreign keys are on again");
}

#[tokio::test]
async fn triggers_views_and_odd_indexes_stay() {
    let project = project(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER);\nCREATE TABLE log (what TEXT);\nCREATE \
         INDEX ix_odd ON p (lower(name)) WHERE n > 1;\nCREATE VIEW names AS SELECT name FROM p;\nCREATE TRIGGER own AFTER \
         INSERT ON p BEGIN INSERT INTO log VALUES (new.name); END;\nCREATE TRIGGER other AFTER INSERT ON log BEGIN UPDATE p \
         SET n = 5; END;\nINSERT INTO p VALUES (1, 'a', 1);",
    )
    .await;
    rebuild(&project, "p", "name").await;
    assert_eq!(project.count("log").await, 1, "the copy fired no trigger");
    project.run("INSERT INTO p VALUES (2, 'b', 1)").await;
    assert_eq!(project.count("log").await, 2);
    assert_eq!(project.count("p WHERE n = 5").await, 2);
    assert_eq!(project.count("names").await, 2);
    assert!(sql_of(&project, "ix_odd").await.contains("WHERE n > 1"));
}

#[tokio::test]
async fn what_only_the_text_says_stays() {
    let project = project(
        "CREATE TABLE p (id INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE CONSTRAINT short CHECK (length(name) < 9), \
         twice INTEGER GENERATED ALWAYS AS (id * 2) STORED, other TEXT, CONSTRAINT pk PRIMARY KEY (id, name), CONSTRAINT \
         odd CHECK (id <> 13), UNIQUE (other) ON CONFLICT IGNORE) STRICT, WITHOUT ROWID;\nINSERT INTO p (id, name, other) \
         VALUES (1, 'a', 'x');",
    )
    .await;
    rebuild(&project, "p", "other").await;
    let sql = sql_of(&project, "p").await;
    for part in [
        "COLLATE NOCASE",
        "CONSTRAINT short CHECK (length(name) < 9)",
        "GENERATED ALWAYS AS (id * 2) STORED",
        "CONSTRAINT pk PRIMARY KEY (id, name)",
        "CONSTRAINT odd CHECK (id <> 13)",
        "UNIQUE (other) ON CONFLICT IGNORE",
        "STRICT, WITHOUT ROWID",
    ] {
        assert!(sql.contains(part), "{part} is not in {sql}");
    }
    assert_eq!(project.count("p WHERE twice = 2").await, 1);
}

#[tokio::test]
async fn autoincrement_does_not_give_a_number_again() {
    let project = project(
        "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);\nINSERT INTO p (name) VALUES ('a'), \
         ('b'), ('c');\nDELETE FROM p;",
    )
    .await;
    rebuild(&project, "p", "name").await;
    project.run("INSERT INTO p (name) VALUES ('d')").await;
    assert_eq!(project.count("p WHERE id = 4").await, 1);
    assert_eq!(project.count("sqlite_sequence").await, 1);
}

#[tokio::test]
async fn rowids_of_a_table_without_a_key_stay() {
    let project =
        project("CREATE TABLE p (name TEXT NOT NULL);\nINSERT INTO p VALUES ('a'), ('b'), ('c');\nDELETE FROM p WHERE name = 'a';")
            .await;
    rebuild(&project, "p", "name").await;
    assert_eq!(project.count("p WHERE rowid = 3 AND name = 'c'").await, 1);
}

#[tokio::test]
async fn rows_that_pointed_nowhere_before_are_not_the_rebuilds_fault() {
    let project = project(
        "-- limbeck: sqlite-foreign-keys=off\nCREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nCREATE TABLE c \
         (p_id INTEGER REFERENCES p (id));",
    )
    .await;
    let mut connection = project.engine.connect().await.unwrap();
    connection.close_on_return();
    connection.execute_raw("PRAGMA foreign_keys = OFF").await.unwrap();
    connection.execute_raw("INSERT INTO c VALUES (99)").await.unwrap();
    drop(connection);
    rebuild(&project, "p", "name").await;
    assert_eq!(project.count("c").await, 1);

    // New ones are.
    project.write(
        "Break",
        "-- limbeck: sqlite-foreign-keys=off\nINSERT INTO c VALUES (100);\nINSERT INTO p (id, name) VALUES (1, 'x');",
        "",
    );
    let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err();
    assert!(matches!(error, Error::Integrity(_)), "{error}");
    assert!(error.to_string().contains("1 row(s)") && error.to_string().contains("c to p"), "{error}");
    assert_eq!(project.count("p").await, 0, "it was rolled back");
}

/// Columns go natively where nothing else names them, and by a rebuild where a view, a trigger or a check does.
#[tokio::test]
async fn a_column_that_something_names_goes_by_a_rebuild() {
    for (extra, native) in [
        ("", true),
        ("CREATE VIEW v AS SELECT b FROM p;", false),
        ("CREATE TRIGGER t AFTER INSERT ON p BEGIN UPDATE p SET b = 1; END;", false),
    ] {
        let project = project(&format!(
            "CREATE TABLE p (a INTEGER NOT NULL, b INTEGER, CHECK (a > 0));\n{extra}\nINSERT INTO p VALUES (1, 2);"
        ))
        .await;
        let before = project.schema().await;
        let wanted = with(&project, "p", |table| table.columns.retain(|c| c.name != "b")).await;
        let plan = project.autogenerate("Drop b", &wanted).await.unwrap();
        assert_eq!(!plan.upgrade[0].foreign_keys_off, native, "{extra}: {plan:#?}");
        project.upgrade().await;
        assert_eq!(project.count("p").await, 1);
        project.downgrade("-1").await;
        assert_eq!(sorted(project.schema().await), sorted(before));
    }
}

/// SQLite cannot check such a key at all; that is no reason to keep the table from changing.
#[tokio::test]
async fn a_key_to_columns_that_are_not_unique_does_not_stop_a_rebuild() {
    let project = project(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nCREATE TABLE c (name TEXT REFERENCES p (name));",
    )
    .await;
    rebuild(&project, "p", "name").await;
}
