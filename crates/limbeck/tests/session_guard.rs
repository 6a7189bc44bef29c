//! The N+1 guard.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::sync::{Arc, Mutex};

use common::*;
use limbeck::prelude::*;
use limbeck::session::NPlusOne;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

/// Users with a post each.
async fn written(db: &TestDb, authors: usize) -> Result<Engine> {
    let engine = engine(db.url()).await;
    let mut session = engine.sessionmaker().open();
    for at in 0..authors {
        let author = session.add(user(&format!("user {at}")));
        session.add(Post::builder().title(format!("post {at}")).author(author));
    }
    session.commit().await?;
    Ok(engine)
}

both! {
    async fn loading_one_author_after_the_other_is_an_error_that_names_the_remedy(db: TestDb) -> Result<()> {
        let engine = written(&db, 5).await?;
        let mut session = engine.sessionmaker().n_plus_one(NPlusOne::Error(3)).open();
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        for post in &posts[..3] {
            session.load(*post, Post.author).await?;
        }
        let line = line!() + 1;
        let error = session.related(posts[3], Post.author).await.expect_err("the fourth");
        let Error::NPlusOne { relation, remedy, loads, location } = &error else { panic!("{error:?}") };
        assert_eq!((relation.as_str(), remedy.as_str(), *loads), ("Post.author", ".with(Post.author)", 4));
        assert_eq!((location.file(), location.line()), (file!(), line));
        assert!(error.to_string().contains("add `.with(Post.author)` to the query"), "{error}");
        // It is loaded all the same, and another transaction begins to count anew.
        assert!(session[posts[3]].author.is_loaded());
        session.rollback().await?;
        session.load(posts[4], Post.author).await
    }

    async fn only_queries_for_one_object_count(db: TestDb) -> Result<()> {
        let engine = written(&db, 8).await?;
        let sessions = engine.sessionmaker().n_plus_one(NPlusOne::Error(1));
        let mut session = sessions.open();
        let posts = session.all(select(Post).order_by(Post.id)).await?;
        // Several at once; what is loaded; what the session has.
        session.load(&posts[..4], Post.author).await?;
        session.load(&posts[4..6], Post.author).await?;
        for post in &posts[..6] {
            session.load(*post, Post.author).await?;
        }
        session.all(select(User)).await?;
        for post in &posts[6..] {
            session.load(*post, Post.author).await?;
        }
        // Another relationship counts by itself.
        session.load(posts[0], Post.tags).await?;
        let users = session.all(select(User)).await?;
        session.load(users[0], User.posts).await?;
        assert!(matches!(session.load(posts[1], Post.tags).await, Err(Error::NPlusOne { .. })));

        // With the remedy there is nothing to load.
        let mut session = sessions.open();
        for post in session.all(select(Post).with(Post.author).with(Post.tags)).await? {
            session.load(post, Post.author).await?;
            session.load(post, Post.tags).await?;
        }
        Ok(())
    }
}

/// Keeps the warnings of one thread.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "limbeck::session"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{}={value:?} ", field.name()));
            }
        }
        let mut fields = Fields(format!("{} ", event.metadata().level()));
        event.record(&mut fields);
        self.0.lock().expect("the warnings").push(fields.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

both! {
    async fn a_session_warns_once_for_each_relationship(db: TestDb) -> Result<()> {
        let engine = written(&db, 25).await?;
        let warnings = Warnings::default();
        let _quiet = tracing::subscriber::set_default(warnings.clone());
        for (guard, expected) in [(NPlusOne::default(), 1), (NPlusOne::Off, 0)] {
            let mut session = engine.sessionmaker().n_plus_one(guard).open();
            let posts = session.all(select(Post).order_by(Post.id)).await?;
            for (at, post) in posts.into_iter().enumerate() {
                session.load(post, Post.author).await?;
                let warned = warnings.0.lock().expect("the warnings").len();
                assert_eq!(warned, if at < 10 { 0 } else { expected }, "{at}");
            }
            let all = std::mem::take(&mut *warnings.0.lock().expect("the warnings"));
            for warning in all {
                assert!(warning.starts_with("WARN "), "{warning}");
                assert!(warning.contains("remedy=\".with(Post.author)\" loads=11 location="), "{warning}");
                assert!(warning.contains("session_guard.rs:"), "{warning}");
            }
        }
        Ok(())
    }
}
