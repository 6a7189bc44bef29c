//! The picture in Graphviz's words.

use super::graph::{Graph, Many, Node};
use super::svg::escaped;

/// The picture as a `digraph`, whose arrows are crow's feet.
pub(crate) fn write(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph tables {\n    graph [rankdir=RL, nodesep=0.4, ranksep=1.2]\n    node [shape=plain, fontname=\"Courier\", \
         fontsize=11]\n    edge [dir=both, fontname=\"Courier\", fontsize=9]\n",
    );
    for (i, node) in graph.nodes.iter().enumerate() {
        out.push_str(&format!("    t{i} [label=<{}>]\n", table(node)));
    }
    for edge in &graph.edges {
        let end = |(node, row): (usize, Option<usize>)| match row {
            Some(row) => format!("t{node}:c{row}"),
            None => format!("t{node}"),
        };
        out.push_str(&format!(
            "    {} -> {} [arrowtail={}, arrowhead={}, tooltip={}]\n",
            end(edge.from),
            end(edge.to),
            arrow(edge.many_from),
            arrow(edge.many_to),
            quoted(&edge.label)
        ));
    }
    out.push_str("}\n");
    out
}

fn arrow(many: Many) -> &'static str {
    match many {
        Many::One => "teetee",
        Many::ZeroOrOne => "teeodot",
        Many::ZeroOrMore => "crowodot",
    }
}

fn table(node: &Node) -> String {
    let mut out = String::from("<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" cellpadding=\"4\">");
    out.push_str(&format!("<tr><td bgcolor=\"#dbe7f5\"><b>{}</b></td></tr>", escaped(&node.name)));
    for (i, row) in node.rows.iter().enumerate() {
        let name = if row.primary { format!("<u>{}</u>", escaped(&row.name)) } else { escaped(&row.name) };
        let optional = if row.nullable { "?" } else { "" };
        out.push_str(&format!(
            "<tr><td align=\"left\" port=\"c{i}\">{name} {}{optional}</td></tr>",
            escaped(&row.kind)
        ));
    }
    out.push_str("</table>");
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
