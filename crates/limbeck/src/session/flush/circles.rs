//! Rows that wait for each other, and how circles of them are cut.
//!
//! A row waits for one that takes its key from it (only where their models refer to each other in a circle: elsewhere
//! the order of models is enough), and one that takes a unique value waits for the row that has it. Where rows wait for
//! each other in a circle, one of these is found a way around, in this order:
//!
//! * A foreign key that is checked at the end of the transaction, between rows whose keys are known, needs no order.
//! * A row lets go of its unique value in advance, by NULL.
//! * A key that can be NULL is left out of the INSERT and written by a second UPDATE: a *post-update*. A relationship
//!   can ask for it (`post_update`); rows that point at each other get it in any case.
//! * A row lets go of its unique value in advance, by a value made up for its type.
//!
//! Of unique values alone, a chain of two is a matter of order. Longer ones, which would take a statement for each row,
//! and circles let go of all their values at once: two statements, whatever their length.

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::Graph;
use super::park::{self, Values};
use super::plan::{Constraint, Later, Work};
use super::room::{self, Conflict};
use super::rounds;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::model::mapping::{KeyPair, Path, Reference};
use crate::model::{ColumnSet, ModelDef};
use crate::schema::Deferrable;
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::types::Value;

/// Why a row waits for another.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// It takes its key, or holds it already: then nothing links them but equal values.
    Key { keys: &'static [KeyPair], linked: bool },
    /// It takes its unique value.
    Value(Conflict),
}

/// A way around waiting.
enum Way {
    Deferred(&'static Reference),
    Park(park::Spot, Value<'static>),
    Later(ColumnSet),
    /// PostgreSQL accepts rows of one statement that refer to each other, if they are that.
    Together,
}

impl Way {
    fn rank(&self) -> usize {
        match self {
            Way::Deferred(_) => 0,
            Way::Park(spot, _) if spot.null => 1,
            Way::Later(_) => 2,
            Way::Park(..) => 3,
            Way::Together => 4,
        }
    }
}

/// What rows wait for, sorted out.
pub(super) struct Waits {
    /// How many steps come before each row; none for those that are not here.
    pub(super) levels: FxHashMap<Obj, usize>,
    /// The foreign keys that have to be told to wait for the end of the transaction.
    pub(super) deferred: Vec<Constraint>,
}

/// Puts rows in an order.
///
/// # Errors
/// [`Error::UniqueCycle`] and [`Error::Cycle`].
pub(super) fn sort_out(
    objects: &Objects,
    dialect: Dialect,
    models: &mut [Work],
    conflicts: &[Conflict],
    values: &mut Values,
) -> Result<Waits> {
    let mut graph = Graph::new();
    waits_for_keys(objects, models, &mut graph);
    for (obj, target, keys) in
        ties(objects, models, |work, other, _| work.cycle.is_some() && work.cycle == other.cycle)?
    {
        if obj != target && !is_later(models, obj, keys) {
            graph.add(target, obj, 1, Why::Key { keys, linked: false });
        }
    }
    let inserts: FxHashSet<Obj> = match conflicts {
        [] => FxHashSet::default(),
        _ => models.iter().flat_map(|work| work.inserts.iter().copied()).collect(),
    };
    for conflict in conflicts {
        let work = &models[room::of(models, conflict.holder)];
        // In a step UPDATEs come before INSERTs.
        let step = usize::from(!inserts.contains(&conflict.taker));
        if step == 1 || work.cycle.is_some() {
            graph.add(conflict.holder, conflict.taker, step, Why::Value(*conflict));
        }
    }
    let mut sorting = Sorting { objects, dialect, models, values, inserts, graph, deferred: Vec::new() };
    sorting.park_chains(conflicts);
    loop {
        let circles = sorting.graph.circles();
        if circles.is_empty() {
            break;
        }
        for circle in circles {
            sorting.cut(&circle)?;
        }
    }
    let Sorting { graph, deferred, .. } = sorting;
    Ok(Waits { levels: graph.levels(), deferred })
}

struct Sorting<'p> {
    objects: &'p Objects,
    dialect: Dialect,
    models: &'p mut [Work],
    values: &'p mut Values,
    inserts: FxHashSet<Obj>,
    graph: Graph<Why>,
    deferred: Vec<Constraint>,
}

impl Sorting<'_> {
    /// Has all rows of a table stand aside, where some of them wait in a circle or in a long chain.
    fn park_chains(&mut self, conflicts: &[Conflict]) {
        let models: FxHashSet<u32> = conflicts.iter().map(|one| one.holder.model).collect();
        for model in models {
            let mut chains = Graph::new();
            for one in conflicts.iter().filter(|one| one.holder.model == model && !self.inserts.contains(&one.taker)) {
                chains.add(one.holder, one.taker, 1, ());
            }
            let long = || chains.levels().into_values().max().unwrap_or(0) > 1;
            if chains.circles().is_empty() && !long() {
                continue;
            }
            for edge in 0..self.graph.edges.len() {
                let Why::Value(conflict) = self.graph.edges[edge].why else { continue };
                if conflict.holder.model == model
                    && !self.graph.edges[edge].cut
                    && let Some(Way::Park(spot, value)) = self.park(conflict)
                {
                    self.stand_aside(conflict.holder, spot, value);
                }
            }
        }
    }

