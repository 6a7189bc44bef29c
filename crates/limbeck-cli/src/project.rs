//! Which project a command is about, and how its own binary is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use limbeck::engine::Engine;
use limbeck_migrate::revision::{History, LOCK_FILE, repair_folder};
use limbeck_migrate::{Embedded, Error, Migrator};
use serde_json::Value;

use crate::Outcome;
use crate::args::Args;
use crate::config::{Config, in_file};
use crate::output;

/// The folder of the migrations where the project does not say another.
const FOLDER: &str = "migrations";

/// What a command works on.
#[derive(Debug)]
pub(crate) struct Context {
    /// The folder of the package; `None` where a program runs with its embedded migrations alone.
    root: Option<PathBuf>,
    pub(crate) config: Config,
    embedded: Option<Embedded>,
    url: Option<String>,
    verbose: bool,
}

impl Context {
    /// Finds the project: by `--package`, by the directory, or the only one of the workspace.
    pub(crate) fn find(args: &Args, embedded: Option<Embedded>) -> Result<Context, Error> {
        let here = working_directory()?;
        let root = match &args.package {
            Some(name) => Some(package_named(name)?),
            None => match started_by_cargo().filter(|_| embedded.is_some()).or_else(|| above(&here)) {
                Some(root) => Some(root),
                // A program in production has no folder, and needs none.
                None if embedded.is_some() => None,
                None => Some(only_one_of_the_workspace()?),
            },
        };
        let config = Config::read(root.as_deref())?;
        Ok(Context { root, config, embedded, url: args.url.clone(), verbose: args.verbose })
    }

    /// Whether the models are linked into this program.
    pub(crate) fn has_models(&self) -> bool {
        self.embedded.is_some()
    }

    /// The folder of the package, if there is one here.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The folder of the migrations.
    pub(crate) fn folder(&self) -> Result<PathBuf, Error> {
        match &self.root {
            Some(root) => Ok(root.join(self.config.folder.as_deref().unwrap_or(FOLDER))),
            None => Err(Error::Revision(
                "this command needs the project's folder: run it there, where Cargo.toml and the migrations are".into(),
            )),
        }
    }

    /// The revisions: from the folder, or those that the program carries.
    pub(crate) fn history(&self) -> Result<History, Error> {
        match (&self.root, &self.embedded) {
            (None, Some(embedded)) => History::embedded(embedded),
            _ => History::read(&self.folder()?),
        }
    }

    /// The revisions, with edits of files that are still being written recorded. Of those that a database has
    /// applied, its own record keeps the hash, and says so.
    pub(crate) fn history_to_run(&self) -> Result<History, Error> {
        let history = self.history()?;
        if self.root.is_none() || history.edited().is_empty() {
            return Ok(history);
        }
        let folder = self.folder()?;
        for file in repair_folder(&folder)? {
            output::note(&format!("{file} was edited; {LOCK_FILE} records it now"));
        }
        History::read(&folder)
    }

    pub(crate) fn migrator(&self) -> Result<Migrator, Error> {
        Ok(Migrator::new(self.history_to_run()?))
    }

    /// The URL that was said on the command line.
    pub(crate) fn said_url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The database that commands go to.
    pub(crate) async fn engine(&self) -> Result<Engine, Error> {
        self.engine_at(&self.config.url(self.said_url())?).await
    }

    pub(crate) async fn engine_at(&self, url: &str) -> Result<Engine, Error> {
        let echo = self.verbose || self.config.debug();
        Ok(Engine::builder(url).echo(echo).pool_size(2).connect().await?)
    }

    /// Runs the project's own binary with the same words, for what needs the models.
    pub(crate) fn run_project_binary(&self) -> Outcome {
        let root = self.root.as_deref().unwrap_or(Path::new("."));
        let manifest = root.join("Cargo.toml");
        let packages = cargo_metadata(Some(&manifest))?;
        let package = packages
            .iter()
            .find(|package| package.manifest == manifest || same_file(&package.manifest, &manifest))
            .ok_or_else(|| in_file(&manifest.display().to_string(), "cargo does not know this package"))?;
        let bin = package.binary(self.config.bin.as_deref())?;
        let mut cargo = cargo();
        cargo.args(["run", "--quiet", "--manifest-path"]).arg(&manifest).args(["--bin", &bin.name]);
        if !bin.features.is_empty() {
            cargo.args(["--features", &bin.features.join(",")]);
        }
        cargo.arg("--").args(std::env::args_os().skip(1));
        let status = cargo.status().map_err(|error| Error::io("cargo", error))?;
        // What cargo itself says when a build fails.
        const BUILD_FAILED: i32 = 101;
        match status.code() {
            Some(BUILD_FAILED) | None => Err(Error::Revision(format!(
                "the project's binary `{}`, which links the models, cannot be built or run: see above",
                bin.name
            ))),
            Some(code) => {
                output::told_already();
                Ok(u8::try_from(code).unwrap_or(1))
            }
        }
    }
}

