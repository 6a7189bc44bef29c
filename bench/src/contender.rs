//! What every contender can do.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use crate::measure::Work;
use crate::user::{NewGraph, NewUser, Sum};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// One thing to do. Each begins with nothing in hand and ends with everything in the database.
#[derive(Clone, Copy)]
pub enum Task<'a> {
    /// Read the users with the keys 1 to n, all columns, in order of the key, as structs.
    Select(i64),
    /// Read these users, one after the other, by primary key.
    Get(&'a [i64]),
    /// Insert these users in one transaction and learn their keys, in the users' order.
    Insert(&'a [NewUser]),
    /// Read the users with the keys 1 to n, give each this followed by its key as full name, and commit.
    Change(i64, &'a str),
    /// Read the users with the keys 1 to n, the posts of each, and the tags of each post.
    Eager(i64),
    /// Insert users, posts, tags and what connects them in one transaction, and learn the users' keys.
    Graph(&'a NewGraph),
    /// Read the users with keys above this, delete each, and commit.
    Delete(i64),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Over the users that were read.
    pub sum: Sum,
    /// Of the users that were inserted.
    pub keys: Vec<i64>,
    /// How long it took, for one that measures itself.
    pub seconds: Option<f64>,
}

impl From<Sum> for Outcome {
    fn from(sum: Sum) -> Outcome {
        Outcome { sum, ..Outcome::default() }
    }
}

impl From<Vec<i64>> for Outcome {
    fn from(keys: Vec<i64>) -> Outcome {
        Outcome { keys, ..Outcome::default() }
    }
}

/// A library, connected to a database of its own.
pub trait Contender {
    /// How it is called in the table.
    fn name(&self) -> &'static str;

    /// Whether it has a way to do this.
    fn does(&self, _work: Work) -> bool {
        true
    }

    /// Whether each outcome says how long it took: one in a process of its own.
    fn measures_itself(&self) -> bool {
        false
    }

    /// Does it.
    fn run<'a>(&'a mut self, task: Task<'a>) -> Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>>;
}
