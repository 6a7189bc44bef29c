//! What can go wrong, typed so that a handler can match on it.

use std::fmt;
use std::time::Duration;

use crate::types::DecodeError;

/// The result of nearly everything in limbeck.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug)]
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
        object: Option<crate::model::Handle>,
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
        objects: Vec<crate::model::Handle>,
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
        location: &'static std::panic::Location<'static>,
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
    pub location: &'static std::panic::Location<'static>,
    /// For how long it has held it.
    pub held: Duration,
}

/// A constraint that the database would not have broken.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Violation {
    /// The table.
    pub table: String,
    /// The constraint's name, where the database gives it; on SQLite, the name that limbeck gave it.
    pub constraint: Option<String>,
    /// The columns, where they are known.
    pub columns: Vec<String>,
    /// The model of the row, when the session sent it.
    pub model: Option<&'static str>,
    /// The object's handle, when the session sent it and the row is known.
    pub object: Option<crate::model::Handle>,
    /// The model's number, with `object`.
    pub(crate) of: Option<usize>,
    /// What the database said.
    pub message: String,
    /// The statement.
    pub sql: String,
}

/// A row that is not what the session read.
///
/// With `#[column(version)]` every UPDATE and DELETE is for a row that still has the version that was read, so that
/// nobody overwrites what he has not seen. Without one, an UPDATE whose row is gone is stale, too.
///
/// What helps is to read again and decide anew: [`Session::refresh`](crate::session::Session::refresh) the
/// [`handle`](Self::handle), or roll back and begin again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StaleRow {
    /// The model.
    pub model: &'static str,
    /// The table.
    pub table: &'static str,
    /// The row's primary key, for messages; several columns are separated by commas.
    pub key: String,
    /// The version that the session read, where the model has one.
    pub expected: Option<i64>,
    /// The version that the row has, if it is there and the model has one.
    pub found: Option<i64>,
    /// Whether the row is gone. Where it could not be looked up, this is false.
    pub is_gone: bool,
    /// The object's handle, where the row is known.
    pub object: Option<crate::model::Handle>,
    /// The model's number.
    pub(crate) of: usize,
}

impl StaleRow {
    pub(crate) fn new(of: &'static crate::model::ModelDef) -> Self {
        StaleRow {
            model: of.name,
            table: of.table,
            key: String::new(),
            expected: None,
            found: None,
            is_gone: false,
            object: None,
            of: of.id.get(),
        }
    }

