//! Statements and what is bound to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::types::{Kind, Value};

/// A rendered statement. Its `id` is its identity: a connection finds the prepared form by it, without
/// looking at the text.
#[derive(Debug)]
pub(crate) struct Stmt {
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(crate) id: u64,
    pub(crate) sql: Box<str>,
    /// The parameters, in the order of their placeholders.
    pub(crate) params: Box<[Param]>,
    /// What it may do.
    pub(crate) access: Access,
}

/// The type of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    One(Kind),
    /// PostgreSQL only: an array, as `unnest` and `= ANY` take it. On SQLite a list is bound as JSON text.
    Many(Kind),
}

/// What a statement may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It reads tables, and nothing else.
    Reads,
    /// It is a SELECT written by hand: functions that it calls may write.
    Selects,
    /// It writes.
    Writes,
}

impl Stmt {
    pub(crate) fn new(sql: String, params: Vec<Param>, access: Access) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Stmt { id, sql: sql.into(), params: params.into(), access })
    }
}

/// The rows of a batch, read in place: nothing is copied before the driver encodes it.
pub(crate) trait RowSource: Sync {
    /// How many rows.
    fn len(&self) -> usize;

    /// The value of a parameter in a row.
    fn value(&self, row: usize, param: usize) -> Value<'_>;

    /// Whether all rows have that value in common, where all of them are sent at once.
    #[cfg(feature = "postgres")]
    fn is_common(&self, param: usize) -> bool {
        let _ = param;
        false
    }
}

/// One statement of a flush, for all its rows at once.
///
/// On SQLite the statement has a placeholder a parameter (`Param::One`) and is stepped once a row; on
/// PostgreSQL every parameter is an array of all rows (`Param::Many`), or a value that they have in common, and it is
/// sent once.
pub(crate) struct Write<'a> {
    pub(crate) stmt: Arc<Stmt>,
    pub(crate) rows: &'a dyn RowSource,
    pub(crate) returns: Returns,
}

/// What comes back from a [`Write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// How many rows were affected, in all.
    Count,
    /// SQLite: the rowid of every row, as one `Value::I64` a row.
    RowId,
    /// The columns of `RETURNING`, this many a row.
    Columns(usize),
}

/// The outcome of a [`Write`].
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// How many rows were affected, in all.
    pub(crate) affected: u64,
    /// The rows sent that met none: known on SQLite alone, which does one after the other.
    pub(crate) missed: Vec<usize>,
    /// What was returned, row after row, in the order in which the database returned it.
    pub(crate) returned: Vec<Value<'static>>,
}

/// Why a [`Write`] failed, and which.
#[derive(Debug)]
pub(crate) struct WriteError {
    /// Which of the writes.
    pub(crate) index: usize,
    /// Which of its rows, where the database says it: on SQLite.
    pub(crate) row: Option<usize>,
    pub(crate) error: crate::error::Error,
    /// What came of those before it.
    pub(crate) done: Vec<Written>,
}

impl From<crate::error::Error> for WriteError {
    fn from(error: crate::error::Error) -> Self {
        WriteError { index: 0, row: None, error, done: Vec::new() }
    }
}

/// What a transaction is begun for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Reading. On SQLite it takes no lock that keeps others from writing.
    Read,
    /// Writing. On SQLite it takes the write lock at once: a transaction that reads first and writes later
    /// fails without waiting when another one has written in between.
    Write,
}

/// What is bound to a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bind<'a> {
    /// A value, for a `Param::One`.
    One(Value<'a>),
    /// A list, for a `Param::Many`: an array on PostgreSQL, a JSON text on SQLite.
    Many(&'a [Value<'a>]),
}
