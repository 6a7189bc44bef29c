//! Pages that begin after the last row of the one before (keyset pagination).

use super::expression::{Expression, IntoOrder, Nulls, Operand, Order};
use super::fetch::Fetch;
use super::node::Node;
use super::op::{Level, Op};
use super::select::Select;
use crate::dialect::Dialect;
use crate::types::{ColumnType, Kind, Value};

/// Descending order that knows its type, as a [`keyset`](Select::keyset) needs it: `desc(Post.views)`. In `order_by` it
/// is the same as `Post.views.desc()`.
pub fn desc<E: Expression>(expression: E) -> Descending<E> {
    Descending(expression)
}

/// What [`desc`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Descending<E>(E);

#[diagnostic::do_not_recommend]
impl<E: Expression> IntoOrder for Descending<E> {
    fn into_order(self, terms: &mut Vec<Order>) {
        terms.push(self.0.desc());
    }
}

/// One term of a keyset: a column or an expression that is never NULL, or [`desc`] of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a term of a keyset",
    label = "expected a column or expression that is no `Option`, or `desc(…)` of one"
)]
pub trait KeysetTerm {
    /// The type of its values.
    type Value: ColumnType;

    /// The term as one of ORDER BY.
    fn into_term(self) -> Order;
}

#[diagnostic::do_not_recommend]
impl<E> KeysetTerm for E
where
    E: Expression,
    E::Type: ColumnType<Null<bool> = bool>,
{
    type Value = E::Type;

    fn into_term(self) -> Order {
        self.asc()
    }
}

#[diagnostic::do_not_recommend]
impl<E> KeysetTerm for Descending<E>
where
    E: Expression,
    E::Type: ColumnType<Null<bool> = bool>,
{
    type Value = E::Type;

    fn into_term(self) -> Order {
        self.0.desc()
    }
}

/// The order of a keyset: a term, or a tuple of up to four.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a keyset",
    label = "expected a column that is no `Option`, `desc(…)` of one, or a tuple of up to four of these"
)]
pub trait Keyset {
    /// What a page ends with: a value for each term.
    type Last;

    /// The terms.
    #[doc(hidden)]
    fn into_terms(self) -> Vec<Order>;

    /// The values.
    #[doc(hidden)]
    fn into_values(last: Self::Last) -> Vec<Node>;
}

fn value<T: ColumnType>(value: T) -> Node {
    Operand::<T>::into_operand(value)
}

#[diagnostic::do_not_recommend]
impl<A: KeysetTerm> Keyset for A {
    type Last = A::Value;

    fn into_terms(self) -> Vec<Order> {
        vec![self.into_term()]
    }

    fn into_values(last: A::Value) -> Vec<Node> {
        vec![value(last)]
    }
}

macro_rules! keyset_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: KeysetTerm),+> Keyset for ($($name,)+) {
            type Last = ($($name::Value,)+);

            fn into_terms(self) -> Vec<Order> {
                vec![$(self.$index.into_term()),+]
            }

            fn into_values(last: Self::Last) -> Vec<Node> {
                vec![$(value(last.$index)),+]
            }
        }
    };
}

keyset_tuple!(A 0);
keyset_tuple!(A 0, B 1);
keyset_tuple!(A 0, B 1, C 2);
keyset_tuple!(A 0, B 1, C 2, D 3);

static AFTER: [Op; 3] = [
    Op::new("rows after two values", Level::Compare, "({0}, {1}) > ({2}, {3})"),
    Op::new("rows after three values", Level::Compare, "({0}, {1}, {2}) > ({3}, {4}, {5})"),
    Op::new("rows after four values", Level::Compare, "({0}, {1}, {2}, {3}) > ({4}, {5}, {6}, {7})"),
];

static BEFORE: [Op; 3] = [
    Op::new("rows before two values", Level::Compare, "({0}, {1}) < ({2}, {3})"),
    Op::new("rows before three values", Level::Compare, "({0}, {1}, {2}) < ({3}, {4}, {5})"),
    Op::new("rows before four values", Level::Compare, "({0}, {1}, {2}, {3}) < ({4}, {5}, {6}, {7})"),
];

