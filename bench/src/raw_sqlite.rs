//! rusqlite, used well: statements from its cache, rows by position, one transaction for many rows, times in the
//! one format by hand.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use rusqlite::{Connection, Row, TransactionBehavior};

use crate::contender::{Contender, Outcome, Result, Task};
use crate::user::{NewGraph, NewUser, Sum};

pub struct RawSqlite {
    connection: Connection,
}

pub struct User {
    pub id: i64,
    pub email: String,
    pub username: String,
    pub hashed_password: String,
    pub full_name: Option<String>,
    pub is_active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

pub struct Post {
    pub id: i64,
    pub title: String,
    pub body: String,
    pub author_id: i64,
    pub tags: Vec<Tag>,
}

pub struct Tag {
    pub id: i64,
    pub name: String,
}

/// Puts what three queries found together, and sums it up.
pub fn eager_sum(users: Vec<User>, mut posts: HashMap<i64, Vec<Post>>, mut tags: HashMap<i64, Vec<Tag>>) -> Sum {
    let whole: Vec<(User, Vec<Post>)> = users
        .into_iter()
        .map(|user| {
            let mut posts = posts.remove(&user.id).unwrap_or_default();
            posts.iter_mut().for_each(|post| post.tags = tags.remove(&post.id).unwrap_or_default());
            (user, posts)
        })
        .collect();
    let mut total = Sum::default();
    for (user, posts) in &whole {
        add(&mut total, user);
        for post in posts {
            let tags = post.tags.iter().map(|tag| (tag.id, tag.name.as_str()));
            total.post(post.id, &post.title, &post.body, post.author_id, tags);
        }
    }
    total
}

impl RawSqlite {
    pub fn open(path: &str) -> Result<RawSqlite> {
        let connection = Connection::open(path)?;
        connection.execute_batch(PRAGMAS)?;
        connection.set_prepared_statement_cache_capacity(100);
        Ok(RawSqlite { connection })
    }

    fn read(&self, n: i64) -> Result<Vec<User>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, email, username, hashed_password, full_name, is_active, created_at, updated_at \
             FROM users WHERE id <= ?1 ORDER BY id",
        )?;
        let mut rows = statement.query([n])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            users.push(decode(row)?);
        }
        Ok(users)
    }

    fn eager(&self, n: i64) -> Result<Outcome> {
        let users = self.read(n)?;
        let mut statement =
            self.connection.prepare_cached("SELECT id, title, body, author_id FROM posts WHERE author_id <= ?1")?;
        let mut posts: HashMap<i64, Vec<Post>> = HashMap::with_capacity(users.len());
        let mut rows = statement.query([n])?;
        while let Some(row) = rows.next()? {
            let (id, author_id) = (row.get(0)?, row.get(3)?);
            let post = Post { id, title: row.get(1)?, body: row.get(2)?, author_id, tags: Vec::new() };
            posts.entry(author_id).or_default().push(post);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT post_id, tags.id, name FROM post_tags JOIN tags ON tags.id = tag_id \
             WHERE post_id IN (SELECT id FROM posts WHERE author_id <= ?1)",
        )?;
        let mut tags: HashMap<i64, Vec<Tag>> = HashMap::new();
        let mut rows = statement.query([n])?;
        while let Some(row) = rows.next()? {
            tags.entry(row.get(0)?).or_default().push(Tag { id: row.get(1)?, name: row.get(2)? });
        }
        Ok(eager_sum(users, posts, tags).into())
    }

    fn graph(&mut self, graph: &NewGraph) -> Result<Outcome> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut keys = Vec::with_capacity(graph.users.len());
        {
            let mut statement = transaction.prepare_cached("INSERT INTO tags (name) VALUES (?1)")?;
            let mut tags = Vec::with_capacity(graph.tags.len());
            for name in &graph.tags {
                tags.push(statement.insert([name])?);
            }
            let mut insert_user = transaction.prepare_cached(
                "INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            let mut insert_post =
                transaction.prepare_cached("INSERT INTO posts (title, body, author_id) VALUES (?1, ?2, ?3)")?;
            let mut insert_link =
                transaction.prepare_cached("INSERT INTO post_tags (post_id, tag_id) VALUES (?1, ?2)")?;
            for (user, posts) in &graph.users {
                let author_id = insert_user.insert((
                    &user.email,
                    &user.username,
                    &user.hashed_password,
                    &user.full_name,
                    user.is_active,
                    format(user.created_at),
                    format(user.updated_at),
                ))?;
                keys.push(author_id);
                for (post, of) in posts {
                    let post = insert_post.insert((&post.title, &post.body, author_id))?;
                    for tag in of {
                        insert_link.execute((post, tags[*tag]))?;
                    }
                }
            }
        }
        transaction.commit()?;
        Ok(keys.into())
    }

    fn delete(&mut self, above: i64) -> Result<Outcome> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id, email, username, hashed_password, full_name, is_active, created_at, updated_at \
             FROM users WHERE id > ?1 ORDER BY id",
        )?;
        let mut rows = statement.query([above])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            users.push(decode(row)?);
        }
        drop(rows);
        let mut delete = self.connection.prepare_cached("DELETE FROM users WHERE id = ?1")?;
        for user in &users {
            delete.execute([user.id])?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(sum(&users).into())
    }

    fn select(&self, n: i64) -> Result<Outcome> {
        Ok(sum(&self.read(n)?).into())
    }

    fn get(&self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            let mut statement = self.connection.prepare_cached(
                "SELECT id, email, username, hashed_password, full_name, is_active, created_at, updated_at \
                 FROM users WHERE id = ?1",
            )?;
            let mut rows = statement.query([id])?;
            let row = rows.next()?.ok_or("no such user")?;
            add(&mut total, &decode(row)?);
        }
        Ok(total.into())
    }

    fn insert(&mut self, users: &[NewUser]) -> Result<Outcome> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut keys = Vec::with_capacity(users.len());
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO users (email, username, hashed_password, full_name, is_active, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for user in users {
                keys.push(statement.insert((
                    &user.email,
                    &user.username,
                    &user.hashed_password,
                    &user.full_name,
                    user.is_active,
                    format(user.created_at),
                    format(user.updated_at),
                ))?);
            }
        }
        transaction.commit()?;
        Ok(keys.into())
    }

    fn change(&mut self, n: i64, name: &str) -> Result<Outcome> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut users = self.read(n)?;
        let total = sum(&users);
        let mut statement = self.connection.prepare_cached("UPDATE users SET full_name = ?1 WHERE id = ?2")?;
        for user in &mut users {
            user.full_name = Some(format!("{name}{}", user.id));
            statement.execute((&user.full_name, user.id))?;
        }
        drop(statement);
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(total.into())
    }
}

