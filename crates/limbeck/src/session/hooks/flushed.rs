//! What a flush has written, for `after_flush`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::ColumnChange;
use crate::model::{Handle, Model, ModelDef, TableOf, Tracked};
use crate::session::objects::{Obj, Objects};
use crate::session::undo::Undo;
use crate::types::Value;

/// What happens to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowEvent {
    /// It is inserted.
    Insert,
    /// It is updated.
    Update,
    /// It is deleted.
    Delete,
}

impl RowEvent {
    pub(super) fn hook(self) -> &'static str {
        match self {
            RowEvent::Insert => "before_insert",
            RowEvent::Update => "before_update",
            RowEvent::Delete => "before_delete",
        }
    }
}

/// The rows that a flush has written: what an [`after_flush`](super::Hooks::after_flush) hook gets. It is cheap to
/// clone.
///
/// Rows of association tables are not among them.
#[derive(Clone, Debug)]
pub struct Flushed {
    rows: Arc<Vec<FlushedRow>>,
}

/// A row that a flush has written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FlushedRow {
    /// What happened to it.
    pub event: RowEvent,
    /// Its model.
    pub model: &'static ModelDef,
    /// The object's handle, without its type.
    pub object: Handle,
    /// The primary key: one value for each column of it.
    pub key: Vec<Value<'static>>,
    /// All columns of a row that was inserted or deleted, as far as they are known; of one that was updated those that
    /// changed, `on_update` and the keys of linked objects among them.
    pub changes: Vec<ColumnChange>,
}

impl Flushed {
    /// All rows: what was inserted and updated, then what was deleted.
    pub fn rows(&self) -> &[FlushedRow] {
        &self.rows
    }

    /// Whether the flush wrote no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The objects of a model that were inserted.
    pub fn inserted<T: TableOf>(&self, table: T) -> impl Iterator<Item = Tracked<T::Model>> + use<'_, T> {
        self.of(table, RowEvent::Insert)
    }

    /// The objects of a model that were updated.
    pub fn updated<T: TableOf>(&self, table: T) -> impl Iterator<Item = Tracked<T::Model>> + use<'_, T> {
        self.of(table, RowEvent::Update)
    }

    /// The objects of a model that were deleted. They can be read until the transaction ends.
    pub fn deleted<T: TableOf>(&self, table: T) -> impl Iterator<Item = Tracked<T::Model>> + use<'_, T> {
        self.of(table, RowEvent::Delete)
    }

    fn of<T: TableOf>(&self, table: T, event: RowEvent) -> impl Iterator<Item = Tracked<T::Model>> + use<'_, T> {
        let _ = table;
        let rows = self.rows.iter().filter(move |row| row.event == event);
        rows.filter(|row| std::ptr::eq(row.model, T::Model::def())).map(|row| Tracked::new(row.object))
    }

    /// The columns of an object that the flush changed; empty for one that it left alone.
    pub fn changes<M: Model>(&self, handle: Tracked<M>) -> &[ColumnChange] {
        let row = self.rows.iter().find(|row| row.object == handle.raw && std::ptr::eq(row.model, M::def()));
        row.map_or(&[], |row| &row.changes)
    }
}

/// What is known before a flush: what the columns that it changes held.
pub(super) struct Record {
    /// By object: the columns that are to be written, and what they held.
    updates: FxHashMap<Obj, Olds>,
    deletes: Vec<(Obj, Olds)>,
}

