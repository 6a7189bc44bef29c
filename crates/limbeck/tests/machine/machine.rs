//! The session under test beside the reference: what was done to both, and what flushes and rollbacks make of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, Violation as Refused};

use crate::database::{self, Dump};
use crate::models::*;
use crate::objects::{Any, Typed, View};
use crate::on;
use crate::operation::What;
use crate::reference::{Col, Fk, Id, Kind, Violation, World};

/// What went wrong, or nothing.
pub type Outcome<T = ()> = Result<T, String>;

/// What makes the session flush.
#[derive(Clone, Copy, Debug)]
pub enum Trigger {
    Flush,
    Commit,
    Query,
    Begin,
}

pub struct Machine {
    /// With all that the program did.
    pub now: World,
    /// As of the last flush: what the transaction sees.
    pub flushed: World,
    pub committed: World,
    /// As each savepoint began, and whose rows were deleted before.
    pub savepoints: Vec<(World, BTreeSet<Id>)>,
    /// The objects in the session that have a row, will have one, or had one when the transaction began.
    pub handles: BTreeMap<Id, Any>,
    /// Every handle that the session ever gave out.
    pub ids: HashMap<Any, Id>,
    /// Objects whose insert was rolled back.
    pub transient: BTreeMap<Id, Any>,
    /// Rows whose object came from a query, not from `add`.
    pub queried: BTreeSet<Id>,
    /// Rows of which an UPDATE may have been sent, or not.
    pub uncertain: BTreeSet<Id>,
    /// Rows that another one took the place of since the last flush.
    pub displaced: BTreeSet<Id>,
    /// What the database held when it was last looked at.
    pub views: BTreeMap<Id, View>,
    /// The key that was written as a value, of which relationships hear at the flush.
    pub by_value: Option<Fk>,
    pub autoflush: bool,
    pub connection: Connection,
    pub done: BTreeMap<What, usize>,
    trace: Vec<String>,
    next: Id,
}

/// Fails with the sentence, unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}

pub fn said(error: Error) -> String {
    format!("{error} ({error:?})")
}

impl Machine {
    pub fn new(connection: Connection, autoflush: bool) -> Self {
        Machine {
            now: World::default(),
            flushed: World::default(),
            committed: World::default(),
            savepoints: Vec::new(),
            handles: BTreeMap::new(),
            ids: HashMap::new(),
            transient: BTreeMap::new(),
            queried: BTreeSet::new(),
            uncertain: BTreeSet::new(),
            displaced: BTreeSet::new(),
            views: BTreeMap::new(),
            by_value: None,
            autoflush,
            connection,
            done: BTreeMap::new(),
            trace: Vec::new(),
            next: 0,
        }
    }

