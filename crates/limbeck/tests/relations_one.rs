//! One-to-one: `HasOne` from the side without the key, over a unique column or the primary key itself.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::Log;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "people")]
struct Person {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(back_populates = person)]
    profile: HasOne<Profile>,
    #[relationship(back_populates = holder)]
    passport: HasOne<Passport>,
    #[relationship(back_populates = person)]
    secret: HasOne<Secret>,
    /// Nothing leads back.
    #[relationship]
    badge: HasOne<Badge>,
}

/// Its key can be NULL.
#[derive(Model, Debug)]
#[model(table = "profiles")]
struct Profile {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(unique, foreign_key(Person.id))]
    person_id: Option<i64>,
    #[relationship(back_populates = profile)]
    person: BelongsTo<Option<Person>>,
}

/// Its key is NOT NULL.
#[derive(Model, Debug)]
#[model(table = "passports")]
struct Passport {
    #[column(primary_key)]
    number: String,
    #[column(unique, foreign_key(Person.id))]
    holder_id: i64,
    #[relationship(back_populates = passport)]
    holder: BelongsTo<Person>,
    #[relationship(back_populates = passport)]
    stamps: HasMany<Stamp>,
}

/// Something that refers to a passport.
#[derive(Model, Debug)]
#[model(table = "stamps")]
struct Stamp {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Passport.number))]
    passport_number: String,
    #[relationship(back_populates = stamps)]
    passport: BelongsTo<Passport>,
}

/// Its key is its primary key.
#[derive(Model, Debug)]
#[model(table = "secrets")]
struct Secret {
    #[column(primary_key, foreign_key(Person.id))]
    person_id: i64,
    text: String,
    #[relationship(back_populates = secret)]
    person: BelongsTo<Person>,
}

#[derive(Model, Debug)]
#[model(table = "badges")]
struct Badge {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(Person.id))]
    person_id: Option<i64>,
}

async fn sessions(db: &TestDb) -> (SessionMaker, Log) {
    let log = Log::default();
    let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await.expect("the test's database");
    let tables = limbeck::metadata![Person, Profile, Passport, Stamp, Secret, Badge].expect("metadata");
    engine.create_all(&tables).await.expect("tables");
    log.take();
    (engine.sessionmaker(), log)
}

fn person(session: &mut Session, name: &str) -> Tracked<Person> {
    session.add(Person::builder().name(name))
}

/// What was sent, without transactions.
fn sent(log: &Log) -> Vec<String> {
    log.take()
        .into_iter()
        .filter(|sql| !["BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"].iter().any(|w| sql.starts_with(w)))
        .collect()
}

/// Their kinds and tables: `INSERT profiles`.
fn kinds(log: &Log) -> Vec<String> {
    let sent = sent(log);
    let kind = |sql: &String| {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let table = match words[0] {
            "UPDATE" => words[1],
            "SELECT" => words[words.iter().position(|word| *word == "FROM").expect("FROM") + 1],
            _ => words[2],
        };
        format!("{} {}", words[0], table.trim_matches('"'))
    };
    sent.iter().map(kind).collect()
}

