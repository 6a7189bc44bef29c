//! Enumerations in revisions: a type on PostgreSQL, a CHECK on SQLite; there and back, with rows.

mod support;

use limbeck::schema::{
    Check, Column, Computed, EnumType, Index, IndexKey, IndexOn, IndexOptions, Metadata, SqlType, Table,
};
use limbeck_migrate::compare::Op;
use limbeck_test_support::{TestDb, both};
use support::{Project, With, metadata, sorted, table};

fn status(values: &[&str]) -> SqlType {
    SqlType::Enum(EnumType::read("post_status".into(), values.iter().map(|v| v.to_string()).collect()))
}

fn posts(values: &[&str]) -> Table {
    table("posts").column("status", status(values)).default("'draft'").index(&["status"])
}

/// From one schema to another and back, twice; `rows` are there all the time.
async fn there_and_back(db: TestDb, before: &Metadata, after: &Metadata, rows: &str) -> Vec<String> {
    let project = Project::new(db).await;
    project.autogenerate("First", before).await.expect("a first revision");
    project.upgrade().await;
    assert_eq!(project.ops(before).await, []);
    if !rows.is_empty() {
        project.run(rows).await;
    }
    let first = project.schema().await;
    let plan = project.autogenerate("Second", after).await.expect("a difference");
    project.upgrade().await;
    assert_eq!(project.ops(after).await, [], "after {plan:#?}");
    project.downgrade("-1").await;
    assert_eq!(sorted(project.schema().await), sorted(first), "back from {plan:#?}");
    assert_eq!(project.ops(before).await, []);
    project.upgrade().await;
    assert_eq!(project.ops(after).await, []);
    project.downgrade("base").await;
    assert_eq!(project.schema().await, []);
    if project.db.is_postgres() {
        project.run("CREATE TYPE post_status AS ENUM ()").await;
    }
    plan.upgrade.into_iter().flat_map(|step| step.statements).collect()
}

/// With a check, a partial index, an index over an expression, and a computed column, all over the status.
fn watched(values: &[&str], other_than: &str) -> Metadata {
    let mut table = posts(values).column("rank", SqlType::Integer).default("0");
    let mut live = Column::new("is_live", SqlType::Boolean);
    live.nullable = true;
    live.computed = Some(Computed { expression: "status = 'live'".into(), stored: true });
    table.columns.push(live);
    table.checks.push(Check {
        no_inherit: false,
        name: Some("ck_posts_rank".into()),
        expression: format!("status <> '{other_than}' OR rank > 0"),
    });
    let key = |on| IndexKey { on, descending: false, nulls_first: None, opclass: None, collation: None };
    let index = |name: &str, on, predicate: Option<&str>| Index {
        name: name.into(),
        options: Some(IndexOptions {
            keys: vec![key(on)],
            predicate: predicate.map(str::to_string),
            ..Default::default()
        }),
        ..Index::default()
    };
    let mut partial = index("ix_posts_live", IndexOn::Column("rank".into()), Some("status = 'live'"));
    partial.columns = vec!["rank".into()];
    table.indexes.push(partial);
    table.indexes.push(index("ix_posts_is_draft", IndexOn::Expression("(status = 'draft')".into()), None));
    metadata(vec![table])
}

const ROWS: &str = "INSERT INTO posts (status) VALUES ('draft'), ('live')";

