//! More fields in a struct that is there: text behind its last field, and nothing else.

use syn::spanned::Spanned;
use syn::{Fields, ItemStruct};

use super::edit::Edit;
use super::source::{Source, bytes};

/// The edits that add lines behind the last field. `None` where there is no place: a struct without fields in braces.
pub(super) fn fields(source: &Source, item: &ItemStruct, lines: &[String]) -> Option<Vec<Edit>> {
    let Fields::Named(fields) = &item.fields else { return None };
    let last = fields.named.last()?;
    let nl = source.newline();
    let close = bytes(fields.brace_token.span.close()).start;
    let comma = fields.named.pairs().next_back().and_then(|pair| pair.punct().map(|comma| bytes(comma.span()).end));
    let end = comma.unwrap_or(bytes(last.span()).end);
    let mut edits = Vec::new();
    if comma.is_none() {
        edits.push(Edit::insert(end, ","));
    }
    let own = last.ident.as_ref().map_or(end, |ident| bytes(ident.span()).start);
    let outer = source.indentation(bytes(item.struct_token.span()).start);
    let indentation = match source.indentation(own) {
        // The field does not begin its line.
        indentation if source.line_start(own) + indentation.len() < field_start(last) => {
            let step = if source.text.contains("\n\t") { "\t" } else { "    " };
            format!("{outer}{step}")
        }
        indentation => indentation.to_string(),
    };
    let text: String = lines.iter().map(|line| format!("{indentation}{line}{nl}")).collect();
    let rest = &source.text[end..close];
    match rest.split_once('\n') {
        Some((first, _)) if is_comment(first.trim()) => edits.push(Edit::insert(end + first.len() + 1, text)),
        // A comment that goes on: the brace has a line of its own, or gets one.
        Some(_) if source.text[source.line_start(close)..close].trim().is_empty() => {
            edits.push(Edit::insert(source.line_start(close), text));
        }
        _ => {
            let space = rest.len() - rest.trim_end().len();
            edits.push(Edit { range: close - space..close, text: format!("{nl}{text}{outer}") });
        }
    }
    Some(edits)
}

/// Where a field begins: at its attributes, where these are on its line, and at its visibility otherwise.
fn field_start(field: &syn::Field) -> usize {
    let own = match &field.vis {
        syn::Visibility::Inherited => field.ident.as_ref().map(Spanned::span),
        vis => Some(vis.span()),
    };
    own.map_or(0, |span| bytes(span).start)
}

/// What may be behind a field on its line.
fn is_comment(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with("//") || (rest.starts_with("/*") && rest.find("*/") == Some(rest.len() - 2))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use syn::Item;

    use super::super::edit;
    use super::super::source;
    use super::*;

    fn with(text: &str) -> String {
        let items = source::parse(text, "models.rs").unwrap();
        let source = Source { path: PathBuf::new(), shown: "models.rs".into(), text: text.into(), items };
        let item = source.items.iter().find_map(|item| match item {
            Item::Struct(item) => Some(item),
            _ => None,
        });
        let edits = fields(&source, item.unwrap(), &["#[x]".into(), "y: Y,".into()]).unwrap();
        let added = edit::apply(text, &edits);
        source::parse(&added, "models.rs").unwrap();
        added
    }

    #[test]
    fn fields_come_behind_the_last_and_nothing_else_moves() {
        for (before, after) in [
            ("struct A {\n    a: u8,\n", "}\n"),
            ("struct A {\n    a: u8, // why\n", "    // and so on\n}\n"),
            ("struct A {\n    a: u8, /* why */\n", "}\n"),
            ("struct A {\n    /// Doc.\n    #[b]\n    pub(crate) r#type: Vec<(u8, u8)>,\n", "\n}\n"),
            ("/* ä𝄞 */ struct A\n{\n    a: [u8; { 1 }],\n", "}"),
        ] {
            assert_eq!(with(&format!("{before}{after}")), format!("{before}    #[x]\n    y: Y,\n{after}"));
        }
        assert_eq!(with("struct A {\n    a: u8 // last\n}"), "struct A {\n    a: u8, // last\n    #[x]\n    y: Y,\n}");
    }

    #[test]
    fn line_ends_and_tabs_are_those_of_the_file() {
        assert_eq!(
            with("\u{feff}struct A {\r\n\ta: u8,\r\n}\r\n"),
            "\u{feff}struct A {\r\n\ta: u8,\r\n\t#[x]\r\n\ty: Y,\r\n}\r\n"
        );
        assert_eq!(
            with("mod m {}\nmod n {\n\tuse a;\n}\nstruct A { a: u8 }\n"),
            "mod m {}\nmod n {\n\tuse a;\n}\nstruct A { a: u8,\n\t#[x]\n\ty: Y,\n}\n"
        );
    }

    #[test]
    fn a_struct_on_one_line_is_opened() {
        assert_eq!(with("struct A { #[b] a: u8 }"), "struct A { #[b] a: u8,\n    #[x]\n    y: Y,\n}");
        assert_eq!(with("struct A {a: u8,}"), "struct A {a: u8,\n    #[x]\n    y: Y,\n}");
        assert_eq!(
            with("struct A {\n    a: u8, /* a\n    b */\n}"),
            "struct A {\n    a: u8, /* a\n    b */\n    #[x]\n    y: Y,\n}"
        );
        assert_eq!(with("struct A {\n    a: u8 }"), "struct A {\n    a: u8,\n    #[x]\n    y: Y,\n}");
    }
}
