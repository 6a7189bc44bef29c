//! What statements that write have in common: what they set, and how they are run.

use super::compile::{Compiled, Compiler, Wanted};
use super::effect::Effect;
use super::expression::{Expr, Operand};
use super::node::{ColumnRef, Node};
use super::op::{Level, Op};
use super::raw::Sql;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::{Column, ColumnSet, Model, ModelDef};
use crate::types::{ColumnType, Value, refusal};

/// A statement that `session.execute` and `connection.execute` run and that says how many rows it changed: an
/// [`Insert`](super::Insert), [`Update`](super::Update) or [`Delete`](super::Delete) without `returning`, or SQL
/// written by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a statement that can be executed",
    label = "expected an insert, update or delete without `.returning(…)`, or `sql(…)`; what returns rows is run by `all`"
)]
pub trait Statement: Send + Sync {
    /// The statement.
    #[doc(hidden)]
    fn compile_statement<'q>(&'q self, compiler: Compiler<'_>) -> Result<Compiled<'q>>;

    /// What it does to rows that are there, where that is known.
    #[doc(hidden)]
    fn effect(&self) -> Option<Effect> {
        None
    }

    /// The statement with these columns of each changed row as its result.
    #[doc(hidden)]
    fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
        let _ = wanted;
        self.compile_statement(compiler)
    }

    /// The query for the keys of the rows that it changes, as they are and as they will be.
    #[doc(hidden)]
    fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        let _ = compiler;
        Ok(None)
    }
}

impl Statement for Sql {
    fn compile_statement<'q>(&'q self, compiler: Compiler<'_>) -> Result<Compiled<'q>> {
        self.compile_execute(compiler)
    }
}

impl<S: Statement> Statement for &S {
    fn compile_statement<'q>(&'q self, compiler: Compiler<'_>) -> Result<Compiled<'q>> {
        (**self).compile_statement(compiler)
    }

    fn effect(&self) -> Option<Effect> {
        (**self).effect()
    }

    fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
        (**self).compile_synced(compiler, wanted)
    }

    fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
        (**self).compile_keys(compiler)
    }
}

/// A value's type beside that of the column that it is for: the same, or the column may be NULL besides.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` does not fit into a column of type `{T}`",
    label = "the column is `{T}`; one that is no `Option` takes nothing that may be NULL"
)]
pub trait Fits<T> {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Fits<T> for T {}
#[diagnostic::do_not_recommend]
impl<T: ColumnType<Null<bool> = bool>> Fits<Option<T>> for T {}

macro_rules! fits_tuple {
    ($($name:ident $other:ident),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Fits<$other>, $other),+> Fits<($($other,)+)> for ($($name,)+) {}
    };
}

fits_tuple!(A S);
fits_tuple!(A S, B T);
fits_tuple!(A S, B T, C U);
fits_tuple!(A S, B T, C U, D V);
fits_tuple!(A S, B T, C U, D V, E W);
fits_tuple!(A S, B T, C U, D V, E W, F X);
fits_tuple!(A S, B T, C U, D V, E W, F X, G Y);
fits_tuple!(A S, B T, C U, D V, E W, F X, G Y, H Z);

/// What a column of type `T` can be set to: a value, a column or an expression of that type; one that may be NULL only
/// where the column may be, too.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be set from a `{Self}`",
    label = "expected a value, a column or an expression of type `{T}`; one that may be NULL fits only an `Option`"
)]
pub trait Settable<T: ColumnType>: Operand<T::Base> {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType, V: Operand<T::Base>> Settable<T> for V where V::Null<T::Base>: Fits<T> {}

/// Columns of a model, one or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of columns of `{M}`",
    label = "expected a column of `{M}`, or a tuple of such"
)]
pub trait ColumnList<M> {
    /// A row of them.
    type Row;

    /// The positions of the columns.
    #[doc(hidden)]
    fn positions(self) -> Vec<usize>;
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: ColumnType> ColumnList<M> for Column<M, T> {
    type Row = T;

    fn positions(self) -> Vec<usize> {
        vec![usize::from(self.index)]
    }
}

macro_rules! column_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<M: Model, $($name: ColumnType),+> ColumnList<M> for ($(Column<M, $name>,)+) {
            type Row = ($($name,)+);

            fn positions(self) -> Vec<usize> {
                vec![$(usize::from(self.$index.index)),+]
            }
        }
    };
}

column_tuple!(A 0);
column_tuple!(A 0, B 1);
column_tuple!(A 0, B 1, C 2);
column_tuple!(A 0, B 1, C 2, D 3);
column_tuple!(A 0, B 1, C 2, D 3, E 4);
column_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
column_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
column_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// The name by which `DO UPDATE` calls the row that was to be inserted.
pub(crate) const EXCLUDED: &str = "excluded";

/// In `on_conflict(…).do_update()`: the value of the row that was to be inserted.
///
/// ```
/// # use limbeck::prelude::*;
/// # use limbeck::sql::{excluded, insert};
/// # #[derive(Model)]
/// # struct Tag { #[column(primary_key)] id: i64, #[column(unique)] name: String, uses: i64 }
/// let counted = insert(Tag)
///     .row(Tag::builder().name("rust").uses(1))
///     .on_conflict(Tag.name)
///     .do_update()
///     .set(Tag.uses, Tag.uses + excluded(Tag.uses));
/// ```
pub fn excluded<M: Model, T: ColumnType>(column: Column<M, T>) -> Expr<T> {
    Expr::new(Node::Column(ColumnRef { model: M::def(), alias: Some(EXCLUDED), index: column.index }))
}

/// One column that a statement sets.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) column: usize,
    pub(crate) value: Node,
}

