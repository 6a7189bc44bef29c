//! Typed expressions: what `User.email.eq("…")` is.

use std::marker::PhantomData;

use super::node::{ColumnRef, Node};
use crate::model::{Column, Model};
use crate::types::ColumnType;

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
}

/// Something on the other side of an operator: a value, a column or an expression whose type, apart from
/// NULL, is `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a column of type `{T}`",
    label = "expected a value, a column or an expression of type `{T}`"
)]
pub trait Operand<T> {
    /// The untyped expression.
    fn into_operand(self) -> Node;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T> for T {
    fn into_operand(self) -> Node {
        let mut value = self;
        value.normalize();
        Node::Bind(value.encode().into_owned(), T::SQL_TYPE.kind())
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T> for Option<T> {
    fn into_operand(self) -> Node {
        Operand::<Option<T>>::into_operand(self)
    }
}

#[diagnostic::do_not_recommend]
impl Operand<String> for &str {
    fn into_operand(self) -> Node {
        self.to_owned().into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl Operand<String> for Option<&str> {
    fn into_operand(self) -> Node {
        Operand::<Option<String>>::into_operand(self.map(str::to_owned))
    }
}

/// What an iterator over borrowed values gives: `.in_(&ids)`.
#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T> for &T {
    fn into_operand(self) -> Node {
        self.clone().into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> Operand<T::Base> for Column<M, T> {
    fn into_operand(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T::Base> for Expr<T> {
    fn into_operand(self) -> Node {
        self.node
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

    /// Whether the value is one of `values`: one parameter for any number of them, so that no limit is met
    /// and the statement is prepared once.
    ///
    /// SQL's rules for NULL hold: a NULL among the values makes `not_in` true for no row. Over no values,
    /// `in_` is false and `not_in` true, also for NULL.
    fn in_<I>(self, values: I) -> Expr<bool>
    where
        I: IntoIterator,
        I::Item: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::new(among(self, values, false))
    }

    /// Whether the value is none of `values`. See [`in_`](Self::in_) for NULL.
    fn not_in<I>(self, values: I) -> Expr<bool>
    where
        I: IntoIterator,
        I::Item: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::new(among(self, values, true))
    }

    /// `LIKE`, with `%` and `_` as wildcards. Each database means what it means by it: SQLite ignores the
    /// case of ASCII letters, PostgreSQL does not.
    fn like<V: Operand<String>>(self, pattern: V) -> Expr<bool>
    where
        Self::Type: ColumnType<Base = String>,
    {
        binary("LIKE", self.into_node(), pattern.into_operand())
    }

    /// `NOT LIKE`
    fn not_like<V: Operand<String>>(self, pattern: V) -> Expr<bool>
    where
        Self::Type: ColumnType<Base = String>,
    {
        binary("NOT LIKE", self.into_node(), pattern.into_operand())
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

    /// The number of rows in which the expression is not NULL.
    fn count(self) -> Expr<i64> {
        Expr::new(Node::Call("count", vec![self.into_node()]))
    }

    /// The same expression, which may be NULL: for a column of a table that an outer join may leave out, as in
    /// `select((Post.title, User.name.optional())).left_join(Post.author)`.
    fn optional(self) -> Expr<Option<<Self::Type as ColumnType>::Base>> {
        Expr::new(self.into_node())
    }

    /// Ascending order. NULLs stand where the database puts them: first on SQLite, last on PostgreSQL; the
    /// other way round for [`desc`](Self::desc).
    fn asc(self) -> Order {
        Order { node: self.into_node(), descending: false }
    }

    /// Descending order.
    fn desc(self) -> Order {
        Order { node: self.into_node(), descending: true }
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

impl std::ops::Not for Expr<bool> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        Expression::not(self)
    }
}

impl<M: Model> std::ops::Not for Column<M, bool> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        Expression::not(self)
    }
}

impl<M: Model> std::ops::Not for Column<M, Option<bool>> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        Expression::not(self)
    }
}

fn binary(operator: &'static str, left: Node, right: Node) -> Expr<bool> {
    Expr::new(Node::Binary(operator, Box::new((left, right))))
}

fn among<E, I>(item: E, values: I, negated: bool) -> Node
where
    E: Expression,
    I: IntoIterator,
    I::Item: Operand<<E::Type as ColumnType>::Base>,
{
    let item = Box::new(item.into_node());
    let list: Vec<Node> = values.into_iter().map(Operand::into_operand).collect();
    if list.iter().any(|node| !matches!(node, Node::Bind(..))) {
        return Node::InList { item, list, negated };
    }
    let values = list
        .into_iter()
        .filter_map(|node| match node {
            Node::Bind(value, _) => Some(value),
            _ => None,
        })
        .collect();
    Node::InValues { item, values, kind: <E::Type as ColumnType>::SQL_TYPE.kind(), negated }
}

/// `count(*)`
pub fn count() -> Expr<i64> {
    Expr::new(Node::CountAll)
}

/// One term of an ORDER BY.
#[derive(Clone, Debug)]
pub struct Order {
    pub(crate) node: Node,
    pub(crate) descending: bool,
}

/// What `order_by` takes: a column or expression (ascending), `.desc()` of one, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "cannot order by `{Self}`",
    label = "expected a column, an expression, or `.asc()`/`.desc()` of one"
)]
pub trait IntoOrder {
    /// The terms, in order.
    fn into_order(self, terms: &mut Vec<Order>);
}

#[diagnostic::do_not_recommend]
impl<E: Expression> IntoOrder for E {
    fn into_order(self, terms: &mut Vec<Order>) {
        terms.push(self.asc());
    }
}

#[diagnostic::do_not_recommend]
impl IntoOrder for Order {
    fn into_order(self, terms: &mut Vec<Order>) {
        terms.push(self);
    }
}

macro_rules! order_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: IntoOrder),+> IntoOrder for ($($name,)+) {
            fn into_order(self, terms: &mut Vec<Order>) {
                $(self.$index.into_order(terms);)+
            }
        }
    };
}

order_tuple!(A 0, B 1);
order_tuple!(A 0, B 1, C 2);
order_tuple!(A 0, B 1, C 2, D 3);
order_tuple!(A 0, B 1, C 2, D 3, E 4);
order_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
