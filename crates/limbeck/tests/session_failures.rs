//! A flush that fails: what the error says, that nothing is lost, and that it succeeds once its cause is mended.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::time::Duration;

use common::polled;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker, State};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "owners")]
struct Owner {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[column(check("age >= 0"))]
    age: i32,
    #[column(unique)]
    badge: Option<i64>,
    #[column(version)]
    version: i32,
    #[relationship(back_populates = owner)]
    pets: HasMany<Pet>,
}

#[derive(Model, Debug)]
#[model(table = "pets")]
struct Pet {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Owner.id))]
    owner_id: i64,
    #[column(server_default = "7")]
    lives: i32,
    #[relationship(back_populates = pets)]
    owner: BelongsTo<Owner>,
    #[relationship(secondary = "pet_toys", back_populates = pets)]
    toys: ManyToMany<Toy>,
}

#[derive(Model, Debug)]
#[model(table = "toys")]
struct Toy {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(secondary = "pet_toys", back_populates = toys)]
    pets: ManyToMany<Pet>,
}

/// Refers to an owner at the end of the transaction only.
#[derive(Model, Debug)]
#[model(table = "notes")]
struct Note {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Owner.id, deferrable = initially_deferred))]
    owner_id: i64,
    text: String,
}

async fn engine(url: &str) -> Engine {
    let engine = Engine::builder(url).pool_size(3).connect().await.expect("the test's database");
    engine.create_all(&limbeck::metadata![Owner, Pet, Toy, Note].expect("metadata")).await.expect("tables");
    engine
}

fn owner(name: &str) -> impl limbeck::model::New<Model = Owner> + use<> {
    Owner::builder().name(name).age(1)
}

/// What is in the tables, as a text.
async fn rows(sessions: &SessionMaker) -> Result<String> {
    let mut session = sessions.clone().autocommit(true).open();
    let owners =
        session.all(select((Owner.id, Owner.name, Owner.age, Owner.badge, Owner.version)).order_by(Owner.id)).await?;
    let pets = session.all(select((Pet.id, Pet.name, Pet.owner_id, Pet.lives)).order_by(Pet.id)).await?;
    let toys = session.all(select((Toy.id, Toy.name)).order_by(Toy.id)).await?;
    let links: Vec<(i64, i64)> =
        session.all(sql("SELECT pet_id, toy_id FROM pet_toys ORDER BY 1, 2").rows::<(i64, i64)>()).await?;
    Ok(format!("{owners:?} {pets:?} {toys:?} {links:?}"))
}

/// The same of the objects that a session holds and that have rows. They are read from memory alone.
fn memory(session: &Session, all: &Graph) -> Result<String> {
    let alive = |state: Result<State>| state.is_ok_and(|state| state == State::Persistent);
    let mut owners = Vec::new();
    for owner in &all.owners {
        if alive(session.state(*owner)) {
            let o = session.try_get(*owner)?;
            owners.push((o.id, o.name.clone(), o.age, o.badge, o.version));
        }
    }
    let (mut pets, mut links) = (Vec::new(), Vec::new());
    for pet in &all.pets {
        if alive(session.state(*pet)) {
            let p = session.try_get(*pet)?;
            pets.push((p.id, p.name.clone(), p.owner_id, p.lives));
            links.extend(p.toys.handles().map(|toy| (p.id, session[toy].id)));
        }
    }
    let mut toys = Vec::new();
    for toy in &all.toys {
        if alive(session.state(*toy)) {
            let t = session.try_get(*toy)?;
            toys.push((t.id, t.name.clone()));
        }
    }
    owners.sort();
    pets.sort();
    toys.sort();
    links.sort_unstable();
    Ok(format!("{owners:?} {pets:?} {toys:?} {links:?}"))
}

/// The objects of a test.
struct Graph {
    owners: Vec<Tracked<Owner>>,
    pets: Vec<Tracked<Pet>>,
    toys: Vec<Tracked<Toy>>,
}

/// Committed: three owners with a pet each, which have two toys.
async fn begun(sessions: &SessionMaker) -> Result<(Session, Graph)> {
    let mut session = sessions.open();
    let owners = session.add_all(["ada", "bob", "cyd"].map(owner));
    let toys = session.add_all(["ball", "rope"].map(|name| Toy::builder().name(name)));
    let pets =
        owners.iter().map(|owner| Pet::builder().name("cat").owner(*owner).toys(toys.clone())).collect::<Vec<_>>();
    let pets = session.add_all(pets);
    session.commit().await?;
    Ok((session, Graph { owners, pets, toys }))
}

