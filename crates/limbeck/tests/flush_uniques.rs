//! Random changes of unique values: whatever end state keeps the constraints, one flush reaches it.
//!
//! A plain model says what is to be; the flush has to find the order. The seed is proptest's own, the same every time.
//! `LIMBECK_RANDOM_FLUSHES` sets how many flushes there are of each kind.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck_test_support::{TestDb, both};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Everything is unique: the key, which the program gives; text; a number that can be NULL; two columns together.
#[derive(Model, Debug)]
#[model(table = "random_slots", unique(list, place))]
struct Slot {
    #[column(primary_key, autoincrement = false)]
    id: i64,
    #[column(unique)]
    name: String,
    #[column(unique)]
    badge: Option<i32>,
    list: i32,
    place: i16,
}

/// Rows of which each has another next, and no two the same.
#[derive(Model, Debug)]
#[model(table = "random_rings")]
struct Ring {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(Ring.id))]
    next_id: Option<i64>,
    #[relationship(back_populates = previous, key = next_id)]
    next: BelongsTo<Option<Ring>>,
    #[relationship(back_populates = next)]
    previous: HasOne<Ring>,
}

/// A unique key that cannot be NULL, and of which the database has the last word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    id: i64,
    name: String,
    badge: Option<i32>,
    list: i32,
    place: i16,
}

fn flushes() -> usize {
    std::env::var("LIMBECK_RANDOM_FLUSHES").ok().and_then(|n| n.parse().ok()).unwrap_or(150)
}

/// A row as random numbers want it, moved on to what is free.
fn free(rows: &[Row], wanted: (i64, u8, Option<i32>, i32, i16)) -> Row {
    let (id, name, badge, list, place) = wanted;
    let id = (0..).map(|step| (id + step - 1) % 16 + 1).find(|id| rows.iter().all(|row| row.id != *id));
    let name = (0..).map(|step| format!("n{}", (i32::from(name) + step) % 16));
    let name = name.into_iter().find(|name| rows.iter().all(|row| row.name != *name));
    let badge = badge.filter(|badge| rows.iter().all(|row| row.badge != Some(*badge)));
    let place = (0..).map(|step| (place + step) % 16);
    let place = place.into_iter().find(|place| rows.iter().all(|row| (row.list, row.place) != (list, *place)));
    Row { id: id.expect("an id"), name: name.expect("a name"), badge, list, place: place.expect("a place") }
}

/// What a row is followed by, as far as it is known.
fn next_of(session: &Session, ring: Tracked<Ring>) -> Option<Tracked<Ring>> {
    session[ring].next.try_get().ok().flatten()
}

fn set(slot: &mut Slot, row: &Row) {
    (slot.id, slot.name, slot.badge, slot.list, slot.place) =
        (row.id, row.name.clone(), row.badge, row.list, row.place);
}

/// What a slot is to hold.
type Values = (i64, u8, Option<i32>, i32, i16);

