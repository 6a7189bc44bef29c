//! Relationships: loading them, changing them, both sides true at once.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::*;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

/// A blog of two users with two posts each, and two tags on every post; committed.
async fn blog(session: &mut Session) -> Result<()> {
    let tags = session.add_all(["rust", "sql"].map(|name| Tag::builder().name(name)));
    for name in ["ada", "bob"] {
        let author = session.add(user(name));
        for n in 1..=2 {
            session.add(Post::builder().title(format!("{name} {n}")).author(author).tags(tags.clone()));
        }
    }
    session.commit().await
}

async fn titles(session: &mut Session, author: Tracked<User>) -> Vec<String> {
    let posts = session[author].posts.handles();
    posts.map(|post| session[post].title.clone()).collect()
}

both! {
    async fn with_loads_each_relationship_in_one_statement(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        session.begin().await?;
        session.first(select(Tag.id)).await?;
        let before = session.engine().stats();
        let query = select(User).with(User.posts.with(Post.tags.with(Tag.posts))).order_by(User.id);
        let users = session.all(query).await?;
        // Users, posts, tags, and the tags' posts.
        assert_eq!((session.engine().stats() - before).statements, 4);
        assert_eq!(users.len(), 2);
        for user in users {
            assert_eq!(session[user].posts.len(), 2);
            for post in &session[user].posts {
                assert_eq!(session[session[post].author].username, session[user].username);
                assert_eq!(session[post].tags.len(), 2);
                for tag in &session[post].tags {
                    assert_eq!(session[tag].posts.len(), 4);
                }
            }
        }
        Ok(())
    }

    async fn a_to_one_whose_target_is_here_costs_no_statement(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        session.all(select(User)).await?;
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        let before = session.engine().stats();
        session.load(&posts, Post.author).await?;
        assert_eq!((session.engine().stats() - before).statements, 0);
        assert_eq!(session[session[posts[3]].author].username, "bob");
        Ok(())
    }

    async fn load_takes_one_object_or_many_and_leaves_what_is_loaded(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        session.load(posts[0], Post.tags).await?;
        assert!(session[posts[0]].tags.is_loaded());
        assert!(!session[posts[1]].tags.is_loaded());
        session.load([posts[0], posts[1]], Post.tags).await?;
        session.load(&posts, Post.tags).await?;
        session.load(posts.as_slice(), Post.author).await?;
        let before = session.engine().stats();
        session.load(&posts, Post.tags).await?;
        session.load(&posts, Post.author).await?;
        assert_eq!(session.engine().stats(), before);
        assert!(posts.iter().all(|post| session[*post].tags.len() == 2));
        session.load(&Vec::<Tracked<Post>>::new(), Post.tags).await?;
        Ok(())
    }

    async fn an_unloaded_relationship_is_an_error_and_not_empty(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let post = session.first(select(Post).order_by(Post.id)).await?.expect("a post");
        let sentence = "`Post.tags` is not loaded: add `.with(Post.tags)` to the query, or call \
                        `session.load(handle, Post.tags).await?` first";
        assert_eq!(session[post].tags.try_handles().unwrap_err().to_string(), sentence);
        assert!(matches!(session[post].author.try_get(), Err(Error::NotLoaded { relation: "Post.author" })));
        let session = std::panic::AssertUnwindSafe(&session);
        let panic = std::panic::catch_unwind(|| session[post].tags.len()).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some(sentence));
        let panic = std::panic::catch_unwind(|| session[session[post].author].id).unwrap_err();
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains(".with(Post.author)")));
        Ok(())
    }

    async fn link_replaces_a_to_one_and_moves_between_collections(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let post = session.add(Post::builder().title("a").author(ada));
        assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [post]);
        session.commit().await?;
        session.link(post, Post.author, bob)?;
        assert!(session[ada].posts.is_empty());
        assert_eq!(session[bob].posts.handles().collect::<Vec<_>>(), [post]);
        assert_eq!(session[post].author.get(), Some(bob));
        session.commit().await?;
        assert_eq!(session[post].author_id, session[bob].id);
        // From the other end, by a session that has loaded nothing.
        let mut session = sessions.open();
        let ada = session.one(select(User).filter(User.username.eq("ada"))).await?;
        let post = session.one(select(Post)).await?;
        session.link(ada, User.posts, post)?;
        assert_eq!(session[post].author.get(), Some(ada));
        assert!(!session[ada].posts.is_loaded());
        session.commit().await?;
        assert_eq!(session[post].author_id, session[ada].id);
        // Linking what is linked changes nothing.
        session.link(ada, User.posts, post)?;
        session.load(ada, User.posts).await?;
        session.link(ada, User.posts, post)?;
        assert_eq!(session[ada].posts.len(), 1);
        Ok(())
    }

    async fn changes_to_an_unloaded_collection_are_queued_and_merged_when_it_loads(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await.autoflush(false);
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let ada = session.one(select(User).filter(User.username.eq("ada"))).await?;
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        let tags = session.all(select(Tag).order_by(Tag.id)).await?;
        let new = session.add(Tag::builder().name("new"));
        session.unlink(posts[0], Post.tags, tags[0])?;
        session.link(posts[0], Post.tags, new)?;
        session.link(posts[0], Post.tags, tags[1])?;
        session.link(posts[3], Post.author, ada)?;
        let fresh = session.add(Post::builder().title("fresh").author(ada));
        assert!(!session[posts[0]].tags.is_loaded());
        assert!(!session[ada].posts.is_loaded());
        session.load(posts[0], Post.tags).await?;
        session.load(ada, User.posts).await?;
        session.load(&tags, Tag.posts).await?;
        assert_eq!(session[posts[0]].tags.handles().collect::<Vec<_>>(), [tags[1], new]);
        assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [posts[0], posts[1], posts[3], fresh]);
        assert!(!session[tags[0]].posts.contains(posts[0]));
        assert!(session[tags[1]].posts.contains(posts[0]));
        assert_eq!(session[new].posts.handles().collect::<Vec<_>>(), [posts[0]]);
        session.commit().await?;
        let mut session = sessions.open();
        let post = session.one(select(Post).filter(Post.title.eq("ada 1")).with(Post.tags)).await?;
        let names: Vec<String> = session[post].tags.handles().map(|tag| session[tag].name.clone()).collect();
        assert_eq!(names, ["sql", "new"]);
        let ada = session.one(select(User).filter(User.username.eq("ada")).with(User.posts)).await?;
        assert_eq!(titles(&mut session, ada).await, ["ada 1", "ada 2", "bob 2", "fresh"]);
        Ok(())
    }

    async fn the_last_word_counts_on_a_collection_that_nobody_has_looked_at(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await.autoflush(false);
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let post = session.first(select(Post).order_by(Post.id)).await?.expect("a post");
        let tags = session.all(select(Tag).order_by(Tag.id)).await?;
        let new = session.add(Tag::builder().name("new"));
        session.commit().await?;
        session.expire_all();
        session.refresh(post).await?;
        // Present, linked and unlinked: gone. Absent, unlinked and linked: there.
        session.link(post, Post.tags, tags[0])?;
        session.unlink(post, Post.tags, tags[0])?;
        session.unlink(post, Post.tags, new)?;
        session.link(post, Post.tags, new)?;
        session.commit().await?;
        session.load(post, Post.tags).await?;
        assert_eq!(session[post].tags.handles().collect::<Vec<_>>(), [tags[1], new]);
        Ok(())
    }

    async fn linking_is_insert_if_absent_and_unlinking_nothing_is_no_error(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let post = session.first(select(Post).order_by(Post.id)).await?.expect("a post");
        let tags = session.all(select(Tag).order_by(Tag.id)).await?;
        session.link(post, Post.tags, tags[0])?;
        session.commit().await?;
        let other = session.add(Tag::builder().name("other"));
        session.unlink(post, Post.tags, other)?;
        session.unlink(other, Tag.posts, post)?;
        session.commit().await?;
        let rows: i64 = session.one(sql("SELECT count(*) FROM post_tags").rows::<i64>()).await?;
        assert_eq!(rows, 8);
        Ok(())
    }

    async fn unlink_over_a_key_that_is_not_null_is_an_error_at_the_call(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let ada = session.one(select(User).filter(User.username.eq("ada"))).await?;
        let bob = session.one(select(User).filter(User.username.eq("bob"))).await?;
        let post = session.first(select(Post).order_by(Post.id)).await?.expect("a post");
        for loaded in [false, true] {
            if loaded {
                session.load(ada, User.posts).await?;
            }
            let one = session.unlink(post, Post.author, ada).unwrap_err();
            assert!(one.to_string().contains("`Post.author` cannot be unlinked, since its key `author_id` is NOT NULL"));
            assert!(session.unlink(ada, User.posts, post).is_err());
            // Not related: nothing happens.
            session.unlink(post, Post.author, bob)?;
            session.unlink(bob, User.posts, post)?;
            assert!(session.assign(post, Post.author, None).await.is_err());
        }
        assert!(!session.has_changes() || session.flush().await.is_ok());
        assert_eq!(session[post].author.get(), Some(ada));
        Ok(())
    }

    async fn unlink_over_a_nullable_key_writes_null(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let root = session.add(Node::builder().name("root"));
        let leaves = session.add_all(["a", "b"].map(|name| Node::builder().name(name).parent(root)));
        session.commit().await?;
        session.unlink(root, Node.children, leaves[0])?;
        assert_eq!(session[leaves[0]].parent.get(), None);
        session.commit().await?;
        assert_eq!(session[leaves[0]].parent_id, None);
        assert_eq!(session[root].children.handles().collect::<Vec<_>>(), [leaves[1]]);
        // Unloaded at both ends.
        let mut session = sessions.open();
        let root = session.one(select(Node).filter(Node.name.eq("root"))).await?;
        let b = session.one(select(Node).filter(Node.name.eq("b"))).await?;
        session.unlink(root, Node.children, b)?;
        session.commit().await?;
        assert_eq!(session[b].parent_id, None);
        Ok(())
    }

    async fn assign_makes_a_collection_what_is_given(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let post = session.first(select(Post).order_by(Post.id)).await?.expect("a post");
        let tags = session.all(select(Tag).order_by(Tag.id)).await?;
        let new = session.add(Tag::builder().name("new"));
        session.assign(post, Post.tags, [tags[1], new, new]).await?;
        assert_eq!(session[post].tags.handles().collect::<Vec<_>>(), [tags[1], new]);
        session.commit().await?;
        let mut other = sessions.open();
        let again = other.first(select(Post).order_by(Post.id).with(Post.tags)).await?.expect("a post");
        let names: Vec<String> = other[again].tags.handles().map(|tag| other[tag].name.clone()).collect();
        assert_eq!(names, ["sql", "new"]);
        session.assign(post, Post.tags, []).await?;
        session.commit().await?;
        // SQLite reads what was committed when the transaction began.
        other.rollback().await?;
        other.refresh(again).await?;
        assert!(other[again].tags.is_empty());
        let bob = session.one(select(User).filter(User.username.eq("bob"))).await?;
        session.assign(post, Post.author, [bob]).await?;
        let two = session.assign(post, Post.author, [bob, bob]).await.unwrap_err();
        assert!(two.to_string().contains("takes one object, not 2"));
        session.commit().await?;
        assert_eq!(session[post].author_id, session[bob].id);
        Ok(())
    }

    async fn an_assign_that_fails_changes_nothing(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let ada = session.one(select(User).filter(User.username.eq("ada")).with(User.posts)).await?;
        let post = session.first(select(Post).order_by(Post.id).with(Post.tags)).await?.expect("a post");
        let (before, tags) = (session[ada].posts.clone(), session[post].tags.clone());
        assert!(session.assign(ada, User.posts, []).await.is_err());
        let doomed = session[post].tags.handles().next().expect("a tag");
        session.delete(doomed)?;
        assert!(session.assign(post, Post.tags, [doomed]).await.unwrap_err().to_string().contains("to be deleted"));
        assert_eq!((&session[ada].posts, &session[post].tags), (&before, &tags));
        Ok(())
    }

    async fn a_field_assigned_directly_is_found_at_the_flush(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        blog(&mut sessions.open()).await?;
        let mut session = sessions.open();
        let posts = session.all(select(Post).order_by(Post.id).with(Post.author).with(Post.tags)).await?;
        session[posts[0]].author = session[posts[3]].author;
        let refused = session.flush().await.unwrap_err();
        assert!(matches!(refused, Error::RelationshipAssigned { relation: "Post.author" }));
        assert!(refused.to_string().contains("`session.link(handle, Post.author, target)`"));
        session.rollback().await?;
        session[posts[0]].tags = ManyToMany::default();
        assert!(matches!(session.commit().await, Err(Error::RelationshipAssigned { relation: "Post.tags" })));
        session.rollback().await?;
        session.commit().await?;
        assert_eq!(session[posts[0]].tags.len(), 2);
        Ok(())
    }

    async fn of_key_and_relationship_the_one_that_was_changed_wins(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let post = session.add(Post::builder().title("a").author(ada));
        session.commit().await?;
        // The key: the relationship and both collections follow at the flush.
        session[post].author_id = session[bob].id;
        session.flush().await?;
        assert_eq!(session[post].author.get(), Some(bob));
        assert!(session[ada].posts.is_empty());
        assert_eq!(session[bob].posts.len(), 1);
        // Both, and they agree.
        session[post].author_id = session[ada].id;
        session.link(post, Post.author, ada)?;
        session.flush().await?;
        assert_eq!(session[post].author.get(), Some(ada));
        // Both, and they do not.
        session[post].author_id = session[ada].id + 100;
        session.link(post, Post.author, bob)?;
        let conflict = session.flush().await.unwrap_err();
        assert!(matches!(conflict, Error::KeyConflict { relation: "Post.author", column: "author_id" }));
        session[post].author_id = session[bob].id;
        session.commit().await?;
        assert_eq!(session[ada].posts.len() + session[bob].posts.len(), 1);
        // A new object whose parent has no key yet can agree with nothing.
        let carol = session.add(user("carol"));
        session.add(Post::builder().title("b").author_id(1).author(carol));
        assert!(matches!(session.flush().await, Err(Error::KeyConflict { .. })));
        Ok(())
    }

    async fn a_new_object_with_a_key_finds_its_parent(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let ada = session.add(user("ada"));
        session.commit().await?;
        let id = session[ada].id;
        let post = session.add(Post::builder().title("a").author_id(id));
        session.commit().await?;
        assert_eq!(session[post].author.get(), Some(ada));
        assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [post]);
        Ok(())
    }

    async fn what_is_deleted_or_elsewhere_cannot_be_linked(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(user("ada"));
        let tag = session.add(Tag::builder().name("a"));
        let post = session.add(Post::builder().title("a").author(ada));
        session.commit().await?;
        session.delete(tag)?;
        let refused = session.link(post, Post.tags, tag).unwrap_err();
        assert!(refused.to_string().contains("it is marked to be deleted"), "{refused}");
        session.flush().await?;
        assert!(session.link(post, Post.tags, tag).unwrap_err().to_string().contains("it is deleted"));
        session.rollback().await?;
        let mut other = sessions.open();
        let theirs = other.add(user("bob"));
        assert!(matches!(session.link(post, Post.author, theirs), Err(Error::ForeignHandle { model: "User" })));
        // A builder cannot say so: the flush does, until it is mended.
        let broken = session.add(Post::builder().title("b").author(theirs));
        assert!(matches!(session.flush().await, Err(Error::ForeignHandle { model: "User" })));
        assert!(matches!(session.flush().await, Err(Error::ForeignHandle { model: "User" })));
        session.link(broken, Post.author, ada)?;
        session.commit().await?;
        assert_eq!(session[broken].author_id, session[ada].id);
        Ok(())
    }

    async fn trees_are_inserted_by_level_and_deleted_from_the_leaves(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        // The leaves are added first.
        let nodes = session.add_all((0..15).rev().map(|i| Node::builder().name(format!("{i}"))));
        let node = |i: usize| nodes[14 - i];
        for i in 1..15 {
            session.link(node(i), Node.parent, node((i - 1) / 2))?;
        }
        session.commit().await?;
        let inserts = log.take().iter().filter(|line| line.starts_with("INSERT")).count();
        assert_eq!(inserts, 4, "one batch a level");
        for i in 1..15 {
            assert_eq!(session[node(i)].parent_id, Some(session[node((i - 1) / 2)].id));
        }
        session.expire_all();
        let root = node(0);
        session.refresh(root).await?;
        session.load(root, Node.children.with(Node.children)).await?;
        for i in 0..15 {
            session.delete(node(i))?;
        }
        session.commit().await?;
        assert_eq!(session.count(select(Node)).await?, 0);
        Ok(())
    }

    async fn rows_in_a_circle_are_inserted_with_a_key_that_is_null_at_first(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let a = session.add(Node::builder().name("a"));
        let b = session.add(Node::builder().name("b").parent(a));
        session.link(a, Node.parent, b)?;
        session.commit().await?;
        let sent = log.take();
        let kinds: Vec<&str> = sent.iter().filter_map(|sql| sql.split(' ').next()).collect();
        assert_eq!(kinds, ["BEGIN", "INSERT", "INSERT", "UPDATE", "COMMIT"]);
        assert_eq!(session[b].parent_id, Some(session[a].id));
        assert_eq!(session[a].parent_id, Some(session[b].id));
        session.refresh(a).await?;
        assert_eq!(session[a].parent_id, Some(session[b].id));
        session.unlink(a, Node.parent, b)?;
        // A row that is its own parent needs its key before it has one; with a key that is given, it goes in at once.
        let own = session.add(Node::builder().name("own"));
        session.link(own, Node.parent, own)?;
        session.commit().await?;
        assert_eq!(session[own].parent_id, Some(session[own].id));
        let own = session.add(Node::builder().id(1000).name("own"));
        session.link(own, Node.parent, own)?;
        log.take();
        session.commit().await?;
        assert_eq!(log.take().iter().filter(|sql| sql.starts_with("UPDATE")).count(), 0);
        assert_eq!(session[own].parent_id, Some(1000));
        // Rows that are there may go round.
        session.link(a, Node.parent, b)?;
        session.commit().await?;
        assert_eq!(session[a].parent_id, Some(session[b].id));
        Ok(())
    }

    async fn a_long_chain_of_rows_is_inserted(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let mut last = session.add(Node::builder().name("0"));
        for i in 1..300 {
            last = session.add(Node::builder().name(format!("{i}")).parent(last));
        }
        session.commit().await?;
        let depth: i64 = session
            .one(
                sql("WITH RECURSIVE up(id, n) AS (SELECT id, 1 FROM nodes WHERE parent_id IS NULL UNION ALL \
                     SELECT nodes.id, n + 1 FROM nodes JOIN up ON nodes.parent_id = up.id) SELECT max(n) AS n FROM up")
                    .rows::<i32>(),
            )
            .await?
            .into();
        assert_eq!(depth, 300);
        Ok(())
    }
}
