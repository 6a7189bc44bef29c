//! ON CONFLICT: what an INSERT does when a row is there already.

use super::check::{Checker, Scope, rows_only};
use super::compile::{Compiled, Compiler, Query, Wanted};
use super::effect::Effect;
use super::fetch::Fetch;
use super::insert::Insert;
use super::node::Node;
use super::render::Renderer;
use super::select::{Filter, add_filter};
use super::selection::Selection;
use super::shape::Shape;
use super::write::{ColumnList, Set, Settable, Statement, add_set, check_sets, count_version};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::{Column, Model, ModelDef};
use crate::types::{ColumnType, Value};

/// What to do about a conflict.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    target: Target,
    /// The index's own condition, where it is one of some rows only.
    index: Vec<Node>,
    action: Action,
}

/// Which conflict.
#[derive(Clone, Debug)]
enum Target {
    /// Any.
    Any,
    /// That of a unique index over these columns.
    Columns(Vec<usize>),
    /// That of a constraint.
    Constraint(&'static str),
}

#[derive(Clone, Debug)]
enum Action {
    Nothing,
    Update { sets: Vec<Set>, filter: Vec<Node> },
}

/// An INSERT of which it was said which conflict is meant, and not yet what is done about it.
#[must_use = "say what is done about the conflict: `.do_nothing()` or `.do_update()`"]
pub struct OnConflict<M, R = ()> {
    insert: Insert<M, R>,
    target: Target,
    index: Vec<Node>,
}

/// An INSERT that updates the row that is there already: `insert(…).on_conflict(…).do_update()`. Columns with
/// `on_update` are set too, unless they are set here.
#[must_use = "a statement does nothing until a session or a connection runs it"]
pub struct Upsert<M, R = ()>(Insert<M, R>);

impl<M, R> Clone for OnConflict<M, R> {
    fn clone(&self) -> Self {
        OnConflict { insert: self.insert.clone(), target: self.target.clone(), index: self.index.clone() }
    }
}

impl<M, R> std::fmt::Debug for OnConflict<M, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnConflict").field("insert", &self.insert).field("target", &self.target).finish()
    }
}

impl<M, R> Clone for Upsert<M, R> {
    fn clone(&self) -> Self {
        Upsert(self.0.clone())
    }
}

impl<M, R> std::fmt::Debug for Upsert<M, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Upsert").field(&self.0).finish()
    }
}

impl<M: Model, R> Insert<M, R> {
    /// What to do about a row that has the same values in these columns, over which there is a primary key or a unique
    /// index: `.on_conflict(Tag.name)`, `.on_conflict((Seat.room, Seat.number))`.
    pub fn on_conflict<C: ColumnList<M>>(self, columns: C) -> OnConflict<M, R> {
        OnConflict { insert: self, target: Target::Columns(columns.positions()), index: Vec::new() }
    }

    /// What to do about a row that a constraint forbids: `.on_conflict_constraint("uq_tags_name")`.
    ///
    /// On PostgreSQL. SQLite does not know constraints by name: to run the statement there is an error.
    pub fn on_conflict_constraint(self, name: &'static str) -> OnConflict<M, R> {
        OnConflict { insert: self, target: Target::Constraint(name), index: Vec::new() }
    }

    /// Leaves out rows that any unique index forbids.
    pub fn on_conflict_do_nothing(self) -> Insert<M, R> {
        OnConflict { insert: self, target: Target::Any, index: Vec::new() }.do_nothing()
    }
}

impl<M: Model, R> OnConflict<M, R> {
    /// The condition of the unique index, where it is one of some rows only. It can have no values of its
    /// own: PostgreSQL compares it with that of the index before it knows them.
    pub fn index_filter<F: Filter>(mut self, condition: F) -> Self {
        add_filter(&mut self.index, condition);
        self
    }

    /// Leaves the row out.
    pub fn do_nothing(self) -> Insert<M, R> {
        self.with(Action::Nothing)
    }

    /// Updates the row that is there.
    pub fn do_update(self) -> Upsert<M, R> {
        Upsert(self.with(Action::Update { sets: Vec::new(), filter: Vec::new() }))
    }

    fn with(self, action: Action) -> Insert<M, R> {
        let OnConflict { mut insert, target, index } = self;
        insert.core.conflict = Some(Conflict { target, index, action });
        insert
    }
}

impl<M: Model, R> Upsert<M, R> {
    /// Sets a column of the row that is there: to a value, an expression, or what the new row has,
    /// [`excluded`](super::excluded).
    pub fn set<T: ColumnType, V: Settable<T>>(mut self, column: Column<M, T>, value: V) -> Self {
        if let Some(Conflict { action: Action::Update { sets, .. }, .. }) = &mut self.0.core.conflict {
            count_version(sets, M::def(), None);
            add_set(sets, Set::new(column, value));
        }
        self
    }

