//! Models in the order of their foreign keys.
//!
//! The order is that of the models, not of the objects' links: a table comes after the tables that it refers
//! to, whether or not its rows do. Only models that refer to each other in a circle are ordered row by row.

use rustc_hash::FxHashMap;

use super::circles;
use super::plan::Work;
use crate::error::Result;

/// Sorts the work by foreign keys and fills in who waits for whom.
///
/// # Errors
/// When a relationship of one of the models does not say enough.
pub(super) fn sorted(work: FxHashMap<usize, Work>) -> Result<Vec<Work>> {
    let mut models: Vec<Work> = work.into_values().collect();
    // The order of first use, so that it does not depend on a hash.
    models.sort_unstable_by_key(|work| work.model.id.get());
    let mut edges: Vec<Vec<usize>> = Vec::with_capacity(models.len());
    for work in &models {
        // A key that has an UPDATE of its own asks for no order.
        let references = work.model.mapping()?.references.iter();
        let referred = references.filter(|reference| !circles::is_post_update(work.model, reference)).map(|r| r.target);
        let mut parents: Vec<usize> =
            referred.filter_map(|p| models.iter().position(|m| std::ptr::eq(m.model, p))).collect();
        parents.sort_unstable();
        parents.dedup();
        edges.push(parents);
    }
    let reach: Vec<Vec<bool>> = (0..models.len()).map(|from| reachable(from, &edges)).collect();
    let same_cycle = |a: usize, b: usize| reach[a][b] && reach[b][a];
    let mut order: Vec<usize> = Vec::with_capacity(models.len());
    while order.len() < models.len() {
        let before = order.len();
        for (index, parents) in edges.iter().enumerate() {
            let ready = !order.contains(&index)
                && parents.iter().all(|p| order.contains(p) || *p == index || same_cycle(index, *p));
            if ready {
                order.push(index);
            }
        }
        debug_assert!(order.len() > before, "without the edges of cycles there is always a first");
        if order.len() == before {
            break;
        }
    }
    let place = |index: usize| order.iter().position(|other| *other == index).unwrap_or(index);
    for (index, work) in models.iter_mut().enumerate() {
        work.cycle = (0..edges.len())
            .filter(|other| *other == index || same_cycle(index, *other))
            .map(place)
            .min()
            .filter(|_| reach[index][index]);
        work.parents =
            edges[index].iter().filter(|p| **p != index && !same_cycle(index, **p)).map(|p| place(*p)).collect();
    }
    let mut slots: Vec<Option<Work>> = models.into_iter().map(Some).collect();
    Ok(order.iter().filter_map(|index| slots[*index].take()).collect())
}

/// Which models can be reached over at least one edge.
fn reachable(from: usize, edges: &[Vec<usize>]) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut next = edges[from].clone();
    while let Some(index) = next.pop() {
        if !std::mem::replace(&mut seen[index], true) {
            next.extend(&edges[index]);
        }
    }
    seen
}
