//! DELETEs: rows of association tables, then rows of objects, those that refer to others before these. Most go at
//! the end of a flush; those that are in the way of others go first.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batch, BatchKind, Rows, group};
use super::graph::Graph;
use super::plan::{Orphans, Plan, Work, orphans};
use super::{check, circles, statement, version, write};
use crate::dialect::Dialect;
use crate::driver::Returns;
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path, Reference};
use crate::model::{ColumnSet, ModelDef};
use crate::schema::Deferrable;
use crate::session::cascade::nulling;
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::sql::compile::Compiler;
use crate::types::Value;

/// The rows that `of` picks from the work: first what refers to them and is not an object, then they themselves.
pub(super) fn deletes(
    objects: &Objects,
    compiler: Compiler<'_>,
    plan: &Plan,
    removal: &Removal,
    of: fn(&Work) -> &[Obj],
) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    let going = || plan.models.iter().filter(|work| !of(work).is_empty());
    for work in going() {
        unlinks(objects, compiler, work.model, of(work), &mut batches)?;
    }
    for work in going() {
        for (child, reference, rows) in set_to_null(objects, plan, work.model, of(work))? {
            let to = KeyPair::referred(&reference.keys);
            batches.push(Batch::unasked(statement::nullify(compiler, child, &reference.keys)?, Rows::saved(rows, &to)));
        }
    }
    for (model, columns, objs) in &removal.untied {
        let row = |obj: &Obj| {
            let key = model.primary_key.iter().map(|key| objects.store(*obj).saved_value(obj.slot, *key).into_owned());
            columns.iter().map(|_| Value::Null).chain(key).collect()
        };
        batches.push(write::assigned(compiler, model, *columns, objs.iter().map(row).collect())?);
    }
    for (model, objs) in &removal.order {
        batches.push(Batch {
            stmt: statement::delete(compiler, model)?,
            rows: Rows::saved(objs.clone(), &version::found_by(model)),
            returns: match (model.version(), compiler.dialect) {
                (Some(_), Dialect::Postgres) => Returns::Columns(model.primary_key.len()),
                _ => Returns::Count,
            },
            kind: BatchKind::Delete,
        });
    }
    Ok(batches)
}

/// The keys that are set to NULL since rows of a model go: of which model, by which reference, and the rows that go.
pub(super) fn set_to_null(
    objects: &Objects,
    plan: &Plan,
    model: &'static ModelDef,
    going: &[Obj],
) -> Result<Vec<(&'static ModelDef, &'static Reference, Vec<Obj>)>> {
    let mut found = Vec::new();
    for (child, reference, relations) in nullified(model)? {
        // Where rows that go refer to each other in a circle, `removal` has found which have to be untied.
        let needed =
            plan.models.iter().any(|other| std::ptr::eq(other.model, child) && other.written().next().is_some());
        let writes = |obj: &&Obj| relations.iter().any(|relation| objects.is_nulling(**obj, *relation, needed));
        let rows: Vec<Obj> = going.iter().filter(writes).copied().collect();
        if !rows.is_empty() {
            found.push((child, reference, rows));
        }
    }
    Ok(found)
}

