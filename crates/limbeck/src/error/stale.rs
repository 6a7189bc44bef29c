//! Rows that are not what was read.

use std::fmt;

use crate::model::{Handle, Model, ModelDef, Tracked};

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
    pub object: Option<Handle>,
    /// The model's number.
    pub(crate) of: usize,
}

impl StaleRow {
    pub(crate) fn new(of: &'static ModelDef) -> Self {
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
    pub fn handle<M: Model>(&self) -> Option<Tracked<M>> {
        self.object.filter(|_| self.of == M::def().id.get()).map(Tracked::new)
    }

    pub(super) fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
