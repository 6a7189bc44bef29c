//! An association with columns of its own is a model: `Membership` between `User` and `Group`.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::Log;
use limbeck::prelude::*;
use limbeck::session::SessionMaker;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "accounts")]
struct Account {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = account)]
    memberships: HasMany<Membership>,
    /// Read through the same table.
    #[relationship(secondary = "memberships", view_only, back_populates = accounts)]
    groups: ManyToMany<Group>,
}

#[derive(Model, Debug)]
#[model(table = "groups")]
struct Group {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = group)]
    memberships: HasMany<Membership>,
    #[relationship(secondary = "memberships", view_only, back_populates = groups)]
    accounts: ManyToMany<Account>,
}

#[derive(Model, Debug)]
#[model(table = "memberships")]
struct Membership {
    #[column(primary_key, foreign_key(Account.id, on_delete = cascade))]
    account_id: i64,
    #[column(primary_key, foreign_key(Group.id))]
    group_id: i64,
    #[column(default = "member")]
    role: String,
    #[relationship(back_populates = memberships)]
    account: BelongsTo<Account>,
    #[relationship(back_populates = memberships)]
    group: BelongsTo<Group>,
    #[relationship(back_populates = membership)]
    badges: HasMany<Badge>,
}

/// Refers to a membership by both columns.
#[derive(Model, Debug)]
#[model(table = "badges", foreign_key((account_id, group_id), Membership(account_id, group_id), on_delete = cascade))]
struct Badge {
    #[column(primary_key)]
    id: i64,
    account_id: i64,
    group_id: i64,
    #[relationship(back_populates = badges)]
    membership: BelongsTo<Membership>,
}

async fn sessions(db: &TestDb) -> (SessionMaker, Log) {
    let log = Log::default();
    let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await.expect("the test's database");
    let tables = limbeck::metadata![Account, Group, Membership, Badge].expect("metadata");
    engine.create_all(&tables).await.expect("tables");
    log.take();
    (engine.sessionmaker(), log)
}

fn writes(log: &Log) -> Vec<String> {
    let kind = |sql: &String| {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let table = *words.get(if words[0] == "UPDATE" { 1 } else { 2 })?;
        ["INSERT", "UPDATE", "DELETE"].contains(&words[0]).then(|| format!("{} {}", words[0], table.trim_matches('"')))
    };
    log.take().iter().filter_map(kind).collect()
}

