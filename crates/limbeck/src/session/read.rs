//! Queries through a session: rows become tracked objects.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::Session;
use super::load::{KeyList, Reading, RowKey, Targets};
use super::objects::Loader;
use super::pages::Tail;
use super::sync::Changes;
use crate::driver::{Access, Bind, Row, RowSink, Stmt};
use crate::engine::{Columns, Plan, ValueSink, explained};
use crate::error::{Error, Result};
use crate::model::{Handle, IntoKey, Key, Model, ModelDef, TableOf, Tracked};
use crate::sql::compile::{Compiled, Wanted};
use crate::sql::joined::Joined;
use crate::sql::shape::{Shape, ShapeKind};
use crate::sql::view::Filling;
use crate::sql::{Fetch, Query, Select, Statement};
use crate::types::Kind;

type TrackedOf<Q> = <<Q as Query>::Row as Fetch>::Tracked;

impl Session {
    /// All rows of a query: handles for a model, values for columns, tuples for both.
    ///
    /// A row that the session knows already gives the same handle, and the object keeps what it holds; it is
    /// read again only when it is expired.
    ///
    /// # Errors
    /// When the statement cannot be built or the database refuses it.
    pub async fn all<Q: Query>(&mut self, query: Q) -> Result<Vec<TrackedOf<Q>>> {
        self.fetch(query, Wanted::Rows).await
    }

