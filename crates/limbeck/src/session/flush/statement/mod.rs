//! The SQL of a batch: one text for each table, kind and set of columns.
//!
//! On SQLite a statement is stepped once a row. On PostgreSQL all rows travel in it as arrays, one for each column,
//! which `unnest` makes a table `r` of: what is sent is `c0`, `c1` …, what rows are found by `k0`, `k1` …
//!
//! Here are the statements for objects; `links` are those for rows of association tables, `references` those that go by
//! a foreign key.

mod links;
mod references;

pub(super) use links::{link, unlink, unlink_all};
pub(super) use references::{delete_children, nullify};

use super::plan::Constraint;
use super::version::found_by;
use crate::dialect::Dialect;
use crate::driver::{Access, Returns, Stmt};
use crate::error::Result;
use crate::model::{ColumnSet, ModelDef};
use crate::session::expression::Expressed;
use crate::session::read::kind_of;
use crate::sql::Node;
use crate::sql::compile::Compiler;
use crate::sql::render::Renderer;
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::Kind;
use std::sync::Arc;

/// `INSERT`: the parameters are the values of the expressions, then the columns. `returning` are the columns that come
/// back.
///
/// On PostgreSQL all rows travel as arrays, and `ORDER BY` makes the server number them in the order in which
/// they are sent. `sentinel` says how it is made sure which returned row is which.
pub(super) fn insert(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    columns: ColumnSet,
    expressions: &[Expressed],
    returning: &[usize],
) -> Result<Arc<Stmt>> {
    let mut shape = shape(ShapeKind::Insert, model, columns);
    extras(&mut shape, expressions, returning);
    compiled(compiler, shape, |renderer| {
        renderer.push("INSERT INTO ").table_of(model);
        let name = |column: usize| model.columns[column].name;
        let computed: Vec<(&str, &Node)> =
            expressions.iter().map(|expressed| (name(expressed.column), expressed.expression.node())).collect();
        let names: Vec<(&str, Kind)> = columns.iter().map(|column| (name(column), kind_of(model, column))).collect();
        rows(renderer, &computed, &names);
        returns(renderer, model, returning);
    })
}

/// The INSERT of several rows without a transaction around it, which fails where the rows that come back could not be told
/// apart by the numbers that the database gave them in a column (`by`: which, and whether they descend), or are not all of
/// those that were sent. PostgreSQL only.
pub(super) fn insert_alone(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    columns: ColumnSet,
    returning: &[usize],
    by: (usize, bool),
) -> Result<Arc<Stmt>> {
    let mut shape = shape(ShapeKind::InsertAlone, model, columns);
    extras(&mut shape, &[], returning);
    shape.byte(by.0 as u8);
    compiled(compiler, shape, |renderer| {
        renderer.push("WITH added AS (INSERT INTO ").table_of(model);
        let names: Vec<(&str, Kind)> = named(model, columns.iter());
        rows(renderer, &[], &names);
        returns(renderer, model, returning);
        let (number, sign) = (model.columns[by.0].name, if by.1 { " < " } else { " > " });
        renderer.push(") SELECT ").names(model, returning).push(", 1 / (coalesce(").ident(number).push(sign);
        // In the order in which they come back, which is all that the window has.
        renderer
            .push("lag(")
            .ident(number)
            .push(") OVER (), true) AND count(*) OVER () = cardinality($1))::int FROM added");
    })
}

/// What a statement has beside its columns.
fn extras(shape: &mut Shape<'static>, expressions: &[Expressed], returning: &[usize]) {
    // A model has at most 128 columns.
    shape.byte(returning.len() as u8);
    returning.iter().for_each(|column| shape.byte(*column as u8));
    for expressed in expressions {
        let expression = expressed.expression.shape();
        shape.byte(expressed.column as u8);
        shape.number(expression.len() as u64);
        expression.iter().for_each(|byte| shape.byte(*byte));
    }
}

fn returns(renderer: &mut Renderer, model: &'static ModelDef, returning: &[usize]) {
    if !returning.is_empty() {
        renderer.push(" RETURNING ").names(model, returning);
    }
}