both! {
    async fn both_sides_are_true_at_once_from_either(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let (ada, bob) = (person(&mut session, "ada"), person(&mut session, "bob"));
        assert_eq!(session[ada].profile.get(), None);
        let first = session.add(Profile::builder().text("first").person(ada));
        assert_eq!(session[ada].profile.get(), Some(first));
        assert_eq!(session[session[ada].profile].text, "first");
        let second = session.add(Profile::builder().text("second"));
        session.link(bob, Person.profile, second)?;
        assert_eq!(session[second].person.get(), Some(bob));
        session.commit().await?;
        assert_eq!(session[first].person_id, Some(session[ada].id));
        assert_eq!(session[second].person_id, Some(session[bob].id));

        let mut session = sessions.open();
        let people = session.all(select(Person).with(Person.profile).order_by(Person.id)).await?;
        let text = |session: &Session, person: Tracked<Person>| session[session[person].profile].text.clone();
        assert_eq!(people.iter().map(|p| text(&session, *p)).collect::<Vec<_>>(), ["first", "second"]);
        // The other side came along.
        let profile = session[people[0]].profile.get().expect("a profile");
        assert_eq!(session[profile].person.get(), Some(people[0]));
        let profile = session[people[0]].profile;
        session[profile].text = "changed".into();
        session.commit().await?;
        assert_eq!(session.one(select(count()).from(Profile).filter(Profile.text.eq("changed"))).await?, 1);
        Ok(())
    }

    async fn it_is_unloaded_loaded_and_nothing_or_loaded(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        session.add(Profile::builder().text("a").person(ada));
        person(&mut session, "bob");
        session.commit().await?;

        let mut session = sessions.open();
        let people = session.all(select(Person).order_by(Person.id)).await?;
        assert!(matches!(
            session[people[0]].profile.try_get(),
            Err(Error::NotLoaded { relation: "Person.profile" })
        ));
        log.take();
        session.load(&people, Person.profile).await?;
        assert_eq!(kinds(&log), ["SELECT profiles"]);
        assert!(session[people[0]].profile.get().is_some());
        assert_eq!(session[people[1]].profile.get(), None);
        assert!(session[people[1]].profile.is_loaded());
        let nothing = std::panic::AssertUnwindSafe(&session);
        let panic = std::panic::catch_unwind(|| nothing[nothing[people[1]].profile].id).unwrap_err();
        let text = panic.downcast_ref::<String>().expect("a sentence");
        assert_eq!(text, "the relationship leads to no `Profile`: no row has this object's key");
        // A join along it, and back.
        let named = session.all(select(Person.name).join(Person.profile).filter(Profile.text.eq("a"))).await?;
        assert_eq!(named, ["ada"]);
        let texts = session.all(select(Profile.text).join(Profile.person).filter(Person.name.eq("ada"))).await?;
        assert_eq!(texts, ["a"]);
        Ok(())
    }

    async fn link_replaces_and_the_old_one_loses_its_key_first(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        let old = session.add(Profile::builder().text("old").person(ada));
        session.commit().await?;
        // By a new row.
        log.take();
        let new = session.add(Profile::builder().text("new").person(ada));
        assert_eq!((session[ada].profile.get(), session[old].person.get()), (Some(new), None));
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE profiles", "INSERT profiles"]);
        assert_eq!((session[old].person_id, session[new].person_id), (None, Some(session[ada].id)));
        // By a row that is there: its id is lower, so that updates by key would meet in the wrong order.
        session.link(ada, Person.profile, old)?;
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE profiles", "UPDATE profiles"]);
        assert_eq!((session[new].person_id, session[old].person_id), (None, Some(session[ada].id)));
        assert_eq!((session[new].person.get(), session[old].person.get()), (None, Some(ada)));
        Ok(())
    }

    async fn two_that_swap_are_parked_at_null(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let (ada, bob) = (person(&mut session, "ada"), person(&mut session, "bob"));
        let a = session.add(Profile::builder().text("a").person(ada));
        let b = session.add(Profile::builder().text("b").person(bob));
        session.commit().await?;
        log.take();
        session.link(a, Profile.person, bob)?;
        assert_eq!((session[ada].profile.get(), session[b].person.get()), (None, None));
        session.link(b, Profile.person, ada)?;
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE profiles", "UPDATE profiles"]);
        let mut session = sessions.open();
        let people = session.all(select(Person).with(Person.profile).order_by(Person.id)).await?;
        let texts: Vec<String> = people.iter().map(|p| session[session[*p].profile].text.clone()).collect();
        assert_eq!(texts, ["b", "a"]);
        Ok(())
    }

    async fn a_place_that_nobody_looked_at_is_made_free(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let (ada, bob) = (person(&mut session, "ada"), person(&mut session, "bob"));
        session.add(Profile::builder().text("old").person(ada));
        session.add(Profile::builder().text("bob's").person(bob));
        session.commit().await?;

        let mut session = sessions.open();
        let ada = session.one(select(Person).filter(Person.name.eq("ada"))).await?;
        let old = session.one(select(Profile).filter(Profile.text.eq("old"))).await?;
        log.take();
        let new = session.add(Profile::builder().text("new").person(ada));
        assert_eq!(session[ada].profile.get(), Some(new));
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE profiles", "INSERT profiles"]);
        // The object in memory was told.
        assert_eq!((session[old].person_id, session[old].person.get()), (None, None));
        let keys = session.all(select(Profile.person_id).order_by(Profile.id)).await?;
        assert_eq!(keys, [None, Some(session[ada].id + 1), Some(session[ada].id)]);
        Ok(())
    }

    async fn one_that_goes_away_and_comes_back_is_not_driven_out_by_itself(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let (ada, bob) = (person(&mut session, "ada"), person(&mut session, "bob"));
        session.add(Profile::builder().text("a").person(ada));
        session.commit().await?;
        let (ada_id, _) = (session[ada].id, bob);

        let mut session = sessions.open();
        let people = session.all(select(Person).order_by(Person.id)).await?;
        let a = session.one(select(Profile)).await?;
        session.link(a, Profile.person, people[1])?;
        session.link(a, Profile.person, people[0])?;
        session.commit().await?;
        assert_eq!(session.one(select(Profile.person_id)).await?, Some(ada_id));
        assert_eq!(session[people[0]].profile.get(), Some(a));
        Ok(())
    }

    async fn a_place_that_is_taken_unseen_is_free_whoever_has_it_in_the_end(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        session.add(Profile::builder().text("old").person(ada));
        let spare = session.add(Profile::builder().text("spare"));
        session.commit().await?;
        let _ = spare;
        let holders = async || -> Result<Vec<(String, bool)>> {
            let rows = sessions.open().all(select((Profile.text, Profile.person_id)).order_by(Profile.id)).await?;
            Ok(rows.into_iter().map(|(text, key)| (text, key.is_some())).collect())
        };
        // Taken by two, one after the other: the second has it.
        let mut session = sessions.open();
        let ada = session.one(select(Person)).await?;
        let spare = session.one(select(Profile).filter(Profile.text.eq("spare"))).await?;
        session.add(Profile::builder().text("first").person(ada));
        session.link(spare, Profile.person, ada)?;
        session.commit().await?;
        assert_eq!(holders().await?, [("old".into(), false), ("spare".into(), true), ("first".into(), false)]);
        // Taken, and given up: nobody has it.
        let mut session = sessions.open();
        let ada = session.one(select(Person)).await?;
        let old = session.one(select(Profile).filter(Profile.text.eq("old"))).await?;
        session.link(old, Profile.person, ada)?;
        session.unlink(ada, Person.profile, old)?;
        assert_eq!(session[ada].profile.get(), None);
        session.commit().await?;
        assert_eq!(holders().await?, [("old".into(), false), ("spare".into(), false), ("first".into(), false)]);
        // Taken by one that is deleted: nobody has it.
        session.link(old, Profile.person, ada)?;
        session.commit().await?;
        session.expire_all();
        let first = session.one(select(Profile).filter(Profile.text.eq("first"))).await?;
        session.link(first, Profile.person, ada)?;
        session.delete(first)?;
        session.commit().await?;
        assert_eq!(holders().await?, [("old".into(), false), ("spare".into(), false)]);
        // Given back to whom it was taken from, of whom the session no longer knows what its row holds.
        session.link(old, Profile.person, ada)?;
        session.commit().await?;
        session.expire_all();
        let new = session.add(Profile::builder().text("new").person(ada));
        session.flush().await?;
        session.link(old, Profile.person, ada)?;
        session.commit().await?;
        assert_eq!(session[new].person_id, None);
        assert_eq!(holders().await?, [("old".into(), true), ("spare".into(), false), ("new".into(), false)]);
        Ok(())
    }

    async fn the_side_with_the_key_loads_the_other_one_along(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        session.add(Profile::builder().text("a").person(ada));
        session.commit().await?;
        let mut session = sessions.open();
        let profile = session.one(select(Profile).with(Profile.person)).await?;
        let ada = session[profile].person.get().expect("a person");
        assert_eq!(session[ada].profile.get(), Some(profile));
        // So that no one is driven out unseen.
        log.take();
        let new = session.add(Profile::builder().text("b").person(ada));
        assert_eq!(session[profile].person.get(), None);
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE profiles", "INSERT profiles"]);
        assert_eq!(session[new].person_id, Some(session[ada].id));
        Ok(())
    }

    async fn unlink_sets_the_key_to_null_and_assign_takes_an_option(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let (ada, bob) = (person(&mut session, "ada"), person(&mut session, "bob"));
        let a = session.add(Profile::builder().text("a").person(ada));
        let badge = session.add(Badge::builder());
        session.link(bob, Person.badge, badge)?;
        session.commit().await?;
        assert_eq!(session[badge].person_id, Some(session[bob].id));
        // Of one that it does not hold: nothing happens.
        session.unlink(bob, Person.profile, a)?;
        session.unlink(ada, Person.profile, a)?;
        assert_eq!((session[ada].profile.get(), session[a].person.get()), (None, None));
        session.commit().await?;
        assert_eq!(session[a].person_id, None);
        session.assign(bob, Person.profile, Some(a)).await?;
        session.assign(ada, Person.badge, Some(badge)).await?;
        assert_eq!(session[bob].badge.get(), None);
        session.commit().await?;
        // Not loaded, it is loaded first.
        let mut session = sessions.open();
        let bob = session.one(select(Person).filter(Person.name.eq("bob"))).await?;
        session.assign(bob, Person.profile, None).await?;
        assert_eq!(session[bob].profile.get(), None);
        session.commit().await?;
        assert_eq!(session.all(select(Profile.person_id)).await?, [None]);
        assert_eq!(session.one(select(Badge.person_id)).await?, Some(session[bob].id - 1));
        Ok(())
    }

    async fn a_key_that_is_not_null_is_an_error_at_the_call(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        let old = session.add(Passport::builder().number("1").holder(ada));
        session.commit().await?;
        let error = session.unlink(ada, Person.passport, old).unwrap_err().to_string();
        assert!(error.contains("its key `holder_id` is NOT NULL"), "{error}");
        let bob = person(&mut session, "bob");
        let new = session.add(Passport::builder().number("2").holder(bob));
        let error = session.link(ada, Person.passport, new).unwrap_err().to_string();
        assert!(error.contains("`Passport.holder` cannot be unlinked"), "{error}");
        // Nothing was changed by either.
        assert_eq!((session[ada].passport.get(), session[bob].passport.get()), (Some(old), Some(new)));
        assert_eq!((session[old].holder.get(), session[new].holder.get()), (Some(ada), Some(bob)));
        session.commit().await?;
        assert_eq!(session[new].holder_id, session[bob].id);
        Ok(())
    }

    async fn one_that_is_deleted_makes_room_with_all_that_refers_to_it(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        let old = session.add(Passport::builder().number("1").holder(ada));
        let stamp = session.add(Stamp::builder().passport(old));
        let profile = session.add(Profile::builder().text("old").person(ada));
        session.commit().await?;
        log.take();
        session.delete(old)?;
        session.delete(stamp)?;
        session.delete(profile)?;
        let new = session.add(Passport::builder().number("2").holder(ada));
        session.link(ada, Person.passport, new)?;
        let other = session.add(Profile::builder().text("new").person(ada));
        session.commit().await?;
        let order = kinds(&log);
        let place = |what: &str| order.iter().position(|kind| kind == what).unwrap_or_else(|| panic!("{order:?}"));
        assert!(place("DELETE stamps") < place("DELETE passports"));
        assert!(place("DELETE passports") < place("INSERT passports"));
        assert!(place("DELETE profiles") < place("INSERT profiles"));
        assert_eq!(session[ada].passport.get(), Some(new));
        assert_eq!(session[ada].profile.get(), Some(other));
        assert_eq!(session.all(select(Passport.number)).await?, ["2"]);
        Ok(())
    }

    async fn a_primary_key_may_be_the_key(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        let old = session.add(Secret::builder().text("old").person(ada));
        session.commit().await?;
        let id = session[ada].id;
        assert_eq!(session[old].person_id, id);
        log.take();
        assert_eq!(session.get(Secret, id).await?, Some(old));
        // The same key, another object: the row goes from one to the other.
        session.delete(old)?;
        let new = session.add(Secret::builder().text("new").person(ada));
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE secrets"]);
        assert_eq!(session.get(Secret, id).await?, Some(new));
        assert_eq!(session[ada].secret.get(), Some(new));
        assert!(session.unlink(ada, Person.secret, new).unwrap_err().to_string().contains("NOT NULL"));
        // Rolled back, the old one is the one again.
        session.delete(new)?;
        let third = session.add(Secret::builder().text("third").person(ada));
        session.flush().await?;
        assert_eq!(session.get(Secret, id).await?, Some(third));
        session.rollback().await?;
        assert_eq!(session.get(Secret, id).await?, Some(new));
        assert_eq!(session[ada].secret.get(), Some(new));
        assert_eq!(session[new].text, "new");
        Ok(())
    }

    async fn a_rollback_takes_it_back_and_the_objects_can_be_added_again(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        let old = session.add(Profile::builder().text("old").person(ada));
        session.commit().await?;
        let new = session.add(Profile::builder().text("new").person(ada));
        session.flush().await?;
        assert_eq!(session[old].person_id, None);
        session.rollback().await?;
        assert_eq!(session[ada].profile.get(), Some(old));
        assert_eq!((session[old].person.get(), session[old].person_id), (Some(ada), Some(session[ada].id)));
        session.add(new);
        assert_eq!(session[ada].profile.get(), Some(new));
        session.commit().await?;
        assert_eq!(session[new].person_id, Some(session[ada].id));
        // Both rolled back, and added again in either order.
        for again in [[true, false], [false, true]] {
            let bob = person(&mut session, "bob");
            let profile = session.add(Profile::builder().text("bob's").person(bob));
            session.flush().await?;
            session.rollback().await?;
            for bob_first in again {
                if bob_first {
                    session.add(bob);
                } else {
                    session.add(profile);
                }
            }
            assert_eq!((session[bob].profile.get(), session[profile].person.get()), (Some(profile), Some(bob)));
            session.flush().await?;
            assert_eq!(session[profile].person_id, Some(session[bob].id));
            session.rollback().await?;
        }
        Ok(())
    }

    async fn a_key_that_is_written_directly_is_followed(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let (ada, bob) = (person(&mut session, "ada"), person(&mut session, "bob"));
        let a = session.add(Profile::builder().text("a").person(ada));
        session.commit().await?;
        session[a].person_id = Some(session[bob].id);
        session.commit().await?;
        assert_eq!((session[ada].profile.get(), session[bob].profile.get()), (None, Some(a)));
        session[a].person_id = None;
        session.commit().await?;
        assert_eq!((session[bob].profile.get(), session[a].person.get()), (None, None));
        Ok(())
    }

    async fn a_deleted_parent_leaves_its_child_without_a_key(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let ada = person(&mut session, "ada");
        let a = session.add(Profile::builder().text("a").person(ada));
        session.commit().await?;
        log.take();
        session.delete(ada)?;
        session.commit().await?;
        assert!(kinds(&log).contains(&"UPDATE profiles".to_string()));
        assert_eq!((session[a].person_id, session[a].person.get()), (None, None));
        // A deleted child leaves its parent's field.
        let bob = person(&mut session, "bob");
        session.link(bob, Person.profile, a)?;
        session.commit().await?;
        session.delete(a)?;
        session.commit().await?;
        assert_eq!(session[bob].profile.get(), None);
        Ok(())
    }

    async fn a_handle_in_the_builder_of_the_side_without_the_key(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let a = session.add(Profile::builder().text("a"));
        let ada = session.add(Person::builder().name("ada").profile(a));
        assert_eq!((session[ada].profile.get(), session[a].person.get()), (Some(a), Some(ada)));
        let bob = session.add(Person::builder().name("bob").profile(a));
        assert_eq!((session[ada].profile.get(), session[bob].profile.get()), (None, Some(a)));
        session.commit().await?;
        assert_eq!(session[a].person_id, Some(session[bob].id));
        session.refresh(ada).await?;
        assert_eq!(session[ada].profile.get(), None);
        let profile = session.expunge(a)?;
        assert_eq!(profile.text, "a");
        assert!(!session[bob].profile.is_loaded());
        Ok(())
    }
}

#[derive(Model, Debug)]
#[model(table = "desks")]
struct Desk {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = desk)]
    lamp: HasOne<Lamp>,
}

#[derive(Model, Debug)]
#[model(table = "lamps")]
struct Lamp {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Desk.id))]
    desk_id: Option<i64>,
    #[relationship(back_populates = lamp)]
    desk: BelongsTo<Option<Desk>>,
}

#[tokio::test]
async fn a_key_that_is_not_unique_is_an_error_that_says_what_to_write() {
    let engine = Engine::builder("sqlite::memory:").connect().await.expect("a database");
    let mut session = engine.sessionmaker().open();
    let desk = session.add(Desk::builder());
    let lamp = session.add(Lamp::builder());
    let error = session.link(desk, Desk.lamp, lamp).unwrap_err().to_string();
    assert!(
        error.contains(
            "`Desk.lamp` leads to one `Lamp`, but its key `Lamp.desk_id` is not unique: write \
             `#[column(unique, foreign_key(…))]`, or make the relationship a `HasMany`"
        ),
        "{error}"
    );
    assert!(matches!(session.flush().await, Err(Error::Mapping(_))));
}
