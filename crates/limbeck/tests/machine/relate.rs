//! Operations that change relationships.

use std::collections::BTreeSet;

use limbeck::Error;
use limbeck::session::Session;

use crate::ensure;
use crate::machine::{Machine, Outcome, Trigger, said};
use crate::objects::Any;
use crate::reference::{Fk, Id, Kind};
use crate::sides::{SIDES, Side, assign, link, unlink};

impl Machine {
    fn side(&self, n: u16) -> Side {
        SIDES[usize::from(n) % (SIDES.len() - 2)]
    }

    /// The two ends of a relationship: the row with the key, the row that is referred to, and the side to say it from.
    fn ends(&self, fk: Fk, child: (Id, Any), parent: (Id, Any), side: Side) -> ((Id, Any), (Id, Any)) {
        let _ = fk;
        if matches!(side, Side::One(_)) { (child, parent) } else { (parent, child) }
    }

    pub fn note_link(&mut self, session: &Session, child: Any, id: Id) -> Outcome {
        // Of one that is expired the key is sent whether it changed or not.
        if self.is_expired(session, child)? {
            self.uncertain.insert(id);
        }
        Ok(())
    }

    /// Whether marks that have a row are linked to a page that has none: without the page they lead nowhere.
    pub fn holds_rows(&self, page: Id) -> bool {
        !self.has_row(page) && self.now.children(Fk::MarkOf, page).iter().any(|mark| self.has_row(*mark))
    }

    pub fn link(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let side = self.side(n[0]);
        let (Side::One(fk) | Side::Back(fk)) = side else { return Ok(false) };
        self.link_over(session, fk, side, n[1], n[2])
    }

    /// Rows that cannot be without a parent get another one.
    pub fn reparent(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = [Fk::PinOf, Fk::TaskOf, Fk::PageOf][usize::from(n[0]) % 3];
        let side = if n[3].is_multiple_of(2) { Side::One(fk) } else { Side::Back(fk) };
        self.link_over(session, fk, side, n[1], n[2])
    }

    fn link_over(&mut self, session: &mut Session, fk: Fk, side: Side, child: u16, parent: u16) -> Outcome<bool> {
        let (Some(child), Some(parent)) = (self.pick(fk.child(), child), self.pick(fk.parent(), parent)) else {
            return Ok(false);
        };
        // New rows that wait for each other are an error.
        if fk == Fk::Boss && self.now.is_below(parent.0, child.0) {
            return Ok(false);
        }
        let taken = self.now.children(fk, parent.0).into_iter().any(|other| other != child.0);
        let (owner, target) = self.ends(fk, child, parent, side);
        self.note_link(session, child.1, child.0)?;
        self.say(format!("session.link({}, {}, {});", self.name(owner.0), side.label(), self.name(target.0)));
        match link(session, side, owner.1, target.1) {
            Ok(()) => self.refer(fk, child.0, Some(parent.0)),
            // The other one cannot be without it. Where the session does not know of it, the flush says so.
            Err(Error::InvalidState { .. }) if fk.unique() && fk.held() && taken => self.say("//   refused"),
            Err(error) => return Err(said(error)),
        }
        Ok(true)
    }

    pub fn unlink(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let side = self.side(n[0]);
        let (Side::One(fk) | Side::Back(fk)) = side else { return Ok(false) };
        // Mostly those that are linked.
        let linked = |id: Id| n[3].is_multiple_of(5) || self.now.rows[&id].refs[&fk].is_some();
        let Some(child) = self.pick_where(fk.child(), n[1], linked) else { return Ok(false) };
        let of = self.now.rows[&child.0].refs[&fk];
        let its = of.and_then(|id| Some((id, *self.handles.get(&id)?))).filter(|(id, any)| self.is_live(*id, *any));
        let Some(parent) = its.or_else(|| self.pick(fk.parent(), n[2])) else { return Ok(false) };
        let related = of == Some(parent.0);
        if fk.orphans() && self.holds_rows(child.0) {
            return Ok(false);
        }
        // Whether an expired object is related, the session may not know.
        if self.is_expired(session, child.1)? || self.is_expired(session, parent.1)? {
            return Ok(false);
        }
        let (owner, target) = self.ends(fk, child, parent, side);
        self.say(format!("session.unlink({}, {}, {});", self.name(owner.0), side.label(), self.name(target.0)));
        match unlink(session, side, owner.1, target.1) {
            Ok(()) => {
                ensure!(!related || !fk.held(), "{} of a NOT NULL key was unlinked", self.name(child.0));
                if related {
                    self.refer(fk, child.0, None);
                }
            }
            Err(Error::InvalidState { .. }) if fk.held() && related => self.say("//   refused"),
            Err(error) => return Err(said(error)),
        }
        Ok(true)
    }

