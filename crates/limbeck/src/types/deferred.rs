//! Columns that are read only when they are asked for.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{Cell, ColumnType, DecodeError, Value};
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::model::Assign;
use crate::schema::SqlType;

/// A column that queries leave out: a long text or a file that most readers of a row do not look at.
///
/// `select(Post)` does not fetch it; `.undefer(Post.body)` on the query does, and `session.load_column(post, Post.body)`
/// loads it afterwards. In filters and orders it is a column like any other. An object that was just made has it, and
/// setting it needs no loading: the next flush sends it.
///
/// ```
/// use limbeck::prelude::*;
///
/// #[derive(Model)]
/// struct Post {
///     #[column(primary_key)]
///     id: i64,
///     title: String,
///     #[column(text)]
///     body: Deferred<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![Post]?).await?;
/// # let sessions = engine.sessionmaker();
/// # let mut session = sessions.open();
/// # session.add(Post::builder().title("Hello").body("Once upon a time"));
/// # session.commit().await?;
/// # let mut session = sessions.open();
/// let post = session.one(select(Post).filter(Post.title.eq("Hello"))).await?;
/// assert!(!session[post].body.is_loaded());
/// session.load_column(post, Post.body).await?;
/// assert_eq!(session[post].body.len(), 16);
/// # Ok(())
/// # }
/// ```
///
/// A primary key or a foreign key cannot be deferred, nor a column that a relationship goes by: they are needed all the
/// time.
///
/// The value is reached by `*post.body`, which panics where it was not loaded; [`get`](Self::get) and
/// [`try_get`](Self::try_get) ask first.
#[derive(Clone)]
pub struct Deferred<T> {
    value: Option<T>,
    label: &'static str,
}

/// The label of a field that no derive made; one that has a value never needs it.
const UNNAMED: &str = "this column";

impl<T> Deferred<T> {
    /// A column with a value.
    pub const fn new(value: T) -> Self {
        Deferred { value: Some(value), label: UNNAMED }
    }

    /// A column that is not loaded; `label` names it in messages. Used by `derive(Model)`.
    #[doc(hidden)]
    pub const fn unloaded(label: &'static str) -> Self {
        Deferred { value: None, label }
    }

    /// Whether it has been loaded or set.
    pub const fn is_loaded(&self) -> bool {
        self.value.is_some()
    }

    /// The value, if it is loaded.
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value.
    ///
    /// # Errors
    /// [`Error::Deferred`] when it is not loaded.
    pub fn try_get(&self) -> Result<&T> {
        self.value.as_ref().ok_or(Error::Deferred { column: self.label })
    }

    /// Sets the value, loaded or not.
    pub fn set(&mut self, value: impl Assign<T>) {
        self.value = Some(value.assign());
    }

    /// The value, if it is loaded.
    pub fn into_inner(self) -> Option<T> {
        self.value
    }

    #[cold]
    #[track_caller]
    fn missing(&self) -> ! {
        panic!("{}", Error::Deferred { column: self.label })
    }
}

impl<T> Deref for Deferred<T> {
    type Target = T;

    /// # Panics
    /// When the column is not loaded; [`Deferred::try_get`] returns an error instead.
    #[track_caller]
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => self.missing(),
        }
    }
}

impl<T> DerefMut for Deferred<T> {
    /// # Panics
    /// When the column is not loaded; [`Deferred::set`] does not ask.
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        if self.value.is_none() {
            self.missing();
        }
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a column without a value was refused"),
        }
    }
}

impl<T> From<T> for Deferred<T> {
    fn from(value: T) -> Self {
        Deferred::new(value)
    }
}

impl<T: Default> Default for Deferred<T> {
    fn default() -> Self {
        Deferred::new(T::default())
    }
}

/// Two that are not loaded are equal, whatever the database has.
impl<T: PartialEq> PartialEq for Deferred<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Deferred<T> {}

impl<T: fmt::Debug> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => value.fmt(f),
            None => f.write_str("<not loaded>"),
        }
    }
}

/// What the generated code does with the field.
#[doc(hidden)]
impl<T: ColumnType> Deferred<T> {
    /// Reads the column `column` of the model at `at`, where the query fetched it. `scale` is that of a `numeric(p, s)`.
    ///
    /// # Errors
    /// When it holds something that the type cannot read.
    pub fn read(
        row: &Row<'_>,
        at: usize,
        column: usize,
        label: &'static str,
        scale: Option<u32>,
    ) -> Result<Self, DecodeError> {
        let Some((cell, position)) = row.extra(at, column) else { return Ok(Deferred::unloaded(label)) };
        let value = match scale.and_then(|scale| cell.scaled(scale)) {
            Some(number) => T::decode(Cell::from_value(&number)),
            None => T::decode(cell),
        };
        Ok(Deferred { value: Some(value.map_err(|error| error.at(position))?), label })
    }

    /// The field without its value.
    pub fn unload(&mut self, label: &'static str) {
        *self = Deferred::unloaded(label);
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> crate::__private::Field for Deferred<T> {
    const SQL_TYPE: &'static SqlType = &T::SQL_TYPE;
    const NULLABLE: bool = T::NULLABLE;
    const NUMBERED: bool = false;

    /// A query for the model does not fetch it: [`Deferred::read`] finds it where it was asked for.
    fn get(_: &Row<'_>, _: usize, _: usize) -> Result<Self, DecodeError> {
        Ok(Deferred::unloaded(UNNAMED))
    }

    fn encode(&self) -> Value<'_> {
        self.value.as_ref().map_or(Value::Null, T::encode)
    }

    fn set(&mut self, cell: Cell<'_>) -> Result<(), DecodeError> {
        self.value = Some(T::decode(cell)?);
        Ok(())
    }

    fn normalize(&mut self) {
        if let Some(value) = &mut self.value {
            value.normalize();
        }
    }

    fn copy(&self) -> Self {
        self.clone()
    }

    fn differs(&self, other: &Self) -> bool {
        self.value.is_some() && self.value != other.value
    }
}
