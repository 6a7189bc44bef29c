//! Windows: what a function sees of the rows around each row.

use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use super::core::{Expr, Expression};
use super::form::{Call, Form, Function};
use super::operand::{Both, Expressions, Operand};
use super::order::{IntoOrder, Order};
use crate::sql::node::Node;
use crate::sql::op::{Level, Op};
use crate::types::ColumnType;

static ROW_NUMBER: Op = Op::new("row_number", Level::Atom, "row_number()");
static RANK: Op = Op::new("rank", Level::Atom, "rank()");
static DENSE_RANK: Op = Op::new("dense_rank", Level::Atom, "dense_rank()");
static PERCENT_RANK: Op = Op::new("percent_rank", Level::Atom, "percent_rank()");
static CUME_DIST: Op = Op::new("cume_dist", Level::Atom, "cume_dist()");
static NTILE: Op = Op::new("ntile", Level::Atom, "ntile({0})");
static LAG: Op = Op::new("lag", Level::Atom, "lag({*})");
static LEAD: Op = Op::new("lead", Level::Atom, "lead({*})");
static FIRST_VALUE: Op = Op::new("first_value", Level::Atom, "first_value({0})");
static LAST_VALUE: Op = Op::new("last_value", Level::Atom, "last_value({0})");
static NTH_VALUE: Op = Op::new("nth_value", Level::Atom, "nth_value({0}, {1})");

/// What stands in `OVER (…)`: made by [`window`].
#[derive(Clone, Debug, Default)]
pub struct Window {
    pub(super) partition: Vec<Node>,
    pub(super) order: Vec<Order>,
    pub(super) frame: Option<Frame>,
}

/// A window over all rows; its methods narrow and order it.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::{row_number, window};
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, author_id: i64, views: i64 }
/// let by_author = window().partition_by(Post.author_id).order_by(Post.views.desc());
/// let ranked = select((Post.id, row_number().over(by_author.clone())));
/// // The sum of this row and the two before it.
/// let moving = select((Post.id, Post.views.sum().over(by_author.rows_between(-2..=0))));
/// ```
pub fn window() -> Window {
    Window::default()
}

impl Window {
    /// `PARTITION BY`: each row sees the rows that agree with it on these.
    pub fn partition_by<E: Expressions>(mut self, expressions: E) -> Self {
        self.partition.extend(expressions.into_nodes());
        self
    }

    /// The order of the rows in the window. Without a frame, an ordered window ends at the current row and its peers.
    pub fn order_by<O: IntoOrder>(mut self, terms: O) -> Self {
        terms.into_order(&mut self.order);
        self
    }

    /// `ROWS BETWEEN`: so many rows before (negative) and after the current one, which is 0. `..` has no end:
    /// `..=0` is all rows up to this one, `-1..=1` three rows.
    ///
    /// A frame that ends before it begins is an error when the statement is built.
    pub fn rows_between<R: RangeBounds<i64>>(mut self, rows: R) -> Self {
        self.frame = Some(Frame::new(Unit::Rows, &rows));
        self
    }

    /// `RANGE BETWEEN`: like [`rows_between`](Self::rows_between), counted in the value that the window is ordered by.
    pub fn range_between<R: RangeBounds<i64>>(mut self, range: R) -> Self {
        self.frame = Some(Frame::new(Unit::Range, &range));
        self
    }

    /// `GROUPS BETWEEN`: like [`rows_between`](Self::rows_between), counted in groups of equal rows.
    pub fn groups_between<R: RangeBounds<i64>>(mut self, groups: R) -> Self {
        self.frame = Some(Frame::new(Unit::Groups, &groups));
        self
    }
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Rows = 1,
    Range,
    Groups,
}

/// Which rows of the window count. `None` is without end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    unit: Unit,
    start: Option<i64>,
    end: Option<i64>,
}

