//! What can go wrong, typed so that a handler can match on it.

mod display;
mod stale;
mod violation;

pub use stale::StaleRow;
pub use violation::Violation;

use std::panic::Location;
use std::time::Duration;

use crate::model::{Handle, Model, Tracked};
use crate::types::DecodeError;

/// The result of nearly everything in limbeck.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// `{:?}` shows the message, as `{}` does: it is what a `main` that returns an error prints, and `unwrap`, and both are
/// read by people. To see which kind it is, match on it.
#[non_exhaustive]
pub enum Error {
    // ------------------------------------------------------------------------------ configuration
    /// The URL or a setting cannot be used.
    Config(String),
    /// The URL names a database whose cargo feature is not compiled in.
    FeatureMissing {
        /// The scheme of the URL.
        scheme: String,
        /// The feature to add.
        feature: &'static str,
    },
    /// The models contradict each other.
    Mapping(String),

    // --------------------------------------------------------------------------------- connection
    /// The database could not be reached.
    Connect {
        /// The URL, without its password.
        url: String,
        /// What the system or the server said.
        message: String,
    },
    /// The connection was lost: the server stopped, or the network between.
    ConnectionLost {
        /// What the driver said.
        message: String,
    },
    /// No connection became free in time.
    PoolTimeout {
        /// How long the caller waited.
        waited: Duration,
        /// `pool_size + max_overflow`.
        limit: usize,
        /// Who holds the connections: where each was taken, and for how long.
        holders: Vec<Holder>,
    },
    /// The engine was closed.
    Closed,

    // ------------------------------------------------------------------------- the database's word
    /// A unique constraint or primary key forbids the row.
    UniqueViolation(Box<Violation>),
    /// A foreign key forbids the row, or its removal.
    ForeignKeyViolation(Box<Violation>),
    /// A column that is NOT NULL was sent NULL.
    NotNullViolation(Box<Violation>),
    /// A check constraint forbids the row.
    CheckViolation(Box<Violation>),
    /// The transaction met another one (a serialization failure, a deadlock, a locked database) and can
    /// be run again.
    Conflict {
        /// SQLSTATE, or SQLite's result code.
        code: String,
        /// What the database said.
        message: String,
    },
    /// Anything else that the database said.
    Database(Box<DatabaseError>),

    // -------------------------------------------------------------------------------------- values
    /// A row holds something that its column's type cannot read.
    Decode {
        /// The table; empty where a statement written by hand does not say it.
        table: String,
        /// The column.
        column: String,
        /// What was expected and what was found.
        source: DecodeError,
    },
    /// A value that the database cannot hold as it is.
    InvalidValue {
        /// The model.
        model: &'static str,
        /// The column's field.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
        /// The object that has it, where it is one of a session.
        object: Option<Handle>,
    },

    // ------------------------------------------------------------------------------------- session
    /// A handle of another session.
    ForeignHandle {
        /// The model.
        model: &'static str,
    },
    /// A handle of an object that this session no longer has.
    StaleHandle {
        /// The model.
        model: &'static str,
    },
    /// The object is expired: its columns have to be read again first.
    Expired {
        /// The model.
        model: &'static str,
    },
    /// A relationship that is not loaded was read.
    NotLoaded {
        /// `Post.tags`
        relation: &'static str,
    },
    /// A deferred column that was not loaded was read.
    Deferred {
        /// `Post.body`
        column: &'static str,
    },
    /// A relationship field was assigned directly.
    RelationshipAssigned {
        /// `Post.author`
        relation: &'static str,
    },
    /// A relationship and its key column were both changed, and disagree.
    KeyConflict {
        /// `Post.author`
        relation: &'static str,
        /// The key's field.
        column: &'static str,
    },
    /// The state of the object does not allow what was asked.
    InvalidState {
        /// The model.
        model: &'static str,
        /// What was asked and why it cannot be.
        reason: String,
    },
    /// A row is not what the session read: somebody else changed its version or deleted it.
    StaleRow(Box<StaleRow>),
    /// Rows were sent to a table, and it did not take all of them: a trigger or rule of the database holds them back.
    NotInserted {
        /// The table.
        table: &'static str,
        /// How many rows were sent.
        expected: u64,
        /// How many the table took.
        found: u64,
    },
    /// The future of a flush or commit was dropped before it ended: nobody knows what the database has seen.
    Interrupted,
    /// Rows of which each is to get a unique value that another has, in a circle, or that a row has that cannot let
    /// go of it before: no order of statements keeps the constraint, and the columns cannot stand aside at NULL or at
    /// a value made up for their type. Found before anything is sent.
    ///
    /// Do it in two flushes: move one of the objects to a value that is free, flush, then set what it is to have.
    UniqueCycle {
        /// The table.
        table: &'static str,
        /// The columns that are unique, together if there are several.
        columns: Vec<&'static str>,
        /// The objects: who has the value that another is to get, and who that is.
        objects: Vec<Handle>,
    },
    /// A relationship or a deferred column was loaded for one object after the other: see
    /// [`NPlusOne`](crate::session::NPlusOne).
    NPlusOne {
        /// `Post.author`
        relation: String,
        /// What the query that loads the objects lacks: `.with(Post.author)`.
        remedy: String,
        /// How often, in this transaction.
        loads: usize,
        /// Where the last of them was asked for.
        location: &'static Location<'static>,
    },
    /// What a hook of the program refused a flush with: see [`Error::hook`].
    Hook(Box<dyn std::error::Error + Send + Sync>),
    /// Something that a hook of a flush may not do, since it would flush again, or end the transaction under the flush.
    InHook {
        /// `commit`
        call: &'static str,
    },
    /// Hooks made new work for each other without an end.
    HookLoop {
        /// The last of them: ``before_insert of `Audit` ``.
        hook: String,
        /// After how many rounds it was given up.
        rounds: usize,
    },
    /// Rows that need each other's keys before either can be inserted, or that cannot be deleted before each other.
    Cycle {
        /// The tables of the cycle.
        tables: Vec<&'static str>,
    },

