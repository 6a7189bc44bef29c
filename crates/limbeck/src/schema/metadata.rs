//! From models to tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::association::association;
use super::{
    Action, Column, Deferrable, ForeignKey, Index, PrimaryKey, Table, TableName, UniqueConstraint, foreign_key, naming,
    options,
};
use crate::model::{ModelDef, RelationDef, registry};

/// The tables of a set of models, in an order in which they can be created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The tables; one that is referred to comes before those that refer to it. Tables that refer to each
    /// other in a circle stand in alphabetical order.
    pub tables: Vec<Table>,
    /// The model of each table that has one, for messages.
    pub models: BTreeMap<TableName, String>,
}

/// Why models do not make a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataError(pub String);

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MetadataError {}

impl From<crate::Error> for MetadataError {
    /// What is wrong with a model's relationships.
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Mapping(message) => MetadataError(message),
            other => MetadataError(other.to_string()),
        }
    }
}

impl From<MetadataError> for crate::Error {
    fn from(error: MetadataError) -> Self {
        crate::Error::Mapping(error.0)
    }
}

/// The tables of the models that are named: `metadata![User, Post]?`.
///
/// ```no_run
/// # fn f() -> limbeck::Result<()> {
/// let metadata = limbeck::metadata![]?;
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! metadata {
    ($($model:ty),* $(,)?) => {
        $crate::schema::Metadata::of(&[$(<$model as $crate::model::Model>::def()),*])
    };
}

impl Metadata {
    /// The tables of all models that are linked into this program.
    ///
    /// # Errors
    /// When there is no model, which nearly always means that the crate that has them is not linked; when
    /// two models are for one table; when relationships disagree about an association table.
    pub fn registered() -> Result<Self, MetadataError> {
        let models: Vec<_> = registry::all().collect();
        if models.is_empty() {
            return Err(MetadataError(
                "this program has no models: write the first (`limbeck new model blog Post title:string`), or, \
                 where a crate has some, name it next to `main`, `use my_app as _;`, since a crate that is never \
                 named is not linked"
                    .into(),
            ));
        }
        Metadata::of(&models)
    }

    /// The tables of these models.
    ///
    /// # Errors
    /// When two of them are for one table, when a foreign key or relationship leads to a model that is not
    /// among them, when relationships disagree about an association table, or when one does not say enough, as a
    /// one-to-one whose key is not unique.
    pub fn of(models: &[&'static ModelDef]) -> Result<Self, MetadataError> {
        let mut by_table: BTreeMap<TableName, &'static ModelDef> = BTreeMap::new();
        for &model in models {
            if let Some(other) = by_table.insert(model.table_name(), model)
                && !std::ptr::eq(other, model)
            {
                let mut paths = [described(other), described(model)];
                paths.sort();
                return Err(MetadataError(format!(
                    "two models are for the table `{}`: {} and {}; give one of them another `#[model(table = \"…\")]`",
                    model.table_name(),
                    paths[0],
                    paths[1]
                )));
            }
        }
        let known = |model: &ModelDef| by_table.get(&model.table_name()).is_some_and(|m| std::ptr::eq(*m, model));
        let mut tables = BTreeMap::new();
        let mut associations: BTreeMap<TableName, (Table, &'static RelationDef)> = BTreeMap::new();
        for &model in by_table.values() {
            tables.insert(model.table_name(), table(model, &known)?);
            for relation in model.relations {
                let Some(secondary) = relation.secondary else { continue };
                let target = (relation.target)();
                if !known(target) {
                    return Err(unknown_target(relation.label, target));
                }
                let made = association_table(model, relation, secondary)?;
                let name = made.full_name();
                if let Some(owner) = by_table.get(&name) {
                    check_mapped_association(&made, owner, relation)?;
                    continue;
                }
                match associations.get(&name) {
                    Some((table, first)) if *table != made => {
                        return Err(disagreement(secondary, table, first, &made, relation));
                    }
                    Some(_) => {}
                    None => {
                        associations.insert(name, (made, relation));
                    }
                }
            }
        }
        tables.extend(associations.into_iter().map(|(name, (table, _))| (name, table)));
        let tables = in_creation_order(tables.into_values().collect());
        check_names(&tables)?;
        for model in by_table.values() {
            model.mapping()?;
        }
        super::enums::check(&tables)?;
        let models = by_table.into_iter().map(|(name, model)| (name, model.path())).collect();
        Ok(Metadata { tables, models })
    }

    /// These tables, which come from no model.
    pub fn new(tables: Vec<Table>) -> Self {
        Metadata { tables, models: BTreeMap::new() }
    }

    /// The table of that name: `orders`, or `shop.orders` in a schema.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| match &table.schema {
            None => table.name == name,
            Some(_) => table.full_name().to_string() == name,
        })
    }
}