/// Every kind of work: changed, new, linked, unlinked, re-parented and deleted objects, and two that swap a value.
fn change(session: &mut Session, all: &mut Graph) -> Result<()> {
    let [ada, bob, cyd] = [all.owners[0], all.owners[1], all.owners[2]];
    session[ada].age += 1;
    session[bob].badge = Some(5);
    let dan = session.add(owner("dan"));
    let pet = session.add(Pet::builder().name("dog").owner(dan).toys([all.toys[0]]));
    session.link(all.pets[0], Pet.owner, dan)?;
    session.unlink(all.pets[1], Pet.toys, all.toys[1])?;
    let kite = session.add(Toy::builder().name("kite"));
    session.link(all.pets[1], Pet.toys, kite)?;
    session.delete(all.pets[2])?;
    session.delete(cyd)?;
    all.owners.push(dan);
    all.pets.push(pet);
    all.toys.push(kite);
    Ok(())
}

/// What the session would do next, and what its objects hold.
fn intent(session: &Session, all: &Graph) -> Result<String> {
    let new = (session.new(Owner).count(), session.new(Pet).count(), session.new(Toy).count());
    let dirty = (session.dirty(Owner).count(), session.dirty(Pet).count());
    let deleted = (session.deleted(Owner).count(), session.deleted(Pet).count());
    let keys: Vec<(i64, i32)> = all.owners.iter().map(|owner| (session[*owner].id, session[*owner].version)).collect();
    let of = |pet: &Tracked<Pet>| {
        let pet = &session[*pet];
        (pet.id, pet.owner_id, pet.owner.is_loaded().then(|| pet.owner.get()))
    };
    let of: Vec<_> = all.pets.iter().map(of).collect();
    let toys: Vec<Vec<_>> = all.pets.iter().map(|pet| session[*pet].toys.handles().collect()).collect();
    let pets: Vec<Vec<_>> = all.owners.iter().map(|owner| session[*owner].pets.handles().collect()).collect();
    Ok(format!("{new:?} {dirty:?} {deleted:?} {keys:?} {of:?} {toys:?} {pets:?}"))
}

/// What breaks a flush, and what it breaks it with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    UniqueInFirstTable,
    UniqueInLastTable,
    UniqueUpdate,
    Check,
    CheckUpdate,
    ForeignKey,
    Stale,
    StaleDelete,
    Value,
}

const FAULTS: [Fault; 9] = [
    Fault::UniqueInFirstTable,
    Fault::UniqueInLastTable,
    Fault::UniqueUpdate,
    Fault::Check,
    Fault::CheckUpdate,
    Fault::ForeignKey,
    Fault::Stale,
    Fault::StaleDelete,
    Fault::Value,
];

impl Fault {
    /// Breaks it. The second is what mends it.
    async fn make(self, session: &mut Session, all: &mut Graph, other: &mut Session) -> Result<Mend> {
        Ok(match self {
            Fault::UniqueInFirstTable => {
                // In the middle of a batch of three.
                let made = session.add_all(["e1", "ada", "e2"].map(owner));
                all.owners.extend(&made);
                Mend::Name(made[1])
            }
            Fault::UniqueInLastTable => {
                let made = session.add_all(["t1", "t2", "ball"].map(|name| Toy::builder().name(name)));
                all.toys.extend(&made);
                Mend::Toy(made[2])
            }
            Fault::UniqueUpdate => {
                session[all.owners[0]].name = "zed".into();
                session[all.owners[1]].name = "taken".into();
                other.add(owner("taken"));
                other.commit().await?;
                Mend::Name(all.owners[1])
            }
            Fault::Check => {
                let made = session.add_all([3, -3, 4].map(|age| Owner::builder().name(format!("c{age}")).age(age)));
                all.owners.extend(&made);
                Mend::Age(made[1])
            }
            Fault::CheckUpdate => {
                session[all.owners[0]].age = 8;
                session[all.owners[1]].age = -8;
                Mend::Age(all.owners[1])
            }
            Fault::ForeignKey => {
                let made = session.add(Pet::builder().name("lost").owner_id(999));
                all.pets.push(made);
                Mend::Owner(made)
            }
            Fault::Stale => {
                let id = session[all.owners[0]].id;
                let theirs = other.get(Owner, id).await?.expect("its row");
                other[theirs].age = 50;
                other.commit().await?;
                Mend::Refresh(all.owners[0])
            }
            Fault::StaleDelete => {
                let id = session[all.owners[2]].id;
                let theirs = other.get(Owner, id).await?.expect("its row");
                other[theirs].age = 50;
                other.commit().await?;
                Mend::Refresh(all.owners[2])
            }
            Fault::Value => {
                let made = session.add(owner("nul\0"));
                all.owners.push(made);
                Mend::Name(made)
            }
        })
    }
}