    /// The first row of a query, if it has one.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn first<Q: Query>(&mut self, query: Q) -> Result<Option<TrackedOf<Q>>> {
        Ok(self.fetch(query, Wanted::First).await?.into_iter().next())
    }

    /// The only row of a query.
    ///
    /// # Errors
    /// [`Error::NoRows`], [`Error::MultipleRows`], and as [`all`](Self::all).
    pub async fn one<Q: Query>(&mut self, query: Q) -> Result<TrackedOf<Q>> {
        self.one_or_none(query).await?.ok_or(Error::NoRows)
    }

    /// The only row of a query, or none.
    ///
    /// # Errors
    /// [`Error::MultipleRows`], and as [`all`](Self::all).
    pub async fn one_or_none<Q: Query>(&mut self, query: Q) -> Result<Option<TrackedOf<Q>>> {
        let mut rows = self.fetch(query, Wanted::One).await?;
        if rows.len() > 1 {
            return Err(Error::MultipleRows);
        }
        Ok(rows.pop())
    }

    /// How many rows a query has.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn count<Q: Query>(&mut self, query: Q) -> Result<u64> {
        let count: i64 = self.scalar(&query, Wanted::Count).await?;
        Ok(count.max(0) as u64)
    }

    /// Whether a query has any row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn exists<Q: Query>(&mut self, query: Q) -> Result<bool> {
        self.scalar(&query, Wanted::Exists).await
    }

    /// Runs a statement that writes, in the session's transaction and after a flush, and says how many rows it
    /// changed.
    ///
    /// Objects of the session follow an `update`, a `delete` and an `insert` with `do_update`: those whose rows were
    /// changed hold the new values, those whose rows are gone are deleted and leave the collections that they are in,
    /// and objects that refer to them do what the foreign key says (`on_delete`). For that the statement returns the
    /// keys and the changed columns of its rows, if the session has any object that it may concern. A rollback undoes
    /// it in memory, too. An object with an unflushed change to one of the columns (with `autoflush(false)`) keeps it.
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
    /// let changed = session.execute(update(Post).set(Post.views, Post.views + 1).filter(Post.title.like("H%"))).await?;
    /// assert_eq!((changed, session[post].views), (1, 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Not noticed: SQL written by hand, what triggers do to other rows, and rows that come into a loaded collection
    /// without being objects of the session. `refresh` or `expire` what they may have changed.
    ///
    /// # Errors
    /// When the statement cannot be built or the database refuses it.
    pub async fn execute<S: Statement>(&mut self, statement: S) -> Result<u64> {
        self.autoflush().await?;
        if !self.line.commits_at_once() {
            self.objects.doubt();
        }
        let changed = match statement.effect().filter(|effect| self.objects.may_notice(*effect)) {
            Some(effect) => self.execute_synced(statement, effect).await?,
            None => {
                let Compiled { stmt, binds, .. } = statement.compile_statement(self.line.compiler())?;
                self.line.execute(&stmt, &binds).await?
            }
        };
        if self.line.commits_at_once() {
            self.after_commit().await;
        }
        Ok(changed)
    }

    /// What the database says of how it would run a query: its `EXPLAIN`, or `EXPLAIN QUERY PLAN` on SQLite, a line
    /// for each step. The query is not run.
    ///
    /// # Errors
    /// When the statement cannot be built or the database refuses it.
    pub async fn explain<Q: Query>(&mut self, query: Q) -> Result<String> {
        self.autoflush().await?;
        let compiler = self.line.compiler();
        let joined = joined(&query, Wanted::Rows)?;
        let Compiled { stmt, binds, .. } = match &joined {
            Some(joined) => joined.compile(compiler)?,
            None => query.compile(compiler, Wanted::Rows)?,
        };
        let stmt = explained(compiler.dialect, &stmt);
        let mut plan = Plan::default();
        self.line.query(&stmt, &binds, &mut plan).await?;
        Ok(plan.lines.join("\n"))
    }

    /// The object with a primary key, if there is one: from the session without a query when it is there,
    /// else from the database. A composite key is a tuple.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn get<T: TableOf>(
        &mut self,
        table: T,
        key: impl IntoKey<<T::Model as Model>::Key>,
    ) -> Result<Option<Tracked<T::Model>>> {
        let _ = table;
        let key = key.into_key();
        if let Some(handle) = self.objects.typed::<T::Model>().and_then(|store| store.find_key(&key)) {
            let obj = self.objects.resolve(T::Model::def(), handle)?;
            let meta = self.objects.store(obj).meta(obj.slot);
            if meta.doomed {
                return Ok(None);
            }
            if !meta.expired {
                return Ok(Some(Tracked::new(handle)));
            }
        }
        self.autoflush().await?;
        let values = key.values();
        let binds: Vec<Bind<'_>> = values.into_iter().map(Bind::One).collect();
        let stmt = self.get_statement(T::Model::def())?;
        let mut sink = TrackSink::<T::Model>::new(&mut self.objects, false, false, Filling::none());
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        let found = sink.out.pop();
        result?;
        Ok(found)
    }

    /// The object with a primary key, from the database in any case, and its row locked until the transaction ends
    /// (`FOR UPDATE`; on SQLite the transaction begins as one that writes). The object then says what the locked row
    /// says: what others wrote since it was loaded is seen before it is overwritten.
    ///
    /// With `autoflush` what was changed is flushed first; without, changes of this object are lost.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Account { #[column(primary_key)] id: i64, balance: i64 }
    /// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
    /// if let Some(account) = session.get_for_update(Account, 1).await? {
    ///     session[account].balance -= 10;
    ///     session.commit().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn get_for_update<T: TableOf>(
        &mut self,
        table: T,
        key: impl IntoKey<<T::Model as Model>::Key>,
    ) -> Result<Option<Tracked<T::Model>>> {
        let _ = table;
        let key = key.into_key();
        let query = Select::<T::Model>::by_key(&key.values()).with_for_update().populate_existing();
        Ok(self.fetch(query, Wanted::Rows).await?.pop())
    }

    /// The objects with these primary keys, in their order; `None` where there is no row. What the session has
    /// is taken from it, all others are read by one statement. A composite key is a tuple.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn get_many<T: TableOf, K: IntoKey<<T::Model as Model>::Key>>(
        &mut self,
        table: T,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<Tracked<T::Model>>>> {
        let _ = table;
        let model = T::Model::def();
        let keys: Vec<<T::Model as Model>::Key> = keys.into_iter().map(IntoKey::into_key).collect();
        let mut list = KeyList::new(model.primary_key.len());
        for key in keys.iter().filter(|key| !self.objects.has_current::<T::Model>(key)) {
            let values = key.values();
            // A key with a NULL in it is that of no row.
            if let Some(key) = RowKey::of(values.len(), |part| values[part].clone()) {
                list.push(&key);
            }
        }
        if !list.is_empty() {
            self.autoflush().await?;
            self.tracked_by(model, model.primary_key, &[], list).await?;
        }
        let store = self.objects.typed::<T::Model>();
        let found = |key: &<T::Model as Model>::Key| {
            let store = store?;
            let handle = store.find_key(key)?;
            let (_, meta) = store.get(handle)?;
            // One that is still expired was asked for, and has no row any more.
            (!meta.doomed && !meta.expired).then(|| Tracked::new(handle))
        };
        Ok(keys.iter().map(found).collect())
    }

    pub(super) async fn fetch<Q: Query>(&mut self, query: Q, wanted: Wanted) -> Result<Vec<TrackedOf<Q>>> {
        self.fetch_with(query, wanted, None).await
    }

    /// Runs a query, and keeps what its last row ends with, if that is asked for.
    pub(super) async fn fetch_with<Q: Query>(
        &mut self,
        query: Q,
        wanted: Wanted,
        tail: Option<&mut Tail>,
    ) -> Result<Vec<TrackedOf<Q>>> {
        self.autoflush().await?;
        let core = query.core();
        let loads = core.map_or(&[][..], |core| &core.loads);
        let joined = joined(&query, wanted)?;
        let effect = query.effect();
        let moved = match effect {
            Some(effect) => {
                let keys = if effect.moves() { query.compile_keys(self.line.compiler())? } else { None };
                Box::pin(self.moved(keys, effect)).await?
            }
            None => Vec::new(),
        };
        let changes = effect.map(Changes::of);
        let Compiled { stmt, binds, extras } = match (&joined, &changes) {
            (Some(joined), _) => joined.compile(self.line.compiler())?,
            (None, Some(changes)) => query.compile_synced(self.line.compiler(), changes.wanted())?,
            (None, None) => query.compile(self.line.compiler(), wanted)?,
        };
        if stmt.access == Access::Writes && !query.locks() && !self.line.commits_at_once() {
            self.objects.doubt();
        }
        let mut sink = TrackSink::<Q::Row>::new(
            &mut self.objects,
            !loads.is_empty(),
            query.is_by_name(),
            Filling::new(Q::Row::tracked_lists())?,
        );
        sink.loader.reading = Reading::new(core.is_some_and(|core| core.more().populate));
        sink.columns.undefer(extras);
        if let Some(joined) = &joined {
            sink.targets = Some(Box::new(Targets::of(joined)));
            sink.once = joined.unique.then(FxHashSet::default);
        }
        sink.loader.locking = query.locks();
        sink.tail = tail;
        sink.changes = changes;
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        let TrackSink { mut out, loader, filling, targets, changes, .. } = sink;
        let Loader { roots, mut reading, .. } = loader;
        result.map_err(|error| match &joined {
            Some(joined) => joined.explain(error),
            None => query.explain(error),
        })?;
        if let Some(changes) = changes {
            self.objects.follow(changes, moved)?;
            if self.line.commits_at_once() {
                self.objects.committed();
            }
        }
        if let (Some(model), Some(roots)) = (Q::Row::model(), roots)
            && !roots.is_empty()
        {
            let rows = targets.as_deref().map(|targets| (targets, None));
            self.load_along(model, roots, loads, &mut reading, rows).await?;
        }
        filling.run(&mut out, &mut self.line, 0).await?;
        Ok(out)
    }

    async fn scalar<Q: Query, T: Fetch>(&mut self, query: &Q, wanted: Wanted) -> Result<T> {
        self.autoflush().await?;
        let Compiled { stmt, binds, .. } = query.compile(self.line.compiler(), wanted)?;
        let mut sink = ValueSink::<T>::default();
        let result = self.line.query(&stmt, &binds, &mut sink).await;
        result?;
        sink.out.pop().ok_or(Error::NoRows)
    }

    /// `SELECT … WHERE id = ?`, which every model needs and which needs no tree to be walked.
    pub(super) fn get_statement(&self, model: &'static ModelDef) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::Get);
        shape.number(model.id.get() as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ").columns(model, model.table).push(" FROM ").table_of(model);
            for (index, column) in model.primary_key.iter().enumerate() {
                let column = &model.columns[*column];
                renderer.push(if index == 0 { " WHERE " } else { " AND " });
                renderer.qualified(model.table, column.name).push(" = ").param(column.sql_type.kind());
            }
            Ok(())
        })?;
        Ok(compiled.stmt)
    }
}

