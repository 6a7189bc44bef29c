//! Typed queries on a connection: rows become values that no session tracks.

use std::sync::Arc;

use super::{Connection, Engine};
use crate::dialect::{Dialect, ddl};
use crate::driver::{Access, Extra, Row, RowSink, Stmt};
use crate::error::{Error, Result};
use crate::schema::Metadata;
use crate::sql::compile::{Compiled, Compiler, Wanted};
use crate::sql::from_row::{Positions, unreadable};
use crate::sql::view::Filling;
use crate::sql::{Fetch, Query, Sql, Statement};

impl Connection {
    /// All rows of a query, as values of their own: `connection.all(select(User))` is a `Vec<User>` whose
    /// relationships are not loaded. Faster than a session, and without its identity map.
    ///
    /// # Errors
    /// When the statement cannot be built or the database refuses it.
    pub async fn all<Q: Query>(&mut self, query: Q) -> Result<Vec<Q::Row>> {
        self.values(&query, Wanted::Rows).await
    }

    /// The first row of a query, if it has one.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn first<Q: Query>(&mut self, query: Q) -> Result<Option<Q::Row>> {
        Ok(self.values(&query, Wanted::First).await?.into_iter().next())
    }

    /// The only row of a query.
    ///
    /// # Errors
    /// [`Error::NoRows`], [`Error::MultipleRows`], and as [`all`](Self::all).
    pub async fn one<Q: Query>(&mut self, query: Q) -> Result<Q::Row> {
        self.one_or_none(query).await?.ok_or(Error::NoRows)
    }

    /// The only row of a query, or none.
    ///
    /// # Errors
    /// [`Error::MultipleRows`], and as [`all`](Self::all).
    pub async fn one_or_none<Q: Query>(&mut self, query: Q) -> Result<Option<Q::Row>> {
        let mut rows = self.values(&query, Wanted::One).await?;
        if rows.len() > 1 {
            return Err(Error::MultipleRows);
        }
        Ok(rows.pop())
    }

    /// How many rows a query has.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn count<Q: Query>(&mut self, query: Q) -> Result<u64> {
        let counts: Vec<i64> = self.values(&query, Wanted::Count).await?;
        Ok(counts.first().map_or(0, |count| (*count).max(0) as u64))
    }

    /// Whether a query has any row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn exists<Q: Query>(&mut self, query: Q) -> Result<bool> {
        Ok(self.values(&query, Wanted::Exists).await?.first().copied().unwrap_or(false))
    }

    /// Runs a statement that writes, and says how many rows it changed.
    ///
    /// # Errors
    /// When the statement cannot be built or the database refuses it.
    pub async fn execute<S: Statement>(&mut self, statement: S) -> Result<u64> {
        let engine = self.engine();
        let Compiled { stmt, binds, .. } = statement.compile_statement(compiler(&engine))?;
        self.execute_compiled(&stmt, &binds).await
    }

    /// Runs a statement written by hand, as [`execute`](Self::execute) does.
    ///
    /// # Errors
    /// When a value is missing or the database refuses the statement.
    pub async fn execute_sql(&mut self, sql: Sql) -> Result<u64> {
        self.execute(sql).await
    }

    /// What the database says of how it would run a query: its `EXPLAIN`, or `EXPLAIN QUERY PLAN` on SQLite, a line
    /// for each step. The query is not run.
    ///
    /// # Errors
    /// When the statement cannot be built or the database refuses it.
    pub async fn explain<Q: Query>(&mut self, query: Q) -> Result<String> {
        let engine = self.engine();
        let Compiled { stmt, binds, .. } = query.compile(compiler(&engine), Wanted::Rows)?;
        let stmt = explained(self.dialect(), &stmt);
        let mut plan = Plan::default();
        self.query(&stmt, &binds, &mut plan).await?;
        Ok(plan.lines.join("\n"))
    }

    async fn values<Q: Query, T: Fetch>(&mut self, query: &Q, wanted: Wanted) -> Result<Vec<T>> {
        let engine = self.engine();
        let Compiled { stmt, binds, extras } = query.compile(compiler(&engine), wanted)?;
        let filling = if wanted.is_rows() { Filling::new(T::lists())? } else { Filling::none() };
        let mut sink = ValueSink::<T>::new(query.is_by_name() && wanted.is_rows(), filling);
        sink.columns.undefer(extras);
        match self.query(&stmt, &binds, &mut sink).await {
            Ok(()) => {
                let ValueSink { mut out, filling, .. } = sink;
                filling.run(&mut out, self, 0).await?;
                Ok(out)
            }
            Err(error) => Err(query.explain(error)),
        }
    }
}

/// The statement that asks how another one would be run.
pub(crate) fn explained(dialect: Dialect, stmt: &Stmt) -> Arc<Stmt> {
    let word = if dialect == Dialect::Sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    Stmt::new(format!("{word}{}", stmt.sql), stmt.params.to_vec(), Access::Reads)
}

/// The steps of a plan, as text.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) lines: Vec<String>,
    /// SQLite: the steps that are open, outermost first.
    open: Vec<i64>,
}

