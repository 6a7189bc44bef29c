//! The shape of a SELECT.

use super::{CteShape, Shape, offset_is_bound};
use crate::dialect::Dialect;
use crate::driver::Bind;
use crate::sql::compile::Wanted;
use crate::sql::expression::Order;
use crate::sql::join::{Join, On};
use crate::sql::lock::Lock;
use crate::sql::node::{InnerQuery, Node};
use crate::sql::select::{Distinct, More, Projection, SelectCore};
use crate::sql::share::{self, Sharing};
use crate::sql::subquery::{Body, Derived, Origin, ValueRows};
use crate::types::Value;

impl<'q> Shape<'q> {
    pub(crate) fn select(&mut self, select: &'q SelectCore, wanted: Wanted, dialect: Dialect) {
        self.byte(match wanted {
            Wanted::Rows | Wanted::First | Wanted::One => 1,
            Wanted::Count => 2,
            Wanted::Exists => 3,
        });
        let sharing = self.sharing.begin(share::in_query(select, dialect));
        let more = select.more();
        if let Some(compound) = &more.compound {
            self.byte(9);
            self.byte(compound.op as u8);
            self.select(&compound.sides.0, Wanted::Rows, dialect);
            self.select(&compound.sides.1, Wanted::Rows, dialect);
            self.faults(select, dialect);
        } else {
            let whole = wanted.is_rows() || select.is_whole();
            if select.has_more() {
                self.distinct(select, dialect);
            }
            self.short(select.projection.len());
            for item in &select.projection {
                self.projection(item, whole, dialect);
            }
            match &select.from {
                None => self.byte(0),
                Some(origin) => self.origin(origin, dialect),
            }
            self.short(select.joins.len());
            for join in &select.joins {
                self.join(join, dialect);
            }
            self.nodes(&select.filter, dialect);
            self.byte(u8::from(select.has_more()));
            if select.has_more() {
                self.more(select, more, dialect);
            }
        }
        self.short(select.order_by.len());
        for order in &select.order_by {
            if wanted.is_rows() {
                self.order(order, select, dialect);
            } else {
                self.tables(&order.node, dialect);
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
        self.sharing.end(sharing);
    }

    /// DISTINCT, which stands first, and so do its values.
    fn distinct(&mut self, select: &'q SelectCore, dialect: Dialect) {
        match &select.more().distinct {
            Distinct::No => self.byte(0),
            Distinct::Rows => self.byte(1),
            Distinct::On(nodes) => {
                self.byte(2);
                self.placed(nodes, select, dialect);
            }
        }
    }

    fn order(&mut self, order: &'q Order, select: &'q SelectCore, dialect: Dialect) {
        self.byte(order.mark());
        match if select.more().compound.is_some() { select.position(&order.node) } else { select.place(&order.node) } {
            Some(place) => {
                self.byte(1);
                self.short(place);
            }
            None => {
                self.byte(0);
                self.node(&order.node, dialect);
            }
        }
    }

    /// What a compound query cannot have, so that one which is refused is never taken for one which is not.
    fn faults(&mut self, select: &'q SelectCore, dialect: Dialect) {
        let more = select.more();
        let group = more.group_by.len() + more.having.len() + usize::from(!matches!(more.distinct, Distinct::No));
        self.byte(u8::from(select.from.is_some() || more.lock.is_some()));
        self.short(select.joins.len() + select.filter.len() + group);
        for order in &select.order_by {
            if select.position(&order.node).is_none() {
                self.tables(&order.node, dialect);
            }
        }
    }

    pub(super) fn projection(&mut self, item: &'q Projection, whole: bool, dialect: Dialect) {
        match item {
            Projection::Model { source, optional } => {
                self.byte(if *optional { 4 } else { 1 });
                self.source(source);
            }
            Projection::Node { node, nullable } => {
                // Not in the text, but what is refused without is not with it.
                let nullable = u8::from(*nullable);
                if whole {
                    self.byte(2 + 8 * nullable);
                    self.node(node, dialect);
                } else {
                    self.byte(3 + 8 * nullable);
                    self.tables(node, dialect);
                }
            }
        }
    }

    pub(super) fn origin(&mut self, origin: &'q Origin, dialect: Dialect) {
        match origin {
            Origin::Table(source) => {
                self.byte(1);
                self.source(source);
            }
            Origin::Derived(derived) => self.derived(derived, dialect),
        }
    }

    fn derived(&mut self, derived: &'q Derived, dialect: Dialect) {
        self.byte(2);
        self.met(derived.id);
        self.text(derived.name);
        match &derived.body {
            Body::Query(core) => {
                self.byte(1);
                self.select(core, Wanted::Rows, dialect);
            }
            Body::Values(values) => {
                self.byte(2);
                self.values(values);
            }
            Body::Itself => self.byte(3),
            Body::Cte(_) | Body::Recursive(_) => {
                self.byte(4);
                self.cte(derived, dialect);
            }
            Body::Alias(of) => {
                self.byte(5);
                self.met(of.id);
                self.text(of.name);
                if let Some(cte) = of.cte() {
                    self.cte(cte, dialect);
                }
            }
        }
    }

    /// A query in WITH, when it is met first.
    fn cte(&mut self, derived: &'q Derived, dialect: Dialect) {
        if self.ctes.iter().any(|cte| cte.derived.id == derived.id) {
            return;
        }
        let (bytes, binds) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.binds));
        let shared = std::mem::replace(&mut self.sharing, Sharing::none());
        self.met(derived.id);
        self.text(derived.name);
        match &derived.body {
            Body::Cte(core) => {
                self.byte(1);
                self.select(core, Wanted::Rows, dialect);
            }
            Body::Recursive(recursion) => {
                self.byte(if recursion.distinct { 2 } else { 3 });
                self.select(&recursion.base, Wanted::Rows, dialect);
                self.select(&recursion.step, Wanted::Rows, dialect);
            }
            Body::Query(_) | Body::Itself | Body::Alias(_) | Body::Values(_) => {}
        }
        let cte = CteShape {
            derived,
            bytes: std::mem::replace(&mut self.bytes, bytes),
            binds: std::mem::replace(&mut self.binds, binds),
        };
        self.ctes.push(cte);
        self.sharing = shared;
    }

