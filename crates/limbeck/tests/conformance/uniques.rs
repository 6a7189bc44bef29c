//! Beyond SQLAlchemy: unique values that change hands in one flush, by each of the means.

use limbeck::prelude::*;
use limbeck::schema::Metadata;
use limbeck::session::{Session, State};
use limbeck::{Error, Result, metadata};
use limbeck_test_support::{TestDb, both};

use crate::sent::{Sent, sessions};

/// Unique by a value of each kind that can stand aside, and of some that cannot.
#[derive(Model, Debug)]
#[model(table = "uq_things", unique(shelf, place), check("flag <> 1000000"))]
struct Thing {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[column(unique, length = 5)]
    short: Option<String>,
    #[column(unique, length = 20)]
    code: Option<String>,
    #[column(unique)]
    number: i32,
    /// A CHECK may refuse what is made up.
    #[column(unique)]
    flag: i32,
    shelf: bool,
    place: i64,
}

/// Of bool and date no value can be made up.
#[derive(Model, Debug)]
#[model(table = "uq_days")]
struct Day {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    date: NaiveDate,
}

/// The key itself is what is unique.
#[derive(Model, Debug)]
#[model(table = "uq_words")]
struct Word {
    #[column(primary_key)]
    word: String,
    text: String,
}

/// Others refer to its key.
#[derive(Model, Debug)]
#[model(table = "uq_tags")]
struct Tag {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(back_populates = tag)]
    uses: HasMany<Use>,
}

#[derive(Model, Debug)]
#[model(table = "uq_uses")]
struct Use {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Tag.id))]
    tag_id: i64,
    #[relationship(back_populates = uses)]
    tag: BelongsTo<Tag>,
}

#[derive(Model, Debug)]
#[model(table = "uq_people")]
struct Person {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = person)]
    passport: HasOne<Passport>,
}

/// One for each person: its key cannot be NULL, and nothing can be made up for it.
#[derive(Model, Debug)]
#[model(table = "uq_passports")]
struct Passport {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(Person.id))]
    person_id: i64,
    #[relationship(back_populates = passport)]
    person: BelongsTo<Person>,
    #[relationship(back_populates = passport)]
    stamps: HasMany<Stamp>,
}

#[derive(Model, Debug)]
#[model(table = "uq_stamps")]
struct Stamp {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Passport.id, on_delete = cascade))]
    passport_id: i64,
    #[relationship(back_populates = stamps)]
    passport: BelongsTo<Passport>,
}

/// A row knows its next, and no two have the same; all within a list.
#[derive(Model, Debug)]
#[model(table = "uq_links", unique(list, next_id))]
struct Chain {
    #[column(primary_key)]
    id: i64,
    list: i32,
    #[column(foreign_key(Chain.id))]
    next_id: Option<i64>,
    #[relationship(key = next_id)]
    next: BelongsTo<Option<Chain>>,
}

/// Not known to the flush: it is for some of the rows.
#[derive(Model, Debug)]
#[model(
    table = "uq_mails",
    index(owner, name = "uq_mails_main", unique, where = "main"),
    unique(owner, box_no, name = "uq_box")
)]
struct Mail {
    #[column(primary_key)]
    id: i64,
    owner: i64,
    box_no: i32,
    main: bool,
}

fn tables() -> Metadata {
    metadata![Thing, Day, Word, Tag, Use, Person, Passport, Stamp, Chain, Mail].expect("metadata")
}

fn thing(at: i32) -> impl limbeck::model::New<Model = Thing> + use<> {
    Thing::builder().name(format!("{at}")).number(at).flag(at).shelf(true).place(i64::from(at))
}

async fn things(session: &mut Session, sent: &Sent, count: i32) -> Result<Vec<Tracked<Thing>>> {
    let things = session.add_all((1..=count).map(thing));
    session.commit().await?;
    sent.take();
    Ok(things)
}

async fn names(session: &mut Session) -> Result<Vec<String>> {
    session.all(select(Thing.name).order_by(Thing.id)).await
}