fn working_directory() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|error| Error::io("the working directory", error))
}

/// Whether a package has migrations.
fn is_project(folder: &Path) -> bool {
    folder.join("limbeck.toml").is_file() || folder.join(FOLDER).join(LOCK_FILE).is_file() || {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.contains("[package.metadata.limbeck]")
    }
}

/// The package that `cargo run` has started this program for, whatever the working directory is.
fn started_by_cargo() -> Option<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| is_project(folder))
}

/// The nearest project at or above a directory.
fn above(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|folder| is_project(folder)).map(Path::to_path_buf)
}

/// The folder of the package with that name.
pub(crate) fn package_named(name: &str) -> Result<PathBuf, Error> {
    let packages = cargo_metadata(None)?;
    match packages.iter().find(|package| package.name == name) {
        Some(package) => Ok(package.folder()),
        None => Err(Error::Revision(format!(
            "there is no package `{name}` here: {}",
            packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn only_one_of_the_workspace() -> Result<PathBuf, Error> {
    let here = working_directory()?;
    if !here.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
        return Err(Error::Revision(format!(
            "there is no project in {} or above it: run the command in the folder of a package, where `limbeck init` begins",
            here.display()
        )));
    }
    let packages = cargo_metadata(None)?;
    let mut projects: Vec<&Package> = packages.iter().filter(|package| is_project(&package.folder())).collect();
    match (projects.pop(), projects.as_slice()) {
        (Some(package), []) => Ok(package.folder()),
        (None, _) => Err(Error::Revision("there are no migrations here: `limbeck init` begins".into())),
        (Some(last), others) => {
            let names: Vec<&str> = others.iter().chain([&last]).map(|package| package.name.as_str()).collect();
            Err(Error::Revision(format!("several packages have migrations: say which by `-p`: {}", names.join(", "))))
        }
    }
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) binaries: Vec<Binary>,
    /// The library's name in Rust, if there is one.
    pub(crate) library: Option<String>,
    /// Its dependencies by path: the name that its code has for each, and the folder.
    pub(crate) path_dependencies: Vec<(String, PathBuf)>,
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) features: Vec<String>,
}

impl Package {
    pub(crate) fn folder(&self) -> PathBuf {
        self.manifest.parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// The project's own limbeck binary.
    fn binary(&self, said: Option<&str>) -> Result<&Binary, Error> {
        let conventional = format!("{}-limbeck", self.name);
        let name = said.unwrap_or(&conventional);
        self.binaries.iter().find(|binary| binary.name == name).ok_or_else(|| {
            Error::Revision(format!(
                "the package `{}` has no binary `{name}`, which links its models: `limbeck init` makes it, and `bin = \
                 \"…\"` in limbeck.toml names another",
                self.name
            ))
        })
    }
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The packages of the workspace that a manifest, or the working directory, is in.
pub(crate) fn cargo_metadata(manifest: Option<&Path>) -> Result<Vec<Package>, Error> {
    let json = cargo_metadata_json(manifest)?;
    Ok(list(&json["packages"]).filter_map(package).collect())
}

/// What `cargo metadata` says, without the packages that others made.
pub(crate) fn cargo_metadata_json(manifest: Option<&Path>) -> Result<Value, Error> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    let output = command.output().map_err(|error| Error::io("cargo", error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Revision(format!("cargo does not know the project: {}", said.trim())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::Revision(format!("cargo metadata cannot be read: {error}")))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn package(value: &Value) -> Option<Package> {
    let text = |value: &Value| value.as_str().map(str::to_string);
    let has_kind = |target: &&Value, kinds: &[&str]| {
        list(&target["kind"]).any(|kind| kind.as_str().is_some_and(|kind| kinds.contains(&kind)))
    };
    let targets = || list(&value["targets"]);
    Some(Package {
        name: text(&value["name"])?,
        manifest: PathBuf::from(value["manifest_path"].as_str()?),
        binaries: targets()
            .filter(|target| has_kind(target, &["bin"]))
            .filter_map(|target| {
                let features = list(&target["required-features"]).filter_map(text).collect();
                Some(Binary { name: text(&target["name"])?, features })
            })
            .collect(),
        library: targets()
            .find(|target| has_kind(target, &["lib", "rlib", "dylib"]))
            .and_then(|target| Some(text(&target["name"])?.replace('-', "_"))),
        path_dependencies: list(&value["dependencies"])
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| {
                let name = text(&dependency["rename"]).or_else(|| text(&dependency["name"]))?;
                Some((name.replace('-', "_"), PathBuf::from(dependency["path"].as_str()?)))
            })
            .collect(),
    })
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
