//! Unique constraints that PostgreSQL checks later. SQLite checks each row: there the values stand aside as ever.

use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::{Error, Result, metadata};
use limbeck_test_support::{TestDb, both};

use crate::sent::{Sent, sessions};

/// A date is unique, and no other can be made up for it.
#[derive(Model, Debug)]
#[model(table = "later_days", unique(room, slot, deferrable = initially_immediate))]
struct Day {
    #[column(primary_key)]
    id: i64,
    #[column(unique(deferrable = initially_deferred))]
    date: NaiveDate,
    room: bool,
    slot: bool,
}

fn date(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).expect("a date")
}

async fn days(db: &TestDb) -> Result<(SessionMaker, Sent)> {
    Ok(sessions(db, metadata![Day]?).await)
}

async fn two(session: &mut Session, sent: &Sent) -> Result<[Tracked<Day>; 2]> {
    let a = session.add(Day::builder().date(date(1)).room(true).slot(true));
    let b = session.add(Day::builder().date(date(2)).room(true).slot(false));
    session.commit().await?;
    sent.take();
    Ok([a, b])
}

both! {
    async fn a_constraint_that_is_deferred_lets_values_be_swapped_by_one_update(db: TestDb) -> Result<()> {
        let (sessions, sent) = days(&db).await?;
        let mut session = sessions.open();
        let [a, b] = two(&mut session, &sent).await?;
        session[a].date = date(2);
        session[b].date = date(1);
        if !db.is_postgres() {
            assert!(matches!(session.commit().await, Err(Error::UniqueCycle { .. })));
            return Ok(());
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE later_days (2)"]);
        assert_eq!(session.get(Day, session[a].id).await?, Some(a));
        let dates = sessions.open().all(select(Day.date).order_by(Day.id)).await?;
        assert_eq!(dates, [date(2), date(1)]);
        Ok(())
    }

    async fn a_constraint_that_can_be_deferred_is_so_for_one_flush(db: TestDb) -> Result<()> {
        let (sessions, sent) = days(&db).await?;
        let mut session = sessions.open();
        let [a, b] = two(&mut session, &sent).await?;
        session[a].slot = false;
        session[b].slot = true;
        if !db.is_postgres() {
            assert!(matches!(session.commit().await, Err(Error::UniqueCycle { .. })));
            return Ok(());
        }
        session.commit().await?;
        assert_eq!(
            sent.take(),
            [
                "SET CONSTRAINTS uq_later_days_room_slot DEFERRED",
                "UPDATE later_days (2)",
                "SET CONSTRAINTS uq_later_days_room_slot IMMEDIATE"
            ]
        );
        let slots = sessions.open().all(select(Day.slot).order_by(Day.id)).await?;
        assert_eq!(slots, [false, true]);
        Ok(())
    }
}
