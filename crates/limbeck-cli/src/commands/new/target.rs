//! The model at the other end of a relationship: found by its name among those of the crate.

use syn::ext::IdentExt;
use syn::{Fields, Item, Type};

use super::modules::{self, Crate, Model};
use super::names;
use super::source::{Source, bytes};

/// The column that a foreign key to a model refers to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    /// The field's name, as Rust writes it.
    pub(super) field: String,
    /// Its type, as a file with `use limbeck::prelude::*` writes it.
    pub(super) ty: String,
    /// What has to be imported for that.
    pub(super) import: Option<Vec<String>>,
    /// What else its column says of its type, which one that refers to it has to say as well: `length = 2`.
    pub(super) options: Vec<String>,
}

/// The types that every file with models can name.
const KNOWN: [&str; 5] = ["i16", "i32", "i64", "String", "Uuid"];

/// Finds the model that is said, by its name or by as much of its path as tells it from others.
pub(super) fn find<'c>(all: &'c Crate, said: &str) -> Result<Model<'c>, String> {
    let path: Vec<&str> = said.split("::").map(str::trim).filter(|segment| *segment != "crate").collect();
    let is_it = |model: &Model<'_>| {
        let full: Vec<&str> = model.module.path.iter().map(String::as_str).collect();
        let name = model.name();
        [&full[..], &[name.as_str()]].concat().ends_with(&path)
    };
    let found: Vec<Model<'_>> = all.models().filter(is_it).collect();
    match &found[..] {
        [one] => Ok(*one),
        [] => Err(not_found(all, said, path.last().copied().unwrap_or_default())),
        several => {
            let places: Vec<String> = several
                .iter()
                .map(|model| format!("\n  {}::{} in {}", model.module.shown(), model.name(), model.place()))
                .collect();
            Err(format!("there are several models `{said}`: say which by its path{}", places.concat()))
        }
    }
}

fn not_found(all: &Crate, said: &str, name: &str) -> String {
    // A struct that is there, but is no model.
    if let Some((module, item)) = all.structs().find(|(_, item)| item.ident == name) {
        let source = all.source(module);
        let line = source.line_number(bytes(item.ident.span()).start);
        return format!("{}:{line}: the struct `{name}` has no derive(Model)", source.shown);
    }
    if let Some(place) = in_a_macro(all, name) {
        return format!(
            "{place}: `{name}` seems to be made by a macro, whose text cannot be edited: write both sides by hand, and \
             the model without this field"
        );
    }
    let names: Vec<String> = all.models().map(|model| model.name()).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = known.iter().copied().find(|known| known.eq_ignore_ascii_case(name));
    let near = near.or_else(|| names::nearest(name, &known));
    let mut message = format!("there is no model `{said}` in this crate");
    if let Some(near) = near {
        message.push_str(&format!(": did you mean `{near}`?"));
    }
    // It may well be in a file that could not be read.
    for unread in &all.unread {
        message.push_str(&format!("\n  not read: {unread}"));
    }
    // Files without models are of interest where the model may be one that was not recognised.
    let has_models = |source: &&Source| all.models().any(|model| std::ptr::eq(model.source, *source));
    let read: Vec<&Source> = match near {
        Some(_) => all.sources.iter().filter(has_models).collect(),
        None => all.sources.iter().collect(),
    };
    message.push_str(if near.is_some() { "\nmodels are in" } else { "\nlooked at" });
    const SHOWN: usize = 20;
    for source in read.iter().copied().take(SHOWN) {
        let here = all.models().filter(|model| std::ptr::eq(model.source, source)).map(|model| model.name());
        let here: Vec<String> = here.collect();
        let here = if here.is_empty() { "no models".to_string() } else { here.join(", ") };
        message.push_str(&format!("\n  {}: {here}", source.shown));
    }
    if let more @ 1.. = read.len().saturating_sub(SHOWN) {
        message.push_str(&format!("\n  and {more} files more"));
    }
    message
}

