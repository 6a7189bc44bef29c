//! Diesel on SQLite: its own DSL, which finds statements in its cache by their types.

use std::future::Future;
use std::pin::Pin;

use chrono::NaiveDateTime;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::contender::{Contender, Outcome, Result, Task};
use crate::raw_sqlite::PRAGMAS;
use crate::user::{NewGraph, NewUser, Sum};

diesel::table! {
    users (id) {
        id -> BigInt,
        email -> VarChar,
        username -> VarChar,
        hashed_password -> VarChar,
        full_name -> Nullable<VarChar>,
        is_active -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    posts (id) {
        id -> BigInt,
        title -> VarChar,
        body -> VarChar,
        author_id -> BigInt,
    }
}

diesel::table! {
    tags (id) {
        id -> BigInt,
        name -> VarChar,
    }
}

diesel::table! {
    post_tags (post_id, tag_id) {
        post_id -> BigInt,
        tag_id -> BigInt,
    }
}

diesel::joinable!(post_tags -> tags (tag_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts, tags, post_tags);

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts, check_for_backend(diesel::sqlite::Sqlite))]
#[diesel(belongs_to(User, foreign_key = author_id))]
struct Post {
    id: i64,
    title: String,
    body: String,
    author_id: i64,
}

#[derive(Queryable, Selectable, Identifiable)]
#[diesel(table_name = tags, check_for_backend(diesel::sqlite::Sqlite))]
struct Tag {
    id: i64,
    name: String,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = post_tags, check_for_backend(diesel::sqlite::Sqlite))]
#[diesel(belongs_to(Post), belongs_to(Tag))]
#[diesel(primary_key(post_id, tag_id))]
struct PostTag {
    post_id: i64,
    tag_id: i64,
}

#[derive(Queryable, Selectable, Identifiable)]
#[diesel(table_name = users, check_for_backend(diesel::sqlite::Sqlite))]
struct User {
    id: i64,
    email: String,
    username: String,
    hashed_password: String,
    full_name: Option<String>,
    is_active: bool,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

/// Every column is given, so that many rows can be one statement.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct Insert<'a> {
    email: &'a str,
    username: &'a str,
    hashed_password: &'a str,
    full_name: Option<&'a str>,
    is_active: bool,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl<'a> From<&'a NewUser> for Insert<'a> {
    fn from(user: &'a NewUser) -> Insert<'a> {
        Insert {
            email: &user.email,
            username: &user.username,
            hashed_password: &user.hashed_password,
            full_name: user.full_name.as_deref(),
            is_active: user.is_active,
            created_at: user.created_at.naive_utc(),
            updated_at: user.updated_at.naive_utc(),
        }
    }
}

/// Rows in one INSERT. SQLite binds 32,766 values at most. Of 1, 10, 100, 1,000 and 4,000 rows, those from 100 on took
/// the same time within the noise, fewer took longer.
const ROWS: usize = 1_000;

pub struct DieselSqlite {
    connection: SqliteConnection,
}

impl DieselSqlite {
    pub fn open(path: &str) -> Result<DieselSqlite> {
        let mut connection = SqliteConnection::establish(path)?;
        connection.batch_execute(PRAGMAS)?;
        Ok(DieselSqlite { connection })
    }

    fn select(&mut self, n: i64) -> Result<Outcome> {
        Ok(sum(&read(&mut self.connection, n)?).into())
    }

    fn get(&mut self, ids: &[i64]) -> Result<Outcome> {
        let mut total = Sum::default();
        for id in ids {
            let user = users::table.find(id).select(User::as_select()).first(&mut self.connection)?;
            add(&mut total, &user);
        }
        Ok(total.into())
    }

