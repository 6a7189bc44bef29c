//! The SQL of a batch: one text for each table, kind and set of columns.

use super::plan::Constraint;
use super::version::found_by;
use crate::dialect::Dialect;
use crate::driver::{Access, Stmt};
use crate::error::Result;
use crate::model::mapping::KeyPair;
use crate::model::{ColumnSet, ModelDef};
use crate::schema::Association;
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

/// `UPDATE`: the parameters are the values of the expressions, the columns, then the key as it was, and the version where
/// there is one. `returning` are the columns that the database computes; with `keys`, the key as it was comes back before
/// them (PostgreSQL).
pub(super) fn update(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    columns: ColumnSet,
    expressions: &[Expressed],
    returning: &[usize],
    keys: bool,
) -> Result<Arc<Stmt>> {
    let mut shape = shape(ShapeKind::Update, model, columns);
    shape.byte(u8::from(keys));
    extras(&mut shape, expressions, returning);
    compiled(compiler, shape, |renderer| {
        renderer.push("UPDATE ").table_of(model).push(" SET ");
        let ahead = expressions.len();
        for (index, expressed) in expressions.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { "" }).ident(model.columns[expressed.column].name).push(" = ");
            renderer.node(expressed.expression.node());
        }
        for (index, column) in columns.iter().enumerate() {
            renderer.push(if index + ahead > 0 { ", " } else { "" }).ident(model.columns[column].name);
            match renderer.dialect {
                Dialect::Sqlite => renderer.push(" = ").param(kind_of(model, column)),
                Dialect::Postgres => renderer.push(" = r.c").push(&index.to_string()).unpacked(kind_of(model, column)),
            };
        }
        match renderer.dialect {
            Dialect::Sqlite => where_key(renderer, model),
            Dialect::Postgres => {
                renderer.push(" FROM unnest(");
                for (index, column) in columns.iter().chain(found_by(model)).enumerate() {
                    renderer.push(if index > 0 { ", " } else { "" }).array_param(kind_of(model, column));
                }
                renderer.push(") AS r(");
                names(renderer, "c", columns.len());
                renderer.push(if columns.is_empty() { "" } else { ", " });
                names(renderer, "k", found_by(model).len());
                renderer.push(")");
                where_array_key(renderer, model);
            }
        }
        if keys || !returning.is_empty() {
            renderer.push(" RETURNING ");
            if keys {
                names(renderer, "r.k", model.primary_key.len());
                renderer.push(if returning.is_empty() { "" } else { ", " });
            }
            renderer.names(model, returning);
        }
    })
}

/// `DELETE`: the parameters are the key, and the version where there is one; then PostgreSQL gives the key back.
pub(super) fn delete(compiler: Compiler<'_>, model: &'static ModelDef) -> Result<Arc<Stmt>> {
    compiled(compiler, shape(ShapeKind::Delete, model, ColumnSet::EMPTY), |renderer| {
        renderer.push("DELETE FROM ").table_of(model);
        match (renderer.dialect, model.primary_key) {
            (Dialect::Sqlite, _) => where_key(renderer, model),
            (Dialect::Postgres, [key]) if model.version().is_none() => {
                renderer.push(" WHERE ").ident(model.columns[*key].name).in_list(kind_of(model, *key), false);
            }
            (Dialect::Postgres, _) => {
                let keys = found_by(model);
                renderer.push(" USING unnest(");
                for (index, column) in keys.iter().enumerate() {
                    renderer.push(if index > 0 { ", " } else { "" }).array_param(kind_of(model, *column));
                }
                renderer.push(") AS r(");
                names(renderer, "k", keys.len());
                renderer.push(")");
                where_array_key(renderer, model);
            }
        }
        if renderer.dialect == Dialect::Postgres && model.version().is_some() {
            for (index, key) in model.primary_key.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { " RETURNING " });
                renderer.qualified(model.table, model.columns[*key].name);
            }
        }
    })
}

/// An UPDATE of rows whatever their version, or that says which.
pub(super) struct Assign<'a> {
    pub(super) model: &'static ModelDef,
    /// The columns that get values.
    pub(super) columns: ColumnSet,
    /// The columns that get the default that the database applies.
    pub(super) defaults: ColumnSet,
    /// The column of the version, where the row has to have one.
    pub(super) version: Option<usize>,
    /// The columns that come back.
    pub(super) returning: &'a [usize],
    /// Whether the key comes back before them (PostgreSQL).
    pub(super) keys: bool,
}

