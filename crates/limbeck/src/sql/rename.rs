//! The same expression over a table by another name.
//!
//! A view's expressions are written over the constant of its model. Where the view is shown beside another that has the
//! same table, its own has an alias in the statement, and the expressions follow it.

use std::sync::Arc;

use super::expression::Order;
use super::join::On;
use super::node::{InnerQuery, Node, Source};
use super::select::{Distinct, SelectCore};
use super::selection::Projection;
use super::subquery::Origin;

impl Node {
    /// Has every column of one table be that of another one.
    pub(crate) fn rename(&mut self, from: Source, to: Source) {
        match self {
            Node::Column(column) if column.source().same(&from) => column.alias = to.alias,
            Node::Column(_) | Node::Bind(..) | Node::Derived(_) => {}
            Node::InKeys(keys) => {
                let of_it = keys.columns.iter_mut().filter(|column| column.source().same(&from));
                of_it.for_each(|column| column.alias = to.alias);
            }
            Node::Binary(_, sides) => {
                sides.0.rename(from, to);
                sides.1.rename(from, to);
            }
            Node::And(parts) | Node::Or(parts) | Node::Op(_, parts) => rename_all(parts, from, to),
            Node::Not(inner) | Node::IsNull(inner, _) => inner.rename(from, to),
            Node::InValues { item, .. } => item.rename(from, to),
            Node::InList { item, list, .. } => {
                item.rename(from, to);
                rename_all(list, from, to);
            }
            Node::InQuery { item, query, .. } => {
                item.rename(from, to);
                query.rename(from, to);
            }
            Node::Scalar(query) | Node::Exists(query) => query.rename(from, to),
            Node::Form(form) => form.children_mut(&mut |node| node.rename(from, to)),
        }
    }
}

fn rename_all(nodes: &mut [Node], from: Source, to: Source) {
    nodes.iter_mut().for_each(|node| node.rename(from, to));
}

fn rename_orders(orders: &mut [Order], from: Source, to: Source) {
    orders.iter_mut().for_each(|order| order.node.rename(from, to));
}

impl InnerQuery {
    fn rename(&mut self, from: Source, to: Source) {
        Arc::make_mut(&mut self.0).rename(from, to);
    }
}

impl SelectCore {
    /// The tables that stand in FROM, but for association tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Source> {
        let origins = self.from.iter().chain(self.joins.iter().map(|join| &join.to));
        origins.filter_map(|origin| match origin {
            Origin::Table(source) => Some(source),
            Origin::Derived(_) => None,
        })
    }

    fn rename(&mut self, from: Source, to: Source) {
        // A table of its own by that name is the one that it speaks of.
        if self.tables().any(|table| table.same(&from)) {
            return;
        }
        for item in &mut self.projection {
            match item {
                Projection::Model { source, .. } if source.same(&from) => *source = to,
                Projection::Model { .. } => {}
                Projection::Node { node, .. } => node.rename(from, to),
            }
        }
        for join in &mut self.joins {
            match &mut join.on {
                On::Relation { from: start, .. } if start.same(&from) => *start = to,
                On::Loaded { from: start, filter, .. } => {
                    if start.same(&from) {
                        *start = to;
                    }
                    rename_all(filter, from, to);
                }
                On::Condition(condition) => condition.rename(from, to),
                On::Relation { .. } | On::Lateral | On::Nothing => {}
            }
        }
        rename_all(&mut self.filter, from, to);
        rename_orders(&mut self.order_by, from, to);
        if !self.has_more() {
            return;
        }
        let more = self.more_mut();
        rename_all(&mut more.group_by, from, to);
        rename_all(&mut more.having, from, to);
        if let Distinct::On(nodes) = &mut more.distinct {
            rename_all(nodes, from, to);
        }
        if let Some(compound) = &mut more.compound {
            compound.sides.0.rename(from, to);
            compound.sides.1.rename(from, to);
        }
    }
}
