//! The expression tree, without its types.
//!
//! The typed face ([`Expression`](super::Expression)) is thin: everything that looks at a query (rendering,
//! shapes, checks) is compiled once, over this tree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::expression::Form;
use super::op::Op;
use super::select::SelectCore;
use super::subquery::Derived;
use crate::model::{Model, ModelDef, TableOf};
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
    /// Columns that hold one of a list of keys of several parts.
    InKeys(Box<InKeys>),
    /// An operator or function of the catalogue.
    Op(&'static Op, Vec<Node>),
    /// What is more than operands in a pattern.
    Form(Box<Form>),
    /// A column of a subquery, of a CTE or of a list of values.
    Derived(DerivedColumn),
    /// A query for the one value that it gives.
    Scalar(InnerQuery),
    /// `EXISTS`
    Exists(InnerQuery),
    /// `IN` over the rows of a query.
    InQuery {
        /// What is looked for.
        item: Box<Node>,
        /// Where.
        query: InnerQuery,
        /// `NOT IN`.
        negated: bool,
    },
}

/// Columns, and the keys that they may hold. They are bound as a list.
#[derive(Clone, Debug)]
pub struct InKeys {
    pub(crate) columns: Vec<ColumnRef>,
    /// The lists of one parameter each.
    pub(crate) lists: Vec<Vec<Value<'static>>>,
}

/// A query inside an expression.
#[derive(Clone, Debug)]
pub struct InnerQuery(pub(crate) Arc<SelectCore>);

/// A column of what stands in FROM and is no table.
#[derive(Clone, Debug)]
pub struct DerivedColumn {
    pub(crate) of: Arc<Derived>,
    pub(crate) index: usize,
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
pub struct Source {
    pub(crate) model: &'static ModelDef,
    pub(crate) alias: Option<&'static str>,
}

/// What marks the alias of a model's columns that come from a subquery and not from the model's table. No alias that
/// a person writes begins with it.
const DERIVED: char = '\u{1}';

/// The alias by which the columns of a model name the subquery that they come from.
///
/// An alias is `&'static str`, as all constants need it; so each name is kept for the life of the process, once.
pub(crate) fn derived_alias(name: &'static str) -> &'static str {
    static NAMES: Mutex<BTreeMap<&'static str, &'static str>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(name).or_insert_with(|| Box::leak(format!("{DERIVED}{name}").into_boxed_str()))
}

/// An alias as SQL and messages have it.
pub(crate) fn alias_name(alias: &'static str) -> &'static str {
    alias.strip_prefix(DERIVED).unwrap_or(alias)
}

impl Source {
    pub(crate) fn of<T: TableOf>(table: &T) -> Self {
        Source { model: T::Model::def(), alias: table.alias() }
    }

    pub(crate) fn same(&self, other: &Source) -> bool {
        std::ptr::eq(self.model, other.model) && self.alias == other.alias
    }

    /// The name that its columns are qualified with.
    pub(crate) fn name(&self) -> &'static str {
        self.alias.map_or(self.model.table, alias_name)
    }

    /// What a message calls it: `Post`, `recent`.
    pub(crate) fn label(&self) -> &'static str {
        self.alias.map_or(self.model.name, alias_name)
    }

    /// The subquery that has its columns, where they are not those of the model's table.
    pub(crate) fn subquery(&self) -> Option<&'static str> {
        self.alias.and_then(|alias| alias.strip_prefix(DERIVED))
    }
}

impl ColumnRef {
    pub(crate) fn source(&self) -> Source {
        Source { model: self.model, alias: self.alias }
    }

    /// Its table's name, its own, and how its values travel.
    pub(crate) fn spelled(&self) -> (&'static str, &'static str, Kind) {
        let column = &self.model.columns[usize::from(self.index)];
        (self.source().name(), column.name, column.sql_type.kind())
    }
}

impl Node {
    /// Visits it and its parts; not what is inside a query in it, which has tables of its own.
    pub(crate) fn walk<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        visit(self);
        match self {
            Node::Column(_) | Node::Bind(..) | Node::Derived(_) | Node::Scalar(_) | Node::Exists(_) => {}
            Node::InKeys(_) => {}
            Node::Binary(_, sides) => {
                sides.0.walk(visit);
                sides.1.walk(visit);
            }
            Node::And(parts) | Node::Or(parts) | Node::Op(_, parts) => {
                parts.iter().for_each(|part| part.walk(visit));
            }
            Node::Not(inner) | Node::IsNull(inner, _) => inner.walk(visit),
            Node::InValues { item, .. } | Node::InQuery { item, .. } => item.walk(visit),
            Node::InList { item, list, .. } => {
                item.walk(visit);
                list.iter().for_each(|part| part.walk(visit));
            }
            Node::Form(form) => form.children(&mut |node| node.walk(visit)),
        }
    }

    /// Whether it makes one value of many rows.
    pub(crate) fn is_aggregate(&self) -> bool {
        let mut found = false;
        self.walk(&mut |node| found |= matches!(node, Node::Form(form) if form.is_aggregate()));
        found
    }

    /// Whether it has values of its own, or a query, which may have some.
    pub(crate) fn has_values(&self) -> bool {
        let mut found = false;
        self.walk(&mut |node| {
            found |= matches!(node, Node::Bind(..) | Node::InValues { .. } | Node::InKeys(_));
            found |= matches!(node, Node::Scalar(_) | Node::Exists(_) | Node::InQuery { .. });
        });
        found
    }
}
