//! Hooks: when they are called, what they can do, and that a flush that fails takes their work back.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use limbeck::Error;
use limbeck::prelude::*;
use limbeck::session::{Hooks, RowEvent, Session, SessionMaker, State};
use limbeck_test_support::{TestDb, both};

#[derive(Model, Debug)]
#[model(table = "docs")]
struct Doc {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    title: String,
    #[column(server_default = "'none'")]
    slug: String,
    #[column(default = 0)]
    revision: i32,
    #[column(foreign_key(Folder.id))]
    folder_id: Option<i64>,
    #[relationship(back_populates = docs)]
    folder: BelongsTo<Option<Folder>>,
}

#[derive(Model, Debug)]
#[model(table = "folders")]
struct Folder {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = folder)]
    docs: HasMany<Doc>,
}

/// What happened to which row.
#[derive(Model, Debug)]
#[model(table = "entries")]
struct Entry {
    #[column(primary_key)]
    id: i64,
    text: String,
}

async fn sessions(db: &TestDb) -> limbeck::Result<SessionMaker> {
    let engine = Engine::builder(db.url()).connect().await?;
    engine.create_all(&limbeck::metadata![Doc, Folder, Entry]?).await?;
    Ok(engine.sessionmaker())
}

fn doc(title: &str) -> impl limbeck::model::New<Model = Doc> + use<> {
    Doc::builder().title(title)
}

/// What hooks were called, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, call: impl Into<String>) {
        self.0.lock().expect("the calls").push(call.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("the calls"))
    }
}

/// Hooks of every kind, which do nothing but note that they were called.
fn noting(calls: &Calls) -> Hooks {
    let all: [Calls; 7] = std::array::from_fn(|_| calls.clone());
    let [before, after, commit, rollback, insert, update, delete] = all;
    Hooks::new()
        .before_flush(async move |_| {
            before.note("before_flush");
            Ok(())
        })
        .after_flush(async move |_, _| {
            after.note("after_flush");
            Ok(())
        })
        .after_commit(async move |_| commit.note("after_commit"))
        .after_rollback(async move |_| rollback.note("after_rollback"))
        .before_insert(Doc, move |session, doc| {
            insert.note(format!("before_insert {}", session[doc].title));
            Ok(())
        })
        .before_update(Doc, move |session, doc| {
            update.note(format!("before_update {}", session[doc].title));
            Ok(())
        })
        .before_delete(Doc, move |session, doc| {
            delete.note(format!("before_delete {}", session[doc].title));
            Ok(())
        })
}

async fn texts(session: &mut Session) -> limbeck::Result<Vec<String>> {
    session.all(select(Entry.text).order_by(Entry.id)).await
}

