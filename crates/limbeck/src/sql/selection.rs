//! What a query selects: models, columns, expressions, and tuples of these.

use super::expression::Expression;
use super::fetch::Fetch;
use super::node::{Node, Source};
use super::subquery::Origin;
use crate::model::{Column, Model, TableOf};
use crate::types::ColumnType;

/// One item of the select list.
#[derive(Clone, Debug)]
pub(crate) enum Projection {
    /// All columns of a model.
    Model {
        /// Where they come from.
        source: Source,
        /// Whether a row may be without.
        optional: bool,
    },
    /// One expression.
    Node {
        /// The expression.
        node: Node,
        /// Whether its type can hold NULL.
        nullable: bool,
    },
}

impl Projection {
    /// How many columns it is.
    pub(crate) fn width(&self) -> usize {
        match self {
            Projection::Model { source, .. } => source.model.fetched().len(),
            Projection::Node { .. } => 1,
        }
    }

    /// The first table, or subquery, that it names.
    fn origin(&self) -> Option<Origin> {
        match self {
            Projection::Model { source, .. } => Some(Origin::Table(*source)),
            Projection::Node { node, .. } => {
                let mut first = None;
                node.walk(&mut |node| match node {
                    Node::Column(column) if first.is_none() => first = Some(Origin::Table(column.source())),
                    Node::Derived(column) if first.is_none() => first = Some(Origin::Derived(column.of.clone())),
                    _ => {}
                });
                first
            }
        }
    }
}

impl ProjectionList {
    /// The table of the first column, from which a query starts unless it says otherwise.
    pub(super) fn origin(&self) -> Option<Origin> {
        self.0.iter().find_map(Projection::origin)
    }
}

/// What `select` takes: the constant of a model, a column, an expression, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected",
    label = "expected a model's name (as in `select(User)`), a view's, a column, or a tuple of columns"
)]
pub trait Selection {
    /// What a row becomes.
    type Row: Fetch;

    /// The items of the select list.
    #[doc(hidden)]
    fn project(self, list: &mut ProjectionList);
}

/// The select list while it is gathered.
#[derive(Debug, Default)]
pub struct ProjectionList(pub(super) Vec<Projection>);

/// The constant of any model: `derive(Model)` makes `User` a [`TableOf`] `User`.
#[diagnostic::do_not_recommend]
impl<T: TableOf> Selection for T {
    type Row = T::Model;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Model { source: Source::of(&self), optional: false });
    }
}

/// A model of which a row may have none: what `User.optional()` is in `select((Post, User.optional()))`.
#[derive(Clone, Copy, Debug)]
pub struct Optional<T>(T);

impl<T: TableOf> Optional<T> {
    /// Used by `derive(Model)`.
    #[doc(hidden)]
    pub const fn new(table: T) -> Self {
        Optional(table)
    }
}

/// All columns NULL are no object; the primary key decides, which a row cannot have without.
#[diagnostic::do_not_recommend]
impl<T: TableOf> Selection for Optional<T> {
    type Row = Option<T::Model>;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Model { source: Source::of(&self.0), optional: true });
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType + Fetch> Selection for Column<M, T> {
    type Row = T;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Node { node: self.into_node(), nullable: T::NULLABLE });
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType + Fetch> Selection for super::Expr<T> {
    type Row = T;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Node { node: self.into_node(), nullable: T::NULLABLE });
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType + Fetch> Selection for &super::Expr<T> {
    type Row = T;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Node { node: self.into_node(), nullable: T::NULLABLE });
    }
}

macro_rules! selection_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Selection),+> Selection for ($($name,)+) {
            type Row = ($($name::Row,)+);

            fn project(self, list: &mut ProjectionList) {
                $(self.$index.project(list);)+
            }
        }
    };
}

selection_tuple!(A 0);
selection_tuple!(A 0, B 1);
selection_tuple!(A 0, B 1, C 2);
selection_tuple!(A 0, B 1, C 2, D 3);
selection_tuple!(A 0, B 1, C 2, D 3, E 4);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
