//! DELETEs: rows of association tables, then rows of objects, those that refer to others before these. Most go at
//! the end of a flush; those that are in the way of others go first.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind, Rows};
use super::plan::{Orphans, Plan, Work, orphans};
use super::{check, statement, version};
use crate::dialect::Dialect;
use crate::driver::Returns;
use crate::error::Result;
use crate::model::mapping::{Path, Reference};
use crate::model::{ColumnSet, ModelDef};
use crate::session::cascade::nulling;
use crate::session::objects::{Obj, Objects};
use crate::sql::compile::Compiler;

/// The rows that `of` picks from the work: first what refers to them and is not an object, then they themselves.
pub(super) fn deletes(
    objects: &Objects,
    compiler: Compiler<'_>,
    plan: &Plan,
    of: fn(&Work) -> &[Obj],
) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    let going = || plan.models.iter().filter(|work| !of(work).is_empty());
    for work in going() {
        for (relation, def) in work.model.relations.iter().enumerate() {
            let Path::ManyToMany(link) = &work.model.mapping()?.relations[relation].path else { continue };
            if def.view_only {
                continue;
            }
            let keys: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
            let passive = |obj: &&Obj| objects.is_passive(**obj, relation) && !objects.is_loaded(**obj, relation);
            let rows: Vec<Obj> = of(work).iter().filter(|obj| !passive(obj)).copied().collect();
            if rows.is_empty() {
                continue;
            }
            batches.push(Batch {
                stmt: statement::unlink_all(compiler, work.model, relation, link)?,
                rows: Rows::objects(rows, ColumnSet::EMPTY, &keys),
                returns: Returns::Count,
                kind: BatchKind::Other,
            });
        }
    }
    for work in going() {
        for (child, reference, relations) in nullified(work.model)? {
            let written = plan.models.iter().any(|other| {
                std::ptr::eq(other.model, child) && !(other.inserts.is_empty() && other.updates.is_empty())
            });
            let writes = |obj: &&Obj| relations.iter().any(|relation| objects.is_nulling(**obj, *relation, written));
            let rows: Vec<Obj> = of(work).iter().filter(writes).copied().collect();
            if rows.is_empty() {
                continue;
            }
            let to: Vec<usize> = reference.keys.iter().map(|pair| pair.to).collect();
            batches.push(Batch {
                stmt: statement::nullify(compiler, child, &reference.keys)?,
                rows: Rows::objects(rows, ColumnSet::EMPTY, &to),
                returns: Returns::Count,
                kind: BatchKind::Other,
            });
        }
    }
    let mut backwards: Vec<&Work> = going().collect();
    backwards.reverse();
    for work in backwards {
        batches.push(Batch {
            stmt: statement::delete(compiler, work.model)?,
            rows: Rows::objects(
                children_first(objects, work.model, of(work))?,
                ColumnSet::EMPTY,
                &version::found_by(work.model),
            ),
            returns: match (work.model.version(), compiler.dialect) {
                (Some(_), Dialect::Postgres) => Returns::Columns(work.model.primary_key.len()),
                _ => Returns::Count,
            },
            kind: BatchKind::Delete,
        });
    }
    Ok(batches)
}

/// A key that the flush sets to NULL: the model that has it, and the relationships of the other model that lead there.
type Nullified = (&'static ModelDef, &'static Reference, Vec<usize>);

/// The keys that the flush sets to NULL when rows of a model are deleted.
fn nullified(model: &'static ModelDef) -> Result<Vec<Nullified>> {
    let mut found: Vec<Nullified> = Vec::new();
    for (relation, child, keys) in nulling(model) {
        let reference = child.mapping()?.references.iter().find(|reference| reference.keys == keys);
        let reference = reference.filter(|reference| orphans(model, child, reference) == Orphans::Nullify);
        let Some(reference) = reference else { continue };
        match found.iter_mut().find(|(_, other, _)| std::ptr::eq(*other, reference)) {
            Some((.., relations)) => relations.push(relation),
            None => found.push((child, reference, vec![relation])),
        }
    }
    Ok(found)
}

/// By primary key; in a table that refers to itself, rows that refer to others of the batch before these.
fn children_first(objects: &Objects, model: &'static ModelDef, rows: &[Obj]) -> Result<Vec<Obj>> {
    let mut objs = rows.to_vec();
    objs.sort_by(|a, b| check::by_key(objects, model, *a, *b));
    let own: Vec<&Reference> =
        model.mapping()?.references.iter().filter(|reference| std::ptr::eq(reference.target, model)).collect();
    if !own.is_empty() {
        let depths = depths(objects, &objs, model, &own);
        objs.sort_by_key(|obj| std::cmp::Reverse(depths.get(obj).copied()));
    }
    Ok(objs)
}

/// How deep each row is below others of the batch. A circle ends the climb.
fn depths(objects: &Objects, objs: &[Obj], model: &'static ModelDef, own: &[&Reference]) -> FxHashMap<Obj, usize> {
    let doomed: FxHashSet<Obj> = objs.iter().copied().collect();
    let parent = |obj: Obj| {
        own.iter().find_map(|reference| {
            let parent = objects.by_saved_key(obj, &reference.keys, model)?;
            (doomed.contains(&parent) && parent != obj).then_some(parent)
        })
    };
    let mut depths: FxHashMap<Obj, usize> = FxHashMap::default();
    for obj in objs {
        let mut path = Vec::new();
        let mut at = Some(*obj);
        let mut depth = 0;
        while let Some(row) = at {
            if let Some(known) = depths.get(&row) {
                depth = known + 1;
                break;
            }
            // Known from here on, so that a circle ends here; the right depth follows.
            depths.insert(row, 0);
            path.push(row);
            at = parent(row);
        }
        for row in path.into_iter().rev() {
            depths.insert(row, depth);
            depth += 1;
        }
    }
    depths
}