impl RowSink for Plan {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        // PostgreSQL has the text alone; SQLite the step's number, that of the step around it, and the text last.
        if row.len() == 1 {
            self.lines.push(row.get::<String>(0).map_err(|source| unreadable::<String>(source, Positions::IN_ORDER))?);
            return Ok(());
        }
        let read =
            |column: usize| row.get::<i64>(column).map_err(|source| unreadable::<i64>(source, Positions::IN_ORDER));
        let (id, parent) = (read(0)?, read(1)?);
        while self.open.last().is_some_and(|open| *open != parent) {
            self.open.pop();
        }
        let detail =
            row.get::<String>(row.len() - 1).map_err(|source| unreadable::<String>(source, Positions::IN_ORDER))?;
        self.lines.push(format!("{}{detail}", "  ".repeat(self.open.len())));
        self.open.push(id);
        Ok(())
    }

    fn restart(&mut self) {
        *self = Plan::default();
    }
}

fn compiler(engine: &Engine) -> Compiler<'_> {
    Compiler { dialect: engine.dialect(), cache: engine.statements() }
}

impl Engine {
    /// Creates the tables, indexes and constraints of models, in an order in which they can be created. For
    /// tests and experiments: a database that is to last is made by migrations.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # use limbeck::schema::Metadata;
    /// # #[derive(Model)]
    /// # struct Note { #[column(primary_key)] id: i64, text: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// engine.create_all(&limbeck::metadata![Note]?).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the database says; [`Error::Mapping`] when this database cannot hold what the
    /// models say.
    pub async fn create_all(&self, metadata: &Metadata) -> Result<()> {
        self.run_all(ddl::create_all(self.dialect(), metadata)?).await
    }

    /// Drops the tables of models, with all their rows.
    ///
    /// # Errors
    /// What the database says; a table that does not exist is no error.
    pub async fn drop_all(&self, metadata: &Metadata) -> Result<()> {
        self.run_all(ddl::drop_all(self.dialect(), metadata)).await
    }

    async fn run_all(&self, statements: Vec<String>) -> Result<()> {
        let mut connection = self.connect().await?;
        connection.begin().await?;
        for statement in statements {
            connection.execute_raw(&statement).await?;
        }
        connection.commit().await
    }
}

/// Makes values of rows.
pub(crate) struct ValueSink<T> {
    pub(crate) out: Vec<T>,
    pub(crate) columns: Columns,
    /// The lists of the values, where they have any.
    filling: Filling<T>,
}

impl<T> ValueSink<T> {
    pub(crate) fn new(by_name: bool, filling: Filling<T>) -> Self {
        ValueSink { out: Vec::new(), columns: Columns::new(by_name), filling }
    }
}

/// For SQL that limbeck did not write, and whose columns are looked at.
impl<T> Default for ValueSink<T> {
    fn default() -> Self {
        ValueSink::new(true, Filling::none())
    }
}

impl<T: Fetch> RowSink for ValueSink<T> {
    #[inline]
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        if self.out.is_empty() {
            self.columns.find::<T>(&row)?;
        }
        match T::fetch_at(&self.columns.of(&row), self.columns.positions()) {
            Ok(value) => {
                self.out.push(value);
                self.filling.row(&row)
            }
            Err(source) => Err(unreadable::<T>(source, self.columns.positions())),
        }
    }

    fn restart(&mut self) {
        self.out.clear();
        self.filling.restart();
    }
}

/// Where the columns of a result are: looked up in its first row.
pub(crate) struct Columns {
    by_name: bool,
    positions: Vec<usize>,
    /// The deferred columns that were asked for.
    extras: Vec<Extra>,
}

impl Columns {
    pub(crate) fn new(by_name: bool) -> Self {
        Columns { by_name, positions: Vec::new(), extras: Vec::new() }
    }

    /// Says which deferred columns the rows have, and where.
    pub(crate) fn undefer(&mut self, extras: Vec<Extra>) {
        self.extras = extras;
    }

    /// Looks at the first row. SQL written by hand may return anything.
    pub(crate) fn find<T: Fetch>(&mut self, row: &Row<'_>) -> Result<()> {
        // What limbeck wrote has the columns that it reads.
        if self.by_name {
            self.positions = T::resolve(row)?;
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn positions(&self) -> Positions<'_> {
        Positions::new(&self.positions)
    }

    /// The row, with the places of its deferred columns.
    #[inline]
    pub(crate) fn of<'r>(&'r self, row: &'r Row<'r>) -> Row<'r> {
        if self.extras.is_empty() { *row } else { row.undeferred(&self.extras) }
    }
}

/// Whether a row has as many columns as a `T` takes.
pub(crate) fn check_width<T: Fetch>(row: &Row<'_>) -> Result<()> {
    let (there, read) = (row.len(), T::width());
    if there == read {
        return Ok(());
    }
    let returned = if there == 1 { "1 column".to_owned() } else { format!("{there} columns") };
    let wanted = if read == 1 { "1 is".to_owned() } else { format!("{read} are") };
    Err(Error::Statement(format!("the query returns {returned}, but {wanted} read of each row")))
}