fn described(model: &ModelDef) -> String {
    format!("`{}` ({}:{})", model.path(), model.location.0, model.location.1)
}

pub(super) fn unknown_target(place: &str, target: &ModelDef) -> MetadataError {
    MetadataError(format!(
        "`{place}` leads to the model {}, which is not among the models of this schema: add it",
        described(target)
    ))
}

/// The table of one model.
fn table(model: &'static ModelDef, known: &dyn Fn(&ModelDef) -> bool) -> Result<Table, MetadataError> {
    let key: Vec<String> = model.primary_key.iter().map(|&i| model.columns[i].name.to_string()).collect();
    let mut table = Table {
        schema: model.options.schema.map(str::to_string),
        name: model.table.to_string(),
        columns: model.columns.iter().map(options::column).collect(),
        primary_key: (!key.is_empty())
            .then(|| PrimaryKey { name: Some(naming::primary_key(model.table)), columns: key.clone() }),
        ..Table::default()
    };
    for column in model.columns {
        let name = [column.name.to_string()];
        let is_key = key == name;
        if column.unique && !is_key {
            let unique = naming::unique(model.table, &name);
            table.uniques.push(UniqueConstraint {
                name: Some(unique),
                columns: name.to_vec(),
                ..UniqueConstraint::default()
            });
        }
        // The index of a unique constraint, and that of a key which the column leads, serve as well.
        if column.index && !column.unique && key.first() != Some(&name[0]) {
            table.indexes.push(Index {
                name: naming::index(model.table, &name),
                columns: name.to_vec(),
                ..Index::default()
            });
        }
    }
    options::apply(model, &mut table);
    foreign_key::add(model, &mut table, known)?;
    Ok(table)
}

/// The table that a many-to-many goes through, as one of its ends sees it.
fn association_table(
    model: &'static ModelDef,
    relation: &'static RelationDef,
    name: &str,
) -> Result<Table, MetadataError> {
    let target = (relation.target)();
    let association = association(model, relation).map_err(MetadataError)?;
    let mut ends = [(model, association.local), (target, association.remote)];
    for (end, columns) in &ends {
        if columns.is_empty() {
            return Err(MetadataError(format!(
                "`{}` goes through `{name}`, which needs a primary key of `{}` to refer to",
                relation.label, end.name
            )));
        }
    }
    // Alphabetical order makes both ends see the same table.
    ends.sort_by(|a, b| a.1[0].0.cmp(&b.1[0].0));
    let mut table =
        Table { schema: association.schema.map(str::to_string), name: name.to_string(), ..Table::default() };
    for (position, (end, columns)) in ends.iter().enumerate() {
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        for (name, key) in columns {
            table.columns.push(Column::new(name, end.columns[*key].sql_type.clone()));
        }
        if position == 1 {
            table.indexes.push(Index {
                name: naming::index(&table.name, &names),
                columns: names.clone(),
                ..Index::default()
            });
        }
        table.foreign_keys.push(ForeignKey {
            name: Some(naming::foreign_key(&table.name, &names, end.table)),
            columns: names,
            target_schema: end.options.schema.map(str::to_string),
            target_table: end.table.to_string(),
            target_columns: columns.iter().map(|(_, key)| end.columns[*key].name.to_string()).collect(),
            on_delete: Action::Cascade,
            on_update: Action::NoAction,
            deferrable: Deferrable::NotDeferrable,
        });
    }
    table.primary_key = Some(PrimaryKey {
        name: Some(naming::primary_key(&table.name)),
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
    });
    let mut seen = BTreeSet::new();
    if let Some(twice) = table.columns.iter().find(|column| !seen.insert(column.name.as_str())) {
        return Err(MetadataError(format!(
            "`{}` goes through `{name}`, where both ends would use the column `{}`: add `back_populates`, so that \
             each end is named after its field",
            relation.label, twice.name
        )));
    }
    Ok(table)
}

/// An association table that has a model of its own must have the columns that the relationship uses.
fn check_mapped_association(made: &Table, owner: &ModelDef, relation: &RelationDef) -> Result<(), MetadataError> {
    for column in &made.columns {
        if !owner.columns.iter().any(|own| own.name == column.name) {
            return Err(MetadataError(format!(
                "`{}` goes through `{}`, the table of {}, which has no column `{}`",
                relation.label,
                made.name,
                described(owner),
                column.name
            )));
        }
    }
    Ok(())
}

