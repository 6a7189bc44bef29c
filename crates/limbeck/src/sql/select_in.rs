//! The statement for the targets of a relationship, where it says more than their keys.

use std::sync::Arc;

use super::expression::{Order, numbered};
use super::join::{Join, JoinKind, On};
use super::keys::KeyList;
use super::load::{Load, is_many};
use super::node::{ColumnRef, DerivedColumn, Node, Source, derived_alias};
use super::select::{Projection, SelectCore};
use super::subquery::{Body, Derived, Origin, next_id};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::model::ModelDef;
use crate::model::mapping::{KeyPair, Path, Resolved};
use crate::types::{Kind, Value};

/// The statement, and what it needs to be read.
pub(crate) struct SelectIn {
    pub(crate) core: SelectCore,
    /// The model whose columns say which owner a row is for, which columns, and where each is in the row.
    pub(crate) keyed: &'static ModelDef,
    pub(crate) key: Vec<usize>,
    pub(crate) key_at: Vec<usize>,
}

impl SelectIn {
    /// The statement for owners with these keys.
    pub(crate) fn of(
        owner: &'static ModelDef,
        resolved: &Resolved,
        load: &Load,
        list: KeyList,
        dialect: Dialect,
    ) -> Result<SelectIn> {
        let target = Source { model: resolved.target, alias: None };
        let mut core = SelectCore::default();
        core.projection.push(Projection::Model { source: target, optional: false });
        let width = resolved.target.fetched().len();
        let (keyed, key): (Source, Vec<usize>) = match &resolved.path {
            Path::HasMany(keys) | Path::HasOne(keys) => (target, KeyPair::columns(keys)),
            Path::BelongsTo(keys) => (target, KeyPair::referred(keys)),
            // An association table is no model's: the owners' table leads through it.
            Path::ManyToMany(link) => {
                let source = Source { model: owner, alias: Some("owner_1") };
                let on = On::Relation { from: source, relation: load.relation };
                core.joins.push(Join { kind: JoinKind::Inner, to: Origin::Table(target), on });
                core.from = Some(Origin::Table(source));
                (source, link.local.iter().map(|(_, key)| *key).collect())
            }
        };
        core.from.get_or_insert(Origin::Table(target));
        let column = |index: &usize| ColumnRef { model: keyed.model, alias: keyed.alias, index: *index as u16 };
        let columns: Vec<ColumnRef> = key.iter().map(column).collect();
        let mut key_at = key.clone();
        if matches!(resolved.path, Path::ManyToMany(_)) {
            key_at = (width..width + key.len()).collect();
            let item = |column: &ColumnRef| Projection::Node { node: Node::Column(*column), nullable: true };
            core.projection.extend(columns.iter().map(item));
        }
        core.filter.push(list.condition(columns.clone(), dialect));
        core.filter.extend(load.filter(target));
        if is_many(owner, load.relation) {
            core.order_by = load.order(resolved, target);
        }
        if let Some(limit) = load.part.as_ref().and_then(|part| part.limit) {
            let partition = columns.into_iter().map(Node::Column).collect();
            core = first_of_each(core, resolved.target, partition, limit);
        }
        Ok(SelectIn { core, keyed: keyed.model, key, key_at })
    }
}

/// The first rows of each owner, by their number in a window.
fn first_of_each(mut inner: SelectCore, target: &'static ModelDef, partition: Vec<Node>, limit: u64) -> SelectCore {
    const NAME: &str = "top_1";
    let order = std::mem::take(&mut inner.order_by);
    let keys = inner.projection.len() - 1;
    inner.projection.push(Projection::Node { node: numbered(partition, order), nullable: false });
    let inner = Arc::new(inner);
    let derived = Derived::new(next_id(), NAME, &inner, Body::Query(Arc::clone(&inner)));
    let width = target.fetched().len();
    let column = |index: usize| Node::Derived(DerivedColumn { of: Arc::clone(&derived), index });
    let number = column(width + keys);
    let limit = Node::Bind(Value::I64(limit.min(i64::MAX as u64) as i64), Kind::I64);
    let mut core = SelectCore::default();
    let source = Source { model: target, alias: Some(derived_alias(NAME)) };
    core.projection.push(Projection::Model { source, optional: false });
    let items = (width..width + keys).map(|index| Projection::Node { node: column(index), nullable: true });
    core.projection.extend(items);
    core.from = Some(Origin::Derived(Arc::clone(&derived)));
    core.filter.push(Node::Binary("<=", Box::new((number.clone(), limit))));
    core.order_by.push(Order { node: number, descending: false, nulls: None });
    core
}
