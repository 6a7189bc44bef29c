//! Relationships of a table with itself: trees, two keys to one table, followers.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::Log;
use limbeck::Result;
use limbeck::prelude::*;
use limbeck::session::SessionMaker;
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "members")]
struct Member {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[column(foreign_key(Member.id))]
    mentor_id: Option<i64>,
    #[column(unique, foreign_key(Member.id))]
    next_id: Option<i64>,
    #[relationship(back_populates = pupils, key = mentor_id)]
    mentor: BelongsTo<Option<Member>>,
    #[relationship(back_populates = mentor)]
    pupils: HasMany<Member>,
    /// A chain: who comes next, and who comes before.
    #[relationship(back_populates = previous, key = next_id)]
    next: BelongsTo<Option<Member>>,
    #[relationship(back_populates = next)]
    previous: HasOne<Member>,
    #[relationship(secondary = "follows", local = "follower_id", remote = "followee_id", back_populates = followers)]
    following: ManyToMany<Member>,
    #[relationship(secondary = "follows", back_populates = following)]
    followers: ManyToMany<Member>,
    /// Nothing leads back, so that the ends are named after the model and the field.
    #[relationship(secondary = "blocks")]
    blocked: ManyToMany<Member>,
    #[relationship(back_populates = from)]
    sent: HasMany<Letter>,
    #[relationship(back_populates = to)]
    received: HasMany<Letter>,
}

/// Two keys to the same table.
#[derive(Model, Debug)]
#[model(table = "letters")]
struct Letter {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Member.id))]
    from_id: i64,
    #[column(foreign_key(Member.id))]
    to_id: i64,
    #[relationship(back_populates = sent, key = from_id)]
    from: BelongsTo<Member>,
    #[relationship(back_populates = received, key = to_id)]
    to: BelongsTo<Member>,
}

/// A tree whose keys the program gives.
#[derive(Model, Debug)]
#[model(table = "places")]
struct Place {
    #[column(primary_key)]
    code: String,
    #[column(foreign_key(Place.code))]
    within: Option<String>,
    #[relationship(back_populates = parts)]
    whole: BelongsTo<Option<Place>>,
    #[relationship(back_populates = whole)]
    parts: HasMany<Place>,
}

/// A tree whose key has two columns: both parents and children are of one book.
#[derive(Model, Debug)]
#[model(table = "chapters", foreign_key((book, parent), Chapter(book, number)))]
struct Chapter {
    #[column(primary_key)]
    book: String,
    #[column(primary_key)]
    number: i32,
    parent: Option<i32>,
    #[relationship(back_populates = sections, key = (book, parent))]
    inside: BelongsTo<Option<Chapter>>,
    #[relationship(back_populates = inside)]
    sections: HasMany<Chapter>,
}

async fn sessions(db: &TestDb) -> (SessionMaker, Log) {
    let log = Log::default();
    let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await.expect("the test's database");
    let tables = limbeck::metadata![Member, Letter, Place, Chapter].expect("metadata");
    engine.create_all(&tables).await.expect("tables");
    log.take();
    (engine.sessionmaker(), log)
}

fn member(name: &str) -> impl limbeck::model::New<Model = Member> + use<> {
    Member::builder().name(name)
}

#[test]
fn the_columns_of_an_association_are_named_by_option_or_by_rule() {
    let metadata = limbeck::metadata![Member, Letter].expect("metadata");
    let columns = |table: &str| -> Vec<String> {
        metadata.table(table).expect("a table").columns.iter().map(|column| column.name.clone()).collect()
    };
    assert_eq!(columns("follows"), ["followee_id", "follower_id"]);
    assert_eq!(columns("blocks"), ["blocked_id", "member_id"]);
}

