//! INSERT of rows, or of what a query finds.

use std::marker::PhantomData;

use super::check::{Checker, Known, Scope};
use super::compile::{Compiled, Compiler, Query, Wanted};
use super::conflict::Conflict;
use super::effect::Effect;
use super::fetch::Fetch;
use super::node::Source;
use super::render::Renderer;
use super::select::{Projection, Select, SelectCore, column_at};
use super::selection::{ProjectionList, Selection};
use super::shape::{Shape, ShapeKind};
use super::subquery::Origin;
use super::write::{
    ColumnList, EXCLUDED, Fits, Statement, Touch, Touched, check_value, columns, only_rows, writable, writes,
};
use crate::dialect::{Dialect, ddl};
use crate::driver::{Access, Bind};
use crate::error::{Error, Result};
use crate::model::{ColumnSet, Many, Model, ModelDef, New, NewObject, One, RelationRef, TableOf};
use crate::types::Value;

/// An INSERT into the table of `M`; with [`returning`](Self::returning), a query whose rows are `R`.
///
/// It writes rows, and makes no object in a session: for objects there is `session.add`.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::insert;
/// # #[derive(Model)]
/// # struct Tag { #[column(primary_key)] id: i64, #[column(unique)] name: String }
/// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
/// let tags = ["rust", "sql"].map(|name| Tag::builder().name(name));
/// let ids = session.all(insert(Tag).rows(tags).returning(Tag.id)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a statement does nothing until a session or a connection runs it"]
pub struct Insert<M, R = ()> {
    pub(super) core: InsertCore,
    pub(super) marker: PhantomData<fn() -> (M, R)>,
}

/// An INSERT without its types.
#[derive(Clone, Debug)]
pub(crate) struct InsertCore {
    pub(super) model: &'static ModelDef,
    rows: Vec<Row>,
    query: Option<(Vec<usize>, SelectCore)>,
    pub(super) conflict: Option<Conflict>,
    returning: Vec<Projection>,
    touch: Touch,
    /// Why it cannot be run.
    refusal: Option<String>,
}

/// A row to insert.
#[derive(Clone, Debug)]
struct Row {
    /// The columns that have a value.
    given: ColumnSet,
    /// The values, in the order of the columns.
    values: Vec<Value<'static>>,
}

/// Begins an INSERT into a model's table.
pub fn insert<T: TableOf>(table: T) -> Insert<T::Model> {
    let _ = table;
    let core = InsertCore {
        model: T::Model::def(),
        rows: Vec::new(),
        query: None,
        conflict: None,
        returning: Vec::new(),
        touch: T::Model::touched,
        refusal: None,
    };
    Insert { core, marker: PhantomData }
}

impl<M: Model, R> Insert<M, R> {
    /// Adds a row: a finished builder, or a model by value. What it was not given is the column's default.
    ///
    /// A row has columns only: a relationship that is linked in it is an error when the statement is run.
    pub fn row<N: New<Model = M>>(mut self, row: N) -> Self {
        self.core.add(row.into_new());
        self
    }

    /// Adds rows. They may have been given different columns.
    pub fn rows<N: New<Model = M>>(mut self, rows: impl IntoIterator<Item = N>) -> Self {
        rows.into_iter().for_each(|row| self.core.add(row.into_new()));
        self
    }

    /// Inserts what a query finds: `insert(Archived).from_select((Archived.id, Archived.title), select((Post.id,
    /// Post.title)))`. Columns that are not named get what the database makes, which defaults of the model are not.
    pub fn from_select<C: ColumnList<M>, S: Fetch + Fits<C::Row>>(mut self, columns: C, query: Select<S>) -> Self {
        self.core.query = Some((columns.positions(), query.core));
        self
    }

    /// What is wanted of the inserted rows: the statement is then run as a query.
    pub fn returning<S: Selection>(mut self, selection: S) -> Insert<M, S::Row> {
        let mut list = ProjectionList::default();
        selection.project(&mut list);
        self.core.returning = list.0;
        Insert { core: self.core, marker: PhantomData }
    }
}

writes!(Insert, "Insert");

impl InsertCore {
    fn add<M: Model>(&mut self, row: NewObject<M>) {
        let NewObject::Draft(draft) = row else {
            self.refusal = Some(format!(
                "an object of a session cannot be a row of `insert({})`: `session.add` adds it again",
                self.model.name
            ));
            return;
        };
        let linked = (0..self.model.relations.len()).find(|relation| match draft.object.relation(*relation) {
            RelationRef::One(field) => matches!(field.state, One::Loaded(Some(_))),
            RelationRef::Many(field) => matches!(&field.state, Many::Loaded { range, .. } if !range.is_empty()),
        });
        if let Some(relation) = linked {
            let label = self.model.relations[relation].label;
            self.refusal = Some(format!(
                "`{label}` is linked in a row of `insert({})`, which has columns only: give its key column, or use \
                 `session.add`",
                self.model.name
            ));
        }
        let values = draft.given.iter().map(|column| draft.object.value(column).into_owned()).collect();
        self.rows.push(Row { given: draft.given, values });
    }

    /// The columns that any row has.
    fn columns(&self) -> Vec<usize> {
        if let Some((columns, _)) = &self.query {
            return columns.clone();
        }
        let given = self.rows.iter().fold(ColumnSet::EMPTY, |all, row| all.union(row.given));
        // Several rows of nothing but defaults need a column that they can be written for.
        if given.is_empty() && self.rows.len() > 1 { vec![self.model.primary_key[0]] } else { given.iter().collect() }
    }

