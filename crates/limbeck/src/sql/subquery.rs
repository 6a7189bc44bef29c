//! Queries inside queries: in FROM (a [`Subquery`]), and inside expressions ([`exists`], [`Select::scalar`]).

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::expression::Expr;
use super::fetch::Fetch;
use super::node::{DerivedColumn, InnerQuery, Node, Source, derived_alias};
use super::select::{Projection, Select, SelectCore};
use crate::model::{ModelDef, TableOf};
use crate::schema::SqlType;
use crate::types::{ColumnType, Value};

/// Rows that are no table's, under a name: a subquery, a CTE, or a list of values. A query reads them as it reads a
/// table, by [`from`](Select::from) and [`join_on`](Select::join_on).
///
/// ```
/// use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String, author_id: i64 }
///
/// let counts = select((Post.author_id, count())).group_by(Post.author_id).subquery("counts");
/// let (author, posts) = counts.columns();
/// let busy = select((Post.title, posts.clone())).join_on(&counts, author.eq(Post.author_id)).filter(posts.gt(10));
/// ```
pub struct Subquery<T> {
    pub(crate) derived: Arc<Derived>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Subquery<T> {
    fn clone(&self) -> Self {
        Subquery::of(Arc::clone(&self.derived))
    }
}

impl<T> std::fmt::Debug for Subquery<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Subquery").field(&self.derived).finish()
    }
}

impl<T> Subquery<T> {
    pub(crate) fn of(derived: Arc<Derived>) -> Self {
        Subquery { derived, marker: PhantomData }
    }

    /// The name that it has in a query.
    pub fn name(&self) -> &'static str {
        self.derived.name
    }

    /// The same rows under another name, to join them with themselves.
    #[must_use]
    pub fn alias(&self, name: &'static str) -> Self {
        let body = match &self.derived.body {
            Body::Cte(_) | Body::Recursive(_) | Body::Itself | Body::Alias(_) => Body::Alias(Arc::clone(&self.derived)),
            body => body.clone(),
        };
        let Derived { columns, models, refusal, .. } = &*self.derived;
        let (columns, models, refusal) = (columns.clone(), models.clone(), refusal.clone());
        Subquery::of(Arc::new(Derived { id: next_id(), name, body, columns, models, refusal }))
    }
}

impl<T: Columns> Subquery<T> {
    /// Its columns, to be used in a query that has it: a tuple for a tuple, the model's constant for a model, an
    /// expression for a single column.
    pub fn columns(&self) -> T::Columns {
        let mut next = 0;
        T::columns(&mut DerivedColumns { of: &self.derived, next: &mut next })
    }
}

/// What stands in FROM and is no table.
#[derive(Debug)]
pub struct Derived {
    /// Tells it from others of the same name: a column belongs to one of them.
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) body: Body,
    pub(crate) columns: Vec<Output>,
    /// The models among its columns.
    pub(crate) models: Vec<&'static ModelDef>,
    /// Why it cannot be read.
    pub(crate) refusal: Option<String>,
}

/// Where the rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A query, written where it is used.
    Query(Arc<SelectCore>),
    /// A query, written once in WITH.
    Cte(Arc<SelectCore>),
    /// A query and the one that goes on from its rows.
    Recursive(Arc<Recursion>),
    /// Inside of a recursive one: the rows that it has found so far.
    Itself,
    /// Another one that is written in WITH.
    Alias(Arc<Derived>),
    /// Rows of values.
    Values(Arc<ValueRows>),
}

/// The two halves of a recursive CTE.
#[derive(Debug)]
pub(crate) struct Recursion {
    pub(crate) base: SelectCore,
    pub(crate) step: SelectCore,
    /// `UNION`: a row that was found before is not followed again.
    pub(crate) distinct: bool,
}

/// The rows of a list of values.
#[derive(Debug)]
pub(crate) struct ValueRows {
    pub(crate) types: Vec<SqlType>,
    pub(crate) rows: Vec<Vec<Value<'static>>>,
}

