//! When hooks are called.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::checkpoint::Checkpoint;
use super::flushed::Record;
use super::{Hooks, Phase, RowEvent, Running};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::flush::Next;
use crate::session::line::Line;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;

/// How often hooks may make new work for each other. SQLAlchemy's number.
const ROUNDS: usize = 100;

/// The savepoint of a flush whose hooks may send something, or undo it.
const SAVEPOINT: &str = "limbeck_hooks";

/// How the database goes back when a flush or a hook of it fails.
enum Scope {
    /// The flush takes care of itself.
    Flush,
    /// The transaction was open before.
    Savepoint,
    /// The flush opens the transaction.
    Transaction,
    /// The same with `autocommit`: it ends with the flush, too.
    Alone,
}

impl Session {
    /// A flush of a session that has hooks. Boxed by its caller, so that sessions without any do not carry it about.
    pub(in crate::session) async fn flush_hooked(&mut self, next: Next) -> Result<()> {
        self.outside_hooks("flush")?;
        let alone = self.line.commits_at_once();
        let Some(hooked) = &self.hooked else { return self.send(next).await };
        let hooks = Arc::clone(&hooked.hooks);
        if hooks.is_for_flush() {
            let running = Running::flush(&hooked.phase);
            let result = self.flush_whole(&hooks, next).await;
            running.end();
            result?;
        } else {
            self.send(next).await?;
        }
        if alone {
            self.after_commit().await;
        }
        Ok(())
    }

    /// The flush and its hooks, all or nothing.
    async fn flush_whole(&mut self, hooks: &Hooks, next: Next) -> Result<()> {
        let mut checkpoint = Checkpoint::of(&mut self.objects)?;
        // The hooks of rows cannot send anything.
        let sends = !(hooks.before_flush.is_empty() && hooks.after_flush.is_empty());
        let scope = self.line.enter(sends).await?;
        let result = self.flush_rounds(hooks, &mut checkpoint, next).await;
        let result = self.line.leave(scope, result).await;
        match &result {
            Ok(()) if self.line.commits_at_once() => self.objects.committed(),
            Ok(()) => {}
            Err(_) => {
                self.objects.unmark();
                checkpoint.restore(&mut self.objects);
            }
        }
        result
    }

    async fn flush_rounds(&mut self, hooks: &Hooks, checkpoint: &mut Checkpoint, next: Next) -> Result<()> {
        for round in 0..ROUNDS {
            for hook in &hooks.before_flush {
                hook(self).await?;
            }
            self.before_rows(hooks).await?;
            if round == 0 {
                checkpoint.hooks_ran(&self.objects);
            }
            if hooks.after_flush.is_empty() {
                return self.send(next).await;
            }
            let record = Record::before(&self.objects);
            let mark = self.objects.undo.len();
            self.send(Next::More).await?;
            let flushed = record.after(&self.objects, mark);
            if !flushed.is_empty() {
                for hook in &hooks.after_flush {
                    hook(self, flushed.clone()).await?;
                }
            }
            if !self.objects.has_changes() {
                return Ok(());
            }
        }
        Err(Error::HookLoop { hook: "after_flush".into(), rounds: ROUNDS })
    }

    /// The hooks of all rows that are to be written, until they make no new ones.
    async fn before_rows(&mut self, hooks: &Hooks) -> Result<()> {
        if hooks.rows.is_empty() {
            return Ok(());
        }
        let mut seen: FxHashSet<(RowEvent, Obj)> = FxHashSet::default();
        let mut last = None;
        for _ in 0..ROUNDS {
            // What follows from deletes has hooks as well.
            self.cascade().await?;
            let due: Vec<(RowEvent, Obj)> = self
                .objects
                .due()
                .into_iter()
                .filter(|(event, obj)| !hooks.of_row(obj.model, *event).is_empty() && !seen.contains(&(*event, *obj)))
                .collect();
            if due.is_empty() {
                return Ok(());
            }
            for (event, obj) in due {
                // An earlier hook may have taken it back.
                if !self.objects.is_due(event, obj) {
                    continue;
                }
                seen.insert((event, obj));
                last = Some((event, obj));
                let handle = self.objects.handle(obj);
                for hook in hooks.of_row(obj.model, event) {
                    hook(self, handle)?;
                }
            }
        }
        let hook = last.map_or_else(String::new, |(event, obj)| {
            format!("{} of `{}`", event.hook(), self.objects.store(obj).model().name)
        });
        Err(Error::HookLoop { hook, rounds: ROUNDS })
    }

