//! Collections that are loaded in part.

use limbeck::Result;
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};

use super::*;

both! {
    async fn a_filtered_collection_is_partial_and_reads_as_loaded(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let busy = Author.posts.filter(Post.views.gt(0)).order_by((Post.views.desc(), Post.id));
        let authors = session.all(select(Author).with(busy).order_by(Author.id)).await?;
        let keys = if db.is_postgres() { ["= ANY($1)", "$2"] } else { ["IN (SELECT value FROM json_each(?))", "?"] };
        assert_eq!(selects(&log)[1], format!(
            "SELECT posts.* FROM posts WHERE posts.author_id {} AND posts.views > {} ORDER BY posts.views DESC, posts.id",
            keys[0], keys[1]
        ));
        assert!(session[authors[0]].posts.is_loaded() && session[authors[0]].posts.is_partial());
        assert_eq!(titles(&session, authors[0]), ["Hello"]);
        // An order alone leaves nothing out.
        session.expunge_all();
        let authors = session.all(select(Author).with(Author.posts.order_by(Post.title)).order_by(Author.id)).await?;
        assert!(!session[authors[0]].posts.is_partial());
        assert_eq!(titles(&session, authors[0]), ["Bye", "Hello"]);
        Ok(())
    }

    async fn a_limit_is_for_each_owner(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let last = Author.posts.order_by(Post.id.desc()).limit(1);
        let authors = session.all(select(Author).with(last.with(Post.tags.joined())).order_by(Author.id)).await?;
        let sent = selects(&log);
        assert_eq!(sent.len(), 2);
        assert!(sent[1].contains("row_number() OVER (PARTITION BY posts.author_id ORDER BY posts.id DESC)"), "{sent:?}");
        assert_eq!(authors.iter().map(|author| titles(&session, *author)).collect::<Vec<_>>(), [vec!["Bye"], vec!["Hello"], vec![]]);
        assert!(session[authors[0]].posts.is_partial());
        let bye = session[authors[0]].posts.handles().next().expect("a post");
        assert_eq!(session[bye].tags.len(), 1, "what is joined to the last ones");
        // By an association table, whose rows have no model.
        session.expunge_all();
        let tags = session.all(select(Tag).with(Tag.posts.order_by(Post.id.desc()).limit(1)).order_by(Tag.id)).await?;
        let of = |tag: Tracked<Tag>| session[tag].posts.handles().map(|post| session[post].id).collect::<Vec<_>>();
        assert_eq!(tags.iter().map(|tag| of(*tag)).collect::<Vec<_>>(), [[2], [1]]);
        Ok(())
    }

    async fn a_collection_that_is_whole_stays_and_one_in_part_is_loaded_anew(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let ada = session.one(select(Author).filter(Author.name.eq("ada")).with(Author.posts)).await?;
        log.take();
        session.load(ada, Author.posts.filter(Post.views.gt(100))).await?;
        assert_eq!(selects(&log).len(), 0, "it is loaded, and wholly");
        assert_eq!(titles(&session, ada).len(), 2);
        session.all(select(Author).with(Author.posts.filter(Post.views.gt(5))).populate_existing()).await?;
        assert_eq!(titles(&session, ada), ["Hello"]);
        session.load(ada, Author.posts.filter(Post.views.eq(0))).await?;
        assert_eq!(titles(&session, ada), ["Bye"], "another part is what was asked for last");
        assert_eq!(session.related(ada, Author.posts).await?.len(), 2);
        assert!(!session[ada].posts.is_partial());
        Ok(())
    }

    async fn a_collection_in_part_can_be_linked_and_unlinked(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.autoflush(false).open();
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        let tags = session.all(select(Tag).order_by(Tag.id)).await?;
        let (sql, rust) = (tags[0], tags[1]);
        session.load(posts[0], Post.tags.filter(Tag.name.eq("rust"))).await?;
        session.unlink(posts[0], Post.tags, sql)?;
        session.unlink(posts[0], Post.tags, rust)?;
        let new = session.add(Tag::builder().name("new"));
        session.link(posts[0], Post.tags, new)?;
        assert_eq!(session[posts[0]].tags.handles().collect::<Vec<_>>(), [new]);
        assert!(session[posts[0]].tags.is_partial());
        // A full load keeps what is planned.
        session.load(posts[0], Post.tags).await?;
        assert_eq!(session[posts[0]].tags.handles().collect::<Vec<_>>(), [new]);
        session.commit().await?;
        session.expunge_all();
        let post = session.get(Post, 1).await?.expect("it is there");
        session.load(post, Post.tags).await?;
        let names: Vec<&str> = session[post].tags.handles().map(|tag| session[tag].name.as_str()).collect();
        assert_eq!(names, ["new"], "what was not in the part is unlinked as well");
        Ok(())
    }

    async fn assign_loads_the_rest_of_a_part_first(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        let post = session.get(Post, 1).await?.expect("it is there");
        session.load(post, Post.tags.filter(Tag.name.eq("rust"))).await?;
        session.assign(post, Post.tags, []).await?;
        session.commit().await?;
        let rows: i64 = session.one(sql("SELECT count(*) FROM post_tags WHERE post_id = 1").rows::<i64>()).await?;
        assert_eq!(rows, 0, "sql was not in the part, and is gone, too");
        Ok(())
    }

    async fn a_rollback_brings_a_part_back_as_a_part(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        let post = session.get(Post, 1).await?.expect("it is there");
        session.load(post, Post.tags.filter(Tag.name.eq("rust"))).await?;
        session.commit().await?;
        let new = session.add(Tag::builder().name("new"));
        session.link(post, Post.tags, new)?;
        session.flush().await?;
        assert!(session[post].tags.is_partial());
        session.rollback().await?;
        assert!(session[post].tags.is_partial());
        assert_eq!(session[post].tags.len(), 1);
        Ok(())
    }

    async fn a_hundred_thousand_owners_are_one_statement(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) ";
        let insert = if db.is_postgres() {
            format!("{rows} INSERT INTO nodes (name, parent_id) SELECT 'n', 1 FROM n")
        } else {
            format!("INSERT INTO nodes (name, parent_id) {rows} SELECT 'n', 1 FROM n")
        };
        assert_eq!(session.execute(limbeck::sql::trusted(insert)).await?, 100_000);
        session.commit().await?;
        let nodes = session.all(select(Node).order_by(Node.id)).await?;
        log.take();
        session.load(&nodes, Node.children).await?;
        assert_eq!(selects(&log).len(), 1);
        assert_eq!(session[nodes[0]].children.len(), 100_002);
        assert!(session[nodes[nodes.len() - 1]].children.is_empty());
        Ok(())
    }
}

