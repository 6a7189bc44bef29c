//! Keys of several columns: loading, linking, joining and flushing by all of them.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::Log;
use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};
use uuid::Uuid;

#[derive(Model, Debug)]
#[model(table = "orders")]
struct Order {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = order)]
    lines: HasMany<OrderLine>,
    #[relationship(back_populates = order)]
    parcels: HasMany<Parcel>,
}

/// A part of its key is the key of its order.
#[derive(Model, Debug)]
#[model(table = "order_lines")]
struct OrderLine {
    #[column(primary_key, foreign_key(Order.id, on_delete = cascade))]
    order_id: i64,
    #[column(primary_key)]
    line_no: i32,
    article: String,
    #[relationship(back_populates = lines)]
    order: BelongsTo<Order>,
    #[relationship(back_populates = line)]
    parcels: HasMany<Parcel>,
    #[relationship(back_populates = line_of)]
    note: HasOne<Note>,
    #[relationship(secondary = "line_labels", back_populates = lines)]
    labels: ManyToMany<Label>,
}

/// Two keys that share a column: that of the order, which is NOT NULL, and that of the line, which may be NULL.
#[derive(Model, Debug)]
#[model(table = "parcels", foreign_key((order_id, line_no), OrderLine(order_id, line_no)))]
struct Parcel {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Order.id))]
    order_id: i64,
    line_no: Option<i32>,
    #[relationship(back_populates = parcels)]
    order: BelongsTo<Order>,
    #[relationship(back_populates = parcels, key = (order_id, line_no))]
    line: BelongsTo<Option<OrderLine>>,
}

/// One for each line at most. Its columns stand in another order than those that they refer to.
#[derive(Model, Debug)]
#[model(table = "notes", unique(line, of_order), foreign_key((line, of_order), OrderLine(line_no, order_id)))]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: String,
    line: Option<i32>,
    of_order: Option<i64>,
    #[relationship(back_populates = note, key = (line, of_order))]
    line_of: BelongsTo<Option<OrderLine>>,
}

/// Both ends of its association have a key of two columns.
#[derive(Model, Debug)]
#[model(table = "labels")]
struct Label {
    #[column(primary_key)]
    lang: String,
    #[column(primary_key)]
    word: String,
    #[relationship(secondary = "line_labels", back_populates = labels)]
    lines: ManyToMany<OrderLine>,
}

async fn sessions(db: &TestDb) -> (SessionMaker, Log) {
    let log = Log::default();
    let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await.expect("the test's database");
    let tables = limbeck::metadata![Order, OrderLine, Parcel, Note, Label].expect("metadata");
    engine.create_all(&tables).await.expect("tables");
    log.take();
    (engine.sessionmaker(), log)
}

fn line(session: &mut Session, order: Tracked<Order>, number: i32) -> Tracked<OrderLine> {
    session.add(OrderLine::builder().order(order).line_no(number).article(format!("a{number}")))
}

fn count_of(log: &Log, word: &str) -> usize {
    log.take().iter().filter(|sql| sql.starts_with(word)).count()
}

/// Keys whose parts are not what JSON has.
#[derive(Model, Debug)]
#[model(table = "tickets")]
struct Ticket {
    #[column(primary_key)]
    tenant: Uuid,
    #[column(primary_key)]
    day: NaiveDate,
    #[column(primary_key)]
    seal: Vec<u8>,
    #[relationship(back_populates = ticket)]
    entries: HasMany<Entry>,
}

#[derive(Model, Debug)]
#[model(table = "entries", foreign_key((tenant, day, seal), Ticket(tenant, day, seal)))]
struct Entry {
    #[column(primary_key)]
    id: i64,
    tenant: Option<Uuid>,
    day: Option<NaiveDate>,
    seal: Option<Vec<u8>>,
    #[relationship(back_populates = entries)]
    ticket: BelongsTo<Option<Ticket>>,
}

