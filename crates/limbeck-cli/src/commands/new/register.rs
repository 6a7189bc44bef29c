//! The modules that lead to the new file: `pub mod blog;` in the crate's root, `pub mod models;` in `src/blog/mod.rs`.

use std::path::PathBuf;

use limbeck_migrate::Error;
use syn::Item;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::edit::Edit;
use super::modules::{Crate, Module};
use super::names;
use super::source::{self, Source, bytes};
use super::wrong;

/// What declares the new module.
pub(super) struct Registration {
    /// The file of the model.
    pub(super) file: PathBuf,
    /// Files that will be there, for modules on the way.
    pub(super) new: Vec<(PathBuf, String)>,
    /// Edits of files that are there, each by its position among the crate's sources.
    pub(super) edits: Vec<(usize, Edit)>,
    /// A file that is there and nobody had declared, with its edit.
    pub(super) found: Vec<(Source, Edit)>,
}

/// Plans the way from the root of the crate to `models` in the feature.
pub(super) fn plan(all: &Crate, feature: &[String], root: &std::path::Path) -> Result<Registration, Error> {
    let mut plan = Registration { file: PathBuf::new(), new: Vec::new(), edits: Vec::new(), found: Vec::new() };
    // As deep as modules are declared.
    let depth = (0..=feature.len()).rev().find(|&depth| all.module(&feature[..depth]).is_some()).unwrap_or(0);
    let Some(deepest) = all.module(&feature[..depth]) else { return Err(wrong("the crate has no root")) };
    let mut folder = deepest.folder.clone();
    let rest = [&feature[depth..], &["models".to_string()]].concat();
    declare(all, deepest, &rest[0], &mut plan)?;
    for (i, name) in rest.iter().enumerate().take(rest.len() - 1) {
        let child = &rest[i + 1];
        let own = folder.join(name);
        let line = format!("pub mod {};\n", names::rust(child));
        let (beside, inside) = (folder.join(format!("{name}.rs")), own.join("mod.rs"));
        let there = [&beside, &inside].into_iter().find(|file| file.is_file()).cloned();
        match there {
            Some(file) => {
                let source = Source::read(&file, root)?;
                if !declares(&source.items, child) {
                    let edit = module_line(&source, &source.items, child);
                    plan.found.push((source, edit));
                }
            }
            None if all.is_without_mod_rs() => plan.new.push((beside, line)),
            None => plan.new.push((inside, line)),
        }
        folder = own;
    }
    let (file, as_folder) = (folder.join("models.rs"), folder.join("models"));
    let feature = feature.join("/");
    for there in [&file, &as_folder.join("mod.rs")] {
        if there.exists() {
            return Err(wrong(format!(
                "{} is there already, and nothing is overwritten: give the model a module of its own, `limbeck new model \
                 {feature}/NAME …`, or write it into that file",
                source::shown(there, root)
            )));
        }
    }
    plan.file = file;
    Ok(plan)
}

/// Declares a module in one that is there.
fn declare(all: &Crate, parent: &Module, name: &str, plan: &mut Registration) -> Result<(), Error> {
    let (source, items) = (all.source(parent), all.items(parent));
    if declares(items, name) {
        return Ok(());
    }
    if parent.is_inline() {
        return Err(wrong(format!(
            "{}: the module `{}` is written in braces there, and its files would be hidden in it: give it a file of its \
             own first",
            source.shown,
            parent.shown()
        )));
    }
    let other = items.iter().find(|item| super::modules::defines(item).as_deref() == Some(name));
    if let Some(item) = other {
        return Err(source::at(
            source,
            item.span(),
            format!("there is something else called `{name}` here: choose another FEATURE"),
        ));
    }
    if super::modules::used(items).iter().any(|used| used.name == name) {
        return Err(wrong(format!("{}: `{name}` is imported here already: choose another FEATURE", source.shown)));
    }
    plan.edits.push((parent.source, module_line(source, items, name)));
    Ok(())
}

fn declares(items: &[Item], name: &str) -> bool {
    items.iter().any(|item| matches!(item, Item::Mod(module) if module.ident.unraw() == name))
}

