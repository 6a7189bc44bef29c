//! SQL expressions that columns of objects were set to: what the next flush has the database compute.
//!
//! Few objects ever have one, so they lie beside the objects and not in them. Until the flush the column reads as it
//! did, which also tells when it was assigned directly afterwards: then it holds something else.

use super::flush::check;
use super::objects::{Obj, Objects};
use super::store::State;
use crate::error::{Error, Result};
use crate::model::ColumnSet;
use crate::sql::RowExpression;
use crate::types::Value;

/// An expression for a column of an object.
#[derive(Clone, Debug)]
pub(crate) struct Expressed {
    pub(crate) column: usize,
    pub(crate) expression: RowExpression,
    /// What the column held when it was set.
    held: Value<'static>,
}

impl Objects {
    /// Has the next flush compute a column.
    pub(super) fn express(&mut self, obj: Obj, column: usize, expression: RowExpression) {
        let store = self.store_mut(obj);
        let held = store.value(obj.slot, column).into_owned();
        if store.meta(obj.slot).expired {
            // So that reading the row again leaves the column alone.
            store.meta_mut(obj.slot).given.insert(column);
            store.enlist(obj.slot);
        } else {
            store.touch(obj.slot);
        }
        self.unexpress(obj, column);
        self.expressions.entry(obj).or_default().push(Expressed { column, expression, held });
    }

    /// Whether a row can be asked for the columns that an expression names.
    pub(super) fn check_expressible(&self, obj: Obj, column: usize) -> Result<bool> {
        let store = self.store(obj);
        let model = store.model();
        if store.meta(obj.slot).state != State::Persistent {
            return Ok(false);
        }
        if model.primary_key.contains(&column) || model.version() == Some(column) {
            return Err(Error::InvalidState {
                model: model.name,
                reason: format!(
                    "cannot have its column `{}` set to an expression, since the session finds rows by it: set it to a \
                     value",
                    model.columns[column].field
                ),
            });
        }
        Ok(true)
    }

    /// Takes back the expression of a column: a value is set.
    pub(super) fn unexpress(&mut self, obj: Obj, column: usize) {
        if self.expressions.is_empty() {
            return;
        }
        if let Some(list) = self.expressions.get_mut(&obj) {
            list.retain(|expressed| expressed.column != column);
            if list.is_empty() {
                self.expressions.remove(&obj);
            }
        }
    }

    /// Forgets expressions whose column was assigned since: the last one counts.
    pub(super) fn prune_expressions(&mut self, obj: Obj) {
        if self.expressions.is_empty() {
            return;
        }
        let Some(mut list) = self.expressions.remove(&obj) else { return };
        let store = self.store(obj);
        list.retain(|expressed| check::same(&store.value(obj.slot, expressed.column), &expressed.held));
        if !list.is_empty() {
            list.sort_by_key(|expressed| expressed.column);
            self.expressions.insert(obj, list);
        }
    }

    /// The expressions of an object, by column.
    pub(super) fn expressions_of(&self, obj: Obj) -> &[Expressed] {
        if self.expressions.is_empty() {
            return &[];
        }
        self.expressions.get(&obj).map_or(&[], Vec::as_slice)
    }

    /// The columns that the next flush has the database compute.
    pub(super) fn expressed(&self, obj: Obj) -> ColumnSet {
        self.expressions_of(obj).iter().map(|expressed| expressed.column).collect()
    }

    /// Whether the database computes a column, or another one from it: then the row has to hold what it was read with.
    pub(super) fn computes_from(&self, obj: Obj, column: usize) -> bool {
        let all = self.expressions_of(obj);
        !all.is_empty() && {
            let model = self.store(obj).model();
            all.iter().any(|one| one.column == column || one.expression.names(model, column))
        }
    }

    /// Drops the expressions of objects that have a row.
    pub(super) fn drop_expressions(&mut self) {
        if self.expressions.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.expressions);
        all.retain(|obj, _| matches!(self.state(*obj), State::Pending | State::Transient));
        self.expressions = all;
    }
}

/// Whether two objects' expressions have the same text; with `values`, whether they are the same altogether.
pub(super) fn alike(a: &[Expressed], b: &[Expressed], values: bool) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.column == b.column
                && a.expression.shape() == b.expression.shape()
                && (!values || a.expression.values() == b.expression.values())
        })
}
