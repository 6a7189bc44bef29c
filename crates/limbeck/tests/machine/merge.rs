//! Values from elsewhere that are merged into the session.

use limbeck::Error;
use limbeck::model::{New, Tracked};
use limbeck::session::{Session, State};

use crate::ensure;
use crate::machine::{Machine, Outcome, said};
use crate::models::*;
use crate::objects::{Any, Typed, View};
use crate::reference::{Col, Fk, Id, Kind};

async fn merged<M: Typed + New<Model = M>>(session: &mut Session, value: M) -> limbeck::Result<Any> {
    let handle: Tracked<M> = session.merge(value).await?;
    Ok(M::wrap(handle))
}

/// Merges a value that holds what a row held.
async fn merge(session: &mut Session, kind: Kind, id: Id, view: &View) -> Result<limbeck::Result<Any>, String> {
    let col = |col: Col| view.cols[&col].clone();
    let text = |of: Col| col(of).unwrap_or_default();
    let number = |text: Option<String>| text.map(|text| text.parse::<i64>().map_err(|_| "a number")).transpose();
    let fk = |fk: Fk| number(view.fks[&fk].clone());
    let count = |of: Col| Ok::<i32, &str>(number(col(of))?.unwrap_or_default() as i32);
    let key = || number(Some(view.key.clone())).map(Option::unwrap_or_default);
    let tick = view.tick.unwrap_or_default();
    Ok(match kind {
        Kind::Person => {
            let value = Person {
                id: key()?,
                label: id,
                email: text(Col::Email),
                nick: col(Col::Nick),
                note: col(Col::Note),
                points: count(Col::Points)?,
                double: 0,
                tick,
                boss_id: fk(Fk::Boss)?,
                boss: Default::default(),
                reports: Default::default(),
                profile: Default::default(),
                passport: Default::default(),
                tasks: Default::default(),
                pins: Default::default(),
                badges: Default::default(),
                docs: Default::default(),
            };
            merged(session, value).await
        }
        Kind::Doc => {
            let value = Doc {
                id: key()?,
                label: id,
                title: text(Col::Title),
                hits: count(Col::Hits)?,
                note: col(Col::Note),
                version: tick,
                person_id: fk(Fk::DocOf)?,
                person: Default::default(),
                pages: Default::default(),
                cover: Default::default(),
            };
            merged(session, value).await
        }
        Kind::Pin => {
            let person_id = fk(Fk::PinOf)?.ok_or("a key")?;
            let value = Pin { id: key()?, label: id, note: col(Col::Note), person_id, person: Default::default() };
            merged(session, value).await
        }
        Kind::Badge => {
            let person_id = fk(Fk::BadgeOf)?;
            let (code, note) = (text(Col::Code), col(Col::Note));
            merged(session, Badge { code, label: id, note, person_id, person: Default::default() }).await
        }
        other => return Err(format!("no value of {other:?}")),
    })
}

