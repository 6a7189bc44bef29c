//! Statements that write: their SQL on each database, what they do there, and which of them are refused.

mod common;

use common::statements::*;
use common::*;
use limbeck::prelude::*;
use limbeck::sql::excluded;
use limbeck_test_support::{TestDb, both};

both! {
    async fn rows_are_inserted(db: TestDb) {
        let db = &mut blog(&db).await;
        let one = insert(Tag).row(Tag::builder().name("one"));
        assert_text!(one, @"
        INSERT INTO tags (name) VALUES (?)
        INSERT INTO tags (name) VALUES ($1)
        ");
        assert_eq!(db.execute(&one).await.expect("an insert"), 1);
        let more = insert(Tag).rows(["two", "three"].map(|name| Tag::builder().name(name)));
        assert_text!(more, @"
        INSERT INTO tags (name) VALUES (?), (?)
        INSERT INTO tags (name) VALUES ($1), ($2)
        ");
        assert_eq!(db.execute(&more).await.expect("an insert"), 2);
        // Rows that were given different columns: a generated key, and a default of the database.
        let mixed = insert(Post)
            .row(Post::builder().id(70).title("a").author_id(1))
            .row(Post::builder().title("b").author_id(1).views(3));
        assert_text!(mixed, @"
        INSERT INTO posts (id, title, author_id, views) VALUES (?, ?, ?, 0), (NULL, ?, ?, ?)
        INSERT INTO posts (id, title, author_id, views) VALUES ($1, $2, $3, DEFAULT), (DEFAULT, $4, $5, $6)
        ");
        assert_eq!(db.execute(&mixed).await.expect("an insert"), 2);
        let rows = db.all(select((Post.title, Post.views)).filter(Post.title.in_(["a", "b"])).order_by(Post.title));
        assert_eq!(rows.await.expect("rows"), [("a".into(), 0), ("b".into(), 3)]);
        // Nothing but defaults.
        let empty = insert(Shelf).row(Shelf::builder());
        assert_text!(empty, @"INSERT INTO shelves DEFAULT VALUES");
        assert_eq!(db.execute(&empty).await.expect("an insert"), 1);
        let empty = insert(Shelf).row(Shelf::builder()).row(Shelf::builder());
        assert_text!(empty, @"
        INSERT INTO shelves (id) VALUES (NULL), (NULL)
        INSERT INTO shelves (id) VALUES (DEFAULT), (DEFAULT)
        ");
        assert_eq!(db.execute(&empty).await.expect("an insert"), 2);
        assert_eq!(db.count(select(Shelf)).await.expect("a count"), 3);
    }

    async fn what_was_inserted_is_returned(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = insert(Post).row(Post::builder().title("new").author_id(1)).returning((Post.id, Post.views, Post.title));
        assert_text!(query, @"
        INSERT INTO posts (title, author_id) VALUES (?, ?) RETURNING posts.id, posts.views, posts.title
        INSERT INTO posts (title, author_id) VALUES ($1, $2) RETURNING posts.id, posts.views, posts.title
        ");
        let (id, views, title) = db.one(&query).await.expect("a row");
        assert_eq!((id, views, &*title), (4, 0, "new"));
        let tags = db.all(insert(Tag).rows(["x", "y"].map(|name| Tag::builder().name(name))).returning(Tag)).await;
        assert_eq!(tags.expect("tags").iter().map(|tag| &*tag.name).collect::<Vec<_>>(), ["x", "y"]);
        // Defaults of the model are the builder's, and a model by value is a row as well.
        let ada = db.one(select(User).filter(User.username.eq("ada"))).await.expect("ada");
        let copy = User { id: 0, email: "copy".into(), username: "copy".into(), ..ada };
        let copied = db.one(insert(User).row(copy).returning((User.id, User.is_active))).await.expect("a row");
        assert_eq!(copied, (4, true));
    }

    async fn what_a_query_finds_is_inserted(db: TestDb) {
        let db = &mut blog(&db).await;
        let names = select((User.username, User.id)).filter(User.is_active);
        let insert_names = insert(Post).from_select((Post.title, Post.author_id), names);
        assert_text!(insert_names, @"INSERT INTO posts (title, author_id) SELECT users.username, users.id FROM users WHERE users.is_active");
        assert_eq!(db.execute(&insert_names).await.expect("an insert"), 2);
        // A column that may be NULL takes one that may not.
        #[allow(clippy::eq_op)] // One, with few values.
        let nodes = insert(Node).from_select((Node.name, Node.parent_id), select((Tag.name, Tag.id - Tag.id + 1)).limit(1));
        let nodes = nodes.returning(Node.id);
        assert_text!(nodes, @"
        INSERT INTO nodes (name, parent_id) SELECT tags.name, tags.id - tags.id + ? FROM tags LIMIT 1 RETURNING nodes.id
        INSERT INTO nodes (name, parent_id) SELECT tags.name, tags.id - tags.id + $1 FROM tags LIMIT 1 RETURNING nodes.id
        ");
        assert_eq!(db.all(&nodes).await.expect("rows"), [1]);
        let tags = insert(Tag).from_select(Tag.name, select(User.username)).on_conflict(Tag.name).do_nothing();
        assert_text!(tags, @"
        INSERT INTO tags (name) SELECT * FROM (SELECT users.username FROM users) WHERE true ON CONFLICT (name) DO NOTHING
        INSERT INTO tags (name) SELECT users.username FROM users ON CONFLICT (name) DO NOTHING
        ");
        assert_eq!(db.execute(&tags).await.expect("an insert"), 3);
        assert_eq!(db.execute(&tags).await.expect("an insert"), 0);
    }

    async fn conflicts(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut blog(&db).await;
        let rows = || insert(Tag).rows(["rust", "zig"].map(|name| Tag::builder().name(name)));
        let ignore = rows().on_conflict(Tag.name).do_nothing();
        assert_text!(ignore, @"
        INSERT INTO tags (name) VALUES (?), (?) ON CONFLICT (name) DO NOTHING
        INSERT INTO tags (name) VALUES ($1), ($2) ON CONFLICT (name) DO NOTHING
        ");
        assert_eq!(db.execute(&ignore).await.expect("an insert"), 1);
        assert_text!(rows().on_conflict_do_nothing(), @"
        INSERT INTO tags (name) VALUES (?), (?) ON CONFLICT DO NOTHING
        INSERT INTO tags (name) VALUES ($1), ($2) ON CONFLICT DO NOTHING
        ");
        assert_eq!(db.execute(rows().on_conflict_do_nothing()).await.expect("an insert"), 0);
        let by_name = rows().on_conflict_constraint("uq_tags_name").do_nothing();
        assert_text!(by_name, @"
        error: `on_conflict_constraint` cannot be used on sqlite: name its columns by `.on_conflict((…))`
        INSERT INTO tags (name) VALUES ($1), ($2) ON CONFLICT ON CONSTRAINT uq_tags_name DO NOTHING
        ");
        assert_eq!(db.execute(by_name).await.is_ok(), postgres);
        let seat = |price: i32| insert(Seat).row(Seat::builder().room("a").number(1).price(price));
        let upsert = seat(5).on_conflict((Seat.room, Seat.number)).do_update().set(Seat.price, excluded(Seat.price));
        assert_text!(upsert, @"
        INSERT INTO seats (room, number, price) VALUES (?, ?, ?) ON CONFLICT (room, number) DO UPDATE SET price = excluded.price
        INSERT INTO seats (room, number, price) VALUES ($1, $2, $3) ON CONFLICT (room, number) DO UPDATE SET price = excluded.price
        ");
        assert_eq!(db.execute(&upsert).await.expect("an insert"), 1);
        let dearer = seat(7)
            .on_conflict((Seat.room, Seat.number))
            .do_update()
            .set(Seat.price, Seat.price + excluded(Seat.price))
            .filter(Seat.price.lt(10))
            .returning(Seat.price);
        assert_text!(dearer, @"
        INSERT INTO seats (room, number, price) VALUES (?, ?, ?) ON CONFLICT (room, number) DO UPDATE SET price = seats.price + excluded.price WHERE seats.price < ? RETURNING seats.price
        INSERT INTO seats (room, number, price) VALUES ($1, $2, $3) ON CONFLICT (room, number) DO UPDATE SET price = seats.price + excluded.price WHERE seats.price < $4 RETURNING seats.price
        ");
        assert_eq!(db.all(&dearer).await.expect("rows"), [12]);
        assert_eq!(db.all(&dearer).await.expect("rows"), Vec::<i32>::new());
        let partial = rows().on_conflict(Tag.name).index_filter(Tag.name.is_not_null()).do_nothing();
        assert_text!(partial, @"
        INSERT INTO tags (name) VALUES (?), (?) ON CONFLICT (name) WHERE tags.name IS NOT NULL DO NOTHING
        INSERT INTO tags (name) VALUES ($1), ($2) ON CONFLICT (name) WHERE tags.name IS NOT NULL DO NOTHING
        ");
        assert_eq!(db.execute(partial).await.expect("an insert"), 0);
        // `on_update` holds for an update of this kind, too.
        let email = insert(User).row(user("ada")).on_conflict(User.username).do_update().set(User.email, "new");
        assert_text!(email, @"
        INSERT INTO users (email, username, hashed_password, is_active, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (username) DO UPDATE SET email = ?, updated_at = ?
        INSERT INTO users (email, username, hashed_password, is_active, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (username) DO UPDATE SET email = $7, updated_at = $8
        ");
        let before = db.one(select(User.updated_at).filter(User.username.eq("ada"))).await.expect("a time");
        assert_eq!(db.execute(&email).await.expect("an upsert"), 1);
        let after = db.one(select(User.updated_at).filter(User.username.eq("ada"))).await.expect("a time");
        assert!(after > before);
    }

    async fn rows_are_updated(db: TestDb) {
        let db = &mut blog(&db).await;
        let one = update(Post).set(Post.views, Post.views + 1).set(Post.title, "!").filter(Post.id.eq(1));
        assert_text!(one, @"
        UPDATE posts SET views = posts.views + ?, title = ? WHERE posts.id = ?
        UPDATE posts SET views = posts.views + $1, title = $2 WHERE posts.id = $3
        ");
        assert_eq!(db.execute(&one).await.expect("an update"), 1);
        assert_eq!(db.one(select((Post.title, Post.views)).filter(Post.id.eq(1))).await.expect("a row"), ("!".into(), 11));
        let all = update(Post).set(Post.views, 0).all_rows();
        assert_text!(all, @"
        UPDATE posts SET views = ?
        UPDATE posts SET views = $1
        ");
        assert_eq!(db.execute(&all).await.expect("an update"), 3);
        // NULL for what may be NULL, and `on_update` besides.
        let forget = update(User).set(User.full_name, None::<String>).filter(User.full_name.is_not_null());
        assert_text!(forget, @"
        UPDATE users SET full_name = ?, updated_at = ? WHERE users.full_name IS NOT NULL
        UPDATE users SET full_name = $1, updated_at = $2 WHERE users.full_name IS NOT NULL
        ");
        assert_eq!(db.execute(&forget).await.expect("an update"), 1);
        let said = update(User).set(User.updated_at, Utc::now()).filter(User.id.eq(1));
        assert_text!(said, @"
        UPDATE users SET updated_at = ? WHERE users.id = ?
        UPDATE users SET updated_at = $1 WHERE users.id = $2
        ");
        let alias = Post.alias("p");
        let by_alias = update(alias).set(alias.views, alias.id.cast::<i32>()).filter(alias.author_id.eq(1));
        assert_text!(by_alias, @"
        UPDATE posts AS p SET views = CAST(p.id AS INTEGER) WHERE p.author_id = ?
        UPDATE posts AS p SET views = CAST(p.id AS int4) WHERE p.author_id = $1
        ");
        assert_eq!(db.execute(&by_alias).await.expect("an update"), 2);
        let returned = update(Post).set(Post.views, Post.views * 2).filter(Post.views.gt(0)).returning((Post.id, Post.views));
        assert_text!(returned, @"
        UPDATE posts SET views = posts.views * ? WHERE posts.views > ? RETURNING posts.id, posts.views
        UPDATE posts SET views = posts.views * $1 WHERE posts.views > $2 RETURNING posts.id, posts.views
        ");
        let mut rows = db.all(&returned).await.expect("rows");
        rows.sort_unstable();
        assert_eq!(rows, [(1, 2), (2, 4)]);
        assert!(db.count(&returned).await.is_err());
    }

    async fn rows_are_updated_from_another_table(db: TestDb) {
        let db = &mut blog(&db).await;
        let sign = update(Post).set(Post.title, User.username).from(User).filter(User.id.eq(Post.author_id));
        assert_text!(sign, @"UPDATE posts SET title = users.username FROM users WHERE users.id = posts.author_id");
        assert_eq!(db.execute(&sign).await.expect("an update"), 3);
        assert_eq!(db.all(select(Post.title).order_by(Post.id)).await.expect("rows"), ["ada", "ada", "bea"]);
        let counts = select((Post.author_id, count())).group_by(Post.author_id).subquery("counts");
        let (author, posts) = counts.columns();
        let many = update(User).set(User.full_name, "many").from(&counts).filter(author.eq(User.id)).filter(posts.gt(1));
        assert_text!(many, @"
        UPDATE users SET full_name = ?, updated_at = ? FROM (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts WHERE counts.author_id = users.id AND counts.c2 > ?
        UPDATE users SET full_name = $1, updated_at = $2 FROM (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts WHERE counts.author_id = users.id AND counts.c2 > $3
        ");
        assert_eq!(db.execute(&many).await.expect("an update"), 1);
        let most = select(Post.views.max()).filter(Post.author_id.eq(User.id)).scalar();
        let cast = update(User).set(User.full_name, most.cast::<Option<String>>()).filter(User.id.eq(1));
        assert_eq!(db.execute(cast).await.expect("an update"), 1);
        assert_eq!(db.one(select(User.full_name).filter(User.id.eq(1))).await.expect("a row").as_deref(), Some("10"));
    }

    async fn rows_are_deleted(db: TestDb) {
        let db = &mut blog(&db).await;
        let unseen = delete(Post).filter(Post.views.eq(0)).returning((Post.id, Post.title));
        assert_text!(unseen, @"
        DELETE FROM posts WHERE posts.views = ? RETURNING posts.id, posts.title
        DELETE FROM posts WHERE posts.views = $1 RETURNING posts.id, posts.title
        ");
        assert_eq!(db.all(&unseen).await.expect("rows"), [(2, "100%".into())]);
        let by_bea = delete(Post).using(User).filter(User.id.eq(Post.author_id)).filter(User.username.eq("bea"));
        assert_text!(by_bea, @"
        DELETE FROM posts WHERE EXISTS (SELECT 1 FROM users WHERE users.id = posts.author_id AND users.username = ?)
        DELETE FROM posts USING users WHERE users.id = posts.author_id AND users.username = $1
        ");
        db.execute(sql("DELETE FROM post_tags")).await.expect("a delete");
        assert_eq!(db.execute(&by_bea).await.expect("a delete"), 1);
        let orphans = delete(Tag).filter(!exists(select(Post).filter(Post.title.eq(Tag.name))));
        assert_text!(orphans, @"DELETE FROM tags WHERE NOT EXISTS (SELECT 1 FROM posts WHERE posts.title = tags.name)");
        assert_eq!(db.execute(&orphans).await.expect("a delete"), 3);
        assert_text!(delete(Post).all_rows(), @"DELETE FROM posts");
        assert_eq!(db.execute(delete(Post).all_rows()).await.expect("a delete"), 1);
        assert_eq!(db.execute(delete(Post).all_rows()).await.expect("a delete"), 0);
    }

    async fn an_aliased_table_returns_columns(db: TestDb) {
        let db = &mut blog(&db).await;
        let post = Post.alias("p");
        let changed = update(post).set(Post.views, 1).filter(post.title.eq("Hello")).returning((post.id, post.views + 1));
        assert_text!(changed, @"
        UPDATE posts AS p SET views = ? WHERE p.title = ? RETURNING posts.id, posts.views + ?
        UPDATE posts AS p SET views = $1 WHERE p.title = $2 RETURNING p.id, p.views + $3
        ");
        assert_eq!(db.all(changed).await.expect("rows"), [(1, 2)]);
        let gone = delete(post).filter(post.title.eq("Hello").and(post.views.eq(2))).returning(post);
        assert!(db.all(gone).await.expect("rows").is_empty());
    }

    async fn in_a_session_they_are_in_its_transaction(db: TestDb) {
        let mut session = session(db.url()).await;
        let tag = session.add(Tag::builder().name("old"));
        // The object that is pending is flushed first.
        assert_eq!(session.execute(update(Tag).set(Tag.name, "new").all_rows()).await.expect("an update"), 1);
        assert_eq!(session[tag].name, "new");
        // What is returned of a model is tracked.
        let found = session.all(insert(Tag).row(Tag::builder().name("more")).returning(Tag)).await.expect("tags");
        assert_eq!(session[found[0]].name, "more");
        assert_eq!(session.one(update(Tag).set(Tag.name, "x").filter(Tag.name.eq("new")).returning(Tag)).await.expect("a tag"), tag);
        session.rollback().await.expect("an end");
        assert_eq!(session.count(select(Tag)).await.expect("a count"), 0);
    }

    async fn other_values_prepare_nothing(db: TestDb) {
        let engine = engine(db.url()).await;
        let mut db = engine.connect().await.expect("a connection");
        let before = engine.stats();
        for round in 0..10 {
            let name = format!("tag {round}");
            db.execute(insert(Tag).row(Tag::builder().name(&*name))).await.expect("an insert");
            let upsert = insert(Tag).row(Tag::builder().name(&*name)).on_conflict(Tag.name).do_update();
            db.execute(upsert.set(Tag.name, format!("{name}!"))).await.expect("an upsert");
            db.execute(update(User).set(User.full_name, &*name).filter(User.id.eq(round))).await.expect("an update");
            db.execute(delete(Tag).filter(Tag.name.eq(name))).await.expect("a delete");
        }
        let sent = engine.stats() - before;
        assert_eq!((sent.statements, sent.prepares), (40, 4));
    }

    async fn more_values_than_a_database_takes_are_refused(db: TestDb) {
        let engine = engine(db.url()).await;
        let mut db = engine.connect().await.expect("a connection");
        let rows = (0..70_000).map(|number| Tag::builder().name(format!("{number}")));
        let error = db.execute(insert(Tag).rows(rows)).await.expect_err("too many");
        assert!(matches!(error, limbeck::Error::Statement(_)) && error.to_string().contains("70000 values"), "{error}");
    }
}

#[test]
fn statements_that_say_too_little_are_refused() {
    assert_refused!(update(Post).set(Post.views, 1), @"the update of `Post` has no filter: say which rows by `.filter(…)`, or `.all_rows()`");
    assert_refused!(update(Post).set(Post.views, 1).filter(None::<limbeck::sql::Expr<bool>>), @"the update of `Post` has no filter: say which rows by `.filter(…)`, or `.all_rows()`");
    // An aggregate is made of many rows: it is no condition for one, and no value for one either.
    let many = Post.views.sum().gt(3);
    assert_refused!(update(Post).set(Post.views, 1).filter(many.clone()), @"an aggregate cannot be used in `filter`, which is for single rows: use `having`, which is for groups");
    assert_refused!(delete(Post).filter(many), @"an aggregate cannot be used in `filter`, which is for single rows: use `having`, which is for groups");
    assert_refused!(update(Post).set(Post.views, Post.views.max().coalesce(0)).all_rows(), @"an aggregate cannot be set, since it is made of many rows and a column is set row by row: compute it by a query of its own, as in `.set(column, select(…).scalar())`");
    let counted = || insert(Tag).row(Tag::builder().name("rust")).on_conflict(Tag.name).do_update().set(Tag.name, "x");
    assert_refused!(counted().filter(Tag.id.count().gt(1)), @"an aggregate cannot be used in `filter`, which is for single rows: use `having`, which is for groups");
    assert_refused!(update(Post).all_rows(), @"the update of `Post` sets nothing: call `.set(…)`");
    assert_refused!(delete(Post), @"the delete of `Post` has no filter: say which rows by `.filter(…)`, or `.all_rows()`");
    assert_refused!(insert(Post), @"`insert(Post)` has no rows: call `.row(…)` or `.rows(…)`");
    let seat = insert(Seat).row(Seat::builder().room("a").number(1));
    assert_refused!(seat.on_conflict((Seat.room, Seat.number)).do_update(), @"`do_update()` of `insert(Seat)` sets nothing: call `.set(…)`");
}

#[test]
fn statements_that_name_what_is_not_there_are_refused() {
    assert_refused!(update(Post).set(Post.title, User.username).all_rows(), @"`User.username` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(update(Post).set(Post.views, 1).filter(User.id.eq(1)), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(update(Post).from(Post).set(Post.views, 1).all_rows(), @r#"the table `posts` is in the query twice: give it another name, as in `let other = Post.alias("other")` and `.join(….to(other))`"#);
    assert_refused!(delete(Post).filter(User.id.eq(1)), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(insert(Tag).row(Tag::builder().name("a")).returning(Post.id), @"`Post.id` is used, but the table `posts` is not in the query: add `.join(Tag.posts)`");
    let tag = insert(Tag).row(Tag::builder().name("a"));
    assert_refused!(tag.clone().on_conflict(Tag.name).do_update().set(Tag.name, User.username), @"`User.username` is used, but the table `users` is not in the query: add `.join(Tag.posts).join(Post.author)`");
    // SQLite returns columns of the changed table alone.
    assert_text!(update(Post).set(Post.views, 1).from(User).filter(User.id.eq(Post.author_id)).returning(User.id), @"
    error: `User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`
    UPDATE posts SET views = $1 FROM users WHERE users.id = posts.author_id RETURNING users.id
    ");
}

#[test]
fn values_that_a_column_would_not_keep_are_refused() {
    let long = "x".repeat(101);
    assert_refused!(update(User).set(User.username, &*long).all_rows(), @"User.username: 101 characters, but the column holds 100");
    assert_refused!(insert(User).row(user(&long)), @"User.username: 101 characters, but the column holds 100");
}

#[tokio::test]
async fn a_row_has_no_relationships() {
    let mut session = session("sqlite::memory:").await;
    let ada = session.add(user("ada"));
    assert_refused!(insert(Post).row(Post::builder().title("a").author(ada)), @"`Post.author` is linked in a row of `insert(Post)`, which has columns only: give its key column, or use `session.add`");
    assert_refused!(insert(User).row(ada), @"an object of a session cannot be a row of `insert(User)`: `session.add` adds it again");
}