/// `UPDATE`: the parameters are the columns, then the key, then the version.
pub(super) fn assign(compiler: Compiler<'_>, assign: &Assign<'_>) -> Result<Arc<Stmt>> {
    let Assign { model, columns, defaults, version, returning, keys } = *assign;
    let mut shape = shape(ShapeKind::Assign, model, columns);
    shape.number(defaults.0 as u64);
    shape.number((defaults.0 >> 64) as u64);
    shape.byte(u8::from(version.is_some()) + 2 * u8::from(keys));
    returning.iter().for_each(|column| shape.byte(*column as u8));
    let found: Vec<usize> = model.primary_key.iter().copied().chain(version).collect();
    compiled(compiler, shape, |renderer| {
        renderer.push("UPDATE ").table_of(model).push(" SET ");
        let mut separator = "";
        for (index, column) in columns.iter().enumerate() {
            renderer.push(separator).ident(model.columns[column].name).push(" = ");
            match renderer.dialect {
                Dialect::Sqlite => renderer.param(kind_of(model, column)),
                Dialect::Postgres => renderer.push("r.c").push(&index.to_string()).unpacked(kind_of(model, column)),
            };
            separator = ", ";
        }
        for column in defaults.iter() {
            let def = &model.columns[column];
            renderer.push(separator).ident(def.name).push(" = ");
            match renderer.dialect {
                // It has no word for the default in an UPDATE.
                Dialect::Sqlite => renderer.push("(").push(def.server_default.unwrap_or("NULL")).push(")"),
                Dialect::Postgres => renderer.push("DEFAULT"),
            };
            separator = ", ";
        }
        if renderer.dialect == Dialect::Postgres {
            renderer.push(" FROM unnest(");
            for (index, column) in columns.iter().chain(found.iter().copied()).enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).array_param(kind_of(model, column));
            }
            renderer.push(") AS r(");
            names(renderer, "c", columns.len());
            renderer.push(if columns.is_empty() { "" } else { ", " });
            names(renderer, "k", found.len());
            renderer.push(")");
        }
        for (index, column) in found.iter().enumerate() {
            renderer.push(if index > 0 { " AND " } else { " WHERE " });
            let name = model.columns[*column].name;
            match renderer.dialect {
                Dialect::Sqlite => renderer.ident(name).push(" = ").param(kind_of(model, *column)),
                Dialect::Postgres => renderer.qualified(model.table, name).push(" = r.k").push(&index.to_string()),
            };
        }
        if !returning.is_empty() {
            renderer.push(" RETURNING ");
            if keys {
                names(renderer, "r.k", model.primary_key.len());
                renderer.push(", ");
            }
            for (index, column) in returning.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).ident(model.columns[*column].name);
            }
        }
    })
}

/// `DELETE FROM posts WHERE author_id = …`: the parameters are the columns of the row that is referred to.
pub(super) fn delete_children(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    keys: &'static [KeyPair],
) -> Result<Arc<Stmt>> {
    let mut columns = ColumnSet::EMPTY;
    keys.iter().for_each(|pair| columns.insert(pair.key));
    let columns = shape(ShapeKind::DeleteChildren, model, columns);
    compiled(compiler, columns, |renderer| {
        renderer.push("DELETE FROM ").table_of(model);
        if renderer.dialect == Dialect::Postgres {
            renderer.push(" USING unnest(");
            for (index, pair) in keys.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).array_param(kind_of(model, pair.key));
            }
            renderer.push(") AS r(");
            names(renderer, "k", keys.len());
            renderer.push(")");
        }
        for (index, pair) in keys.iter().enumerate() {
            renderer.push(if index > 0 { " AND " } else { " WHERE " });
            let column = model.columns[pair.key].name;
            match renderer.dialect {
                Dialect::Sqlite => renderer.ident(column).push(" = ").param(kind_of(model, pair.key)),
                Dialect::Postgres => renderer.qualified(model.table, column).push(" = r.k").push(&index.to_string()),
            };
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

/// `UPDATE posts SET author_id = NULL WHERE author_id = …`: the parameters are the columns of the row that is
/// referred to.
pub(super) fn nullify(compiler: Compiler<'_>, model: &'static ModelDef, keys: &'static [KeyPair]) -> Result<Arc<Stmt>> {
    let mut columns = ColumnSet::EMPTY;
    keys.iter().for_each(|pair| columns.insert(pair.key));
    let nulls = model.mapping()?.nulls(model, keys);
    compiled(compiler, shape(ShapeKind::Nullify, model, columns), |renderer| {
        renderer.push("UPDATE ").table_of(model).push(" SET ");
        for (index, column) in nulls.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { "" }).ident(model.columns[*column].name).push(" = NULL");
        }
        if let Some(version) = model.version() {
            let name = model.columns[version].name;
            renderer.push(", ").ident(name).push(" = ").qualified(model.table, name).push(" + 1");
        }
        if let ([pair], Dialect::Postgres) = (keys, renderer.dialect) {
            renderer.push(" WHERE ").ident(model.columns[pair.key].name).in_list(kind_of(model, pair.key), false);
            return;
        }
        if renderer.dialect == Dialect::Postgres {
            renderer.push(" FROM unnest(");
            for (index, pair) in keys.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).array_param(kind_of(model, pair.key));
            }
            renderer.push(") AS r(");
            names(renderer, "k", keys.len());
            renderer.push(")");
        }
        for (index, pair) in keys.iter().enumerate() {
            renderer.push(if index > 0 { " AND " } else { " WHERE " });
            let column = model.columns[pair.key].name;
            match renderer.dialect {
                Dialect::Sqlite => renderer.ident(column).push(" = ").param(kind_of(model, pair.key)),
                Dialect::Postgres => renderer.qualified(model.table, column).push(" = r.k").push(&index.to_string()),
            };
        }
    })
}

