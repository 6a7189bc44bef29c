//! Random work on random graphs, beside a plain model in memory.
//!
//! After each commit the database equals the model, and what is loaded in the session equals it as well.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::{Error, Result};
use limbeck_test_support::{Kind, TestDb};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

/// One thing that a program does. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    AddUser,
    AddPost { author: usize, tags: Vec<usize> },
    AddTag,
    Rename { what: usize },
    Move { post: usize, to: usize, by_key: bool, from_user: bool },
    Link { post: usize, tag: usize, from_tag: bool },
    Unlink { post: usize, tag: usize, from_tag: bool },
    Assign { post: usize, tags: Vec<usize> },
    AssignPosts { user: usize, posts: Vec<usize> },
    DeleteUser(usize),
    DeletePost(usize),
    DeleteTag(usize),
    Load(usize),
    Flush,
    FailToFlush,
    Commit,
    Rollback,
    RollbackAndAddAgain,
    ExpungeAll,
    ExpireAll,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..1000usize;
    let few = || proptest::collection::vec(0..1000usize, 0..4);
    prop_oneof![
        3 => Just(Step::AddUser),
        5 => (n.clone(), few()).prop_map(|(author, tags)| Step::AddPost { author, tags }),
        3 => Just(Step::AddTag),
        3 => n.clone().prop_map(|what| Step::Rename { what }),
        4 => (n.clone(), n.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(post, to, by_key, from_user)| Step::Move { post, to, by_key, from_user }),
        4 => (n.clone(), n.clone(), any::<bool>()).prop_map(|(post, tag, from_tag)| Step::Link { post, tag, from_tag }),
        4 => (n.clone(), n.clone(), any::<bool>())
            .prop_map(|(post, tag, from_tag)| Step::Unlink { post, tag, from_tag }),
        2 => (n.clone(), few()).prop_map(|(post, tags)| Step::Assign { post, tags }),
        1 => (n.clone(), few()).prop_map(|(user, posts)| Step::AssignPosts { user, posts }),
        1 => n.clone().prop_map(Step::DeleteUser),
        2 => n.clone().prop_map(Step::DeletePost),
        1 => n.clone().prop_map(Step::DeleteTag),
        5 => n.prop_map(Step::Load),
        3 => Just(Step::Flush),
        1 => Just(Step::FailToFlush),
        3 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::RollbackAndAddAgain),
        1 => Just(Step::ExpungeAll),
        1 => Just(Step::ExpireAll),
    ]
}

/// Everything by name, since keys come from the database: user → their title; post → author and tags.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    users: BTreeMap<String, Option<String>>,
    posts: BTreeMap<String, (String, BTreeSet<String>)>,
    tags: BTreeSet<String>,
}

/// The session, and the handle of each name.
struct Run {
    session: Session,
    users: BTreeMap<String, Tracked<User>>,
    posts: BTreeMap<String, Tracked<Post>>,
    tags: BTreeMap<String, Tracked<Tag>>,
    now: World,
    committed: World,
    names: usize,
    /// What was added since the last commit, by handle.
    added: Vec<String>,
}

fn pick<K: Clone, V: Copy>(from: &BTreeMap<K, V>, n: usize) -> Option<(K, V)> {
    let (key, value) = from.iter().nth(n % from.len().max(1))?;
    Some((key.clone(), *value))
}