    fn check(&self, dialect: Dialect) -> Result<()> {
        if let Some(refusal) = &self.refusal {
            return Err(Error::Statement(refusal.clone()));
        }
        let name = self.model.name;
        if self.rows.is_empty() && self.query.is_none() {
            return Err(Error::Statement(format!("`insert({name})` has no rows: call `.row(…)` or `.rows(…)`")));
        }
        if !self.rows.is_empty() && self.query.is_some() {
            return Err(Error::Statement(format!("`insert({name})` has rows and a query: it can have one of them")));
        }
        for row in &self.rows {
            for (column, value) in row.given.iter().zip(&row.values) {
                check_value(dialect, self.model, column, value)?;
            }
        }
        if let Some((columns, _)) = &self.query {
            columns.iter().try_for_each(|column| writable(self.model, *column))?;
        }
        self.conflict.as_ref().map_or(Ok(()), |conflict| conflict.check(dialect, self.model))
    }

    fn returning(&self) -> &[Projection] {
        &self.returning
    }

    fn touched(&self) -> Touched {
        match self.conflict.as_ref().and_then(Conflict::sets) {
            Some(sets) => (self.touch)(columns(sets)),
            None => Touched::new(),
        }
    }

    fn shape<'q>(&'q self, touched: &[(usize, Value<'static>)], dialect: Dialect) -> Shape<'q> {
        let mut shape = Shape::new(ShapeKind::InsertRows);
        shape.source(&Source { model: self.model, alias: None });
        match &self.query {
            Some((columns, query)) => {
                shape.byte(1);
                shape.positions(columns);
                shape.select(query, Wanted::Rows, dialect);
            }
            None => {
                shape.byte(2);
                shape.number(self.rows.len() as u64);
                for row in &self.rows {
                    shape.column_set(row.given);
                    shape.binds.extend(row.values.iter().map(|value| Bind::One(value.borrowed())));
                }
            }
        }
        shape.byte(u8::from(self.conflict.is_some()));
        if let Some(conflict) = &self.conflict {
            conflict.shape(&mut shape, touched, dialect);
        }
        shape.returning(&self.returning, dialect);
        shape
    }

    /// What it does to rows that are there already.
    fn effect(&self) -> Option<Effect> {
        let sets = self.conflict.as_ref().and_then(Conflict::sets)?;
        let mut changed = columns(sets);
        self.touched().iter().for_each(|(column, _)| changed.insert(*column));
        Some(Effect::updates(self.model, changed))
    }

    fn compile_keys<'q>(&'q self, _: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        Ok(None)
    }

    fn render(&self, touched: &[(usize, Value<'static>)], wanted: &[usize], renderer: &mut Renderer) -> Result<()> {
        let shape = self.shape(touched, renderer.dialect);
        let ctes = shape.ctes();
        let checker = Checker::new(&ctes)?;
        checker.ctes()?;
        let target = Source { model: self.model, alias: None };
        let mut scope = Scope { known: vec![Known::new(Origin::Table(target))], around: None };
        self.returning.iter().try_for_each(|item| checker.projection(item, &scope))?;
        if let Some((_, query)) = &self.query {
            checker.select(query, None)?;
        }
        if let Some(conflict) = &self.conflict {
            scope.known.push(Known::new(Origin::Table(Source { model: self.model, alias: Some(EXCLUDED) })));
            conflict.check_tables(&checker, &scope)?;
        }

        renderer.with(&ctes)?;
        renderer.push("INSERT INTO ").table(&target);
        let columns = self.columns();
        if columns.is_empty() && self.query.is_none() {
            renderer.push(" DEFAULT VALUES");
        } else {
            renderer.push(" (").names(self.model, &columns).push(")");
            match &self.query {
                Some((_, query)) => self.render_query(query, renderer)?,
                None => self.render_rows(&columns, renderer),
            }
        }
        if let Some(conflict) = &self.conflict {
            conflict.render(self.model, touched, renderer);
        }
        renderer.returning(&self.returning, &target, wanted);
        renderer.finish()
    }

    fn render_query(&self, query: &SelectCore, renderer: &mut Renderer) -> Result<()> {
        // SQLite would take ON for the begin of a join's condition.
        if renderer.dialect == Dialect::Sqlite && self.conflict.is_some() {
            renderer.push(" SELECT * FROM (").query(query, Wanted::Rows, None)?;
            renderer.push(") WHERE true");
            return Ok(());
        }
        renderer.push(" ").query(query, Wanted::Rows, None)
    }

    fn render_rows(&self, columns: &[usize], renderer: &mut Renderer) {
        for (index, row) in self.rows.iter().enumerate() {
            renderer.push(if index > 0 { ", (" } else { " VALUES (" });
            for (place, column) in columns.iter().enumerate() {
                renderer.push(if place > 0 { ", " } else { "" });
                let def = &self.model.columns[*column];
                if row.given.contains(*column) {
                    renderer.param(def.sql_type.kind());
                    continue;
                }
                match (renderer.dialect, def.server_default) {
                    (Dialect::Postgres, _) => renderer.push("DEFAULT"),
                    // SQLite has no such word here. The key that it numbers is one that is NULL.
                    (Dialect::Sqlite, None) => renderer.push("NULL"),
                    (Dialect::Sqlite, Some(default)) => {
                        let default = ddl::default_expression(Dialect::Sqlite, default);
                        renderer.push(&default)
                    }
                };
            }
            renderer.push(")");
        }
    }
}
