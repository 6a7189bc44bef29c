//! Reading and writing objects: `session[user]`.
//!
//! References into a session cannot outlive a flush, a commit or a query, since those take `&mut Session`:
//! the borrow checker keeps what other ORMs find out at run time.

use std::ops::{Index, IndexMut};

use super::Session;
use super::objects::Obj;
use super::store::State;
use crate::error::Result;
use crate::model::{BelongsTo, Column, HasOne, Model, Target, Tracked};
use crate::sql::{Assignable, Assigned, RowExpression};
use crate::types::{Cell, ColumnType, Value};

impl<M: Model> Index<Tracked<M>> for Session {
    type Output = M;

    /// # Panics
    /// When the session does not have the object, or it is expired; [`Session::try_get`] returns an error
    /// instead.
    #[track_caller]
    #[inline]
    fn index(&self, handle: Tracked<M>) -> &M {
        match self.objects.get(handle) {
            Ok(object) => object,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<M: Model> IndexMut<Tracked<M>> for Session {
    /// # Panics
    /// When the session does not have the object, or it is expired; [`Session::try_get_mut`] returns an
    /// error instead.
    #[track_caller]
    #[inline]
    fn index_mut(&mut self, handle: Tracked<M>) -> &mut M {
        match self.objects.get_mut(handle) {
            Ok(object) => object,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<M: Model> Index<&Tracked<M>> for Session {
    type Output = M;

    #[track_caller]
    fn index(&self, handle: &Tracked<M>) -> &M {
        &self[*handle]
    }
}

impl<M: Model> IndexMut<&Tracked<M>> for Session {
    #[track_caller]
    fn index_mut(&mut self, handle: &Tracked<M>) -> &mut M {
        &mut self[*handle]
    }
}

macro_rules! index_by_field {
    ($field:ident, $nothing:literal) => {
        impl<T: Target> Index<$field<T>> for Session {
            type Output = T::Model;

            /// The object that a to-one relationship leads to: `session[post.author]`.
            ///
            /// # Panics
            /// When the relationship is not loaded, or leads to nothing.
            #[track_caller]
            fn index(&self, field: $field<T>) -> &T::Model {
                match field.get() {
                    Some(handle) => &self[handle],
                    None => panic!($nothing, T::Model::def().name),
                }
            }
        }

        impl<T: Target> IndexMut<$field<T>> for Session {
            #[track_caller]
            fn index_mut(&mut self, field: $field<T>) -> &mut T::Model {
                match field.get() {
                    Some(handle) => &mut self[handle],
                    None => panic!($nothing, T::Model::def().name),
                }
            }
        }
    };
}

index_by_field!(BelongsTo, "the relationship points to no `{}`: its key is NULL");
index_by_field!(HasOne, "the relationship leads to no `{}`: no row has this object's key");

impl Session {
    /// The object of a handle.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle), [`Error::StaleHandle`](crate::Error::StaleHandle) or
    /// [`Error::Expired`](crate::Error::Expired).
    pub fn try_get<M: Model>(&self, handle: Tracked<M>) -> Result<&M> {
        self.objects.get(handle)
    }

    /// The object of a handle, to change. What is changed goes out with the next flush.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle), [`Error::StaleHandle`](crate::Error::StaleHandle) or
    /// [`Error::Expired`](crate::Error::Expired).
    pub fn try_get_mut<M: Model>(&mut self, handle: Tracked<M>) -> Result<&mut M> {
        self.objects.get_mut(handle)
    }

    /// Two objects of the same model at once, to change.
    ///
    /// # Errors
    /// As [`try_get_mut`](Self::try_get_mut), and [`Error::InvalidState`](crate::Error::InvalidState) when both are the
    /// same object.
    pub fn pair_mut<M: Model>(&mut self, a: Tracked<M>, b: Tracked<M>) -> Result<(&mut M, &mut M)> {
        self.objects.pair_mut(a, b)
    }

    /// Writes one column. Unlike `session[handle].email = …` it needs no loaded object: one that is expired
    /// stays so, and the column is sent at the next flush.
    ///
    /// What it is set to may be an SQL expression, which the database computes when the flush writes the row. Until
    /// then the column reads as it did; the new value comes back with the statement that writes it. Of several that set
    /// a column, the last one counts, `session[handle].views = 5` among them, unless the column holds just that: `set` it
    /// then.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # engine.create_all(&limbeck::metadata![Post]?).await?;
    /// # let mut session = engine.sessionmaker().open();
    /// let post = session.add(Post::builder().title("Hello").views(1));
    /// session.commit().await?;
    /// session.set(post, Post.title, "Hello again")?;
    /// session.set(post, Post.views, Post.views + 1)?;
    /// assert_eq!(session[post].views, 1);
    /// session.commit().await?;
    /// assert_eq!(session[post].views, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or [`Error::StaleHandle`](crate::Error::StaleHandle). Of
    /// an expression, [`Error::Statement`](crate::Error::Statement) when it names another table than the object's, has
    /// an aggregate outside a subquery, or names columns of an object that has no row yet;
    /// [`Error::InvalidState`](crate::Error::InvalidState) for the key of a row that is there;
    /// [`Error::InvalidValue`](crate::Error::InvalidValue) for a column that only the database writes.
    pub fn set<M: Model, T: ColumnType, V: Assignable<T>>(
        &mut self,
        handle: Tracked<M>,
        column: Column<M, T>,
        value: V,
    ) -> Result<()> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let index = usize::from(column.index);
        match value.into_assigned() {
            Assigned::Value(value) => self.set_value(obj, index, &value.encode()),
            Assigned::Expression(node) => {
                let has_row = self.objects.check_expressible(obj, index)?;
                let dialect = self.line.engine.dialect();
                let expression = RowExpression::new(dialect, M::def(), index, has_row, node)?;
                self.objects.express(obj, index, expression);
                Ok(())
            }
        }
    }

    fn set_value(&mut self, obj: Obj, index: usize, value: &Value<'_>) -> Result<()> {
        self.objects.unexpress(obj, index);
        let expired = self.objects.store(obj).meta(obj.slot).expired;
        let store = self.objects.store_mut(obj);
        let model = store.model();
        if expired {
            if model.primary_key.contains(&index) || model.version() == Some(index) {
                // The row is found by what it held.
                store.touch(obj.slot);
            }
            store.meta_mut(obj.slot).given.insert(index);
            store.enlist(obj.slot);
        } else {
            store.touch(obj.slot);
        }
        store
            .set_value(obj.slot, index, Cell::from_value(value))
            .map_err(|source| super::store::unreadable(model, source.at(index), 0))
    }

    /// Where an object is in its life.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or [`Error::StaleHandle`](crate::Error::StaleHandle).
    pub fn state<M: Model>(&self, handle: Tracked<M>) -> Result<State> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        Ok(self.objects.state(obj))
    }

    /// Whether an object differs from its row as the session knows it.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`](crate::Error::ForeignHandle) or [`Error::StaleHandle`](crate::Error::StaleHandle).
    pub fn is_modified<M: Model>(&self, handle: Tracked<M>) -> Result<bool> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let store = self.objects.store(obj);
        let meta = store.meta(obj.slot);
        let expressed = !self.objects.expressions_of(obj).is_empty();
        Ok(expressed || !meta.given.is_empty() || !meta.links.is_empty() || !store.changed(obj.slot).is_empty())
    }

    /// Whether the next flush has anything to send: objects added, deleted or linked, or borrowed to be
    /// changed (which a comparison at the flush may find to be the same).
    pub fn has_changes(&self) -> bool {
        self.objects.has_changes()
    }
}
