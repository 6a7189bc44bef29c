//! `use` lines: in the order of rustfmt, and put where a file has those of its kind.

use syn::spanned::Spanned;
use syn::{Item, ItemUse, UseTree};

use super::edit::Edit;
use super::modules;
use super::names;
use super::source::{Source, bytes};

/// A path as Rust writes it.
pub(super) fn written(path: &[String]) -> String {
    let root = |segment: &String| ["crate", "self", "super"].contains(&segment.as_str());
    let segments = path.iter().map(|segment| if root(segment) { segment.clone() } else { names::rust(segment) });
    segments.collect::<Vec<_>>().join("::")
}

/// The `use` lines of a new file, in their order: one for each module.
pub(super) fn lines(paths: &[Vec<String>]) -> Vec<String> {
    let mut paths: Vec<&Vec<String>> = paths.iter().collect();
    paths.sort_by_key(|path| order(path));
    paths.dedup();
    let modules = paths.chunk_by(|a, b| a[..a.len() - 1] == b[..b.len() - 1]);
    let line = |paths: &[&Vec<String>]| match paths {
        [one] => format!("use {};", written(one)),
        several => {
            let names: Vec<String> =
                several.iter().filter_map(|path| path.last()).map(|name| names::rust(name)).collect();
            let module = &several[0][..several[0].len() - 1];
            format!("use {}::{{{}}};", written(module), names.join(", "))
        }
    };
    modules.map(line).collect()
}

/// How rustfmt orders paths: each segment by its kind, then by its letters.
fn order(path: &[String]) -> Vec<(u8, String)> {
    let kind = |segment: &str| match segment {
        "self" => 0,
        "super" => 1,
        "crate" => 2,
        "*" => 6,
        "{" => 7,
        _ if !segment.starts_with(char::is_uppercase) => 3,
        _ if segment.chars().any(char::is_lowercase) => 4,
        _ => 5,
    };
    path.iter().map(|segment| (kind(segment), segment.clone())).collect()
}

/// Whether nothing in a module is called so yet.
pub(super) fn is_free(items: &[Item], name: &str) -> bool {
    !items.iter().any(|item| modules::defines(item).as_deref() == Some(name))
        && !modules::used(items).iter().any(|used| used.name == name)
}

/// How a module writes a name of limbeck's prelude.
pub(super) fn of_prelude(items: &[Item], name: &str) -> String {
    let own = items.iter().any(|item| modules::defines(item).as_deref() == Some(name));
    let imported = modules::used(items).iter().any(|used| match used.name.as_str() {
        "*" => used.path == ["limbeck", "prelude", "*"],
        other => other == name && used.path.first().is_some_and(|first| first == "limbeck"),
    });
    if imported && !own { name.to_string() } else { format!("limbeck::prelude::{name}") }
}

/// The edit that imports something of the crate into a file. The path begins with `crate`.
pub(super) fn add(source: &Source, path: &[String]) -> Edit {
    let nl = source.newline();
    let line = format!("use {};", written(path));
    let uses: Vec<(usize, &ItemUse)> = source
        .items
        .iter()
        .enumerate()
        .filter_map(|(i, item)| match item {
            Item::Use(item) => Some((i, item)),
            _ => None,
        })
        .collect();
    let of_crate: Vec<&(usize, &ItemUse)> = uses.iter().filter(|(_, item)| first(&item.tree) == "crate").collect();
    if let Some(last) = of_crate.last() {
        let new = order(path);
        let after = of_crate.iter().find(|(_, item)| order(&start(&item.tree)) > new);
        return match after {
            Some((i, _)) => Edit::insert(source.start_with_comments(&source.items[*i]), format!("{line}{nl}")),
            None => behind(source, &source.items[last.0], &format!("{line}{nl}"), nl),
        };
    }
    // A group of its own behind the first run of imports, as files that sort by origin have it.
    let first_run = uses.iter().enumerate().take_while(|(n, (i, _))| *i == uses[0].0 + n).last();
    match (first_run, source.items.first()) {
        (Some((_, (i, _))), _) => behind(source, &source.items[*i], &format!("{nl}{line}{nl}"), nl),
        (None, Some(item)) => Edit::insert(source.start_with_comments(item), format!("{line}{nl}{nl}")),
        (None, None) => Edit::insert(source.text.len(), format!("{line}{nl}")),
    }
}