impl Frame {
    fn new(unit: Unit, range: &impl RangeBounds<i64>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(at) => Some(*at),
            Bound::Excluded(at) => Some(at.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let end = match range.end_bound() {
            Bound::Included(at) => Some(*at),
            Bound::Excluded(at) => Some(at.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Frame { unit, start, end }
    }

    /// `ROWS BETWEEN 2 PRECEDING AND CURRENT ROW`
    pub(super) fn spelling(&self) -> Result<String, &'static str> {
        if self.start.zip(self.end).is_some_and(|(start, end)| start > end) {
            return Err("it ends before it begins");
        }
        let unit = match self.unit {
            Unit::Rows => "ROWS",
            Unit::Range => "RANGE",
            Unit::Groups => "GROUPS",
        };
        let edge = |at: Option<i64>, unbounded: &str| match at {
            None => unbounded.to_owned(),
            Some(0) => "CURRENT ROW".to_owned(),
            Some(rows) if rows < 0 => format!("{} PRECEDING", rows.unsigned_abs()),
            Some(rows) => format!("{rows} FOLLOWING"),
        };
        let (start, end) = (edge(self.start, "UNBOUNDED PRECEDING"), edge(self.end, "UNBOUNDED FOLLOWING"));
        Ok(format!("{unit} BETWEEN {start} AND {end}"))
    }

    /// All that its text depends on: for a shape.
    pub(super) fn mark(&self) -> (u8, [Option<i64>; 2]) {
        (self.unit as u8, [self.start, self.end])
    }
}

/// A function that needs a window: an expression once it has one, by [`over`](Self::over).
#[derive(Clone, Debug)]
#[must_use = "a window function is an expression only with `.over(window())`"]
pub struct WindowFunction<T> {
    op: &'static Op,
    operands: Vec<Node>,
    marker: PhantomData<fn() -> T>,
}

impl<T: ColumnType> WindowFunction<T> {
    fn new(op: &'static Op, operands: Vec<Node>) -> Self {
        WindowFunction { op, operands, marker: PhantomData }
    }

    /// `OVER (…)`
    pub fn over(self, window: Window) -> Expr<T> {
        let call = Call::new(Function::Op(self.op), self.operands, false);
        Expr::new(Form::Call(Call { window: Some(window), ..call }).into())
    }
}

/// `row_number() OVER (PARTITION BY … ORDER BY …)`
pub(crate) fn numbered(partition: Vec<Node>, order: Vec<Order>) -> Node {
    let call = Call::new(Function::Op(&ROW_NUMBER), Vec::new(), false);
    Form::Call(Call { window: Some(Window { partition, order, frame: None }), ..call }).into()
}

/// The number of the row in its window, from 1.
pub fn row_number() -> WindowFunction<i64> {
    WindowFunction::new(&ROW_NUMBER, Vec::new())
}

/// The number of the first of the rows that are equal in the window's order: 1, 2, 2, 4.
pub fn rank() -> WindowFunction<i64> {
    WindowFunction::new(&RANK, Vec::new())
}

/// The number of the group of rows that are equal in the window's order: 1, 2, 2, 3.
pub fn dense_rank() -> WindowFunction<i64> {
    WindowFunction::new(&DENSE_RANK, Vec::new())
}

/// The rank as a share of the window's rows: 0 for the first, 1 for the last.
pub fn percent_rank() -> WindowFunction<f64> {
    WindowFunction::new(&PERCENT_RANK, Vec::new())
}

/// The share of the window's rows that come no later than this one.
pub fn cume_dist() -> WindowFunction<f64> {
    WindowFunction::new(&CUME_DIST, Vec::new())
}

/// The number of the bucket, when the window's rows are dealt into so many, as evenly as can be; from 1.
pub fn ntile(buckets: u32) -> WindowFunction<i64> {
    WindowFunction::new(&NTILE, vec![number(buckets)])
}

/// Window functions over an expression.
pub trait WindowExpression: Expression {
    /// The value so many rows before this one; NULL where there is none.
    fn lag(self, rows: u32) -> WindowFunction<Option<<Self::Type as ColumnType>::Base>> {
        WindowFunction::new(&LAG, vec![self.into_node(), number(rows)])
    }

    /// The value so many rows after this one; NULL where there is none.
    fn lead(self, rows: u32) -> WindowFunction<Option<<Self::Type as ColumnType>::Base>> {
        WindowFunction::new(&LEAD, vec![self.into_node(), number(rows)])
    }

    /// The value so many rows before this one, or another where there is none.
    fn lag_or<V>(self, rows: u32, otherwise: V) -> WindowFunction<Both<Self::Type, V>>
    where
        V: Operand<<Self::Type as ColumnType>::Base>,
    {
        let rows = number(rows);
        WindowFunction::new(&LAG, vec![self.into_node(), rows, otherwise.into_operand()])
    }

    /// The value so many rows after this one, or another where there is none.
    fn lead_or<V>(self, rows: u32, otherwise: V) -> WindowFunction<Both<Self::Type, V>>
    where
        V: Operand<<Self::Type as ColumnType>::Base>,
    {
        let rows = number(rows);
        WindowFunction::new(&LEAD, vec![self.into_node(), rows, otherwise.into_operand()])
    }

    /// The value in the first row of the frame; NULL where the frame is empty.
    fn first_value(self) -> WindowFunction<Option<<Self::Type as ColumnType>::Base>> {
        WindowFunction::new(&FIRST_VALUE, vec![self.into_node()])
    }

    /// The value in the last row of the frame, which without [`rows_between`](Window::rows_between) is the current one.
    fn last_value(self) -> WindowFunction<Option<<Self::Type as ColumnType>::Base>> {
        WindowFunction::new(&LAST_VALUE, vec![self.into_node()])
    }

    /// The value in a row of the frame, from 1; NULL where it has fewer.
    fn nth_value(self, row: u32) -> WindowFunction<Option<<Self::Type as ColumnType>::Base>> {
        WindowFunction::new(&NTH_VALUE, vec![self.into_node(), number(row)])
    }
}

impl<E: Expression> WindowExpression for E {}

/// A count that the database wants as a 32-bit integer.
fn number(count: u32) -> Node {
    Operand::<i32>::into_operand(i32::try_from(count).unwrap_or(i32::MAX))
}
