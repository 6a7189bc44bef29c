//! `#[column(version)]`: a row is changed only if it is the one that was read.
//!
//! Each UPDATE writes the next version and is for a row of the version that was read; so is each DELETE. What the
//! program wrote into the column itself is sent in place of the next one.

use crate::error::{Error, Result, StaleRow};
use crate::model::{ColumnSet, Model, ModelDef, Tracked};
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::session::undo::Undo;
use crate::types::{Cell, Value};

use super::receive::fill;
use super::stale;

/// The columns that a row is found by when it is changed: its key, and its version where it has one.
pub(super) fn found_by(model: &'static ModelDef) -> Vec<usize> {
    model.primary_key.iter().copied().chain(model.version()).collect()
}

/// Counts the version of an object that is about to be updated, unless the program has done so; the column that is to
/// be sent for it.
pub(super) fn count(objects: &mut Objects, obj: Obj, changed: ColumnSet) -> Result<ColumnSet> {
    let mut counted = ColumnSet::EMPTY;
    let model = objects.store(obj).model();
    let Some(version) = model.version().filter(|version| !changed.contains(*version)) else { return Ok(counted) };
    // The copy is where the old one is found.
    objects.store_mut(obj).touch(obj.slot);
    let next = after(&objects.store(obj).saved_value(obj.slot, version));
    let Some(next) = next else {
        return Err(Error::InvalidValue {
            model: model.name,
            column: model.columns[version].field,
            reason: "the version cannot be counted any further: set it to a lower one, or give it a wider type".into(),
            object: Some(objects.handle(obj)),
        });
    };
    fill(objects, obj, version, &next)?;
    counted.insert(version);
    Ok(counted)
}

/// The version that comes after one; `None` behind the last that the type has.
pub(super) fn after(version: &Value<'_>) -> Option<Value<'static>> {
    match version {
        Value::I16(old) => old.checked_add(1).map(Value::I16),
        Value::I32(old) => old.checked_add(1).map(Value::I32),
        Value::I64(old) => old.checked_add(1).map(Value::I64),
        _ => None,
    }
}

/// Counts the version of an object whose row was counted by a statement over many rows.
pub(super) fn follow(objects: &mut Objects, obj: Obj) {
    let store = objects.store(obj);
    if let Some(version) = store.model().version()
        && let Some(next) = after(&store.value(obj.slot, version))
    {
        // What was written in between is undone with the UPDATE that wrote it.
        let old = store.saved_value(obj.slot, version).into_owned();
        objects.undo.push(Undo::Filled(obj, version, old));
        // A value of the column's own type always reads back.
        let _ = objects.store_mut(obj).set_value(obj.slot, version, Cell::from_value(&next));
    }
}

/// A version as errors say it.
pub(in crate::session) fn number(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::I16(v) => Some(i64::from(*v)),
        Value::I32(v) => Some(i64::from(*v)),
        Value::I64(v) => Some(*v),
        _ => None,
    }
}

impl Session {
    /// Refuses to go on with an object in another version than the one that somebody has seen: what a form, or a
    /// header `If-Match`, came back with. That nobody changes the row between here and the flush is the flush's own
    /// business, as for every object with a `#[column(version)]`.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String, #[column(version)] version: i32 }
    /// # async fn f(session: &mut limbeck::session::Session, id: i64, seen: i32, title: String) -> limbeck::Result<()> {
    /// let post = session.get(Post, id).await?.ok_or(limbeck::Error::NoRows)?;
    /// session.expect_version(post, seen)?; // `Error::StaleRow` where it is another
    /// session[post].title = title;
    /// session.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::StaleRow`] where the object was read in another version, with that one as `found`;
    /// [`Error::InvalidState`] where its model has no version; what [`try_get`](Self::try_get) returns for an object
    /// that cannot be read.
    pub fn expect_version<M: Model>(&self, handle: Tracked<M>, version: impl Into<i64>) -> Result<()> {
        self.try_get(handle)?;
        let (model, version) = (M::def(), version.into());
        let obj = self.objects.resolve(model, handle.handle())?;
        let Some(column) = model.version() else {
            let reason = "it does not count its versions: give it a column with `#[column(version)]`".into();
            return Err(Error::InvalidState { model: model.name, reason });
        };
        let found = number(&self.objects.store(obj).saved_value(obj.slot, column));
        if found == Some(version) {
            return Ok(());
        }
        let mut other = StaleRow::new(model);
        stale::describe(&mut other, &self.objects, obj);
        (other.expected, other.found) = (Some(version), found);
        Err(Error::StaleRow(Box::new(other)))
    }

    /// Reads those objects again that are expired and are to be changed or deleted: the version that they hold is not
    /// one that the program has seen. What was set meanwhile is kept.
    pub(super) async fn read_versions(&mut self) -> Result<()> {
        let mut stale: Vec<(&'static ModelDef, Vec<Obj>)> = Vec::new();
        for store in self.objects.stores() {
            let model = store.model();
            if model.version().is_none() {
                continue;
            }
            let id = model.id.get() as u32;
            let doomed = self.objects.doomed.iter().chain(&self.objects.linked).filter(|obj| obj.model == id);
            let mut slots: Vec<u32> = store.touched().iter().copied().chain(doomed.map(|obj| obj.slot)).collect();
            slots.sort_unstable();
            slots.dedup();
            slots.retain(|slot| {
                store.occupied(*slot)
                    && store.meta(*slot).expired
                    && store.meta(*slot).state == State::Persistent
                    && !model.version().is_some_and(|version| store.meta(*slot).given.contains(version))
            });
            if !slots.is_empty() {
                stale.push((model, slots.into_iter().map(|slot| Obj { model: id, slot }).collect()));
            }
        }
        for (model, objs) in stale {
            // The copy gets what the row holds, which is not what was set.
            objs.iter().for_each(|obj| self.objects.store_mut(*obj).touch(obj.slot));
            // A key that is linked is not one that was set: the flush compares it with what the row holds.
            for obj in &objs {
                let meta = self.objects.store_mut(*obj).meta_mut(obj.slot);
                let linked: ColumnSet = meta.links.iter().flat_map(|link| link.keys).map(|pair| pair.key).collect();
                linked.iter().for_each(|column| meta.given.remove(column));
            }
            self.reread_expired(model, &objs).await?;
        }
        Ok(())
    }
}