/// Behind an item, on a line of its own.
fn behind(source: &Source, item: &Item, text: &str, nl: &str) -> Edit {
    let end = bytes(item.span()).end;
    let next = source.line_end(end);
    let rest = source.text[end..next].trim();
    let is_alone = rest.is_empty() || rest.starts_with("//");
    if is_alone && source.text[..next].ends_with('\n') {
        return Edit::insert(next, text);
    }
    Edit::insert(if is_alone { next } else { end }, format!("{nl}{}", text.trim_end()))
}

/// The first segment of what is imported.
fn first(tree: &UseTree) -> String {
    start(tree).into_iter().next().unwrap_or_default()
}

/// What is imported, up to the first group.
fn start(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) => [vec![path.ident.to_string()], start(&path.tree)].concat(),
        UseTree::Name(name) => vec![name.ident.to_string()],
        UseTree::Rename(rename) => vec![rename.ident.to_string()],
        UseTree::Glob(_) => vec!["*".into()],
        _ => vec!["{".into()],
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::edit;
    use super::super::source;
    use super::*;

    fn with(text: &str) -> String {
        let items = source::parse(text, "lib.rs").unwrap();
        let source = Source { path: PathBuf::new(), shown: "lib.rs".into(), text: text.into(), items };
        let path = ["crate", "blog", "models", "Post"].map(String::from);
        let added = edit::apply(text, &[add(&source, &path)]);
        source::parse(&added, "lib.rs").unwrap();
        added
    }

    #[test]
    fn an_import_goes_among_those_of_the_crate() {
        let post = "use crate::blog::models::Post;\n";
        for (before, after) in [
            ("use crate::a::A;\n", "use crate::users::User;\nuse limbeck::prelude::*;\n\nstruct S;\n"),
            ("use crate::blog::X;\n", ""),
            ("use crate::{a, b};\n", ""),
            ("use crate::A;\n", ""),
            ("use limbeck::prelude::*;\n\nuse crate::a::A; // why\n", "\nstruct S;\n"),
        ] {
            // rustfmt puts names with capitals, and lists, behind modules.
            let first =
                ["use crate::{a", "use crate::A", "use crate::blog::X"].iter().any(|start| before.starts_with(start));
            let expected = if first { format!("{post}{before}{after}") } else { format!("{before}{post}{after}") };
            assert_eq!(with(&format!("{before}{after}")), expected);
        }
    }

    #[test]
    fn without_imports_of_the_crate_there_is_a_new_group() {
        assert_eq!(
            with("//! Doc.\n\nuse std::fmt;\n\nuse limbeck::prelude::*; // all\n\nstruct S;\n"),
            "//! Doc.\n\nuse std::fmt;\n\nuse limbeck::prelude::*; // all\n\nuse crate::blog::models::Post;\n\nstruct S;\n"
        );
        assert_eq!(
            with("//! Doc.\r\n\r\n// Why.\r\nstruct S;\r\n"),
            "//! Doc.\r\n\r\nuse crate::blog::models::Post;\r\n\r\n// Why.\r\nstruct S;\r\n"
        );
        assert_eq!(with("use a; struct S;"), "use a;\n\nuse crate::blog::models::Post; struct S;");
    }

    #[test]
    fn the_prelude_is_used_where_it_is_imported() {
        let items = |text: &str| source::parse(text, "lib.rs").unwrap();
        for (text, expected) in [
            ("use limbeck::prelude::*;", "HasMany"),
            ("use limbeck::model::{HasMany, Model};", "HasMany"),
            ("use limbeck::Model;", "limbeck::prelude::HasMany"),
            ("use limbeck::prelude::*; struct HasMany;", "limbeck::prelude::HasMany"),
            ("use super::*;", "limbeck::prelude::HasMany"),
        ] {
            assert_eq!(of_prelude(&items(text), "HasMany"), expected, "{text}");
        }
        assert!(!is_free(&items("use a::Post;"), "Post") && !is_free(&items("struct Post;"), "Post"));
        assert!(is_free(&items("use a::Post as P;"), "Post"));
    }
}
