//! What a statement does to rows that a session may have as objects, and how it tells which rows these were.

use crate::model::{ColumnSet, ModelDef};

/// What a statement does to rows that are there.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    pub(crate) model: &'static ModelDef,
    pub(crate) what: What,
}

/// See [`Effect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It changes these columns.
    Updates(ColumnSet),
    /// It deletes them.
    Deletes,
}

impl Effect {
    /// A change of these columns, and of those that the database computes from them.
    pub(super) fn updates(model: &'static ModelDef, mut columns: ColumnSet) -> Self {
        let computed = |column: &usize| model.columns[*column].options.computed.is_some();
        (0..model.columns.len()).filter(computed).for_each(|column| columns.insert(column));
        Effect { model, what: What::Updates(columns) }
    }

    pub(super) fn deletes(model: &'static ModelDef) -> Self {
        Effect { model, what: What::Deletes }
    }

    /// The columns that are changed, without the key.
    pub(crate) fn columns(&self) -> ColumnSet {
        let mut columns = match self.what {
            What::Updates(columns) => columns,
            What::Deletes => ColumnSet::EMPTY,
        };
        self.model.primary_key.iter().for_each(|key| columns.remove(*key));
        columns
    }

    /// Whether rows get another key.
    pub(crate) fn moves(&self) -> bool {
        matches!(self.what, What::Updates(columns) if self.model.primary_key.iter().any(|key| columns.contains(*key)))
    }

    /// What has to come back for each row: its key, then the columns that were changed.
    pub(crate) fn wanted(&self) -> Vec<usize> {
        self.model.primary_key.iter().copied().chain(self.columns().iter()).collect()
    }
}
