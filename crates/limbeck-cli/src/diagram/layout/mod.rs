//! Where the boxes and lines of a picture are.
//!
//! Layers, as Sugiyama has them, from left to right: a table stands right of those that it refers to. Keys that would
//! close a circle lead back. Between two layers is a channel for the lines, whose upright pieces have a track each; a line
//! that passes a layer has a place of its own there, as a box of no height, so that no line can go through a box. Lines to
//! the same column of the same table share their way, like a bus: a table that thirty others refer to has one trunk.
//!
//! Tables that no line connects are laid out apart from each other, and packed.

mod component;
mod order;
mod pack;
mod place;
mod rank;
mod route;

use super::graph::{Graph, Many};

/// The height of a row.
pub(crate) const ROW: f64 = 20.0;
/// The least height of a box's head.
const HEAD: f64 = 28.0;
/// What each end of a line at a head needs.
const END: f64 = 11.0;
/// Between components, and around them.
const MARGIN: f64 = 28.0;

/// What is laid out: a box, or the name of an association on the line between two.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) width: f64,
    /// Rows of columns.
    pub(crate) rows: usize,
    /// Its node in the graph; `None` for the name of an association.
    pub(crate) node: Option<usize>,
}

/// A line to be laid out.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The shape that refers, and its row; the head where there is none.
    pub(crate) from: (usize, Option<usize>),
    /// The shape that is referred to.
    pub(crate) to: (usize, Option<usize>),
    /// What is drawn at the beginning.
    pub(crate) many_from: Option<Many>,
    /// What is drawn at the end. Lines that end alike at the same row share their end.
    pub(crate) many_to: Many,
    /// Its edge in the graph.
    pub(crate) edge: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Where a shape is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The height of its head.
    pub(crate) head: f64,
}

/// The picture with its places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) places: Vec<Place>,
    pub(crate) lines: Vec<Line>,
    /// The corners of each line, from what refers to what is referred to.
    pub(crate) ways: Vec<Vec<Point>>,
}

/// Lays a graph out. `width` is that of the box of each node, and of a text.
pub(crate) fn layout(graph: &Graph, width: impl Fn(usize) -> f64, text: impl Fn(&str) -> f64) -> Layout {
    let mut shapes: Vec<Shape> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(i, node)| Shape { width: width(i), rows: node.rows.len(), node: Some(i) })
        .collect();
    let mut lines = Vec::new();
    for (edge, of) in graph.edges.iter().enumerate() {
        if of.many_to == Many::ZeroOrMore {
            let between = shapes.len();
            shapes.push(Shape { width: text(&of.label), rows: 0, node: None });
            for to in [of.from, of.to] {
                lines.push(Line { from: (between, None), to, many_from: None, many_to: Many::ZeroOrMore, edge });
            }
        } else {
            let (from, to) = (of.from, of.to);
            lines.push(Line { from, to, many_from: Some(of.many_from), many_to: of.many_to, edge });
        }
    }
    let parts: Vec<component::Laid> =
        components(shapes.len(), &lines).into_iter().map(|part| component::lay(&shapes, &lines, &part)).collect();
    pack::pack(shapes, lines, parts)
}

/// The shapes that lines connect, each with its lines.
#[derive(Clone, Debug, Default)]
struct Part {
    shapes: Vec<usize>,
    lines: Vec<usize>,
}

fn components(shapes: usize, lines: &[Line]) -> Vec<Part> {
    let mut root: Vec<usize> = (0..shapes).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    for line in lines {
        let (a, b) = (find(&mut root, line.from.0), find(&mut root, line.to.0));
        root[a.max(b)] = a.min(b);
    }
    let mut parts = vec![Part::default(); shapes];
    for shape in 0..shapes {
        let of = find(&mut root, shape);
        parts[of].shapes.push(shape);
    }
    for (i, line) in lines.iter().enumerate() {
        let of = find(&mut root, line.from.0);
        parts[of].lines.push(i);
    }
    parts.retain(|part| !part.shapes.is_empty());
    parts
}

#[cfg(test)]
mod tests;
