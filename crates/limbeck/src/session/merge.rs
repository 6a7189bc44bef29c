//! `merge`: the state of a value that no session has, onto the object that has its row.

use rustc_hash::FxHashMap;

use super::Session;
use super::flush::stale;
use super::flush::version::number;
use super::load::{KeyList, RowKey};
use super::objects::{Obj, Objects};
use super::store::State;
use crate::error::{Error, Result, StaleRow};
use crate::model::{ColumnSet, Model, New, NewObject, Tracked};
use crate::types::{Cell, Value};

impl Session {
    /// Brings the state of a value into the session: SQLAlchemy's `merge`. The object with the value's primary key,
    /// read first unless it is here, gets its columns; the next flush sends what differs. Where there is no such row,
    /// or the key is one that the database is yet to make, the value is added.
    ///
    /// Relationship fields of the value are not looked at, since their handles are those of the session that it came
    /// from: its foreign keys say what it refers to. Deferred columns that it has not loaded are left as they are.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Tag { #[column(primary_key)] id: i64, name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # engine.create_all(&limbeck::metadata![Tag]?).await?;
    /// # let sessions = engine.sessionmaker();
    /// let mut session = sessions.open();
    /// let tag = session.add(Tag::builder().name("rust"));
    /// session.commit().await?;
    /// let mut value = session.expunge(tag)?; // a plain value: to a cache, a form, another task
    ///
    /// value.name = "Rust".into();
    /// let mut session = sessions.open();
    /// let tag = session.merge(value).await?;
    /// session.commit().await?; // SELECT … WHERE id = 1; UPDATE tags SET name = 'Rust' WHERE id = 1
    /// assert_eq!(session[tag].name, "Rust");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::StaleRow`] when the model has a `version` and the value's is not that of the row, which is then in the
    /// session as it is; [`Error::InvalidState`] when the object is marked to be deleted; and when the database cannot
    /// be asked.
    pub async fn merge<M: Model + New<Model = M>>(&mut self, value: M) -> Result<Tracked<M>> {
        self.merge_all([value]).await?.pop().ok_or(Error::NoRows)
    }

    /// [`merge`](Self::merge) for several values: the rows that are not here are read by one statement.
    ///
    /// # Errors
    /// As `merge`, for the first value that cannot be merged: those before it are.
    pub async fn merge_all<M: Model + New<Model = M>>(
        &mut self,
        values: impl IntoIterator<Item = M>,
    ) -> Result<Vec<Tracked<M>>> {
        let model = M::def();
        let mut drafts = Vec::new();
        for value in values {
            // A model by value is always a draft.
            if let NewObject::Draft(draft) = value.into_new() {
                drafts.push(draft);
            }
        }
        let has_key = |given: ColumnSet| model.primary_key.iter().all(|key| given.contains(*key));
        let key_of = |object: &M| RowKey::of(model.primary_key.len(), |part| object.value(model.primary_key[part]));
        let mut list = KeyList::new(model.primary_key.len());
        for draft in drafts.iter().filter(|draft| has_key(draft.given)) {
            let found = self.objects.typed::<M>().and_then(|store| store.get(store.find_key(&draft.object.key())?));
            let here = found.is_some_and(|(_, meta)| meta.doomed || !meta.expired);
            if !here && let Some(key) = key_of(&draft.object) {
                list.push(&key);
            }
        }
        if !list.is_empty() {
            self.autoflush().await?;
            self.tracked_by(model, model.primary_key, &[], list).await?;
        }
        // Those that were added, and have no row to be found by.
        let mut added: FxHashMap<RowKey, Obj> = FxHashMap::default();
        for obj in self.objects.pending.iter().filter(|obj| obj.model == model.id.get() as u32) {
            if has_key(self.objects.store(*obj).meta(obj.slot).given) {
                added.extend(self.objects.key_in(*obj, model.primary_key).map(|key| (key, *obj)));
            }
        }
        let mut merged = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let key = key_of(&draft.object).filter(|_| has_key(draft.given));
            let store = self.objects.typed::<M>();
            let here = store.filter(|_| key.is_some()).and_then(|store| store.find_key(&draft.object.key()));
            let here = match here {
                Some(handle) => Some(self.objects.resolve(model, handle)?),
                None => key.as_ref().and_then(|key| added.get(key).copied()),
            };
            let obj = match here {
                Some(obj) => {
                    let columns = draft.given.iter().filter(|column| draft.object.is_loaded(*column));
                    let columns: Vec<(usize, Value<'_>)> =
                        columns.map(|column| (column, draft.object.value(column))).collect();
                    self.objects.absorb(obj, &columns)?;
                    obj
                }
                None => {
                    let handle = self.objects.insert(draft.object, draft.given);
                    let obj = Obj { model: model.id.get() as u32, slot: handle.slot };
                    self.objects.store_mut(obj).unload(obj.slot);
                    self.objects.plan_insert(obj, false);
                    added.extend(key.map(|key| (key, obj)));
                    obj
                }
            };
            merged.push(Tracked::new(self.objects.handle(obj)));
        }
        Ok(merged)
    }
}

impl Objects {
    /// Writes columns of a value into the object that has its row.
    fn absorb(&mut self, obj: Obj, columns: &[(usize, Value<'_>)]) -> Result<()> {
        let store = self.store(obj);
        let model = store.model();
        let meta = store.meta(obj.slot);
        if meta.doomed {
            let reason = "is marked to be deleted: nothing can be merged into it".into();
            return Err(Error::InvalidState { model: model.name, reason });
        }
        if meta.expired {
            let mut gone = StaleRow::new(model);
            stale::describe(&mut gone, self, obj);
            gone.is_gone = true;
            return Err(Error::StaleRow(Box::new(gone)));
        }
        if meta.state == State::Persistent
            && let Some((version, theirs)) = columns.iter().find(|(column, _)| Some(*column) == model.version())
        {
            let found = number(&store.saved_value(obj.slot, *version));
            if found != number(theirs) {
                let mut other = StaleRow::new(model);
                stale::describe(&mut other, self, obj);
                (other.expected, other.found) = (number(theirs), found);
                return Err(Error::StaleRow(Box::new(other)));
            }
        }
        for (column, value) in columns {
            let def = &model.columns[*column];
            let skipped = model.primary_key.contains(column) || def.options.version || def.is_read_only();
            if !skipped {
                // The last one counts, though it may be what the column holds.
                self.unexpress(obj, *column);
            }
            let store = self.store_mut(obj);
            if skipped || (store.is_loaded(obj.slot, *column) && store.value(obj.slot, *column) == *value) {
                continue;
            }
            store.touch(obj.slot);
            store
                .set_value(obj.slot, *column, Cell::from_value(value))
                .map_err(|source| super::store::unreadable(model, source.at(*column), 0))?;
        }
        Ok(())
    }
}
