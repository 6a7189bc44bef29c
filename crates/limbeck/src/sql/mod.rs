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
pub(crate) mod from_row;
mod load;
mod node;
mod op;
mod raw;
pub(crate) mod render;
mod select;
pub(crate) mod shape;
mod undefer;

pub use compile::Query;
pub use expression::{
    Aggregate, AggregateExpression, Argument, Arguments, Branch, Call, Case, CastExpression, Condition, Container,
    ContainsExpression, Expr, Expression, Expressions, Form, Fraction, IntoOrder, Members, Minus, Number,
    NumberExpression, Operand, Order, Plus, Remainder, Step, Text, TextExpression, ValueExpression, When, Window,
    WindowExpression, WindowFunction, aggregate_func, all_of, any_of, case, concat, count, cume_dist, dense_rank, func,
    literal, ntile, percent_rank, rank, row_number, window,
};
#[doc(hidden)]
pub use expression::{aggregate_call, call};
pub use fetch::Fetch;
#[doc(hidden)]
pub use from_row::{Fields, Positions};
pub use from_row::{Flatten, FromRow};
pub use limbeck_macros::FromRow;
pub use load::{IntoLoad, Load, LoadOf};
pub use node::{ColumnRef, Node};
pub use op::{Level, Op, Spelling};
pub use raw::{Bound, Literal, Names, RawList, RawQuery, RawValue, Sql, sql, trusted};
pub use select::{ProjectionList, Select, Selection, select};
