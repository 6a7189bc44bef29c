//! Rounds: what can be sent together, because no key is missing that another statement has yet to make.
//!
//! Statements of one round are sent one behind the other, so a table may follow the one that it refers to in
//! the same round. Only a row that takes its key from one that the database numbers has to wait.

use rustc_hash::{FxHashMap, FxHashSet};

use super::plan::Work;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};

/// The work of a round, by model, in the order in which it is sent.
pub(super) type Round = Vec<Step>;

/// What is sent for one model in a round.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) model: &'static ModelDef,
    pub(super) updates: Vec<Obj>,
    pub(super) inserts: Vec<Obj>,
}

/// Cuts the work into rounds.
///
/// # Errors
/// [`Error::Cycle`] when rows wait for each other.
pub(super) fn rounds(objects: &Objects, models: &[Work]) -> Result<Vec<Round>> {
    // Rows that are tied by nothing but equal values may form a circle, which some databases accept.
    let tied = ties(objects, models)?;
    let levels = match levels(objects, models, &tied) {
        Err(Error::Cycle { .. }) if !tied.is_empty() => levels(objects, models, &FxHashMap::default()),
        levels => levels,
    }?;
    let level = |obj: &Obj| levels.get(obj).copied().unwrap_or(0);
    // How deep each circle of models is.
    let mut depths: FxHashMap<usize, usize> = FxHashMap::default();
    for work in models {
        if let Some(cycle) = work.cycle {
            let deepest = work.updates.iter().chain(&work.inserts).map(level).max().unwrap_or(0);
            let depth = depths.entry(cycle).or_default();
            *depth = deepest.max(*depth);
        }
    }
    let mut starts: Vec<Option<usize>> = vec![None; models.len()];
    let mut rounds: Vec<Round> = Vec::new();
    for (index, work) in models.iter().enumerate() {
        let start = start(index, objects, models, &depths, &mut starts);
        let mut of_model: FxHashMap<usize, Step> = FxHashMap::default();
        let mut step = |obj: &Obj, insert: bool| {
            let step = of_model.entry(start + level(obj)).or_insert_with(|| Step {
                model: work.model,
                updates: Vec::new(),
                inserts: Vec::new(),
            });
            if insert { step.inserts.push(*obj) } else { step.updates.push(*obj) }
        };
        work.updates.iter().for_each(|obj| step(obj, false));
        work.inserts.iter().for_each(|obj| step(obj, true));
        for (round, step) in of_model {
            if rounds.len() <= round {
                rounds.resize_with(round + 1, Vec::new);
            }
            rounds[round].push(step);
        }
    }
    Ok(rounds)
}

/// The first round of a model: that of the models that it refers to, or the one behind it where these get
/// their keys from the database. All models of a circle begin together.
fn start(
    index: usize,
    objects: &Objects,
    models: &[Work],
    depths: &FxHashMap<usize, usize>,
    starts: &mut Vec<Option<usize>>,
) -> usize {
    if let Some(start) = starts[index] {
        return start;
    }
    let circle: Vec<usize> = match models[index].cycle {
        None => vec![index],
        cycle => (0..models.len()).filter(|other| models[*other].cycle == cycle).collect(),
    };
    let mut first = 0;
    for parent in circle.iter().flat_map(|member| models[*member].parents.iter().copied()) {
        let work = &models[parent];
        let depth = work.cycle.and_then(|cycle| depths.get(&cycle).copied()).unwrap_or(0);
        let unnumbered = work.inserts.iter().any(|obj| needs_key(objects, *obj));
        first = first.max(start(parent, objects, models, depths, starts) + depth + usize::from(unnumbered));
    }
    for member in circle {
        starts[member] = Some(first);
    }
    first
}

/// Whether the database will make a column of the object that others may refer to.
pub(super) fn needs_key(objects: &Objects, obj: Obj) -> bool {
    let store = objects.store(obj);
    let meta = store.meta(obj.slot);
    let made = |(column, def): (usize, &crate::model::ColumnDef)| {
        def.made_by_database() && !meta.given.contains(column) && !meta.links.iter().any(|link| link.has(column))
    };
    !objects.expressions_of(obj).is_empty() || store.model().columns.iter().enumerate().any(made)
}

