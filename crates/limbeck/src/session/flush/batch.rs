//! Rows of one shape, read in place from the objects when they are sent.

use std::sync::Arc;

use super::sentinel::Tie;
use crate::driver::{Returns, RowSource, Stmt, Write};
use crate::model::ColumnSet;
use crate::session::objects::{Obj, Objects};
use crate::session::store::AnyStore;
use crate::types::Value;

/// One statement and its rows.
pub(super) struct Batch {
    pub(super) stmt: Arc<Stmt>,
    pub(super) rows: Rows,
    pub(super) returns: Returns,
    pub(super) kind: BatchKind,
}

/// What is done with the outcome of a batch.
#[derive(Clone, Debug)]
pub(super) enum BatchKind {
    /// These columns come back, for each row, behind those that tie it to its object.
    Insert { returning: Vec<usize>, tie: Tie },
    /// Every row has to be there. These columns come back, for each row; before them the key that it had, where rows
    /// have to be told apart by it.
    Update { returning: Vec<usize>, keys: bool },
    /// A row may be gone already.
    Delete,
    /// Any number of rows.
    Other,
}

/// The rows of a batch.
pub(super) enum Rows {
    /// Objects of one model: the values of their expressions, the columns as they are, then the key columns as they
    /// were at the last flush.
    Objects {
        objs: Vec<Obj>,
        /// For each row, or one for all of them; empty where there are no expressions.
        values: Vec<Vec<Value<'static>>>,
        columns: Vec<usize>,
        keys: Vec<usize>,
    },
    /// Rows of an association table: the key columns of one end as they are, then those of the other.
    Links { ends: Vec<(Obj, Obj)>, local: Vec<usize>, remote: Vec<usize> },
    /// Values that were put together.
    Values(Vec<Vec<Value<'static>>>),
    /// Likewise, each for an object; and where in them its key begins.
    Built { objs: Vec<Obj>, values: Vec<Vec<Value<'static>>>, at: usize },
}

impl Rows {
    pub(super) fn objects(objs: Vec<Obj>, columns: ColumnSet, keys: &[usize]) -> Self {
        Rows::Objects { objs, values: Vec::new(), columns: columns.iter().collect(), keys: keys.to_vec() }
    }

    /// Nothing but columns of objects as they were at the last flush.
    pub(super) fn saved(objs: Vec<Obj>, columns: &[usize]) -> Self {
        Rows::objects(objs, ColumnSet::EMPTY, columns)
    }

    /// The same with values of expressions, for each row or one for all of them.
    pub(super) fn with_values(mut self, of_rows: Vec<Vec<Value<'static>>>) -> Self {
        match &mut self {
            Rows::Objects { values, .. } => *values = of_rows,
            Rows::Links { .. } => {}
            Rows::Values(rows) | Rows::Built { values: rows, .. } => {
                let ahead = of_rows.first().map_or(0, Vec::len);
                for (index, row) in rows.iter_mut().enumerate() {
                    let values = of_rows.get(index).or(of_rows.first()).cloned().unwrap_or_default();
                    row.splice(0..0, values);
                }
                if let Rows::Built { at, .. } = &mut self {
                    *at += ahead;
                }
            }
        }
        self
    }

    /// A part of the key that a row is found by, as it is sent.
    pub(super) fn sent_key<'v>(&'v self, objects: &'v Objects, row: usize, part: usize) -> Value<'v> {
        match self {
            Rows::Objects { objs, keys, .. } => match (objs.get(row), keys.get(part)) {
                (Some(obj), Some(key)) => objects.store(*obj).saved_value(obj.slot, *key),
                _ => Value::Null,
            },
            Rows::Built { values, at, .. } => {
                values.get(row).and_then(|row| row.get(at + part)).map_or(Value::Null, Value::borrowed)
            }
            Rows::Links { .. } | Rows::Values(_) => Value::Null,
        }
    }

    /// Puts the values of objects together, so that they can be others than these have.
    pub(super) fn built(&mut self, objects: &Objects) -> &mut Self {
        if let Rows::Objects { objs, values, columns, keys } = self {
            let row = |obj: &Obj| {
                let store = objects.store(*obj);
                let sent = columns.iter().map(|column| store.value(obj.slot, *column).into_owned());
                sent.chain(keys.iter().map(|key| store.saved_value(obj.slot, *key).into_owned())).collect()
            };
            let built = Rows::Built { values: objs.iter().map(row).collect(), objs: objs.clone(), at: columns.len() };
            *self = built.with_values(std::mem::take(values));
        }
        self
    }

    /// A part of the key that a row is found by, where it was put together.
    pub(super) fn sent_key_mut(&mut self, row: usize, part: usize) -> Option<&mut Value<'static>> {
        match self {
            Rows::Built { values, at, .. } => values.get_mut(row)?.get_mut(*at + part),
            Rows::Objects { .. } | Rows::Values(_) | Rows::Links { .. } => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Rows::Objects { objs, .. } => objs.len(),
            Rows::Links { ends, .. } => ends.len(),
            Rows::Values(rows) | Rows::Built { values: rows, .. } => rows.len(),
        }
    }

    /// The object of a row.
    pub(super) fn object(&self, row: usize) -> Option<Obj> {
        match self {
            Rows::Objects { objs, .. } | Rows::Built { objs, .. } => objs.get(row).copied(),
            Rows::Links { .. } | Rows::Values(_) => None,
        }
    }
}

/// A batch beside the objects that it reads.
pub(super) enum Source<'a> {
    Objects {
        store: &'a dyn AnyStore,
        objs: &'a [Obj],
        values: &'a [Vec<Value<'static>>],
        columns: &'a [usize],
        keys: &'a [usize],
    },
    Links {
        /// Those of the two ends.
        stores: (&'a dyn AnyStore, &'a dyn AnyStore),
        ends: &'a [(Obj, Obj)],
        local: &'a [usize],
        remote: &'a [usize],
    },
    Values(&'a [Vec<Value<'static>>]),
}