/// A query with the joins that its loads ask for. Boxed: most queries have none, and their futures stay small.
fn joined<Q: Query>(query: &Q, wanted: Wanted) -> Result<Option<Box<Joined>>> {
    match (query.core(), Q::Row::model()) {
        (Some(core), Some(model)) if !core.loads.is_empty() => {
            core.loads.iter().try_for_each(|load| load.check(model))?;
            Ok(Joined::of(core, &core.loads, wanted)?.map(Box::new))
        }
        _ => Ok(None),
    }
}

/// Makes tracked rows.
struct TrackSink<'s, T: Fetch> {
    loader: Loader<'s>,
    out: Vec<T::Tracked>,
    columns: Columns,
    /// The lists of the values, where they have any.
    filling: Filling<T::Tracked>,
    /// What the statement changed, where it writes.
    changes: Option<Changes>,
    /// What is joined to the objects.
    targets: Option<Box<Targets>>,
    /// The objects that were there, where each is meant once.
    once: Option<FxHashSet<Handle>>,
    /// What the last row ends with.
    tail: Option<&'s mut Tail>,
}

impl<'s, T: Fetch> TrackSink<'s, T> {
    fn new(objects: &'s mut super::objects::Objects, roots: bool, by_name: bool, filling: Filling<T::Tracked>) -> Self {
        let loader = Loader { objects, roots: roots.then(Vec::new), reading: Reading::default(), locking: false };
        TrackSink {
            loader,
            out: Vec::new(),
            columns: Columns::new(by_name),
            filling,
            changes: None,
            targets: None,
            once: None,
            tail: None,
        }
    }
}

