//! Indexes: plain ones over columns, and those that say more.

use super::Collation;

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The columns among its keys, in order: for a plain index, all there is to say.
    pub columns: Vec<String>,
    /// Whether it forbids equal rows.
    pub unique: bool,
    /// What it has beyond plain columns, as a model says it.
    pub options: Option<IndexOptions>,
    /// The definition in the database's own words, for an index that has more than plain columns
    /// (expressions, a predicate, a method). Reflection makes these.
    pub definition: Option<String>,
    /// Its comment. No model says one.
    pub comment: Option<String>,
}

impl Index {
    /// Whether it is over columns alone, in their usual order.
    pub fn is_plain(&self) -> bool {
        self.options.is_none() && self.definition.is_none()
    }
}

/// What an index has beyond plain columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexOptions {
    /// What it is ordered by.
    pub keys: Vec<IndexKey>,
    /// The rows that are in it, as an SQL condition.
    pub predicate: Option<String>,
    /// `gin`, `brin`, `hash` …; `None` is a B-tree.
    pub method: Option<String>,
    /// Columns that are stored beside the keys.
    pub include: Vec<String>,
}

impl IndexOptions {
    /// Whether this is no more than a list of columns.
    pub fn is_plain(&self) -> bool {
        self.keys.iter().all(IndexKey::is_plain)
            && self.predicate.is_none()
            && self.method.is_none()
            && self.include.is_empty()
    }

    /// The columns among the keys.
    pub fn columns(&self) -> Vec<String> {
        let column = |key: &IndexKey| match &key.on {
            IndexOn::Column(name) => Some(name.clone()),
            IndexOn::Expression(_) => None,
        };
        self.keys.iter().filter_map(column).collect()
    }
}

/// One of the things that an index is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// What it is.
    pub on: IndexOn,
    /// Whether the order is backwards.
    pub descending: bool,
    /// Whether NULLs come first, where that is not the database's default.
    pub nulls_first: Option<bool>,
    /// The operator class, where it is not the type's default.
    pub opclass: Option<String>,
    /// The collation, where it is not the column's.
    pub collation: Option<Collation>,
}

impl IndexKey {
    fn is_plain(&self) -> bool {
        matches!(self.on, IndexOn::Column(_))
            && !self.descending
            && self.nulls_first.is_none()
            && self.opclass.is_none()
            && self.collation.is_none()
    }
}

/// A column or an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexOn {
    /// A column, by name.
    Column(String),
    /// An expression, in SQL.
    Expression(String),
}
