//! Sending a flush.

use super::batch::{Batch, Rows, Source};
use super::counted::Deletes;
use super::plan::{Constraint, Plan};
use super::receive::{Received, blame, receive};
use super::rounds::Step;
use super::write::Linking;
use super::{carried, counted, deletes, rounds, stale, statement, switch, write};
use crate::driver::Write;
use crate::engine::Connection;
use crate::error::Result;
use crate::session::objects::{LinkRow, Objects};
use crate::sql::compile::Compiler;

/// Sends everything that the plan has. Batches gather until one makes keys that others may need. `false` if it could
/// not be told which row is whose: then all of it is to be taken back and run again.
pub(super) async fn run(
    objects: &mut Objects,
    connection: &mut Connection,
    compiler: Compiler<'_>,
    plan: &Plan,
) -> Result<bool> {
    let early: Deletes = |work| &work.early;
    let mut batches = deferred(compiler, plan, true)?;
    let mut unlinks: Vec<LinkRow> = Vec::new();
    let mut unlinks_first: Vec<LinkRow> = Vec::new();
    for row in &plan.unlinks {
        let of_all = if write::ends_move(objects, row)? { &mut unlinks_first } else { &mut unlinks };
        of_all.push(*row);
    }
    batches.extend(write::links(objects, compiler, &unlinks_first, Linking::DeleteFirst)?);
    batches.extend(write::evictions(compiler, plan)?);
    batches.extend(switch::sweeps(objects, compiler, plan)?);
    batches.extend(write::parked(objects, compiler, plan)?);
    let at = batches.len();
    for work in plan.models.iter().filter(|work| !work.first.is_empty()) {
        let step = Step { updates: work.first.clone(), ..Step::new(work.model) };
        write::updates(objects, compiler, &step, plan, &mut batches)?;
    }
    counted::follow(objects, plan, &mut batches[at..], &[])?;
    let early_at = batches.len();
    batches.extend(deletes::deletes(objects, compiler, plan, &plan.early, early)?);
    carried::follow(objects, plan, &mut batches[at..], true);
    counted::follow(objects, plan, &mut batches[early_at..], &[early])?;
    for round in &plan.rounds {
        for step in round {
            let at = batches.len();
            write::updates(objects, compiler, step, plan, &mut batches)?;
            carried::follow(objects, plan, &mut batches[at..], false);
            switch::updates(objects, compiler, step, plan, &mut batches)?;
            counted::follow(objects, plan, &mut batches[at..], &[early])?;
            write::inserts(objects, compiler, step, plan, &mut batches)?;
        }
        if round.iter().flat_map(|step| &step.inserts).any(|obj| rounds::needs_key(objects, *obj))
            && !send(objects, connection, compiler, std::mem::take(&mut batches)).await?
        {
            return Ok(false);
        }
    }
    if plan.models.iter().any(|work| !work.later.is_empty()) {
        // The rows that are NULL until then are read when they are sent.
        if !send(objects, connection, compiler, std::mem::take(&mut batches)).await? {
            return Ok(false);
        }
        batches.extend(write::later(objects, compiler, plan)?);
    }
    batches.extend(write::links(objects, compiler, &plan.links, Linking::Insert)?);
    batches.extend(write::links(objects, compiler, &unlinks, Linking::Delete)?);
    let at = batches.len();
    batches.extend(deletes::deletes(objects, compiler, plan, &plan.removal, |work| &work.deletes)?);
    carried::follow(objects, plan, &mut batches[at..], false);
    counted::follow(objects, plan, &mut batches[at..], &[early, |work| &work.deletes])?;
    batches.extend(deferred(compiler, plan, false)?);
    send(objects, connection, compiler, batches).await
}

/// Has foreign keys between rows that refer to each other checked at the end of the flush.
fn deferred(compiler: Compiler<'_>, plan: &Plan, deferred: bool) -> Result<Vec<Batch>> {
    let batch = |constraint: &Constraint| {
        let stmt = statement::set_constraint(compiler, constraint, deferred)?;
        Ok(Batch::unasked(stmt, Rows::Values(vec![Vec::new()])))
    };
    plan.deferred.iter().map(batch).collect()
}

/// Sends batches together and writes what comes back into the objects. `false` as in [`run`].
pub(super) async fn send(
    objects: &mut Objects,
    connection: &mut Connection,
    compiler: Compiler<'_>,
    batches: Vec<Batch>,
) -> Result<bool> {
    if batches.is_empty() {
        return Ok(true);
    }
    let outcome = {
        let sources: Vec<Source<'_>> = batches.iter().filter_map(|batch| Source::new(&batch.rows, objects)).collect();
        let writes: Vec<Write<'_>> = batches.iter().zip(&sources).map(|(batch, source)| batch.write(source)).collect();
        connection.write(&writes).await
    };
    match outcome {
        Ok(written) => {
            for (batch, written) in batches.iter().zip(written) {
                if stale::missed(objects, batch, &written) {
                    return Err(stale::explain(objects, connection, compiler, batch, &written).await);
                }
                if let Received::Untied(model) = receive(objects, batch, written)? {
                    tracing::debug!(table = model.table, "rows came back out of order; the flush is run again");
                    compiler.cache.distrust(model.id.get());
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Err(failed) => {
            // A row that was not met is why a later statement was refused: what it was to make room for, or to let go of.
            for (batch, written) in batches.iter().zip(&failed.done) {
                if stale::missed(objects, batch, written) {
                    return Err(stale::explain(objects, connection, compiler, batch, written).await);
                }
            }
            Err(match batches.get(failed.index) {
                Some(batch) => blame(objects, batch, failed.row, failed.error),
                None => failed.error,
            })
        }
    }
}
