//! The description of a model that `derive(Model)` writes, and the trait that carries it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::mapping::{Mapping, Reference, Resolved};
use super::{ColumnOptions, CompositeKeyDef, Key, RelationMut, RelationOptions, RelationRef, TableOptions};
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::schema::{Action, Deferrable, SqlType, TableName};
use crate::types::{Cell, DecodeError, Value};

/// A struct that is kept in a table. `#[derive(Model)]` implements it; it is not meant to be written by hand.
///
/// Columns are numbered in the order of the struct's fields; those of embedded structs come after the model's own, and
/// deferred ones last. Relationships are numbered in the order of the fields.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", label = "add `#[derive(Model)]` to this struct")]
pub trait Model: crate::sql::Fetch<Tracked = super::Tracked<Self>> + Send + Sync + Sized + 'static {
    /// The primary key's type: the column's, or a tuple for a composite key.
    type Key: Key;

    /// What the derive knows of the model.
    fn def() -> &'static ModelDef;

    /// Reads an object whose columns begin at position `at` of the row; relationships are not loaded.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn decode(row: &Row<'_>, at: usize) -> std::result::Result<Self, DecodeError>;

    /// The primary key.
    fn key(&self) -> Self::Key;

    /// The value of a column.
    fn value(&self, column: usize) -> Value<'_>;

    /// Sets a column from a cell.
    ///
    /// # Errors
    /// When the cell holds something that the column's type cannot read.
    fn set_value(&mut self, column: usize, cell: Cell<'_>) -> std::result::Result<(), DecodeError>;

    /// A copy of the columns and the relationship fields.
    fn snapshot(&self) -> Self;

    /// The columns that differ between the two.
    fn changed(&self, old: &Self) -> ColumnSet;

    /// Brings the given columns to what a database keeps of them (times to microseconds).
    fn normalize(&mut self, columns: ColumnSet);

    /// Applies `on_update` to columns that are not among `changed`; returns those that it set.
    fn touch(&mut self, changed: ColumnSet) -> ColumnSet;

    /// Whether a column's value is there: only a deferred one may not be.
    fn is_loaded(&self, column: usize) -> bool {
        let _ = column;
        true
    }

    /// Forgets the value of a deferred column.
    fn unload(&mut self, column: usize) {
        let _ = column;
    }

    /// What `on_update` says of columns that are not among `changed`, for a statement that changes rows without their
    /// objects.
    fn touched(changed: ColumnSet) -> Vec<(usize, Value<'static>)> {
        let _ = changed;
        Vec::new()
    }

    /// A relationship field.
    fn relation(&self, relation: usize) -> RelationRef<'_>;

    /// A relationship field, to change.
    fn relation_mut(&mut self, relation: usize) -> RelationMut<'_>;
}

/// What `derive(Model)` knows of a model: all of it constant.
pub struct ModelDef {
    /// The struct's name.
    pub name: &'static str,
    /// The module that the struct is in, as `module_path!()` says it.
    pub module: &'static str,
    /// The file and line of the derive.
    pub location: (&'static str, u32),
    /// The table's name.
    pub table: &'static str,
    /// The columns, in the order of their numbers.
    pub columns: &'static [ColumnDef],
    /// The relationships, in the order of the fields.
    pub relations: &'static [RelationDef],
    /// The positions of the primary key's columns.
    pub primary_key: &'static [usize],
    /// The foreign keys of several columns; those of one are in its [`ColumnDef`].
    pub foreign_keys: &'static [CompositeKeyDef],
    /// What else is said of the table.
    pub options: TableOptions,
    /// A number for the model in this process.
    pub id: &'static ModelId,
    /// Makes an empty store for objects of the model.
    pub store: fn() -> Box<dyn crate::session::AnyStore>,
}

impl std::fmt::Debug for ModelDef {
    /// Its names alone: models lead to each other in circles, and errors lead to models.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelDef").field("name", &self.name).field("table", &self.table).finish_non_exhaustive()
    }
}

