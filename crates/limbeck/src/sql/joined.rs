//! A query with the joins that its loads ask for.
//!
//! Each joined relationship adds a table under a name of its own, and that table's columns behind all others; a
//! [`Branch`] says where in a row they are. Where a collection is joined, a parent has as many rows as its collection
//! has: then a query that counts its rows (by LIMIT), or makes them of others, becomes a subquery, which the joins
//! come after.

use std::sync::Arc;

use super::compile::{Compiled, Compiler, Wanted};
use super::expression::Order;
use super::join::{Join, JoinKind, On};
use super::load::{How, Load, by_key, is_many};
use super::node::{ColumnRef, DerivedColumn, Node, Source, derived_alias};
use super::select::{Distinct, Projection, SelectCore, column_at};
use super::shape::{Shape, ShapeKind};
use super::subquery::{Body, Derived, Origin, next_id};
use super::view::kept;
use crate::driver::Extra;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::model::mapping::Path;

/// The name of the subquery that a query becomes.
const PARENTS: &str = "anon_1";

/// A query and its joins.
pub(crate) struct Joined {
    pub(crate) core: SelectCore,
    wanted: Wanted,
    pub(crate) branches: Vec<Branch>,
    /// Deferred columns among what it fetches.
    extras: Vec<Extra>,
    /// Whether an object of the query may come in several rows, and is meant once.
    pub(crate) unique: bool,
}

/// A relationship whose targets are in the rows.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// The branch that its owners are in; `None` for the query's own objects.
    pub(crate) parent: Option<usize>,
    pub(crate) relation: usize,
    pub(crate) target: &'static ModelDef,
    /// Where the target's columns begin.
    pub(crate) at: usize,
    pub(crate) many: bool,
    /// Whether several owners may have the same target.
    shared: bool,
    /// Whether the same owner and target may come in several rows.
    pub(crate) repeats: bool,
}

impl Joined {
    /// The query of a model with the joins of its loads, if they ask for any.
    pub(crate) fn of(select: &SelectCore, loads: &[Load], wanted: Wanted) -> Result<Option<Joined>> {
        let Some(Projection::Model { source, .. }) = select.projection.first() else { return Ok(None) };
        if !loads.iter().any(Load::is_joined) {
            return Ok(None);
        }
        let (limit, offset) = select.bounds(wanted);
        let bounded = limit.is_some() || offset.is_some();
        let wrap =
            is_whole(select) || (bounded && has_collection(source.model, loads, &[How::Joined, How::InnerJoined]));
        let mut joined = if wrap { wrapped(select, *source, wanted)? } else { plain(select, wanted) };
        let root = match joined.core.projection.first() {
            Some(Projection::Model { source, .. }) => *source,
            _ => *source,
        };
        if has_collection(source.model, loads, &[How::FromJoin]) {
            // A LIMIT of one would cut the collection.
            joined.wanted = Wanted::Rows;
        }
        let multiplied = !joined.core.joins.is_empty();
        let mut growing = Growing { joined: &mut joined, wrapped: wrap, order: Vec::new() };
        growing.branches(None, root, false, loads)?;
        let order = growing.order;
        if !order.is_empty() {
            if joined.core.order_by.is_empty() {
                by_key(&mut joined.core.order_by, root);
            }
            joined.core.order_by.extend(order);
        }
        joined.unique = joined.branches.iter().any(|branch| branch.many);
        for at in 0..joined.branches.len() {
            joined.branches[at].repeats = multiplied || joined.comes_again(at);
        }
        if !wrap {
            joined.extras = joined.core.extras();
        }
        Ok(Some(joined))
    }

    /// The query as it is.
    pub(crate) fn none(select: &SelectCore) -> Joined {
        plain(select, Wanted::Rows)
    }

    /// Whether an owner may come again with the same target: since owners of it share one, or for each row of a
    /// collection that the branch does not hang in.
    fn comes_again(&self, at: usize) -> bool {
        let mut own = vec![at];
        while let Some(parent) = own.last().and_then(|last| self.branches[*last].parent) {
            own.push(parent);
        }
        own[1..].iter().any(|above| self.branches[*above].shared)
            || self.branches.iter().enumerate().any(|(index, branch)| branch.many && !own.contains(&index))
    }