    /// Updates the row only if the condition holds; else it stays, and the new one is left out.
    pub fn filter<F: Filter>(mut self, condition: F) -> Self {
        if let Some(Conflict { action: Action::Update { filter, .. }, .. }) = &mut self.0.core.conflict {
            add_filter(filter, condition);
        }
        self
    }

    /// What is wanted of the inserted and the updated rows: the statement is then run as a query.
    pub fn returning<S: Selection>(self, selection: S) -> Upsert<M, S::Row> {
        Upsert(self.0.returning(selection))
    }

    /// The SQL text of the statement, as `dialect` spells it, with placeholders for its values.
    ///
    /// # Errors
    /// [`Error::Statement`](crate::Error::Statement) when it cannot be built.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String> {
        self.0.to_sql(dialect)
    }
}

impl<M: Model> Statement for Upsert<M, ()> {
    fn compile_statement<'q>(&'q self, compiler: Compiler<'_>) -> Result<Compiled<'q>> {
        self.0.compile_statement(compiler)
    }

    fn effect(&self) -> Option<Effect> {
        Statement::effect(&self.0)
    }

    fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
        Statement::compile_synced(&self.0, compiler, wanted)
    }
}

impl<M: Model, R: Fetch> Query for Upsert<M, R> {
    type Row = R;

    fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>> {
        self.0.compile(compiler, wanted)
    }

    fn effect(&self) -> Option<Effect> {
        Query::effect(&self.0)
    }

    fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
        Query::compile_synced(&self.0, compiler, wanted)
    }

    fn explain(&self, error: Error) -> Error {
        Query::explain(&self.0, error)
    }
}

impl Conflict {
    /// What an update sets.
    pub(super) fn sets(&self) -> Option<&[Set]> {
        match &self.action {
            Action::Nothing => None,
            Action::Update { sets, .. } => Some(sets),
        }
    }

    pub(super) fn check(&self, dialect: Dialect, model: &'static ModelDef) -> Result<()> {
        match self.sets() {
            Some([]) => {
                Err(Error::Statement(format!("`do_update()` of `insert({})` sets nothing: call `.set(…)`", model.name)))
            }
            Some(sets) => check_sets(dialect, model, sets),
            None => Ok(()),
        }
    }

    pub(super) fn check_tables(&self, checker: &Checker<'_>, scope: &Scope<'_>) -> Result<()> {
        checker.nodes(&self.index, scope)?;
        rows_only(&self.index, scope)?;
        match &self.action {
            Action::Nothing => Ok(()),
            Action::Update { sets, filter } => {
                sets.iter().try_for_each(|set| checker.row_value(&set.value, scope))?;
                checker.nodes(filter, scope)?;
                rows_only(filter, scope)
            }
        }
    }

    pub(super) fn shape<'q>(&'q self, shape: &mut Shape<'q>, touched: &[(usize, Value<'static>)], dialect: Dialect) {
        match &self.target {
            Target::Any => shape.byte(1),
            Target::Columns(columns) => {
                shape.byte(2);
                shape.positions(columns);
            }
            Target::Constraint(name) => {
                shape.byte(3);
                shape.text(name);
            }
        }
        shape.filters(&self.index, dialect);
        match &self.action {
            Action::Nothing => shape.byte(1),
            Action::Update { sets, filter } => {
                shape.byte(2);
                shape.sets(sets, touched, dialect);
                shape.filters(filter, dialect);
            }
        }
    }

    pub(super) fn render(
        &self,
        model: &'static ModelDef,
        touched: &[(usize, Value<'static>)],
        renderer: &mut Renderer,
    ) {
        renderer.push(" ON CONFLICT");
        match &self.target {
            Target::Any => {}
            Target::Columns(columns) => {
                renderer.push(" (").names(model, columns).push(")");
            }
            Target::Constraint(name) if renderer.dialect == Dialect::Postgres => {
                renderer.push(" ON CONSTRAINT ").ident(name);
            }
            Target::Constraint(_) => {
                renderer.refuse("`on_conflict_constraint`", "name its columns by `.on_conflict((…))`");
            }
        }
        renderer.conditions(" WHERE ", &self.index);
        match &self.action {
            Action::Nothing => {
                renderer.push(" DO NOTHING");
            }
            Action::Update { sets, filter } => {
                renderer.push(" DO UPDATE SET ").sets(model, sets, touched);
                renderer.conditions(" WHERE ", filter);
            }
        }
    }
}
