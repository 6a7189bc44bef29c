//! U30: rows that come back find their objects, whatever the database did with their keys.

use limbeck::prelude::*;
use limbeck::session::Session;
use limbeck::{Error, Result};
use limbeck_test_support::{Kind, TestDb};

/// Its names are unique, which limbeck knows.
#[derive(Model, Debug)]
#[model(table = "ti_names")]
struct Name {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
}

/// Nothing in it is declared to be unique.
#[derive(Model, Debug)]
#[model(table = "ti_points")]
struct Point {
    #[column(primary_key)]
    id: i64,
    x: f64,
    y: f64,
    label: String,
}

/// Keys that the database makes and that are in no order.
#[derive(Model, Debug)]
#[model(table = "ti_things")]
struct Thing {
    #[column(primary_key, server_default = "gen_random_uuid()")]
    id: uuid::Uuid,
    batch: i32,
    number: i32,
}

/// A row of which JSON alone tells two apart.
#[derive(Model, Debug)]
#[model(table = "ti_events")]
struct Event {
    #[column(primary_key, server_default = "gen_random_uuid()")]
    id: uuid::Uuid,
    payload: Json<Vec<i32>>,
}

const SHUFFLE: &str = "CREATE FUNCTION ti_shuffle() RETURNS trigger LANGUAGE plpgsql AS \
                       'BEGIN NEW.id := NEW.id # 5; RETURN NEW; END'";

async fn open(db: &TestDb, ddl: &[&str]) -> Result<Session> {
    let engine = Engine::builder(db.url()).connect().await?;
    engine.create_all(&limbeck::metadata![Name, Point, Thing, Event]?).await?;
    let mut connection = engine.connect().await?;
    for statement in ddl {
        connection.execute_raw(statement).await?;
    }
    Ok(engine.sessionmaker().open())
}

/// Adds names in batches, in transactions of their own and in one that was open; each has to be its row's.
async fn names_are_right(session: &mut Session) -> Result<()> {
    for batch in 0..4 {
        if batch == 2 {
            session.execute_sql_to_open().await?;
        }
        let names = session.add_all((0..100).map(|i| Name::builder().name(format!("{batch} {i}"))));
        session.flush().await?;
        if batch < 2 {
            session.commit().await?;
        }
        for (i, name) in names.iter().enumerate() {
            let id = session[*name].id;
            let row = session.one(select(Name.name).filter(Name.id.eq(id))).await?;
            assert_eq!(row, format!("{batch} {i}"));
            assert_eq!(session.get(Name, id).await?, Some(*name));
        }
    }
    session.commit().await?;
    assert_eq!(session.count(select(Name)).await?, 400);
    Ok(())
}

/// A transaction that has written something.
trait Opened {
    async fn execute_sql_to_open(&mut self) -> Result<()>;
}

impl Opened for Session {
    async fn execute_sql_to_open(&mut self) -> Result<()> {
        self.execute(sql("UPDATE ti_points SET x = 0")).await.map(|_| ())
    }
}

#[tokio::test]
async fn u30_a_sequence_that_runs_backwards() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let backwards =
        "ALTER SEQUENCE ti_names_id_seq INCREMENT BY -1 MINVALUE -100000 MAXVALUE 100000 START WITH 1000 RESTART";
    names_are_right(&mut open(&db, &[backwards]).await?).await
}

#[tokio::test]
async fn u30_a_sequence_that_starts_over_in_the_middle_of_a_batch() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let cycle = "ALTER SEQUENCE ti_names_id_seq MINVALUE -1000 MAXVALUE 150 START WITH 100 RESTART CYCLE";
    names_are_right(&mut open(&db, &[cycle]).await?).await
}

#[tokio::test]
async fn u30_a_trigger_that_shuffles_the_keys() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let trigger = "CREATE TRIGGER ti BEFORE INSERT ON ti_names FOR EACH ROW EXECUTE FUNCTION ti_shuffle()";
    names_are_right(&mut open(&db, &[SHUFFLE, trigger]).await?).await
}

