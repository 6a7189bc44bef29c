//! What a struct says: its tokens, read and checked.

mod attr;
mod column;
mod from_row;
mod model;
mod relation;
mod types;

pub(crate) use column::Column;
pub(crate) use from_row::{FromRow, RowField, RowSource};
pub(crate) use model::Model;
pub(crate) use relation::{Kind, Relation};
