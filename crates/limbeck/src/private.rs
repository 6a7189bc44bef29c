//! What the macros' output names. Not part of the interface: it may change with any version.

pub use crate::model::embed::{Part, check, columns, embedded_column, names, names_length};
pub use crate::session::new_store;
pub use crate::sql::from_row::{column, column_name as field_name, column_or_default, resolve, unreadable};
pub use crate::sql::view::{by_hand, check_view, read_view, target_of, track_view, view_expression, view_field};
pub use crate::sql::{aggregate_call, call};
pub use inventory;

use std::marker::PhantomData;

use crate::driver::Row;
use crate::model::{
    Assign, BelongsTo, Column, HasMany, HasOne, ManyToMany, Model, ModelDef, RelationDef, RelationKind, TableOf,
    ToMany, ToOne,
};
use crate::schema::SqlType;
use crate::types::{Cell, ColumnType, DecodeError, Placeholder, Value};

/// A model's constants, found by its type: whatever the model is imported as.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", label = "add `#[derive(Model)]` to this struct")]
pub trait HasTable: Model {
    /// `UserTable`
    type Table: TableOf<Model = Self>;
    /// `User`
    const TABLE: Self::Table;
    /// The relationships, where another model's checks can read them while compiling.
    const RELATIONS: &'static [RelationDef];
    /// `Model::def`
    const DEF: fn() -> &'static ModelDef = <Self as Model>::def;
}

/// All that the generated code asks of a column's type. It is one trait, so that a type which cannot be a
/// column's is one error, at the field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column's type",
    label = "limbeck has no column type for this",
    note = "column types are bool, i16, i32, i64, f32, f64, String, Vec<u8>, chrono's DateTime<Utc>, NaiveDateTime, NaiveDate, NaiveTime and TimeDelta, by features Decimal, Uuid, Json<T> and the times of `jiff` and `time`; Option of them, and Vec of all but Json",
    note = "an enum of your own has `#[derive(DbEnum)]`, a struct around one value `#[derive(ColumnType)]`; a relationship's field is marked `#[relationship]`, an embedded struct's `#[model(embed)]`"
)]
pub trait Field: Sized {
    /// `ColumnType::SQL_TYPE`
    const SQL_TYPE: &'static SqlType;
    /// `ColumnType::NULLABLE`
    const NULLABLE: bool;
    /// `ColumnType::NUMBERED`
    const NUMBERED: bool;
    /// Reads a column of a row: the one that is `column` after `at`.
    ///
    /// # Errors
    /// When it holds something that the type cannot read.
    fn get(row: &Row<'_>, at: usize, column: usize) -> Result<Self, DecodeError>;
    /// `ColumnType::encode`
    fn encode(&self) -> Value<'_>;
    /// Replaces the value by that of a cell.
    ///
    /// # Errors
    /// When the cell holds something that the type cannot read.
    fn set(&mut self, cell: Cell<'_>) -> Result<(), DecodeError>;
    /// `Row::get` of a `numeric(p, s)`: SQLite keeps 1.5 of 1.50, and the column says how many digits there are.
    fn get_scaled(row: &Row<'_>, at: usize, column: usize, scale: u32) -> Result<Self, DecodeError> {
        let _ = scale;
        Self::get(row, at, column)
    }
    /// `set` of a `numeric(p, s)`.
    fn set_scaled(&mut self, cell: Cell<'_>, scale: u32) -> Result<(), DecodeError> {
        match cell.scaled(scale) {
            Some(number) => self.set(Cell::from_value(&number)),
            None => self.set(cell),
        }
    }
    /// `ColumnType::normalize`
    fn normalize(&mut self);
    /// `Clone::clone`
    fn copy(&self) -> Self;
    /// `PartialEq::ne`
    fn differs(&self, other: &Self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Field for T {
    const SQL_TYPE: &'static SqlType = &<T as ColumnType>::SQL_TYPE;
    const NULLABLE: bool = <T as ColumnType>::NULLABLE;
    const NUMBERED: bool = <T as ColumnType>::NUMBERED;

    #[inline]
    fn get(row: &Row<'_>, at: usize, column: usize) -> Result<Self, DecodeError> {
        row.get(at + column)
    }

    fn get_scaled(row: &Row<'_>, at: usize, column: usize, scale: u32) -> Result<Self, DecodeError> {
        match row.cell(at + column).scaled(scale) {
            Some(number) => ColumnType::decode(Cell::from_value(&number)).map_err(|error| error.at(at + column)),
            None => row.get(at + column),
        }
    }

    #[inline]
    fn encode(&self) -> Value<'_> {
        ColumnType::encode(self)
    }

    #[inline]
    fn set(&mut self, cell: Cell<'_>) -> Result<(), DecodeError> {
        *self = ColumnType::decode(cell)?;
        Ok(())
    }

    #[inline]
    fn normalize(&mut self) {
        ColumnType::normalize(self);
    }

    #[inline]
    fn copy(&self) -> Self {
        self.clone()
    }

    #[inline]
    fn differs(&self, other: &Self) -> bool {
        self != other
    }
}

/// A column's type whose value the database may make: `Placeholder`, as one error at the field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no placeholder, so the database cannot make its value",
    label = "a column that is generated or filled at flush needs `limbeck::types::Placeholder`"
)]
pub trait Fill: Sized {
    /// `Placeholder::placeholder`
    fn placeholder() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Placeholder> Fill for T {
    #[inline]
    fn placeholder() -> Self {
        <T as Placeholder>::placeholder()
    }
}

/// What a foreign key refers to: a column of type `B`, apart from its nullability.
#[derive(Debug)]
pub struct Reference<B>(PhantomData<B>);

/// The reference of a foreign key to this column.
pub const fn reference<M, T: ColumnType>(_: Column<M, T>) -> Reference<T::Base> {
    Reference(PhantomData)
}

impl<B> Reference<B> {
    /// Checks that a column of type `T` can be the key.
    pub const fn check<T: ColumnType<Base: RefersTo<B>>>(&self) {}
}

/// A foreign key's type beside that of the column that it refers to; both without `Option`.
#[diagnostic::on_unimplemented(
    message = "this foreign key is `{Self}`, but the column that it refers to is `{T}`",
    label = "has to be `{T}`, or an `Option` of it"
)]
pub trait RefersTo<T> {}

