//! Random work on random graphs of one-to-one, self-referential and composite relationships, beside a plain model
//! in memory.
//!
//! After each commit the database equals the model, and what is loaded in the session equals it at any time.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

use std::collections::{BTreeMap, BTreeSet};

use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::{Error, Result};
use limbeck_test_support::{Kind, TestDb};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[derive(Model, Debug)]
#[model(table = "people")]
struct Person {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Person.id))]
    boss_id: Option<i64>,
    #[relationship(back_populates = reports)]
    boss: BelongsTo<Option<Person>>,
    #[relationship(back_populates = boss)]
    reports: HasMany<Person>,
    #[relationship(back_populates = person)]
    profile: HasOne<Profile>,
    #[relationship(back_populates = person)]
    seats: HasMany<Seat>,
}

#[derive(Model, Debug)]
#[model(table = "profiles")]
struct Profile {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(unique, foreign_key(Person.id))]
    person_id: Option<i64>,
    #[relationship(back_populates = profile)]
    person: BelongsTo<Option<Person>>,
}

#[derive(Model, Debug)]
#[model(table = "rooms")]
struct Room {
    #[column(primary_key)]
    code: String,
    #[column(primary_key)]
    floor: i32,
    #[relationship(back_populates = room)]
    seats: HasMany<Seat>,
}

#[derive(Model, Debug)]
#[model(table = "seats", foreign_key((room_code, room_floor), Room(code, floor)))]
struct Seat {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Person.id, on_delete = cascade))]
    person_id: i64,
    room_code: Option<String>,
    room_floor: Option<i32>,
    #[relationship(back_populates = seats)]
    person: BelongsTo<Person>,
    #[relationship(back_populates = seats)]
    room: BelongsTo<Option<Room>>,
}

/// One thing that a program does. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    AddPerson { boss: usize },
    AddProfile { person: usize, from_person: bool },
    AddRoom,
    AddSeat { person: usize, room: usize },
    Boss { person: usize, boss: usize, from_boss: bool, end: bool },
    Profile { person: usize, profile: usize, from_person: bool, end: bool },
    Swap { one: usize, other: usize },
    Replace { person: usize },
    Assign { person: usize, profile: Option<usize> },
    Seat { seat: usize, room: usize, from_room: bool, end: bool },
    SeatByValue { seat: usize, room: usize },
    Move { seat: usize, person: usize },
    DeletePerson(usize),
    DeleteProfile(usize),
    DeleteRoom(usize),
    DeleteSeat(usize),
    Load(usize),
    Flush,
    Commit,
    Rollback,
    ExpungeAll,
    ExpireAll,
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..1000usize;
    let b = any::<bool>;
    prop_oneof![
        4 => n().prop_map(|boss| Step::AddPerson { boss }),
        4 => (n(), b()).prop_map(|(person, from_person)| Step::AddProfile { person, from_person }),
        2 => Just(Step::AddRoom),
        4 => (n(), n()).prop_map(|(person, room)| Step::AddSeat { person, room }),
        4 => (n(), n(), b(), b()).prop_map(|(person, boss, from_boss, end)| Step::Boss { person, boss, from_boss, end }),
        6 => (n(), n(), b(), prop::bool::weighted(0.2))
            .prop_map(|(person, profile, from_person, end)| Step::Profile { person, profile, from_person, end }),
        3 => (n(), n()).prop_map(|(one, other)| Step::Swap { one, other }),
        3 => n().prop_map(|person| Step::Replace { person }),
        2 => (n(), prop::option::of(n())).prop_map(|(person, profile)| Step::Assign { person, profile }),
        4 => (n(), n(), b(), b()).prop_map(|(seat, room, from_room, end)| Step::Seat { seat, room, from_room, end }),
        2 => (n(), n()).prop_map(|(seat, room)| Step::SeatByValue { seat, room }),
        2 => (n(), n()).prop_map(|(seat, person)| Step::Move { seat, person }),
        1 => n().prop_map(Step::DeletePerson),
        2 => n().prop_map(Step::DeleteProfile),
        1 => n().prop_map(Step::DeleteRoom),
        2 => n().prop_map(Step::DeleteSeat),
        6 => n().prop_map(Step::Load),
        3 => Just(Step::Flush),
        3 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::ExpungeAll),
        1 => Just(Step::ExpireAll),
    ]
}

/// Everything by name, since keys come from the database.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    /// Their bosses.
    people: BTreeMap<String, Option<String>>,
    /// Whose they are.
    profiles: BTreeMap<String, Option<String>>,
    rooms: BTreeSet<String>,
    /// Whose they are, and where they stand.
    seats: BTreeMap<String, (String, Option<String>)>,
}

