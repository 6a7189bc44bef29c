//! What holds for every picture, over random graphs.

use proptest::prelude::*;

use super::*;
use crate::diagram::graph::{Edge, Node, Row};

fn node(number: usize, rows: usize) -> Node {
    let row = |i: usize| Row {
        name: format!("column_{i}"),
        kind: "bigint".into(),
        nullable: i % 3 == 2,
        primary: i == 0,
        foreign: i > 0,
        unique: false,
    };
    Node { name: format!("table_{number}"), rows: (0..rows).map(row).collect() }
}

prop_compose! {
    fn graphs(most: usize)(count in 1..most)(
        rows in prop::collection::vec(0..7_usize, count),
        ends in prop::collection::vec((0..count, 0..7_usize, 0..count, 0..4_u8), 0..count * 2),
    ) -> Graph {
        let nodes: Vec<Node> = rows.iter().enumerate().map(|(i, rows)| node(i, *rows)).collect();
        let row = |node: usize, row: usize| (row < nodes[node].rows.len()).then_some(row);
        let edges = ends.into_iter().map(|(from, at, to, many)| Edge {
            from: (from, row(from, at)),
            to: (to, row(to, 0)),
            many_from: if many == 1 { Many::ZeroOrOne } else { Many::ZeroOrMore },
            many_to: match many { 0 => Many::ZeroOrOne, 3 if from != to => Many::ZeroOrMore, _ => Many::One },
            label: "tie".into(),
        });
        Graph { edges: edges.collect(), nodes }
    }
}

fn laid(graph: &Graph) -> Layout {
    layout(graph, |node| 100.0 + 17.0 * (node % 5) as f64, |text| 8.0 * text.len() as f64)
}

fn overlap(a: &Place, b: &Place) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/// Whether an upright or level piece goes through a box, or along its edge.
fn meets(a: &Point, b: &Point, place: &Place) -> bool {
    let (left, right) = (a.x.min(b.x), a.x.max(b.x));
    let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
    left <= place.x + place.width && place.x <= right && top <= place.y + place.height && place.y <= bottom
}

/// Whether a point is on the left or right edge of a box, at this row; at its head where it is none.
fn is_end(point: &Point, place: &Place, row: Option<usize>) -> bool {
    let on_edge = (point.x - place.x).abs() < 0.01 || (point.x - place.x - place.width).abs() < 0.01;
    let (top, height) = match row {
        Some(row) => (place.y + place.head + ROW * row as f64, ROW),
        None => (place.y, place.head),
    };
    on_edge && point.y > top && point.y < top + height
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn boxes_do_not_overlap_and_are_on_the_sheet(graph in graphs(40)) {
        let laid = laid(&graph);
        for (i, a) in laid.places.iter().enumerate() {
            prop_assert!(a.width > 0.0 && a.height > 0.0);
            prop_assert!(a.x >= 0.0 && a.y >= 0.0 && a.x + a.width <= laid.width && a.y + a.height <= laid.height);
            for (j, b) in laid.places.iter().enumerate().skip(i + 1) {
                prop_assert!(!overlap(a, b), "{i} {a:?} and {j} {b:?}");
            }
        }
    }

    #[test]
    fn every_line_goes_from_its_row_to_its_row_by_right_angles(graph in graphs(40)) {
        let laid = laid(&graph);
        prop_assert_eq!(laid.lines.len(), laid.ways.len());
        for (line, way) in laid.lines.iter().zip(&laid.ways) {
            let (Some(first), Some(last)) = (way.first(), way.last()) else { panic!("a line has a way") };
            prop_assert!(is_end(first, &laid.places[line.from.0], line.from.1), "{line:?} begins at {first:?}");
            prop_assert!(is_end(last, &laid.places[line.to.0], line.to.1), "{line:?} ends at {last:?}");
            for pair in way.windows(2) {
                prop_assert!(pair[0].x == pair[1].x || pair[0].y == pair[1].y, "{pair:?}");
            }
        }
    }

    #[test]
    fn no_line_goes_through_a_box(graph in graphs(40)) {
        let laid = laid(&graph);
        for (line, way) in laid.lines.iter().zip(&laid.ways) {
            for (shape, place) in laid.places.iter().enumerate() {
                let own = shape == line.from.0 || shape == line.to.0;
                let last = way.len() - 2;
                for (i, pair) in way.windows(2).enumerate() {
                    // Its ends touch its own boxes.
                    let is_end = own && (i == 0 || i == last);
                    let inner = Place { x: place.x + 0.1, width: place.width - 0.2, ..*place };
                    let place = if is_end { &inner } else { place };
                    prop_assert!(!meets(&pair[0], &pair[1], place), "{line:?} {pair:?} meets {shape} {place:?}");
                }
            }
        }
    }

    #[test]
    fn upright_pieces_of_different_ends_do_not_lie_on_each_other(graph in graphs(25)) {
        let laid = laid(&graph);
        let uprights: Vec<(usize, &[Point])> = laid
            .ways
            .iter()
            .enumerate()
            .flat_map(|(line, way)| way.windows(2).filter(|p| p[0].x == p[1].x).map(move |p| (line, p)))
            .collect();
        for (i, (a, one)) in uprights.iter().enumerate() {
            for (b, other) in &uprights[i + 1..] {
                let key = |line: usize| (laid.lines[line].to, laid.lines[line].many_to);
                let own = |line: usize| laid.lines[line].from.0 == laid.lines[line].to.0;
                if key(*a) == key(*b) || own(*a) || own(*b) || (one[0].x - other[0].x).abs() > 0.01 {
                    continue;
                }
                let span = |p: &[Point]| (p[0].y.min(p[1].y), p[0].y.max(p[1].y));
                let ((a, b), (c, d)) = (span(one), span(other));
                prop_assert!(b < c || d < a, "{one:?} and {other:?}");
            }
        }
    }
}

#[test]
fn a_table_stands_right_of_those_that_it_refers_to() {
    let edge = |from: usize, to: usize| Edge {
        from: (from, Some(1)),
        to: (to, Some(0)),
        many_from: Many::ZeroOrMore,
        many_to: Many::One,
        label: String::new(),
    };
    let graph = Graph { nodes: (0..4).map(|i| node(i, 3)).collect(), edges: vec![edge(1, 0), edge(2, 1), edge(2, 0)] };
    let laid = laid(&graph);
    let x = |shape: usize| laid.places[shape].x;
    assert!(x(0) < x(1) && x(1) < x(2));
    assert_eq!(laid.ways[0].last(), laid.ways[2].last(), "they share their end");
}

#[test]
fn six_hundred_tables_are_laid_out_in_no_time() {
    let edge = |from: usize, to: usize| Edge {
        from: (from, Some(1)),
        to: (to, Some(0)),
        many_from: Many::ZeroOrMore,
        many_to: Many::One,
        label: String::new(),
    };
    let edges = (1..600).flat_map(|i| [edge(i, i / 3), edge(i, (i * 7919) % i.max(2) / 20)]).collect();
    let graph = Graph { nodes: (0..600).map(|i| node(i, 8)).collect(), edges };
    let start = std::time::Instant::now();
    let laid = laid(&graph);
    assert!(laid.width > 0.0 && start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
