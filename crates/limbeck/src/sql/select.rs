//! `select(…)`: building a query.

use std::marker::PhantomData;

use super::compile::Wanted;
use super::compound::Compound;
use super::expression::{Condition, Expression, Expressions, IntoOrder, Order};
use super::fetch::Fetch;
use super::join::Join;
use super::load::{IntoLoad, Load};
use super::lock::Lock;
use super::node::{ColumnRef, Node, Source};
pub(crate) use super::selection::Projection;
use super::shape::same_node;
use super::subquery::{FromClause, Origin};
use super::view::Selectable;
use crate::model::Model;
use crate::types::Value;

/// A SELECT whose rows are `T`: a model, the type of a column, or a tuple.
///
/// It is a value: it can be kept, cloned, extended in a loop, and run more than once. What cannot work (a
/// column of a table that is not in the query) is an error when it is run, which names the missing join.
///
/// ```
/// use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
///
/// let popular = select(Post).filter(Post.views.gt(100)).order_by(Post.views.desc()).limit(10);
/// let titles = select((Post.id, Post.title)).filter(Post.title.like("%Rust%"));
/// ```
#[derive(Debug)]
#[must_use = "a query does nothing until a session or a connection runs it"]
pub struct Select<T> {
    pub(crate) core: SelectCore,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Select<T> {
    fn clone(&self) -> Self {
        Select::of(self.core.clone())
    }
}

/// A SELECT without its type.
#[derive(Clone, Debug, Default)]
pub struct SelectCore {
    pub(crate) projection: Vec<Projection>,
    pub(crate) from: Option<Origin>,
    pub(crate) joins: Vec<Join>,
    pub(crate) filter: Vec<Node>,
    pub(crate) order_by: Vec<Order>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    pub(crate) loads: Vec<Load>,
    pub(super) more: Option<Box<More>>,
}

/// What most queries have nothing of.
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    pub(crate) distinct: Distinct,
    pub(crate) group_by: Vec<Node>,
    pub(crate) having: Vec<Node>,
    pub(crate) lock: Option<Lock>,
    pub(crate) compound: Option<Compound>,
    /// Deferred columns to fetch along.
    pub(crate) undefer: Vec<ColumnRef>,
    /// Rows overwrite the objects that the session has of them.
    pub(crate) populate: bool,
}

/// Which rows are the same.
#[derive(Clone, Debug, Default)]
pub(crate) enum Distinct {
    /// None.
    #[default]
    No,
    /// Those that are equal.
    Rows,
    /// Those in which these are equal.
    On(Vec<Node>),
}

impl SelectCore {
    pub(crate) fn more(&self) -> &More {
        static NOTHING: More = More {
            distinct: Distinct::No,
            group_by: Vec::new(),
            having: Vec::new(),
            lock: None,
            compound: None,
            undefer: Vec::new(),
            populate: false,
        };
        self.more.as_deref().unwrap_or(&NOTHING)
    }

    pub(crate) fn has_more(&self) -> bool {
        self.more.is_some()
    }

    pub(crate) fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The LIMIT and OFFSET that are sent. Databases count rows in 64 bits with a sign.
    pub(crate) fn bounds(&self, wanted: Wanted) -> (Option<u64>, Option<u64>) {
        let most = |rows: u64| rows.min(i64::MAX as u64);
        let limit = match wanted {
            Wanted::First => Some(self.limit.map_or(1, |limit| limit.min(1))),
            Wanted::One => Some(self.limit.map_or(2, |limit| limit.min(2))),
            Wanted::Rows | Wanted::Count | Wanted::Exists => self.limit.map(most),
        };
        (limit, self.offset.map(most))
    }

    /// Whether what is selected decides how many rows there are: `select(count())` has one, over any table.
    pub(crate) fn is_whole(&self) -> bool {
        let aggregate = |item: &Projection| matches!(item, Projection::Node { node, .. } if node.is_aggregate());
        self.more.as_ref().is_some_and(|more| {
            more.compound.is_some() || !more.group_by.is_empty() || !matches!(more.distinct, Distinct::No)
        }) || self.projection.iter().any(aggregate)
    }

