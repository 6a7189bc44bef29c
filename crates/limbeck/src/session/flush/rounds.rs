//! Rounds: what can be sent together, because no key is missing that another statement has yet to make.
//!
//! Statements of one round are sent one behind the other, so a table may follow the one that it refers to in
//! the same round. Only a row that takes its key from one that the database numbers has to wait for an answer; others
//! that wait for each other (`circles`) come in later rounds of the same round trip.

use rustc_hash::FxHashMap;

use super::plan::Work;
use super::switch::Switch;
use crate::model::{ColumnSet, ModelDef};
use crate::session::objects::{Obj, Objects};

/// The work of a round, by model, in the order in which it is sent.
pub(super) type Round = Vec<Step>;

/// What is sent for one model in a round.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) model: &'static ModelDef,
    pub(super) updates: Vec<Obj>,
    pub(super) switches: Vec<Switch>,
    pub(super) inserts: Vec<Obj>,
}

impl Step {
    pub(super) fn new(model: &'static ModelDef) -> Self {
        Step { model, updates: Vec::new(), switches: Vec::new(), inserts: Vec::new() }
    }
}

/// Cuts the work into rounds, by the levels of rows that wait for others of their circle of models.
pub(super) fn rounds(objects: &Objects, models: &[Work], levels: &FxHashMap<Obj, usize>) -> Vec<Round> {
    let level = |obj: &Obj| levels.get(obj).copied().unwrap_or(0);
    // How many rounds each model takes; those of a circle take as many as each other.
    let mut depths: Vec<usize> =
        models.iter().map(|work| work.written().map(|obj| level(&obj)).max().unwrap_or(0)).collect();
    for index in 0..models.len() {
        if models[index].cycle.is_some() {
            let same = (0..models.len()).filter(|other| models[*other].cycle == models[index].cycle);
            depths[index] = same.map(|other| depths[other]).max().unwrap_or(0);
        }
    }
    let mut starts: Vec<Option<usize>> = vec![None; models.len()];
    let mut rounds: Vec<Round> = Vec::new();
    for (index, work) in models.iter().enumerate() {
        let start = start(index, objects, models, &depths, &mut starts);
        let mut of_model: FxHashMap<usize, Step> = FxHashMap::default();
        let mut at = |level: usize, add: &dyn Fn(&mut Step)| {
            add(of_model.entry(start + level).or_insert_with(|| Step::new(work.model)));
        };
        work.updates.iter().for_each(|obj| at(level(obj), &|step| step.updates.push(*obj)));
        work.switches.iter().for_each(|one| at(level(&one.new), &|step| step.switches.push(*one)));
        // After all UPDATEs of the table, but where its rows wait for each other.
        let last = |obj: &Obj| if work.cycle.is_some() { level(obj) } else { depths[index] };
        work.inserts.iter().for_each(|obj| at(last(obj), &|step| step.inserts.push(*obj)));
        for (round, step) in of_model {
            if rounds.len() <= round {
                rounds.resize_with(round + 1, Vec::new);
            }
            rounds[round].push(step);
        }
    }
    rounds
}

/// The first round of a model: that of the models that it refers to, or the one behind it where these get
/// their keys from the database. All models of a circle begin together.
fn start(index: usize, objects: &Objects, models: &[Work], depths: &[usize], starts: &mut Vec<Option<usize>>) -> usize {
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
        let unnumbered = work.inserts.iter().any(|obj| needs_key(objects, *obj));
        first = first.max(start(parent, objects, models, depths, starts) + depths[parent] + usize::from(unnumbered));
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
    let made = store.model().mapping().map_or(ColumnSet::EMPTY, |mapping| mapping.made).without(meta.given);
    !objects.expressions_of(obj).is_empty() || made.iter().any(|column| !meta.links.iter().any(|link| link.has(column)))
}
