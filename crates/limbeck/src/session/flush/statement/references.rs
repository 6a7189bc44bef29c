//! Statements that go by a foreign key: what happens to the rows that refer to others. Their parameters are the columns
//! of the row that is referred to.

use std::sync::Arc;

use super::{compiled, named, shape, unnest, where_any, where_found};
use crate::driver::Stmt;
use crate::error::Result;
use crate::model::mapping::KeyPair;
use crate::model::{ColumnSet, ModelDef};
use crate::sql::compile::Compiler;
use crate::sql::shape::ShapeKind;

/// The columns of a key.
fn columns(keys: &[KeyPair]) -> ColumnSet {
    keys.iter().map(|pair| pair.key).collect()
}

/// `DELETE FROM posts WHERE author_id = …`
pub(in crate::session::flush) fn delete_children(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    keys: &'static [KeyPair],
) -> Result<Arc<Stmt>> {
    compiled(compiler, shape(ShapeKind::DeleteChildren, model, columns(keys)), |renderer| {
        let found = named(model, KeyPair::columns(keys));
        renderer.push("DELETE FROM ").table_of(model);
        unnest(renderer, " USING ", &[], &found);
        where_found(renderer, model.table, &found);
    })
}

/// `UPDATE posts SET author_id = NULL WHERE author_id = …`
pub(in crate::session::flush) fn nullify(
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    keys: &'static [KeyPair],
) -> Result<Arc<Stmt>> {
    let nulls = model.mapping()?.nulls(model, keys);
    compiled(compiler, shape(ShapeKind::Nullify, model, columns(keys)), |renderer| {
        renderer.push("UPDATE ").table_of(model).push(" SET ");
        for (index, column) in nulls.iter().enumerate() {
            renderer.push(if index > 0 { ", " } else { "" }).ident(model.columns[column].name).push(" = NULL");
        }
        if let Some(version) = model.version() {
            let name = model.columns[version].name;
            renderer.push(", ").ident(name).push(" = ").qualified(model.table, name).push(" + 1");
        }
        where_any(renderer, " FROM ", model.table, &named(model, KeyPair::columns(keys)));
    })
}