/// Deletes the association rows of objects.
pub(super) fn unlinks(
    objects: &Objects,
    compiler: Compiler<'_>,
    model: &'static ModelDef,
    objs: &[Obj],
    batches: &mut Vec<Batch>,
) -> Result<()> {
    for (relation, def) in model.relations.iter().enumerate() {
        let Path::ManyToMany(link) = &model.mapping()?.relations[relation].path else { continue };
        if def.view_only {
            continue;
        }
        let keys: Vec<usize> = link.local.iter().map(|(_, key)| *key).collect();
        let passive = |obj: &&Obj| objects.is_passive(**obj, relation) && !objects.is_loaded(**obj, relation);
        let rows: Vec<Obj> = objs.iter().filter(|obj| !passive(obj)).copied().collect();
        if rows.is_empty() {
            continue;
        }
        batches.push(Batch::unasked(statement::unlink_all(compiler, model, relation, link)?, Rows::saved(rows, &keys)));
    }
    Ok(())
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

/// In which order rows are deleted.
#[derive(Debug, Default)]
pub(super) struct Removal {
    /// Rows that refer to others in a circle, and the columns that are set to NULL first.
    pub(super) untied: Vec<(&'static ModelDef, ColumnSet, Vec<Obj>)>,
    pub(super) order: Vec<(&'static ModelDef, Vec<Obj>)>,
}

/// Puts rows that are deleted in an order: what refers to others before these, in a table by primary key.
///
/// # Errors
/// [`Error::Cycle`](crate::Error::Cycle) when rows refer to each other by keys that cannot be NULL.
pub(super) fn removal(
    objects: &Objects,
    dialect: Dialect,
    models: &[Work],
    of: fn(&Work) -> &[Obj],
) -> Result<Removal> {
    let mut removal = Removal::default();
    let going: Vec<&Work> = models.iter().rev().filter(|work| !of(work).is_empty()).collect();
    if going.is_empty() {
        return Ok(removal);
    }
    let mut untied: FxHashMap<Obj, ColumnSet> = FxHashMap::default();
    let mut graph = waits(objects, dialect, &going, of, &mut untied)?;
    cut(objects, &mut graph, &mut untied)?;
    let levels = graph.levels();
    let level = |obj: &Obj| levels.get(obj).copied().unwrap_or(0);
    for work in &going {
        let mut rows: Vec<(ColumnSet, Obj)> =
            of(work).iter().filter_map(|obj| Some((*untied.get(obj)?, *obj))).collect();
        rows.sort_by(|a, b| check::by_key(objects, work.model, a.1, b.1));
        let mut groups = Vec::new();
        rows.into_iter().for_each(|(columns, obj)| group(&mut groups, columns, obj));
        removal.untied.extend(groups.into_iter().map(|(columns, objs)| (work.model, columns, objs)));
    }
    let mut done: FxHashSet<usize> = FxHashSet::default();
    for work in &going {
        // The models of a circle take turns, as long as there are rows.
        let circle: Vec<&&Work> = match work.cycle {
            Some(cycle) if done.insert(cycle) => going.iter().filter(|other| other.cycle == Some(cycle)).collect(),
            Some(_) => continue,
            None => vec![work],
        };
        let mut left: Vec<(&'static ModelDef, Vec<Obj>)> = Vec::new();
        for work in circle {
            let mut rows = of(work).to_vec();
            rows.sort_by(|a, b| level(a).cmp(&level(b)).then_with(|| check::by_key(objects, work.model, *a, *b)));
            left.push((work.model, rows));
        }
        take_turns(&graph, left, &mut removal.order);
    }
    Ok(removal)
}

/// Rows that go and wait for each other: by which key, and the way around it.
type Waits = Graph<(&'static Reference, Way)>;

/// Finds who waits for whom. Keys with `post_update` are untied in any case.
fn waits(
    objects: &Objects,
    dialect: Dialect,
    going: &[&Work],
    of: fn(&Work) -> &[Obj],
    untied: &mut FxHashMap<Obj, ColumnSet>,
) -> Result<Waits> {
    let mut graph = Graph::new();
    for work in going {
        for reference in &work.model.mapping()?.references {
            let Some(target) = going.iter().find(|other| std::ptr::eq(other.model, reference.target)) else { continue };
            let post_update = circles::is_post_update(work.model, reference);
            if !post_update && (work.cycle.is_none() || work.cycle != target.cycle) {
                continue;
            }
            let way = way(dialect, work.model, reference);
            for (row, referred) in referring(objects, of(work), of(target), &reference.keys) {
                match &way {
                    Way::Null(columns) if post_update => {
                        untie(untied, row, *columns);
                    }
                    Way::Free if post_update => {}
                    _ => graph.add(row, referred, 1, (reference, way)),
                }
            }
        }
    }
    Ok(graph)
}

/// Cuts circles at their cheapest edges.
fn cut(objects: &Objects, graph: &mut Waits, untied: &mut FxHashMap<Obj, ColumnSet>) -> Result<()> {
    loop {
        let circles = graph.circles();
        if circles.is_empty() {
            return Ok(());
        }
        for circle in circles {
            let best = circle.iter().copied().min_by_key(|edge| graph.edges[*edge].why.1.rank());
            let Some(edge) = best else { continue };
            let (row, (reference, way)) = (graph.edges[edge].first, graph.edges[edge].why);
            match way {
                Way::Null(columns) => {
                    untie(untied, row, columns);
                }
                Way::Free => {}
                Way::Together if std::ptr::eq(reference.target, objects.store(row).model()) => {}
                _ => return Err(circles::cycle(objects, circle.iter().map(|edge| graph.edges[*edge].first))),
            }
            for other in graph.edges.iter_mut().filter(|edge| edge.first == row) {
                other.cut |= std::ptr::eq(other.why.0, reference);
            }
        }
    }
}

/// Has columns of a row set to NULL before it goes.
fn untie(untied: &mut FxHashMap<Obj, ColumnSet>, row: Obj, columns: ColumnSet) {
    let all = untied.entry(row).or_default();
    *all = all.union(columns);
}

/// Deletes of each model in turn what nothing refers to any more.
fn take_turns(
    graph: &Waits,
    mut left: Vec<(&'static ModelDef, Vec<Obj>)>,
    order: &mut Vec<(&'static ModelDef, Vec<Obj>)>,
) {
    if let [(model, rows)] = left.as_mut_slice() {
        order.push((*model, std::mem::take(rows)));
        return;
    }
    let mut waits: FxHashMap<Obj, Vec<Obj>> = FxHashMap::default();
    for edge in graph.edges.iter().filter(|edge| !edge.cut) {
        waits.entry(edge.then).or_default().push(edge.first);
    }
    let mut gone: FxHashSet<Obj> = FxHashSet::default();
    while left.iter().any(|(_, rows)| !rows.is_empty()) {
        let before = gone.len();
        for (model, rows) in &mut left {
            let mut turn = Vec::new();
            // In the order of levels, so that a row comes after those that refer to it.
            rows.retain(|row| {
                let free = waits.get(row).is_none_or(|all| all.iter().all(|other| gone.contains(other)));
                if free {
                    gone.insert(*row);
                    turn.push(*row);
                }
                !free
            });
            if !turn.is_empty() {
                order.push((*model, turn));
            }
        }
        debug_assert!(gone.len() > before, "without circles there is always a first");
        if gone.len() == before {
            break;
        }
    }
}

/// How a row can be deleted after one that it refers to.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Nothing has to be done: the flush or the database sees to the key, or looks at it at the end.
    Free,
    /// These columns are set to NULL before.
    Null(ColumnSet),
    /// By one statement for both, on PostgreSQL.
    Together,
    None,
}

impl Way {
    fn rank(self) -> usize {
        match self {
            Way::Free => 0,
            Way::Null(_) => 1,
            Way::Together => 2,
            Way::None => 3,
        }
    }
}

fn way(dialect: Dialect, model: &'static ModelDef, reference: &'static Reference) -> Way {
    let fate = orphans(reference.target, model, reference);
    if fate == Orphans::ToNull || reference.deferrable == Deferrable::InitiallyDeferred {
        return Way::Free;
    }
    let nulls = model.mapping().map_or(ColumnSet::EMPTY, |mapping| mapping.nulls(model, &reference.keys));
    match (nulls.is_empty(), fate) {
        (false, _) => Way::Null(nulls),
        (true, Orphans::Deleted) => Way::Free,
        _ if dialect == Dialect::Postgres => Way::Together,
        _ => Way::None,
    }
}

/// Rows that refer to others that are deleted with them.
pub(super) fn referring(objects: &Objects, rows: &[Obj], others: &[Obj], keys: &[KeyPair]) -> Vec<(Obj, Obj)> {
    let (keys, to) = (KeyPair::columns(keys), KeyPair::referred(keys));
    let others: FxHashMap<RowKey, Obj> =
        others.iter().filter_map(|obj| Some((objects.saved_key_in(*obj, &to)?, *obj))).collect();
    let referred = |obj: &Obj| others.get(&objects.saved_key_in(*obj, &keys)?).map(|other| (*obj, *other));
    rows.iter().filter_map(referred).filter(|(row, other)| row != other).collect()
}

impl Objects {
    /// The objects whose rows the database deletes with those that are to be deleted. A row that is linked elsewhere
    /// in this flush is not one of them.
    pub(super) fn taken_along(&self) -> Result<FxHashSet<Obj>> {
        let mut along: FxHashSet<Obj> = FxHashSet::default();
        let mut going: FxHashSet<Obj> = self.doomed.iter().copied().collect();
        while !going.is_empty() {
            let mut next = FxHashSet::default();
            for child in self.stores().map(|store| store.model()) {
                for reference in &child.mapping()?.references {
                    let of_target = |obj: &&Obj| obj.model as usize == reference.target.id.get();
                    if orphans(reference.target, child, reference) != Orphans::Deleted
                        || !going.iter().any(|obj| of_target(&obj))
                    {
                        continue;
                    }
                    let (keys, to) = (KeyPair::columns(&reference.keys), KeyPair::referred(&reference.keys));
                    let gone: FxHashSet<RowKey> =
                        going.iter().filter(of_target).filter_map(|obj| self.saved_key_in(*obj, &to)).collect();
                    next.extend(self.all_of(child).into_iter().filter(|obj| {
                        let leads = match self.planned(*obj, &reference.keys) {
                            Some(target) => target.is_some_and(|target| going.contains(&target)),
                            None => {
                                !self.is_expired(*obj)
                                    && self.key_in(*obj, &keys).is_some_and(|key| gone.contains(&key))
                            }
                        };
                        leads && !self.is_going(*obj) && self.state(*obj) != State::Transient && !along.contains(obj)
                    }));
                }
            }
            along.extend(&next);
            going = next;
        }
        Ok(along)
    }
}
