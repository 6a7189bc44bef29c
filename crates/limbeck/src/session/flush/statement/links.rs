//! Rows of association tables. They are known by the relationship that they belong to.

use std::sync::Arc;

use super::{compiled, rows, unnest, where_found};
use crate::driver::Stmt;
use crate::error::Result;
use crate::model::ModelDef;
use crate::schema::Association;
use crate::session::read::kind_of;
use crate::sql::compile::Compiler;
use crate::sql::render::Renderer;
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::Kind;

/// A row of an association table, unless it is there: the parameters are the local key, then the remote one.
pub(in crate::session::flush) fn link(
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
pub(in crate::session::flush) fn unlink(
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
pub(in crate::session::flush) fn unlink_all(
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
    unnest(renderer, " USING ", &[], columns);
    where_found(renderer, link.table, columns);
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

fn link_shape(kind: ShapeKind, owner: &'static ModelDef, relation: usize) -> Shape<'static> {
    let mut shape = Shape::new(kind);
    shape.number(owner.id.get() as u64);
    shape.number(relation as u64);
    shape
}
