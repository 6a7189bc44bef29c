//! The states of objects: what is compared, expired and rolled back, and what keys that change take along.
//! U20, U54, U56, U58, U59.

use limbeck::prelude::*;
use limbeck::session::{Session, State};
use limbeck::sql::update;
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

use crate::common::{Log, Post, Seat, Tag, User, logged, session, sessions, user};

/// The statements of a log but for those of transactions, without quotes.
fn sent(log: &Log) -> Vec<String> {
    let mut sent: Vec<String> = log.take().iter().map(|line| line.replace('"', "")).collect();
    sent.retain(|line| ["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|kind| line.starts_with(kind)));
    sent
}

/// The kinds of the statements, and their tables: `UPDATE tags`.
fn kinds(log: &Log) -> Vec<String> {
    let kind = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = match words[0] {
            "UPDATE" => 1,
            "SELECT" => words.iter().position(|word| *word == "FROM").map_or(1, |at| at + 1),
            _ => 2,
        };
        format!("{} {}", words[0], words[at])
    };
    sent(log).iter().map(kind).collect()
}

mod natural {
    //! Keys that the program gives and changes.
    use limbeck::prelude::*;

    /// Its key is followed by the database.
    #[derive(Model, Debug)]
    #[model(table = "lands")]
    pub(super) struct Land {
        #[column(primary_key)]
        pub(super) code: String,
        #[relationship(back_populates = land)]
        pub(super) cities: HasMany<City>,
    }

    #[derive(Model, Debug)]
    #[model(table = "cities")]
    pub(super) struct City {
        #[column(primary_key, foreign_key(Land.code, on_update = cascade))]
        pub(super) land_code: String,
        #[column(primary_key)]
        pub(super) name: String,
        #[relationship(back_populates = cities)]
        pub(super) land: BelongsTo<Land>,
    }

    /// Two levels down: its key is a part of another's that follows.
    #[derive(Model, Debug)]
    #[model(table = "streets", foreign_key((land_code, city), City(land_code, name), on_update = cascade))]
    pub(super) struct Street {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) land_code: String,
        pub(super) city: String,
    }

    /// Its key is followed by the session.
    #[derive(Model, Debug)]
    #[model(table = "clubs")]
    pub(super) struct Club {
        #[column(primary_key)]
        pub(super) name: String,
        #[relationship(back_populates = club)]
        pub(super) members: HasMany<Member>,
        #[relationship(back_populates = club)]
        pub(super) guests: HasMany<Guest>,
    }

    #[derive(Model, Debug)]
    #[model(table = "members")]
    pub(super) struct Member {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(foreign_key(Club.name))]
        pub(super) club_name: Option<String>,
        #[relationship(back_populates = members)]
        pub(super) club: BelongsTo<Option<Club>>,
    }

    /// Its key is NOT NULL, but is checked at the end of the transaction.
    #[derive(Model, Debug)]
    #[model(table = "guests")]
    pub(super) struct Guest {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(foreign_key(Club.name, deferrable = initially_deferred))]
        pub(super) club_name: String,
        #[relationship(back_populates = guests)]
        pub(super) club: BelongsTo<Club>,
    }

    pub(super) async fn open(url: &str) -> (limbeck::session::SessionMaker, super::Log) {
        let log = super::Log::default();
        let engine = Engine::builder(url).echo_to(log.sink()).connect().await.expect("the test's database");
        let models = limbeck::metadata![Land, City, Street, Club, Member, Guest].expect("metadata");
        engine.create_all(&models).await.expect("tables");
        log.take();
        (engine.sessionmaker(), log)
    }
}
use natural::{City, Club, Guest, Land, Member, Street};