    pub(crate) fn compile(&self, compiler: Compiler<'_>) -> Result<Compiled<'_>> {
        let mut shape = Shape::new(ShapeKind::Select);
        shape.select(&self.core, self.wanted, compiler.dialect);
        let access = shape.access();
        let mut compiled = compiler.statement(shape, access, |renderer| renderer.select(&self.core, self.wanted))?;
        compiled.extras.clone_from(&self.extras);
        Ok(compiled)
    }

    /// The error, with the name of the column that could not be read.
    pub(crate) fn explain(&self, error: Error) -> Error {
        error.with_column(|at| column_at(&self.core.projection, at))
    }
}

/// Whether a query's rows are made of others, or locked, so that nothing can be joined to it.
fn is_whole(select: &SelectCore) -> bool {
    let more = select.more();
    let grouped = !more.group_by.is_empty() || !more.having.is_empty() || more.compound.is_some();
    grouped || more.lock.is_some() || !matches!(more.distinct, Distinct::No)
}

/// Whether a collection is joined in one of these ways.
fn has_collection(model: &'static ModelDef, loads: &[Load], ways: &[How]) -> bool {
    loads.iter().filter(|load| load.is_joined()).any(|load| {
        let target = (model.relations[load.relation].target)();
        (ways.contains(&load.how) && is_many(model, load.relation)) || has_collection(target, &load.nested, ways)
    })
}

fn plain(select: &SelectCore, wanted: Wanted) -> Joined {
    let mut core = select.clone();
    core.loads.clear();
    Joined { core, wanted, branches: Vec::new(), extras: Vec::new(), unique: false }
}

/// The query as a subquery of another one, which selects the same from it in the same order.
fn wrapped(select: &SelectCore, root: Source, wanted: Wanted) -> Result<Joined> {
    let mut inner = select.clone();
    inner.loads.clear();
    (inner.limit, inner.offset) = select.bounds(wanted);
    let there = Source { model: root.model, alias: Some(derived_alias(PARENTS)) };
    let mut width: usize = inner.projection.iter().map(Projection::width).sum();
    let mut add = |inner: &mut SelectCore, node: Node| {
        inner.projection.push(Projection::Node { node, nullable: true });
        width += 1;
        Place::Derived(width - 1)
    };
    let mut order = Vec::new();
    for term in &select.order_by {
        let place = match &term.node {
            Node::Column(column) if column.source().same(&root) => Some(usize::from(column.index)),
            node if select.more().compound.is_some() => select.position(node).map(|position| position - 1),
            _ => None,
        };
        let place = match place.filter(|index| *index < root.model.fetched().len()) {
            Some(index) => Place::Column(index),
            // The subquery says why it cannot be ordered so.
            None if select.more().compound.is_some() => continue,
            None => add(&mut inner, term.node.clone()),
        };
        order.push((place, term.descending, term.nulls));
    }
    let undefer = if inner.has_more() { std::mem::take(&mut inner.more_mut().undefer) } else { Vec::new() };
    let deferred: Vec<(usize, Place)> =
        undefer.iter().map(|column| (usize::from(column.index), add(&mut inner, Node::Column(*column)))).collect();
    let bounded = inner.limit.is_some() || inner.offset.is_some();
    if !bounded && !matches!(select.more().distinct, Distinct::On(_)) && inner.more().compound.is_none() {
        inner.order_by.clear();
    }
    let inner = Arc::new(inner);
    let derived = Derived::new(next_id(), PARENTS, &inner, Body::Query(Arc::clone(&inner)));
    let node = |place: &Place| match place {
        Place::Column(index) => {
            Node::Column(ColumnRef { model: there.model, alias: there.alias, index: *index as u16 })
        }
        Place::Derived(index) => Node::Derived(DerivedColumn { of: Arc::clone(&derived), index: *index }),
    };
    let mut core = SelectCore { from: Some(Origin::Derived(Arc::clone(&derived))), ..SelectCore::default() };
    core.projection.push(Projection::Model { source: there, optional: false });
    // What else the query selects keeps its place.
    let mut next = root.model.fetched().len();
    for item in select.projection.iter().skip(1) {
        core.projection.push(Projection::Node { node: node(&Place::Derived(next)), nullable: true });
        next += item.width();
    }
    let mut extras = Vec::new();
    for (column, place) in &deferred {
        extras.push(Extra { at: 0, column: *column, position: next });
        core.projection.push(Projection::Node { node: node(place), nullable: true });
        next += 1;
    }
    core.order_by = order
        .iter()
        .map(|(place, descending, nulls)| Order { node: node(place), descending: *descending, nulls: *nulls })
        .collect();
    Ok(Joined { core, wanted: Wanted::Rows, branches: Vec::new(), extras, unique: false })
}

/// Where a column of the subquery is.
enum Place {
    /// Among the model's.
    Column(usize),
    /// Behind them.
    Derived(usize),
}

/// A query while joins are added to it.
struct Growing<'j> {
    joined: &'j mut Joined,
    wrapped: bool,
    /// What the collections are ordered by.
    order: Vec<Order>,
}