    /// The position, from 1, of an expression in the select list, where it has to be named by that: its values would
    /// be parameters of their own, and no database knows that two parameters are equal.
    pub(crate) fn place(&self, node: &Node) -> Option<usize> {
        if matches!(node, Node::Column(_)) || !node.has_values() { None } else { self.position(node) }
    }

    /// The position, from 1, of an expression in the select list.
    pub(crate) fn position(&self, node: &Node) -> Option<usize> {
        let mut next = 1;
        for item in &self.projection {
            match (item, node) {
                (Projection::Node { node: selected, .. }, _) if same_node(selected, node) => return Some(next),
                (Projection::Model { source, .. }, Node::Column(column)) if source.same(&column.source()) => {
                    return Some(next + usize::from(column.index));
                }
                _ => next += item.width(),
            }
        }
        None
    }

    /// The table and column of a result's column, where it is one. Deferred columns that are fetched come last.
    pub(crate) fn column(&self, position: usize) -> Option<(String, String)> {
        let selected: usize = self.projection.iter().map(Projection::width).sum();
        if position < selected {
            return column_at(&self.projection, position);
        }
        let undeferred = self.more().undefer.get(position - selected)?;
        let (model, index) = (undeferred.model, usize::from(undeferred.index));
        Some((model.table.to_owned(), model.columns[index].name.to_owned()))
    }
}

/// The table and column of a result's column, where it is one.
pub(crate) fn column_at(items: &[Projection], position: usize) -> Option<(String, String)> {
    let mut next = 0;
    for item in items {
        let first = next;
        next += item.width();
        if position >= next {
            continue;
        }
        let (model, index) = match item {
            Projection::Model { source, .. } => (source.model, position - first),
            Projection::Node { node: Node::Column(column), .. } => (column.model, usize::from(column.index)),
            Projection::Node { node: Node::Derived(column), .. } => {
                let name = &column.of.columns.get(column.index)?.name;
                return Some((column.of.name.to_owned(), name.clone().into_owned()));
            }
            Projection::Node { .. } => return None,
        };
        return Some((model.table.to_owned(), model.columns[index].name.to_owned()));
    }
    None
}

/// Begins a query: `select(User)` for objects, `select((User.id, User.email))` for columns.
pub fn select<S: Selectable>(selection: S) -> Select<S::Row> {
    selection.begin()
}

impl<T> Select<T> {
    pub(crate) fn of(core: SelectCore) -> Self {
        Select { core, marker: PhantomData }
    }
}

/// What `filter` takes: a condition, or an `Option` of one, of which a `None` lets every row pass.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "expected a comparison, such as `User.name.eq(\"ada\")`, a column of type bool, or an `Option` of these"
)]
pub trait Filter {
    /// The condition, if there is one.
    fn into_filter(self) -> Option<Node>;
}

