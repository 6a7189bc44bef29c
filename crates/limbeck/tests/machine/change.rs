//! Operations that change columns and keys, and that delete.

use limbeck::Error;
use limbeck::session::Session;

use crate::ensure;
use crate::machine::{Machine, Outcome, said};
use crate::objects::Any;
use crate::reference::{Col, Fk, Id, KINDS, Kind};

/// Kinds with a unique column, and that column.
const UNIQUE: [(Kind, Col); 3] = [(Kind::Person, Col::Email), (Kind::Person, Col::Nick), (Kind::Tag, Col::Name)];

/// A row and its object.
type Place = (Id, Any);

impl Machine {
    fn plain_column(&self, n: [u16; 4]) -> Option<(Id, Any, Col)> {
        let plain = [
            (Kind::Person, Col::Note),
            (Kind::Person, Col::Points),
            (Kind::Task, Col::Title),
            (Kind::Profile, Col::Note),
            (Kind::Passport, Col::Note),
            (Kind::Badge, Col::Note),
            (Kind::Pin, Col::Note),
            (Kind::Doc, Col::Title),
            (Kind::Doc, Col::Hits),
            (Kind::Page, Col::Note),
            (Kind::Cover, Col::Note),
            (Kind::Mark, Col::Note),
        ];
        let (kind, col) = plain[usize::from(n[0]) % plain.len()];
        self.pick(kind, n[1]).map(|(id, any)| (id, any, col))
    }

    pub fn value_for(&mut self, col: Col, n: u16) -> Option<String> {
        match col {
            col if col.counts() => Some((self.number() + 100).to_string()),
            col if col.nullable() && n.is_multiple_of(4) => None,
            _ => Some(self.fresh_value()),
        }
    }

    pub fn set(&mut self, session: &mut Session, n: [u16; 4], in_place: bool) -> Outcome<bool> {
        let Some((id, any, col)) = self.plain_column(n) else { return Ok(false) };
        let value = self.value_for(col, n[2]);
        self.write(session, id, any, col, value, in_place)?;
        Ok(true)
    }

    pub fn set_and_revert(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some((id, any, col)) = self.plain_column(n) else { return Ok(false) };
        let old = self.now.rows[&id].cols[&col].clone();
        if self.is_expired(session, any)? || (col == Col::Points && old.is_none()) {
            return Ok(false);
        }
        let value = self.value_for(col, 1);
        self.write(session, id, any, col, value, true)?;
        self.write(session, id, any, col, old, true)?;
        Ok(true)
    }

    /// Two objects, and a unique column of theirs.
    fn two(&self, session: &Session, n: [u16; 4]) -> Option<(Place, Place, Col)> {
        let (kind, col) = UNIQUE[usize::from(n[0]) % UNIQUE.len()];
        // Of one that is expired the session does not know what it holds, and so not that it is in the way.
        let known = |id: Id| self.handles.get(&id).is_some_and(|any| matches!(any.view(session), Ok(Some(_))));
        let one = self.pick_where(kind, n[1], known)?;
        let other = self.pick_where(kind, n[2], |id| id != one.0 && known(id))?;
        Some((one, other, col))
    }

    pub fn swap_values(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some(((one, a), (other, b), col)) = self.two(session, n) else { return Ok(false) };
        let values = (self.now.rows[&one].cols[&col].clone(), self.now.rows[&other].cols[&col].clone());
        self.write(session, one, a, col, values.1, true)?;
        self.write(session, other, b, col, values.0, true)?;
        Ok(true)
    }

    /// One takes another's value, which takes a new one.
    pub fn take_value(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some(((one, a), (other, b), col)) = self.two(session, n) else { return Ok(false) };
        let value = self.now.rows[&other].cols[&col].clone();
        let another = self.value_for(col, n[3]);
        self.write(session, one, a, col, value, n[3].is_multiple_of(2))?;
        self.write(session, other, b, col, another, n[3].is_multiple_of(3))?;
        Ok(true)
    }

    /// Two rows with the same unique value: the flush has to fail, and afterwards to be mended.
    pub async fn clash(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some(((one, a), (other, _), col)) = self.two(session, n) else { return Ok(false) };
        let value = self.now.rows[&other].cols[&col].clone();
        if value.is_none() {
            return Ok(false);
        }
        self.write(session, one, a, col, value, true)?;
        self.flush(session).await?;
        Ok(true)
    }

    /// What SQLAlchemy cannot: the row that takes a unique value, or a key, of one that goes in the same flush.
    pub fn delete_and_add_same(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = [Kind::Person, Kind::Tag, Kind::Badge, Kind::Room][usize::from(n[0]) % 4];
        let has_row = |id: Id| self.has_row(id);
        let Some((id, any)) = self.pick_where(kind, n[1], has_row) else { return Ok(false) };
        // As in `two`; a primary key is known nevertheless.
        if matches!(kind, Kind::Person | Kind::Tag) && self.is_expired(session, any)? {
            return Ok(false);
        }
        let row = self.flushed.rows[&id].clone();
        let now = self.now.rows[&id].clone();
        self.remove(session, id, any)?;
        let value = |col: Col| row.cols[&col].clone();
        match kind {
            Kind::Person => self.add_person(session, n, value(Col::Email)),
            Kind::Tag => self.add_tag(session, value(Col::Name)),
            // A key that was changed and not flushed is not there to be taken.
            _ if now.cols.get(&Col::Code) != row.cols.get(&Col::Code) => Ok(true),
            Kind::Badge => self.add_badge(session, n, value(Col::Code)),
            _ => {
                let floor = value(Col::Floor).and_then(|floor| floor.parse().ok());
                let key = value(Col::Code).zip(floor);
                self.add_room(session, n, key)
            }
        }
    }

