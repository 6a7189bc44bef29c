//! Constraints that forbid a row.

use std::fmt;

use crate::model::{Handle, Model, Tracked};

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
    pub object: Option<Handle>,
    /// The model's number, with `object`.
    pub(crate) of: Option<usize>,
    /// What the database said.
    pub message: String,
    /// The statement.
    pub sql: String,
}

impl Violation {
    /// The object whose row was refused, if it is a `M` and the row is known.
    pub fn handle<M: Model>(&self) -> Option<Tracked<M>> {
        let same = self.of == Some(M::def().id.get());
        self.object.filter(|_| same).map(Tracked::new)
    }

    pub(super) fn describe(&self, f: &mut fmt::Formatter<'_>, what: &str, kind: &str) -> fmt::Result {
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