#[diagnostic::do_not_recommend]
impl<E: Condition> Filter for E {
    fn into_filter(self) -> Option<Node> {
        Some(self.into_node())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Condition> Filter for Option<E> {
    fn into_filter(self) -> Option<Node> {
        self.map(Expression::into_node)
    }
}

/// Adds a condition to others that must all hold.
pub(super) fn add_filter<F: Filter>(conditions: &mut Vec<Node>, filter: F) {
    match filter.into_filter() {
        Some(Node::And(parts)) => conditions.extend(parts),
        Some(node) => conditions.push(node),
        None => {}
    }
}

impl<T: Fetch> Select<T> {
    /// The table or subquery to start from, where it is not that of the first selected column: for
    /// `select(count())`.
    pub fn from<F: FromClause>(mut self, table: F) -> Self {
        self.core.from = Some(table.into_origin());
        self
    }

    /// Keeps the rows for which the condition holds. Several filters must all hold; a `None` is no filter, so that
    /// filters can be put together at run time:
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
    /// # let (title, at_least) = (Some("%Rust%"), None::<i64>);
    /// let posts = select(Post)
    ///     .filter(title.map(|title| Post.title.like(title)))
    ///     .filter(at_least.map(|views| Post.views.ge(views)));
    /// ```
    pub fn filter<F: Filter>(mut self, condition: F) -> Self {
        add_filter(&mut self.core.filter, condition);
        self
    }

    /// Leaves out rows that are equal to another one in all that is selected.
    pub fn distinct(mut self) -> Self {
        self.core.more_mut().distinct = Distinct::Rows;
        self
    }

    /// Keeps the first row of those in which these are equal: the first in the order of `order_by`, which begins with
    /// the same expressions.
    ///
    /// On PostgreSQL. SQLite has none: to run the query there is an error.
    pub fn distinct_on<E: Expressions>(mut self, expressions: E) -> Self {
        self.core.more_mut().distinct = Distinct::On(expressions.into_nodes());
        self
    }

    /// Makes one row of all rows in which these are equal; further calls add further expressions.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, author_id: i64 }
    /// let busy = select((Post.author_id, count())).group_by(Post.author_id).having(count().gt(10));
    /// ```
    pub fn group_by<E: Expressions>(mut self, expressions: E) -> Self {
        self.core.more_mut().group_by.extend(expressions.into_nodes());
        self
    }

    /// Keeps the groups for which the condition holds. Several must all hold.
    pub fn having<F: Filter>(mut self, condition: F) -> Self {
        add_filter(&mut self.core.more_mut().having, condition);
        self
    }

    /// Has the rows overwrite the objects that the session has of them already, which otherwise keep what they hold.
    /// Changes of their columns that are not flushed are lost (`autoflush` flushes them before), and their
    /// relationships are not loaded any more, but for those that the query loads; what was linked and not flushed
    /// stays linked. Relationships that are loaded along are read again, too.
    ///
    /// With [`with_for_update`](Self::with_for_update) it makes objects say what the locked rows say.
    ///
    /// A connection, which keeps no objects, does not mind it.
    pub fn populate_existing(mut self) -> Self {
        self.core.more_mut().populate = true;
        self
    }

    /// Orders the rows; further calls add further terms.
    pub fn order_by<O: IntoOrder>(mut self, terms: O) -> Self {
        terms.into_order(&mut self.core.order_by);
        self
    }

    /// Returns at most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.core.limit = Some(rows);
        self
    }

    /// Leaves out the first rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.core.offset = Some(rows);
        self
    }
}

impl<M: Model> Select<M> {
    /// The row with a primary key.
    pub(crate) fn by_key(key: &[Value<'_>]) -> Self {
        let model = M::def();
        let source = Source { model, alias: None };
        let mut core = SelectCore { from: Some(Origin::Table(source)), ..SelectCore::default() };
        core.projection.push(Projection::Model { source, optional: false });
        let part = |(index, value): (&usize, &Value<'_>)| {
            let column = ColumnRef { model, alias: None, index: *index as u16 };
            let value = Node::Bind(value.clone().into_owned(), model.columns[*index].sql_type.kind());
            Node::Binary("=", Box::new((Node::Column(column), value)))
        };
        core.filter.extend(model.primary_key.iter().zip(key).map(part));
        Select::of(core)
    }

    /// Loads a relationship of every object that the query returns, in one more query for all of them:
    /// `.with(Post.tags)`, or nested, `.with(User.posts.with(Post.tags))`.
    ///
    /// [`joined`](super::LoadOf::joined) loads it in the same query, [`filter`](super::LoadOf::filter),
    /// [`order_by`](super::LoadOf::order_by) and [`limit`](super::LoadOf::limit) say which part of a collection.
    /// What is said of one relationship twice is merged; two different filters of it are an error when the query is
    /// run. Where a collection is joined, each object is in the result once.
    pub fn with<L: IntoLoad<M>>(mut self, load: L) -> Self {
        load.into_load().add(&mut self.core.loads);
        self
    }
}