/// What mends a fault.
#[derive(Clone, Copy, Debug)]
enum Mend {
    Name(Tracked<Owner>),
    Age(Tracked<Owner>),
    Toy(Tracked<Toy>),
    Owner(Tracked<Pet>),
    Refresh(Tracked<Owner>),
}

impl Mend {
    fn check(self, error: &Error) {
        match (self, error) {
            (Mend::Name(owner), Error::UniqueViolation(violation)) => {
                assert_eq!(
                    (violation.table.as_str(), violation.columns.as_slice()),
                    ("owners", ["name".to_string()].as_slice())
                );
                assert_eq!(violation.constraint.as_deref(), Some("uq_owners_name"));
                assert_eq!(error.object(), Some(owner));
            }
            (Mend::Name(owner), Error::InvalidValue { model: "Owner", column: "name", .. }) => {
                assert_eq!(error.object(), Some(owner));
            }
            (Mend::Toy(toy), Error::UniqueViolation(violation)) => {
                assert_eq!(violation.table, "toys");
                assert_eq!(error.object(), Some(toy));
            }
            (Mend::Age(owner), Error::CheckViolation(violation)) => {
                assert_eq!(
                    (violation.table.as_str(), violation.constraint.as_deref()),
                    ("owners", Some("ck_owners_age"))
                );
                assert_eq!(error.object(), Some(owner));
            }
            (Mend::Owner(pet), Error::ForeignKeyViolation(violation)) => {
                assert_eq!(
                    (violation.table.as_str(), violation.constraint.as_deref()),
                    ("pets", Some("fk_pets_owner_id_owners"))
                );
                assert_eq!(error.object(), Some(pet));
            }
            (Mend::Refresh(owner), Error::StaleRow(stale)) => {
                assert_eq!((stale.table, stale.expected, stale.found), ("owners", Some(1), Some(2)));
                assert_eq!(stale.handle(), Some(owner));
            }
            (mend, error) => panic!("{mend:?}: {error}"),
        }
    }

    async fn mend(self, session: &mut Session, all: &Graph) -> Result<()> {
        match self {
            Mend::Name(owner) => session[owner].name = "mended".into(),
            Mend::Age(owner) => session[owner].age = 9,
            Mend::Toy(toy) => session[toy].name = "mended".into(),
            Mend::Owner(pet) => session.set(pet, Pet.owner_id, session[all.owners[1]].id)?,
            Mend::Refresh(owner) => {
                let doomed = session.deleted(Owner).any(|other| other == owner);
                session.refresh(owner).await?;
                if !doomed {
                    session[owner].age += 1;
                }
            }
        }
        Ok(())
    }
}

/// Where the flush is that fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Flush,
    Open,
    Savepoint,
    Commit,
    Autocommit,
}

