//! The shape of a query: the tree without its values, as bytes, and its values beside it.
//!
//! Queries of one shape render to the same SQL with parameters of the same kinds; the statement cache
//! compares whole shapes, so a hash collision can never run the wrong statement. Making a shape is a walk
//! that writes a few bytes a node, which is what a query costs when its statement is known.

use super::compile::Wanted;
use super::node::{Node, Source};
use super::select::{Projection, SelectCore};
use crate::dialect::Dialect;
use crate::driver::Bind;
use crate::types::Value;

/// Whether OFFSET is a parameter. LIMIT never is: the plan depends on it, and SQLite would make it anew each
/// time when it is bound. The same goes for OFFSET there; PostgreSQL need not prepare each page.
pub(super) fn offset_is_bound(dialect: Dialect) -> bool {
    dialect == Dialect::Postgres
}

/// Statements that are not built from a query have shapes of their own kinds.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum ShapeKind {
    Select = 1,
    Raw,
    Get,
    Insert,
    Update,
    Delete,
    LoadMany,
    LoadOne,
    LoadAssociated,
    LinkInsert,
    LinkDelete,
    LinkDeleteAll,
    Nullify,
}

/// A shape while it is written.
pub(crate) struct Shape<'q> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) binds: Vec<Bind<'q>>,
}

impl<'q> Shape<'q> {
    pub(crate) fn new(kind: ShapeKind) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(kind as u8);
        Shape { bytes, binds: Vec::new() }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn short(&mut self, number: usize) {
        self.bytes.extend_from_slice(&(number as u32).to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.short(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn source(&mut self, source: &Source) {
        self.short(source.model.id.get());
        match source.alias {
            None => self.byte(0),
            Some(alias) => {
                self.byte(1);
                self.text(alias);
            }
        }
    }

    pub(crate) fn select(&mut self, select: &'q SelectCore, wanted: Wanted, dialect: Dialect) {
        self.byte(match wanted {
            Wanted::Rows | Wanted::First | Wanted::One => 1,
            Wanted::Count => 2,
            Wanted::Exists => 3,
        });
        let whole = wanted.is_rows() || select.is_aggregate();
        self.short(select.projection.len());
        for item in &select.projection {
            match item {
                Projection::Model(source) => {
                    self.byte(1);
                    self.source(source);
                }
                Projection::Node(node) if whole => {
                    self.byte(2);
                    self.node(node);
                }
                // It is not rendered, so its values are not bound either. Its tables are checked, though: a
                // query that cannot be run cannot be counted.
                Projection::Node(node) => {
                    self.byte(3);
                    node.columns(&mut |column| {
                        self.byte(1);
                        self.source(&column.source());
                    });
                    self.byte(0);
                }
            }
        }
        match &select.from {
            None => self.byte(0),
            Some(source) => {
                self.byte(1);
                self.source(source);
            }
        }
        self.short(select.joins.len());
        for join in &select.joins {
            self.source(&join.from);
            self.short(join.relation);
            self.source(&join.to);
        }
        self.nodes(&select.filter);
        if wanted.is_rows() {
            self.short(select.order_by.len());
            for order in &select.order_by {
                self.byte(u8::from(order.descending));
                self.node(&order.node);
            }
        }
        let (limit, offset) = select.bounds(wanted);
        self.bound(limit);
        match offset {
            Some(rows) if offset_is_bound(dialect) => {
                self.byte(2);
                self.binds.push(Bind::One(Value::I64(rows as i64)));
            }
            _ => self.bound(offset),
        }
    }

    fn bound(&mut self, rows: Option<u64>) {
        match rows {
            None => self.byte(0),
            Some(rows) => {
                self.byte(1);
                self.number(rows);
            }
        }
    }

    fn nodes(&mut self, nodes: &'q [Node]) {
        self.short(nodes.len());
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &'q Node) {
        match node {
            Node::Column(column) => {
                self.byte(1);
                self.source(&column.source());
                self.short(usize::from(column.index));
            }
            Node::Bind(value, kind) => {
                self.byte(2);
                self.byte(*kind as u8);
                self.binds.push(Bind::One(value.borrowed()));
            }
            Node::Binary(operator, sides) => {
                self.byte(3);
                self.text(operator);
                self.node(&sides.0);
                self.node(&sides.1);
            }
            Node::And(parts) => {
                self.byte(4);
                self.nodes(parts);
            }
            Node::Or(parts) => {
                self.byte(5);
                self.nodes(parts);
            }
            Node::Not(inner) => {
                self.byte(6);
                self.node(inner);
            }
            Node::IsNull(inner, negated) => {
                self.byte(7);
                self.byte(u8::from(*negated));
                self.node(inner);
            }
            Node::InValues { item, values, kind, negated } => {
                self.byte(8);
                self.byte(u8::from(*negated));
                self.byte(*kind as u8);
                self.node(item);
                self.binds.push(Bind::Many(values));
            }
            Node::InList { item, list, negated } => {
                self.byte(9);
                self.byte(u8::from(*negated));
                self.node(item);
                self.nodes(list);
            }
            Node::CountAll => self.byte(10),
            Node::Call(name, arguments) => {
                self.byte(11);
                self.text(name);
                self.nodes(arguments);
            }
        }
    }
}
