//! Where the channels are, and the way of each line through them.

use std::collections::{BTreeMap, BTreeSet};

use super::Point;
use super::component::{Component, Item, Net, Side};
use super::place::Tops;

/// Between a layer and the first track: room for what is drawn at the end of a line.
const STUB: f64 = 34.0;
/// Between two tracks.
const TRACK: f64 = 9.0;
/// How far a line from a shape to itself goes out.
const LOOP: f64 = 22.0;
/// Upright pieces in one track are at least so far from each other.
const APART: f64 = 6.0;

/// A layer's place, and the tracks of the nets in the channel right of it.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) left: f64,
    pub(super) right: f64,
    tracks: BTreeMap<usize, f64>,
}

/// The layers' places, and the width of all.
pub(super) fn columns(component: &Component, tops: &Tops) -> (Vec<Column>, f64) {
    let mut columns = Vec::new();
    let mut x = 0.0;
    for (layer, items) in component.layers.iter().enumerate() {
        let width = |item: &Item| match item {
            Item::Shape(shape) => component.widths[*shape],
            Item::Pass { .. } => 0.0,
        };
        let right = x + items.iter().map(width).fold(0.0, f64::max);
        let tracks = if layer < component.channels.len() { tracks(component, tops, layer) } else { BTreeMap::new() };
        let count = tracks.values().max().map_or(0, |last| last + 1);
        let tracks =
            tracks.into_iter().map(|(net, track)| (net, right + STUB + TRACK * (track as f64 + 0.5))).collect();
        columns.push(Column { left: x, right, tracks });
        x = right + 2.0 * STUB + TRACK * count as f64;
    }
    let last = columns.last().map_or(0.0, |column| column.right);
    let looped =
        component.loops.iter().any(|(_, port, _)| component.rank[component.ports[*port].shape] + 1 == columns.len());
    (columns, if looped { last + STUB } else { last })
}

/// A net's upright piece in a channel.
#[derive(Debug, Default)]
struct Upright {
    lefts: Vec<f64>,
    rights: Vec<f64>,
}

impl Upright {
    fn span(&self) -> (f64, f64) {
        let all = || self.lefts.iter().chain(&self.rights).copied();
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
    }
}

/// The track of each net in a channel. Two that would lie on each other have different ones; and where one leaves on the
/// left at the height at which another arrives on the right, it turns off before that one comes.
fn tracks(component: &Component, tops: &Tops, channel: usize) -> BTreeMap<usize, usize> {
    let mut uprights: BTreeMap<usize, Upright> = BTreeMap::new();
    for piece in &component.channels[channel] {
        let upright = uprights.entry(piece.net).or_default();
        upright.lefts.push(tops.of(piece.left.0) + piece.left.1);
        upright.rights.push(tops.of(piece.right.0) + piece.right.1);
    }
    let near = |a: &[f64], b: &[f64]| a.iter().any(|a| b.iter().any(|b| (a - b).abs() < APART));
    let mut waits: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (a, one) in &uprights {
        let before = uprights.iter().filter(|(b, other)| *b != a && near(&other.lefts, &one.rights)).map(|(b, _)| *b);
        waits.insert(*a, before.collect());
    }
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut tracks: BTreeMap<usize, usize> = BTreeMap::new();
    while !waits.is_empty() {
        // The one that waits for the fewest: for none, unless they wait in a circle.
        let key = |(net, before): &(&usize, &BTreeSet<usize>)| {
            (before.len(), uprights.get(*net).map_or(0, |upright| upright.span().0 as i64))
        };
        let Some(net) = waits.iter().min_by_key(key).map(|(net, _)| *net) else { break };
        waits.remove(&net);
        waits.values_mut().for_each(|before| {
            before.remove(&net);
        });
        let Some(upright) = uprights.get(&net) else { continue };
        let (top, bottom) = upright.span();
        let before = uprights.iter().filter(|(b, other)| **b != net && near(&other.lefts, &upright.rights));
        let least = before.filter_map(|(b, _)| tracks.get(b)).max().map_or(0, |last| last + 1);
        let free = |track: &Vec<(f64, f64)>| track.iter().all(|(a, b)| bottom + APART < *a || *b + APART < top);
        let track = (least..taken.len()).find(|&track| free(&taken[track])).unwrap_or(taken.len().max(least));
        while taken.len() <= track {
            taken.push(Vec::new());
        }
        taken[track].push((top, bottom));
        tracks.insert(net, track);
    }
    tracks
}

/// The corners of each line, from what refers to what is referred to.
pub(super) fn ways(component: &Component, tops: &Tops, columns: &[Column]) -> Vec<(usize, Vec<Point>)> {
    let mut ways = Vec::new();
    for (number, net) in component.nets.iter().enumerate() {
        for &(line, port) in &net.targets {
            let mut way = way(component, tops, columns, (number, net), port);
            way.reverse();
            ways.push((line, way));
        }
    }
    for (i, &(line, from, to)) in component.loops.iter().enumerate() {
        let y = |port: usize| tops.of(Item::Shape(component.ports[port].shape)) + component.ports[port].offset;
        let right = columns[component.rank[component.ports[from].shape]].right;
        let out = right + LOOP + 3.0 * (i % 3) as f64;
        let corners = [(right, y(from)), (out, y(from)), (out, y(to)), (right, y(to))];
        ways.push((line, corners.map(|(x, y)| Point { x, y }).to_vec()));
    }
    ways
}

fn way(component: &Component, tops: &Tops, columns: &[Column], net: (usize, &Net), port: usize) -> Vec<Point> {
    let (number, net) = net;
    let y_of = |port: usize| tops.of(Item::Shape(component.ports[port].shape)) + component.ports[port].offset;
    let target = component.rank[component.ports[port].shape];
    let right = net.side == Side::Right;
    let leaves = |layer: usize| if right { columns[layer].right } else { columns[layer].left };
    let arrives = |layer: usize| if right { columns[layer].left } else { columns[layer].right };
    let mut layer = net.near;
    let mut y = y_of(net.source);
    let mut way = vec![Point { x: leaves(layer), y }];
    while layer != target {
        let next = if right { layer + 1 } else { layer - 1 };
        let to = if next == target { y_of(port) } else { tops.of(Item::Pass { net: number, layer: next }) };
        if to != y {
            let middle = f64::midpoint(leaves(layer), arrives(next));
            let x = columns[layer.min(next)].tracks.get(&number).copied().unwrap_or(middle);
            way.extend([Point { x, y }, Point { x, y: to }]);
        }
        way.push(Point { x: arrives(next), y: to });
        if next != target {
            way.push(Point { x: leaves(next), y: to });
        }
        (layer, y) = (next, to);
    }
    way
}
