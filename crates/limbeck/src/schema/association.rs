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
/// `user_id`.
///
/// A relationship without `secondary` gives a table with an empty name; only many-to-many ones have it.
pub fn association(model: &ModelDef, relation: &RelationDef) -> Association {
    let target = (relation.target)();
    let (local, remote) = if std::ptr::eq(model, target) {
        let local = match relation.back_populates {
            Some(other) if other != relation.field => other.to_string(),
            _ => naming::snake_case(model.name),
        };
        (local, relation.field.to_string())
    } else {
        (naming::snake_case(model.name), naming::snake_case(target.name))
    };
    Association {
        schema: model.options.schema.filter(|schema| target.options.schema == Some(*schema)),
        table: relation.secondary.unwrap_or_default(),
        local: columns(&local, model),
        remote: columns(&remote, target),
    }
}

fn columns(prefix: &str, model: &ModelDef) -> Vec<(String, usize)> {
    model.primary_key.iter().map(|&key| (format!("{prefix}_{}", model.columns[key].name), key)).collect()
}