both! {
    async fn a_flush_that_fails_loses_nothing_and_succeeds_once_mended(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        for fault in FAULTS {
            for place in [Place::Flush, Place::Open, Place::Savepoint, Place::Commit, Place::Autocommit] {
                let sessions = engine.sessionmaker().autoflush(false);
                let name = format!("{fault:?} {place:?}");
                let mut other = sessions.open();
                for table in ["notes", "pet_toys", "pets", "toys", "owners"] {
                    other.execute(limbeck::sql::trusted(format!("DELETE FROM {table}"))).await?;
                }
                other.commit().await?;
                let (mut session, mut all) = begun(&sessions.clone().autocommit(place == Place::Autocommit)).await?;
                // What other sessions do comes before this one holds the database's lock.
                let before = rows(&sessions).await?;
                let mend = fault.make(&mut session, &mut all, &mut other).await?;
                let theirs = rows(&sessions).await?;
                let mut early = None;
                if matches!(place, Place::Open | Place::Savepoint) {
                    // Something of this transaction that has to survive. What is broken already stays aside.
                    session.execute(sql("INSERT INTO toys (name) VALUES ('early')")).await?;
                    early = Some("early");
                }
                change(&mut session, &mut all)?;
                let planned = intent(&session, &all)?;
                for again in 0..2 {
                    let failed = match place {
                        Place::Commit => session.commit().await,
                        Place::Savepoint if again == 0 => {
                            // It flushes before it is set, so that it is not set.
                            session.begin_nested().await.map(drop)
                        }
                        _ => session.flush().await,
                    };
                    let error = failed.expect_err(&name);
                    mend.check(&error);
                    assert_eq!(intent(&session, &all)?, planned, "{name}, {error}");
                    assert_eq!(session.in_transaction(), early.is_some(), "{name}");
                }
                assert_eq!(rows(&sessions).await?, theirs, "{name}: {before}");
                mend.mend(&mut session, &all).await?;
                session.commit().await.unwrap_or_else(|error| panic!("{name}: {error}"));
                let mut left = rows(&sessions).await?;
                if let Some(name) = early {
                    assert!(left.contains(name), "{left}");
                    let at = left.find(", \"early\"").expect("it is there");
                    let start = left[..at].rfind('(').expect("its tuple");
                    left.replace_range(start..at + ", \"early\"), ".len(), "");
                }
                let mine = memory(&session, &all)?;
                let left = match fault {
                    Fault::UniqueUpdate => without(&left, "\"taken\""),
                    _ => left,
                };
                assert_eq!(mine, left, "{name}");
            }
        }
        Ok(())
    }

    async fn a_constraint_that_is_checked_at_the_commit_takes_the_transaction_back(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        let sessions = engine.sessionmaker();
        let (mut session, mut all) = begun(&sessions).await?;
        let before = rows(&sessions).await?;
        let note = session.add(Note::builder().owner_id(999).text("lost"));
        change(&mut session, &mut all)?;
        session.flush().await?;
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error:?}");
        assert!(!session.in_transaction());
        assert_eq!(session.state(note)?, State::Transient);
        assert_eq!((memory(&session, &all)?, rows(&sessions).await?), (before.clone(), before));
        // The objects are there to be added again.
        session.add(note);
        session.set(note, Note.owner_id, session[all.owners[0]].id)?;
        session.commit().await?;
        assert_eq!(session.count(select(Note)).await?, 1);
        Ok(())
    }

    #[multi_thread]
    async fn a_future_dropped_at_any_poll_leaves_memory_that_a_rollback_makes_true(db: TestDb) -> Result<()> {
        let engine = engine(db.url()).await;
        let sessions = engine.sessionmaker().autoflush(false);
        for what in ["flush", "flush again", "commit", "savepoint", "savepoint commit", "savepoint rollback", "autocommit"] {
            for polls in 0..60 {
                let name = format!("{what} after {polls}");
                let mut other = sessions.open();
                for table in ["pet_toys", "pets", "toys", "owners"] {
                    other.execute(limbeck::sql::trusted(format!("DELETE FROM {table}"))).await?;
                }
                other.commit().await?;
                let maker = sessions.clone().autocommit(what == "autocommit");
                let (mut session, mut all) = begun(&maker).await?;
                let before = rows(&sessions).await?;
                if what == "flush again" {
                    all.toys.push(session.add(Toy::builder().name("first")));
                    session.flush().await?;
                }
                if what != "savepoint commit" && what != "savepoint rollback" {
                    change(&mut session, &mut all)?;
                }
                let done = match what {
                    "flush" | "flush again" | "autocommit" => polled(session.flush(), polls).await,
                    "commit" => polled(session.commit(), polls).await,
                    "savepoint" => polled(async { session.begin_nested().await.map(drop) }, polls).await,
                    _ => {
                        let mut nested = session.begin_nested().await?;
                        change(&mut nested, &mut all)?;
                        if what == "savepoint commit" {
                            polled(nested.commit(), polls).await
                        } else {
                            nested.flush().await?;
                            polled(nested.rollback(), polls).await
                        }
                    }
                };
                let ended = done.is_some();
                if let Some(outcome) = done {
                    assert!(outcome.is_ok(), "{name}: {outcome:?}");
                } else if let Err(error) = session.flush().await {
                    assert!(matches!(error, Error::Interrupted), "{name}: {error:?}");
                    assert!(matches!(session.commit().await, Err(Error::Interrupted)), "{name}");
                }
                session.rollback().await?;
                // The server may still be at it.
                let mut after = rows(&sessions).await?;
                for _ in 0..50 {
                    if engine.pool_status().in_use == 0 {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                after = if engine.pool_status().in_use == 0 { rows(&sessions).await? } else { after };
                let commits = matches!(what, "commit" | "autocommit");
                assert!(commits || after == before, "{name}: nothing was committed\n{before}\n{after}");
                // What cannot be known is read again.
                for owner in &all.owners {
                    if session.state(*owner).is_ok_and(|state| state == State::Persistent) && session.fresh(*owner).await.is_err() {
                        session.expunge(*owner)?;
                    }
                }
                all.owners.retain(|owner| session.state(*owner).is_ok());
                for pet in &all.pets {
                    if session.state(*pet).is_ok_and(|state| state == State::Persistent) && session.fresh(*pet).await.is_err() {
                        session.expunge(*pet)?;
                    }
                }
                all.pets.retain(|pet| session.state(*pet).is_ok());
                for toy in &all.toys {
                    if session.state(*toy).is_ok_and(|state| state == State::Persistent) {
                        session.fresh(*toy).await?;
                    }
                }
                let known: Vec<_> = all
                    .pets
                    .iter()
                    .copied()
                    .filter(|pet| session.state(*pet).is_ok_and(|state| state == State::Persistent))
                    .collect();
                session.load(&known, Pet.toys).await?;
                if !commits || ended || after == before {
                    assert_eq!(memory(&session, &all)?, after, "{name}");
                } else {
                    // Committed without an answer: new rows are there, which this session does not know to be its own.
                    assert!(after.contains("\"dan\"") && after.contains("\"kite\""), "{name}: whole or not at all: {after}");
                }
                session.rollback().await?;
                if ended {
                    break;
                }
                assert!(polls < 59, "{name}: it never ends");
            }
        }
        Ok(())
    }
}

/// A list without the tuple that has `word`.
fn without(text: &str, word: &str) -> String {
    let Some(at) = text.find(word) else { return text.to_owned() };
    let start = text[..at].rfind('(').unwrap_or(0);
    // `Some(5)` and the like have brackets of their own.
    let mut depth = 0;
    let mut end = text.len();
    for (offset, c) in text[start..].char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 {
            end = start + offset + 1;
            break;
        }
    }
    let (mut left, rest) = (text[..start].to_owned(), &text[end..]);
    if let Some(rest) = rest.strip_prefix(", ") {
        left.push_str(rest);
    } else {
        left.truncate(left.trim_end_matches(", ").len());
        left.push_str(rest);
    }
    left
}

