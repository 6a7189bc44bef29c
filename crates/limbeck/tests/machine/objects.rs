//! The session's objects without their types, and what they hold in the words of the reference.

use std::collections::BTreeMap;

use limbeck::model::{Handle, Related, Target};
use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::{Error, Result};

use crate::models::*;
use crate::reference::{Col, Fk, Id, Kind};

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
        }
    };
}

/// A relationship, from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// From the row with the key.
    One(Fk),
    /// From the row that is referred to.
    Back(Fk),
    /// The association, from the task.
    Tags,
    /// The association, from the tag.
    Tagged,
}

pub const SIDES: [Side; 16] = [
    Side::One(Fk::Boss),
    Side::Back(Fk::Boss),
    Side::One(Fk::ProfileOf),
    Side::Back(Fk::ProfileOf),
    Side::One(Fk::PassportOf),
    Side::Back(Fk::PassportOf),
    Side::One(Fk::TaskOf),
    Side::Back(Fk::TaskOf),
    Side::One(Fk::TaskIn),
    Side::Back(Fk::TaskIn),
    Side::One(Fk::PinOf),
    Side::Back(Fk::PinOf),
    Side::One(Fk::BadgeOf),
    Side::Back(Fk::BadgeOf),
    Side::Tags,
    Side::Tagged,
];

/// Runs an expression with the relationship.
#[macro_export]
macro_rules! on_side {
    ($side:expr, $relation:ident => $run:expr) => {
        match $side {
            Side::One(Fk::Boss) => {
                let $relation = Person.boss;
                $run
            }
            Side::Back(Fk::Boss) => {
                let $relation = Person.reports;
                $run
            }
            Side::One(Fk::ProfileOf) => {
                let $relation = Profile.person;
                $run
            }
            Side::Back(Fk::ProfileOf) => {
                let $relation = Person.profile;
                $run
            }
            Side::One(Fk::PassportOf) => {
                let $relation = Passport.person;
                $run
            }
            Side::Back(Fk::PassportOf) => {
                let $relation = Person.passport;
                $run
            }
            Side::One(Fk::TaskOf) => {
                let $relation = Task.person;
                $run
            }
            Side::Back(Fk::TaskOf) => {
                let $relation = Person.tasks;
                $run
            }
            Side::One(Fk::TaskIn) => {
                let $relation = Task.room;
                $run
            }
            Side::Back(Fk::TaskIn) => {
                let $relation = Room.tasks;
                $run
            }
            Side::One(Fk::PinOf) => {
                let $relation = Pin.person;
                $run
            }
            Side::Back(Fk::PinOf) => {
                let $relation = Person.pins;
                $run
            }
            Side::One(Fk::BadgeOf) => {
                let $relation = Badge.person;
                $run
            }
            Side::Back(Fk::BadgeOf) => {
                let $relation = Person.badges;
                $run
            }
            Side::Tags => {
                let $relation = Task.tags;
                $run
            }
            Side::Tagged => {
                let $relation = Tag.tasks;
                $run
            }
        }
    };
}

impl Side {
    pub fn owner(self) -> Kind {
        match self {
            Side::One(fk) => fk.child(),
            Side::Back(fk) => fk.parent(),
            Side::Tags => Kind::Task,
            Side::Tagged => Kind::Tag,
        }
    }

    pub fn target(self) -> Kind {
        match self {
            Side::One(fk) => fk.parent(),
            Side::Back(fk) => fk.child(),
            Side::Tags => Kind::Tag,
            Side::Tagged => Kind::Task,
        }
    }

    /// `Task.tags`
    pub fn label(self) -> &'static str {
        on_side!(self, relation => label(relation))
    }
}

fn label<R: Related>(relation: R) -> &'static str {
    R::Owner::def().relations[relation.index()].label
}

/// What an object holds.
#[derive(Debug, PartialEq)]
pub struct View {
    pub cols: BTreeMap<Col, Option<String>>,
    /// The primary key.
    pub key: String,
    /// The key columns of the foreign keys, as text.
    pub fks: BTreeMap<Fk, Option<String>>,
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
        Side::Back(Fk::BadgeOf) => many(&p.badges)
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

pub fn link(session: &mut Session, side: Side, owner: Any, target: Any) -> Result<()> {
    fn run<R: Related>(session: &mut Session, relation: R, owner: Any, target: Any) -> Result<()>
    where
        R::Owner: Typed,
        R::Target: Typed,
    {
        session.link(R::Owner::unwrap(owner), relation, R::Target::unwrap(target))
    }
    on_side!(side, relation => run(session, relation, owner, target))
}

pub fn unlink(session: &mut Session, side: Side, owner: Any, target: Any) -> Result<()> {
    fn run<R: Related>(session: &mut Session, relation: R, owner: Any, target: Any) -> Result<()>
    where
        R::Owner: Typed,
        R::Target: Typed,
    {
        session.unlink(R::Owner::unwrap(owner), relation, R::Target::unwrap(target))
    }
    on_side!(side, relation => run(session, relation, owner, target))
}

pub async fn assign(session: &mut Session, side: Side, owner: Any, targets: &[Any]) -> Result<()> {
    async fn run<R: Related>(session: &mut Session, relation: R, owner: Any, targets: &[Any]) -> Result<()>
    where
        R::Owner: Typed,
        R::Target: Typed,
    {
        let targets: Vec<_> = targets.iter().map(|target| R::Target::unwrap(*target)).collect();
        session.assign(R::Owner::unwrap(owner), relation, targets).await
    }
    on_side!(side, relation => run(session, relation, owner, targets).await)
}

/// Loads a relationship of some objects; what the first then has.
pub async fn load(session: &mut Session, side: Side, owners: &[Any]) -> Result<Vec<Any>> {
    async fn run<R>(session: &mut Session, relation: R, owners: &[Any]) -> Result<Vec<Any>>
    where
        R: Related + limbeck::sql::IntoLoad<R::Owner>,
        R::Owner: Typed,
        R::Target: Typed,
    {
        let owners: Vec<_> = owners.iter().map(|owner| R::Owner::unwrap(*owner)).collect();
        session.load(&owners, relation).await?;
        let mut found: Vec<Any> = Vec::new();
        for owner in owners {
            found.extend(session.related(owner, relation).await?.into_iter().map(R::Target::wrap));
        }
        Ok(found)
    }
    on_side!(side, relation => run(session, relation, owners).await)
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
