//! DELETE of any number of rows by a condition.

use std::marker::PhantomData;

use super::compile::{Compiled, Compiler, Query, Wanted};
use super::effect::Effect;
use super::fetch::Fetch;
use super::matching::{Matching, matching};
use super::node::Source;
use super::render::Renderer;
use super::select::{Filter, Projection, add_filter, column_at};
use super::selection::{ProjectionList, Selection};
use super::shape::{Shape, ShapeKind};
use super::subquery::FromClause;
use super::write::{Statement, Touched, only_rows, writes};
use crate::dialect::Dialect;
use crate::driver::Access;
use crate::error::{Error, Result};
use crate::model::{Model, TableOf};

/// A DELETE of the rows of `M` for which a condition holds; with [`returning`](Self::returning), a query whose rows
/// are `R`.
///
/// Run through a session, the objects whose rows it deletes are deleted, too: see
/// [`Session::execute`](crate::session::Session::execute).
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
    pub(crate) rows: Matching,
}

/// Begins a DELETE of rows of a model's table, or of an alias of it.
pub fn delete<T: TableOf>(table: T) -> Delete<T::Model> {
    Delete { core: DeleteCore { rows: Matching::new(Source::of(&table)) }, marker: PhantomData }
}

impl<M: Model, R> Delete<M, R> {
    /// Another table, or a subquery, whose columns the condition may name (`DELETE … USING`). The condition says which
    /// of its rows belong to which. SQLite has no such clause; there the same is said by EXISTS.
    pub fn using<F: FromClause>(mut self, table: F) -> Self {
        self.core.rows.others.push(table.into_origin());
        self
    }
}

matching!(Delete, "Deletes", "A DELETE", "were");
writes!(Delete, "Delete");

impl DeleteCore {
    fn check(&self, _: Dialect) -> Result<()> {
        self.rows.check("delete")
    }

    fn returning(&self) -> &[Projection] {
        &self.rows.returning
    }

    fn effect(&self) -> Option<Effect> {
        Some(Effect::deletes(self.rows.target.model))
    }

    fn compile_keys<'q>(&'q self, _: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        Ok(None)
    }

    fn touched(&self) -> Touched {
        Touched::new()
    }

    fn shape<'q>(&'q self, _: &[(usize, crate::types::Value<'static>)], dialect: Dialect) -> Shape<'q> {
        let mut shape = Shape::new(ShapeKind::DeleteWhere);
        shape.source(&self.rows.target);
        self.rows.shape(&mut shape, dialect);
        shape
    }

    fn render(
        &self,
        touched: &[(usize, crate::types::Value<'static>)],
        wanted: &[usize],
        renderer: &mut Renderer,
    ) -> Result<()> {
        let shape = self.shape(touched, renderer.dialect);
        let ctes = shape.ctes();
        self.rows.check_tables(renderer.dialect, &ctes, std::iter::empty())?;

        renderer.with(&ctes)?;
        renderer.push("DELETE FROM ").table(&self.rows.target);
        let (before, after) = match renderer.dialect {
            _ if self.rows.others.is_empty() => ("", ""),
            Dialect::Postgres => (" USING ", ""),
            Dialect::Sqlite => (" WHERE EXISTS (SELECT 1 FROM ", ")"),
        };
        self.rows.render_others(before, renderer)?;
        renderer.conditions(" WHERE ", &self.rows.filter).push(after);
        renderer.returning(&self.rows.returning, &self.rows.target, wanted);
        renderer.finish()
    }
}
