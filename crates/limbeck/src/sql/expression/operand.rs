//! What stands beside an expression: operands, lists, arguments.

use std::sync::Arc;

use super::core::{Expr, Expression};
use crate::model::{Column, Model};
use crate::sql::Select;
use crate::sql::node::{InnerQuery, Node};
use crate::types::{ColumnType, Kind};

/// Something on the other side of an operator: a value, a column or an expression whose type, apart from
/// NULL, is `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared or combined with a value of type `{T}`",
    label = "expected a value, a column or an expression of type `{T}`"
)]
pub trait Operand<T> {
    /// `U`, and NULL where this operand may be.
    type Null<U: ColumnType>: ColumnType;

    /// The untyped expression.
    fn into_operand(self) -> Node;
}

/// What is of type `T` or the operand `V`: NULL where one of them may be.
pub(in crate::sql) type Both<T, V> =
    <T as ColumnType>::Null<<V as Operand<<T as ColumnType>::Base>>::Null<<T as ColumnType>::Base>>;

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T> for T {
    type Null<U: ColumnType> = T::Null<U>;

    fn into_operand(self) -> Node {
        let mut value = self;
        value.normalize();
        Node::Bind(value.encode().into_owned(), T::SQL_TYPE.kind())
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T> for Option<T> {
    type Null<U: ColumnType> = Option<U::Base>;

    fn into_operand(self) -> Node {
        Operand::<Option<T>>::into_operand(self)
    }
}

#[diagnostic::do_not_recommend]
impl Operand<String> for &str {
    type Null<U: ColumnType> = U;

    fn into_operand(self) -> Node {
        self.to_owned().into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl Operand<String> for Option<&str> {
    type Null<U: ColumnType> = Option<U::Base>;

    fn into_operand(self) -> Node {
        Operand::<Option<String>>::into_operand(self.map(str::to_owned))
    }
}

/// What an iterator over borrowed values gives: `.in_(&ids)`.
#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T> for &T {
    type Null<U: ColumnType> = T::Null<U>;

    fn into_operand(self) -> Node {
        self.clone().into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> Operand<T::Base> for Column<M, T> {
    type Null<U: ColumnType> = T::Null<U>;

    fn into_operand(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T::Base> for Expr<T> {
    type Null<U: ColumnType> = T::Null<U>;

    fn into_operand(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Operand<T::Base> for &Expr<T> {
    type Null<U: ColumnType> = T::Null<U>;

    fn into_operand(self) -> Node {
        self.into_node()
    }
}

/// Where `in_` looks: a list of values, columns and expressions, or a query of one column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of `{T}`",
    label = "expected an array, a `Vec` or an iterator of values of type `{T}`, or a query that selects one such column"
)]
pub trait Members<T: ColumnType> {
    /// The condition that `item` is among them, or that it is not.
    fn among(self, item: Node, negated: bool) -> Node;
}

#[diagnostic::do_not_recommend]
impl<T, I> Members<T> for I
where
    T: ColumnType,
    I: IntoIterator,
    I::Item: Operand<T>,
{
    fn among(self, item: Node, negated: bool) -> Node {
        among(item, self.into_iter().map(Operand::into_operand).collect(), T::SQL_TYPE.kind(), negated)
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType, R: ColumnType<Base = T>> Members<T> for Select<R> {
    fn among(self, item: Node, negated: bool) -> Node {
        Node::InQuery { item: Box::new(item), query: InnerQuery(Arc::new(self.core)), negated }
    }
}

/// One parameter where all are values.
fn among(item: Node, list: Vec<Node>, kind: Kind, negated: bool) -> Node {
    let item = Box::new(item);
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
    Node::InValues { item, values, kind, negated }
}

/// An argument of a function that takes any type: a value, a column or an expression.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an SQL function",
    label = "expected a value, a column or an expression"
)]
pub trait Argument {
    /// The untyped expression.
    fn into_argument(self) -> Node;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Argument for T {
    fn into_argument(self) -> Node {
        self.into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl Argument for &str {
    fn into_argument(self) -> Node {
        self.into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> Argument for Column<M, T> {
    fn into_argument(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Argument for Expr<T> {
    fn into_argument(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Argument for &Expr<T> {
    fn into_argument(self) -> Node {
        self.into_node()
    }
}

/// The arguments of a function: one, or a tuple of up to eight; `()` is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of an SQL function",
    label = "expected a value, a column, an expression, or a tuple of these"
)]
pub trait Arguments {
    /// The untyped expressions.
    fn into_arguments(self) -> Vec<Node>;
}

#[diagnostic::do_not_recommend]
impl<A: Argument> Arguments for A {
    fn into_arguments(self) -> Vec<Node> {
        vec![self.into_argument()]
    }
}

impl Arguments for () {
    fn into_arguments(self) -> Vec<Node> {
        Vec::new()
    }
}

/// A column or expression, or a tuple of up to eight: what rows are grouped or partitioned by.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of columns",
    label = "expected a column, an expression, or a tuple of these"
)]
pub trait Expressions {
    /// The untyped expressions.
    fn into_nodes(self) -> Vec<Node>;
}

#[diagnostic::do_not_recommend]
impl<E: Expression> Expressions for E {
    fn into_nodes(self) -> Vec<Node> {
        vec![self.into_node()]
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Argument),+> Arguments for ($($name,)+) {
            fn into_arguments(self) -> Vec<Node> {
                vec![$(self.$index.into_argument()),+]
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($name: Expression),+> Expressions for ($($name,)+) {
            fn into_nodes(self) -> Vec<Node> {
                vec![$(self.$index.into_node()),+]
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
