//! What every column and expression has: comparison, membership, logic, order.

use std::marker::PhantomData;

use super::operand::{Members, Operand};
use super::order::Order;
use crate::model::{Column, Model};
use crate::sql::node::{ColumnRef, Node};
use crate::sql::op::{Level, Op};
use crate::types::ColumnType;

static TRUE: Op = Op::new("true", Level::Atom, "TRUE");
static FALSE: Op = Op::new("false", Level::Atom, "FALSE");
static BETWEEN: Op = Op::new("between", Level::Compare, "{0} BETWEEN {1} AND {2}");
static NOT_BETWEEN: Op = Op::new("not_between", Level::Compare, "{0} NOT BETWEEN {1} AND {2}");
static DISTINCT: Op = Op::differing("is_distinct_from", Level::Compare, "{0} IS NOT {1}", "{0} IS DISTINCT FROM {1}");
static NOT_DISTINCT: Op =
    Op::differing("is_not_distinct_from", Level::Compare, "{0} IS {1}", "{0} IS NOT DISTINCT FROM {1}");
static IS_TRUE: Op = Op::new("is_true", Level::Compare, "{0} IS TRUE");
static IS_FALSE: Op = Op::new("is_false", Level::Compare, "{0} IS FALSE");

/// An SQL expression of type `T`.
#[derive(Debug)]
pub struct Expr<T> {
    node: Node,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Expr<T> {
    fn clone(&self) -> Self {
        Expr::new(self.node.clone())
    }
}

impl<T> Expr<T> {
    pub(crate) fn new(node: Node) -> Self {
        Expr { node, marker: PhantomData }
    }

    pub(crate) fn op(op: &'static Op, operands: Vec<Node>) -> Self {
        Expr::new(Node::Op(op, operands))
    }
}

/// A condition: a column or expression that is true, false or NULL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "expected a comparison, such as `User.name.eq(\"ada\")`, or a column of type bool"
)]
pub trait Condition: Expression {}

#[diagnostic::do_not_recommend]
impl<E: Expression> Condition for E where E::Type: ColumnType<Base = bool> {}

/// A column or a computed expression, and the operators that it has.
///
/// A condition has the type `bool`, so that conditions go together whatever they are made of; but in SQL a comparison
/// with NULL is NULL, which a filter takes for false. Where a condition over columns that may be NULL is *selected*,
/// [`nullable`](Self::nullable) says so.
///
/// Operators take values, columns and expressions alike. The result owns all its values, so a query can be
/// kept, cloned and sent to another task.
// `is_null` makes a new expression of this one, so it takes it.
#[allow(clippy::wrong_self_convention)]
pub trait Expression: Sized {
    /// The Rust type of its values.
    type Type: ColumnType;

    /// The untyped expression.
    fn into_node(self) -> Node;

