//! What a statement over many rows leaves in memory.

use rustc_hash::FxHashSet;

use super::Changes;
use super::moved::Moved;
use crate::error::Result;
use crate::model::mapping::Reference;
use crate::model::{ColumnSet, ModelDef};
use crate::session::flush::finish::Written;
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::{State, unreadable_column};
use crate::session::undo::Undo;
use crate::sql::What;
use crate::types::{Cell, Value};

impl Objects {
    /// Makes memory agree with what a statement did.
    pub(in crate::session) fn follow(&mut self, changes: Changes, moved: Vec<Moved>) -> Result<()> {
        let model = changes.effect.model;
        match changes.effect.what {
            What::Deletes => {
                self.follow_deleted(model, &changes.rows);
                Ok(())
            }
            What::Updates(_) => {
                self.enter_moved(model, moved);
                self.follow_updated(model, changes.effect.columns(), &changes.rows)
            }
        }
    }

    fn follow_updated(
        &mut self,
        model: &'static ModelDef,
        columns: ColumnSet,
        rows: &[Vec<Value<'static>>],
    ) -> Result<()> {
        let (mut written, mut expired) = (Vec::new(), Vec::new());
        for row in rows {
            let (key, values) = row.split_at(model.primary_key.len());
            let Some(slot) = self.find_store(model).and_then(|store| store.find(key)) else { continue };
            let obj = Obj { model: model.id.get() as u32, slot };
            let meta = self.store(obj).meta(slot);
            if meta.state != State::Persistent {
                continue;
            }
            let (is_expired, given) = (meta.expired, meta.given);
            let own = self.store(obj).changed(slot).union(self.expressed(obj));
            let mut changed = ColumnSet::EMPTY;
            for (column, value) in columns.iter().zip(values) {
                // Set while it was expired: that is flushed later.
                if !given.contains(column) && self.take_value(obj, column, value, own.contains(column))? {
                    changed.insert(column);
                }
            }
            if is_expired {
                // It is read again anyway, but may be in collections.
                expired.push(obj);
                continue;
            }
            written.push(Written { obj, columns: changed, links: Vec::new(), moved: true });
        }
        if !expired.is_empty() {
            self.perhaps_moved(model, &expired, columns);
        }
        written.iter().for_each(|written| self.follow_keys(written));
        Ok(())
    }

    /// Writes what a column of a row is now; one that was changed and is not flushed (`own`) keeps what it holds, and
    /// differs from the new value. Whether the object holds something else now.
    fn take_value(&mut self, obj: Obj, column: usize, value: &Value<'static>, own: bool) -> Result<bool> {
        let store = self.store_mut(obj);
        let model = store.model();
        if !store.is_loaded(obj.slot, column) {
            return Ok(false);
        }
        let old = store.saved_value(obj.slot, column).into_owned();
        if old == *value {
            return Ok(false);
        }
        let unreadable = |source| unreadable_column(model, source, column);
        store.set_saved(obj.slot, column, Cell::from_value(value)).map_err(unreadable)?;
        if !own {
            store.set_value(obj.slot, column, Cell::from_value(value)).map_err(unreadable)?;
        }
        self.undo.push(Undo::Filled(obj, column, old));
        Ok(!own)
    }

    fn follow_deleted(&mut self, model: &'static ModelDef, rows: &[Vec<Value<'static>>]) {
        let id = model.id.get() as u32;
        let (mut gone, mut unknown) = (Vec::new(), Vec::new());
        for key in rows {
            match self.find_store(model).and_then(|store| store.find(key)) {
                Some(slot) => gone.push(Obj { model: id, slot }),
                None => unknown.push(key.as_slice()),
            }
        }
        if !gone.is_empty() {
            let all: FxHashSet<Obj> = gone.iter().copied().collect();
            self.doomed.retain(|obj| !all.contains(obj));
            self.linked.retain(|obj| !all.contains(obj));
            self.link_rows.retain(|_, row| !all.contains(&row.local) && !all.contains(&row.remote));
            self.deleted(model, &gone);
        }
        if !unknown.is_empty() {
            self.orphans_of(model, &unknown);
        }
    }

    /// Objects that refer to rows that are gone, and that were none of the session's.
    fn orphans_of(&mut self, model: &'static ModelDef, keys: &[&[Value<'static>]]) {
        let mut children: Vec<(&'static ModelDef, &'static Reference)> = Vec::new();
        for store in self.stores() {
            let references = store.model().references();
            let to_key = references.iter().filter(|reference| {
                let mut parts = reference.keys.iter().map(|pair| pair.to);
                std::ptr::eq(reference.target, model) && parts.all(|to| model.primary_key.contains(&to))
            });
            children.extend(to_key.map(|reference| (store.model(), reference)));
        }
        for (child, reference) in children {
            let part = |to: usize| model.primary_key.iter().position(|key| *key == to).unwrap_or_default();
            let places: Vec<usize> = reference.keys.iter().map(|pair| part(pair.to)).collect();
            let wanted: FxHashSet<RowKey> =
                keys.iter().filter_map(|key| RowKey::of(places.len(), |index| key[places[index]].borrowed())).collect();
            self.bereaved(model, child, reference, &wanted);
        }
    }
}
