//! Queries: expressions, statements, and their rendering. No driver is known here.
//!
//! A query is built from typed pieces ([`Expression`], [`Select`]) over one untyped tree (`node`). Running
//! it first makes its *shape* (`shape`): the tree without its values, as bytes. Equal shapes have equal SQL,
//! so a statement that was sent before is found without being rendered again; a new one is rendered
//! (`render`) once for the whole engine.

mod check;
pub(crate) mod compile;
mod expression;
mod fetch;
mod load;
mod node;
mod op;
mod raw;
pub(crate) mod render;
mod select;
pub(crate) mod shape;
mod undefer;

pub use compile::Query;
pub use expression::{Condition, Expr, Expression, IntoOrder, Operand, Order, count};
pub use fetch::Fetch;
pub use load::{IntoLoad, Load, LoadOf};
pub use node::{ColumnRef, Node};
pub use op::{Level, Op, Spelling};
pub use raw::{Bound, RawQuery, Sql, sql, trusted};
pub use select::{ProjectionList, Select, Selection, select};
