//! Views: what is selected for their fields, in how many statements, and what the rows become.

mod common;

use common::*;
use insta::assert_snapshot;
use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::sql::{Fetch, Select};
use limbeck_test_support::{TestDb, both};

#[derive(View, Debug, PartialEq)]
#[view(Post)]
struct PostCard {
    title: String,
    #[view(column = views)]
    reads: i32,
    author: AuthorName,
    tags: Vec<TagName>,
}

#[derive(View, Debug, PartialEq)]
#[view(User)]
struct AuthorName {
    username: String,
    full_name: Option<String>,
}

#[derive(View, Debug, PartialEq)]
#[view(Tag)]
struct TagName {
    name: String,
}

#[derive(View, Debug, PartialEq)]
#[view(Post)]
struct Title {
    title: String,
}

/// ada wrote `Hello` (10 views, tags sql and rust) and `100%` (no views); bea wrote `it's` (7 views, tag sql); cyd
/// wrote nothing.
async fn blog(db: &TestDb) -> (Engine, Connection, Log) {
    let (engine, log) = logged(db.url()).await;
    let mut session = engine.sessionmaker().open();
    let ada = session.add(user("ada"));
    let bea = session.add(user("bea"));
    session.add(user("cyd"));
    let sql = session.add(Tag::builder().name("sql"));
    let rust = session.add(Tag::builder().name("rust"));
    session.add(Post::builder().title("Hello").author(ada).views(10).tags([rust, sql]));
    session.add(Post::builder().title("100%").author(ada).views(0));
    session.add(Post::builder().title("it's").author(bea).views(7).tags([sql]));
    session.commit().await.expect("the blog");
    let connection = engine.connect().await.expect("a connection");
    log.take();
    (engine, connection, log)
}

/// Both spellings, SQLite's above PostgreSQL's; one line where they agree.
fn sql_of<T: Fetch>(query: &Select<T>) -> String {
    let spelled = |dialect| query.to_sql(dialect).unwrap_or_else(|error| error.to_string());
    let (sqlite, postgres) = (spelled(Dialect::Sqlite), spelled(Dialect::Postgres));
    if sqlite == postgres { sqlite } else { format!("{sqlite}\n{postgres}") }
}

macro_rules! assert_view {
    ($query:expr, @$sql:literal) => {
        insta::allow_duplicates! { assert_snapshot!(sql_of(&$query), @$sql) }
    };
}

/// What was sent, with each database's placeholders and lists written alike.
fn sent(log: &Log) -> String {
    let alike = |text: String| {
        let text = text.replace(" IN (SELECT value FROM json_each(?))", " IN (…)").replace(" = ANY($1)", " IN (…)");
        text.replace(" = ANY($2)", " IN (…)").replace("$1", "?").replace("$2", "?")
    };
    log.take().into_iter().map(alike).filter(|text| !text.starts_with("BEGIN")).collect::<Vec<_>>().join("\n")
}

macro_rules! assert_statements {
    ($log:expr, @$sql:literal) => {
        insta::allow_duplicates! { assert_snapshot!(sent(&$log), @$sql) }
    };
}

fn names(tags: &[&str]) -> Vec<TagName> {
    tags.iter().map(|name| TagName { name: (*name).to_owned() }).collect()
}

fn author(name: &str) -> AuthorName {
    AuthorName { username: name.into(), full_name: None }
}