    pub async fn assign(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let side = SIDES[usize::from(n[0]) % SIDES.len()];
        let Some((owner, any)) = self.pick(side.owner(), n[1]) else { return Ok(false) };
        let count = match side {
            Side::One(fk) if fk.held() => 1,
            Side::One(_) | Side::Back(Fk::ProfileOf | Fk::PassportOf | Fk::CoverOf) => n[2] % 2,
            _ => n[2] % 4,
        };
        let mut wanted: BTreeSet<Id> = BTreeSet::new();
        for at in 0..count {
            wanted.extend(self.pick(side.target(), n[3].wrapping_add(at * 5)).map(|found| found.0));
        }
        match side {
            Side::One(Fk::Boss) if wanted.iter().any(|boss| self.now.is_below(*boss, owner)) => return Ok(false),
            Side::Back(Fk::Boss) if wanted.iter().any(|person| self.now.is_below(owner, *person)) => return Ok(false),
            Side::One(fk) if fk.held() && wanted.is_empty() => return Ok(false),
            // The other one cannot be without its person.
            Side::One(fk) if fk.held() && fk.unique() => {
                let taken = |person: &Id| self.now.children(fk, *person).iter().any(|other| *other != owner);
                if wanted.iter().any(taken) {
                    return Ok(false);
                }
            }
            Side::One(Fk::PageOf) if self.holds_rows(owner) => return Ok(false),
            Side::Back(Fk::PageOf)
                if self.now.children(Fk::PageOf, owner).iter().any(|page| self.holds_rows(*page)) =>
            {
                return Ok(false);
            }
            Side::Back(fk) if fk.held() => {
                let held = self.now.children(fk, owner);
                if fk.unique() && !held.is_empty() {
                    return Ok(false);
                }
                // What is there can only be moved elsewhere.
                if held.iter().any(|child| !self.handles.contains_key(child)) {
                    return Ok(false);
                }
                wanted.extend(held);
            }
            _ => {}
        }
        let targets: Vec<Any> = wanted.iter().map(|id| self.handles[id]).collect();
        let names: Vec<String> = wanted.iter().map(|id| self.name(*id)).collect();
        self.say(format!("session.assign({}, {}, [{}]).await;", self.name(owner), side.label(), names.join(", ")));
        if let Side::One(_) | Side::Back(_) = side {
            let children: Vec<Id> = match side {
                Side::Back(fk) => self.now.children(fk, owner).union(&wanted).copied().collect(),
                _ => vec![owner],
            };
            for child in children {
                match self.handles.get(&child) {
                    Some(any) => self.note_link(session, *any, child)?,
                    None => drop(self.uncertain.insert(child)),
                }
            }
        }
        assign(session, side, any, &targets).await.map_err(said)?;
        match side {
            Side::One(fk) => self.refer(fk, owner, wanted.first().copied()),
            Side::Back(fk) => {
                for child in self.now.children(fk, owner).difference(&wanted) {
                    self.refer(fk, *child, None);
                }
                for child in wanted {
                    self.refer(fk, child, Some(owner));
                }
            }
            side => {
                let tagged = side == Side::Tagged;
                let doomed = self.now.doomed.clone();
                self.now.links.retain(|link| {
                    let (own, other) = if tagged { (link.1, link.0) } else { *link };
                    own != owner || doomed.contains(&other)
                });
                self.now.links.extend(wanted.iter().map(|id| if tagged { (*id, owner) } else { (owner, *id) }));
            }
        }
        Ok(true)
    }

    pub fn tag(&mut self, session: &mut Session, n: [u16; 4], add: bool) -> Outcome<bool> {
        let (Some(mut task), Some(mut tag)) = (self.pick(Kind::Task, n[0]), self.pick(Kind::Tag, n[1])) else {
            return Ok(false);
        };
        let live = |id: &Id| self.handles.get(id).is_some_and(|any| self.is_live(*id, *any));
        let mut linked = self.now.links.iter().filter(|(task, tag)| live(task) && live(tag));
        // Mostly those that are linked.
        if let (false, false, Some(link)) = (add, n[3].is_multiple_of(5), linked.nth(usize::from(n[2]) % 7)) {
            (task, tag) = ((link.0, self.handles[&link.0]), (link.1, self.handles[&link.1]));
        }
        let verb = if add { "link" } else { "unlink" };
        let (side, owner, target) =
            if n[3].is_multiple_of(2) { (Side::Tags, task, tag) } else { (Side::Tagged, tag, task) };
        self.say(format!("session.{verb}({}, {}, {})?;", self.name(owner.0), side.label(), self.name(target.0)));
        if add {
            link(session, side, owner.1, target.1).map_err(said)?;
            self.now.links.insert((task.0, tag.0));
        } else {
            unlink(session, side, owner.1, target.1).map_err(said)?;
            self.now.links.remove(&(task.0, tag.0));
        }
        Ok(true)
    }