both! {
    async fn a_tree_goes_out_parents_first(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        // Children first, so that the order of `add` would be wrong.
        let leaf = session.add(member("leaf"));
        let middle = session.add(member("middle"));
        let root = session.add(member("root"));
        session.link(leaf, Member.mentor, middle)?;
        session.link(root, Member.pupils, middle)?;
        session.commit().await?;
        assert_eq!(session[leaf].mentor_id, Some(session[middle].id));
        assert_eq!(session[middle].mentor_id, Some(session[root].id));

        let mut session = sessions.open();
        let query = select(Member).filter(Member.mentor_id.is_null()).with(Member.pupils.with(Member.pupils));
        let root = session.one(query).await?;
        let middle = session[root].pupils.handles().next().expect("a pupil");
        let leaf = session[middle].pupils.handles().next().expect("a pupil");
        assert_eq!(session[leaf].name, "leaf");
        assert_eq!(session[session[leaf].mentor].name, "middle");
        let mentor = Member.alias("mentor");
        let names = session.all(
            select((Member.name, mentor.name)).from(mentor).join(mentor.pupils).order_by(Member.name),
        ).await;
        assert_eq!(names?, [("leaf".into(), "middle".into()), ("middle".into(), "root".into())]);
        // All of it goes, children first.
        for node in [root, middle, leaf] {
            session.delete(node)?;
        }
        session.commit().await?;
        assert_eq!(session.count(select(Member)).await?, 0);
        Ok(())
    }

    async fn rows_tied_by_given_values_go_out_parents_first(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let rows = [("de-by-m", Some("de-by")), ("de-by", Some("de")), ("fr", None), ("de", None)];
        session.add_all(rows.map(|(code, within)| Place::builder().code(code).within(within.map(str::to_owned))));
        // Half by value, half by object, in one chain.
        let bay = session.add(Place::builder().code("bay").within("isle".to_string()));
        let isle = session.add(Place::builder().code("isle"));
        let sea = session.add(Place::builder().code("sea"));
        session.link(isle, Place.whole, sea)?;
        session.commit().await?;
        // A row that is there refers to a new one.
        let ocean = session.add(Place::builder().code("ocean"));
        session[sea].within = Some("ocean".into());
        session.commit().await?;
        assert_eq!(session[sea].whole.get(), Some(ocean));
        assert_eq!(session[bay].whole.get(), Some(isle));
        assert_eq!(session[isle].within.as_deref(), Some("sea"));
        assert_eq!(session.count(select(Place)).await?, 8);

        let chapters = [(3, Some(2)), (2, Some(1)), (1, None)];
        session.add_all(chapters.map(|(number, parent)| Chapter::builder().book("b").number(number).parent(parent)));
        session.commit().await?;
        let first = session.get(Chapter, ("b".to_string(), 1)).await?.expect("a chapter");
        session.load(first, Chapter.sections.with(Chapter.sections)).await?;
        let second = session[first].sections.handles().next().expect("a section");
        assert_eq!(session[second].sections.len(), 1);
        for number in [1, 2, 3] {
            let chapter = session.get(Chapter, ("b".to_string(), number)).await?.expect("a chapter");
            session.delete(chapter)?;
        }
        session.commit().await?;
        assert_eq!(session.count(select(Chapter)).await?, 0);
        Ok(())
    }

    async fn rows_that_refer_to_each_other_by_value_are_tied_by_a_second_update(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let a = session.add(Place::builder().code("a").within("b".to_string()));
        session.add(Place::builder().code("b").within("a".to_string()));
        session.flush().await?;
        session.refresh(a).await?;
        assert_eq!(session[a].within.as_deref(), Some("b"));
        session.rollback().await?;
        let itself = session.add(Place::builder().code("c").within("c".to_string()));
        session.commit().await?;
        assert_eq!(session[itself].whole.get(), Some(itself));
        Ok(())
    }

    async fn two_keys_to_one_table_are_told_apart(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let [ada, bob] = ["ada", "bob"].map(|name| session.add(member(name)));
        let letter = session.add(Letter::builder().from(ada).to(bob));
        let to_self = session.add(Letter::builder().from(bob).to(bob));
        session.commit().await?;
        assert_eq!((session[letter].from_id, session[letter].to_id), (session[ada].id, session[bob].id));
        assert_eq!(session[bob].sent.handles().collect::<Vec<_>>(), [to_self]);
        assert_eq!(session[bob].received.handles().collect::<Vec<_>>(), [letter, to_self]);

        let mut session = sessions.open();
        let query = select(Member).with(Member.sent).with(Member.received).order_by(Member.name);
        let members = session.all(query).await?;
        log.take();
        let count = |session: &limbeck::session::Session, at: usize| {
            (session[members[at]].sent.len(), session[members[at]].received.len())
        };
        assert_eq!((count(&session, 0), count(&session, 1)), ((1, 0), (1, 2)));
        let letter = session[members[0]].sent.handles().next().expect("a letter");
        session.link(letter, Letter.to, members[0])?;
        assert_eq!((count(&session, 0), count(&session, 1)), ((1, 1), (1, 1)));
        session.commit().await?;
        let names = session.all(
            select((Letter.id, Member.name)).from(Letter).join(Letter.to).order_by(Letter.id),
        ).await?;
        assert_eq!(names.into_iter().map(|(_, name)| name).collect::<Vec<_>>(), ["ada", "bob"]);
        Ok(())
    }

    async fn followers_and_following_are_two_sides_of_one_table(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| session.add(member(name)));
        session.link(ada, Member.following, bob)?;
        session.link(bob, Member.followers, eve)?;
        session.link(bob, Member.following, ada)?;
        session.link(ada, Member.following, ada)?;
        session.link(eve, Member.blocked, ada)?;
        assert_eq!(session[bob].followers.handles().collect::<Vec<_>>(), [ada, eve]);
        assert_eq!(session[ada].followers.handles().collect::<Vec<_>>(), [bob, ada]);
        session.commit().await?;
        let inserts = log.queries().into_iter().filter(|line| line.starts_with("INSERT INTO follows")).count();
        assert_eq!(inserts, 1, "one for the links of both ends");
        let pairs = session
            .all(sql("SELECT follower_id, followee_id FROM follows ORDER BY 1, 2").rows::<(i64, i64)>())
            .await?;
        let id = |member: Tracked<Member>| session[member].id;
        let mut wanted = vec![(id(ada), id(bob)), (id(eve), id(bob)), (id(bob), id(ada)), (id(ada), id(ada))];
        wanted.sort_unstable();
        assert_eq!(pairs, wanted);

        let mut session = sessions.open();
        let query = select(Member).with(Member.followers).with(Member.following).order_by(Member.name);
        let members = session.all(query).await?;
        let [ada, bob, eve] = members[..] else { panic!("three") };
        let lists = |member: Tracked<Member>| {
            let sorted = |handles: limbeck::model::Handles<Member>| -> Vec<String> {
                handles.map(|handle| session[handle].name.clone()).collect()
            };
            (sorted(session[member].following.handles()), sorted(session[member].followers.handles()))
        };
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lists(ada), (names(&["ada", "bob"]), names(&["ada", "bob"])));
        assert_eq!(lists(bob), (names(&["ada"]), names(&["ada", "eve"])));
        assert_eq!(lists(eve), (names(&["bob"]), names(&[])));
        let followed = Member.alias("followed");
        let count = session.count(select(Member.id).from(followed).join(followed.followers).filter(followed.name.eq("bob")));
        assert_eq!(count.await?, 2);
        session.unlink(eve, Member.following, bob)?;
        session.delete(ada)?;
        session.commit().await?;
        let rows = session.all(sql("SELECT follower_id FROM follows").rows::<i64>()).await?;
        assert_eq!(rows, [] as [i64; 0]);
        Ok(())
    }

    async fn a_collection_of_followers_that_is_loaded_late_knows_what_was_said(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| session.add(member(name)));
        session.link(ada, Member.following, bob)?;
        session.link(bob, Member.following, ada)?;
        session.commit().await?;
        let _ = eve;

        let mut session = sessions.clone().autoflush(false).open();
        let members = session.all(select(Member).order_by(Member.name)).await?;
        let [ada, bob, eve] = members[..] else { panic!("three") };
        // Planned from one end, then loaded from both.
        session.unlink(ada, Member.following, bob)?;
        session.link(ada, Member.following, eve)?;
        session.load(&members, Member.following).await?;
        session.load(&members, Member.followers).await?;
        let of = |handles: limbeck::model::Handles<Member>| handles.collect::<Vec<_>>();
        assert_eq!(of(session[ada].following.handles()), [eve]);
        assert_eq!(of(session[eve].followers.handles()), [ada]);
        assert_eq!(of(session[bob].followers.handles()), []);
        assert_eq!(of(session[ada].followers.handles()), [bob]);
        assert_eq!(of(session[bob].following.handles()), [ada]);
        session.commit().await?;
        let pairs = session
            .all(sql("SELECT follower_id, followee_id FROM follows ORDER BY 1, 2").rows::<(i64, i64)>())
            .await?;
        assert_eq!(pairs, [(session[ada].id, session[eve].id), (session[bob].id, session[ada].id)]);
        Ok(())
    }

    async fn a_chain_is_reordered(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let [a, b, c] = ["a", "b", "c"].map(|name| session.add(member(name)));
        session.link(a, Member.next, b)?;
        session.link(c, Member.previous, b)?;
        assert_eq!((session[b].previous.get(), session[b].next.get()), (Some(a), Some(c)));
        session.commit().await?;
        // a → b → c becomes b → a → c: every place changes hands, one of them twice.
        session.link(b, Member.next, a)?;
        assert_eq!(session[c].previous.get(), None);
        session.link(a, Member.next, c)?;
        assert_eq!(session[b].previous.get(), None);
        session.commit().await?;
        let next = session.all(select((Member.name, Member.next_id)).order_by(Member.name)).await?;
        let id = |member: Tracked<Member>| Some(session[member].id);
        assert_eq!(next, [("a".into(), id(c)), ("b".into(), id(a)), ("c".into(), None)]);
        // A circle of rows that are there is no circle of inserts.
        session.link(c, Member.next, b)?;
        session.commit().await?;
        assert_eq!(session[b].previous.get(), Some(c));
        Ok(())
    }
}