both! {
    async fn only_what_the_fields_name_is_selected(db: TestDb) {
        let (_, mut db, log) = blog(&db).await;
        let query = select(Title).filter(Post.views.gt(5)).order_by(Post.id);
        assert_view!(query, @"
        SELECT posts.title FROM posts WHERE posts.views > ? ORDER BY posts.id
        SELECT posts.title FROM posts WHERE posts.views > $1 ORDER BY posts.id
        ");
        assert_eq!(db.all(&query).await.expect("titles"), ["Hello", "it's"].map(|title| Title { title: title.into() }));
        assert_statements!(log, @"SELECT posts.title FROM posts WHERE posts.views > ? ORDER BY posts.id");
        assert_eq!(db.count(&query).await.expect("a count"), 2);
        assert!(db.exists(select(Title)).await.expect("an answer"));
        assert_statements!(log, @"
        SELECT count(*) FROM posts WHERE posts.views > ?
        SELECT EXISTS (SELECT 1 FROM posts)
        ");
    }

    async fn rows_are_joined_and_lists_are_one_statement(db: TestDb) {
        let (engine, mut db, log) = blog(&db).await;
        let query = select(PostCard).order_by(Post.id);
        let cards = || [
            PostCard { title: "Hello".into(), reads: 10, author: author("ada"), tags: names(&["sql", "rust"]) },
            PostCard { title: "100%".into(), reads: 0, author: author("ada"), tags: vec![] },
            PostCard { title: "it's".into(), reads: 7, author: author("bea"), tags: names(&["sql"]) },
        ];
        assert_eq!(db.all(&query).await.expect("cards"), cards());
        assert_statements!(log, @"
        SELECT posts.title, posts.views, users.username, users.full_name, posts.id FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id
        SELECT tags.name, owner.id FROM posts AS owner JOIN post_tags ON post_tags.post_id = owner.id JOIN tags ON tags.id = post_tags.tag_id WHERE owner.id IN (…) ORDER BY tags.id
        ");
        let mut session = engine.sessionmaker().open();
        assert_eq!(session.all(&query).await.expect("cards"), cards());
        let [hello, ..] = cards();
        assert_eq!(session.first(query.clone()).await.expect("a card"), Some(hello));
        let none = select(PostCard).filter(Post.views.gt(100));
        log.take();
        assert_eq!(session.all(none).await.expect("cards"), []);
        // Nothing to find the tags of.
        assert_statements!(log, @"SELECT posts.title, posts.views, users.username, users.full_name, posts.id FROM posts JOIN users ON users.id = posts.author_id WHERE posts.views > ?");
    }

    async fn joined_tables_are_filtered_and_ordered_by_their_own_names(db: TestDb) {
        let (_, mut db, _) = blog(&db).await;
        let query = select(PostCard).filter(User.username.eq("ada")).order_by((User.username, Post.views)).limit(1);
        assert_view!(query, @"
        SELECT posts.title, posts.views, users.username, users.full_name, posts.id FROM posts JOIN users ON users.id = posts.author_id WHERE users.username = ? ORDER BY users.username, posts.views LIMIT 1
        SELECT posts.title, posts.views, users.username, users.full_name, posts.id FROM posts JOIN users ON users.id = posts.author_id WHERE users.username = $1 ORDER BY users.username, posts.views LIMIT 1
        ");
        assert_eq!(db.one(query).await.expect("a card").title, "100%");
        // A join of its own multiplies the rows; each has its list.
        let query = select(PostCard).join(Post.tags).order_by((Post.id, Tag.id));
        let cards = db.all(query).await.expect("cards");
        let found: Vec<_> = cards.iter().map(|card| (card.title.as_str(), card.tags.len())).collect();
        assert_eq!(found, [("Hello", 2), ("Hello", 2), ("it's", 1)]);
    }

    async fn a_path_leads_to_a_column_at_the_other_end(db: TestDb) {
        #[derive(View, Debug, PartialEq)]
        #[view(Post)]
        struct Line {
            #[view(path = author.username)]
            by: String,
            #[view(path = author.full_name)]
            name: Option<String>,
            author: AuthorName,
            #[view(path = tags.name, order_by = Tag.name)]
            tags: Vec<String>,
            #[view(path = author.posts.title, order_by = Post.views.desc())]
            others: Vec<String>,
        }
        let (_, mut db, log) = blog(&db).await;
        // One join for all that follows the same relationship.
        let lines = db.all(select(Line).order_by(Post.id)).await.expect("lines");
        assert_statements!(log, @"
        SELECT users.username, users.full_name, users.username, users.full_name, posts.id, users.id FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id
        SELECT tags.name, owner.id FROM posts AS owner JOIN post_tags ON post_tags.post_id = owner.id JOIN tags ON tags.id = post_tags.tag_id WHERE owner.id IN (…) ORDER BY tags.name
        SELECT posts.title, posts.author_id FROM posts WHERE posts.author_id IN (…) ORDER BY posts.views DESC
        ");
        let line = |by: &str, tags: &[&str], others: &[&str]| Line {
            by: by.into(),
            name: None,
            author: author(by),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            others: others.iter().map(|other| (*other).to_owned()).collect(),
        };
        assert_eq!(lines, [
            line("ada", &["rust", "sql"], &["Hello", "100%"]),
            line("ada", &[], &["Hello", "100%"]),
            line("bea", &["sql"], &["it's"]),
        ]);
    }

    async fn expressions_are_fields(db: TestDb) {
        #[derive(View, Debug, PartialEq)]
        #[view(Post)]
        struct Shouted {
            #[view(expr = Post.title.upper())]
            title: String,
            #[view(expr = Post.views.ge(7))]
            popular: bool,
            #[view(expr = Post.tags.count())]
            tags: i64,
            author: Writer,
        }
        #[derive(View, Debug, PartialEq)]
        #[view(User)]
        struct Writer {
            #[view(expr = User.posts.count())]
            posts: i64,
            #[view(expr = User.full_name.coalesce(User.username))]
            name: String,
        }
        let (_, mut db, _) = blog(&db).await;
        let query = select(Shouted).order_by(Post.id);
        assert_view!(query, @"
        SELECT upper(posts.title), posts.views >= ?, (SELECT count(*) FROM posts AS owner JOIN post_tags ON post_tags.post_id = owner.id JOIN tags ON tags.id = post_tags.tag_id WHERE owner.id = posts.id), (SELECT count(*) FROM posts WHERE posts.author_id = users.id), coalesce(users.full_name, users.username) FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id
        SELECT upper(posts.title), posts.views >= $1, (SELECT count(*) FROM posts AS owner JOIN post_tags ON post_tags.post_id = owner.id JOIN tags ON tags.id = post_tags.tag_id WHERE owner.id = posts.id), (SELECT count(*) FROM posts WHERE posts.author_id = users.id), coalesce(users.full_name, users.username) FROM posts JOIN users ON users.id = posts.author_id ORDER BY posts.id
        ");
        let shouted = |title: &str, popular, tags, posts, name: &str| Shouted {
            title: title.into(), popular, tags, author: Writer { posts, name: name.into() },
        };
        assert_eq!(db.all(query).await.expect("rows"), [
            shouted("HELLO", true, 2, 2, "ada"),
            shouted("100%", false, 0, 2, "ada"),
            shouted("IT'S", true, 1, 1, "bea"),
        ]);
    }

    async fn lists_lie_in_lists_at_one_statement_a_level(db: TestDb) {
        #[derive(View, Debug, PartialEq)]
        #[view(User)]
        struct Shelf {
            username: String,
            #[view(filter = Post.views.gt(0))]
            posts: Vec<PostCard>,
        }
        let (_, mut db, log) = blog(&db).await;
        let shelves = db.all(select(Shelf).order_by(User.id)).await.expect("shelves");
        assert_statements!(log, @"
        SELECT users.username, users.id FROM users ORDER BY users.id
        SELECT posts.title, posts.views, users.username, users.full_name, posts.id, posts.author_id FROM posts JOIN users ON users.id = posts.author_id WHERE posts.author_id IN (…) AND posts.views > ? ORDER BY posts.id
        SELECT tags.name, owner.id FROM posts AS owner JOIN post_tags ON post_tags.post_id = owner.id JOIN tags ON tags.id = post_tags.tag_id WHERE owner.id IN (…) ORDER BY tags.id
        ");
        let titles: Vec<Vec<(&str, usize)>> = shelves
            .iter()
            .map(|shelf| shelf.posts.iter().map(|post| (post.title.as_str(), post.tags.len())).collect())
            .collect();
        assert_eq!(titles, [vec![("Hello", 2)], vec![("it's", 1)], vec![]]);
    }

    async fn a_row_that_may_be_missing_is_an_option(db: TestDb) {
        #[derive(View, Debug, PartialEq)]
        #[view(Node)]
        struct Branch {
            name: String,
            parent: Option<Parent>,
            #[view(path = parent.parent.name)]
            grandparent: Option<String>,
            #[view(path = parent.children.name)]
            siblings: Vec<String>,
        }
        #[derive(View, Debug, PartialEq)]
        #[view(Node)]
        struct Parent {
            // Nothing in it tells a row of NULLs from no row.
            parent_id: Option<i64>,
            #[view(expr = Node.name.upper())]
            shouted: String,
            children: Vec<Leaf>,
        }
        #[derive(View, Debug, PartialEq)]
        #[view(Node)]
        struct Leaf {
            name: String,
        }
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let root = session.add(Node::builder().name("root"));
        let twig = session.add(Node::builder().name("twig").parent(root));
        session.add(Node::builder().name("leaf").parent(twig));
        session.commit().await.expect("a tree");
        log.take();
        let branches = session.all(select(Branch).order_by(Node.id)).await.expect("branches");
        assert_statements!(log, @"
        SELECT nodes.name, parent.id IS NOT NULL, parent.parent_id, upper(parent.name), parent_parent.name, parent.id FROM nodes LEFT JOIN nodes AS parent ON parent.id = nodes.parent_id LEFT JOIN nodes AS parent_parent ON parent_parent.id = parent.parent_id ORDER BY nodes.id
        SELECT nodes.name, nodes.parent_id FROM nodes WHERE nodes.parent_id IN (…) ORDER BY nodes.id
        SELECT nodes.name, nodes.parent_id FROM nodes WHERE nodes.parent_id IN (…) ORDER BY nodes.id
        ");
        let leaf = |name: &str| vec![Leaf { name: name.into() }];
        let root = Parent { parent_id: None, shouted: "ROOT".into(), children: leaf("twig") };
        let twig = Parent { parent_id: Some(1), shouted: "TWIG".into(), children: leaf("leaf") };
        assert_eq!(branches, [
            Branch { name: "root".into(), parent: None, grandparent: None, siblings: vec![] },
            Branch { name: "twig".into(), parent: Some(root), grandparent: None, siblings: vec!["twig".into()] },
            Branch { name: "leaf".into(), parent: Some(twig), grandparent: Some("root".into()), siblings: vec!["leaf".into()] },
        ]);
        // The second time a table is in the statement, it is called like the relationship.
        let parent = Node.alias("parent");
        let under_root = select(Branch).filter(parent.name.eq("root"));
        assert_eq!(session.one(under_root).await.expect("a branch").name, "twig");
    }

    async fn a_tree_is_read_level_by_level(db: TestDb) {
        #[derive(View, Debug, PartialEq)]
        #[view(Node)]
        struct Tree {
            name: String,
            children: Vec<Tree>,
        }
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let root = session.add(Node::builder().name("root"));
        for name in ["a", "b"] {
            let child = session.add(Node::builder().name(name).parent(root));
            session.add(Node::builder().name(format!("{name}1")).parent(child));
        }
        session.commit().await.expect("a tree");
        log.take();
        let tree = session.one(select(Tree).filter(Node.parent_id.is_null())).await.expect("the tree");
        assert_statements!(log, @"
        SELECT nodes.name, nodes.id FROM nodes WHERE nodes.parent_id IS NULL LIMIT 2
        SELECT nodes.name, nodes.id, nodes.parent_id FROM nodes WHERE nodes.parent_id IN (…) ORDER BY nodes.id
        SELECT nodes.name, nodes.id, nodes.parent_id FROM nodes WHERE nodes.parent_id IN (…) ORDER BY nodes.id
        SELECT nodes.name, nodes.id, nodes.parent_id FROM nodes WHERE nodes.parent_id IN (…) ORDER BY nodes.id
        ");
        let tree_of = |name: &str, children| Tree { name: name.into(), children };
        assert_eq!(tree, tree_of("root", vec![
            tree_of("a", vec![tree_of("a1", vec![])]),
            tree_of("b", vec![tree_of("b1", vec![])]),
        ]));
        // Rows that refer to each other in a circle have no end.
        session.execute(sql!("UPDATE nodes SET parent_id = 4 WHERE name = 'root'")).await.expect("a circle");
        let error = session.all(select(Tree)).await.expect_err("a circle");
        insta::allow_duplicates! { assert_snapshot!(error, @"lists along `Node.children` lie in each other more than 64 deep: the rows refer to each other in a circle, which a view cannot show") }
    }

    async fn a_relationship_that_may_lead_nowhere_needs_an_option(db: TestDb) {
        #[derive(View, Debug)]
        #[view(Node)]
        struct Child {
            #[allow(dead_code)]
            #[view(path = parent.name)]
            parent: String,
        }
        let (_, mut db, _) = blog(&db).await;
        let error = db.all(select(Child)).await.expect_err("rows would vanish");
        insta::allow_duplicates! { assert_snapshot!(error, @"`Child.parent` follows `Node.parent`, and `Node.parent_id` may be NULL: its type has to be an `Option`, which is a LEFT JOIN") }
        assert_view!(select(Child), @"`Child.parent` follows `Node.parent`, and `Node.parent_id` may be NULL: its type has to be an `Option`, which is a LEFT JOIN");
        let error = db.all(sql!("SELECT 'x'").rows::<Child>()).await.expect_err("by hand");
        insta::allow_duplicates! { assert_snapshot!(error, @"`Child` is a view, which writes its own statement: run `select(Child)`, or derive `FromRow` for a struct that is read from SQL written by hand") }
    }

    async fn a_value_that_cannot_be_read_is_named(db: TestDb) {
        let (_, mut connection, _) = blog(&db).await;
        if !db.url().starts_with("sqlite") {
            return;
        }
        connection.execute_sql(sql!("UPDATE tags SET name = x'ff' WHERE name = 'rust'")).await.expect("bytes for a text");
        let error = connection.all(select(PostCard)).await.expect_err("bytes for a text").to_string();
        assert!(error.starts_with("cannot read tags.name: expected text"), "{error}");
        connection.execute_sql(sql!("UPDATE posts SET views = 'many'")).await.expect("a text for a number");
        let error = connection.all(select(PostCard)).await.expect_err("a text for a number").to_string();
        assert!(error.starts_with("cannot read posts.views: expected an integer"), "{error}");
    }

    async fn a_view_is_prepared_once(db: TestDb) {
        let (_, mut db, _) = blog(&db).await;
        let before = db.stats().prepares;
        for least in 0..4 {
            let cards = db.all(select(PostCard).filter(Post.views.ge(least * 4))).await.expect("cards");
            assert!(!cards.is_empty() || least == 3);
        }
        assert_eq!(db.stats().prepares - before, 2);
    }
}
