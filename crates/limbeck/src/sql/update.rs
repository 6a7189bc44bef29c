//! UPDATE of any number of rows by a condition.

use std::marker::PhantomData;

use super::check::{Checker, Known, Scope};
use super::compile::{Compiled, Compiler, Query, Wanted};
use super::fetch::Fetch;
use super::node::{Node, Source};
use super::render::Renderer;
use super::select::{Filter, Projection, add_filter, column_at};
use super::selection::{ProjectionList, Selection};
use super::shape::{Shape, ShapeKind};
use super::subquery::{FromClause, Origin};
use super::write::{
    Set, Settable, Statement, Touch, Touched, add_set, check_sets, columns, count_version, only_rows, writes,
};
use crate::dialect::Dialect;
use crate::driver::Access;
use crate::error::{Error, Result};
use crate::model::{Column, Model, TableOf};
use crate::types::ColumnType;

/// An UPDATE of the rows of `M` for which a condition holds; with [`returning`](Self::returning), a query whose rows
/// are `R`.
///
/// It changes rows in the database, and no object in a session: one that is there keeps what it holds until it is
/// refreshed.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::update;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
/// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
/// let counted = update(Post).set(Post.views, Post.views + 1).filter(Post.id.in_([1, 2, 3]));
/// let changed = session.execute(&counted).await?;
/// let views = session.all(counted.returning((Post.id, Post.views))).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a statement does nothing until a session or a connection runs it"]
pub struct Update<M, R = ()> {
    core: UpdateCore,
    marker: PhantomData<fn() -> (M, R)>,
}

/// An UPDATE without its types.
#[derive(Clone, Debug)]
pub(crate) struct UpdateCore {
    pub(crate) target: Source,
    pub(crate) sets: Vec<Set>,
    pub(crate) from: Vec<Origin>,
    pub(crate) filter: Vec<Node>,
    pub(crate) all_rows: bool,
    pub(crate) returning: Vec<Projection>,
    touch: Touch,
}

/// Begins an UPDATE of a model's table, or of an alias of it.
pub fn update<T: TableOf>(table: T) -> Update<T::Model> {
    Update {
        core: UpdateCore {
            target: Source::of(&table),
            sets: Vec::new(),
            from: Vec::new(),
            filter: Vec::new(),
            all_rows: false,
            returning: Vec::new(),
            touch: T::Model::touched,
        },
        marker: PhantomData,
    }
}

impl<M: Model, R> Update<M, R> {
    /// Sets a column to a value or an expression. Columns with `on_update` are set too, unless they are here, and a
    /// `version` is counted up, so that a session that read the row before does not overwrite it.
    pub fn set<T: ColumnType, V: Settable<T>>(mut self, column: Column<M, T>, value: V) -> Self {
        count_version(&mut self.core.sets, M::def(), self.core.target.alias);
        add_set(&mut self.core.sets, Set::new(column, value));
        self
    }

    /// Another table, or a subquery, whose columns the values and the condition may name (`UPDATE … FROM`). The
    /// condition says which of its rows belong to which.
    pub fn from<F: FromClause>(mut self, table: F) -> Self {
        self.core.from.push(table.into_origin());
        self
    }

    /// Changes only rows for which the condition holds. Several must all hold; a `None` is none.
    pub fn filter<F: Filter>(mut self, condition: F) -> Self {
        add_filter(&mut self.core.filter, condition);
        self
    }

    /// Says that all rows are meant. An UPDATE that has neither this nor a filter is an error when it is run.
    pub fn all_rows(mut self) -> Self {
        self.core.all_rows = true;
        self
    }

    /// What is wanted of the changed rows, as they are afterwards: the statement is then run as a query.
    pub fn returning<S: Selection>(mut self, selection: S) -> Update<M, S::Row> {
        let mut list = ProjectionList::default();
        selection.project(&mut list);
        self.core.returning = list.0;
        Update { core: self.core, marker: PhantomData }
    }
}

writes!(Update, "Update");

impl UpdateCore {
    fn check(&self, dialect: Dialect) -> Result<()> {
        let model = self.target.model;
        if self.sets.is_empty() {
            return Err(Error::Statement(format!("the update of `{}` sets nothing: call `.set(…)`", model.name)));
        }
        if self.filter.is_empty() && !self.all_rows {
            return Err(Error::Statement(format!(
                "the update of `{}` has no filter: say which rows by `.filter(…)`, or `.all_rows()`",
                model.name
            )));
        }
        check_sets(dialect, model, &self.sets)
    }

    fn touched(&self) -> Touched {
        (self.touch)(columns(&self.sets))
    }

    fn shape<'q>(&'q self, touched: &[(usize, crate::types::Value<'static>)], dialect: Dialect) -> Shape<'q> {
        let mut shape = Shape::new(ShapeKind::UpdateWhere);
        shape.source(&self.target);
        shape.sets(&self.sets, touched, dialect);
        shape.origins(&self.from, dialect);
        shape.filters(&self.filter, dialect);
        shape.returning(&self.returning, dialect);
        shape
    }

    fn render(&self, touched: &[(usize, crate::types::Value<'static>)], renderer: &mut Renderer) -> Result<()> {
        let shape = self.shape(touched, renderer.dialect);
        let ctes = shape.ctes();
        let checker = Checker::new(&ctes)?;
        checker.ctes()?;
        let mut scope = Scope { known: vec![Known::new(Origin::Table(self.target))], around: None };
        for origin in &self.from {
            checker.origin(origin, &mut scope, false)?;
        }
        self.sets.iter().try_for_each(|set| checker.node(&set.value, &scope))?;
        checker.nodes(&self.filter, &scope)?;
        // SQLite returns columns of the changed table only.
        if renderer.dialect == Dialect::Sqlite {
            scope.known.truncate(1);
        }
        self.returning.iter().try_for_each(|item| checker.projection(item, &scope))?;

        renderer.with(&ctes)?;
        renderer.push("UPDATE ").table(&self.target).push(" SET ");
        renderer.sets(self.target.model, &self.sets, touched);
        for (index, origin) in self.from.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { " FROM " }).origin(origin)?;
        }
        renderer.conditions(" WHERE ", &self.filter);
        renderer.returning(&self.returning);
        renderer.finish()
    }
}