    /// `=`. Compared with a `None`, it is `IS NULL`, as in SQLAlchemy.
    fn eq<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        match other.into_operand() {
            Node::Bind(value, _) if value.is_null() => Expr::new(Node::IsNull(Box::new(self.into_node()), false)),
            other => binary("=", self.into_node(), other),
        }
    }

    /// `<>`. Compared with a `None`, it is `IS NOT NULL`. Rows in which either side is NULL do not match.
    fn ne<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        match other.into_operand() {
            Node::Bind(value, _) if value.is_null() => Expr::new(Node::IsNull(Box::new(self.into_node()), true)),
            other => binary("<>", self.into_node(), other),
        }
    }

    /// `<`
    fn lt<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        binary("<", self.into_node(), other.into_operand())
    }

    /// `<=`
    fn le<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        binary("<=", self.into_node(), other.into_operand())
    }

    /// `>`
    fn gt<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        binary(">", self.into_node(), other.into_operand())
    }

    /// `>=`
    fn ge<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        binary(">=", self.into_node(), other.into_operand())
    }

    /// `IS NULL`
    fn is_null(self) -> Expr<bool> {
        Expr::new(Node::IsNull(Box::new(self.into_node()), false))
    }

    /// `IS NOT NULL`
    fn is_not_null(self) -> Expr<bool> {
        Expr::new(Node::IsNull(Box::new(self.into_node()), true))
    }

    /// `BETWEEN`: at least `low` and at most `high`.
    fn between<A, B>(self, low: A, high: B) -> Expr<bool>
    where
        A: Operand<<Self::Type as ColumnType>::Base>,
        B: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::op(&BETWEEN, vec![self.into_node(), low.into_operand(), high.into_operand()])
    }

    /// `NOT BETWEEN`: less than `low` or more than `high`.
    fn not_between<A, B>(self, low: A, high: B) -> Expr<bool>
    where
        A: Operand<<Self::Type as ColumnType>::Base>,
        B: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::op(&NOT_BETWEEN, vec![self.into_node(), low.into_operand(), high.into_operand()])
    }

    /// Whether the two differ, where NULL is a value like any other: never NULL itself.
    ///
    /// PostgreSQL: `IS DISTINCT FROM`, SQLite: `IS NOT`.
    fn is_distinct_from<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        Expr::op(&DISTINCT, vec![self.into_node(), other.into_operand()])
    }

    /// Whether the two are the same, where NULL is a value like any other: never NULL itself.
    ///
    /// PostgreSQL: `IS NOT DISTINCT FROM`, SQLite: `IS`.
    fn is_not_distinct_from<V: Operand<<Self::Type as ColumnType>::Base>>(self, other: V) -> Expr<bool> {
        Expr::op(&NOT_DISTINCT, vec![self.into_node(), other.into_operand()])
    }

    /// `IS TRUE`: NULL is not.
    fn is_true(self) -> Expr<bool>
    where
        Self: Condition,
    {
        Expr::op(&IS_TRUE, vec![self.into_node()])
    }

    /// `IS FALSE`: NULL is not.
    fn is_false(self) -> Expr<bool>
    where
        Self: Condition,
    {
        Expr::op(&IS_FALSE, vec![self.into_node()])
    }

    /// Whether the value is one of `values`: a list, or a query of one column.
    ///
    /// A list is one parameter for any number of values, so that no limit is met and the statement is prepared once.
    ///
    /// SQL's rules for NULL hold: a NULL among the values makes `not_in` true for no row. Over no values,
    /// `in_` is false and `not_in` true, also for NULL.
    fn in_<L: Members<<Self::Type as ColumnType>::Base>>(self, values: L) -> Expr<bool> {
        Expr::new(values.among(self.into_node(), false))
    }

    /// Whether the value is none of `values`. See [`in_`](Self::in_) for NULL.
    fn not_in<L: Members<<Self::Type as ColumnType>::Base>>(self, values: L) -> Expr<bool> {
        Expr::new(values.among(self.into_node(), true))
    }

    /// `AND`
    fn and<E: Condition>(self, other: E) -> Expr<bool>
    where
        Self: Condition,
    {
        let mut parts = match self.into_node() {
            Node::And(parts) => parts,
            node => vec![node],
        };
        parts.push(other.into_node());
        Expr::new(Node::And(parts))
    }

    /// `OR`
    fn or<E: Condition>(self, other: E) -> Expr<bool>
    where
        Self: Condition,
    {
        let mut parts = match self.into_node() {
            Node::Or(parts) => parts,
            node => vec![node],
        };
        parts.push(other.into_node());
        Expr::new(Node::Or(parts))
    }

    /// `NOT`; the operator `!` does the same.
    fn not(self) -> Expr<bool>
    where
        Self: Condition,
    {
        Expr::new(Node::Not(Box::new(self.into_node())))
    }

    /// The same, as something that may be NULL: for a condition over columns that may be NULL, when it is selected.
    fn nullable(self) -> Expr<Option<<Self::Type as ColumnType>::Base>> {
        Expr::new(self.into_node())
    }

    /// The same expression, which may be NULL: for a column of a table that an outer join may leave out, as in
    /// `select((Post.title, User.name.optional())).left_join(Post.author)`.
    fn optional(self) -> Expr<Option<<Self::Type as ColumnType>::Base>> {
        Expr::new(self.into_node())
    }

    /// Ascending order. NULLs stand where the database puts them: first on SQLite, last on PostgreSQL; the
    /// other way round for [`desc`](Self::desc).
    fn asc(self) -> Order {
        Order { node: self.into_node(), descending: false, nulls: None }
    }

    /// Descending order.
    fn desc(self) -> Order {
        Order { node: self.into_node(), descending: true, nulls: None }
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> Expression for Column<M, T> {
    type Type = T;

    fn into_node(self) -> Node {
        Node::Column(ColumnRef { model: M::def(), alias: self.alias, index: self.index })
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Expression for Expr<T> {
    type Type = T;

    fn into_node(self) -> Node {
        self.node
    }
}

/// So that an expression can be used again: the column of a subquery, for one.
#[diagnostic::do_not_recommend]
impl<T: ColumnType> Expression for &Expr<T> {
    type Type = T;

    fn into_node(self) -> Node {
        self.node.clone()
    }
}

impl<T: ColumnType<Base = bool>> std::ops::Not for Expr<T> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        Expression::not(self)
    }
}

impl<M: Model, T: ColumnType<Base = bool>> std::ops::Not for Column<M, T> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        Expression::not(self)
    }
}

fn binary(operator: &'static str, left: Node, right: Node) -> Expr<bool> {
    Expr::new(Node::Binary(operator, Box::new((left, right))))
}

/// A value as an expression: `literal(1).coalesce(Item.n)`. It is bound like any other value, and compared like one:
/// [`eq`](Expression::eq) with `literal(None)` is `IS NULL`.
pub fn literal<T: ColumnType>(value: T) -> Expr<T> {
    Expr::new(Operand::<T>::into_operand(value))
}

/// The conditions that all hold, made at run time; true where there are none.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::all_of;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String }
/// let words = ["rust", "sql"];
/// let posts = select(Post).filter(all_of(words.map(|word| Post.title.contains(word))));
/// ```
pub fn all_of<I>(conditions: I) -> Expr<bool>
where
    I: IntoIterator,
    I::Item: Condition,
{
    folded(conditions, Node::And, &TRUE)
}

/// The conditions of which one holds, made at run time; false where there are none.
pub fn any_of<I>(conditions: I) -> Expr<bool>
where
    I: IntoIterator,
    I::Item: Condition,
{
    folded(conditions, Node::Or, &FALSE)
}

fn folded<I>(conditions: I, join: fn(Vec<Node>) -> Node, empty: &'static Op) -> Expr<bool>
where
    I: IntoIterator,
    I::Item: Condition,
{
    let mut nodes: Vec<Node> = conditions.into_iter().map(Expression::into_node).collect();
    Expr::new(match nodes.len() {
        0 => Node::Op(empty, Vec::new()),
        1 => nodes.remove(0),
        _ => join(nodes),
    })
}
