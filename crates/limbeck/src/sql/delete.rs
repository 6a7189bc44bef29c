//! DELETE of any number of rows by a condition.

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
use super::write::{Statement, Touched, only_rows, writes};
use crate::dialect::Dialect;
use crate::driver::Access;
use crate::error::{Error, Result};
use crate::model::{Model, TableOf};

/// A DELETE of the rows of `M` for which a condition holds; with [`returning`](Self::returning), a query whose rows
/// are `R`.
///
/// It deletes rows in the database, and no object in a session: what is there of them is stale.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::delete;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
/// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
/// let deleted = session.execute(delete(Post).filter(Post.views.eq(0))).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a statement does nothing until a session or a connection runs it"]
pub struct Delete<M, R = ()> {
    core: DeleteCore,
    marker: PhantomData<fn() -> (M, R)>,
}

/// A DELETE without its types.
#[derive(Clone, Debug)]
pub(crate) struct DeleteCore {
    target: Source,
    using: Vec<Origin>,
    filter: Vec<Node>,
    all_rows: bool,
    returning: Vec<Projection>,
}

/// Begins a DELETE of rows of a model's table, or of an alias of it.
pub fn delete<T: TableOf>(table: T) -> Delete<T::Model> {
    let core = DeleteCore {
        target: Source::of(&table),
        using: Vec::new(),
        filter: Vec::new(),
        all_rows: false,
        returning: Vec::new(),
    };
    Delete { core, marker: PhantomData }
}

impl<M: Model, R> Delete<M, R> {
    /// Another table, or a subquery, whose columns the condition may name (`DELETE … USING`). The condition says which
    /// of its rows belong to which. SQLite has no such clause; there the same is said by EXISTS.
    pub fn using<F: FromClause>(mut self, table: F) -> Self {
        self.core.using.push(table.into_origin());
        self
    }

    /// Deletes only rows for which the condition holds. Several must all hold; a `None` is none.
    pub fn filter<F: Filter>(mut self, condition: F) -> Self {
        add_filter(&mut self.core.filter, condition);
        self
    }

    /// Says that all rows are meant. A DELETE that has neither this nor a filter is an error when it is run.
    pub fn all_rows(mut self) -> Self {
        self.core.all_rows = true;
        self
    }

    /// What is wanted of the deleted rows, as they were: the statement is then run as a query.
    pub fn returning<S: Selection>(mut self, selection: S) -> Delete<M, S::Row> {
        let mut list = ProjectionList::default();
        selection.project(&mut list);
        self.core.returning = list.0;
        Delete { core: self.core, marker: PhantomData }
    }
}

writes!(Delete, "Delete");

impl DeleteCore {
    fn check(&self, _: Dialect) -> Result<()> {
        if self.filter.is_empty() && !self.all_rows {
            return Err(Error::Statement(format!(
                "the delete of `{}` has no filter: say which rows by `.filter(…)`, or `.all_rows()`",
                self.target.model.name
            )));
        }
        Ok(())
    }

    fn touched(&self) -> Touched {
        Touched::new()
    }

    fn shape<'q>(&'q self, _: &[(usize, crate::types::Value<'static>)], dialect: Dialect) -> Shape<'q> {
        let mut shape = Shape::new(ShapeKind::DeleteWhere);
        shape.source(&self.target);
        shape.origins(&self.using, dialect);
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
        for origin in &self.using {
            checker.origin(origin, &mut scope, false)?;
        }
        checker.nodes(&self.filter, &scope)?;
        // SQLite returns columns of the changed table only.
        if renderer.dialect == Dialect::Sqlite {
            scope.known.truncate(1);
        }
        self.returning.iter().try_for_each(|item| checker.projection(item, &scope))?;

        renderer.with(&ctes)?;
        renderer.push("DELETE FROM ").table(&self.target);
        let (before, after) = match renderer.dialect {
            _ if self.using.is_empty() => ("", ""),
            Dialect::Postgres => (" USING ", ""),
            Dialect::Sqlite => (" WHERE EXISTS (SELECT 1 FROM ", ")"),
        };
        for (index, origin) in self.using.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { before }).origin(origin)?;
        }
        renderer.conditions(" WHERE ", &self.filter).push(after);
        renderer.returning(&self.returning);
        renderer.finish()
    }
}
