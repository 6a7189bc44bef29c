//! The modules of a crate, as `mod` lines lead through its files.

use limbeck::schema::naming;
use std::path::{Path, PathBuf};

use limbeck_migrate::Error;
use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Item, ItemMod, ItemStruct, Lit, Meta, Token, UseTree, Visibility};

use super::source::{Source, bytes};

/// A crate, read as far as it is Rust.
pub(super) struct Crate {
    pub(super) sources: Vec<Source>,
    /// The root first.
    pub(super) modules: Vec<Module>,
    /// Files that could not be read, and why.
    pub(super) unread: Vec<String>,
}

pub(super) struct Module {
    /// Its path in the crate, without `r#`; empty for the root.
    pub(super) path: Vec<String>,
    /// The file that it is in.
    pub(super) source: usize,
    /// The folder that the files of its own modules are in.
    pub(super) folder: PathBuf,
    visibility: Visibility,
    /// What is in it, where it is written in braces inside of its file.
    inline: Option<Vec<Item>>,
}

/// A model.
#[derive(Clone, Copy)]
pub(super) struct Model<'c> {
    pub(super) module: &'c Module,
    pub(super) source: &'c Source,
    pub(super) item: &'c ItemStruct,
}

/// A name that a `use` brings into a module.
#[derive(Debug)]
pub(super) struct Used {
    /// What it is, as it is written: `crate`, `users`, `User`. A glob ends in `*`.
    pub(super) path: Vec<String>,
    /// What it is called here; `*` for a glob.
    pub(super) name: String,
    pub(super) is_public: bool,
}

impl Crate {
    /// Reads all files that the root leads to.
    pub(super) fn read(root_file: &Path, package: &Path) -> Result<Crate, Error> {
        let root = Source::read(root_file, package)?;
        let folder = root_file.parent().unwrap_or(package).to_path_buf();
        let mut all = Crate { sources: vec![root], modules: Vec::new(), unread: Vec::new() };
        let visibility = Visibility::Public(Default::default());
        all.modules.push(Module { path: Vec::new(), source: 0, folder, visibility, inline: None });
        let mut next = 0;
        while next < all.modules.len() {
            for child in all.children(next) {
                all.add(next, &child, package);
            }
            next += 1;
        }
        Ok(all)
    }

    /// The `mod`s of a module, but those of tests.
    fn children(&self, module: usize) -> Vec<ItemMod> {
        let items = self.items(&self.modules[module]).iter();
        let modules = items.filter_map(|item| match item {
            Item::Mod(module) if !is_for_tests(&module.attrs) => Some(module.clone()),
            _ => None,
        });
        modules.collect()
    }

    fn add(&mut self, parent: usize, child: &ItemMod, package: &Path) {
        let name = child.ident.unraw().to_string();
        let parent = &self.modules[parent];
        let path = [parent.path.as_slice(), std::slice::from_ref(&name)].concat();
        let visibility = child.vis.clone();
        let folder = parent.folder.join(&name);
        if let Some((_, items)) = &child.content {
            let module = Module { path, source: parent.source, folder, visibility, inline: Some(items.clone()) };
            self.modules.push(module);
            return;
        }
        let said = said_path(&child.attrs).map(|said| {
            let here = self.sources[parent.source].path.parent().unwrap_or(package);
            here.join(said)
        });
        let (file, folder) = match said {
            // Its own modules are looked for beside it.
            Some(file) => (file.clone(), file.parent().unwrap_or(package).to_path_buf()),
            None => match [parent.folder.join(format!("{name}.rs")), folder.join("mod.rs")]
                .into_iter()
                .find(|f| f.is_file())
            {
                Some(file) => (file, folder),
                None => return,
            },
        };
        if self.sources.iter().any(|source| source.path == file) {
            return;
        }
        match Source::read(&file, package) {
            Ok(source) => {
                self.sources.push(source);
                let source = self.sources.len() - 1;
                self.modules.push(Module { path, source, folder, visibility, inline: None });
            }
            Err(error) => self.unread.push(error.to_string()),
        }
    }

    pub(super) fn items<'c>(&'c self, module: &'c Module) -> &'c [Item] {
        match &module.inline {
            Some(items) => items,
            None => &self.sources[module.source].items,
        }
    }

    pub(super) fn source(&self, module: &Module) -> &Source {
        &self.sources[module.source]
    }