    fn park(&mut self, conflict: Conflict) -> Option<Way> {
        let work = &self.models[room::of(self.models, conflict.holder)];
        let spot = park::spot(work.model, conflict.unique, false)?;
        // It would be computed from what the row holds meanwhile.
        if self.objects.computes_from(conflict.holder, spot.column) {
            return None;
        }
        let value = self.values.make(self.objects, work.model, spot, &mut work.rows())?;
        Some(Way::Park(spot, value))
    }

    fn stand_aside(&mut self, holder: Obj, spot: park::Spot, value: Value<'static>) {
        let place = room::of(self.models, holder);
        self.models[place].parked.entry(holder).or_default().push((spot.column, value));
        for edge in self.graph.edges.iter_mut().filter(|edge| edge.first == holder) {
            if let Why::Value(conflict) = edge.why {
                edge.cut |= conflict.unique.columns.contains(&spot.column);
            }
        }
    }

    /// Finds a way around one of the edges of a circle.
    fn cut(&mut self, circle: &[usize]) -> Result<()> {
        let mut best: Option<(usize, usize, Way)> = None;
        for edge in circle {
            let way = self.way(*edge);
            if let Some(way) = way.filter(|way| best.as_ref().is_none_or(|(rank, ..)| way.rank() < *rank)) {
                best = Some((way.rank(), *edge, way));
            }
        }
        let Some((_, edge, way)) = best else { return Err(self.no_way(circle)) };
        let (holder, row) = (self.graph.edges[edge].first, self.graph.edges[edge].then);
        let Why::Key { keys, .. } = self.graph.edges[edge].why else {
            if let Way::Park(spot, value) = way {
                self.stand_aside(holder, spot, value);
            }
            return Ok(());
        };
        let same = |why: &Why| matches!(why, Why::Key { keys: other, .. } if *other == keys);
        self.graph.edges.iter_mut().filter(|edge| edge.then == row && same(&edge.why)).for_each(|edge| edge.cut = true);
        let place = room::of(self.models, row);
        match way {
            Way::Later(nulls) => {
                let later = later(self.objects, row, keys, nulls);
                self.models[place].later.entry(row).or_default().push(later);
            }
            Way::Deferred(reference) if reference.deferrable == Deferrable::InitiallyImmediate => {
                let model = self.models[place].model;
                Constraint::foreign_key(model, reference).note(&mut self.deferred);
            }
            _ => {}
        }
        Ok(())
    }

    fn way(&mut self, edge: usize) -> Option<Way> {
        let (first, then) = (self.graph.edges[edge].first, self.graph.edges[edge].then);
        let (keys, linked) = match self.graph.edges[edge].why {
            Why::Value(conflict) => return self.park(conflict),
            Why::Key { keys, linked } => (keys, linked),
        };
        let model = self.objects.store(then).model();
        let mapping = model.mapping().ok()?;
        let reference = mapping.references.iter().find(|reference| reference.keys == keys)?;
        let known = keys.iter().all(|pair| self.objects.settled(first, pair.to).is_some());
        let deferrable = match reference.deferrable {
            Deferrable::NotDeferrable => false,
            // SQLite cannot put off what is not put off from the start.
            Deferrable::InitiallyImmediate => self.dialect == Dialect::Postgres,
            Deferrable::InitiallyDeferred => true,
        };
        if known && deferrable {
            return Some(Way::Deferred(reference));
        }
        let nulls = mapping.nulls(model, keys);
        // The other columns of the key are part of the INSERT, so that they have to be known.
        let rest = keys.iter().filter(|pair| !nulls.contains(pair.key));
        let rest_known = rest.clone().all(|pair| self.objects.settled(first, pair.to).is_some());
        if self.inserts_row(then) && !nulls.is_empty() && rest_known {
            return Some(Way::Later(nulls));
        }
        let together = self.dialect == Dialect::Postgres && first.model == then.model;
        (!linked && together).then_some(Way::Together)
    }

