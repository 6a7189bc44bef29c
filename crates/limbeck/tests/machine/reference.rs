//! The reference: rows in a map, what the next flush is to do with them, and what the constraints say.
//!
//! It knows nothing of batches, rounds, orders or identity maps: only what a program asked for, and what the
//! database holds when all of that is done at once.

use std::collections::{BTreeMap, BTreeSet};

/// Which row, for the whole run: the number in its `label` column.
pub type Id = i64;

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Person,
    Profile,
    Passport,
    Task,
    Tag,
    Room,
    Pin,
    Badge,
    Doc,
    Page,
    Cover,
    Mark,
}

use Kind::*;

pub const KINDS: [Kind; 12] = [Person, Profile, Passport, Task, Tag, Room, Pin, Badge, Doc, Page, Cover, Mark];

/// A column that the program writes, or that the database makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Col {
    Email,
    Nick,
    Note,
    Points,
    Double,
    Title,
    Name,
    Code,
    Floor,
    Hits,
}

impl Col {
    pub fn of(kind: Kind) -> &'static [Col] {
        match kind {
            Person => &[Col::Email, Col::Nick, Col::Note, Col::Points, Col::Double],
            Profile | Passport | Pin | Page | Cover | Mark => &[Col::Note],
            Doc => &[Col::Title, Col::Hits, Col::Note],
            Task => &[Col::Title],
            Tag => &[Col::Name],
            Room => &[Col::Code, Col::Floor],
            Badge => &[Col::Code, Col::Note],
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Col::Email => "email",
            Col::Nick => "nick",
            Col::Note => "note",
            Col::Points => "points",
            Col::Double => "double",
            Col::Title => "title",
            Col::Name => "name",
            Col::Code => "code",
            Col::Floor => "floor",
            Col::Hits => "hits",
        }
    }

    /// The columns of one row each that have to be unique.
    pub fn unique(kind: Kind) -> &'static [Col] {
        match kind {
            Person => &[Col::Email, Col::Nick],
            Tag => &[Col::Name],
            Badge | Room => &[Col::Code],
            _ => &[],
        }
    }

    /// Whether it is a number that the program counts.
    pub fn counts(self) -> bool {
        matches!(self, Col::Points | Col::Hits)
    }

    /// Whether it can be NULL.
    pub fn nullable(self) -> bool {
        matches!(self, Col::Nick | Col::Note)
    }
}

/// A foreign key: many rows of one kind to one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fk {
    Boss,
    ProfileOf,
    PassportOf,
    TaskOf,
    TaskIn,
    PinOf,
    BadgeOf,
    DocOf,
    PageOf,
    CoverOf,
    MarkOf,
}

/// What happens to the rows that refer to one that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Deleted,
    ToNull,
    Kept,
}

pub const FKS: [Fk; 11] = [
    Fk::Boss,
    Fk::ProfileOf,
    Fk::PassportOf,
    Fk::TaskOf,
    Fk::TaskIn,
    Fk::PinOf,
    Fk::BadgeOf,
    Fk::DocOf,
    Fk::PageOf,
    Fk::CoverOf,
    Fk::MarkOf,
];

impl Fk {
    pub fn child(self) -> Kind {
        match self {
            Fk::Boss => Person,
            Fk::ProfileOf => Profile,
            Fk::PassportOf => Passport,
            Fk::TaskOf | Fk::TaskIn => Task,
            Fk::PinOf => Pin,
            Fk::BadgeOf => Badge,
            Fk::DocOf => Doc,
            Fk::PageOf => Page,
            Fk::CoverOf => Cover,
            Fk::MarkOf => Mark,
        }
    }

    pub fn parent(self) -> Kind {
        match self {
            Fk::TaskIn => Room,
            Fk::PageOf | Fk::CoverOf => Doc,
            Fk::MarkOf => Page,
            _ => Person,
        }
    }

    pub fn of(kind: Kind) -> impl Iterator<Item = Fk> {
        FKS.into_iter().filter(move |fk| fk.child() == kind)
    }

    pub fn required(self) -> bool {
        matches!(self, Fk::PassportOf | Fk::TaskOf | Fk::PinOf | Fk::PageOf | Fk::CoverOf)
    }

    pub fn unique(self) -> bool {
        matches!(self, Fk::ProfileOf | Fk::PassportOf | Fk::CoverOf)
    }

    /// Whether a row that loses its parent by it goes.
    pub fn orphans(self) -> bool {
        matches!(self, Fk::PageOf | Fk::CoverOf)
    }