both! {
    async fn u20_an_equal_value_or_one_that_is_taken_back_sends_nothing(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let tag = session.add(Tag::builder().name("a"));
        session.commit().await?;
        log.take();
        session[tag].name = "a".into();
        session.commit().await?;
        assert_eq!(sent(&log), [""; 0]);
        session[tag].name = "b".into();
        session[tag].name = "a".into();
        assert!(!session.is_modified(tag)?);
        session.commit().await?;
        assert_eq!(sent(&log), [""; 0]);
        session.set(tag, Tag.name, "a")?;
        session.commit().await?;
        assert_eq!(sent(&log), [""; 0], "`set` compares as well");
        // What an expired object holds is not known, so that nothing can be equal to it.
        session.expire(tag)?;
        session.set(tag, Tag.name, "a")?;
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE tags"]);
        Ok(())
    }

    async fn u54_setting_a_column_of_an_expired_object_costs_nothing_and_survives_the_read(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let ada = session.add(user("ada"));
        session.commit().await?;
        let mut other = engine.sessionmaker().open();
        other.execute(update(User).set(User.hashed_password, "new").set(User.full_name, "theirs").all_rows()).await?;
        other.commit().await?;
        session.expire(ada)?;
        log.take();
        session.set(ada, User.full_name, Some("Ada".into()))?;
        assert_eq!(sent(&log), [""; 0]);
        assert!(matches!(session.try_get(ada), Err(Error::Expired { .. })));
        session.fresh(ada).await?;
        assert_eq!(kinds(&log), ["SELECT users"]);
        assert_eq!((session[ada].full_name.as_deref(), session[ada].hashed_password.as_str()), (Some("Ada"), "new"));
        session.commit().await?;
        assert_eq!(kinds(&log), ["UPDATE users"]);
        let row: (Option<String>, String) = session.one(select((User.full_name, User.hashed_password))).await?;
        assert_eq!(row, (Some("Ada".into()), "new".into()));
        Ok(())
    }

    async fn u54_the_key_of_an_expired_object_can_be_set(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        for read in [false, true] {
            let mut session = sessions.open();
            let seat = session.add(Seat { room: "a".into(), number: 1, price: 5 });
            session.commit().await?;
            let mut other = sessions.open();
            other.execute(update(Seat).set(Seat.price, 7).all_rows()).await?;
            other.commit().await?;
            session.expire(seat)?;
            session.set(seat, Seat.number, 2)?;
            if read {
                session.refresh(seat).await?;
                assert_eq!((session[seat].number, session[seat].price), (2, 7), "the new key is kept");
            }
            session.flush().await?;
            assert_eq!(session.get(Seat, ("a".to_string(), 2)).await?, Some(seat));
            assert_eq!(session.get(Seat, ("a".to_string(), 1)).await?, None);
            session.rollback().await?;
            assert_eq!(session.get(Seat, ("a".to_string(), 1)).await?, Some(seat));
            session.fresh(seat).await?;
            assert_eq!((session[seat].number, session[seat].price), (1, 7));
            session.delete(seat)?;
            session.commit().await?;
        }
        Ok(())
    }

    async fn some_columns_are_read_again_and_others_keep_what_was_set(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let post = session.add(Post::builder().title("a").author(ada));
        session.commit().await?;
        let mut other = engine.sessionmaker().open();
        let to = session[bob].id;
        other.execute(update(Post).set(Post.views, 9).set(Post.title, "theirs").set(Post.author_id, to).all_rows()).await?;
        other.commit().await?;
        session[post].title = "mine".into();
        session[post].views = 1;
        log.take();
        session.refresh_columns(post, (Post.views, Post.author_id)).await?;
        let select = sent(&log);
        assert!(select[0].starts_with("SELECT posts.author_id, posts.views FROM posts WHERE posts.id = "), "{select:?}");
        assert_eq!((session[post].title.as_str(), session[post].views, session[post].author_id), ("mine", 9, to));
        assert!(!session[post].author.is_loaded(), "another key was read");
        session.commit().await?;
        let update = sent(&log);
        assert!(update[0].starts_with("UPDATE posts SET title = ") && !update[0].contains("views"), "{update:?}");
        session.load(post, Post.author).await?;
        assert_eq!(session[post].author.get(), Some(bob));
        other.execute(limbeck::sql::delete(Post).all_rows()).await?;
        other.commit().await?;
        session.rollback().await?;
        let gone = session.refresh_columns(post, Post.views).await.unwrap_err();
        assert!(matches!(&gone, Error::StaleRow(row) if row.is_gone && row.handle() == Some(post)), "{gone}");
        Ok(())
    }

    async fn u56_a_rollback_brings_states_columns_keys_and_relationships_back(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        let post = session.add(Post::builder().title("a").author(ada));
        let seat = session.add(Seat { room: "a".into(), number: 1, price: 5 });
        let gone = session.add(Tag::builder().name("gone"));
        session.commit().await?;
        let key = session[ada].id;
        let new = session.add(Post::builder().title("new").author(ada));
        session.link(post, Post.author, bob)?;
        session[seat].number = 2;
        session.delete(gone)?;
        session.flush().await?;
        session[seat].number = 3;
        session[post].title = "b".into();
        session.flush().await?;
        assert!(session[new].id > 0);
        assert_eq!(session.get(Seat, ("a".to_string(), 3)).await?, Some(seat));
        session.rollback().await?;
        assert_eq!((session.state(new)?, session.state(gone)?), (State::Transient, State::Persistent));
        assert_eq!((session[new].id, session[post].author_id, session[post].title.as_str()), (0, key, "a"));
        assert_eq!(session[post].author.get(), Some(ada));
        assert_eq!(session[ada].posts.handles().collect::<Vec<_>>(), [post]);
        assert_eq!(session[bob].posts.len(), 0);
        assert_eq!(session[seat].number, 1);
        assert_eq!(session.get(Seat, ("a".to_string(), 1)).await?, Some(seat));
        assert_eq!(session.get(Seat, ("a".to_string(), 3)).await?, None);
        // Everything works from here on, as if nothing had been.
        session.add(new);
        session[gone].name = "back".into();
        session[seat].price = 6;
        session.commit().await?;
        assert_eq!(session.count(select(Post)).await?, 2);
        assert_eq!(session.all(select(Tag.name)).await?, ["back"]);
        assert_eq!(session.all(select((Seat.number, Seat.price))).await?, [(1, 6)]);
        Ok(())
    }

    async fn u56_what_a_savepoint_kept_goes_with_the_transaction(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let seat = session.add(Seat { room: "a".into(), number: 1, price: 5 });
        let tag = session.add(Tag::builder().name("a"));
        session.commit().await?;
        let mut outer = session.begin_nested().await?;
        outer[seat].number = 2;
        let kept = outer.add(Tag::builder().name("kept"));
        let mut inner = outer.begin_nested().await?;
        inner[seat].number = 3;
        inner.delete(tag)?;
        inner.expire(kept)?;
        inner.set(kept, Tag.name, "other")?;
        inner.commit().await?;
        assert_eq!(outer.state(tag)?, State::Deleted);
        let mut inner = outer.begin_nested().await?;
        inner[seat].number = 4;
        inner.flush().await?;
        inner.rollback().await?;
        assert_eq!(outer[seat].number, 3);
        outer.commit().await?;
        assert_eq!(session.get(Seat, ("a".to_string(), 3)).await?, Some(seat));
        session.rollback().await?;
        assert_eq!((session.state(tag)?, session.state(kept)?), (State::Persistent, State::Transient));
        assert_eq!((session[seat].number, session[tag].name.as_str()), (1, "a"));
        session.add(kept);
        session[seat].price = 6;
        session.commit().await?;
        assert_eq!(session.all(select((Seat.number, Seat.price))).await?, [(1, 6)]);
        assert_eq!(session.count(select(Tag)).await?, 2);
        Ok(())
    }

    /// SQLAlchemy refuses everything after a failed flush until the transaction is rolled back. Here the flush alone is
    /// undone: what was flushed before it is there still, and so are the objects that could not be written.
    async fn u58_a_violation_undoes_the_flush_and_nothing_else(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let a = session.add(Seat { room: "a".into(), number: 1, price: 5 });
        session.commit().await?;
        let b = session.add(Seat { room: "a".into(), number: 2, price: 5 });
        session.flush().await?;
        session[a].price = 6;
        session.execute(sql("INSERT INTO seats (room, number) VALUES ('a', 3)")).await?;
        let twice = session.add(Seat { room: "a".into(), number: 3, price: 5 });
        for _ in 0..2 {
            let error = session.commit().await.unwrap_err();
            assert!(matches!(&error, Error::UniqueViolation(v) if v.table == "seats" && v.columns == ["room", "number"]));
            assert_eq!(error.object(), Some(twice));
            assert_eq!((session.state(twice)?, session.state(b)?), (State::Pending, State::Persistent));
        }
        session[twice].number = 4;
        session.commit().await?;
        let rows: Vec<(i32, i32)> = session.all(select((Seat.number, Seat.price)).order_by(Seat.number)).await?;
        assert_eq!(rows, [(1, 6), (2, 5), (3, 1), (4, 5)]);
        assert_eq!(session[a].price, 6);
        Ok(())
    }

    async fn u58_with_a_savepoint_only_what_is_inside_is_lost(db: TestDb) -> Result<()> {
        let mut session = session(db.url()).await;
        let a = session.add(Seat { room: "a".into(), number: 1, price: 5 });
        session.flush().await?;
        let mut nested = session.begin_nested().await?;
        nested[a].price = 6;
        nested.flush().await?;
        nested.execute(sql("INSERT INTO seats (room, number) VALUES ('a', 3)")).await?;
        let twice = nested.add(Seat { room: "a".into(), number: 3, price: 5 });
        assert!(matches!(nested.flush().await, Err(Error::UniqueViolation(_))));
        nested.rollback().await?;
        assert_eq!((session.state(twice)?, session[a].price), (State::Transient, 5));
        session.add(twice);
        session.commit().await?;
        assert_eq!(session.count(select(Seat)).await?, 2);
        Ok(())
    }

    /// SQLAlchemy says so at `add`. Here `add` returns a handle and no `Result`: the flush says it, before any SQL, and
    /// as the database would.
    async fn u59_a_second_object_with_the_key_of_one_that_is_here_is_refused(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let a = session.add(Seat { room: "a".into(), number: 1, price: 5 });
        session.commit().await?;
        log.take();
        let twice = session.add(Seat { room: "a".into(), number: 1, price: 6 });
        let error = session.commit().await.unwrap_err();
        assert_eq!(sent(&log), [""; 0]);
        let Error::UniqueViolation(violation) = &error else { panic!("{error}") };
        assert_eq!((violation.table.as_str(), violation.constraint.as_deref()), ("seats", Some("pk_seats")));
        assert_eq!(violation.handle::<Seat>(), Some(twice));
        assert!(error.to_string().contains("merge"), "{error}");
        session.expunge(twice)?;
        session.commit().await?;
        assert_eq!(session[a].price, 5);
        // The key of one that moves away is free.
        session[a].number = 2;
        let next = session.add(Seat { room: "a".into(), number: 1, price: 7 });
        session.commit().await?;
        assert_eq!(session.get(Seat, ("a".to_string(), 1)).await?, Some(next));
        assert_eq!(session.get(Seat, ("a".to_string(), 2)).await?, Some(a));
        Ok(())
    }

    async fn u59_objects_of_another_session_and_deleted_ones_cannot_be_added(db: TestDb) -> Result<()> {
        let sessions = sessions(db.url()).await;
        let (mut session, mut other) = (sessions.open(), sessions.open());
        let theirs = other.add(Tag::builder().name("theirs"));
        session.add(theirs);
        assert!(matches!(session.commit().await, Err(Error::ForeignHandle { model: "Tag" })));
        let tag = session.add(Tag::builder().name("mine"));
        session.commit().await?;
        session.delete(tag)?;
        session.flush().await?;
        session.add(tag);
        let error = session.flush().await.unwrap_err();
        assert!(matches!(&error, Error::InvalidState { model: "Tag", .. }) && error.to_string().contains("rollback"));
        session.rollback().await?;
        session.add(tag);
        session.commit().await?;
        assert_eq!(session.count(select(Tag)).await?, 1);
        Ok(())
    }

    async fn a_key_that_the_database_has_followed_is_followed_here(db: TestDb) -> Result<()> {
        let (sessions, log) = natural::open(db.url()).await;
        let mut session = sessions.open();
        let land = session.add(Land::builder().code("de"));
        let other = session.add(Land::builder().code("fr"));
        let cities: Vec<_> =
            ["a", "b"].map(|name| session.add(City::builder().land(land).name(name))).into_iter().collect();
        let far = session.add(City::builder().land(other).name("a"));
        session.commit().await?;
        let street = session.add(Street::builder().land_code("de").city("a"));
        session.commit().await?;
        session.expire(cities[1])?;
        log.take();
        session[land].code = "xx".into();
        session.flush().await?;
        assert_eq!(kinds(&log), ["UPDATE lands"]);
        let city = async |session: &mut Session, code: &str, name: &str| {
            session.get(City, (code.to_string(), name.to_string())).await
        };
        assert_eq!(city(&mut session, "xx", "a").await?, Some(cities[0]));
        assert_eq!(city(&mut session, "xx", "b").await?, Some(cities[1]));
        assert_eq!(city(&mut session, "de", "a").await?, None);
        assert_eq!(city(&mut session, "fr", "a").await?, Some(far));
        assert_eq!((session[cities[0]].land_code.as_str(), session[street].land_code.as_str()), ("xx", "xx"));
        assert_eq!(session[cities[0]].land.get(), Some(land));
        let row: (String, String) = session.one(select((Street.land_code, Street.city))).await?;
        assert_eq!(row, ("xx".into(), "a".into()));
        // What follows is written to the rows where they are now.
        session[cities[0]].name = "c".into();
        session.flush().await?;
        assert_eq!(session[street].city, "c");
        session.rollback().await?;
        assert_eq!(city(&mut session, "de", "a").await?, Some(cities[0]));
        assert_eq!(city(&mut session, "xx", "a").await?, None);
        assert_eq!((session[cities[0]].land_code.as_str(), session[street].city.as_str()), ("de", "a"));
        session[cities[0]].name = "d".into();
        session.commit().await?;
        assert_eq!(session.all(select(Street.city)).await?, ["d"]);
        Ok(())
    }

    async fn a_key_that_the_database_does_not_follow_is_written_to_the_children(db: TestDb) -> Result<()> {
        let (sessions, log) = natural::open(db.url()).await;
        let mut session = sessions.open();
        let club = session.add(Club::builder().name("old"));
        let here = session.add(Member::builder().club(club));
        let elsewhere = session.add(Member::builder());
        session.add(Guest::builder().club(club));
        session.commit().await?;
        // Of another session: the objects are not here, the rows are.
        let mut session = sessions.open();
        let club = session.one(select(Club)).await?;
        log.take();
        session[club].name = "new".into();
        session.flush().await?;
        let kinds = kinds(&log);
        let writes: Vec<&str> = kinds.iter().map(String::as_str).filter(|kind| !kind.starts_with("SELECT")).collect();
        // The key that is checked with each statement lets go first, and is written after what it refers to.
        assert_eq!(writes, ["UPDATE members", "UPDATE clubs", "UPDATE members", "UPDATE guests"], "{kinds:?}");
        let members = session.all(select(Member).order_by(Member.id)).await?;
        assert_eq!(session[members[0]].club_name.as_deref(), Some("new"));
        assert_eq!(session[members[1]].club_name, None);
        assert_eq!(session.get(Club, "new").await?, Some(club));
        session.rollback().await?;
        assert_eq!((session[club].name.as_str(), session[members[0]].club_name.as_deref()), ("old", Some("old")));
        session[club].name = "newer".into();
        session.commit().await?;
        let names: Vec<Option<String>> = session.all(select(Member.club_name).order_by(Member.id)).await?;
        assert_eq!(names, [Some("newer".into()), None]);
        assert_eq!(session.all(select(Guest.club_name)).await?, ["newer"]);
        let _ = (here, elsewhere);
        Ok(())
    }

    async fn merge_writes_a_value_onto_the_object_that_has_its_row(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let sessions = engine.sessionmaker();
        let mut session = sessions.open();
        let ada = session.add(user("ada"));
        let post = session.add(Post::builder().title("a").author(ada));
        session.commit().await?;
        let mut value = session.expunge(post)?;
        value.title = "b".into();
        let mut session = sessions.open();
        log.take();
        let merged = session.merge(value).await?;
        assert_eq!(kinds(&log), ["SELECT posts"]);
        assert_eq!((session[merged].title.as_str(), session.state(merged)?), ("b", State::Persistent));
        assert!(!session[merged].author.is_loaded(), "handles of another session say nothing here");
        session.load(merged, Post.author).await?;
        session.commit().await?;
        let update = sent(&log);
        assert!(update.iter().any(|line| line.starts_with("UPDATE posts SET title = ")), "{update:?}");
        // It is here: no query. The same state: no statement.
        let again = Post { title: "b".into(), ..session.expunge(merged)? };
        let (id, author_id) = (again.id, again.author_id);
        let here = session.get(Post, id).await?.expect("its row");
        log.take();
        assert_eq!(session.merge(again).await?, here);
        session.commit().await?;
        assert_eq!(sent(&log), [""; 0]);
        // No row has this key, or none can have it yet.
        let new = |id: i64, title: &str| Post { id, title: title.into(), author_id, ..blank() };
        let merged = session.merge_all([new(1000, "c"), new(0, "d"), new(0, "e"), new(1000, "f"), new(id, "g")]).await?;
        assert_eq!((merged[0], merged[4]), (merged[3], here), "one row is one object");
        assert_eq!(merged[..3].iter().map(|post| session.state(*post)).collect::<Result<Vec<_>>>()?, [State::Pending; 3]);
        session.commit().await?;
        let titles: Vec<String> = session.all(select(Post.title).order_by(Post.title)).await?;
        assert_eq!(titles, ["d", "e", "f", "g"]);
        session.delete(here)?;
        assert!(matches!(session.merge(new(id, "h")).await, Err(Error::InvalidState { .. })));
        Ok(())
    }

    async fn expunge_all_leaves_nothing_to_be_written(db: TestDb) -> Result<()> {
        let (engine, log) = logged(db.url()).await;
        let mut session = engine.sessionmaker().open();
        let tag = session.add(Tag::builder().name("a"));
        session.commit().await?;
        session[tag].name = "b".into();
        session.add(Tag::builder().name("c"));
        session.expunge_all();
        log.take();
        session.commit().await?;
        assert_eq!(sent(&log), [""; 0]);
        assert!(matches!(session.try_get(tag), Err(Error::StaleHandle { .. })));
        Ok(())
    }
}

/// A post of nobody, for its empty relationships.
fn blank() -> Post {
    Post { id: 0, title: String::new(), author_id: 0, views: 0, author: Default::default(), tags: Default::default() }
}
