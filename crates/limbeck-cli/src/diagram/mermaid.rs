//! The picture in Mermaid's words, which many sites draw.

use super::graph::{Edge, Graph, Many, Node, Row};

/// The picture as an `erDiagram`.
pub(crate) fn write(graph: &Graph) -> String {
    let mut out = String::from("erDiagram\n");
    for node in &graph.nodes {
        write_node(&mut out, node);
    }
    for edge in &graph.edges {
        write_edge(&mut out, graph, edge);
    }
    out
}

fn write_node(out: &mut String, node: &Node) {
    let name = entity(&node.name);
    if node.rows.is_empty() {
        out.push_str(&format!("    {name}\n"));
        return;
    }
    out.push_str(&format!("    {name} {{\n"));
    for row in &node.rows {
        let keys = keys(row);
        let keys = if keys.is_empty() { keys } else { format!(" {keys}") };
        let note = if row.nullable { " \"nullable\"" } else { "" };
        out.push_str(&format!("        {} {}{keys}{note}\n", word(&row.kind), word(&row.name)));
    }
    out.push_str("    }\n");
}

fn keys(row: &Row) -> String {
    let keys = [(row.primary, "PK"), (row.foreign, "FK"), (row.unique && !row.primary, "UK")];
    keys.into_iter().filter(|(is, _)| *is).map(|(_, key)| key).collect::<Vec<_>>().join(", ")
}

fn write_edge(out: &mut String, graph: &Graph, edge: &Edge) {
    let left = match edge.many_to {
        Many::One => "||",
        Many::ZeroOrOne => "|o",
        Many::ZeroOrMore => "}o",
    };
    let right = match edge.many_from {
        Many::One => "||",
        Many::ZeroOrOne => "o|",
        Many::ZeroOrMore => "o{",
    };
    let (to, from) = (entity(&graph.nodes[edge.to.0].name), entity(&graph.nodes[edge.from.0].name));
    out.push_str(&format!("    {to} {left}--{right} {from} : \"{}\"\n", quotable(&edge.label)));
}

/// A text between double quotes, in which Mermaid knows no escapes.
fn quotable(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '"' | '%' | '\\') || c.is_control() { '_' } else { c }).collect()
}

fn entity(name: &str) -> String {
    // Quoted always: `order` and `style` are words of Mermaid's own.
    format!("\"{}\"", quotable(name))
}

/// A name or type of a column, which cannot be quoted.
fn word(text: &str) -> String {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '[' | ']' | '(' | ')') || c >= '\u{c0}';
    let word: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    match word.chars().next() {
        Some(first) if first.is_ascii_alphabetic() || first == '_' || first >= '\u{c0}' => word,
        _ => format!("_{word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mermaid_cannot_read_are_made_so() {
        assert_eq!(word("numeric(10,2)"), "numeric(10_2)");
        assert_eq!(word("1st name"), "_1st_name");
        assert_eq!(word("größe"), "größe");
        assert_eq!(entity("a \"b\"\n100%"), "\"a _b__100_\"");
    }
}
