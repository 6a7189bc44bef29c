//! `CASE`: one value under one condition, another under another.

use std::marker::PhantomData;

use super::aggregate::Aggregate;
use super::core::{Condition, Expr, Expression};
use super::form::Form;
use super::operand::Operand;
use crate::model::{Column, Model};
use crate::sql::node::Node;
use crate::types::ColumnType;

/// Begins a `CASE`: [`Case::when`] gives it its first value, and with it its type.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::case;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, views: i64 }
/// let size = case()
///     .when(Post.views.ge(1000), "large")
///     .when(Post.views.ge(10), "middling")
///     .otherwise("small");
/// let sizes = select((Post.id, size));
/// ```
pub fn case() -> Case {
    Case
}

/// A `CASE` that has no branch yet.
#[derive(Clone, Copy, Debug)]
#[must_use = "a `case()` is an expression once it has `.when(…)` and `.otherwise(…)` or `.end()`"]
pub struct Case;

impl Case {
    /// The value where the condition holds. The type of the whole is that of this value.
    pub fn when<C: Condition, V: Branch>(self, condition: C, value: V) -> When<V::Type> {
        When { whens: vec![(condition.into_node(), value.into_branch())], marker: PhantomData }
    }
}

/// A `CASE` with branches.
#[derive(Debug)]
#[must_use = "a `case()` is an expression once it has `.otherwise(…)` or `.end()`"]
pub struct When<T> {
    whens: Vec<(Node, Node)>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for When<T> {
    fn clone(&self) -> Self {
        When { whens: self.whens.clone(), marker: PhantomData }
    }
}

impl<T: ColumnType> When<T> {
    /// The value where this condition holds and none before it.
    pub fn when<C: Condition, V: Operand<T::Base>>(
        mut self,
        condition: C,
        value: V,
    ) -> When<T::Null<V::Null<T::Base>>> {
        self.whens.push((condition.into_node(), value.into_operand()));
        When { whens: self.whens, marker: PhantomData }
    }

    /// The value where none of the conditions holds.
    pub fn otherwise<V: Operand<T::Base>>(self, value: V) -> Expr<T::Null<V::Null<T::Base>>> {
        Expr::new(Form::Case { whens: self.whens, otherwise: Some(value.into_operand()) }.into())
    }

    /// NULL where none of the conditions holds.
    pub fn end(self) -> Expr<Option<T::Base>> {
        Expr::new(Form::Case { whens: self.whens, otherwise: None }.into())
    }
}

/// The first value of a [`case`]: a value, a column or an expression of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a CASE",
    label = "expected a value, a column or an expression"
)]
pub trait Branch {
    /// Its type.
    type Type: ColumnType;

    /// The untyped expression.
    fn into_branch(self) -> Node;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Branch for T {
    type Type = T;

    fn into_branch(self) -> Node {
        self.into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl Branch for &str {
    type Type = String;

    fn into_branch(self) -> Node {
        self.into_operand()
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> Branch for Column<M, T> {
    type Type = T;

    fn into_branch(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Branch for Expr<T> {
    type Type = T;

    fn into_branch(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Branch for &Expr<T> {
    type Type = T;

    fn into_branch(self) -> Node {
        self.into_node()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Branch for Aggregate<T> {
    type Type = T;

    fn into_branch(self) -> Node {
        self.into_node()
    }
}