both! {
    async fn any_end_state_that_keeps_the_constraints_is_reached(db: TestDb) -> Result<()> {
        let engine = Engine::builder(db.url()).connect().await?;
        engine.create_all(&limbeck::metadata![Slot]?).await?;
        let mut session = engine.sessionmaker().open();
        let mut runner = TestRunner::deterministic();
        let wish = || (1i64..=10, 0u8..10, proptest::option::of(0i32..6), 0i32..2, 0i16..5);
        // What becomes of each row: nothing, gone, gone and back, or changed; and what is new.
        let plans = (
            proptest::collection::vec((0u8..8, wish()), 10),
            proptest::collection::vec(wish(), 0..4),
        );
        let mut there: Vec<(Tracked<Slot>, Row)> = Vec::new();
        for flush in 0..flushes() {
            let (fates, news) = plans.new_tree(&mut runner).expect("a plan").current();
            let mut rows: Vec<Row> = Vec::new();
            let mut next: Vec<(Tracked<Slot>, Row)> = Vec::new();
            let mut moved: Vec<(Tracked<Slot>, Values)> = Vec::new();
            let mut news = news;
            for ((slot, row), (fate, wish)) in there.iter().zip(fates) {
                match fate {
                    0 | 1 => {
                        session.delete(*slot)?;
                        if fate == 1 {
                            news.push((row.id, wish.1, row.badge, row.list, row.place));
                        }
                    }
                    2 | 3 => {
                        rows.push(row.clone());
                        next.push((*slot, row.clone()));
                    }
                    // Of a few only one column.
                    4 => moved.push((*slot, (row.id, wish.1, row.badge, row.list, row.place))),
                    _ => moved.push((*slot, wish)),
                }
            }
            for (slot, wish) in moved {
                let row = free(&rows, wish);
                set(&mut session[slot], &row);
                rows.push(row.clone());
                next.push((slot, row));
            }
            for wish in news {
                if rows.len() < 10 {
                    let row = free(&rows, wish);
                    let slot = Slot::builder().id(row.id).name(row.name.clone()).list(row.list).place(row.place);
                    let slot = match row.badge {
                        Some(badge) => session.add(slot.badge(badge)),
                        None => session.add(slot),
                    };
                    rows.push(row.clone());
                    next.push((slot, row));
                }
            }
            if let Err(error) = session.commit().await {
                panic!("flush {flush}: {error}\nfrom {:#?}\nto {rows:#?}", there.iter().map(|one| &one.1).collect::<Vec<_>>());
            }
            there = next;
            let mut found: Vec<Row> = engine
                .sessionmaker()
                .open()
                .all(select((Slot.id, Slot.name, Slot.badge, Slot.list, Slot.place)))
                .await?
                .into_iter()
                .map(|(id, name, badge, list, place)| Row { id, name, badge, list, place })
                .collect();
            found.sort();
            rows.sort();
            assert_eq!(found, rows, "flush {flush}");
            for (slot, row) in &there {
                let slot = &session[*slot];
                assert_eq!((slot.id, &slot.name, slot.badge), (row.id, &row.name, row.badge), "flush {flush}");
            }
        }
        Ok(())
    }

    async fn rows_that_follow_each_other_are_put_in_any_order(db: TestDb) -> Result<()> {
        let engine = Engine::builder(db.url()).connect().await?;
        engine.create_all(&limbeck::metadata![Ring]?).await?;
        let mut session = engine.sessionmaker().open();
        let mut runner = TestRunner::deterministic();
        let plans = (
            proptest::collection::vec(0u8..6, 10),
            0usize..4,
            Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(),
            proptest::collection::vec(0u8..4, 14),
        );
        let mut there: Vec<Tracked<Ring>> = Vec::new();
        for flush in 0..flushes() {
            let (fates, new, order, ends) = plans.new_tree(&mut runner).expect("a plan").current();
            let (mut kept, mut gone) = (Vec::new(), Vec::new());
            for (ring, fate) in there.iter().zip(fates) {
                if fate == 0 { gone.push(*ring) } else { kept.push(*ring) }
            }
            let new = new.min(10 - kept.len());
            kept.extend(session.add_all((0..new).map(|_| Ring::builder())));
            // Each row is followed by what a random order says, itself among them; some by none.
            let order: Vec<usize> = order.into_iter().filter(|at| *at < kept.len()).collect();
            let mut wanted: Vec<Option<Tracked<Ring>>> = Vec::new();
            for (at, ring) in kept.iter().enumerate() {
                let next = (ends[at] > 0).then(|| kept[order[at]]);
                let now = next_of(&session, *ring);
                match (next, now) {
                    (Some(next), _) => session.link(*ring, Ring.next, next)?,
                    (None, Some(now)) => session.unlink(*ring, Ring.next, now)?,
                    (None, None) => {}
                }
                wanted.push(next);
            }
            // Who was linked first may have lost its place to another: what counts is what the objects say.
            for (ring, next) in kept.iter().zip(&wanted) {
                if let Some(next) = next
                    && next_of(&session, *ring) != Some(*next)
                {
                    session.link(*ring, Ring.next, *next)?;
                }
            }
            gone.iter().try_for_each(|ring| session.delete(*ring))?;
            if let Err(error) = session.commit().await {
                panic!("flush {flush}: {error}");
            }
            there = kept;
            let mut said: Vec<_> = there.iter().map(|ring| (session[*ring].id, session[*ring].next_id)).collect();
            said.sort_unstable();
            let found = engine.sessionmaker().open().all(select((Ring.id, Ring.next_id)).order_by(Ring.id)).await?;
            assert_eq!(found, said, "flush {flush}");
        }
        Ok(())
    }
}
