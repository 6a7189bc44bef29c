//! Aggregates: one value of many rows.

use std::marker::PhantomData;

use super::core::{Condition, Expr, Expression};
use super::form::{Call, Form, Function};
use super::number::Number;
use super::operand::{Argument, Operand};
use super::order::IntoOrder;
use super::text::Text;
use super::window::Window;
use crate::schema::SqlType;
use crate::sql::node::Node;
use crate::sql::op::{Level, Op};
use crate::sql::{ProjectionList, Selection};
use crate::types::{ColumnType, Kind};

static COUNT_ALL: Op = Op::new("count()", Level::Atom, "count(*)");
static COUNT: Op = Op::new("count", Level::Atom, "count({0})");
static SUM: Op = Op::new("sum", Level::Atom, "sum({0})");
static AVG: Op = Op::new("avg", Level::Atom, "avg({0})");
static MIN: Op = Op::new("min", Level::Atom, "min({0})");
static MAX: Op = Op::new("max", Level::Atom, "max({0})");
static MIN_BOOL: Op = Op::differing("min of bool", Level::Atom, "min({0})", "bool_and({0})");
static MAX_BOOL: Op = Op::differing("max of bool", Level::Atom, "max({0})", "bool_or({0})");
static STRING_AGG: Op = Op::new("string_agg", Level::Atom, "string_agg({0}, {1})");

/// An aggregate: an expression that makes one value of many rows, and may have clauses.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::count;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, author_id: i64, title: String, views: i64 }
/// let report = select((
///     count(),
///     count().filter(Post.views.gt(100)),
///     Post.author_id.count_distinct(),
///     Post.views.sum(),
///     Post.title.string_agg(", ").order_by(Post.views.desc()),
/// ))
/// .from(Post);
/// ```
#[derive(Debug)]
pub struct Aggregate<T> {
    call: Call,
    /// What brings the database's result to `T`.
    around: Option<&'static Op>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Aggregate<T> {
    fn clone(&self) -> Self {
        Aggregate { call: self.call.clone(), around: self.around, marker: PhantomData }
    }
}

impl<T: ColumnType> Aggregate<T> {
    pub(super) fn new(function: Function, operands: Vec<Node>) -> Self {
        Aggregate { call: Call::new(function, operands, true), around: None, marker: PhantomData }
    }

    pub(super) fn op(op: &'static Op, operands: Vec<Node>) -> Self {
        Aggregate::new(Function::Op(op), operands)
    }

    pub(super) fn around(mut self, op: Option<&'static Op>) -> Self {
        self.around = op;
        self
    }

    /// `DISTINCT`: of rows with equal values one counts.
    ///
    /// SQLite takes it in an aggregate of one argument only, and neither database before [`over`](Self::over): an
    /// error when the statement is built.
    pub fn distinct(mut self) -> Self {
        self.call.distinct = true;
        self
    }

    /// `FILTER (WHERE …)`: only rows for which the condition holds count. Several filters must all hold.
    pub fn filter<C: Condition>(mut self, condition: C) -> Self {
        let condition = condition.into_node();
        self.call.filter = Some(match self.call.filter.take() {
            Some(Node::And(mut parts)) => {
                parts.push(condition);
                Node::And(parts)
            }
            Some(first) => Node::And(vec![first, condition]),
            None => condition,
        });
        self
    }

    /// The order in which the rows come: `string_agg(title, ', ' ORDER BY id)`.
    pub fn order_by<O: IntoOrder>(mut self, terms: O) -> Self {
        terms.into_order(&mut self.call.order);
        self
    }

    /// `OVER (…)`: the aggregate of the rows around each row, which all stay.
    pub fn over(mut self, window: Window) -> Expr<T> {
        self.call.window = Some(window);
        Expr::new(self.into_node())
    }
}

impl<T: ColumnType> Expression for Aggregate<T> {
    type Type = T;

