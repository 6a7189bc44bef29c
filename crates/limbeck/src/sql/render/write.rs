//! The parts of statements that write.

use super::Renderer;
use crate::model::ModelDef;
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

    /// ` RETURNING …`
    pub(crate) fn returning(&mut self, items: &[Projection]) -> &mut Self {
        if items.is_empty() { self } else { self.push(" RETURNING ").projection(items, None) }
    }

    /// The names of columns, separated by commas.
    pub(crate) fn names(&mut self, model: &'static ModelDef, columns: &[usize]) -> &mut Self {
        for (index, column) in columns.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" }).ident(model.columns[*column].name);
        }
        self
    }
}
