//! What a query does with the objects that the session has of its rows, and the targets that come in its rows.

use rustc_hash::FxHashSet;

use crate::driver::Row;
use crate::error::Result;
use crate::model::{ColumnSet, Handle, ModelDef};
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::sql::joined::{Branch, Joined};

/// How the rows of one call become objects: those that it read already, where rows overwrite objects.
#[derive(Debug, Default)]
pub(in crate::session) struct Reading(Option<FxHashSet<Obj>>);

impl Reading {
    /// Rows overwrite objects if `populate` says so; else an object keeps what it holds.
    pub(in crate::session) fn new(populate: bool) -> Self {
        Reading(populate.then(FxHashSet::default))
    }

    /// Whether an object need not be read again.
    pub(super) fn is_read(&self, obj: Obj) -> bool {
        self.0.as_ref().is_none_or(|read| read.contains(&obj))
    }

    /// Finds or makes the object of a row, or overwrites it.
    #[inline]
    pub(in crate::session) fn track(
        &mut self,
        objects: &mut Objects,
        model: &'static ModelDef,
        row: &Row<'_>,
        at: usize,
    ) -> Result<Handle> {
        let handle = objects.track(model, row, at)?;
        if let Some(read) = &mut self.0 {
            let obj = Obj { model: model.id.get() as u32, slot: handle.slot };
            if read.insert(obj) {
                objects.overwrite(obj, row, at)?;
            }
        }
        Ok(handle)
    }
}

impl Objects {
    /// Has an object say what its row says. What was linked and not flushed stays linked.
    fn overwrite(&mut self, obj: Obj, row: &Row<'_>, at: usize) -> Result<()> {
        let linked = !self.store(obj).meta(obj.slot).links.is_empty();
        let in_rows = || self.link_rows.values().any(|link| link.local == obj || link.remote == obj);
        let keep = linked || in_rows();
        let store = self.store_mut(obj);
        if store.meta(obj.slot).state != State::Persistent {
            return Ok(());
        }
        store.revert(obj.slot);
        store.meta_mut(obj.slot).given = ColumnSet::EMPTY;
        store.reread(obj.slot, row, at)?;
        self.expressions.remove(&obj);
        let store = self.store_mut(obj);
        if linked {
            // The flush compares the planned keys with what was read.
            store.touch(obj.slot);
        }
        if !keep {
            store.unload(obj.slot);
        }
        Ok(())
    }
}

/// The targets of joined relationships, as the rows bring them.
#[derive(Debug)]
pub(in crate::session) struct Targets {
    branches: Vec<Branch>,
    /// By branch: each owner with a target, or with none, in the order of the rows.
    found: Vec<Vec<(Handle, Option<Handle>)>>,
    /// By branch: what was found, where it may come again.
    seen: Vec<FxHashSet<(Handle, Handle)>>,
    /// The targets in the row that is looked at.
    here: Vec<Option<Handle>>,
}

impl Targets {
    pub(in crate::session) fn of(joined: &Joined) -> Self {
        let branches = joined.branches.clone();
        let count = branches.len();
        Targets {
            branches,
            found: vec![Vec::new(); count],
            seen: vec![FxHashSet::default(); count],
            here: vec![None; count],
        }
    }

    /// Takes the targets out of a row of `root`.
    pub(in crate::session) fn row(
        &mut self,
        objects: &mut Objects,
        reading: &mut Reading,
        root: Handle,
        row: &Row<'_>,
    ) -> Result<()> {
        for (index, branch) in self.branches.iter().enumerate() {
            let owner = branch.parent.map_or(Some(root), |parent| self.here[parent]);
            let absent = || branch.target.primary_key.iter().any(|column| row.cell(branch.at + column).is_null());
            let target = match owner {
                Some(_) if !absent() => Some(reading.track(objects, branch.target, row, branch.at)?),
                _ => None,
            };
            self.here[index] = target;
            let Some(owner) = owner else { continue };
            let found = &mut self.found[index];
            if found.last() == Some(&(owner, target)) {
                continue;
            }
            match target {
                Some(target) if branch.repeats && !self.seen[index].insert((owner, target)) => {}
                _ => found.push((owner, target)),
            }
        }
        Ok(())
    }

    pub(in crate::session) fn restart(&mut self) {
        self.found.iter_mut().for_each(Vec::clear);
        self.seen.iter_mut().for_each(FxHashSet::clear);
    }

    /// The branch of a relationship, whose owners are in another one.
    pub(super) fn branch(&self, parent: Option<usize>, relation: usize) -> Option<usize> {
        self.branches.iter().position(|branch| branch.parent == parent && branch.relation == relation)
    }

    /// The owners in a branch, each with a target or with none.
    pub(super) fn found(&self, branch: usize) -> &[(Handle, Option<Handle>)] {
        &self.found[branch]
    }
}