    fn into_node(self) -> Node {
        let call = Form::Call(self.call).into();
        match self.around {
            Some(op) => Node::Op(op, vec![call]),
            None => call,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T::Base> for Aggregate<T> {
    type Null<U: ColumnType> = T::Null<U>;

    fn into_operand(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Argument for Aggregate<T> {
    fn into_argument(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType + crate::sql::Fetch> Selection for Aggregate<T> {
    type Row = T;

    fn project(self, list: &mut ProjectionList) {
        Expr::<T>::new(self.into_node()).project(list);
    }
}

/// `count(*)`: the number of rows.
pub fn count() -> Aggregate<i64> {
    Aggregate::op(&COUNT_ALL, Vec::new())
}

/// Aggregates of an expression.
///
/// Over no rows all but the counts are NULL, so their type is an `Option`. NULLs are left out.
pub trait AggregateExpression: Expression {
    /// The number of rows in which the expression is not NULL.
    fn count(self) -> Aggregate<i64> {
        Aggregate::op(&COUNT, vec![self.into_node()])
    }

    /// The number of different values: `count(DISTINCT …)`.
    fn count_distinct(self) -> Aggregate<i64> {
        self.count().distinct()
    }

    /// The sum: of integers a 64-bit integer, of floats an `f64`. A sum that does not fit is an error.
    fn sum(self) -> Aggregate<Option<<<Self::Type as ColumnType>::Base as Number>::Sum>>
    where
        <Self::Type as ColumnType>::Base: Number,
    {
        Aggregate::op(&SUM, vec![self.into_node()]).around(<Self::Type as ColumnType>::Base::SUM)
    }

    /// The mean: an `f64`, and of decimals a decimal.
    fn avg(self) -> Aggregate<Option<<<Self::Type as ColumnType>::Base as Number>::Mean>>
    where
        <Self::Type as ColumnType>::Base: Number,
    {
        Aggregate::op(&AVG, vec![self.into_node()]).around(<Self::Type as ColumnType>::Base::MEAN)
    }

    /// The least value. Text is ordered as the database orders it, and an enum as its declaration on PostgreSQL, where
    /// it is a type, but as its text on SQLite.
    ///
    /// JSON, bytes and UUIDs have none, since PostgreSQL has no `min` of them: that does not compile.
    ///
    /// ```compile_fail,E0080
    /// # use limbeck::prelude::*;
    /// #[derive(Model)]
    /// struct Upload {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     content: Vec<u8>,
    /// }
    ///
    /// let least = select(Upload.content.min()); // `bytes have no min and no max …`
    /// ```
    fn min(self) -> Aggregate<Option<<Self::Type as ColumnType>::Base>> {
        const { has_least(<Self::Type as crate::__private::Field>::SQL_TYPE) };
        let op = if Self::Type::SQL_TYPE.kind() == Kind::Bool { &MIN_BOOL } else { &MIN };
        Aggregate::op(op, vec![self.into_node()])
    }

    /// The greatest value. JSON, bytes and UUIDs have none, as they have no [`min`](AggregateExpression::min).
    fn max(self) -> Aggregate<Option<<Self::Type as ColumnType>::Base>> {
        const { has_least(<Self::Type as crate::__private::Field>::SQL_TYPE) };
        let op = if Self::Type::SQL_TYPE.kind() == Kind::Bool { &MAX_BOOL } else { &MAX };
        Aggregate::op(op, vec![self.into_node()])
    }

    /// Whether the condition holds in all rows: PostgreSQL's `bool_and`.
    fn bool_and(self) -> Aggregate<Option<bool>>
    where
        Self: Condition,
    {
        Aggregate::op(&MIN_BOOL, vec![self.into_node()])
    }

    /// Whether the condition holds in one row: PostgreSQL's `bool_or`.
    fn bool_or(self) -> Aggregate<Option<bool>>
    where
        Self: Condition,
    {
        Aggregate::op(&MAX_BOOL, vec![self.into_node()])
    }

    /// The texts of all rows, one after the other, with a separator between: SQLite's `group_concat`. Without
    /// [`order_by`](Aggregate::order_by) they come in no order.
    fn string_agg<V: Operand<String>>(self, separator: V) -> Aggregate<Option<String>>
    where
        Self::Type: Text,
    {
        Aggregate::op(&STRING_AGG, vec![self.into_node(), separator.into_operand()])
    }
}

impl<E: Expression> AggregateExpression for E {}

/// Stops the compiler where a type has no `min` and `max` on PostgreSQL 15, whose own error would come when the query
/// runs.
const fn has_least(sql_type: &SqlType) {
    match sql_type {
        SqlType::Uuid { .. } => {
            panic!("UUIDs have no min and no max in PostgreSQL: order by the column, and take the first row")
        }
        SqlType::LargeBinary => {
            panic!("bytes have no min and no max in PostgreSQL: order by the column, and take the first row")
        }
        SqlType::Json { .. } => panic!("JSON has no min and no max in PostgreSQL"),
        _ => {}
    }
}