    fn values(&mut self, values: &'q ValueRows) {
        self.short(values.types.len());
        for sql_type in &values.types {
            sql_type.kind().write(&mut self.bytes);
        }
        self.short(values.rows.len());
        for value in values.rows.iter().flatten() {
            self.binds.push(Bind::One(value.borrowed()));
        }
    }

    fn join(&mut self, join: &'q Join, dialect: Dialect) {
        self.byte(join.kind as u8);
        match &join.on {
            On::Relation { from, relation } => {
                self.byte(1);
                self.source(from);
                self.short(*relation);
                self.origin(&join.to, dialect);
            }
            On::Loaded { from, relation, filter } => {
                self.byte(5);
                self.source(from);
                self.short(*relation);
                self.origin(&join.to, dialect);
                self.nodes(filter, dialect);
            }
            On::Condition(condition) => {
                self.byte(2);
                self.origin(&join.to, dialect);
                self.node(condition, dialect);
            }
            On::Lateral => {
                self.byte(3);
                self.origin(&join.to, dialect);
            }
            On::Nothing => {
                self.byte(4);
                self.origin(&join.to, dialect);
            }
        }
    }

    fn more(&mut self, select: &'q SelectCore, more: &'q More, dialect: Dialect) {
        self.placed(&more.group_by, select, dialect);
        self.nodes(&more.having, dialect);
        match &more.lock {
            Some(lock) => self.lock(lock, dialect),
            None => self.byte(0),
        }
        self.short(more.undefer.len());
        for column in &more.undefer {
            self.source(&column.source());
            self.short(usize::from(column.index));
        }
    }

    /// Expressions of which those that are selected are named by their place.
    fn placed(&mut self, nodes: &'q [Node], select: &'q SelectCore, dialect: Dialect) {
        self.short(nodes.len());
        for node in nodes {
            match select.place(node) {
                Some(place) => {
                    self.byte(1);
                    self.short(place);
                }
                None => {
                    self.byte(0);
                    self.node(node, dialect);
                }
            }
        }
    }

    fn lock(&mut self, lock: &Lock, dialect: Dialect) {
        self.locks = true;
        if dialect == Dialect::Sqlite {
            // Not in the text; it is another transaction that the statement needs.
            self.byte(3);
            return;
        }
        self.byte(if lock.shared { 2 } else { 1 });
        self.byte(lock.wait as u8);
        self.short(lock.of.len());
        for source in &lock.of {
            self.source(source);
        }
    }

    /// An expression that is not rendered, so that its values are not bound either. Its tables are checked, though:
    /// a query that cannot be run cannot be counted.
    fn tables(&mut self, node: &'q Node, dialect: Dialect) {
        node.walk(&mut |node| match node {
            Node::Column(column) => {
                self.byte(1);
                self.source(&column.source());
            }
            Node::Derived(column) => {
                self.byte(2);
                self.met(column.of.id);
            }
            Node::Scalar(query) | Node::Exists(query) | Node::InQuery { query, .. } => self.unwritten(query, dialect),
            _ => {}
        });
        self.byte(0);
    }

    /// A query that is checked and not written.
    fn unwritten(&mut self, query: &'q InnerQuery, dialect: Dialect) {
        self.byte(3);
        let (binds, ctes) = (self.binds.len(), self.ctes.len());
        let shared = std::mem::replace(&mut self.sharing, Sharing::none());
        self.select(&query.0, Wanted::Rows, dialect);
        self.binds.truncate(binds);
        self.ctes.truncate(ctes);
        self.sharing = shared;
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
}
