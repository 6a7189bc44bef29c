//! How relationships lead to other tables: worked out once a model, from what the models declare.
//!
//! The derive checks what it can see (that `back_populates` is said at both ends, that keys have the type
//! of what they refer to). What needs both models at once is found here, at first use.

use super::{Cascade, ColumnDef, ColumnSet, IndexKeyDef, ModelDef, RelationDef, RelationKind, registry};
use crate::schema::{Action, Association, Deferrable, association, naming};

/// The relationships and foreign keys of a model, resolved.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) relations: Vec<Resolved>,
    /// The columns whose values the database makes where none is given.
    pub(crate) made: ColumnSet,
    /// Those whose values only the database makes.
    pub(crate) read_only: ColumnSet,
    /// The foreign keys: those of one column, then those of several.
    pub(crate) references: Vec<Reference>,
    /// What is unique in the table: the primary key first.
    pub(crate) uniques: Vec<Unique>,
    /// The relationships with the cascade `delete`.
    pub(crate) deleting: Vec<usize>,
    /// Whether one of them has the key in this table and the cascade `delete-orphan`.
    pub(crate) orphans_target: bool,
    /// The relationships of other models by which an object of this one is an orphan when it loses its parent.
    pub(crate) claims: Vec<Claim>,
}

/// A relationship to the model, over a key of the model, with the cascade `delete-orphan`.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Its name.
    pub(crate) label: &'static str,
    pub(crate) keys: Vec<KeyPair>,
    /// The model's own relationship that says the same.
    pub(crate) back: Option<usize>,
}

/// Columns that are unique together.
#[derive(Debug)]
pub(crate) struct Unique {
    pub(crate) columns: Vec<usize>,
    /// The columns of it that can be NULL, and by that let go of a value. None where NULL is equal to NULL.
    pub(crate) nulls: ColumnSet,
    /// The constraint, where PostgreSQL can check it later than at each row.
    pub(crate) deferrable: Option<(String, Deferrable)>,
}

/// One relationship, resolved.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) target: &'static ModelDef,
    /// The relationship of the target that says the same from the other end.
    pub(crate) back: Option<usize>,
    pub(crate) path: Path,
    /// What a collection is ordered by: columns of the target, and whether each is descending.
    pub(crate) order_by: Vec<(usize, bool)>,
}

/// The way from a row to the rows at the other end.
#[derive(Debug)]
pub(crate) enum Path {
    /// This table has the key: each `key` is a column of it, each `to` one of the target.
    BelongsTo(Vec<KeyPair>),
    /// The target has the key: each `key` is a column of the target, each `to` one of this table.
    HasMany(Vec<KeyPair>),
    /// Likewise, and no two rows of the target have the same.
    HasOne(Vec<KeyPair>),
    /// Rows of an association table hold both keys.
    ManyToMany(Association),
}

/// A column of a foreign key, and the one that it holds the value of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyPair {
    /// The column of the table that has the key.
    pub(crate) key: usize,
    /// The column of the table that it refers to.
    pub(crate) to: usize,
}

impl KeyPair {
    /// The columns that hold a key.
    pub(crate) fn columns(keys: &[KeyPair]) -> Vec<usize> {
        keys.iter().map(|pair| pair.key).collect()
    }

    /// The columns that a key refers to, in the same order.
    pub(crate) fn referred(keys: &[KeyPair]) -> Vec<usize> {
        keys.iter().map(|pair| pair.to).collect()
    }
}

/// A foreign key, resolved.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) target: &'static ModelDef,
    pub(crate) keys: Vec<KeyPair>,
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
    pub(crate) deferrable: Deferrable,
    /// Its name, where the model says one.
    pub(crate) name: Option<&'static str>,
}

impl Reference {
    pub(crate) fn has(&self, column: usize) -> bool {
        self.keys.iter().any(|pair| pair.key == column)
    }

    /// What the constraint is called: as `model`, which has the key, says, or by the naming convention.
    pub(crate) fn constraint(&self, model: &ModelDef) -> String {
        match self.name {
            Some(name) => name.to_owned(),
            None => {
                let columns: Vec<&str> = self.keys.iter().map(|pair| model.columns[pair.key].name).collect();
                naming::foreign_key(model.table, &columns, self.target.table)
            }
        }
    }
}

