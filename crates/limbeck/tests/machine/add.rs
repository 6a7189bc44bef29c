//! Operations that add objects.

use std::collections::BTreeMap;

use limbeck::session::Session;

use crate::ensure;
use crate::machine::{Machine, Outcome, Trigger, said};
use crate::models::*;
use crate::objects::{Any, Typed};
use crate::reference::{Col, Fk, Id, Kind, Row};
use crate::sides::Side;

impl Machine {
    /// One of the objects of a kind, or none.
    pub fn maybe(&self, kind: Kind, n: u16) -> Option<(Id, Any)> {
        self.pick(kind, n).filter(|_| !n.is_multiple_of(3))
    }

    /// Notes an object that was added.
    pub fn added(&mut self, id: Id, any: Any, cols: &[(Col, Option<String>)], refs: &[(Fk, Option<Id>)]) {
        let kind = match any {
            Any::Person(_) => Kind::Person,
            Any::Profile(_) => Kind::Profile,
            Any::Passport(_) => Kind::Passport,
            Any::Task(_) => Kind::Task,
            Any::Tag(_) => Kind::Tag,
            Any::Room(_) => Kind::Room,
            Any::Pin(_) => Kind::Pin,
            Any::Badge(_) => Kind::Badge,
            Any::Doc(_) => Kind::Doc,
            Any::Page(_) => Kind::Page,
            Any::Cover(_) => Kind::Cover,
            Any::Mark(_) => Kind::Mark,
        };
        let mut row = Row { kind, cols: BTreeMap::new(), refs: BTreeMap::new(), computed: BTreeMap::new() };
        row.cols.extend(Col::of(kind).iter().map(|col| (*col, None)));
        row.cols.extend(cols.iter().cloned());
        row.refs.extend(Fk::of(kind).map(|fk| (fk, None)));
        self.now.rows.insert(id, row);
        for (fk, parent) in refs {
            self.refer(*fk, id, *parent);
        }
        self.register(id, any);
        let refs: Vec<String> =
            refs.iter().filter_map(|(fk, to)| Some(format!("{fk:?} → {}", self.name((*to)?)))).collect();
        let cols: Vec<String> =
            cols.iter().filter_map(|(col, value)| Some(format!("{}: {}", col.name(), value.as_ref()?))).collect();
        let line =
            format!("let {} = session.add({kind:?} {{ {} }}); // {}", self.name(id), cols.join(", "), refs.join(", "));
        self.say(line);
    }

    pub fn add_person(&mut self, session: &mut Session, n: [u16; 4], email: Option<String>) -> Outcome<bool> {
        let id = self.number();
        let email = email.unwrap_or_else(|| self.fresh_value());
        let nick = n[1].is_multiple_of(2).then(|| self.fresh_value());
        let boss = self.maybe(Kind::Person, n[0]);
        let mut person = Person::builder().label(id).email(&email).nick(nick.clone());
        person = person.boss(boss.map(|boss| Person::unwrap(boss.1)));
        let points = (n[2].is_multiple_of(3)).then(|| i32::from(n[3]) + 100);
        if let Some(points) = points {
            person = person.points(points);
        }
        let any = Any::Person(session.add(person));
        let cols =
            [(Col::Email, Some(email)), (Col::Nick, nick), (Col::Points, points.map(|points| points.to_string()))];
        self.added(id, any, &cols, &[(Fk::Boss, boss.map(|boss| boss.0))]);
        Ok(true)
    }

    pub fn add_profile(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let id = self.number();
        let person = self.maybe(Kind::Person, n[0]);
        let profile = Profile::builder().label(id);
        if n[1].is_multiple_of(2) {
            let profile = session.add(profile.person(person.map(|person| Person::unwrap(person.1))));
            self.added(id, Any::Profile(profile), &[], &[(Fk::ProfileOf, person.map(|person| person.0))]);
            return Ok(true);
        }
        let profile = session.add(profile);
        self.added(id, Any::Profile(profile), &[], &[]);
        if let Some((person, any)) = person {
            self.say(format!("session.link({}, Person.profile, profile{id})?;", self.name(person)));
            session.link(Person::unwrap(any), Person.profile, profile).map_err(said)?;
            self.refer(Fk::ProfileOf, id, Some(person));
        }
        Ok(true)
    }

