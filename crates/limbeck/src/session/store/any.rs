//! What the flush and the loaders do with objects, whatever their model: by slot and column number, so that this code
//! is compiled once and not once a model.

use std::any::Any;

use super::{Entry, Meta, Store, unreadable};
use crate::driver::Row;
use crate::error::Result;
use crate::model::{ColumnSet, Handle, Key, Many, Model, ModelDef, One, RelationMut, RelationRef};
use crate::session::objects::Stamps;
use crate::types::{Cell, DecodeError, Value};

/// Objects of one model, by slot and column number; the session's business alone.
///
/// Slots come from handles that were checked with [`slot`](Self::slot).
pub trait AnyStore: Any + Send + Sync {
    /// The model.
    fn model(&self) -> &'static ModelDef;
    /// The slot of a handle, if this store has its object.
    fn slot(&self, handle: Handle) -> Option<u32>;
    /// How many slots there are, free ones among them.
    fn slots(&self) -> u32;
    /// Whether a slot has an object.
    fn occupied(&self, slot: u32) -> bool;
    /// What is known of the object.
    fn meta(&self, slot: u32) -> &Meta;
    /// What is known of the object, to change.
    fn meta_mut(&mut self, slot: u32) -> &mut Meta;
    /// The value of a column.
    fn value(&self, slot: u32, column: usize) -> Value<'_>;
    /// The value of a column at the last flush.
    fn saved_value(&self, slot: u32, column: usize) -> Value<'_>;
    /// Writes a column, unnoticed.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    fn set_value(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError>;
    /// The columns that differ from the last flush.
    fn changed(&self, slot: u32) -> ColumnSet;
    /// The relationship that was assigned directly since the last flush, if one was.
    fn assigned(&self, slot: u32) -> Option<usize>;
    /// Brings columns to what a database keeps of them.
    fn normalize(&mut self, slot: u32, columns: ColumnSet);
    /// Applies `on_update`.
    fn on_update(&mut self, slot: u32, changed: ColumnSet) -> ColumnSet;
    /// A relationship field.
    fn relation(&self, slot: u32, relation: usize) -> RelationRef<'_>;
    /// A relationship field, in the object and in its copy, to change.
    fn relation_mut(&mut self, slot: u32, relation: usize, change: &mut dyn FnMut(RelationMut<'_>));
    /// Changes a loaded collection, in the object and in its copy.
    fn change_many(&mut self, slot: u32, relation: usize, change: &mut dyn FnMut(&mut Vec<Handle>));
    /// Makes all relationship fields unloaded.
    fn unload(&mut self, slot: u32);
    /// Keeps a copy of the object, if there is none, and lists it as touched.
    fn touch(&mut self, slot: u32);
    /// Lists the object as touched, without a copy: what changed of it is known otherwise.
    fn enlist(&mut self, slot: u32);
    /// The touched objects since the last call.
    fn take_touched(&mut self) -> Vec<u32>;
    /// The touched objects.
    fn touched(&self) -> &[u32];
    /// Ends an object's copy: what it holds now is what the database has.
    fn take_saved(&mut self, slot: u32) -> Option<Box<dyn Any + Send + Sync>>;
    /// Brings the columns back to a copy.
    fn restore(&mut self, slot: u32, saved: &(dyn Any + Send + Sync));
    /// Brings the object back to the last flush; links that were planned since stay.
    fn revert(&mut self, slot: u32);
    /// Enters the object into the identity map.
    fn identify(&mut self, slot: u32);
    /// Takes the object out of the identity map.
    fn unidentify(&mut self, slot: u32);
    /// The object whose key has these values.
    fn find(&self, key: &[Value<'_>]) -> Option<u32>;
    /// Finds or makes the object of a row; one that is expired is read again.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn track(&mut self, row: &Row<'_>, at: usize, stamps: &mut Stamps) -> Result<Handle>;
    /// Reads the columns of an object again; columns that were given keep what they hold.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn reread(&mut self, slot: u32, row: &Row<'_>, at: usize) -> Result<()>;
    /// Writes a column of the copy, if there is one.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    fn set_saved(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError>;
    /// Whether a column's value is there: only a deferred one may not be.
    fn is_loaded(&self, slot: u32, column: usize) -> bool;
    /// Gives a deferred column that is not loaded its value.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    fn load_column(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError>;
    /// Gives a column, in the object and in its copy, the value that its row has.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    fn overwrite(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError>;
    /// Takes the object out and drops it.
    fn discard(&mut self, slot: u32);
    /// Lets the slots of objects that were taken out be used again: nothing names them any more.
    fn reclaim(&mut self);
    /// Whether objects were taken out that something may still name.
    fn has_emptied(&self) -> bool;
    /// Drops all objects.
    fn clear(&mut self);
    /// To find the typed store again.
    fn as_any(&self) -> &dyn Any;
    /// To find the typed store again.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<M: Model> AnyStore for Store<M> {
    fn model(&self) -> &'static ModelDef {
        M::def()
    }

    fn slot(&self, handle: Handle) -> Option<u32> {
        self.entry(handle).map(|_| handle.slot)
    }

    fn slots(&self) -> u32 {
        self.entries.len() as u32
    }

    fn occupied(&self, slot: u32) -> bool {
        self.entries.get(slot as usize).is_some_and(|entry| entry.object.is_some())
    }

    fn meta(&self, slot: u32) -> &Meta {
        &self.entries[slot as usize].meta
    }

    fn meta_mut(&mut self, slot: u32) -> &mut Meta {
        &mut self.entries[slot as usize].meta
    }

    fn value(&self, slot: u32, column: usize) -> Value<'_> {
        self.object(slot).value(column)
    }

    fn saved_value(&self, slot: u32, column: usize) -> Value<'_> {
        match &self.entries[slot as usize].saved {
            Some(saved) => saved.value(column),
            None => self.value(slot, column),
        }
    }

    fn set_value(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        self.object_mut(slot).set_value(column, cell)
    }

    fn changed(&self, slot: u32) -> ColumnSet {
        match &self.entries[slot as usize].saved {
            Some(saved) => self.object(slot).changed(saved),
            None => ColumnSet::EMPTY,
        }
    }

    fn assigned(&self, slot: u32) -> Option<usize> {
        let saved = self.entries[slot as usize].saved.as_ref()?;
        let object = self.object(slot);
        (0..M::def().relations.len()).find(|relation| match (object.relation(*relation), saved.relation(*relation)) {
            (RelationRef::One(now), RelationRef::One(then)) => now.state != then.state,
            (RelationRef::Many(now), RelationRef::Many(then)) => now.state != then.state,
            _ => true,
        })
    }

    fn normalize(&mut self, slot: u32, columns: ColumnSet) {
        self.object_mut(slot).normalize(columns);
    }

    fn on_update(&mut self, slot: u32, changed: ColumnSet) -> ColumnSet {
        self.object_mut(slot).touch(changed)
    }

    fn relation(&self, slot: u32, relation: usize) -> RelationRef<'_> {
        self.object(slot).relation(relation)
    }