impl Mapping {
    pub(super) fn resolve(model: &'static ModelDef) -> Result<Self, String> {
        let relations = model.relations.iter().map(|relation| resolve(model, relation)).collect::<Result<_, _>>()?;
        let has = |relation: &RelationDef, cascade| relation.options.cascade.contains(cascade);
        let deleting = (0..model.relations.len()).filter(|one| has(&model.relations[*one], Cascade::DELETE)).collect();
        let orphans_target = model
            .relations
            .iter()
            .any(|relation| relation.kind == RelationKind::BelongsTo && has(relation, Cascade::DELETE_ORPHAN));
        let (references, uniques, claims) = (references(model)?, uniques(model), claims(model));
        let columns = |has: fn(&ColumnDef) -> bool| -> ColumnSet {
            (0..model.columns.len()).filter(|column| has(&model.columns[*column])).collect()
        };
        let (made, read_only) = (columns(ColumnDef::made_by_database), columns(ColumnDef::is_read_only));
        Ok(Mapping { relations, made, read_only, references, uniques, deleting, orphans_target, claims })
    }

    /// The columns that are set to NULL to end what a foreign key says: those of it that can be NULL and are in
    /// no other key; where there are none, all that can be NULL.
    pub(crate) fn nulls(&self, model: &ModelDef, keys: &[KeyPair]) -> ColumnSet {
        let nullable = || keys.iter().map(|pair| pair.key).filter(|column| model.columns[*column].nullable);
        let own = |column: &usize| self.references.iter().filter(|reference| reference.has(*column)).count() < 2;
        let own: ColumnSet = nullable().filter(own).collect();
        if own.is_empty() { nullable().collect() } else { own }
    }
}

/// All foreign keys of a model, however they are declared.
fn references(model: &'static ModelDef) -> Result<Vec<Reference>, String> {
    let mut references = Vec::new();
    for (key, column) in model.columns.iter().enumerate() {
        let Some(foreign) = &column.foreign_key else { continue };
        let target = (foreign.target)();
        let to = target.column_of_field(foreign.field).ok_or_else(|| {
            format!("`{}.{}`: `{}` has no column `{}`", model.name, column.field, target.name, foreign.field)
        })?;
        let (keys, name) = (vec![KeyPair { key, to }], foreign.name);
        let (on_delete, on_update, deferrable) = (foreign.on_delete, foreign.on_update, foreign.deferrable);
        references.push(Reference { target, keys, on_delete, on_update, deferrable, name });
    }
    for foreign in model.foreign_keys {
        let target = (foreign.target)();
        let pair = |(key, field): (&usize, &&'static str)| match target.column_of_field(field) {
            Some(to) => Ok(KeyPair { key: *key, to }),
            None => {
                Err(format!("`{}`: a foreign key refers to `{}.{field}`, which is not there", model.name, target.name))
            }
        };
        let keys = foreign.columns.iter().zip(foreign.fields).map(pair).collect::<Result<_, _>>()?;
        let (on_delete, on_update, deferrable) = (foreign.on_delete, foreign.on_update, foreign.deferrable);
        references.push(Reference { target, keys, on_delete, on_update, deferrable, name: foreign.name });
    }
    Ok(references)
}

/// What has `delete-orphan` over a key of the model. A relationship that says too little is the error of its own model.
fn claims(model: &'static ModelDef) -> Vec<Claim> {
    let claims = registry::all().flat_map(|parent| parent.relations.iter().map(move |relation| (parent, relation)));
    let claims = claims.filter(|(_, relation)| {
        relation.options.cascade.contains(Cascade::DELETE_ORPHAN) && std::ptr::eq((relation.target)(), model)
    });
    let claims = claims.filter_map(|(parent, relation)| {
        let resolved = resolve(parent, relation).ok()?;
        match resolved.path {
            Path::HasMany(keys) | Path::HasOne(keys) => {
                Some(Claim { label: relation.label, keys, back: resolved.back })
            }
            _ => None,
        }
    });
    claims.collect()
}

