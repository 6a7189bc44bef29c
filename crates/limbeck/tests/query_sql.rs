//! Every form of a query: the SQL that it is on each database, and what it answers there.

mod common;

use common::statements::*;
use common::*;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::Select;
use limbeck_test_support::{TestDb, both};

/// The names of the users that a query finds, in the order of their ids.
async fn names(db: &mut Connection, query: Select<User>) -> Vec<String> {
    let users = db.all(query.order_by(User.id)).await.expect("users");
    users.into_iter().map(|user| user.username).collect()
}

/// The titles of the posts that a query finds, in the order of their ids.
async fn titles(db: &mut Connection, query: Select<Post>) -> Vec<String> {
    let posts = db.all(query.order_by(Post.id)).await.expect("posts");
    posts.into_iter().map(|post| post.title).collect()
}

both! {
    async fn values_are_compared(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select(Post).filter(Post.title.eq("it's"));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.title = ?
        SELECT posts.* FROM posts WHERE posts.title = $1
        ");
        assert_eq!(titles(db, query).await, ["it's"]);
        let query = select(Post).filter(Post.views.ne(7)).filter(Post.views.lt(10));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.views <> ? AND posts.views < ?
        SELECT posts.* FROM posts WHERE posts.views <> $1 AND posts.views < $2
        ");
        assert_eq!(titles(db, query).await, ["100%"]);
        let query = select(Post).filter(Post.views.le(7).and(Post.views.gt(0)));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.views <= ? AND posts.views > ?
        SELECT posts.* FROM posts WHERE posts.views <= $1 AND posts.views > $2
        ");
        assert_eq!(titles(db, query).await, ["it's"]);
        assert_eq!(titles(db, select(Post).filter(Post.views.ge(7))).await, ["Hello", "it's"]);
        let title = String::from("Hello");
        assert_eq!(titles(db, select(Post).filter(Post.title.eq(&title))).await, ["Hello"]);
        assert_eq!(titles(db, select(Post).filter(Post.title.eq(title))).await, ["Hello"]);
        let tomorrow = Utc::now() + chrono::TimeDelta::days(1);
        assert_eq!(names(db, select(User).filter(User.created_at.ge(tomorrow))).await.len(), 0);
        assert_eq!(names(db, select(User).filter(User.created_at.lt(tomorrow))).await.len(), 3);
    }

    async fn columns_are_compared(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select(Post).filter(Post.author_id.gt(Post.id));
        assert_text!(query, @"SELECT posts.* FROM posts WHERE posts.author_id > posts.id");
        assert_eq!(titles(db, query).await.len(), 0);
        // A column that may be NULL beside one that may not.
        let query = select(User).filter(User.full_name.ne(User.email));
        assert_text!(query, @"SELECT users.* FROM users WHERE users.full_name <> users.email");
        assert_eq!(names(db, query).await, ["cyd"]);
        let query = select(User).filter(User.is_active.eq(User.full_name.is_null()));
        assert_text!(query, @"SELECT users.* FROM users WHERE users.is_active = (users.full_name IS NULL)");
        assert_eq!(names(db, query).await, ["ada", "bea", "cyd"]);
    }

    async fn a_none_is_null(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select(User).filter(User.full_name.eq(None::<String>));
        assert_text!(query, @"SELECT users.* FROM users WHERE users.full_name IS NULL");
        assert_eq!(names(db, query).await, ["ada", "bea"]);
        let query = select(User).filter(User.full_name.ne(None::<&str>));
        assert_text!(query, @"SELECT users.* FROM users WHERE users.full_name IS NOT NULL");
        assert_eq!(names(db, query).await, ["cyd"]);
        assert_eq!(names(db, select(User).filter(User.full_name.is_null())).await, ["ada", "bea"]);
        assert_eq!(names(db, select(User).filter(User.full_name.is_not_null())).await, ["cyd"]);
        assert_eq!(names(db, select(User).filter(User.full_name.eq(Some("Cyd ‘C’ O'Neil")))).await, ["cyd"]);
        // Not equal is not "not known to be equal".
        assert_eq!(names(db, select(User).filter(User.full_name.ne("Ada"))).await, ["cyd"]);
        assert_eq!(names(db, select(User).filter(!User.full_name.eq("Ada"))).await, ["cyd"]);
    }

    async fn conditions_have_their_parentheses(db: TestDb) {
        let db = &mut blog(&db).await;
        let (hello, full, quiet) = (Post.title.eq("Hello"), Post.title.eq("100%"), Post.views.eq(0));
        let query = select(Post).filter(hello.clone().or(full.clone()).and(quiet.clone()));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE (posts.title = ? OR posts.title = ?) AND posts.views = ?
        SELECT posts.* FROM posts WHERE (posts.title = $1 OR posts.title = $2) AND posts.views = $3
        ");
        assert_eq!(titles(db, query).await, ["100%"]);
        let query = select(Post).filter(hello.clone().or(full.clone().and(quiet.clone())));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.title = ? OR (posts.title = ? AND posts.views = ?)
        SELECT posts.* FROM posts WHERE posts.title = $1 OR (posts.title = $2 AND posts.views = $3)
        ");
        assert_eq!(titles(db, query).await, ["Hello", "100%"]);
        let query = select(Post).filter(!hello.clone().or(full.clone()));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE NOT (posts.title = ? OR posts.title = ?)
        SELECT posts.* FROM posts WHERE NOT (posts.title = $1 OR posts.title = $2)
        ");
        assert_eq!(titles(db, query).await, ["it's"]);
        let query = select(Post).filter((!hello.clone()).or(full.clone()).and((!quiet.clone()).eq(true)));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE (NOT (posts.title = ?) OR posts.title = ?) AND (NOT (posts.views = ?)) = ?
        SELECT posts.* FROM posts WHERE (NOT (posts.title = $1) OR posts.title = $2) AND (NOT (posts.views = $3)) = $4
        ");
        assert_eq!(titles(db, query).await, ["it's"]);
        let query = select(Post).filter(hello.or(full)).filter(quiet.is_not_null());
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE (posts.title = ? OR posts.title = ?) AND (posts.views = ?) IS NOT NULL
        SELECT posts.* FROM posts WHERE (posts.title = $1 OR posts.title = $2) AND (posts.views = $3) IS NOT NULL
        ");
        assert_eq!(titles(db, query).await, ["Hello", "100%"]);
        let query = select(User).filter(User.is_active);
        assert_text!(query, @"SELECT users.* FROM users WHERE users.is_active");
        assert_eq!(names(db, query).await, ["ada", "bea"]);
        let query = select(User).filter(!User.is_active.and(User.full_name.is_null()));
        assert_text!(query, @"
        SELECT users.* FROM users WHERE NOT (users.is_active AND users.full_name IS NULL)
        ");
        assert_eq!(names(db, query).await, ["cyd"]);
        assert_eq!(names(db, select(User).filter(!User.is_active)).await, ["cyd"]);
    }

    async fn lists_are_one_parameter(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select(Post).filter(Post.title.in_(["Hello", "it's", "Bye"]));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.title IN (SELECT value FROM json_each(?))
        SELECT posts.* FROM posts WHERE posts.title = ANY($1)
        ");
        assert_eq!(titles(db, query).await, ["Hello", "it's"]);
        let query = select(Post).filter(Post.title.not_in(["Hello", "it's", "Bye"]));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.title NOT IN (SELECT value FROM json_each(?))
        SELECT posts.* FROM posts WHERE posts.title <> ALL($1)
        ");
        assert_eq!(titles(db, query).await, ["100%"]);
        // Columns among them: a list of expressions.
        let query = select(User).filter(User.email.in_([User.username, User.email]));
        assert_text!(query, @"SELECT users.* FROM users WHERE users.email IN (users.username, users.email)");
        assert_eq!(names(db, query).await.len(), 3);
        let query = select(User).filter(!User.email.in_([User.username]).or(User.is_active));
        assert_text!(query, @"
        SELECT users.* FROM users WHERE NOT (users.email IN (users.username) OR users.is_active)
        ");
        assert_eq!(names(db, query).await, ["cyd"]);
    }

    async fn patterns(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut blog(&db).await;
        let query = select(Post).filter(Post.title.like("H%o"));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.title LIKE ?
        SELECT posts.* FROM posts WHERE posts.title LIKE $1
        ");
        assert_eq!(titles(db, query).await, ["Hello"]);
        assert_eq!(titles(db, select(Post).filter(Post.title.not_like("_____"))).await, ["100%", "it's"]);
        // The one place where the databases differ, as documented.
        let found = titles(db, select(Post).filter(Post.title.like("h%"))).await;
        assert_eq!(found.len(), if postgres { 0 } else { 1 });
        let query = select(User).filter(User.email.like(User.username));
        assert_text!(query, @"SELECT users.* FROM users WHERE users.email LIKE users.username");
        assert_eq!(names(db, query).await.len(), 0);
    }

    async fn orders_and_bounds(db: TestDb) {
        let db = &mut blog(&db).await;
        let all = select((Post.author_id, Post.title)).order_by((Post.author_id.desc(), Post.title.asc()));
        assert_text!(all, @"
        SELECT posts.author_id, posts.title FROM posts ORDER BY posts.author_id DESC, posts.title
        ");
        let rows = db.all(&all).await.expect("rows");
        let titles: Vec<&str> = rows.iter().map(|(_, title)| title.as_str()).collect();
        assert_eq!(titles, ["it's", "100%", "Hello"]);

        let second = all.clone().limit(1).offset(1);
        assert_text!(second, @"
        SELECT posts.author_id, posts.title FROM posts ORDER BY posts.author_id DESC, posts.title LIMIT 1 OFFSET 1
        SELECT posts.author_id, posts.title FROM posts ORDER BY posts.author_id DESC, posts.title LIMIT 1 OFFSET $1
        ");
        assert_eq!(db.all(&second).await.expect("rows"), rows[1..2]);
        assert_eq!(db.all(all.clone().limit(2)).await.expect("rows"), rows[..2]);
        assert_eq!(db.all(all.clone().limit(0)).await.expect("rows"), []);
        let rest = all.clone().offset(2);
        assert_text!(rest, @"
        SELECT posts.author_id, posts.title FROM posts ORDER BY posts.author_id DESC, posts.title LIMIT -1 OFFSET 2
        SELECT posts.author_id, posts.title FROM posts ORDER BY posts.author_id DESC, posts.title OFFSET $1
        ");
        assert_eq!(db.all(&rest).await.expect("rows"), rows[2..]);
        // More than a database counts to.
        assert_eq!(db.all(all.clone().limit(u64::MAX)).await.expect("rows"), rows);
        assert_eq!(db.all(all.clone().limit(u64::MAX).offset(u64::MAX)).await.expect("rows"), []);
        // Orders add up, and an expression orders as well as a column.
        let query = select(Post.title).order_by(Post.views.eq(7).desc()).order_by(Post.title);
        assert_text!(query, @"
        SELECT posts.title FROM posts ORDER BY posts.views = ? DESC, posts.title
        SELECT posts.title FROM posts ORDER BY posts.views = $1 DESC, posts.title
        ");
        assert_eq!(db.all(query).await.expect("rows"), ["it's", "100%", "Hello"]);
    }

    async fn tuples_of_columns_and_models(db: TestDb) {
        let db = &mut blog(&db).await;
        let one = db.all(select((Tag.name,)).order_by(Tag.id)).await.expect("rows");
        assert_eq!(one, [("rust".to_owned(),), ("sql".to_owned(),), ("idle".to_owned(),)]);
        let (i, t) = (Post.id, Post.title);
        let twelve = select((i, t, i, t, i, t, i, t, i, t, Post.views, Post.views.gt(5))).order_by(i).limit(1);
        let row = db.one(twelve).await.expect("a row");
        assert_eq!((row.1.as_str(), row.9.as_str(), row.10, row.11), ("Hello", "Hello", 10, true));

        let mixed = select((Post.title, User, Post.views)).from(Post).join(Post.author).order_by(Post.id);
        assert_text!(mixed, @"
        SELECT posts.title, users.*, posts.views FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id
        ");
        let rows = db.all(&mixed).await.expect("rows");
        let rows: Vec<_> = rows.iter().map(|(title, user, views)| (&**title, &*user.username, *views)).collect();
        assert_eq!(rows, [("Hello", "ada", 10), ("100%", "ada", 0), ("it's", "bea", 7)]);
        let models = db.all(select((Post, User)).join(Post.author).order_by(Post.id)).await.expect("rows");
        assert_eq!((models[2].0.title.as_str(), models[2].1.username.as_str()), ("it's", "bea"));
    }

    async fn a_tracked_pair_is_one_object_each(db: TestDb) {
        let engine = blog(&db).await;
        drop(engine);
        let sessions = Engine::builder(db.url()).connect().await.expect("an engine").sessionmaker();
        let mut session = sessions.open();
        let query = select((Post, User, User.email)).join(Post.author).order_by(Post.id);
        let rows = session.all(query).await.expect("rows");
        assert_eq!(rows[0].1, rows[1].1);
        assert_ne!(rows[0].0, rows[1].0);
        assert_eq!(session[rows[2].1].username, "bea");
        assert_eq!(rows[2].2, "bea@example.com");
    }

    async fn joins_follow_each_kind_of_relationship(db: TestDb) {
        let db = &mut blog(&db).await;
        let query = select(Post).join(Post.author).filter(User.username.eq("ada"));
        assert_text!(query, @"
        SELECT posts.* FROM posts JOIN users ON users.id = posts.author_id WHERE users.username = ?
        SELECT posts.* FROM posts JOIN users ON users.id = posts.author_id WHERE users.username = $1
        ");
        assert_eq!(titles(db, query).await, ["Hello", "100%"]);
        let query = select(User).join(User.posts).filter(Post.views.gt(5));
        assert_text!(query, @"
        SELECT users.* FROM users JOIN posts ON posts.author_id = users.id WHERE posts.views > ?
        SELECT users.* FROM users JOIN posts ON posts.author_id = users.id WHERE posts.views > $1
        ");
        assert_eq!(names(db, query).await, ["ada", "bea"]);
        let query = select(Post).join(Post.tags).filter(Tag.name.eq("rust"));
        assert_text!(query, @"
        SELECT posts.* FROM posts JOIN post_tags ON post_tags.post_id = posts.id JOIN tags ON tags.id = post_tags.tag_id WHERE tags.name = ?
        SELECT posts.* FROM posts JOIN post_tags ON post_tags.post_id = posts.id JOIN tags ON tags.id = post_tags.tag_id WHERE tags.name = $1
        ");
        assert_eq!(titles(db, query).await, ["Hello"]);
        let query = select(User).join(User.posts).join(Post.tags).filter(Tag.name.eq("sql"));
        assert_text!(query, @"
        SELECT users.* FROM users JOIN posts ON posts.author_id = users.id JOIN post_tags ON post_tags.post_id = posts.id JOIN tags ON tags.id = post_tags.tag_id WHERE tags.name = ?
        SELECT users.* FROM users JOIN posts ON posts.author_id = users.id JOIN post_tags ON post_tags.post_id = posts.id JOIN tags ON tags.id = post_tags.tag_id WHERE tags.name = $1
        ");
        assert_eq!(names(db, query).await, ["ada", "bea"]);
    }

    async fn a_table_joins_itself_under_another_name(db: TestDb) {
        let db = &mut blog(&db).await;
        // Posts that share a tag with "it's".
        let other = Post.alias("other");
        let query = select(Post)
            .from(other)
            .join(other.tags)
            .join(Tag.posts)
            .filter(other.title.eq("it's"))
            .filter(Post.id.ne(other.id));
        assert_text!(query, @"
        SELECT posts.* FROM posts AS other JOIN post_tags ON post_tags.post_id = other.id JOIN tags ON tags.id = post_tags.tag_id JOIN post_tags AS post_tags_2 ON post_tags_2.tag_id = tags.id JOIN posts ON posts.id = post_tags_2.post_id WHERE other.title = ? AND posts.id <> other.id
        SELECT posts.* FROM posts AS other JOIN post_tags ON post_tags.post_id = other.id JOIN tags ON tags.id = post_tags.tag_id JOIN post_tags AS post_tags_2 ON post_tags_2.tag_id = tags.id JOIN posts ON posts.id = post_tags_2.post_id WHERE other.title = $1 AND posts.id <> other.id
        ");
        assert_eq!(titles(db, query).await, ["Hello"]);
        let query = select((other, User.username)).join(other.author).filter(other.views.eq(7));
        let (post, name) = db.one(query).await.expect("a row");
        assert_eq!((post.title.as_str(), name.as_str()), ("it's", "bea"));
        // An alias that needs quotes, and one that is a keyword.
        let odd = Post.alias("an \"odd\" ‘name’");
        assert_eq!(db.count(select(odd).filter(odd.views.gt(0))).await.expect("a count"), 2);
        let order = Post.alias("order");
        assert_eq!(db.all(select(order.title).order_by(order.views)).await.expect("rows")[0], "100%");
    }

    async fn counting(db: TestDb) {
        let db = &mut blog(&db).await;
        assert_eq!(db.count(select(Post)).await.expect("a count"), 3);
        assert_eq!(db.count(select(Post).order_by(Post.title).limit(2)).await.expect("a count"), 2);
        assert_eq!(db.count(select(Post).offset(2)).await.expect("a count"), 1);
        assert_eq!(db.count(select(Post).offset(9)).await.expect("a count"), 0);
        assert_eq!(db.count(select(Post.title).filter(Post.views.gt(0))).await.expect("a count"), 2);
        assert_eq!(db.count(select(Post).join(Post.tags)).await.expect("a count"), 3);
        assert_eq!(db.count(select((Post.id, Post.views.gt(1)))).await.expect("a count"), 3);
        assert!(db.exists(select(Post)).await.expect("an answer"));
        assert!(db.exists(select(Post).join(Post.tags).filter(Tag.name.eq("rust"))).await.expect("an answer"));
        assert!(!db.exists(select(Post).filter(Post.views.gt(99))).await.expect("an answer"));
        assert!(!db.exists(select(Post).offset(3)).await.expect("an answer"));
        assert!(!db.exists(select(Post).limit(0)).await.expect("an answer"));

        let query = select(count()).from(User);
        assert_text!(query, @"SELECT count(*) FROM users");
        assert_eq!(db.one(&query).await.expect("a row"), 3);
        // The count of a count is the one row that it is.
        assert_eq!(db.count(&query).await.expect("a count"), 1);
        assert!(db.exists(query.filter(User.username.eq("nobody"))).await.expect("an answer"));
        let query = select((count(), User.full_name.count()));
        assert_text!(query, @"SELECT count(*), count(users.full_name) FROM users");
        assert_eq!(db.one(query).await.expect("a row"), (3, 1));
        let query = select(count()).from(Post).join(Post.author).filter(User.username.eq("ada"));
        assert_text!(query, @"
        SELECT count(*) FROM posts JOIN users ON users.id = posts.author_id WHERE users.username = ?
        SELECT count(*) FROM posts JOIN users ON users.id = posts.author_id WHERE users.username = $1
        ");
        assert_eq!(db.one(query).await.expect("a row"), 2);
    }

    async fn a_session_counts_what_a_connection_counts(db: TestDb) {
        drop(blog(&db).await);
        let engine = Engine::builder(db.url()).connect().await.expect("an engine");
        let mut session = engine.sessionmaker().open();
        assert_eq!(session.count(select(Post).join(Post.tags).limit(2)).await.expect("a count"), 2);
        assert_eq!(session.count(select(count()).from(Post)).await.expect("a count"), 1);
        assert!(!session.exists(select(Post).offset(3)).await.expect("an answer"));
        assert_eq!(session.one(select(count()).from(Post)).await.expect("a row"), 3);
        assert_eq!(session.first(select(Post.title).order_by(Post.views)).await.expect("a row").as_deref(), Some("100%"));
    }

    async fn one_and_first(db: TestDb) {
        let db = &mut blog(&db).await;
        let by_views = select(Post.title).order_by(Post.views.desc());
        assert_eq!(db.first(&by_views).await.expect("a row").as_deref(), Some("Hello"));
        assert_eq!(db.first(by_views.clone().offset(3)).await.expect("no row"), None);
        assert_eq!(db.first(by_views.clone().limit(0)).await.expect("no row"), None);
        assert!(matches!(db.one(&by_views).await, Err(limbeck::Error::MultipleRows)));
        assert!(matches!(db.one_or_none(&by_views).await, Err(limbeck::Error::MultipleRows)));
        assert_eq!(db.one(by_views.clone().limit(1)).await.expect("a row"), "Hello");
        assert_eq!(db.one_or_none(by_views.clone().filter(Post.views.eq(8))).await.expect("no row"), None);
        assert!(matches!(db.one(by_views.filter(Post.views.eq(8))).await, Err(limbeck::Error::NoRows)));
    }

    async fn a_query_is_a_value(db: TestDb) {
        let db = &mut blog(&db).await;
        let mut query = select(Post);
        for word in ["%e%", "%l%", "H%"] {
            query = query.filter(Post.title.like(word));
        }
        let kept = query.clone();
        let narrower = query.filter(Post.views.eq(0));
        assert_eq!(titles(db, kept.clone()).await, ["Hello"]);
        assert_eq!(titles(db, narrower).await.len(), 0);
        assert_eq!(titles(db, kept.clone()).await, ["Hello"]);
        // Sent to another task, with all its values.
        let sent = tokio::spawn(async move { both_texts(&kept).len() }).await.expect("a task");
        assert!(sent > 0);
        // Any of several conditions, put together at run time.
        let any = ["Hello", "it's"].into_iter().map(|title| Post.title.eq(title)).reduce(|a, b| a.or(b));
        let query = any.into_iter().fold(select(Post), |query, any| query.filter(any));
        assert_text!(query, @"
        SELECT posts.* FROM posts WHERE posts.title = ? OR posts.title = ?
        SELECT posts.* FROM posts WHERE posts.title = $1 OR posts.title = $2
        ");
        assert_eq!(titles(db, query).await, ["Hello", "it's"]);
    }
}

#[test]
fn a_table_that_is_not_in_the_query_is_an_error_that_names_the_join() {
    assert_refused!(select(Post).filter(User.username.eq("ada")), @"`User.username` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(select(User).order_by(Tag.name), @"`Tag.name` is used, but the table `tags` is not in the query: add `.join(User.posts).join(Post.tags)`");
    assert_refused!(select((Post.title, User)), @"`User` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(select(Tag).join(Post.author), @"`.join(Post.author)` is used, but the table `posts` is not in the query: add `.join(Tag.posts)`");
    let other = Post.alias("other");
    assert_refused!(select(other).filter(User.id.eq(1)), @"`User.id` is used, but the table `users` is not in the query: add `.join(other.author)`");
    assert_refused!(select(Post).filter(other.id.eq(1)), @"`other.id` is used, but `posts` under the name `other` is not in the query: begin it with `.from(other)`, or join it, as in `.join(….to(other))`");
}

#[test]
fn a_table_can_be_in_a_query_once() {
    assert_refused!(select(User).join(User.posts).join(Post.author), @r#"the table `users` is in the query twice: give it another name, as in `let other = User.alias("other")` and `.join(….to(other))`"#);
}

#[test]
fn a_query_needs_a_table() {
    assert_refused!(select(count()), @"the query names no table: say which, as in `select(count()).from(User)`");
}
