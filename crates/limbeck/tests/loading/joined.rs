//! Joined loading: one statement for owners and targets.

use limbeck::prelude::*;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use super::*;

both! {
    async fn a_joined_collection_comes_in_the_same_statement(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let authors = session.all(select(Author).with(Author.posts.joined()).order_by(Author.name.desc())).await?;
        assert_eq!(selects(&log), [
            "SELECT authors.*, posts_1.* FROM authors LEFT JOIN posts AS posts_1 ON posts_1.author_id = authors.id \
             ORDER BY authors.name DESC, posts_1.id"
        ]);
        let names: Vec<&str> = authors.iter().map(|author| session[author].name.as_str()).collect();
        assert_eq!(names, ["cyd", "bea", "ada"], "one row one object, in the query's order");
        let all: Vec<Vec<String>> = authors.iter().map(|author| titles(&session, *author)).collect();
        assert_eq!(all, [vec![], vec!["Hello"], vec!["Hello", "Bye"]], "who has none has an empty collection");
        for author in authors {
            assert!(!session[author].posts.is_partial());
            for post in &session[author].posts {
                assert_eq!(session[post].author.get(), Some(author), "the other end is known, too");
            }
        }
        Ok(())
    }

    async fn a_limit_counts_owners_although_a_collection_is_joined(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Author).with(Author.posts.joined()).order_by(Author.id).limit(2).offset(0);
        let authors = session.all(query).await?;
        let offset = if db.is_postgres() { "$1" } else { "0" };
        assert_eq!(selects(&log), [format!(
            "SELECT anon_1.*, posts_1.* FROM (SELECT authors.* FROM authors ORDER BY authors.id LIMIT 2 OFFSET {offset}) \
             AS anon_1 LEFT JOIN posts AS posts_1 ON posts_1.author_id = anon_1.id ORDER BY anon_1.id, posts_1.id"
        )]);
        assert_eq!(authors.len(), 2);
        assert_eq!(titles(&session, authors[0]), ["Hello", "Bye"]);
        assert_eq!(titles(&session, authors[1]), ["Hello"]);
        // The first, and the only one.
        session.expunge_all();
        let first = session.first(select(Author).with(Author.posts.joined()).order_by(Author.id)).await?;
        assert_eq!(titles(&session, first.expect("ada")).len(), 2);
        let one = select(Author).filter(Author.name.eq("ada")).with(Author.posts.joined());
        assert_eq!(session.one(one).await?, first.expect("ada"));
        Ok(())
    }

    async fn an_order_by_what_is_not_selected_holds_outside_of_the_subquery(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Author).with(Author.posts.joined()).order_by((Author.name.length(), Author.posts.count().desc()));
        let authors = session.all(query.limit(3)).await?;
        let counts: Vec<usize> = authors.iter().map(|author| session[author].posts.len()).collect();
        assert_eq!(counts, [2, 1, 0]);
        let sent = selects(&log);
        assert!(sent[0].ends_with("ORDER BY anon_1.c3, anon_1.c4 DESC, posts_1.id"), "{sent:?}");
        Ok(())
    }

    async fn a_to_one_whose_key_is_not_null_is_joined_by_an_inner_join(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let posts = session.all(select(Post).with(Post.author.joined()).with(Post.editor.joined()).order_by(Post.id).limit(2)).await?;
        assert_eq!(selects(&log), [
            "SELECT posts.*, authors_1.*, authors_2.* FROM posts JOIN authors AS authors_1 ON authors_1.id = \
             posts.author_id LEFT JOIN authors AS authors_2 ON authors_2.id = posts.editor_id ORDER BY posts.id LIMIT 2"
        ]);
        assert_eq!(session[session[posts[0]].author].name, "ada");
        assert_eq!(session[session[posts[0]].editor].name, "bea");
        assert_eq!(session[posts[1]].editor.get(), None, "NULL is loaded as none");
        Ok(())
    }

    async fn joined_and_select_in_nest_in_each_other(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        // Joined in select-in in joined: three levels, two statements.
        let query = select(Author)
            .with(Author.profile.joined())
            .with(Author.posts.joined().with(Post.comments.with(Comment.post)).with(Post.tags.joined().with(Tag.posts)))
            .order_by(Author.id);
        let authors = session.all(query).await?;
        let sent = selects(&log);
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert_eq!(sent[0], "SELECT authors.*, profiles_1.*, posts_1.*, tags_1.* FROM authors LEFT JOIN profiles AS \
             profiles_1 ON profiles_1.author_id = authors.id LEFT JOIN posts AS posts_1 ON posts_1.author_id = authors.id \
             LEFT JOIN post_tags ON post_tags.post_id = posts_1.id LEFT JOIN tags AS tags_1 ON tags_1.id = \
             post_tags.tag_id ORDER BY authors.id, posts_1.id, tags_1.name, tags_1.id");
        assert_eq!(session[session[authors[0]].profile].text, "first");
        assert_eq!(session[authors[1]].profile.get(), None);
        let hello = session[authors[0]].posts.handles().next().expect("a post");
        let texts: Vec<&str> = session[hello].comments.handles().map(|comment| session[comment].text.as_str()).collect();
        assert_eq!(texts, ["c", "b", "a"], "in the relationship's order");
        let names: Vec<&str> = session[hello].tags.handles().map(|tag| session[tag].name.as_str()).collect();
        assert_eq!(names, ["rust", "sql"], "in the relationship's order");
        let sql = session[hello].tags.handles().last().expect("a tag");
        assert_eq!(session[sql].posts.len(), 2);

        // Joined inside of select-in.
        session.expunge_all();
        let authors = session.all(select(Author).with(Author.posts.with(Post.tags.joined()).with(Post.editor.joined())).order_by(Author.id)).await?;
        let sent = selects(&log);
        assert_eq!(sent.len(), 2, "{sent:?}");
        assert!(sent[1].starts_with("SELECT posts.*, tags_1.*, authors_1.* FROM posts LEFT JOIN post_tags"), "{sent:?}");
        let hello = session[authors[0]].posts.handles().next().expect("a post");
        assert_eq!(session[hello].tags.len(), 2);
        assert_eq!(session[session[hello].editor].name, "bea");
        assert_eq!(titles(&session, authors[0]), ["Hello", "Bye"], "each once, although a post has two rows");
        Ok(())
    }

    async fn two_joined_collections_are_not_multiplied_with_each_other(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let posts = session.all(select(Post).with(Post.comments.joined()).with(Post.tags.joined()).order_by(Post.id)).await?;
        assert_eq!(selects(&log).len(), 1);
        let sizes: Vec<(usize, usize)> =
            posts.iter().map(|post| (session[post].comments.len(), session[post].tags.len())).collect();
        assert_eq!(sizes, [(3, 2), (0, 1), (1, 0)]);
        Ok(())
    }

    async fn a_table_is_joined_to_itself_under_other_names(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Node).with(Node.parent.joined()).with(Node.children.joined().with(Node.children.joined())).order_by(Node.id);
        let nodes = session.all(query).await?;
        assert_eq!(selects(&log), [
            "SELECT nodes.*, nodes_1.*, nodes_2.*, nodes_3.* FROM nodes LEFT JOIN nodes AS nodes_1 ON nodes_1.id = \
             nodes.parent_id LEFT JOIN nodes AS nodes_2 ON nodes_2.parent_id = nodes.id LEFT JOIN nodes AS nodes_3 ON \
             nodes_3.parent_id = nodes_2.id ORDER BY nodes.id, nodes_2.id, nodes_3.id"
        ]);
        let sizes: Vec<usize> = nodes.iter().map(|node| session[node].children.len()).collect();
        assert_eq!(sizes, [2, 1, 0, 0]);
        assert_eq!(session[nodes[0]].parent.get(), None);
        assert_eq!(session[nodes[3]].parent.get(), Some(nodes[1]));
        Ok(())
    }

    async fn keys_of_two_columns_are_joined(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let rooms = session.all(select(Room).with(Room.desks.joined()).order_by(Room.number).limit(5)).await?;
        assert_eq!(rooms.iter().map(|room| session[room].desks.len()).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(selects(&log).len(), 1);
        session.expunge_all();
        let desks = session.all(select(Desk).with(Desk.room.joined().with(Room.desks.joined())).order_by(Desk.id)).await?;
        assert_eq!(selects(&log).len(), 1);
        assert_eq!(session[session[desks[1]].room].desks.len(), 2);
        assert_eq!(session[desks[2]].room.get(), None);
        Ok(())
    }

    async fn a_one_to_one_is_joined_from_both_sides(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let authors = session.all(select(Author).with(Author.profile.joined()).order_by(Author.id).limit(2)).await?;
        let sent = selects(&log);
        assert!(!sent[0].contains("anon_1"), "one row each, so that nothing needs a subquery: {sent:?}");
        let profile = session[authors[0]].profile.get().expect("ada's");
        assert_eq!(session[profile].author.get(), Some(authors[0]));
        session.expunge_all();
        let profile = session.one(select(Profile).with(Profile.author.joined())).await?;
        assert_eq!(selects(&log).len(), 1);
        assert_eq!(session[session[profile].author].name, "ada");
        Ok(())
    }

    async fn inner_joined_leaves_out_owners_that_have_none(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let authors = session.all(select(Author).with(Author.posts.inner_joined()).order_by(Author.id)).await?;
        assert_eq!(authors.len(), 2);
        assert!(selects(&log)[0].contains(" JOIN posts AS posts_1") );
        // A required to-one behind an outer join is an outer join: who has no post is there.
        session.expunge_all();
        let all = session.all(select(Author).with(Author.posts.joined().with(Post.author.joined())).order_by(Author.id)).await?;
        assert_eq!(all.len(), 3);
        assert!(selects(&log)[0].contains("LEFT JOIN authors AS authors_1"));
        Ok(())
    }

    async fn what_makes_rows_of_others_becomes_a_subquery(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let grouped = select(Author).join(Author.posts).group_by((Author.id, Author.name)).order_by(count().desc()).with(Author.posts.joined());
        let authors = session.all(grouped).await?;
        assert_eq!(authors.iter().map(|author| session[author].posts.len()).collect::<Vec<_>>(), [2, 1]);
        let distinct = select(Author).join(Author.posts).distinct().order_by(Author.name.desc()).with(Author.profile.joined());
        let authors = session.all(distinct).await?;
        assert_eq!(authors.iter().map(|author| session[author].name.as_str()).collect::<Vec<_>>(), ["bea", "ada"]);
        let united = select(Author).filter(Author.name.eq("ada")).union(select(Author).filter(Author.name.eq("cyd")));
        let authors = session.all(united.order_by(Author.name.desc()).with(Author.posts.joined()).limit(5)).await?;
        assert_eq!(authors.iter().map(|author| session[author].name.as_str()).collect::<Vec<_>>(), ["cyd", "ada"]);
        let boss = Author.alias("boss");
        let aliased = select(boss).join(boss.posts).filter(boss.name.eq("ada")).with(Author.posts.joined());
        assert_eq!(session.all(aliased).await?.len(), 1, "two rows of the join, one object");
        let locked = select(Author).filter(Author.name.eq("bea")).with_for_update().with(Author.edited.joined());
        let bea = session.one(locked).await?;
        assert_eq!(session[bea].edited.len(), 2);
        let sent = selects(&log);
        assert_eq!(sent.len(), 5, "{sent:?}");
        assert!(sent.iter().enumerate().all(|(at, text)| text.contains("anon_1") == (at != 3)), "{sent:?}");
        Ok(())
    }

    async fn objects_that_are_here_are_used_and_keep_what_they_hold(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.autoflush(false).open();
        let authors = session.all(select(Author).order_by(Author.id)).await?;
        session[authors[0]].name = "Ada".into();
        log.take();
        let posts = session.all(select(Post).with(Post.author.joined()).order_by(Post.id)).await?;
        assert_eq!(session[posts[0]].author.get(), Some(authors[0]));
        assert_eq!(session[authors[0]].name, "Ada", "what was changed and not flushed stays");
        // Loaded already: nothing to send. From the identity map: neither.
        log.take();
        session.load(&posts, Post.author).await?;
        session.load(&posts, Post.editor).await?;
        assert_eq!(selects(&log), Vec::<String>::new());
        Ok(())
    }

    async fn an_expired_object_is_read_again_from_the_join(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let authors = session.all(select(Author).with(Author.posts).order_by(Author.id)).await?;
        session.expire_all();
        log.take();
        let again = session.all(select(Author).with(Author.posts.joined()).order_by(Author.id)).await?;
        assert_eq!(again, authors);
        assert_eq!(titles(&session, authors[0]), ["Hello", "Bye"]);
        assert_eq!(selects(&log).len(), 1);
        Ok(())
    }

    async fn what_is_linked_and_not_flushed_is_merged_into_a_joined_collection(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.autoflush(false).open();
        let authors = session.all(select(Author).order_by(Author.id)).await?;
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        let tags = session.all(select(Tag).order_by(Tag.id)).await?;
        session.link(posts[0], Post.author, authors[2])?;
        session.unlink(posts[0], Post.tags, tags[0])?;
        session.link(posts[2], Post.tags, tags[1])?;
        session.delete(posts[2])?;
        let query = select(Author).with(Author.posts.joined().with(Post.tags.joined())).order_by(Author.id);
        session.all(query).await?;
        assert_eq!(titles(&session, authors[0]), ["Bye"]);
        assert_eq!(titles(&session, authors[1]), Vec::<String>::new(), "marked to be deleted");
        assert_eq!(titles(&session, authors[2]), ["Hello"]);
        session.load(posts[0], Post.tags).await?;
        assert_eq!(session[posts[0]].tags.handles().collect::<Vec<_>>(), [tags[1]]);
        Ok(())
    }

    async fn deferred_columns_are_fetched_along_with_a_join(db: TestDb) -> Result<()> {
        let (sessions, _) = blog(&db).await?;
        let mut session = sessions.open();
        for query in [select(Post).order_by(Post.id), select(Post).order_by(Post.id).limit(9)] {
            session.expunge_all();
            let posts = session.all(query.with(Post.tags.joined()).undefer(Post.body)).await?;
            assert_eq!(session[posts[0]].body.as_str(), "long");
            assert_eq!(session[posts[0]].tags.len(), 2);
        }
        session.expunge_all();
        let authors = session.all(select(Author).with(Author.posts.joined()).order_by(Author.id)).await?;
        let post = session[authors[0]].posts.handles().next().expect("a post");
        assert!(!session[post].body.is_loaded());
        Ok(())
    }

    async fn a_filter_and_an_order_hold_in_a_join(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let busy = Author.posts.filter(Post.views.lt(10)).filter(Post.title.ne("x")).order_by(Post.views.desc()).joined();
        let authors = session.all(select(Author).filter(Author.name.ne("y")).with(busy).order_by(Author.id)).await?;
        let values = if db.is_postgres() { ["$1", "$2", "$3"] } else { ["?"; 3] };
        assert_eq!(selects(&log), [format!(
            "SELECT authors.*, posts_1.* FROM authors LEFT JOIN posts AS posts_1 ON posts_1.author_id = authors.id AND \
             posts_1.views < {} AND posts_1.title <> {} WHERE authors.name <> {} ORDER BY authors.id, posts_1.views DESC, \
             posts_1.id", values[0], values[1], values[2]
        )]);
        assert_eq!(authors.iter().map(|author| titles(&session, *author)).collect::<Vec<_>>(), [vec!["Bye"], vec!["Hello"], vec![]]);
        assert!(session[authors[0]].posts.is_partial());
        // By an association, where the filtered rows' other ends are none.
        let posts = session.all(select(Post).with(Post.tags.filter(Tag.name.eq("rust")).joined()).order_by(Post.id)).await?;
        assert_eq!(posts.iter().map(|post| session[post].tags.len()).collect::<Vec<_>>(), [1, 0, 0]);
        Ok(())
    }

    async fn what_is_said_of_one_relationship_twice_is_merged_or_refused(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Author).with(Author.posts.with(Post.tags)).with(Author.posts.joined().with(Post.comments));
        let authors = session.all(query.order_by(Author.id)).await?;
        let sent = selects(&log);
        assert_eq!(sent.len(), 3, "joined, as was said last, then tags and comments: {sent:?}");
        let post = session[authors[0]].posts.handles().next().expect("a post");
        assert!(session[post].tags.is_loaded() && session[post].comments.is_loaded());
        let torn = select(Author).with(Author.posts).with(Author.posts.filter(Post.views.gt(1)));
        assert!(matches!(session.all(torn).await, Err(Error::Statement(why)) if why.contains("Author.posts") && why.contains("twice")));
        let same = || Author.posts.filter(Post.views.gt(1));
        session.all(select(Author).with(same()).with(same().with(Post.tags))).await?;
        let limited = select(Author).with(Author.posts.limit(1).joined());
        assert!(matches!(session.all(limited).await, Err(Error::Statement(why)) if why.contains("limit")));
        Ok(())
    }

    async fn two_ways_to_one_object_give_one_object(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let query = select(Author).with(Author.posts.joined()).with(Author.edited.joined()).order_by(Author.id);
        let authors = session.all(query).await?;
        assert_eq!(selects(&log).len(), 1);
        assert_eq!(titles(&session, authors[0]), ["Hello", "Bye"]);
        let edited: Vec<Tracked<Post>> = session[authors[1]].edited.handles().collect();
        assert_eq!(edited.len(), 2);
        assert!(session[authors[0]].posts.contains(edited[0]));
        assert_eq!(session[edited[0]].editor.get(), Some(authors[1]));
        Ok(())
    }

    async fn every_mix_of_joins_and_statements_gives_the_same_objects(db: TestDb) -> Result<()> {
        let (sessions, log) = blog(&db).await?;
        let mut session = sessions.open();
        let mut first = None;
        for mix in 0..64 {
            let joined = |bit: u32| mix & (1 << bit) != 0;
            macro_rules! load {
                ($bit:literal, $load:expr) => {
                    if joined($bit) { $load.joined() } else { $load }
                };
            }
            let tags = load!(0, Post.tags.with(load!(1, Tag.posts.with(Post.author))));
            let comments = load!(2, Post.comments.with(Comment.post));
            let posts = load!(3, Author.posts.with(tags).with(comments));
            let edited = load!(4, Author.edited.with(load!(5, Post.editor.with(Author.profile))));
            let query = select(Author).with(posts).with(edited).order_by(Author.name.desc());
            session.expunge_all();
            let authors = session.all(if joined(0) { query.limit(7) } else { query }).await?;
            let found = show(&session, &authors);
            assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{mix:b}: {:?}", selects(&log));
            log.take();
        }
        assert!(first.expect("something").contains("Hello by ada: #rust [Hello ] #sql [Hello Bye ]"));
        Ok(())
    }
}

/// All that the mixes load, as text.
fn show(session: &Session, authors: &[Tracked<Author>]) -> String {
    let mut out = String::new();
    for author in authors {
        for post in &session[author].posts {
            out += &format!("{} by {}:", session[post].title, session[session[post].author].name);
            for tag in &session[post].tags {
                out += &format!(" #{} [", session[tag].name);
                for other in &session[tag].posts {
                    out += &format!("{} ", session[other].title);
                }
                out += "]";
            }
            for comment in &session[post].comments {
                out += &format!(" {} on {}", session[comment].text, session[session[comment].post].title);
            }
            out += ";";
        }
        for post in &session[author].edited {
            let editor = &session[session[post].editor];
            out += &format!("edited {} as {} ({})", session[post].id, editor.name, editor.profile.get().is_some());
        }
        out += "\n";
    }
    out
}
