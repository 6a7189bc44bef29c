//! What a struct says: its tokens, read and checked.

mod attr;
mod column;
mod column_options;
mod model;
mod relation;
mod table;
mod table_index;
mod types;

pub(crate) use column::{Column, KeyOptions};
pub(crate) use model::Model;
pub(crate) use relation::{Kind, Relation};
pub(crate) use table::{CompositeKey, Index, IndexKey, KeyOf, TableOptions};
