//! What sessions cost: round trips that grow with the depth of the graph and not with the number of rows, memory for each
//! tracked object, and allocations that grow with the number of objects and no faster. Times are in `bench/`.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::alloc::System;

use common::{User, create_tables};
use limbeck::engine::Stats;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::{Result, metadata};
use limbeck_test_support::TestDb;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::sync::Mutex;

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

#[derive(Model)]
#[model(table = "countries")]
struct Country {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = country)]
    cities: HasMany<City>,
}

#[derive(Model)]
#[model(table = "cities")]
struct City {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Country.id))]
    country_id: i64,
    #[relationship(back_populates = cities)]
    country: BelongsTo<Country>,
    #[relationship(back_populates = city)]
    streets: HasMany<Street>,
}

#[derive(Model)]
#[model(table = "streets")]
struct Street {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(City.id))]
    city_id: i64,
    #[relationship(back_populates = streets)]
    city: BelongsTo<City>,
    #[relationship(back_populates = street)]
    houses: HasMany<House>,
}

#[derive(Model)]
#[model(table = "houses")]
struct House {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Street.id))]
    street_id: i64,
    #[relationship(back_populates = houses)]
    street: BelongsTo<Street>,
    #[relationship(secondary = "house_owners", back_populates = houses)]
    owners: ManyToMany<Owner>,
}

#[derive(Model)]
#[model(table = "owners")]
struct Owner {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = "house_owners", back_populates = owners)]
    houses: ManyToMany<House>,
}

/// Handles of what was added, by level.
#[derive(Default, Clone)]
struct Place {
    countries: Vec<Tracked<Country>>,
    cities: Vec<Tracked<City>>,
    streets: Vec<Tracked<Street>>,
    houses: Vec<Tracked<House>>,
    owners: Vec<Tracked<Owner>>,
}

impl Place {
    /// `rows` rows in each of `depth` tables, each row referring to one of the table before.
    fn add(session: &mut Session, depth: usize, rows: usize) -> Place {
        let mut place = Place::default();
        for n in 0..rows {
            let country = session.add(Country::builder().name(format!("country {n}")));
            place.countries.push(country);
            if depth > 1 {
                place.cities.push(session.add(City::builder().name(format!("city {n}")).country(country)));
            }
            if depth > 2 {
                place.streets.push(session.add(Street::builder().name(format!("street {n}")).city(place.cities[n])));
            }
            if depth > 3 {
                place.houses.push(session.add(House::builder().name(format!("house {n}")).street(place.streets[n])));
                place.owners.push(session.add(Owner::builder().name(format!("owner {n}"))));
            }
        }
        place
    }

    fn rename(&self, session: &mut Session) {
        self.countries.iter().for_each(|country| session[*country].name.push('!'));
        self.cities.iter().for_each(|city| session[*city].name.push('!'));
        self.streets.iter().for_each(|street| session[*street].name.push('!'));
        self.houses.iter().for_each(|house| session[*house].name.push('!'));
    }

    fn delete(&self, session: &mut Session) -> Result<()> {
        self.houses.iter().try_for_each(|house| session.delete(*house))?;
        self.streets.iter().try_for_each(|street| session.delete(*street))?;
        self.cities.iter().try_for_each(|city| session.delete(*city))?;
        self.countries.iter().try_for_each(|country| session.delete(*country))
    }

    fn link(&self, session: &mut Session) -> Result<()> {
        let mut pairs = self.houses.iter().zip(&self.owners);
        pairs.try_for_each(|(house, owner)| session.link(*house, House.owners, *owner))
    }

    fn unlink(&self, session: &mut Session) -> Result<()> {
        let mut pairs = self.houses.iter().zip(&self.owners);
        pairs.try_for_each(|(house, owner)| session.unlink(*house, House.owners, *owner))
    }
}

/// What flushes of each kind cost, in this order: inserts, updates, links and inserts mixed with updates, unlinks, deletes.
struct Costs {
    /// The first flush of the transaction, which begins it.
    insert: Stats,
    commit: Stats,
    /// Later ones, each in a savepoint.
    update: Stats,
    link: Stats,
    mixed: Stats,
    unlink: Stats,
    delete: Stats,
}

async fn cost(session: &mut Session) -> Result<Stats> {
    let before = session.stats();
    session.flush().await?;
    Ok(session.stats() - before)
}