    /// The object, if it is a `M`.
    pub fn handle<M: crate::model::Model>(&self) -> Option<crate::model::Tracked<M>> {
        self.object.filter(|_| self.of == M::def().id.get()).map(crate::model::Tracked::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a row of {} is not what was read: `{}`", self.table, self.model)?;
        if !self.key.is_empty() {
            write!(f, " {}", self.key)?;
        }
        match (self.is_gone, self.expected, self.found) {
            (true, ..) => f.write_str(" was deleted by another transaction")?,
            (_, Some(expected), Some(found)) => write!(f, " was expected in version {expected}, and is {found}")?,
            (_, Some(expected), None) => write!(f, " is not in version {expected} any more")?,
            _ => f.write_str(" was not met by its UPDATE")?,
        }
        f.write_str(": read it again (`refresh`) and decide anew, or roll back and begin again")
    }
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

    /// An error of the program's own, for a hook to refuse a flush with: a message, or an error that whoever flushes finds
    /// again by `downcast_ref`.
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
        match &mut self {
            Error::UniqueViolation(v)
            | Error::ForeignKeyViolation(v)
            | Error::NotNullViolation(v)
            | Error::CheckViolation(v)
                if v.sql.is_empty() =>
            {
                v.sql = text.to_string();
            }
            Error::Database(e) if e.sql.is_empty() => e.sql = text.to_string(),
            _ => {}
        }
        self
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
    pub fn object<M: crate::model::Model>(&self) -> Option<crate::model::Tracked<M>> {
        match self {
            Error::StaleRow(stale) => stale.handle(),
            // Two models of one name are told apart by the column that the other does not have, or by the session.
            Error::InvalidValue { model, column, object, .. } if *model == M::def().name => {
                let has_column = M::def().column_of_field(column).is_some();
                object.filter(|_| has_column).map(crate::model::Tracked::new)
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Config(message) | Error::Mapping(message) | Error::Statement(message) => f.write_str(message),
            Error::FeatureMissing { scheme, feature } => {
                write!(f, "limbeck is compiled without {scheme}: add the feature `{feature}` to limbeck in Cargo.toml")
            }
            Error::Connect { url, message } => write!(f, "cannot connect to {url}: {message}"),
            Error::ConnectionLost { message } => write!(f, "the connection to the database was lost: {message}"),
            Error::PoolTimeout { waited, limit, holders } => {
                write!(
                    f,
                    "no connection became free in {:.1} s: all {limit} (pool_size + max_overflow) are in use",
                    waited.as_secs_f64()
                )?;
                for holder in holders {
                    write!(f, "\n  held for {:.1} s, taken at {}", holder.held.as_secs_f64(), holder.location)?;
                }
                Ok(())
            }
            Error::Closed => f.write_str("the engine is closed"),
            Error::UniqueViolation(v) => v.describe(f, "a row with the same value exists already", "unique constraint"),
            Error::ForeignKeyViolation(v) => {
                v.describe(f, "it refers to a row that is not there, or rows that are there refer to it", "foreign key")
            }
            Error::NotNullViolation(v) => v.describe(f, "a column that is NOT NULL got no value", "NOT NULL"),
            Error::CheckViolation(v) => v.describe(f, "a condition on the row does not hold", "check"),
            Error::Conflict { code, message } => {
                write!(f, "the transaction met another one and was aborted ({code}): {message}; it can be run again")
            }
            Error::Database(e) => {
                f.write_str(&e.message)?;
                if let Some(code) = &e.code {
                    write!(f, " ({code})")?;
                }
                if !e.sql.is_empty() {
                    write!(f, "\n  in: {}", e.sql)?;
                }
                Ok(())
            }
            Error::Decode { table, column, source } if table.is_empty() => {
                write!(f, "cannot read {column} of the result: {source}")
            }
            Error::Decode { table, column, source } => write!(f, "cannot read {table}.{column}: {source}"),
            Error::InvalidValue { model, column, reason, .. } => write!(f, "{model}.{column}: {reason}"),
            Error::ForeignHandle { model } => {
                write!(f, "this handle to a `{model}` belongs to another session")
            }
            Error::StaleHandle { model } => {
                write!(f, "this session no longer has that `{model}`: it was expunged, or its row was deleted")
            }
            Error::Expired { model } => {
                write!(f, "this `{model}` is expired: call `session.fresh(handle).await?` before reading it")
            }
            Error::Deferred { column } => write!(
                f,
                "`{column}` is deferred and was not loaded: add `.undefer({column})` to the query, or call \
                 `session.load_column(handle, {column}).await?`"
            ),
            Error::NotLoaded { relation } => write!(
                f,
                "`{relation}` is not loaded: add `.with({relation})` to the query, or call \
                 `session.load(handle, {relation}).await?` first"
            ),
            Error::RelationshipAssigned { relation } => write!(
                f,
                "`{relation}` was assigned directly, which the session cannot follow: use \
                 `session.link(handle, {relation}, target)`, `unlink` or `assign`"
            ),
            Error::KeyConflict { relation, column } => {
                write!(f, "`{relation}` and its key `{column}` were both changed and disagree: change one of them")
            }
            Error::InvalidState { model, reason } => write!(f, "`{model}`: {reason}"),
            Error::StaleRow(stale) => stale.describe(f),
            Error::NotInserted { table, expected, found } => write!(
                f,
                "{expected} row(s) were sent to {table}, but {found} were inserted: a trigger or rule holds them back"
            ),
            Error::UniqueCycle { table, columns, objects } => write!(
                f,
                "{} rows of {table} are to get unique values of ({}) that others of them still have, and the columns \
                 can hold nothing else meanwhile: flush in two steps, with one of them moved to a value that is free",
                objects.len(),
                columns.join(", ")
            ),
            Error::Cycle { tables } => write!(
                f,
                "rows of {} refer to each other in a circle over keys that are NOT NULL, so that none can be first: make \
                 one of the keys an `Option`, or deferrable where the keys are known",
                tables.join(", ")
            ),
            Error::Interrupted => f.write_str(
                "the future of a flush or commit was dropped before it ended: call `session.rollback().await?` first",
            ),
            Error::NPlusOne { relation, remedy, loads, location } => write!(
                f,
                "`{relation}` was loaded for one object at a time, {loads} times and by a query each, last at {location}: \
                 add `{remedy}` to the query that loads the objects, or load it for all of their handles at once"
            ),
            Error::Hook(error) => write!(f, "{error}"),
            Error::InHook { call } => {
                write!(
                    f,
                    "`{call}` cannot be called in a hook of a flush: what the hook changes is a part of that flush"
                )
            }
            Error::HookLoop { hook, rounds } => write!(
                f,
                "the hooks of a flush still made new work for each other after {rounds} rounds, last {hook}: let the \
                 hook leave out what it has made itself"
            ),
            Error::NoRows => f.write_str("expected one row, found none"),
            Error::MultipleRows => f.write_str("expected one row, found more"),
        }
    }
}

impl Violation {
    /// The object whose row was refused, if it is a `M` and the row is known.
    pub fn handle<M: crate::model::Model>(&self) -> Option<crate::model::Tracked<M>> {
        let same = self.of == Some(M::def().id.get());
        self.object.filter(|_| same).map(crate::model::Tracked::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>, what: &str, kind: &str) -> fmt::Result {
        // SQLite does not say which table a foreign key is of; the session knows whose row it sent.
        let place = if self.table.is_empty() { self.model.unwrap_or("the row") } else { &self.table };
        write!(f, "{place}: {what}")?;
        match (&self.constraint, self.columns.as_slice()) {
            (Some(name), []) => write!(f, " ({kind} {name})")?,
            (Some(name), columns) => write!(f, " ({kind} {name} on {})", columns.join(", "))?,
            (None, []) => write!(f, " ({kind})")?,
            (None, columns) => write!(f, " ({kind} on {})", columns.join(", "))?,
        }
        if !self.message.is_empty() && self.sql.is_empty() {
            write!(f, "\n  {}", self.message)?;
        } else if !self.message.is_empty() {
            write!(f, "\n  the database says: {}", self.message)?;
        }
        if !self.sql.is_empty() {
            write!(f, "\n  in: {}", self.sql)?;
        }
        Ok(())
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
