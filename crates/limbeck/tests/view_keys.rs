//! Views over keys of several columns, over one-to-one relationships, and beside a table that is there already.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use common::Log;
use insta::assert_snapshot;
use limbeck::dialect::Dialect;
use limbeck::engine::Connection;
use limbeck::prelude::*;
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "order_lines")]
struct OrderLine {
    #[column(primary_key)]
    order_id: i64,
    #[column(primary_key)]
    line_no: i32,
    article: String,
    #[relationship(back_populates = line)]
    parcels: HasMany<Parcel>,
    #[relationship(back_populates = line_of)]
    note: HasOne<Note>,
    #[relationship(secondary = "line_labels", back_populates = lines)]
    labels: ManyToMany<Label>,
}

#[derive(Model, Debug)]
#[model(table = "parcels", foreign_key((order_id, line_no), OrderLine(order_id, line_no)))]
struct Parcel {
    #[column(primary_key)]
    id: i64,
    order_id: i64,
    line_no: Option<i32>,
    #[relationship(back_populates = parcels, key = (order_id, line_no))]
    line: BelongsTo<Option<OrderLine>>,
}

/// Its columns stand in another order than those that they refer to.
#[derive(Model, Debug)]
#[model(table = "notes", unique(line, of_order), foreign_key((line, of_order), OrderLine(line_no, order_id)))]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: Option<String>,
    line: i32,
    of_order: i64,
    #[relationship(back_populates = note, key = (line, of_order))]
    line_of: BelongsTo<OrderLine>,
}

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

#[derive(View, Debug, PartialEq)]
#[view(OrderLine)]
struct Line {
    article: String,
    note: Option<NoteText>,
    #[view(path = parcels.id)]
    parcels: Vec<i64>,
    #[view(path = labels.word, order_by = Label.word.desc())]
    labels: Vec<String>,
    #[view(expr = OrderLine.parcels.count())]
    count: i64,
    #[view(expr = OrderLine.labels.any(Label.lang.eq("de")))]
    german: bool,
}

#[derive(View, Debug, PartialEq)]
#[view(Note)]
struct NoteText {
    text: Option<String>,
}

#[derive(View, Debug, PartialEq)]
#[view(Parcel)]
struct Sent {
    id: i64,
    #[view(path = line.note.text)]
    note: Option<String>,
    line: Option<Article>,
}

#[derive(View, Debug, PartialEq)]
#[view(OrderLine)]
struct Article {
    article: String,
}

async fn orders(db: &TestDb) -> (Connection, Log) {
    let log = Log::default();
    let engine = Engine::builder(db.url()).echo_to(log.sink()).connect().await.expect("the test's database");
    let tables = limbeck::metadata![OrderLine, Parcel, Note, Label].expect("metadata");
    engine.create_all(&tables).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    let hello = session.add(Label::builder().lang("en").word("hello"));
    let hallo = session.add(Label::builder().lang("de").word("hallo"));
    // Order and number the other way round: a key is both of them.
    let first = session.add(OrderLine::builder().order_id(1).line_no(2).article("a").labels([hello, hallo]));
    let second = session.add(OrderLine::builder().order_id(2).line_no(1).article("b").labels([hello]));
    session.add(OrderLine::builder().order_id(2).line_no(2).article("c"));
    session.add(Note::builder().line_of(first).text("fragile"));
    session.add(Note::builder().line_of(second));
    for line in [first, second, first] {
        session.add(Parcel::builder().line(line));
    }
    session.add(Parcel::builder().order_id(2));
    session.commit().await.expect("the orders");
    log.take();
    (engine.connect().await.expect("a connection"), log)
}

