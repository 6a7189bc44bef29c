//! What lies between the features: expressions, hooks, versions, unique values and keys that change, each with the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use limbeck::prelude::*;
use limbeck::session::{Hooks, Session, SessionMaker, State};
use limbeck::sql::{delete, literal, update};
use limbeck::{Error, Result};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "btw_folders")]
pub(crate) struct Folder {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(unique)]
    pub(crate) name: String,
    #[column(version)]
    pub(crate) version: i32,
    #[relationship(back_populates = folder, cascade = "all, delete-orphan")]
    pub(crate) docs: HasMany<Doc>,
}

/// A row with a version, a computed column, a default of the database and a column that is fetched when asked for.
#[derive(Model, Debug)]
#[model(table = "btw_docs")]
pub(crate) struct Doc {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(unique)]
    pub(crate) title: String,
    #[column(default = 0)]
    pub(crate) views: i64,
    #[column(computed("views * 2", stored))]
    pub(crate) twice: i64,
    #[column(server_default = "'none'")]
    pub(crate) slug: String,
    #[column(server_default = "'long'")]
    pub(crate) body: Deferred<String>,
    pub(crate) note: Option<String>,
    #[column(version)]
    pub(crate) version: i32,
    #[column(foreign_key(Folder.id))]
    pub(crate) folder_id: Option<i64>,
    #[relationship(back_populates = docs)]
    pub(crate) folder: BelongsTo<Option<Folder>>,
}

#[derive(Model, Debug)]
#[model(table = "btw_entries")]
pub(crate) struct Entry {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) text: String,
}

#[derive(Model, Debug)]
#[model(table = "btw_lands")]
pub(crate) struct Land {
    #[column(primary_key)]
    pub(crate) code: String,
    #[column(default = 0)]
    pub(crate) n: i32,
    #[relationship(back_populates = land)]
    pub(crate) cities: HasMany<City>,
    #[relationship(secondary = "btw_land_tags", back_populates = lands)]
    pub(crate) tags: ManyToMany<Tag>,
}

#[derive(Model, Debug)]
#[model(table = "btw_tags")]
pub(crate) struct Tag {
    #[column(primary_key, default = uuid::Uuid::now_v7())]
    pub(crate) id: uuid::Uuid,
    pub(crate) name: String,
    #[relationship(secondary = "btw_land_tags", back_populates = tags)]
    pub(crate) lands: ManyToMany<Land>,
}

/// Its key follows that of its land, in the database.
#[derive(Model, Debug)]
#[model(table = "btw_cities")]
pub(crate) struct City {
    #[column(primary_key, foreign_key(Land.code, on_update = cascade))]
    pub(crate) land_code: String,
    #[column(primary_key)]
    pub(crate) name: String,
    #[column(default = 0)]
    pub(crate) people: i64,
    #[column(version)]
    pub(crate) version: i64,
    #[relationship(back_populates = cities)]
    pub(crate) land: BelongsTo<Land>,
}

async fn maker(db: &TestDb) -> SessionMaker {
    let engine = Engine::builder(db.url()).connect().await.expect("the test's database");
    let models = limbeck::metadata![Folder, Doc, Entry, Land, Tag, City].expect("metadata");
    engine.create_all(&models).await.expect("tables");
    engine.sessionmaker()
}

fn doc(title: &str) -> impl limbeck::model::New<Model = Doc> + use<> {
    Doc::builder().title(title)
}

type Row = (i64, String, i64, i64, String, Option<String>, i32, Option<i64>);

/// Memory and database agree about all docs that are here and not expired.
async fn agree(session: &mut Session, docs: &[Tracked<Doc>]) -> Result<()> {
    session.flush().await?;
    let rows: Vec<Row> = session
        .all(
            select((Doc.id, Doc.title, Doc.views, Doc.twice, Doc.slug, Doc.note, Doc.version, Doc.folder_id))
                .order_by(Doc.id),
        )
        .await?;
    for doc in docs {
        let Ok(d) = session.try_get(*doc) else { continue };
        if session.state(*doc)? != State::Persistent {
            continue;
        }
        let row = rows.iter().find(|row| row.0 == d.id).unwrap_or_else(|| panic!("no row for {d:?}"));
        let mine = (d.id, d.title.clone(), d.views, d.twice, d.slug.clone(), d.note.clone(), d.version, d.folder_id);
        assert_eq!(&mine, row, "memory = left, database = right");
        if d.folder.is_loaded() {
            assert_eq!(d.folder.get().map(|f| session[f].id), d.folder_id, "relationship");
        }
    }
    Ok(())
}

