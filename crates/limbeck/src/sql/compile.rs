//! From a query to a statement that can be sent: by its shape from the cache, or rendered.

use std::sync::Arc;

use super::effect::Effect;
use super::fetch::Fetch;
use super::render::Renderer;
use super::select::{Select, SelectCore};
use super::shape::{Shape, ShapeKind};
use crate::dialect::Dialect;
use crate::driver::{Access, Bind, Extra, Stmt};
use crate::engine::StatementCache;
use crate::error::{Error, Result};

/// What is wanted of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Wanted {
    /// All its rows.
    Rows = 1,
    /// Its first row.
    First,
    /// Its only row: two are fetched, to see whether there is another.
    One,
    /// How many rows it has.
    Count,
    /// Whether it has a row.
    Exists,
}

impl Wanted {
    pub(crate) fn is_rows(self) -> bool {
        matches!(self, Wanted::Rows | Wanted::First | Wanted::One)
    }
}

/// A statement and its values.
#[derive(Debug)]
pub struct Compiled<'q> {
    pub(crate) stmt: Arc<Stmt>,
    pub(crate) binds: Vec<Bind<'q>>,
    /// The deferred columns among what it fetches.
    pub(crate) extras: Vec<Extra>,
}

/// Where statements are compiled: for which database, and with which cache.
#[derive(Clone, Copy, Debug)]
pub struct Compiler<'c> {
    pub(crate) dialect: Dialect,
    pub(crate) cache: &'c StatementCache,
}

impl Compiler<'_> {
    /// The statement of a shape: from the cache, or as `render` writes it.
    pub(crate) fn statement<'q>(
        &self,
        shape: Shape<'q>,
        access: Access,
        render: impl FnOnce(&mut Renderer) -> Result<()>,
    ) -> Result<Compiled<'q>> {
        let (bytes, binds) = shape.whole();
        let most = if self.dialect == Dialect::Sqlite { 32_766 } else { 65_535 };
        if binds.len() > most {
            return Err(Error::Statement(format!(
                "the statement has {} values, and the database takes {most} at once: run it for fewer rows at a time, \
                 or add objects to a session, which has no such limit",
                binds.len()
            )));
        }
        if let Some(stmt) = self.cache.get(&bytes) {
            return Ok(Compiled { stmt, binds, extras: Vec::new() });
        }
        let mut renderer = Renderer::new(self.dialect);
        render(&mut renderer)?;
        let stmt = Stmt::new(renderer.sql, renderer.params, access);
        self.cache.insert(bytes.into_boxed_slice(), Arc::clone(&stmt));
        Ok(Compiled { stmt, binds, extras: Vec::new() })
    }
}

/// A query that a session or a connection can run: a [`Select`], or raw SQL with
/// [`rows`](super::Sql::rows).
pub trait Query: Send + Sync {
    /// What a row becomes.
    type Row: Fetch;

    /// The statement.
    #[doc(hidden)]
    fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>>;

    /// The error, with the names of the column that could not be read where the query knows them.
    #[doc(hidden)]
    fn explain(&self, error: Error) -> Error {
        error
    }

    /// What it does to rows that are there, where it writes and that is known.
    #[doc(hidden)]
    fn effect(&self) -> Option<Effect> {
        None
    }

    /// The statement, with these columns of each changed row behind its own.
    #[doc(hidden)]
    fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
        let _ = wanted;
        self.compile(compiler, Wanted::Rows)
    }

    /// The query for the keys of the rows that it changes, as they are and as they will be.
    #[doc(hidden)]
    fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        let _ = compiler;
        Ok(None)
    }

    /// The query, where limbeck wrote it.
    #[doc(hidden)]
    fn core(&self) -> Option<&SelectCore> {
        None
    }

    /// Whether it locks the rows that it reads.
    #[doc(hidden)]
    fn locks(&self) -> bool {
        false
    }

    /// Whether structs find their columns by name: in statements whose columns limbeck did not write.
    #[doc(hidden)]
    fn is_by_name(&self) -> bool {
        false
    }
}

impl<T: Fetch> Query for Select<T> {
    type Row = T;

    fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>> {
        let mut shape = Shape::new(ShapeKind::Select);
        shape.select(&self.core, wanted, compiler.dialect);
        let access = shape.access();
        let mut compiled = compiler.statement(shape, access, |renderer| {
            T::check()?;
            renderer.select(&self.core, wanted)
        })?;
        if wanted.is_rows() {
            compiled.extras = self.core.extras();
        }
        Ok(compiled)
    }

    fn explain(&self, error: Error) -> Error {
        error.with_column(|at| self.core.column(at))
    }

    fn core(&self) -> Option<&SelectCore> {
        Some(&self.core)
    }

    fn locks(&self) -> bool {
        self.core.locks()
    }
}

impl<Q: Query> Query for &Q {
    type Row = Q::Row;

    fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>> {
        (**self).compile(compiler, wanted)
    }

    fn effect(&self) -> Option<Effect> {
        (**self).effect()
    }

    fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
        (**self).compile_synced(compiler, wanted)
    }

    fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        (**self).compile_keys(compiler)
    }

    fn explain(&self, error: Error) -> Error {
        (**self).explain(error)
    }

    fn core(&self) -> Option<&SelectCore> {
        (**self).core()
    }

    fn locks(&self) -> bool {
        (**self).locks()
    }

    fn is_by_name(&self) -> bool {
        (**self).is_by_name()
    }
}

impl<T: Fetch> Select<T> {
    /// The SQL text of the query, as `dialect` spells it, with placeholders for its values.
    ///
    /// # Errors
    /// [`Error::Statement`](crate::Error::Statement) when a table is missing.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String> {
        T::check()?;
        let mut renderer = Renderer::new(dialect);
        renderer.select(&self.core, Wanted::Rows)?;
        Ok(renderer.sql)
    }
}
