//! The parts of statements that write.

use super::Renderer;
use crate::dialect::Dialect;
use crate::model::ModelDef;
use crate::sql::node::Source;
use crate::sql::select::Projection;
use crate::sql::write::Set;
use crate::types::Value;

impl Renderer {
    /// `a = …, b = …`
    pub(crate) fn sets(
        &mut self,
        model: &'static ModelDef,
        sets: &[Set],
        touched: &[(usize, Value<'static>)],
    ) -> &mut Self {
        for (index, set) in sets.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" }).ident(model.columns[set.column].name).push(" = ");
            self.node(&set.value);
        }
        for (column, _) in touched {
            let def = &model.columns[*column];
            self.push(", ").ident(def.name).push(" = ").param(def.sql_type.kind());
        }
        self
    }

    /// ` RETURNING …`, and behind it columns of the table that is written.
    pub(crate) fn returning(&mut self, items: &[Projection], target: &Source, wanted: &[usize]) -> &mut Self {
        if items.is_empty() && wanted.is_empty() {
            return self;
        }
        // There SQLite knows no alias.
        self.unaliased = (self.dialect == Dialect::Sqlite).then_some(*target);
        self.push(" RETURNING ").projection(items, None);
        for (index, column) in wanted.iter().enumerate() {
            self.push(if index > 0 || !items.is_empty() { ", " } else { "" });
            let table = self.name_of(target);
            self.qualified(table, target.model.columns[*column].name);
        }
        self.unaliased = None;
        self
    }

    /// The names of columns, separated by commas.
    pub(crate) fn names(&mut self, model: &'static ModelDef, columns: &[usize]) -> &mut Self {
        for (index, column) in columns.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" }).ident(model.columns[*column].name);
        }
        self
    }
}
