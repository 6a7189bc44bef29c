//! The parts of a table.

use super::{Index, TableName};
use crate::types::{ColumnType, Kind};

/// A column's type, by SQLAlchemy's names. How each database spells it is the dialect's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// A 16-bit integer.
    SmallInteger,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer.
    BigInteger,
    /// A 32-bit float.
    Real,
    /// A 64-bit float.
    Double,
    /// true or false.
    Boolean,
    /// Text, at most `length` characters where one is given.
    String {
        /// The most characters that the column holds.
        length: Option<u32>,
    },
    /// Text of any length.
    Text,
    /// A date and time.
    DateTime {
        /// Whether it is a moment (with zone, kept in UTC) or a reading of a clock (without).
        timezone: bool,
    },
    /// A calendar date.
    Date,
    /// A type that limbeck has no name for, in the database's own spelling. Reflection makes these.
    Other(String),
}

impl SqlType {
    /// Whether columns of type `T` are text, and so may have a length. Used by `derive(Model)`.
    pub const fn can_have_length<T: ColumnType>() -> bool {
        let sql_type = T::SQL_TYPE;
        let text = matches!(sql_type, SqlType::String { .. } | SqlType::Text);
        // A constant function cannot drop what might own something; this owns nothing.
        std::mem::forget(sql_type);
        text
    }

    /// Whether columns of type `T` may be numbered by the database. Used by `derive(Model)`.
    pub const fn can_be_generated<T: ColumnType>() -> bool {
        let sql_type = T::SQL_TYPE;
        let integer = sql_type.is_integer();
        std::mem::forget(sql_type);
        integer
    }

    /// Whether it is one of the integers, which is what a generated key has to be.
    pub const fn is_integer(&self) -> bool {
        matches!(self, SqlType::SmallInteger | SqlType::Integer | SqlType::BigInteger)
    }

    /// How values of this type travel.
    pub const fn kind(&self) -> Kind {
        match self {
            SqlType::SmallInteger => Kind::I16,
            SqlType::Integer => Kind::I32,
            SqlType::BigInteger => Kind::I64,
            SqlType::Real => Kind::F32,
            SqlType::Double => Kind::F64,
            SqlType::Boolean => Kind::Bool,
            SqlType::String { .. } | SqlType::Text | SqlType::Other(_) => Kind::Text,
            SqlType::DateTime { timezone: true } => Kind::DateTime,
            SqlType::DateTime { timezone: false } => Kind::Timestamp,
            SqlType::Date => Kind::Date,
        }
    }
}

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
    /// How it numbers them, where that is not from 1 in steps of 1, taking numbers that are sent.
    pub identity: Option<Identity>,
    /// The expression that the database computes it by.
    pub computed: Option<Computed>,
    /// The collation, where it is not the type's.
    pub collation: Option<Collation>,
    /// Its comment. SQLite has none.
    pub comment: Option<String>,
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
            identity: None,
            computed: None,
            collation: None,
            comment: None,
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
}
