//! What the macros' output names. Not part of the interface: it may change with any version.

pub use crate::model::BackOf;
pub use crate::session::new_store;
pub use inventory;

use crate::model::{Column, Model, ModelDef, TableOf};
use crate::schema::SqlType;
use crate::types::{ColumnType, Placeholder};

/// A model's constant, found by its type: whatever the model is imported as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "add `#[derive(Model)]` to this struct"
)]
pub trait HasTable: Model {
    /// `UserTable`
    type Table: TableOf<Model = Self>;
    /// `User`
    const TABLE: Self::Table;
}

/// The state of a required column in a builder: it has a value.
#[derive(Debug)]
pub struct Given;

/// The state of a required column in a builder: it has no value yet.
#[derive(Debug)]
pub struct Missing;

/// A foreign key's type beside that of the column that it refers to.
#[diagnostic::on_unimplemented(
    message = "this foreign key is `{Self}`, but the column that it refers to is `{T}`",
    label = "has to be `{T}`, or `Option<{T}>`"
)]
pub trait RefersTo<T> {}

impl<T> RefersTo<T> for T {}

/// Checks that a key of type `T` may refer to the column.
pub const fn foreign_key<T, M, U>(_: Column<M, U>)
where
    T: ColumnType<Base: RefersTo<U::Base>>,
    U: ColumnType,
{
}

/// Checks that the database can number a column of type `T`.
///
/// # Panics
/// When it is not an integer.
pub const fn generated<T: Placeholder>() {
    assert!(SqlType::can_be_generated::<T>(), "a key that the database generates is an integer: i16, i32 or i64");
}

/// The name of a model's column, for an error message: (table, column).
pub fn column_name(def: &ModelDef, position: usize) -> (String, String) {
    let column = def.columns.get(position).map_or("?", |column| column.name);
    (def.table.to_owned(), column.to_owned())
}

/// A model was asked for a column that it has not: a defect of limbeck, not of its user.
#[cold]
pub fn no_column(model: &'static str, column: usize) -> ! {
    panic!("`{model}` has no column {column}")
}

/// A model was asked for a relationship that it has not: a defect of limbeck, not of its user.
#[cold]
pub fn no_relation(model: &'static str, relation: usize) -> ! {
    panic!("`{model}` has no relationship {relation}")
}

/// A builder was finished without a required column, which its type parameters exclude.
#[cold]
pub fn not_given(model: &'static str, column: &'static str) -> ! {
    panic!("`{model}.{column}` has no value")
}