/// A column of it.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) name: Cow<'static, str>,
    /// Whether that is what the database calls it anyway.
    pub(crate) plain: bool,
}

pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Derived {
    /// Rows of a query under a name.
    pub(crate) fn new(id: u64, name: &'static str, of: &SelectCore, body: Body) -> Arc<Self> {
        let (columns, models, clash) = outputs(of);
        let refusal = clash.map(|column| {
            format!("`{name}` selects two columns called `{column}`: select the columns that are needed, one by one")
        });
        Arc::new(Derived { id, name, body, columns, models, refusal })
    }

    /// The one that WITH has, where it is one of those.
    pub(crate) fn cte(&self) -> Option<&Derived> {
        match &self.body {
            Body::Cte(_) | Body::Recursive(_) => Some(self),
            Body::Alias(of) => of.cte(),
            Body::Query(_) | Body::Itself | Body::Values(_) => None,
        }
    }
}

/// The columns of a query as another one sees them. A column keeps its name; what has none, or one that is taken, is
/// called by its position. Also the name that two models have in common.
fn outputs(core: &SelectCore) -> (Vec<Output>, Vec<&'static ModelDef>, Option<&'static str>) {
    let mut taken: Vec<Cow<'static, str>> = Vec::new();
    let (mut models, mut clash) = (Vec::new(), None);
    for item in &core.projection {
        if let Projection::Model { source, .. } = item {
            models.push(source.model);
            for column in source.model.fetched() {
                if taken.contains(&Cow::Borrowed(column.name)) {
                    clash.get_or_insert(column.name);
                }
                taken.push(Cow::Borrowed(column.name));
            }
        }
    }
    let mut columns = Vec::new();
    for item in &core.projection {
        let own = match item {
            Projection::Model { source, .. } => {
                let names = source.model.fetched().iter().map(|column| Cow::Borrowed(column.name));
                columns.extend(names.map(|name| Output { name, plain: true }));
                continue;
            }
            Projection::Node { node: Node::Column(column), .. } => {
                Some(Cow::Borrowed(column.model.columns[usize::from(column.index)].name))
            }
            Projection::Node { node: Node::Derived(column), .. } => {
                column.of.columns.get(column.index).map(|output| output.name.clone())
            }
            Projection::Node { .. } => None,
        };
        let free = own.filter(|name| !taken.contains(name));
        let output = match free {
            Some(name) => Output { name, plain: true },
            None => {
                let mut name = format!("c{}", columns.len() + 1);
                while taken.iter().any(|other| *other == name) {
                    name.push('_');
                }
                Output { name: name.into(), plain: false }
            }
        };
        taken.push(output.name.clone());
        columns.push(output);
    }
    (columns, models, clash)
}

/// The columns of a [`Subquery`] while they are handed out.
#[derive(Debug)]
pub struct DerivedColumns<'d> {
    of: &'d Arc<Derived>,
    next: &'d mut usize,
}

impl DerivedColumns<'_> {
    /// The next column.
    fn expression<T>(&mut self) -> Expr<T> {
        let index = *self.next;
        *self.next += 1;
        Expr::new(Node::Derived(DerivedColumn { of: Arc::clone(self.of), index }))
    }

    /// The columns of a model, which are found by their names: the alias for its constant. Used by `derive(Model)`.
    pub fn model(&mut self, columns: usize) -> &'static str {
        *self.next += columns;
        derived_alias(self.of.name)
    }
}

/// A row type whose columns another query can name: a model, a column's type, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no columns that a query could name",
    label = "expected the row of a subquery: a model, a column's type, or a tuple of these"
)]
pub trait Columns: Fetch {
    /// The columns.
    type Columns;
    /// The columns of rows that may be absent.
    type Optional;

