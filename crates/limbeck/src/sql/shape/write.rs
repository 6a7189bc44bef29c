//! The shapes of the parts of statements that write.

use super::Shape;
use crate::dialect::Dialect;
use crate::driver::Bind;
use crate::model::ColumnSet;
use crate::sql::node::Node;
use crate::sql::select::Projection;
use crate::sql::subquery::Origin;
use crate::sql::write::Set;
use crate::types::Value;

impl<'q> Shape<'q> {
    /// What is set, and what `on_update` sets.
    pub(crate) fn sets(&mut self, sets: &'q [Set], touched: &[(usize, Value<'static>)], dialect: Dialect) {
        self.short(sets.len());
        for set in sets {
            self.short(set.column);
            self.node(&set.value, dialect);
        }
        // Which they are follows from which are set.
        self.binds.extend(touched.iter().map(|(_, value)| Bind::One(value.clone())));
    }

    pub(crate) fn origins(&mut self, origins: &'q [Origin], dialect: Dialect) {
        self.short(origins.len());
        origins.iter().for_each(|origin| self.origin(origin, dialect));
    }

    pub(crate) fn filters(&mut self, filter: &'q [Node], dialect: Dialect) {
        self.nodes(filter, dialect);
    }

    pub(crate) fn returning(&mut self, items: &'q [Projection], dialect: Dialect) {
        self.short(items.len());
        items.iter().for_each(|item| self.projection(item, true, dialect));
    }

    pub(crate) fn positions(&mut self, columns: &[usize]) {
        self.short(columns.len());
        columns.iter().for_each(|column| self.short(*column));
    }

    pub(crate) fn column_set(&mut self, columns: ColumnSet) {
        self.bytes.extend_from_slice(&columns.0.to_le_bytes());
    }
}