impl World {
    /// A person has one profile, so that any other one is nobody's.
    fn give(&mut self, profile: &str, person: Option<&str>) {
        if person.is_some() {
            let others = self.profiles.values_mut().filter(|holder| holder.as_deref() == person);
            others.for_each(|holder| *holder = None);
        }
        self.profiles.insert(profile.to_owned(), person.map(str::to_owned));
    }

    fn profile_of(&self, person: &str) -> Option<String> {
        let mut held = self.profiles.iter().filter(|(_, holder)| holder.as_deref() == Some(person));
        held.next().map(|(profile, _)| profile.clone())
    }

    fn is_below(&self, person: &str, boss: &str) -> bool {
        let mut at = Some(person);
        while let Some(name) = at {
            if name == boss {
                return true;
            }
            at = self.people.get(name).and_then(Option::as_deref);
        }
        false
    }
}

type Handles<M> = BTreeMap<String, Tracked<M>>;

struct Run {
    session: Session,
    people: Handles<Person>,
    profiles: Handles<Profile>,
    rooms: Handles<Room>,
    seats: Handles<Seat>,
    now: World,
    committed: World,
    names: usize,
}

fn pick<M>(from: &Handles<M>, n: usize) -> Option<(String, Tracked<M>)> {
    let (name, handle) = from.iter().nth(n % from.len().max(1))?;
    Some((name.clone(), *handle))
}

fn name_of<M>(from: &Handles<M>, handle: Tracked<M>) -> Option<String> {
    from.iter().find(|(_, other)| **other == handle).map(|(name, _)| name.clone())
}

fn names_of<M: Model>(from: &Handles<M>, handles: limbeck::model::Handles<M>) -> BTreeSet<String> {
    // What is marked to be deleted stays until the flush.
    handles.filter_map(|handle| name_of(from, handle)).collect()
}

