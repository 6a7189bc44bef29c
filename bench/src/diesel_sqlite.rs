//! Diesel on SQLite: its own DSL, which finds statements in its cache by their types.

use std::future::Future;
use std::pin::Pin;

use chrono::NaiveDateTime;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::contender::{Contender, Outcome, Result, Task};
use crate::raw_sqlite::PRAGMAS;
use crate::user::{NewUser, Sum};

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

#[derive(Queryable, Selectable)]
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