both! {
    async fn lists_are_found_by_keys_of_several_columns(db: TestDb) {
        let (mut db, log) = orders(&db).await;
        let lines = db.all(select(Line).order_by(OrderLine.article)).await.expect("lines");
        assert_eq!(log.take().len(), 3);
        let line = |article: &str, note, parcels: &[i64], labels: &[&str]| Line {
            article: article.into(),
            note,
            parcels: parcels.into(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            count: parcels.len() as i64,
            german: labels.contains(&"hallo"),
        };
        assert_eq!(lines, [
            line("a", Some(NoteText { text: Some("fragile".into()) }), &[1, 3], &["hello", "hallo"]),
            // A note without a text is a note.
            line("b", Some(NoteText { text: None }), &[2], &["hello"]),
            line("c", None, &[], &[]),
        ]);
    }

    async fn what_is_behind_a_row_that_may_be_missing_may_be_missing_too(db: TestDb) {
        let (mut db, _) = orders(&db).await;
        let query = select(Sent).order_by(Parcel.id);
        insta::allow_duplicates! {
            assert_snapshot!(query.to_sql(Dialect::Postgres).expect("a query"), @"SELECT parcels.id, notes.text, order_lines.order_id IS NOT NULL, order_lines.article FROM parcels LEFT JOIN order_lines ON order_lines.order_id = parcels.order_id AND order_lines.line_no = parcels.line_no LEFT JOIN notes ON notes.line = order_lines.line_no AND notes.of_order = order_lines.order_id ORDER BY parcels.id");
        }
        let sent = |id, note: Option<&str>, line: Option<&str>| Sent {
            id,
            note: note.map(str::to_owned),
            line: line.map(|article| Article { article: article.into() }),
        };
        assert_eq!(db.all(query).await.expect("parcels"), [
            sent(1, Some("fragile"), Some("a")),
            sent(2, None, Some("b")),
            sent(3, Some("fragile"), Some("a")),
            sent(4, None, None),
        ]);
    }

    async fn a_one_to_one_needs_an_option(db: TestDb) {
        #[derive(View, Debug)]
        #[view(OrderLine)]
        struct Noted {
            #[allow(dead_code)]
            note: NoteText,
        }
        let (mut db, _) = orders(&db).await;
        let error = db.all(select(Noted)).await.expect_err("lines would vanish");
        insta::allow_duplicates! { assert_snapshot!(error, @"`Noted.note` follows `OrderLine.note`, and there may be no row at its other end: its type has to be an `Option`, which is a LEFT JOIN") }
    }

    async fn a_view_beside_another_of_its_table_has_its_expressions_renamed(db: TestDb) {
        #[derive(View, Debug, PartialEq)]
        #[view(Note)]
        struct Beside {
            id: i64,
            line_of: LineWithNote,
        }
        #[derive(View, Debug, PartialEq)]
        #[view(OrderLine)]
        struct LineWithNote {
            #[view(expr = OrderLine.parcels.count())]
            parcels: i64,
            note: Option<Shouted>,
        }
        #[derive(View, Debug, PartialEq)]
        #[view(Note)]
        struct Shouted {
            #[view(expr = Note.text.coalesce("nothing").upper())]
            text: String,
            #[view(expr = limbeck::sql::exists(select(Parcel).filter(Parcel.order_id.eq(Note.of_order))))]
            sent: bool,
        }
        let (mut db, _) = orders(&db).await;
        let query = select(Beside).order_by(Note.id);
        insta::allow_duplicates! {
            assert_snapshot!(query.to_sql(Dialect::Postgres).expect("a query"), @"SELECT notes.id, (SELECT count(*) FROM parcels WHERE parcels.order_id = order_lines.order_id AND parcels.line_no = order_lines.line_no), note.id IS NOT NULL, upper(coalesce(note.text, $1)), EXISTS (SELECT 1 FROM parcels WHERE parcels.order_id = note.of_order) FROM notes JOIN order_lines ON order_lines.line_no = notes.line AND order_lines.order_id = notes.of_order LEFT JOIN notes AS note ON note.line = order_lines.line_no AND note.of_order = order_lines.order_id ORDER BY notes.id");
        }
        let beside = |id, parcels, text: &str| Beside {
            id,
            line_of: LineWithNote { parcels, note: Some(Shouted { text: text.into(), sent: true }) },
        };
        assert_eq!(db.all(query).await.expect("notes"), [beside(1, 2, "FRAGILE"), beside(2, 1, "NOTHING")]);
    }
}

#[cfg(feature = "json")]
#[tokio::test]
async fn a_view_is_serialised_by_a_derive_beside_it() {
    #[derive(View, serde::Serialize)]
    #[view(Label)]
    #[serde(rename_all = "UPPERCASE")]
    struct Tagged {
        word: String,
        lines: Vec<Article>,
    }
    #[derive(View, serde::Serialize)]
    #[view(OrderLine)]
    struct Article {
        article: String,
    }
    let engine = Engine::builder("sqlite::memory:").connect().await.expect("a database");
    let tables = limbeck::metadata![OrderLine, Parcel, Note, Label].expect("metadata");
    engine.create_all(&tables).await.expect("tables");
    let mut session = engine.sessionmaker().open();
    let hello = session.add(Label::builder().lang("en").word("hello"));
    session.add(OrderLine::builder().order_id(1).line_no(1).article("a").labels([hello]));
    session.commit().await.expect("a label");
    let labels = session.all(select(Tagged)).await.expect("labels");
    let json = serde_json::to_string(&labels).expect("JSON");
    assert_eq!(json, r#"[{"WORD":"hello","LINES":[{"article":"a"}]}]"#);
}