both! {
    async fn its_key_is_taken_from_the_objects_that_it_links(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        // Statements are prepared at their first use, which costs a round trip of its own.
        let (account, group) = (session.add(Account::builder().name("x")), session.add(Group::builder().name("x")));
        let first = session.add(Membership::builder().account(account).group(group));
        session.add(Badge::builder().membership(first));
        session.commit().await?;
        session.delete(first)?;
        session.delete(account)?;
        session.delete(group)?;
        session.commit().await?;
        log.take();
        let ada = session.add(Account::builder().name("ada"));
        let groups = session.add_all(["rust", "sql"].map(|name| Group::builder().name(name)));
        let rust = session.add(Membership::builder().account(ada).group(groups[0]).role("owner"));
        let sql = session.add(Membership::builder().account(ada).group(groups[1]));
        let badge = session.add(Badge::builder().membership(rust));
        assert_eq!(session[ada].memberships.handles().collect::<Vec<_>>(), [rust, sql]);
        let before = session.engine().stats();
        session.commit().await?;
        assert_eq!(writes(&log).len(), 4);
        if db.kind() == limbeck_test_support::Kind::Postgres {
            // Accounts and groups behind BEGIN, memberships with badges, COMMIT.
            assert_eq!((session.engine().stats() - before).round_trips, 3);
        }
        let key = (session[ada].id, session[groups[0]].id);
        assert_eq!((session[rust].account_id, session[rust].group_id), key);
        assert_eq!((session[badge].account_id, session[badge].group_id), key);
        assert_eq!(session[sql].role, "member");
        assert_eq!(session.get(Membership, key).await?, Some(rust));

        let mut session = sessions.open();
        let rust = session.get(Membership, key).await?.expect("a membership");
        assert_eq!(session[rust].role, "owner");
        session.load(rust, Membership.badges).await?;
        session.load(rust, Membership.group.with(Group.memberships)).await?;
        assert_eq!((session[rust].badges.len(), session[session[rust].group].memberships.len()), (1, 1));
        let roles = session.all(
            select((Account.name, Membership.role, Group.name))
                .from(Account).join(Account.memberships).join(Membership.group).order_by(Group.name),
        ).await?;
        assert_eq!(roles, [
            ("ada".into(), "owner".into(), "rust".into()),
            ("ada".into(), "member".into(), "sql".into()),
        ]);
        Ok(())
    }

    async fn link_moves_it_by_changing_its_primary_key(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(Account::builder().name(name)));
        let group = session.add(Group::builder().name("rust"));
        let one = session.add(Membership::builder().account(ada).group(group));
        session.commit().await?;
        log.take();
        session.link(bob, Account.memberships, one)?;
        assert!(session[ada].memberships.is_empty());
        session.commit().await?;
        assert_eq!(writes(&log), ["UPDATE memberships"]);
        let key = (session[bob].id, session[group].id);
        assert_eq!(session.get(Membership, key).await?, Some(one));
        assert_eq!(session.get(Membership, (session[ada].id, session[group].id)).await?, None);
        // Without its account it would have no key.
        let error = session.unlink(bob, Account.memberships, one).unwrap_err().to_string();
        assert!(error.contains("its key `account_id` is NOT NULL"), "{error}");
        // A rollback brings the key back.
        session.link(one, Membership.account, ada)?;
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session.get(Membership, key).await?, Some(one));
        assert_eq!(session[one].account.get(), Some(bob));
        Ok(())
    }

    async fn it_is_deleted_alone_or_with_an_end(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(Account::builder().name(name)));
        let group = session.add(Group::builder().name("rust"));
        let [one, two] = [ada, bob].map(|account| session.add(Membership::builder().account(account).group(group)));
        let badge = session.add(Badge::builder().membership(two));
        session.commit().await?;
        log.take();
        session.delete(one)?;
        session.commit().await?;
        assert_eq!(writes(&log), ["DELETE memberships"]);
        assert!(session[ada].memberships.is_empty());
        assert_eq!(session[group].memberships.handles().collect::<Vec<_>>(), [two]);
        // Over two cascades of the database.
        session.delete(bob)?;
        session.flush().await?;
        for state in [session.state(two)?, session.state(badge)?] {
            assert_eq!(state, limbeck::session::State::Deleted);
        }
        session.commit().await?;
        assert!(session[group].memberships.is_empty());
        assert_eq!(session.count(select(Badge)).await?, 0);
        // The same pair again, in one flush with its deletion.
        let one = session.add(Membership::builder().account(ada).group(group).role("a"));
        session.commit().await?;
        session.delete(one)?;
        let again = session.add(Membership::builder().account(ada).group(group).role("b"));
        session.commit().await?;
        assert_eq!(session[group].memberships.handles().collect::<Vec<_>>(), [again]);
        assert_eq!(session.all(select(Membership.role)).await?, ["b"]);
        // The group keeps its memberships from losing it.
        session.delete(group)?;
        assert!(matches!(session.commit().await, Err(Error::ForeignKeyViolation(_))));
        Ok(())
    }

    async fn many_to_many_over_its_table_is_for_reading(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = session.add(Account::builder().name("ada"));
        let group = session.add(Group::builder().name("rust"));
        session.add(Membership::builder().account(ada).group(group));
        let error = session.link(ada, Account.groups, group).unwrap_err().to_string();
        assert!(error.contains("`Account.groups`, which is `view_only`: add or delete a `Membership`"), "{error}");
        assert!(session.unlink(group, Group.accounts, ada).is_err());
        session.commit().await?;
        // It shows what the table has when it is loaded.
        assert!(!session[ada].groups.is_loaded());
        session.load(ada, Account.groups.with(Group.accounts)).await?;
        assert_eq!(session[ada].groups.handles().collect::<Vec<_>>(), [group]);
        assert_eq!(session[group].accounts.handles().collect::<Vec<_>>(), [ada]);
        assert_eq!(session.count(select(Group).join(Group.accounts).filter(Account.name.eq("ada"))).await?, 1);
        assert!(session.assign(ada, Account.groups, []).await.is_err());
        // Deleting an end leaves the rows to their own rules.
        log.take();
        session.delete(ada)?;
        session.commit().await?;
        assert_eq!(writes(&log), ["DELETE accounts"]);
        let wrong = session.add(Account::builder().name("eve").groups([group]));
        assert!(matches!(session.flush().await, Err(Error::InvalidState { .. })));
        session.expunge(wrong)?;
        session.commit().await
    }
}

#[derive(Model, Debug)]
#[model(table = "writers")]
struct Writer {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = "credits")]
    films: ManyToMany<Film>,
    #[relationship(secondary = "nobodys", view_only)]
    plays: ManyToMany<Film>,
}

#[derive(Model, Debug)]
#[model(table = "films")]
struct Film {
    #[column(primary_key)]
    id: i64,
}

#[derive(Model, Debug)]
#[model(table = "credits")]
struct Credit {
    #[column(primary_key, foreign_key(Writer.id))]
    writer_id: i64,
    #[column(primary_key, foreign_key(Film.id))]
    film_id: i64,
}

#[tokio::test]
async fn a_table_that_is_written_in_two_ways_is_an_error_that_says_what_to_write() {
    let engine = Engine::builder("sqlite::memory:").connect().await.expect("a database");
    let mut session = engine.sessionmaker().open();
    let (writer, film) = (session.add(Writer::builder()), session.add(Film::builder()));
    let error = session.link(writer, Writer.films, film).unwrap_err().to_string();
    assert!(
        error.contains(
            "`Writer.films` goes through `credits`, which is the table of `Credit`: rows would be written in two ways. \
             Say `view_only` to read through it, and add a `Credit` to link two objects"
        ),
        "{error}"
    );
}