/// The line `pub mod x;`, among the others in their order.
fn module_line(source: &Source, items: &[Item], name: &str) -> Edit {
    let nl = source.newline();
    let line = format!("pub mod {};", names::rust(name));
    let is_line = |item: &Item| matches!(item, Item::Mod(module) if module.content.is_none());
    let groups = items.split(|item| !is_line(item)).filter(|group| !group.is_empty());
    let groups = groups.flat_map(|run| split_at_blank_lines(source, run));
    let is_public = |item: &Item| matches!(item, Item::Mod(module) if matches!(module.vis, syn::Visibility::Public(_)));
    let is_conditional =
        |item: &Item| matches!(item, Item::Mod(module) if module.attrs.iter().any(|attr| attr.path().is_ident("cfg")));
    let groups: Vec<&[Item]> = groups.filter(|group| !group.iter().all(is_conditional)).collect();
    let group = groups.iter().find(|group| group.iter().any(is_public)).or(groups.first());
    if let Some([.., last]) = group {
        let after = group
            .into_iter()
            .flat_map(|group| group.iter())
            .find(|item| matches!(item, Item::Mod(module) if module.ident.unraw().to_string().as_str() > name));
        return match after {
            Some(item) => Edit::insert(source.start_with_comments(item), format!("{line}{nl}")),
            None => {
                let end = source.line_end(bytes(last.span()).end);
                let first = if source.text[..end].ends_with('\n') { "" } else { nl };
                Edit::insert(end, format!("{first}{line}{nl}"))
            }
        };
    }
    match items.first() {
        Some(item) => Edit::insert(source.start_with_comments(item), format!("{line}{nl}{nl}")),
        None if source.text.trim().is_empty() => Edit::insert(source.text.len(), format!("{line}{nl}")),
        None => {
            let first = if source.text.ends_with('\n') { "" } else { nl };
            let blank = if source.text.ends_with(&format!("{nl}{nl}")) { "" } else { nl };
            Edit::insert(source.text.len(), format!("{first}{blank}{line}{nl}"))
        }
    }
}

/// Runs of lines that nothing divides, which are what rustfmt sorts.
fn split_at_blank_lines<'i>(source: &Source, run: &'i [Item]) -> Vec<&'i [Item]> {
    let mut groups = Vec::new();
    let mut start = 0;
    for i in 1..run.len() {
        let between = &source.text[bytes(run[i - 1].span()).end..bytes(run[i].span()).start];
        if between.matches('\n').count() > 1 {
            groups.push(&run[start..i]);
            start = i;
        }
    }
    groups.push(&run[start..]);
    groups
}

#[cfg(test)]
mod tests {
    use super::super::edit;
    use super::*;

    fn with(text: &str) -> String {
        let items = source::parse(text, "lib.rs").unwrap();
        let source = Source { path: PathBuf::new(), shown: "lib.rs".into(), text: text.into(), items };
        let added = edit::apply(text, &[module_line(&source, &source.items, "blog")]);
        source::parse(&added, "lib.rs").unwrap();
        added
    }

    #[test]
    fn a_module_is_declared_among_the_others() {
        for (before, after) in [
            ("", ""),
            ("//! Doc.\n\n", ""),
            ("pub mod a;\n", "pub mod c;\n"),
            ("mod z;\n\npub mod a;\n", "pub mod c;\n\nuse a::b;\n"),
            ("pub mod a;\n", ""),
            ("/// A.\npub mod a; // a\n", "/// C.\n#[allow(unused)]\npub mod c;\n"),
            ("//! Doc.\n\n", "// Why.\npub mod c;\n"),
        ] {
            assert_eq!(with(&format!("{before}{after}")), format!("{before}pub mod blog;\n{after}"));
        }
    }

    #[test]
    fn without_modules_it_stands_before_everything() {
        assert_eq!(with("//! Doc.\n\nuse a::b;\n"), "//! Doc.\n\npub mod blog;\n\nuse a::b;\n");
        assert_eq!(with("//! Doc."), "//! Doc.\n\npub mod blog;\n");
        assert_eq!(with("// Run.\r\nfn f() {}\r\n"), "pub mod blog;\r\n\r\n// Run.\r\nfn f() {}\r\n");
        assert_eq!(with("#[cfg(test)]\nmod tests;\n"), "pub mod blog;\n\n#[cfg(test)]\nmod tests;\n");
        assert_eq!(with("pub mod a;"), "pub mod a;\npub mod blog;\n");
    }
}