impl Run {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        let name = format!("{kind}{:04}", self.names);
        self.added.push(name.clone());
        name
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::AddUser => {
                let name = self.name("u");
                let handle = self.session.add(user(&name));
                self.users.insert(name.clone(), handle);
                self.now.users.insert(name, None);
            }
            Step::AddTag => {
                let name = self.name("t");
                let handle = self.session.add(Tag::builder().name(&name));
                self.tags.insert(name.clone(), handle);
                self.now.tags.insert(name);
            }
            Step::AddPost { author, tags } => {
                let Some((author, handle)) = pick(&self.users, *author) else { return Ok(()) };
                let tags: BTreeMap<_, _> = tags.iter().filter_map(|n| pick(&self.tags, *n)).collect();
                let name = self.name("p");
                let post = Post::builder().title(&name).author(handle).tags(tags.values().copied());
                self.posts.insert(name.clone(), self.session.add(post));
                self.now.posts.insert(name, (author, tags.into_keys().collect()));
            }
            Step::Rename { what } => {
                let Some((name, handle)) = pick(&self.users, *what) else { return Ok(()) };
                let title = Some(format!("{what}"));
                match self.session.try_get_mut(handle) {
                    Ok(user) => user.full_name.clone_from(&title),
                    Err(Error::Expired { .. }) => self.session.set(handle, User.full_name, title.clone())?,
                    Err(error) => return Err(error),
                }
                self.now.users.insert(name, title);
            }
            Step::Move { post, to, by_key, from_user } => {
                let (Some((post, p)), Some((to, u))) = (pick(&self.posts, *post), pick(&self.users, *to)) else {
                    return Ok(());
                };
                if *by_key {
                    self.session.flush().await?;
                    let id = self.session.fresh(u).await?.id;
                    self.session.fresh(p).await?;
                    self.session[p].author_id = id;
                    self.session.flush().await?;
                } else if *from_user {
                    self.session.link(u, User.posts, p)?;
                } else {
                    self.session.link(p, Post.author, u)?;
                }
                self.now.posts.entry(post).and_modify(|entry| entry.0 = to);
            }
            Step::Link { post, tag, from_tag } => {
                let (Some((post, p)), Some((tag, t))) = (pick(&self.posts, *post), pick(&self.tags, *tag)) else {
                    return Ok(());
                };
                if *from_tag {
                    self.session.link(t, Tag.posts, p)?
                } else {
                    self.session.link(p, Post.tags, t)?
                }
                self.now.posts.entry(post).and_modify(|entry| {
                    entry.1.insert(tag);
                });
            }
            Step::Unlink { post, tag, from_tag } => {
                let (Some((post, p)), Some((tag, t))) = (pick(&self.posts, *post), pick(&self.tags, *tag)) else {
                    return Ok(());
                };
                if *from_tag {
                    self.session.unlink(t, Tag.posts, p)?
                } else {
                    self.session.unlink(p, Post.tags, t)?
                }
                self.now.posts.entry(post).and_modify(|entry| {
                    entry.1.remove(&tag);
                });
            }
            Step::Assign { post, tags } => {
                let Some((post, p)) = pick(&self.posts, *post) else { return Ok(()) };
                let tags: BTreeMap<_, _> = tags.iter().filter_map(|n| pick(&self.tags, *n)).collect();
                self.session.assign(p, Post.tags, tags.values().copied()).await?;
                self.now.posts.entry(post).and_modify(|entry| entry.1 = tags.into_keys().collect());
            }
            Step::AssignPosts { user, posts } => {
                // Over a NOT NULL key only more can be assigned, not fewer.
                let Some((user, u)) = pick(&self.users, *user) else { return Ok(()) };
                let mut posts: BTreeMap<_, _> = posts.iter().filter_map(|n| pick(&self.posts, *n)).collect();
                for (name, entry) in &self.now.posts {
                    if entry.0 == user {
                        posts.insert(name.clone(), self.posts[name]);
                    }
                }
                self.session.assign(u, User.posts, posts.values().copied()).await?;
                for post in posts.into_keys() {
                    self.now.posts.entry(post).and_modify(|entry| entry.0.clone_from(&user));
                }
            }
            Step::DeleteUser(n) => {
                let Some((user, u)) = pick(&self.users, *n) else { return Ok(()) };
                self.session.flush().await?;
                self.session.delete(u)?;
                self.session.flush().await?;
                self.users.remove(&user);
                self.now.users.remove(&user);
                self.now.posts.retain(|_, entry| entry.0 != user);
                self.posts.retain(|name, _| self.now.posts.contains_key(name));
            }
            Step::DeletePost(n) => {
                let Some((post, p)) = pick(&self.posts, *n) else { return Ok(()) };
                if self.session.delete(p).is_err() {
                    self.session.expunge(p)?;
                }
                self.posts.remove(&post);
                self.now.posts.remove(&post);
            }
            Step::DeleteTag(n) => {
                let Some((tag, t)) = pick(&self.tags, *n) else { return Ok(()) };
                if self.session.delete(t).is_err() {
                    self.session.expunge(t)?;
                }
                self.tags.remove(&tag);
                self.now.tags.remove(&tag);
                self.now.posts.values_mut().for_each(|entry| {
                    entry.1.remove(&tag);
                });
            }
            Step::Load(n) => {
                if let Some((_, u)) = pick(&self.users, *n) {
                    self.session.load(u, User.posts).await?;
                }
                if let Some((_, p)) = pick(&self.posts, *n / 2) {
                    self.session.load(p, Post.tags).await?;
                    self.session.load(p, Post.author).await?;
                }
                if let Some((_, t)) = pick(&self.tags, *n / 3) {
                    self.session.load(t, Tag.posts).await?;
                }
            }
            Step::Flush => self.session.flush().await?,
            Step::FailToFlush => {
                let Some(name) = self.now.tags.first().cloned() else { return Ok(()) };
                let twice = self.session.add(Tag::builder().name(&name));
                assert!(matches!(self.session.flush().await, Err(Error::UniqueViolation(_))));
                self.session.expunge(twice)?;
            }
            Step::Commit => {
                self.session.commit().await?;
                self.committed = self.now.clone();
                self.added.clear();
            }
            Step::Rollback => {
                self.session.rollback().await?;
                self.back().await?;
            }
            Step::RollbackAndAddAgain => {
                // Users alone: what posts were linked to may be gone.
                self.session.rollback().await?;
                let added = self.added.iter();
                let users: Vec<_> = added.filter_map(|name| Some((name.clone(), *self.users.get(name)?))).collect();
                self.back().await?;
                for (name, handle) in users {
                    self.session.add(handle);
                    let title = self.session[handle].full_name.clone();
                    self.users.insert(name.clone(), handle);
                    self.now.users.insert(name.clone(), title);
                    // It takes along what it was linked to, if that is there still.
                    for post in self.session[handle].posts.handles() {
                        let moved = self.posts.iter().find(|(_, p)| **p == post).map(|(name, _)| name.clone());
                        let entry = moved.and_then(|post| self.now.posts.get_mut(&post));
                        entry.expect("a post that has a row").0.clone_from(&name);
                    }
                    self.added.push(name);
                }
            }
            Step::ExpungeAll => {
                self.session.flush().await?;
                self.session.expunge_all();
                // There is no way back for what the session no longer has: the transaction ends here.
                self.session.commit().await?;
                self.committed = self.now.clone();
                self.added.clear();
                self.read_again().await?;
            }
            Step::ExpireAll => {
                self.session.flush().await?;
                self.session.expire_all();
            }
        }
        Ok(())
    }

    /// The model after a rollback; handles that the rollback brought back are found again.
    async fn back(&mut self) -> Result<()> {
        self.now = self.committed.clone();
        self.added.clear();
        self.read_again().await
    }

    async fn read_again(&mut self) -> Result<()> {
        let users = self.session.all(select(User)).await?;
        let posts = self.session.all(select(Post)).await?;
        let tags = self.session.all(select(Tag)).await?;
        self.users = users.into_iter().map(|user| (self.session[user].username.clone(), user)).collect();
        self.posts = posts.into_iter().map(|post| (self.session[post].title.clone(), post)).collect();
        self.tags = tags.into_iter().map(|tag| (self.session[tag].name.clone(), tag)).collect();
        Ok(())
    }

    /// Whatever is loaded says what the model says, at any time.
    fn check_memory(&self) {
        let name_of = |post: Tracked<Post>| self.posts.iter().find(|(_, p)| **p == post).map(|(name, _)| name.clone());
        let tag_of = |tag: Tracked<Tag>| self.tags.iter().find(|(_, t)| **t == tag).map(|(name, _)| name.clone());
        for (name, user) in &self.users {
            let Ok(object) = self.session.try_get(*user) else { continue };
            assert_eq!(object.full_name, self.now.users[name], "{name}");
            if let Ok(posts) = object.posts.try_handles() {
                let count = posts.len();
                let posts: BTreeSet<String> = posts.filter_map(name_of).collect();
                let wanted = self.now.posts.iter().filter(|(_, entry)| entry.0 == *name);
                let wanted: BTreeSet<String> = wanted.map(|(post, _)| post.clone()).collect();
                // What is marked to be deleted stays until the flush.
                assert!(posts == wanted && count >= wanted.len(), "{name}: {posts:?} {wanted:?}");
            }
        }
        for (name, post) in &self.posts {
            let Ok(object) = self.session.try_get(*post) else { continue };
            let (author, tags) = &self.now.posts[name];
            if let Ok(found) = object.author.try_get() {
                assert_eq!(found, Some(self.users[author]), "{name}");
            }
            if let Ok(found) = object.tags.try_handles() {
                let found: BTreeSet<String> = found.filter_map(tag_of).collect();
                assert_eq!(&found, tags, "{name}");
            }
        }
        for (name, tag) in &self.tags {
            let Ok(object) = self.session.try_get(*tag) else { continue };
            if let Ok(found) = object.posts.try_handles() {
                let found: BTreeSet<String> = found.filter_map(name_of).collect();
                let wanted = self.now.posts.iter().filter(|(_, entry)| entry.1.contains(name));
                assert_eq!(found, wanted.map(|(post, _)| post.clone()).collect(), "{name}");
            }
        }
    }
}

