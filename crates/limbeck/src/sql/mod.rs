//! Queries: expressions, statements, and their rendering. No driver is known here.
//!
//! A query is built from typed pieces ([`Expression`], [`Select`]) over one untyped tree (`node`). Running
//! it first makes its *shape* (`shape`): the tree without its values, as bytes. Equal shapes have equal SQL,
//! so a statement that was sent before is found without being rendered again; a new one is rendered
//! (`render`) once for the whole engine.

mod assign;
mod check;
pub(crate) mod compile;
mod compound;
mod conflict;
mod cte;
mod delete;
mod effect;
mod expression;
mod fetch;
pub(crate) mod from_row;
mod insert;
mod join;
pub(crate) mod joined;
pub(crate) mod keys;
pub(crate) mod keyset;
pub(crate) mod load;
mod lock;
mod matching;
mod node;
mod op;
pub(crate) mod paged;
mod raw;
mod related;
mod rename;
pub(crate) mod render;
mod select;
pub(crate) mod select_in;
mod selection;
pub(crate) mod shape;
mod share;
mod subquery;
mod undefer;
mod update;
mod values;
pub(crate) mod view;
mod write;

pub(crate) use assign::RowExpression;
pub use assign::{Assignable, Assigned};
pub use compile::Query;
pub use conflict::{OnConflict, Upsert};
pub use cte::{recursive, recursive_distinct};
pub use delete::{Delete, delete};
pub use effect::Effect;
pub(crate) use effect::What;
pub use expression::{
    Aggregate, AggregateExpression, Argument, Arguments, Array, ArrayExpression, Branch, Call, Case, CastExpression,
    Condition, Container, ContainsExpression, DatePart, Dated, Expr, Expression, Expressions, Form, Fraction,
    IntoOrder, Members, Minus, Number, NumberExpression, Operand, Order, Plus, Remainder, Sort, Step, Temporal, Text,
    TextExpression, TimeExpression, Timed, ValueExpression, When, Window, WindowExpression, WindowFunction,
    aggregate_func, all_of, any_of, case, concat, count, cume_dist, dense_rank, func, literal, now_as, ntile,
    percent_rank, rank, row_number, today_as, window,
};
#[cfg(feature = "json")]
pub use expression::{JsonExpression, JsonType};
#[doc(hidden)]
pub use expression::{aggregate_call, call};
#[cfg(feature = "chrono")]
pub use expression::{now, today};
pub use fetch::Fetch;
#[doc(hidden)]
pub use from_row::{Fields, Positions};
pub use from_row::{Flatten, FromColumns, FromRow};
pub use insert::{Insert, insert};
pub use join::{JoinPath, RelatedTo};
pub use keyset::{Descending, Keyset, KeysetTerm, desc};
pub use limbeck_macros::{FromRow, View};
pub use load::{IntoLoad, Load, LoadOf};
pub use node::{ColumnRef, DerivedColumn, InKeys, InnerQuery, Node};
pub use op::{Level, Op, Spelling};
pub use raw::{Bound, Literal, Names, RawList, RawQuery, RawValue, Sql, sql, trusted};
pub use select::{Filter, Select, select};
pub use selection::{Optional, ProjectionList, Selection};
pub use subquery::{Columns, DerivedColumns, FromClause, Subquery, exists};
pub use update::{Update, update};
pub use values::{IntoValue, ValuesRow, values};
#[doc(hidden)]
pub use view::{Access, End, ListPlan, Lists, Plan, Reader, Via, ViewField, lists_of};
pub use view::{Selectable, View, ViewOf};
pub use write::{ColumnList, Fits, Settable, Statement, excluded};