/// What is unique in a model's table. An index over some of the rows, or over an expression, says nothing of a key.
fn uniques(model: &ModelDef) -> Vec<Unique> {
    let unique = |columns: Vec<usize>, nulls_not_distinct: bool| {
        let nullable = columns.iter().copied().filter(|column| model.columns[*column].nullable && !nulls_not_distinct);
        Unique { nulls: nullable.collect(), columns, deferrable: None }
    };
    let key = std::iter::once(unique(model.primary_key.to_vec(), false));
    // One that is said with options is among the constraints.
    let said = |column: &usize| model.options.uniques.iter().any(|def| def.columns == [*column]);
    let single = (0..model.columns.len()).filter(|column| model.columns[*column].unique && !said(column));
    let single = single.map(|column| unique(vec![column], false));
    let constraints = model.options.uniques.iter().map(|def| {
        let names: Vec<&str> = def.columns.iter().map(|column| model.columns[*column].name).collect();
        let name = def.name.map_or_else(|| naming::unique(model.table, &names), str::to_owned);
        let deferrable = Some((name, def.deferrable)).filter(|_| def.deferrable != Deferrable::NotDeferrable);
        Unique { deferrable, ..unique(def.columns.to_vec(), def.nulls_not_distinct) }
    });
    let whole = model.options.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let indexes = whole
        .filter_map(|index| Some(unique(index.keys.iter().map(IndexKeyDef::column).collect::<Option<_>>()?, false)));
    key.chain(single).chain(constraints).chain(indexes).collect()
}

fn resolve(model: &'static ModelDef, relation: &'static RelationDef) -> Result<Resolved, String> {
    let target = (relation.target)();
    let back = match relation.back_populates {
        None => None,
        Some(field) => Some(target.relation_of_field(field).ok_or_else(|| {
            format!("`{}`: back_populates names `{}.{field}`, which is not there", relation.label, target.name)
        })?),
    };
    let far_key = || {
        let back = back.map(|index| &target.relations[index]);
        let named = if relation.key.is_empty() { back.map_or(relation.key, |back| back.key) } else { relation.key };
        foreign_key(target, model, relation, named, back.map(|back| back.field))
    };
    let path = match relation.kind {
        RelationKind::BelongsTo => {
            Path::BelongsTo(foreign_key(model, target, relation, relation.key, Some(relation.field))?)
        }
        RelationKind::HasMany => Path::HasMany(far_key()?),
        RelationKind::HasOne => {
            let keys = far_key()?;
            check_unique(target, relation, &keys)?;
            Path::HasOne(keys)
        }
        RelationKind::ManyToMany => Path::ManyToMany(many_to_many(model, relation, target)?),
    };
    match &path {
        Path::BelongsTo(keys) => check_fetched(model, target, relation, keys)?,
        Path::HasMany(keys) | Path::HasOne(keys) => check_fetched(target, model, relation, keys)?,
        // It goes by primary keys.
        Path::ManyToMany(_) => {}
    }
    let order_by = relation.options.order_by.iter().map(|order| match target.column_of_field(order.field) {
        Some(column) => Ok((column, order.descending)),
        None => Err(format!(
            "`{}`: order_by names `{}.{}`, which is not a column",
            relation.label, target.name, order.field
        )),
    });
    let order_by = order_by.collect::<Result<_, _>>()?;
    Ok(Resolved { target, back, path, order_by })
}

