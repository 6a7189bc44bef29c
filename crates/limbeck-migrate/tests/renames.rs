//! Renames keep the rows, there and back.

mod support;

use limbeck::schema::{Action, Check, Metadata, SqlType, Table};
use limbeck_migrate::Error;
use limbeck_migrate::Rename;
use limbeck_migrate::autogenerate::{Difference, difference_after};
use limbeck_migrate::compare::Op;
use limbeck_migrate::render::render;
use limbeck_migrate::revision::NewRevision;
use limbeck_test_support::{Kind, TestDb, both};
use support::{Project, With, metadata, sorted, table};

fn described(found: &Difference) -> Vec<String> {
    found.diff.ops.iter().map(Op::describe).collect()
}

trait Was {
    fn was(self, old: &str) -> Self;
    fn table_was(self, old: &str) -> Self;
}

impl Was for Table {
    /// Of the last column.
    fn was(mut self, old: &str) -> Self {
        self.columns.last_mut().unwrap().was = Some(old.into());
        self
    }

    fn table_was(mut self, old: &str) -> Self {
        self.was = Some(old.into());
        self
    }
}

async fn found(project: &Project, wanted: &Metadata, renames: &[&str]) -> Result<Difference, Error> {
    let renames: Vec<Rename> = renames.iter().map(|text| text.parse().unwrap()).collect();
    difference_after(&project.migrator(), &project.engine, wanted, &renames).await
}

async fn refused(project: &Project, wanted: &Metadata, renames: &[&str]) -> String {
    let error = found(project, wanted, renames).await.unwrap_err();
    assert_eq!(error.exit_code(), 5, "{error}");
    error.to_string()
}

async fn start(db: TestDb, tables: Vec<Table>) -> Project {
    let project = Project::new(db).await;
    project.autogenerate("Start", &metadata(tables)).await.unwrap();
    project.upgrade().await;
    project
}

