//! On PostgreSQL a commit that is one INSERT has no transaction around it, and loses nothing by that.

use limbeck::engine::Engine;
use limbeck::metadata;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::sql::trusted;
use limbeck::{Error, Result};
use limbeck_test_support::{Kind, TestDb};

#[derive(Model, Debug)]
#[model(table = "al_notes")]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(server_default = "7")]
    rank: i32,
}

async fn sessions(db: &TestDb) -> Result<SessionMaker> {
    let engine = Engine::builder(db.url()).connect().await?;
    engine.create_all(&metadata![Note]?).await?;
    Ok(engine.sessionmaker())
}

fn notes(count: usize) -> impl Iterator<Item = impl limbeck::model::New<Model = Note>> {
    (0..count).map(|n| Note::builder().text(format!("note {n}")))
}

/// Adds notes, commits, and checks that each has the key of its row; statements and round trips.
async fn cost_of(sessions: &SessionMaker, count: usize) -> Result<(u64, u64)> {
    let mut session = sessions.open();
    let added = session.add_all(notes(count));
    session.commit().await?;
    let cost = session.stats();
    for (n, note) in added.into_iter().enumerate() {
        let row = session.one(select(Note.text).filter(Note.id.eq(session[note].id))).await?;
        assert_eq!((row, session[note].rank), (format!("note {n}"), 7));
    }
    session.execute(delete(Note).all_rows()).await?;
    session.commit().await?;
    Ok((cost.statements, cost.round_trips))
}

async fn trigger(session: &mut Session, body: &str) -> Result<()> {
    let function = format!("CREATE FUNCTION al_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$");
    session.execute(trusted(function)).await?;
    let trigger = "CREATE TRIGGER al BEFORE INSERT ON al_notes FOR EACH ROW EXECUTE FUNCTION al_change()";
    session.execute(sql(trigger)).await?;
    session.commit().await
}

#[tokio::test]
async fn rows_of_one_table_are_committed_in_one_round_trip_but_for_very_many() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let sessions = sessions(&db).await?;
    for (count, cost) in [(1, (1, 1)), (2, (1, 1)), (200, (1, 1)), (201, (3, 2))] {
        cost_of(&sessions, count).await?;
        assert_eq!(cost_of(&sessions, count).await?, cost, "{count} rows");
    }
    Ok(())
}

#[tokio::test]
async fn rows_that_a_trigger_leaves_out_take_the_others_along() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let mut session = sessions(&db).await?.open();
    trigger(&mut session, "IF NEW.text = 'note 1' THEN RETURN NULL; END IF; RETURN NEW;").await?;
    let added = session.add_all(notes(3));
    let error = session.commit().await.unwrap_err();
    assert!(matches!(error, Error::NotInserted { expected: 3, found: 2, .. }), "{error}");
    session.rollback().await?;
    assert_eq!(session.count(select(Note)).await?, 0);
    // Mended and added again, they are as new.
    session[added[1]].text = "note one".into();
    session.add_all(added.iter().copied());
    session.commit().await?;
    assert_eq!(session.count(select(Note)).await?, 3);
    Ok(())
}

#[tokio::test]
async fn keys_that_come_in_another_order_find_their_objects() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let sessions = sessions(&db).await?;
    trigger(&mut sessions.open(), "NEW.id := 1000 - NEW.id; RETURN NEW;").await?;
    // The first time it is found out; then it is known.
    for _ in 0..2 {
        cost_of(&sessions, 5).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_divides_by_zero_by_itself_says_so() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let mut session = sessions(&db).await?.open();
    trigger(&mut session, "NEW.rank := 1 / (NEW.id - NEW.id); RETURN NEW;").await?;
    session.add_all(notes(3));
    let error = session.commit().await.unwrap_err();
    assert!(error.to_string().contains("division by zero"), "{error}");
    session.rollback().await?;
    assert_eq!(session.count(select(Note)).await?, 0);
    Ok(())
}
