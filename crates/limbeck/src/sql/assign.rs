//! What `session.set` takes for a column: a value, or an SQL expression that the flush computes for one row.

use super::check::{Checker, Known, Scope};
use super::expression::{Expr, Expression};
use super::node::{Node, Source};
use super::render::Renderer;
use super::shape::{Shape, ShapeKind};
use super::subquery::Origin;
use super::write::{Fits, writable};
use crate::dialect::Dialect;
use crate::driver::Bind;
use crate::error::{Error, Result};
use crate::model::{Column, Model, ModelDef};
use crate::types::{ColumnType, Value};

/// What a column of type `T` is set to by [`session.set`](crate::session::Session::set): a value
/// (`T` itself, `T` for an `Option<T>`, `&str` for a `String`), a column or an expression of that type.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be set to a `{Self}`",
    label = "expected a value, a column or an expression of type `{T}`; one that may be NULL fits only an `Option`"
)]
pub trait Assignable<T> {
    /// Which of them it is.
    #[doc(hidden)]
    fn into_assigned(self) -> Assigned<T>;
}

/// What a column is set to.
#[doc(hidden)]
#[derive(Debug)]
pub enum Assigned<T> {
    /// A value.
    Value(T),
    /// An expression.
    Expression(Node),
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Assignable<T> for T {
    fn into_assigned(self) -> Assigned<T> {
        Assigned::Value(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Assignable<Option<T>> for T {
    fn into_assigned(self) -> Assigned<Option<T>> {
        Assigned::Value(Some(self))
    }
}

macro_rules! text {
    ($($text:ty)+) => {$(
        #[diagnostic::do_not_recommend]
        impl Assignable<String> for $text {
            fn into_assigned(self) -> Assigned<String> {
                Assigned::Value(self.to_owned())
            }
        }

        #[diagnostic::do_not_recommend]
        impl Assignable<Option<String>> for $text {
            fn into_assigned(self) -> Assigned<Option<String>> {
                Assigned::Value(Some(self.to_owned()))
            }
        }
    )+};
}

text!(&str & String);

#[diagnostic::do_not_recommend]
impl<T, U: ColumnType + Fits<T>> Assignable<T> for Expr<U> {
    fn into_assigned(self) -> Assigned<T> {
        Assigned::Expression(self.into_node())
    }
}

#[diagnostic::do_not_recommend]
impl<T, U: ColumnType + Fits<T>> Assignable<T> for &Expr<U> {
    fn into_assigned(self) -> Assigned<T> {
        Assigned::Expression(self.into_node())
    }
}

#[diagnostic::do_not_recommend]
impl<T, M: Model, U: ColumnType + Fits<T>> Assignable<T> for Column<M, U> {
    fn into_assigned(self) -> Assigned<T> {
        Assigned::Expression(self.into_node())
    }
}

/// An expression that one column of one row is set to, checked.
#[derive(Clone, Debug)]
pub(crate) struct RowExpression {
    node: Node,
    /// All but its values: equal where the text is.
    shape: Vec<u8>,
    /// Its values, in the order of their placeholders; a list is an array.
    values: Vec<Value<'static>>,
}

impl RowExpression {
    /// Checks that the expression can be computed for a row of the model, on this database. A row that is to be
    /// inserted has no columns that it could name.
    ///
    /// # Errors
    /// [`Error::Statement`], [`Error::InvalidValue`]
    pub(crate) fn new(
        dialect: Dialect,
        model: &'static ModelDef,
        column: usize,
        has_row: bool,
        node: Node,
    ) -> Result<Self> {
        writable(model, column)?;
        let mut shape = Shape::new(ShapeKind::Select);
        shape.node(&node, dialect);
        if !shape.ctes().is_empty() {
            return Err(Error::Statement(
                "a column of one row cannot be set from a CTE: write the query as a `.subquery(\"name\")`".into(),
            ));
        }
        only_own_columns(model, &node)?;
        if !has_row {
            no_own_columns(model, &node)?;
        }
        let known = if has_row { vec![Known::new(Origin::Table(Source { model, alias: None }))] } else { Vec::new() };
        Checker::new(&[])?.row_value(&node, &Scope { known, around: None })?;
        let mut renderer = Renderer::new(dialect);
        renderer.node(&node).finish()?;
        let (shape, binds) = shape.whole();
        let values = binds.iter().map(|bind| match bind {
            Bind::One(value) => value.borrowed().into_owned(),
            Bind::Many(values) => Value::Array(values.iter().map(|value| value.borrowed().into_owned()).collect()),
        });
        let values = values.collect();
        Ok(RowExpression { shape, values, node })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Whether it names a column of the row's model.
    pub(crate) fn names(&self, model: &'static ModelDef, index: usize) -> bool {
        let mut named = false;
        self.node.walk(&mut |node| {
            if let Node::Column(column) = node {
                named |= std::ptr::eq(column.model, model) && usize::from(column.index) == index;
            }
        });
        named
    }

    pub(crate) fn shape(&self) -> &[u8] {
        &self.shape
    }

    pub(crate) fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

/// Refuses columns of other rows: an expression has one row to look at.
fn only_own_columns(model: &'static ModelDef, node: &Node) -> Result<()> {
    let mut other = None;
    node.walk(&mut |node| {
        if let Node::Column(column) = node
            && !std::ptr::eq(column.model, model)
        {
            other.get_or_insert((column.model, usize::from(column.index)));
        }
    });
    match other {
        None => Ok(()),
        Some((of, column)) => Err(Error::Statement(format!(
            "`{0}.{1}` is used in an expression for a column of one `{2}`, and is not a column of that row: read it by a \
             query, as in `select({0}.{1}).filter(…).scalar()`",
            of.name, of.columns[column].field, model.name
        ))),
    }
}

/// Refuses an expression over columns that the row does not have yet.
fn no_own_columns(model: &'static ModelDef, node: &Node) -> Result<()> {
    let mut own = None;
    node.walk(&mut |node| {
        if let Node::Column(column) = node
            && std::ptr::eq(column.model, model)
            && column.alias.is_none()
        {
            own.get_or_insert(usize::from(column.index));
        }
    });
    match own {
        None => Ok(()),
        Some(column) => Err(Error::Statement(format!(
            "`{0}.{1}` is used in an expression for a new `{0}`, which has no row that could have a value of it: flush \
             first, or use the value that the object holds",
            model.name, model.columns[column].field
        ))),
    }
}