    /// Whether a row has to have a parent, and cannot lose it.
    pub fn held(self) -> bool {
        self.required() && !self.orphans()
    }

    pub fn fate(self) -> Fate {
        match self {
            Fk::PassportOf | Fk::TaskOf | Fk::PageOf | Fk::CoverOf | Fk::MarkOf => Fate::Deleted,
            Fk::PinOf => Fate::Kept,
            Fk::Boss | Fk::ProfileOf | Fk::TaskIn | Fk::BadgeOf | Fk::DocOf => Fate::ToNull,
        }
    }

    /// The same, where the database alone sees to it.
    pub fn fate_in_database(self) -> Fate {
        match self {
            Fk::PassportOf | Fk::TaskOf => Fate::Deleted,
            Fk::BadgeOf => Fate::ToNull,
            _ => Fate::Kept,
        }
    }
}

/// A row, as the program knows it. `None` in a column that the database makes is what it has not made yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kind: Kind,
    pub cols: BTreeMap<Col, Option<String>>,
    pub refs: BTreeMap<Fk, Option<Id>>,
    /// What the database is to compute.
    pub computed: BTreeMap<Col, Computed>,
}

/// What the database is to put behind the value that it has of a column, or to add to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Computed {
    /// What the object held when that was asked for. Something else that it holds at the flush counts more.
    pub held: Option<String>,
    /// What the row has.
    pub from: Option<String>,
    pub by: String,
}

/// What keeps a flush from being done.
#[derive(Clone, Debug, PartialEq)]
pub enum Violation {
    Unique(Kind, Col, Vec<Id>),
    UniqueFk(Fk, Vec<Id>),
    /// Rows that take each other's place in a relationship, and that cannot be without one meanwhile.
    Cycle(Fk, Vec<Id>),
    /// The row that is to go, and who holds it.
    ForeignKey(Id, Id),
}

/// Rows, and rows of the association table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    pub rows: BTreeMap<Id, Row>,
    /// Task, tag.
    pub links: BTreeSet<(Id, Id)>,
    /// To be deleted by the next flush.
    pub doomed: BTreeSet<Id>,
}

