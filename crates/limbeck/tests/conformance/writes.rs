//! What is written, in which groups, and what comes back: U19 to U21, U25 to U29, U54.

use limbeck::prelude::*;
use limbeck::session::{Session, SessionMaker, State};
use limbeck::sql::{case, literal};
use limbeck::{Error, Result};
use limbeck_test_support::{Kind, TestDb, both};

use super::sent::{Sent, sessions_with};

/// A row with all that a database may make.
#[derive(Model, Debug)]
#[model(table = "wr_items")]
pub(crate) struct Item {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(default = 1)]
    pub(crate) views: i64,
    pub(crate) note: Option<String>,
    #[column(server_default = "7")]
    pub(crate) stock: i32,
    #[column(computed("views * 2", stored))]
    pub(crate) twice: i64,
    #[column(default = 0, on_update = 99)]
    pub(crate) touched: i32,
}

/// A row that refers to another.
#[derive(Model, Debug)]
#[model(table = "wr_parts")]
pub(crate) struct Part {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(foreign_key(Item.id))]
    pub(crate) item_id: Option<i64>,
    #[relationship]
    pub(crate) item: BelongsTo<Option<Item>>,
}

/// A line a statement: `UPDATE wr_items (views) ×2`. Transactions are left out.
fn short(rows: &str, sql: &str) -> Option<String> {
    let (kind, rest) = sql.split_once(' ')?;
    let (table, columns) = match kind {
        "INSERT" => {
            let rest = rest.strip_prefix("INTO ")?;
            let (table, rest) = rest.split_once(' ')?;
            (
                table,
                rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or("", |(list, _)| list).to_owned(),
            )
        }
        "UPDATE" => {
            let (table, rest) = rest.split_once(" SET ")?;
            let sets = rest.split(" WHERE ").next()?.split(" FROM ").next()?;
            let names: Vec<&str> = sets.split(", ").filter_map(|set| Some(set.split_once(" = ")?.0)).collect();
            (table, names.join(", "))
        }
        "SELECT" => (rest.split_once("FROM ")?.1.split(' ').next()?, String::new()),
        "DELETE" => (rest.strip_prefix("FROM ")?.split(' ').next()?, String::new()),
        _ => return None,
    };
    Some(format!("{kind} {table} ({columns}) ×{rows}"))
}

async fn sessions(db: &TestDb) -> (SessionMaker, Sent) {
    sessions_with(db, limbeck::metadata![Item, Part].expect("metadata"), short).await
}

async fn open(db: &TestDb) -> (Session, Sent) {
    let (sessions, sent) = sessions(db).await;
    (sessions.open(), sent)
}

fn item(name: &str) -> impl limbeck::model::New<Model = Item> + use<> {
    Item::builder().name(name)
}

