//! tokio-postgres, used well: prepared statements, arrays through `unnest`, and what need not wait sent together.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use tokio_postgres::{Client, NoTls, Row, Statement};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::user::{NewUser, Sum};

pub struct RawPostgres {
    client: Client,
    select: Statement,
    get: Statement,
    insert: Statement,
    update: Statement,
}

struct User {
    id: i64,
    email: String,
    username: String,
    hashed_password: String,
    full_name: Option<String>,
    is_active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl RawPostgres {
    pub async fn connect(url: &str) -> Result<RawPostgres> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let columns = "id, email, username, hashed_password, full_name, is_active, created_at, updated_at";
        let select = client.prepare(&format!("SELECT {columns} FROM users WHERE id <= $1 ORDER BY id")).await?;
        let get = client.prepare(&format!("SELECT {columns} FROM users WHERE id = $1")).await?;
        let insert = client
            .prepare(
                "INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) \
                 SELECT * FROM unnest($1::varchar[], $2::varchar[], $3::varchar[], $4::varchar[], $5::boolean[], \
                 $6::timestamptz[], $7::timestamptz[]) RETURNING id",
            )
            .await?;
        let update = client
            .prepare(
                "UPDATE users SET full_name = new.full_name \
                 FROM unnest($1::bigint[], $2::varchar[]) AS new (id, full_name) WHERE users.id = new.id",
            )
            .await?;
        Ok(RawPostgres { client, select, get, insert, update })
    }

    async fn select(&self, n: i64) -> Result<Outcome> {
        let rows = self.client.query(&self.select, &[&n]).await?;
        Ok(sum(&decode_all(&rows)?).into())
    }

    async fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            add(&mut total, &decode(&self.client.query_one(&self.get, &[id]).await?)?);
        }
        Ok(total.into())
    }

    async fn insert(&self, users: &[NewUser]) -> Result<Outcome> {
        let emails: Vec<&str> = users.iter().map(|user| user.email.as_str()).collect();
        let usernames: Vec<&str> = users.iter().map(|user| user.username.as_str()).collect();
        let passwords: Vec<&str> = users.iter().map(|user| user.hashed_password.as_str()).collect();
        let names: Vec<Option<&str>> = users.iter().map(|user| user.full_name.as_deref()).collect();
        let active: Vec<bool> = users.iter().map(|user| user.is_active).collect();
        let created: Vec<DateTime<Utc>> = users.iter().map(|user| user.created_at).collect();
        let updated: Vec<DateTime<Utc>> = users.iter().map(|user| user.updated_at).collect();
        // One statement is a transaction, and one round trip.
        let rows = self
            .client
            .query(&self.insert, &[&emails, &usernames, &passwords, &names, &active, &created, &updated])
            .await?;
        let keys: std::result::Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        Ok(keys?.into())
    }

    async fn change(&self, n: i64, name: &str) -> Result<Outcome> {
        let (_, rows) = try_join(self.client.batch_execute("BEGIN"), self.client.query(&self.select, &[&n])).await?;
        let mut users = decode_all(&rows)?;
        let total = sum(&users);
        for user in &mut users {
            user.full_name = Some(format!("{name}{}", user.id));
        }
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        let names: Vec<Option<&str>> = users.iter().map(|user| user.full_name.as_deref()).collect();
        try_join(self.client.execute(&self.update, &[&ids, &names]), self.client.batch_execute("COMMIT")).await?;
        Ok(total.into())
    }
}

impl Contender for RawPostgres {
    fn name(&self) -> &'static str {
        "tokio-postgres"
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

fn decode_all(rows: &[Row]) -> Result<Vec<User>> {
    rows.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<User> {
    Ok(User {
        id: row.try_get(0)?,
        email: row.try_get(1)?,
        username: row.try_get(2)?,
        hashed_password: row.try_get(3)?,
        full_name: row.try_get(4)?,
        is_active: row.try_get(5)?,
        created_at: row.try_get(6)?,
        updated_at: row.try_get(7)?,
    })
}

fn sum(users: &[User]) -> Sum {
    let mut total = Sum::default();
    users.iter().for_each(|user| add(&mut total, user));
    total
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
