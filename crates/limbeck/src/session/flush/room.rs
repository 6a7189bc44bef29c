//! Room for unique values: who holds one that another row takes in the same flush lets go of it first.
//!
//! Of an object that replaces another in a one-to-one relationship the key is unique, and databases check that
//! row by row. A row that is to be deleted and is in the way is deleted first; one whose key changes has it set
//! to NULL first. Where neither can be (the key is NOT NULL), the database has the last word.

use rustc_hash::{FxHashMap, FxHashSet};

use super::plan::{Eviction, Work};
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path, Unique};
use crate::model::{Cascade, ColumnSet};
use crate::session::load::RowKey;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;

/// Finds the rows that are in the way of others.
pub(super) fn make_room(objects: &Objects, models: &mut [Work]) -> Result<()> {
    for work in models.iter_mut() {
        if work.deletes.is_empty() && work.updates.is_empty() {
            continue;
        }
        let moving: Vec<(Obj, ColumnSet)> = work.updates.iter().map(|obj| (*obj, written(objects, *obj))).collect();
        for unique in &work.model.mapping()?.uniques {
            of_unique(objects, work, unique, &moving);
        }
    }
    // What refers to a row that is deleted first has to be gone before it.
    while let Some((of, obj)) = next_dependent(objects, models)? {
        models[of].deletes.retain(|other| *other != obj);
        models[of].early.push(obj);
    }
    Ok(())
}

fn of_unique(objects: &Objects, work: &mut Work, unique: &Unique, moving: &[(Obj, ColumnSet)]) {
    let columns = unique.columns.as_slice();
    let moves = |written: &ColumnSet| columns.iter().any(|column| written.contains(*column));
    let moving = || moving.iter().filter(|(_, written)| moves(written)).map(|(obj, _)| obj);
    // Who holds which value and may let go of it: several only where an expired object may hold it no longer.
    let mut held: FxHashMap<RowKey, Vec<Obj>> = FxHashMap::default();
    let mut hold = |obj: Obj| {
        if let Some(key) = objects.saved_key_in(obj, columns) {
            held.entry(key).or_default().push(obj);
        }
    };
    work.deletes.iter().chain(moving()).for_each(|obj| hold(*obj));
    if held.is_empty() {
        return;
    }
    let takers = moving().chain(&work.inserts);
    let mut early: FxHashSet<Obj> = FxHashSet::default();
    for taker in takers {
        let Some(wanted) = objects.key_to_be(*taker, columns) else { continue };
        let holders = held.get(&wanted).into_iter().flatten();
        for holder in holders.filter(|holder| *holder != taker) {
            if objects.store(*holder).meta(holder.slot).doomed {
                early.insert(*holder);
            } else if !unique.nulls.is_empty() {
                // Of two columns that are unique together one NULL is enough, and any may be it.
                work.parked.push((unique.nulls, *holder));
            }
        }
    }
    work.deletes.retain(|obj| !early.contains(obj));
    work.early.extend(early);
}

/// The columns that an update may change.
fn written(objects: &Objects, obj: Obj) -> ColumnSet {
    let store = objects.store(obj);
    let meta = store.meta(obj.slot);
    let mut columns = store.changed(obj.slot).union(meta.given);
    meta.links.iter().flat_map(|link| link.keys).for_each(|pair| columns.insert(pair.key));
    columns
}

/// A row that goes at the end, but refers to one that goes first.
fn next_dependent(objects: &Objects, models: &[Work]) -> Result<Option<(usize, Obj)>> {
    if models.iter().all(|work| work.early.is_empty()) {
        return Ok(None);
    }
    for (index, work) in models.iter().enumerate() {
        for reference in &work.model.mapping()?.references {
            let first: FxHashSet<RowKey> = models
                .iter()
                .filter(|other| std::ptr::eq(other.model, reference.target))
                .flat_map(|other| &other.early)
                .filter_map(|obj| {
                    let to: Vec<usize> = reference.keys.iter().map(|pair| pair.to).collect();
                    objects.saved_key_in(*obj, &to)
                })
                .collect();
            if first.is_empty() {
                continue;
            }
            let keys: Vec<usize> = reference.keys.iter().map(|pair| pair.key).collect();
            let refers = |obj: &&Obj| objects.saved_key_in(**obj, &keys).is_some_and(|key| first.contains(&key));
            if let Some(obj) = work.deletes.iter().find(refers) {
                return Ok(Some((index, *obj)));
            }
        }
    }
    Ok(None)
}

/// The places in one-to-one relationships that were taken without knowing who has them.
pub(super) fn evictions(objects: &mut Objects) -> Result<Vec<Eviction>> {
    let mut evictions = Vec::with_capacity(objects.evictions.len());
    let mut places: Vec<(Obj, usize)> = objects.evictions.iter().copied().collect();
    // Not in the order of a hash.
    places.sort_unstable();
    for (parent, relation) in places {
        // An orphan that has the place is known by now, and deleted.
        if objects.is_going(parent) || objects.cascades(parent, relation, Cascade::DELETE_ORPHAN) {
            continue;
        }
        let resolved = &objects.store(parent).model().mapping()?.relations[relation];
        let Path::HasOne(keys) = &resolved.path else { continue };
        evictions.push(Eviction { parent, child: resolved.target, keys });
    }
    if evictions.is_empty() {
        return Ok(evictions);
    }
    // The row may be that of the newcomer itself, which went away and came back: it is written in any case.
    let places: FxHashSet<(Obj, &[KeyPair])> = evictions.iter().map(|one| (one.parent, one.keys)).collect();
    for child in objects.linked.clone() {
        if objects.state(child) != State::Persistent {
            continue;
        }
        let links = objects.store(child).meta(child.slot).links.clone();
        for link in links {
            if link.target.is_some_and(|target| places.contains(&(target, link.keys))) {
                let meta = objects.store_mut(child).meta_mut(child.slot);
                link.keys.iter().for_each(|pair| meta.given.insert(pair.key));
            }
        }
    }
    Ok(evictions)
}

impl Objects {
    /// Whether a place was taken, so that the row that has it is to lose it.
    pub(in crate::session) fn is_evicting(&self, place: (Obj, usize)) -> bool {
        self.evictions.contains(&place)
    }

    /// What columns will hold after the flush, if it is known already and not NULL.
    fn key_to_be(&self, obj: Obj, columns: &[usize]) -> Option<RowKey> {
        let store = self.store(obj);
        let links = &store.meta(obj.slot).links;
        let value = |column: usize| match links.iter().find(|link| link.has(column)) {
            None => self.settled(obj, column),
            Some(link) => {
                let target = link.target?;
                let pair = link.keys.iter().find(|pair| pair.key == column)?;
                self.settled(target, pair.to)
            }
        };
        let values: Vec<_> = columns.iter().map(|column| value(*column)).collect::<Option<_>>()?;
        RowKey::of(values.len(), |part| values[part].clone())
    }
}
