//! What is a difference, what is none, and what is nobody's business.

mod support;

use limbeck::schema::{
    Action, ArrayType, Check, Collation, Computed, Deferrable, Identity, Index, IndexKey, IndexOn, IndexOptions,
    Metadata, SqlType, Table, UniqueConstraint, naming,
};
use limbeck_migrate::Error;
use limbeck_migrate::compare::Op;
use limbeck_test_support::{Kind, TestDb, both};
use support::{Project, With, metadata, sorted, table};

fn described(ops: &[Op]) -> Vec<String> {
    ops.iter().map(Op::describe).collect()
}

both! {
    async fn tables_that_no_revision_made_are_left_alone(db: TestDb) {
        let project = Project::new(db).await;
        project.run("CREATE TABLE theirs (id INTEGER)").await;
        let ours = metadata(vec![table("ours"), table("passing")]);
        project.autogenerate("Start", &ours).await.unwrap();
        project.upgrade().await;

        let found = project.difference(&metadata(vec![table("ours")])).await;
        assert_eq!(found.diff.unknown, ["theirs"]);
        assert_eq!(described(&found.diff.ops), ["drop table passing"]);

        // Of ours, one goes only when that is said.
        let error = found.refuse_losses(&[]).unwrap_err();
        assert_eq!(error.exit_code(), 5);
        assert!(error.to_string().contains("--drop passing") && error.to_string().contains("as _;"), "{error}");
        found.refuse_losses(&["passing".into()]).unwrap();
        let error = found.refuse_losses(&["passing".into(), "theirs".into()]).unwrap_err();
        assert!(error.to_string().contains("--drop theirs"), "{error}");
    }

    async fn a_possible_rename_is_refused_unless_the_loss_is_meant(db: TestDb) {
        let project = Project::new(db).await;
        let old = || table("users").column("fullname", SqlType::Text).column("age", SqlType::Integer);
        project.autogenerate("Start", &metadata(vec![old()])).await.unwrap();
        project.upgrade().await;
        let renamed = old().without("fullname").column("full_name", SqlType::Text).nullable();
        let found = project.difference(&metadata(vec![renamed])).await;
        let error = found.refuse_losses(&[]).unwrap_err();
        assert!(matches!(error, Error::NeedsPerson(_)), "{error}");
        assert!(error.to_string().contains("--drop users.fullname"), "{error}");
        found.refuse_losses(&["users.fullname".into()]).unwrap();

        // A column that only goes is in the file for all to see.
        project.difference(&metadata(vec![old().without("age")])).await.refuse_losses(&[]).unwrap();
    }

    async fn autogenerate_refuses_a_database_that_is_not_at_head(db: TestDb) {
        let project = Project::new(db).await;
        project.autogenerate("Start", &metadata(vec![table("a")])).await.unwrap();
        let migrator = project.migrator();
        let refused = limbeck_migrate::autogenerate::difference(&migrator, &project.engine, &Metadata::default()).await;
        assert!(matches!(refused, Err(Error::NotAtHead { .. })));
    }

    /// The names of constraints are of no consequence: another tool may have given them.
    async fn other_names_are_no_difference(db: TestDb) {
        let project = Project::new(db).await;
        let parent = table("parents").column("x", SqlType::Text).unique(&["x"]).column("y", SqlType::Text).index(&["y"]);
        let child = table("children").column("p", SqlType::BigInteger).refers("p", "parents", Action::Cascade);
        let key = if project.db.is_postgres() { "BIGSERIAL PRIMARY KEY" } else { "INTEGER PRIMARY KEY AUTOINCREMENT" };
        let text = "TEXT NOT NULL";
        project.run(&format!("CREATE TABLE parents (id {key}, x {text} CONSTRAINT odd UNIQUE, y {text})")).await;
        project.run("CREATE INDEX other_name ON parents (y)").await;
        project
            .run(&format!("CREATE TABLE children (id {key}, p BIGINT NOT NULL REFERENCES parents ON DELETE CASCADE)"))
            .await;
        assert_eq!(project.ops(&metadata(vec![parent.clone(), child])).await, []);

        // A unique index does what the constraint does.
        project.run("DROP TABLE children").await;
        project.run("CREATE UNIQUE INDEX more ON parents (y, x)").await;
        let both = parent.unique(&["y", "x"]);
        assert_eq!(project.ops(&metadata(vec![both])).await, []);
    }

    async fn what_models_do_not_say_is_one_that_they_have_given_up(db: TestDb) {
        let project = Project::new(db).await;
        let wanted = || metadata(vec![table("a").column("x", SqlType::Text)]);
        project.autogenerate("Start", &wanted()).await.unwrap();
        project.upgrade().await;
        project.run("CREATE INDEX ix_odd ON a (lower(x))").await;
        project.run("CREATE UNIQUE INDEX ix_part ON a (x) WHERE id > 5").await;
        project.run("CREATE INDEX ix_down ON a (x DESC)").await;
        project.run("CREATE INDEX ix_plain ON a (x)").await;
        let mut gone = described(&project.ops(&wanted()).await);
        gone.sort();
        assert_eq!(gone, ["drop index ix_down", "drop index ix_odd", "drop index ix_part", "drop index ix_plain"]);
    }

    /// Each option alone: found, made, not found again, and taken back.
    async fn each_option_is_found_made_and_taken_back(db: TestDb) {
        let postgres = db.is_postgres();
        let project = Project::new(db).await;
        let base = || table("a").column("x", SqlType::Text).column("n", SqlType::Integer).refers("n", "b", Action::NoAction);
        let target = || {
            let mut target = table("b");
            target.columns[0].sql_type = SqlType::Integer;
            target
        };
        let start = || metadata(vec![base(), target()]);
        project.autogenerate("Start", &start()).await.unwrap();
        project.upgrade().await;
        let before = sorted(project.schema().await);
        let check = |table: &mut Table, sql: &str| {
            table.checks.push(Check { name: Some("ck_a".into()), expression: sql.into(), ..Check::default() });
        };
        let index = |table: &mut Table, change: fn(&mut IndexOptions)| {
            let key = IndexKey {
                on: IndexOn::Column("x".into()),
                descending: false,
                nulls_first: None,
                opclass: None,
                collation: None,
            };
            let mut options = IndexOptions { keys: vec![key], ..IndexOptions::default() };
            change(&mut options);
            let columns = options.columns();
            table.indexes.push(Index { name: "ix_a".into(), columns, options: Some(options), ..Index::default() });
        };
        type Change = Box<dyn Fn(&mut Table)>;
        let changes: [(&str, bool, Change); 13] = [
            ("check of a: length(x) < 9", true, Box::new(move |t| check(t, "length(x) < 9"))),
            ("check of a: n in (1,2)", true, Box::new(move |t| check(t, "n in (1,2)"))),
            ("index ix_a on a", true, Box::new(move |t| index(t, |o| o.keys[0].descending = true))),
            ("index ix_a on a", true, Box::new(move |t| index(t, |o| o.predicate = Some("n > 3".into())))),
            ("index ix_a on a", true, Box::new(move |t| {
                index(t, |o| o.keys[0].on = IndexOn::Expression("lower( x )".into()));
            })),
            ("index ix_a on a", postgres, Box::new(move |t| index(t, |o| o.method = Some("hash".into())))),
            ("index ix_a on a", postgres, Box::new(move |t| index(t, |o| o.include = vec!["n".into()]))),
            ("alter column a.n: computed", true, Box::new(|t| {
                t.columns[2].computed = Some(Computed { expression: "id + 1".into(), stored: true });
            })),
            ("alter column a.x: collation", true, Box::new(|t| {
                let (postgres, sqlite) = (Some("C".to_string()), Some("NOCASE".to_string()));
                t.columns[1].collation = Some(Collation { postgres, sqlite });
            })),
            ("drop foreign key a.n to b", true, Box::new(|t| t.foreign_keys[0].deferrable = Deferrable::InitiallyDeferred)),
            ("unique a.x", true, Box::new(|t| {
                let (name, columns) = (Some("uq_a_x".into()), vec!["x".into()]);
                let deferrable = Deferrable::InitiallyImmediate;
                t.uniques.push(UniqueConstraint { name, columns, deferrable, ..UniqueConstraint::default() });
            })),
            ("comment of a", postgres, Box::new(|t| t.comment = Some("it's \\ it".into()))),
            ("alter column a.id: how it is numbered", postgres, Box::new(|t| {
                t.columns[0].identity = Some(Identity { always: true, start: 7, increment: 2 });
            })),
        ];
        for (what, differs, change) in changes {
            let mut changed = base();
            change(&mut changed);
            let wanted = metadata(vec![changed, target()]);
            let ops = described(&project.ops(&wanted).await);
            if !differs {
                // What SQLite has no notion of; an index is one over the column there.
                assert!(ops.is_empty() || ops == ["index on a.x"], "{ops:?}");
                continue;
            }
            let anew = what == "alter column a.n: computed" && postgres;
            assert!(anew || ops.iter().any(|op| op == what), "{what}: {ops:?}");
            let plan = project.autogenerate("Change", &wanted).await.unwrap();
            project.upgrade().await;
            assert_eq!(project.ops(&wanted).await, [], "{what}: {plan:#?}");
            project.downgrade("-1").await;
            assert_eq!(sorted(project.schema().await), before, "{what}: {plan:#?}");
            project.upgrade().await;
            // The way back as a difference, too.
            project.autogenerate("Back", &start()).await.unwrap();
            project.upgrade().await;
            assert_eq!(project.ops(&start()).await, [], "{what}");
        }
    }

    async fn the_order_of_columns_in_an_index_counts(db: TestDb) {
        let project = Project::new(db).await;
        let base = || table("a").column("x", SqlType::Text).column("y", SqlType::Text);
        project.autogenerate("Start", &metadata(vec![base().index(&["x", "y"])])).await.unwrap();
        project.upgrade().await;
        let other = base().index(&["y", "x"]);
        assert_eq!(described(&project.ops(&metadata(vec![other])).await), ["drop index ix_a_x_y", "index on a.y, x"]);
        let mut unique = base();
        let columns = vec!["x".to_string(), "y".to_string()];
        unique.indexes.push(Index { name: naming::index("a", &columns), columns, unique: true, ..Index::default() });
        assert_eq!(described(&project.ops(&metadata(vec![unique])).await).len(), 2);
    }

    async fn every_operation_is_its_inverse_inverted(db: TestDb) {
        let project = Project::new(db).await;
        let before = || table("a").column("x", SqlType::Text).index(&["x"]).column("y", SqlType::Integer);
        project.autogenerate("Start", &metadata(vec![before(), table("gone")])).await.unwrap();
        project.upgrade().await;
        let after = metadata(vec![
            before().without("x").key(&["y"]).column("z", SqlType::BigInteger).unique(&["z"]).refers("z", "b", Action::Cascade),
            table("b"),
        ]);
        let ops = project.ops(&after).await;
        assert!(ops.len() >= 8, "{ops:?}");
        for op in ops {
            assert_eq!(op.clone().inverse().inverse(), op);
            assert_ne!(op.clone().inverse(), op);
        }
    }
}