async fn costs(engine: &Engine, depth: usize, rows: usize) -> Result<Costs> {
    let mut last = None;
    // The first time prepares the statements.
    for _ in 0..2 {
        let mut session = engine.sessionmaker().open();
        let place = Place::add(&mut session, depth, rows);
        let insert = cost(&mut session).await?;
        let before = session.stats();
        session.commit().await?;
        let commit = session.stats() - before;

        // So that all that follows is in an open transaction that has written.
        session.add(Owner::builder().name("first"));
        session.flush().await?;
        place.rename(&mut session);
        let update = cost(&mut session).await?;
        place.link(&mut session)?;
        let link = cost(&mut session).await?;
        let more = Place::add(&mut session, depth, rows);
        place.rename(&mut session);
        more.link(&mut session)?;
        let mixed = cost(&mut session).await?;
        place.unlink(&mut session)?;
        more.unlink(&mut session)?;
        let unlink = cost(&mut session).await?;
        place.delete(&mut session)?;
        more.delete(&mut session)?;
        let delete = cost(&mut session).await?;
        session.commit().await?;
        assert_eq!(session.count(select(Country)).await? + session.count(select(House)).await?, 0);
        session.rollback().await?;
        last = Some(Costs { insert, commit, update, link, mixed, unlink, delete });
    }
    Ok(last.expect("two times"))
}

#[tokio::test]
async fn on_postgres_a_flush_takes_as_many_round_trips_as_the_graph_is_deep_whatever_the_number_of_rows() -> Result<()>
{
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return Ok(()) };
    let _alone = ALONE.lock().await;
    let engine = Engine::builder(db.url()).connect().await?;
    engine.create_all(&metadata![Country, City, Street, House, Owner]?).await?;
    for depth in 1..=4 {
        for rows in [2, 10, 1_000] {
            let costs = costs(&engine, depth, rows).await?;
            let trips = |stats: &Stats| stats.round_trips;
            let at = format!("{rows} rows in each of {depth} tables");
            let depth = depth as u64;
            // Keys are made by the database, so each table waits for the one before. BEGIN travels with the first.
            assert_eq!(trips(&costs.insert), depth, "inserts of {at}");
            assert_eq!(trips(&costs.commit), 1, "COMMIT after {at}");
            // No key is missing: all of it travels together, and with it the savepoint and its release.
            let links = u64::from(depth == 4);
            assert_eq!(trips(&costs.update), 1, "updates of {at}");
            assert_eq!(trips(&costs.delete), 1, "deletes of {at}");
            assert_eq!((trips(&costs.link), trips(&costs.unlink)), (links, links), "links of {at}");
            // Rows of an association wait for the houses: they are a fifth table.
            assert_eq!(trips(&costs.mixed), depth + links, "inserts, updates and links of {at}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn on_postgres_a_flush_sends_as_many_statements_for_one_row_as_for_a_thousand() -> Result<()> {
    let Some(db) = TestDb::of(limbeck_test_support::Kind::Postgres) else { return Ok(()) };
    let _alone = ALONE.lock().await;
    let engine = Engine::builder(db.url()).connect().await?;
    engine.create_all(&metadata![Country, City, Street, House, Owner]?).await?;
    let few = costs(&engine, 4, 1).await?;
    let many = costs(&engine, 4, 1_000).await?;
    let statements = |costs: &Costs| {
        [&costs.insert, &costs.update, &costs.link, &costs.mixed, &costs.unlink, &costs.delete].map(|s| s.statements)
    };
    assert_eq!(statements(&few), statements(&many));
    // BEGIN, and an INSERT for each table.
    assert_eq!(many.insert.statements, 6);
    Ok(())
}

/// Their names are of one length: a longer one may be allocated twice.
fn people(count: usize) -> impl Iterator<Item = impl limbeck::model::New<Model = User>> {
    (0..count).map(|n| {
        User::builder()
            .email(format!("user{n:05}@example.com"))
            .username(format!("user{n:05}"))
            .hashed_password("$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuuabcdefghi")
            .full_name(format!("User Number {n:05}"))
    })
}

/// An engine over a fresh SQLite database with so many users.
async fn filled(db: &TestDb, count: usize) -> Result<Engine> {
    let engine = Engine::builder(db.url()).connect().await?;
    create_tables(&engine).await;
    let mut session = engine.sessionmaker().open();
    session.add_all(people(count));
    session.commit().await?;
    Ok(engine)
}

/// Allocations of a flow, and the bytes that it left allocated, for each of so many objects.
#[derive(Debug)]
struct Cost {
    allocations: f64,
    bytes: f64,
}

fn per_object(region: &Region<'_, System>, count: usize) -> Cost {
    let change = region.change();
    let bytes = change.bytes_allocated as isize - change.bytes_deallocated as isize;
    let allocations = change.allocations + change.reallocations;
    Cost { allocations: allocations as f64 / count as f64, bytes: bytes as f64 / count as f64 }
}

/// How many users are read at a time: few, so that SQLite's statement ends before it is moved to another thread and begun
/// anew, which on a busy machine may happen to any.
const SLICE: usize = 100;

/// The users in slices.
fn slices(count: usize) -> impl Iterator<Item = limbeck::sql::Select<User>> {
    let slice = |from: i64| select(User).filter(User.id.gt(from)).order_by(User.id).limit(SLICE as u64);
    (0..count as i64).step_by(SLICE).map(slice)
}

/// What reading all slices cost: of the allocations those of the slice in the middle, of the bytes all.
struct Slices<'a> {
    whole: Region<'a, System>,
    allocations: Vec<usize>,
}

impl Slices<'_> {
    fn begin() -> Self {
        Slices { whole: Region::new(MEMORY), allocations: Vec::with_capacity(1 << 10) }
    }

    fn slice(&mut self, region: &Region<'_, System>) {
        let change = region.change();
        self.allocations.push(change.allocations + change.reallocations);
    }

    fn end(mut self, count: usize) -> Cost {
        let Cost { bytes, .. } = per_object(&self.whole, count);
        self.allocations.sort_unstable();
        Cost { allocations: self.allocations[self.allocations.len() / 2] as f64 / SLICE as f64, bytes }
    }
}