/// Where a macro of the crate, its definition or its use, has a struct of that name.
fn in_a_macro(all: &Crate, name: &str) -> Option<String> {
    all.modules.iter().find_map(|module| {
        all.items(module).iter().find_map(|item| match item {
            Item::Macro(item) => {
                let tokens = item.mac.tokens.to_string();
                let words: Vec<&str> = tokens.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
                let is_macro_rules = item.mac.path.is_ident("macro_rules");
                let is_it = words.windows(2).any(|pair| pair == ["struct", name])
                    || (!is_macro_rules && words.contains(&name) && !words.contains(&"fn"));
                let source = all.source(module);
                let line = source.line_number(bytes(item.mac.path.segments.first()?.ident.span()).start);
                is_it.then(|| format!("{}:{line}", source.shown))
            }
            _ => None,
        })
    })
}

/// The key of a model, which a foreign key in the module `from` refers to.
pub(super) fn key(all: &Crate, model: &Model<'_>, from: &[String]) -> Result<Key, String> {
    let (name, place) = (model.name(), model.place());
    if !model.item.generics.params.is_empty() {
        return Err(format!("{place}: `{name}` is generic, which a model cannot be"));
    }
    let Fields::Named(fields) = &model.item.fields else {
        return Err(format!("{place}: `{name}` has no named fields, which a model needs"));
    };
    let keys: Vec<&syn::Field> =
        fields.named.iter().filter(|field| modules::has_option(&field.attrs, "column", "primary_key")).collect();
    let field = match keys[..] {
        [one] => one,
        [] => return Err(format!("{place}: `{name}` has no primary key")),
        _ => {
            return Err(format!(
                "{place}: `{name}` has a key of {} columns: write the columns, `#[model(foreign_key((…), {name}(…)))]` and \
                 the relationship by hand",
                keys.len()
            ));
        }
    };
    let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    if !modules::is_field_visible(field, &model.module.path, from) {
        return Err(format!(
            "{place}: the key `{name}.{ident}` is private, and the new model has to name it: make it `pub`"
        ));
    }
    let (ty, import) = key_type(all, model, &field.ty, from)?;
    let options = ["length", "text", "numeric", "type"].iter().filter_map(|name| {
        let range = modules::option_range(&field.attrs, "column", name)?;
        Some(model.source.text[range].to_string())
    });
    Ok(Key { field: ident, ty, import, options: options.collect() })
}

/// How another file writes the type of a key.
fn key_type(
    all: &Crate,
    model: &Model<'_>,
    ty: &Type,
    from: &[String],
) -> Result<(String, Option<Vec<String>>), String> {
    let unclear = || {
        let text = &model.source.text[bytes(syn::spanned::Spanned::span(ty))];
        format!(
            "{}: where the type `{text}` of the key of `{}` comes from is not to be seen: import it in that file by its name",
            model.place(),
            model.name()
        )
    };
    let Type::Path(path) = ty else { return Err(unclear()) };
    if path.qself.is_some() || path.path.segments.iter().any(|segment| !segment.arguments.is_none()) {
        return Err(unclear());
    }
    let segments: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
    let here = &model.module.path;
    let items = all.items(model.module);
    let of_crate = |path: Vec<String>| [vec!["crate".to_string()], path].concat();
    match &segments[..] {
        [name] => {
            if let Some(item) = items.iter().find(|item| modules::defines(item).as_ref() == Some(name)) {
                let visibility = match item {
                    Item::Struct(item) => &item.vis,
                    Item::Type(item) => &item.vis,
                    _ => return Err(unclear()),
                };
                let way = all.way(model.module, name, visibility, from)?;
                return Ok((name.clone(), Some(of_crate(way))));
            }
            if let Some(used) = modules::used(items).into_iter().find(|used| used.name == *name) {
                let inside =
                    used.path.first().is_some_and(|first| ["crate", "self", "super"].contains(&first.as_str()));
                let full = match inside {
                    true => of_crate(modules::absolute(&used.path, here)),
                    false => used.path,
                };
                return match full.last() == Some(name) {
                    true => Ok((name.clone(), Some(full))),
                    // Renamed there: here it has its own name, in full.
                    false => Ok((full.join("::"), None)),
                };
            }
            if KNOWN.contains(&name.as_str()) { Ok((name.clone(), None)) } else { Err(unclear()) }
        }
        [first, ..] if first == "super" || first == "self" => {
            Ok((of_crate(modules::absolute(&segments, here)).join("::"), None))
        }
        _ => Ok((segments.join("::"), None)),
    }
}