    /// Used by [`Subquery::columns`].
    #[doc(hidden)]
    fn columns(columns: &mut DerivedColumns<'_>) -> Self::Columns;

    /// Used by [`Subquery::columns`].
    #[doc(hidden)]
    fn optional(columns: &mut DerivedColumns<'_>) -> Self::Optional;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType<Null<bool> = bool>> Columns for T {
    type Columns = Expr<T>;
    type Optional = Expr<Option<T>>;

    fn columns(columns: &mut DerivedColumns<'_>) -> Expr<T> {
        columns.expression()
    }

    fn optional(columns: &mut DerivedColumns<'_>) -> Expr<Option<T>> {
        columns.expression()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Columns> Columns for Option<T> {
    type Columns = T::Optional;
    type Optional = T::Optional;

    fn columns(columns: &mut DerivedColumns<'_>) -> T::Optional {
        T::optional(columns)
    }

    fn optional(columns: &mut DerivedColumns<'_>) -> T::Optional {
        T::optional(columns)
    }
}

macro_rules! columns_tuple {
    ($($name:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Columns),+> Columns for ($($name,)+) {
            type Columns = ($($name::Columns,)+);
            type Optional = ($($name::Optional,)+);

            fn columns(columns: &mut DerivedColumns<'_>) -> Self::Columns {
                ($($name::columns(columns),)+)
            }

            fn optional(columns: &mut DerivedColumns<'_>) -> Self::Optional {
                ($($name::optional(columns),)+)
            }
        }
    };
}

columns_tuple!(A);
columns_tuple!(A B);
columns_tuple!(A B C);
columns_tuple!(A B C D);
columns_tuple!(A B C D E);
columns_tuple!(A B C D E F);
columns_tuple!(A B C D E F G);
columns_tuple!(A B C D E F G H);
columns_tuple!(A B C D E F G H I);
columns_tuple!(A B C D E F G H I J);
columns_tuple!(A B C D E F G H I J K);
columns_tuple!(A B C D E F G H I J K L);

/// Rows that a query can read: the constant of a model, an alias of one, or a [`Subquery`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a query can read rows from",
    label = "expected a model's name, such as `User`, an alias of one, or a reference to a subquery"
)]
pub trait FromClause {
    /// What stands in FROM.
    #[doc(hidden)]
    fn into_origin(self) -> Origin;
}

/// What stands in FROM or after JOIN.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A table.
    Table(Source),
    /// Anything else.
    Derived(Arc<Derived>),
}

impl Origin {
    /// The name that its columns are qualified with.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Origin::Table(source) => source.name(),
            Origin::Derived(derived) => derived.name,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: TableOf> FromClause for T {
    fn into_origin(self) -> Origin {
        Origin::Table(Source::of(&self))
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromClause for &Subquery<T> {
    fn into_origin(self) -> Origin {
        Origin::Derived(Arc::clone(&self.derived))
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromClause for Subquery<T> {
    fn into_origin(self) -> Origin {
        Origin::Derived(self.derived)
    }
}

impl<T: Fetch> Select<T> {
    /// The query as rows for another one, which calls them by this name.
    pub fn subquery(self, name: &'static str) -> Subquery<T> {
        let core = Arc::new(self.core);
        Subquery::of(Derived::new(next_id(), name, &core, Body::Query(Arc::clone(&core))))
    }
}

impl<T: ColumnType> Select<T> {
    /// The query as the value of its row, of which it may have one at most; NULL when it has none. It may name columns
    /// of the query that it stands in.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct User { #[column(primary_key)] id: i64, name: String }
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, author_id: i64 }
    /// let posts = select(count()).from(Post).filter(Post.author_id.eq(User.id)).scalar();
    /// let users = select((User.name, posts));
    /// ```
    pub fn scalar(self) -> Expr<Option<T::Base>> {
        Expr::new(Node::Scalar(InnerQuery(Arc::new(self.core))))
    }
}

/// `EXISTS`: whether a query has any row. It may name columns of the query that it stands in.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::exists;
/// # #[derive(Model)]
/// # struct User { #[column(primary_key)] id: i64, name: String }
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, author_id: i64 }
/// let silent = select(User).filter(!exists(select(Post).filter(Post.author_id.eq(User.id))));
/// ```
pub fn exists<T: Fetch>(query: Select<T>) -> Expr<bool> {
    Expr::new(Node::Exists(InnerQuery(Arc::new(query.core))))
}
