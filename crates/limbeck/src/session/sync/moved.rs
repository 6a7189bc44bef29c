//! Statements that give rows another key.
//!
//! RETURNING tells what a row is, and not what it was. So the keys are asked for before, and the rows locked, in one
//! query more; the objects are then found by their old key and entered under the new one.

use super::Effect;
use crate::driver::{Row, RowSink};
use crate::error::Result;
use crate::model::ModelDef;
use crate::model::mapping::Reference;
use crate::schema::Action;
use crate::session::Session;
use crate::session::flush::rekey::Moved as Followed;
use crate::session::objects::{Obj, Objects};
use crate::session::read::kind_of;
use crate::session::store::{State, unreadable_column};
use crate::session::undo::Undo;
use crate::sql::compile::Compiled;
use crate::types::{Cell, Value};

/// A row's key before a statement, and after it.
pub(in crate::session) struct Moved {
    old: Vec<Value<'static>>,
    new: Vec<Value<'static>>,
}

impl Session {
    /// The keys of the rows that a statement moves, before it is run.
    pub(in crate::session) async fn moved(&mut self, keys: Option<Compiled<'_>>, effect: Effect) -> Result<Vec<Moved>> {
        let Some(Compiled { stmt, binds, .. }) = keys.filter(|_| effect.moves()) else { return Ok(Vec::new()) };
        // The way back of a change of keys is a copy of the object, which there must not be two of.
        self.flush().await?;
        let mut sink = KeySink { model: effect.model, moved: Vec::new() };
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        result?;
        Ok(sink.moved)
    }
}

struct KeySink {
    model: &'static ModelDef,
    moved: Vec<Moved>,
}

impl RowSink for KeySink {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let keys = self.model.primary_key;
        let read = |first: usize| -> Result<Vec<Value<'static>>> {
            let value = |(at, column): (usize, &usize)| {
                let cell = row.cell(first + at).value(kind_of(self.model, *column));
                cell.map_err(|source| unreadable_column(self.model, source, *column))
            };
            keys.iter().enumerate().map(value).collect()
        };
        let moved = Moved { old: read(0)?, new: read(keys.len())? };
        self.moved.push(moved);
        Ok(())
    }

    fn restart(&mut self) {
        self.moved.clear();
    }
}

impl Objects {
    /// Enters objects under their new keys: all are taken out first, since one may get the key of another.
    pub(super) fn enter_moved(&mut self, model: &'static ModelDef, moved: Vec<Moved>) {
        let id = model.id.get() as u32;
        let mut found: Vec<(Obj, Moved)> = Vec::new();
        for row in moved {
            let Some(slot) = self.find_store(model).and_then(|store| store.find(&row.old)) else { continue };
            if row.old != row.new && self.store(Obj { model: id, slot }).meta(slot).state == State::Persistent {
                found.push((Obj { model: id, slot }, row));
            }
        }
        let mut followed = Vec::with_capacity(found.len());
        for (obj, row) in &found {
            let old = model.primary_key.iter().copied().zip(row.old.iter().cloned());
            followed.push(Followed { obj: *obj, old: old.collect() });
            self.expire_referring(model, *obj);
            let store = self.store_mut(*obj);
            store.unidentify(obj.slot);
            store.touch(obj.slot);
        }
        for (obj, row) in found {
            let store = self.store_mut(obj);
            for (column, value) in model.primary_key.iter().zip(&row.new) {
                // A key that the database gave reads back.
                let _ = store.set_value(obj.slot, *column, Cell::from_value(value));
            }
            let saved = store.take_saved(obj.slot);
            store.identify(obj.slot);
            if let Some(saved) = saved {
                self.undo.push(Undo::Updated(obj, saved));
            }
        }
        self.follow_moved(followed, std::iter::empty());
    }

    /// Objects that refer to one whose key changes are read again, but for those that `on_update = cascade` has follow:
    /// what the database did with the keys of the others is said by no model.
    fn expire_referring(&mut self, model: &'static ModelDef, parent: Obj) {
        let mut met = Vec::new();
        for store in self.stores() {
            let child = store.model();
            let references = child.references();
            let not_told = |reference: &&Reference| {
                std::ptr::eq(reference.target, model) && reference.on_update != Action::Cascade
            };
            for reference in references.iter().filter(not_told) {
                met.extend(self.referring(child, &reference.keys, &[parent]));
            }
        }
        for obj in met.into_iter().filter(|obj| *obj != parent) {
            let store = self.store_mut(obj);
            store.meta_mut(obj.slot).expired = true;
            store.unload(obj.slot);
        }
    }
}