impl<'a> Source<'a> {
    pub(super) fn new(rows: &'a Rows, objects: &'a Objects) -> Option<Self> {
        Some(match rows {
            Rows::Objects { objs, values, columns, keys } => {
                Source::Objects { store: objects.store(*objs.first()?), objs, values, columns, keys }
            }
            Rows::Links { ends, local, remote } => {
                let (a, b) = *ends.first()?;
                Source::Links { stores: (objects.store(a), objects.store(b)), ends, local, remote }
            }
            Rows::Values(rows) | Rows::Built { values: rows, .. } => Source::Values(rows),
        })
    }
}

impl RowSource for Source<'_> {
    fn len(&self) -> usize {
        match self {
            Source::Objects { objs, .. } => objs.len(),
            Source::Links { ends, .. } => ends.len(),
            Source::Values(rows) => rows.len(),
        }
    }

    fn value(&self, row: usize, param: usize) -> Value<'_> {
        match self {
            Source::Objects { store, objs, values, columns, keys } => {
                let mut param = param;
                if let Some(values) = values.get(row).or(values.first()) {
                    match values.get(param) {
                        Some(value) => return value.borrowed(),
                        None => param -= values.len(),
                    }
                }
                match columns.get(param) {
                    Some(column) => store.value(objs[row].slot, *column),
                    // A row of no columns still has one parameter on PostgreSQL: something to count.
                    None => match keys.get(param - columns.len()) {
                        Some(key) => store.saved_value(objs[row].slot, *key),
                        None => Value::Bool(true),
                    },
                }
            }
            Source::Links { stores, ends, local, remote } => match local.get(param) {
                Some(column) => stores.0.value(ends[row].0.slot, *column),
                None => stores.1.value(ends[row].1.slot, remote[param - local.len()]),
            },
            Source::Values(rows) => rows[row].get(param).map_or(Value::Null, Value::borrowed),
        }
    }

    #[cfg(feature = "postgres")]
    fn is_common(&self, param: usize) -> bool {
        match self {
            Source::Objects { values, .. } => values.first().is_some_and(|values| param < values.len()),
            Source::Links { .. } | Source::Values(_) => false,
        }
    }
}

impl Batch {
    /// A statement of whose outcome nothing is asked: any number of rows may be met.
    pub(super) fn unasked(stmt: Arc<Stmt>, rows: Rows) -> Self {
        Batch { stmt, rows, returns: Returns::Count, kind: BatchKind::Other }
    }

    pub(super) fn write<'a>(&self, source: &'a Source<'a>) -> Write<'a> {
        Write { stmt: Arc::clone(&self.stmt), rows: source, returns: self.returns }
    }
}

/// Adds a row to those of its shape. Shapes stay in the order in which they are met.
pub(super) fn group<S: PartialEq, R>(groups: &mut Vec<(S, Vec<R>)>, shape: S, row: R) {
    match groups.iter_mut().find(|(other, _)| *other == shape) {
        Some((_, rows)) => rows.push(row),
        None => groups.push((shape, vec![row])),
    }
}