both! {
    async fn parts_of_a_key_may_be_of_any_type_that_can_be_a_key(db: TestDb) -> Result<()> {
        let engine = Engine::builder(db.url()).connect().await?;
        engine.create_all(&limbeck::metadata![Ticket, Entry]?).await?;
        let sessions = engine.sessionmaker();
        let mut session = sessions.open();
        let mut tickets = Vec::new();
        for n in 0..3_u8 {
            let day = NaiveDate::from_ymd_opt(2026, 11, 20 + u32::from(n)).expect("a day");
            let ticket = Ticket::builder().tenant(Uuid::from_u128(u128::from(n) << 100)).day(day).seal(vec![0, n, 255]);
            let ticket = session.add(ticket);
            session.add_all((0..n).map(|_| Entry::builder().ticket(ticket)));
            tickets.push(ticket);
        }
        session.commit().await?;
        let keys: Vec<_> = tickets.iter().map(|ticket| limbeck::model::Model::key(&session[*ticket])).collect();

        let mut session = sessions.open();
        let tickets = session.get_many(Ticket, keys).await?;
        let tickets: Vec<Tracked<Ticket>> = tickets.into_iter().flatten().collect();
        session.load(&tickets, Ticket.entries.with(Entry.ticket)).await?;
        let counts: Vec<usize> = tickets.iter().map(|ticket| session[*ticket].entries.len()).collect();
        assert_eq!(counts, [0, 1, 2]);
        let mut session = sessions.open();
        let entries = session.all(select(Entry).with(Entry.ticket)).await?;
        assert!(entries.iter().all(|entry| session[session[*entry].ticket].day == session[*entry].day.expect("a day")));
        let ticket = session[entries[0]].ticket.get().expect("a ticket");
        session.delete(ticket)?;
        session.commit().await?;
        assert_eq!((session[entries[0]].tenant, session[entries[0]].seal.clone()), (None, None));
        Ok(())
    }

    async fn keys_are_taken_from_new_objects_in_one_flush(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        // Statements are prepared at their first use, which costs a round trip of its own.
        let order = session.add(Order::builder());
        let line_of = line(&mut session, order, 1);
        session.add(Parcel::builder().order(order).line(line_of));
        session.commit().await?;
        let orders = session.add_all((0..2).map(|_| Order::builder()));
        let lines: Vec<_> = orders.iter().flat_map(|order| [(*order, 1), (*order, 2)]).collect();
        let lines: Vec<_> = lines.into_iter().map(|(order, n)| line(&mut session, order, n)).collect();
        let parcel = session.add(Parcel::builder().order(orders[1]).line(lines[3]));
        let free = session.add(Parcel::builder().order(orders[0]));
        let before = session.engine().stats();
        session.commit().await?;
        if db.kind() == limbeck_test_support::Kind::Postgres {
            // The orders behind BEGIN, all that takes their numbers, COMMIT.
            assert_eq!((session.engine().stats() - before).round_trips, 3);
        }
        let order = session[orders[1]].id;
        assert_eq!((session[lines[3]].order_id, session[lines[3]].line_no), (order, 2));
        assert_eq!((session[parcel].order_id, session[parcel].line_no), (order, Some(2)));
        assert_eq!((session[free].order_id, session[free].line_no), (session[orders[0]].id, None));
        assert_eq!(session[free].line.get(), None);
        assert_eq!(session[orders[1]].lines.handles().collect::<Vec<_>>(), lines[2..]);
        assert_eq!(session[lines[3]].parcels.handles().collect::<Vec<_>>(), [parcel]);
        assert_eq!(session.get(OrderLine, (order, 2)).await?, Some(lines[3]));
        Ok(())
    }

    async fn each_relationship_is_one_statement_whatever_the_number(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        for _ in 0..20 {
            let order = session.add(Order::builder());
            for number in 0..20 {
                let line = line(&mut session, order, number);
                if number % 3 == 0 {
                    session.add(Parcel::builder().order(order).line(line));
                }
                if number % 5 == 0 {
                    session.add(Note::builder().text(format!("{number}")).line_of(line));
                }
            }
        }
        session.commit().await?;

        let mut session = sessions.open();
        let lines = session.all(select(OrderLine)).await?;
        log.take();
        session.load(&lines, OrderLine.parcels.with(Parcel.line)).await?;
        assert_eq!(count_of(&log, "SELECT"), 1);
        session.load(&lines, OrderLine.note).await?;
        assert_eq!(count_of(&log, "SELECT"), 1);
        for line in &lines {
            let number = session[*line].line_no;
            assert_eq!(session[*line].parcels.len(), usize::from(number % 3 == 0));
            for parcel in &session[*line].parcels {
                assert_eq!(session[parcel].line.get(), Some(*line));
                assert_eq!(session[parcel].order_id, session[*line].order_id);
            }
            assert_eq!(session[*line].note.get().is_some(), number % 5 == 0);
            if let Some(note) = session[*line].note.get() {
                assert_eq!(session[note].text, number.to_string());
            }
        }
        // From the side with the key: by all its columns, and none where one of them is NULL.
        let mut session = sessions.open();
        let order = session.one(select(Order).limit(1)).await?;
        let free = session.add(Parcel::builder().order(order));
        session.commit().await?;
        session.expire_all();
        let parcels = session.all(select(Parcel)).await?;
        log.take();
        session.load(&parcels, Parcel.line).await?;
        assert_eq!(count_of(&log, "SELECT"), 1);
        assert_eq!(session[free].line.get(), None);
        for parcel in parcels.into_iter().filter(|parcel| *parcel != free) {
            let line = session[parcel].line.get().expect("a line");
            assert_eq!((session[line].order_id, Some(session[line].line_no)), (session[parcel].order_id, session[parcel].line_no));
        }
        let joined = session.count(select(Parcel).join(Parcel.line).filter(OrderLine.line_no.eq(3))).await?;
        assert_eq!(joined, 20);
        let joined = session.count(select(OrderLine).join(OrderLine.parcels)).await?;
        assert_eq!(joined, 20 * 7);
        assert_eq!(session.count(select(OrderLine).join(OrderLine.note)).await?, 20 * 4);
        Ok(())
    }

    async fn unlink_keeps_the_column_that_another_key_needs(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let order = session.add(Order::builder());
        let line = line(&mut session, order, 1);
        let parcel = session.add(Parcel::builder().order(order).line(line));
        let note = session.add(Note::builder().text("x").line_of(line));
        session.commit().await?;
        session.unlink(line, OrderLine.parcels, parcel)?;
        session.unlink(line, OrderLine.note, note)?;
        session.commit().await?;
        assert_eq!((session[parcel].order_id, session[parcel].line_no), (session[order].id, None));
        assert_eq!((session[note].of_order, session[note].line), (None, None));
        assert_eq!(session[parcel].order.get(), Some(order));
        // A deleted line leaves its parcels to their order.
        session.link(parcel, Parcel.line, line)?;
        session.link(line, OrderLine.note, note)?;
        session.commit().await?;
        session.delete(line)?;
        session.commit().await?;
        assert_eq!((session[parcel].line.get(), session[parcel].line_no), (None, None));
        assert_eq!((session[parcel].order_id, session[note].of_order), (session[order].id, None));
        let rows = session.all(select((Parcel.order_id, Parcel.line_no))).await?;
        assert_eq!(rows, [(session[order].id, None)]);
        Ok(())
    }

    async fn relationships_that_share_a_column_have_to_agree(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let orders = session.add_all((0..2).map(|_| Order::builder()));
        let line = line(&mut session, orders[0], 1);
        session.commit().await?;
        let parcel = session.add(Parcel::builder().order(orders[1]).line(line));
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::KeyConflict { column: "order_id", .. }), "{error}");
        session.link(parcel, Parcel.order, orders[0])?;
        session.commit().await?;
        assert_eq!((session[parcel].order_id, session[parcel].line_no), (session[orders[0]].id, Some(1)));
        // To the line of another order, the order has to go along.
        let other = self::line(&mut session, orders[1], 7);
        session.link(parcel, Parcel.line, other)?;
        session.link(parcel, Parcel.order, orders[1])?;
        session.commit().await?;
        assert_eq!((session[parcel].order_id, session[parcel].line_no), (session[orders[1]].id, Some(7)));
        assert!(session[line].parcels.is_empty());
        // Written directly, both follow.
        let (id, number) = (session[orders[0]].id, 1);
        session[parcel].order_id = id;
        session[parcel].line_no = Some(number);
        session.commit().await?;
        assert_eq!((session[parcel].order.get(), session[parcel].line.get()), (Some(orders[0]), Some(line)));
        assert_eq!(session[line].parcels.handles().collect::<Vec<_>>(), [parcel]);
        Ok(())
    }

    async fn a_one_to_one_of_several_columns_is_replaced(db: TestDb) -> Result<()> {
        let (sessions, _) = sessions(&db).await;
        let mut session = sessions.open();
        let order = session.add(Order::builder());
        let (one, two) = (line(&mut session, order, 1), line(&mut session, order, 2));
        let a = session.add(Note::builder().text("a").line_of(one));
        let b = session.add(Note::builder().text("b").line_of(two));
        session.commit().await?;
        session.link(one, OrderLine.note, b)?;
        session.link(two, OrderLine.note, a)?;
        session.commit().await?;
        assert_eq!((session[a].line, session[b].line), (Some(2), Some(1)));
        // Unseen, it is driven out.
        let mut session = sessions.open();
        let one = session.get(OrderLine, (1, 1)).await?.expect("a line");
        let c = session.add(Note::builder().text("c").line_of(one));
        session.commit().await?;
        let keys = session.all(select((Note.text, Note.line)).order_by(Note.text)).await?;
        assert_eq!(keys, [("a".into(), Some(2)), ("b".into(), None), ("c".into(), Some(1))]);
        assert_eq!(session[c].of_order, Some(1));
        Ok(())
    }

    async fn many_to_many_between_keys_of_two_columns(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let order = session.add(Order::builder());
        let lines: Vec<_> = (1..=3).map(|n| line(&mut session, order, n)).collect();
        let labels = session.add_all([("en", "new"), ("en", "old"), ("de", "new")].map(|(lang, word)| {
            Label::builder().lang(lang).word(word)
        }));
        session.link(lines[0], OrderLine.labels, labels[0])?;
        session.link(lines[0], OrderLine.labels, labels[2])?;
        session.link(labels[1], Label.lines, lines[1])?;
        session.commit().await?;

        let mut session = sessions.open();
        let lines = session.all(select(OrderLine).order_by(OrderLine.line_no)).await?;
        log.take();
        session.load(&lines, OrderLine.labels.with(Label.lines)).await?;
        assert_eq!(count_of(&log, "SELECT"), 2);
        let words = |session: &Session, line: Tracked<OrderLine>| -> Vec<String> {
            let labels = session[line].labels.handles();
            labels.map(|label| format!("{}:{}", session[label].lang, session[label].word)).collect()
        };
        let found: Vec<_> = lines.iter().map(|line| words(&session, *line)).collect();
        assert_eq!(found, [vec!["de:new".to_string(), "en:new".into()], vec!["en:old".into()], vec![]]);
        let label = session.get(Label, ("en".to_string(), "new".to_string())).await?.expect("a label");
        assert_eq!(session[label].lines.handles().collect::<Vec<_>>(), [lines[0]]);
        session.unlink(lines[0], OrderLine.labels, label)?;
        session.link(lines[2], OrderLine.labels, label)?;
        session.delete(lines[1])?;
        session.commit().await?;
        let mut session = sessions.open();
        let pairs = session.all(
            select((OrderLine.line_no, Label.lang, Label.word)).join(OrderLine.labels).order_by(OrderLine.line_no),
        ).await?;
        assert_eq!(pairs, [(1, "de".into(), "new".into()), (3, "en".into(), "new".into())]);
        Ok(())
    }

    async fn objects_with_a_key_of_two_columns_are_got_changed_and_deleted(db: TestDb) -> Result<()> {
        let (sessions, log) = sessions(&db).await;
        let mut session = sessions.open();
        let order = session.add(Order::builder());
        for number in 1..=5 {
            line(&mut session, order, number);
        }
        session.commit().await?;
        let id = session[order].id;

        let mut session = sessions.open();
        let two = session.get(OrderLine, (id, 2)).await?.expect("a line");
        log.take();
        let keys = [(id, 4), (id, 2), (id, 9), (id + 1, 1), (id, 4)];
        let found = session.get_many(OrderLine, keys).await?;
        assert_eq!(count_of(&log, "SELECT"), 1);
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, false, true]);
        assert_eq!((found[1], found[0]), (Some(two), found[4]));
        let four = found[0].expect("a line");
        assert_eq!((session[four].order_id, session[four].line_no), (id, 4));
        // All here: no statement.
        assert_eq!(session.get_many(OrderLine, [(id, 2), (id, 4)]).await?, [Some(two), Some(four)]);
        assert_eq!(session.get_many(Order, [id, -1]).await?.iter().flatten().count(), 1);
        assert_eq!(session.get_many(Order, Vec::<i64>::new()).await?, []);
        assert_eq!(count_of(&log, "SELECT"), 1);

        session[two].article = "changed".into();
        session[four].article = "too".into();
        session.commit().await?;
        session.expire_all();
        assert_eq!(session.fresh(two).await?.article, "changed");
        session.refresh(four).await?;
        assert_eq!(session[four].article, "too");
        // A part of the key changes: the row and the identity follow.
        session[four].line_no = 40;
        session.commit().await?;
        assert_eq!(session.get(OrderLine, (id, 40)).await?, Some(four));
        assert_eq!(session.get(OrderLine, (id, 4)).await?, None);
        session.delete(two)?;
        session.delete(four)?;
        session.commit().await?;
        let left = session.all(select(OrderLine.line_no).order_by(OrderLine.line_no)).await?;
        assert_eq!(left, [1, 3, 5]);
        Ok(())
    }
}

#[derive(Model, Debug)]
#[model(table = "shelves", foreign_key((room, wall), OrderLine(order_id, line_no)))]
struct Shelf {
    #[column(primary_key)]
    id: i64,
    room: i64,
    wall: i32,
    #[relationship]
    line: BelongsTo<OrderLine>,
}

#[test]
fn the_builder_takes_a_link_for_all_columns_of_its_key() {
    // It compiles: neither `room` nor `wall` is missing. `key = …` is not needed where one key leads there.
    fn takes(line: Tracked<OrderLine>) -> impl limbeck::model::New<Model = Shelf> {
        Shelf::builder().line(line)
    }
    let _ = takes;
    assert_eq!(<Shelf as limbeck::model::Model>::def().relations[0].key, ["room", "wall"]);
}
