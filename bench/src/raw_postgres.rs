//! tokio-postgres, used well: prepared statements, arrays through `unnest`, and what need not wait sent together.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use futures_util::future::{try_join, try_join3};
use tokio_postgres::{Client, NoTls, Row, Statement};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::raw_sqlite::{Post, Tag, User, eager_sum};
use crate::user::{NewGraph, NewUser, Sum};

pub struct RawPostgres {
    client: Client,
    select: Statement,
    get: Statement,
    insert: Statement,
    update: Statement,
    posts: Statement,
    tags: Statement,
    insert_posts: Statement,
    insert_tags: Statement,
    insert_links: Statement,
    above: Statement,
    delete: Statement,
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
        let posts = client.prepare("SELECT id, title, body, author_id FROM posts WHERE author_id = ANY($1)").await?;
        let tags = client
            .prepare(
                "SELECT post_id, tags.id, name FROM post_tags JOIN tags ON tags.id = tag_id WHERE post_id = ANY($1)",
            )
            .await?;
        let insert_posts = client
            .prepare(
                "INSERT INTO posts (title, body, author_id) \
                 SELECT * FROM unnest($1::varchar[], $2::varchar[], $3::bigint[]) RETURNING id",
            )
            .await?;
        let insert_tags =
            client.prepare("INSERT INTO tags (name) SELECT * FROM unnest($1::varchar[]) RETURNING id").await?;
        let insert_links = client
            .prepare("INSERT INTO post_tags (post_id, tag_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])")
            .await?;
        let above = client.prepare(&format!("SELECT {columns} FROM users WHERE id > $1 ORDER BY id")).await?;
        let delete = client.prepare("DELETE FROM users WHERE id = ANY($1)").await?;
        Ok(RawPostgres {
            client,
            select,
            get,
            insert,
            update,
            posts,
            tags,
            insert_posts,
            insert_tags,
            insert_links,
            above,
            delete,
        })
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
        // One statement is a transaction, and one round trip.
        Ok(self.insert_users(users.iter()).await?.into())
    }

    async fn insert_users(&self, users: impl Iterator<Item = &NewUser> + Clone) -> Result<Vec<i64>> {
        let emails: Vec<&str> = users.clone().map(|user| user.email.as_str()).collect();
        let usernames: Vec<&str> = users.clone().map(|user| user.username.as_str()).collect();
        let passwords: Vec<&str> = users.clone().map(|user| user.hashed_password.as_str()).collect();
        let names: Vec<Option<&str>> = users.clone().map(|user| user.full_name.as_deref()).collect();
        let active: Vec<bool> = users.clone().map(|user| user.is_active).collect();
        let created: Vec<DateTime<Utc>> = users.clone().map(|user| user.created_at).collect();
        let updated: Vec<DateTime<Utc>> = users.map(|user| user.updated_at).collect();
        let rows = self
            .client
            .query(&self.insert, &[&emails, &usernames, &passwords, &names, &active, &created, &updated])
            .await?;
        keys(&rows)
    }

    async fn graph(&self, graph: &NewGraph) -> Result<Outcome> {
        let client = &self.client;
        // BEGIN, users and tags need nothing of each other: one round trip.
        let (_, users, tags) = try_join3(
            async { Ok(client.batch_execute("BEGIN").await?) },
            self.insert_users(graph.users.iter().map(|(user, _)| user)),
            async { keys(&client.query(&self.insert_tags, &[&graph.tags]).await?) },
        )
        .await?;
        let posts =
            || graph.users.iter().zip(&users).flat_map(|((_, posts), author)| posts.iter().map(move |p| (p, author)));
        let titles: Vec<&str> = posts().map(|((post, _), _)| post.title.as_str()).collect();
        let bodies: Vec<&str> = posts().map(|((post, _), _)| post.body.as_str()).collect();
        let authors: Vec<i64> = posts().map(|(_, author)| *author).collect();
        let ids = keys(&client.query(&self.insert_posts, &[&titles, &bodies, &authors]).await?)?;
        let (of_posts, of_tags): (Vec<i64>, Vec<i64>) =
            posts().zip(&ids).flat_map(|(((_, of), _), post)| of.map(|tag| (*post, tags[tag]))).unzip();
        try_join(client.execute(&self.insert_links, &[&of_posts, &of_tags]), client.batch_execute("COMMIT")).await?;
        Ok(users.into())
    }

    async fn eager(&self, n: i64) -> Result<Outcome> {
        let users = decode_all(&self.client.query(&self.select, &[&n]).await?)?;
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        let rows = self.client.query(&self.posts, &[&ids]).await?;
        let mut posts: HashMap<i64, Vec<Post>> = HashMap::with_capacity(users.len());
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, author_id) = (row.try_get(0)?, row.try_get(3)?);
            ids.push(id);
            let post = Post { id, title: row.try_get(1)?, body: row.try_get(2)?, author_id, tags: Vec::new() };
            posts.entry(author_id).or_default().push(post);
        }
        let mut tags: HashMap<i64, Vec<Tag>> = HashMap::with_capacity(ids.len());
        for row in self.client.query(&self.tags, &[&ids]).await? {
            tags.entry(row.try_get(0)?).or_default().push(Tag { id: row.try_get(1)?, name: row.try_get(2)? });
        }
        Ok(eager_sum(users, posts, tags).into())
    }

    async fn delete(&self, above: i64) -> Result<Outcome> {
        let (_, rows) = try_join(self.client.batch_execute("BEGIN"), self.client.query(&self.above, &[&above])).await?;
        let users = decode_all(&rows)?;
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        try_join(self.client.execute(&self.delete, &[&ids]), self.client.batch_execute("COMMIT")).await?;
        Ok(sum(&users).into())
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
                Task::Eager(n) => self.eager(n).await,
                Task::Graph(graph) => self.graph(graph).await,
                Task::Delete(above) => self.delete(above).await,
            }
        })
    }
}

fn keys(rows: &[Row]) -> Result<Vec<i64>> {
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?)
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