    /// A key column is written, not its relationship.
    pub async fn set_key(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = [Fk::TaskOf, Fk::ProfileOf, Fk::TaskIn, Fk::BadgeOf, Fk::PinOf, Fk::DocOf, Fk::PageOf, Fk::MarkOf]
            [usize::from(n[0]) % 8];
        self.flush(session).await?;
        let Some((child, any)) = self.pick(fk.child(), n[1]) else { return Ok(false) };
        let free = |id: Id| !fk.unique() || self.now.children(fk, id).iter().all(|other| *other == child);
        let parent = self.pick_where(fk.parent(), n[2], free).filter(|_| fk.required() || !n[3].is_multiple_of(4));
        if fk.required() && parent.is_none() {
            return Ok(false);
        }
        any.fresh(session).await.map_err(said)?;
        let key = parent.map(|parent| self.views[&parent.0].key.clone());
        self.say(format!("session[{}].{fk:?} = {key:?};", self.name(child)));
        let id = key.as_ref().and_then(|key| key.parse::<i64>().ok());
        match any {
            Any::Task(task) if fk == Fk::TaskOf => session[task].person_id = id.ok_or("a key")?,
            Any::Task(task) => {
                let room = key.as_ref().and_then(|key| key.split_once('/'));
                session[task].room_code = room.map(|room| room.0.to_owned());
                session[task].room_floor = room.and_then(|room| room.1.parse().ok());
            }
            Any::Profile(profile) => session[profile].person_id = id,
            Any::Badge(badge) => session[badge].person_id = id,
            Any::Pin(pin) => session[pin].person_id = id.ok_or("a key")?,
            Any::Doc(doc) => session[doc].person_id = id,
            Any::Page(page) => session[page].doc_id = id.ok_or("a key")?,
            Any::Mark(mark) => session[mark].page_id = id,
            other => return Err(format!("{other:?} has no key")),
        }
        self.refer(fk, child, parent.map(|parent| parent.0));
        self.flush(session).await?;
        Ok(true)
    }

    /// Two profiles exchange their people; two passports do so by their keys, since none can be without.
    pub async fn swap_ones(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = if n[0].is_multiple_of(3) { Fk::PassportOf } else { Fk::ProfileOf };
        let held = |id: Id| {
            let of = self.now.rows[&id].refs[&fk];
            of.is_some_and(|of| self.handles.get(&of).is_some_and(|any| self.is_live(of, *any)))
        };
        let Some((one, a)) = self.pick_where(fk.child(), n[1], held) else { return Ok(false) };
        let Some((other, b)) = self.pick_where(fk.child(), n[2], |id| id != one && held(id)) else { return Ok(false) };
        let holder = |id: Id| self.now.rows[&id].refs[&fk];
        let (Some(first), Some(second)) = (holder(one), holder(other)) else { return Ok(false) };
        if first == second {
            return Ok(false);
        }
        if let (Any::Passport(x), Any::Passport(y)) = (a, b) {
            self.flush(session).await?;
            if !self.is_live(one, a) || !self.is_live(other, b) || self.now.rows[&one].refs[&fk] != Some(first) {
                return Ok(true);
            }
            a.fresh(session).await.map_err(said)?;
            b.fresh(session).await.map_err(said)?;
            self.say(format!("swap(session[{}].person_id, session[{}].person_id);", self.name(one), self.name(other)));
            let (x, y) = session.pair_mut(x, y).map_err(said)?;
            std::mem::swap(&mut x.person_id, &mut y.person_id);
            self.refer(fk, one, Some(second));
            self.refer(fk, other, Some(first));
            self.by_value = Some(fk);
            self.settle(session, Trigger::Flush).await?;
            self.by_value = None;
            self.flush(session).await?;
            return Ok(true);
        }
        let (p, q) = (self.handles[&first], self.handles[&second]);
        self.note_link(session, a, one)?;
        self.note_link(session, b, other)?;
        self.say(format!("session.link({}, Profile.person, {})?;", self.name(one), self.name(second)));
        link(session, Side::One(fk), a, q).map_err(said)?;
        self.say(format!("session.link({}, Person.profile, {})?;", self.name(first), self.name(other)));
        link(session, Side::Back(fk), p, b).map_err(said)?;
        self.refer(fk, one, Some(second));
        self.refer(fk, other, Some(first));
        Ok(true)
    }
}
