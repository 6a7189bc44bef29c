//! Operations on documents, and what does not outlive them.

use limbeck::session::Session;

use crate::machine::{Machine, Outcome, said};
use crate::models::*;
use crate::objects::{Any, Typed};
use crate::reference::{Col, Fk, Id, Kind};
use crate::sides::{Side, link, unlink};

impl Machine {
    pub fn add_doc(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let id = self.number();
        let title = self.fresh_value();
        let person = self.maybe(Kind::Person, n[0]);
        let doc = Doc::builder().label(id).title(&title).hits(0);
        let any = Any::Doc(session.add(doc.person(person.map(|person| Person::unwrap(person.1)))));
        let cols = [(Col::Title, Some(title)), (Col::Hits, Some("0".to_owned()))];
        self.added(id, any, &cols, &[(Fk::DocOf, person.map(|person| person.0))]);
        Ok(true)
    }

    pub fn add_page(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some(doc) = self.pick(Kind::Doc, n[0]) else { return Ok(false) };
        self.add_page_of(session, doc);
        Ok(true)
    }

    fn add_page_of(&mut self, session: &mut Session, doc: (Id, Any)) -> (Id, Any) {
        let id = self.number();
        let page = Any::Page(session.add(Page::builder().label(id).doc(Doc::unwrap(doc.1))));
        self.added(id, page, &[], &[(Fk::PageOf, Some(doc.0))]);
        (id, page)
    }

    pub fn add_cover(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let Some(doc) = self.pick(Kind::Doc, n[0]) else { return Ok(false) };
        self.add_cover_of(session, doc);
        Ok(true)
    }

    fn add_cover_of(&mut self, session: &mut Session, doc: (Id, Any)) {
        let id = self.number();
        let cover = Any::Cover(session.add(Cover::builder().label(id).doc(Doc::unwrap(doc.1))));
        self.added(id, cover, &[], &[(Fk::CoverOf, Some(doc.0))]);
    }

    pub fn add_mark(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let page = self.maybe(Kind::Page, n[0]);
        let id = self.number();
        let mark = session.add(Mark::builder().label(id).page(page.map(|page| Page::unwrap(page.1))));
        self.added(id, Any::Mark(mark), &[], &[(Fk::MarkOf, page.map(|page| page.0))]);
        Ok(true)
    }

    /// A page or a cover loses its document.
    pub fn orphan(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = if n[0].is_multiple_of(3) { Fk::CoverOf } else { Fk::PageOf };
        let known = |id: Id| self.handles.get(&id).is_some_and(|any| matches!(any.view(session), Ok(Some(_))));
        let held = |id: Id| {
            let of = self.now.rows[&id].refs[&fk];
            known(id) && !self.holds_rows(id) && of.is_some_and(|of| known(of) && self.is_live(of, self.handles[&of]))
        };
        let Some((child, any)) = self.pick_where(fk.child(), n[1], held) else {
            // Then one that is new.
            let Some((doc, any)) = self.pick_where(Kind::Doc, n[1], known) else { return Ok(false) };
            let page = self.add_page_of(session, (doc, any));
            return self.take_away(session, Fk::PageOf, page, (doc, any), n[2].is_multiple_of(2));
        };
        let Some(doc) = self.now.rows[&child].refs[&fk] else { return Ok(false) };
        self.take_away(session, fk, (child, any), (doc, self.handles[&doc]), n[2].is_multiple_of(2))
    }

    fn take_away(
        &mut self,
        session: &mut Session,
        fk: Fk,
        child: (Id, Any),
        doc: (Id, Any),
        back: bool,
    ) -> Outcome<bool> {
        let (side, owner, target) = if back { (Side::Back(fk), doc, child) } else { (Side::One(fk), child, doc) };
        self.say(format!("session.unlink({}, {}, {})?;", self.name(owner.0), side.label(), self.name(target.0)));
        unlink(session, side, owner.1, target.1).map_err(said)?;
        self.refer(fk, child.0, None);
        self.sweep();
        Ok(true)
    }

    /// One that was never written, and lost its document, gets another one.
    pub fn add_orphan_again(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = |any: &Any| match any {
            Any::Page(_) => Some(Fk::PageOf),
            Any::Cover(_) => Some(Fk::CoverOf),
            _ => None,
        };
        let free = |any: &Any| {
            let Ok(Some((_, related))) = any.view(session) else { return false };
            let one = related.iter().find(|(side, _)| matches!(side, Side::One(_)));
            one.is_some_and(|(_, found)| found.as_ref().is_some_and(Vec::is_empty))
        };
        let orphan = |machine: &Machine| {
            let mut orphans = machine.transient.iter().filter(|(_, any)| fk(any).is_some() && free(any));
            orphans.nth(usize::from(n[0]) % 2).map(|(id, any)| (*id, *any))
        };
        let Some((id, any)) = orphan(self) else { return self.orphan(session, n) };
        let Some((doc, of)) = self.pick(Kind::Doc, n[1]) else { return Ok(false) };
        let Some(fk) = fk(&any) else { return Ok(false) };
        let view = any.view(session).map_err(said)?.ok_or("it is transient")?.0;
        self.say(format!("session.link({}, {}, object{id}); // added again", self.name(doc), Side::Back(fk).label()));
        link(session, Side::Back(fk), of, any).map_err(said)?;
        self.transient.remove(&id);
        let cols: Vec<_> = view.cols.into_iter().collect();
        self.added(id, any, &cols, &[(fk, Some(doc))]);
        Ok(true)
    }

    /// A new cover takes the place of another one, which is an orphan by that.
    pub fn replace_cover(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let held = |id: Id| !self.now.children(Fk::CoverOf, id).is_empty();
        let doc = self.pick_where(Kind::Doc, n[0], held).or_else(|| self.pick(Kind::Doc, n[1]));
        let Some(doc) = doc else { return Ok(false) };
        if n[2].is_multiple_of(2) {
            self.add_cover_of(session, doc);
            return Ok(true);
        }
        let Some((cover, any)) = self.pick(Kind::Cover, n[3]) else { return Ok(false) };
        self.note_link(session, any, cover)?;
        self.say(format!("session.link({}, Doc.cover, {});", self.name(doc.0), self.name(cover)));
        link(session, Side::Back(Fk::CoverOf), doc.1, any).map_err(said)?;
        self.refer(Fk::CoverOf, cover, Some(doc.0));
        Ok(true)
    }

    /// A document with pages, or a page with marks, and all that goes with it.
    pub fn delete_with_all(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let fk = if n[0].is_multiple_of(3) { Fk::MarkOf } else { Fk::PageOf };
        let full = |id: Id| self.has_row(id) && !self.now.children(fk, id).is_empty();
        let (id, any) = match self.pick_where(fk.parent(), n[1], full) {
            Some(found) => found,
            None => {
                let Some(doc) = self.pick_where(Kind::Doc, n[1], |id| self.has_row(id)) else { return Ok(false) };
                self.add_page_of(session, doc);
                doc
            }
        };
        self.remove(session, id, any)?;
        Ok(true)
    }
}
