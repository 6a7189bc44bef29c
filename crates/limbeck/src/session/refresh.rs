//! Reading objects again: whole or in part, and with a lock.

use std::sync::Arc;

use super::Session;
use super::flush::stale;
use super::flush::version::number;
use super::objects::{Obj, Objects};
use super::read::kind_of;
use super::store::State;
use crate::dialect::Dialect;
use crate::driver::{Access, Bind, Row, RowSink, Stmt};
use crate::error::{Error, Result, StaleRow};
use crate::model::mapping::Path;
use crate::model::{Cascade, ColumnSet, Handle, Model, ModelDef, One, Tracked};
use crate::sql::ColumnList;
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::Value;

/// What is read of an object's row, and how.
#[derive(Clone, Copy)]
struct Wanted {
    /// None are all.
    columns: Option<ColumnSet>,
    /// Whether the row is locked.
    lock: bool,
}

impl Session {
    /// Reads the columns of an object again. Unflushed changes of it are forgotten; relationships that were
    /// loaded are loaded again. So are the columns of what it leads to by loaded relationships with the cascade
    /// `refresh_expire`: one query a model.
    ///
    /// # Errors
    /// [`Error::StaleRow`] when its row is gone; [`Error::InvalidState`] when it has none yet; and as
    /// [`all`](Self::all).
    pub async fn refresh<M: Model>(&mut self, handle: Tracked<M>) -> Result<()> {
        self.refresh_whole(handle, false).await
    }

    /// Reads an object again and locks its row until the transaction ends, so that what is decided by its columns
    /// holds: `SELECT … FOR UPDATE`. SQLite has one lock for the whole database, which is taken.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Account { #[column(primary_key)] id: i64, balance: i64 }
    /// # async fn withdraw(session: &mut limbeck::session::Session, account: Tracked<Account>) -> limbeck::Result<()> {
    /// session.refresh_for_update(account).await?;
    /// if session[account].balance >= 10 {
    ///     session[account].balance -= 10; // nobody else can have changed it meanwhile
    /// }
    /// session.commit().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub async fn refresh_for_update<M: Model>(&mut self, handle: Tracked<M>) -> Result<()> {
        self.refresh_whole(handle, true).await
    }

    /// Reads some columns of an object again: `session.refresh_columns(post, (Post.views, Post.title))`. What was
    /// changed of them and not flushed is forgotten; other columns keep what they hold. A to-one relationship whose
    /// key was read, and is another one now, is unloaded.
    ///
    /// An object that is expired is read as a whole, since nothing is known of its other columns.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub async fn refresh_columns<M: Model>(&mut self, handle: Tracked<M>, columns: impl ColumnList<M>) -> Result<()> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let mut wanted = ColumnSet::EMPTY;
        columns.positions().into_iter().for_each(|column| wanted.insert(column));
        if wanted.is_empty() {
            return Ok(());
        }
        let columns = (!self.objects.is_expired(obj)).then_some(wanted);
        self.read_row(obj, Wanted { columns, lock: false }).await
    }

    /// The object, read again first if it is expired.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub async fn fresh<M: Model>(&mut self, handle: Tracked<M>) -> Result<&M> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        if self.objects.is_expired(obj) {
            self.reread(obj).await?;
        }
        self.objects.get(handle)
    }

    async fn refresh_whole<M: Model>(&mut self, handle: Tracked<M>, lock: bool) -> Result<()> {
        let obj = self.objects.resolve(M::def(), handle.raw)?;
        let mut others = self.objects.reach(obj, Cascade::REFRESH_EXPIRE);
        self.read_row(obj, Wanted { columns: None, lock }).await?;
        others.retain(|other| self.objects.is_unplanned(*other));
        self.reread_others(others).await?;
        let loaded: Vec<usize> =
            (0..M::def().relations.len()).filter(|relation| self.objects.is_loaded(obj, *relation)).collect();
        self.objects.store_mut(obj).unload(obj.slot);
        for relation in loaded {
            self.load_raw(M::def(), vec![handle.raw], relation, &[]).await?;
        }
        Ok(())
    }

    /// Reads the columns of several objects again, in one query a model. One whose row is gone stays expired.
    async fn reread_others(&mut self, mut objs: Vec<Obj>) -> Result<()> {
        objs.sort_by_key(|obj| obj.model);
        for objs in objs.chunk_by(|a, b| a.model == b.model) {
            let Some(first) = objs.first() else { continue };
            let model = self.objects.store(*first).model();
            for obj in objs {
                self.objects.expressions.remove(obj);
                let store = self.objects.store_mut(*obj);
                store.revert(obj.slot);
                let meta = store.meta_mut(obj.slot);
                meta.expired = true;
                meta.given = ColumnSet::EMPTY;
            }
            self.reread_expired(model, objs).await?;
        }
        Ok(())
    }

    pub(super) async fn reread(&mut self, obj: Obj) -> Result<()> {
        self.read_row(obj, Wanted { columns: None, lock: false }).await
    }

    async fn read_row(&mut self, obj: Obj, wanted: Wanted) -> Result<()> {
        let model = self.objects.store(obj).model();
        if self.objects.state(obj) != State::Persistent {
            let reason = "cannot be read again, since it has no row".into();
            return Err(Error::InvalidState { model: model.name, reason });
        }
        // As it was at the last flush: that is where the row is.
        let key: Vec<Value<'static>> = model
            .primary_key
            .iter()
            .map(|column| self.objects.store(obj).saved_value(obj.slot, *column).into_owned())
            .collect();
        // What was changed and not flushed is given up; what was `set` on an expired object is kept.
        if wanted.columns.is_none() && !self.objects.is_expired(obj) {
            self.objects.expressions.remove(&obj);
            self.objects.store_mut(obj).revert(obj.slot);
            self.objects.store_mut(obj).meta_mut(obj.slot).given = ColumnSet::EMPTY;
        }
        let stmt = self.row_statement(model, wanted)?;
        let binds: Vec<Bind<'_>> = key.iter().map(|value| Bind::One(value.borrowed())).collect();
        let mut sink = RowAgain { objects: &mut self.objects, obj, columns: wanted.columns, found: false };
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        let found = sink.found;
        result?;
        if found {
            // Links that are not flushed stay planned: the flush compares their keys with what the row holds.
            if !self.objects.store(obj).meta(obj.slot).links.is_empty() {
                self.objects.store_mut(obj).touch(obj.slot);
            }
            return Ok(());
        }
        let mut gone = StaleRow::new(model);
        stale::describe(&mut gone, &self.objects, obj);
        gone.is_gone = true;
        Err(Error::StaleRow(Box::new(gone)))
    }

    /// `SELECT … WHERE id = ?`, of some columns or all, with a lock or without.
    fn row_statement(&self, model: &'static ModelDef, wanted: Wanted) -> Result<Arc<Stmt>> {
        if wanted.columns.is_none() && !wanted.lock {
            return self.get_statement(model);
        }
        let columns = wanted.columns.unwrap_or(ColumnSet::EMPTY);
        let mut shape = Shape::new(ShapeKind::RowAgain);
        shape.number(model.id.get() as u64);
        shape.columns(columns);
        shape.byte(u8::from(wanted.lock));
        let access = if wanted.lock { Access::Writes } else { Access::Reads };
        let compiled = self.line.compiler().statement(shape, access, |renderer| {
            renderer.push("SELECT ");
            if wanted.columns.is_none() {
                renderer.columns(model, model.table);
            }
            for (index, column) in columns.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).qualified(model.table, model.columns[column].name);
            }
            renderer.push(" FROM ").table_of(model);
            for (index, column) in model.primary_key.iter().enumerate() {
                renderer.push(if index == 0 { " WHERE " } else { " AND " });
                renderer.qualified(model.table, model.columns[*column].name).push(" = ").param(kind_of(model, *column));
            }
            if wanted.lock && renderer.dialect == Dialect::Postgres {
                renderer.push(" FOR UPDATE");
            }
            Ok(())
        })?;
        Ok(compiled.stmt)
    }
}

