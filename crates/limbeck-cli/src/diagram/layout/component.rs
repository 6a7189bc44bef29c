//! The layout of shapes that hang together.

use std::collections::BTreeMap;

use super::{END, HEAD, Line, Part, Place, Point, ROW, Shape, order, place, rank, route};
use crate::diagram::graph::Many;

/// A side of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Left,
    Right,
}

/// An end of lines at a shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    /// The shape, by its number in the component.
    pub(super) shape: usize,
    pub(super) side: Side,
    pub(super) row: Option<usize>,
    /// Below the upper edge of the shape.
    pub(super) offset: f64,
}

/// Lines that share the end at what they refer to.
#[derive(Clone, Debug)]
pub(super) struct Net {
    pub(super) source: usize,
    /// The beginning of each line: its number among all, and its port.
    pub(super) targets: Vec<(usize, usize)>,
    /// The side that it leaves its source on.
    pub(super) side: Side,
    /// Its layers: that of the source, and the farthest.
    pub(super) near: usize,
    pub(super) far: usize,
}

/// What stands in a layer: a shape, or the place where a net passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Shape(usize),
    Pass { net: usize, layer: usize },
}

/// A piece of a line between two neighbouring layers: what it is at, and how far below its upper edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) net: usize,
    pub(super) left: (Item, f64),
    pub(super) right: (Item, f64),
}

/// A component before it has places.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) heights: Vec<f64>,
    pub(super) widths: Vec<f64>,
    pub(super) rank: Vec<usize>,
    pub(super) ports: Vec<Port>,
    pub(super) nets: Vec<Net>,
    /// Lines from a shape to itself: the line, and both ports.
    pub(super) loops: Vec<(usize, usize, usize)>,
    /// What stands in each layer, from top to bottom.
    pub(super) layers: Vec<Vec<Item>>,
    /// The pieces between each layer and the next.
    pub(super) channels: Vec<Vec<Piece>>,
}

/// A component with its places, from its own upper left corner.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Shape by its number among all, and its place.
    pub(super) places: Vec<(usize, Place)>,
    /// Line by its number among all, and its corners.
    pub(super) ways: Vec<(usize, Vec<Point>)>,
}

pub(super) fn lay(shapes: &[Shape], lines: &[Line], part: &Part) -> Laid {
    let number: BTreeMap<usize, usize> = part.shapes.iter().enumerate().map(|(i, shape)| (*shape, i)).collect();
    let of = |shape: usize| number.get(&shape).copied().unwrap_or_default();
    let widths: Vec<f64> = part.shapes.iter().map(|&shape| shapes[shape].width).collect();
    // Ends at the head can be many; how high it is has to be known before how the lines run.
    let heads: Vec<f64> = part.shapes.iter().map(|&shape| head(lines, part, shape, &shapes[shape])).collect();
    let heights: Vec<f64> =
        part.shapes.iter().zip(&heads).map(|(&shape, head)| head + ROW * shapes[shape].rows as f64).collect();
    let pairs: Vec<(usize, usize)> = part
        .lines
        .iter()
        .map(|&line| (of(lines[line].to.0), of(lines[line].from.0)))
        .filter(|(left, right)| left != right)
        .collect();
    let area: f64 = heights.iter().zip(&widths).map(|(height, width)| (height + 30.0) * (width + 90.0)).sum();
    let rank = rank::ranks(&heights, &pairs, area.sqrt() * 0.8);
    let mut component = Component { heights, widths, rank, ..Component::default() };
    component.connect(lines, part, of);
    component.fill_layers();
    order::order(&mut component);
    component.spread_ports(&heads);
    component.channels = component.pieces();
    let tops = place::tops(&component);
    let (columns, width) = route::columns(&component, &tops);
    let places = part.shapes.iter().enumerate().map(|(i, &shape)| {
        let column = &columns[component.rank[i]];
        let (y, height, head) = (tops.of(Item::Shape(i)), component.heights[i], heads[i]);
        let leaves_right = component.ports.iter().any(|port| port.shape == i && port.side == Side::Right);
        // Boxes are as wide as their column, so that lines begin and end on one line.
        let width = match shapes[shape].node {
            None if !leaves_right => component.widths[i],
            _ => column.right - column.left,
        };
        (shape, Place { x: column.left, y, width, height, head })
    });
    let places: Vec<(usize, Place)> = places.collect();
    let ways = route::ways(&component, &tops, &columns);
    let bottom = |way: &[Point]| way.iter().map(|point| point.y).fold(0.0, f64::max);
    let height = places.iter().map(|(_, place)| place.y + place.height).fold(0.0, f64::max);
    let height = ways.iter().map(|(_, way)| bottom(way)).fold(height, f64::max);
    Laid { width, height, places, ways }
}

/// The height of a shape's head: room for the name, and for the ends of lines there.
fn head(lines: &[Line], part: &Part, shape: usize, of: &Shape) -> f64 {
    let mut ends: Vec<Option<Many>> = Vec::new();
    for &line in &part.lines {
        let line = &lines[line];
        if line.from == (shape, None) {
            ends.push(None);
        }
        if line.to == (shape, None) && !ends.contains(&Some(line.many_to)) {
            ends.push(Some(line.many_to));
        }
    }
    let least = if of.node.is_none() { 22.0 } else { HEAD };
    // An end may be on either side, and lines to this shape may come from both.
    f64::max(least, END * (ends.len() + 1) as f64)
}