/// What the database holds, read by another session.
async fn database(sessions: &SessionMaker) -> Result<World> {
    let mut session = sessions.open();
    let users = session.all(select((User.username, User.full_name))).await?;
    let tags: Vec<String> = session.all(select(Tag.name)).await?;
    let posts = session.all(select(Post).with(Post.author).with(Post.tags)).await?;
    let mut world = World { users: users.into_iter().collect(), tags: tags.into_iter().collect(), ..World::default() };
    for post in posts {
        let object = &session[post];
        let tags = object.tags.handles().map(|tag| session[tag].name.clone()).collect();
        world.posts.insert(object.title.clone(), (session[object.author].username.clone(), tags));
    }
    Ok(world)
}

async fn run(sessions: &SessionMaker, autoflush: bool, steps: &[Step]) -> Result<()> {
    let mut clean = sessions.open();
    for table in ["post_tags", "posts", "users", "tags"] {
        clean.execute(limbeck::sql::trusted(format!("DELETE FROM {table}"))).await?;
    }
    clean.commit().await?;
    let mut run = Run {
        session: sessions.clone().autoflush(autoflush).open(),
        users: BTreeMap::new(),
        posts: BTreeMap::new(),
        tags: BTreeMap::new(),
        now: World::default(),
        committed: World::default(),
        names: 0,
        added: Vec::new(),
    };
    for step in steps.iter().chain([&Step::Commit]) {
        run.step(step).await?;
        run.check_memory();
        if matches!(step, Step::Commit | Step::ExpungeAll) {
            assert_eq!(database(sessions).await?, run.committed);
        }
    }
    Ok(())
}

fn check(kind: Kind, cases: u32) {
    let Some(db) = TestDb::of(kind) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sessions = runtime.block_on(sessions(db.url()));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let strategy = (any::<bool>(), proptest::collection::vec(step(), 1..60));
    assert!(strategy.new_tree(&mut runner).is_ok_and(|tree| !tree.current().1.is_empty()));
    let outcome = runner.run(&strategy, |(autoflush, steps)| {
        let result = runtime.block_on(run(&sessions, autoflush, &steps));
        result.map_err(|error| TestCaseError::fail(error.to_string()))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn session_database_and_a_plain_model_agree_on_sqlite() {
    check(Kind::Sqlite, 200);
}

#[test]
fn session_database_and_a_plain_model_agree_on_postgres() {
    check(Kind::Postgres, 60);
}