impl<T: Fetch> Select<T> {
    /// Orders the rows by these terms, and leaves out those up to `last`: what the page before ended with, or `None`
    /// for the first page. A database finds the begin of such a page by an index, where an `offset` makes it read all
    /// rows before it.
    ///
    /// The terms together have to tell every two rows apart, or rows are lost between pages: let the last one be the
    /// primary key. None may be NULL.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # use limbeck::sql::desc;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
    /// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
    /// let mut last = None;
    /// loop {
    ///     let page = select(Post).keyset((desc(Post.views), Post.id), last).limit(20);
    ///     let posts = session.all(page).await?;
    ///     let Some(post) = posts.last() else { break };
    ///     last = Some((session[*post].views, session[*post].id));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn keyset<K: Keyset>(mut self, terms: K, last: Option<K::Last>) -> Self {
        let terms = terms.into_terms();
        if let Some(last) = last {
            self.core.filter.push(after(&terms, K::into_values(last)));
        }
        self.core.order_by.extend(terms);
        self
    }
}

/// The condition that a row comes after the one that has these values.
fn after(terms: &[Order], values: Vec<Node>) -> Node {
    let descending = terms.iter().all(|term| term.descending);
    let alike = descending || terms.iter().all(|term| !term.descending);
    let rows = if descending { &BEFORE } else { &AFTER };
    match terms.len().checked_sub(2).and_then(|index| rows.get(index)) {
        Some(op) if alike => Node::Op(op, terms.iter().map(|term| term.node.clone()).chain(values).collect()),
        _ => in_turn(terms, &values),
    }
}

/// `a > x OR (a = x AND b < y)`: for terms of which some go up and some go down.
fn in_turn(terms: &[Order], values: &[Node]) -> Node {
    let mut ways = Vec::with_capacity(terms.len());
    for (place, (term, value)) in terms.iter().zip(values).enumerate() {
        let operator = if term.descending { "<" } else { ">" };
        let mut way: Vec<Node> = (0..place).map(|same| binary("=", &terms[same].node, &values[same])).collect();
        way.push(binary(operator, &term.node, value));
        ways.extend(if way.len() == 1 { way.pop() } else { Some(Node::And(way)) });
    }
    match ways.len() {
        1 => ways.remove(0),
        _ => Node::Or(ways),
    }
}

fn binary(operator: &'static str, left: &Node, right: &Node) -> Node {
    Node::Binary(operator, Box::new((left.clone(), right.clone())))
}

/// The condition that a row comes after the one whose terms have these values. The terms are columns, which may be
/// NULL where `nullable` says so.
pub(crate) fn beyond(terms: &[(Order, Kind, bool)], last: &[Value<'static>], dialect: Dialect) -> Node {
    let value = |at: usize| Node::Bind(last[at].clone(), terms[at].1);
    if terms.iter().all(|(_, _, nullable)| !nullable) {
        let orders: Vec<Order> = terms.iter().map(|(term, ..)| term.clone()).collect();
        return after(&orders, (0..terms.len()).map(value).collect());
    }
    let mut ways = Vec::with_capacity(terms.len());
    for (place, (term, _, nullable)) in terms.iter().enumerate() {
        let same = |at: usize| match &last[at] {
            Value::Null => Node::IsNull(Box::new(terms[at].0.node.clone()), false),
            _ => binary("=", &terms[at].0.node, &value(at)),
        };
        let null = |negated: bool| Node::IsNull(Box::new(term.node.clone()), negated);
        let operator = if term.descending { "<" } else { ">" };
        let further = match (&last[place], nulls_last(term, dialect)) {
            // Nothing comes after it but its equals.
            (Value::Null, true) => continue,
            (Value::Null, false) => null(true),
            (_, true) if *nullable => Node::Or(vec![binary(operator, &term.node, &value(place)), null(false)]),
            _ => binary(operator, &term.node, &value(place)),
        };
        let mut way: Vec<Node> = (0..place).map(same).collect();
        way.push(further);
        ways.push(Node::And(way));
    }
    Node::Or(ways)
}

/// Where NULLs stand. PostgreSQL takes them for the largest value, SQLite for the smallest.
fn nulls_last(term: &Order, dialect: Dialect) -> bool {
    match term.nulls {
        Some(nulls) => nulls == Nulls::Last,
        None => term.descending == (dialect == Dialect::Sqlite),
    }
}