type Olds = Vec<(usize, Option<Value<'static>>)>;

impl Record {
    pub(super) fn before(objects: &Objects) -> Self {
        let updates = objects.touched().into_iter().filter(|obj| objects.is_due(RowEvent::Update, *obj));
        let olds = |obj: Obj| objects.written(obj).iter().map(|column| (column, objects.old(obj, column))).collect();
        let updates = updates.map(|obj| (obj, olds(obj))).collect();
        let all = |obj: Obj| (0..objects.store(obj).model().columns.len()).map(move |column| (obj, column));
        let known = |(obj, column)| objects.old(obj, column).map(|old| (column, Some(old)));
        let deletes = objects.doomed.iter().map(|obj| (*obj, all(*obj).filter_map(known).collect())).collect();
        Record { updates, deletes }
    }

    /// What the flush wrote, by the steps that it left behind `mark`.
    pub(super) fn after(mut self, objects: &Objects, mark: usize) -> Flushed {
        let steps = &objects.undo[mark.min(objects.undo.len())..];
        let mut rows = Vec::new();
        let mut inserted = Vec::new();
        let mut deleted: Vec<Obj> = Vec::new();
        for step in steps {
            match step {
                Undo::Inserted(obj, _) => inserted.push(*obj),
                Undo::Deleted(obj) => deleted.push(*obj),
                _ => {}
            }
        }
        let is_new: rustc_hash::FxHashSet<Obj> = inserted.iter().copied().collect();
        let is_gone: rustc_hash::FxHashSet<Obj> = deleted.iter().copied().collect();
        // Keys of other objects, `on_update`, what the database answered; and keys that a delete has set to NULL.
        for step in steps {
            if let Undo::Filled(obj, column, old) = step
                && !is_new.contains(obj)
            {
                let olds = self.updates.entry(*obj).or_default();
                if olds.iter().all(|(known, _)| known != column) {
                    olds.push((*column, Some(old.clone())));
                }
            }
        }
        rows.extend(inserted.iter().map(|obj| objects.inserted_row(*obj)));
        let mut updates: Vec<(Obj, Olds)> = self.updates.into_iter().collect();
        updates.sort_unstable_by_key(|(obj, _)| *obj);
        let updates = updates.into_iter().filter(|(obj, _)| !is_gone.contains(obj) && !is_new.contains(obj));
        rows.extend(updates.filter_map(|(obj, olds)| objects.updated_row(obj, olds)));
        // A row that the database deleted along with another is told from the object, which is there still.
        let mut known: FxHashMap<Obj, Olds> = self.deletes.into_iter().collect();
        rows.extend(deleted.iter().map(|obj| objects.deleted_row(*obj, known.remove(obj))));
        Flushed { rows: Arc::new(rows) }
    }
}

impl Objects {
    fn inserted_row(&self, obj: Obj) -> FlushedRow {
        let columns = 0..self.store(obj).model().columns.len();
        let known = columns.filter(|column| self.store(obj).is_loaded(obj.slot, *column));
        let changes = known.map(|column| self.change(obj, column, None, true)).collect();
        self.flushed_row(RowEvent::Insert, obj, changes)
    }

    fn updated_row(&self, obj: Obj, olds: Olds) -> Option<FlushedRow> {
        let mut changes: Vec<(usize, ColumnChange)> =
            olds.into_iter().map(|(column, old)| (column, self.change(obj, column, old, true))).collect();
        changes.retain(|(_, change)| change.old != change.new);
        changes.sort_by_key(|(column, _)| *column);
        let changes: Vec<ColumnChange> = changes.into_iter().map(|(_, change)| change).collect();
        (!changes.is_empty()).then(|| self.flushed_row(RowEvent::Update, obj, changes))
    }

    fn deleted_row(&self, obj: Obj, olds: Option<Olds>) -> FlushedRow {
        let store = self.store(obj);
        let all = || {
            let columns = (0..store.model().columns.len()).filter(|column| store.is_loaded(obj.slot, *column));
            columns.map(|column| (column, Some(store.value(obj.slot, column).into_owned()))).collect()
        };
        let changes = olds.unwrap_or_else(all).into_iter().map(|(column, old)| self.change(obj, column, old, false));
        let changes = changes.collect();
        self.flushed_row(RowEvent::Delete, obj, changes)
    }

    fn change(&self, obj: Obj, column: usize, old: Option<Value<'static>>, stays: bool) -> ColumnChange {
        let store = self.store(obj);
        let new = stays.then(|| store.value(obj.slot, column).into_owned());
        ColumnChange { column: &store.model().columns[column], old, new }
    }

    fn flushed_row(&self, event: RowEvent, obj: Obj, changes: Vec<ColumnChange>) -> FlushedRow {
        let store = self.store(obj);
        let model = store.model();
        let key = model.primary_key.iter().map(|column| store.value(obj.slot, *column).into_owned()).collect();
        FlushedRow { event, model, object: self.handle(obj), key, changes }
    }
}
