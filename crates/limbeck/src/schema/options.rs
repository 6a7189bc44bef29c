//! The options of a model's table, made into parts of it.

use super::{
    Check, Collation, Column, Computed, Identity, Index, IndexKey, IndexOn, IndexOptions, Table, UniqueConstraint,
    naming,
};
use crate::model::{CollationDef, ColumnDef, IndexDef, IndexKeyOf, ModelDef};

/// Adds unique constraints, indexes, checks and the comment.
///
/// A column that is `unique` or indexed by itself may be so with options; then these are what counts.
pub(super) fn apply(model: &ModelDef, table: &mut Table) {
    let names = |columns: &[usize]| -> Vec<String> {
        columns.iter().map(|&column| model.columns[column].name.to_string()).collect()
    };
    table.comment = model.options.comment.map(str::to_string);
    table.was = model.options.was.map(str::to_string);
    for def in model.options.uniques {
        let columns = names(def.columns);
        let name = def.name.map_or_else(|| naming::unique(model.table, &columns), str::to_string);
        table.uniques.retain(|other| other.columns != columns);
        let (nulls_not_distinct, deferrable) = (def.nulls_not_distinct, def.deferrable);
        table.uniques.push(UniqueConstraint { name: Some(name), columns, nulls_not_distinct, deferrable });
    }
    for def in model.options.indexes {
        let index = index(model, def);
        table.indexes.retain(|other| !(index.is_plain() && other.is_plain() && other.columns == index.columns));
        table.indexes.push(index);
    }
    for def in model.options.checks {
        let about = def.column.map_or(def.expression, |column| model.columns[column].name);
        let name = def.name.map_or_else(|| naming::check(model.table, about), str::to_string);
        let expression = def.expression.trim().to_string();
        table.checks.push(Check { name: Some(name), expression, no_inherit: false });
    }
}

fn index(model: &ModelDef, def: &IndexDef) -> Index {
    let keys: Vec<IndexKey> = def
        .keys
        .iter()
        .map(|key| {
            let on = match key.of {
                IndexKeyOf::Column(column) => IndexOn::Column(model.columns[column].name.to_string()),
                // Every database takes a column's name for the column itself.
                IndexKeyOf::Expression(sql) => match model.columns.iter().find(|column| column.name == sql.trim()) {
                    Some(column) => IndexOn::Column(column.name.to_string()),
                    None => IndexOn::Expression(sql.trim().to_string()),
                },
            };
            let text = |text: Option<&str>| text.map(str::to_string);
            IndexKey {
                on,
                descending: key.descending,
                // NULLs are taken for larger than everything.
                nulls_first: key.nulls_first.filter(|first| *first != key.descending),
                opclass: text(key.opclass),
                collation: key.collation.map(collation),
            }
        })
        .collect();
    let words: Vec<String> = keys
        .iter()
        .map(|key| match &key.on {
            IndexOn::Column(name) => name.clone(),
            IndexOn::Expression(sql) => naming::words(sql),
        })
        .collect();
    let options = IndexOptions {
        keys,
        predicate: def.predicate.map(|sql| sql.trim().to_string()),
        method: def.method.filter(|method| !method.eq_ignore_ascii_case("btree")).map(str::to_string),
        include: def.include.iter().map(|&column| model.columns[column].name.to_string()).collect(),
    };
    Index {
        name: def.name.map_or_else(|| naming::index(model.table, &words), str::to_string),
        columns: options.columns(),
        unique: def.unique,
        options: Some(options).filter(|options| !options.is_plain()),
        definition: None,
        comment: None,
    }
}

fn collation(def: CollationDef) -> Collation {
    Collation { postgres: def.postgres.map(str::to_string), sqlite: def.sqlite.map(str::to_string) }
}

/// A column with its options.
pub(super) fn column(def: &ColumnDef) -> Column {
    let options = &def.options;
    let identity = options.identity.map(|identity| Identity {
        always: identity.always,
        start: identity.start,
        increment: identity.increment,
    });
    Column {
        nullable: def.nullable,
        server_default: def.server_default.map(str::to_string),
        generated: def.generated,
        identity: identity.filter(|identity| *identity != Identity::default()),
        computed: options
            .computed
            .map(|computed| Computed { expression: computed.expression.trim().to_string(), stored: computed.stored }),
        collation: options.collation.map(collation),
        comment: options.comment.map(str::to_string),
        was: options.was.map(str::to_string),
        ..Column::new(def.name, def.sql_type.clone())
    }
}
