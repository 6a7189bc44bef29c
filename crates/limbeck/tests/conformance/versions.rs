//! Rows that count their changes: U51 and U52.

use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker, State};
use limbeck::sql::{delete, update};
use limbeck::{Error, Result, StaleRow};
use limbeck_test_support::{TestDb, both};

use crate::common::Log;

#[derive(Model, Debug)]
#[model(table = "accounts")]
pub(crate) struct Account {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(unique)]
    pub(crate) name: String,
    pub(crate) balance: i64,
    #[column(version)]
    pub(crate) version: i32,
    #[relationship(back_populates = account)]
    pub(crate) cards: HasMany<Card>,
}

#[derive(Model, Debug)]
#[model(table = "cards")]
pub(crate) struct Card {
    #[column(primary_key)]
    pub(crate) number: String,
    #[column(foreign_key(Account.id))]
    pub(crate) account_id: Option<i64>,
    #[column(version)]
    pub(crate) revision: i64,
    #[relationship(back_populates = cards)]
    pub(crate) account: BelongsTo<Option<Account>>,
}

/// A key of two columns, and no version.
#[derive(Model, Debug)]
#[model(table = "shelf_places")]
pub(crate) struct Place {
    #[column(primary_key)]
    pub(crate) shelf: String,
    #[column(primary_key)]
    pub(crate) number: i32,
    pub(crate) what: String,
}

async fn sessions(url: &str) -> (SessionMaker, Log) {
    let log = Log::default();
    let engine = Engine::builder(url).echo_to(log.sink()).connect().await.expect("the test's database");
    engine.create_all(&limbeck::metadata![Account, Card, Place].expect("metadata")).await.expect("tables");
    log.take();
    (engine.sessionmaker(), log)
}

fn account(name: &str) -> impl limbeck::model::New<Model = Account> + use<> {
    Account::builder().name(name).balance(0)
}

/// The statements that write, without quotes.
fn writes(log: &Log) -> Vec<String> {
    let mut sent: Vec<String> = log.take().iter().map(|line| line.replace('"', "")).collect();
    sent.retain(|line| ["INSERT", "UPDATE", "DELETE"].iter().any(|kind| line.starts_with(kind)));
    sent
}

async fn versions(session: &mut Session) -> Result<Vec<(String, i32)>> {
    session.all(select((Account.name, Account.version)).order_by(Account.name)).await
}

fn stale(error: Error) -> StaleRow {
    match error {
        Error::StaleRow(stale) => *stale,
        other => panic!("expected a stale row, got {other:?}"),
    }
}

