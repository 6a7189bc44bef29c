//! What goes at the end of a flush: rows of association tables, then rows of objects, those that refer to
//! others before these.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind, Rows};
use super::plan::{Orphans, Plan, Work, collections, orphans};
use super::{check, statement, write};
use crate::driver::Returns;
use crate::error::Result;
use crate::model::mapping::Path;
use crate::model::{ColumnSet, RelationKind};
use crate::session::objects::{Obj, Objects};
use crate::sql::compile::Compiler;

/// The rows of association tables that go: those that were unlinked, and those of deleted objects.
pub(super) fn links_of(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = write::links(objects, compiler, &plan.unlinks, false)?;
    for work in plan.models.iter().filter(|work| !work.deletes.is_empty()) {
        for (relation, def) in work.model.relations.iter().enumerate() {
            if def.kind != RelationKind::ManyToMany {
                continue;
            }
            let Path::ManyToMany(link) = &work.model.mapping()?.relations[relation].path else { continue };
            let keys: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
            batches.push(Batch {
                stmt: statement::unlink_all(compiler, work.model, relation, link)?,
                rows: Rows::objects(work.deletes.clone(), ColumnSet::EMPTY, &keys),
                returns: Returns::Count,
                kind: BatchKind::Other,
            });
        }
    }
    Ok(batches)
}

/// DELETEs, from the tables that refer to those that are referred to; before each, the keys of rows that stay.
pub(super) fn deletes(objects: &Objects, compiler: Compiler<'_>, plan: &Plan) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for work in plan.models.iter().filter(|work| !work.deletes.is_empty()) {
        for (child, key, from) in collections(work.model) {
            if orphans(work.model, child, key) == Orphans::Nullify {
                batches.push(Batch {
                    stmt: statement::nullify(compiler, child, key)?,
                    rows: Rows::objects(work.deletes.clone(), ColumnSet::EMPTY, &[from]),
                    returns: Returns::Count,
                    kind: BatchKind::Other,
                });
            }
        }
    }
    for work in plan.models.iter().rev().filter(|work| !work.deletes.is_empty()) {
        batches.push(Batch {
            stmt: statement::delete(compiler, work.model)?,
            rows: Rows::objects(children_first(objects, work), ColumnSet::EMPTY, work.model.primary_key),
            returns: Returns::Count,
            kind: BatchKind::Delete,
        });
    }
    Ok(batches)
}

/// By primary key; in a table that refers to itself, rows that refer to others of the batch before these.
fn children_first(objects: &Objects, work: &Work) -> Vec<Obj> {
    let model = work.model;
    let mut objs = work.deletes.clone();
    objs.sort_by(|a, b| check::by_key(objects, model, *a, *b));
    let own = |column: &usize| {
        let key = model.columns[*column].foreign_key.as_ref();
        key.is_some_and(|key| std::ptr::eq((key.target)(), model))
    };
    let keys: Vec<usize> = (0..model.columns.len()).filter(own).collect();
    if !keys.is_empty() {
        let depths = depths(objects, &objs, &keys);
        objs.sort_by_key(|obj| std::cmp::Reverse(depths.get(obj).copied()));
    }
    objs
}

/// How deep each row is below others of the batch. A circle ends the climb.
fn depths(objects: &Objects, objs: &[Obj], keys: &[usize]) -> FxHashMap<Obj, usize> {
    let doomed: FxHashSet<Obj> = objs.iter().copied().collect();
    let parent = |obj: Obj| {
        let store = objects.store(obj);
        keys.iter().find_map(|key| {
            let slot = store.find(&[store.saved_value(obj.slot, *key)])?;
            let parent = Obj { model: obj.model, slot };
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
