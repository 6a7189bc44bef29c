//! How the table of a many-to-many names its columns. Migrations create the table and sessions write to
//! it, so both ask here.

use super::naming;
use crate::model::{ModelDef, RelationDef};

/// The association table of a many-to-many, seen from one of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The schema of both ends, where it is the same; otherwise the current one.
    pub schema: Option<&'static str>,
    /// The table's name.
    pub table: &'static str,
    /// The columns that refer to the model which has the relationship: the column's name, and the position
    /// in that model's `columns` of the key column that it refers to.
    pub local: Vec<(String, usize)>,
    /// The columns that refer to the target, likewise.
    pub remote: Vec<(String, usize)>,
}

/// The association table of a many-to-many relationship of a model.
///
/// A column is called `<model>_<key column>`: `post_id` and `tag_id` between `Post` and `Tag`. Where a model
/// is related to itself, the fields tell the ends apart: `following` with `back_populates = followers` makes
/// `following_id` (the one who is followed) and `followers_id`; without `back_populates` the local end is
/// `user_id`. `local` and `remote` give the columns other names; it is enough that one end says them.
///
/// A relationship without `secondary` gives a table with an empty name; only many-to-many ones have it.
///
/// # Errors
/// When `local` or `remote` do not have as many columns as the key of the model that they refer to, or when
/// both ends say them and disagree.
pub fn association(model: &ModelDef, relation: &RelationDef) -> Result<Association, String> {
    let target = (relation.target)();
    let back = relation.back_populates.and_then(|field| target.relations.iter().find(|other| other.field == field));
    let (local, remote) = if std::ptr::eq(model, target) {
        let local = match relation.back_populates {
            Some(other) if other != relation.field => other.to_string(),
            _ => naming::snake_case(model.name),
        };
        (local, relation.field.to_string())
    } else {
        (naming::snake_case(model.name), naming::snake_case(target.name))
    };
    let said_local = said(relation, relation.local, back.map(|back| (back, back.remote)))?;
    let said_remote = said(relation, relation.remote, back.map(|back| (back, back.local)))?;
    Ok(Association {
        schema: model.options.schema.filter(|schema| target.options.schema == Some(*schema)),
        table: relation.secondary.unwrap_or_default(),
        local: columns(relation, said_local, &local, model)?,
        remote: columns(relation, said_remote, &remote, target)?,
    })
}

/// The names that this end or the other one gives to columns.
fn said<'n>(
    relation: &RelationDef,
    own: &'n [&'static str],
    other: Option<(&RelationDef, &'n [&'static str])>,
) -> Result<&'n [&'static str], String> {
    match other {
        Some((_, names)) if own.is_empty() => Ok(names),
        Some((back, names)) if !names.is_empty() && names != own => Err(format!(
            "`{}` and `{}` name different columns of their association table: ({}) and ({}). What is `local` at one end \
             is `remote` at the other; one end is enough",
            relation.label,
            back.label,
            own.join(", "),
            names.join(", ")
        )),
        _ => Ok(own),
    }
}

fn columns(
    relation: &RelationDef,
    said: &[&'static str],
    prefix: &str,
    model: &ModelDef,
) -> Result<Vec<(String, usize)>, String> {
    let keys = model.primary_key;
    if said.is_empty() {
        return Ok(keys.iter().map(|&key| (format!("{prefix}_{}", model.columns[key].name), key)).collect());
    }
    if said.len() != keys.len() {
        return Err(format!(
            "`{}` names {} column(s) ({}) of its association table to refer to `{}`, whose key has {}",
            relation.label,
            said.len(),
            said.join(", "),
            model.name,
            keys.len()
        ));
    }
    Ok(said.iter().map(|name| (*name).to_owned()).zip(keys.iter().copied()).collect())
}