impl Machine {
    /// The state of a row, with a column or a key changed, comes back from elsewhere.
    pub async fn merge(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = [Kind::Person, Kind::Doc, Kind::Pin, Kind::Badge][usize::from(n[0]) % 4];
        let rows: Vec<Id> = self.flushed.of(kind).collect();
        let Some(id) = rows.get(usize::from(n[1]) % rows.len().max(1)).copied() else { return Ok(false) };
        let here = self.handles.get(&id).copied();
        let expired = here.map(|any| self.is_expired(session, any)).transpose()?;
        // A link that is not flushed and a key that is given are another matter; and what is read first is flushed first.
        // A foreign key that comes with the value is followed by a flush that succeeds.
        if self.is_linked(id)
            || (kind != Kind::Person && n[3].is_multiple_of(3))
            || expired != Some(false)
            || self.now.rows[&id].cols.get(&Col::Code) != self.flushed.rows[&id].cols.get(&Col::Code)
        {
            self.flush(session).await?;
            if !self.has_row(id) {
                return Ok(true);
            }
        }
        let mut view = self.view_of(id);
        if self.now.doomed.contains(&id) {
            self.say(format!("session.merge({}).await; // which is to be deleted", self.name(id)));
            let refused = merge(session, kind, id, &view).await?;
            ensure!(matches!(refused, Err(Error::InvalidState { .. })), "merged into a doomed object: {refused:?}");
            return Ok(true);
        }
        if kind == Kind::Doc && n[3].is_multiple_of(5) {
            view.tick = view.tick.map(|version| version - 1);
            self.say(format!("session.merge({}).await; // of an older version", self.name(id)));
            let refused = merge(session, kind, id, &view).await?;
            ensure!(matches!(refused, Err(Error::StaleRow(_))), "an older version was merged: {refused:?}");
            return Ok(true);
        }
        let col = if kind == Kind::Doc && n[2].is_multiple_of(2) { Col::Hits } else { Col::Note };
        view.cols.insert(col, self.value_for(col, n[2]));
        let has_row = |id: Id| self.has_row(id);
        let fk = match kind {
            Kind::Pin => Fk::PinOf,
            Kind::Badge => Fk::BadgeOf,
            _ => Fk::DocOf,
        };
        let parent =
            self.pick_where(Kind::Person, n[2], has_row).filter(|_| kind != Kind::Person && n[3].is_multiple_of(3));
        if let Some((parent, _)) = parent {
            view.fks.insert(fk, Some(self.views[&parent].key.clone()));
        }
        self.say(format!("session.merge({}).await?; // {view:?}", self.name(id)));
        let any = merge(session, kind, id, &view).await?.map_err(said)?;
        self.found(any, id)?;
        let row = self.now.rows.get_mut(&id).ok_or("no such row")?;
        for (col, value) in view.cols.into_iter().filter(|(col, _)| *col != Col::Double) {
            row.cols.insert(col, value);
        }
        row.computed.clear();
        if let Some((parent, _)) = parent {
            // Relationships hear of it at the flush.
            self.refer(fk, id, Some(parent));
            self.flush(session).await?;
        }
        Ok(true)
    }

    /// What the database holds of a row.
    fn view_of(&self, id: Id) -> View {
        let view = &self.views[&id];
        View { cols: view.cols.clone(), key: view.key.clone(), fks: view.fks.clone(), tick: view.tick }
    }

    /// A value that no row has the key of.
    pub async fn merge_new(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        self.flush(session).await?;
        let id = self.number();
        let has_row = |id: Id| self.has_row(id);
        let person = self.pick_where(Kind::Person, n[0], has_row).filter(|_| !n[0].is_multiple_of(3));
        let key = match person {
            Some((person, _)) => Some(self.views[&person].key.parse::<i64>().map_err(|_| "a key")?),
            None => None,
        };
        let by_key = n[1].is_multiple_of(2);
        let value = self.fresh_value();
        let (any, col, fk) = if by_key {
            let badge =
                Badge { code: value.clone(), label: id, note: None, person_id: key, person: Default::default() };
            (merged(session, badge).await, Col::Code, Fk::BadgeOf)
        } else {
            let doc = Doc {
                id: 0,
                label: id,
                title: value.clone(),
                hits: 0,
                note: None,
                version: 0,
                person_id: key,
                person: Default::default(),
                pages: Default::default(),
                cover: Default::default(),
            };
            (merged(session, doc).await, Col::Title, Fk::DocOf)
        };
        let any = any.map_err(said)?;
        ensure!(any.state(session).map_err(said)? == State::Pending, "a value without a row is not pending");
        let mut cols = vec![(col, Some(value))];
        cols.extend((!by_key).then(|| (Col::Hits, Some("0".to_owned()))));
        self.added(id, any, &cols, &[(fk, person.map(|person| person.0))]);
        self.say("//   (by merge)");
        self.flush(session).await?;
        Ok(true)
    }
}
