//! Which relationships to load along with a query, and how.
//!
//! A relationship is loaded by a statement of its own for all objects at once (select-in), or by a join in the query
//! itself. Either way only what is not loaded yet is filled in. A collection can be loaded in part: with a filter, in
//! an order, up to a limit for each owner.

use super::expression::{IntoOrder, Order};
use super::node::{ColumnRef, Node, Source};
use super::select::{Filter, add_filter};
use super::shape::same_node;
use crate::error::{Error, Result};
use crate::model::mapping::Resolved;
use crate::model::{Model, ModelDef, Related, RelationKind, ToMany, ToOne};

/// A relationship to load, and what to load of the objects at its other end.
#[derive(Clone, Debug)]
pub struct Load {
    /// Which of the owner's relationships.
    pub(crate) relation: usize,
    pub(crate) how: How,
    /// Which of the rows, where it is not all of them in their usual order.
    pub(crate) part: Option<Box<Part>>,
    /// What to load next.
    pub(crate) nested: Vec<Load>,
    /// The same relationship was named twice, and what was said does not go together.
    torn: bool,
}

/// Where the rows at the other end come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A statement of its own.
    SelectIn,
    /// A join in the statement of the owners.
    Joined,
    /// A join that leaves out owners without.
    InnerJoined,
    /// A join that the query has already.
    FromJoin,
}

/// Which rows of a collection, and in which order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) filter: Vec<Node>,
    pub(crate) order_by: Vec<Order>,
    /// For each owner.
    pub(crate) limit: Option<u64>,
}

impl Load {
    pub(crate) fn of(relation: usize) -> Self {
        Load { relation, how: How::SelectIn, part: None, nested: Vec::new(), torn: false }
    }

    /// Adds a load to others. One of a relationship that is among them is merged with it: what is nested in either is
    /// loaded, and the strategy that was said last is used.
    pub(crate) fn add(self, loads: &mut Vec<Load>) {
        let Some(known) = loads.iter_mut().find(|known| known.relation == self.relation) else {
            return loads.push(self);
        };
        if self.how != How::SelectIn {
            known.how = self.how;
        }
        known.torn |= self.torn || !same_part(known.part.as_deref(), self.part.as_deref());
        for nested in self.nested {
            nested.add(&mut known.nested);
        }
    }

    /// Whether it is loaded by the statement of its owners.
    pub(crate) fn is_joined(&self) -> bool {
        self.how != How::SelectIn
    }

    /// Whether what it loads of a collection may not be all of it.
    pub(crate) fn is_partial(&self) -> bool {
        let cut = self.part.as_ref().is_some_and(|part| !part.filter.is_empty() || part.limit.is_some());
        cut || self.how == How::FromJoin
    }

    /// The rows' order: what the load says, else what the relationship says; the key decides between equals.
    pub(crate) fn order(&self, resolved: &Resolved, to: Source) -> Vec<Order> {
        let column = |index: usize| ColumnRef { model: to.model, alias: to.alias, index: index as u16 };
        let mut order = match self.part.as_deref() {
            Some(part) if !part.order_by.is_empty() => {
                let mut terms = part.order_by.clone();
                terms.iter_mut().for_each(|term| term.node.rename(Source { alias: None, ..to }, to));
                terms
            }
            _ => {
                let term = |(index, descending): &(usize, bool)| Order {
                    node: Node::Column(column(*index)),
                    descending: *descending,
                    nulls: None,
                };
                resolved.order_by.iter().map(term).collect()
            }
        };
        by_key(&mut order, to);
        order
    }

    /// The filter, over the target under another name.
    pub(crate) fn filter(&self, to: Source) -> Vec<Node> {
        let mut filter = self.part.as_ref().map(|part| part.filter.clone()).unwrap_or_default();
        filter.iter_mut().for_each(|node| node.rename(Source { alias: None, ..to }, to));
        filter
    }

    /// Refuses what does not go together, here and in what is nested.
    pub(crate) fn check(&self, model: &'static ModelDef) -> Result<()> {
        let relation = &model.relations[self.relation];
        let label = relation.label;
        if self.torn {
            return Err(Error::Statement(format!(
                "`.with({label})` is said twice, with another filter, order or limit each time: an object has one \
                 collection"
            )));
        }
        let part = self.part.as_deref();
        if self.is_joined() && part.is_some_and(|part| part.limit.is_some()) {
            return Err(Error::Statement(format!(
                "`{label}` cannot be joined with a `.limit(…)`, which is for each owner: leave `.joined()` away, and it is \
                 loaded by a statement of its own"
            )));
        }
        if self.how == How::FromJoin && part.is_some() {
            return Err(Error::Statement(format!(
                "`{label}` is loaded from the query's own join: filter and order the query itself"
            )));
        }
        self.nested.iter().try_for_each(|load| load.check((relation.target)()))
    }
}

/// Has the primary key decide between rows that are equal in an order.
pub(crate) fn by_key(order: &mut Vec<Order>, of: Source) {
    for index in of.model.primary_key {
        let is_it = |term: &Order| matches!(&term.node, Node::Column(column) if usize::from(column.index) == *index && column.source().same(&of));
        if !order.iter().any(is_it) {
            let column = ColumnRef { model: of.model, alias: of.alias, index: *index as u16 };
            order.push(Order { node: Node::Column(column), descending: false, nulls: None });
        }
    }
}

/// Whether a relationship leads to many.
pub(crate) fn is_many(model: &ModelDef, relation: usize) -> bool {
    matches!(model.relations[relation].kind, RelationKind::HasMany | RelationKind::ManyToMany)
}

