//! DELETEs: rows of association tables, then rows of objects, those that refer to others before these. Most go at
//! the end of a flush; those that are in the way of others go first.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind, Rows};
use super::plan::{Orphans, Plan, Work, orphans};
use super::{check, statement, version};
use crate::driver::Returns;
use crate::error::Result;
use crate::model::mapping::{Path, Reference};
use crate::model::{ColumnSet, ModelDef};
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
            batches.push(Batch {
                stmt: statement::unlink_all(compiler, work.model, relation, link)?,
                rows: Rows::objects(of(work).to_vec(), ColumnSet::EMPTY, &keys),
                returns: Returns::Count,
                kind: BatchKind::Other,
            });
        }
    }
    for work in going() {
        for (child, reference) in nullified(work.model)? {
            let to: Vec<usize> = reference.keys.iter().map(|pair| pair.to).collect();
            batches.push(Batch {
                stmt: statement::nullify(compiler, child, &reference.keys)?,
                rows: Rows::objects(of(work).to_vec(), ColumnSet::EMPTY, &to),
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
            returns: match work.model.version() {
                Some(_) => Returns::Columns(work.model.primary_key.len()),
                None => Returns::Count,
            },
            kind: BatchKind::Delete,
        });
    }
    Ok(batches)
}

/// The keys that the flush sets to NULL when rows of a model are deleted.
fn nullified(model: &'static ModelDef) -> Result<Vec<(&'static ModelDef, &'static Reference)>> {
    let mut found: Vec<(&'static ModelDef, &'static Reference)> = Vec::new();
    for (child, keys) in super::plan::collections(model) {
        let reference = child.mapping()?.references.iter().find(|reference| reference.keys == keys);
        if let Some(reference) = reference.filter(|reference| orphans(model, child, reference) == Orphans::Nullify)
            && !found.iter().any(|(_, other)| std::ptr::eq(*other, reference))
        {
            found.push((child, reference));
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
