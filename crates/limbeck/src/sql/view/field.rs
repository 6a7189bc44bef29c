//! What a view's field can be: the pairs of a model's constant and a field's type that fit.

use super::View;
use super::list::{Access, Lists, columns_of, views_of};
use super::plan::Plan;
use crate::driver::Row;
use crate::model::{Column, Model, Related, ToMany, ToOne};
use crate::types::{ColumnType, DecodeError};

/// A constant of a model (a column, a relationship) that a view's field of type `F` can be read from.
#[diagnostic::on_unimplemented(
    message = "a field of type `{F}` cannot be read from `{Self}`",
    label = "does not fit what the model says",
    note = "a column's field has the column's type; `ToOne<_, T>` takes a view over `T`, or an `Option` of one; \
            `ToMany<_, T>` a `Vec` of views over `T`"
)]
pub trait ViewField<F>: Sized {
    /// Whether the field can say that there is no row.
    #[doc(hidden)]
    const OPTIONAL: bool;

    /// Names what it selects.
    #[doc(hidden)]
    fn plan(self, plan: &mut Plan);

    /// How many columns it takes in a row.
    #[doc(hidden)]
    fn columns(self) -> usize;

    /// Reads it from the next columns of a row.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    fn read(self, row: &mut Reader<'_, '_>) -> Result<F, DecodeError>;

    /// Names the lists in it, of which there are none in a column.
    #[doc(hidden)]
    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, F>, lists: &mut Lists<Root>) {
        let _ = (access, lists);
    }
}

/// A row that is read from left to right.
#[derive(Debug)]
pub struct Reader<'r, 'q> {
    row: &'q Row<'r>,
    next: usize,
}

impl<'r, 'q> Reader<'r, 'q> {
    pub(crate) fn new(row: &'q Row<'r>, next: usize) -> Self {
        Reader { row, next }
    }

    /// The value of the next column.
    ///
    /// # Errors
    /// When it holds something that the type cannot read.
    pub fn column<T: ColumnType>(&mut self) -> Result<T, DecodeError> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> ViewField<T> for Column<M, T> {
    const OPTIONAL: bool = T::NULLABLE;

    fn plan(self, plan: &mut Plan) {
        plan.column(usize::from(self.index), T::NULLABLE);
    }

    fn columns(self) -> usize {
        1
    }

    fn read(self, row: &mut Reader<'_, '_>) -> Result<T, DecodeError> {
        row.column()
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Model, V: View<Model = T>> ViewField<V> for ToOne<M, T> {
    const OPTIONAL: bool = false;

    fn plan(self, plan: &mut Plan) {
        plan.along(self.index(), false, V::plan);
    }

    fn columns(self) -> usize {
        V::columns()
    }

    fn read(self, row: &mut Reader<'_, '_>) -> Result<V, DecodeError> {
        V::read(row)
    }

    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, V>, lists: &mut Lists<Root>) {
        V::gather(&access(), lists);
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Model, V: View<Model = T>> ViewField<Option<V>> for ToOne<M, T> {
    const OPTIONAL: bool = true;

    fn plan(self, plan: &mut Plan) {
        plan.along(self.index(), true, |plan| {
            plan.presence();
            V::plan(plan);
        });
    }

    fn columns(self) -> usize {
        1 + V::columns()
    }

    fn read(self, row: &mut Reader<'_, '_>) -> Result<Option<V>, DecodeError> {
        let after = row.next + 1 + V::columns();
        let value = if row.column()? { Some(V::read(row)?) } else { None };
        row.next = after;
        Ok(value)
    }

    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, Option<V>>, lists: &mut Lists<Root>) {
        V::gather(&access().inside(), lists);
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Model, V: View<Model = T>> ViewField<Vec<V>> for ToMany<M, T> {
    const OPTIONAL: bool = true;

    fn plan(self, plan: &mut Plan) {
        plan.list(self.index());
    }

    fn columns(self) -> usize {
        0
    }

    fn read(self, _: &mut Reader<'_, '_>) -> Result<Vec<V>, DecodeError> {
        Ok(Vec::new())
    }

    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, Vec<V>>, lists: &mut Lists<Root>) {
        lists.push(access(), M::def(), self.index(), views_of::<V>());
    }
}

/// What is at the other end of a relationship: `author.username`.
#[derive(Clone, Copy, Debug)]
pub struct Via<H, R> {
    hop: H,
    rest: R,
}

impl<H, R> Via<H, R> {
    /// Used by `derive(View)`.
    #[doc(hidden)]
    pub const fn new(hop: H, rest: R) -> Self {
        Via { hop, rest }
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Model, F, R: ViewField<F>> ViewField<F> for Via<ToOne<M, T>, R> {
    const OPTIONAL: bool = R::OPTIONAL;

    fn plan(self, plan: &mut Plan) {
        plan.along(self.hop.index(), R::OPTIONAL, |plan| self.rest.plan(plan));
    }

    fn columns(self) -> usize {
        self.rest.columns()
    }

    fn read(self, row: &mut Reader<'_, '_>) -> Result<F, DecodeError> {
        self.rest.read(row)
    }

    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, F>, lists: &mut Lists<Root>) {
        self.rest.lists(access, lists);
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Model, C: ColumnType> ViewField<Vec<C>> for Via<ToMany<M, T>, End<Column<T, C>>> {
    const OPTIONAL: bool = true;

    fn plan(self, plan: &mut Plan) {
        plan.list(self.hop.index());
    }

    fn columns(self) -> usize {
        0
    }

    fn read(self, _: &mut Reader<'_, '_>) -> Result<Vec<C>, DecodeError> {
        Ok(Vec::new())
    }

    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, Vec<C>>, lists: &mut Lists<Root>) {
        lists.push(access(), M::def(), self.hop.index(), columns_of(self.rest.0));
    }
}

/// The end of a path, where a column may have no row.
#[derive(Clone, Copy, Debug)]
pub struct End<C>(pub C);

#[diagnostic::do_not_recommend]
impl<F, C: ViewField<F>> ViewField<F> for End<C> {
    const OPTIONAL: bool = C::OPTIONAL;

    fn plan(self, plan: &mut Plan) {
        self.0.plan(plan);
    }

    fn columns(self) -> usize {
        self.0.columns()
    }

    fn read(self, row: &mut Reader<'_, '_>) -> Result<F, DecodeError> {
        self.0.read(row)
    }

    fn lists<Root: Send + 'static>(self, access: impl FnOnce() -> Access<Root, F>, lists: &mut Lists<Root>) {
        self.0.lists(access, lists);
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> ViewField<Option<T>> for End<Column<M, T>> {
    const OPTIONAL: bool = true;

    fn plan(self, plan: &mut Plan) {
        plan.column(usize::from(self.0.index), true);
    }

    fn columns(self) -> usize {
        1
    }

    fn read(self, row: &mut Reader<'_, '_>) -> Result<Option<T>, DecodeError> {
        row.column()
    }
}
