//! UPDATE of any number of rows by a condition.

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
/// Run through a session, the objects whose rows it changes follow: see
/// [`Session::execute`](crate::session::Session::execute).
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
    pub(crate) rows: Matching,
    pub(crate) sets: Vec<Set>,
    touch: Touch,
}

/// Begins an UPDATE of a model's table, or of an alias of it.
pub fn update<T: TableOf>(table: T) -> Update<T::Model> {
    let core = UpdateCore { rows: Matching::new(Source::of(&table)), sets: Vec::new(), touch: T::Model::touched };
    Update { core, marker: PhantomData }
}

impl<M: Model, R> Update<M, R> {
    /// Sets a column to a value or an expression. Columns with `on_update` are set too, unless they are here, and a
    /// `version` is counted up, so that a session that read the row before does not overwrite it.
    pub fn set<T: ColumnType, V: Settable<T>>(mut self, column: Column<M, T>, value: V) -> Self {
        count_version(&mut self.core.sets, M::def(), self.core.rows.target.alias);
        add_set(&mut self.core.sets, Set::new(column, value));
        self
    }

    /// Another table, or a subquery, whose columns the values and the condition may name (`UPDATE … FROM`). The
    /// condition says which of its rows belong to which.
    pub fn from<F: FromClause>(mut self, table: F) -> Self {
        self.core.rows.others.push(table.into_origin());
        self
    }
}

matching!(Update, "Changes", "An UPDATE", "are afterwards");
writes!(Update, "Update");

impl UpdateCore {
    fn check(&self, dialect: Dialect) -> Result<()> {
        let model = self.rows.target.model;
        if self.sets.is_empty() {
            return Err(Error::Statement(format!("the update of `{}` sets nothing: call `.set(…)`", model.name)));
        }
        self.rows.check("update")?;
        check_sets(dialect, model, &self.sets)
    }

    fn returning(&self) -> &[Projection] {
        &self.rows.returning
    }

    fn effect(&self) -> Option<Effect> {
        let mut changed = columns(&self.sets);
        self.touched().iter().for_each(|(column, _)| changed.insert(*column));
        Some(Effect::updates(self.rows.target.model, changed))
    }

    /// `SELECT id, id + 1 FROM …`: the keys of its rows, and those that it gives them.
    fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        let target = &self.rows.target;
        let key = target.model.primary_key;
        let set = |column: usize| self.sets.iter().find(|set| set.column == column);
        let mut shape = Shape::new(ShapeKind::KeysWhere);
        shape.source(target);
        for column in key {
            shape.byte(u8::from(set(*column).is_some()));
            if let Some(set) = set(*column) {
                shape.node(&set.value, compiler.dialect);
            }
        }
        self.rows.shape(&mut shape, compiler.dialect);
        let ctes = shape.ctes();
        let keys = compiler.statement(shape, Access::Writes, |renderer| {
            self.rows.check_tables(renderer.dialect, &ctes, self.sets.iter().map(|set| &set.value))?;
            renderer.with(&ctes)?;
            let name = |column: usize| target.model.columns[column].name;
            for (index, column) in key.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "SELECT " }).qualified(target.name(), name(*column));
            }
            for column in key {
                renderer.push(", ");
                match set(*column) {
                    Some(set) => renderer.node(&set.value),
                    None => renderer.qualified(target.name(), name(*column)),
                };
            }
            renderer.push(" FROM ").table(target);
            self.rows.render_others(", ", renderer)?;
            renderer.conditions(" WHERE ", &self.rows.filter);
            if renderer.dialect == Dialect::Postgres {
                renderer.push(" FOR UPDATE OF ").ident(target.name());
            }
            renderer.finish()
        })?;
        Ok(Some(keys))
    }

    fn touched(&self) -> Touched {
        (self.touch)(columns(&self.sets))
    }

    fn shape<'q>(&'q self, touched: &[(usize, crate::types::Value<'static>)], dialect: Dialect) -> Shape<'q> {
        let mut shape = Shape::new(ShapeKind::UpdateWhere);
        shape.source(&self.rows.target);
        shape.sets(&self.sets, touched, dialect);
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
        self.rows.check_tables(renderer.dialect, &ctes, self.sets.iter().map(|set| &set.value))?;

        renderer.with(&ctes)?;
        renderer.push("UPDATE ").table(&self.rows.target).push(" SET ");
        renderer.sets(self.rows.target.model, &self.sets, touched);
        self.rows.render_others(" FROM ", renderer)?;
        renderer.conditions(" WHERE ", &self.rows.filter);
        renderer.returning(&self.rows.returning, &self.rows.target, wanted);
        renderer.finish()
    }
}
