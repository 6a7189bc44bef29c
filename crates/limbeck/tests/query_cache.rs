//! A statement is rendered and prepared once, whatever its values.

mod common;

use common::*;
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};

both! {
    async fn other_values_prepare_nothing(db: TestDb) {
        let engine = engine(db.url()).await;
        let mut db = engine.connect().await.expect("a connection");
        let by_title = |title: &str, views: i32, ids: i64| {
            select((Post.id, User.username))
                .join(Post.author)
                .filter(Post.title.eq(title).or(Post.views.gt(views)))
                .filter(Post.id.in_(0..ids).or(User.full_name.eq(Some(title))))
                .order_by(Post.id.desc())
                .limit(20)
        };
        let before = engine.stats();
        for round in 0..20 {
            db.all(by_title(&format!("title {round}"), round, i64::from(round) * 3)).await.expect("rows");
        }
        let sent = engine.stats() - before;
        assert_eq!((sent.statements, sent.prepares), (20, 1));
        let before = engine.stats();
        for round in 0..5 {
            let query = sql("SELECT id FROM posts WHERE title = :title AND views > :views");
            db.all(query.bind("title", format!("{round}")).bind("views", round).rows::<i64>()).await.expect("rows");
        }
        for _ in 0..5 {
            db.all(sql("SELECT * FROM posts WHERE id = :id").bind("id", 7i64).rows::<Post>()).await.expect("rows");
            db.count(select(Post).filter(Post.id.gt(7))).await.expect("a count");
        }
        assert_eq!((engine.stats() - before).prepares, 3);
    }

    async fn other_shapes_are_prepared_for_themselves(db: TestDb) {
        let engine = engine(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        session.add(Post::builder().title("one").author(ada).views(1));
        session.add(Post::builder().title("two").author(ada).views(2));
        session.commit().await.expect("the posts");
        let mut db = engine.connect().await.expect("a connection");
        let base = || select(Post.title).order_by(Post.id);
        // Queries that differ in one thing, each of which has another answer.
        let queries = [
            (base(), vec!["one", "two"]),
            (base().filter(Post.views.eq(1)), vec!["one"]),
            (base().filter(Post.views.ne(1)), vec!["two"]),
            (base().filter(Post.id.lt(1)), vec![]),
            (base().filter(Post.views.in_([1])), vec!["one"]),
            (base().filter(Post.views.not_in([1])), vec!["two"]),
            (base().filter(Post.views.is_null()), vec![]),
            (base().filter(Post.views.is_not_null()), vec!["one", "two"]),
            (base().filter(!Post.views.is_not_null()), vec![]),
            (base().limit(1), vec!["one"]),
            (base().offset(1), vec!["two"]),
            (base().limit(0), vec![]),
            (select(Post.title).order_by(Post.id.desc()), vec!["two", "one"]),
        ];
        for _ in 0..2 {
            for (query, titles) in &queries {
                assert_eq!(db.all(query).await.expect("rows"), *titles);
            }
        }
        assert_eq!(db.count(queries[0].0.clone()).await.expect("a count"), 2);
        assert_eq!(db.first(queries[0].0.clone()).await.expect("a row").as_deref(), Some("one"));
    }

    async fn a_query_that_cannot_run_is_not_counted_by_one_that_can(db: TestDb) {
        let engine = engine(db.url()).await;
        let mut db = engine.connect().await.expect("a connection");
        assert_eq!(db.count(select((Post.id, Post.title))).await.expect("a count"), 0);
        assert!(db.count(select((Post.id, User.email))).await.is_err());
        assert!(db.exists(select((Post.id, User.email))).await.is_err());
    }

    async fn without_a_cache_the_answers_are_the_same(db: TestDb) {
        engine(db.url()).await;
        let engine = Engine::builder(db.url()).statement_cache(0).connect().await.expect("an engine");
        let mut db = engine.connect().await.expect("a connection");
        for views in 0..3 {
            assert_eq!(db.count(select(Post).filter(Post.views.gt(views))).await.expect("a count"), 0);
            assert_eq!(db.all(select(Post).offset(1)).await.expect("rows").len(), 0);
        }
    }
}
