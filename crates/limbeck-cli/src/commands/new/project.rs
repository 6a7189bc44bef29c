//! The package that gets a model: where its crate begins, and what its `Cargo.toml` lets a model use.

use std::path::{Path, PathBuf};

use limbeck_migrate::Error;
use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;
use syn::Item;

use super::edit::Edit;
use super::source::Source;
use super::wrong;
use crate::project::{cargo_metadata_json, package_named};

/// The binary that `limbeck init` makes.
const BINARY: &str = "src/bin/limbeck.rs";

#[derive(Debug)]
pub(super) struct Project {
    /// The folder of the package.
    pub(super) root: PathBuf,
    /// The crate's name in code.
    pub(super) library: String,
    /// `src/lib.rs`.
    pub(super) root_file: PathBuf,
    pub(super) edition: String,
    /// The folder of the workspace.
    pub(super) workspace: PathBuf,
    dependencies: Vec<Dependency>,
    /// What the features of the package turn on.
    enabled: Vec<String>,
    /// The folders of the other packages of the workspace.
    others: Vec<PathBuf>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    features: Vec<String>,
    default_features: bool,
}

/// The crate that dates and times are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dates {
    Chrono,
    Jiff,
    Time,
}

impl Project {
    /// The package that is said, or the nearest above the working directory.
    pub(super) fn find(package: Option<&str>) -> Result<Project, Error> {
        let root = match package {
            Some(name) => package_named(name)?,
            None => nearest()?,
        };
        let root = root.canonicalize().map_err(|error| Error::io(root.display().to_string(), error))?;
        let metadata = cargo_metadata_json(Some(&root.join("Cargo.toml")))?;
        let packages = list(&metadata["packages"]);
        let folder = |package: &Value| {
            let manifest = PathBuf::from(package["manifest_path"].as_str()?);
            manifest.parent()?.canonicalize().ok()
        };
        let Some(own) = packages.iter().find(|package| folder(package).as_ref() == Some(&root)) else {
            return Err(say_which(packages));
        };
        let is_library = |target: &&Value| {
            list(&target["kind"]).iter().any(|kind| matches!(kind.as_str(), Some("lib" | "rlib" | "dylib")))
        };
        let library = list(&own["targets"]).iter().find(is_library).and_then(|target| {
            Some((target["name"].as_str()?.replace('-', "_"), PathBuf::from(target["src_path"].as_str()?)))
        });
        let Some((library, root_file)) = library else {
            return Err(wrong(format!(
                "the package `{}` has no library for a model to be in: `limbeck init` makes src/lib.rs; where another \
                 package has the models, say it by `-p`",
                text(&own["name"])
            )));
        };
        let dependencies = list(&own["dependencies"]).iter().filter(|dependency| dependency["kind"].is_null());
        let project = Project {
            library,
            root_file: root_file.canonicalize().unwrap_or(root_file),
            edition: text(&own["edition"]),
            workspace: PathBuf::from(text(&metadata["workspace_root"])),
            dependencies: dependencies.map(Dependency::read).collect(),
            enabled: own["features"].as_object().into_iter().flatten().flat_map(|(_, on)| list(on)).map(text).collect(),
            others: packages.iter().filter_map(folder).filter(|folder| *folder != root).collect(),
            root,
        };
        if project.dependency("limbeck").is_none() {
            return Err(wrong(format!(
                "the package `{}` does not depend on limbeck: `cargo add limbeck`, then `limbeck init`",
                text(&own["name"])
            )));
        }
        Ok(project)
    }

    fn dependency(&self, name: &str) -> Option<&Dependency> {
        self.dependencies.iter().find(|dependency| dependency.name == name)
    }

    pub(super) fn depends_on(&self, name: &str) -> bool {
        self.dependency(name).is_some()
    }

    /// Whether a dependency has a feature, by its own line or by one of the package's features.
    pub(super) fn has(&self, name: &str, feature: &str) -> bool {
        let said = self.dependency(name).is_some_and(|dependency| dependency.features.iter().any(|on| on == feature));
        let on = [format!("{name}/{feature}"), format!("{name}?/{feature}")];
        said || self.enabled.iter().any(|enabled| on.contains(enabled))
    }

    /// Whether limbeck has a feature.
    pub(super) fn limbeck_has(&self, feature: &str) -> bool {
        let by_default = self.dependency("limbeck").is_some_and(|limbeck| limbeck.default_features);
        (by_default && matches!(feature, "chrono" | "sqlite")) || self.has("limbeck", feature)
    }

    /// What dates are of; `None` where limbeck has none.
    pub(super) fn dates(&self) -> Option<Dates> {
        let all = [("chrono", Dates::Chrono), ("jiff", Dates::Jiff), ("time", Dates::Time)];
        all.into_iter().find(|(feature, _)| self.limbeck_has(feature)).map(|(_, dates)| dates)
    }

    /// The project's limbeck binary, with the edit that links this crate into it. `Err` has what a person is to do
    /// where there is none.
    pub(super) fn link(&self) -> Result<Option<(Source, Edit)>, String> {
        let binary = self.root.join(BINARY);
        if let Ok(source) = Source::read(&binary, &self.root) {
            if names(source.text.parse().unwrap_or_default(), &self.library) {
                return Ok(None);
            }
            let line = format!("use {} as _;", self.library);
            let nl = source.newline();
            let last = source.items.iter().rev().find(|item| matches!(item, Item::Use(_)));
            let edit = match (last, source.items.first()) {
                (Some(item), _) => Edit::insert(
                    source.line_end(super::source::bytes(syn::spanned::Spanned::span(item)).end),
                    format!("{line}{nl}"),
                ),
                (None, Some(item)) => Edit::insert(source.start_with_comments(item), format!("{line}{nl}{nl}")),
                (None, None) => Edit::insert(source.text.len(), format!("{line}{nl}")),
            };
            return Ok(Some((source, edit)));
        }
        let by_another = self.others.iter().any(|folder| {
            let text = std::fs::read_to_string(folder.join(BINARY)).unwrap_or_default();
            names(text.parse().unwrap_or_default(), &self.library)
        });
        if by_another || binary.exists() {
            return Ok(None);
        }
        Err("the package has no limbeck binary, which autogenerate needs to see the models: `limbeck init` makes it"
            .into())
    }
}

impl Dependency {
    fn read(value: &Value) -> Dependency {
        let name = value["rename"].as_str().or(value["name"].as_str()).unwrap_or_default();
        Dependency {
            name: name.to_string(),
            features: list(&value["features"]).iter().map(text).collect(),
            default_features: value["uses_default_features"].as_bool().unwrap_or(true),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// The folder of the nearest `Cargo.toml` at or above the working directory.
fn nearest() -> Result<PathBuf, Error> {
    let here = std::env::current_dir().map_err(|error| Error::io("the working directory", error))?;
    let found = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file()).map(Path::to_path_buf);
    found.ok_or_else(|| wrong("there is no Cargo.toml here: run `limbeck new model` in a package"))
}

fn say_which(packages: &[Value]) -> Error {
    let names: Vec<String> = packages.iter().map(|package| text(&package["name"])).collect();
    wrong(format!("this is a workspace: say which package gets the model by `-p`: {}", names.join(", ")))
}

/// Whether a name is said in a file.
fn names(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => names(group.stream(), name),
        _ => false,
    })
}
