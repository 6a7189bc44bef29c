//! Trying revisions: each is applied, taken back and applied again, and the catalog says whether the way back leads
//! back. It is for a database that has nothing to lose.

use std::collections::BTreeSet;

use limbeck::engine::Engine;

use super::apply::Way;
use super::{Migrator, Revision};
use crate::between::{Catalog, Changes};
use crate::error::{Error, Result};

/// A revision that was tried.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tested {
    /// Its id.
    pub id: String,
    /// What it does.
    pub message: String,
    /// Its file.
    pub file: String,
    /// What is wrong with it; nothing as a rule.
    pub faults: Vec<Fault>,
}

/// What is wrong with a revision that can be applied.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It has no `downgrade` section.
    Irreversible,
    /// Its downgrade fails.
    Downgrade(Error),
    /// After its downgrade the schema is not what it was before: what is still to be done.
    DowngradeDiffers(Changes),
    /// It cannot be applied again after its downgrade.
    Again(Error),
    /// Applied again, it makes another schema than at first: what is missing.
    AgainDiffers(Changes),
}

impl Migrator {
    /// Applies every revision to an empty database, takes it back, and applies it again: one after the other in their
    /// order, each on top of those before it. `tested` is told of each.
    ///
    /// With `from`, revisions are tried that are this one or need it; the others are only applied.
    ///
    /// It ends early, without an error, behind a revision whose fault leaves a schema that nobody knows.
    ///
    /// # Errors
    /// As [`upgrade`](Self::upgrade): when a revision cannot be applied in the first place.
    pub async fn test(
        &self,
        engine: &Engine,
        from: Option<&str>,
        mut tested: impl FnMut(&Tested) + Send,
    ) -> Result<()> {
        let chosen = self.chosen(from)?;
        let mut before = None;
        for revision in self.history().revisions() {
            if !chosen.contains(revision.id.as_str()) {
                self.one(engine, revision, Way::Up).await?;
                before = None;
                continue;
            }
            let start = match before.take() {
                Some(start) => start,
                None => read(engine).await?,
            };
            let (faults, end) = self.try_out(engine, revision, &start).await?;
            let file = revision.for_database(engine.dialect())?.file;
            tested(&Tested { id: revision.id.clone(), message: revision.message.clone(), file, faults });
            if end.is_none() {
                break;
            }
            before = end;
        }
        Ok(())
    }

    fn chosen(&self, from: Option<&str>) -> Result<BTreeSet<&str>> {
        let history = self.history();
        let first = from.map(|from| history.named(from)).transpose()?.unwrap_or_default();
        Ok(match first.is_empty() {
            true => history.revisions().iter().map(|revision| revision.id.as_str()).collect(),
            false => history.above(first),
        })
    }

    /// Up, down, up. Returns the database as it is then, where that is known.
    async fn try_out(
        &self,
        engine: &Engine,
        revision: &Revision,
        start: &Catalog,
    ) -> Result<(Vec<Fault>, Option<Catalog>)> {
        self.one(engine, revision, Way::Up).await?;
        let there = read(engine).await?;
        let Some(downgrade) = revision.for_database(engine.dialect())?.downgrade else {
            return Ok((vec![Fault::Irreversible], Some(there)));
        };
        let mut faults = Vec::new();
        match self.one(engine, revision, Way::Down).await {
            Ok(()) => {}
            Err(error) if is_its_own(&error) => {
                // As one transaction it was rolled back.
                return Ok((vec![Fault::Downgrade(error)], downgrade.is_whole().then_some(there)));
            }
            Err(error) => return Err(error),
        }
        let left = read(engine).await?.changes(start);
        if !left.is_empty() {
            faults.push(Fault::DowngradeDiffers(left));
        }
        match self.one(engine, revision, Way::Up).await {
            Ok(()) => {}
            Err(error) if is_its_own(&error) => {
                faults.push(Fault::Again(error));
                return Ok((faults, None));
            }
            Err(error) => return Err(error),
        }
        let again = read(engine).await?;
        let left = again.changes(&there);
        if !left.is_empty() {
            faults.push(Fault::AgainDiffers(left));
        }
        Ok((faults, Some(again)))
    }

    async fn one(&self, engine: &Engine, revision: &Revision, way: Way) -> Result<()> {
        let connection = engine.connect().await?;
        self.run(engine, connection, vec![revision.id.clone()], way, &mut |_| ()).await.map(drop)
    }
}

async fn read(engine: &Engine) -> Result<Catalog> {
    Catalog::read(&mut engine.connect().await?).await
}

/// Whether an error is one of the revision, and not of the database or the way to it.
fn is_its_own(error: &Error) -> bool {
    matches!(error, Error::Statement { .. } | Error::Integrity(_))
}
