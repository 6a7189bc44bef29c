//! Column constants: `User.email`.

use std::fmt;
use std::marker::PhantomData;

use super::{ColumnDef, Model};

/// The constant of a column: `User.email` is a `Column<User, String>`.
///
/// It is `Copy` and knows nothing but its place, so building a query from it costs nothing.
pub struct Column<M, T> {
    pub(crate) index: u16,
    pub(crate) alias: Option<&'static str>,
    marker: PhantomData<fn() -> (M, T)>,
}

impl<M, T> Column<M, T> {
    /// Used by `derive(Model)`.
    #[doc(hidden)]
    pub const fn new(index: u16, alias: Option<&'static str>) -> Self {
        Column { index, alias, marker: PhantomData }
    }
}

impl<M: Model, T> Column<M, T> {
    /// The column as its model declares it.
    pub fn def(&self) -> &'static ColumnDef {
        &M::def().columns[usize::from(self.index)]
    }
}

impl<M, T> Clone for Column<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for Column<M, T> {}

impl<M: Model, T> fmt::Debug for Column<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", M::def().name, self.def().field)
    }
}

/// The constant of a model: `User` in `select(User)` and `session.get(User, 1)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the constant of a model",
    label = "expected a model's name, such as `User`"
)]
pub trait TableOf: Copy {
    /// The model.
    type Model: Model;

    /// The alias, where this is not the table itself.
    fn alias(&self) -> Option<&'static str>;
}