#[diagnostic::do_not_recommend]
impl<T> RefersTo<T> for T {}

/// The constant that a `back_populates` names.
#[derive(Debug)]
pub struct Side<R>(PhantomData<R>);

/// The constant that a `back_populates` names.
pub const fn side<R: Copy>(_: R) -> Side<R> {
    Side(PhantomData)
}

impl<R> Side<R> {
    /// Checks that it can be the other side of a relationship field `F` of the model `Owner`.
    pub const fn check<F, Owner>(&self)
    where
        R: LeadsBack<F, Owner>,
    {
    }
}

/// A constant that can be the other side of a relationship field `F` of the model `Owner`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the other side of this relationship",
    label = "`back_populates` names the field that leads back",
    note = "a `BelongsTo` and a `HasMany` or `HasOne` populate each other, and so do two `ManyToMany`"
)]
pub trait LeadsBack<F, Owner> {}

#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<HasMany<M>, T> for ToOne<M, T> {}
#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<HasOne<M>, T> for ToOne<M, T> {}
#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<BelongsTo<M>, T> for ToOne<M, T> {}
#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<BelongsTo<Option<M>>, T> for ToOne<M, T> {}
#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<BelongsTo<M>, T> for ToMany<M, T> {}
#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<BelongsTo<Option<M>>, T> for ToMany<M, T> {}
#[diagnostic::do_not_recommend]
impl<M, T> LeadsBack<ManyToMany<M>, T> for ToMany<M, T> {}

/// Whether the relationship `field`, if there is one among `relations`, populates `back`.
pub const fn populates(relations: &[RelationDef], field: &str, back: &str) -> bool {
    match find(relations, field) {
        Some(relation) => both(relation.back_populates, Some(back)),
        None => true,
    }
}

/// Whether the relationship `field`, if there is one among `relations`, can be the other side of one of this
/// kind. The constants' types tell one from many; of two that lead to one, this tells who has the key.
pub const fn is_opposite(relations: &[RelationDef], field: &str, kind: RelationKind) -> bool {
    match find(relations, field) {
        Some(relation) => matches!(
            (relation.kind, kind),
            (RelationKind::BelongsTo, RelationKind::HasMany | RelationKind::HasOne)
                | (RelationKind::HasMany | RelationKind::HasOne, RelationKind::BelongsTo)
                | (RelationKind::ManyToMany, RelationKind::ManyToMany)
        ),
        None => true,
    }
}

/// Whether the relationship `field`, if there is one among `relations`, is over that association table.
pub const fn is_over(relations: &[RelationDef], field: &str, secondary: Option<&str>) -> bool {
    match find(relations, field) {
        Some(relation) => both(relation.secondary, secondary),
        None => true,
    }
}

const fn find<'r>(relations: &'r [RelationDef], field: &str) -> Option<&'r RelationDef> {
    let mut i = 0;
    while i < relations.len() {
        if same(relations[i].field, field) {
            return Some(&relations[i]);
        }
        i += 1;
    }
    None
}

/// Whether two names are the same, in a constant.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether two names that may be missing are the same, in a constant.
const fn both(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    }
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

/// The value of a required column, which the type parameters of a finished builder say is there.
#[inline]
pub fn given<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => not_given(),
    }
}

#[cold]
fn not_given() -> ! {
    panic!("a builder was finished without a required column")
}

/// What a key that was not set reads as, for a type of which the derive does not know whether it has a placeholder. The
/// method call prefers [`HasPlaceholder`], which is reached with one `&` less.
#[derive(Debug)]
pub struct Unset<T>(PhantomData<T>);

impl<T> Unset<T> {
    /// To call the method on.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Unset(PhantomData)
    }
}

/// A type that has a placeholder.
pub trait HasPlaceholder<T> {
    /// `Placeholder::placeholder`
    fn value(&self) -> T;
}

impl<T: Placeholder> HasPlaceholder<T> for Unset<T> {
    fn value(&self) -> T {
        T::placeholder()
    }
}

/// A type that has none: then the key was required.
pub trait HasNoPlaceholder<T> {
    /// Never called.
    fn value(&self) -> T;
}

impl<T> HasNoPlaceholder<T> for &Unset<T> {
    fn value(&self) -> T {
        not_given()
    }
}

/// Sets a column of a builder.
#[inline]
pub fn set<T, V: Assign<T>>(column: &mut Option<T>, value: V) {
    *column = Some(value.assign());
}