impl Run {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{:04}", self.names)
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::AddPerson { boss } => {
                let name = self.name("p");
                let boss = pick(&self.people, *boss).filter(|_| boss % 3 > 0);
                let handle = self.session.add(Person::builder().name(&name).boss(boss.as_ref().map(|boss| boss.1)));
                self.people.insert(name.clone(), handle);
                self.now.people.insert(name, boss.map(|boss| boss.0));
            }
            Step::AddProfile { person, from_person } => {
                let name = self.name("f");
                let person = pick(&self.people, *person).filter(|_| person % 4 > 0);
                let handle = match &person {
                    Some((_, person)) if !from_person => {
                        self.session.add(Profile::builder().name(&name).person(*person))
                    }
                    _ => self.session.add(Profile::builder().name(&name)),
                };
                if let (Some((_, person)), true) = (&person, from_person) {
                    self.session.link(*person, Person.profile, handle)?;
                }
                self.profiles.insert(name.clone(), handle);
                self.now.give(&name, person.as_ref().map(|person| person.0.as_str()));
            }
            Step::AddRoom => {
                let name = self.name("r");
                let room = Room::builder().code(&name).floor(self.names as i32 % 3);
                self.rooms.insert(name.clone(), self.session.add(room));
                self.now.rooms.insert(name);
            }
            Step::AddSeat { person, room } => {
                let Some((person, handle)) = pick(&self.people, *person) else { return Ok(()) };
                let room = pick(&self.rooms, *room).filter(|_| room % 3 > 0);
                let name = self.name("s");
                let seat = Seat::builder().name(&name).person(handle).room(room.as_ref().map(|room| room.1));
                self.seats.insert(name.clone(), self.session.add(seat));
                self.now.seats.insert(name, (person, room.map(|room| room.0)));
            }
            Step::Boss { person, boss, from_boss, end } => self.boss(*person, *boss, *from_boss, *end)?,
            Step::Profile { person, profile, from_person, end } => {
                let (Some((person, p)), Some((profile, f))) =
                    (pick(&self.people, *person), pick(&self.profiles, *profile))
                else {
                    return Ok(());
                };
                match (from_person, end) {
                    (true, false) => self.session.link(p, Person.profile, f)?,
                    (false, false) => self.session.link(f, Profile.person, p)?,
                    (true, true) => self.session.unlink(p, Person.profile, f)?,
                    (false, true) => self.session.unlink(f, Profile.person, p)?,
                }
                if !end {
                    self.now.give(&profile, Some(&person));
                } else if self.now.profiles[&profile].as_ref() == Some(&person) {
                    self.now.give(&profile, None);
                }
            }
            Step::Swap { one, other } => {
                let (Some((one, a)), Some((other, b))) = (pick(&self.profiles, *one), pick(&self.profiles, *other))
                else {
                    return Ok(());
                };
                let holders = (self.now.profiles[&one].clone(), self.now.profiles[&other].clone());
                if let (Some(first), Some(second), true) = (holders.0, holders.1, one != other) {
                    self.session.link(a, Profile.person, self.people[&second])?;
                    self.session.link(self.people[&first], Person.profile, b)?;
                    self.now.give(&one, Some(&second));
                    self.now.give(&other, Some(&first));
                }
            }
            Step::Replace { person } => {
                let Some((person, p)) = pick(&self.people, *person) else { return Ok(()) };
                if let Some(old) = self.now.profile_of(&person) {
                    self.forget_profile(&old)?;
                }
                let name = self.name("f");
                let profile = self.session.add(Profile::builder().name(&name).person(p));
                self.profiles.insert(name.clone(), profile);
                self.now.give(&name, Some(&person));
            }
            Step::Assign { person, profile } => {
                let Some((person, p)) = pick(&self.people, *person) else { return Ok(()) };
                let profile = profile.and_then(|profile| pick(&self.profiles, profile));
                self.session.assign(p, Person.profile, profile.as_ref().map(|profile| profile.1)).await?;
                match (profile, self.now.profile_of(&person)) {
                    (Some((profile, _)), _) => self.now.give(&profile, Some(&person)),
                    (None, Some(old)) => self.now.give(&old, None),
                    (None, None) => {}
                }
            }
            Step::Seat { seat, room, from_room, end } => {
                let (Some((seat, s)), Some((room, r))) = (pick(&self.seats, *seat), pick(&self.rooms, *room)) else {
                    return Ok(());
                };
                match (from_room, end) {
                    (true, false) => self.session.link(r, Room.seats, s)?,
                    (false, false) => self.session.link(s, Seat.room, r)?,
                    (true, true) => self.session.unlink(r, Room.seats, s)?,
                    (false, true) => self.session.unlink(s, Seat.room, r)?,
                }
                let place = &mut self.now.seats.get_mut(&seat).expect("a seat").1;
                if !end {
                    *place = Some(room);
                } else if place.as_ref() == Some(&room) {
                    *place = None;
                }
            }
            Step::SeatByValue { seat, room } => {
                let (Some((seat, s)), Some((room, r))) = (pick(&self.seats, *seat), pick(&self.rooms, *room)) else {
                    return Ok(());
                };
                self.session.flush().await?;
                let key = self.session.fresh(r).await.map(|room| (room.code.clone(), room.floor))?;
                self.session.fresh(s).await?;
                self.session[s].room_code = Some(key.0);
                self.session[s].room_floor = Some(key.1);
                self.session.flush().await?;
                self.now.seats.get_mut(&seat).expect("a seat").1 = Some(room);
            }
            Step::Move { seat, person } => {
                let (Some((seat, s)), Some((person, p))) = (pick(&self.seats, *seat), pick(&self.people, *person))
                else {
                    return Ok(());
                };
                self.session.link(s, Seat.person, p)?;
                self.now.seats.get_mut(&seat).expect("a seat").0 = person;
            }
            Step::DeletePerson(n) => {
                let Some((person, p)) = pick(&self.people, *n) else { return Ok(()) };
                self.session.flush().await?;
                self.session.delete(p)?;
                self.session.flush().await?;
                self.people.remove(&person);
                self.now.people.remove(&person);
                let bosses = self.now.people.values_mut();
                bosses.filter(|boss| boss.as_ref() == Some(&person)).for_each(|boss| *boss = None);
                if let Some(profile) = self.now.profile_of(&person) {
                    self.now.give(&profile, None);
                }
                self.now.seats.retain(|_, seat| seat.0 != person);
                self.seats.retain(|name, _| self.now.seats.contains_key(name));
            }
            Step::DeleteProfile(n) => {
                let Some((profile, _)) = pick(&self.profiles, *n) else { return Ok(()) };
                self.forget_profile(&profile)?;
            }
            Step::DeleteRoom(n) => {
                let Some((room, r)) = pick(&self.rooms, *n) else { return Ok(()) };
                self.session.flush().await?;
                self.session.delete(r)?;
                self.session.flush().await?;
                self.rooms.remove(&room);
                self.now.rooms.remove(&room);
                let places = self.now.seats.values_mut().map(|seat| &mut seat.1);
                places.filter(|place| place.as_ref() == Some(&room)).for_each(|place| *place = None);
            }
            Step::DeleteSeat(n) => {
                let Some((seat, s)) = pick(&self.seats, *n) else { return Ok(()) };
                if self.session.delete(s).is_err() {
                    self.session.expunge(s)?;
                }
                self.seats.remove(&seat);
                self.now.seats.remove(&seat);
            }
            Step::Load(n) => self.load(*n).await?,
            Step::Flush => self.session.flush().await?,
            Step::Commit => {
                self.session.commit().await?;
                self.committed = self.now.clone();
            }
            Step::Rollback => {
                self.session.rollback().await?;
                self.now = self.committed.clone();
                self.read_again().await?;
            }
            Step::ExpungeAll => {
                self.session.commit().await?;
                self.committed = self.now.clone();
                self.session.expunge_all();
                self.read_again().await?;
            }
            Step::ExpireAll => {
                self.session.flush().await?;
                self.session.expire_all();
            }
        }
        Ok(())
    }

    fn boss(&mut self, person: usize, boss: usize, from_boss: bool, end: bool) -> Result<()> {
        let (Some((person, p)), Some((boss, b))) = (pick(&self.people, person), pick(&self.people, boss)) else {
            return Ok(());
        };
        if end {
            if from_boss {
                self.session.unlink(b, Person.reports, p)?;
            } else {
                self.session.unlink(p, Person.boss, b)?;
            }
            let of = self.now.people.get_mut(&person).expect("a person");
            if of.as_ref() == Some(&boss) {
                *of = None;
            }
        } else if !self.now.is_below(&boss, &person) {
            // New rows that wait for each other are an error.
            if from_boss {
                self.session.link(b, Person.reports, p)?;
            } else {
                self.session.link(p, Person.boss, b)?;
            }
            self.now.people.insert(person, Some(boss));
        }
        Ok(())
    }

    fn forget_profile(&mut self, profile: &str) -> Result<()> {
        let Some(handle) = self.profiles.remove(profile) else { return Ok(()) };
        if self.session.delete(handle).is_err() {
            self.session.expunge(handle)?;
        }
        self.now.profiles.remove(profile);
        Ok(())
    }

    async fn load(&mut self, n: usize) -> Result<()> {
        if let Some((_, person)) = pick(&self.people, n) {
            self.session.load(person, Person.profile).await?;
            self.session.load(person, Person.reports).await?;
            self.session.load(person, Person.boss).await?;
        }
        if n.is_multiple_of(2) {
            let people: Vec<_> = self.people.values().copied().collect();
            self.session.load(&people, Person.profile.with(Profile.person)).await?;
        }
        if let Some((_, profile)) = pick(&self.profiles, n / 2) {
            self.session.load(profile, Profile.person).await?;
        }
        if let Some((_, room)) = pick(&self.rooms, n / 3) {
            self.session.load(room, Room.seats.with(Seat.person)).await?;
        }
        if let Some((_, seat)) = pick(&self.seats, n / 4) {
            self.session.load(seat, Seat.room).await?;
            self.session.load(seat, Seat.person.with(Person.seats)).await?;
        }
        Ok(())
    }

    async fn read_again(&mut self) -> Result<()> {
        let people = self.session.all(select(Person)).await?;
        let profiles = self.session.all(select(Profile)).await?;
        let rooms = self.session.all(select(Room)).await?;
        let seats = self.session.all(select(Seat)).await?;
        let session = &self.session;
        self.people = people.into_iter().map(|handle| (session[handle].name.clone(), handle)).collect();
        self.profiles = profiles.into_iter().map(|handle| (session[handle].name.clone(), handle)).collect();
        self.rooms = rooms.into_iter().map(|handle| (session[handle].code.clone(), handle)).collect();
        self.seats = seats.into_iter().map(|handle| (session[handle].name.clone(), handle)).collect();
        Ok(())
    }

    /// Whatever is loaded says what the model says.
    fn check_memory(&self) {
        for (name, handle) in &self.people {
            let Ok(person) = self.session.try_get(*handle) else { continue };
            if let Ok(boss) = person.boss.try_get() {
                assert_eq!(boss.and_then(|boss| name_of(&self.people, boss)), self.now.people[name], "boss of {name}");
            }
            if let Ok(profile) = person.profile.try_get() {
                let found = profile.and_then(|profile| name_of(&self.profiles, profile));
                assert_eq!(found, self.now.profile_of(name), "profile of {name}");
            }
            if let Ok(reports) = person.reports.try_handles() {
                let wanted = self.now.people.iter().filter(|(_, boss)| boss.as_ref() == Some(name));
                let wanted = wanted.map(|(person, _)| person.clone()).collect();
                assert_eq!(names_of(&self.people, reports), wanted, "reports of {name}");
            }
            if let Ok(seats) = person.seats.try_handles() {
                let wanted = self.now.seats.iter().filter(|(_, seat)| seat.0 == *name);
                let wanted = wanted.map(|(seat, _)| seat.clone()).collect();
                assert_eq!(names_of(&self.seats, seats), wanted, "seats of {name}");
            }
        }
        for (name, handle) in &self.profiles {
            let Ok(profile) = self.session.try_get(*handle) else { continue };
            if let Ok(person) = profile.person.try_get() {
                let found = person.and_then(|person| name_of(&self.people, person));
                assert_eq!(found, self.now.profiles[name], "person of {name}");
            }
        }
        for (name, handle) in &self.rooms {
            let Ok(room) = self.session.try_get(*handle) else { continue };
            if let Ok(seats) = room.seats.try_handles() {
                let wanted = self.now.seats.iter().filter(|(_, seat)| seat.1.as_ref() == Some(name));
                let wanted = wanted.map(|(seat, _)| seat.clone()).collect();
                assert_eq!(names_of(&self.seats, seats), wanted, "seats in {name}");
            }
        }
        for (name, handle) in &self.seats {
            let Ok(seat) = self.session.try_get(*handle) else { continue };
            let (person, room) = &self.now.seats[name];
            if let Ok(found) = seat.person.try_get() {
                assert_eq!(found, Some(self.people[person]), "person of {name}");
            }
            if let Ok(found) = seat.room.try_get() {
                assert_eq!(found, room.as_ref().map(|room| self.rooms[room]), "room of {name}");
            }
        }
    }
}

