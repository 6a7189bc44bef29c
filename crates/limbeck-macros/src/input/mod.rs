//! What a struct says: its tokens, read and checked.

mod attr;
mod column;
mod embed;
mod model;
mod relation;
mod types;

pub(crate) use column::{Column, Generated};
pub(crate) use embed::Embed;
pub(crate) use model::Model;
pub(crate) use relation::{Kind, Relation};
