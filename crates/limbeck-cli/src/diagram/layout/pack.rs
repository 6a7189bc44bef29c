//! Puts components on one sheet: in rows, the highest first.

use super::component::Laid;
use super::{Layout, Line, MARGIN, Place, Shape};

/// How much wider than high the sheet should be.
const WIDER: f64 = 1.5;

pub(super) fn pack(shapes: Vec<Shape>, lines: Vec<Line>, parts: Vec<Laid>) -> Layout {
    let mut layout = Layout {
        places: vec![Place::default(); shapes.len()],
        ways: vec![Vec::new(); lines.len()],
        shapes,
        lines,
        ..Layout::default()
    };
    let area: f64 = parts.iter().map(|part| (part.width + MARGIN) * (part.height + MARGIN)).sum();
    let widest = parts.iter().map(|part| part.width).fold(0.0, f64::max);
    let width = widest.max((area * WIDER).sqrt()) + 2.0 * MARGIN;
    let mut parts: Vec<(usize, Laid)> = parts.into_iter().enumerate().collect();
    parts.sort_by(|a, b| b.1.height.total_cmp(&a.1.height).then(a.0.cmp(&b.0)));
    let (mut x, mut y, mut row) = (MARGIN, MARGIN, 0.0_f64);
    for (_, part) in parts {
        if x > MARGIN && x + part.width + MARGIN > width {
            (x, y, row) = (MARGIN, y + row + MARGIN, 0.0);
        }
        for (shape, place) in &part.places {
            layout.places[*shape] = Place { x: place.x + x, y: place.y + y, ..*place };
        }
        for (line, mut way) in part.ways {
            for point in &mut way {
                point.x += x;
                point.y += y;
            }
            layout.ways[line] = way;
        }
        x += part.width + MARGIN;
        row = row.max(part.height);
        layout.width = layout.width.max(x);
        layout.height = layout.height.max(y + row + MARGIN);
    }
    layout
}
