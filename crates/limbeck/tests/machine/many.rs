//! Statements over many rows, which the objects of the session follow.

use std::collections::BTreeSet;

use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::sql::{delete, update};

use crate::database;
use crate::ensure;
use crate::machine::{Machine, Outcome, said};
use crate::models::*;
use crate::on_kind;
use crate::reference::{Col, Fk, Id, KINDS, Kind, computed};

/// What an UPDATE does to its rows.
#[derive(Clone, Debug)]
enum Change {
    /// A value.
    To(Col, Option<String>),
    /// What the database makes of the old one.
    By(Col, String),
    /// A foreign key.
    Refer(Fk, Option<Id>),
}

impl Machine {
    /// Some of the rows of a kind that the database has.
    fn some_rows(&self, kind: Kind, n: u16, keep: impl Fn(Id) -> bool) -> BTreeSet<Id> {
        let rows = self.flushed.of(kind).filter(|id| keep(*id));
        let all: Vec<Id> = rows.collect();
        let some = all.iter().enumerate().filter(|(at, _)| (*at + usize::from(n)) % 3 != 0);
        some.map(|(_, id)| *id).collect()
    }

    pub async fn update_many(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let by = (1 + n[2] % 9).to_string();
        let (kind, change) = match n[0] % 9 {
            0 => (Kind::Person, Change::By(Col::Points, by)),
            1 => (Kind::Doc, Change::By(Col::Hits, by)),
            2 => (Kind::Task, Change::By(Col::Title, by)),
            3 => (Kind::Task, Change::To(Col::Title, Some(self.fresh_value()))),
            4 => (Kind::Doc, Change::To(Col::Note, self.value_for(Col::Note, n[2]))),
            5 => (Kind::Badge, Change::By(Col::Code, by)),
            6 => (Kind::Task, Change::Refer(Fk::TaskIn, None)),
            7 => (Kind::Pin, Change::Refer(Fk::PinOf, Some(0))),
            _ => (Kind::Mark, Change::Refer(Fk::MarkOf, (!n[2].is_multiple_of(3)).then_some(0))),
        };
        // Whether an expression of an object comes before a statement or after it, and what was set blindly, is not
        // what this is about.
        let unclear = !self.uncertain.is_empty() || self.now.rows.values().any(|row| !row.computed.is_empty());
        if self.autoflush || unclear || matches!(change, Change::Refer(..) | Change::By(Col::Code, _)) {
            self.flush(session).await?;
        }
        // A row that comes into a loaded collection without being an object is not noticed.
        let here = |id: Id| !matches!(change, Change::Refer(..)) || self.handles.contains_key(&id);
        let ids = self.some_rows(kind, n[1], here);
        if ids.is_empty() {
            return Ok(false);
        }
        let has_row = |id: Id| self.has_row(id);
        let change = match change {
            Change::Refer(fk, Some(_)) => match self.pick_where(fk.parent(), n[3], has_row) {
                Some((parent, _)) => Change::Refer(fk, Some(parent)),
                None => return Ok(false),
            },
            change => change,
        };
        self.say(format!("session.execute(update({kind:?}) …).await?; // {change:?} of {ids:?}"));
        let labels: Vec<i64> = ids.iter().copied().collect();
        let number = |by: &str| by.parse::<i32>().map_err(|_| "a number");
        let key = |id: Option<Id>| id.and_then(|id| self.views[&id].key.parse::<i64>().ok());
        macro_rules! run {
            ($model:ident, $($column:ident = $value:expr),+) => {
                session.execute(update($model)$(.set($model.$column, $value))+.filter($model.label.in_(labels))).await
            };
        }
        let count = match (kind, &change) {
            (Kind::Person, Change::By(_, by)) => run!(Person, points = Person.points + number(by)?),
            (Kind::Doc, Change::By(_, by)) => run!(Doc, hits = Doc.hits + number(by)?),
            (Kind::Task, Change::By(_, by)) => run!(Task, title = Task.title.concat(by.as_str())),
            (Kind::Badge, Change::By(_, by)) => run!(Badge, code = Badge.code.concat(by.as_str())),
            (Kind::Task, Change::To(_, value)) => run!(Task, title = value.clone().unwrap_or_default()),
            (Kind::Doc, Change::To(_, value)) => run!(Doc, note = value.clone()),
            (Kind::Task, Change::Refer(..)) => run!(Task, room_code = None::<String>, room_floor = None::<i32>),
            (Kind::Pin, Change::Refer(_, to)) => run!(Pin, person_id = key(*to).ok_or("a key")?),
            (Kind::Mark, Change::Refer(_, to)) => run!(Mark, page_id = key(*to)),
            (kind, change) => return Err(format!("no {change:?} of {kind:?}")),
        };
        let count = count.map_err(said)?;
        ensure!(count == ids.len() as u64, "the statement changed {count} rows, not {}", ids.len());
        for id in &ids {
            self.follow(*id, &change);
        }
        self.after_many(session, &ids).await?;
        Ok(true)
    }