/// A column of JSON that another tool made needs no check; a text that becomes one does.
#[tokio::test]
async fn json_that_others_declared_is_left_without_a_check() {
    let Some(db) = TestDb::of(Kind::Sqlite) else { return };
    let project = Project::new(db).await;
    let base = || table("docs").column("data", SqlType::Json { binary: true }).nullable();
    let id = "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT";
    project.run(&format!("CREATE TABLE docs ({id}, data JSON)")).await;
    assert_eq!(project.ops(&metadata(vec![base()])).await, []);
    // Nor does it get one by the way.
    let more = metadata(vec![base().column("list", SqlType::Array(ArrayType::new(&SqlType::Text))).nullable()]);
    assert_eq!(
        described(&project.ops(&more).await),
        ["add column docs.list", "check of docs: list IS NULL OR json_valid(list)"]
    );
    project.autogenerate("More", &more).await.unwrap();
    project.upgrade().await;
    assert_eq!(project.ops(&more).await, []);
    project.downgrade("base").await;
    assert_eq!(project.ops(&metadata(vec![base()])).await, []);

    project.run("DROP TABLE docs").await;
    project.run(&format!("CREATE TABLE docs ({id}, data TEXT)")).await;
    assert_eq!(
        described(&project.ops(&metadata(vec![base()])).await),
        ["check of docs: data IS NULL OR json_valid(data)"]
    );
    // And one that is text again has to take any.
    project.run("DROP TABLE docs").await;
    project.run(&format!("CREATE TABLE docs ({id}, data TEXT CHECK (data IS NULL or json_valid( data )))")).await;
    assert_eq!(project.ops(&metadata(vec![base()])).await, []);
    let text = metadata(vec![table("docs").column("data", SqlType::Text).nullable()]);
    assert_eq!(described(&project.ops(&text).await), ["drop check of docs: data IS NULL or json_valid( data )"]);
}