    pub(super) fn module(&self, path: &[String]) -> Option<&Module> {
        self.modules.iter().find(|module| module.path == path)
    }

    /// All structs, models or not, each with its module.
    pub(super) fn structs(&self) -> impl Iterator<Item = (&Module, &ItemStruct)> {
        self.modules.iter().flat_map(|module| {
            self.items(module).iter().filter_map(move |item| match item {
                Item::Struct(item) => Some((module, item)),
                _ => None,
            })
        })
    }

    pub(super) fn models(&self) -> impl Iterator<Item = Model<'_>> {
        let models = self.structs().filter(|(_, item)| derives_model(&item.attrs));
        models.map(|(module, item)| Model { module, source: self.source(module), item })
    }

    /// Whether modules of modules are in `x.rs` beside the folder `x`, and never in `x/mod.rs`.
    pub(super) fn is_without_mod_rs(&self) -> bool {
        let file_is = |module: &Module| self.source(module).path.file_name().is_some_and(|name| name == "mod.rs");
        let has_children = |parent: &Module| {
            self.modules.iter().any(|module| {
                module.inline.is_none()
                    && module.path.len() == parent.path.len() + 1
                    && module.path.starts_with(&parent.path)
            })
        };
        let mut others = self.modules.iter().skip(1).filter(|module| module.inline.is_none());
        !self.modules.iter().any(file_is) && others.any(has_children)
    }

    /// How another module writes the way to something: its own path, or that of a module that re-exports it.
    ///
    /// # Errors
    /// What is private.
    pub(super) fn way(
        &self,
        module: &Module,
        name: &str,
        visibility: &Visibility,
        from: &[String],
    ) -> Result<Vec<String>, String> {
        let private = |what: &str, file: &str| {
            let from = [&["crate".to_string()], from].concat().join("::");
            format!("{file}: {what} is private, and `{from}` has to see it: make it `pub`")
        };
        if !is_visible(visibility, &module.path, from) {
            return Err(private(&format!("`{name}`"), &self.source(module).shown));
        }
        let Some(depth) = (0..module.path.len()).find(|&depth| {
            let own = self.module(&module.path[..=depth]).unwrap_or(module);
            !is_visible(&own.visibility, &module.path[..depth], from)
        }) else {
            return Ok([&module.path[..], &[name.to_string()]].concat());
        };
        // The modules above the private one can be reached, and may hand on what is in it.
        let reachable = (0..=depth).rev().filter_map(|depth| self.module(&module.path[..depth]));
        for above in reachable {
            let full = [&module.path[..], &[name.to_string()]].concat();
            let hands_on = used(self.items(above)).into_iter().find(|used| {
                let path = absolute(&used.path, &above.path);
                let glob = used.name == "*" && path.split_last().is_some_and(|(_, path)| path == module.path);
                used.is_public && (glob || path == full)
            });
            if let Some(used) = hands_on {
                let name = if used.name == "*" { name.to_string() } else { used.name };
                return Ok([&above.path[..], &[name]].concat());
            }
        }
        let hidden = &module.path[depth];
        let parent = self.module(&module.path[..depth]).unwrap_or(module);
        Err(private(&format!("the module `{hidden}`"), &self.source(parent).shown))
    }
}

impl Module {
    /// Its path as Rust writes it.
    pub(super) fn shown(&self) -> String {
        [&["crate".to_string()], &self.path[..]].concat().join("::")
    }

    /// Whether it is written in braces inside of a file.
    pub(super) fn is_inline(&self) -> bool {
        self.inline.is_some()
    }
}

impl Model<'_> {
    pub(super) fn name(&self) -> String {
        self.item.ident.unraw().to_string()
    }

    pub(super) fn table(&self) -> String {
        option_text(&self.item.attrs, "model", "table").unwrap_or_else(|| naming::table(&self.name()))
    }

    /// `src/users/models.rs:12`
    pub(super) fn place(&self) -> String {
        let at = bytes(self.item.ident.span()).start;
        format!("{}:{}", self.source.shown, self.source.line_number(at))
    }
}

/// Whether something in a module can be named from another module of the crate.
fn is_visible(visibility: &Visibility, inside: &[String], from: &[String]) -> bool {
    match visibility {
        Visibility::Public(_) => true,
        Visibility::Restricted(restricted) => match &restricted.path {
            path if path.is_ident("super") => from.starts_with(&inside[..inside.len().saturating_sub(1)]),
            path if path.is_ident("self") => from.starts_with(inside),
            _ => true,
        },
        Visibility::Inherited => from.starts_with(inside),
    }
}

