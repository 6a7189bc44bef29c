//! Joins of all kinds, groups, and rows that are distinct: their SQL on each database, and what they answer there.

mod common;

use common::statements::*;
use common::*;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::sql::{desc, window};
use limbeck_test_support::{TestDb, both};

async fn session_over(db: &TestDb) -> Session {
    blog(db).await;
    Engine::builder(db.url()).connect().await.expect("an engine").sessionmaker().open()
}

both! {
    async fn a_left_join_keeps_rows_without_a_partner(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select((User.username, Post.optional())).left_join(User.posts).order_by((User.id, Post.id));
        assert_text!(query, @"SELECT users.username, posts.* FROM users LEFT JOIN posts ON posts.author_id = users.id ORDER BY users.id, posts.id");
        let rows = db.all(&query).await.expect("rows");
        let rows: Vec<_> = rows.iter().map(|(name, post)| (&**name, post.as_ref().map(|post| &*post.title))).collect();
        assert_eq!(rows, [("ada", Some("Hello")), ("ada", Some("100%")), ("bea", Some("it's")), ("cyd", None)]);
        let query = select((User.username, Post.title.optional(), Post.views.optional()))
            .left_join(User.posts)
            .filter(User.username.ne("ada"))
            .order_by(User.id);
        assert_text!(query, @"
        SELECT users.username, posts.title, posts.views FROM users LEFT JOIN posts ON posts.author_id = users.id WHERE users.username <> ? ORDER BY users.id
        SELECT users.username, posts.title, posts.views FROM users LEFT JOIN posts ON posts.author_id = users.id WHERE users.username <> $1 ORDER BY users.id
        ");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows, [("bea".into(), Some("it's".into()), Some(7)), ("cyd".into(), None, None)]);
        // A column that may be NULL anyway, and the way over an association table.
        let query = select((Tag.name, Post.title.optional())).left_join(Tag.posts).order_by((Tag.id, Post.id));
        assert_text!(query, @"SELECT tags.name, posts.title FROM tags LEFT JOIN post_tags ON post_tags.tag_id = tags.id LEFT JOIN posts ON posts.id = post_tags.post_id ORDER BY tags.id, posts.id");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows.last(), Some(&("idle".into(), None)));
        assert_eq!(rows.len(), 4);
    }

    async fn right_and_full_joins(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select((Post.title.optional(), User.username)).right_join(Post.author).order_by((User.id, Post.id));
        assert_text!(query, @"SELECT posts.title, users.username FROM posts RIGHT JOIN users ON users.id = posts.author_id ORDER BY users.id, posts.id");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows.last(), Some(&(None, "cyd".into())));
        assert_eq!(rows.len(), 4);
        let query = select((Post.title.optional(), Tag.name.optional())).full_join(Post.tags);
        assert_text!(query, @"SELECT posts.title, tags.name FROM posts FULL JOIN post_tags ON post_tags.post_id = posts.id FULL JOIN tags ON tags.id = post_tags.tag_id");
        let rows = db.all(&query).await.expect("rows");
        assert!(rows.contains(&(Some("100%".into()), None)) && rows.contains(&(None, Some("idle".into()))));
        assert_eq!(rows.len(), 5);
        let other = User.alias("other");
        let query = select((User.username.optional(), other.username.optional()))
            .full_join_on(other, other.id.eq(User.id))
            .filter(User.id.eq(1));
        assert_text!(query, @"
        SELECT users.username, other.username FROM users FULL JOIN users AS other ON other.id = users.id WHERE users.id = ?
        SELECT users.username, other.username FROM users FULL JOIN users AS other ON other.id = users.id WHERE users.id = $1
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [(Some("ada".into()), Some("ada".into()))]);
    }

    async fn joins_on_conditions(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select((Post.title, User.username))
            .join_on(User, User.id.eq(Post.author_id).and(Post.views.gt(5)))
            .order_by(Post.id);
        assert_text!(query, @"
        SELECT posts.title, users.username FROM posts JOIN users ON users.id = posts.author_id AND posts.views > ? ORDER BY posts.id
        SELECT posts.title, users.username FROM posts JOIN users ON users.id = posts.author_id AND posts.views > $1 ORDER BY posts.id
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [("Hello".into(), "ada".into()), ("it's".into(), "bea".into())]);
        let other = Post.alias("other");
        let query = select((Post.title, other.title.optional()))
            .left_join_on(other, other.views.lt(Post.views))
            .order_by((Post.id, other.id));
        assert_text!(query, @"SELECT posts.title, other.title FROM posts LEFT JOIN posts AS other ON other.views < posts.views ORDER BY posts.id, other.id");
        let rows = db.all(&query).await.expect("rows");
        let expected = [("Hello", Some("100%")), ("Hello", Some("it's")), ("100%", None), ("it's", Some("100%"))];
        assert_eq!(rows, expected.map(|(a, b)| (a.to_owned(), b.map(str::to_owned))));
        let query = select((Tag.name.optional(), User.username))
            .right_join_on(User, User.username.eq(Tag.name))
            .order_by(User.id);
        assert_text!(query, @"SELECT tags.name, users.username FROM tags RIGHT JOIN users ON users.username = tags.name ORDER BY users.id");
        assert_eq!(db.all(&query).await.expect("rows").len(), 3);
        let query = select((Tag.name, User.username)).cross_join(User).order_by((Tag.id, User.id));
        assert_text!(query, @"SELECT tags.name, users.username FROM tags CROSS JOIN users ORDER BY tags.id, users.id");
        assert_eq!(db.all(&query).await.expect("rows").len(), 9);
    }

    async fn a_table_is_joined_with_itself(db: TestDb) {
        let url = db.url().to_owned();
        let mut session = session(&url).await;
        let root = session.add(Node::builder().name("root"));
        let leaf = session.add(Node::builder().name("leaf").parent(root));
        session.commit().await.expect("the tree");
        let parent = Node.alias("parent");
        let query = select((Node, parent.optional())).left_join(Node.parent.to(parent)).order_by(Node.id);
        assert_text!(query, @"SELECT nodes.*, nodes.parent_id, parent.*, parent.parent_id FROM nodes LEFT JOIN nodes AS parent ON parent.id = nodes.parent_id ORDER BY nodes.id");
        assert_eq!(session.all(&query).await.expect("rows"), [(root, None), (leaf, Some(root))]);
        let query = select((Node.name, parent.name)).join(Node.parent.to(parent));
        assert_text!(query, @"SELECT nodes.name, parent.name FROM nodes JOIN nodes AS parent ON parent.id = nodes.parent_id");
        assert_eq!(session.all(&query).await.expect("rows"), [("leaf".into(), "root".into())]);
    }

    async fn an_absent_object_is_not_tracked(db: TestDb) {
        let mut session = session_over(&db).await;
        let rows = session.all(select((User, Post.optional())).left_join(User.posts).order_by((User.id, Post.id))).await;
        let rows = rows.expect("rows");
        assert_eq!(rows[0].0, rows[1].0);
        assert_eq!(rows.iter().filter(|(_, post)| post.is_none()).count(), 1);
        let (user, post) = rows[2];
        assert_eq!((&*session[user].username, &*session[post.expect("a post")].title), ("bea", "it's"));
    }

    async fn groups(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select((User.username, Post.id.count()))
            .left_join(User.posts)
            .group_by((User.id, User.username))
            .having(Post.id.count().lt(2))
            .order_by(User.id);
        assert_text!(query, @"
        SELECT users.username, count(posts.id) FROM users LEFT JOIN posts ON posts.author_id = users.id GROUP BY users.id, users.username HAVING count(posts.id) < ? ORDER BY users.id
        SELECT users.username, count(posts.id) FROM users LEFT JOIN posts ON posts.author_id = users.id GROUP BY users.id, users.username HAVING count(posts.id) < $1 ORDER BY users.id
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [("bea".into(), 1), ("cyd".into(), 0)]);
        // It has as many rows as it has groups.
        assert_eq!(db.count(&query).await.expect("a count"), 2);
        assert!(db.exists(&query).await.expect("an answer"));
        let nobody = query.having(User.username.eq("nobody").or(User.username.is_null()));
        assert_eq!(db.count(&nobody).await.expect("a count"), 0);
        assert!(!db.exists(&nobody).await.expect("an answer"));
    }

    async fn an_expression_with_values_is_grouped_and_ordered_by_its_place(db: TestDb) {
        let db = &mut blog(&db).await;
        let busy = Post.views.gt(5);
        let query = select((busy.clone(), count())).group_by(busy.clone()).order_by(busy.desc());
        assert_text!(query, @"
        SELECT posts.views > ?, count(*) FROM posts GROUP BY 1 ORDER BY 1 DESC
        SELECT posts.views > $1, count(*) FROM posts GROUP BY 1 ORDER BY 1 DESC
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [(true, 2), (false, 1)]);
        // After a model, the columns of which count.
        let loud = (Post.views * 2).gt(10);
        let query = select((Post, loud.clone())).distinct().order_by((loud.desc(), Post.id));
        assert_text!(query, @"
        SELECT DISTINCT posts.*, posts.views * ? > ? FROM posts ORDER BY 5 DESC, posts.id
        SELECT DISTINCT posts.*, posts.views * $1 > $2 FROM posts ORDER BY 5 DESC, posts.id
        ");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows.iter().map(|(post, loud)| (post.id, *loud)).collect::<Vec<_>>(), [(1, true), (3, true), (2, false)]);
    }

    async fn equal_values_of_a_grouped_query_are_one_parameter(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut blog(&db).await;
        // Of 10, 0 and 7 views.
        let rest = Post.views % 3;
        let query = select((&rest + 1, count())).group_by(&rest).having((&rest).lt(3)).order_by(&rest);
        assert_text!(query, @"
        SELECT posts.views % ? + ?, count(*) FROM posts GROUP BY posts.views % ? HAVING posts.views % ? < ? ORDER BY posts.views % ?
        SELECT posts.views % $1 + $2, count(*) FROM posts GROUP BY posts.views % $1 HAVING posts.views % $1 < $1 ORDER BY posts.views % $1
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [(1, 1), (2, 2)]);
        assert_eq!(db.count(&query).await.expect("a count"), 2);
        // Values that are equal elsewhere make another statement, not the wrong one.
        #[allow(clippy::modulo_one)] // The same value twice.
        let rest = Post.views % 1;
        let query = select((&rest + 1, count())).group_by(&rest).having((&rest).lt(3)).order_by(&rest);
        assert_eq!(db.all(&query).await.expect("rows"), [(1, 3)]);
        // Lists, conditions and what stands in FROM.
        let known = Post.views.in_([7, 10]);
        let query = select(count()).from(Post).filter(Post.views.ge(0)).group_by(&known).order_by((&known).desc());
        assert_text!(query, @"
        SELECT count(*) FROM posts WHERE posts.views >= ? GROUP BY posts.views IN (SELECT value FROM json_each(?)) ORDER BY posts.views IN (SELECT value FROM json_each(?)) DESC
        SELECT count(*) FROM posts WHERE posts.views >= $1 GROUP BY posts.views = ANY($2) ORDER BY posts.views = ANY($2) DESC
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [2, 1]);
        let groups = select((Post.views % 3 + 1, count())).group_by(Post.views % 3).subquery("groups");
        let (rest, posts) = groups.columns();
        let query = select((&rest, &posts)).filter((&rest).gt(1)).order_by(&posts);
        assert_eq!(db.all(&query).await.expect("rows"), [(2, 2)]);
        // DISTINCT ON comes first, and so do its values.
        let query = select(Post.title).distinct_on(Post.views % 3).filter(Post.views.gt(1)).order_by((Post.views % 3, Post.id));
        assert_text!(query, @"
        error: `distinct_on` cannot be used on sqlite: use `group_by`, or a window function in a subquery
        SELECT DISTINCT ON (posts.views % $1) posts.title FROM posts WHERE posts.views > $2 ORDER BY posts.views % $1, posts.id
        ");
        if postgres {
            assert_eq!(db.all(&query).await.expect("rows"), ["Hello"]);
        }
        // Distinct values are put in order by what they are.
        let query = select(Post.title.concat("!").string_agg(",").distinct().order_by(Post.title.concat("!")));
        if postgres {
            assert_eq!(db.all(&query).await.expect("a row"), [Some("100%!,Hello!,it's!".to_owned())]);
        }
    }

    async fn locked_rows_are_counted(db: TestDb) {
        let mut session = session_over(&db).await;
        assert_eq!(session.count(select(Post).with_for_update()).await.expect("a count"), 3);
        session.rollback().await.expect("an end");
    }

    async fn rows_that_are_distinct(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut blog(&db).await;
        let query = select(User.username).join(User.posts).distinct().order_by(User.username);
        assert_text!(query, @"SELECT DISTINCT users.username FROM users JOIN posts ON posts.author_id = users.id ORDER BY users.username");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada", "bea"]);
        assert_eq!(db.count(&query).await.expect("a count"), 2);
        let query = select((Post.author_id, Post.title))
            .distinct_on(Post.author_id)
            .order_by((Post.author_id, Post.views.desc()));
        assert_text!(query, @"
        error: `distinct_on` cannot be used on sqlite: use `group_by`, or a window function in a subquery
        SELECT DISTINCT ON (posts.author_id) posts.author_id, posts.title FROM posts ORDER BY posts.author_id, posts.views DESC
        ");
        let rows = db.all(&query).await;
        if postgres {
            assert_eq!(rows.expect("rows"), [(1, "Hello".to_owned()), (2, "it's".to_owned())]);
        } else {
            assert!(matches!(rows, Err(limbeck::Error::Statement(_))));
        }
    }

    async fn filters_are_put_together_at_run_time(db: TestDb) {
        let db = &mut blog(&db).await;
        let found = |title: Option<&'static str>, least: Option<i32>| {
            select(Post.title)
                .filter(title.map(|title| Post.title.like(title)))
                .filter(least.map(|views| Post.views.ge(views)))
                .order_by(Post.id)
        };
        assert_text!(found(None, None), @"SELECT posts.title FROM posts ORDER BY posts.id");
        assert_text!(found(Some("%e%"), Some(1)), @"
        SELECT posts.title FROM posts WHERE posts.title LIKE ? AND posts.views >= ? ORDER BY posts.id
        SELECT posts.title FROM posts WHERE posts.title LIKE $1 AND posts.views >= $2 ORDER BY posts.id
        ");
        assert_eq!(db.all(found(None, None)).await.expect("rows").len(), 3);
        assert_eq!(db.all(found(Some("H%"), None)).await.expect("rows"), ["Hello"]);
        assert_eq!(db.all(found(None, Some(5))).await.expect("rows"), ["Hello", "it's"]);
        // A join that only one of the filters needs.
        let mut query = select(Post.title).order_by(Post.id);
        if let Some(author) = Some("bea") {
            query = query.join(Post.author).filter(User.username.eq(author));
        }
        assert_eq!(db.all(query).await.expect("rows"), ["it's"]);
    }

    async fn a_page_begins_after_the_one_before(db: TestDb) {
        let db = &mut blog(&db).await;
        let same = |last| select(Post.id).keyset((Post.author_id, Post.id), last).limit(2);
        assert_text!(same(None), @"SELECT posts.id FROM posts ORDER BY posts.author_id, posts.id LIMIT 2");
        assert_text!(same(Some((1, 1))), @"
        SELECT posts.id FROM posts WHERE (posts.author_id, posts.id) > (?, ?) ORDER BY posts.author_id, posts.id LIMIT 2
        SELECT posts.id FROM posts WHERE (posts.author_id, posts.id) > ($1, $2) ORDER BY posts.author_id, posts.id LIMIT 2
        ");
        assert_eq!(db.all(same(None)).await.expect("rows"), [1, 2]);
        assert_eq!(db.all(same(Some((1, 2)))).await.expect("rows"), [3]);
        assert_eq!(db.all(same(Some((2, 3)))).await.expect("rows"), Vec::<i64>::new());
        let down = |last| select(Post.id).keyset((desc(Post.author_id), desc(Post.id)), last).limit(2);
        assert_text!(down(Some((1, 1))), @"
        SELECT posts.id FROM posts WHERE (posts.author_id, posts.id) < (?, ?) ORDER BY posts.author_id DESC, posts.id DESC LIMIT 2
        SELECT posts.id FROM posts WHERE (posts.author_id, posts.id) < ($1, $2) ORDER BY posts.author_id DESC, posts.id DESC LIMIT 2
        ");
        assert_eq!(db.all(down(None)).await.expect("rows"), [3, 2]);
        assert_eq!(db.all(down(Some((1, 2)))).await.expect("rows"), [1]);
        let mixed = |last| select(Post.id).keyset((desc(Post.author_id), Post.id), last);
        assert_text!(mixed(Some((1, 1))).filter(Post.views.ge(0)), @"
        SELECT posts.id FROM posts WHERE (posts.author_id < ? OR (posts.author_id = ? AND posts.id > ?)) AND posts.views >= ? ORDER BY posts.author_id DESC, posts.id
        SELECT posts.id FROM posts WHERE (posts.author_id < $1 OR (posts.author_id = $2 AND posts.id > $3)) AND posts.views >= $4 ORDER BY posts.author_id DESC, posts.id
        ");
        assert_eq!(db.all(mixed(None)).await.expect("rows"), [3, 1, 2]);
        assert_eq!(db.all(mixed(Some((2, 3)))).await.expect("rows"), [1, 2]);
        assert_eq!(db.all(mixed(Some((1, 1)))).await.expect("rows"), [2]);
        let one = |last| select(Post.id).keyset(desc(Post.title), last);
        assert_text!(one(Some("a".into())), @"
        SELECT posts.id FROM posts WHERE posts.title < ? ORDER BY posts.title DESC
        SELECT posts.id FROM posts WHERE posts.title < $1 ORDER BY posts.title DESC
        ");
        assert_eq!(db.all(one(Some("Hello".into()))).await.expect("rows"), [2]);
    }

    async fn locks(db: TestDb) {
        let mut session = session_over(&db).await;
        let base = || select(Post.title).join(Post.author).order_by(Post.id).limit(1);
        let (update, share) = (base().with_for_update().skip_locked().lock_of(Post), base().with_for_share().no_wait());
        assert_text!(base().with_for_update(), @"
        SELECT posts.title FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id LIMIT 1
        SELECT posts.title FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id LIMIT 1 FOR UPDATE
        ");
        assert_text!(update, @"
        SELECT posts.title FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id LIMIT 1
        SELECT posts.title FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id LIMIT 1 FOR UPDATE OF posts SKIP LOCKED
        ");
        assert_text!(share, @"
        SELECT posts.title FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id LIMIT 1
        SELECT posts.title FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id LIMIT 1 FOR SHARE NOWAIT
        ");
        // The transaction that a lock is for is begun, and is one that writes.
        assert_eq!(session.all(update).await.expect("rows"), ["Hello"]);
        assert!(session.in_transaction());
        assert_eq!(session.all(share).await.expect("rows"), ["Hello"]);
        session.rollback().await.expect("an end");
    }

    async fn a_plan_is_shown_and_the_query_is_not_run(db: TestDb) {
        let mut session = session_over(&db).await;
        let plan = session.explain(select(User).filter(User.id.eq(1))).await.expect("a plan");
        assert!(plan.contains("users"), "{plan}");
        let plan = session.explain(update(Post).set(Post.views, 1).all_rows().returning(Post.id)).await.expect("a plan");
        assert!(plan.contains("posts"), "{plan}");
        assert_eq!(session.count(select(Post).filter(Post.views.eq(1))).await.expect("a count"), 0);
    }
}

#[test]
fn what_an_outer_join_leaves_out_has_to_be_optional() {
    assert_refused!(select((User, Post)).left_join(User.posts), @"`Post` is selected, but the outer join leaves rows without `posts`: select `Post.optional()`, which is `None` there");
    assert_refused!(select((User.id, Post.title)).left_join(User.posts), @"`Post.title` is selected, but the outer join leaves rows without `posts`: select `Post.title.optional()`, which is `None` there");
    assert_refused!(select((User.id, Post.views + 1)).left_join(User.posts), @"`Post.views` is selected, but the outer join leaves rows without `posts`: select `Post.views.optional()`, which is `None` there");
    assert_refused!(select((Post.id, User.id.optional())).right_join(Post.author), @"`Post.id` is selected, but the outer join leaves rows without `posts`: select `Post.id.optional()`, which is `None` there");
    assert_refused!(select((Post.optional(), User)).full_join(Post.author), @"`User` is selected, but the outer join leaves rows without `users`: select `User.optional()`, which is `None` there");
    // What is never NULL need not be.
    let query = select((User.id, Post.title.is_null(), Post.id.count())).left_join(User.posts).group_by(User.id);
    assert!(query.to_sql(limbeck::dialect::Dialect::Sqlite).is_ok());
}

#[test]
fn filters_look_at_single_rows() {
    assert_refused!(select(Post.author_id).filter(count().gt(1)).group_by(Post.author_id), @"an aggregate cannot be used in `filter`, which is for single rows: use `having`, which is for groups");
    assert_refused!(select(Post).filter(Post.views.max().gt(1)), @"an aggregate cannot be used in `filter`, which is for single rows: use `having`, which is for groups");
    assert_refused!(select(Post).join_on(User, count().gt(1)), @"an aggregate cannot be used in a join's condition, which is for single rows: use `having`, which is for groups");
    assert_refused!(select(Post).filter(Post.views.max().over(window()).gt(1)), @r#"a window function cannot be used in `filter`: select it in a `.subquery("name")`, and filter the query that reads that"#);
    // It is of the query around.
    let popular = select(User).filter(User.id.gt(Post.id.max()));
    let query = select(Post.author_id).group_by(Post.author_id).having(exists(popular));
    assert!(query.to_sql(limbeck::dialect::Dialect::Sqlite).is_ok());
}

#[test]
fn only_rows_of_tables_are_locked() {
    assert_refused!(select(Post.views).group_by(Post.views).with_for_update(), @"a query with `.group_by(…)` cannot lock rows, since its rows are made of others: lock those of the table by a query of its own, or filter by one, as in `.filter(Post.id.in_(…))`");
    assert_refused!(select(Post.views).distinct().with_for_share(), @"a query with `.distinct()` cannot lock rows, since its rows are made of others: lock those of the table by a query of its own, or filter by one, as in `.filter(Post.id.in_(…))`");
    assert_refused!(select(count()).from(Post).with_for_update(), @"a query with an aggregate cannot lock rows, since its rows are made of others: lock those of the table by a query of its own, or filter by one, as in `.filter(Post.id.in_(…))`");
    let sqlite = select(Post.views).distinct().with_for_update().to_sql(limbeck::dialect::Dialect::Sqlite);
    assert!(sqlite.is_err());
}

#[test]
fn joins_that_lead_nowhere_are_refused() {
    let (boss, other) = (Node.alias("boss"), User.alias("other"));
    assert_refused!(select(Node).join(Node.parent), @r#"the table `nodes` is in the query twice: give it another name, as in `let other = Node.alias("other")` and `.join(….to(other))`"#);
    assert_refused!(select(Node).join(boss.parent), @"`.join(boss.parent)` is used, but `nodes` under the name `boss` is not in the query: begin it with `.from(boss)`, or join it, as in `.join(….to(boss))`");
    assert_refused!(select(Post).join_on(other, other.id.eq(User.id)), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(select(Post).join_on(User, User.id.eq(other.id)), @"`other.id` is used, but `users` under the name `other` is not in the query: begin it with `.from(other)`, or join it, as in `.join(….to(other))`");
    assert_refused!(select(Post).filter(Post.id.gt(0)).group_by(User.id), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(select(Post).having(User.id.gt(0)), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(select(Post).lock_of(User), @"`.lock_of(User)` is used, but the table `users` is not in the query: add `.join(Post.author)`");
}