fn same_part(a: Option<&Part>, b: Option<&Part>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a.is_none() && b.is_none() };
    let order = |(a, b): (&Order, &Order)| a.mark() == b.mark() && same_node(&a.node, &b.node);
    a.limit == b.limit
        && a.filter.len() == b.filter.len()
        && a.filter.iter().zip(&b.filter).all(|(a, b)| same_node(a, b))
        && a.order_by.len() == b.order_by.len()
        && a.order_by.iter().zip(&b.order_by).all(order)
}

/// A relationship to load, with what is said of how: `User.posts.joined()`, `User.posts.with(Post.tags)`.
#[derive(Clone, Debug)]
pub struct LoadOf<R> {
    relation: R,
    load: Load,
}

/// What `.with(…)` takes: a relationship of `M`, perhaps with others nested in it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship of `{M}`",
    label = "expected one of `{M}`, as `User.posts` is one of `User`"
)]
pub trait IntoLoad<M> {
    /// The relationship, without its type.
    fn into_load(self) -> Load;
}

#[diagnostic::do_not_recommend]
impl<R: Related> IntoLoad<R::Owner> for LoadOf<R> {
    fn into_load(self) -> Load {
        self.load
    }
}

impl<R: Related> LoadOf<R> {
    fn new(relation: R) -> Self {
        LoadOf { relation, load: Load::of(relation.index()) }
    }

    /// The relationship.
    pub fn relation(&self) -> R {
        self.relation
    }

    /// Loads a relationship of the target, too. What is said twice is merged.
    #[must_use]
    pub fn with<L: IntoLoad<R::Target>>(mut self, load: L) -> Self {
        load.into_load().add(&mut self.load.nested);
        self
    }

    /// Loads it by a join in the statement of its owners.
    ///
    /// The join is a LEFT JOIN, so that owners without are found; a to-one whose key is NOT NULL has one in any case
    /// and is joined by INNER JOIN. Where a collection is joined to a query with a `limit`, the query becomes a
    /// subquery, so that the limit counts owners.
    #[must_use]
    pub fn joined(mut self) -> Self {
        self.load.how = How::Joined;
        self
    }

    /// As [`joined`](Self::joined), by an INNER JOIN: owners that have none are left out; of a collection, after the
    /// query's `limit`. Behind an outer join it is an outer join itself.
    #[must_use]
    pub fn inner_joined(mut self) -> Self {
        self.load.how = How::InnerJoined;
        self
    }

    /// Loads it from the rows of a join that the query has, as SQLAlchemy's `contains_eager` does:
    /// `select(User).join(User.posts).filter(Post.views.gt(10)).with(User.posts.from_join())`.
    ///
    /// The query's filter decides which rows there are, so that a collection is
    /// [partial](crate::model::HasMany::is_partial). A `limit` counts joined rows.
    #[must_use]
    pub fn from_join(mut self) -> Self {
        self.load.how = How::FromJoin;
        self
    }
}

impl<M: Model, T: Model> LoadOf<ToMany<M, T>> {
    fn part(&mut self) -> &mut Part {
        self.load.part.get_or_insert_default()
    }

    /// Loads those for which the condition holds: the collection is then [partial](crate::model::HasMany::is_partial).
    /// Several must all hold. One that is loaded already, and wholly, is left as it is.
    #[must_use]
    pub fn filter<F: Filter>(mut self, condition: F) -> Self {
        add_filter(&mut self.part().filter, condition);
        self
    }

    /// Loads them in this order, instead of the relationship's own; further calls add further terms.
    #[must_use]
    pub fn order_by<O: IntoOrder>(mut self, terms: O) -> Self {
        terms.into_order(&mut self.part().order_by);
        self
    }

    /// Loads at most so many for each owner, the first in their order: the collection is then
    /// [partial](crate::model::HasMany::is_partial).
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.part().limit = Some(rows);
        self
    }
}

macro_rules! loads {
    ($name:ident) => {
        #[diagnostic::do_not_recommend]
        impl<M: Model, T: Model> IntoLoad<M> for $name<M, T> {
            fn into_load(self) -> Load {
                Load::of(self.index())
            }
        }

        impl<M: Model, T: Model> $name<M, T> {
            /// Loads a relationship of the target, too: `User.posts.with(Post.tags)`.
            pub fn with<L: IntoLoad<T>>(self, load: L) -> LoadOf<Self> {
                LoadOf::new(self).with(load)
            }

            /// Loads it by a join in the statement of its owners: see [`LoadOf::joined`].
            pub fn joined(self) -> LoadOf<Self> {
                LoadOf::new(self).joined()
            }

            /// Loads it by a join that leaves out owners without: see [`LoadOf::inner_joined`].
            pub fn inner_joined(self) -> LoadOf<Self> {
                LoadOf::new(self).inner_joined()
            }

            /// Loads it from a join that the query has: see [`LoadOf::from_join`].
            pub fn from_join(self) -> LoadOf<Self> {
                LoadOf::new(self).from_join()
            }
        }
    };
}

loads!(ToOne);
loads!(ToMany);

impl<M: Model, T: Model> ToMany<M, T> {
    /// Loads those for which the condition holds: see [`LoadOf::filter`].
    pub fn filter<F: Filter>(self, condition: F) -> LoadOf<Self> {
        LoadOf::new(self).filter(condition)
    }

    /// Loads them in this order: see [`LoadOf::order_by`].
    pub fn order_by<O: IntoOrder>(self, terms: O) -> LoadOf<Self> {
        LoadOf::new(self).order_by(terms)
    }

    /// Loads at most so many for each owner: see [`LoadOf::limit`].
    pub fn limit(self, rows: u64) -> LoadOf<Self> {
        LoadOf::new(self).limit(rows)
    }
}
