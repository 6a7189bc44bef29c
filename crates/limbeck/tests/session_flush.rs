//! The flush: what it sends, in how many round trips, and what a failure leaves.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::engine::Stats;
use limbeck::prelude::*;
use limbeck::session::State;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

/// Statements, round trips and prepares of adding so many users, with 10 posts each, with 3 tags each.
async fn cost_of_adding(url: &str, users: usize) -> Result<Stats> {
    let engine = engine(url).await;
    let mut session = engine.sessionmaker().open();
    let before = engine.stats();
    let tags = session.add_all(["a", "b", "c"].map(|name| Tag::builder().name(name)));
    for i in 0..users {
        let author = session.add(user(&format!("user{i}")));
        for n in 0..10 {
            session.add(Post::builder().title(format!("{n}")).author(author).tags(tags.clone()));
        }
    }
    session.commit().await?;
    let cost = engine.stats() - before;
    let rows: i64 = session.one(sql("SELECT count(*) FROM post_tags").rows::<i64>()).await?;
    assert_eq!(rows, users as i64 * 30);
    Ok(cost)
}

#[tokio::test]
async fn on_postgres_one_user_costs_as_many_round_trips_as_a_thousand() -> Result<()> {
    let Some(one) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return Ok(()) };
    let thousand = TestDb::postgres();
    let small = cost_of_adding(one.url(), 1).await?;
    let large = cost_of_adding(thousand.url(), 1000).await?;
    assert_eq!(small, large);
    // BEGIN with the first of three rounds, each preceded by a prepare; COMMIT.
    assert_eq!((small.statements, small.round_trips), (6, 7));
    Ok(())
}

#[tokio::test]
async fn on_postgres_one_update_costs_as_many_round_trips_as_a_thousand() -> Result<()> {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return Ok(()) };
    let mut costs = Vec::new();
    create_tables(&Engine::builder(db.url()).connect().await?).await;
    for count in [1usize, 1000] {
        let engine = Engine::builder(db.url()).connect().await?;
        let mut session = engine.sessionmaker().open();
        let tags = session.add_all((0..count).map(|i| Tag::builder().name(format!("{count} {i}"))));
        session.commit().await?;
        let before = engine.stats();
        for tag in &tags {
            session[*tag].name.push('!');
        }
        session.commit().await?;
        costs.push(engine.stats() - before);
        session.expunge_all();
        assert_eq!(session.count(select(Tag).filter(Tag.name.like("%!"))).await?, count as u64 + u64::from(count > 1));
    }
    assert_eq!(costs[0], costs[1]);
    // BEGIN and the prepare, the UPDATE, COMMIT.
    assert_eq!((costs[0].statements, costs[0].round_trips), (3, 3));
    Ok(())
}

