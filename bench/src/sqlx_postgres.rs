//! sqlx on PostgreSQL: SQL by hand, rows by `FromRow`, many rows by `unnest`, as its FAQ says.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::user::{NewGraph, NewUser, Sum};

#[derive(FromRow)]
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

#[derive(FromRow)]
struct Post {
    id: i64,
    title: String,
    body: String,
    author_id: i64,
}

#[derive(FromRow)]
struct TagOf {
    post_id: i64,
    id: i64,
    name: String,
}

pub struct Sqlx {
    pool: PgPool,
}

impl Sqlx {
    pub async fn connect(url: &str) -> Result<Sqlx> {
        Ok(Sqlx { pool: PgPoolOptions::new().max_connections(1).connect(url).await? })
    }

    async fn select(&self, n: i64) -> Result<Outcome> {
        let users: Vec<User> =
            sqlx::query_as("SELECT * FROM users WHERE id <= $1 ORDER BY id").bind(n).fetch_all(&self.pool).await?;
        Ok(sum(&users).into())
    }

    async fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            let user = sqlx::query_as("SELECT * FROM users WHERE id = $1").bind(id).fetch_one(&self.pool).await?;
            add(&mut total, &user);
        }
        Ok(total.into())
    }

    async fn insert(&self, users: &[NewUser]) -> Result<Outcome> {
        let mut transaction = self.pool.begin().await?;
        let keys = insert_users(&mut transaction, users.iter()).await?;
        transaction.commit().await?;
        Ok(keys.into())
    }

    async fn change(&self, n: i64, name: &str) -> Result<Outcome> {
        let mut transaction = self.pool.begin().await?;
        let mut users: Vec<User> = sqlx::query_as("SELECT * FROM users WHERE id <= $1 ORDER BY id")
            .bind(n)
            .fetch_all(&mut *transaction)
            .await?;
        let total = sum(&users);
        for user in &mut users {
            user.full_name = Some(format!("{name}{}", user.id));
            sqlx::query("UPDATE users SET full_name = $1 WHERE id = $2")
                .bind(&user.full_name)
                .bind(user.id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(total.into())
    }

    async fn eager(&self, n: i64) -> Result<Outcome> {
        let users: Vec<User> =
            sqlx::query_as("SELECT * FROM users WHERE id <= $1 ORDER BY id").bind(n).fetch_all(&self.pool).await?;
        let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
        let rows: Vec<Post> =
            sqlx::query_as("SELECT * FROM posts WHERE author_id = ANY($1)").bind(&ids).fetch_all(&self.pool).await?;
        let ids: Vec<i64> = rows.iter().map(|post| post.id).collect();
        let links: Vec<TagOf> = sqlx::query_as(
            "SELECT post_id, tags.id, name FROM post_tags JOIN tags ON tags.id = tag_id WHERE post_id = ANY($1)",
        )
        .bind(&ids)
        .fetch_all(&self.pool)
        .await?;
        let mut tags: HashMap<i64, Vec<TagOf>> = HashMap::new();
        links.into_iter().for_each(|tag| tags.entry(tag.post_id).or_default().push(tag));
        let mut posts: HashMap<i64, Vec<Post>> = HashMap::new();
        rows.into_iter().for_each(|post| posts.entry(post.author_id).or_default().push(post));
        let mut total = Sum::default();
        for user in &users {
            add(&mut total, user);
            for post in posts.get(&user.id).into_iter().flatten() {
                let tags = tags.get(&post.id).into_iter().flatten().map(|tag| (tag.id, tag.name.as_str()));
                total.post(post.id, &post.title, &post.body, post.author_id, tags);
            }
        }
        Ok(total.into())
    }

    async fn graph(&self, graph: &NewGraph) -> Result<Outcome> {
        let mut transaction = self.pool.begin().await?;
        let tags: Vec<i64> =
            sqlx::query_scalar("INSERT INTO tags (name) SELECT * FROM unnest($1::varchar[]) RETURNING id")
                .bind(&graph.tags)
                .fetch_all(&mut *transaction)
                .await?;
        let users = insert_users(&mut transaction, graph.users.iter().map(|(user, _)| user)).await?;
        let posts = || {
            let authors = graph.users.iter().zip(&users);
            authors.flat_map(|((_, posts), author)| posts.iter().map(move |post| (author, post)))
        };
        let titles: Vec<&str> = posts().map(|(_, (post, _))| post.title.as_str()).collect();
        let bodies: Vec<&str> = posts().map(|(_, (post, _))| post.body.as_str()).collect();
        let authors: Vec<i64> = posts().map(|(author, _)| *author).collect();
        let ids: Vec<i64> = sqlx::query_scalar(
            "INSERT INTO posts (title, body, author_id) \
             SELECT * FROM unnest($1::varchar[], $2::varchar[], $3::bigint[]) RETURNING id",
        )
        .bind(&titles)
        .bind(&bodies)
        .bind(&authors)
        .fetch_all(&mut *transaction)
        .await?;
        let links = posts().zip(&ids).flat_map(|((_, (_, of)), id)| of.map(|tag| (*id, tags[tag])));
        let (of_posts, of_tags): (Vec<i64>, Vec<i64>) = links.unzip();
        sqlx::query("INSERT INTO post_tags (post_id, tag_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])")
            .bind(&of_posts)
            .bind(&of_tags)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(users.into())
    }

    async fn delete(&self, above: i64) -> Result<Outcome> {
        let mut transaction = self.pool.begin().await?;
        let users: Vec<User> = sqlx::query_as("SELECT * FROM users WHERE id > $1 ORDER BY id")
            .bind(above)
            .fetch_all(&mut *transaction)
            .await?;
        for user in &users {
            sqlx::query("DELETE FROM users WHERE id = $1").bind(user.id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(sum(&users).into())
    }
}

impl Contender for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
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

async fn insert_users(
    connection: &mut PgConnection,
    users: impl Iterator<Item = &NewUser> + Clone,
) -> Result<Vec<i64>> {
    let emails: Vec<&str> = users.clone().map(|user| user.email.as_str()).collect();
    let usernames: Vec<&str> = users.clone().map(|user| user.username.as_str()).collect();
    let passwords: Vec<&str> = users.clone().map(|user| user.hashed_password.as_str()).collect();
    let names: Vec<Option<&str>> = users.clone().map(|user| user.full_name.as_deref()).collect();
    let active: Vec<bool> = users.clone().map(|user| user.is_active).collect();
    let created: Vec<DateTime<Utc>> = users.clone().map(|user| user.created_at).collect();
    let updated: Vec<DateTime<Utc>> = users.map(|user| user.updated_at).collect();
    let ids = sqlx::query_scalar(
        "INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) \
         SELECT * FROM unnest($1::varchar[], $2::varchar[], $3::varchar[], $4::varchar[], $5::boolean[], \
         $6::timestamptz[], $7::timestamptz[]) RETURNING id",
    )
    .bind(&emails)
    .bind(&usernames)
    .bind(&passwords)
    .bind(&names)
    .bind(&active)
    .bind(&created)
    .bind(&updated)
    .fetch_all(connection)
    .await?;
    Ok(ids)
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