/// Whether a field can be named from another module.
pub(super) fn is_field_visible(field: &syn::Field, inside: &[String], from: &[String]) -> bool {
    is_visible(&field.vis, inside, from)
}

/// A path that a `use` in a module says, from the root of the crate. What names no module of the crate stays as it is.
pub(super) fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    match path.first().map(String::as_str) {
        Some("crate") => path[1..].to_vec(),
        Some("self") => [module, &path[1..]].concat(),
        Some("super") => {
            let ups = path.iter().take_while(|segment| *segment == "super").count();
            [&module[..module.len().saturating_sub(ups)], &path[ups..]].concat()
        }
        _ => [module, path].concat(),
    }
}

/// The names that the `use`s among items bring.
pub(super) fn used(items: &[Item]) -> Vec<Used> {
    let mut found = Vec::new();
    for item in items {
        if let Item::Use(item) = item {
            let is_public = !matches!(item.vis, Visibility::Inherited);
            leaves(&item.tree, &[], is_public, &mut found);
        }
    }
    found
}

fn leaves(tree: &UseTree, before: &[String], is_public: bool, found: &mut Vec<Used>) {
    let with = |name: &syn::Ident| [before, &[name.unraw().to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), is_public, found),
        UseTree::Name(name) if name.ident == "self" => {
            let name = before.last().cloned().unwrap_or_default();
            found.push(Used { path: before.to_vec(), name, is_public });
        }
        UseTree::Name(name) => {
            found.push(Used { path: with(&name.ident), name: name.ident.unraw().to_string(), is_public })
        }
        UseTree::Rename(rename) => {
            found.push(Used { path: with(&rename.ident), name: rename.rename.unraw().to_string(), is_public });
        }
        UseTree::Glob(_) => {
            found.push(Used { path: [before, &["*".to_string()]].concat(), name: "*".into(), is_public });
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, is_public, found)),
    }
}

/// The name of a type or module that an item defines.
pub(super) fn defines(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Mod(item) => &item.ident,
        Item::ExternCrate(item) => item.rename.as_ref().map_or(&item.ident, |(_, rename)| rename),
        _ => return None,
    };
    Some(ident.unraw().to_string())
}

fn is_for_tests(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if attr.path().is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

fn derives_model(attrs: &[Attribute]) -> bool {
    let derives = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let paths =
        derives.filter_map(|attr| attr.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).ok());
    paths.flatten().any(|path| path.segments.last().is_some_and(|last| last.ident == "Model"))
}

fn said_path(attrs: &[Attribute]) -> Option<String> {
    let attr = attrs.iter().find(|attr| attr.path().is_ident("path"))?;
    match &attr.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The options of attributes of that name, each as its tokens.
fn options(attrs: &[Attribute], attribute: &str) -> Vec<Vec<TokenTree>> {
    let lists = attrs.iter().filter(|attr| attr.path().is_ident(attribute)).filter_map(|attr| match &attr.meta {
        Meta::List(list) => Some(list.tokens.clone()),
        _ => None,
    });
    lists.flat_map(split_at_commas).collect()
}

fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            (_, None) => {}
        }
    }
    parts
}

fn is_named(option: &[TokenTree], name: &str) -> bool {
    matches!(option.first(), Some(TokenTree::Ident(ident)) if ident.unraw() == name)
}

/// Whether an attribute has an option.
pub(super) fn has_option(attrs: &[Attribute], attribute: &str, name: &str) -> bool {
    options(attrs, attribute).iter().any(|option| is_named(option, name))
}

/// Where an option is written in its file.
pub(super) fn option_range(attrs: &[Attribute], attribute: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let options = options(attrs, attribute);
    let option = options.iter().find(|option| is_named(option, name))?;
    Some(bytes(option.first()?.span()).start..bytes(option.last()?.span()).end)
}

/// The text of an option: `table = "users"`.
pub(super) fn option_text(attrs: &[Attribute], attribute: &str, name: &str) -> Option<String> {
    let options = options(attrs, attribute);
    let option = options.iter().find(|option| is_named(option, name))?;
    match option.last() {
        Some(TokenTree::Literal(literal)) => {
            syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value())
        }
        _ => None,
    }
}
