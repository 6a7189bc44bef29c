//! `select(…)`: building a query.

use std::marker::PhantomData;

use super::compile::Wanted;
use super::expression::{Condition, Expression, IntoOrder, Order};
use super::fetch::Fetch;
use super::load::{IntoLoad, Load};
use super::node::{ColumnRef, Node, Source};
use crate::model::{Column, Model, Related, TableOf};
use crate::types::ColumnType;

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
#[derive(Clone, Debug)]
pub(crate) struct SelectCore {
    pub(crate) projection: Vec<Projection>,
    pub(crate) from: Option<Source>,
    pub(crate) joins: Vec<Join>,
    pub(crate) filter: Vec<Node>,
    pub(crate) order_by: Vec<Order>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    pub(crate) loads: Vec<Load>,
    pub(crate) undefer: Vec<ColumnRef>,
}

impl SelectCore {
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

    /// The tables that are in it, but for association tables.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.from.iter().chain(self.joins.iter().map(|join| &join.to))
    }

    /// Whether the select list decides how many rows there are: `select(count())` has one, over any table.
    pub(crate) fn is_aggregate(&self) -> bool {
        self.projection.iter().any(|item| matches!(item, Projection::Node(node) if node.is_aggregate()))
    }

    /// The table and column of a result's column, where it is one.
    pub(crate) fn column(&self, position: usize) -> Option<(&'static str, &'static str)> {
        let mut next = 0;
        for item in &self.projection {
            let (model, index) = match item {
                Projection::Model(source) => {
                    let width = source.model.fetched().len();
                    next += width;
                    (source.model, (position + width).checked_sub(next))
                }
                Projection::Node(node) => {
                    next += 1;
                    match node {
                        Node::Column(column) => (column.model, Some(usize::from(column.index))),
                        _ if position < next => return None,
                        _ => continue,
                    }
                }
            };
            if position < next {
                return Some((model.table, model.columns[index?].name));
            }
        }
        let undeferred = self.undefer.get(position.checked_sub(next)?)?;
        Some((undeferred.model.table, undeferred.model.columns[usize::from(undeferred.index)].name))
    }
}

/// One item of the select list.
#[derive(Clone, Debug)]
pub(crate) enum Projection {
    /// All columns of a model.
    Model(Source),
    /// One expression.
    Node(Node),
}

/// A join along a relationship.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    /// Where it starts.
    pub(crate) from: Source,
    /// Which of the model's relationships it follows.
    pub(crate) relation: usize,
    /// The table that it adds.
    pub(crate) to: Source,
}

/// What `select` takes: the constant of a model, a column, an expression, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected",
    label = "expected a model's name (as in `select(User)`), a column, or a tuple of columns"
)]
pub trait Selection {
    /// What a row becomes.
    type Row: Fetch;

    /// The items of the select list.
    #[doc(hidden)]
    fn project(self, list: &mut ProjectionList);
}

/// The select list while it is gathered.
#[derive(Debug, Default)]
pub struct ProjectionList(Vec<Projection>);

/// The constant of any model: `derive(Model)` makes `User` a [`TableOf`] `User`.
#[diagnostic::do_not_recommend]
impl<T: TableOf> Selection for T {
    type Row = T::Model;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Model(Source { model: T::Model::def(), alias: self.alias() }));
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> Selection for Column<M, T> {
    type Row = T;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Node(self.into_node()));
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Selection for super::Expr<T> {
    type Row = T;

    fn project(self, list: &mut ProjectionList) {
        list.0.push(Projection::Node(self.into_node()));
    }
}

macro_rules! selection_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Selection),+> Selection for ($($name,)+) {
            type Row = ($($name::Row,)+);

            fn project(self, list: &mut ProjectionList) {
                $(self.$index.project(list);)+
            }
        }
    };
}

selection_tuple!(A 0);
selection_tuple!(A 0, B 1);
selection_tuple!(A 0, B 1, C 2);
selection_tuple!(A 0, B 1, C 2, D 3);
selection_tuple!(A 0, B 1, C 2, D 3, E 4);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
selection_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

/// Begins a query: `select(User)` for objects, `select((User.id, User.email))` for columns.
pub fn select<S: Selection>(selection: S) -> Select<S::Row> {
    let mut list = ProjectionList::default();
    selection.project(&mut list);
    let mut from = None;
    for item in &list.0 {
        match item {
            Projection::Model(source) => from = from.or(Some(*source)),
            Projection::Node(node) => node.columns(&mut |column| from = from.or(Some(column.source()))),
        }
    }
    Select::of(SelectCore {
        projection: list.0,
        from,
        joins: Vec::new(),
        filter: Vec::new(),
        order_by: Vec::new(),
        limit: None,
        offset: None,
        loads: Vec::new(),
        undefer: Vec::new(),
    })
}

impl<T> Select<T> {
    pub(crate) fn of(core: SelectCore) -> Self {
        Select { core, marker: PhantomData }
    }
}

impl<T: Fetch> Select<T> {
    /// The table to start from, where it is not that of the first selected column: for `select(count())`.
    pub fn from<S: TableOf>(mut self, table: S) -> Self {
        self.core.from = Some(Source { model: S::Model::def(), alias: table.alias() });
        self
    }

    /// Keeps the rows for which the condition holds. Several filters must all hold.
    pub fn filter<E: Condition>(mut self, condition: E) -> Self {
        match condition.into_node() {
            Node::And(parts) => self.core.filter.extend(parts),
            node => self.core.filter.push(node),
        }
        self
    }

    /// Joins the table at the other end of a relationship (an inner join): `.join(Post.author)`.
    ///
    /// A row that has several partners, as along a to-many, comes once for each. A table can be in a query once;
    /// for a second time it needs another name, from which the join starts:
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Employee {
    /// #     #[column(primary_key)] id: i64,
    /// #     name: String,
    /// #     #[column(foreign_key(Employee.id))] boss_id: Option<i64>,
    /// #     #[relationship(back_populates = reports)] boss: BelongsTo<Option<Employee>>,
    /// #     #[relationship(back_populates = boss)] reports: HasMany<Employee>,
    /// # }
    /// let boss = Employee.alias("boss");
    /// let of_ada = select(Employee).from(boss).join(boss.reports).filter(boss.name.eq("Ada"));
    /// ```
    pub fn join<R: Related>(mut self, relation: R) -> Self {
        self.core.joins.push(Join {
            from: Source { model: R::Owner::def(), alias: relation.alias() },
            relation: relation.index(),
            to: Source { model: R::Target::def(), alias: None },
        });
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
    /// Loads a relationship of every object that the query returns, in one more query for all of them:
    /// `.with(Post.tags)`, or nested, `.with(User.posts.with(Post.tags))`.
    pub fn with<L: IntoLoad<M>>(mut self, load: L) -> Self {
        self.core.loads.push(load.into_load());
        self
    }
}
