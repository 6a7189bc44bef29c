//! What has to be true of the session, the database and the reference.

use std::collections::BTreeSet;

use limbeck::session::{Session, State};

use crate::database::Dump;
use crate::ensure;
use crate::machine::{Machine, Outcome, said};
use crate::objects::{Any, planned};
use crate::reference::{Col, Fk, Id, KINDS};
use crate::sides::Side;

impl Machine {
    pub fn check_dump(&self, dump: &Dump) -> Outcome {
        let (found, wanted) = (&dump.world, &self.flushed);
        for (id, row) in &wanted.rows {
            let there = found.rows.get(id).ok_or_else(|| format!("{} is not in the database", self.name(*id)))?;
            ensure!(there == row, "in the database {} is {there:?}, and should be {row:?}", self.name(*id));
        }
        for id in found.rows.keys() {
            ensure!(wanted.rows.contains_key(id), "{} is in the database still", self.name(*id));
        }
        ensure!(
            found.links == wanted.links,
            "the association has {:?}, and should have {:?}",
            found.links,
            wanted.links
        );
        Ok(())
    }

    /// Whatever the session holds says what the reference says.
    pub fn check(&self, session: &Session, dump: Option<&Dump>) -> Outcome {
        ensure!(
            session.has_changes() || self.now == self.flushed,
            "the session knows of no change, but there are some"
        );
        self.check_plans(session)?;
        for (id, any) in &self.transient {
            ensure!(any.state(session).map_err(said)? == State::Transient, "object{id} should be transient");
        }
        for (id, any) in &self.handles {
            let name = self.name(*id);
            let state = any.state(session).map_err(|error| format!("{name}: {}", said(error)))?;
            let wanted = match (self.now.rows.contains_key(id), self.flushed.rows.contains_key(id)) {
                (true, true) => State::Persistent,
                (true, false) => State::Pending,
                _ => State::Deleted,
            };
            // The database took it along, and what its key was nobody had read.
            let ghost = wanted == State::Deleted && self.is_expired(session, *any).unwrap_or_default();
            ensure!(state == wanted || ghost, "{name} is {state:?}, and should be {wanted:?}");
            let (Some(row), Some((view, related))) = (self.now.rows.get(id), any.view(session).map_err(said)?) else {
                continue;
            };
            for (col, value) in &row.cols {
                let found = &view.cols[col];
                let unmade = matches!(col, Col::Points | Col::Double) && value.is_none();
                let value = if unmade { &Some("0".to_owned()) } else { value };
                // The database computes it anew at the flush.
                let stale = *col == Col::Double && row.cols[&Col::Points] != self.flushed_col(*id, Col::Points);
                ensure!(found == value || stale, "`{}` of {name} is {found:?}, and should be {value:?}", col.name());
            }
            if let Some(there) = dump.and_then(|dump| dump.views.get(id)) {
                ensure!(view == *there, "{name} holds {view:?}, but its row has {there:?}");
            }
            for (side, found) in related {
                if let Some(found) = found {
                    self.check_side(*id, side, &found)?;
                }
            }
        }
        Ok(())
    }

    fn flushed_col(&self, id: Id, col: Col) -> Option<String> {
        self.flushed.rows.get(&id).and_then(|row| row.cols[&col].clone())
    }

    /// What the next flush inserts and deletes.
    fn check_plans(&self, session: &Session) -> Outcome {
        for kind in KINDS {
            let (new, deleted) = planned(session, kind);
            let ids = |all: &[Any]| all.iter().map(|any| self.ids.get(any).copied()).collect::<BTreeSet<_>>();
            let is = |id: &Id| self.now.rows.get(id).is_some_and(|row| row.kind == kind);
            let pending = self.now.rows.keys().filter(|id| is(id) && !self.has_row(**id));
            ensure!(ids(&new) == pending.map(|id| Some(*id)).collect(), "the session is to insert {new:?}");
            let doomed = self.now.doomed.iter().filter(|id| is(id));
            ensure!(ids(&deleted) == doomed.map(|id| Some(*id)).collect(), "the session is to delete {deleted:?}");
        }
        Ok(())
    }

    /// A loaded relationship. What is marked to be deleted may be in it until the flush.
    fn check_side(&self, id: Id, side: Side, found: &[Any]) -> Outcome {
        if let (Side::One(fk) | Side::Back(fk), Some(other)) = (side, self.by_value)
            && fk == other
        {
            return Ok(());
        }
        let unknown = |any: &Any| format!("{} of {} has {any:?}, which nobody knows", side.label(), self.name(id));
        let ids = found.iter().map(|any| self.ids.get(any).copied().ok_or_else(|| unknown(any)));
        let ids: Vec<Id> = ids.collect::<Outcome<_>>()?;
        let mut set: BTreeSet<Id> = ids.iter().copied().collect();
        ensure!(set.len() == ids.len(), "{} of {} has one of {ids:?} twice", side.label(), self.name(id));
        let wanted: BTreeSet<Id> = match side {
            Side::One(fk) => self.now.rows[&id].refs[&fk].into_iter().collect(),
            Side::Back(fk) => self.now.children(fk, id),
            Side::Tags => self.now.links.iter().filter(|link| link.0 == id).map(|link| link.1).collect(),
            Side::Tagged => self.now.links.iter().filter(|link| link.1 == id).map(|link| link.0).collect(),
        };
        let mut wanted = wanted;
        if !matches!(side, Side::One(_)) {
            set.retain(|id| !self.now.doomed.contains(id));
            wanted.retain(|id| !self.now.doomed.contains(id));
        }
        // Who loses the place in a one-to-one that nobody had loaded, the flush finds out.
        let displaced = |fk: Fk| {
            let of = self.flushed.rows.get(&id).and_then(|row| row.refs[&fk]);
            fk.unique() && wanted.is_empty() && set == BTreeSet::from_iter(of) && self.displaced.contains(&id)
        };
        if matches!(side, Side::One(fk) if displaced(fk)) {
            return Ok(());
        }
        // Two are to have the place of one: the flush says so.
        let contested = matches!(side, Side::Back(fk) if fk.unique()) && wanted.len() > 1 && set.is_subset(&wanted);
        ensure!(
            set == wanted || contested,
            "{} of {} is {set:?}, and should be {wanted:?}",
            side.label(),
            self.name(id)
        );
        Ok(())
    }
}