impl<T: Fetch> RowSink for TrackSink<'_, T> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        if self.out.is_empty() {
            self.columns.find::<T>(&row)?;
        }
        if let Some(tail) = &mut self.tail {
            tail.row(&row)?;
        }
        if let Some(changes) = &mut self.changes {
            changes.take(&row, |_| true)?;
        }
        let row = self.columns.of(&row);
        self.out.push(T::track_at(&mut self.loader, &row, self.columns.positions())?);
        if let Some(targets) = &mut self.targets
            && let Some(root) = self.loader.roots.as_ref().and_then(|roots| roots.last()).copied()
        {
            targets.row(self.loader.objects, &mut self.loader.reading, root, &row)?;
            if self.once.as_mut().is_some_and(|once| !once.insert(root)) {
                self.out.pop();
                self.loader.roots.as_mut().map(Vec::pop);
            }
        }
        self.filling.row(&row)
    }

    fn restart(&mut self) {
        // The objects stay: the second run finds them in the identity map.
        self.out.clear();
        self.filling.restart();
        if let Some(changes) = &mut self.changes {
            changes.rows.clear();
        }
        self.targets.iter_mut().for_each(|targets| targets.restart());
        self.once.iter_mut().for_each(FxHashSet::clear);
        if let Some(roots) = &mut self.loader.roots {
            roots.clear();
        }
    }
}

impl super::objects::Objects {
    /// Whether an object with this key is here and need not be read.
    fn has_current<M: Model>(&self, key: &M::Key) -> bool {
        let found = self.typed::<M>().and_then(|store| store.get(store.find_key(key)?));
        found.is_some_and(|(_, meta)| meta.doomed || !meta.expired)
    }
}

/// The kind of a column, as it is bound.
pub(super) fn kind_of(model: &ModelDef, column: usize) -> Kind {
    model.columns[column].sql_type.kind()
}
