//! limbeck, twice: a session's tracked objects, and plain values straight from a connection.
//!
//! Each task opens a session of its own, so that nothing is in the identity map yet. Reads use sessions with
//! `autocommit`, since the others read outside a transaction too; what writes uses ordinary ones.

use std::future::Future;
use std::pin::Pin;

use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::session::SessionMaker;

use crate::contender::{Contender, Outcome, Result, Task};
use crate::measure::Work;
use crate::user::{NewGraph, NewUser, Sum};

#[derive(Model)]
#[model(table = "users")]
pub struct User {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    email: String,
    #[column(unique, length = 100)]
    username: String,
    hashed_password: String,
    full_name: Option<String>,
    is_active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[relationship(back_populates = author)]
    posts: HasMany<Post>,
}

#[derive(Model)]
#[model(table = "posts")]
pub struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    body: String,
    #[column(foreign_key(User.id, on_delete = cascade))]
    author_id: i64,
    #[relationship(back_populates = posts)]
    author: BelongsTo<User>,
    #[relationship(secondary = "post_tags", back_populates = posts)]
    tags: ManyToMany<Tag>,
}

#[derive(Model)]
#[model(table = "tags")]
pub struct Tag {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    posts: ManyToMany<Post>,
}

impl User {
    fn add_to(&self, total: &mut Sum) {
        total.add(
            self.id,
            &self.email,
            &self.username,
            &self.hashed_password,
            self.full_name.as_deref(),
            self.is_active,
            self.created_at,
            self.updated_at,
        );
    }
}

fn new(user: &NewUser) -> impl limbeck::model::New<Model = User> + use<> {
    User::builder()
        .email(&user.email)
        .username(&user.username)
        .hashed_password(&user.hashed_password)
        .full_name(user.full_name.clone())
        .is_active(user.is_active)
        .created_at(user.created_at)
        .updated_at(user.updated_at)
}

pub struct Tracked {
    reading: SessionMaker,
    writing: SessionMaker,
}

impl Tracked {
    pub async fn connect(url: &str) -> Result<Tracked> {
        let sessions = Engine::builder(url).connect().await?.sessionmaker();
        Ok(Tracked { reading: sessions.clone().autocommit(true), writing: sessions })
    }

    async fn select(&self, n: i64) -> Result<Outcome> {
        let mut session = self.reading.open();
        let mut total = Sum::default();
        for user in session.all(select(User).filter(User.id.le(n)).order_by(User.id)).await? {
            session[user].add_to(&mut total);
        }
        Ok(total.into())
    }

    async fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut session = self.reading.open();
        let mut total = Sum::default();
        for id in ids {
            let user = session.get(User, *id).await?.ok_or("no such user")?;
            session[user].add_to(&mut total);
        }
        Ok(total.into())
    }

    async fn eager(&self, n: i64) -> Result<Outcome> {
        let mut session = self.reading.open();
        let mut total = Sum::default();
        let users = select(User).filter(User.id.le(n)).order_by(User.id).with(User.posts.with(Post.tags));
        for user in session.all(users).await? {
            let user = &session[user];
            user.add_to(&mut total);
            for post in &user.posts {
                let post = &session[post];
                let tags = post.tags.handles().map(|tag| (session[tag].id, session[tag].name.as_str()));
                total.post(post.id, &post.title, &post.body, post.author_id, tags);
            }
        }
        Ok(total.into())
    }

    async fn graph(&self, graph: &NewGraph) -> Result<Outcome> {
        let mut session = self.writing.open();
        let tags = session.add_all(graph.tags.iter().map(|name| Tag::builder().name(name)));
        let mut users = Vec::with_capacity(graph.users.len());
        for (user, posts) in &graph.users {
            let author = session.add(new(user));
            users.push(author);
            for (post, of) in posts {
                let of = of.map(|tag| tags[tag]);
                session.add(Post::builder().title(&post.title).body(&post.body).author(author).tags(of));
            }
        }
        session.commit().await?;
        Ok(users.into_iter().map(|user| session[user].id).collect::<Vec<i64>>().into())
    }

    async fn delete(&self, above: i64) -> Result<Outcome> {
        let mut session = self.writing.open();
        let mut total = Sum::default();
        for user in session.all(select(User).filter(User.id.gt(above)).order_by(User.id)).await? {
            session[user].add_to(&mut total);
            session.delete(user)?;
        }
        session.commit().await?;
        Ok(total.into())
    }

    async fn insert(&self, users: &[NewUser]) -> Result<Outcome> {
        let mut session = self.writing.open();
        let users = session.add_all(users.iter().map(new));
        session.commit().await?;
        Ok(users.into_iter().map(|user| session[user].id).collect::<Vec<i64>>().into())
    }

    async fn change(&self, n: i64, name: &str) -> Result<Outcome> {
        let mut session = self.writing.open();
        let mut total = Sum::default();
        for user in session.all(select(User).filter(User.id.le(n)).order_by(User.id)).await? {
            session[user].add_to(&mut total);
            let user = &mut session[user];
            user.full_name = Some(format!("{name}{}", user.id));
        }
        session.commit().await?;
        Ok(total.into())
    }
}

impl Contender for Tracked {
    fn name(&self) -> &'static str {
        "limbeck, tracked"
    }

    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>> {
        Box::pin(async move {
            match task {
                Task::Select(n) => self.select(n).await,
                Task::Get(ids) => self.get(ids).await,
                Task::Insert(users) => self.insert(users).await,
                Task::Change(n, name) => self.change(n, name).await,
                Task::Eager(n) => self.eager(n).await,
                Task::Graph(graph) => self.graph(graph).await,
                Task::Delete(above) => self.delete(above).await,
            }
        })
    }
}

pub struct Untracked {
    connection: Connection,
}

impl Untracked {
    pub async fn connect(url: &str) -> Result<Untracked> {
        Ok(Untracked { connection: Engine::builder(url).connect().await?.connect().await? })
    }

    async fn select(&mut self, n: i64) -> Result<Outcome> {
        let mut total = Sum::default();
        let users = self.connection.all(select(User).filter(User.id.le(n)).order_by(User.id)).await?;
        users.iter().for_each(|user| user.add_to(&mut total));
        Ok(total.into())
    }

    async fn get(&mut self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            self.connection.one(select(User).filter(User.id.eq(*id))).await?.add_to(&mut total);
        }
        Ok(total.into())
    }
}

impl Contender for Untracked {
    fn name(&self) -> &'static str {
        "limbeck, untracked"
    }

    fn does(&self, work: Work) -> bool {
        matches!(work, Work::Select(_) | Work::Get(_))
    }

    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>> {
        Box::pin(async move {
            match task {
                Task::Select(n) => self.select(n).await,
                Task::Get(ids) => self.get(ids).await,
                _ => Err("values that no session tracks are not written".into()),
            }
        })
    }
}