/// What a query of one text column says.
async fn texts(project: &Project, sql: &str) -> Vec<String> {
    let mut connection = project.engine.connect().await.unwrap();
    let rows: Vec<(String,)> = connection.fetch_raw(sql, &[]).await.unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

/// Writes the revision, applies it, and checks that nothing is left to do, that it can be taken back, and that it can
/// be applied again. `there` is asked after each way there, `back` after the way back.
async fn there_and_back(
    project: &Project,
    wanted: &Metadata,
    renames: &[&str],
    there: (&str, &[&str]),
    back: (&str, &[&str]),
) -> Vec<String> {
    let before = project.schema().await;
    let found = found(project, wanted, renames).await.unwrap();
    let plan = render(&found.diff.ops, &found.live);
    // To look was not to touch.
    assert_eq!(sorted(project.schema().await), sorted(before.clone()));
    let revision = NewRevision::new("Rename");
    revision.write(project.path(), &project.history(), &[(project.dialect(), plan.clone())]).unwrap();
    project.upgrade().await;
    assert_eq!(texts(project, there.0).await, there.1, "{plan:#?}");
    let again = difference_after(&project.migrator(), &project.engine, wanted, &[]).await.unwrap();
    assert_eq!(described(&again), [""; 0], "after {plan:#?}");
    project.downgrade("-1").await;
    assert_eq!(texts(project, back.0).await, back.1, "{plan:#?}");
    assert_eq!(sorted(project.schema().await), sorted(before), "back from {plan:#?}");
    project.upgrade().await;
    assert_eq!(texts(project, there.0).await, there.1);
    described(&found)
}

const NAMES: &str = "SELECT full_name FROM users ORDER BY id";

both! {
    async fn a_column_keeps_its_values_under_another_name(db: TestDb) {
        let users = || table("users").column("fullname", SqlType::Text).unique(&["fullname"]).index(&["fullname", "id"]);
        let project = start(db, vec![users()]).await;
        project.run("INSERT INTO users (fullname) VALUES ('Ada'), ('Bob')").await;
        let wanted = metadata(vec![
            table("users").column("full_name", SqlType::Text).unique(&["full_name"]).index(&["full_name", "id"]),
        ]);
        // Nobody has said so: it is a question, with the answers in it.
        let error = found(&project, &wanted, &[]).await.unwrap().refuse_losses(&[]).unwrap_err().to_string();
        assert!(error.contains("--rename users.fullname=users.full_name"), "{error}");
        assert!(error.contains("--drop users.fullname"), "{error}");

        let said = &["users.fullname=users.full_name"];
        let old = ("SELECT fullname FROM users ORDER BY id", &["Ada", "Bob"][..]);
        let done = there_and_back(&project, &wanted, said, (NAMES, &["Ada", "Bob"]), old).await;
        assert_eq!(done, ["rename column users.fullname to full_name"]);
    }

    async fn was_is_a_rename_until_it_is_made(db: TestDb) {
        let project = start(db, vec![table("users").column("fullname", SqlType::Text)]).await;
        project.run("INSERT INTO users (fullname) VALUES ('Ada')").await;
        let wanted = metadata(vec![table("users").column("full_name", SqlType::Text).was("fullname")]);
        let old = ("SELECT fullname FROM users", &["Ada"][..]);
        let done = there_and_back(&project, &wanted, &[], (NAMES, &["Ada"]), old).await;
        assert_eq!(done, ["rename column users.fullname to full_name"]);
        assert_eq!(project.difference(&wanted).await.renamed, ["users.full_name"]);

        // Where there is neither, it is a new column.
        let both = table("users").column("full_name", SqlType::Text).column("nick", SqlType::Text).nullable().was("nix");
        assert_eq!(described(&project.difference(&metadata(vec![both])).await), ["add column users.nick"]);

        // Where there are both, nobody knows what belongs where.
        project.run("ALTER TABLE users ADD COLUMN fullname TEXT").await;
        let error = refused(&project, &wanted, &[]).await;
        assert!(error.contains("users.full_name was users.fullname") && error.contains("has both"), "{error}");
    }

    async fn a_renamed_column_may_change_too(db: TestDb) {
        let project = start(db, vec![
            table("users").column("name", SqlType::String { length: Some(20) }).column("age", SqlType::Integer).nullable(),
        ]).await;
        project.run("INSERT INTO users (name, age) VALUES ('Ada', 36)").await;
        // SQLite has to make the table anew for it.
        let mut users = table("users").column("full_name", SqlType::Text).nullable().was("name")
            .column("years", SqlType::BigInteger).default("0").was("age");
        users.checks.push(Check { name: Some("ck_years".into()), expression: "years >= 0".into(), ..Check::default() });
        let old = ("SELECT name FROM users WHERE age = 36", &["Ada"][..]);
        let new = ("SELECT full_name FROM users WHERE years = 36", &["Ada"][..]);
        let done = there_and_back(&project, &metadata(vec![users]), &[], new, old).await;
        assert_eq!(&done[..2], ["rename column users.name to full_name", "rename column users.age to years"]);
        assert!(done.iter().any(|op| op.starts_with("alter column users.full_name: ")), "{done:?}");
    }

    async fn two_columns_change_places(db: TestDb) {
        let users = |a: &str, b: &str| table("users").column(a, SqlType::Text).column(b, SqlType::Text);
        let project = start(db, vec![users("first", "last")]).await;
        project.run("INSERT INTO users (first, last) VALUES ('Lovelace', 'Ada')").await;
        let wanted = metadata(vec![users("first", "last")]);
        let said = &["users.first=users.last", "users.last=users.first"];
        let query = "SELECT first || ' ' || last FROM users";
        there_and_back(&project, &wanted, said, (query, &["Ada Lovelace"]), (query, &["Lovelace Ada"])).await;

        // As `was` of one another, nothing tells whether it has been done.
        let users = table("users").column("first", SqlType::Text).was("last").column("last", SqlType::Text).was("first");
        let error = refused(&project, &metadata(vec![users]), &[]).await;
        assert!(error.contains("--rename users."), "{error}");
    }

    async fn a_column_takes_the_name_that_another_one_leaves(db: TestDb) {
        let users = |a: &str, b: &str| table("users").column(a, SqlType::Text).index(&[a]).column(b, SqlType::Text);
        let project = start(db, vec![users("a", "b").unique(&["b"])]).await;
        project.run("INSERT INTO users (a, b) VALUES ('was a', 'was b')").await;
        let mut wanted = users("b", "c").unique(&["c"]);
        wanted.columns[1].was = Some("a".into());
        wanted.columns[2].was = Some("b".into());
        let new = ("SELECT b || ' ' || c FROM users", &["was a was b"][..]);
        let old = ("SELECT a || ' ' || b FROM users", &["was a was b"][..]);
        there_and_back(&project, &metadata(vec![wanted]), &[], new, old).await;
    }

    async fn a_table_is_renamed_with_a_column_and_what_refers_to_it_follows(db: TestDb) {
        let project = start(db, vec![
            table("members").column("name", SqlType::Text).unique(&["name"])
                .column("boss", SqlType::BigInteger).nullable().refers("boss", "members", Action::SetNull).index(&["boss"]),
            table("posts").column("author", SqlType::BigInteger).refers("author", "members", Action::Cascade),
        ]).await;
        project.run("INSERT INTO members (name, boss) VALUES ('Ada', NULL)").await;
        project.run("INSERT INTO members (name, boss) SELECT 'Bob', id FROM members").await;
        project.run("INSERT INTO posts (author) SELECT id FROM members").await;
        let wanted = metadata(vec![
            table("users").table_was("members").column("full_name", SqlType::Text).was("name").unique(&["full_name"])
                .column("boss", SqlType::BigInteger).nullable().refers("boss", "users", Action::SetNull).index(&["boss"]),
            table("posts").column("author", SqlType::BigInteger).refers("author", "users", Action::Cascade),
        ]);
        let new = ("SELECT u.full_name FROM posts p JOIN users u ON u.id = p.author ORDER BY u.id", &["Ada", "Bob"][..]);
        let old = ("SELECT u.name FROM posts p JOIN members u ON u.id = p.author ORDER BY u.id", &["Ada", "Bob"][..]);
        let done = there_and_back(&project, &wanted, &[], new, old).await;
        assert_eq!(done, ["rename table members to users", "rename column users.name to full_name"]);
        // The keys hold: of the table itself, and of the other one.
        project.run("DELETE FROM users WHERE full_name = 'Ada'").await;
        assert_eq!(texts(&project, "SELECT full_name FROM users WHERE boss IS NULL").await, ["Bob"]);
        assert_eq!(project.count("posts").await, 1);
    }

    async fn a_rename_goes_with_the_rebuild_of_tables_that_refer_to_it(db: TestDb) {
        let project = start(db, vec![
            table("members").column("name", SqlType::Text),
            table("posts").column("author", SqlType::BigInteger).refers("author", "members", Action::Cascade)
                .column("title", SqlType::Text),
        ]).await;
        project.run("INSERT INTO members (name) VALUES ('Ada')").await;
        project.run("INSERT INTO posts (author, title) SELECT id, 'Notes' FROM members").await;
        project.run("CREATE VIEW names AS SELECT name FROM members").await;
        let wanted = metadata(vec![
            table("users").column("name", SqlType::Text).nullable(),
            table("posts").column("writer", SqlType::BigInteger).refers("writer", "users", Action::Cascade)
                .column("title", SqlType::Text).nullable(),
        ]);
        let said = &["members=users", "posts.author=posts.writer"];
        let new = ("SELECT n.name FROM posts p JOIN users u ON u.id = p.writer JOIN names n ON n.name = u.name", &["Ada"][..]);
        let old = ("SELECT n.name FROM posts p JOIN members u ON u.id = p.author JOIN names n ON n.name = u.name", &["Ada"][..]);
        there_and_back(&project, &wanted, said, new, old).await;
    }

    async fn two_tables_change_places(db: TestDb) {
        let tables = || vec![table("a").column("x", SqlType::Text), table("b").column("x", SqlType::Text)];
        let project = start(db, tables()).await;
        project.run("INSERT INTO a (x) VALUES ('was a')").await;
        project.run("INSERT INTO b (x) VALUES ('was b')").await;
        let query = "SELECT a.x || ' ' || b.x FROM a, b";
        there_and_back(&project, &metadata(tables()), &["a=b", "b=a"], (query, &["was b was a"]), (query, &["was a was b"])).await;
    }

    async fn a_rename_that_cannot_be_is_refused(db: TestDb) {
        let project = start(db, vec![table("users").column("a", SqlType::Text).column("b", SqlType::Text), table("old")]).await;
        let wanted = metadata(vec![table("users").column("b", SqlType::Text).column("c", SqlType::Text), table("new")]);
        for (said, why) in [
            (&["users.x=users.c"][..], "`--rename users.x=users.c`"),
            (&["users.a=users.x"][..], "one of the models"),
            (&["users.a=users.b"][..], "has both"),
            (&["users.a=users.c", "users.b=users.c"][..], "another `--rename`"),
            (&["users.a=new.c"][..], "in that table"),
            (&["old=users"][..], "has both"),
            (&["nothing=new"][..], "`--rename nothing=new`"),
        ] {
            let error = refused(&project, &wanted, said).await;
            assert!(error.contains(why), "{said:?}: {error}");
        }
        // What can be, the questions name: the likeliest first.
        let found = found(&project, &wanted, &[]).await.unwrap();
        let asked: Vec<_> = found.questions(&[]).into_iter().map(|q| (q.gone, q.candidates[0].0.clone())).collect();
        assert!(asked.contains(&("users.a".into(), "users.c".into())), "{asked:?}");
        assert!(asked.contains(&("old".into(), "new".into())), "{asked:?}");
    }

    async fn a_new_table_of_the_name_that_another_leaves_is_refused(db: TestDb) {
        let project = start(db, vec![table("users")]).await;
        let wanted = metadata(vec![table("users").column("x", SqlType::Text), table("people").table_was("users")]);
        let error = refused(&project, &wanted, &[]).await;
        assert!(error.contains("another table users"), "{error}");
    }
}

/// Draws numbers that look like nothing in particular.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// A column: its type, whether it is unique, whether it is indexed, and the table that it refers to.
type Shape = (usize, bool, bool, Option<usize>);

/// A schema of a few tables with keys and indexes; any of its names may be another one afterwards, or change places, and
/// columns may change otherwise too. No value is lost.
async fn any_renames(kind: Kind, seed: u64) {
    let Some(db) = TestDb::of(kind) else { return };
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let count = 1 + draw.below(3);
    let types = [SqlType::Text, SqlType::String { length: Some(90) }];
    let shapes: Vec<Vec<Shape>> = (0..count)
        .map(|_| {
            let columns = 1 + draw.below(4);
            let target = |draw: &mut Draw| (draw.below(3) == 0).then(|| draw.below(count));
            (0..columns).map(|_| (draw.below(2), draw.below(2) == 0, draw.below(3) == 0, target(&mut draw))).collect()
        })
        .collect();
    let build = |tables: &[String], columns: &[Vec<String>], nullable: bool| {
        let built = shapes.iter().enumerate().map(|(t, shape)| {
            let mut out = table(&tables[t]);
            for (c, (kind, unique, indexed, target)) in shape.iter().enumerate() {
                let name = &columns[t][c];
                out = match target {
                    Some(target) => out.column(name, SqlType::BigInteger).nullable().refers(
                        name,
                        &tables[*target],
                        Action::NoAction,
                    ),
                    None => out.column(name, types[*kind].clone()),
                };
                if nullable {
                    out = out.nullable();
                }
                if *unique && target.is_none() {
                    out = out.unique(&[name]);
                } else if *indexed {
                    out = out.index(&[name]);
                }
            }
            out
        });
        metadata(built.collect())
    };
    let pool = ["alpha", "Beta", "order", "delta", "select", "zeta", "eta x"];
    let mut pick = |count: usize, what: &str| {
        let mut left: Vec<String> = pool.iter().map(|name| format!("{what}{name}")).collect();
        (0..count).map(|_| left.remove(draw.below(left.len()))).collect::<Vec<String>>()
    };
    let (old_tables, new_tables) = (pick(count, "t "), pick(count, "t "));
    let old_columns: Vec<Vec<String>> = shapes.iter().map(|shape| pick(shape.len(), "")).collect();
    let new_columns: Vec<Vec<String>> = shapes.iter().map(|shape| pick(shape.len(), "")).collect();
    let mut said = Vec::new();
    for t in 0..count {
        if old_tables[t] != new_tables[t] {
            said.push(format!("{}={}", old_tables[t], new_tables[t]));
        }
        for (old, new) in old_columns[t].iter().zip(&new_columns[t]).filter(|(old, new)| old != new) {
            said.push(format!("{}.{old}={}.{new}", old_tables[t], new_tables[t]));
        }
    }
    let project = Project::new(db).await;
    project.autogenerate("Start", &build(&old_tables, &old_columns, false)).await.unwrap();
    project.upgrade().await;
    let quote = |name: &str| format!("\"{name}\"");
    for t in 0..count {
        let plain: Vec<usize> = (0..shapes[t].len()).filter(|c| shapes[t][*c].3.is_none()).collect();
        for row in 0..2 {
            let names: Vec<String> = plain.iter().map(|c| quote(&old_columns[t][*c])).collect();
            let values: Vec<String> = plain.iter().map(|c| format!("'{t} {c} {row}'")).collect();
            let list = if names.is_empty() {
                "DEFAULT VALUES".into()
            } else {
                format!("({}) VALUES ({})", names.join(", "), values.join(", "))
            };
            project.run(&format!("INSERT INTO {} {list}", quote(&old_tables[t]))).await;
        }
    }
    let rows = async |tables: &[String], columns: &[Vec<String>]| {
        let mut out = Vec::new();
        for (t, shape) in shapes.iter().enumerate() {
            for (c, _) in shape.iter().enumerate().filter(|(_, shape)| shape.3.is_none()) {
                let sql = format!("SELECT {} FROM {} ORDER BY id", quote(&columns[t][c]), quote(&tables[t]));
                out.push(texts(&project, &sql).await);
            }
        }
        out
    };
    let kept = rows(&old_tables, &old_columns).await;
    let what = format!("{kind:?}, seed {seed}: {said:?}");
    let wanted = build(&new_tables, &new_columns, seed.is_multiple_of(2));
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let before = project.schema().await;
    let found = found(&project, &wanted, &said).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let plan = render(&found.diff.ops, &found.live);
    let revision = NewRevision::new("Rename");
    revision.write(project.path(), &project.history(), &[(project.dialect(), plan.clone())]).unwrap();
    if let Err(error) = project.migrator().upgrade(&project.engine, "head").await {
        panic!("{what}: {error}\n{plan:#?}");
    }
    assert_eq!(rows(&new_tables, &new_columns).await, kept, "{what}: {plan:#?}");
    assert_eq!(project.ops(&wanted).await, [], "{what}: {plan:#?}");
    if let Err(error) = project.migrator().downgrade(&project.engine, "-1").await {
        panic!("{what}: {error}\n{plan:#?}");
    }
    assert_eq!(rows(&old_tables, &old_columns).await, kept, "{what}: {plan:#?}");
    assert_eq!(sorted(project.schema().await), sorted(before), "{what}: {plan:#?}");
    project.engine.close().await;
}

/// How many schemas; `LIMBECK_PROPERTY_CASES` for more.
fn cases(default: u64) -> u64 {
    std::env::var("LIMBECK_PROPERTY_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn any_names_become_any_others_on_sqlite() {
    for seed in 1..=cases(60) {
        any_renames(Kind::Sqlite, seed).await;
    }
}

#[tokio::test]
async fn any_names_become_any_others_on_postgres() {
    for seed in 1..=cases(15) {
        any_renames(Kind::Postgres, seed).await;
    }
}