impl Contender for RawSqlite {
    fn name(&self) -> &'static str {
        "rusqlite"
    }

    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>> {
        Box::pin(async move {
            match task {
                Task::Select(n) => self.select(n),
                Task::Get(ids) => self.get(ids),
                Task::Insert(users) => self.insert(users),
                Task::Change(n, name) => self.change(n, name),
                Task::Eager(n) => self.eager(n),
                Task::Graph(graph) => self.graph(graph),
                Task::Delete(above) => self.delete(above),
            }
        })
    }
}

/// The settings that limbeck gives each connection; all contenders have them.
pub const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON";

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

fn decode(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        email: row.get(1)?,
        username: row.get(2)?,
        hashed_password: row.get(3)?,
        full_name: row.get(4)?,
        is_active: row.get(5)?,
        created_at: parse(row.get_ref(6)?.as_str()?)?,
        updated_at: parse(row.get_ref(7)?.as_str()?)?,
    })
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC.
pub fn format(time: DateTime<Utc>) -> String {
    let mut text = *b"0000-00-00 00:00:00.000000";
    let mut put = |at: usize, digits: usize, mut value: u32| {
        for i in (at..at + digits).rev() {
            text[i] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(0, 4, time.year() as u32);
    put(5, 2, time.month());
    put(8, 2, time.day());
    put(11, 2, time.hour());
    put(14, 2, time.minute());
    put(17, 2, time.second());
    put(20, 6, time.timestamp_subsec_micros());
    String::from_utf8_lossy(&text).into_owned()
}

fn parse(text: &str) -> Result<DateTime<Utc>> {
    let bytes: &[u8; 26] = text.as_bytes().try_into()?;
    let number = |at: usize, digits: usize| bytes[at..at + digits].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    let date = NaiveDate::from_ymd_opt(number(0, 4) as i32, number(5, 2), number(8, 2)).ok_or("not a date")?;
    let time =
        date.and_hms_micro_opt(number(11, 2), number(14, 2), number(17, 2), number(20, 6)).ok_or("not a time")?;
    Ok(time.and_utc())
}