/// A before_flush hook that writes a log.
fn logging() -> Hooks {
    Hooks::new().before_flush(async |session: &mut Session| {
        if session.new(Doc).next().is_some() || session.dirty(Doc).next().is_some() {
            session.add(Entry::builder().text("flush"));
        }
        Ok(())
    })
}

async fn entries(session: &mut Session) -> Result<u64> {
    session.count(select(Entry)).await
}

async fn cities(session: &mut Session) -> Result<Vec<(String, String, i64)>> {
    session.all(select((City.land_code, City.name, City.people)).order_by((City.land_code, City.name))).await
}

fn row(a: &str, b: &str, n: i64) -> (String, String, i64) {
    (a.into(), b.into(), n)
}

both! {
    async fn a_failed_flush_with_hooks_keeps_expressions(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.hooks(logging()).open();
        let (a, b) = (session.add(doc("a")), session.add(doc("b")));
        session.commit().await?;
        session.set(a, Doc.views, Doc.views + 1)?;
        let c = session.add(doc("b"));
        assert!(matches!(session.flush().await, Err(Error::UniqueViolation(_))));
        assert!(session.is_modified(a)?, "the expression is lost");
        session[c].title = "c".into();
        session.commit().await?;
        assert_eq!((session[a].views, session[a].twice), (1, 2));
        agree(&mut session, &[a, b, c]).await?;
        assert_eq!(entries(&mut session).await?, 2);
        Ok(())
    }

    async fn an_expression_of_a_hook_is_taken_back_with_the_flush(db: TestDb) -> Result<()> {
        let hooks = Hooks::new().before_update(Doc, |session, doc| session.set(doc, Doc.views, Doc.views + 1));
        let mut session = maker(&db).await.hooks(hooks).open();
        let (a, b) = (session.add(doc("a")), session.add(doc("b")));
        session.commit().await?;
        session[a].note = Some("x".into());
        let c = session.add(doc("b"));
        assert!(session.flush().await.is_err());
        session[a].note = None;
        assert!(!session.is_modified(a)?, "the hook's expression is left");
        session[c].title = "c".into();
        session.commit().await?;
        assert_eq!(session[a].views, 0);
        session[a].note = Some("x".into());
        session.commit().await?;
        assert_eq!(session[a].views, 1);
        agree(&mut session, &[a, b, c]).await
    }

    async fn what_was_set_on_an_expired_object_survives_a_failed_flush_with_hooks(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.hooks(logging()).open();
        let (a, b) = (session.add(doc("a")), session.add(doc("b")));
        session.commit().await?;
        session.expire(a)?;
        session.set(a, Doc.note, Some("set".into()))?;
        session.expire(b)?;
        session.set(b, Doc.views, Doc.views + 4)?;
        let c = session.add(doc("b"));
        assert!(session.flush().await.is_err());
        session[c].title = "c".into();
        session.commit().await?;
        session.fresh(a).await?;
        session.fresh(b).await?;
        assert_eq!((session[a].note.as_deref(), session[b].views), (Some("set"), 4));
        agree(&mut session, &[a, b, c]).await
    }

    async fn an_expression_comes_back_with_an_object_that_a_hook_deleted(db: TestDb) -> Result<()> {
        let go = Arc::new(AtomicBool::new(true));
        let flag = go.clone();
        let hooks = Hooks::new().before_flush(async move |session: &mut Session| {
            if flag.load(Ordering::SeqCst) {
                for doc in session.dirty(Doc).collect::<Vec<_>>() {
                    session.delete(doc)?;
                }
                return Err(Error::hook("no"));
            }
            Ok(())
        });
        go.store(false, Ordering::SeqCst);
        let mut session = maker(&db).await.hooks(hooks).open();
        let a = session.add(doc("a"));
        session.commit().await?;
        go.store(true, Ordering::SeqCst);
        session.set(a, Doc.views, Doc.views + 1)?;
        assert!(session.flush().await.is_err());
        assert_eq!(session.deleted(Doc).count(), 0);
        go.store(false, Ordering::SeqCst);
        session.commit().await?;
        assert_eq!(session[a].views, 1);
        agree(&mut session, &[a]).await
    }

    async fn a_transient_object_keeps_what_it_holds_when_a_flush_with_hooks_fails(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.hooks(logging()).open();
        let b = session.add(doc("b"));
        session.commit().await?;
        let a = session.add(doc("a"));
        session.set(a, Doc.views, literal(1i64) + 1)?;
        session.rollback().await?;
        session[a].note = Some("while transient".into());
        let c = session.add(doc("b"));
        assert!(session.flush().await.is_err());
        session.expunge(c)?;
        session.add(a);
        session.commit().await?;
        assert_eq!((session[a].views, session[a].note.as_deref()), (2, Some("while transient")));
        agree(&mut session, &[a, b]).await
    }

    async fn reading_a_column_again_forgets_its_expression(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let a = session.add(doc("a"));
        session.commit().await?;
        session.set(a, Doc.views, Doc.views + 1)?;
        session.refresh_columns(a, (Doc.views,)).await?;
        assert!(!session.is_modified(a)?, "what was changed of them is forgotten");
        session.commit().await?;
        assert_eq!(session[a].views, 0);
        agree(&mut session, &[a]).await
    }

    async fn rows_that_overwrite_objects_forget_expressions(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.autoflush(false).open();
        let a = session.add(doc("a"));
        session.commit().await?;
        session.set(a, Doc.views, Doc.views + 1)?;
        session[a].note = Some("n".into());
        session.all(select(Doc).populate_existing()).await?;
        assert!(!session.is_modified(a)?);
        session.commit().await?;
        assert_eq!((session[a].views, session[a].note.as_deref()), (0, None));
        agree(&mut session, &[a]).await
    }

    async fn of_an_expression_and_a_merged_value_the_last_counts(db: TestDb) -> Result<()> {
        let maker = maker(&db).await;
        let mut session = maker.open();
        let a = session.add(doc("a"));
        session.commit().await?;
        let mut other = maker.open();
        let theirs = other.get(Doc, session[a].id).await?.expect("a");
        let mut value = other.expunge(theirs)?;
        other.rollback().await?;
        session.set(a, Doc.views, Doc.views + 1)?;
        value.note = Some("m".into());
        session.merge(value).await?;
        session.commit().await?;
        assert_eq!((session[a].views, session[a].note.as_deref()), (0, Some("m")), "the merged value is the last word");
        agree(&mut session, &[a]).await
    }

    async fn a_value_that_an_expression_lets_go_of_can_be_taken(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let (a, b) = (session.add(doc("a")), session.add(doc("b")));
        session.commit().await?;
        // b (the later key) lets go of its title by an expression, a takes it.
        session.set(b, Doc.title, Doc.title.concat("!"))?;
        session[a].title = "b".into();
        session.flush().await?;
        assert_eq!((session[a].title.as_str(), session[b].title.as_str()), ("b", "b!"));
        agree(&mut session, &[a, b]).await
    }

    async fn nothing_stands_aside_that_an_expression_is_computed_from(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let docs = session.add_all(["a", "b", "c", "d"].map(doc));
        session.commit().await?;
        session.set(docs[3], Doc.title, Doc.title.concat("!"))?;
        session[docs[2]].title = "d".into();
        session[docs[1]].title = "c".into();
        session[docs[0]].title = "b".into();
        let e = session.add(doc("a"));
        session.flush().await?;
        let titles: Vec<_> = docs.iter().map(|d| session[*d].title.clone()).collect();
        assert_eq!(titles, ["b", "c", "d", "d!"]);
        agree(&mut session, &docs).await?;
        agree(&mut session, &[e]).await?;
        // swap with expressions on both that name the title
        let (a, b) = (docs[0], docs[1]);
        session[a].title = "c".into();
        session[b].title = "b".into();
        session.set(a, Doc.views, Doc.views + 1)?;
        session.set(b, Doc.views, Doc.views + 2)?;
        session.flush().await?;
        assert_eq!((session[a].views, session[b].views), (1, 2));
        session[a].title = "b".into();
        session[b].title = "c".into();
        session.set(a, Doc.note, Doc.title.concat("?"))?;
        session.flush().await?;
        assert_eq!(session[a].note.as_deref(), Some("c?"));
        session[a].title = "c".into();
        session[b].title = "b".into();
        session.set(a, Doc.note, Doc.title.concat("?"))?;
        session.set(b, Doc.note, Doc.title.concat("?"))?;
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::UniqueCycle { .. }), "{error}");
        session.rollback().await?;
        agree(&mut session, &docs).await
    }

    async fn a_stale_row_is_named_and_not_what_it_had_to_make_room_for(db: TestDb) -> Result<()> {
        let maker = maker(&db).await;
        let mut session = maker.open();
        let a = session.add(doc("a"));
        session.commit().await?;
        let mut other = maker.open();
        other.execute(update(Doc).set(Doc.views, 5).all_rows()).await?;
        other.commit().await?;
        session.delete(a)?;
        let b = session.add(doc("a"));
        let error = session.flush().await.unwrap_err();
        assert!(matches!(&error, Error::StaleRow(row) if row.handle::<Doc>() == Some(a)), "{error}");
        session.add(a);
        session.refresh(a).await?;
        session.delete(a)?;
        session.commit().await?;
        assert_eq!(session.state(b)?, State::Persistent);
        agree(&mut session, &[b]).await
    }

    async fn a_stale_child_of_a_cascade_is_named_and_not_the_key_that_it_holds(db: TestDb) -> Result<()> {
        let maker = maker(&db).await;
        let mut session = maker.open();
        let f = session.add(Folder::builder().name("f"));
        let a = session.add(Doc::builder().title("a").folder(f));
        session.commit().await?;
        let mut other = maker.open();
        other.execute(update(Doc).set(Doc.views, 5).all_rows()).await?;
        other.commit().await?;
        session.delete(f)?;
        let error = session.commit().await.unwrap_err();
        assert!(matches!(&error, Error::StaleRow(row) if row.handle::<Doc>() == Some(a)), "{error}");
        assert_eq!(session.deleted(Doc).count(), 0);
        session.refresh(a).await?;
        session.commit().await?;
        assert_eq!(session.count(select(Doc)).await?, 0);
        Ok(())
    }

    async fn a_stale_row_that_is_switched_names_the_object_that_had_it(db: TestDb) -> Result<()> {
        let maker = maker(&db).await;
        let mut session = maker.open();
        let a = session.add(Doc::builder().id(7).title("a"));
        session.commit().await?;
        let mut other = maker.open();
        other.execute(update(Doc).set(Doc.views, 5).all_rows()).await?;
        other.commit().await?;
        session.delete(a)?;
        let b = session.add(Doc::builder().id(7).title("b"));
        let error = session.flush().await.unwrap_err();
        let Error::StaleRow(stale) = &error else { panic!("{error}") };
        assert_eq!((stale.handle::<Doc>(), stale.expected, stale.found), (Some(a), Some(1), Some(2)));
        assert_eq!((session.state(a)?, session.state(b)?), (State::Persistent, State::Pending));
        session.add(a);
        session.refresh(a).await?;
        session.delete(a)?;
        session.flush().await?;
        assert_eq!((session[b].views, session[b].version, session[b].slug.as_str()), (0, 3, "none"));
        agree(&mut session, &[b]).await?;
        session.rollback().await?;
        assert_eq!((session[a].views, session[a].version), (5, 2));
        agree(&mut session, &[a]).await
    }

    async fn expired_objects_with_a_version_swap_unique_values(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.expire_on_commit(true).open();
        let (a, b) = (session.add(Doc::builder().id(1).title("a").views(4)), session.add(Doc::builder().id(2).title("b")));
        session.commit().await?;
        session.set(a, Doc.title, "b")?;
        session.set(b, Doc.title, "a")?;
        session.commit().await?;
        session.fresh(a).await?;
        session.fresh(b).await?;
        assert_eq!((session[a].title.as_str(), session[b].title.as_str()), ("b", "a"));
        session.commit().await?;
        session.delete(a)?;
        let c = session.add(Doc::builder().id(1).title("b"));
        session.commit().await?;
        session.fresh(c).await?;
        assert_eq!((session[c].views, session[c].twice, session[c].note.as_deref()), (0, 0, None));
        agree(&mut session, &[c]).await
    }

    async fn a_child_whose_key_follows_is_found_in_the_same_flush(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let l = session.add(Land::builder().code("de"));
        let c = session.add(City::builder().name("ulm").land(l));
        let d = session.add(City::builder().name("bonn").land(l));
        session.commit().await?;
        session[l].code = "fr".into();
        session.delete(c)?;
        session.flush().await?;
        assert_eq!(cities(&mut session).await?, [row("fr", "bonn", 0)]);
        assert_eq!(session[d].land_code, "fr");
        session.rollback().await?;
        assert_eq!(session.get(City, ("de".to_string(), "ulm".to_string())).await?, Some(c));
        assert_eq!((session[c].land_code.as_str(), session[d].land_code.as_str()), ("de", "de"));
        session[l].code = "fr".into();
        session[c].name = "trier".into();
        session.set(d, City.people, City.people + 2)?;
        session.commit().await?;
        assert_eq!(cities(&mut session).await?, [row("fr", "bonn", 2), row("fr", "trier", 0)]);
        assert_eq!((session[c].land_code.as_str(), session[c].name.as_str(), session[d].people), ("fr", "trier", 2));
        assert_eq!(session.get(City, ("fr".to_string(), "trier".to_string())).await?, Some(c));
        Ok(())
    }

    async fn a_child_whose_key_follows_has_the_version_that_was_read(db: TestDb) -> Result<()> {
        // a versioned row with composite key whose parent's key changes by the database
        let mut session = maker(&db).await.open();
        let l = session.add(Land::builder().code("de"));
        let c = session.add(City::builder().name("ulm").land(l));
        session.commit().await?;
        session[l].code = "fr".into();
        session[c].people = 5;
        session.flush().await?;
        assert_eq!((session[c].land_code.as_str(), session[c].people, session[c].version), ("fr", 5, 2));
        let row: (String, i64, i64) = session.one(select((City.land_code, City.people, City.version))).await?;
        assert_eq!(row, ("fr".into(), 5, 2));
        assert_eq!(session.get(City, ("fr".to_string(), "ulm".to_string())).await?, Some(c));
        session.set(c, City.people, City.people + 1)?;
        session.flush().await?;
        session.rollback().await?;
        assert_eq!((session[l].code.as_str(), session[c].land_code.as_str(), session[c].people), ("de", "de", 0));
        assert_eq!(session.get(City, ("de".to_string(), "ulm".to_string())).await?, Some(c));
        session.set(c, City.people, City.people + 1)?;
        session[l].code = "it".into();
        session.commit().await?;
        assert_eq!((session[c].land_code.as_str(), session[c].people), ("it", 1));
        let row: (String, i64, i64) = session.one(select((City.land_code, City.people, City.version))).await?;
        assert_eq!(row, ("it".into(), 1, session[c].version));
        Ok(())
    }

    async fn a_child_leaves_a_parent_whose_key_changes(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let l = session.add(Land::builder().code("de"));
        let m = session.add(Land::builder().code("fr"));
        let c = session.add(City::builder().name("ulm").land(l));
        session.commit().await?;
        session[l].code = "it".into();
        session.link(c, City.land, m)?;
        session.flush().await?;
        assert_eq!(cities(&mut session).await?, [row("fr", "ulm", 0)]);
        assert_eq!(session[c].land_code, "fr");
        session.rollback().await?;
        assert_eq!(session[c].land_code, "de");
        assert_eq!(session.get(City, ("de".to_string(), "ulm".to_string())).await?, Some(c));
        Ok(())
    }

    async fn a_child_follows_a_statement_that_changes_its_parents_key(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let l = session.add(Land::builder().code("de"));
        let c = session.add(City::builder().name("ulm").land(l));
        session.commit().await?;
        session.execute(update(Land).set(Land.code, "fr").all_rows()).await?;
        session.fresh(c).await?;
        assert_eq!((session[l].code.as_str(), session[c].land_code.as_str()), ("fr", "fr"));
        session[c].people = 2;
        session.flush().await?;
        session.rollback().await?;
        session.fresh(c).await?;
        assert_eq!((session[l].code.as_str(), session[c].land_code.as_str(), session[c].people), ("de", "de", 0));
        Ok(())
    }

    async fn keys_that_are_passed_on_bring_back_the_right_computed_values(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        for _ in 0..6 {
            let docs: Vec<_> = (1..=6).map(|n| session.add(Doc::builder().id(n).title(format!("t{n}")).views(n * 10))).collect();
            session.commit().await?;
            for (n, doc) in docs.iter().enumerate() {
                session[*doc].id = (n as i64 + 1) % 6 + 1;
                session[*doc].views += 1;
            }
            session.flush().await?;
            agree(&mut session, &docs).await?;
            session.rollback().await?;
            agree(&mut session, &docs).await?;
            session.execute(delete(Doc).all_rows()).await?;
            session.commit().await?;
        }
        Ok(())
    }

    async fn an_association_row_goes_before_the_key_that_it_holds_changes(db: TestDb) -> Result<()> {
        let mut session = maker(&db).await.open();
        let (land, tag) = (session.add(Land::builder().code("de")), session.add(Tag::builder().name("x")));
        session.link(land, Land.tags, tag)?;
        session.commit().await?;
        session.unlink(land, Land.tags, tag)?;
        session[land].code = "fr".into();
        session.commit().await?;
        session.expunge_all();
        let land = session.one(select(Land).with(Land.tags)).await?;
        assert_eq!((session[land].code.as_str(), session[land].tags.len()), ("fr", 0));
        Ok(())
    }
}