/// How many rows of its circle of models have to be inserted before each row, one after the other. Rows of
/// other models are not in it.
fn levels(objects: &Objects, models: &[Work], tied: &FxHashMap<Obj, Vec<Obj>>) -> Result<FxHashMap<Obj, usize>> {
    let mut inserts: FxHashSet<Obj> = FxHashSet::default();
    let mut rows: Vec<Obj> = Vec::new();
    for work in models {
        if work.cycle.is_some() {
            inserts.extend(&work.inserts);
            rows.extend(work.inserts.iter().chain(&work.updates));
        }
    }
    let inserts = &inserts;
    let waits_for = |obj: Obj| {
        let links = &objects.store(obj).meta(obj.slot).links;
        let targets = links.iter().filter_map(|link| link.target);
        // A row may refer to itself, if its key is known.
        let linked =
            targets.filter(move |target| inserts.contains(target) && (*target != obj || needs_key(objects, obj)));
        linked.chain(tied.get(&obj).into_iter().flatten().copied())
    };
    let mut levels: FxHashMap<Obj, usize> = FxHashMap::default();
    // A row is on the path from its first visit, where those that it waits for are pushed, to its second.
    let mut on_path: FxHashSet<Obj> = FxHashSet::default();
    let mut stack: Vec<Obj> = Vec::new();
    for row in rows {
        stack.push(row);
        while let Some(obj) = stack.last().copied() {
            if levels.contains_key(&obj) {
                stack.pop();
            } else if on_path.remove(&obj) {
                let level = waits_for(obj).map(|target| levels.get(&target).copied().unwrap_or(0) + 1).max();
                levels.insert(obj, level.unwrap_or(0));
                stack.pop();
            } else {
                on_path.insert(obj);
                for target in waits_for(obj) {
                    if on_path.contains(&target) {
                        return Err(circle(objects, on_path.iter().copied()));
                    }
                    if !levels.contains_key(&target) {
                        stack.push(target);
                    }
                }
            }
        }
    }
    Ok(levels)
}

/// Rows whose key columns were given, in a circle of models, each with the new rows that have these values.
/// Databases that check foreign keys row by row need the latter first.
fn ties(objects: &Objects, models: &[Work]) -> Result<FxHashMap<Obj, Vec<Obj>>> {
    let mut ties: FxHashMap<Obj, Vec<Obj>> = FxHashMap::default();
    for work in models.iter().filter(|work| work.cycle.is_some()) {
        for reference in &work.model.mapping()?.references {
            let other = models.iter().find(|other| std::ptr::eq(other.model, reference.target));
            let Some(other) = other.filter(|other| other.cycle == work.cycle) else { continue };
            let (keys, to): (Vec<usize>, Vec<usize>) = reference.keys.iter().map(|pair| (pair.key, pair.to)).unzip();
            let referred: FxHashMap<RowKey, Obj> =
                other.inserts.iter().filter_map(|obj| Some((settled_key(objects, *obj, &to)?, *obj))).collect();
            if referred.is_empty() {
                continue;
            }
            for obj in work.inserts.iter().chain(&work.updates) {
                let target = settled_key(objects, *obj, &keys).and_then(|key| referred.get(&key));
                if let Some(target) = target.filter(|target| *target != obj) {
                    ties.entry(*obj).or_default().push(*target);
                }
            }
        }
    }
    Ok(ties)
}

/// The values of some columns, if all are known before the flush and none is NULL.
fn settled_key(objects: &Objects, obj: Obj, columns: &[usize]) -> Option<RowKey> {
    columns.iter().all(|column| objects.settled(obj, *column).is_some()).then(|| objects.key_in(obj, columns))?
}

#[cold]
fn circle(objects: &Objects, rows: impl Iterator<Item = Obj>) -> Error {
    let mut tables: Vec<&'static str> = rows.map(|obj| objects.store(obj).model().table).collect();
    tables.sort_unstable();
    tables.dedup();
    Error::Cycle { tables }
}