    fn eager(&mut self, n: i64) -> Result<Outcome> {
        let connection = &mut self.connection;
        let all = read(connection, n)?;
        let posts: Vec<Post> = Post::belonging_to(&all).select(Post::as_select()).load(connection)?;
        let tags: Vec<(PostTag, Tag)> = PostTag::belonging_to(&posts)
            .inner_join(tags::table)
            .select((PostTag::as_select(), Tag::as_select()))
            .load(connection)?;
        let tags = tags.grouped_by(&posts);
        let posts = posts.into_iter().zip(tags).grouped_by(&all);
        let mut total = Sum::default();
        for (user, posts) in all.iter().zip(posts) {
            add(&mut total, user);
            for (post, tags) in posts {
                let tags = tags.iter().map(|(_, tag)| (tag.id, tag.name.as_str()));
                total.post(post.id, &post.title, &post.body, post.author_id, tags);
            }
        }
        Ok(total.into())
    }

    fn graph(&mut self, graph: &NewGraph) -> Result<Outcome> {
        let users = self.connection.immediate_transaction(|connection| {
            let rows: Vec<_> = graph.tags.iter().map(|name| tags::name.eq(name)).collect();
            let tags: Vec<i64> =
                diesel::insert_into(tags::table).values(&rows).returning(tags::id).get_results(connection)?;
            let rows: Vec<Insert<'_>> = graph.users.iter().map(|(user, _)| Insert::from(user)).collect();
            let users: Vec<i64> =
                diesel::insert_into(users::table).values(&rows).returning(users::id).get_results(connection)?;
            let posts = || {
                graph.users.iter().zip(&users).flat_map(|((_, posts), author)| posts.iter().map(move |p| (p, author)))
            };
            let rows: Vec<_> = posts()
                .map(|((post, _), author)| {
                    (posts::title.eq(&post.title), posts::body.eq(&post.body), posts::author_id.eq(author))
                })
                .collect();
            let ids: Vec<i64> =
                diesel::insert_into(posts::table).values(&rows).returning(posts::id).get_results(connection)?;
            let rows: Vec<_> = posts()
                .zip(&ids)
                .flat_map(|(((_, of), _), post)| {
                    let tags = &tags;
                    of.map(move |tag| (post_tags::post_id.eq(*post), post_tags::tag_id.eq(tags[tag])))
                })
                .collect();
            diesel::insert_into(post_tags::table).values(&rows).execute(connection)?;
            QueryResult::Ok(users)
        })?;
        Ok(users.into())
    }

    fn delete(&mut self, above: i64) -> Result<Outcome> {
        let total = self.connection.immediate_transaction(|connection| {
            let all = users::table.filter(users::id.gt(above)).order(users::id).select(User::as_select());
            let all = all.load(connection)?;
            for user in &all {
                diesel::delete(users::table.find(user.id)).execute(connection)?;
            }
            QueryResult::Ok(sum(&all))
        })?;
        Ok(total.into())
    }

    fn insert(&mut self, new: &[NewUser]) -> Result<Outcome> {
        let keys = self.connection.immediate_transaction(|connection| {
            let mut keys = Vec::with_capacity(new.len());
            for rows in new.chunks(ROWS) {
                let rows: Vec<Insert<'_>> = rows.iter().map(Insert::from).collect();
                let statement = diesel::insert_into(users::table).values(&rows).returning(users::id);
                keys.extend(statement.get_results::<i64>(connection)?);
            }
            QueryResult::Ok(keys)
        })?;
        Ok(keys.into())
    }

    fn change(&mut self, n: i64, name: &str) -> Result<Outcome> {
        let total = self.connection.immediate_transaction(|connection| {
            let mut all = read(connection, n)?;
            let total = sum(&all);
            for user in &mut all {
                user.full_name = Some(format!("{name}{}", user.id));
                diesel::update(users::table.find(user.id))
                    .set(users::full_name.eq(&user.full_name))
                    .execute(connection)?;
            }
            QueryResult::Ok(total)
        })?;
        Ok(total.into())
    }
}

impl Contender for DieselSqlite {
    fn name(&self) -> &'static str {
        "Diesel"
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

fn read(connection: &mut SqliteConnection, n: i64) -> QueryResult<Vec<User>> {
    users::table.filter(users::id.le(n)).order(users::id).select(User::as_select()).load(connection)
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
        user.created_at.and_utc(),
        user.updated_at.and_utc(),
    );
}