impl Growing<'_> {
    fn branches(&mut self, parent: Option<usize>, from: Source, outer: bool, loads: &[Load]) -> Result<()> {
        for load in loads.iter().filter(|load| load.is_joined()) {
            let resolved = &from.model.mapping()?.relations[load.relation];
            let many = is_many(from.model, load.relation);
            let (to, outer) = match load.how {
                How::FromJoin => (self.joined_already(from, load, resolved.target)?, outer),
                _ => {
                    let to = Source { model: resolved.target, alias: Some(self.free_name(resolved.target.table)) };
                    let required = match &resolved.path {
                        Path::BelongsTo(keys) => keys.iter().all(|pair| !from.model.columns[pair.key].nullable),
                        _ => false,
                    };
                    let inner = !outer && (required || load.how == How::InnerJoined);
                    let kind = if inner { JoinKind::Inner } else { JoinKind::Left };
                    let on = On::Loaded { from, relation: load.relation, filter: load.filter(to) };
                    self.joined.core.joins.push(Join { kind, to: Origin::Table(to), on });
                    if many {
                        self.order.extend(load.order(resolved, to));
                    }
                    (to, !inner)
                }
            };
            let at = self.joined.core.projection.iter().map(Projection::width).sum();
            self.joined.core.projection.push(Projection::Model { source: to, optional: true });
            let (relation, target) = (load.relation, resolved.target);
            let shared = matches!(resolved.path, Path::BelongsTo(_) | Path::ManyToMany(_));
            self.joined.branches.push(Branch { parent, relation, target, at, many, shared, repeats: false });
            let branch = self.joined.branches.len() - 1;
            self.branches(Some(branch), to, outer, &load.nested)?;
        }
        Ok(())
    }

    /// The table that the query joins for a relationship.
    fn joined_already(&self, from: Source, load: &Load, target: &'static ModelDef) -> Result<Source> {
        let label = from.model.relations[load.relation].label;
        if self.wrapped {
            return Err(Error::Statement(format!(
                "`{label}` cannot be loaded by `.from_join()` in a query that is distinct, grouped or locked, or whose \
                 `limit` counts the objects that another collection is joined to: load it by `.with({label})`"
            )));
        }
        let table = |join: &Join| match &join.to {
            Origin::Table(source) if std::ptr::eq(source.model, target) => Some(*source),
            _ => None,
        };
        let joins = &self.joined.core.joins;
        let along = joins.iter().find(|join| {
            matches!(&join.on, On::Relation { from: start, relation } if start.same(&from) && *relation == load.relation)
        });
        let by_hand = || joins.iter().find(|join| matches!(join.on, On::Condition(_)) && table(join).is_some());
        along.or_else(by_hand).and_then(table).ok_or_else(|| {
            Error::Statement(format!(
                "`{label}` is to be loaded from a join that the query does not have: add `.join({label})`, or load it by \
                 `.joined()`"
            ))
        })
    }

    /// A name that no table of the query has: `posts_1`.
    fn free_name(&self, table: &str) -> &'static str {
        let core = &self.joined.core;
        let taken =
            |name: &str| core.from.iter().chain(core.joins.iter().map(|join| &join.to)).any(|o| o.name() == name);
        let mut number = 1;
        loop {
            let name = format!("{table}_{number}");
            if !taken(&name) {
                return kept(name);
            }
            number += 1;
        }
    }
}
