//! The picture as an SVG file that needs nothing else, light or dark as the reader's system is.

use super::graph::{Graph, Many, Row};
use super::layout::{Layout, Place, Point, ROW, layout};

/// The width of a letter of the rows and of the smaller texts; the fonts are fixed-width ones.
const LETTER: f64 = 7.25;
const SMALL: f64 = 6.7;
/// And of the heads, which are bold.
const BOLD: f64 = 8.6;
/// Left of the names, for PK and FK.
const KEYS: f64 = 40.0;
const PADDING: f64 = 10.0;

const STYLE: &str = "text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2933}
.bg,.o{fill:#ffffff}.box{fill:#ffffff;stroke:#8796a5}.head{fill:#dbe7f5}.name{font-weight:bold;font-size:13px}
.key,.type{fill:#66788a}.key{font-size:9px}.pk{font-weight:bold}.type{text-anchor:end}
.between{fill:#f3f5f7;stroke:#8796a5;stroke-dasharray:3 2}.small{font-size:11px;text-anchor:middle}
.line,.end{fill:none;stroke:#4f6f8f;stroke-width:1.2}.o{stroke:#4f6f8f;stroke-width:1.2}
g:hover>.line,g:hover>.end{stroke:#d9480f;stroke-width:2}
@media (prefers-color-scheme:dark){text{fill:#dbe2ea}.bg,.o{fill:#12171d}.box{fill:#1a2129;stroke:#54636f}.head{fill:#24384d}
.key,.type{fill:#93a3b3}.between{fill:#202831;stroke:#54636f}.line,.end,.o{stroke:#82a6c9}}";

/// The picture of a graph.
pub(crate) fn write(graph: &Graph) -> String {
    let laid = layout(graph, |node| width(graph, node), |text| letters(text) * SMALL + 2.0 * PADDING);
    draw(graph, &laid)
}

/// How many letters wide a text is: those of East Asian scripts are two.
fn letters(text: &str) -> f64 {
    text.chars().map(|c| if ('\u{1100}'..'\u{fffd}').contains(&c) || c > '\u{1f000}' { 2.0 } else { 1.0 }).sum()
}

/// What is said of a column's type.
fn kind(row: &Row) -> String {
    format!("{}{}", row.kind, if row.nullable { "?" } else { "" })
}

fn width(graph: &Graph, node: usize) -> f64 {
    let node = &graph.nodes[node];
    let row = |row: &Row| KEYS + (letters(&row.name) + 2.0 + letters(&kind(row))) * LETTER + PADDING;
    let head = letters(&node.name) * BOLD + 2.0 * PADDING;
    node.rows.iter().map(row).fold(head, f64::max).ceil()
}

fn draw(graph: &Graph, laid: &Layout) -> String {
    let (width, height) = (laid.width.ceil(), laid.height.ceil());
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
         {height}\" role=\"img\">\n<title>{} tables</title>\n<style>{STYLE}</style>\n<rect class=\"bg\" \
         width=\"{width}\" height=\"{height}\"/>\n",
        graph.nodes.len()
    );
    for (line, way) in laid.lines.iter().zip(&laid.ways) {
        let edge = &graph.edges[line.edge];
        let (from, to) = (&graph.nodes[edge.from.0].name, &graph.nodes[edge.to.0].name);
        let title = match line.many_from {
            Some(_) => format!("{from} ({}) → {to}", edge.label),
            None => format!("{from} – {to}, by {}", edge.label),
        };
        out.push_str(&format!("<g><title>{}</title><path class=\"line\" d=\"{}\"/>", escaped(&title), path(way)));
        if let ([first, second, ..], Some(many)) = (&way[..], line.many_from) {
            out.push_str(&end(*first, *second, many));
        }
        if let [.., second, last] = &way[..] {
            out.push_str(&end(*last, *second, line.many_to));
        }
        out.push_str("</g>\n");
    }
    for (i, (shape, place)) in laid.shapes.iter().zip(&laid.places).enumerate() {
        match shape.node {
            Some(node) => draw_box(&mut out, graph, node, place),
            None => {
                let label = laid.lines.iter().find(|line| line.from.0 == i).map(|line| &graph.edges[line.edge].label);
                draw_between(&mut out, label.map(String::as_str).unwrap_or_default(), place);
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

fn draw_box(out: &mut String, graph: &Graph, node: usize, place: &Place) {
    let node = &graph.nodes[node];
    let Place { x, y, width, height, head } = *place;
    out.push_str(&format!(
        "<rect class=\"box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\"/>\n",
        n(x),
        n(y),
        n(width),
        n(height)
    ));
    // The head within the frame; its lower corners are round only where it is all there is.
    let (left, top, right, bottom) = (x + 0.5, y + 0.5, x + width - 0.5, y + head);
    let low = if node.rows.is_empty() { 4.5 } else { 0.0 };
    let bottom = if node.rows.is_empty() { bottom - 0.5 } else { bottom };
    out.push_str(&format!(
        "<path class=\"head\" d=\"M{} {}q0 -4.5 4.5 -4.5H{}q4.5 0 4.5 4.5V{}q0 {low} -{low} {low}H{}q-{low} 0 -{low} \
         -{low}Z\"/>\n",
        n(left),
        n(top + 4.5),
        n(right - 4.5),
        n(bottom - low),
        n(left + low),
    ));
    let name = escaped(&node.name);
    out.push_str(&format!(
        "<text class=\"name\" x=\"{}\" y=\"{}\">{name}</text>\n",
        n(x + PADDING),
        n(y + head / 2.0 + 4.5)
    ));
    for (i, row) in node.rows.iter().enumerate() {
        let base = y + head + ROW * i as f64 + ROW / 2.0 + 4.0;
        let key = match row {
            Row { primary: true, foreign: true, .. } => "PK FK",
            Row { primary: true, .. } => "PK",
            Row { foreign: true, unique: true, .. } => "FK UQ",
            Row { foreign: true, .. } => "FK",
            Row { unique: true, .. } => "UQ",
            _ => "",
        };
        if !key.is_empty() {
            out.push_str(&format!("<text class=\"key\" x=\"{}\" y=\"{}\">{key}</text>", n(x + 6.0), n(base - 0.5)));
        }
        out.push_str(&format!(
            "<text{} x=\"{}\" y=\"{}\">{}</text><text class=\"type\" x=\"{}\" y=\"{}\">{}</text>\n",
            if row.primary { " class=\"pk\"" } else { "" },
            n(x + KEYS),
            n(base),
            escaped(&row.name),
            n(x + width - PADDING),
            n(base),
            escaped(&kind(row))
        ));
    }
}

fn draw_between(out: &mut String, label: &str, place: &Place) {
    let Place { x, y, width, height, .. } = *place;
    out.push_str(&format!(
        "<rect class=\"between\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/><text class=\"small\" x=\"{}\" \
         y=\"{}\">{}</text>\n",
        n(x),
        n(y),
        n(width),
        n(height),
        n(f64::min(height / 2.0, 11.0)),
        n(x + width / 2.0),
        n(y + height / 2.0 + 4.0),
        escaped(label)
    ));
}

/// A way with round corners.
fn path(way: &[Point]) -> String {
    const RADIUS: f64 = 5.0;
    let mut out = String::new();
    for (i, point) in way.iter().enumerate() {
        let corner = match (i.checked_sub(1).and_then(|i| way.get(i)), way.get(i + 1)) {
            (Some(before), Some(after)) => Some((before, after)),
            _ => None,
        };
        let straight = |a: &Point, b: &Point| (a.x - b.x).abs() + (a.y - b.y).abs();
        match corner {
            None => out.push_str(&format!("{}{} {}", if i == 0 { 'M' } else { 'L' }, n(point.x), n(point.y))),
            // Two pieces of one straight line.
            Some((a, b)) if (a.x == point.x && b.x == point.x) || (a.y == point.y && b.y == point.y) => {}
            Some((a, b)) => {
                let radius = RADIUS.min(straight(a, point) / 2.0).min(straight(point, b) / 2.0);
                let toward = |to: &Point| {
                    let length = straight(point, to);
                    (point.x + (to.x - point.x) / length * radius, point.y + (to.y - point.y) / length * radius)
                };
                let ((ax, ay), (bx, by)) = (toward(a), toward(b));
                let (x, y) = (n(point.x), n(point.y));
                out.push_str(&format!("L{} {}Q{x} {y} {} {}", n(ax), n(ay), n(bx), n(by)));
            }
        }
    }
    out
}

/// What says how many, at the end of a line: a crow's foot, a bar, a circle for none.
fn end(at: Point, next: Point, many: Many) -> String {
    let way = if next.x < at.x { -1.0 } else { 1.0 };
    let x = |distance: f64| n(at.x + way * distance);
    let (y, above, below) = (n(at.y), n(at.y - 5.0), n(at.y + 5.0));
    let bar = |distance: f64| format!("M{} {above}V{below}", x(distance));
    let circle = |distance: f64| format!("<circle class=\"o\" cx=\"{}\" cy=\"{y}\" r=\"3.5\"/>", x(distance));
    match many {
        Many::One => format!("<path class=\"end\" d=\"{}{}\"/>", bar(6.0), bar(10.0)),
        Many::ZeroOrOne => format!("<path class=\"end\" d=\"{}\"/>{}", bar(6.0), circle(12.5)),
        Many::ZeroOrMore => {
            let foot = format!("M{} {above}L{} {y}L{} {below}", x(0.0), x(10.0), x(0.0));
            format!("<path class=\"end\" d=\"{foot}\"/>{}", circle(13.5))
        }
    }
}

/// A number with one decimal at most.
fn n(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// A text in XML, which has no place for control characters.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
