//! Arrays. On SQLite they are JSON, so what is asked of them is asked by `json_each`.

use super::aggregate::Aggregate;
use super::core::{Expr, Expression};
use super::form::Form;
use super::operand::Operand;
use super::text::Container;
use crate::sql::node::Node;
use crate::sql::op::{Level, Op};
use crate::types::{ColumnType, Element, Kind};

static ANY: Op = Op::differing(
    "any",
    Level::Compare,
    "iif({0} IS NULL, NULL, {1} IN (SELECT value FROM json_each({0})))",
    "{1} = ANY({0})",
);
/// Bytes stand in JSON in hexadecimal digits.
static ANY_BYTES: Op = Op::differing(
    "any",
    Level::Compare,
    "iif({0} IS NULL, NULL, {1} IN (SELECT unhex(value) FROM json_each({0})))",
    "{1} = ANY({0})",
);
static CONTAINS: Op = Op::differing(
    "contains",
    Level::Other,
    "iif({0} IS NULL OR {1} IS NULL, NULL, NOT EXISTS (SELECT 1 FROM json_each({1}) AS limbeck_part \
     WHERE limbeck_part.value IS NULL OR limbeck_part.value NOT IN \
     (SELECT limbeck_whole.value FROM json_each({0}) AS limbeck_whole WHERE limbeck_whole.value IS NOT NULL)))",
    "{0} @> {1}",
);
static OVERLAPS: Op = Op::differing(
    "overlaps",
    Level::Other,
    "iif({0} IS NULL OR {1} IS NULL, NULL, EXISTS (SELECT 1 FROM json_each({1}) AS limbeck_part \
     WHERE limbeck_part.value IN (SELECT limbeck_whole.value FROM json_each({0}) AS limbeck_whole)))",
    "{0} && {1}",
);
static LENGTH: Op = Op::differing("len", Level::Atom, "json_array_length({0})", "cardinality({0})");
static ARRAY_AGG: Op = Op::differing("array_agg", Level::Atom, "json_group_array({0})", "array_agg({0})");
static ARRAY_AGG_BYTES: Op = Op::differing("array_agg", Level::Atom, "json_group_array(hex({0}))", "array_agg({0})");
/// Over no rows SQLite makes an array of none.
static NO_ARRAY: Op = Op::differing("array_agg of no rows", Level::Atom, "nullif({0}, '[]')", "{0}");

/// A type that is an array: `Vec<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an array",
    label = "expected a column or an expression of type `Vec<…>`"
)]
pub trait Array: ColumnType {
    /// What it is made of.
    type Item: ColumnType;
}

impl<T: Element> Array for Vec<T> {
    type Item = T;
}

#[diagnostic::do_not_recommend]
impl<T: Element> Container for Vec<T> {
    fn contains(whole: Node, part: Node) -> Expr<bool> {
        Expr::op(&CONTAINS, vec![whole, part])
    }
}

type Base<E> = <<E as Expression>::Type as ColumnType>::Base;
/// What an array is made of, apart from NULL.
type Item<E> = <<Base<E> as Array>::Item as ColumnType>::Base;

// `is_empty` makes a new expression of this one, so it takes it.
#[allow(clippy::wrong_self_convention)]
/// Arrays. [`contains`](super::ContainsExpression::contains) is theirs too.
pub trait ArrayExpression: Expression {
    /// Whether an element of it is that value: `… = ANY(array)`.
    fn any<V: Operand<Item<Self>>>(self, value: V) -> Expr<bool>
    where
        Base<Self>: Array,
    {
        let op = if is_bytes::<Item<Self>>() { &ANY_BYTES } else { &ANY };
        Expr::op(op, vec![self.into_node(), value.into_operand()])
    }

    /// Whether the two have an element in common. PostgreSQL: `&&`.
    fn overlaps<V: Operand<Base<Self>>>(self, other: V) -> Expr<bool>
    where
        Base<Self>: Array,
    {
        Expr::op(&OVERLAPS, vec![self.into_node(), other.into_operand()])
    }

    /// How many elements it has.
    fn len(self) -> Expr<<Self::Type as ColumnType>::Null<i32>>
    where
        Base<Self>: Array,
    {
        Expr::op(&LENGTH, vec![self.into_node()])
    }

    /// Whether it has no elements.
    fn is_empty(self) -> Expr<bool>
    where
        Base<Self>: Array,
    {
        Expr::<i32>::new(self.len().into_node()).eq(0)
    }

    /// An element of it, counted from 0; NULL where it has fewer.
    fn item(self, index: usize) -> Expr<Option<Item<Self>>>
    where
        Base<Self>: Array,
    {
        Expr::new(Form::Element { node: self.into_node(), index, bytes: is_bytes::<Item<Self>>() }.into())
    }

    /// The values of all rows as an array, NULLs among them. SQLite: `json_group_array`. Without
    /// [`order_by`](Aggregate::order_by) they come in no order.
    fn array_agg(self) -> Aggregate<Option<Vec<Self::Type>>>
    where
        Self::Type: Element,
    {
        let op = if is_bytes::<Self::Type>() { &ARRAY_AGG_BYTES } else { &ARRAY_AGG };
        Aggregate::op(op, vec![self.into_node()]).around(Some(&NO_ARRAY))
    }
}

impl<E: Expression> ArrayExpression for E {}

/// Whether SQLite keeps such values as bytes.
fn is_bytes<T: ColumnType>() -> bool {
    matches!(T::SQL_TYPE.kind(), Kind::Bytes | Kind::Uuid)
}