/// The columns of `owner` that refer to `target`: those that are named, the only ones, or `<field>_id`.
fn foreign_key(
    owner: &'static ModelDef,
    target: &'static ModelDef,
    relation: &RelationDef,
    named: &[&str],
    field: Option<&str>,
) -> Result<Vec<KeyPair>, String> {
    let mut candidates = references(owner)?;
    candidates.retain(|reference| std::ptr::eq(reference.target, target));
    if !named.is_empty() {
        let has = |reference: &Reference, field: &str| {
            reference.keys.iter().any(|pair| owner.columns[pair.key].field == field)
        };
        candidates.retain(|reference| named.iter().all(|field| has(reference, field)));
        // A column may be in a longer key, too.
        candidates.sort_by_key(|reference| reference.keys.len());
        return match candidates.into_iter().next() {
            Some(reference) => Ok(reference.keys),
            None if named.len() == 1 => Err(format!(
                "`{}`: `{}.{}` has to be a column with `foreign_key({}.…)`",
                relation.label, owner.name, named[0], target.name
            )),
            None => Err(format!(
                "`{}`: `{}` has no foreign key of the columns ({}) to `{}`",
                relation.label,
                owner.name,
                named.join(", "),
                target.name
            )),
        };
    }
    let by_name = |reference: &&Reference| {
        let [pair] = reference.keys.as_slice() else { return false };
        field.is_some_and(|field| owner.columns[pair.key].field.strip_suffix("_id") == Some(field))
    };
    match candidates.as_slice() {
        [only] => Ok(only.keys.clone()),
        [] => Err(format!(
            "`{}`: no column of `{}` refers to `{}`: add `#[column(foreign_key({}.id))]` to its key column",
            relation.label, owner.name, target.name, target.name
        )),
        several => several.iter().find(by_name).map(|reference| reference.keys.clone()).ok_or_else(|| {
            format!(
                "`{}`: several columns of `{}` refer to `{}`: say which by `#[relationship(key = …)]`",
                relation.label, owner.name, target.name
            )
        }),
    }
}

/// Refuses a relationship over a deferred column: it goes by values that have to be there.
fn check_fetched(owner: &ModelDef, target: &ModelDef, relation: &RelationDef, keys: &[KeyPair]) -> Result<(), String> {
    let ends = keys.iter().flat_map(|pair| [(owner, pair.key), (target, pair.to)]);
    for (model, column) in ends {
        let column = &model.columns[column];
        if column.deferred {
            return Err(format!(
                "`{}` goes by `{}.{}`, which is `Deferred`: a relationship needs its key, so write the field without \
                 `Deferred`",
                relation.label, model.name, column.field
            ));
        }
    }
    Ok(())
}

/// Refuses a one-to-one whose key may be in several rows: which of them it leads to would be chance.
fn check_unique(target: &'static ModelDef, relation: &RelationDef, keys: &[KeyPair]) -> Result<(), String> {
    let has = |column: usize| keys.iter().any(|pair| pair.key == column);
    if uniques(target).iter().any(|unique| unique.columns.iter().all(|column| has(*column))) {
        return Ok(());
    }
    let fields: Vec<&str> = keys.iter().map(|pair| target.columns[pair.key].field).collect();
    Err(match fields.as_slice() {
        [field] => format!(
            "`{}` leads to one `{}`, but its key `{}.{field}` is not unique: write `#[column(unique, foreign_key(…))]`, \
             or make the relationship a `HasMany`",
            relation.label, target.name, target.name
        ),
        fields => format!(
            "`{}` leads to one `{}`, but the columns ({}) of its key are not unique together: write \
             `#[model(unique({}))]`, or make the relationship a `HasMany`",
            relation.label,
            target.name,
            fields.join(", "),
            fields.join(", ")
        ),
    })
}

fn many_to_many(
    model: &'static ModelDef,
    relation: &'static RelationDef,
    target: &'static ModelDef,
) -> Result<Association, String> {
    let association = association(model, relation)?;
    let mapped = registry::all().find(|other| other.table == association.table);
    match (mapped, relation.view_only) {
        (Some(mapped), false) => Err(format!(
            "`{}` goes through `{}`, which is the table of `{}`: rows would be written in two ways. Say `view_only` to \
             read through it, and add a `{}` to link two objects",
            relation.label, association.table, mapped.name, mapped.name
        )),
        (None, true) => Err(format!(
            "`{}` is `view_only`, but no model has the table `{}`, so that nothing writes its rows: take `view_only` \
             away, or give the table a model with keys to `{}` and `{}`",
            relation.label, association.table, model.name, target.name
        )),
        _ => Ok(association),
    }
}