/// ` (a, b) VALUES (1 + ?, ?)`, or the arrays of PostgreSQL. Columns that are computed come first.
fn rows(renderer: &mut Renderer, computed: &[(&str, &Node)], columns: &[(&str, Kind)]) {
    if columns.is_empty() && computed.is_empty() {
        match renderer.dialect {
            Dialect::Sqlite => renderer.push(" DEFAULT VALUES"),
            // A row of no columns for each element.
            Dialect::Postgres => renderer.push(" SELECT FROM unnest(").array_param(Kind::Bool).push(")"),
        };
        return;
    }
    renderer.push(" (");
    let all = computed.iter().map(|(name, _)| name).chain(columns.iter().map(|(name, _)| name));
    for (index, name) in all.enumerate() {
        renderer.push(if index > 0 { ", " } else { "" }).ident(name);
    }
    renderer.push(if renderer.dialect == Dialect::Sqlite { ") VALUES (" } else { ") SELECT " });
    for (index, (_, node)) in computed.iter().enumerate() {
        renderer.push(if index > 0 { ", " } else { "" }).node(node);
    }
    let ahead = computed.len();
    match renderer.dialect {
        Dialect::Sqlite => {
            for (index, (_, kind)) in columns.iter().enumerate() {
                renderer.push(if index + ahead > 0 { ", " } else { "" }).param(*kind);
            }
            renderer.push(")");
        }
        Dialect::Postgres => {
            for (index, (_, kind)) in columns.iter().enumerate() {
                renderer.push(if index + ahead > 0 { ", c" } else { "c" }).push(&index.to_string()).unpacked(*kind);
            }
            renderer.push(" FROM unnest(");
            for (index, (_, kind)) in columns.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).array_param(*kind);
            }
            if columns.is_empty() {
                renderer.array_param(Kind::Bool);
            }
            renderer.push(") WITH ORDINALITY AS r(");
            names(renderer, "c", columns.len().max(1));
            renderer.push(", n) ORDER BY n");
        }
    }
}

/// `c0, c1, c2`
fn names(renderer: &mut Renderer, prefix: &str, count: usize) {
    for index in 0..count {
        renderer.push(if index > 0 { ", " } else { "" }).push(prefix).push(&index.to_string());
    }
}

/// An UPDATE of rows that are found by `found`.
pub(super) struct Update<'a> {
    pub(super) model: &'static ModelDef,
    /// The columns that get values.
    pub(super) columns: ColumnSet,
    /// Those that get the value of an expression.
    pub(super) expressions: &'a [Expressed],
    /// Those that get the default that the database applies.
    pub(super) defaults: ColumnSet,
    /// The columns that rows are found by: the key, and the version where it counts.
    pub(super) found: Vec<usize>,
    /// The columns that come back.
    pub(super) returning: &'a [usize],
    /// Whether the key as it was comes back before them (PostgreSQL).
    pub(super) keys: bool,
}

impl Update<'_> {
    /// An UPDATE of rows whatever their version, which returns nothing.
    pub(super) fn of(model: &'static ModelDef, columns: ColumnSet) -> Self {
        Update {
            model,
            columns,
            expressions: &[],
            defaults: ColumnSet::EMPTY,
            found: model.primary_key.to_vec(),
            returning: &[],
            keys: false,
        }
    }

    /// How many columns come back.
    pub(super) fn returns(&self) -> Returns {
        match self.returning.len() + if self.keys { self.model.primary_key.len() } else { 0 } {
            0 => Returns::Count,
            width => Returns::Columns(width),
        }
    }
}

/// `UPDATE`: the parameters are the values of the expressions, the columns, then what rows are found by.
pub(super) fn update(compiler: Compiler<'_>, update: &Update<'_>) -> Result<Arc<Stmt>> {
    let Update { model, columns, expressions, defaults, found, returning, keys } = update;
    let (model, keys) = (*model, *keys);
    let mut shape = shape(ShapeKind::Update, model, *columns);
    shape.columns(*defaults);
    shape.byte(u8::from(keys) + 2 * u8::from(found.len() > model.primary_key.len()));
    extras(&mut shape, expressions, returning);
    compiled(compiler, shape, |renderer| {
        renderer.push("UPDATE ").table_of(model);
        set(renderer, update);
        let sent: Vec<Kind> = columns.iter().map(|column| kind_of(model, column)).collect();
        let found = named(model, found.iter().copied());
        unnest(renderer, " FROM ", &sent, &found);
        where_found(renderer, model.table, &found);
        if keys {
            renderer.push(" RETURNING ");
            names(renderer, "r.k", model.primary_key.len());
            renderer.push(if returning.is_empty() { "" } else { ", " }).names(model, returning);
        } else {
            returns(renderer, model, returning);
        }
    })
}