    pub fn add_passport(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let free = |id: Id| self.now.children(Fk::PassportOf, id).is_empty();
        let Some((person, any)) = self.pick_where(Kind::Person, n[0], free) else { return Ok(false) };
        self.add_passport_of(session, person, any);
        Ok(true)
    }

    pub fn add_passport_of(&mut self, session: &mut Session, person: Id, any: Any) {
        let id = self.number();
        let passport = session.add(Passport::builder().label(id).person(Person::unwrap(any)));
        self.added(id, Any::Passport(passport), &[], &[(Fk::PassportOf, Some(person))]);
    }

    pub fn add_task(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some((person, any)) = self.pick(Kind::Person, n[0]) else { return Ok(false) };
        let id = self.number();
        let title = self.fresh_value();
        let room = self.maybe(Kind::Room, n[1]);
        let tags: BTreeMap<Id, Any> =
            (0..n[2] % 4).filter_map(|at| self.pick(Kind::Tag, n[3].wrapping_add(at * 7))).collect();
        let task = Task::builder().label(id).title(&title).person(Person::unwrap(any));
        let task = task.room(room.map(|room| Room::unwrap(room.1))).tags(tags.values().map(|tag| Tag::unwrap(*tag)));
        let any = Any::Task(session.add(task));
        let refs = [(Fk::TaskOf, Some(person)), (Fk::TaskIn, room.map(|room| room.0))];
        self.added(id, any, &[(Col::Title, Some(title))], &refs);
        if !tags.is_empty() {
            self.say(format!("//   with the tags {:?}", tags.keys()));
        }
        self.now.links.extend(tags.into_keys().map(|tag| (id, tag)));
        Ok(true)
    }

    /// A row whose key column is given, not its object.
    pub async fn add_by_key(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        self.flush(session).await?;
        let has_row = |id: Id| self.has_row(id);
        let Some((person, _)) = self.pick_where(Kind::Person, n[0], has_row) else { return Ok(false) };
        let key: i64 = self.views[&person].key.parse().map_err(|_| "a key")?;
        let id = self.number();
        let any = if n[1].is_multiple_of(2) {
            Any::Pin(session.add(Pin::builder().label(id).person_id(key)))
        } else {
            Any::Task(session.add(Task::builder().label(id).title("by key").person_id(key)))
        };
        match any {
            Any::Pin(_) => self.added(id, any, &[], &[(Fk::PinOf, Some(person))]),
            _ => self.added(id, any, &[(Col::Title, Some("by key".into()))], &[(Fk::TaskOf, Some(person))]),
        }
        self.flush(session).await?;
        Ok(true)
    }

    pub fn add_tag(&mut self, session: &mut Session, name: Option<String>) -> Outcome<bool> {
        let id = self.number();
        let name = name.unwrap_or_else(|| self.fresh_value());
        let any = Any::Tag(session.add(Tag::builder().label(id).name(&name)));
        self.added(id, any, &[(Col::Name, Some(name))], &[]);
        Ok(true)
    }

    pub fn add_room(&mut self, session: &mut Session, n: [u16; 4], key: Option<(String, i32)>) -> Outcome<bool> {
        let id = self.number();
        let (code, floor) = key.unwrap_or_else(|| (self.fresh_value(), i32::from(n[0] % 5)));
        let any = Any::Room(session.add(Room::builder().label(id).code(&code).floor(floor)));
        self.added(id, any, &[(Col::Code, Some(code)), (Col::Floor, Some(floor.to_string()))], &[]);
        Ok(true)
    }

    pub fn add_pin(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some((person, any)) = self.pick(Kind::Person, n[0]) else { return Ok(false) };
        let id = self.number();
        let any = Any::Pin(session.add(Pin::builder().label(id).person(Person::unwrap(any))));
        self.added(id, any, &[], &[(Fk::PinOf, Some(person))]);
        Ok(true)
    }

