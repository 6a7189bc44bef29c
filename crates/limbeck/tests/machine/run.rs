//! Runs programs, and counts what they did.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::slice::Iter;

use limbeck::session::Session;

use crate::machine::{Machine, Outcome, Trigger, said};
use crate::operation::{Operation, Program, What};

/// How deep savepoints are nested.
const DEPTH: usize = 3;

/// What is done where an operation finds nothing to be done to.
const INSTEAD: [What; 12] = [
    What::AddPerson,
    What::AddPassport,
    What::Query,
    What::AddDoc,
    What::AddTask,
    What::AddTag,
    What::AddPin,
    What::AddProfile,
    What::AddDoc,
    What::AddPage,
    What::AddMark,
    What::AddProfile,
];

/// Why a level of savepoints is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Release,
    RollBack,
    Drop,
    /// The whole transaction ended.
    Transaction,
    /// The program did.
    Program,
}

pub async fn program(machine: &mut Machine, session: &mut Session, program: &Program) -> Outcome {
    let mut operations = program.operations.iter();
    level(machine, session, &mut operations, 0).await?;
    machine.settle(session, Trigger::Commit).await?;
    commit(machine, session).await
}

async fn commit(machine: &mut Machine, session: &mut Session) -> Outcome {
    machine.say("session.commit().await?;");
    session.commit().await.map_err(said)?;
    machine.was_committed(session).await
}

/// The operations up to the end of the savepoint that they are in.
fn level<'a>(
    machine: &'a mut Machine,
    session: &'a mut Session,
    operations: &'a mut Iter<'_, Operation>,
    depth: usize,
) -> Pin<Box<dyn Future<Output = Outcome<End>> + 'a>> {
    Box::pin(async move {
        while let Some(operation) = operations.next() {
            let what = operation.what;
            let done = match what {
                What::Begin if depth == DEPTH => false,
                What::Begin => {
                    let end = savepoint(machine, session, operations, depth).await?;
                    if depth > 0 && end == End::Transaction {
                        count(&mut machine.done, what);
                        return Ok(end);
                    }
                    true
                }
                What::Release | What::RollbackTo | What::DropSavepoint => {
                    if depth > 0 {
                        count(&mut machine.done, what);
                        return Ok(match what {
                            What::Release => End::Release,
                            What::RollbackTo => End::RollBack,
                            _ => End::Drop,
                        });
                    }
                    false
                }
                What::Commit | What::Rollback => {
                    if what == What::Commit {
                        machine.settle(session, Trigger::Commit).await?;
                        commit(machine, session).await?;
                    } else {
                        machine.say("session.rollback().await?;");
                        session.rollback().await.map_err(said)?;
                        machine.savepoints.clear();
                        let committed = machine.committed.clone();
                        machine.went_back(session, (committed, BTreeSet::new())).await?;
                    }
                    if depth > 0 {
                        count(&mut machine.done, what);
                        return Ok(End::Transaction);
                    }
                    true
                }
                _ => machine.perform(session, *operation).await?,
            };
            if done {
                count(&mut machine.done, what);
            } else {
                // There was nothing to do it to: then there soon is.
                let what = INSTEAD[usize::from(operation.n[2]) % INSTEAD.len()];
                if machine.perform(session, Operation { what, ..*operation }).await? {
                    count(&mut machine.done, what);
                }
            }
            machine.sweep();
            machine.learn(session)?;
            machine.check(session, None)?;
        }
        Ok(End::Program)
    })
}

/// A savepoint, and what is done in it.
async fn savepoint(
    machine: &mut Machine,
    session: &mut Session,
    operations: &mut Iter<'_, Operation>,
    depth: usize,
) -> Outcome<End> {
    machine.settle(session, Trigger::Begin).await?;
    let name = format!("savepoint{}", machine.number());
    machine.say(format!("let {name} = session.begin_nested().await?;"));
    let mut nested = session.begin_nested().await.map_err(said)?;
    machine.after_flush(&mut nested).await?;
    let deleted = machine.handles.keys().filter(|id| !machine.has_row(**id)).copied().collect();
    machine.savepoints.push((machine.flushed.clone(), deleted));
    let end = level(machine, &mut nested, operations, depth + 1).await?;
    match end {
        End::Transaction => drop(nested),
        End::Release | End::Program => {
            machine.settle(&mut nested, Trigger::Flush).await?;
            machine.say(format!("{name}.commit().await?;"));
            nested.commit().await.map_err(said)?;
            machine.savepoints.pop();
            machine.after_flush(session).await?;
        }
        End::RollBack | End::Drop => {
            if end == End::RollBack {
                machine.say(format!("{name}.rollback().await?;"));
                nested.rollback().await.map_err(said)?;
            } else {
                machine.say(format!("drop({name});"));
                drop(nested);
            }
            let back = machine.savepoints.pop().ok_or("a savepoint")?;
            machine.went_back(session, back).await?;
        }
    }
    Ok(end)
}

