//! What the output of `derive(View)` calls.

use super::field::{Reader, ViewField};
use super::plan::Plan;
use super::{View, ViewOf};
use crate::__private::HasTable;
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::model::Related;
use crate::sql::expression::Expression;
use crate::sql::from_row::{Positions, unreadable};
use crate::types::{ColumnType, DecodeError};

/// A constant that fits a field of type `F`. What it is is hidden: whatever does not fit is said here, and once.
pub fn view_field<C: ViewField<F>, F>(constant: C) -> impl ViewField<F> {
    constant
}

/// An expression that fits a field of type `F`.
pub fn view_expression<E: Expression<Type: FieldOf<F>>, F>(expression: E) -> E {
    expression
}

/// The type of an expression, and of the field that it is read into.
#[diagnostic::on_unimplemented(
    message = "this field is `{F}`, but its expression is `{Self}`",
    label = "has to be `{Self}`"
)]
pub trait FieldOf<F> {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> FieldOf<T> for T {}

/// The columns and relationships at the other end of a relationship.
pub fn target_of<R: Related<Target: HasTable>>(_: R) -> <R::Target as HasTable>::Table {
    <R::Target as HasTable>::TABLE
}

/// Reads a view whose columns begin at a position; its lists are empty.
///
/// # Errors
/// When a column holds something that its type cannot read.
pub fn read_view<V: View>(row: &Row<'_>, at: usize) -> Result<V, DecodeError> {
    V::read(&mut Reader::new(row, at))
}

/// The same, for a session.
///
/// # Errors
/// When a column holds something that its type cannot read.
pub fn track_view<V: View>(row: &Row<'_>, at: usize) -> Result<V> {
    read_view(row, at).map_err(|source| unreadable::<V>(source, Positions::IN_ORDER))
}

/// Whether the view can be selected.
///
/// # Errors
/// What is wrong with it.
pub fn check_view<V: View>() -> Result<()> {
    Plan::of::<V>().checked().map(|_| ())
}

/// The error of a view that a statement written by hand is to be read into.
#[cold]
pub fn by_hand<V: View>() -> Error {
    Error::Statement(format!(
        "`{:?}` is a view, which writes its own statement: run `select({0:?})`, or derive `FromRow` for a struct that is \
         read from SQL written by hand",
        ViewOf::<V>::new()
    ))
}