/// The server writes what it was told in its own words; it is asked for those of the models.
#[tokio::test]
async fn defaults_are_compared_by_the_server() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let project = Project::new(db).await;
    let moment = SqlType::DateTime { timezone: true };
    let with = |text: &str, now: &str, number: &str, flag: &str| {
        metadata(vec![
            table("a")
                .column("text", SqlType::String { length: Some(20) })
                .default(text)
                .column("at", moment.clone())
                .default(now)
                .column("n", SqlType::Double)
                .default(number)
                .column("flag", SqlType::Boolean)
                .default(flag)
                .column("d", SqlType::Date)
                .default("CURRENT_DATE"),
        ])
    };
    project.autogenerate("Start", &with("'x'", "now()", "1 + 1", "'t'")).await.unwrap();
    project.upgrade().await;
    for same in [
        with("'x'", "now()", "1 + 1", "'t'"),
        with("'x'::character varying", "NOW( )", "(1+1)", "true"),
        with("cast('x' AS varchar)", "now()", "1 /* one */ + 1", "TRUE"),
    ] {
        assert_eq!(project.ops(&same).await, []);
    }
    for other in [
        with("'X'", "now()", "1 + 1", "true"),
        with("'x'", "clock_timestamp()", "1 + 1", "true"),
        with("'x'", "now()", "2 + 1", "true"),
        with("'x'", "now()", "1 + 1", "false"),
    ] {
        assert_eq!(project.ops(&other).await.len(), 1);
    }
    assert_eq!(project.count("pg_class WHERE relname = 'limbeck_scratch'").await, 0, "the scratch table is gone");
}

