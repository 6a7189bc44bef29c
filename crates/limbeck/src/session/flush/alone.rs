//! A flush that is one INSERT, and all that its transaction does: PostgreSQL makes it a transaction by itself, and of two
//! round trips one is left.
//!
//! What else is looked at when a batch is answered has to be looked at before it is committed: whether all of its rows
//! were inserted, and whether their numbers say which is whose (`sentinel`). Of one row there is nothing to ask. Of
//! several the statement asks itself: where the answer would not do it divides by zero, and PostgreSQL undoes it. The
//! flush then goes the usual way, which finds out what is wrong and has means against it.

use super::batch::{Batch, BatchKind, Rows};
use super::plan::Plan;
use super::run::send;
use super::sentinel::Tie;
use super::{statement, write};
use crate::engine::Connection;
use crate::error::{Error, Result};
use crate::session::objects::Objects;
use crate::sql::compile::Compiler;

/// The asking costs the server half a microsecond a row, and the round trip 50 where the server is near and a
/// millisecond where it is not: of more rows than this it is not worth it.
const MOST: usize = 200;

const DIVISION_BY_ZERO: &str = "22012";

/// Sends the flush without a transaction around it. `false` if it has to have one: then nothing was done.
pub(super) async fn run(
    objects: &mut Objects,
    connection: &mut Connection,
    compiler: Compiler<'_>,
    plan: &Plan,
) -> Result<bool> {
    let Some(step) = plan.only_inserts() else { return Ok(false) };
    let mark = objects.undo.len();
    let mut batches = Vec::new();
    write::inserts(objects, compiler, step, plan, &mut batches)?;
    if let [batch] = batches.as_mut_slice()
        && asks_itself(objects, compiler, batch)?
    {
        match send(objects, connection, compiler, batches).await {
            Ok(true) => return Ok(true),
            // Where it was not the asking that did this, it is met again.
            Err(Error::Database(error)) if error.code.as_deref() == Some(DIVISION_BY_ZERO) => {}
            Err(error) => return Err(error),
            Ok(false) => {}
        }
    }
    objects.undo_to(mark);
    Ok(false)
}

/// Has the statement of a batch ask what is to be asked of its rows, if that can be.
fn asks_itself(objects: &Objects, compiler: Compiler<'_>, batch: &mut Batch) -> Result<bool> {
    let count = batch.rows.len();
    let (Rows::Objects { objs, values, columns, .. }, BatchKind::Insert { returning, tie }) =
        (&batch.rows, &batch.kind)
    else {
        return Ok(false);
    };
    match (tie, objs.first()) {
        (Tie::InOrder, _) if count == 1 => Ok(true),
        (Tie::ByNumber { column, descending }, Some(first)) if values.is_empty() && count <= MOST => {
            let (model, columns) = (objects.store(*first).model(), columns.iter().copied().collect());
            batch.stmt = statement::insert_alone(compiler, model, columns, returning, (*column, *descending))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