    fn inserts_row(&self, obj: Obj) -> bool {
        self.objects.state(obj) == State::Pending
    }

    #[cold]
    fn no_way(&self, circle: &[usize]) -> Error {
        let edges = || circle.iter().map(|edge| &self.graph.edges[*edge]);
        let unique = edges().find_map(|edge| if let Why::Value(conflict) = edge.why { Some(conflict) } else { None });
        if let Some(conflict) = unique {
            let mut rows: Vec<Obj> = vec![conflict.holder];
            rows.extend(edges().flat_map(|edge| [edge.first, edge.then]));
            return room::unique_cycle(self.objects, conflict.unique, &rows);
        }
        cycle(self.objects, edges().map(|edge| edge.then))
    }
}

#[cold]
pub(super) fn cycle(objects: &Objects, rows: impl Iterator<Item = Obj>) -> Error {
    let mut tables: Vec<&'static str> = rows.map(|obj| objects.store(obj).model().table).collect();
    tables.sort_unstable();
    tables.dedup();
    Error::Cycle { tables }
}

/// Rows of a circle of models that take their keys from rows that are inserted.
fn waits_for_keys(objects: &Objects, models: &[Work], graph: &mut Graph<Why>) {
    let inserts: FxHashSet<Obj> =
        models.iter().filter(|work| work.cycle.is_some()).flat_map(|work| work.inserts.iter().copied()).collect();
    if inserts.is_empty() {
        return;
    }
    for work in models.iter().filter(|work| work.cycle.is_some()) {
        for obj in work.written() {
            for link in &objects.store(obj).meta(obj.slot).links {
                let Some(target) = link.target.filter(|target| inserts.contains(target)) else { continue };
                // A row may refer to itself, if its key is known.
                let itself = target == obj && !rounds::needs_key(objects, obj);
                if !itself && !is_later(models, obj, link.keys) {
                    graph.add(target, obj, 1, Why::Key { keys: link.keys, linked: true });
                }
            }
        }
    }
}

fn is_later(models: &[Work], obj: Obj, keys: &[KeyPair]) -> bool {
    let later = models[room::of(models, obj)].later.get(&obj);
    later.is_some_and(|all| all.iter().any(|later| later.keys == keys))
}

/// Rows whose key columns were given, each with a new row that has these values, and the key. Databases
/// that check foreign keys row by row need the latter first.
fn ties(
    objects: &Objects,
    models: &[Work],
    of: impl Fn(&Work, &Work, &Reference) -> bool,
) -> Result<Vec<(Obj, Obj, &'static [KeyPair])>> {
    let mut ties = Vec::new();
    for work in models {
        for reference in &work.model.mapping()?.references {
            let other = models.iter().find(|other| std::ptr::eq(other.model, reference.target));
            let Some(other) = other.filter(|other| !other.inserts.is_empty() && of(work, other, reference)) else {
                continue;
            };
            let (keys, to) = (KeyPair::columns(&reference.keys), KeyPair::referred(&reference.keys));
            let referred: FxHashMap<RowKey, Obj> =
                other.inserts.iter().filter_map(|obj| Some((settled_key(objects, *obj, &to)?, *obj))).collect();
            if referred.is_empty() {
                continue;
            }
            for obj in work.written() {
                let target = settled_key(objects, obj, &keys).and_then(|key| referred.get(&key));
                ties.extend(target.map(|target| (obj, *target, reference.keys.as_slice())));
            }
        }
    }
    Ok(ties)
}

