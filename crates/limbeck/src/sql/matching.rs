//! What UPDATE and DELETE share: the rows of a table that a condition picks, other tables that it names, and what is
//! wanted of these rows.

use super::check::{Checker, Known, Scope, rows_only};
use super::node::{Node, Source};
use super::render::Renderer;
use super::select::Projection;
use super::shape::Shape;
use super::subquery::{Derived, Origin};
use crate::dialect::Dialect;
use crate::error::{Error, Result};

/// The rows of a statement that changes or deletes them.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    pub(crate) target: Source,
    /// Other tables that the condition names.
    pub(super) others: Vec<Origin>,
    pub(crate) filter: Vec<Node>,
    all_rows: bool,
    pub(crate) returning: Vec<Projection>,
}

impl Matching {
    pub(super) fn new(target: Source) -> Self {
        Matching { target, others: Vec::new(), filter: Vec::new(), all_rows: false, returning: Vec::new() }
    }

    pub(super) fn all_rows(&mut self) {
        self.all_rows = true;
    }

    /// Refuses a statement over all rows unless that was said. `what` is `update` or `delete`.
    pub(super) fn check(&self, what: &str) -> Result<()> {
        if self.filter.is_empty() && !self.all_rows {
            return Err(Error::Statement(format!(
                "the {what} of `{}` has no filter: say which rows by `.filter(…)`, or `.all_rows()`",
                self.target.model.name
            )));
        }
        Ok(())
    }

    pub(super) fn shape<'q>(&'q self, shape: &mut Shape<'q>, dialect: Dialect) {
        shape.origins(&self.others, dialect);
        shape.filters(&self.filter, dialect);
        shape.returning(&self.returning, dialect);
    }

    /// Checks that everything names tables that are in the statement: `sets`, the condition, and what is returned.
    pub(super) fn check_tables<'n>(
        &self,
        dialect: Dialect,
        ctes: &[&Derived],
        mut sets: impl Iterator<Item = &'n Node>,
    ) -> Result<()> {
        let checker = Checker::new(ctes)?;
        checker.ctes()?;
        let mut scope = Scope { known: vec![Known::new(Origin::Table(self.target))], around: None };
        for origin in &self.others {
            checker.origin(origin, &mut scope, false)?;
        }
        sets.try_for_each(|value| checker.row_value(value, &scope))?;
        checker.nodes(&self.filter, &scope)?;
        rows_only(&self.filter, &scope)?;
        // SQLite returns columns of the changed table only.
        if dialect == Dialect::Sqlite {
            scope.known.truncate(1);
        }
        self.returning.iter().try_for_each(|item| checker.projection(item, &scope))
    }

    /// The other tables, behind `before`.
    pub(super) fn render_others(&self, before: &str, renderer: &mut Renderer) -> Result<()> {
        for (index, origin) in self.others.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { before }).origin(origin)?;
        }
        Ok(())
    }
}

/// The methods of a typed face over a core with rows that match.
macro_rules! matching {
    ($name:ident, $does:literal, $word:literal, $after:literal) => {
        impl<M: Model, R> $name<M, R> {
            #[doc = concat!($does, " only rows for which the condition holds. Several must all hold; a `None` is none.")]
            pub fn filter<F: Filter>(mut self, condition: F) -> Self {
                add_filter(&mut self.core.rows.filter, condition);
                self
            }

            #[doc = concat!("Says that all rows are meant. ", $word, " that has neither this nor a filter is an error \
                             when it is run.")]
            pub fn all_rows(mut self) -> Self {
                self.core.rows.all_rows();
                self
            }

            #[doc = concat!("What is wanted of the rows, as they ", $after, ": the statement is then run as a query.")]
            pub fn returning<S: Selection>(mut self, selection: S) -> $name<M, S::Row> {
                let mut list = ProjectionList::default();
                selection.project(&mut list);
                self.core.rows.returning = list.0;
                $name { core: self.core, marker: PhantomData }
            }
        }
    };
}
pub(super) use matching;