impl ModelDef {
    /// The position of the column with that field name.
    pub fn column_of_field(&self, field: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.field == field)
    }

    /// The columns that a query for the model fetches: all but the deferred ones, which are the last.
    pub fn fetched(&self) -> &'static [ColumnDef] {
        let columns = self.columns;
        match columns.iter().position(|column| column.deferred) {
            Some(first) => &columns[..first],
            None => columns,
        }
    }

    /// The position of the relationship with that field name.
    pub fn relation_of_field(&self, field: &str) -> Option<usize> {
        self.relations.iter().position(|relation| relation.field == field)
    }

    /// The key column that the database numbers, where there is one.
    pub fn generated_key(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.generated)
    }

    /// The column that counts the changes of a row, where there is one.
    pub fn version(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.options.version)
    }

    /// How the model's relationships lead to other tables.
    ///
    /// # Errors
    /// [`Error::Mapping`] when a relationship does not say enough.
    pub(crate) fn mapping(&'static self) -> Result<&'static Mapping> {
        let mapping = self.id.mapping.get_or_init(|| Mapping::resolve(self));
        mapping.as_ref().map_err(|message| Error::Mapping(message.clone()))
    }

    /// The foreign keys of the table. None where a relationship does not say enough, which is said elsewhere.
    pub(crate) fn references(&'static self) -> &'static [Reference] {
        self.mapping().map_or(&[], |mapping| &mapping.references)
    }

    /// The relationships, resolved, in the order of `relations`. None as in [`references`](Self::references).
    pub(crate) fn resolved(&'static self) -> &'static [Resolved] {
        self.mapping().map_or(&[], |mapping| &mapping.relations)
    }

    /// The table's name with its schema.
    pub fn table_name(&self) -> TableName {
        TableName::new(self.options.schema, self.table)
    }

    /// `User`, or `shop::User` where the module has to be named.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

/// A column as the model declares it. It is `Copy`, so that the columns of an embedded struct can be copied among the
/// model's own while the program compiles.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDef {
    /// The field's name.
    pub field: &'static str,
    /// The column's name in the database.
    pub name: &'static str,
    /// Its type.
    pub sql_type: &'static SqlType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether it alone is unique.
    pub unique: bool,
    /// Whether it alone has an index.
    pub index: bool,
    /// Whether the database numbers it.
    pub generated: bool,
    /// The default that the database applies, as SQL.
    pub server_default: Option<&'static str>,
    /// What it refers to.
    pub foreign_key: Option<ForeignKeyDef>,
    /// What else is said of the column.
    pub options: ColumnOptions,
    /// Whether queries leave it out until it is asked for. Such columns are a model's last.
    pub deferred: bool,
}

impl ColumnDef {
    /// Whether the database makes the value when none is sent.
    pub fn made_by_database(&self) -> bool {
        self.generated || self.server_default.is_some() || self.options.computed.is_some()
    }

    /// Whether only the database makes the value, so that none may be sent: a computed column, or one with
    /// `identity(always)`.
    pub fn is_read_only(&self) -> bool {
        self.options.computed.is_some() || self.options.identity.is_some_and(|identity| identity.always)
    }
}

/// A foreign key as the model declares it.
#[derive(Clone, Copy, Debug)]
pub struct ForeignKeyDef {
    /// The model referred to. A function, since constants that name each other do not compile.
    pub target: fn() -> &'static ModelDef,
    /// The field referred to.
    pub field: &'static str,
    /// `on_delete`
    pub on_delete: Action,
    /// `on_update`
    pub on_update: Action,
    /// `deferrable`
    pub deferrable: Deferrable,
    /// The constraint's name; `None` is one made by [`naming`](crate::schema::naming).
    pub name: Option<&'static str>,
}

/// A relationship as the model declares it.
#[derive(Debug)]
pub struct RelationDef {
    /// The field's name.
    pub field: &'static str,
    /// `Post.tags`, for messages.
    pub label: &'static str,
    /// Its direction, and whether it leads to one or to many.
    pub kind: RelationKind,
    /// The model at the other end.
    pub target: fn() -> &'static ModelDef,
    /// The field of the relationship at the other end that says the same.
    pub back_populates: Option<&'static str>,
    /// The fields of the foreign key: of this model for a `BelongsTo`, of the target for a `HasMany` or
    /// `HasOne`. Empty where it follows from `back_populates` or is the only one.
    pub key: &'static [&'static str],
    /// The association table of a many-to-many.
    pub secondary: Option<&'static str>,
    /// The columns of the association table that refer to this model, in the order of its key. Empty where
    /// the other end says them, or they have their usual names.
    pub local: &'static [&'static str],
    /// The columns of the association table that refer to the target, likewise.
    pub remote: &'static [&'static str],
    /// Whether it is only read: the rows of its association table are written by a model of their own.
    pub view_only: bool,
    /// What else is said of it.
    pub options: RelationOptions,
}

/// The direction of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// Many-to-one, or one-to-one from this side: this table has the foreign key.
    BelongsTo,
    /// One-to-many: the other table has the foreign key.
    HasMany,
    /// One-to-one, from the side without the foreign key, which is unique in the other table.
    HasOne,
    /// Many-to-many, by an association table.
    ManyToMany,
}

/// What a model gets at its first use in a process: a number, by which stores are found without hashing,
/// and its mapping (how its relationships lead to other tables).
pub struct ModelId {
    number: OnceLock<u32>,
    mapping: OnceLock<std::result::Result<Mapping, String>>,
}

impl std::fmt::Debug for ModelId {
    /// The number alone: mappings lead from model to model, and back.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ModelId").field(&self.number.get()).finish()
    }
}

impl ModelId {
    /// A model that was not used yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        ModelId { number: OnceLock::new(), mapping: OnceLock::new() }
    }

    /// The number.
    #[inline]
    pub fn get(&self) -> usize {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        *self.number.get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed)) as usize
    }
}

/// A set of a model's columns. A model has at most 128 (`derive(Model)` checks).
///
/// Every tracked object has one: aligned like a word, it leaves no gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, packed(8))]
pub struct ColumnSet(pub u128);

impl ColumnSet {
    /// No column.
    pub const EMPTY: ColumnSet = ColumnSet(0);
    /// The most columns that a model can have.
    pub const MAX: usize = 128;

    /// The first `count` columns.
    pub const fn first(count: usize) -> Self {
        ColumnSet(if count >= 128 { u128::MAX } else { (1 << count) - 1 })
    }

    /// Adds a column.
    #[inline]
    pub const fn insert(&mut self, column: usize) {
        self.0 |= 1 << column;
    }

    /// Takes a column out.
    #[inline]
    pub const fn remove(&mut self, column: usize) {
        self.0 &= !(1 << column);
    }

    /// Whether the column is in it.
    #[inline]
    pub const fn contains(self, column: usize) -> bool {
        self.0 & (1 << column) != 0
    }

    /// Whether it has no column.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many columns it has.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The columns of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        ColumnSet(self.0 | other.0)
    }

    /// The columns that are in both.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        ColumnSet(self.0 & other.0)
    }

    /// The columns of this that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        ColumnSet(self.0 & !other.0)
    }

    /// The columns, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let column = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                column
            })
        })
    }
}

impl FromIterator<usize> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = usize>>(columns: I) -> Self {
        let mut set = ColumnSet::EMPTY;
        columns.into_iter().for_each(|column| set.insert(column));
        set
    }
}
