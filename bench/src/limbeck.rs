//! limbeck: through a session (tracked), and on a connection (untracked).

use std::future::Future;
use std::pin::Pin;

use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::session::SessionMaker;

use crate::contender::{Contender, Outcome, Result, Task};
use crate::measure::Work;
use crate::user::{NewUser, Sum};

#[derive(Model)]
#[model(table = "users")]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique)]
    pub email: String,
    #[column(unique, length = 100)]
    pub username: String,
    pub hashed_password: String,
    pub full_name: Option<String>,
    #[column(default = true)]
    pub is_active: bool,
    #[column(default = Utc::now())]
    pub created_at: DateTime<Utc>,
    #[column(default = Utc::now())]
    pub updated_at: DateTime<Utc>,
}

/// A session for each task, as a request has one.
pub struct Tracked {
    sessions: SessionMaker,
}

/// A connection, which knows no objects.
pub struct Untracked {
    connection: Connection,
}

impl Tracked {
    pub async fn connect(url: &str) -> Result<Tracked> {
        let engine = Engine::builder(url).connect().await?;
        Ok(Tracked { sessions: engine.sessionmaker() })
    }

    async fn select(&self, n: i64) -> Result<Outcome> {
        let mut session = self.sessions.open();
        let users = session.all(select(User).filter(User.id.le(n)).order_by(User.id)).await?;
        let mut total = Sum::default();
        users.iter().for_each(|user| add(&mut total, &session[user]));
        Ok(total.into())
    }

    async fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut session = self.sessions.open();
        let mut total = Sum::default();
        for id in ids {
            let user = session.get(User, *id).await?.ok_or("no such user")?;
            add(&mut total, &session[user]);
        }
        Ok(total.into())
    }

    async fn insert(&self, users: &[NewUser]) -> Result<Outcome> {
        let mut session = self.sessions.open();
        let added = session.add_all(users.iter().map(|user| {
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
        Ok(added.iter().map(|user| session[user].id).collect::<Vec<_>>().into())
    }

    async fn change(&self, n: i64, name: &str) -> Result<Outcome> {
        let mut session = self.sessions.open();
        session.begin().await?;
        let users = session.all(select(User).filter(User.id.le(n)).order_by(User.id)).await?;
        let mut total = Sum::default();
        for user in users {
            add(&mut total, &session[user]);
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

impl Untracked {
    pub async fn connect(url: &str) -> Result<Untracked> {
        let engine = Engine::builder(url).connect().await?;
        Ok(Untracked { connection: engine.connect().await? })
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
            let mut total = Sum::default();
            match task {
                Task::Select(n) => {
                    let query = select(User).filter(User.id.le(n)).order_by(User.id);
                    self.connection.all(query).await?.iter().for_each(|user| add(&mut total, user));
                }
                Task::Get(ids) => {
                    for id in ids {
                        let user = self.connection.one(select(User).filter(User.id.eq(*id))).await?;
                        add(&mut total, &user);
                    }
                }
                Task::Insert(_) | Task::Change(..) => return Err("writes go through a session".into()),
            }
            Ok(total.into())
        })
    }
}

fn add(total: &mut Sum, user: &User) {
    total.add(
        user.id,
        &user.email,
        &user.username,
        &user.hashed_password,
        user.full_name.as_deref(),
        user.is_active,
        user.created_at,
        user.updated_at,
    );
}
