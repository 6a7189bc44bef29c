//! Models as they are written: where the struct, its fields and their options stand.
//!
//! A compiled model knows its file and line and what its options mean, not where they stand, nor whether `on_delete` was
//! said or left out. Both are read from the source when the lint runs, so that a program carries none of it. A model that
//! a macro wrote is not in its file: it has a line, and no more.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use limbeck::model::ModelDef;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;

/// A file with models.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path as the compiler names it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// The structs in it that derive something.
    pub(crate) structs: Vec<Struct>,
}

/// A struct.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) ident: Range<usize>,
    /// From its first attribute to its end.
    range: Range<usize>,
    pub(crate) attributes: Vec<Attribute>,
    /// Where the derives are, for an attribute to be added behind them.
    pub(crate) after_derive: Option<usize>,
    pub(crate) fields: Vec<Field>,
}

/// A field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ident: Range<usize>,
    /// Where its visibility or its name begins: an attribute is added before that.
    pub(crate) declaration: usize,
    /// Where its type ends.
    pub(crate) end: usize,
    /// The visibility, with the space after it.
    pub(crate) visibility: String,
    /// The last name of its type, without parameters: `Timestamps`.
    pub(crate) type_name: String,
    /// Its type, without spaces.
    pub(crate) type_text: String,
    pub(crate) attributes: Vec<Attribute>,
}

/// `#[column(…)]`
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    /// What is in its brackets, if it has some.
    pub(crate) inner: Option<Range<usize>>,
    pub(crate) options: Vec<Opt>,
}

/// An option in an attribute: `foreign_key(User.id, on_delete = cascade)`.
#[derive(Debug, Clone)]
pub(crate) struct Opt {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    /// The words and texts in its brackets.
    pub(crate) inner: Vec<(String, Range<usize>)>,
    /// What is in its brackets.
    pub(crate) brackets: Option<Range<usize>>,
    /// What stands behind `=`, as it is written.
    pub(crate) value: Option<String>,
}

impl Opt {
    /// Whether a word stands in its brackets.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.inner.iter().any(|(text, _)| text == word)
    }

    /// Whether it is a flag that is not taken back by `= false`.
    pub(crate) fn is_on(&self) -> bool {
        self.value.as_deref() != Some("false")
    }
}

/// The options of a field or struct, of the attributes of a name.
pub(crate) fn options<'a>(attributes: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a Opt> {
    attributes.iter().filter(move |attribute| attribute.name == name).flat_map(|attribute| &attribute.options)
}

impl Field {
    /// An option of the column.
    pub(crate) fn option(&self, name: &str) -> Option<&Opt> {
        options(&self.attributes, "column").find(|option| option.name == name)
    }
}

impl Struct {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The sources of models, each file read once.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
    /// By the compiler's name for a file, those that it may be.
    files: HashMap<&'static str, Vec<Rc<SourceFile>>>,
}

impl Sources {
    /// Sources of a package in that folder. The compiler names files from the folder of the workspace, which is that one
    /// or above it.
    pub fn new(root: &Path) -> Self {
        Sources { root: root.to_path_buf(), files: HashMap::new() }
    }

    /// The file that a model is in, where it can be read.
    pub fn file(&mut self, model: &ModelDef) -> Option<Rc<SourceFile>> {
        let name = model.location.0;
        let files = self.files.entry(name).or_insert_with(|| read(&self.root, name));
        // Of two files of that name, the one that has the model.
        let has = |file: &&Rc<SourceFile>| file.model(model).is_some();
        files.iter().find(has).or_else(|| files.first()).cloned()
    }
}

/// The files of a name, in a folder and those above it.
fn read(root: &Path, name: &str) -> Vec<Rc<SourceFile>> {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).ok()?;
        let structs = structs(&text)?;
        Some(Rc::new(SourceFile { name: name.to_string(), path, text, structs }))
    };
    root.ancestors().map(|folder| folder.join(name)).filter_map(read).collect()
}

impl SourceFile {
    /// Reads a source; `None` where it is no Rust.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        Some(SourceFile { name: "test.rs".into(), path: "test.rs".into(), text: text.into(), structs: structs(text)? })
    }

    /// The struct of a model.
    pub(crate) fn model(&self, model: &ModelDef) -> Option<&Struct> {
        let line = model.location.1 as usize;
        let mut named = self.structs.iter().filter(|found| found.name == model.name);
        named.find(|found| {
            let (first, _) = self.line_column(found.range.start);
            let (last, _) = self.line_column(found.range.end);
            (first..=last).contains(&line)
        })
    }

    /// The line and column of a place, both from 1 on; columns are characters.
    pub fn line_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
    }
}

/// Whether a text is a Rust source.
pub fn is_rust(text: &str) -> bool {
    syn::parse_str::<syn::File>(text.trim_start_matches('\u{feff}')).is_ok()
}

/// The structs of a source that have attributes.
fn structs(text: &str) -> Option<Vec<Struct>> {
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let file: syn::File = syn::parse_str(&text[skipped..]).ok()?;
    let reader = Reader { text, skipped };
    let mut out = Vec::new();
    reader.items(&file.items, &mut out);
    Some(out)
}

struct Reader<'t> {
    text: &'t str,
    skipped: usize,
}

