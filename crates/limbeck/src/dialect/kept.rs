//! What a kind of database keeps of a schema.
//!
//! Models say one thing for all databases, and some have no notion of a part of it. What is left out is left out
//! here, once: statements are written and schemas are compared without asking again.

use std::collections::BTreeMap;

use super::Dialect;
use super::checks::type_checks;
use crate::schema::{Collation, Deferrable, Index, IndexOptions, Metadata, MetadataError, Table, TableName};

impl Collation {
    /// Its name on one database.
    pub fn on(&self, dialect: Dialect) -> Option<&str> {
        match dialect {
            Dialect::Postgres => self.postgres.as_deref(),
            Dialect::Sqlite => self.sqlite.as_deref(),
        }
    }

    /// A collation of one database.
    pub fn of(dialect: Dialect, name: String) -> Self {
        match dialect {
            Dialect::Postgres => Collation { postgres: Some(name), sqlite: None },
            Dialect::Sqlite => Collation { postgres: None, sqlite: Some(name) },
        }
    }
}

impl Metadata {
    /// The tables as one kind of database keeps them: without what it has no notion of. SQLite has no schemas,
    /// no comments, one kind of index, and numbers rows in one way.
    ///
    /// # Errors
    /// When tables of two schemas would be one, or a constraint would say less than it does.
    pub fn on(&self, dialect: Dialect) -> Result<Metadata, MetadataError> {
        let mut kept = self.clone();
        let own = |collation: &mut Option<Collation>| {
            let name = collation.as_ref().and_then(|collation| collation.on(dialect));
            *collation = name.map(|name| Collation::of(dialect, name.to_string()));
        };
        for table in &mut kept.tables {
            table.columns.iter_mut().for_each(|column| own(&mut column.collation));
            for index in &mut table.indexes {
                let keys = index.options.iter_mut().flat_map(|options| &mut options.keys);
                keys.for_each(|key| own(&mut key.collation));
                if index.options.as_ref().is_some_and(IndexOptions::is_plain) {
                    index.options = None;
                }
            }
        }
        if dialect == Dialect::Sqlite {
            self.without_schemas(&mut kept)?;
            kept.tables.iter_mut().try_for_each(on_sqlite)?;
        }
        Ok(kept)
    }

    fn without_schemas(&self, kept: &mut Metadata) -> Result<(), MetadataError> {
        let mut seen: BTreeMap<&str, TableName> = BTreeMap::new();
        for table in &self.tables {
            if let Some(other) = seen.insert(&table.name, table.full_name()) {
                let said = |name: &TableName| match self.models.get(name) {
                    Some(model) => format!("`{name}` ({model})"),
                    None => format!("`{name}`"),
                };
                return Err(MetadataError(format!(
                    "{} and {} would be one table on SQLite, which has no schemas: give one of them another \
                     `#[model(table = \"…\")]`",
                    said(&other),
                    said(&table.full_name())
                )));
            }
        }
        for table in &mut kept.tables {
            table.schema = None;
            table.foreign_keys.iter_mut().for_each(|key| key.target_schema = None);
        }
        Ok(())
    }
}

fn on_sqlite(table: &mut Table) -> Result<(), MetadataError> {
    let of_types = type_checks(Dialect::Sqlite, table);
    table.checks.extend(of_types);
    table.comment = None;
    for column in &mut table.columns {
        column.comment = None;
        column.identity = None;
    }
    if let Some(unique) = table.uniques.iter().find(|unique| unique.nulls_not_distinct) {
        return Err(MetadataError(format!(
            "`{}`: unique ({}) is `nulls_not_distinct`, which SQLite cannot check",
            table.name,
            unique.columns.join(", ")
        )));
    }
    table.uniques.iter_mut().for_each(|unique| unique.deferrable = Deferrable::NotDeferrable);
    for index in &mut table.indexes {
        if let Some(options) = &mut index.options {
            options.method = None;
            options.include.clear();
            for key in &mut options.keys {
                key.opclass = None;
                key.nulls_first = None;
            }
            if options.is_plain() {
                index.options = None;
            }
        }
    }
    // Two that differed in what SQLite has not are one.
    let mut kept: Vec<Index> = Vec::with_capacity(table.indexes.len());
    for index in std::mem::take(&mut table.indexes) {
        let is_it = |other: &Index| {
            other.is_plain() && index.is_plain() && other.columns == index.columns && other.unique == index.unique
        };
        if !kept.iter().any(is_it) {
            kept.push(index);
        }
    }
    table.indexes = kept;
    Ok(())
}
