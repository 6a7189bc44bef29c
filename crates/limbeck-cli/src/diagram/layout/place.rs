//! How far down each item stands: near its neighbours, so that lines are straight, in its layer's order, and with room
//! between.

use std::collections::BTreeMap;

use super::component::{Component, Item};

const SWEEPS: usize = 20;

/// Between two boxes, between a box and a line, between two lines.
const BOXES: f64 = 26.0;
const BOX_AND_LINE: f64 = 14.0;
const LINES: f64 = 9.0;

/// The upper edges.
#[derive(Debug)]
pub(super) struct Tops(BTreeMap<Item, f64>);

impl Tops {
    pub(super) fn of(&self, item: Item) -> f64 {
        self.0.get(&item).copied().unwrap_or_default()
    }
}

fn height(component: &Component, item: Item) -> f64 {
    match item {
        Item::Shape(shape) => component.heights[shape],
        Item::Pass { .. } => 0.0,
    }
}

fn between(a: Item, b: Item) -> f64 {
    match (a, b) {
        (Item::Shape(_), Item::Shape(_)) => BOXES,
        (Item::Pass { .. }, Item::Pass { .. }) => LINES,
        _ => BOX_AND_LINE,
    }
}

pub(super) fn tops(component: &Component) -> Tops {
    let mut tops = Tops(BTreeMap::new());
    for layer in &component.layers {
        let mut y = 0.0;
        for (i, item) in layer.iter().enumerate() {
            if i > 0 {
                y += between(layer[i - 1], *item);
            }
            tops.0.insert(*item, y);
            y += height(component, *item);
        }
        // In the middle, to begin with.
        for item in layer {
            tops.0.entry(*item).and_modify(|top| *top -= y / 2.0);
        }
    }
    // Of each item: own offset, the neighbour, its offset.
    let mut neighbours: BTreeMap<Item, Vec<(f64, Item, f64)>> = BTreeMap::new();
    for piece in component.channels.iter().flatten() {
        let ((a, x), (b, y)) = (piece.left, piece.right);
        neighbours.entry(a).or_default().push((x, b, y));
        neighbours.entry(b).or_default().push((y, a, x));
    }
    for sweep in 0..SWEEPS {
        let forward = 0..component.layers.len();
        let layers: Vec<usize> = if sweep % 2 == 0 { forward.collect() } else { forward.rev().collect() };
        for layer in layers {
            settle(component, &component.layers[layer], &neighbours, &mut tops);
        }
    }
    let least = tops.0.values().copied().fold(f64::INFINITY, f64::min);
    tops.0.values_mut().for_each(|top| *top -= least);
    tops
}

/// Moves the items of a layer as near to where they want to be as the others let them: the least sum of squares, found by
/// joining neighbours that would overlap into blocks.
fn settle(component: &Component, layer: &[Item], neighbours: &BTreeMap<Item, Vec<(f64, Item, f64)>>, tops: &mut Tops) {
    struct Block {
        sum: f64,
        weight: f64,
        items: usize,
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut shifts = Vec::with_capacity(layer.len());
    let mut shift = 0.0;
    for (i, item) in layer.iter().enumerate() {
        if i > 0 {
            shift += height(component, layer[i - 1]) + between(layer[i - 1], *item);
        }
        shifts.push(shift);
        let (wanted, weight) = match neighbours.get(item) {
            Some(all) => {
                let sum: f64 = all.iter().map(|(own, other, offset)| tops.of(*other) + offset - own).sum();
                // A bend in the middle of a line is worse than one at its end.
                let weight = if matches!(item, Item::Pass { .. }) { 3.0 } else { 1.0 };
                (sum / all.len() as f64, weight * all.len() as f64)
            }
            None => (tops.of(*item), 0.5),
        };
        blocks.push(Block { sum: (wanted - shift) * weight, weight, items: 1 });
        while let [.., above, below] = &blocks[..] {
            if above.sum / above.weight <= below.sum / below.weight {
                break;
            }
            let joined = Block {
                sum: above.sum + below.sum,
                weight: above.weight + below.weight,
                items: above.items + below.items,
            };
            blocks.truncate(blocks.len() - 2);
            blocks.push(joined);
        }
    }
    let mut items = layer.iter().zip(shifts);
    for block in blocks {
        for (item, shift) in items.by_ref().take(block.items) {
            tops.0.insert(*item, block.sum / block.weight + shift);
        }
    }
}
