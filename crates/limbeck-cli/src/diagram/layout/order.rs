//! In which order shapes stand in their layers, so that few lines cross: each is put where the middle of its neighbours is,
//! back and forth, and the best order that was seen is kept.

use std::collections::BTreeMap;

use super::component::{Component, Item, Piece};

const SWEEPS: usize = 16;

pub(super) fn order(component: &mut Component) {
    let channels = component.channels.clone();
    let mut layers = component.layers.clone();
    let mut best = (crossings(&layers, &channels), layers.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let count = layers.len();
        if sweep % 2 == 0 {
            for layer in 1..count {
                let (before, after) = layers.split_at_mut(layer);
                sort(&mut after[0], &before[layer - 1], channels[layer - 1].iter().map(|p| (p.right.0, p.left.0)));
            }
        } else {
            for layer in (1..count).rev() {
                let (before, after) = layers.split_at_mut(layer);
                sort(&mut before[layer - 1], &after[0], channels[layer - 1].iter().map(|p| (p.left.0, p.right.0)));
            }
        }
        let found = crossings(&layers, &channels);
        if found < best.0 {
            best = (found, layers.clone());
        }
    }
    component.layers = best.1;
}

fn positions(layer: &[Item]) -> BTreeMap<Item, usize> {
    layer.iter().enumerate().map(|(position, item)| (*item, position)).collect()
}

/// Sorts a layer by where the neighbours of its items are in the fixed one. What has none stays where it is.
fn sort(layer: &mut [Item], fixed: &[Item], pairs: impl Iterator<Item = (Item, Item)>) {
    let at = positions(fixed);
    let mut sums: BTreeMap<Item, (usize, usize)> = BTreeMap::new();
    for (own, other) in pairs {
        let sum = sums.entry(own).or_default();
        sum.0 += at.get(&other).copied().unwrap_or_default();
        sum.1 += 1;
    }
    let scale = fixed.len() as f64 / layer.len().max(1) as f64;
    let mut keyed: Vec<(f64, usize, Item)> = layer
        .iter()
        .enumerate()
        .map(|(position, item)| {
            let middle = match sums.get(item) {
                Some(&(sum, count)) => sum as f64 / count as f64,
                None => position as f64 * scale,
            };
            (middle, position, *item)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (slot, (_, _, item)) in layer.iter_mut().zip(keyed) {
        *slot = item;
    }
}

/// How often lines cross.
fn crossings(layers: &[Vec<Item>], channels: &[Vec<Piece>]) -> usize {
    let mut count = 0;
    for (channel, pieces) in channels.iter().enumerate() {
        let (left, right) = (positions(&layers[channel]), positions(&layers[channel + 1]));
        let mut ends: Vec<(usize, usize)> =
            pieces.iter().filter_map(|p| left.get(&p.left.0).copied().zip(right.get(&p.right.0).copied())).collect();
        ends.sort_unstable();
        for (i, a) in ends.iter().enumerate() {
            count += ends[i + 1..].iter().filter(|b| a.0 < b.0 && b.1 < a.1).count();
        }
    }
    count
}