both! {
    async fn a_new_object_takes_the_unique_value_of_a_deleted_one(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let old = things(&mut session, &sent, 1).await?[0];
        session.delete(old)?;
        session.add(thing(1));
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE uq_things (1)", "INSERT uq_things (1)"]);
        assert_eq!(session.count(select(Thing)).await?, 1);
        Ok(())
    }

    async fn an_update_takes_the_unique_value_of_a_deleted_one(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let things = things(&mut session, &sent, 2).await?;
        session.delete(things[0])?;
        session[things[1]].name = "1".into();
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE uq_things (1)", "UPDATE uq_things (1)"]);
        // A primary key is one, too.
        let words = session.add_all(["a", "b"].map(|word| Word::builder().word(word).text("")));
        session.commit().await?;
        session.delete(words[0])?;
        session[words[1]].word = "a".into();
        session.commit().await?;
        assert_eq!(session.get(Word, "a".to_string()).await?, Some(words[1]));
        assert_eq!(session.count(select(Word)).await?, 1);
        Ok(())
    }

    async fn a_new_object_takes_what_an_update_lets_go_of(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let old = things(&mut session, &sent, 1).await?[0];
        session[old].name = "old".into();
        session[old].number = 10;
        session[old].flag = 10;
        session[old].place = 10;
        session.add(thing(1));
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE uq_things (1)", "INSERT uq_things (1)"]);
        assert_eq!(names(&mut session).await?, ["old", "1"]);
        Ok(())
    }

    async fn a_chain_of_two_is_a_matter_of_order(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let things = things(&mut session, &sent, 2).await?;
        // By primary key the first would come first.
        session[things[0]].name = "2".into();
        session[things[1]].name = "3".into();
        session.commit().await?;
        let texts = sent.texts();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert_eq!(names(&mut session).await?, ["2", "3"]);
        Ok(())
    }

    async fn a_long_chain_stands_aside_in_two_statements(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let things = things(&mut session, &sent, 1000).await?;
        for (at, thing) in things.iter().enumerate() {
            session[*thing].name = format!("{}", at + 2);
        }
        session.commit().await?;
        // The last one's name is free.
        assert_eq!(sent.take(), ["UPDATE uq_things (999)", "UPDATE uq_things (1000)"]);
        let names = names(&mut session).await?;
        assert!(names.iter().enumerate().all(|(at, name)| *name == format!("{}", at + 2)), "{names:?}");
        Ok(())
    }

    async fn two_objects_swap_a_value_of_each_kind(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let things = things(&mut session, &sent, 2).await?;
        for (at, thing) in things.iter().enumerate() {
            session[*thing].short = Some(format!("s{at}"));
            session[*thing].code = Some(format!("c{at}"));
        }
        session.commit().await?;
        sent.take();
        let (a, b) = (things[0], things[1]);
        // Text, by random text; an integer, by a negative one; both together in one statement.
        let (x, y) = session.pair_mut(a, b)?;
        std::mem::swap(&mut x.name, &mut y.name);
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE uq_things (2)", "UPDATE uq_things (2)"]);
        let (x, y) = session.pair_mut(a, b)?;
        std::mem::swap(&mut x.number, &mut y.number);
        // What can be NULL is.
        std::mem::swap(&mut x.short, &mut y.short);
        std::mem::swap(&mut x.code, &mut y.code);
        session.commit().await?;
        let texts = sent.texts();
        assert_eq!(texts.len(), 2, "{texts:?}");
        // Of two columns that are unique together, one is enough.
        let (x, y) = session.pair_mut(a, b)?;
        std::mem::swap(&mut x.place, &mut y.place);
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE uq_things (2)", "UPDATE uq_things (2)"]);
        let rows = session
            .all(select((Thing.name, Thing.number, Thing.short, Thing.code, Thing.place)).order_by(Thing.id))
            .await?;
        let some = |text: &str| Some(text.to_string());
        assert_eq!(
            rows,
            [("2".to_string(), 2, some("s1"), some("c1"), 2), ("1".to_string(), 1, some("s0"), some("c0"), 1)]
        );
        Ok(())
    }

    async fn keys_are_swapped_where_nothing_refers_to_them(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let words = session.add_all(["a", "b", "c"].map(|word| Word::builder().word(word).text(word)));
        session.commit().await?;
        sent.take();
        for (word, next) in words.iter().zip(["b", "c", "a"]) {
            session[*word].word = next.into();
        }
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE uq_words (3)", "UPDATE uq_words (3)"]);
        let rows = session.all(select((Word.word, Word.text)).order_by(Word.word)).await?;
        assert_eq!(rows, [("a", "c"), ("b", "a"), ("c", "b")].map(|(a, b)| (a.to_string(), b.to_string())));
        assert_eq!(session.get(Word, "a".to_string()).await?, Some(words[2]));
        // Others refer to this one's.
        let tags = session.add_all(["x", "y"].map(|name| Tag::builder().name(name)));
        session.commit().await?;
        let (x, y) = session.pair_mut(tags[0], tags[1])?;
        std::mem::swap(&mut x.id, &mut y.id);
        assert!(matches!(session.flush().await, Err(Error::UniqueCycle { table: "uq_tags", .. })));
        Ok(())
    }

    async fn what_cannot_stand_aside_is_a_unique_cycle_before_anything_is_sent(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let date = |day| NaiveDate::from_ymd_opt(2026, 11, day).expect("a date");
        let days = session.add_all([1, 2].map(|day| Day::builder().date(date(day))));
        let things = things(&mut session, &sent, 2).await?;
        let (a, b) = session.pair_mut(days[0], days[1])?;
        std::mem::swap(&mut a.date, &mut b.date);
        let error = session.flush().await.expect_err("a circle");
        let text = error.to_string();
        let Error::UniqueCycle { table, columns, objects } = error else { panic!("{text}") };
        assert_eq!((table, columns.as_slice()), ("uq_days", &["date"][..]));
        assert_eq!(objects.len(), 2);
        insta::allow_duplicates! {
            insta::assert_snapshot!(text, @"2 rows of uq_days are to get unique values of (date) that others of them still have, and the columns can hold nothing else meanwhile: flush in two steps, with one of them moved to a value that is free");
        }
        assert_eq!(sent.take(), Vec::<String>::new());
        // In two steps it works.
        session[days[0]].date = date(3);
        session.flush().await?;
        session[days[0]].date = date(2);
        session.commit().await?;
        // A column with a CHECK is not written with what is made up.
        let (a, b) = session.pair_mut(things[0], things[1])?;
        std::mem::swap(&mut a.flag, &mut b.flag);
        assert!(matches!(session.flush().await, Err(Error::UniqueCycle { table: "uq_things", .. })));
        // A chain of it is only a longer one.
        session[things[0]].flag = 2;
        session[things[1]].flag = 3;
        session.commit().await?;
        Ok(())
    }

    async fn a_one_to_one_child_is_replaced_over_a_key_that_cannot_be_null(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let people = session.add_all([(); 2].map(|()| Person::builder()));
        let old = session.add(Passport::builder().person(people[0]));
        let other = session.add(Passport::builder().person(people[1]));
        let stamps = session.add_all([(); 2].map(|()| Stamp::builder().passport(old)));
        session.commit().await?;
        sent.take();
        // A stamp is taken over by a passport that is there, and is not lost with the old one.
        session.link(stamps[0], Stamp.passport, other)?;
        session.delete(old)?;
        let new = session.add(Passport::builder().person(people[0]));
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE uq_stamps (1)", "DELETE uq_passports (1)", "INSERT uq_passports (1)"]);
        assert_eq!(session[people[0]].passport.get(), Some(new));
        let kept: Vec<i64> = session.all(select(Stamp.id)).await?;
        assert_eq!(kept, [session[stamps[0]].id]);
        // By a new passport it cannot be taken over: that waits for the old one to go.
        sent.take();
        session.delete(new)?;
        let third = session.add(Passport::builder().person(people[0]));
        let stamp = session.add(Stamp::builder().passport(third));
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE uq_passports (1)", "INSERT uq_passports (1)", "INSERT uq_stamps (1)"]);
        session.delete(third)?;
        let fourth = session.add(Passport::builder().person(people[0]));
        session.link(stamp, Stamp.passport, fourth)?;
        assert!(matches!(session.flush().await, Err(Error::UniqueCycle { table: "uq_passports", .. })));
        assert_eq!(sent.take(), Vec::<String>::new());
        Ok(())
    }

    async fn children_of_a_deleted_row_go_over_to_the_one_that_takes_its_name(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let old = session.add(Tag::builder().name("rust"));
        let uses = session.add_all([(); 3].map(|()| Use::builder().tag(old)));
        session.commit().await?;
        sent.take();
        session.delete(old)?;
        let new = session.add(Tag::builder().name("rust"));
        for used in &uses {
            session.link(*used, Use.tag, new)?;
        }
        session.flush().await?;
        // The old row stands aside until nothing refers to it.
        assert_eq!(
            sent.take(),
            ["UPDATE uq_tags (1)", "INSERT uq_tags (1)", "UPDATE uq_uses (3)", "DELETE uq_tags (1)"]
        );
        assert_eq!(session.one(select((Tag.id, Tag.name))).await?, (session[new].id, "rust".to_string()));
        assert_eq!(session.state(old)?, State::Deleted);
        Ok(())
    }

    async fn rows_that_point_to_each_other_change_places_within_a_list(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let chain = session.add_all([(); 4].map(|()| Chain::builder().list(1)));
        for at in 0..3 {
            session.link(chain[at], Chain.next, chain[at + 1])?;
        }
        session.commit().await?;
        sent.take();
        // A new one between the first and the second, the third goes, the last is followed by the first.
        let new = session.add(Chain::builder().list(1));
        session.link(new, Chain.next, chain[1])?;
        session.link(chain[0], Chain.next, new)?;
        session.link(chain[1], Chain.next, chain[3])?;
        session.delete(chain[2])?;
        session.link(chain[3], Chain.next, chain[0])?;
        session.commit().await?;
        let id = |session: &Session, at: usize| session[chain[at]].id;
        let rows = session.all(select((Chain.id, Chain.next_id)).order_by(Chain.id)).await?;
        let new = session[new].id;
        let (a, b, d) = (id(&session, 0), id(&session, 1), id(&session, 3));
        let mut wanted = [(a, Some(new)), (b, Some(d)), (d, Some(a)), (new, Some(b))];
        wanted.sort_unstable();
        assert_eq!(rows, wanted);
        Ok(())
    }

    async fn values_that_two_are_to_keep_are_for_the_database_to_refuse(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let things = things(&mut session, &sent, 3).await?;
        session[things[0]].name = "2".into();
        // The other is written as well, but keeps its name.
        session[things[1]].number = 20;
        assert!(matches!(session.flush().await, Err(Error::UniqueViolation(_))));
        // The same in a circle with a third.
        session[things[1]].name = "3".into();
        session[things[2]].name = "3".into();
        assert!(matches!(session.flush().await, Err(Error::UniqueViolation(_))));
        session[things[2]].name = "1".into();
        session.commit().await?;
        assert_eq!(names(&mut session).await?, ["2", "3", "1"]);
        Ok(())
    }

    async fn a_thousand_are_deleted_and_added_anew_by_two_statements(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let things = things(&mut session, &sent, 1000).await?;
        things.iter().try_for_each(|thing| session.delete(*thing))?;
        session.add_all((1..=1000).map(thing));
        session.commit().await?;
        assert_eq!(sent.take(), ["DELETE uq_things (1000)", "INSERT uq_things (1000)"]);
        Ok(())
    }

    async fn a_violation_names_the_constraint_as_the_model_does(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db, tables()).await;
        let mut session = sessions.open();
        let mail = |owner, box_no, main| Mail::builder().owner(owner).box_no(box_no).main(main);
        for (other, name) in [(mail(1, 2, true), "uq_mails_main"), (mail(1, 1, false), "uq_box")] {
            session.add(mail(1, 1, true));
            session.add(other);
            let error = session.flush().await.unwrap_err();
            assert_eq!(error.violation().and_then(|violation| violation.constraint.as_deref()), Some(name), "{error}");
            session.rollback().await?;
        }
        Ok(())
    }
}
