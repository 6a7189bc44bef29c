//! Loading a relationship by a statement that says more than its keys: with a filter, in an order, up to a limit for
//! each owner, and with the relationships that are joined to it.

use rustc_hash::FxHashSet;

use super::reading::{Reading, Targets};
use crate::driver::{Row, RowSink};
use crate::engine::Columns;
use crate::error::Result;
use crate::model::mapping::Resolved;
use crate::model::{Handle, ModelDef};
use crate::session::Session;
use crate::session::objects::Objects;
use crate::sql::compile::{Compiled, Wanted};
use crate::sql::joined::Joined;
use crate::sql::keys::{KeyList, RowKey, key_of};
use crate::sql::load::Load;
use crate::sql::select_in::SelectIn;

/// What such a statement found.
pub(super) struct Found {
    /// The targets, each with its owner's key.
    pub(super) rows: Vec<(RowKey, Handle)>,
    /// What was joined to them.
    pub(super) targets: Option<Targets>,
}

impl Found {
    /// What is found for no keys.
    pub(super) fn nothing() -> Self {
        Found { rows: Vec::new(), targets: None }
    }
}

impl Session {
    /// The targets of a relationship for owners with these keys.
    pub(super) async fn part(
        &mut self,
        owner: &'static ModelDef,
        resolved: &Resolved,
        load: &Load,
        list: KeyList,
        reading: &mut Reading,
    ) -> Result<Found> {
        let plan = SelectIn::of(owner, resolved, load, list, self.line.compiler().dialect)?;
        let alone = Joined::of(&plan.core, &load.nested, Wanted::Rows)?;
        let joined = match alone {
            Some(joined) => joined,
            None => Joined::none(&plan.core),
        };
        let Compiled { stmt, binds, extras } = joined.compile(self.line.compiler())?;
        let mut columns = Columns::new(false);
        columns.undefer(extras);
        let mut sink = PartSink {
            objects: &mut self.objects,
            reading,
            model: resolved.target,
            plan: &plan,
            columns,
            found: Vec::new(),
            seen: joined.unique.then(FxHashSet::default),
            targets: Targets::of(&joined),
        };
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        let (rows, targets) = (sink.found, sink.targets);
        result.map_err(|error| joined.explain(error))?;
        Ok(Found { rows, targets: Some(targets) })
    }
}

/// Takes targets, each for the owner whose key is in its row, with what is joined to it.
struct PartSink<'s> {
    objects: &'s mut Objects,
    reading: &'s mut Reading,
    model: &'static ModelDef,
    plan: &'s SelectIn,
    columns: Columns,
    found: Vec<(RowKey, Handle)>,
    /// What was found, where it may come again.
    seen: Option<FxHashSet<(RowKey, Handle)>>,
    targets: Targets,
}

impl RowSink for PartSink<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let row = &self.columns.of(&row);
        let handle = self.reading.track(self.objects, self.model, row, 0)?;
        let SelectIn { keyed, key, key_at, .. } = self.plan;
        if let Some(key) = key_of(row, &|part| key_at[part], keyed, key)? {
            let new = match &mut self.seen {
                Some(seen) => seen.insert((key.clone(), handle)),
                None => true,
            };
            if new {
                self.found.push((key, handle));
            }
        }
        self.targets.row(self.objects, self.reading, handle, row)
    }

    fn restart(&mut self) {
        self.found.clear();
        self.seen.iter_mut().for_each(FxHashSet::clear);
        self.targets.restart();
    }
}