#[tokio::test]
async fn u30_a_trigger_that_shuffles_the_keys_and_changes_what_was_sent() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let shuffle = "CREATE FUNCTION ti_both() RETURNS trigger LANGUAGE plpgsql AS \
                   'BEGIN NEW.id := NEW.id # 5; NEW.label := upper(NEW.label); NEW.x := NEW.y; RETURN NEW; END'";
    let trigger = "CREATE TRIGGER ti BEFORE INSERT ON ti_points FOR EACH ROW EXECUTE FUNCTION ti_both()";
    let mut session = open(&db, &[shuffle, trigger]).await?;
    // Told apart by what the trigger leaves alone, then by nothing but what it changes.
    for y in [1.0, 0.0] {
        let points: Vec<_> = (0..50)
            .map(|i| session.add(Point::builder().x(f64::from(i % 2)).y(y * f64::from(i)).label(format!("p{}", i / 2))))
            .collect();
        session.commit().await?;
        for (i, point) in (0..).zip(&points) {
            let id = session[*point].id;
            let row = session.one(select((Point.y, Point.label)).filter(Point.id.eq(id))).await?;
            assert_eq!(row, (y * f64::from(i), format!("P{}", i / 2)));
        }
    }
    Ok(())
}

#[tokio::test]
async fn u30_a_thousand_keys_in_no_order_in_one_round_trip() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let mut session = open(&db, &[]).await?;
    for batch in 0..2 {
        let before = session.stats();
        let things = session.add_all((0..1000).map(|n| Thing::builder().batch(batch).number(n)));
        session.commit().await?;
        let cost = session.stats() - before;
        // BEGIN, one INSERT, COMMIT.
        assert_eq!(cost.statements, 3);
        if batch == 1 {
            assert_eq!(cost.round_trips, 2);
        }
        let rows = session.all(select((Thing.id, Thing.number)).filter(Thing.batch.eq(batch))).await?;
        assert_eq!(rows.len(), 1000);
        let mut by_number = vec![uuid::Uuid::nil(); 1000];
        rows.into_iter().for_each(|(id, number)| by_number[number as usize] = id);
        for (thing, id) in things.iter().zip(by_number) {
            assert_eq!(session[*thing].id, id);
        }
    }
    Ok(())
}

#[tokio::test]
async fn u30_rows_that_nothing_tells_apart_are_sent_one_by_one_in_one_round_trip() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let mut session = open(&db, &[]).await?;
    for round in 0..2 {
        let before = session.stats();
        let events = session.add_all((0..20).map(|n| Event::builder().payload(Json(vec![n]))));
        session.commit().await?;
        let cost = session.stats() - before;
        assert_eq!(cost.statements, 22);
        if round == 1 {
            assert_eq!(cost.round_trips, 2);
        }
        for (n, event) in (0..).zip(&events) {
            let id = session[*event].id;
            let row = session.one(select(Event.payload).filter(Event.id.eq(id))).await?;
            assert_eq!(row.0, [n]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn u30_a_trigger_that_swallows_a_row_is_an_error_and_not_a_shift() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let swallow = "CREATE FUNCTION ti_no() RETURNS trigger LANGUAGE plpgsql AS \
                   'BEGIN IF NEW.name = ''7'' THEN RETURN NULL; END IF; RETURN NEW; END'";
    let trigger = "CREATE TRIGGER ti BEFORE INSERT ON ti_names FOR EACH ROW EXECUTE FUNCTION ti_no()";
    let mut session = open(&db, &[swallow, trigger]).await?;
    session.add_all((0..10).map(|i| Name::builder().name(format!("{i}"))));
    let refused = session.commit().await.expect_err("a swallowed row");
    assert!(matches!(refused, Error::NotInserted { table: "ti_names", expected: 10, found: 9 }), "{refused}");
    Ok(())
}
