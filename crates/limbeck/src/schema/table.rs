//! The parts of a table.

use super::SqlType;

/// What the database does to a row when the row that it refers to is deleted or gets another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// Refuse, at the end of the statement. The default.
    #[default]
    NoAction,
    /// Refuse at once.
    Restrict,
    /// Delete the row, or give it the new key.
    Cascade,
    /// Set the referring columns to NULL.
    SetNull,
    /// Set the referring columns to their defaults.
    SetDefault,
}

impl Action {
    /// The action in SQL.
    pub const fn as_sql(self) -> &'static str {
        match self {
            Action::NoAction => "NO ACTION",
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        }
    }
}

/// When a foreign key is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deferrable {
    /// At the end of each statement. The default.
    #[default]
    NotDeferrable,
    /// At the end of each statement, until a transaction says `SET CONSTRAINTS … DEFERRED`.
    InitiallyImmediate,
    /// When the transaction is committed.
    InitiallyDeferred,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its primary key, if it has one.
    pub primary_key: Option<PrimaryKey>,
    /// Unique constraints.
    pub uniques: Vec<UniqueConstraint>,
    /// Indexes, apart from those that belong to a constraint.
    pub indexes: Vec<Index>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Check constraints.
    pub checks: Vec<Check>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The default that the database applies, as SQL.
    pub server_default: Option<String>,
    /// Whether the database numbers the rows: an identity column or serial on PostgreSQL, SQLite's rowid.
    pub generated: bool,
}

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// A unique constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueConstraint {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// Whether it forbids equal rows.
    pub unique: bool,
    /// The definition in the database's own words, for an index that has more than plain columns
    /// (expressions, a predicate, a method). Reflection makes these.
    pub definition: Option<String>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub target_table: String,
    /// The columns referred to.
    pub target_columns: Vec<String>,
    /// What happens when the row referred to is deleted.
    pub on_delete: Action,
    /// What happens when the row referred to gets another key.
    pub on_update: Action,
    /// When it is checked.
    pub deferrable: Deferrable,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// The condition, as SQL.
    pub expression: String,
}