/// Loads users, changes all, deletes all, adds as many.
async fn life(engine: &Engine, count: usize) -> Result<[(&'static str, Cost); 6]> {
    let mut connection = engine.connect().await?;
    connection.all(select(User).limit(1)).await?;
    let mut plain = Vec::with_capacity(count);
    let mut slices_cost = Slices::begin();
    for slice in slices(count) {
        let region = Region::new(MEMORY);
        plain.append(&mut connection.all(slice).await?);
        slices_cost.slice(&region);
    }
    let mut plain_cost = slices_cost.end(count);
    plain_cost.bytes += size_of::<User>() as f64;
    assert_eq!(plain.len(), count);
    drop(plain);
    drop(connection);

    let mut session = engine.sessionmaker().open();
    session.all(select(User).filter(User.id.lt(0)).order_by(User.id).limit(SLICE as u64)).await?;
    let mut users = Vec::with_capacity(count);
    let mut slices_cost = Slices::begin();
    for slice in slices(count) {
        let region = Region::new(MEMORY);
        users.append(&mut session.all(slice).await?);
        slices_cost.slice(&region);
    }
    let loaded = slices_cost.end(count);
    assert_eq!(users.len(), count);

    let region = Region::new(MEMORY);
    for user in &users {
        session[*user].full_name = None;
    }
    let changed = per_object(&region, count);
    let region = Region::new(MEMORY);
    session.flush().await?;
    let flushed = per_object(&region, count);

    let region = Region::new(MEMORY);
    for user in &users {
        session.delete(*user)?;
    }
    session.commit().await?;
    let deleted = per_object(&region, count);

    let mut session = engine.sessionmaker().open();
    let region = Region::new(MEMORY);
    session.add_all(people(count));
    session.commit().await?;
    let added = per_object(&region, count);
    Ok([
        ("plain", plain_cost),
        ("loaded", loaded),
        ("changed", changed),
        ("flushed", flushed),
        ("deleted", deleted),
        ("added", added),
    ])
}

#[tokio::test]
async fn a_hundred_thousand_objects_cost_a_hundred_times_what_a_thousand_cost() -> Result<()> {
    let _alone = ALONE.lock().await;
    let (few, many) = (TestDb::sqlite(), TestDb::sqlite());
    let few = life(&filled(&few, 1_000).await?, 1_000).await?;
    let many = life(&filled(&many, 100_000).await?, 100_000).await?;
    for ((what, few), (_, many)) in few.iter().zip(&many) {
        // The identity map, and vectors that double, have more to spare at one size than at another.
        assert!(many.allocations <= few.allocations * 1.05 + 0.1, "{what}: {few:?} each, then {many:?}");
        assert!(many.bytes <= few.bytes.max(0.0) * 1.4 + 64.0, "{what}: {few:?} each, then {many:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tracked_object_takes_at_most_half_more_memory_than_a_plain_one() -> Result<()> {
    let _alone = ALONE.lock().await;
    let db = TestDb::sqlite();
    // The worst size: all that doubles has just doubled.
    let count = 14_400;
    let costs = life(&filled(&db, count).await?, count).await?;
    let [(_, plain), (_, loaded), ..] = &costs;
    assert!(loaded.bytes <= plain.bytes * 1.5, "a plain user takes {plain:?}, a tracked one {loaded:?}");
    // What is stated in the documentation of `Session`.
    assert!(loaded.bytes - plain.bytes <= 100.0, "a plain user takes {plain:?}, a tracked one {loaded:?}");
    // Hardly anything is allocated for an object but what it has itself: 64 of them share a piece of memory.
    assert!(loaded.allocations <= plain.allocations + 0.05, "{plain:?}, {loaded:?}");
    Ok(())
}
