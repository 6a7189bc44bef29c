//! The session's objects without their types, and what they hold in the words of the reference.

use std::collections::BTreeMap;

use limbeck::model::{Handle, Target};
use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, Result};

use crate::models::*;
use crate::reference::{Col, Fk, Id, Kind};
use crate::sides::Side;

/// A handle to an object of any of the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Any {
    Person(Tracked<Person>),
    Profile(Tracked<Profile>),
    Passport(Tracked<Passport>),
    Task(Tracked<Task>),
    Tag(Tracked<Tag>),
    Room(Tracked<Room>),
    Pin(Tracked<Pin>),
    Badge(Tracked<Badge>),
    Doc(Tracked<Doc>),
    Page(Tracked<Page>),
    Cover(Tracked<Cover>),
    Mark(Tracked<Mark>),
}

/// Runs an expression with the handle in its type.
#[macro_export]
macro_rules! on {
    ($any:expr, $handle:ident => $run:expr) => {
        match $any {
            $crate::objects::Any::Person($handle) => $run,
            $crate::objects::Any::Profile($handle) => $run,
            $crate::objects::Any::Passport($handle) => $run,
            $crate::objects::Any::Task($handle) => $run,
            $crate::objects::Any::Tag($handle) => $run,
            $crate::objects::Any::Room($handle) => $run,
            $crate::objects::Any::Pin($handle) => $run,
            $crate::objects::Any::Badge($handle) => $run,
            $crate::objects::Any::Doc($handle) => $run,
            $crate::objects::Any::Page($handle) => $run,
            $crate::objects::Any::Cover($handle) => $run,
            $crate::objects::Any::Mark($handle) => $run,
        }
    };
}

/// Runs an expression with the table of a kind.
#[macro_export]
macro_rules! on_kind {
    ($kind:expr, $table:ident => $run:expr) => {
        match $kind {
            Kind::Person => {
                let $table = Person;
                $run
            }
            Kind::Profile => {
                let $table = Profile;
                $run
            }
            Kind::Passport => {
                let $table = Passport;
                $run
            }
            Kind::Task => {
                let $table = Task;
                $run
            }
            Kind::Tag => {
                let $table = Tag;
                $run
            }
            Kind::Room => {
                let $table = Room;
                $run
            }
            Kind::Pin => {
                let $table = Pin;
                $run
            }
            Kind::Badge => {
                let $table = Badge;
                $run
            }
            Kind::Doc => {
                let $table = Doc;
                $run
            }
            Kind::Page => {
                let $table = Page;
                $run
            }
            Kind::Cover => {
                let $table = Cover;
                $run
            }
            Kind::Mark => {
                let $table = Mark;
                $run
            }
        }
    };
}

/// What an object holds.
#[derive(Debug, PartialEq)]
pub struct View {
    pub cols: BTreeMap<Col, Option<String>>,
    /// The primary key.
    pub key: String,
    /// The key columns of the foreign keys, as text.
    pub fks: BTreeMap<Fk, Option<String>>,
    /// What `on_update` makes, or the version.
    pub tick: Option<i64>,
}

/// The relationships of an object, where they are loaded.
pub type Related1 = Vec<(Side, Option<Vec<Any>>)>;

