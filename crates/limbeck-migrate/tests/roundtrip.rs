//! From one schema to another and back, on real databases: after the upgrade nothing differs, after the downgrade
//! the schema is what it was.

mod support;

use limbeck::schema::{Action, Metadata, SqlType, Table};
use limbeck_test_support::{TestDb, both};
use support::{Project, With, metadata, sorted, table};

const EMAIL: SqlType = SqlType::String { length: Some(100) };
const MOMENT: SqlType = SqlType::DateTime { timezone: true };

fn users() -> Table {
    table("users")
        .column("email", EMAIL)
        .unique(&["email"])
        .column("name", SqlType::String { length: None })
        .nullable()
        .column("is_active", SqlType::Boolean)
        .default("true")
        .column("created_at", MOMENT)
        .default("CURRENT_TIMESTAMP")
        .column("born", SqlType::Date)
        .nullable()
        .column("score", SqlType::Double)
        .default("0.5")
        .column("rank", SqlType::Integer)
        .default("-1")
        .column("level", SqlType::SmallInteger)
        .nullable()
        .column("bio", SqlType::Text)
        .default("'it''s me'")
        .column("seen", SqlType::DateTime { timezone: false })
        .nullable()
        .column("weight", SqlType::Real)
        .nullable()
}

fn posts() -> Table {
    table("posts")
        .column("title", SqlType::String { length: Some(200) })
        .column("author_id", SqlType::BigInteger)
        .index(&["author_id"])
        .refers("author_id", "users", Action::Cascade)
}

fn tags() -> Table {
    table("tags").column("name", SqlType::String { length: None }).unique(&["name"])
}

fn post_tags() -> Table {
    table("post_tags")
        .column("post_id", SqlType::BigInteger)
        .column("tag_id", SqlType::BigInteger)
        .key(&["post_id", "tag_id"])
        .without("id")
        .index(&["tag_id"])
        .refers("post_id", "posts", Action::Cascade)
        .refers("tag_id", "tags", Action::Cascade)
}

fn blog() -> Metadata {
    metadata(vec![users(), posts(), tags(), post_tags()])
}

/// Rows that every change has to keep.
async fn fill(project: &Project) {
    project.run("INSERT INTO users (id, email) VALUES (1, 'ada'), (2, 'bob')").await;
    project.run("INSERT INTO posts (id, title, author_id) VALUES (10, 'one', 1), (11, 'two', 2)").await;
    project.run("INSERT INTO tags (id, name) VALUES (20, 'rust')").await;
    project.run("INSERT INTO post_tags (post_id, tag_id) VALUES (10, 20), (11, 20)").await;
}

async fn counts(project: &Project) -> [i64; 4] {
    [
        project.count("users").await,
        project.count("posts").await,
        project.count("tags").await,
        project.count("post_tags").await,
    ]
}

/// From the blog to `after` and back, with rows in all tables.
async fn there_and_back(db: TestDb, what: &str, after: Vec<Table>) {
    let project = Project::new(db).await;
    project.autogenerate("Start", &blog()).await.unwrap();
    project.upgrade().await;
    assert!(project.autogenerate("Nothing", &blog()).await.is_none(), "{what}: differs after the start");
    fill(&project).await;
    let before = project.schema().await;
    let after = metadata(after);
    let plan = project.autogenerate(what, &after).await.unwrap_or_else(|| panic!("{what}: no difference was found"));
    project.upgrade().await;
    let left = project.ops(&after).await;
    assert_eq!(left, [], "{what}: differs after the upgrade {plan:#?}");
    assert_eq!(counts(&project).await, [2, 2, 1, 2], "{what}: rows were lost by {plan:#?}");
    project.downgrade("-1").await;
    assert_eq!(sorted(project.schema().await), sorted(before), "{what}: is not what it was, after {plan:#?}");
    assert_eq!(counts(&project).await, [2, 2, 1, 2], "{what}: rows were lost by the way back of {plan:#?}");
    project.upgrade().await;
    assert!(project.autogenerate("Nothing", &after).await.is_none(), "{what}: differs after the second upgrade");
    project.downgrade("base").await;
    assert_eq!(project.schema().await, [], "{what}: something is left at the base");
}

fn blog_with_users(users: Table) -> Vec<Table> {
    vec![users, posts(), tags(), post_tags()]
}

