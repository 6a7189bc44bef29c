//! The expression tree, without its types.
//!
//! The typed face ([`Expression`](super::Expression)) is thin: everything that looks at a query (rendering,
//! shapes, checks) is compiled once, over this tree.

use super::expression::Form;
use super::op::Op;
use crate::model::ModelDef;
use crate::types::{Kind, Value};

/// A piece of an expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// A column of a table of the query.
    Column(ColumnRef),
    /// A bound value.
    Bind(Value<'static>, Kind),
    /// A binary operator.
    Binary(&'static str, Box<(Node, Node)>),
    /// Conditions that all hold.
    And(Vec<Node>),
    /// Conditions of which one holds.
    Or(Vec<Node>),
    /// A condition that does not hold.
    Not(Box<Node>),
    /// `IS NULL`, or `IS NOT NULL` when the flag says so.
    IsNull(Box<Node>, bool),
    /// `IN` over values: one parameter, however many there are.
    InValues {
        /// What is looked for.
        item: Box<Node>,
        /// Where.
        values: Vec<Value<'static>>,
        /// The values' kind.
        kind: Kind,
        /// `NOT IN`.
        negated: bool,
    },
    /// `IN` over expressions.
    InList {
        /// What is looked for.
        item: Box<Node>,
        /// Where.
        list: Vec<Node>,
        /// `NOT IN`.
        negated: bool,
    },
    /// An operator or function of the catalogue.
    Op(&'static Op, Vec<Node>),
    /// What is more than operands in a pattern.
    Form(Box<Form>),
}

/// A column of a table in a query.
#[derive(Clone, Copy, Debug)]
pub struct ColumnRef {
    pub(crate) model: &'static ModelDef,
    pub(crate) alias: Option<&'static str>,
    pub(crate) index: u16,
}

/// A table in a query: a model's, perhaps under an alias.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) model: &'static ModelDef,
    pub(crate) alias: Option<&'static str>,
}

impl Source {
    pub(crate) fn same(&self, other: &Source) -> bool {
        std::ptr::eq(self.model, other.model) && self.alias == other.alias
    }

    /// The name that its columns are qualified with.
    pub(crate) fn name(&self) -> &'static str {
        self.alias.unwrap_or(self.model.table)
    }
}

impl ColumnRef {
    pub(crate) fn source(&self) -> Source {
        Source { model: self.model, alias: self.alias }
    }
}

impl Node {
    /// Whether it makes one value of many rows.
    pub(crate) fn is_aggregate(&self) -> bool {
        match self {
            Node::Column(_) | Node::Bind(..) => false,
            Node::Binary(_, sides) => sides.0.is_aggregate() || sides.1.is_aggregate(),
            Node::And(parts) | Node::Or(parts) | Node::Op(_, parts) => parts.iter().any(Node::is_aggregate),
            Node::Not(inner) | Node::IsNull(inner, _) => inner.is_aggregate(),
            Node::InValues { item, .. } => item.is_aggregate(),
            Node::InList { item, list, .. } => item.is_aggregate() || list.iter().any(Node::is_aggregate),
            Node::Form(form) => form.is_aggregate(),
        }
    }

    /// Every column that the expression reads.
    pub(crate) fn columns(&self, visit: &mut dyn FnMut(&ColumnRef)) {
        match self {
            Node::Column(column) => visit(column),
            Node::Bind(..) => {}
            Node::Binary(_, sides) => {
                sides.0.columns(visit);
                sides.1.columns(visit);
            }
            Node::And(parts) | Node::Or(parts) | Node::Op(_, parts) => {
                parts.iter().for_each(|part| part.columns(visit));
            }
            Node::Not(inner) | Node::IsNull(inner, _) => inner.columns(visit),
            Node::InValues { item, .. } => item.columns(visit),
            Node::InList { item, list, .. } => {
                item.columns(visit);
                list.iter().for_each(|part| part.columns(visit));
            }
            Node::Form(form) => form.columns(visit),
        }
    }
}