    fn relation_mut(&mut self, slot: u32, relation: usize, change: &mut dyn FnMut(RelationMut<'_>)) {
        if let Some(saved) = &mut self.entries[slot as usize].saved {
            change(saved.relation_mut(relation));
        }
        change(self.object_mut(slot).relation_mut(relation));
    }

    fn change_many(&mut self, slot: u32, relation: usize, change: &mut dyn FnMut(&mut Vec<Handle>)) {
        // The copy lets go of the handles first: alone, the object changes them in place.
        let mut saved = self.entries[slot as usize].saved.take();
        if let Some(RelationMut::Many(field)) = saved.as_mut().map(|saved| saved.relation_mut(relation)) {
            field.state = Many::Unloaded;
        }
        if let RelationMut::Many(field) = self.object_mut(slot).relation_mut(relation) {
            field.state.change(change);
            let state = field.state.clone();
            if let Some(RelationMut::Many(copy)) = saved.as_mut().map(|saved| saved.relation_mut(relation)) {
                copy.state = state;
            }
        }
        self.entries[slot as usize].saved = saved;
    }

    fn unload(&mut self, slot: u32) {
        for relation in 0..M::def().relations.len() {
            self.relation_mut(slot, relation, &mut |field| match field {
                RelationMut::One(field) => field.state = One::Unloaded,
                RelationMut::Many(field) => field.state = Many::Unloaded,
            });
        }
    }

    fn touch(&mut self, slot: u32) {
        self.touch_slot(slot);
    }

    fn enlist(&mut self, slot: u32) {
        let meta = &mut self.entries[slot as usize].meta;
        if !meta.touched {
            meta.touched = true;
            self.touched.push(slot);
        }
    }

    fn take_touched(&mut self) -> Vec<u32> {
        for slot in &self.touched {
            self.entries[*slot as usize].meta.touched = false;
        }
        std::mem::take(&mut self.touched)
    }

    fn touched(&self) -> &[u32] {
        &self.touched
    }

    fn take_saved(&mut self, slot: u32) -> Option<Box<dyn Any + Send + Sync>> {
        self.entries[slot as usize].saved.take().map(|saved| saved as Box<dyn Any + Send + Sync>)
    }

    fn restore(&mut self, slot: u32, saved: &(dyn Any + Send + Sync)) {
        let Some(saved) = saved.downcast_ref::<M>() else { return };
        for column in self.object(slot).changed(saved).iter() {
            if !saved.is_loaded(column) {
                self.object_mut(slot).unload(column);
                continue;
            }
            // A value of the same type always reads back.
            let _ = self.object_mut(slot).set_value(column, Cell::from_value(&saved.value(column)));
        }
    }

    fn revert(&mut self, slot: u32) {
        // The copy's relationship fields are kept up to date, so that one that was assigned comes back, too.
        let entry = &mut self.entries[slot as usize];
        if let Some(saved) = entry.saved.take() {
            entry.object = Some(*saved);
        }
    }

    fn identify(&mut self, slot: u32) {
        self.identity.insert(self.object(slot).key(), slot);
    }

    fn unidentify(&mut self, slot: u32) {
        let entry = &self.entries[slot as usize];
        for object in entry.object.iter().chain(entry.saved.as_deref()) {
            let key = object.key();
            if self.identity.get(&key) == Some(&slot) {
                self.identity.remove(&key);
            }
        }
    }

    fn find(&self, key: &[Value<'_>]) -> Option<u32> {
        let key = M::Key::decode(|part| Cell::from_value(&key[part])).ok()?;
        self.identity.get(&key).copied()
    }

    #[inline]
    fn track(&mut self, row: &Row<'_>, at: usize, stamps: &mut Stamps) -> Result<Handle> {
        let parts = M::def().primary_key;
        let key = M::Key::decode(|part| row.cell(at + parts[part])).map_err(|e| unreadable(M::def(), e, at))?;
        let decode = || M::decode(row, at).map_err(|e| unreadable(M::def(), e, at));
        let (slot, is_new) = self.identified(key, decode, stamps)?;
        if is_new {
            stamps.doubt.note(M::def(), slot);
        } else if self.meta(slot).expired {
            self.reread(slot, row, at)?;
            stamps.doubt.note(M::def(), slot);
        } else {
            self.fill_deferred(slot, row, at)?;
        }
        Ok(Handle { slot, stamp: self.meta(slot).stamp })
    }

    fn reread(&mut self, slot: u32, row: &Row<'_>, at: usize) -> Result<()> {
        let kept = self.meta(slot).given;
        for (column, def) in M::def().columns.iter().enumerate() {
            // A copy that was kept for what the row is found by is what the row holds.
            if let Some(saved) = &mut self.entries[slot as usize].saved {
                if def.deferred {
                    saved.unload(column);
                } else {
                    saved
                        .set_value(column, row.cell(at + column))
                        .map_err(|e| unreadable(M::def(), e.at(at + column), at))?;
                }
            }
            if kept.contains(column) {
                continue;
            }
            if def.deferred {
                self.object_mut(slot).unload(column);
                continue;
            }
            self.object_mut(slot)
                .set_value(column, row.cell(at + column))
                .map_err(|e| unreadable(M::def(), e.at(at + column), at))?;
        }
        self.fill_deferred(slot, row, at)?;
        self.meta_mut(slot).expired = false;
        Ok(())
    }

    fn set_saved(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        match &mut self.entries[slot as usize].saved {
            Some(saved) => saved.set_value(column, cell),
            None => Ok(()),
        }
    }

    fn is_loaded(&self, slot: u32, column: usize) -> bool {
        self.object(slot).is_loaded(column)
    }

    fn load_column(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        // The copy gets it as well: what is loaded is no change.
        if let Some(saved) = &mut self.entries[slot as usize].saved
            && !saved.is_loaded(column)
        {
            saved.set_value(column, cell)?;
        }
        let object = self.object_mut(slot);
        if object.is_loaded(column) { Ok(()) } else { object.set_value(column, cell) }
    }

    fn overwrite(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        self.object_mut(slot).set_value(column, cell)?;
        let Entry { object: Some(object), saved: Some(saved), .. } = &mut self.entries[slot as usize] else {
            return Ok(());
        };
        saved.set_value(column, Cell::from_value(&object.value(column)))
    }

    fn discard(&mut self, slot: u32) {
        let stamp = self.meta(slot).stamp;
        self.remove(Handle { slot, stamp });
    }

    fn reclaim(&mut self) {
        self.free.append(&mut self.emptied);
    }

    fn has_emptied(&self) -> bool {
        !self.emptied.is_empty()
    }

    fn clear(&mut self) {
        *self = Store::new();
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
