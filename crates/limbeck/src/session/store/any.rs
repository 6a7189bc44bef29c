//! What the flush and the loaders do with objects, whatever their model: by slot and column number.
//!
//! A program instantiates what is generic over the model for each of its models, in every debug build. So
//! [`AnyStore`] has only what cannot be done without the type, and the rest is made of it, once.

use std::any::Any;

use super::fields::Fields;
use super::{Base, Meta, unreadable, unreadable_column, vacant};
use crate::driver::{Extra, Row};
use crate::error::Result;
use crate::model::{ColumnSet, Handle, Many, ModelDef, One, RelationMut, RelationRef};
use crate::session::objects::Stamps;
use crate::types::{Cell, DecodeError, Value};

/// A slot, without the type of what is in it.
#[allow(missing_debug_implementations)]
pub struct View<'s> {
    pub(super) meta: &'s Meta,
    pub(super) object: Option<&'s dyn Fields>,
    pub(super) saved: Option<&'s dyn Fields>,
}

/// A slot, without the type of what is in it, to change.
#[allow(missing_debug_implementations)]
pub struct ViewMut<'s> {
    pub(super) meta: &'s mut Meta,
    pub(super) object: Option<&'s mut dyn Fields>,
    pub(super) saved: Option<&'s mut dyn Fields>,
}

/// Objects of one model, by slot; the session's business alone.
///
/// Slots come from handles that were checked with `slot`.
pub trait AnyStore: Any + Send + Sync {
    /// What does not depend on the type.
    fn base(&self) -> &Base;
    /// What does not depend on the type, to change.
    fn base_mut(&mut self) -> &mut Base;
    /// How many slots there are, free ones among them.
    fn slots(&self) -> u32;
    /// What is known of the object.
    fn meta(&self, slot: u32) -> &Meta;
    /// What is known of the object, to change.
    fn meta_mut(&mut self, slot: u32) -> &mut Meta;
    /// What is in a slot.
    fn view(&self, slot: u32) -> View<'_>;
    /// What is in a slot, to change.
    fn view_mut(&mut self, slot: u32) -> ViewMut<'_>;
    /// The value of a column.
    fn value(&self, slot: u32, column: usize) -> Value<'_>;
    /// The columns that differ from a copy: this one, or that of the last flush.
    fn differences(&self, slot: u32, copy: Option<&dyn Fields>) -> ColumnSet;
    /// Keeps a copy of the object, if there is none, and lists it as touched.
    fn touch(&mut self, slot: u32);
    /// Ends an object's copy: what it holds now is what the database has.
    fn take_saved(&mut self, slot: u32) -> Option<Box<dyn Fields>>;
    /// Brings the object back to the last flush; links that were planned since stay.
    fn revert(&mut self, slot: u32);
    /// Drops the object and its copy.
    fn empty(&mut self, slot: u32);
    /// Enters the key of the object, or of its copy, into the identity map; or takes it out, if it is this slot's.
    fn index(&mut self, slot: u32, of_copy: bool, enter: bool);
    /// The object whose key has these values.
    fn find(&self, key: &[Value<'_>]) -> Option<u32>;
    /// Finds or makes the object of a row; one that is expired is read again.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn track(&mut self, row: &Row<'_>, at: usize, stamps: &mut Stamps) -> Result<Handle>;
}

impl dyn AnyStore + '_ {
    /// The model.
    pub(crate) fn model(&self) -> &'static ModelDef {
        self.base().model
    }

    /// The slot of a handle, if this store has its object.
    pub(crate) fn slot(&self, handle: Handle) -> Option<u32> {
        if handle.slot >= self.slots() {
            return None;
        }
        let view = self.view(handle.slot);
        (view.meta.stamp == handle.stamp && view.object.is_some()).then_some(handle.slot)
    }

    /// Whether a slot has an object.
    pub(crate) fn occupied(&self, slot: u32) -> bool {
        slot < self.slots() && self.view(slot).object.is_some()
    }

    /// The object in a slot.
    pub(crate) fn object(&self, slot: u32) -> &dyn Fields {
        self.view(slot).object.unwrap_or_else(|| vacant(self.model()))
    }

    fn object_mut(&mut self, slot: u32) -> &mut dyn Fields {
        let model = self.model();
        self.view_mut(slot).object.unwrap_or_else(|| vacant(model))
    }

