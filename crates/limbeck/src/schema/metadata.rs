//! The tables of a set of models.

use super::Table;

/// The tables of a set of models, in an order in which they can be created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The tables; one that is referred to comes before those that refer to it.
    pub tables: Vec<Table>,
}

/// Why models do not make a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataError(pub String);