fn change(table: Table, column: &str, change: impl FnOnce(&mut limbeck::schema::Column)) -> Table {
    let mut table = table;
    change(table.columns.iter_mut().find(|c| c.name == column).unwrap());
    table
}

both! {
    async fn a_column_comes(db: TestDb) {
        there_and_back(db, "nullable", blog_with_users(users().column("phone", EMAIL).nullable())).await;
    }

    async fn a_column_with_a_default_comes(db: TestDb) {
        there_and_back(db, "default", blog_with_users(users().column("karma", SqlType::Integer).default("7"))).await;
    }

    async fn a_column_with_an_expression_as_default_comes(db: TestDb) {
        let users = users().column("code", EMAIL).default("lower('X')");
        there_and_back(db, "expression", blog_with_users(users)).await;
    }

    async fn a_column_with_index_unique_and_key_comes(db: TestDb) {
        let users = users()
            .column("best_tag_id", SqlType::BigInteger)
            .nullable()
            .unique(&["best_tag_id"])
            .refers("best_tag_id", "tags", Action::SetNull)
            .column("city", EMAIL)
            .nullable()
            .index(&["city"]);
        there_and_back(db, "column with everything", blog_with_users(users)).await;
    }

    async fn a_column_goes(db: TestDb) {
        there_and_back(db, "column", blog_with_users(users().without("score"))).await;
    }

    async fn a_column_with_unique_constraint_goes(db: TestDb) {
        there_and_back(db, "unique column", blog_with_users(users().without("name"))).await;
    }

    /// The rows have lost what they referred to, so that the way back is only for a table without rows.
    async fn a_column_with_index_and_key_goes(db: TestDb) {
        let project = Project::new(db).await;
        project.autogenerate("Start", &blog()).await.unwrap();
        project.upgrade().await;
        fill(&project).await;
        let before = project.schema().await;
        let after = metadata(vec![users(), posts().without("author_id"), tags(), post_tags()]);
        project.autogenerate("Key", &after).await.unwrap();
        project.upgrade().await;
        assert_eq!(project.ops(&after).await, []);
        assert_eq!(counts(&project).await, [2, 2, 1, 2]);
        assert!(project.migrator().downgrade(&project.engine, "-1").await.is_err());
        assert_eq!(project.ops(&after).await, [], "a failed revision changes nothing");
        project.run("DELETE FROM posts").await;
        project.downgrade("-1").await;
        assert_eq!(sorted(project.schema().await), sorted(before));
    }

    async fn nullability_changes_both_ways(db: TestDb) {
        let users = change(users(), "bio", |c| c.nullable = true);
        there_and_back(db, "nullable", blog_with_users(change(users, "rank", |c| c.nullable = true))).await;
    }

    async fn a_default_comes_goes_and_changes(db: TestDb) {
        let users = change(users(), "name", |c| c.server_default = Some("'nobody'".into()));
        let users = change(users, "rank", |c| c.server_default = None);
        let users = change(users, "score", |c| c.server_default = Some("1.5".into()));
        there_and_back(db, "defaults", blog_with_users(users)).await;
    }

    async fn a_type_changes(db: TestDb) {
        let users = change(users(), "rank", |c| c.sql_type = SqlType::Text);
        let users = change(users, "rank", |c| c.server_default = Some("'none'".into()));
        let users = change(users, "bio", |c| { c.sql_type = SqlType::Boolean; c.server_default = None; c.nullable = true });
        let mut blog = blog_with_users(users);
        blog[0].columns.retain(|c| c.name != "bio");
        there_and_back(db, "types", blog).await;
    }

    async fn a_unique_constraint_comes(db: TestDb) {
        there_and_back(db, "unique", vec![users(), posts().unique(&["title"]), tags(), post_tags()]).await;
    }

    async fn a_unique_constraint_goes(db: TestDb) {
        let mut tags = tags();
        tags.uniques.clear();
        there_and_back(db, "unique", vec![users(), posts(), tags, post_tags()]).await;
    }

    async fn an_index_comes_and_another_goes(db: TestDb) {
        let mut posts = posts().index(&["title", "author_id"]);
        posts.indexes.remove(0);
        there_and_back(db, "indexes", vec![users(), posts, tags(), post_tags()]).await;
    }

    async fn a_foreign_key_gets_another_action(db: TestDb) {
        let mut posts = posts();
        posts.foreign_keys[0].on_delete = Action::Restrict;
        posts.foreign_keys[0].on_update = Action::Cascade;
        there_and_back(db, "action", vec![users(), posts, tags(), post_tags()]).await;
    }

    async fn a_foreign_key_goes(db: TestDb) {
        let mut post_tags = post_tags();
        post_tags.foreign_keys.remove(0);
        there_and_back(db, "foreign key", vec![users(), posts(), tags(), post_tags]).await;
    }

    async fn a_foreign_key_comes_to_a_column_that_is_there(db: TestDb) {
        let posts = posts().refers("id", "tags", Action::NoAction);
        let project = Project::new(db).await;
        project.autogenerate("Start", &blog()).await.unwrap();
        project.upgrade().await;
        let after = metadata(vec![users(), posts, tags(), post_tags()]);
        project.autogenerate("Key", &after).await.unwrap();
        project.upgrade().await;
        assert_eq!(project.ops(&after).await, []);
        project.downgrade("-1").await;
        assert_eq!(project.ops(&blog()).await, []);
    }

    async fn the_primary_key_changes(db: TestDb) {
        let project = Project::new(db).await;
        let before = metadata(vec![table("rooms").column("hotel", SqlType::Integer)]);
        project.autogenerate("Start", &before).await.unwrap();
        project.upgrade().await;
        project.run("INSERT INTO rooms (id, hotel) VALUES (1, 1), (2, 1)").await;
        let after = metadata(vec![table("rooms").column("hotel", SqlType::Integer).key(&["hotel", "id"])]);
        project.autogenerate("Key", &after).await.unwrap();
        project.upgrade().await;
        assert_eq!(project.ops(&after).await, []);
        assert_eq!(project.count("rooms").await, 2);
        project.downgrade("-1").await;
        assert_eq!(project.ops(&before).await, []);
        // The numbers go on behind the rows that are there.
        project.run("INSERT INTO rooms (hotel) VALUES (7)").await;
        assert_eq!(project.count("rooms WHERE id = 3").await, 1);
    }

    async fn tables_come_that_refer_to_each_other(db: TestDb) {
        let circle = || vec![
            table("hens").column("egg_id", SqlType::BigInteger).nullable().refers("egg_id", "eggs", Action::SetNull),
            table("eggs").column("hen_id", SqlType::BigInteger).refers("hen_id", "hens", Action::Cascade),
        ];
        there_and_back(db, "circle", [blog().tables, circle()].concat()).await;
    }

    async fn tables_of_a_circle_with_rows_can_go(db: TestDb) {
        let project = Project::new(db).await;
        let circle = metadata(vec![
            table("hens").column("egg_id", SqlType::BigInteger).nullable().refers("egg_id", "eggs", Action::NoAction),
            table("eggs").column("hen_id", SqlType::BigInteger).nullable().refers("hen_id", "hens", Action::NoAction),
        ]);
        project.autogenerate("Start", &circle).await.unwrap();
        project.upgrade().await;
        project.run("INSERT INTO hens (id) VALUES (1)").await;
        project.run("INSERT INTO eggs (id, hen_id) VALUES (1, 1)").await;
        project.run("UPDATE hens SET egg_id = 1").await;
        let before = project.schema().await;
        project.autogenerate("Go", &metadata(vec![])).await.unwrap();
        project.upgrade().await;
        assert_eq!(project.schema().await, []);
        project.downgrade("-1").await;
        assert_eq!(sorted(project.schema().await), sorted(before));
    }

    async fn odd_names_survive(db: TestDb) {
        let odd = table("Order").column("group", SqlType::Text).column("A \"b\"", EMAIL).nullable().index(&["group"])
            .unique(&["A \"b\""]).column("parent", SqlType::BigInteger).nullable().refers("parent", "Order", Action::SetNull);
        let more = change(odd.clone(), "A \"b\"", |c| c.nullable = false);
        let project = Project::new(db).await;
        project.autogenerate("Start", &metadata(vec![odd.clone()])).await.unwrap();
        project.upgrade().await;
        assert_eq!(project.ops(&metadata(vec![odd.clone()])).await, []);
        project.autogenerate("More", &metadata(vec![more.clone()])).await.unwrap();
        project.upgrade().await;
        assert_eq!(project.ops(&metadata(vec![more])).await, []);
        project.downgrade("-1").await;
        assert_eq!(project.ops(&metadata(vec![odd])).await, []);
    }
}