    pub fn add_badge(&mut self, session: &mut Session, n: [u16; 4], code: Option<String>) -> Outcome<bool> {
        let id = self.number();
        let code = code.unwrap_or_else(|| self.fresh_value());
        let person = self.maybe(Kind::Person, n[0]);
        let badge = Badge::builder().label(id).code(&code).person(person.map(|person| Person::unwrap(person.1)));
        let any = Any::Badge(session.add(badge));
        self.added(id, any, &[(Col::Code, Some(code))], &[(Fk::BadgeOf, person.map(|person| person.0))]);
        Ok(true)
    }

    /// An object whose insert was rolled back, as it is, with what it is linked to still.
    pub async fn add_again(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some((id, any)) = self.transient.iter().nth(usize::from(n[0]) % self.transient.len().max(1)) else {
            return Ok(false);
        };
        let (id, any) = (*id, *any);
        let Some((view, related)) = any.view(session).map_err(said)? else { return Ok(false) };
        let fks: Vec<Fk> = view.fks.keys().copied().collect();
        let mut refs: BTreeMap<Fk, Option<Id>> = BTreeMap::new();
        let mut taken = Vec::new();
        for (side, found) in related {
            // Of those that were rolled back with it, each links itself when it is added.
            let found: Vec<Any> = found.unwrap_or_default();
            let dead = |any: &Any| self.ids.get(any).is_none_or(|id| !self.is_live(*id, *any));
            let transient = |any: &Any| self.transient.values().any(|other| other == any);
            if found.iter().any(|any| dead(any) && (matches!(side, Side::One(_)) || !transient(any))) {
                return Ok(false);
            }
            let found: Vec<Id> = found.iter().filter(|any| !dead(any)).map(|any| self.ids[any]).collect();
            match side {
                Side::One(fk) => drop(refs.insert(fk, found.first().copied())),
                side => taken.extend(found.into_iter().map(|other| (side, other))),
            }
        }
        // A key that no field is loaded for: given as a value. Those are left alone.
        let unclear = |fk: &Fk| refs.get(fk).is_none_or(Option::is_none) && (fk.required() || view.fks[fk].is_some());
        let place_taken = refs.iter().any(|(fk, to)| {
            fk.unique() && to.is_some_and(|to| fk.required() && !self.now.children(*fk, to).is_empty())
        });
        if fks.iter().any(unclear) || place_taken {
            return Ok(false);
        }
        any.add(session);
        self.transient.remove(&id);
        let mut cols: Vec<(Col, Option<String>)> = view.cols.into_iter().collect();
        for (col, value) in &mut cols {
            if matches!(col, Col::Points | Col::Double) && value.as_deref() == Some("0") {
                *value = None;
            }
            if *col == Col::Double {
                *value = None;
            }
        }
        let refs: Vec<(Fk, Option<Id>)> = refs.into_iter().collect();
        self.added(id, any, &cols, &refs);
        self.say("//   (again, since it was rolled back)");
        for (side, other) in taken {
            match side {
                Side::Back(fk) => self.refer(fk, other, Some(id)),
                Side::Tags => drop(self.now.links.insert((id, other))),
                Side::Tagged => drop(self.now.links.insert((other, id))),
                Side::One(_) => {}
            }
        }
        Ok(true)
    }

    /// Whether an object is in the session under this handle and not to be deleted.
    pub fn is_live(&self, id: Id, any: Any) -> bool {
        self.handles.get(&id) == Some(&any) && self.now.rows.contains_key(&id) && !self.now.doomed.contains(&id)
    }

    /// Flushes, and looks at everything.
    pub async fn flush(&mut self, session: &mut Session) -> Outcome {
        self.settle(session, Trigger::Flush).await?;
        self.say("session.flush().await?;");
        session.flush().await.map_err(said)?;
        ensure!(!session.has_changes(), "there is something to flush after a flush");
        self.after_flush(session).await
    }
}
