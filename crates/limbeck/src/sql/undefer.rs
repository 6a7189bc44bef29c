//! Deferred columns that a query fetches after all.
//!
//! They lie behind everything else in the row, so that what reads a model, or a tuple with one, finds its columns where
//! they always are.

use super::fetch::Fetch;
use super::node::ColumnRef;
use super::select::{Projection, Select, SelectCore};
use crate::driver::Extra;
use crate::error::{Error, Result};
use crate::model::{Column, Model};

impl<T: Fetch> Select<T> {
    /// Fetches a deferred column along: `select(Post).undefer(Post.body)`. Objects that the session has already get its
    /// value, too, where they had none.
    ///
    /// A column that is not deferred is fetched anyway.
    pub fn undefer<M: Model, V>(mut self, column: Column<M, V>) -> Self {
        let model = M::def();
        let added = ColumnRef { model, alias: column.alias, index: column.index };
        let known = self
            .core
            .more()
            .undefer
            .iter()
            .any(|other| other.index == added.index && other.source().same(&added.source()));
        if column.def().deferred && !known {
            self.core.more_mut().undefer.push(added);
        }
        self
    }
}

/// Whether each undeferred column is one of a model that is selected.
pub(super) fn check(select: &SelectCore) -> Result<()> {
    for column in &select.more().undefer {
        let selected =
            |item: &Projection| matches!(item, Projection::Model { source, .. } if source.same(&column.source()));
        if !select.projection.iter().any(selected) {
            let model = column.alias.unwrap_or(column.model.name);
            let field = column.model.columns[usize::from(column.index)].field;
            return Err(Error::Statement(format!(
                "`.undefer({model}.{field})` is for a query that selects `{model}` itself; one of single columns selects \
                 `{model}.{field}`"
            )));
        }
    }
    Ok(())
}

impl SelectCore {
    /// Where the undeferred columns are in a row. A model that is selected twice has them at each place.
    pub(super) fn extras(&self) -> Vec<Extra> {
        let undefer = &self.more().undefer;
        if undefer.is_empty() {
            return Vec::new();
        }
        let behind: usize = self.projection.iter().map(Projection::width).sum();
        let mut extras = Vec::new();
        let mut at = 0;
        for item in &self.projection {
            if let Projection::Model { source, .. } = item {
                for (index, column) in undefer.iter().enumerate() {
                    if column.source().same(source) {
                        extras.push(Extra { at, column: usize::from(column.index), position: behind + index });
                    }
                }
            }
            at += item.width();
        }
        extras
    }
}

/// Refuses undeferred columns in a query that is put together with another: the rows of both have to be alike.
pub(super) fn check_side(select: &SelectCore) -> Result<()> {
    match select.more().undefer.first() {
        None => Ok(()),
        Some(column) => {
            let (model, field) = (column.model.name, column.model.columns[usize::from(column.index)].field);
            Err(Error::Statement(format!(
                "`.undefer({model}.{field})` is not for a query that is put together with another one"
            )))
        }
    }
}