impl Set {
    pub(super) fn new<M: Model, T: ColumnType, V: Operand<T::Base>>(column: Column<M, T>, value: V) -> Self {
        let position = usize::from(column.index);
        let value = match value.into_operand() {
            // As the column keeps it, whatever the value's own type is called.
            Node::Bind(value, _) => Node::Bind(value, M::def().columns[position].sql_type.kind()),
            node => node,
        };
        Set { column: position, value }
    }
}

/// Adds what is set; a column that was set before gets the later value.
pub(super) fn add_set(sets: &mut Vec<Set>, set: Set) {
    sets.retain(|other| other.column != set.column);
    sets.push(set);
}

/// The version that comes after one.
static NEXT: Op = Op::new("next_version", Level::Add, "{0} + 1");

/// Has a statement that changes rows count their versions, too; what it sets itself is added later and counts.
pub(super) fn count_version(sets: &mut Vec<Set>, model: &'static ModelDef, alias: Option<&'static str>) {
    if sets.is_empty()
        && let Some(version) = model.version()
    {
        // A model has at most 128 columns.
        let column = ColumnRef { model, alias, index: version as u16 };
        sets.push(Set { column: version, value: Node::Op(&NEXT, vec![Node::Column(column)]) });
    }
}

/// What `on_update` makes of the columns that a statement does not set: made anew whenever it is run.
pub(crate) type Touch = fn(ColumnSet) -> Touched;

/// Columns and their values.
pub(crate) type Touched = Vec<(usize, Value<'static>)>;

/// The columns that are set.
pub(super) fn columns(sets: &[Set]) -> ColumnSet {
    sets.iter().map(|set| set.column).collect()
}

/// Refuses what the columns would not keep as it is.
pub(super) fn check_sets(dialect: Dialect, model: &'static ModelDef, sets: &[Set]) -> Result<()> {
    sets.iter().try_for_each(|set| match &set.value {
        Node::Bind(value, _) => check_value(dialect, model, set.column, value),
        _ => writable(model, set.column),
    })
}

/// Refuses a value that a column would not keep as it is.
pub(super) fn check_value(dialect: Dialect, model: &'static ModelDef, column: usize, value: &Value<'_>) -> Result<()> {
    writable(model, column)?;
    let def = &model.columns[column];
    match refusal(dialect, def.sql_type, value) {
        Some(reason) => Err(Error::InvalidValue { model: model.name, column: def.field, reason, object: None }),
        None => Ok(()),
    }
}

/// Refuses a column whose value is the database's alone.
pub(super) fn writable(model: &'static ModelDef, column: usize) -> Result<()> {
    let def = &model.columns[column];
    if def.is_read_only() {
        let reason = "the database alone makes its value: a statement cannot set it".into();
        return Err(Error::InvalidValue { model: model.name, column: def.field, reason, object: None });
    }
    Ok(())
}

/// What a statement that writes can be asked for: its rows, and not how many there would be.
pub(super) fn only_rows(wanted: Wanted) -> Result<()> {
    match wanted {
        Wanted::Rows | Wanted::First | Wanted::One => Ok(()),
        Wanted::Count | Wanted::Exists => Err(Error::Statement(
            "a statement that writes cannot be counted: run it by `execute`, which says how many rows it changed"
                .into(),
        )),
    }
}

/// `to_sql`, `Statement`, `Query` and the rest of a typed face over a core that writes.
macro_rules! writes {
    ($name:ident, $what:literal) => {
        impl<M, R> Clone for $name<M, R> {
            fn clone(&self) -> Self {
                $name { core: self.core.clone(), marker: PhantomData }
            }
        }

        impl<M, R> std::fmt::Debug for $name<M, R> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple($what).field(&self.core).finish()
            }
        }

        impl<M: Model, R> $name<M, R> {
            /// The SQL text of the statement, as `dialect` spells it, with placeholders for its values.
            ///
            /// # Errors
            /// [`Error::Statement`](crate::Error::Statement) when it cannot be built.
            pub fn to_sql(&self, dialect: Dialect) -> Result<String> {
                let mut renderer = Renderer::new(dialect);
                self.core.check(dialect)?;
                self.core.render(&self.core.touched(), &[], &mut renderer)?;
                Ok(renderer.sql)
            }

            /// The statement, which returns these columns behind what it was asked for.
            fn compiled<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
                self.core.check(compiler.dialect)?;
                let touched = self.core.touched();
                let mut shape = self.core.shape(&touched, compiler.dialect);
                shape.positions(wanted);
                compiler.statement(shape, Access::Writes, |renderer| self.core.render(&touched, wanted, renderer))
            }
        }

        impl<M: Model> Statement for $name<M, ()> {
            fn compile_statement<'q>(&'q self, compiler: Compiler<'_>) -> Result<Compiled<'q>> {
                self.compiled(compiler, &[])
            }

            fn effect(&self) -> Option<Effect> {
                self.core.effect()
            }

            fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
                self.compiled(compiler, wanted)
            }

            fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
                self.core.compile_keys(compiler)
            }
        }

        impl<M: Model, R: Fetch> Query for $name<M, R> {
            type Row = R;

            fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>> {
                only_rows(wanted)?;
                self.compiled(compiler, &[])
            }

            fn effect(&self) -> Option<Effect> {
                self.core.effect()
            }

            fn compile_synced<'q>(&'q self, compiler: Compiler<'_>, wanted: &[usize]) -> Result<Compiled<'q>> {
                self.compiled(compiler, wanted)
            }

            fn compile_keys<'q>(&'q self, compiler: Compiler<'_>) -> Result<Option<Compiled<'q>>> {
                self.core.compile_keys(compiler)
            }

            fn explain(&self, error: Error) -> Error {
                error.with_column(|at| column_at(self.core.returning(), at))
            }
        }
    };
}
pub(super) use writes;
