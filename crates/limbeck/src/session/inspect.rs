//! What the next flush would do: SQLAlchemy's `session.new`, `session.dirty` and `session.deleted`.

use super::Session;
use super::objects::Obj;
use super::store::State;
use crate::model::{Handle, Model, ModelDef, TableOf, Tracked};

impl Session {
    /// The objects of a model that the next flush inserts: `session.new(User)`, in the order of `add`.
    #[allow(clippy::new_ret_no_self, clippy::wrong_self_convention)]
    pub fn new<T: TableOf>(&self, table: T) -> impl Iterator<Item = Tracked<T::Model>> + use<'_, T> {
        let _ = table;
        let model = T::Model::def().id.get() as u32;
        let pending = self.objects.pending.iter().filter(move |obj| obj.model == model);
        pending.map(|obj| Tracked::new(self.objects.handle(*obj)))
    }

    /// The objects of a model whose columns or keys the next flush updates: `session.dirty(User)`. An object that was
    /// borrowed to be changed and holds what it held is not one, other than in SQLAlchemy.
    pub fn dirty<T: TableOf>(&self, table: T) -> impl Iterator<Item = Tracked<T::Model>> + use<T> {
        let _ = table;
        self.dirty_of(T::Model::def()).into_iter().map(Tracked::new)
    }

    /// The objects of a model that the next flush deletes: `session.deleted(User)`.
    pub fn deleted<T: TableOf>(&self, table: T) -> impl Iterator<Item = Tracked<T::Model>> + use<'_, T> {
        let _ = table;
        let model = T::Model::def().id.get() as u32;
        let doomed = self.objects.doomed.iter().filter(move |obj| obj.model == model);
        doomed.map(|obj| Tracked::new(self.objects.handle(*obj)))
    }

    fn dirty_of(&self, model: &'static ModelDef) -> Vec<Handle> {
        let Some(store) = self.objects.find_store(model) else { return Vec::new() };
        let id = model.id.get() as u32;
        let linked = self.objects.linked.iter().filter(|obj| obj.model == id).map(|obj| obj.slot);
        let mut slots: Vec<u32> = store.touched().iter().copied().chain(linked).collect();
        slots.sort_unstable();
        slots.dedup();
        let changes = |slot: &u32| {
            let meta = store.meta(*slot);
            let links = !meta.links.is_empty();
            meta.state == State::Persistent
                && !meta.doomed
                && (links
                    || !self.objects.expressions_of(Obj { model: id, slot: *slot }).is_empty()
                    || !meta.given.is_empty()
                    || !store.changed(*slot).is_empty())
        };
        let dirty = slots.into_iter().filter(|slot| store.occupied(*slot)).filter(changes);
        dirty.map(|slot| Handle { slot, stamp: store.meta(slot).stamp }).collect()
    }
}