    /// A one-to-one child is deleted, and another one added in its place.
    pub fn replace_one(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = if n[0].is_multiple_of(2) { Fk::ProfileOf } else { Fk::PassportOf };
        let held = |id: Id| {
            let children = self.now.children(fk, id);
            children.len() == 1 && children.iter().all(|child| self.handles.contains_key(child))
        };
        let Some((person, of)) = self.pick_where(Kind::Person, n[1], held) else { return Ok(false) };
        let Some(child) = self.now.children(fk, person).into_iter().next() else { return Ok(false) };
        let any = self.handles[&child];
        self.remove(session, child, any)?;
        if fk == Fk::PassportOf {
            self.add_passport_of(session, person, of);
            return Ok(true);
        }
        let id = self.number();
        let profile = limbeck_profile(session, id, of);
        self.added(id, profile, &[], &[(Fk::ProfileOf, Some(person))]);
        Ok(true)
    }

    pub fn delete(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let Some((id, any)) = self.pick(kind, n[1]) else { return Ok(false) };
        if kind == Kind::Person && self.has_row(id) && n[2].is_multiple_of(2) {
            // With what would keep it.
            for pin in self.now.children(Fk::PinOf, id) {
                if let Some(any) = self.handles.get(&pin).copied() {
                    self.remove(session, pin, any)?;
                }
            }
        }
        self.remove(session, id, any)?;
        Ok(true)
    }

    pub fn undelete(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        // One that was marked some time ago, or else at once.
        let doomed = self.now.doomed.iter().filter_map(|id| Some((*id, *self.handles.get(id)?)));
        let doomed: Vec<(Id, Any)> = doomed.collect();
        let has_row = |id: Id| self.has_row(id);
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let earlier = doomed.get(usize::from(n[2]) % doomed.len().max(1)).copied();
        let Some((id, any)) = earlier.or_else(|| self.pick_where(kind, n[1], has_row)) else { return Ok(false) };
        if earlier.is_none() {
            self.remove(session, id, any)?;
        }
        self.say(format!("session.add({}); // not to be deleted after all", self.name(id)));
        any.add(session);
        self.now.undelete(id);
        Ok(true)
    }

    /// A primary key of the program's own. Rows that refer to it would stand in the way.
    pub fn change_key(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let is_room = n[0].is_multiple_of(2);
        let bare = |id: Id| {
            let refers = |world: &crate::reference::World| {
                world.rows.values().any(|row| row.refs.get(&Fk::TaskIn) == Some(&Some(id)))
            };
            !is_room || (!refers(&self.now) && !refers(&self.flushed))
        };
        let kind = if is_room { Kind::Room } else { Kind::Badge };
        let Some((id, any)) = self.pick_where(kind, n[1], bare) else { return Ok(false) };
        // An object that is expired is found by its key.
        if self.is_expired(session, any)? {
            return Ok(false);
        }
        let (col, value) = match (is_room, n[2].is_multiple_of(2)) {
            (true, true) => (Col::Floor, self.number().to_string()),
            _ => (Col::Code, self.fresh_value()),
        };
        self.write(session, id, any, col, Some(value), n[3].is_multiple_of(2))?;
        Ok(true)
    }

    /// The object is as its row, and read again when it is looked at.
    pub fn expire(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let has_row = |id: Id| self.has_row(id);
        let Some((id, any)) = self.pick_where(kind, n[1], has_row) else { return Ok(false) };
        let linked = self.is_linked(id);
        self.say(format!("session.expire({});", self.name(id)));
        match any.expire(session) {
            Ok(()) => {
                // Of a one-to-one the session may not know yet who loses the place.
                let known = !matches!(kind, Kind::Profile | Kind::Cover);
                ensure!(!linked || !known, "{} was expired, though a link of it is not flushed", self.name(id));
                self.revert(id);
                Ok(true)
            }
            // It may have been linked and unlinked again.
            Err(Error::InvalidState { .. }) => Ok(false),
            Err(error) => Err(said(error)),
        }
    }

    /// Whether a link of a row is not flushed.
    pub fn is_linked(&self, id: Id) -> bool {
        let links = |world: &crate::reference::World| -> Vec<(Id, Id)> {
            world.links.iter().filter(|link| link.0 == id || link.1 == id).copied().collect()
        };
        let refs = |world: &crate::reference::World| world.rows.get(&id).map(|row| row.refs.clone());
        refs(&self.now) != refs(&self.flushed) || links(&self.now) != links(&self.flushed)
    }

    /// What was not flushed of a row's columns is forgotten.
    pub fn revert(&mut self, id: Id) {
        if let (Some(row), Some(old)) = (self.now.rows.get_mut(&id), self.flushed.rows.get(&id)) {
            row.cols = old.cols.clone();
            row.computed.clear();
        }
    }
}

fn limbeck_profile(session: &mut Session, id: Id, person: Any) -> Any {
    use crate::models::{Person, Profile};
    use crate::objects::Typed;
    Any::Profile(session.add(Profile::builder().label(id).person(Person::unwrap(person))))
}