    /// To be awaited after each commit that succeeded.
    pub(in crate::session) async fn after_commit(&mut self) {
        if self.hooked.is_some() {
            Box::pin(self.ended(|hooks| &hooks.after_commit)).await;
        }
    }

    /// To be awaited after each rollback.
    pub(in crate::session) async fn after_rollback(&mut self) {
        if self.hooked.is_some() {
            Box::pin(self.ended(|hooks| &hooks.after_rollback)).await;
        }
    }

    async fn ended(&mut self, which: fn(&Hooks) -> &Vec<super::SessionHook<()>>) {
        let Some(hooked) = &self.hooked else { return };
        if hooked.phase.get() != Phase::Idle || which(&hooked.hooks).is_empty() {
            return;
        }
        let hooks = Arc::clone(&hooked.hooks);
        let running = Running::ending(&hooked.phase);
        for hook in which(&hooks) {
            hook(self).await;
        }
        running.end();
    }
}

impl Objects {
    /// The rows that a flush would write now, in the order of the flush: without its sorting by tables.
    fn due(&self) -> Vec<(RowEvent, Obj)> {
        let updates = self.touched().into_iter().filter(|obj| self.is_due(RowEvent::Update, *obj));
        let inserts = self.pending.iter().copied().filter(|obj| self.is_due(RowEvent::Insert, *obj));
        let deletes = self.doomed.iter().copied();
        let updates = updates.map(|obj| (RowEvent::Update, obj));
        updates
            .chain(inserts.map(|obj| (RowEvent::Insert, obj)))
            .chain(deletes.map(|obj| (RowEvent::Delete, obj)))
            .collect()
    }

    pub(super) fn is_due(&self, event: RowEvent, obj: Obj) -> bool {
        let store = self.store(obj);
        if !store.occupied(obj.slot) {
            return false;
        }
        let meta = store.meta(obj.slot);
        match event {
            // One that a cascade found to be an orphan does not get a row.
            RowEvent::Insert => meta.state == State::Pending && !meta.doomed,
            RowEvent::Update => meta.state == State::Persistent && !meta.doomed && self.is_changed(obj),
            RowEvent::Delete => meta.doomed,
        }
    }
}

impl Line {
    async fn enter(&mut self, sends: bool) -> Result<Scope> {
        Ok(if !sends {
            Scope::Flush
        } else if self.commits_at_once() {
            self.begin().await?;
            Scope::Alone
        } else if self.in_write_transaction() {
            self.savepoint(SAVEPOINT).await?;
            Scope::Savepoint
        } else {
            Scope::Transaction
        })
    }

    async fn leave(&mut self, scope: Scope, result: Result<()>) -> Result<()> {
        match (scope, result) {
            (Scope::Flush, result) | (Scope::Transaction, result @ Ok(())) => result,
            (Scope::Savepoint, Ok(())) => self.release(SAVEPOINT).await,
            (Scope::Alone, Ok(())) => self.commit().await,
            // The first error is the one that counts; a connection that cannot go back is closed by the pool.
            (Scope::Savepoint, Err(error)) => {
                if self.in_transaction() {
                    let _ = self.rollback_to(SAVEPOINT).await;
                }
                Err(error)
            }
            (Scope::Transaction, Err(error)) => {
                self.give_up().await;
                Err(error)
            }
            (Scope::Alone, Err(error)) => {
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }
}
