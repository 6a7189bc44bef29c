//! What the queries have in common.

pub use limbeck::prelude::*;

pub use crate::models::*;