    /// The value of a column at the last flush.
    pub(crate) fn saved_value(&self, slot: u32, column: usize) -> Value<'_> {
        match self.view(slot).saved {
            Some(saved) => saved.value(column),
            None => self.value(slot, column),
        }
    }

    /// Writes a column, unnoticed.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    pub(crate) fn set_value(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        self.object_mut(slot).set_value(column, cell)
    }

    /// The columns that differ from the last flush.
    pub(crate) fn changed(&self, slot: u32) -> ColumnSet {
        self.differences(slot, None)
    }

    /// The relationship that was assigned directly since the last flush, if one was.
    pub(crate) fn assigned(&self, slot: u32) -> Option<usize> {
        let View { object: Some(object), saved: Some(saved), .. } = self.view(slot) else { return None };
        (0..self.model().relations.len()).find(|relation| {
            match (object.relation(*relation), saved.relation(*relation)) {
                (RelationRef::One(now), RelationRef::One(then)) => now.state != then.state,
                (RelationRef::Many(now), RelationRef::Many(then)) => now.state != then.state,
                _ => true,
            }
        })
    }

    /// Brings columns to what a database keeps of them.
    pub(crate) fn normalize(&mut self, slot: u32, columns: ColumnSet) {
        self.object_mut(slot).normalize(columns);
    }

    /// Applies `on_update`.
    pub(crate) fn on_update(&mut self, slot: u32, changed: ColumnSet) -> ColumnSet {
        self.object_mut(slot).touch(changed)
    }

    /// A relationship field.
    pub(crate) fn relation(&self, slot: u32, relation: usize) -> RelationRef<'_> {
        self.object(slot).relation(relation)
    }

    /// A relationship field, in the object and in its copy, to change.
    pub(crate) fn relation_mut(&mut self, slot: u32, relation: usize, change: &mut dyn FnMut(RelationMut<'_>)) {
        if let Some(saved) = self.view_mut(slot).saved {
            change(saved.relation_mut(relation));
        }
        change(self.object_mut(slot).relation_mut(relation));
    }

    /// Changes a loaded collection, in the object and in its copy.
    pub(crate) fn change_many(&mut self, slot: u32, relation: usize, change: &mut dyn FnMut(&mut Vec<Handle>)) {
        let ViewMut { object: Some(object), saved, .. } = self.view_mut(slot) else { vacant(self.model()) };
        let RelationMut::Many(field) = object.relation_mut(relation) else { return };
        let Some(RelationMut::Many(copy)) = saved.map(|saved| saved.relation_mut(relation)) else {
            field.state.change(change);
            return;
        };
        // The copy lets go of the handles first: alone, the object changes them in place.
        copy.state = Many::Unloaded;
        field.state.change(change);
        copy.state = field.state.clone();
    }

    /// Makes all relationship fields unloaded.
    pub(crate) fn unload(&mut self, slot: u32) {
        for relation in 0..self.model().relations.len() {
            self.relation_mut(slot, relation, &mut |field| match field {
                RelationMut::One(field) => field.state = One::Unloaded,
                RelationMut::Many(field) => field.state = Many::Unloaded,
            });
        }
    }

    /// Lists the object as touched, without a copy: what changed of it is known otherwise.
    pub(crate) fn enlist(&mut self, slot: u32) {
        let meta = self.meta_mut(slot);
        if !meta.touched {
            meta.touched = true;
            self.base_mut().touched.push(slot);
        }
    }

    /// The touched objects since the last call.
    pub(crate) fn take_touched(&mut self) -> Vec<u32> {
        let touched = std::mem::take(&mut self.base_mut().touched);
        for slot in &touched {
            self.meta_mut(*slot).touched = false;
        }
        touched
    }

    /// The touched objects.
    pub(crate) fn touched(&self) -> &[u32] {
        &self.base().touched
    }

    /// Brings the columns back to a copy.
    pub(crate) fn restore(&mut self, slot: u32, saved: &dyn Fields) {
        for column in self.differences(slot, Some(saved)).iter() {
            let object = self.object_mut(slot);
            if saved.is_loaded(column) {
                // A value of the same type always reads back.
                let _ = object.set_value(column, Cell::from_value(&saved.value(column)));
            } else {
                object.unload(column);
            }
        }
    }

    /// Enters the object into the identity map.
    pub(crate) fn identify(&mut self, slot: u32) {
        self.index(slot, false, true);
    }

    /// Takes the object out of the identity map.
    pub(crate) fn unidentify(&mut self, slot: u32) {
        self.index(slot, false, false);
        self.index(slot, true, false);
    }

    /// What a row does to an object that is here: it is read again where it is expired.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    pub(super) fn seen(&mut self, slot: u32, row: &Row<'_>, at: usize, stamps: &mut Stamps) -> Result<Handle> {
        let Meta { stamp, expired, .. } = *self.meta(slot);
        if expired {
            self.reread(slot, row, at)?;
            stamps.doubt.note(self.model(), slot);
        } else {
            self.fill_deferred(slot, row, at)?;
        }
        Ok(Handle { slot, stamp })
    }

    /// Reads the columns of an object again; columns that were given keep what they hold.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    pub(crate) fn reread(&mut self, slot: u32, row: &Row<'_>, at: usize) -> Result<()> {
        let model = self.model();
        let ViewMut { meta, object: Some(object), mut saved } = self.view_mut(slot) else { vacant(model) };
        for (column, def) in model.columns.iter().enumerate() {
            let read = |object: &mut dyn Fields| {
                if def.deferred {
                    object.unload(column);
                    return Ok(());
                }
                let read = object.set_value(column, row.cell(at + column));
                read.map_err(|source| unreadable(model, source.at(at + column), at))
            };
            // A copy that was kept for what the row is found by is what the row holds.
            if let Some(saved) = &mut saved {
                read(&mut **saved)?;
            }
            if !meta.given.contains(column) {
                read(&mut *object)?;
            }
        }
        self.fill_deferred(slot, row, at)?;
        self.meta_mut(slot).expired = false;
        Ok(())
    }

    /// Gives deferred columns that the query fetched, and that were not loaded, their values.
    fn fill_deferred(&mut self, slot: u32, row: &Row<'_>, at: usize) -> Result<()> {
        for Extra { column, position, .. } in row.extras(at) {
            self.load_column(slot, column, row.cell(position))
                .map_err(|source| unreadable_column(self.model(), source, column))?;
        }
        Ok(())
    }

    /// Writes a column of the copy, if there is one.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    pub(crate) fn set_saved(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        match self.view_mut(slot).saved {
            Some(saved) => saved.set_value(column, cell),
            None => Ok(()),
        }
    }

    /// Whether a column's value is there: only a deferred one may not be.
    pub(crate) fn is_loaded(&self, slot: u32, column: usize) -> bool {
        self.object(slot).is_loaded(column)
    }

    /// Gives a deferred column that is not loaded its value.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    pub(crate) fn load_column(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        // The copy gets it as well: what is loaded is no change.
        if let Some(saved) = self.view_mut(slot).saved
            && !saved.is_loaded(column)
        {
            saved.set_value(column, cell)?;
        }
        let object = self.object_mut(slot);
        if object.is_loaded(column) { Ok(()) } else { object.set_value(column, cell) }
    }

    /// Gives a column, in the object and in its copy, the value that its row has.
    ///
    /// # Errors
    /// When the cell holds something that the column cannot.
    pub(crate) fn overwrite(&mut self, slot: u32, column: usize, cell: Cell<'_>) -> Result<(), DecodeError> {
        let ViewMut { object: Some(object), saved, .. } = self.view_mut(slot) else { vacant(self.model()) };
        object.set_value(column, cell)?;
        match saved {
            Some(saved) => saved.set_value(column, Cell::from_value(&object.value(column))),
            None => Ok(()),
        }
    }

    /// Takes the object out and drops it.
    pub(crate) fn discard(&mut self, slot: u32) {
        if self.occupied(slot) {
            self.unidentify(slot);
            self.empty(slot);
            self.vacate(slot);
        }
    }

    /// Notes that the object of a slot was taken out.
    pub(super) fn vacate(&mut self, slot: u32) {
        self.meta_mut(slot).links.clear();
        self.base_mut().emptied.push(slot);
    }

    /// Lets the slots of objects that were taken out be used again: nothing names them any more.
    pub(crate) fn reclaim(&mut self) {
        let base = self.base_mut();
        base.free.append(&mut base.emptied);
    }

    /// Whether objects were taken out that something may still name.
    pub(crate) fn has_emptied(&self) -> bool {
        !self.base().emptied.is_empty()
    }
}