both! {
    async fn hooks_are_called_in_order_around_a_flush_and_a_commit(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let mut session = sessions(&db).await?.hooks(noting(&calls)).open();
        let (a, b) = (session.add(doc("a")), session.add(doc("b")));
        session.commit().await?;
        assert_eq!(
            calls.take(),
            ["before_flush", "before_insert a", "before_insert b", "after_flush", "after_commit"]
        );
        session[a].title = "A".into();
        session.delete(b)?;
        session.add(doc("c"));
        session.flush().await?;
        assert_eq!(
            calls.take(),
            ["before_flush", "before_update A", "before_insert c", "before_delete b", "after_flush"]
        );
        session.rollback().await?;
        assert_eq!(calls.take(), ["after_rollback"]);
        Ok(())
    }

    async fn hooks_hold_on_every_path_to_a_flush(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let sessions = sessions(&db).await?.hooks(noting(&calls));
        let flush = |name: &str| vec!["before_flush".to_string(), format!("before_insert {name}"), "after_flush".into()];

        let mut session = sessions.open();
        session.add(doc("by autoflush"));
        assert_eq!(session.count(select(Doc)).await?, 1);
        assert_eq!(calls.take(), flush("by autoflush"));

        session.add(doc("before a savepoint"));
        let mut nested = session.begin_nested().await?;
        assert_eq!(calls.take(), flush("before a savepoint"));
        nested.add(doc("by its commit"));
        nested.commit().await?;
        // The release of a savepoint is no commit.
        assert_eq!(calls.take(), flush("by its commit"));
        session.commit().await?;
        assert_eq!(calls.take(), ["after_commit"]);

        sessions.transaction(async |session| {
            session.add(doc("in a transaction"));
            Ok(())
        }).await?;
        assert_eq!(calls.take(), [flush("in a transaction"), vec!["after_commit".into()]].concat());

        let mut session = sessions.clone().autocommit(true).open();
        session.add(doc("with autocommit"));
        session.flush().await?;
        assert!(!session.in_transaction());
        assert_eq!(calls.take(), [flush("with autocommit"), vec!["after_commit".into()]].concat());
        session.execute(delete(Doc).filter(Doc.title.eq("with autocommit"))).await?;
        assert_eq!(calls.take(), ["after_commit"]);
        Ok(())
    }

    async fn what_does_no_work_calls_no_hook(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let mut session = sessions(&db).await?.hooks(noting(&calls)).open();
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(calls.take(), [""; 0]);

        let a = session.add(doc("a"));
        session.commit().await?;
        calls.take();
        // Borrowed, and the same: there is something to look at, and no row to write.
        session[a].title = "a".into();
        session.flush().await?;
        assert_eq!(calls.take(), ["before_flush"]);
        // A statement over many rows is no flush.
        session.execute(update(Doc).set(Doc.revision, 7).filter(Doc.title.eq("a"))).await?;
        assert_eq!(calls.take(), [""; 0]);
        Ok(())
    }

    async fn what_a_hook_writes_goes_out_with_the_same_statement(db: TestDb) -> limbeck::Result<()> {
        let hooks = Hooks::new()
            .before_insert(Doc, |session, doc| {
                let slug = session[doc].title.to_lowercase();
                session[doc].slug = slug;
                Ok(())
            })
            .before_update(Doc, |session, doc| {
                session[doc].revision += 1;
                Ok(())
            });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        let hello = session.add(doc("Hello"));
        session.flush().await?;
        let before = session.stats();
        session[hello].title = "Goodbye".into();
        session.flush().await?;
        assert!((session.stats() - before).statements <= 3, "one UPDATE, and a savepoint around it");
        session.commit().await?;
        let rows = session.all(select((Doc.title, Doc.slug, Doc.revision))).await?;
        assert_eq!(rows, [("Goodbye".into(), "hello".into(), 1)]);
        Ok(())
    }

    async fn a_hook_sees_what_changes_and_what_was_there(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let noted = calls.clone();
        let hooks = Hooks::new().before_update(Doc, move |session, doc| {
            for change in session.changes(doc)? {
                let [old, new] = [change.old, change.new].map(|value| value.map_or("?".into(), |value| value.to_string()));
                noted.note(format!("{}: {old} → {new}", change.column.name));
            }
            if session.original(doc, Doc.title)?.as_deref() == Some("final") {
                return Err(Error::hook("a final title stays"));
            }
            Ok(())
        });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        let a = session.add(doc("a"));
        let shelf = session.add(Folder::builder().name("shelf"));
        assert_eq!(session.original(a, Doc.title)?, None);
        session.commit().await?;
        session[a].title = "final".into();
        session.link(a, Doc.folder, shelf)?;
        assert_eq!(session.original(a, Doc.title)?.as_deref(), Some("a"));
        session.commit().await?;
        let id = session[shelf].id;
        assert_eq!(calls.take(), ["title: a → final".to_string(), format!("folder_id: NULL → {id}")]);

        session[a].title = "other".into();
        let refused = session.commit().await;
        assert!(matches!(refused, Err(Error::Hook(_))), "{refused:?}");
        assert_eq!(session[a].title, "other");
        assert_eq!(session.original(a, Doc.title)?.as_deref(), Some("final"));
        Ok(())
    }

    async fn before_flush_can_query_and_what_it_adds_has_its_own_hooks(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let noted = calls.clone();
        let hooks = Hooks::new()
            .before_flush(async |session| {
                // The query does not flush, so it does not see what is about to be sent.
                let there = session.count(select(Doc)).await?;
                let new: Vec<_> = session.new(Doc).collect();
                for doc in new {
                    let folder = session.add(Folder::builder().name(format!("folder {there}")));
                    session.link(doc, Doc.folder, folder)?;
                }
                Ok(())
            })
            .before_insert(Folder, move |session, folder| {
                noted.note(session[folder].name.clone());
                let entry = format!("made {}", session[folder].name);
                session.add(Entry::builder().text(entry));
                Ok(())
            });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        let a = session.add(doc("a"));
        session.commit().await?;
        let b = session.add(doc("b"));
        session.commit().await?;
        assert_eq!(calls.take(), ["folder 0", "folder 1"]);
        assert_eq!(texts(&mut session).await?, ["made folder 0", "made folder 1"]);
        assert_eq!(session[session[b].folder].name, "folder 1");
        assert_ne!(session[a].folder_id, session[b].folder_id);
        Ok(())
    }

    async fn an_audit_log_knows_keys_old_values_and_new_ones(db: TestDb) -> limbeck::Result<()> {
        let hooks = Hooks::new().after_flush(async |session, flushed| {
            let who = session.info::<&'static str>().copied().unwrap_or("nobody");
            for row in flushed.rows().iter().filter(|row| row.model.name != "Entry") {
                let changes: Vec<String> = row.changes.iter().map(|change| {
                    let shown = |value: &Option<limbeck::types::Value<'_>>| value.as_ref().map_or("-".into(), |v| v.to_string());
                    format!("{} {}>{}", change.column.name, shown(&change.old), shown(&change.new))
                }).collect();
                let text = format!("{who}: {:?} {} {}: {}", row.event, row.model.name, row.key[0], changes.join(", "));
                session.add(Entry::builder().text(text));
            }
            Ok(())
        });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        session.set_info("ada");
        let folder = session.add(Folder::builder().name("inbox"));
        let a = session.add(doc("a"));
        session.commit().await?;
        session[a].title = "b".into();
        session.link(a, Doc.folder, folder)?;
        session.commit().await?;
        session.delete(a)?;
        session.commit().await?;
        assert_eq!(texts(&mut session).await?, [
            "ada: Insert Folder 1: id ->1, name ->inbox",
            "ada: Insert Doc 1: id ->1, title ->a, slug ->none, revision ->0, folder_id ->NULL",
            "ada: Update Doc 1: title a>b, folder_id NULL>1",
            "ada: Delete Doc 1: id 1>-, title b>-, slug none>-, revision 0>-, folder_id 1>-",
        ]);
        Ok(())
    }

    async fn what_after_flush_adds_is_in_the_same_transaction(db: TestDb) -> limbeck::Result<()> {
        let hooks = || Hooks::new().after_flush(async |session, flushed| {
            for doc in flushed.inserted(Doc) {
                let text = format!("doc {}", session[doc].title);
                session.add(Entry::builder().text(text));
            }
            Ok(())
        });
        let sessions = sessions(&db).await?;
        let mut session = sessions.clone().hooks(hooks()).open();
        session.add(doc("a"));
        session.flush().await?;
        assert!(!session.has_changes(), "nothing is left for another flush");
        session.rollback().await?;
        assert_eq!(texts(&mut sessions.open()).await?.len(), 0);

        let mut session = sessions.clone().hooks(hooks()).autocommit(true).open();
        session.add(doc("b"));
        session.flush().await?;
        assert_eq!(texts(&mut sessions.open()).await?, ["doc b"]);
        Ok(())
    }

    async fn a_hook_that_fails_leaves_session_and_transaction_as_they_were(db: TestDb) -> limbeck::Result<()> {
        let fails = Arc::new(AtomicUsize::new(1));
        let failing = fails.clone();
        let hooks = Hooks::new()
            .before_flush(async |session| {
                session.add(Entry::builder().text("flushed"));
                Ok(())
            })
            .before_insert(Doc, |session, doc| {
                session[doc].slug = "made".into();
                session[doc].revision += 10;
                Ok(())
            })
            .before_update(Doc, |session, doc| {
                session[doc].revision += 100;
                let folder = session.add(Folder::builder().name("of the hook"));
                session.link(doc, Doc.folder, folder)
            })
            .before_delete(Doc, move |_, _| match failing.load(Ordering::Relaxed) {
                0 => Ok(()),
                _ => Err(Error::hook("not today")),
            });
        let sessions = sessions(&db).await?;
        let mut session = sessions.open();
        let (a, b) = (session.add(doc("a")), session.add(doc("b")));
        session.commit().await?;
        session.add_hooks(hooks)?;
        session[a].title = "A".into();
        session.delete(b)?;
        let c = session.add(doc("c"));
        session[c].revision = 3;
        let refused = session.commit().await;
        assert!(matches!(refused, Err(Error::Hook(_))), "{refused:?}");

        assert_eq!((session[a].title.as_str(), session[a].revision), ("A", 0));
        assert!(session.is_modified(a)?);
        assert!(session[a].folder.get().is_none());
        assert_eq!(session[c].revision, 3);
        assert_eq!(session.new(Entry).count() + session.new(Folder).count(), 0);
        assert_eq!(session.new(Doc).collect::<Vec<_>>(), [c]);
        assert_eq!(session.deleted(Doc).collect::<Vec<_>>(), [b]);

        fails.store(0, Ordering::Relaxed);
        session.commit().await?;
        let docs = session.all(select((Doc.title, Doc.slug, Doc.revision)).order_by(Doc.title)).await?;
        assert_eq!(docs, [("A".into(), "none".into(), 100), ("c".into(), "made".into(), 13)]);
        assert_eq!(texts(&mut session).await?, ["flushed"], "not twice");
        assert_eq!(session.count(select(Folder)).await?, 1);
        Ok(())
    }

    async fn a_row_that_the_database_refuses_takes_back_what_hooks_did(db: TestDb) -> limbeck::Result<()> {
        let hooks = Hooks::new()
            .before_insert(Doc, |session, doc| {
                session[doc].slug = "made".into();
                let text = format!("doc {}", session[doc].title);
                session.add(Entry::builder().text(text));
                Ok(())
            });
        let sessions = sessions(&db).await?;
        let mut session = sessions.open();
        session.add(doc("taken"));
        session.flush().await?;
        session.add_hooks(hooks)?;
        let b = session.add(doc("taken"));
        let refused = session.flush().await;
        assert!(matches!(refused, Err(Error::UniqueViolation(_))), "{refused:?}");
        assert_eq!(session.new(Entry).count(), 0);
        session[b].title = "free".into();
        session.commit().await?;
        assert_eq!(session[b].slug, "made");
        assert_eq!(session.all(select(Doc.slug).order_by(Doc.id)).await?, ["none", "made"]);
        assert_eq!(texts(&mut session).await?, ["doc free"]);
        Ok(())
    }

    async fn what_a_hook_sends_is_undone_with_the_flush(db: TestDb) -> limbeck::Result<()> {
        let sessions = sessions(&db).await?;
        let mut session = sessions.open();
        session.add(Folder::builder().name("f"));
        session.add(doc("taken"));
        session.commit().await?;
        let hooks = Hooks::new().before_flush(async |session| {
            session.execute(update(Folder).set(Folder.name, "sent").all_rows()).await?;
            Ok(())
        });
        let sessions = sessions.hooks(hooks);
        for (earlier, autocommit) in [(false, false), (true, false), (false, true)] {
            let mut session = sessions.clone().autocommit(autocommit).open();
            if earlier {
                session.execute(update(Doc).set(Doc.revision, Doc.revision + 1).all_rows()).await?;
            }
            let again = session.add(doc("taken"));
            let refused = session.flush().await;
            assert!(matches!(refused, Err(Error::UniqueViolation(_))), "{refused:?}");
            assert_eq!(session.in_transaction(), earlier);
            session.expunge(again)?;
            session.commit().await?;
            let rows = sessions.open().all(select((Folder.name, Doc.revision)).join_on(Doc, Doc.id.gt(0))).await?;
            assert_eq!(rows, [("f".into(), i32::from(earlier))]);
            session.execute(update(Doc).set(Doc.revision, 0).all_rows()).await?;
            session.commit().await?;
        }
        Ok(())
    }

    async fn after_flush_can_still_undo_the_flush(db: TestDb) -> limbeck::Result<()> {
        let fails = Arc::new(AtomicUsize::new(1));
        let failing = fails.clone();
        let hooks = Hooks::new()
            .before_insert(Doc, |session, doc| {
                session[doc].slug = "made".into();
                Ok(())
            })
            .after_flush(async move |session, flushed| {
                if failing.load(Ordering::Relaxed) > 0 && flushed.inserted(Doc).any(|doc| session[doc].title == "new") {
                    return Err(Error::hook("too new"));
                }
                Ok(())
            });
        for (earlier, autocommit) in [(false, false), (true, false), (false, true)] {
            fails.store(1, Ordering::Relaxed);
            let sessions = sessions(&db).await?;
            let mut session = sessions.autocommit(autocommit).hooks(hooks.clone()).open();
            let folder = session.add(Folder::builder().name("f"));
            let old = session.add(doc("old"));
            let gone = session.add(doc("gone"));
            session.flush().await?;
            if !autocommit {
                session.commit().await?;
            }
            if earlier {
                session.add(Entry::builder().text("earlier"));
                session.flush().await?;
            }
            session[old].title = "OLD".into();
            session.link(old, Doc.folder, folder)?;
            session.delete(gone)?;
            let new = session.add(doc("new"));
            let refused = session.flush().await;
            assert!(matches!(refused, Err(Error::Hook(_))), "{refused:?}");

            assert_eq!(session.in_transaction(), earlier);
            assert_eq!((session.state(new)?, session.state(gone)?), (State::Pending, State::Persistent));
            assert_eq!((session[new].id, session[new].slug.as_str()), (0, ""));
            assert_eq!(session[old].title, "OLD");
            assert_eq!(session[old].folder.get(), Some(folder));
            assert_eq!(session.dirty(Doc).collect::<Vec<_>>(), [old]);
            assert_eq!(session.deleted(Doc).collect::<Vec<_>>(), [gone]);

            fails.store(0, Ordering::Relaxed);
            session.flush().await?;
            session.commit().await?;
            let mut other = session.engine().sessionmaker().open();
            let rows = other.all(select((Doc.title, Doc.slug, Doc.folder_id)).order_by(Doc.title)).await?;
            let folder_id = Some(session[folder].id);
            assert_eq!(rows, [("OLD".into(), "made".into(), folder_id), ("new".into(), "made".into(), None)]);
            assert_eq!(other.count(select(Entry)).await?, u64::from(earlier));
            other.execute(delete(Doc).all_rows()).await?;
            other.execute(delete(Entry).all_rows()).await?;
            other.commit().await?;
        }
        Ok(())
    }

    async fn hooks_that_never_come_to_an_end_are_stopped(db: TestDb) -> limbeck::Result<()> {
        let sessions = sessions(&db).await?;
        let hooks = Hooks::new().before_insert(Entry, |session, _| {
            session.add(Entry::builder().text("and another"));
            Ok(())
        });
        let mut session = sessions.clone().hooks(hooks).open();
        session.add(Entry::builder().text("first"));
        let endless = session.commit().await.expect_err("endless");
        assert!(matches!(&endless, Error::HookLoop { hook, rounds: 100 } if hook == "before_insert of `Entry`"), "{endless:?}");
        assert_eq!(session.new(Entry).count(), 1);
        session.rollback().await?;

        let hooks = Hooks::new().after_flush(async |session, _| {
            session.add(Entry::builder().text("and another"));
            Ok(())
        });
        let mut session = sessions.clone().hooks(hooks).open();
        session.add(Entry::builder().text("first"));
        let endless = session.commit().await.expect_err("endless");
        assert!(matches!(&endless, Error::HookLoop { hook, .. } if hook == "after_flush"), "{endless:?}");
        session.rollback().await?;
        assert_eq!(texts(&mut sessions.open()).await?.len(), 0);
        Ok(())
    }

    async fn a_hook_of_a_flush_cannot_flush_or_end_the_transaction(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let noted = calls.clone();
        let hooks = Hooks::new().before_flush(async move |session| {
            for refused in [session.flush().await, session.commit().await, session.rollback().await,
                session.begin_nested().await.map(drop), session.add_hooks(Hooks::new())]
            {
                match refused {
                    Err(Error::InHook { call }) => noted.note(call),
                    other => noted.note(format!("{other:?}")),
                }
            }
            Ok(())
        });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        session.add(doc("a"));
        session.commit().await?;
        assert_eq!(calls.take(), ["flush", "commit", "rollback", "begin_nested", "add_hooks"]);
        assert_eq!(session.count(select(Doc)).await?, 1);
        Ok(())
    }

    async fn the_end_of_a_transaction_is_told_once_and_leaves_the_session_free(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let (committed, rolled_back) = (calls.clone(), calls.clone());
        let hooks = Hooks::new()
            .after_commit(async move |session| {
                committed.note("commit");
                // A transaction of its own, whose end tells nobody.
                session.add(Entry::builder().text("after"));
                session.commit().await.expect("the hook's own transaction");
            })
            .after_rollback(async move |_| rolled_back.note("rollback"));
        let sessions = sessions(&db).await?.hooks(hooks);
        let mut session = sessions.open();
        session.add(doc("a"));
        session.commit().await?;
        assert_eq!(calls.take(), ["commit"]);
        assert_eq!(texts(&mut session).await?, ["after"]);

        let mut nested = session.begin_nested().await?;
        nested.add(doc("b"));
        nested.flush().await?;
        nested.rollback().await?;
        assert_eq!(calls.take(), [""; 0]);
        session.rollback().await?;
        assert_eq!(calls.take(), ["rollback"]);

        let failed: limbeck::Result<()> = sessions.transaction(async |session| {
            session.add(doc("c"));
            session.flush().await?;
            Err(Error::NoRows)
        }).await;
        assert!(failed.is_err());
        assert_eq!(calls.take(), ["rollback"]);
        Ok(())
    }

    async fn a_flush_that_is_dropped_in_a_hook_has_to_be_rolled_back(db: TestDb) -> limbeck::Result<()> {
        let waits = Arc::new(AtomicUsize::new(1));
        let waiting = waits.clone();
        let hooks = Hooks::new().before_flush(async move |session| {
            session.add(Entry::builder().text("half"));
            if waiting.load(Ordering::Relaxed) > 0 {
                std::future::pending::<()>().await;
            }
            Ok(())
        });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        session.add(doc("a"));
        let dropped = tokio::time::timeout(std::time::Duration::from_millis(20), session.commit()).await;
        assert!(dropped.is_err());
        waits.store(0, Ordering::Relaxed);
        assert!(matches!(session.commit().await, Err(Error::Interrupted)));
        session.rollback().await?;
        session.add(doc("b"));
        session.commit().await?;
        assert_eq!(texts(&mut session).await?, ["half"]);
        Ok(())
    }

    async fn a_commit_that_is_dropped_anywhere_leaves_both_rows_or_none(db: TestDb) -> limbeck::Result<()> {
        let hooks = Hooks::new()
            .before_flush(async |session| {
                session.count(select(Folder)).await?;
                tokio::task::yield_now().await;
                Ok(())
            })
            .before_insert(Doc, |session, doc| {
                let text = session[doc].title.clone();
                session.add(Entry::builder().text(text));
                Ok(())
            })
            .after_flush(async |session, _| {
                tokio::task::yield_now().await;
                session.count(select(Doc)).await?;
                Ok(())
            })
            .after_commit(async |_| tokio::task::yield_now().await);
        let sessions = sessions(&db).await?;
        let hooked = sessions.clone().hooks(hooks);
        let (mut interrupted, mut done) = (0, 0);
        for polls in 0..60 {
            let mut session = hooked.open();
            let title = format!("doc {polls}");
            let new = session.add(doc(&title));
            if common::polled(session.commit(), polls).await.is_none() {
                match session.commit().await {
                    Ok(()) => {}
                    Err(Error::Interrupted) => {
                        interrupted += 1;
                        session.rollback().await?;
                        // What was under way ends first.
                        while sessions.engine().pool_status().in_use > 0 {
                            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                        }
                        // Unless the COMMIT itself had gone out, it is as if nothing had happened.
                        if sessions.open().count(select(Doc).filter(Doc.title.eq(&title))).await? == 0 {
                            session.add(new);
                            session.commit().await?;
                        }
                    }
                    Err(error) => return Err(error),
                }
            } else {
                done += 1;
            }
            let mut other = sessions.open();
            assert_eq!(other.count(select(Doc).filter(Doc.title.eq(&title))).await?, 1, "{polls}");
            assert_eq!(other.count(select(Entry).filter(Entry.text.eq(&title))).await?, 1, "{polls}");
        }
        assert!(interrupted > 0 && done > 0, "{interrupted} {done}");
        Ok(())
    }

    async fn a_hook_may_delete_and_take_back_what_others_would_write(db: TestDb) -> limbeck::Result<()> {
        let calls = Calls::default();
        let noted = calls.clone();
        let hooks = Hooks::new()
            .before_delete(Folder, |session, folder| {
                // Whatever of its documents is in the session goes along.
                let docs: Vec<_> = session[folder].docs.handles().collect();
                docs.into_iter().try_for_each(|doc| session.delete(doc))
            })
            .before_delete(Doc, move |session, doc| {
                noted.note(session[doc].title.clone());
                Ok(())
            });
        let mut session = sessions(&db).await?.hooks(hooks).open();
        let folder = session.add(Folder::builder().name("f"));
        let a = session.add(Doc::builder().title("a").folder(folder));
        session.commit().await?;
        session.load(folder, Folder.docs).await?;
        session.delete(folder)?;
        session.commit().await?;
        assert_eq!(calls.take(), ["a"]);
        assert!(session.try_get(a).is_err());
        assert_eq!(session.count(select(Doc)).await?, 0);
        Ok(())
    }
}