    /// What an UPDATE did to a row. A change of the program's that was not flushed is not lost.
    fn follow(&mut self, id: Id, change: &Change) {
        let (Some(row), Some(now)) = (self.flushed.rows.get_mut(&id), self.now.rows.get_mut(&id)) else { return };
        match change {
            Change::To(col, _) | Change::By(col, _) => {
                let old = row.cols[col].clone();
                let value = match change {
                    Change::By(col, by) => computed(*col, old.clone(), by),
                    Change::To(_, value) => value.clone(),
                    Change::Refer(..) => return,
                };
                row.cols.insert(*col, value.clone());
                if now.cols[col] == old {
                    now.cols.insert(*col, value);
                }
                for row in [row, now].into_iter().filter(|row| row.kind == Kind::Person) {
                    let points = row.cols[&Col::Points].as_ref().and_then(|points| points.parse::<i32>().ok());
                    row.cols.insert(Col::Double, points.map(|points| (points * 2).to_string()));
                }
            }
            Change::Refer(fk, to) => {
                row.refs.insert(*fk, *to);
                now.refs.insert(*fk, *to);
            }
        }
    }

    /// Database, session and reference agree after a statement over many rows.
    async fn after_many(&mut self, session: &mut Session, ids: &BTreeSet<Id>) -> Outcome {
        let dump = database::inside(session).await.map_err(said)?;
        self.check_dump(&dump)?;
        for (id, view) in &dump.views {
            let (Some(then), Some(tick)) = (self.views.get(id).and_then(|view| view.tick), view.tick) else { continue };
            let changed = ids.contains(id);
            ensure!(changed == (then != tick), "{} was {then}, and is {tick} after the statement", self.name(*id));
        }
        self.learn(session)?;
        self.check(session, (self.now == self.flushed).then_some(&dump))?;
        self.views = dump.views;
        Ok(())
    }

    pub async fn delete_many(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        self.flush(session).await?;
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        // A collection may keep the handle of an object that was expunged, and nobody finds it there when its row goes.
        let expunged = |id: Id| !self.handles.contains_key(&id) && self.ids.values().any(|known| *known == id);
        let mut ids = self.some_rows(kind, n[1], |id| !expunged(id));
        // Those that nothing keeps, and not too many.
        let mut end = None;
        while !ids.is_empty() && end.is_none() {
            let mut world = self.flushed.clone();
            world.doomed = ids.clone();
            match world.settled(Fk::fate_in_database) {
                Ok(left) if ids.len() <= 3 => end = Some(left),
                _ => drop(ids.pop_first()),
            }
        }
        let Some(end) = end else { return Ok(false) };
        self.say(format!("session.execute(delete({kind:?}).filter(…)).await?; // {ids:?}"));
        let labels: Vec<i64> = ids.iter().copied().collect();
        let count = on_kind!(kind, table => session.execute(delete(table).filter(table.label.in_(labels))).await);
        let count = count.map_err(said)?;
        ensure!(count == ids.len() as u64, "the statement deleted {count} rows, not {}", ids.len());
        (self.now, self.flushed) = (end.clone(), end);
        self.after_many(session, &BTreeSet::new()).await?;
        Ok(true)
    }
}