    /// A number that was not used before in this run.
    pub fn number(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    pub fn fresh_value(&mut self) -> String {
        format!("v{}", self.number())
    }

    /// What the program does, as it would be written.
    pub fn say(&mut self, line: impl Into<String>) {
        self.trace.push(line.into());
    }

    pub fn trace(&self) -> String {
        self.trace.join("\n")
    }

    /// How the object is called in the trace.
    pub fn name(&self, id: Id) -> String {
        let kind = [&self.now, &self.flushed, &self.committed].into_iter().find_map(|world| world.rows.get(&id));
        match kind {
            Some(row) => format!("{}{id}", format!("{:?}", row.kind).to_lowercase()),
            None => format!("object{id}"),
        }
    }

    pub fn register(&mut self, id: Id, any: Any) {
        self.handles.insert(id, any);
        self.ids.insert(any, id);
    }

    /// One of those of a kind that are in the session and not to be deleted.
    pub fn pick(&self, kind: Kind, n: u16) -> Option<(Id, Any)> {
        self.pick_where(kind, n, |_| true)
    }

    pub fn pick_where(&self, kind: Kind, n: u16, keep: impl Fn(Id) -> bool) -> Option<(Id, Any)> {
        let here = |id: Id| Some((id, *self.handles.get(&id)?));
        let all: Vec<_> = self.now.of(kind).filter(|id| keep(*id)).filter_map(here).collect();
        all.get(usize::from(n) % all.len().max(1)).copied()
    }

    pub fn has_row(&self, id: Id) -> bool {
        self.flushed.rows.contains_key(&id)
    }

    pub fn is_expired(&self, session: &Session, any: Any) -> Outcome<bool> {
        Ok(any.view(session).map_err(said)?.is_none())
    }

    /// Points a row to another, in the reference.
    pub fn refer(&mut self, fk: Fk, child: Id, parent: Option<Id>) {
        let displaced = self.now.refer(fk, child, parent);
        self.displaced.extend(displaced);
    }

    /// Rows that were never written and lost the parent that they cannot be without are not to be written.
    pub fn sweep(&mut self) {
        let mut going: Vec<Id> = self.now.orphans().into_iter().filter(|id| !self.has_row(*id)).collect();
        while let Some(id) = going.pop() {
            going.extend(self.now.children(Fk::MarkOf, id).into_iter().filter(|mark| !self.has_row(*mark)));
            self.now.rows.remove(&id);
            self.not_written(id);
        }
    }

    /// An object that was to be inserted is transient.
    fn not_written(&mut self, id: Id) {
        if let Some(any) = self.handles.remove(&id) {
            self.transient.insert(id, any);
        }
    }

    /// The objects that were to be inserted, and that the flush found to go with those that they belong to.
    fn drop_unwritten(&mut self, end: &World) {
        let belongs = |row: &crate::reference::Row| matches!(row.kind, Kind::Page | Kind::Cover | Kind::Mark);
        let gone = |id: &Id| !end.rows.contains_key(id) && !self.flushed.rows.contains_key(id);
        let rows = self.now.rows.iter();
        let ids: Vec<Id> = rows.filter(|(id, row)| belongs(row) && gone(id)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.not_written(id));
    }

    /// Where the next flush has to fail, has it fail, sees that nothing changed, and mends what was wrong.
    pub async fn settle(&mut self, session: &mut Session, trigger: Trigger) -> Outcome {
        self.sweep();
        while let Err(wrong) = self.verdict() {
            self.say(format!("// {trigger:?}, which has to fail: {wrong:?}"));
            let result = match trigger {
                Trigger::Flush => session.flush().await,
                Trigger::Commit => session.commit().await,
                Trigger::Query => session.count(select(Tag)).await.map(drop),
                Trigger::Begin => session.begin_nested().await.map(drop),
            };
            match result {
                Ok(()) => return Err(format!("{trigger:?} succeeded, though {wrong:?}")),
                Err(error) if self.expected(&error, &wrong) => {}
                Err(error) => return Err(format!("{trigger:?} was to fail by {wrong:?}, not by {}", said(error))),
            }
            self.learn(session)?;
            self.check(session, None)?;
            if !self.autoflush {
                let dump = database::inside(session).await.map_err(said)?;
                ensure!(dump.world == self.flushed, "a flush that failed left something in the database");
            }
            self.mend(session, &wrong[0])?;
            self.sweep();
        }
        Ok(())
    }

    /// What the next flush leaves in the database, or what is wrong with it.
    fn verdict(&self) -> Result<World, Vec<Violation>> {
        let end = self.now.flushed()?;
        let cycles = self.now.cycles(&self.flushed);
        if cycles.is_empty() { Ok(end) } else { Err(cycles) }
    }

    /// Whether an error says one of the things that are wrong, and blames an object that takes part in it.
    fn expected(&self, error: &Error, wrong: &[Violation]) -> bool {
        let blames = |refused: &Refused, ids: &[Id]| {
            refused
                .object
                .is_none_or(|object| ids.iter().any(|id| self.handles.get(id).is_some_and(|a| a.raw() == object)))
        };
        wrong.iter().any(|violation| match (error, violation) {
            (Error::UniqueViolation(refused), Violation::Unique(_, _, ids) | Violation::UniqueFk(_, ids)) => {
                blames(refused, ids)
            }
            (Error::UniqueCycle { .. }, Violation::Cycle(..)) => true,
            (Error::ForeignKeyViolation(_), Violation::ForeignKey(..)) => true,
            _ => false,
        })
    }

    /// Does away with one thing that keeps the flush from being done.
    fn mend(&mut self, session: &mut Session, violation: &Violation) -> Outcome {
        // Of an object that is expired the session does not know what it lets go of.
        let newest = |ids: &[Id]| {
            let mut here: Vec<(Id, Any)> = ids.iter().filter_map(|id| Some((*id, *self.handles.get(id)?))).collect();
            here.sort_by_key(|(_, any)| !matches!(any.view(session), Ok(None)));
            here.last().copied()
        };
        match violation {
            Violation::Unique(_, col, ids) => {
                let (id, any) = newest(ids).ok_or("nobody to mend")?;
                let value = self.fresh_value();
                self.write(session, id, any, *col, Some(value), false)
            }
            Violation::UniqueFk(_, ids) | Violation::Cycle(_, ids) => {
                let (id, any) = newest(ids).ok_or("nobody to mend")?;
                self.remove(session, id, any)
            }
            Violation::ForeignKey(parent, _) => {
                let any = *self.handles.get(parent).ok_or("nobody to mend")?;
                self.say(format!("session.add({}); // not to be deleted after all", self.name(*parent)));
                any.add(session);
                self.now.undelete(*parent);
                Ok(())
            }
        }
    }

    /// Writes a column, in the session and in the reference.
    pub fn write(
        &mut self,
        session: &mut Session,
        id: Id,
        any: Any,
        col: Col,
        value: Option<String>,
        in_place: bool,
    ) -> Outcome {
        let expired = self.is_expired(session, any)?;
        let name = self.name(id);
        if in_place && !expired {
            self.say(format!("session[{name}].{} = {value:?};", col.name()));
        } else {
            self.say(format!("session.set({name}, {}, {value:?})?;", col.name()));
        }
        any.set(session, col, value.clone(), in_place && !expired).map_err(said)?;
        if expired {
            self.uncertain.insert(id);
        }
        let row = self.now.rows.get_mut(&id).ok_or("no such row")?;
        row.cols.insert(col, value);
        if !in_place || expired {
            row.computed.remove(&col);
        }
        Ok(())
    }

    /// Deletes an object; one that has no row is expunged. That is refused while others are linked to it.
    pub fn remove(&mut self, session: &mut Session, id: Id, any: Any) -> Outcome {
        let name = self.name(id);
        // Where the session does not know who has the place of a newcomer that goes with its parent, the database
        // refuses the newcomer.
        let taken = |(child, row): (&Id, &crate::reference::Row)| {
            row.refs.iter().any(|(fk, to)| {
                let old = self.flushed.rows.get(child).and_then(|old| old.refs[fk]);
                fk.unique() && fk.required() && *to == Some(id) && old != *to
            })
        };
        if self.now.rows.iter().any(taken) {
            return Ok(());
        }
        if self.has_row(id) {
            self.say(format!("session.delete({name})?;"));
            any.delete(session).map_err(said)?;
            self.now.doomed.insert(id);
            return Ok(());
        }
        ensure!(matches!(any.delete(session), Err(Error::InvalidState { .. })), "{name} has no row to delete");
        let needed =
            self.now.rows.iter().any(|(other, row)| *other != id && row.refs.values().any(|to| *to == Some(id)));
        self.say(format!("session.expunge({name}); // needed: {needed}"));
        match any.expunge(session) {
            Err(Error::InvalidState { .. }) if needed => Ok(()),
            Ok(()) if !needed => {
                self.forget(id);
                self.now.rows.remove(&id);
                self.now.links.retain(|(task, tag)| *task != id && *tag != id);
                Ok(())
            }
            Ok(()) => Err(format!("{name} was expunged, though others are linked to it")),
            Err(error) => Err(said(error)),
        }
    }

    /// The session no longer has the object.
    pub fn forget(&mut self, id: Id) {
        self.handles.remove(&id);
        self.queried.remove(&id);
    }

    /// Finds the objects that came with others.
    pub fn learn(&mut self, session: &Session) -> Outcome {
        let mut look: Vec<Any> = self.handles.values().chain(self.transient.values()).copied().collect();
        while let Some(any) = look.pop() {
            let Ok(Some((_, related))) = any.view(session) else { continue };
            for other in related.into_iter().filter_map(|(_, found)| found).flatten() {
                if !self.ids.contains_key(&other) {
                    let label = on!(other, handle => session.try_get(handle).map(Typed::label));
                    self.found(other, label.map_err(said)?)?;
                    look.push(other);
                }
            }
        }
        Ok(())
    }

    /// A handle that a query gave.
    pub fn found(&mut self, any: Any, id: Id) -> Outcome {
        match self.handles.get(&id) {
            Some(known) if *known == any => {}
            Some(known) => return Err(format!("{} is two objects: {known:?} and {any:?}", self.name(id))),
            None => {
                self.register(id, any);
                self.queried.insert(id);
            }
        }
        Ok(())
    }

    /// A flush was done, by whatever: the database, the session and the reference agree.
    pub async fn after_flush(&mut self, session: &mut Session) -> Outcome {
        let dump = self.flushed_world(session).await?;
        self.learn(session)?;
        self.check(session, Some(&dump))?;
        self.views = dump.views;
        Ok(())
    }

    async fn flushed_world(&mut self, session: &mut Session) -> Outcome<Dump> {
        let end = self.now.flushed().map_err(|wrong| format!("flushed, though {wrong:?}"))?;
        self.drop_unwritten(&end);
        let before = std::mem::replace(&mut self.flushed, end.clone());
        let after = std::mem::replace(&mut self.now, end);
        let dump = if session.in_transaction() {
            database::inside(session).await.map_err(said)?
        } else {
            database::committed(&mut self.connection).await.map_err(said)?
        };
        self.check_dump(&dump)?;
        // `on_update`: of each row that was changed, and of no other.
        for (id, view) in &dump.views {
            let (Some(old), Some(row)) = (before.rows.get(id), after.rows.get(id)) else { continue };
            let (Some(then), Some(tick)) = (self.views.get(id).and_then(|view| view.tick), view.tick) else { continue };
            if self.uncertain.contains(id) {
                continue;
            }
            // Linked to a row that goes: the flush may write that link before it is NULL again, or leave it out.
            if old.cols == row.cols && self.flushed.rows.get(id).is_some_and(|end| end.refs != row.refs) {
                continue;
            }
            let name = self.name(*id);
            let changed = old.cols != row.cols || old.refs != row.refs || !row.computed.is_empty();
            ensure!(changed || then == tick, "{name} was updated, though nothing in it had changed");
            ensure!(!changed || then != tick, "`on_update` of {name} was not applied");
        }
        self.uncertain.clear();
        self.displaced.clear();
        Ok(dump)
    }

    /// The transaction, or the part of it behind a savepoint, was given up.
    pub async fn went_back(&mut self, session: &mut Session, to: (World, BTreeSet<Id>)) -> Outcome {
        let (to, deleted) = to;
        for (id, any) in self.handles.clone() {
            if to.rows.contains_key(&id) || deleted.contains(&id) {
                continue;
            }
            self.handles.remove(&id);
            if self.queried.remove(&id) {
                // It was read, and its row is no more.
                let expired = self.is_expired(session, any)?;
                ensure!(expired, "object{id} can be read, though its row was rolled back");
                any.expunge(session).map_err(said)?;
            } else {
                self.transient.insert(id, any);
            }
        }
        self.now = to.clone();
        self.flushed = to;
        self.uncertain.clear();
        self.displaced.clear();
        let dump = if session.in_transaction() {
            database::inside(session).await.map_err(said)?
        } else {
            database::committed(&mut self.connection).await.map_err(said)?
        };
        self.check_dump(&dump)?;
        // Read under a key that was rolled back, it is the object of no row.
        for id in self.queried.clone() {
            let key = |views: &BTreeMap<Id, View>| views.get(&id).map(|view| view.key.clone());
            if let Some(any) = self.handles.get(&id).copied()
                && key(&self.views) != key(&dump.views)
                && self.is_expired(session, any)?
            {
                any.expunge(session).map_err(said)?;
                self.forget(id);
            }
        }
        self.learn(session)?;
        self.check(session, Some(&dump))?;
        self.views = dump.views;
        Ok(())
    }

    /// The transaction was committed.
    pub async fn was_committed(&mut self, session: &mut Session) -> Outcome {
        self.savepoints.clear();
        let end = self.now.flushed().map_err(|wrong| format!("committed, though {wrong:?}"))?;
        self.drop_unwritten(&end);
        let gone = |(id, _): &(&Id, &Any)| !end.rows.contains_key(id);
        let gone: Vec<(Id, Any)> = self.handles.iter().filter(gone).map(|(id, any)| (*id, *any)).collect();
        for (id, any) in gone {
            match any.state(session) {
                Err(Error::StaleHandle { .. }) => {}
                // As above.
                Ok(State::Persistent) if self.is_expired(session, any)? => any.expunge(session).map_err(said)?,
                _ => return Err(format!("object{id} was deleted and committed, and is there still")),
            }
            self.forget(id);
        }
        self.after_flush(session).await?;
        self.committed = self.flushed.clone();
        Ok(())
    }
}