#[derive(Model, Debug)]
#[model(table = "carts")]
struct Cart {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = cart, cascade(all, delete_orphan))]
    items: HasMany<Item>,
}

#[derive(Model, Debug)]
#[model(table = "items")]
struct Item {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(foreign_key(Cart.id))]
    cart_id: i64,
    #[relationship(back_populates = items)]
    cart: BelongsTo<Cart>,
}

both! {
    async fn what_a_delete_takes_along_has_its_hooks_and_comes_back_with_it(db: TestDb) -> limbeck::Result<()> {
        let engine = Engine::builder(db.url()).connect().await?;
        engine.create_all(&limbeck::metadata![Cart, Item, Entry]?).await?;
        let calls = Calls::default();
        let (noted, after) = (calls.clone(), calls.clone());
        let fails = Arc::new(AtomicUsize::new(1));
        let failing = fails.clone();
        let hooks = Hooks::new()
            .before_delete(Item, move |session, item| {
                noted.note(session[item].name.clone());
                Ok(())
            })
            .after_flush(async move |_, flushed| {
                after.note(format!("{} and {}", flushed.deleted(Cart).count(), flushed.deleted(Item).count()));
                let old = flushed.rows().iter().filter(|row| row.model.name == "Item").flat_map(|row| &row.changes);
                let old = old.filter(|change| change.column.name == "name").filter_map(|change| change.old.clone());
                after.note(old.map(|old| old.to_string()).collect::<Vec<_>>().join(" "));
                if failing.load(Ordering::Relaxed) > 0 { Err(Error::hook("no")) } else { Ok(()) }
            });
        let mut session = engine.sessionmaker().open();
        let cart = session.add(Cart::builder());
        session.add_all(["a", "b"].map(|name| Item::builder().name(name).cart(cart)));
        session.commit().await?;

        // Another session, which has to load them.
        let mut session = engine.sessionmaker().hooks(hooks).open();
        let cart = session.get(Cart, 1).await?.expect("the cart");
        session.delete(cart)?;
        assert!(matches!(session.commit().await, Err(Error::Hook(_))));
        assert_eq!(calls.take(), ["a", "b", "1 and 2", "a b"]);
        assert_eq!(session.deleted(Cart).count(), 1);
        assert_eq!(session.deleted(Item).count(), 0, "the flush marked them, and took it back");
        assert_eq!(session.state(cart)?, State::Persistent);

        fails.store(0, Ordering::Relaxed);
        session.commit().await?;
        assert_eq!(calls.take(), ["a", "b", "1 and 2", "a b"]);
        assert_eq!(session.count(select(Item)).await?, 0);

        // An orphan goes; one that never had a row is not heard of.
        let cart = session.add(Cart::builder());
        let kept = session.add(Item::builder().name("kept").cart(cart));
        session.commit().await?;
        calls.take();
        let never = session.add(Item::builder().name("never").cart(cart));
        session.unlink(cart, Cart.items, never)?;
        session.unlink(cart, Cart.items, kept)?;
        session.commit().await?;
        assert_eq!(calls.take(), ["kept", "0 and 1", "kept"]);
        Ok(())
    }
}

#[test]
fn row_events_and_hooks_say_what_they_are() {
    assert_eq!(format!("{:?}", RowEvent::Insert), "Insert");
    let hooks = Hooks::new().before_insert(Doc, |_, _| Ok(())).before_update(Entry, |_, _| Ok(()));
    assert!(format!("{hooks:?}").contains("models: 2"), "{hooks:?}");
}
