//! The name of a table, with the schema that it is in.

use std::fmt;

/// A table's name: `orders`, or `shop.orders` in a schema of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The schema; `None` is the connection's current one.
    pub schema: Option<String>,
    /// The name in it.
    pub name: String,
}

impl TableName {
    /// The name in that schema.
    pub fn new(schema: Option<&str>, name: &str) -> Self {
        TableName { schema: schema.map(str::to_string), name: name.to_string() }
    }
}

/// A name in the current schema.
impl From<&str> for TableName {
    fn from(name: &str) -> Self {
        TableName::new(None, name)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
