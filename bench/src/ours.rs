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
use crate::user::{NewUser, Sum};

#[derive(Model)]
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

    async fn insert(&self, new: &[NewUser]) -> Result<Outcome> {
        let mut session = self.writing.open();
        let users = session.add_all(new.iter().map(|user| {
            User::builder()
                .email(&user.email)
                .username(&user.username)
                .hashed_password(&user.hashed_password)
                .full_name(user.full_name.clone())
                .is_active(user.is_active)
                .created_at(user.created_at)
                .updated_at(user.updated_at)
        }));
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
                Task::Insert(_) | Task::Change(..) => Err("values that no session tracks are not written".into()),
            }
        })
    }
}