    // --------------------------------------------------------------------------------------- query
    /// A query that needs a row found none.
    NoRows,
    /// A query that needs one row found more.
    MultipleRows,
    /// The statement cannot be built as it is.
    Statement(String),
}

/// Who holds a connection of the pool.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Holder {
    /// The place in the source that asked for it.
    pub location: &'static Location<'static>,
    /// For how long it has held it.
    pub held: Duration,
}

/// What the database said, when limbeck has no word of its own for it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DatabaseError {
    /// SQLSTATE, or SQLite's result code.
    pub code: Option<String>,
    /// The message, with detail and hint where there are.
    pub message: String,
    /// The statement.
    pub sql: String,
}

impl Error {
    /// Whether the same work, begun again, may well succeed: the database aborted it because of another
    /// transaction. A connection that was lost is not among them, since a COMMIT may have been done.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Conflict { .. })
    }

    /// An error of the program's own, for a hook to refuse a flush with: a message, or an error that whoever flushes
    /// finds again by `downcast_ref`.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// use limbeck::Error;
    /// use limbeck::session::Hooks;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String }
    /// let hooks = Hooks::new().before_insert(Post, |session, post| match session[post].title.as_str() {
    ///     "" => Err(Error::hook("a post needs a title")),
    ///     _ => Ok(()),
    /// });
    /// ```
    pub fn hook(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Hook(error.into())
    }

    /// Whether the connection is gone.
    pub fn is_disconnect(&self) -> bool {
        matches!(self, Error::ConnectionLost { .. } | Error::Connect { .. })
    }

    /// The error with the statement that caused it, where it has none yet.
    pub(crate) fn with_sql(mut self, text: &str) -> Self {
        let sql = match &mut self {
            Error::Database(e) => Some(&mut e.sql),
            error => error.violation_mut().map(|violation| &mut violation.sql),
        };
        if let Some(sql) = sql.filter(|sql| sql.is_empty()) {
            *sql = text.to_string();
        }
        self
    }

    /// The error with the table and column that could not be read, where they are known by the column's position.
    pub(crate) fn with_column(self, known: impl FnOnce(usize) -> Option<(String, String)>) -> Self {
        match self {
            Error::Decode { table, column, source } => {
                let (table, column) = source.column.and_then(known).unwrap_or((table, column));
                Error::Decode { table, column, source }
            }
            error => error,
        }
    }

    /// The violation, where the error is one.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Error::UniqueViolation(v)
            | Error::ForeignKeyViolation(v)
            | Error::NotNullViolation(v)
            | Error::CheckViolation(v) => Some(v),
            _ => None,
        }
    }

    /// The object that a flush failed for, where it is known and is a `M`: of a [violation](Violation), a
    /// [stale row](StaleRow) or a value that its column cannot hold.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Tag { #[column(primary_key)] id: i64, #[column(unique)] name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # engine.create_all(&limbeck::metadata![Tag]?).await?;
    /// # let mut session = engine.sessionmaker().open();
    /// let tags = session.add_all(["rust", "sql", "rust"].map(|name| Tag::builder().name(name)));
    /// let error = session.commit().await.unwrap_err();
    /// let refused = error.object::<Tag>().expect("the third");
    /// assert_eq!(refused, tags[2]);
    /// session[refused].name = "ferris".into();
    /// session.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn object<M: Model>(&self) -> Option<Tracked<M>> {
        match self {
            Error::StaleRow(stale) => stale.handle(),
            // Two models of one name are told apart by the column that the other does not have, or by the session.
            Error::InvalidValue { model, column, object, .. } if *model == M::def().name => {
                let has_column = M::def().column_of_field(column).is_some();
                object.filter(|_| has_column).map(Tracked::new)
            }
            error => error.violation()?.handle(),
        }
    }

    pub(crate) fn violation_mut(&mut self) -> Option<&mut Violation> {
        match self {
            Error::UniqueViolation(v)
            | Error::ForeignKeyViolation(v)
            | Error::NotNullViolation(v)
            | Error::CheckViolation(v) => Some(v),
            _ => None,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Decode { source, .. } => Some(source),
            Error::Hook(error) => Some(&**error),
            _ => None,
        }
    }
}