fn count(done: &mut BTreeMap<What, usize>, what: What) {
    *done.entry(what).or_default() += 1;
}

impl Machine {
    /// Does one operation; whether there was anything to do it to.
    async fn perform(&mut self, session: &mut Session, operation: Operation) -> Outcome<bool> {
        let n = operation.n;
        match operation.what {
            What::AddPerson => self.add_person(session, n, None),
            What::AddProfile => self.add_profile(session, n),
            What::AddPassport => self.add_passport(session, n),
            What::AddTask => self.add_task(session, n),
            What::AddByKey => self.add_by_key(session, n).await,
            What::AddTag => self.add_tag(session, None),
            What::AddRoom => self.add_room(session, n, None),
            What::AddPin => self.add_pin(session, n),
            What::AddBadge => self.add_badge(session, n, None),
            What::AddAgain => self.add_again(session, n).await,
            What::Set => self.set(session, n, true),
            What::SetByHandle => self.set(session, n, false),
            What::SetAndRevert => self.set_and_revert(session, n),
            What::SwapValues => self.swap_values(session, n),
            What::TakeValue => self.take_value(session, n),
            What::DeleteAndAddSameValue => self.delete_and_add_same(session, n),
            What::Clash => self.clash(session, n).await,
            What::Link => self.link(session, n),
            What::Unlink => self.unlink(session, n),
            What::Assign => self.assign(session, n).await,
            What::LinkTag => self.tag(session, n, true),
            What::UnlinkTag => self.tag(session, n, false),
            What::Reparent => self.reparent(session, n),
            What::SetKey => self.set_key(session, n).await,
            What::SwapOnes => self.swap_ones(session, n).await,
            What::ReplaceOne => self.replace_one(session, n),
            What::Delete => self.delete(session, n),
            What::Undelete => self.undelete(session, n),
            What::ChangeKey => self.change_key(session, n),
            What::Expire => self.expire(session, n),
            What::ExpireAll => self.expire_all(session).await,
            What::Expunge => self.expunge(session, n),
            What::ExpungeAll => self.expunge_all(session, n).await,
            What::Refresh => self.refresh(session, n).await,
            What::Fresh => self.fresh(session, n).await,
            What::Get => self.get(session, n).await,
            What::Query => self.query(session, n, false).await,
            What::QueryEager => self.query(session, n, true).await,
            What::Load => self.load(session, n, false).await,
            What::LoadMany => self.load(session, n, true).await,
            What::Count => self.count(session, n).await,
            What::AddDoc => self.add_doc(session, n),
            What::AddPage => self.add_page(session, n),
            What::AddCover => self.add_cover(session, n),
            What::AddMark => self.add_mark(session, n),
            What::AddOrphanAgain => self.add_orphan_again(session, n),
            What::Orphan => self.orphan(session, n),
            What::Replace => self.replace_cover(session, n),
            What::DeleteWithAll => self.delete_with_all(session, n),
            What::Compute => self.compute(session, n),
            What::UpdateMany => self.update_many(session, n).await,
            What::DeleteMany => self.delete_many(session, n).await,
            What::Merge => self.merge(session, n).await,
            What::MergeNew => self.merge_new(session, n).await,
            What::Stale => self.stale(session, n).await,
            What::RowGone => self.row_gone(session, n).await,
            What::Flush => self.flush(session).await.map(|()| true),
            What::Commit | What::Rollback | What::Begin | What::Release | What::RollbackTo | What::DropSavepoint => {
                Ok(false)
            }
        }
    }
}