both! {
    async fn the_page_sends_four_inserts_in_dependency_order(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        let rust = session.add(Tag::builder().name("rust"));
        session.add(Post::builder().title("Hello").author(ada).tags([rust]));
        session.commit().await?;
        let sent: Vec<String> = log.take().iter().map(|line| line.replace('"', "")).collect();
        let columns = "email, username, hashed_password, full_name, is_active, created_at, updated_at";
        let wanted: Vec<String> = if db.is_postgres() {
            let insert = |table: &str, columns: &str, count: usize, end: &str| {
                let list = |f: &dyn Fn(usize) -> String| (0..count).map(f).collect::<Vec<_>>().join(", ");
                let (c, p) = (list(&|i| format!("c{i}")), list(&|i| format!("${}", i + 1)));
                format!(
                    "INSERT INTO {table} ({columns}) SELECT {c} FROM unnest({p}) WITH ORDINALITY AS r({c}, n) \
                     ORDER BY n{end}"
                )
            };
            vec![
                "BEGIN (write)".into(),
                insert("users", columns, 7, " RETURNING id"),
                insert("tags", "name", 1, " RETURNING id"),
                insert("posts", "title, author_id", 2, " RETURNING id, views"),
                insert("post_tags", "post_id, tag_id", 2, " ON CONFLICT DO NOTHING"),
                "COMMIT".into(),
            ]
        } else {
            vec![
                "BEGIN (write)".into(),
                format!("INSERT INTO users ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"),
                "INSERT INTO tags (name) VALUES (?)".into(),
                "INSERT INTO posts (title, author_id) VALUES (?, ?) RETURNING id, views".into(),
                "INSERT INTO post_tags (post_id, tag_id) VALUES (?, ?) ON CONFLICT DO NOTHING".into(),
                "COMMIT".into(),
            ]
        };
        assert_eq!(sent, wanted);
        Ok(())
    }

    async fn a_savepoint_is_used_only_inside_an_open_transaction(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        session.add(Tag::builder().name("a"));
        session.flush().await?;
        assert!(!log.take().iter().any(|line| line.contains("SAVEPOINT")));
        session.add(Tag::builder().name("b"));
        session.flush().await?;
        assert_eq!(log.take().iter().filter(|line| line.contains("SAVEPOINT")).count(), 2);
        session.commit().await?;
        Ok(())
    }

    async fn one_flush_updates_inserts_links_and_deletes(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let tags = session.add_all(["a", "b"].map(|name| Tag::builder().name(name)));
        let post = session.add(Post::builder().title("a").author(ada).tags([tags[0]]));
        session.commit().await?;
        log.take();
        session[bob].full_name = Some("Bob".into());
        session.link(post, Post.author, bob)?;
        session.link(post, Post.tags, tags[1])?;
        session.unlink(post, Post.tags, tags[0])?;
        session.delete(tags[0])?;
        session.delete(ada)?;
        session.commit().await?;
        let kinds: Vec<String> =
            log.take().iter().map(|line| line.split(['(', '$', '?']).next().unwrap_or_default().replace('"', "")).collect();
        let place = |what: &str| kinds.iter().position(|kind| kind.starts_with(what)).unwrap_or_else(|| panic!("{what}: {kinds:?}"));
        assert!(place("UPDATE users") < place("UPDATE posts"));
        assert!(place("UPDATE posts") < place("INSERT INTO post_tags"));
        assert!(place("INSERT INTO post_tags") < place("DELETE FROM post_tags"));
        assert!(place("DELETE FROM post_tags") < place("DELETE FROM tags"));
        assert!(place("DELETE FROM post_tags") < place("DELETE FROM users"));
        let author: Option<String> = session.one(sql("SELECT u.full_name FROM posts p JOIN users u ON u.id = p.author_id").rows::<Option<String>>()).await?;
        assert_eq!(author.as_deref(), Some("Bob"));
        Ok(())
    }

    async fn a_unique_violation_names_the_object_and_the_flush_can_be_mended(db: TestDb) -> Result<()> {
        for in_transaction in [false, true] {
            let db = TestDb::of(db.kind()).expect("another database");
            let mut session = session(db.url()).await;
            session.add(user("ada"));
            session.commit().await?;
            if in_transaction {
                session.add(Tag::builder().name("before"));
                session.flush().await?;
            }
            let users = session.add_all(["bob", "ada", "carol"].map(user));
            let post = session.add(Post::builder().title("a").author(users[1]));
            session[users[1]].username = "ada2".into();
            let refused = session.flush().await.unwrap_err();
            let Error::UniqueViolation(violation) = &refused else { panic!("{refused}") };
            assert_eq!(violation.table, "users");
            assert_eq!(violation.constraint.as_deref(), Some("uq_users_email"));
            assert_eq!(violation.columns, ["email"]);
            assert_eq!(violation.model, Some("User"));
            let handle = session[post].author.get();
            assert_eq!(handle, Some(users[1]));
            assert_eq!(violation.object, Some(users[1].handle()));
            // As before the flush.
            assert_eq!(session.in_transaction(), in_transaction);
            assert!(users.iter().all(|user| session.state(*user).is_ok_and(|state| state == State::Pending)));
            assert_eq!((session[users[0]].id, session[post].author_id), (0, 0));
            session[users[1]].email = "ada2@example.com".into();
            session.commit().await?;
            assert_eq!(session.count(select(User)).await?, 4);
            assert_eq!(session.count(select(Tag)).await?, u64::from(in_transaction));
            assert_eq!(session[post].author_id, session[users[1]].id);
        }
        Ok(())
    }

    async fn of_two_new_rows_with_the_same_value_the_second_is_blamed(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let tags = session.add_all(["a", "b", "a"].map(|name| Tag::builder().name(name)));
        let refused = session.flush().await.unwrap_err();
        let blamed = refused.violation().and_then(|violation| violation.object);
        assert_eq!(blamed, Some(tags[2].handle()));
        session.expunge(tags[2])?;
        session.commit().await?;
        Ok(())
    }

    async fn a_foreign_key_violation_names_table_key_and_object(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        let good = session.add(Post::builder().title("a").author(ada));
        let bad = session.add(Post::builder().title("b").author_id(99));
        let refused = session.commit().await.unwrap_err();
        let Error::ForeignKeyViolation(violation) = &refused else { panic!("{refused}") };
        assert_eq!(violation.table, "posts");
        assert_eq!(violation.constraint.as_deref(), Some("fk_posts_author_id_users"));
        assert_eq!(violation.columns, ["author_id"]);
        assert_eq!(violation.model, Some("Post"));
        assert_eq!(violation.object, Some(bad.handle()));
        session[bad].author_id = session[ada].id;
        session.commit().await?;
        assert_eq!(session[good].author_id, session[bad].author_id);
        assert_eq!(session[ada].posts.len(), 2);
        Ok(())
    }

    async fn not_null_and_check_violations_are_typed(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        let mut connection = engine.connect().await?;
        // A database that is stricter than the model.
        connection.execute_raw("DROP TABLE seats").await?;
        connection
            .execute_raw("CREATE TABLE seats (room varchar NOT NULL, number integer NOT NULL, price integer NOT NULL \
                          DEFAULT 1 CONSTRAINT ck_seats_price CHECK (price > 0), PRIMARY KEY (room, number))")
            .await?;
        let key = if db.is_postgres() { "id bigserial PRIMARY KEY" } else { "id INTEGER PRIMARY KEY" };
        connection.execute_raw("DROP TABLE loose").await?;
        connection.execute_raw(&format!("CREATE TABLE loose ({key}, shelf_id bigint NOT NULL)")).await?;
        drop(connection);
        let mut session = engine.sessionmaker().open();
        let fine = session.add(Seat::builder().room("a").number(1).price(5));
        let free = session.add(Seat::builder().room("a").number(2).price(-1));
        let refused = session.flush().await.unwrap_err();
        let Error::CheckViolation(violation) = &refused else { panic!("{refused}") };
        assert_eq!((violation.table.as_str(), violation.constraint.as_deref()), ("seats", Some("ck_seats_price")));
        assert_eq!(violation.model, Some("Seat"));
        session[free].price = 1;
        session.flush().await?;
        assert_eq!(session.state(fine)?, State::Persistent);
        let loose = session.add(Loose::builder());
        let refused = session.flush().await.unwrap_err();
        let Error::NotNullViolation(violation) = &refused else { panic!("{refused}") };
        assert_eq!((violation.table.as_str(), violation.columns.as_slice()), ("loose", &["shelf_id".to_string()][..]));
        assert_eq!(violation.object, Some(loose.handle()));
        session.expunge(loose)?;
        session.commit().await?;
        assert_eq!(session.count(select(Seat)).await?, 2);
        Ok(())
    }

    async fn a_value_that_no_column_holds_is_refused_before_anything_is_sent(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let rust = session.add(Tag::builder().name("a"));
        let ada = session.add(User::builder().email("a").username("x".repeat(101)).hashed_password("p"));
        let refused = session.flush().await.unwrap_err();
        assert_eq!(refused.to_string(), "User.username: 101 characters, but the column holds 100");
        session[ada].username = "nul\0".into();
        assert!(matches!(session.flush().await, Err(Error::InvalidValue { model: "User", column: "username", .. })));
        assert_eq!(log.take(), Vec::<String>::new());
        assert!(!session.in_transaction());
        session[ada].username = "x".repeat(100);
        session.commit().await?;
        assert!(session[rust].id > 0);
        Ok(())
    }

    async fn a_row_that_somebody_else_deleted_is_a_stale_row(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let tag = session.add(Tag::builder().name("a"));
        let kept = session.add(Tag::builder().name("b"));
        session.commit().await?;
        let mut other = sessions.open();
        let theirs = other.get(Tag, session[tag].id).await?.expect("the row");
        other.delete(theirs)?;
        other.commit().await?;
        session[tag].name = "x".into();
        session[kept].name = "y".into();
        assert!(matches!(session.flush().await, Err(Error::StaleRow(_))));
        session.expunge(tag)?;
        session.commit().await?;
        assert_eq!(session.all(select(Tag.name)).await?, ["y"]);
        // Deleting what is gone is no error.
        other.commit().await?;
        let theirs = other.one(select(Tag)).await?;
        other.delete(theirs)?;
        other.commit().await?;
        session.rollback().await?;
        session.delete(kept)?;
        session.commit().await?;
        Ok(())
    }

    async fn objects_may_swap_their_primary_keys_in_memory(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let tag = session.add(Tag::builder().id(1).name("a"));
        session.commit().await?;
        session[tag].id = 2;
        session.flush().await?;
        let new = session.add(Tag::builder().id(1).name("b"));
        session.commit().await?;
        assert_eq!(session.get(Tag, 1).await?, Some(new));
        assert_eq!(session.get(Tag, 2).await?, Some(tag));
        Ok(())
    }

    async fn an_error_of_models_that_lead_to_each_other_can_be_debugged(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        session.add(user("ada"));
        session.commit().await?;
        session.add(user("ada"));
        let Err(Error::UniqueViolation(violation)) = session.flush().await else { panic!("two users of one name") };
        assert!(format!("{violation:?}").contains("\"users\""));
        Ok(())
    }
}