/// A row of an association table, unless it is there: the parameters are the local key, then the remote one.
pub(super) fn link(
    compiler: Compiler<'_>,
    owner: &'static ModelDef,
    relation: usize,
    target: &'static ModelDef,
    link: &Association,
) -> Result<Arc<Stmt>> {
    compiled(compiler, link_shape(ShapeKind::LinkInsert, owner, relation), |renderer| {
        renderer.push("INSERT INTO ").table_in(link.schema, link.table);
        rows(renderer, &[], &link_columns(owner, target, link));
        renderer.push(" ON CONFLICT DO NOTHING");
    })
}

/// Deletes a row of an association table: the parameters are the local key, then the remote one.
pub(super) fn unlink(
    compiler: Compiler<'_>,
    owner: &'static ModelDef,
    relation: usize,
    target: &'static ModelDef,
    link: &Association,
) -> Result<Arc<Stmt>> {
    let columns = link_columns(owner, target, link);
    compiled(compiler, link_shape(ShapeKind::LinkDelete, owner, relation), |renderer| {
        delete_links(renderer, link, &columns);
    })
}

/// Deletes all rows of an association table that refer to a row: the parameters are its key.
pub(super) fn unlink_all(
    compiler: Compiler<'_>,
    owner: &'static ModelDef,
    relation: usize,
    link: &Association,
) -> Result<Arc<Stmt>> {
    let columns: Vec<(&str, Kind)> =
        link.local.iter().map(|(name, key)| (name.as_str(), kind_of(owner, *key))).collect();
    compiled(compiler, link_shape(ShapeKind::LinkDeleteAll, owner, relation), |renderer| {
        delete_links(renderer, link, &columns);
    })
}

fn delete_links(renderer: &mut Renderer, link: &Association, columns: &[(&str, Kind)]) {
    renderer.push("DELETE FROM ").table_in(link.schema, link.table);
    if renderer.dialect == Dialect::Postgres {
        renderer.push(" USING unnest(");
        for (index, (_, kind)) in columns.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { "" }).array_param(*kind);
        }
        renderer.push(") AS r(");
        names(renderer, "k", columns.len());
        renderer.push(")");
    }
    for (index, (name, kind)) in columns.iter().enumerate() {
        renderer.push(if index > 0 { " AND " } else { " WHERE " }).qualified(link.table, name).push(" = ");
        match renderer.dialect {
            Dialect::Sqlite => renderer.param(*kind),
            Dialect::Postgres => renderer.push("r.k").push(&index.to_string()),
        };
    }
}

fn link_columns<'l>(
    owner: &'static ModelDef,
    target: &'static ModelDef,
    link: &'l Association,
) -> Vec<(&'l str, Kind)> {
    let local = link.local.iter().map(|(name, key)| (name.as_str(), kind_of(owner, *key)));
    let remote = link.remote.iter().map(|(name, key)| (name.as_str(), kind_of(target, *key)));
    local.chain(remote).collect()
}

fn where_key(renderer: &mut Renderer, model: &'static ModelDef) {
    for (index, key) in found_by(model).into_iter().enumerate() {
        renderer.push(if index > 0 { " AND " } else { " WHERE " }).ident(model.columns[key].name);
        renderer.push(" = ").param(kind_of(model, key));
    }
}

fn where_array_key(renderer: &mut Renderer, model: &'static ModelDef) {
    for (index, key) in found_by(model).into_iter().enumerate() {
        renderer.push(if index > 0 { " AND " } else { " WHERE " });
        renderer.qualified(model.table, model.columns[key].name).push(" = r.k").push(&index.to_string());
    }
}

fn shape(kind: ShapeKind, model: &'static ModelDef, columns: ColumnSet) -> Shape<'static> {
    let mut shape = Shape::new(kind);
    shape.number(model.id.get() as u64);
    shape.number(columns.0 as u64);
    shape.number((columns.0 >> 64) as u64);
    shape
}

fn link_shape(kind: ShapeKind, owner: &'static ModelDef, relation: usize) -> Shape<'static> {
    let mut shape = Shape::new(kind);
    shape.number(owner.id.get() as u64);
    shape.number(relation as u64);
    shape
}

fn compiled(compiler: Compiler<'_>, shape: Shape<'static>, render: impl FnOnce(&mut Renderer)) -> Result<Arc<Stmt>> {
    let compiled = compiler.statement(shape, Access::Writes, |renderer| {
        render(renderer);
        Ok(())
    })?;
    Ok(compiled.stmt)
}