both! {
    async fn u51_an_insert_sends_one_and_each_update_adds_one_for_the_row_that_was_read(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(db.url()).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(account(name)));
        session.commit().await?;
        assert_eq!((session[ada].version, session[bob].version), (1, 1));
        log.take();
        session[ada].balance = 5;
        session[bob].balance = 6;
        session.commit().await?;
        let sent = if db.is_postgres() {
            "UPDATE accounts SET balance = r.c0, version = r.c1 FROM unnest($1, $2, $3, $4) AS r(c0, c1, k0, k1) \
             WHERE accounts.id = r.k0 AND accounts.version = r.k1 RETURNING r.k0"
        } else {
            "UPDATE accounts SET balance = ?, version = ? WHERE id = ? AND version = ?"
        };
        assert_eq!(writes(&log), [sent], "one batch for both rows");
        assert_eq!((session[ada].version, session[bob].version), (2, 2));
        session[ada].balance = 7;
        session.commit().await?;
        assert_eq!(versions(&mut session).await?, [("ada".into(), 3), ("bob".into(), 2)]);
        Ok(())
    }

    async fn u51_a_version_that_the_program_gives_or_sets_is_sent(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(Account::builder().name("ada").balance(0).version(10));
        session.commit().await?;
        assert_eq!(session[ada].version, 10);
        log.take();
        session[ada].version = 20;
        session.commit().await?;
        assert_eq!(writes(&log).len(), 1);
        session[ada].balance = 1;
        session.commit().await?;
        assert_eq!(versions(&mut session).await?, [("ada".into(), 21)]);
        Ok(())
    }

    async fn u51_a_version_that_a_form_has_seen_is_compared(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(account("ada"));
        let place = session.add(Place::builder().shelf("A").number(1).what("ink"));
        session.commit().await?;
        session[ada].balance = 1;
        session.commit().await?;
        log.take();
        session.expect_version(ada, 2)?;
        let error = stale(session.expect_version(ada, 1).unwrap_err());
        assert_eq!((error.expected, error.found, error.is_gone), (Some(1), Some(2), false));
        assert_eq!(error.handle(), Some(ada));
        // What the program has set meanwhile is nothing that the row is in.
        session[ada].version = 1;
        assert!(session.expect_version(ada, 1).is_err() && session.expect_version(ada, 2).is_ok());
        let error = session.expect_version(place, 1).unwrap_err();
        assert!(matches!(error, Error::InvalidState { model: "Place", .. }), "{error}");
        session.expire(ada)?;
        assert!(matches!(session.expect_version(ada, 2), Err(Error::Expired { .. })));
        assert_eq!(log.take(), [""; 0], "nothing is asked of the database");
        Ok(())
    }

    async fn u51_a_parent_is_not_counted_when_only_a_childs_key_changes(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(db.url()).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(account(name)));
        let card = session.add(Card::builder().number("1").account(ada));
        session.commit().await?;
        log.take();
        session.link(bob, Account.cards, card)?;
        session.commit().await?;
        assert_eq!(writes(&log).iter().filter(|line| line.starts_with("UPDATE cards")).count(), 1);
        assert_eq!((session[ada].version, session[bob].version, session[card].revision), (1, 1, 2));
        // Its row is changed without being known: it is counted there, and read again here.
        session.delete(bob)?;
        session.commit().await?;
        let row: (Option<i64>, i64) = session.one(select((Card.account_id, Card.revision))).await?;
        assert_eq!(row, (None, 3));
        session.fresh(card).await?;
        assert_eq!((session[card].account_id, session[card].revision), row);
        Ok(())
    }

    /// SQLAlchemy leaves versions alone in statements over many rows. Here they count, too: a session that read the row
    /// before must not overwrite what such a statement did.
    async fn u51_statements_over_many_rows_count_as_well(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(account("ada"));
        session.commit().await?;
        let mut other = sessions.open();
        other.execute(update(Account).set(Account.balance, 9).all_rows()).await?;
        other.execute(update(Account).set(Account.version, 40).filter(Account.balance.eq(9))).await?;
        other.execute(update(Account).set(Account.balance, Account.balance + 1).all_rows()).await?;
        other.commit().await?;
        assert_eq!(versions(&mut other).await?, [("ada".into(), 41)]);
        other.rollback().await?;
        session.rollback().await?;
        session[ada].balance = 1;
        let error = stale(session.commit().await.unwrap_err());
        assert_eq!((error.expected, error.found), (Some(1), Some(41)));
        Ok(())
    }

    async fn u51_a_rollback_takes_the_count_back(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(account("ada"));
        session.commit().await?;
        session[ada].balance = 1;
        session.flush().await?;
        let mut nested = session.begin_nested().await?;
        nested[ada].balance = 2;
        nested.flush().await?;
        assert_eq!(nested[ada].version, 3);
        nested.rollback().await?;
        assert_eq!(session[ada].version, 2);
        session.rollback().await?;
        assert_eq!((session[ada].version, session[ada].balance), (1, 0));
        session[ada].balance = 3;
        session.commit().await?;
        assert_eq!(versions(&mut session).await?, [("ada".into(), 2)]);
        Ok(())
    }

    async fn u51_an_object_that_was_expired_is_written_over_the_version_of_now(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(account(name)));
        session.commit().await?;
        let mut other = sessions.open();
        other.execute(update(Account).set(Account.name, Account.name.concat("!")).all_rows()).await?;
        other.commit().await?;
        // What it holds is forgotten, so there is nothing that could be stale.
        session.expire_all();
        session.set(ada, Account.balance, 5)?;
        session.delete(bob)?;
        session.commit().await?;
        assert_eq!(session[ada].name, "ada!");
        assert_eq!(versions(&mut session).await?, [("ada!".into(), 3)]);
        Ok(())
    }

    async fn u52_an_update_of_a_row_that_was_changed_is_stale_and_names_it(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let all = session.add_all(["ada", "bob", "cyd"].map(account));
        session.commit().await?;
        let mut other = sessions.open();
        let theirs = other.one(select(Account).filter(Account.name.eq("bob"))).await?;
        other[theirs].balance = 100;
        other.commit().await?;
        all.iter().for_each(|one| session[*one].balance = 1);
        let new = session.add(account("new"));
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.object::<Account>(), Some(all[1]));
        assert_eq!(error.object::<Card>(), None);
        let message = error.to_string();
        let error = stale(error);
        assert_eq!((error.table, error.expected, error.found, error.is_gone), ("accounts", Some(1), Some(2), false));
        assert_eq!(error.key, session[all[1]].id.to_string());
        assert!(message.contains("`Account` 2 was expected in version 1, and is 2"), "{message}");
        // Nothing was lost: neither what was to be written, nor the versions.
        assert_eq!(session[new].id, 0);
        assert!(all.iter().all(|one| session[*one].version == 1 && session[*one].balance == 1));
        session.refresh(all[1]).await?;
        session[all[1]].balance += 1;
        session.commit().await?;
        let balances: Vec<i64> = session.all(select(Account.balance).order_by(Account.name)).await?;
        assert_eq!(balances, [1, 101, 1, 0]);
        Ok(())
    }

    async fn u52_a_row_that_was_deleted_is_stale_and_gone(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(account(name)));
        session.commit().await?;
        let mut other = sessions.open();
        other.execute(delete(Account).filter(Account.name.eq("bob"))).await?;
        other.commit().await?;
        session[ada].balance = 1;
        session[bob].balance = 1;
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.object(), Some(bob));
        assert!(stale(error).is_gone);
        assert!(matches!(session.refresh(bob).await, Err(Error::StaleRow(row)) if row.is_gone));
        session.expunge(bob)?;
        session.commit().await?;
        assert_eq!(versions(&mut session).await?, [("ada".into(), 2)]);
        Ok(())
    }

    async fn u52_a_delete_of_a_row_that_was_changed_or_deleted_is_stale(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(db.url()).await;
        for gone in [false, true] {
            let mut session = sessions.open();
            let all = session.add_all(["ada", "bob", "cyd"].map(account));
            session.commit().await?;
            let mut other = sessions.open();
            let theirs = other.one(select(Account).filter(Account.name.eq("bob"))).await?;
            if gone {
                other.delete(theirs)?;
            } else {
                other[theirs].balance = 100;
            }
            other.commit().await?;
            for one in &all {
                session.delete(*one)?;
            }
            log.take();
            let error = session.commit().await.unwrap_err();
            let sent = if db.is_postgres() {
                "DELETE FROM accounts USING unnest($1, $2) AS r(k0, k1) WHERE accounts.id = r.k0 \
                 AND accounts.version = r.k1 RETURNING accounts.id"
            } else {
                "DELETE FROM accounts WHERE id = ? AND version = ?"
            };
            assert_eq!(writes(&log).last().map(String::as_str), Some(sent));
            assert_eq!(error.object(), Some(all[1]));
            let error = stale(error);
            assert_eq!((error.is_gone, error.found), (gone, (!gone).then_some(2)));
            for one in &all {
                assert_eq!(session.state(*one)?, State::Persistent);
            }
            session.rollback().await?;
            if gone {
                session.expunge(all[1])?;
            } else {
                session.refresh(all[1]).await?;
                session.delete(all[1])?;
            }
            session.delete(all[0])?;
            session.delete(all[2])?;
            session.commit().await?;
            assert_eq!(versions(&mut session).await?, []);
        }
        Ok(())
    }

    async fn u52_a_lock_read_of_a_row_that_was_changed_is_stale(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(account(name)));
        session.commit().await?;
        let mut other = sessions.open();
        other.execute(update(Account).set(Account.balance, 7).filter(Account.name.eq("ada"))).await?;
        other.commit().await?;
        // A plain read leaves what is there alone.
        assert_eq!(session.all(select(Account).order_by(Account.id)).await?, [ada, bob]);
        assert_eq!(session[ada].balance, 0);
        session.rollback().await?;
        let lock = |name: &str| select(Account).filter(Account.name.eq(name)).with_for_update();
        assert_eq!(session.all(lock("bob")).await?, [bob]);
        let error = session.all(lock("ada")).await.unwrap_err();
        assert_eq!(error.object(), Some(ada));
        let error = stale(error);
        assert_eq!((error.expected, error.found), (Some(1), Some(2)));
        session.rollback().await?;
        // What is read again with its lock is what the row is.
        session.refresh_for_update(ada).await?;
        assert_eq!((session[ada].balance, session[ada].version), (7, 2));
        session[ada].balance += 1;
        session.commit().await?;
        assert_eq!(versions(&mut session).await?, [("ada".into(), 3), ("bob".into(), 1)]);
        Ok(())
    }

    async fn u52_a_merge_of_another_version_is_stale(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let ada = session.add(account("ada"));
        session.commit().await?;
        let id = session[ada].id;
        let value = session.expunge(ada)?;
        let mut other = sessions.open();
        other.execute(update(Account).set(Account.balance, 7).all_rows()).await?;
        other.commit().await?;
        let error = stale(session.merge(value).await.unwrap_err());
        assert_eq!((error.expected, error.found, error.key), (Some(1), Some(2), id.to_string()));
        let ada = session.get(Account, id).await?.expect("its row was read");
        assert_eq!(session[ada].balance, 7);
        assert!(!session.has_changes());
        Ok(())
    }

    async fn u52_of_two_that_meet_one_is_stale_and_its_work_done_again_succeeds(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        session.add(account("ada"));
        session.commit().await?;
        let deposit = async |sessions: SessionMaker| -> Result<u32> {
            let mut failures = 0;
            loop {
                let mut session = sessions.open();
                let ada = session.one(select(Account)).await?;
                session.rollback().await?;
                tokio::task::yield_now().await;
                session[ada].balance += 1;
                match session.commit().await {
                    Ok(()) => return Ok(failures),
                    Err(Error::StaleRow(stale)) => {
                        assert_eq!(stale.handle::<Account>(), Some(ada));
                        failures += 1;
                    }
                    Err(other) => return Err(other),
                }
            }
        };
        let all = futures_util::future::try_join_all((0..8).map(|_| deposit(sessions.clone()))).await?;
        let row: (i64, i32) = session.one(select((Account.balance, Account.version))).await?;
        assert_eq!(row, (8, 9), "no deposit was lost: {all:?}");
        Ok(())
    }

    async fn u31_an_update_that_meets_no_row_names_it_without_a_version_too(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let places: Vec<_> = (0..40)
            .map(|number| session.add(Place { shelf: "a, b".into(), number, what: String::new() }))
            .collect();
        session.commit().await?;
        let mut other = sessions.open();
        other.execute(delete(Place).filter(Place.number.in_([17, 23]))).await?;
        other.commit().await?;
        places.iter().for_each(|place| session[*place].what = "book".into());
        let error = session.flush().await.unwrap_err();
        assert_eq!(error.object(), Some(places[17]));
        let error = stale(error);
        assert_eq!((error.key.as_str(), error.expected, error.is_gone), ("a, b, 17", None, true));
        for gone in [17, 23] {
            session.expunge(places[gone])?;
        }
        session.commit().await?;
        assert_eq!(session.count(select(Place).filter(Place.what.eq("book"))).await?, 38);
        Ok(())
    }

    async fn u31_a_delete_that_meets_no_row_is_no_error_without_a_version(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(db.url()).await;
        let mut session = sessions.open();
        let [a, b] = [1, 2].map(|number| session.add(Place { shelf: "a".into(), number, what: String::new() }));
        session.commit().await?;
        let mut other = sessions.open();
        other.execute(delete(Place).filter(Place.number.eq(1))).await?;
        other.commit().await?;
        session.delete(a)?;
        session.delete(b)?;
        session.commit().await?;
        assert_eq!(session.count(select(Place)).await?, 0);
        Ok(())
    }
}
