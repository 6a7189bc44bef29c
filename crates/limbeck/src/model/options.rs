//! What a model says of its table beyond columns, their types and relationships: constraints, indexes, comments.
//! All of it constant, as `derive(Model)` writes it; [`schema`](crate::schema) makes tables of it.
//!
//! Columns are positions in [`ModelDef::columns`](super::ModelDef::columns). A name that is `None` is made by
//! [`naming`](crate::schema::naming).

use super::ModelDef;
use crate::schema::{Action, Deferrable};

/// The options of a table.
#[derive(Clone, Copy, Debug)]
pub struct TableOptions {
    /// The schema that the table is in, where the database has schemas; `None` is the connection's current one.
    pub schema: Option<&'static str>,
    /// The table's comment.
    pub comment: Option<&'static str>,
    /// The name that the table had before.
    pub was: Option<&'static str>,
    /// Unique constraints over several columns, or with options.
    pub uniques: &'static [UniqueDef],
    /// Indexes over several columns, or with options.
    pub indexes: &'static [IndexDef],
    /// Check constraints, those of columns among them.
    pub checks: &'static [CheckDef],
}

impl TableOptions {
    /// No option.
    pub const NONE: TableOptions =
        TableOptions { schema: None, comment: None, was: None, uniques: &[], indexes: &[], checks: &[] };
}

/// A unique constraint.
#[derive(Clone, Copy, Debug)]
pub struct UniqueDef {
    /// Its name.
    pub name: Option<&'static str>,
    /// Its columns, in order.
    pub columns: &'static [usize],
    /// Whether NULL is equal to NULL: PostgreSQL 15 and later.
    pub nulls_not_distinct: bool,
    /// When it is checked. SQLite checks each row.
    pub deferrable: Deferrable,
}

/// An index.
#[derive(Clone, Copy, Debug)]
pub struct IndexDef {
    /// Its name.
    pub name: Option<&'static str>,
    /// What it is ordered by.
    pub keys: &'static [IndexKeyDef],
    /// Whether it forbids equal rows.
    pub unique: bool,
    /// The rows that are in it, as an SQL condition; `None` is all.
    pub predicate: Option<&'static str>,
    /// `gin`, `brin`, `hash` …: PostgreSQL only.
    pub method: Option<&'static str>,
    /// Columns that are stored beside the keys: PostgreSQL only.
    pub include: &'static [usize],
}

/// One of the things that an index is ordered by.
#[derive(Clone, Copy, Debug)]
pub struct IndexKeyDef {
    /// A column or an expression.
    pub of: IndexKeyOf,
    /// Whether the order is backwards.
    pub descending: bool,
    /// Whether NULLs come first; `None` is the database's default.
    pub nulls_first: Option<bool>,
    /// The operator class: PostgreSQL only.
    pub opclass: Option<&'static str>,
    /// The collation.
    pub collation: Option<CollationDef>,
}

impl IndexKeyDef {
    /// The column, unless it is an expression.
    pub(crate) fn column(&self) -> Option<usize> {
        match self.of {
            IndexKeyOf::Column(column) => Some(column),
            IndexKeyOf::Expression(_) => None,
        }
    }
}

/// A column or an expression.
#[derive(Clone, Copy, Debug)]
pub enum IndexKeyOf {
    /// A column.
    Column(usize),
    /// An expression, in SQL.
    Expression(&'static str),
}

/// A check constraint.
#[derive(Clone, Copy, Debug)]
pub struct CheckDef {
    /// Its name.
    pub name: Option<&'static str>,
    /// The condition, in SQL.
    pub expression: &'static str,
    /// The column that it was said at; its name is made from it.
    pub column: Option<usize>,
}

/// A foreign key of several columns, as the model declares it.
#[derive(Clone, Copy, Debug)]
pub struct CompositeKeyDef {
    /// The referring columns.
    pub columns: &'static [usize],
    /// The model referred to. A function, since constants that name each other do not compile.
    pub target: fn() -> &'static ModelDef,
    /// The fields referred to, in the order of `columns`.
    pub fields: &'static [&'static str],
    /// `on_delete`
    pub on_delete: Action,
    /// `on_update`
    pub on_update: Action,
    /// `deferrable`
    pub deferrable: Deferrable,
    /// Its name.
    pub name: Option<&'static str>,
    /// Whether the columns have an index, unless they lead one anyway.
    pub index: bool,
}

/// The options of a column.
#[derive(Clone, Copy, Debug)]
pub struct ColumnOptions {
    /// The expression that the database computes it by.
    pub computed: Option<ComputedDef>,
    /// How the database numbers it, where that was said.
    pub identity: Option<IdentityDef>,
    /// The column's comment.
    pub comment: Option<&'static str>,
    /// The collation.
    pub collation: Option<CollationDef>,
    /// Whether it counts the changes of its row, so that nobody overwrites what he has not seen.
    pub version: bool,
    /// The name that the column had before.
    pub was: Option<&'static str>,
}

impl ColumnOptions {
    /// No option.
    pub const NONE: ColumnOptions =
        ColumnOptions { computed: None, identity: None, comment: None, collation: None, version: false, was: None };
}

/// A column that the database computes from others of its row.
#[derive(Clone, Copy, Debug)]
pub struct ComputedDef {
    /// The expression, in SQL.
    pub expression: &'static str,
    /// Whether the value is kept in the table, or computed when it is read.
    pub stored: bool,
}

/// How a database numbers rows. SQLite has no say in it: there a number is the row's own.
#[derive(Clone, Copy, Debug)]
pub struct IdentityDef {
    /// Whether the database refuses a value that is sent.
    pub always: bool,
    /// The first number.
    pub start: i64,
    /// The step from one number to the next.
    pub increment: i64,
}

/// A collation; databases have no names for them in common.
#[derive(Clone, Copy, Debug)]
pub struct CollationDef {
    /// Its name on PostgreSQL.
    pub postgres: Option<&'static str>,
    /// Its name on SQLite.
    pub sqlite: Option<&'static str>,
}