both! {
    /// Rows of one shape that were added one behind the other are one batch, and no others: so the database sees them
    /// in the order of `add`. SQLAlchemy has the same six groups.
    async fn u19_only_neighbours_of_one_shape_share_an_insert(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        session.add_all(["1", "2"].map(item));
        session.add_all([3, 4, 5].map(|id| Item::builder().id(id).name("k")));
        let six = session.add(Item::builder().id(6).name("k"));
        session.set(six, Item.views, literal(3i64) + 4)?;
        session.add_all([7, 8].map(|id| Item::builder().id(id).name("k")));
        session.add_all([9, 10].map(|id| Item::builder().id(id).name("k").stock(1)));
        session.add(Item::builder().id(11).name("k"));
        session.commit().await?;
        assert_eq!(sent.take(), [
            "INSERT wr_items (name, views, note, touched) ×2",
            "INSERT wr_items (id, name, views, note, touched) ×3",
            "INSERT wr_items (views, id, name, note, touched) ×1",
            "INSERT wr_items (id, name, views, note, touched) ×2",
            "INSERT wr_items (id, name, views, note, stock, touched) ×2",
            "INSERT wr_items (id, name, views, note, touched) ×1",
        ]);
        let rows = session.all(select((Item.id, Item.views, Item.twice, Item.stock)).order_by(Item.id)).await?;
        let wanted = (1..=11).map(|id| match id {
            6 => (6, 7, 14, 7),
            9 | 10 => (id, 1, 2, 1),
            _ => (id, 1, 2, 7),
        });
        assert_eq!(rows, wanted.collect::<Vec<_>>());
        assert_eq!((session[six].views, session[six].twice, session[six].stock), (7, 14, 7));
        Ok(())
    }

    async fn u20_equal_values_are_not_sent_unless_the_old_one_is_unknown(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let pen = session.add(item("pen"));
        session.commit().await?;
        sent.take();
        // Set to what it is; set, and set back.
        session[pen].name = "pen".into();
        session.set(pen, Item.views, 1)?;
        session[pen].note = Some("x".into());
        session[pen].note = None;
        session.commit().await?;
        assert_eq!(sent.take(), Vec::<String>::new());
        assert_eq!(session[pen].touched, 0);
        session.expire(pen)?;
        session.set(pen, Item.name, "pen")?;
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE wr_items (name, touched) ×1"]);
        assert_eq!(session.fresh(pen).await?.touched, 99);
        Ok(())
    }

    async fn u21_an_update_has_the_changed_columns_of_the_changed_rows(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let items = session.add_all(["a", "b", "c", "d"].map(item));
        session.commit().await?;
        sent.take();
        session[items[3]].views = 4;
        session[items[1]].note = Some("n".into());
        session[items[0]].views = 2;
        session.commit().await?;
        // Rows of one shape are one batch, wherever they are: which of them is first makes no difference to anybody.
        assert_eq!(sent.take(), ["UPDATE wr_items (views, touched) ×2", "UPDATE wr_items (note, touched) ×1"]);
        // What the database computes came back with the statement.
        let twice: Vec<i64> = items.iter().map(|item| session[*item].twice).collect();
        assert_eq!(twice, [4, 2, 2, 8]);
        assert_eq!(sent.take(), Vec::<String>::new());
        Ok(())
    }

    /// SQLAlchemy sends each row with an expression alone; here they share a statement where nothing but the row differs.
    async fn u25_an_expression_is_in_the_statement_and_its_value_comes_back_with_it(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let items = session.add_all(["a", "b", "c"].map(item));
        session.commit().await?;
        sent.take();
        for item in &items[..2] {
            session.set(*item, Item.views, Item.views + 10)?;
        }
        session.set(items[2], Item.views, Item.views + 20)?;
        session[items[2]].note = Some("c".into());
        assert_eq!((session[items[0]].views, session[items[0]].twice), (1, 2));
        assert!(session.is_modified(items[0])? && session.has_changes());
        assert_eq!(session.dirty(Item).collect::<Vec<_>>(), items);
        session.commit().await?;
        assert_eq!(sent.take(), ["UPDATE wr_items (views, touched) ×2", "UPDATE wr_items (views, note, touched) ×1"]);
        let held = |session: &Session| {
            items.iter().map(|item| (session[*item].views, session[*item].twice)).collect::<Vec<_>>()
        };
        assert_eq!(held(&session), [(11, 22), (11, 22), (21, 42)]);
        assert!(!session.is_modified(items[0])? && !session.has_changes());
        session.commit().await?;
        assert_eq!(sent.take(), Vec::<String>::new());
        let rows = session.all(select((Item.views, Item.twice)).order_by(Item.id)).await?;
        assert_eq!(rows, held(&session));
        // In an INSERT, from another table's rows, and with a list among the values.
        let most = select(Item.views.max().coalesce(0)).scalar();
        let new = session.add(item("d"));
        session.set(new, Item.views, most.coalesce(0))?;
        session.set(items[0], Item.note, Item.name.upper())?;
        session.set(items[1], Item.touched, case().when(Item.views.in_([11, 12]), 5).otherwise(6))?;
        session.commit().await?;
        assert_eq!((session[new].views, session[new].twice, session[new].stock), (21, 42, 7));
        assert_eq!((session[items[0]].note.as_deref(), session[items[1]].touched), (Some("A"), 5));
        Ok(())
    }

    async fn u25_of_an_expression_and_a_value_the_last_counts(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let pen = session.add(item("pen"));
        session.commit().await?;
        sent.take();
        session.set(pen, Item.views, Item.views + 1)?;
        session[pen].views = 5;
        session.flush().await?;
        assert_eq!((session[pen].views, sent.take()), (5, vec!["UPDATE wr_items (views, touched) ×1".to_string()]));
        session.set(pen, Item.views, Item.views + 1)?;
        session.set(pen, Item.views, 5)?;
        assert!(!session.is_modified(pen)?);
        session.flush().await?;
        assert_eq!(sent.take(), Vec::<String>::new());
        session[pen].views = 9;
        session.set(pen, Item.views, Item.views + 1)?;
        session.set(pen, Item.views, Item.views + 2)?;
        session.flush().await?;
        // The row had 5: what was assigned before was never sent.
        assert_eq!(session[pen].views, 7);
        // NULL, and what an `Option` takes.
        session.set(pen, Item.note, "text")?;
        session.set(pen, Item.note, Some("text".to_string()))?;
        session.set(pen, Item.note, Item.name)?;
        session.commit().await?;
        assert_eq!(session[pen].note.as_deref(), Some("pen"));
        session.set(pen, Item.note, None)?;
        session.commit().await?;
        assert_eq!(session[pen].note, None);
        Ok(())
    }

    async fn u25_what_takes_a_flush_back_takes_an_expression_back(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let (pen, ink) = (session.add(item("pen")), session.add(item("ink")));
        session.commit().await?;
        // Unflushed.
        session.set(pen, Item.views, Item.views + 1)?;
        session.rollback().await?;
        assert!(!session.is_modified(pen)? && !session.has_changes());
        // Flushed.
        session.set(pen, Item.views, Item.views + 1)?;
        session.flush().await?;
        assert_eq!(session[pen].views, 2);
        let mut nested = session.begin_nested().await?;
        nested.set(pen, Item.views, Item.views * 10)?;
        nested.flush().await?;
        assert_eq!((nested[pen].views, nested[pen].twice), (20, 40));
        nested.rollback().await?;
        assert_eq!((session[pen].views, session[pen].twice), (2, 4));
        session.rollback().await?;
        assert_eq!((session[pen].views, session[pen].twice, session[pen].touched), (1, 2, 0));
        // A flush that fails keeps what it had to do.
        session.set(pen, Item.views, Item.views + 1)?;
        let bad = session.add(Part::builder().item_id(99));
        session.commit().await.expect_err("no such item");
        assert_eq!(session[pen].views, 1);
        assert!(session.is_modified(pen)?);
        session[bad].item_id = Some(session[ink].id);
        session.commit().await?;
        assert_eq!((session[pen].views, session.one(select(Item.views).filter(Item.name.eq("pen"))).await?), (2, 2));
        // One that was new is added again as it was.
        let new = session.add(item("new"));
        session.set(new, Item.views, literal(40i64) + 2)?;
        session.flush().await?;
        assert_eq!(session[new].views, 42);
        session.rollback().await?;
        assert_eq!((session.state(new)?, session[new].views), (State::Transient, 1));
        session.add(new);
        session.commit().await?;
        assert_eq!(session[new].views, 42);
        Ok(())
    }

    async fn u25_a_key_set_to_an_expression_is_followed_and_new_rows_may_have_one(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let (pen, ink) = (session.add(item("pen")), session.add(item("ink")));
        let part = session.add(Part::builder().item(pen));
        session.commit().await?;
        let first = select(Item.id).filter(Item.name.eq("ink")).scalar();
        session.set(part, Part.item_id, first)?;
        session.commit().await?;
        assert_eq!((session[part].item_id, session[part].item.get()), (Some(session[ink].id), Some(ink)));
        // The key of a new row, which RETURNING tells.
        let far = session.add(item("far"));
        session.set(far, Item.id, literal(1000i64) + 1)?;
        let of_far = session.add(Part::builder().item(far));
        session.commit().await?;
        assert_eq!((session[far].id, session[of_far].item_id), (1001, Some(1001)));
        assert_eq!(session.get(Item, 1001).await?, Some(far));
        Ok(())
    }

    async fn u25_what_no_row_can_compute_is_refused_at_once(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let (pen, new) = (session.add(item("pen")), session.add(item("new")));
        session.flush().await?;
        session.expunge(new)?;
        let new = session.add(item("new"));
        sent.take();
        let said = |result: Result<()>| result.expect_err("a refusal").to_string();
        let other = Item.alias("other");
        insta::allow_duplicates! {
            insta::assert_snapshot!(said(session.set(pen, Item.views, Part.id)), @"`Part.id` is used in an expression for a column of one `Item`, and is not a column of that row: read it by a query, as in `select(Part.id).filter(…).scalar()`");
            insta::assert_snapshot!(said(session.set(pen, Item.views, other.views + 1)), @"`other.views` is used, but `wr_items` under the name `other` is not in the query: begin it with `.from(other)`, or join it, as in `.join(….to(other))`");
            insta::assert_snapshot!(said(session.set(pen, Item.views, Item.views.max().coalesce(0))), @"an aggregate cannot be set, since it is made of many rows and a column is set row by row: compute it by a query of its own, as in `.set(column, select(…).scalar())`");
            insta::assert_snapshot!(said(session.set(pen, Item.id, Item.id + 1)), @"`Item`: cannot have its column `id` set to an expression, since the session finds rows by it: set it to a value");
            insta::assert_snapshot!(said(session.set(pen, Item.twice, Item.views + 1)), @"Item.twice: the database alone makes its value: a statement cannot set it");
            insta::assert_snapshot!(said(session.set(new, Item.views, Item.views + 1)), @"`Item.views` is used in an expression for a new `Item`, which has no row that could have a value of it: flush first, or use the value that the object holds");
        }
        assert!(!session.is_modified(pen)?);
        assert_eq!(sent.take(), Vec::<String>::new());
        Ok(())
    }

    async fn u26_defaults_that_were_sent_are_not_fetched_and_others_come_with_the_insert(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let given = session.add(Item::builder().name("a").stock(3));
        let made = session.add(item("b"));
        session.commit().await?;
        assert_eq!(sent.take(), [
            "INSERT wr_items (name, views, note, stock, touched) ×1",
            "INSERT wr_items (name, views, note, touched) ×1",
        ]);
        assert_eq!((session[given].stock, session[made].stock, session[made].twice), (3, 7, 2));
        assert_eq!(sent.take(), Vec::<String>::new());
        Ok(())
    }

    /// SQLAlchemy's attribute events do not exist here; what they would break does: a flush leaves nothing to flush.
    async fn u27_what_a_flush_writes_into_objects_is_no_change(db: TestDb) -> Result<()> {
        let (mut session, sent) = open(&db).await;
        let pen = session.add(item("pen"));
        let part = session.add(Part::builder().item(pen));
        session.flush().await?;
        assert!(!session.has_changes() && !session.is_modified(pen)? && !session.is_modified(part)?);
        session[pen].name.push('!');
        session.flush().await?;
        assert!(!session.has_changes() && !session.is_modified(pen)?);
        sent.take();
        session.commit().await?;
        assert_eq!(sent.take(), Vec::<String>::new());
        Ok(())
    }

    async fn u29_an_insert_that_the_table_did_not_take_is_an_error_and_the_object_is_pending_again(db: TestDb) -> Result<()> {
        let (mut session, _) = open(&db).await;
        let mut connection = session.engine().connect().await?;
        if db.is_postgres() {
            connection
                .execute_raw("CREATE FUNCTION wr_no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
                .await?;
            connection
                .execute_raw("CREATE TRIGGER wr_no BEFORE INSERT ON wr_items FOR EACH ROW WHEN (NEW.name = 'no') \
                              EXECUTE FUNCTION wr_no()")
                .await?;
        } else {
            connection
                .execute_raw("CREATE TRIGGER wr_no BEFORE INSERT ON wr_items WHEN NEW.name = 'no' BEGIN \
                              SELECT RAISE(IGNORE); END")
                .await?;
        }
        drop(connection);
        let (yes, no) = (session.add(item("yes")), session.add(item("no")));
        let refused = session.flush().await.expect_err("a trigger");
        assert!(matches!(refused, Error::NotInserted { table: "wr_items", expected: 2, found: 1 }), "{refused}");
        assert_eq!((session.state(yes)?, session.state(no)?), (State::Pending, State::Pending));
        assert_eq!((session[yes].id, session[yes].stock), (0, 0));
        session[no].name = "maybe".into();
        session.commit().await?;
        assert_eq!(session.all(select(Item.name).order_by(Item.id)).await?, ["yes", "maybe"]);
        Ok(())
    }

    async fn u54_to_set_a_column_of_an_expired_object_reads_nothing_and_reading_keeps_it(db: TestDb) -> Result<()> {
        let (sessions, sent) = sessions(&db).await;
        let mut session = sessions.open();
        let pen = session.add(item("pen"));
        let ink = session.add(item("ink"));
        session.commit().await?;
        sent.take();
        for item in [pen, ink] {
            session.expire(item)?;
        }
        session.set(pen, Item.note, "mine")?;
        session.set(ink, Item.views, Item.views + 1)?;
        assert_eq!(sent.take(), Vec::<String>::new());
        let mut other = sessions.open();
        let theirs = other.all(select(Item)).await?;
        for item in theirs {
            other[item].name.push('!');
            other[item].note = Some("theirs".into());
            other[item].views = 10;
        }
        other.commit().await?;
        sent.take();
        session.fresh(pen).await?;
        assert_eq!((session[pen].name.as_str(), session[pen].note.as_deref()), ("pen!", Some("mine")));
        assert_eq!(session.fresh(ink).await?.name, "ink!");
        session.commit().await?;
        let mut lines = sent.take();
        lines.retain(|line| !line.starts_with("SELECT"));
        assert_eq!(lines, ["UPDATE wr_items (note, touched) ×1", "UPDATE wr_items (views, touched) ×1"]);
        assert_eq!((session[ink].views, session[ink].note.as_deref()), (11, Some("theirs")));
        let rows = session.all(select((Item.note, Item.views)).order_by(Item.id)).await?;
        assert_eq!(rows, [(Some("mine".into()), 10), (Some("theirs".into()), 11)]);
        Ok(())
    }
}

#[tokio::test]
async fn on_postgres_rows_with_expressions_cost_as_many_round_trips_as_one() -> Result<()> {
    let Some(db) = TestDb::of(Kind::Postgres) else { return Ok(()) };
    let (sessions, _) = sessions(&db).await;
    let mut session = sessions.open();
    let items = session.add_all((0..300).map(|i| item(&format!("{i}"))));
    session.commit().await?;
    // The same for all; another value for each.
    for (step, statements) in [(0, 3), (1, 302)] {
        for warm in [true, false] {
            for (i, item) in (0..).zip(&items) {
                session.set(*item, Item.views, Item.views + 1 + step * i)?;
            }
            let before = session.stats();
            session.commit().await?;
            let cost = session.stats() - before;
            if !warm {
                assert_eq!((cost.statements, cost.round_trips), (statements, 2));
            }
        }
    }
    assert_eq!(session[items[299]].views, 1 + 4 + 2 * 299);
    assert_eq!(session[items[299]].twice, 2 * session[items[299]].views);
    Ok(())
}
