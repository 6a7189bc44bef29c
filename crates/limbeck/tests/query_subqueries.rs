//! Queries inside queries: in FROM, in WITH, in expressions, and put together.

mod common;

use common::statements::*;
use common::*;
use limbeck::prelude::*;
use limbeck::sql::{Subquery, recursive, recursive_distinct, values};
use limbeck_test_support::{TestDb, both};

/// How many posts each author has.
fn counts() -> Subquery<(i64, i64)> {
    select((Post.author_id, count())).group_by(Post.author_id).subquery("counts")
}

both! {
    async fn a_subquery_stands_in_from(db: TestDb) {
        let db = &mut blog(&db).await;
        let counts = counts();
        let (author, posts) = counts.columns();
        let query = select((User.username, posts.clone())).from(User).join_on(&counts, author.eq(User.id)).order_by(posts);
        assert_text!(query, @"SELECT users.username, counts.c2 FROM users JOIN (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts ON counts.author_id = users.id ORDER BY counts.c2");
        assert_eq!(db.all(&query).await.expect("rows"), [("bea".into(), 1), ("ada".into(), 2)]);
        // Its first column says where to begin, as that of a table does.
        let (_, posts) = counts.columns();
        let query = select(posts.clone()).filter(posts.gt(1));
        assert_text!(query, @"
        SELECT counts.c2 FROM (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts WHERE counts.c2 > ?
        SELECT counts.c2 FROM (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts WHERE counts.c2 > $1
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [2]);
        // Beyond an outer join.
        let (author, posts) = counts.columns();
        let query = select((User.username, posts.optional())).from(User).left_join_on(&counts, author.eq(User.id));
        let query = query.order_by(User.id);
        assert_text!(query, @"SELECT users.username, counts.c2 FROM users LEFT JOIN (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts ON counts.author_id = users.id ORDER BY users.id");
        assert_eq!(db.all(&query).await.expect("rows")[2], ("cyd".into(), None));
    }

    async fn a_subquery_of_a_model_has_its_columns(db: TestDb) {
        let url = db.url().to_owned();
        let db = &mut blog(&db).await;
        let recent = select(Post).order_by(Post.id.desc()).limit(2).subquery("recent");
        let post = recent.columns();
        let query = select((post, User.username)).from(&recent).join(post.author).filter(post.views.gt(0));
        assert_text!(query, @"
        SELECT recent.*, users.username FROM (SELECT posts.* FROM posts ORDER BY posts.id DESC LIMIT 2) AS recent JOIN users ON users.id = recent.author_id WHERE recent.views > ?
        SELECT recent.*, users.username FROM (SELECT posts.* FROM posts ORDER BY posts.id DESC LIMIT 2) AS recent JOIN users ON users.id = recent.author_id WHERE recent.views > $1
        ");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows.iter().map(|(post, name)| (&*post.title, &**name)).collect::<Vec<_>>(), [("it's", "bea")]);
        // A row of it is an object of the session as any other.
        let engine = Engine::builder(&url).connect().await.expect("an engine");
        let mut session = engine.sessionmaker().open();
        let all = session.all(select(Post).order_by(Post.id)).await.expect("posts");
        assert_eq!(session.all(select(post).from(&recent).order_by(post.id)).await.expect("posts"), all[1..]);
    }

    async fn subqueries_under_other_names(db: TestDb) {
        let db = &mut blog(&db).await;
        let (first, second) = (counts(), counts().alias("others"));
        let ((_, here), (_, there)) = (first.columns(), second.columns());
        let query = select((here.clone(), there.clone())).join_on(&second, there.lt(here));
        assert_text!(query, @"SELECT counts.c2, others.c2 FROM (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS counts JOIN (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) AS others ON others.c2 < counts.c2");
        assert_eq!(db.all(&query).await.expect("rows"), [(2, 1)]);
        // A CTE is written once.
        let counts = select((Post.author_id, count())).group_by(Post.author_id).cte("counts");
        let others = counts.alias("others");
        let ((_, here), (_, there)) = (counts.columns(), others.columns());
        let query = select((here.clone(), there.clone())).join_on(&others, there.lt(here));
        assert_text!(query, @"WITH counts AS (SELECT posts.author_id, count(*) AS c2 FROM posts GROUP BY posts.author_id) SELECT counts.c2, others.c2 FROM counts JOIN counts AS others ON others.c2 < counts.c2");
        assert_eq!(db.all(&query).await.expect("rows"), [(2, 1)]);
    }

    async fn names_that_clash_are_told_apart(db: TestDb) {
        let db = &mut blog(&db).await;
        let pairs = select((Post.id, User.id, User.id + 100, Post.title)).join(Post.author).subquery("pairs");
        let (post, user, sum, title) = pairs.columns();
        let query = select((post.clone(), user, sum, title)).order_by(post);
        assert_text!(query, @"
        SELECT pairs.id, pairs.c2, pairs.c3, pairs.title FROM (SELECT posts.id, users.id AS c2, users.id + ? AS c3, posts.title FROM posts JOIN users ON users.id = posts.author_id) AS pairs ORDER BY pairs.id
        SELECT pairs.id, pairs.c2, pairs.c3, pairs.title FROM (SELECT posts.id, users.id AS c2, users.id + $1 AS c3, posts.title FROM posts JOIN users ON users.id = posts.author_id) AS pairs ORDER BY pairs.id
        ");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows[2], (3, 2, 102, "it's".into()));
    }

    async fn a_query_is_a_value_in_an_expression(db: TestDb) {
        let db = &mut blog(&db).await;
        let posts = select(count()).from(Post).filter(Post.author_id.eq(User.id)).scalar();
        let query = select((User.username, posts.clone())).filter(posts.lt(2)).order_by(User.id);
        assert_text!(query, @"
        SELECT users.username, (SELECT count(*) FROM posts WHERE posts.author_id = users.id) FROM users WHERE (SELECT count(*) FROM posts WHERE posts.author_id = users.id) < ? ORDER BY users.id
        SELECT users.username, (SELECT count(*) FROM posts WHERE posts.author_id = users.id) FROM users WHERE (SELECT count(*) FROM posts WHERE posts.author_id = users.id) < $1 ORDER BY users.id
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [("bea".into(), Some(1)), ("cyd".into(), Some(0))]);
        let most = select(Post.views.max()).scalar();
        let query = select(Post.title).filter(Post.views.eq(most));
        assert_text!(query, @"SELECT posts.title FROM posts WHERE posts.views = (SELECT max(posts.views) FROM posts)");
        assert_eq!(db.all(&query).await.expect("rows"), ["Hello"]);
        let none = select(Post.title).filter(Post.views.gt(99)).scalar();
        assert_eq!(db.all(select(none)).await.expect("rows"), [None]);
    }

    async fn exists_and_in(db: TestDb) {
        let db = &mut blog(&db).await;
        let posts = exists(select(Post).filter(Post.author_id.eq(User.id)).filter(Post.views.gt(5)));
        let query = select(User.username).filter(posts.clone()).order_by(User.id);
        assert_text!(query, @"
        SELECT users.username FROM users WHERE EXISTS (SELECT 1 FROM posts WHERE posts.author_id = users.id AND posts.views > ?) ORDER BY users.id
        SELECT users.username FROM users WHERE EXISTS (SELECT 1 FROM posts WHERE posts.author_id = users.id AND posts.views > $1) ORDER BY users.id
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada", "bea"]);
        let query = select(User.username).filter(!posts);
        assert_text!(query, @"
        SELECT users.username FROM users WHERE NOT EXISTS (SELECT 1 FROM posts WHERE posts.author_id = users.id AND posts.views > ?)
        SELECT users.username FROM users WHERE NOT EXISTS (SELECT 1 FROM posts WHERE posts.author_id = users.id AND posts.views > $1)
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["cyd"]);
        let busy = || select(Post.author_id).filter(Post.views.gt(5));
        let query = select(User.username).filter(User.id.in_(busy())).order_by(User.id);
        assert_text!(query, @"
        SELECT users.username FROM users WHERE users.id IN (SELECT posts.author_id FROM posts WHERE posts.views > ?) ORDER BY users.id
        SELECT users.username FROM users WHERE users.id IN (SELECT posts.author_id FROM posts WHERE posts.views > $1) ORDER BY users.id
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada", "bea"]);
        let query = select(User.username).filter(User.id.not_in(busy()));
        assert_text!(query, @"
        SELECT users.username FROM users WHERE users.id NOT IN (SELECT posts.author_id FROM posts WHERE posts.views > ?)
        SELECT users.username FROM users WHERE users.id NOT IN (SELECT posts.author_id FROM posts WHERE posts.views > $1)
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["cyd"]);
        // Two queries deep, with a name of the outermost.
        let tagged = select(Tag.id).join(Tag.posts).filter(Post.author_id.eq(User.id)).filter(Tag.name.eq("rust"));
        let query = select(User.username).filter(exists(select(Post).filter(exists(tagged))));
        assert_text!(query, @"
        SELECT users.username FROM users WHERE EXISTS (SELECT 1 FROM posts WHERE EXISTS (SELECT 1 FROM tags JOIN post_tags ON post_tags.tag_id = tags.id JOIN posts ON posts.id = post_tags.post_id WHERE posts.author_id = users.id AND tags.name = ?))
        SELECT users.username FROM users WHERE EXISTS (SELECT 1 FROM posts WHERE EXISTS (SELECT 1 FROM tags JOIN post_tags ON post_tags.tag_id = tags.id JOIN posts ON posts.id = post_tags.post_id WHERE posts.author_id = users.id AND tags.name = $1))
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada"]);
    }

    async fn a_lateral_subquery_sees_the_tables_before_it(db: TestDb) {
        let postgres = db.is_postgres();
        let db = &mut blog(&db).await;
        let best = select(Post).filter(Post.author_id.eq(User.id)).order_by(Post.views.desc()).limit(1).subquery("best");
        let post = best.columns();
        let query = select((User.username, post.optional())).left_join_lateral(&best).order_by(User.id);
        assert_text!(query, @"
        error: a lateral join cannot be used on sqlite: select the values by `.scalar()`, one by one
        SELECT users.username, best.* FROM users LEFT JOIN LATERAL (SELECT posts.* FROM posts WHERE posts.author_id = users.id ORDER BY posts.views DESC LIMIT 1) AS best ON true ORDER BY users.id
        ");
        let rows = db.all(&query).await;
        if !postgres {
            assert!(matches!(rows, Err(limbeck::Error::Statement(_))));
            return;
        }
        let rows = rows.expect("rows");
        let rows: Vec<_> = rows.iter().map(|(name, post)| (&**name, post.as_ref().map(|post| &*post.title))).collect();
        assert_eq!(rows, [("ada", Some("Hello")), ("bea", Some("it's")), ("cyd", None)]);
        let query = select((User.username, post.title)).join_lateral(&best).order_by(User.id);
        assert_text!(query, @"
        error: a lateral join cannot be used on sqlite: select the values by `.scalar()`, one by one
        SELECT users.username, best.title FROM users JOIN LATERAL (SELECT posts.* FROM posts WHERE posts.author_id = users.id ORDER BY posts.views DESC LIMIT 1) AS best ON true ORDER BY users.id
        ");
        assert_eq!(db.all(&query).await.expect("rows").len(), 2);
    }

    async fn ctes_are_written_once_and_in_order(db: TestDb) {
        let db = &mut blog(&db).await;
        let loud = select((Post.author_id, Post.views)).filter(Post.views.gt(5)).cte("loud");
        let (author, views) = loud.columns();
        let authors = select((author.clone(), views.clone().max())).group_by(author).cte("authors");
        let (author, most) = authors.columns();
        let (_, all) = loud.columns();
        let query = select((User.username, most.clone()))
            .join_on(&authors, author.eq(User.id))
            .filter(most.clone().ge(select(all.max()).scalar()))
            .filter(User.id.gt(0));
        assert_text!(query, @"
        WITH loud AS (SELECT posts.author_id, posts.views FROM posts WHERE posts.views > ?), authors AS (SELECT loud.author_id, max(loud.views) AS c2 FROM loud GROUP BY loud.author_id) SELECT users.username, authors.c2 FROM users JOIN authors ON authors.author_id = users.id WHERE authors.c2 >= (SELECT max(loud.views) FROM loud) AND users.id > ?
        WITH loud AS (SELECT posts.author_id, posts.views FROM posts WHERE posts.views > $1), authors AS (SELECT loud.author_id, max(loud.views) AS c2 FROM loud GROUP BY loud.author_id) SELECT users.username, authors.c2 FROM users JOIN authors ON authors.author_id = users.id WHERE authors.c2 >= (SELECT max(loud.views) FROM loud) AND users.id > $2
        ");
        assert_eq!(db.all(&query).await.expect("rows"), [("ada".into(), Some(10))]);
        assert_eq!(db.count(&query).await.expect("a count"), 1);
        assert!(db.exists(&query).await.expect("an answer"));
        // In a statement that writes, too.
        let (author, _) = authors.columns();
        let raise = update(User).set(User.full_name, "loud").filter(User.id.in_(select(author)));
        assert_text!(raise, @"
        WITH loud AS (SELECT posts.author_id, posts.views FROM posts WHERE posts.views > ?), authors AS (SELECT loud.author_id, max(loud.views) AS c2 FROM loud GROUP BY loud.author_id) UPDATE users SET full_name = ?, updated_at = ? WHERE users.id IN (SELECT authors.author_id FROM authors)
        WITH loud AS (SELECT posts.author_id, posts.views FROM posts WHERE posts.views > $1), authors AS (SELECT loud.author_id, max(loud.views) AS c2 FROM loud GROUP BY loud.author_id) UPDATE users SET full_name = $2, updated_at = $3 WHERE users.id IN (SELECT authors.author_id FROM authors)
        ");
        assert_eq!(db.execute(&raise).await.expect("an update"), 2);
    }

    async fn a_recursive_cte_walks_a_tree(db: TestDb) {
        let url = db.url().to_owned();
        let mut session = session(&url).await;
        let root = session.add(Node::builder().name("root"));
        let twig = session.add(Node::builder().name("twig").parent(root));
        let leaf = session.add(Node::builder().name("leaf").parent(twig));
        session.add(Node::builder().name("other"));
        session.commit().await.expect("the forest");
        let base = select(Node).filter(Node.name.eq("root"));
        let tree = recursive("tree", base.clone(), |tree| {
            let parent = tree.columns();
            select(Node).join_on(tree, parent.id.eq(Node.parent_id))
        });
        let node = tree.columns();
        let query = select(node).from(&tree).order_by(node.id);
        assert_text!(query, @"
        WITH RECURSIVE tree AS (SELECT nodes.*, nodes.parent_id FROM nodes WHERE nodes.name = ? UNION ALL SELECT nodes.*, nodes.parent_id FROM nodes JOIN tree ON tree.id = nodes.parent_id) SELECT tree.*, tree.parent_id FROM tree ORDER BY tree.id
        WITH RECURSIVE tree AS (SELECT nodes.*, nodes.parent_id FROM nodes WHERE nodes.name = $1 UNION ALL SELECT nodes.*, nodes.parent_id FROM nodes JOIN tree ON tree.id = nodes.parent_id) SELECT tree.*, tree.parent_id FROM tree ORDER BY tree.id
        ");
        assert_eq!(session.all(&query).await.expect("nodes"), [root, twig, leaf]);
        // With the depth, and a limit to it.
        #[allow(clippy::eq_op)] // Zero, without a value.
        let base = select((Node.id, Node.name, Node.id - Node.id)).filter(Node.parent_id.is_null());
        let deep = recursive_distinct("deep", base, |deep| {
            let (id, _, depth) = deep.columns();
            select((Node.id, Node.name, depth.clone() + 1)).from(Node).join_on(deep, id.eq(Node.parent_id)).filter(depth.lt(1))
        });
        let (id, name, depth) = deep.columns();
        let query = select((name, depth)).order_by(id);
        assert_text!(query, @"
        WITH RECURSIVE deep AS (SELECT nodes.*, nodes.id - nodes.id AS c3 FROM nodes WHERE nodes.parent_id IS NULL UNION SELECT nodes.*, deep.c3 + ? FROM nodes JOIN deep ON deep.id = nodes.parent_id WHERE deep.c3 < ?) SELECT deep.name, deep.c3 FROM deep ORDER BY deep.id
        WITH RECURSIVE deep AS (SELECT nodes.*, nodes.id - nodes.id AS c3 FROM nodes WHERE nodes.parent_id IS NULL UNION SELECT nodes.*, deep.c3 + $1 FROM nodes JOIN deep ON deep.id = nodes.parent_id WHERE deep.c3 < $2) SELECT deep.name, deep.c3 FROM deep ORDER BY deep.id
        ");
        let rows = session.all(&query).await.expect("rows");
        assert_eq!(rows, [("root".into(), 0), ("other".into(), 0), ("twig".into(), 1)]);
    }

    async fn rows_of_two_queries(db: TestDb) {
        let db = &mut blog(&db).await;
        let names = || select(User.username).filter(User.is_active);
        let tags = || select(Tag.name);
        let query = names().union(tags()).order_by(User.username);
        assert_text!(query, @"SELECT users.username FROM users WHERE users.is_active UNION SELECT tags.name FROM tags ORDER BY 1");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada", "bea", "idle", "rust", "sql"]);
        assert_eq!(db.count(&query).await.expect("a count"), 5);
        assert!(db.exists(&query).await.expect("an answer"));
        assert_eq!(db.first(&query).await.expect("a row").as_deref(), Some("ada"));
        let query = names().union_all(names()).order_by(User.username.desc()).limit(3).offset(1);
        assert_text!(query, @"
        SELECT users.username FROM users WHERE users.is_active UNION ALL SELECT users.username FROM users WHERE users.is_active ORDER BY 1 DESC LIMIT 3 OFFSET 1
        SELECT users.username FROM users WHERE users.is_active UNION ALL SELECT users.username FROM users WHERE users.is_active ORDER BY 1 DESC LIMIT 3 OFFSET $1
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["bea", "ada", "ada"]);
        let query = names().intersect(select(User.username).filter(User.username.lt("b")));
        assert_text!(query, @"
        SELECT users.username FROM users WHERE users.is_active INTERSECT SELECT users.username FROM users WHERE users.username < ?
        SELECT users.username FROM users WHERE users.is_active INTERSECT SELECT users.username FROM users WHERE users.username < $1
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada"]);
        let query = select(User.username).except(names());
        assert_text!(query, @"SELECT users.username FROM users EXCEPT SELECT users.username FROM users WHERE users.is_active");
        assert_eq!(db.all(&query).await.expect("rows"), ["cyd"]);
        // Read from the left on both, whatever binds tighter.
        let query = names().union(tags()).intersect(names().filter(User.username.eq("ada")));
        assert_text!(query, @"
        SELECT * FROM (SELECT users.username FROM users WHERE users.is_active UNION SELECT tags.name FROM tags) AS side INTERSECT SELECT users.username FROM users WHERE users.is_active AND users.username = ?
        SELECT * FROM (SELECT users.username FROM users WHERE users.is_active UNION SELECT tags.name FROM tags) AS side INTERSECT SELECT users.username FROM users WHERE users.is_active AND users.username = $1
        ");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada"]);
        // A side with an order, a limit, or of two queries itself.
        let first = || select(User.username).order_by(User.id).limit(1);
        let query = first().union(names().except(first())).order_by(User.username);
        assert_text!(query, @"SELECT * FROM (SELECT users.username FROM users ORDER BY users.id LIMIT 1) AS side UNION SELECT * FROM (SELECT users.username FROM users WHERE users.is_active EXCEPT SELECT * FROM (SELECT users.username FROM users ORDER BY users.id LIMIT 1) AS side) AS side ORDER BY 1");
        assert_eq!(db.all(&query).await.expect("rows"), ["ada", "bea"]);
        // Objects, and what is loaded along; in FROM of another.
        let posts = select(Post).filter(Post.views.gt(8)).union(select(Post).filter(Post.views.lt(1)));
        assert_eq!(db.all(posts.clone().order_by(Post.id)).await.expect("rows").len(), 2);
        let both = posts.subquery("both");
        let post = both.columns();
        let query = select(post.title).from(&both).filter(post.views.gt(0));
        assert_eq!(db.all(&query).await.expect("rows"), ["Hello"]);
    }

    async fn values_are_rows(db: TestDb) {
        let db = &mut blog(&db).await;
        let wanted = values([(3i64, "first"), (1, "second")], "wanted");
        let (id, rank) = wanted.columns();
        let query = select((Post.title, rank.clone())).join_on(&wanted, id.eq(Post.id)).order_by(rank);
        assert_text!(query, @"
        SELECT posts.title, wanted.column2 FROM posts JOIN (VALUES (?, ?), (?, ?)) AS wanted ON wanted.column1 = posts.id ORDER BY wanted.column2
        SELECT posts.title, wanted.column2 FROM posts JOIN (VALUES ($1, $2), ($3, $4)) AS wanted ON wanted.column1 = posts.id ORDER BY wanted.column2
        ");
        let rows = db.all(&query).await.expect("rows");
        assert_eq!(rows, [("it's".into(), "first".into()), ("Hello".into(), "second".into())]);
        let maybe = values([(Some(7i32), true), (None, false)], "maybe");
        let (number, flag) = maybe.columns();
        let query = select((number.clone(), flag)).order_by(number.asc().nulls_last());
        assert_eq!(db.all(&query).await.expect("rows"), [(Some(7), true), (None, false)]);
        let none = values(Vec::<(i64, String)>::new(), "none");
        let (id, _) = none.columns();
        let query = select(Post.title).join_on(&none, id.eq(Post.id));
        assert_text!(query, @"
        SELECT posts.title FROM posts JOIN (SELECT CAST(NULL AS INTEGER) AS column1, CAST(NULL AS VARCHAR) AS column2 WHERE 1 = 0) AS none ON none.column1 = posts.id
        SELECT posts.title FROM posts JOIN (SELECT CAST(NULL AS BIGINT) AS column1, CAST(NULL AS VARCHAR) AS column2 WHERE 1 = 0) AS none ON none.column1 = posts.id
        ");
        assert_eq!(db.all(&query).await.expect("rows").len(), 0);
    }
}

#[test]
fn queries_that_name_what_is_not_there_are_refused() {
    let counts = counts();
    let (author, posts) = counts.columns();
    let recent = select(Post).subquery("recent");
    let post = recent.columns();
    assert_refused!(select(User).filter(author.clone().eq(User.id)), @"a column of the subquery `counts` is used, but it is not in the query: add `.join_on(&counts, …)`");
    assert_refused!(select(post), @"columns of the subquery `recent` are used, but it is not in the query: add `.from(&recent)` or `.join_on(&recent, …)`");
    assert_refused!(select(User).filter(post.id.eq(1)), @"`recent.id` is used, but the subquery `recent` is not in the query: add `.join_on(&recent, …)`");
    assert_refused!(select(User).from(User).join_on(&counts, author.clone().eq(Tag.id)), @"`Tag.id` is used, but the table `tags` is not in the query: add `.join(User.posts).join(Post.tags)`");
    assert_refused!(select(User).join_on(&counts, author.clone().eq(1)).join_on(&counts, author.clone().eq(1)), @r#"`counts` is in the query twice: give it another name, as in `counts.alias("other")`"#);
    assert_refused!(select((User.id, posts.clone())).from(User).left_join_on(&counts, author.clone().eq(User.id)), @"`counts.c2` is selected, but the outer join leaves rows without `counts`: select `counts.c2.optional()`, which is `None` there");
    // A subquery in FROM does not see the tables beside it; one in an expression does.
    let beside = select(Post.id).filter(Post.author_id.eq(User.id)).subquery("beside");
    assert_refused!(select(User).join_on(&beside, beside.columns().eq(1)), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    assert_refused!(select(User).filter(exists(select(Post).filter(Tag.id.eq(1)))), @"`Tag.id` is used, but the table `tags` is not in the query: add `.join(Post.tags)`");
    // WITH sees nothing but itself.
    let blind = select(Post.id).filter(Post.author_id.eq(User.id)).cte("blind");
    assert_refused!(select(User).filter(User.id.in_(select(blind.columns()))), @"`User.id` is used, but the table `users` is not in the query: add `.join(Post.author)`");
    let two = select((Post, User)).join(Post.author).subquery("two");
    assert_refused!(select(count()).from(&two), @"`two` selects two columns called `id`: select the columns that are needed, one by one");
}

#[test]
fn names_of_ctes_are_not_given_twice() {
    let one = select(Post.id).cte("one");
    let other = select(User.id).cte("one");
    let query = select(one.columns()).filter(one.columns().in_(select(other.columns())));
    assert_refused!(query, @"two CTEs of the statement are called `one`: give one of them another name");
    let users = select(Post.author_id).cte("users");
    assert_refused!(select(User).filter(User.id.in_(select(users.columns()))), @"the CTE `users` is called as the table `users`, which the statement uses too: give it another name");
}

#[test]
fn what_a_union_cannot_have_is_refused() {
    let union = || select(User.username).union(select(Tag.name));
    assert_refused!(union().filter(User.id.eq(1)), @r#"`.filter(…)` cannot follow `.union(…)`: call it on the queries that are put together, or make them a `.subquery("name")` and select from that"#);
    assert_refused!(union().order_by(User.id), @"after `.union(…)` rows can be ordered by what the first query selects, and by nothing else: select it too");
    assert_refused!(union().join(User.posts), @r#"`.join(…)` cannot follow `.union(…)`: call it on the queries that are put together, or make them a `.subquery("name")` and select from that"#);
    assert_refused!(union().distinct(), @r#"`.distinct(…)` cannot follow `.union(…)`: call it on the queries that are put together, or make them a `.subquery("name")` and select from that"#);
    assert_refused!(union().with_for_update(), @r#"`.with_for_update(…)` cannot follow `.union(…)`: call it on the queries that are put together, or make them a `.subquery("name")` and select from that"#);
    assert_refused!(select(Post.title).union(select(User.username).filter(Tag.id.eq(1))), @"`Tag.id` is used, but the table `tags` is not in the query: add `.join(User.posts).join(Post.tags)`");
}