impl Reader<'_> {
    fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        range.start + self.skipped..range.end + self.skipped
    }

    fn items(&self, items: &[syn::Item], out: &mut Vec<Struct>) {
        for item in items {
            match item {
                syn::Item::Struct(item) if !item.attrs.is_empty() => out.push(self.structure(item)),
                syn::Item::Mod(module) => {
                    if let Some((_, items)) = &module.content {
                        self.items(items, out);
                    }
                }
                syn::Item::Fn(function) => {
                    for statement in &function.block.stmts {
                        if let syn::Stmt::Item(item) = statement {
                            self.items(std::slice::from_ref(item), out);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn structure(&self, item: &syn::ItemStruct) -> Struct {
        let first = item.attrs.iter().map(|attribute| self.range(attribute.span()).start).min();
        let ident = self.range(item.ident.span());
        let end = self.range(item.fields.span()).end.max(ident.end);
        let derives = item.attrs.iter().filter(|attribute| attribute.path().is_ident("derive"));
        Struct {
            name: plain(&item.ident),
            range: first.unwrap_or(ident.start)..end,
            ident,
            attributes: self.attributes(&item.attrs),
            after_derive: derives.map(|attribute| self.range(attribute.span()).end).max(),
            fields: item.fields.iter().filter_map(|field| self.field(field)).collect(),
        }
    }

    fn field(&self, field: &syn::Field) -> Option<Field> {
        let name = field.ident.as_ref()?;
        let ident = self.range(name.span());
        let public = !matches!(field.vis, syn::Visibility::Inherited);
        let declaration = if public { self.range(field.vis.span()).start } else { ident.start };
        let ty = self.range(field.ty.span());
        let type_name = match &field.ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| plain(&segment.ident)),
            _ => None,
        };
        let written = self.text.get(ty.clone()).unwrap_or_default();
        Some(Field {
            name: plain(name),
            visibility: self.text.get(declaration..ident.start).unwrap_or_default().to_string(),
            ident,
            declaration,
            end: ty.end,
            type_name: type_name.unwrap_or_default(),
            type_text: written.split_whitespace().collect(),
            attributes: self.attributes(&field.attrs),
        })
    }

    fn attributes(&self, attributes: &[syn::Attribute]) -> Vec<Attribute> {
        let ours = |attribute: &&syn::Attribute| {
            ["model", "column", "relationship"].iter().any(|name| attribute.path().is_ident(name))
        };
        attributes.iter().filter(ours).map(|attribute| self.attribute(attribute)).collect()
    }

    fn attribute(&self, attribute: &syn::Attribute) -> Attribute {
        let name = attribute.path().get_ident().map(plain).unwrap_or_default();
        let range = self.range(attribute.span());
        let syn::Meta::List(list) = &attribute.meta else {
            return Attribute { name, range, inner: None, options: Vec::new() };
        };
        let open = self.range(list.delimiter.span().open());
        let close = self.range(list.delimiter.span().close());
        Attribute { name, range, inner: Some(open.end..close.start), options: self.list(list.tokens.clone()) }
    }

    /// Options, with commas between them.
    fn list(&self, tokens: TokenStream) -> Vec<Opt> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
        tokens.split(comma).filter_map(|tokens| self.option(tokens)).collect()
    }

    fn option(&self, tokens: &[TokenTree]) -> Option<Opt> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let TokenTree::Ident(name) = first else { return None };
        let range = self.range(first.span()).start..self.range(last.span()).end;
        let (mut inner, mut brackets, mut value) = (Vec::new(), None, None);
        match tokens.get(1) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                brackets = Some(self.range(group.span_open()).end..self.range(group.span_close()).start);
                self.words(group.stream(), &mut inner);
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
                let written = tokens.get(2).map(|token| self.range(token.span()).start..range.end);
                value = written.and_then(|range| self.text.get(range)).map(str::to_string);
            }
            _ => {}
        }
        Some(Opt { name: name.to_string(), range, inner, brackets, value })
    }

    fn words(&self, tokens: TokenStream, out: &mut Vec<(String, Range<usize>)>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => out.push((plain(&ident), self.range(ident.span()))),
                TokenTree::Literal(literal) => out.push((literal.to_string(), self.range(literal.span()))),
                TokenTree::Group(group) => self.words(group.stream(), out),
                TokenTree::Punct(_) => {}
            }
        }
    }
}

fn plain(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_string).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\u{feff}// ü\nmod inner {\n    /// Somebody.\n    #[derive(Debug, Model)]\n    #[model(table = \
                        \"users\", index(a, b desc))]\n    pub struct User {\n        #[column(primary_key)]\n        pub \
                        id: i64,\n        #[column(foreign_key(Org.id, on_delete = cascade), index = false)]\n        \
                        pub(crate) org_id: Option< i64 >,\n        r#type: String,\n    }\n}\n";

    #[test]
    fn places_are_found_to_the_character() {
        let file = SourceFile::of_text(TEXT).unwrap();
        let [user] = &file.structs[..] else { panic!("one struct") };
        assert_eq!(file.text.get(user.ident.clone()), Some("User"));
        assert_eq!(file.line_column(user.ident.start), (6, 16));
        let org = user.field("org_id").unwrap();
        assert_eq!((org.visibility.as_str(), org.type_text.as_str()), ("pub(crate) ", "Option<i64>"));
        let key = org.option("foreign_key").unwrap();
        assert!(key.says("on_delete") && !key.says("index"));
        assert_eq!(file.text.get(key.range.clone()), Some("foreign_key(Org.id, on_delete = cascade)"));
        let index = org.option("index").unwrap();
        assert!(!index.is_on());
        assert!(user.field("type").is_some());
        let [model] = &user.attributes[..] else { panic!("one attribute") };
        assert_eq!(file.text.get(model.inner.clone().unwrap()), Some("table = \"users\", index(a, b desc)"));
        assert_eq!(model.options[1].inner.len(), 3);
    }
}