#[tokio::test]
async fn a_disk_that_is_full_in_the_middle_of_a_flush_loses_nothing() -> Result<()> {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Sqlite) else { return Ok(()) };
    let engine = Engine::builder(db.url()).pool_size(1).max_overflow(0).connect().await?;
    engine.create_all(&limbeck::metadata![Owner, Pet, Toy, Note]?).await?;
    let mut session = engine.sessionmaker().autoflush(false).open();
    let ada = session.add(owner("ada"));
    session.commit().await?;
    let limit = async |pages: &str| -> Result<()> {
        let mut connection = engine.connect().await?;
        let used: Vec<i64> = connection.fetch_raw("PRAGMA page_count", &[]).await?;
        let pages = if pages.is_empty() { (used[0] + 4).to_string() } else { pages.to_owned() };
        connection.fetch_raw::<i64>(&format!("PRAGMA max_page_count = {pages}"), &[]).await.map(drop)
    };
    limit("").await?;
    session[ada].age = 40;
    let big = "x".repeat(2000);
    let many: Vec<_> = (0..200).map(|i| session.add(owner(&format!("{i} {big}")))).collect();
    let error = session.commit().await.unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    assert!(!session.in_transaction());
    assert_eq!((session.state(many[0])?, session[many[0]].id, session[ada].version), (State::Pending, 0, 1));
    limit("100000").await?;
    session.commit().await?;
    assert_eq!(session.count(select(Owner)).await?, 201);
    assert_eq!(session[ada].version, 2);
    Ok(())
}
