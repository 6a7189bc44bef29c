//! The N+1 guard: a relationship that is loaded for one object after the other is a query for each, where one query
//! for all of them would do. Nothing is wrong with the program, and nobody notices before there are many rows; so the
//! session counts.

use std::panic::Location;

use rustc_hash::FxHashMap;

use super::Session;
use super::load::Reading;
use crate::error::{Error, Result};
use crate::model::{Handle, ModelDef};
use crate::sql::Load;

/// What a session does when it loads the same relationship, or the same deferred column, for one object at a time more
/// often than this in one transaction. Loads that sent no query, and those for several objects at once, do not count.
///
/// ```
/// # use limbeck::prelude::*;
/// use limbeck::session::NPlusOne;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// // In tests it is an error, which names the query that lacks a `.with(…)`.
/// let sessions = engine.sessionmaker().n_plus_one(NPlusOne::Error(5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NPlusOne {
    /// Nothing.
    Off,
    /// It warns through `tracing` (target `limbeck::session`), once for each relationship. The default, at 10.
    Warn(usize),
    /// The load fails with [`Error::NPlusOne`], for tests.
    Error(usize),
}

impl Default for NPlusOne {
    fn default() -> Self {
        NPlusOne::Warn(10)
    }
}

/// A relationship or a column of a model, by number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Relation(usize),
    Column(usize),
}

#[derive(Clone, Copy, Default)]
struct Count {
    loads: usize,
    warned: bool,
}

/// How often what was loaded.
#[derive(Default)]
pub(crate) struct Guard {
    counts: FxHashMap<(usize, Part), Count>,
}

impl Guard {
    /// A transaction has ended: another piece of work begins.
    pub(super) fn restart(&mut self) {
        self.counts.values_mut().for_each(|count| count.loads = 0);
    }
}

impl Session {
    /// Loads a relationship, and counts.
    pub(super) async fn load_counted(
        &mut self,
        model: &'static ModelDef,
        owners: Vec<Handle>,
        load: Load,
        at: &'static Location<'static>,
    ) -> Result<()> {
        self.autoflush().await?;
        let (alone, before) = (owners.len() == 1, self.line.stats().statements);
        load.check(model)?;
        self.load_along(model, owners, std::slice::from_ref(&load), &mut Reading::default(), None).await?;
        if alone && self.line.stats().statements > before {
            return self.counted(model, Part::Relation(load.relation), at);
        }
        Ok(())
    }

    /// Loads a deferred column, and counts.
    pub(super) async fn load_column_counted(
        &mut self,
        model: &'static ModelDef,
        owners: Vec<Handle>,
        column: usize,
        at: &'static Location<'static>,
    ) -> Result<()> {
        let (alone, before) = (owners.len() == 1, self.line.stats().statements);
        self.load_deferred(model, owners, column).await?;
        if alone && self.line.stats().statements > before {
            return self.counted(model, Part::Column(column), at);
        }
        Ok(())
    }

    fn counted(&mut self, model: &'static ModelDef, part: Part, at: &'static Location<'static>) -> Result<()> {
        let (most, fails) = match self.options.n_plus_one {
            NPlusOne::Off => return Ok(()),
            NPlusOne::Warn(most) => (most, false),
            NPlusOne::Error(most) => (most, true),
        };
        let count = self.guard.counts.entry((model.id.get(), part)).or_default();
        count.loads += 1;
        if count.loads <= most || (count.warned && !fails) {
            return Ok(());
        }
        count.warned = true;
        let loads = count.loads;
        let (relation, remedy) = match part {
            Part::Relation(relation) => (model.relations[relation].label.to_string(), "with"),
            Part::Column(column) => (format!("{}.{}", model.name, model.columns[column].field), "undefer"),
        };
        let remedy = format!(".{remedy}({relation})");
        let error = Error::NPlusOne { relation, remedy, loads, location: at };
        if fails {
            return Err(error);
        }
        if let Error::NPlusOne { relation, remedy, .. } = &error {
            tracing::warn!(target: "limbeck::session", relation, remedy, loads, location = %at, "{error}");
        }
        Ok(())
    }
}
