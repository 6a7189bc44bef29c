//! What a struct says: its tokens, read and checked.

mod allow;
pub(crate) mod attr;
mod column;
mod column_options;
mod embed;
mod from_row;
mod model;
mod relation;
mod relation_options;
mod table;
mod table_index;
mod types;
mod view;

pub(crate) use column::{Column, Generated, KeyOptions};
pub(crate) use column_options::Collation;
pub(crate) use embed::Embed;
pub(crate) use from_row::{FromRow, RowField, RowSource};
pub(crate) use model::Model;
pub(crate) use relation::{Kind, Relation};
pub(crate) use relation_options::PassiveDeletes;
pub(crate) use table::{CompositeKey, Index, IndexKey, KeyOf, TableOptions};
pub(crate) use view::{View, ViewField, ViewSource};
