//! Typed expressions: what `User.email.eq("…")` is.
//!
//! [`Expression`] has what every column and expression has. What only some types have is in a trait for each family
//! (text, numbers, times, …), implemented for every expression, whose methods ask for a type of that family: so the
//! compiler says "this is not text" and not "there is no such method". All of it is spelled in
//! [`Op`](super::Op)s and [`Form`](form::Form)s; nothing here knows how a statement is rendered.

mod aggregate;
mod array;
mod case;
mod cast;
mod core;
mod form;
mod function;
#[cfg(feature = "json")]
mod json;
mod number;
mod operand;
mod order;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod time_ops;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod time_types;
mod window;

pub use aggregate::{Aggregate, AggregateExpression, count};
pub use array::{Array, ArrayExpression};
pub use case::{Branch, Case, When, case};
pub use cast::CastExpression;
pub use core::{Condition, Expr, Expression, all_of, any_of, literal};
pub use form::{Call, Form, Step};
pub use function::{ValueExpression, aggregate_call, aggregate_func, call, func};
#[cfg(feature = "json")]
pub use json::{JsonExpression, JsonType};
pub use number::{Fraction, Minus, Number, NumberExpression, Plus, Remainder};
pub use operand::{Argument, Arguments, Expressions, Members, Operand};
pub(crate) use order::Nulls;
pub use order::{IntoOrder, Order};
pub use text::{Container, ContainsExpression, Text, TextExpression, concat};
pub use time::{DatePart, Dated, Sort, Temporal, TimeExpression, Timed, now_as, today_as};
#[cfg(feature = "chrono")]
pub use time::{now, today};
pub(crate) use window::numbered;
pub use window::{
    Window, WindowExpression, WindowFunction, cume_dist, dense_rank, ntile, percent_rank, rank, row_number, window,
};
