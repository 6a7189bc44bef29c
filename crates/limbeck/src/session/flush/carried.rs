//! Rows whose keys the database has changed by the time they are written.
//!
//! A key with `on_update = cascade` follows the one that it refers to as soon as that is written, and the row that it is
//! a part of the key of is found by the new one from then on. Statements of a flush find rows by what their keys were;
//! those that come after such a change have it put right here.

use rustc_hash::FxHashMap;

use super::batch::{Batch, Rows};
use super::plan::Plan;
use crate::model::ModelDef;
use crate::model::mapping::Reference;
use crate::schema::Action;
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::types::Value;

/// What columns of rows are now, by row.
type Carried = FxHashMap<Obj, Vec<(usize, Value<'static>)>>;

/// Which UPDATEs were sent, and over which models was asked.
struct When {
    first_only: bool,
    through: Vec<&'static ModelDef>,
}

/// Has batches find rows by the keys that they have once the UPDATEs of the plan were sent: all of them, or only those
/// that come before anything else.
pub(super) fn follow(objects: &Objects, plan: &Plan, batches: &mut [Batch], first_only: bool) {
    for batch in batches {
        let Rows::Objects { objs, values, columns, keys } = &batch.rows else { continue };
        let Some(first) = objs.first() else { continue };
        let model = objects.store(*first).model();
        let mut when = When { first_only, through: vec![model] };
        let carried = carried(objects, plan, model, objs, keys, &mut when);
        if carried.is_empty() {
            continue;
        }
        let row = |obj: &Obj| {
            let store = objects.store(*obj);
            let of_row = carried.get(obj).map(Vec::as_slice).unwrap_or_default();
            let key = |column: &usize| match of_row.iter().find(|(other, _)| other == column) {
                Some((_, value)) => value.clone(),
                None => store.saved_value(obj.slot, *column).into_owned(),
            };
            let sent = columns.iter().map(|column| store.value(obj.slot, *column).into_owned());
            sent.chain(keys.iter().map(key)).collect()
        };
        let rows = Rows::Built { values: objs.iter().map(row).collect(), objs: objs.clone(), at: columns.len() };
        batch.rows = rows.with_values(values.clone());
    }
}

/// What the database made of columns of rows of one model.
fn carried(
    objects: &Objects,
    plan: &Plan,
    model: &'static ModelDef,
    objs: &[Obj],
    columns: &[usize],
    when: &mut When,
) -> Carried {
    let mut carried = Carried::default();
    let Ok(mapping) = model.mapping() else { return carried };
    for reference in &mapping.references {
        let is_asked_for = reference.keys.iter().any(|pair| columns.contains(&pair.key));
        // Rows whose tables refer to each other in a circle would need an order of their own.
        let is_circle = when.through.iter().any(|other| std::ptr::eq(*other, reference.target));
        if reference.on_update != Action::Cascade || !is_asked_for || is_circle {
            continue;
        }
        let (keys, to): (Vec<usize>, Vec<usize>) = reference.keys.iter().map(|pair| (pair.key, pair.to)).unzip();
        when.through.push(reference.target);
        let moved = moved(objects, plan, reference.target, &to, when);
        when.through.pop();
        if moved.is_empty() {
            continue;
        }
        for obj in objs {
            if let Some(now) = objects.saved_key_in(*obj, &keys).and_then(|key| moved.get(&key)) {
                carried.entry(*obj).or_default().extend(keys.iter().copied().zip(now.iter().cloned()));
            }
        }
    }
    carried
}

/// The rows of a model whose columns were changed, by what they were.
fn moved(
    objects: &Objects,
    plan: &Plan,
    model: &'static ModelDef,
    columns: &[usize],
    when: &mut When,
) -> FxHashMap<RowKey, Vec<Value<'static>>> {
    let mut moved = FxHashMap::default();
    if let Some(work) = plan.models.iter().find(|work| std::ptr::eq(work.model, model)) {
        let later = work.updates.iter().filter(|_| !when.first_only);
        for obj in work.first.iter().chain(later) {
            let store = objects.store(*obj);
            let differs = |column: &usize| store.value(obj.slot, *column) != store.saved_value(obj.slot, *column);
            if columns.iter().any(differs)
                && let Some(key) = objects.saved_key_in(*obj, columns)
            {
                let now = columns.iter().map(|column| store.value(obj.slot, *column).into_owned());
                moved.insert(key, now.collect());
            }
        }
    }
    // What was carried along itself carries others.
    let follows = |reference: &Reference| reference.on_update == Action::Cascade;
    let all = match model.mapping() {
        Ok(mapping) if mapping.references.iter().any(follows) => objects.all_of(model),
        _ => Vec::new(),
    };
    for (obj, now) in carried(objects, plan, model, &all, columns, when) {
        let store = objects.store(obj);
        if let Some(key) = objects.saved_key_in(obj, columns)
            && !moved.contains_key(&key)
        {
            let value = |column: &usize| match now.iter().find(|(other, _)| other == column) {
                Some((_, value)) => value.clone(),
                None => store.saved_value(obj.slot, *column).into_owned(),
            };
            moved.insert(key, columns.iter().map(value).collect());
        }
    }
    moved
}
