//! Statements over many rows, run through a session: the objects that they change follow.
//!
//! SQLAlchemy evaluates a condition in memory where it can, and asks the database otherwise. Here the database is
//! always asked, in the same statement: PostgreSQL and SQLite both have RETURNING. So there is no second implementation
//! of comparison, collation and arithmetic that could be wrong, values that only the database can know (another column,
//! a subquery, a trigger's work) come back too, and it costs no round trip. A session that has no object of the model
//! sends the plain statement.
//!
//! What comes back is written into objects as a flush writes it, with the way back noted in the journal: a rollback, of
//! the transaction or to a savepoint, undoes it.

mod apply;
mod moved;

use super::Session;
use super::objects::Objects;
use super::read::kind_of;
use super::store::{State, unreadable_column};
use crate::driver::{Row, RowSink};
use crate::error::Result;
use crate::model::ModelDef;
use crate::sql::compile::Compiled;
use crate::sql::{Effect, Statement, What};
use crate::types::Value;

/// The rows that a statement changed: for each its key, then the columns that were changed.
pub(super) struct Changes {
    pub(super) effect: Effect,
    wanted: Vec<usize>,
    pub(super) rows: Vec<Vec<Value<'static>>>,
}

impl Changes {
    pub(super) fn of(effect: Effect) -> Self {
        Changes { effect, wanted: effect.wanted(), rows: Vec::new() }
    }

    /// The columns that have to come back.
    pub(super) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Reads them: they are a row's last. A row is kept if `keep` says so of its key.
    pub(super) fn take(&mut self, row: &Row<'_>, keep: impl FnOnce(&[Value<'_>]) -> bool) -> Result<()> {
        let model = self.effect.model;
        let first = row.len().saturating_sub(self.wanted.len());
        let value = |(at, column): (usize, &usize)| {
            let cell = row.cell(first + at).value(kind_of(model, *column));
            cell.map_err(|source| unreadable_column(model, source, *column))
        };
        let keys = model.primary_key.len();
        let mut values: Vec<Value<'static>> = Vec::with_capacity(self.wanted.len());
        for part in self.wanted.iter().enumerate().take(keys) {
            values.push(value(part)?);
        }
        if keep(&values) {
            for part in self.wanted.iter().enumerate().skip(keys) {
                values.push(value(part)?);
            }
            self.rows.push(values);
        }
        Ok(())
    }
}

/// Counts the rows of a statement, and keeps those that the session has.
struct ChangeSink<'s> {
    objects: &'s Objects,
    changes: &'s mut Changes,
    count: u64,
}

impl RowSink for ChangeSink<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        self.count += 1;
        let (objects, effect) = (self.objects, self.changes.effect);
        // Of a row that is deleted, objects that refer to it may be here although it is not; one that gets another key
        // is not found by it yet.
        self.changes.take(&row, |key| {
            effect.what == What::Deletes
                || effect.moves()
                || objects.find_store(effect.model).is_some_and(|store| store.find(key).is_some())
        })
    }

    fn restart(&mut self) {
        self.count = 0;
        self.changes.rows.clear();
    }
}

impl Session {
    /// Runs a statement, and has the objects that it changes follow.
    pub(super) async fn execute_synced<S: Statement>(&mut self, statement: S, effect: Effect) -> Result<u64> {
        let keys = if effect.moves() { statement.compile_keys(self.line.compiler())? } else { None };
        let moved = self.moved(keys, effect).await?;
        let mut changes = Changes::of(effect);
        let Compiled { stmt, binds, .. } = statement.compile_synced(self.line.compiler(), changes.wanted())?;
        let mut sink = ChangeSink { objects: &self.objects, changes: &mut changes, count: 0 };
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        let count = sink.count;
        result?;
        self.objects.follow(changes, moved)?;
        if self.line.commits_at_once() {
            self.objects.committed();
        }
        Ok(count)
    }
}

impl Objects {
    /// Whether the session has objects that a statement may change.
    pub(super) fn may_notice(&self, effect: Effect) -> bool {
        if self.has_rows_of(effect.model) {
            return true;
        }
        effect.what == What::Deletes
            && self.stores().any(|store| {
                let child = store.model();
                let references = child.references();
                references.iter().any(|reference| std::ptr::eq(reference.target, effect.model))
                    && self.has_rows_of(child)
            })
    }

    fn has_rows_of(&self, model: &'static ModelDef) -> bool {
        self.find_store(model).is_some_and(|store| {
            (0..store.slots()).any(|slot| store.occupied(slot) && store.meta(slot).state == State::Persistent)
        })
    }
}