both! {
    async fn a_value_comes(db: TestDb) {
        let postgres = db.is_postgres();
        let (before, after) = (posts(&["draft", "live"]), posts(&["new", "draft", "late", "live", "gone"]));
        let done = there_and_back(db, &metadata(vec![before]), &metadata(vec![after]), ROWS).await;
        if postgres {
            assert_eq!(done, [
                "ALTER TYPE post_status ADD VALUE 'new' BEFORE 'draft'",
                "ALTER TYPE post_status ADD VALUE 'late' BEFORE 'live'",
                "ALTER TYPE post_status ADD VALUE 'gone' AFTER 'live'",
            ]);
        } else {
            assert!(done[0].contains("CHECK (status IN ('new', 'draft', 'late', 'live', 'gone'))"), "{done:#?}");
        }
    }

    async fn a_value_goes_and_others_change_places(db: TestDb) {
        let (before, after) = (posts(&["draft", "live", "gone"]), posts(&["live", "draft"]));
        there_and_back(db, &metadata(vec![before]), &metadata(vec![after]), ROWS).await;
    }

    async fn a_default_is_a_value_that_comes(db: TestDb) {
        let after = table("posts").column("status", status(&["new", "live", "draft"])).default("'new'").index(&["status"]);
        there_and_back(db, &metadata(vec![posts(&["draft", "live"])]), &metadata(vec![after]), ROWS).await;
    }

    async fn a_default_is_a_value_that_goes(db: TestDb) {
        let after = table("posts").column("status", status(&["live"])).default("'live'").index(&["status"]);
        let rows = "INSERT INTO posts (status) VALUES ('live')";
        there_and_back(db, &metadata(vec![posts(&["draft", "live"])]), &metadata(vec![after]), rows).await;
    }

    async fn a_text_becomes_an_enum(db: TestDb) {
        let before = table("posts").column("status", SqlType::Text).default("'draft'").index(&["status"]);
        there_and_back(db, &metadata(vec![before]), &metadata(vec![posts(&["draft", "live"])]), ROWS).await;
    }

    async fn a_column_comes_with_its_type(db: TestDb) {
        let (before, after) = (table("posts"), posts(&["draft", "live"]));
        there_and_back(db, &metadata(vec![before]), &metadata(vec![after]), "").await;
    }

    async fn a_type_goes_with_its_last_table(db: TestDb) {
        let project = Project::new(db).await;
        let both = metadata(vec![posts(&["draft"]), table("pages").column("status", status(&["draft"]))]);
        project.autogenerate("Both", &both).await.expect("a difference");
        project.upgrade().await;
        project.autogenerate("One", &metadata(vec![posts(&["draft"])])).await.expect("a difference");
        project.upgrade().await;
        assert_eq!(project.ops(&metadata(vec![posts(&["draft"])])).await, []);
        let ops = project.ops(&metadata(vec![])).await;
        let types = ops.iter().filter(|op| matches!(op, Op::DropEnum(_))).count();
        assert_eq!(types, usize::from(project.db.is_postgres()));
        project.autogenerate("None", &metadata(vec![])).await.expect("a difference");
        project.upgrade().await;
        project.downgrade("base").await;
    }

    async fn a_foreign_key_between_columns_of_an_enum_survives(db: TestDb) {
        let schema = |values: &[&str]| {
            let kinds = table("kinds").column("status", status(values)).unique(&["status"]);
            let mut posts = posts(values).refers("status", "kinds", limbeck::schema::Action::Cascade);
            posts.foreign_keys[0].target_columns = vec!["status".into()];
            metadata(vec![kinds, posts])
        };
        let rows = "INSERT INTO kinds (status) VALUES ('draft')";
        there_and_back(db, &schema(&["draft", "live"]), &schema(&["draft"]), rows).await;
    }

    async fn what_mentions_an_enum_is_put_back_around_it(db: TestDb) {
        let (before, after) = (watched(&["draft", "live", "gone"], "draft"), watched(&["live", "draft"], "draft"));
        let rows = "INSERT INTO posts (status, rank) VALUES ('draft', 1), ('live', 0)";
        there_and_back(db, &before, &after, rows).await;
    }

    async fn a_value_comes_under_what_mentions_the_enum(db: TestDb) {
        let postgres = db.is_postgres();
        let (before, after) = (watched(&["draft", "live"], "draft"), watched(&["draft", "live", "late"], "draft"));
        let rows = "INSERT INTO posts (status, rank) VALUES ('draft', 1), ('live', 0)";
        let done = there_and_back(db, &before, &after, rows).await;
        if postgres {
            assert!(!done.iter().any(|sql| sql.contains("INDEX") || sql.contains("CHECK")), "{done:#?}");
        }
    }

    async fn a_check_uses_a_value_that_comes(db: TestDb) {
        let (before, after) = (watched(&["draft", "live"], "draft"), watched(&["draft", "live", "late"], "late"));
        let rows = "INSERT INTO posts (status, rank) VALUES ('draft', 1), ('live', 0)";
        there_and_back(db, &before, &after, rows).await;
    }

    async fn a_row_with_a_value_that_goes_stops_the_upgrade(db: TestDb) {
        let project = Project::new(db).await;
        project.autogenerate("First", &metadata(vec![posts(&["draft", "live"])])).await.expect("a difference");
        project.upgrade().await;
        project.run(ROWS).await;
        project.autogenerate("Second", &metadata(vec![posts(&["draft"])])).await.expect("a difference");
        let error = project.migrator().upgrade(&project.engine, "head").await.unwrap_err().to_string();
        assert!(error.contains("live") || error.contains("CHECK"), "{error}");
        assert_eq!(project.count("posts").await, 2);
    }
}