/// A model of the machine.
pub trait Typed: Model + Sized {
    fn wrap(handle: Tracked<Self>) -> Any;
    fn unwrap(any: Any) -> Tracked<Self>;
    fn label(&self) -> Id;
    fn view(&self) -> View;
    fn related(&self) -> Related1;
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn one<T: Target>(field: &BelongsTo<T>) -> Option<Vec<Any>>
where
    T::Model: Typed,
{
    field.try_get().ok().map(|found| found.into_iter().map(T::Model::wrap).collect())
}

fn only<T: Target>(field: &HasOne<T>) -> Option<Vec<Any>>
where
    T::Model: Typed,
{
    field.try_get().ok().map(|found| found.into_iter().map(T::Model::wrap).collect())
}

fn many<T: Typed>(field: &HasMany<T>) -> Option<Vec<Any>> {
    field.try_handles().ok().map(|found| found.map(T::wrap).collect())
}

fn associated<T: Typed>(field: &ManyToMany<T>) -> Option<Vec<Any>> {
    field.try_handles().ok().map(|found| found.map(T::wrap).collect())
}

macro_rules! typed {
    ($model:ident, $this:ident, cols: [$($col:ident: $value:expr),*], key: $key:expr, fks: [$($fk:ident: $of:expr),*],
     tick: $tick:expr, related: [$($side:expr => $field:expr),*]) => {
        impl Typed for $model {
            fn wrap(handle: Tracked<Self>) -> Any {
                Any::$model(handle)
            }

            fn unwrap(any: Any) -> Tracked<Self> {
                match any {
                    Any::$model(handle) => handle,
                    other => panic!("{other:?} is no {}", stringify!($model)),
                }
            }

            fn label(&self) -> Id {
                self.label
            }

            fn view(&self) -> View {
                let $this = self;
                View {
                    cols: BTreeMap::from([$((Col::$col, $value)),*]),
                    key: $key,
                    fks: BTreeMap::from([$((Fk::$fk, $of)),*]),
                    tick: $tick,
                }
            }

            fn related(&self) -> Related1 {
                let $this = self;
                vec![$(($side, $field)),*]
            }
        }
    };
}

typed!(Person, p,
    cols: [Email: text(&p.email), Nick: p.nick.clone(), Note: p.note.clone(), Points: text(p.points), Double: text(p.double)],
    key: p.id.to_string(),
    fks: [Boss: p.boss_id.map(|id| id.to_string())],
    tick: Some(p.tick),
    related: [
        Side::One(Fk::Boss) => one(&p.boss),
        Side::Back(Fk::Boss) => many(&p.reports),
        Side::Back(Fk::ProfileOf) => only(&p.profile),
        Side::Back(Fk::PassportOf) => only(&p.passport),
        Side::Back(Fk::TaskOf) => many(&p.tasks),
        Side::Back(Fk::PinOf) => many(&p.pins),
        Side::Back(Fk::BadgeOf) => many(&p.badges),
        Side::Back(Fk::DocOf) => many(&p.docs)
    ]
);
typed!(Profile, p,
    cols: [Note: p.note.clone()],
    key: p.id.to_string(),
    fks: [ProfileOf: p.person_id.map(|id| id.to_string())],
    tick: None,
    related: [Side::One(Fk::ProfileOf) => one(&p.person)]
);
typed!(Passport, p,
    cols: [Note: p.note.clone()],
    key: p.id.to_string(),
    fks: [PassportOf: text(p.person_id)],
    tick: None,
    related: [Side::One(Fk::PassportOf) => one(&p.person)]
);
typed!(Task, t,
    cols: [Title: text(&t.title)],
    key: t.id.to_string(),
    fks: [
        TaskOf: text(t.person_id),
        TaskIn: t.room_code.as_ref().zip(t.room_floor).map(|(code, floor)| format!("{code}/{floor}"))
    ],
    tick: Some(t.tick),
    related: [
        Side::One(Fk::TaskOf) => one(&t.person),
        Side::One(Fk::TaskIn) => one(&t.room),
        Side::Tags => associated(&t.tags)
    ]
);
typed!(Tag, t,
    cols: [Name: text(&t.name)],
    key: t.id.to_string(),
    fks: [],
    tick: None,
    related: [Side::Tagged => associated(&t.tasks)]
);
typed!(Room, r,
    cols: [Code: text(&r.code), Floor: text(r.floor)],
    key: format!("{}/{}", r.code, r.floor),
    fks: [],
    tick: None,
    related: [Side::Back(Fk::TaskIn) => many(&r.tasks)]
);
typed!(Pin, p,
    cols: [Note: p.note.clone()],
    key: p.id.to_string(),
    fks: [PinOf: text(p.person_id)],
    tick: None,
    related: [Side::One(Fk::PinOf) => one(&p.person)]
);
typed!(Badge, b,
    cols: [Code: text(&b.code), Note: b.note.clone()],
    key: b.code.clone(),
    fks: [BadgeOf: b.person_id.map(|id| id.to_string())],
    tick: None,
    related: [Side::One(Fk::BadgeOf) => one(&b.person)]
);
typed!(Doc, d,
    cols: [Title: text(&d.title), Hits: text(d.hits), Note: d.note.clone()],
    key: d.id.to_string(),
    fks: [DocOf: d.person_id.map(|id| id.to_string())],
    tick: Some(d.version),
    related: [
        Side::One(Fk::DocOf) => one(&d.person),
        Side::Back(Fk::PageOf) => many(&d.pages),
        Side::Back(Fk::CoverOf) => only(&d.cover)
    ]
);
typed!(Page, p,
    cols: [Note: p.note.clone()],
    key: p.id.to_string(),
    fks: [PageOf: text(p.doc_id)],
    tick: None,
    related: [Side::One(Fk::PageOf) => one(&p.doc), Side::Back(Fk::MarkOf) => many(&p.marks)]
);
typed!(Cover, c,
    cols: [Note: c.note.clone()],
    key: c.id.to_string(),
    fks: [CoverOf: text(c.doc_id)],
    tick: None,
    related: [Side::One(Fk::CoverOf) => one(&c.doc)]
);
typed!(Mark, m,
    cols: [Note: m.note.clone()],
    key: m.id.to_string(),
    fks: [MarkOf: m.page_id.map(|id| id.to_string())],
    tick: None,
    related: [Side::One(Fk::MarkOf) => one(&m.page)]
);

impl Any {
    /// What the object holds; `None` while it is expired.
    pub fn view(self, session: &Session) -> Result<Option<(View, Related1)>> {
        match on!(self, handle => session.try_get(handle).map(|object| (object.view(), object.related()))) {
            Ok(found) => Ok(Some(found)),
            Err(Error::Expired { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn state(self, session: &Session) -> Result<State> {
        on!(self, handle => session.state(handle))
    }

    pub fn raw(self) -> Handle {
        on!(self, handle => handle.handle())
    }

    /// Writes a column: in place where that can be, or by `set`.
    pub fn set(self, session: &mut Session, col: Col, value: Option<String>, in_place: bool) -> Result<()> {
        let text = || value.clone().unwrap_or_default();
        let number = || text().parse::<i32>().expect("a number");
        macro_rules! write {
            ($handle:ident, $model:ident.$field:ident, $value:expr) => {
                if in_place {
                    session.try_get_mut($handle).map(|object| object.$field = $value)
                } else {
                    session.set($handle, $model.$field, $value)
                }
            };
        }
        match (self, col) {
            (Any::Person(p), Col::Email) => write!(p, Person.email, text()),
            (Any::Person(p), Col::Nick) => write!(p, Person.nick, value),
            (Any::Person(p), Col::Note) => write!(p, Person.note, value),
            (Any::Person(p), Col::Points) => write!(p, Person.points, number()),
            (Any::Profile(p), Col::Note) => write!(p, Profile.note, value),
            (Any::Passport(p), Col::Note) => write!(p, Passport.note, value),
            (Any::Pin(p), Col::Note) => write!(p, Pin.note, value),
            (Any::Task(t), Col::Title) => write!(t, Task.title, text()),
            (Any::Tag(t), Col::Name) => write!(t, Tag.name, text()),
            (Any::Room(r), Col::Code) => write!(r, Room.code, text()),
            (Any::Room(r), Col::Floor) => write!(r, Room.floor, number()),
            (Any::Badge(b), Col::Code) => write!(b, Badge.code, text()),
            (Any::Badge(b), Col::Note) => write!(b, Badge.note, value),
            (Any::Doc(d), Col::Title) => write!(d, Doc.title, text()),
            (Any::Doc(d), Col::Hits) => write!(d, Doc.hits, number()),
            (Any::Doc(d), Col::Note) => write!(d, Doc.note, value),
            (Any::Page(p), Col::Note) => write!(p, Page.note, value),
            (Any::Cover(c), Col::Note) => write!(c, Cover.note, value),
            (Any::Mark(m), Col::Note) => write!(m, Mark.note, value),
            (any, col) => panic!("{any:?} has no {col:?}"),
        }
    }

    /// Has the next flush compute a column: a number and another one, or a text and another one behind it.
    pub fn compute(self, session: &mut Session, col: Col, by: &str) -> Result<()> {
        let number = || by.parse::<i32>().expect("a number");
        match (self, col) {
            (Any::Person(p), Col::Points) => session.set(p, Person.points, Person.points + number()),
            (Any::Doc(d), Col::Hits) => session.set(d, Doc.hits, Doc.hits + number()),
            (Any::Task(t), Col::Title) => session.set(t, Task.title, Task.title.concat(by)),
            (Any::Badge(b), Col::Note) => session.set(b, Badge.note, Badge.note.concat(by)),
            (any, col) => panic!("{any:?} has no {col:?}"),
        }
    }

    pub fn delete(self, session: &mut Session) -> Result<()> {
        on!(self, handle => session.delete(handle))
    }

    pub fn add(self, session: &mut Session) {
        on!(self, handle => { session.add(handle); })
    }

    pub fn expunge(self, session: &mut Session) -> Result<()> {
        on!(self, handle => session.expunge(handle).map(drop))
    }

    pub fn expire(self, session: &mut Session) -> Result<()> {
        on!(self, handle => session.expire(handle))
    }

    pub async fn refresh(self, session: &mut Session) -> Result<()> {
        on!(self, handle => session.refresh(handle).await)
    }

    pub async fn fresh(self, session: &mut Session) -> Result<()> {
        on!(self, handle => session.fresh(handle).await.map(drop))
    }
}

/// All rows of a table, perhaps with relationships, as handles with their labels.
pub async fn all(session: &mut Session, kind: Kind, eager: bool) -> Result<Vec<(Any, Option<Id>)>> {
    async fn run<Q>(session: &mut Session, query: Q) -> Result<Vec<(Any, Option<Id>)>>
    where
        Q: limbeck::sql::Query,
        Q::Row: limbeck::sql::Fetch<Tracked = Tracked<Q::Row>>,
        Q::Row: Typed,
    {
        let found = session.all(query).await?;
        let label = |handle: Tracked<Q::Row>| (Q::Row::wrap(handle), session.try_get(handle).ok().map(Typed::label));
        Ok(found.into_iter().map(label).collect())
    }
    match (kind, eager) {
        (Kind::Person, true) => {
            let all = select(Person).with(Person.tasks.with(Task.tags)).with(Person.profile).with(Person.boss);
            run(session, all).await
        }
        (Kind::Task, true) => run(session, select(Task).with(Task.room.with(Room.tasks)).with(Task.tags)).await,
        (Kind::Profile, true) => run(session, select(Profile).with(Profile.person.with(Person.reports))).await,
        (Kind::Doc, true) => {
            let all = select(Doc).with(Doc.pages.with(Page.marks)).with(Doc.cover).with(Doc.person);
            run(session, all).await
        }
        (Kind::Tag, true) => run(session, select(Tag).with(Tag.tasks.with(Task.person))).await,
        (kind, _) => on_kind!(kind, table => run(session, select(table)).await),
    }
}

/// The object with a primary key, as `key` in a `View` says it.
pub async fn get(session: &mut Session, kind: Kind, key: &str) -> Result<Option<Any>> {
    let number = || key.parse::<i64>().expect("a number");
    Ok(match kind {
        Kind::Person => session.get(Person, number()).await?.map(Any::Person),
        Kind::Profile => session.get(Profile, number()).await?.map(Any::Profile),
        Kind::Passport => session.get(Passport, number()).await?.map(Any::Passport),
        Kind::Task => session.get(Task, number()).await?.map(Any::Task),
        Kind::Tag => session.get(Tag, number()).await?.map(Any::Tag),
        Kind::Pin => session.get(Pin, number()).await?.map(Any::Pin),
        Kind::Doc => session.get(Doc, number()).await?.map(Any::Doc),
        Kind::Page => session.get(Page, number()).await?.map(Any::Page),
        Kind::Cover => session.get(Cover, number()).await?.map(Any::Cover),
        Kind::Mark => session.get(Mark, number()).await?.map(Any::Mark),
        Kind::Badge => session.get(Badge, key.to_owned()).await?.map(Any::Badge),
        Kind::Room => {
            let (code, floor) = key.split_once('/').expect("two columns");
            let floor: i32 = floor.parse().expect("a number");
            session.get(Room, (code.to_owned(), floor)).await?.map(Any::Room)
        }
    })
}

pub async fn count(session: &mut Session, kind: Kind) -> Result<u64> {
    on_kind!(kind, table => session.count(select(table)).await)
}

/// What the next flush inserts, and what it deletes.
pub fn planned(session: &Session, kind: Kind) -> (Vec<Any>, Vec<Any>) {
    fn run<T: limbeck::model::TableOf + Copy>(session: &Session, table: T) -> (Vec<Any>, Vec<Any>)
    where
        T::Model: Typed,
    {
        let new = session.new(table).map(T::Model::wrap).collect();
        (new, session.deleted(table).map(T::Model::wrap).collect())
    }
    on_kind!(kind, table => run(session, table))
}
