//! The parts of a table.

use super::{Index, SqlType, TableName};

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

/// When a foreign key or a unique constraint is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deferrable {
    /// At the end of each statement, a unique constraint at each row. The default.
    #[default]
    NotDeferrable,
    /// At the end of each statement, until a transaction says `SET CONSTRAINTS … DEFERRED`.
    InitiallyImmediate,
    /// When the transaction is committed.
    InitiallyDeferred,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The schema that it is in; `None` is the connection's current one, and on SQLite the only one.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Its comment. SQLite has none.
    pub comment: Option<String>,
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
    /// Whether PostgreSQL keeps it out of its log, so that a crash empties it. No model says so.
    pub unlogged: bool,
    /// The name that it had before: a rename that the next revision should make. No database says so.
    pub was: Option<String>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The name with the schema.
    pub fn full_name(&self) -> TableName {
        TableName { schema: self.schema.clone(), name: self.name.clone() }
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
    /// The sequence that numbers them, where that is not an identity: PostgreSQL's `serial`. No model says one.
    pub serial: Option<String>,
    /// How it numbers them, where that is not from 1 in steps of 1, taking numbers that are sent.
    pub identity: Option<Identity>,
    /// The expression that the database computes it by.
    pub computed: Option<Computed>,
    /// The collation, where it is not the type's.
    pub collation: Option<Collation>,
    /// Its comment. SQLite has none.
    pub comment: Option<String>,
    /// The name that it had before: a rename that the next revision should make. No database says so.
    pub was: Option<String>,
}

impl Column {
    /// A column that is NOT NULL, with nothing else said of it.
    pub fn new(name: &str, sql_type: SqlType) -> Self {
        Column {
            name: name.to_string(),
            sql_type,
            nullable: false,
            server_default: None,
            generated: false,
            serial: None,
            identity: None,
            computed: None,
            collation: None,
            comment: None,
            was: None,
        }
    }
}

/// How the database numbers rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whether it refuses a number that is sent.
    pub always: bool,
    /// The first number.
    pub start: i64,
    /// The step from one number to the next.
    pub increment: i64,
}

impl Default for Identity {
    fn default() -> Self {
        Identity { always: false, start: 1, increment: 1 }
    }
}

/// A column that is computed from others of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computed {
    /// The expression, in SQL.
    pub expression: String,
    /// Whether the value is kept in the table, or computed when it is read.
    pub stored: bool,
}

/// A collation. Databases have no names for them in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collation {
    /// Its name on PostgreSQL.
    pub postgres: Option<String>,
    /// Its name on SQLite.
    pub sqlite: Option<String>,
}

/// A primary key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// A unique constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UniqueConstraint {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// Whether NULL is equal to NULL: PostgreSQL 15 and later.
    pub nulls_not_distinct: bool,
    /// When it is checked. SQLite checks each row.
    pub deferrable: Deferrable,
}

/// A foreign key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The schema of the table referred to.
    pub target_schema: Option<String>,
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

impl ForeignKey {
    /// The table referred to, with its schema.
    pub fn target(&self) -> TableName {
        TableName { schema: self.target_schema.clone(), name: self.target_table.clone() }
    }
}

/// A check constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name; `None` where the database has none for it.
    pub name: Option<String>,
    /// The condition, as SQL.
    pub expression: String,
    /// Whether it does not hold for tables that inherit from this one (PostgreSQL). No model says so.
    pub no_inherit: bool,
}