impl World {
    /// The rows of a kind that are not to be deleted.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = Id> {
        self.rows.iter().filter(move |(id, row)| row.kind == kind && !self.doomed.contains(id)).map(|(id, _)| *id)
    }

    /// The rows that refer to one by a key and are not to be deleted.
    pub fn children(&self, fk: Fk, parent: Id) -> BTreeSet<Id> {
        self.of(fk.child()).filter(|id| self.rows[id].refs[&fk] == Some(parent)).collect()
    }

    /// Points a row to another. Of a one-to-one, the one that had the place loses it, if it can; who that is.
    pub fn refer(&mut self, fk: Fk, child: Id, parent: Option<Id>) -> BTreeSet<Id> {
        let mut displaced = BTreeSet::new();
        if let (true, false, Some(parent)) = (fk.unique(), fk.held(), parent) {
            displaced = self.children(fk, parent);
            displaced.remove(&child);
            for other in &displaced {
                self.set_ref(fk, *other, None);
            }
        }
        self.set_ref(fk, child, parent);
        displaced
    }

    /// Rows that have lost the parent that they cannot be without.
    pub fn orphans(&self) -> BTreeSet<Id> {
        let orphan = |row: &Row| row.refs.iter().any(|(fk, to)| fk.orphans() && to.is_none());
        self.rows.iter().filter(|(_, row)| orphan(row)).map(|(id, _)| *id).collect()
    }

    /// A row is not to be deleted after all. Of a one-to-one whose key can be NULL, its place may be taken.
    pub fn undelete(&mut self, id: Id) {
        self.doomed.remove(&id);
        let refs = self.rows.get(&id).map(|row| row.refs.clone()).unwrap_or_default();
        for (fk, parent) in refs {
            let taken = |parent: Id| self.children(fk, parent).iter().any(|other| *other != id);
            if fk.unique() && !fk.required() && parent.is_some_and(taken) {
                self.set_ref(fk, id, None);
            }
        }
    }

    fn set_ref(&mut self, fk: Fk, child: Id, parent: Option<Id>) {
        if let Some(row) = self.rows.get_mut(&child) {
            row.refs.insert(fk, parent);
        }
    }

    /// Whether a row is below another one, or is it.
    pub fn is_below(&self, person: Id, boss: Id) -> bool {
        let mut at = Some(person);
        while let Some(id) = at {
            if id == boss {
                return true;
            }
            at = self.rows.get(&id).and_then(|row| row.refs[&Fk::Boss]);
        }
        false
    }

    /// What the database holds after the flush; or all that it would refuse.
    pub fn flushed(&self) -> Result<World, Vec<Violation>> {
        let mut end = self.clone();
        end.doomed.extend(self.orphans());
        end.settled(Fk::fate)
    }

    /// What is left when those that are to be deleted are, and what becomes of those that refer to them.
    pub fn settled(mut self, fate: fn(Fk) -> Fate) -> Result<World, Vec<Violation>> {
        let mut wrong = Vec::new();
        let mut going: Vec<Id> = std::mem::take(&mut self.doomed).into_iter().collect();
        let mut end = self;
        let mut gone = BTreeSet::new();
        while let Some(id) = going.pop() {
            if !gone.insert(id) {
                continue;
            }
            end.rows.remove(&id);
            for fk in FKS.into_iter().filter(|fk| fate(*fk) == Fate::Deleted) {
                going.extend(end.children(fk, id));
            }
        }
        for row in end.rows.iter_mut() {
            for (fk, parent) in &mut row.1.refs {
                match parent {
                    Some(id) if gone.contains(id) && fate(*fk) == Fate::ToNull => *parent = None,
                    Some(id) if gone.contains(id) => wrong.push(Violation::ForeignKey(*id, *row.0)),
                    _ => {}
                }
            }
            for (col, Computed { held, from, by }) in std::mem::take(&mut row.1.computed) {
                let value = row.1.cols.entry(col).or_default();
                if *value == held {
                    *value = computed(col, from, &by);
                }
            }
            if row.1.kind == Person {
                let points = row.1.cols.entry(Col::Points).or_default().get_or_insert_with(|| "5".into());
                let double = points.parse::<i32>().expect("a number") * 2;
                row.1.cols.insert(Col::Double, Some(double.to_string()));
            }
        }
        end.links.retain(|(task, tag)| !gone.contains(task) && !gone.contains(tag));
        end.check_uniques(&mut wrong);
        if wrong.is_empty() { Ok(end) } else { Err(wrong) }
    }

    /// Rows that take each other's place, of which none can be NULL or anything else meanwhile.
    pub fn cycles(&self, before: &World) -> Vec<Violation> {
        let mut cycles = Vec::new();
        for fk in FKS.into_iter().filter(|fk| fk.unique() && fk.required()) {
            for first in self.of(fk.child()) {
                let mut path = vec![first];
                while let Some(next) = path.last().and_then(|id| {
                    let wanted = self.rows[id].refs[&fk]?;
                    let had = before.children(fk, wanted).into_iter().next()?;
                    (had != *id && self.rows.contains_key(&had) && !self.doomed.contains(&had)).then_some(had)
                }) {
                    if path.contains(&next) {
                        cycles.push(Violation::Cycle(fk, path));
                        break;
                    }
                    path.push(next);
                }
            }
        }
        cycles
    }

    fn check_uniques(&self, wrong: &mut Vec<Violation>) {
        for kind in KINDS {
            for col in Col::unique(kind) {
                let value = |id: &Id| {
                    let row = &self.rows[id];
                    // The key of a room is both its columns.
                    let floor = row.cols.get(&Col::Floor).cloned().flatten();
                    Some((row.cols[col].clone()?, floor))
                };
                for ids in same(self.of(kind), value) {
                    wrong.push(Violation::Unique(kind, *col, ids));
                }
            }
        }
        for fk in FKS.into_iter().filter(|fk| fk.unique()) {
            for ids in same(self.of(fk.child()), |id| self.rows[id].refs[&fk]) {
                wrong.push(Violation::UniqueFk(fk, ids));
            }
        }
    }
}

/// What the database makes of a value. Of NULL it makes NULL.
pub fn computed(col: Col, from: Option<String>, by: &str) -> Option<String> {
    let from = from?;
    if !col.counts() {
        return Some(format!("{from}{by}"));
    }
    let number = |text: &str| text.parse::<i32>().expect("a number");
    Some((number(&from) + number(by)).to_string())
}

/// Those that share a value.
fn same<V: Ord>(ids: impl Iterator<Item = Id>, value: impl Fn(&Id) -> Option<V>) -> Vec<Vec<Id>> {
    let mut by_value: BTreeMap<V, Vec<Id>> = BTreeMap::new();
    for id in ids {
        if let Some(value) = value(&id) {
            by_value.entry(value).or_default().push(id);
        }
    }
    by_value.into_values().filter(|ids| ids.len() > 1).collect()
}