/// Where the server cannot be asked, texts are compared by their tokens, and it is said.
#[tokio::test]
async fn a_default_that_the_server_refuses_is_compared_as_text() {
    let Some(db) = TestDb::of(Kind::Postgres) else { return };
    let project = Project::new(db).await;
    let with = |default: &str| metadata(vec![table("a").column("n", SqlType::Integer).default(default)]);
    project.autogenerate("Start", &with("1")).await.unwrap();
    project.upgrade().await;
    let found = project.difference(&with("no_such_function()")).await;
    assert_eq!(found.diff.ops.len(), 1);
    assert!(found.note.unwrap().contains("no_such_function"));
}

/// Five hundred tables cost as many queries as one.
#[tokio::test]
async fn reflection_takes_a_handful_of_queries() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(db) = TestDb::of(kind) else { continue };
        let project = Project::new(db).await;
        let tables = |count: usize| {
            let one = |i: usize| {
                let column = table(&format!("t{i}")).column("x", SqlType::Text).unique(&["x"]);
                let column = column.column("p", SqlType::BigInteger).index(&["p"]);
                if i == 0 { column } else { column.refers("p", &format!("t{}", i - 1), Action::Cascade) }
            };
            metadata((0..count).map(one).collect())
        };
        project.autogenerate("Start", &tables(500)).await.unwrap();
        project.upgrade().await;
        let mut connection = project.engine.connect().await.unwrap();
        let before = connection.stats().statements;
        let started = std::time::Instant::now();
        let live = limbeck_migrate::reflect::Schema::read(&mut connection).await.unwrap();
        println!("{kind:?}: 500 tables read in {:?}", started.elapsed());
        assert_eq!(live.tables.len(), 500);
        assert!(connection.stats().statements - before <= 10, "{}", connection.stats().statements - before);
        assert_eq!(project.ops(&tables(500)).await, []);
    }
}
