//! The foreign keys of a model, as those of its table.

use super::metadata::unknown_target;
use super::{Action, Deferrable, ForeignKey, Index, MetadataError, Table, naming};
use crate::model::ModelDef;

/// Adds the foreign keys of columns, then those of several columns with their indexes.
pub(super) fn add(
    model: &'static ModelDef,
    table: &mut Table,
    known: &dyn Fn(&ModelDef) -> bool,
) -> Result<(), MetadataError> {
    for column in model.columns {
        let Some(key) = &column.foreign_key else { continue };
        let referred = Referred {
            columns: &[column.field],
            target: (key.target)(),
            fields: &[key.field],
            place: format!("{}.{}", model.name, column.field),
        };
        table.foreign_keys.push(ForeignKey {
            on_delete: key.on_delete,
            on_update: key.on_update,
            deferrable: key.deferrable,
            ..referred.key(model, key.name, known)?
        });
    }
    for key in model.foreign_keys {
        let columns: Vec<&str> = key.columns.iter().map(|&column| model.columns[column].field).collect();
        let referred = Referred {
            columns: &columns,
            target: (key.target)(),
            fields: key.fields,
            place: format!("{}: foreign_key(({}), …)", model.name, columns.join(", ")),
        };
        table.foreign_keys.push(ForeignKey {
            on_delete: key.on_delete,
            on_update: key.on_update,
            deferrable: key.deferrable,
            ..referred.key(model, key.name, known)?
        });
        let names: Vec<String> = key.columns.iter().map(|&column| model.columns[column].name.to_string()).collect();
        if key.index && !leads(table, &names) {
            let name = naming::index(model.table, &names);
            table.indexes.push(Index { name, columns: names, ..Index::default() });
        }
    }
    Ok(())
}

/// Whether an index of the table, or that of a constraint, begins with these columns.
fn leads(table: &Table, columns: &[String]) -> bool {
    let key = table.primary_key.iter().map(|key| &key.columns);
    let uniques = table.uniques.iter().map(|unique| &unique.columns);
    let indexes = table.indexes.iter().filter(|index| index.is_plain()).map(|index| &index.columns);
    key.chain(uniques).chain(indexes).any(|of| of.starts_with(columns))
}

/// What a foreign key refers to, by fields.
struct Referred<'k> {
    columns: &'k [&'k str],
    target: &'static ModelDef,
    fields: &'k [&'k str],
    /// For messages.
    place: String,
}

impl Referred<'_> {
    fn key(
        &self,
        model: &ModelDef,
        name: Option<&str>,
        known: &dyn Fn(&ModelDef) -> bool,
    ) -> Result<ForeignKey, MetadataError> {
        let target = self.target;
        if !known(target) {
            return Err(unknown_target(&self.place, target));
        }
        let names = |of: &'static ModelDef, fields: &[&str]| {
            let name = |field: &&str| {
                of.column_of_field(field).map(|i| of.columns[i].name.to_string()).ok_or_else(|| {
                    MetadataError(format!("`{}` refers to `{}.{field}`, which is not a column", self.place, of.name))
                })
            };
            fields.iter().map(name).collect::<Result<Vec<String>, _>>()
        };
        let columns = self.columns.iter().map(|field| {
            let own = model.columns.iter().find(|column| column.field == *field);
            own.map_or_else(|| (*field).to_string(), |column| column.name.to_string())
        });
        let columns: Vec<String> = columns.collect();
        Ok(ForeignKey {
            name: Some(name.map_or_else(|| naming::foreign_key(model.table, &columns, target.table), str::to_string)),
            columns,
            target_schema: target.options.schema.map(str::to_string),
            target_table: target.table.to_string(),
            target_columns: names(target, self.fields)?,
            on_delete: Action::NoAction,
            on_update: Action::NoAction,
            deferrable: Deferrable::NotDeferrable,
        })
    }
}