/// What the database holds, read by another session.
async fn database(sessions: &SessionMaker) -> Result<World> {
    let mut session = sessions.open();
    let mut world = World::default();
    for person in session.all(select(Person).with(Person.boss)).await? {
        let person = &session[person];
        world.people.insert(person.name.clone(), person.boss.get().map(|boss| session[boss].name.clone()));
    }
    for profile in session.all(select(Profile).with(Profile.person)).await? {
        let profile = &session[profile];
        world.profiles.insert(profile.name.clone(), profile.person.get().map(|person| session[person].name.clone()));
    }
    world.rooms = session.all(select(Room.code)).await?.into_iter().collect();
    for seat in session.all(select(Seat).with(Seat.person).with(Seat.room)).await? {
        let seat = &session[seat];
        let room = seat.room.get().map(|room| session[room].code.clone());
        // Of a key of two columns all or nothing is NULL.
        assert_eq!(seat.room_code.is_some(), seat.room_floor.is_some());
        world.seats.insert(seat.name.clone(), (session[seat.person].name.clone(), room));
    }
    Ok(world)
}

async fn run(sessions: &SessionMaker, autoflush: bool, steps: &[Step]) -> Result<()> {
    let mut clean = sessions.open();
    clean.execute(sql("UPDATE people SET boss_id = NULL")).await?;
    for table in ["seats", "rooms", "profiles", "people"] {
        clean.execute(limbeck::sql::trusted(format!("DELETE FROM {table}"))).await?;
    }
    clean.commit().await?;
    let mut run = Run {
        session: sessions.clone().autoflush(autoflush).open(),
        people: BTreeMap::new(),
        profiles: BTreeMap::new(),
        rooms: BTreeMap::new(),
        seats: BTreeMap::new(),
        now: World::default(),
        committed: World::default(),
        names: 0,
    };
    for step in steps.iter().chain([&Step::Commit]) {
        run.step(step).await?;
        run.check_memory();
        if matches!(step, Step::Commit | Step::ExpungeAll) {
            assert_eq!(database(sessions).await?, run.committed);
        }
    }
    Ok(())
}

async fn prepared(url: &str) -> Result<SessionMaker, Error> {
    let engine = Engine::builder(url).connect().await?;
    engine.create_all(&limbeck::metadata![Person, Profile, Room, Seat]?).await?;
    Ok(engine.sessionmaker())
}

fn check(kind: Kind, cases: u32) {
    let Some(db) = TestDb::of(kind) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sessions = runtime.block_on(prepared(db.url())).expect("the tables");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let strategy = (any::<bool>(), proptest::collection::vec(step(), 1..60));
    let outcome = runner.run(&strategy, |(autoflush, steps)| {
        let result = runtime.block_on(run(&sessions, autoflush, &steps));
        result.map_err(|error| TestCaseError::fail(error.to_string()))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn session_database_and_a_plain_model_agree_on_sqlite() {
    check(Kind::Sqlite, 200);
}

#[test]
fn session_database_and_a_plain_model_agree_on_postgres() {
    check(Kind::Postgres, 60);
}
