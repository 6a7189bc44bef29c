//! The statements that load rows by lists of keys, and the lists in their one parameter.
//!
//! A list is a parameter however long it is, so that a statement's text does not depend on it. A key of several
//! columns is an array a column on PostgreSQL; on SQLite it is one flat list, in which the parts of a key lie
//! side by side, since two lists could only be put together again by a search in one for each of the other.

use std::sync::Arc;

use crate::driver::{Access, Stmt};
use crate::error::Result;
use crate::model::ModelDef;
use crate::model::mapping::Resolved;
use crate::schema::Association;
use crate::session::Session;
use crate::session::read::kind_of;
use crate::sql::keys::in_keys;
use crate::sql::render::Renderer;
use crate::sql::shape::{Shape, ShapeKind};
use crate::types::Kind;

impl Session {
    /// Rows of a model whose columns hold one of a list of keys; where an order is given (each column with whether it is
    /// descending), by key and then in that order.
    pub(super) fn statement_by_columns(
        &self,
        model: &'static ModelDef,
        columns: &[usize],
        order: &[(usize, bool)],
    ) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(if order.is_empty() { ShapeKind::LoadOne } else { ShapeKind::LoadMany });
        shape.number(model.id.get() as u64);
        shape.number(order.len() as u64);
        order.iter().for_each(|(column, descending)| shape.number((*column as u64) << 1 | u64::from(*descending)));
        columns.iter().for_each(|column| shape.number(*column as u64));
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ").columns(model, model.table).push(" FROM ").table_of(model).push(" WHERE ");
            let name = |column: &usize| (model.table, model.columns[*column].name, kind_of(model, *column));
            in_keys(renderer, &columns.iter().map(name).collect::<Vec<_>>());
            if !order.is_empty() {
                let key = columns.iter().map(|column| (model.table, model.columns[*column].name, false));
                let rest = order.iter().filter(|(column, _)| !columns.contains(column));
                let rest = rest.map(|(column, descending)| (model.table, model.columns[*column].name, *descending));
                order_by(renderer, key.chain(rest));
            }
            Ok(())
        })?;
        Ok(compiled.stmt)
    }

    /// Rows of a model behind the key of the row that an association table ties each to, by that key and then in the order
    /// of these columns.
    pub(super) fn statement_associated(
        &self,
        owner: &'static ModelDef,
        relation: usize,
        target: &'static ModelDef,
        link: &Association,
        order: &[(usize, bool)],
    ) -> Result<Arc<Stmt>> {
        let mut shape = Shape::new(ShapeKind::LoadAssociated);
        shape.number(owner.id.get() as u64);
        shape.number(relation as u64);
        let compiled = self.line.compiler().statement(shape, Access::Reads, |renderer| {
            renderer.push("SELECT ");
            for (local, _) in &link.local {
                renderer.qualified(link.table, local).push(", ");
            }
            renderer.columns(target, target.table).push(" FROM ").table_of(target);
            renderer.push(" JOIN ").table_in(link.schema, link.table);
            for (index, (column, key)) in link.remote.iter().enumerate() {
                renderer.push(if index > 0 { " AND " } else { " ON " });
                renderer.qualified(target.table, target.columns[*key].name).push(" = ");
                renderer.qualified(link.table, column);
            }
            renderer.push(" WHERE ");
            let names: Vec<(&str, &str, Kind)> =
                link.local.iter().map(|(name, key)| (link.table, name.as_str(), kind_of(owner, *key))).collect();
            in_keys(renderer, &names);
            // A key of the target is in the association as well, where an index has it beside the owner's.
            let by = |(column, descending): &(usize, bool)| match link.remote.iter().find(|(_, key)| key == column) {
                Some((remote, _)) => (link.table, remote.as_str(), *descending),
                None => (target.table, target.columns[*column].name, *descending),
            };
            let key = link.local.iter().map(|(local, _)| (link.table, local.as_str(), false));
            order_by(renderer, key.chain(order.iter().map(by)));
            Ok(())
        })?;
        Ok(compiled.stmt)
    }
}

/// ` ORDER BY posts.author_id, posts.title DESC`
fn order_by<'n>(renderer: &mut Renderer, columns: impl Iterator<Item = (&'n str, &'n str, bool)>) {
    for (index, (table, column, descending)) in columns.enumerate() {
        renderer.push(if index == 0 { " ORDER BY " } else { ", " });
        renderer.qualified(table, column).push(if descending { " DESC" } else { "" });
    }
}

/// The order of a collection: what the relationship says; the key decides between equals.
pub(super) fn order_of(resolved: &Resolved) -> Vec<(usize, bool)> {
    let mut order = resolved.order_by.clone();
    for key in resolved.target.primary_key {
        if !order.iter().any(|(column, _)| column == key) {
            order.push((*key, false));
        }
    }
    order
}