fn disagreement(name: &str, a: &Table, a_relation: &RelationDef, b: &Table, b_relation: &RelationDef) -> MetadataError {
    let columns = |table: &Table| table.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    MetadataError(format!(
        "`{}` and `{}` both go through `{name}` but disagree about it: the first needs ({}), the second ({}); give \
         one of them another `secondary`, or name each as the other's `back_populates`",
        a_relation.label,
        b_relation.label,
        columns(a),
        columns(b)
    ))
}

/// Sorts tables so that one comes after those that it refers to. Where tables refer to each other in a
/// circle, the first by name goes first. A loop and not a recursion: chains of keys can be long.
pub fn in_creation_order(mut tables: Vec<Table>) -> Vec<Table> {
    tables.sort_by_key(Table::full_name);
    let position: HashMap<TableName, usize> = tables.iter().enumerate().map(|(i, t)| (t.full_name(), i)).collect();
    let mut waits_for: Vec<BTreeSet<usize>> = Vec::with_capacity(tables.len());
    let mut referred_by: Vec<Vec<usize>> = vec![Vec::new(); tables.len()];
    for (i, table) in tables.iter().enumerate() {
        let targets: BTreeSet<usize> = table
            .foreign_keys
            .iter()
            .filter_map(|key| position.get(&key.target()).copied())
            .filter(|&target| target != i)
            .collect();
        for &target in &targets {
            referred_by[target].push(i);
        }
        waits_for.push(targets);
    }
    let mut waiting: BTreeSet<usize> = (0..tables.len()).collect();
    let mut ready: BTreeSet<usize> = waiting.iter().copied().filter(|&i| waits_for[i].is_empty()).collect();
    let mut order = Vec::with_capacity(tables.len());
    while let Some(next) = ready.pop_first().or_else(|| first_of_a_circle(&waiting, &waits_for)) {
        waiting.remove(&next);
        order.push(next);
        for &table in &referred_by[next] {
            waits_for[table].remove(&next);
            if waits_for[table].is_empty() && waiting.contains(&table) {
                ready.insert(table);
            }
        }
    }
    let mut taken: Vec<Option<Table>> = tables.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| taken[i].take()).collect()
}

/// Among tables that all wait for another: the first of some that wait for each other in a circle.
fn first_of_a_circle(waiting: &BTreeSet<usize>, waits_for: &[BTreeSet<usize>]) -> Option<usize> {
    let mut path = Vec::new();
    let mut seen = BTreeSet::new();
    let mut at = *waiting.first()?;
    while seen.insert(at) {
        path.push(at);
        at = *waits_for[at].first()?;
    }
    path.iter().copied().skip_while(|&step| step != at).min()
}

/// Tables and indexes of a schema share one space of names, checks and foreign keys that of their table;
/// `ix_a_b_c` can come from two places.
fn check_names(tables: &[Table]) -> Result<(), MetadataError> {
    let mut seen: HashMap<(Option<&str>, &str), String> = HashMap::new();
    for table in tables {
        let own = std::iter::once((table.name.as_str(), "the table itself".to_string()));
        let key = table.primary_key.iter().filter_map(|key| Some((key.name.as_deref()?, &key.columns)));
        let uniques = table.uniques.iter().filter_map(|unique| Some((unique.name.as_deref()?, &unique.columns)));
        let indexes = table.indexes.iter().map(|index| (index.name.as_str(), &index.columns));
        let named = key.chain(uniques).chain(indexes).map(|(name, columns)| (name, columns.join(", ")));
        for (name, what) in own.chain(named) {
            let place = format!("`{}` ({what})", table.full_name());
            if let Some(other) = seen.insert((table.schema.as_deref(), name), place.clone()) {
                return Err(MetadataError(format!(
                    "{other} and {place} would both make `{name}`, and a database has room for one of that name: \
                     rename a table or a column, or give the index or constraint a `name`"
                )));
            }
        }
        let checks = table.checks.iter().filter_map(|check| check.name.as_deref());
        let keys = table.foreign_keys.iter().filter_map(|key| key.name.as_deref());
        let mut seen = BTreeSet::new();
        if let Some(twice) = checks.chain(keys).find(|name| !seen.insert(*name)) {
            return Err(MetadataError(format!(
                "two constraints of `{}` would both be called `{twice}`: give one of them a `name`",
                table.full_name()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
