//! Loading a deferred column of objects that are there already.

use std::panic::Location;
use std::sync::Arc;

use super::{KeyList, Owners};
use crate::driver::{Access, Row, RowSink, Stmt};
use crate::error::{Error, Result};
use crate::model::{Column, Handle, Model, ModelDef};
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::read::kind_of;
use crate::session::store::{State, unreadable_column};
use crate::sql::keys::in_keys;
use crate::sql::shape::{Shape, ShapeKind};

impl Session {
    /// Loads a deferred column of one object or of several, in one query: `session.load_column(post, Post.body)`,
    /// `session.load_column(&posts, Post.body)`. What is loaded already, or was set, is left as it is; a column that is
    /// not deferred is always loaded.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`] or [`Error::StaleHandle`]; [`Error::InvalidState`] when an object's row is gone; and
    /// when the database cannot be asked.
    #[track_caller]
    pub fn load_column<M: Model, T>(
        &mut self,
        owners: impl Owners<M>,
        column: Column<M, T>,
    ) -> impl Future<Output = Result<()>> {
        let owners: Vec<Handle> = owners.handles().into_iter().map(|handle| handle.raw).collect();
        self.load_column_counted(M::def(), owners, usize::from(column.index), Location::caller())
    }

    pub(in crate::session) async fn load_deferred(
        &mut self,
        model: &'static ModelDef,
        owners: Vec<Handle>,
        column: usize,
    ) -> Result<()> {
        let mut missing: Vec<Obj> = Vec::new();
        for handle in owners {
            let obj = self.objects.resolve(model, handle)?;
            let store = self.objects.store(obj);
            let loaded = store.is_loaded(obj.slot, column) && !store.meta(obj.slot).expired;
            if model.columns[column].deferred && !loaded {
                missing.push(obj);
            }
        }
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        self.autoflush().await?;
        for obj in &missing {
            if self.objects.state(*obj) != State::Persistent {
                return Err(invalid(model, column, "cannot be loaded, since the object has no row"));
            }
            if self.objects.store(*obj).meta(obj.slot).expired {
                self.reread(*obj).await?;
            }
        }
        let mut list = KeyList::new(model.primary_key.len());
        let keys = missing.iter().filter_map(|obj| self.objects.saved_key_in(*obj, model.primary_key));
        keys.for_each(|key| list.push(&key));
        let stmt = self.deferred_statement(model, column)?;
        let binds = list.binds(stmt.params.len());
        let mut sink = Filling { objects: &mut self.objects, model, column };
        self.line.query(&stmt, &binds.binds(), &mut sink).await?;
        if missing.iter().all(|obj| self.objects.store(*obj).is_loaded(obj.slot, column)) {
            Ok(())
        } else {
            Err(invalid(
                model,
                column,
                "cannot be loaded, since the object's row is gone: another transaction deleted it",
            ))
        }
    }

    /// `SELECT id, body FROM posts WHERE id IN (…)`
    fn deferred_statement(&self, model: &'static ModelDef, column: usize) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::LoadColumn);
        shape.number(model.id.get() as u64);
        shape.number(column as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ");
            for key in model.primary_key {
                renderer.qualified(model.table, model.columns[*key].name).push(", ");
            }
            renderer.qualified(model.table, model.columns[column].name).push(" FROM ").table_of(model).push(" WHERE ");
            let name = |column: &usize| (model.table, model.columns[*column].name, kind_of(model, *column));
            in_keys(renderer, &model.primary_key.iter().map(name).collect::<Vec<_>>());
            Ok(())
        })?;
        Ok(compiled.stmt)
    }
}

impl Objects {
    /// Refuses to insert an object whose deferred columns nobody knows: NULL in their place would lose what they held.
    pub(in crate::session) fn check_deferred(&self, obj: Obj) -> Result<()> {
        let store = self.store(obj);
        let model = store.model();
        let given = store.meta(obj.slot).given;
        for (column, def) in model.columns.iter().enumerate().skip(model.fetched().len()) {
            if !given.contains(column) && !store.is_loaded(obj.slot, column) && !def.made_by_database() {
                let reason = "was not loaded, so the object cannot be added: load it first, or set it";
                return Err(invalid(model, column, reason));
            }
        }
        Ok(())
    }
}

#[cold]
fn invalid(model: &'static ModelDef, column: usize, reason: &str) -> Error {
    let field = model.columns[column].field;
    Error::InvalidState { model: model.name, reason: format!("{reason} (`{}.{field}`)", model.name) }
}

/// Gives the rows' values to their objects.
struct Filling<'s> {
    objects: &'s mut Objects,
    model: &'static ModelDef,
    column: usize,
}

impl RowSink for Filling<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let parts = self.model.primary_key.iter().enumerate();
        let key = parts
            .map(|(at, part)| {
                let value = row.cell(at).value(kind_of(self.model, *part));
                value.map_err(|source| unreadable_column(self.model, source, *part))
            })
            .collect::<Result<Vec<_>>>()?;
        let store = self.objects.store_of(self.model);
        let Some(slot) = store.find(&key) else { return Ok(()) };
        store
            .load_column(slot, self.column, row.cell(self.model.primary_key.len()))
            .map_err(|source| unreadable_column(self.model, source, self.column))
    }

    /// What was filled in stays: the second run finds it loaded.
    fn restart(&mut self) {}
}
