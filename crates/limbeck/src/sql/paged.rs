//! A query page by page: in an order that tells every two rows apart, each page after the last row of the one before.

use super::expression::Order;
use super::keyset::beyond;
use super::load::{How, Load, by_key, is_many};
use super::node::{Node, Source};
use super::select::{Distinct, Projection, Select, SelectCore};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::{Model, ModelDef};
use crate::types::{Kind, Value};

/// A query that is read page by page.
#[derive(Clone, Debug)]
pub(crate) struct Paged {
    core: SelectCore,
    /// The order, with the kind of each term's values, and whether one may be NULL.
    terms: Vec<(Order, Kind, bool)>,
}

impl Paged {
    /// The query in pages, ordered by what it is ordered by and then by its model's primary key.
    pub(crate) fn of<M: Model>(query: Select<M>) -> Result<Self> {
        Self::checked(M::def(), query.core)
    }

    fn checked(model: &'static ModelDef, mut core: SelectCore) -> Result<Self> {
        let refuse = |why: String| Err(Error::Statement(why));
        let more = core.more();
        if more.compound.is_some() || !more.group_by.is_empty() || matches!(more.distinct, Distinct::On(_)) {
            return refuse(
                "a query that is grouped, `distinct_on` or put together with another cannot be read in pages: \
                 its rows have no key to go on from"
                    .into(),
            );
        }
        if cuts(model, &core.loads) {
            return refuse(
                "a query with `.from_join()` or `.inner_joined()` of a collection cannot be read in pages, \
                 since it decides how many objects a page has: use `.with(…)` or `.joined()`"
                    .into(),
            );
        }
        let root = match core.projection.first() {
            Some(Projection::Model { source, .. }) => *source,
            _ => Source { model, alias: None },
        };
        let mut order = std::mem::take(&mut core.order_by);
        by_key(&mut order, root);
        let mut terms = Vec::with_capacity(order.len());
        for term in order {
            let Node::Column(column) = &term.node else {
                return refuse(format!(
                    "a query of `{}` in pages can be ordered by columns, and by nothing else: the next page begins after \
                     the values of the last row",
                    model.name
                ));
            };
            let def = &column.model.columns[usize::from(column.index)];
            let nullable = def.nullable || !column.source().same(&root);
            terms.push((term.clone(), def.sql_type.kind(), nullable));
        }
        Ok(Paged { core, terms })
    }

    /// How many rows the query wants in all.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.core.limit
    }

    /// The kinds of the values that a page ends with.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.terms.iter().map(|(_, kind, _)| *kind).collect()
    }

    /// The page of so many rows after a row with these values; they are selected behind the model.
    pub(crate) fn page<M: Model>(&self, rows: u64, last: Option<&[Value<'static>]>, dialect: Dialect) -> Select<M> {
        let mut core = self.core.clone();
        core.limit = Some(rows);
        if let Some(last) = last {
            core.offset = None;
            core.filter.push(beyond(&self.terms, last, dialect));
        }
        let items = self.terms.iter().map(|(term, ..)| Projection::Node { node: term.node.clone(), nullable: true });
        core.projection.extend(items);
        core.order_by = self.terms.iter().map(|(term, ..)| term.clone()).collect();
        Select::of(core)
    }
}

/// Whether a load decides how many objects there are.
fn cuts(model: &'static ModelDef, loads: &[Load]) -> bool {
    loads.iter().any(|load| {
        let target = (model.relations[load.relation].target)();
        let here = match load.how {
            How::FromJoin => is_many(model, load.relation),
            How::InnerJoined => true,
            How::SelectIn | How::Joined => false,
        };
        here || (load.how == How::Joined && cuts(target, &load.nested))
    })
}
