//! An object whose type is not known: what the session's code asks of it, which is compiled once and not once a model.

use std::any::Any;

use crate::model::{ColumnSet, Model, RelationMut, RelationRef};
use crate::types::{Cell, DecodeError, Value};

/// The part of [`Model`] that needs no type.
pub trait Fields: Any + Send + Sync {
    /// `Model::value`
    fn value(&self, column: usize) -> Value<'_>;
    /// `Model::set_value`
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    fn set_value(&mut self, column: usize, cell: Cell<'_>) -> Result<(), DecodeError>;
    /// `Model::normalize`
    fn normalize(&mut self, columns: ColumnSet);
    /// `Model::touch`
    fn touch(&mut self, changed: ColumnSet) -> ColumnSet;
    /// `Model::is_loaded`
    fn is_loaded(&self, column: usize) -> bool;
    /// `Model::unload`
    fn unload(&mut self, column: usize);
    /// `Model::relation`
    fn relation(&self, relation: usize) -> RelationRef<'_>;
    /// `Model::relation_mut`
    fn relation_mut(&mut self, relation: usize) -> RelationMut<'_>;
}

impl<M: Model> Fields for M {
    fn value(&self, column: usize) -> Value<'_> {
        Model::value(self, column)
    }

    fn set_value(&mut self, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        Model::set_value(self, column, cell)
    }

    fn normalize(&mut self, columns: ColumnSet) {
        Model::normalize(self, columns);
    }

    fn touch(&mut self, changed: ColumnSet) -> ColumnSet {
        Model::touch(self, changed)
    }

    fn is_loaded(&self, column: usize) -> bool {
        Model::is_loaded(self, column)
    }

    fn unload(&mut self, column: usize) {
        Model::unload(self, column);
    }

    fn relation(&self, relation: usize) -> RelationRef<'_> {
        Model::relation(self, relation)
    }

    fn relation_mut(&mut self, relation: usize) -> RelationMut<'_> {
        Model::relation_mut(self, relation)
    }
}