impl Objects {
    /// Refuses a locked row in another version than the object that is here: what is decided by the object would be
    /// decided by what is no longer so.
    pub(super) fn check_version(
        &self,
        model: &'static ModelDef,
        handle: Handle,
        row: &Row<'_>,
        at: usize,
    ) -> Result<()> {
        let Some(version) = model.version() else { return Ok(()) };
        let obj = self.resolve(model, handle)?;
        let cell = row.cell(at + version).value(kind_of(model, version));
        let found = cell.ok().as_ref().and_then(number);
        if found == number(&self.store(obj).saved_value(obj.slot, version)) {
            return Ok(());
        }
        let mut other = StaleRow::new(model);
        stale::describe(&mut other, self, obj);
        other.found = found;
        Err(Error::StaleRow(Box::new(other)))
    }

    /// Gives a column the value that its row has.
    fn read_column(&mut self, obj: Obj, column: usize, row: &Row<'_>, at: usize) -> Result<()> {
        self.unexpress(obj, column);
        let store = self.store_mut(obj);
        let model = store.model();
        let old = store.saved_value(obj.slot, column).into_owned();
        store
            .overwrite(obj.slot, column, row.cell(at))
            .map_err(|source| super::store::unreadable_column(model, source, column))?;
        store.meta_mut(obj.slot).given.remove(column);
        if self.store(obj).value(obj.slot, column) == old {
            return Ok(());
        }
        for (relation, resolved) in model.mapping()?.relations.iter().enumerate() {
            if let Path::BelongsTo(keys) = &resolved.path
                && keys.iter().any(|pair| pair.key == column)
                && self.link_of(obj, keys).is_none()
            {
                self.set_one_field_silently(obj, relation, One::Unloaded);
            }
        }
        Ok(())
    }
}

struct RowAgain<'s> {
    objects: &'s mut Objects,
    obj: Obj,
    columns: Option<ColumnSet>,
    found: bool,
}

impl RowSink for RowAgain<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        self.found = true;
        let Some(columns) = self.columns else {
            let store = self.objects.store_mut(self.obj);
            store.reread(self.obj.slot, &row, 0)?;
            let model = store.model();
            self.objects.stamps.doubt.note(model, self.obj.slot);
            return Ok(());
        };
        for (at, column) in columns.iter().enumerate() {
            self.objects.read_column(self.obj, column, &row, at)?;
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.found = false;
    }
}
