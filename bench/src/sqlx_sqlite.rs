//! sqlx on SQLite: SQL by hand, rows by `FromRow`, many rows by its `QueryBuilder`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{FromRow, QueryBuilder, Sqlite, SqlitePool};

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

/// Rows in one INSERT: SQLite binds 32,766 values at most, and the text of a statement is parsed anew.
const ROWS: usize = 1_000;

pub struct Sqlx {
    pool: SqlitePool,
}

impl Sqlx {
    pub async fn connect(path: &str) -> Result<Sqlx> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true);
        Ok(Sqlx { pool: SqlitePoolOptions::new().max_connections(1).connect_with(options).await? })
    }

    async fn select(&self, n: i64) -> Result<Outcome> {
        let users: Vec<User> =
            sqlx::query_as("SELECT * FROM users WHERE id <= ? ORDER BY id").bind(n).fetch_all(&self.pool).await?;
        Ok(sum(&users).into())
    }

    async fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            let user = sqlx::query_as("SELECT * FROM users WHERE id = ?").bind(id).fetch_one(&self.pool).await?;
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
        let mut users: Vec<User> = sqlx::query_as("SELECT * FROM users WHERE id <= ? ORDER BY id")
            .bind(n)
            .fetch_all(&mut *transaction)
            .await?;
        let total = sum(&users);
        for user in &mut users {
            user.full_name = Some(format!("{name}{}", user.id));
            sqlx::query("UPDATE users SET full_name = ? WHERE id = ?")
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
            sqlx::query_as("SELECT * FROM users WHERE id <= ? ORDER BY id").bind(n).fetch_all(&self.pool).await?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM posts WHERE author_id IN (");
        let mut list = query.separated(", ");
        users.iter().for_each(|user| {
            list.push_bind(user.id);
        });
        let rows: Vec<Post> = query.push(")").build_query_as().fetch_all(&self.pool).await?;
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT post_id, tags.id, name FROM post_tags JOIN tags ON tags.id = tag_id WHERE post_id IN (",
        );
        let mut list = query.separated(", ");
        rows.iter().for_each(|post| {
            list.push_bind(post.id);
        });
        let links: Vec<TagOf> = query.push(")").build_query_as().fetch_all(&self.pool).await?;
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
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO tags (name) ");
        query.push_values(&graph.tags, |mut row, name| {
            row.push_bind(name);
        });
        let tags: Vec<i64> = query.push(" RETURNING id").build_query_scalar().fetch_all(&mut *transaction).await?;
        let users = insert_users(&mut transaction, graph.users.iter().map(|(user, _)| user)).await?;
        let posts: Vec<_> = graph
            .users
            .iter()
            .zip(&users)
            .flat_map(|((_, posts), author)| posts.iter().map(move |(post, of)| (post, *of, *author)))
            .collect();
        let mut links = Vec::with_capacity(posts.len() * 2);
        for rows in posts.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO posts (title, body, author_id) ");
            query.push_values(rows, |mut row, (post, _, author)| {
                row.push_bind(&post.title).push_bind(&post.body).push_bind(author);
            });
            let ids: Vec<i64> = query.push(" RETURNING id").build_query_scalar().fetch_all(&mut *transaction).await?;
            links.extend(rows.iter().zip(ids).flat_map(|((_, of, _), id)| of.map(|tag| (id, tags[tag]))));
        }
        for rows in links.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO post_tags (post_id, tag_id) ");
            query.push_values(rows, |mut row, (post, tag)| {
                row.push_bind(post).push_bind(tag);
            });
            query.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(users.into())
    }

    async fn delete(&self, above: i64) -> Result<Outcome> {
        let mut transaction = self.pool.begin().await?;
        let users: Vec<User> = sqlx::query_as("SELECT * FROM users WHERE id > ? ORDER BY id")
            .bind(above)
            .fetch_all(&mut *transaction)
            .await?;
        for user in &users {
            sqlx::query("DELETE FROM users WHERE id = ?").bind(user.id).execute(&mut *transaction).await?;
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

async fn insert_users(connection: &mut SqliteConnection, users: impl Iterator<Item = &NewUser>) -> Result<Vec<i64>> {
    let users: Vec<&NewUser> = users.collect();
    let mut keys = Vec::with_capacity(users.len());
    for rows in users.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) ",
        );
        query.push_values(rows, |mut row, user| {
            row.push_bind(&user.email)
                .push_bind(&user.username)
                .push_bind(&user.hashed_password)
                .push_bind(&user.full_name)
                .push_bind(user.is_active)
                .push_bind(user.created_at)
                .push_bind(user.updated_at);
        });
        let ids: Vec<i64> = query.push(" RETURNING id").build_query_scalar().fetch_all(&mut *connection).await?;
        keys.extend(ids);
    }
    Ok(keys)
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