/// The values of some columns, if all are known before the flush and none is NULL.
fn settled_key(objects: &Objects, obj: Obj, columns: &[usize]) -> Option<RowKey> {
    columns.iter().all(|column| objects.settled(obj, *column).is_some()).then(|| objects.key_in(obj, columns))?
}

/// A key that is written after all rows; with its values, where no link says them.
fn later(objects: &Objects, obj: Obj, keys: &'static [KeyPair], nulls: ColumnSet) -> Later {
    let store = objects.store(obj);
    let linked = store.meta(obj.slot).links.iter().any(|link| link.keys == keys);
    let values = || nulls.iter().map(|column| store.value(obj.slot, column).into_owned()).collect();
    Later { keys, nulls, values: (!linked).then(values) }
}

/// Whether a relationship over the key asks for an UPDATE of its own.
pub(super) fn is_post_update(model: &'static ModelDef, reference: &Reference) -> bool {
    let asks = |of: &'static ModelDef| of.relations.iter().any(|relation| relation.options.post_update);
    if !asks(model) && !asks(reference.target) {
        return false;
    }
    let says = |of: &'static ModelDef, here: bool| {
        let relations = of.resolved();
        relations.iter().zip(of.relations).any(|(resolved, def)| {
            def.options.post_update
                && match &resolved.path {
                    Path::BelongsTo(keys) => here && *keys == reference.keys,
                    Path::HasMany(keys) | Path::HasOne(keys) => {
                        !here && std::ptr::eq(resolved.target, model) && *keys == reference.keys
                    }
                    Path::ManyToMany(_) => false,
                }
        })
    };
    says(model, true) || says(reference.target, false)
}

/// Has the keys of relationships that ask for it written after all rows, where they lead to rows that are new.
pub(super) fn post_updates(objects: &Objects, models: &mut [Work]) -> Result<()> {
    let mut found: Vec<(Obj, &'static [KeyPair])> = Vec::new();
    for work in models.iter() {
        for reference in &work.model.mapping()?.references {
            if !is_post_update(work.model, reference) {
                continue;
            }
            for obj in work.written() {
                let link = objects.store(obj).meta(obj.slot).links.iter().find(|link| link.keys == reference.keys);
                let target = link.and_then(|link| link.target);
                if target.is_some_and(|target| objects.state(target) == State::Pending) {
                    found.push((obj, &reference.keys));
                }
            }
        }
    }
    found.extend(
        ties(objects, models, |work, _, reference| is_post_update(work.model, reference))?
            .into_iter()
            .filter(|(obj, target, _)| obj != target)
            .map(|(obj, _, keys)| (obj, keys)),
    );
    for (obj, keys) in found {
        let place = room::of(models, obj);
        let model = models[place].model;
        let nulls = model.mapping()?.nulls(model, keys);
        if nulls.is_empty() {
            let fields: Vec<&str> = keys.iter().map(|pair| model.columns[pair.key].field).collect();
            return Err(Error::Mapping(format!(
                "`{}.{}` can be written by `post_update` only if it can be NULL, since the row is inserted without it: \
                 make it an `Option`",
                model.name,
                fields.join(", ")
            )));
        }
        let later = later(objects, obj, keys, nulls);
        models[place].later.entry(obj).or_default().push(later);
    }
    Ok(())
}

/// Conflicts that are none, since the taker writes its key after all rows; those whose holder does have it stand
/// aside at NULL.
pub(super) fn without_later(models: &mut [Work], conflicts: Vec<Conflict>) -> Vec<Conflict> {
    if models.iter().all(|work| work.later.is_empty()) {
        return conflicts;
    }
    let mut left = Vec::with_capacity(conflicts.len());
    for conflict in conflicts {
        let place = room::of(models, conflict.holder);
        let later = |obj: Obj| {
            let all = models[place].later.get(&obj).into_iter().flatten();
            all.flat_map(|later| later.nulls.iter()).find(|column| conflict.unique.columns.contains(column))
        };
        match (later(conflict.taker), later(conflict.holder)) {
            (Some(_), _) => {}
            (None, Some(column)) => {
                let parked = models[place].parked.entry(conflict.holder).or_default();
                if !parked.iter().any(|(other, _)| *other == column) {
                    parked.push((column, Value::Null));
                }
            }
            (None, None) => left.push(conflict),
        }
    }
    left
}
