//! The row of a batch that PostgreSQL quotes as a whole: `Failing row contains (7, ada, -1, null).`
//!
//! A check constraint names no columns, and a batch is one statement: the values are all there is to go by. They are in
//! the order of the table, which need not be that of the model.

use super::batch::{Batch, Rows};
use super::receive::shown;
use crate::error::Violation;
use crate::session::objects::{Obj, Objects};

/// The longest text that is looked for: the server cuts longer ones.
const QUOTED: usize = 60;

/// The only row of a batch whose values are all quoted. Of rows that look alike it is the first.
#[cold]
pub(super) fn row(objects: &Objects, batch: &Batch, violation: &Violation) -> Option<usize> {
    let Rows::Objects { objs, columns, .. } = &batch.rows else { return None };
    let (_, quoted) = violation.message.split_once('(')?;
    let (quoted, _) = quoted.rsplit_once(')')?;
    let quoted = format!(", {quoted}, ");
    let parts = |obj: &Obj| -> Vec<String> {
        let store = objects.store(*obj);
        let part = |column: &usize| {
            let value = store.value(obj.slot, *column);
            if value.is_null() { Some("null".to_owned()) } else { shown(&value).filter(|text| text.len() <= QUOTED) }
        };
        columns.iter().filter_map(part).map(|part| format!(", {part}, ")).collect()
    };
    let mut found: Option<(usize, Vec<String>)> = None;
    for (row, obj) in objs.iter().enumerate() {
        let parts = parts(obj);
        if parts.is_empty() || !parts.iter().all(|part| quoted.contains(part)) {
            continue;
        }
        match &found {
            None => found = Some((row, parts)),
            Some((_, first)) if *first == parts => {}
            Some(_) => return None,
        }
    }
    found.map(|(row, _)| row)
}
