//! The statements that load rows by lists of keys, and the lists in their one parameter.
//!
//! A list is a parameter however long it is, so that a statement's text does not depend on it. A key of several
//! columns is an array a column on PostgreSQL; on SQLite it is one flat list, in which the parts of a key lie
//! side by side, since two lists could only be put together again by a search in one for each of the other.

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::driver::{Access, Stmt};
use crate::error::Result;
use crate::model::ModelDef;
use crate::schema::Association;
use crate::session::Session;
use crate::session::read::kind_of;
use crate::sql::render::Renderer;
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::Kind;

impl Session {
    /// Rows of a model whose columns hold one of a list of keys.
    pub(in crate::session) fn statement_by_columns(
        &self,
        model: &'static ModelDef,
        columns: &[usize],
        ordered: bool,
    ) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(if ordered { ShapeKind::LoadMany } else { ShapeKind::LoadOne });
        shape.number(model.id.get() as u64);
        columns.iter().for_each(|column| shape.number(*column as u64));
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ").columns(model, model.table).push(" FROM ").ident(model.table).push(" WHERE ");
            let names: Vec<(&str, Kind)> =
                columns.iter().map(|column| (model.columns[*column].name, kind_of(model, *column))).collect();
            in_keys(renderer, model.table, &names);
            if ordered {
                order_by_key(renderer, model);
            }
            Ok(())
        })?;
        Ok(compiled.stmt)
    }

    /// Rows of a model behind the key of the row that an association table ties each to.
    pub(super) fn statement_associated(
        &self,
        owner: &'static ModelDef,
        relation: usize,
        target: &'static ModelDef,
        link: &Association,
    ) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::LoadAssociated);
        shape.number(owner.id.get() as u64);
        shape.number(relation as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ");
            for (local, _) in &link.local {
                renderer.qualified(link.table, local).push(", ");
            }
            renderer.columns(target, target.table).push(" FROM ").ident(target.table);
            renderer.push(" JOIN ").ident(link.table);
            for (index, (column, key)) in link.remote.iter().enumerate() {
                renderer.push(if index > 0 { " AND " } else { " ON " });
                renderer.qualified(target.table, target.columns[*key].name).push(" = ");
                renderer.qualified(link.table, column);
            }
            renderer.push(" WHERE ");
            let names: Vec<(&str, Kind)> =
                link.local.iter().map(|(name, key)| (name.as_str(), kind_of(owner, *key))).collect();
            in_keys(renderer, link.table, &names);
            order_by_key(renderer, target);
            Ok(())
        })?;
        Ok(compiled.stmt)
    }
}

/// `table.a IN (a list)`, or `(table.a, table.b) IN (a list of pairs)`.
fn in_keys(renderer: &mut Renderer, table: &str, columns: &[(&str, Kind)]) {
    if let [(column, kind)] = columns {
        renderer.qualified(table, column).in_list(*kind, false);
        return;
    }
    for (index, (column, _)) in columns.iter().enumerate() {
        renderer.push(if index > 0 { ", " } else { "(" }).qualified(table, column);
    }
    renderer.push(") IN (SELECT ");
    match renderer.dialect {
        Dialect::Postgres => {
            renderer.push("* FROM unnest(");
            for (index, (_, kind)) in columns.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).array_param(*kind);
            }
            renderer.push("))");
        }
        Dialect::Sqlite => {
            let width = columns.len().to_string();
            for (part, (_, kind)) in columns.iter().enumerate() {
                renderer.push(if part > 0 { ", " } else { "" });
                // JSON has no bytes: they travel in hexadecimal digits.
                let is_bytes = matches!(kind, Kind::Bytes | Kind::Uuid);
                renderer.push(if is_bytes { "unhex(max(value)" } else { "max(value)" });
                renderer.push(" FILTER (WHERE key % ").push(&width).push(" = ").push(&part.to_string());
                renderer.push(if is_bytes { "))" } else { ")" });
            }
            // The kind is PostgreSQL's business.
            renderer.push(" FROM json_each(").array_param(columns[0].1);
            renderer.push(") GROUP BY key / ").push(&width).push(")");
        }
    }
}

fn order_by_key(renderer: &mut Renderer, model: &'static ModelDef) {
    for (index, column) in model.primary_key.iter().enumerate() {
        renderer.push(if index == 0 { " ORDER BY " } else { ", " });
        renderer.qualified(model.table, model.columns[*column].name);
    }
}
