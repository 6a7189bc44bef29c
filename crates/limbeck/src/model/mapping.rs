//! How relationships lead to other tables: worked out once a model, from what the models declare.
//!
//! The derive checks what it can see (that `back_populates` is said at both ends, that keys have the type
//! of what they refer to). What needs both models at once is found here, at first use.

use super::{ModelDef, RelationDef, RelationKind};
use crate::schema::{Association, association};

/// The relationships of a model, resolved.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) relations: Vec<Resolved>,
}

/// One relationship, resolved.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) target: &'static ModelDef,
    /// The relationship of the target that says the same from the other end.
    pub(crate) back: Option<usize>,
    pub(crate) path: Path,
}

/// The way from a row to the rows at the other end.
#[derive(Debug)]
pub(crate) enum Path {
    /// This table's column `key` holds the target's column `to`.
    BelongsTo { key: usize, to: usize },
    /// The target's column `key` holds this table's column `from`.
    HasMany { key: usize, from: usize },
    /// Rows of an association table hold both keys.
    ManyToMany(Association),
}

impl Mapping {
    pub(super) fn resolve(model: &'static ModelDef) -> Result<Self, String> {
        let relations = model.relations.iter().map(|relation| resolve(model, relation)).collect::<Result<_, _>>()?;
        Ok(Mapping { relations })
    }
}

fn resolve(model: &'static ModelDef, relation: &RelationDef) -> Result<Resolved, String> {
    let target = (relation.target)();
    let back = match relation.back_populates {
        None => None,
        Some(field) => Some(target.relation_of_field(field).ok_or_else(|| {
            format!("`{}`: back_populates names `{}.{field}`, which is not there", relation.label, target.name)
        })?),
    };
    let path = match relation.kind {
        RelationKind::BelongsTo => {
            let key = foreign_key(model, target, relation, relation.key, Some(relation.field))?;
            Path::BelongsTo { key, to: referred(model, key)? }
        }
        RelationKind::HasMany => {
            let back = back.map(|index| &target.relations[index]);
            let named = relation.key.or(back.and_then(|back| back.key));
            let key = foreign_key(target, model, relation, named, back.map(|back| back.field))?;
            Path::HasMany { key, from: referred(target, key)? }
        }
        RelationKind::ManyToMany => Path::ManyToMany(association(model, relation)),
    };
    Ok(Resolved { target, back, path })
}

/// The column of `owner` that refers to `target`: the one that is named, the only one, or `<field>_id`.
fn foreign_key(
    owner: &'static ModelDef,
    target: &'static ModelDef,
    relation: &RelationDef,
    named: Option<&str>,
    field: Option<&str>,
) -> Result<usize, String> {
    let refers = |column: usize| {
        owner.columns[column].foreign_key.as_ref().is_some_and(|key| std::ptr::eq((key.target)(), target))
    };
    if let Some(named) = named {
        let column = owner.column_of_field(named).filter(|column| refers(*column));
        return column.ok_or_else(|| {
            format!(
                "`{}`: `{}.{named}` has to be a column with `foreign_key({}.…)`",
                relation.label, owner.name, target.name
            )
        });
    }
    let candidates: Vec<usize> = (0..owner.columns.len()).filter(|column| refers(*column)).collect();
    let by_name = || {
        let name = format!("{}_id", field?);
        candidates.iter().copied().find(|column| owner.columns[*column].field == name)
    };
    match candidates.as_slice() {
        [only] => Ok(*only),
        [] => Err(format!(
            "`{}`: no column of `{}` refers to `{}`: add `#[column(foreign_key({}.id))]` to its key column",
            relation.label, owner.name, target.name, target.name
        )),
        _ => by_name().ok_or_else(|| {
            format!(
                "`{}`: several columns of `{}` refer to `{}`: say which by `#[relationship(key = …)]`",
                relation.label, owner.name, target.name
            )
        }),
    }
}

/// The column that a foreign key refers to.
fn referred(owner: &'static ModelDef, key: usize) -> Result<usize, String> {
    let column = &owner.columns[key];
    let Some(foreign) = &column.foreign_key else {
        return Err(format!("`{}.{}` is not a foreign key", owner.name, column.field));
    };
    let target = (foreign.target)();
    target.column_of_field(foreign.field).ok_or_else(|| {
        format!("`{}.{}`: `{}` has no column `{}`", owner.name, column.field, target.name, foreign.field)
    })
}