/// ` SET views = posts.views + 1, title = ?, rank = DEFAULT`
fn set(renderer: &mut Renderer, update: &Update<'_>) {
    let Update { model, columns, expressions, defaults, .. } = update;
    let mut separator = " SET ";
    let mut assign = |renderer: &mut Renderer, column: usize| {
        renderer.push(separator).ident(model.columns[column].name).push(" = ");
        separator = ", ";
    };
    for expressed in *expressions {
        assign(renderer, expressed.column);
        renderer.node(expressed.expression.node());
    }
    for (index, column) in columns.iter().enumerate() {
        assign(renderer, column);
        match renderer.dialect {
            Dialect::Sqlite => renderer.param(kind_of(model, column)),
            Dialect::Postgres => renderer.push("r.c").push(&index.to_string()).unpacked(kind_of(model, column)),
        };
    }
    for column in defaults.iter() {
        assign(renderer, column);
        match renderer.dialect {
            // It has no word for the default in an UPDATE.
            Dialect::Sqlite => {
                renderer.push("(").push(model.columns[column].server_default.unwrap_or("NULL")).push(")")
            }
            Dialect::Postgres => renderer.push("DEFAULT"),
        };
    }
}

/// `DELETE`: the parameters are the key, and the version where there is one; then PostgreSQL gives the key back.
pub(super) fn delete(compiler: Compiler<'_>, model: &'static ModelDef) -> Result<Arc<Stmt>> {
    compiled(compiler, shape(ShapeKind::Delete, model, ColumnSet::EMPTY), |renderer| {
        renderer.push("DELETE FROM ").table_of(model);
        where_any(renderer, " USING ", model.table, &named(model, found_by(model)));
        if renderer.dialect == Dialect::Postgres && model.version().is_some() {
            for (index, key) in model.primary_key.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { " RETURNING " });
                renderer.qualified(model.table, model.columns[*key].name);
            }
        }
    })
}

/// `SET CONSTRAINTS … DEFERRED`, or `IMMEDIATE`: has a constraint checked at the end of the transaction, or now.
pub(super) fn set_constraint(compiler: Compiler<'_>, constraint: &Constraint, deferred: bool) -> Result<Arc<Stmt>> {
    let Constraint { model, name } = constraint;
    let mut shape = shape(ShapeKind::SetConstraint, model, ColumnSet::EMPTY);
    shape.text(name);
    shape.byte(u8::from(deferred));
    compiled(compiler, shape, |renderer| {
        renderer.push("SET CONSTRAINTS ").table_in(model.options.schema, name);
        renderer.push(if deferred { " DEFERRED" } else { " IMMEDIATE" });
    })
}

/// Columns of a model, as statements name them.
fn named(model: &'static ModelDef, columns: impl IntoIterator<Item = usize>) -> Vec<(&'static str, Kind)> {
    columns.into_iter().map(|column| (model.columns[column].name, kind_of(model, column))).collect()
}

/// ` FROM unnest($1, $2) AS r(c0, k0)`: the rows of a statement on PostgreSQL.
fn unnest(renderer: &mut Renderer, word: &str, sent: &[Kind], found: &[(&str, Kind)]) {
    if renderer.dialect != Dialect::Postgres {
        return;
    }
    renderer.push(word).push("unnest(");
    for (index, kind) in sent.iter().copied().chain(found.iter().map(|(_, kind)| *kind)).enumerate() {
        renderer.push(if index > 0 { ", " } else { "" }).array_param(kind);
    }
    renderer.push(") AS r(");
    names(renderer, "c", sent.len());
    renderer.push(if sent.is_empty() { "" } else { ", " });
    names(renderer, "k", found.len());
    renderer.push(")");
}

/// ` WHERE id = ?`, or ` WHERE users.id = r.k0` behind [`unnest`].
fn where_found(renderer: &mut Renderer, table: &str, found: &[(&str, Kind)]) {
    for (index, (name, kind)) in found.iter().enumerate() {
        renderer.push(if index > 0 { " AND " } else { " WHERE " });
        match renderer.dialect {
            Dialect::Sqlite => renderer.ident(name).push(" = ").param(*kind),
            Dialect::Postgres => renderer.qualified(table, name).push(" = r.k").push(&index.to_string()),
        };
    }
}

/// The rows of a statement that are found by some columns, and nothing else is sent for; those by one column in a list.
fn where_any(renderer: &mut Renderer, word: &str, table: &str, found: &[(&str, Kind)]) {
    if let ([(name, kind)], Dialect::Postgres) = (found, renderer.dialect) {
        renderer.push(" WHERE ").ident(name).in_list(*kind, false);
        return;
    }
    unnest(renderer, word, &[], found);
    where_found(renderer, table, found);
}

fn shape(kind: ShapeKind, model: &'static ModelDef, columns: ColumnSet) -> Shape<'static> {
    let mut shape = Shape::new(kind);
    shape.number(model.id.get() as u64);
    shape.columns(columns);
    shape
}

fn compiled(compiler: Compiler<'_>, shape: Shape<'static>, render: impl FnOnce(&mut Renderer)) -> Result<Arc<Stmt>> {
    let compiled = compiler.statement(shape, Access::Writes, |renderer| {
        render(renderer);
        Ok(())
    })?;
    Ok(compiled.stmt)
}