impl Component {
    /// Makes the nets and loops, with their ports.
    fn connect(&mut self, lines: &[Line], part: &Part, of: impl Fn(usize) -> usize) {
        let mut nets: BTreeMap<(usize, Option<usize>, Many, Side), usize> = BTreeMap::new();
        let mut ends: BTreeMap<(usize, Option<usize>, Many, Side), usize> = BTreeMap::new();
        for &number in &part.lines {
            let line = &lines[number];
            let (child, parent) = (of(line.from.0), of(line.to.0));
            let mut port = |shape, side, row| {
                self.ports.push(Port { shape, side, row, offset: 0.0 });
                self.ports.len() - 1
            };
            if child == parent {
                let from = port(child, Side::Right, line.from.1);
                let end = (parent, line.to.1, line.many_to, Side::Right);
                let to = *ends.entry(end).or_insert_with(|| port(parent, Side::Right, line.to.1));
                self.loops.push((number, from, to));
                continue;
            }
            let (near, far) = (self.rank[parent], self.rank[child]);
            let (side, other) = if near < far { (Side::Right, Side::Left) } else { (Side::Left, Side::Right) };
            let target = port(child, other, line.from.1);
            let end = (parent, line.to.1, line.many_to, side);
            let net = *nets.entry(end).or_insert_with(|| {
                let source = *ends.entry(end).or_insert_with(|| port(parent, side, line.to.1));
                self.nets.push(Net { source, targets: Vec::new(), side, near, far });
                self.nets.len() - 1
            });
            let net = &mut self.nets[net];
            net.targets.push((number, target));
            net.far = if side == Side::Right { net.far.max(far) } else { net.far.min(far) };
        }
    }

    fn fill_layers(&mut self) {
        let count = self.rank.iter().copied().max().unwrap_or(0) + 1;
        self.layers = vec![Vec::new(); count];
        for (shape, &layer) in self.rank.iter().enumerate() {
            self.layers[layer].push(Item::Shape(shape));
        }
        for (number, net) in self.nets.iter().enumerate() {
            for layer in net.near.min(net.far) + 1..net.near.max(net.far) {
                self.layers[layer].push(Item::Pass { net: number, layer });
            }
        }
        self.channels = self.pieces();
    }

    /// The pieces of all lines in each channel.
    pub(super) fn pieces(&self) -> Vec<Vec<Piece>> {
        let mut channels = vec![Vec::new(); self.layers.len().saturating_sub(1)];
        for (number, net) in self.nets.iter().enumerate() {
            let at = |port: usize| (Item::Shape(self.ports[port].shape), self.ports[port].offset);
            let right = net.side == Side::Right;
            let mut layer = net.near;
            let mut from = at(net.source);
            while layer != net.far {
                let next = if right { layer + 1 } else { layer - 1 };
                let channel = layer.min(next);
                let mut piece = |to: (Item, f64)| {
                    let (left, right) = if right { (from, to) } else { (to, from) };
                    channels[channel].push(Piece { net: number, left, right });
                };
                for (_, port) in &net.targets {
                    if self.rank[self.ports[*port].shape] == next {
                        piece(at(*port));
                    }
                }
                let pass = (Item::Pass { net: number, layer: next }, 0.0);
                if next != net.far {
                    piece(pass);
                }
                from = pass;
                layer = next;
            }
        }
        channels
    }

    /// Gives each port its place on its side: in the middle of its row, or beside the others there, in the order in which
    /// their lines come.
    fn spread_ports(&mut self, heads: &[f64]) {
        let mut at: BTreeMap<Item, usize> = BTreeMap::new();
        for layer in &self.layers {
            at.extend(layer.iter().enumerate().map(|(position, item)| (*item, position)));
        }
        // Where the other end of each port's line is, in the next layer.
        let mut toward = vec![usize::MAX; self.ports.len()];
        for (number, net) in self.nets.iter().enumerate() {
            let beside = |layer: usize| if net.side == Side::Right { layer + 1 } else { layer.saturating_sub(1) };
            let back = |layer: usize| if net.side == Side::Right { layer.saturating_sub(1) } else { layer + 1 };
            for &(_, port) in &net.targets {
                let rank = self.rank[self.ports[port].shape];
                let from = match back(rank) {
                    layer if layer == net.near => Item::Shape(self.ports[net.source].shape),
                    layer => Item::Pass { net: number, layer },
                };
                toward[port] = at.get(&from).copied().unwrap_or_default();
                if rank == beside(net.near) {
                    let to = at.get(&Item::Shape(self.ports[port].shape)).copied().unwrap_or_default();
                    toward[net.source] = toward[net.source].min(to);
                }
            }
            if toward[net.source] == usize::MAX {
                let pass = Item::Pass { net: number, layer: beside(net.near) };
                toward[net.source] = at.get(&pass).copied().unwrap_or_default();
            }
        }
        let mut groups: BTreeMap<(usize, Option<usize>, Side), Vec<usize>> = BTreeMap::new();
        for (number, port) in self.ports.iter().enumerate() {
            groups.entry((port.shape, port.row, port.side)).or_default().push(number);
        }
        for ((shape, row, _), mut ports) in groups {
            ports.sort_by_key(|&port| (toward[port], port));
            let (top, height) = match row {
                None => (0.0, heads[shape]),
                Some(row) => (heads[shape] + ROW * row as f64, ROW),
            };
            let step = height / (ports.len() + 1) as f64;
            for (i, port) in ports.into_iter().enumerate() {
                self.ports[port].offset = top + step * (i + 1) as f64;
            }
        }
    }
}
