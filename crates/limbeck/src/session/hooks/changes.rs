//! What an object's columns were at the last flush, and what they are now.

use std::fmt;

use crate::error::Result;
use crate::model::{Column, ColumnDef, ColumnSet, Model, Tracked};
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::store::{State, unreadable};
use crate::types::{Cell, ColumnType, Value};

/// A column that a flush writes, or has written.
#[derive(Clone)]
#[non_exhaustive]
pub struct ColumnChange {
    /// The column: its name is `column.name`, that of the struct's field `column.field`.
    pub column: &'static ColumnDef,
    /// What it held at the last flush; `None` where there was no row, or nobody knows: the object was expired.
    pub old: Option<Value<'static>>,
    /// What it holds now; `None` for a row that is deleted.
    pub new: Option<Value<'static>>,
}

impl fmt::Debug for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} → {:?}", self.column.name, self.old, self.new)
    }
}

impl Session {
    /// The columns of an object that the next flush writes, with what they held and hold. Nothing is sent.
    ///
    /// Of an object that has a row they are those that differ, of a new one those that were given. A key that comes
    /// from a linked object is left out when that object has no row yet, since nobody knows it before the flush;
    /// [`Flushed`](super::Flushed) has it afterwards. What the flush itself makes (`on_update`) is not among them
    /// either.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # engine.create_all(&limbeck::metadata![Post]?).await?;
    /// # let mut session = engine.sessionmaker().open();
    /// let post = session.add(Post::builder().title("Hello"));
    /// session.commit().await?;
    /// session[post].title = "Goodbye".into();
    /// for change in session.changes(post)? {
    ///     println!("{}: {:?} → {:?}", change.column.name, change.old, change.new);
    /// }
    /// assert_eq!(session.original(post, Post.title)?.as_deref(), Some("Hello"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or [`Error::StaleHandle`](crate::Error::StaleHandle).
    pub fn changes<M: Model>(&self, handle: Tracked<M>) -> Result<Vec<ColumnChange>> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        Ok(self.objects.changes(obj))
    }

    /// What a column held at the last flush, whatever was written into it since. `None` for an object that has no row,
    /// and for a column that was set while its object was expired.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or [`Error::StaleHandle`](crate::Error::StaleHandle).
    pub fn original<M: Model, T: ColumnType>(&self, handle: Tracked<M>, column: Column<M, T>) -> Result<Option<T>> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let index = usize::from(column.index);
        if !self.objects.has_old(obj, index) {
            return Ok(None);
        }
        let value = self.objects.store(obj).saved_value(obj.slot, index);
        let value = T::decode(Cell::from_value(&value));
        value.map(Some).map_err(|source| unreadable(M::def(), source.at(index), 0))
    }
}

impl Objects {
    fn changes(&self, obj: Obj) -> Vec<ColumnChange> {
        let store = self.store(obj);
        let model = store.model();
        let meta = store.meta(obj.slot);
        let mut written = store.changed(obj.slot).union(meta.given);
        let mut changes = Vec::new();
        for link in &meta.links {
            for pair in link.keys {
                written.remove(pair.key);
                let new = match link.target {
                    None => Some(Value::Null),
                    Some(target) => self.settled(target, pair.to).map(Value::into_owned),
                };
                let old = self.old(obj, pair.key);
                if new.is_some() && (old != new || !self.has_old(obj, pair.key)) {
                    changes.push((pair.key, ColumnChange { column: &model.columns[pair.key], old, new }));
                }
            }
        }
        for column in written.iter().filter(|column| store.is_loaded(obj.slot, *column)) {
            let new = Some(store.value(obj.slot, column).into_owned());
            changes.push((column, ColumnChange { column: &model.columns[column], old: self.old(obj, column), new }));
        }
        changes.sort_by_key(|(column, _)| *column);
        changes.dedup_by_key(|(column, _)| *column);
        changes.into_iter().map(|(_, change)| change).collect()
    }

    /// Whether it is known what a column holds in the database.
    fn has_old(&self, obj: Obj, column: usize) -> bool {
        let store = self.store(obj);
        let meta = store.meta(obj.slot);
        let known = matches!(meta.state, State::Persistent | State::Deleted) && !meta.expired;
        // A deferred column that was set without being loaded has no old value that anybody knows.
        let unloaded = store.model().columns[column].deferred && store.saved_value(obj.slot, column).is_null();
        known && !meta.given.contains(column) && !unloaded
    }

    /// What a column held at the last flush.
    pub(super) fn old(&self, obj: Obj, column: usize) -> Option<Value<'static>> {
        self.has_old(obj, column).then(|| self.store(obj).saved_value(obj.slot, column).into_owned())
    }

    /// The columns that the next flush writes, apart from keys of linked objects.
    pub(super) fn written(&self, obj: Obj) -> ColumnSet {
        let store = self.store(obj);
        store.changed(obj.slot).union(store.meta(obj.slot).given)
    }
}