mod owned {
    //! A relationship whose objects go with their owner.

    use limbeck::prelude::*;

    #[derive(Model, Debug)]
    #[model(table = "orders")]
    pub struct Order {
        #[column(primary_key)]
        pub id: i64,
        #[relationship(back_populates = order, cascade(all, delete_orphan))]
        pub lines: HasMany<Line>,
        #[relationship(back_populates = order)]
        pub notes: HasMany<Note>,
    }

    #[derive(Model, Debug)]
    #[model(table = "lines")]
    pub struct Line {
        #[column(primary_key)]
        pub id: i64,
        pub text: String,
        #[column(foreign_key(Order.id))]
        pub order_id: i64,
        #[relationship(back_populates = lines)]
        pub order: BelongsTo<Order>,
    }

    #[derive(Model, Debug)]
    #[model(table = "notes")]
    pub struct Note {
        #[column(primary_key)]
        pub id: i64,
        pub text: String,
        #[column(foreign_key(Order.id))]
        pub order_id: Option<i64>,
        #[relationship(back_populates = notes)]
        pub order: BelongsTo<Option<Order>>,
    }
}

both! {
    async fn a_cascade_reaches_what_is_not_in_the_part(db: TestDb) -> Result<()> {
        use owned::{Line, Note, Order};
        let engine = Engine::builder(db.url()).connect().await?;
        engine.create_all(&limbeck::metadata![Order, Line, Note]?).await?;
        let mut session = engine.sessionmaker().open();
        for _ in 0..2 {
            let order = session.add(Order::builder());
            for text in ["a", "b"] {
                session.add(Line::builder().text(text).order(order));
                session.add(Note::builder().text(text).order(order));
            }
        }
        session.commit().await?;
        session.expunge_all();
        let lines = Order.lines.filter(Line.text.eq("a"));
        let query = select(Order).with(lines).with(Order.notes.filter(Note.text.eq("a"))).order_by(Order.id);
        let orders = session.all(query).await?;
        // Deleted with one note that is in the part: the other one has its key set to NULL all the same.
        let note = session[orders[0]].notes.handles().next().expect("a note");
        session.delete(note)?;
        session.delete(orders[0])?;
        session.assign(orders[1], Order.lines, []).await?;
        session.commit().await?;
        assert_eq!(session.count(select(Line)).await?, 0, "the lines that were not in the part, too");
        assert_eq!(session.count(select(Note).filter(Note.order_id.is_null())).await?, 1);
        assert_eq!(session.count(select(Note)).await?, 3);
        Ok(())
    }
}
