//! `limbeck init`: the folder of the migrations, and the project's own limbeck binary.
//!
//! All of it may be done again: what is there is left as it is.

mod library;
mod manifest;

use std::path::{Path, PathBuf};

use limbeck::dialect::Dialect;
use limbeck_migrate::Error;
use limbeck_migrate::revision::{LOCK_FILE, LockFile};

use crate::Outcome;
use crate::args::Init;
use crate::config::{Config, in_file, named};
use crate::output::{green, line, more, note, result};
use crate::project::{Package, cargo_metadata, package_named};
use library::Move;
use manifest::Manifest;

const FOLDER: &str = "migrations";
const BINARY: &str = "src/bin/limbeck.rs";

pub(crate) fn run(args: &Init, package: Option<&str>) -> Outcome {
    let root = match package {
        Some(name) => package_named(name)?,
        None => nearest_package()?,
    };
    let package = the_package(&root)?;
    let databases = databases(args, &root)?;
    let mut manifest = Manifest::read(&root)?;
    manifest.check()?;
    result("wrote", serde_json::json!([]));

    // All questions first: after a no, nothing has been touched.
    let models = crates_with_models(&package);
    let own = library::has_models(&root);
    let library = match &package.library {
        Some(library) => Some(library.clone()),
        None if own || models.is_empty() => {
            let name = package.name.replace('-', "_");
            let step = Move::plan(&root, &name)?;
            step.confirm(args.yes)?;
            step.write()?;
            wrote("src/lib.rs");
            Some(name)
        }
        None => None,
    };

    let lock = root.join(FOLDER).join(LOCK_FILE);
    if !lock.exists() {
        write(&lock, &LockFile::default().write())?;
        wrote(&format!("{FOLDER}/{LOCK_FILE}"));
    }
    let crates: Vec<String> = library.into_iter().chain(models).collect();
    let binary = root.join(BINARY);
    if !binary.exists() {
        write(&binary, &binary_source(&crates))?;
        wrote(BINARY);
    }
    if manifest.prepare(&package, &root, &databases)? {
        wrote("Cargo.toml");
    }
    let again = root
        .join(FOLDER)
        .read_dir()
        .is_ok_and(|mut entries| entries.any(|e| e.is_ok_and(|e| e.path().extension().is_some_and(|x| x == "sql"))));
    if again {
        line(&format!("{} is ready", package.name));
    } else {
        line("next: limbeck revision --autogenerate -m \"Start\", then limbeck upgrade");
    }
    Ok(0)
}

fn wrote(what: &str) {
    more("wrote", what.into());
    line(&format!("{} {what}", green("wrote")));
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| Error::io(path.display().to_string(), error))
}

/// The package that the working directory is in.
fn nearest_package() -> Result<PathBuf, Error> {
    let here = std::env::current_dir().map_err(|error| Error::io("the working directory", error))?;
    let Some(root) = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file()) else {
        return Err(Error::Revision("there is no Cargo.toml here: run `limbeck init` in a package".into()));
    };
    if Manifest::read(root)?.is_package() {
        return Ok(root.to_path_buf());
    }
    let names: Vec<String> = cargo_metadata(None)?.into_iter().map(|package| package.name).collect();
    Err(Error::Revision(format!("this is a workspace: say which package by `-p`: {}", names.join(", "))))
}

fn the_package(root: &Path) -> Result<Package, Error> {
    let manifest = root.join("Cargo.toml");
    let folder = root.canonicalize().map_err(|error| Error::io(root.display().to_string(), error))?;
    cargo_metadata(Some(&manifest))?
        .into_iter()
        .find(|package| package.folder().canonicalize().is_ok_and(|own| own == folder))
        .ok_or_else(|| in_file(&manifest.display().to_string(), "cargo does not know this package"))
}

/// The databases that the project is for: said, declared, or that of `DATABASE_URL`; SQLite otherwise.
fn databases(args: &Init, root: &Path) -> Result<Vec<Dialect>, Error> {
    if !args.databases.is_empty() {
        let unknown = |name: &String| Error::Revision(format!("there is no database `{name}`: sqlite, postgres"));
        return args.databases.iter().map(|name| named(name).ok_or_else(|| unknown(name))).collect();
    }
    let config = Config::read(Some(root))?;
    match config.revision_databases(None) {
        Ok(databases) => Ok(databases),
        Err(_) => {
            note("no DATABASE_URL is set, so the project is for SQLite; `databases` in Cargo.toml says it");
            Ok(vec![Dialect::Sqlite])
        }
    }
}

/// The crates that the package depends on by path and that use limbeck themselves: they may have models.
fn crates_with_models(package: &Package) -> Vec<String> {
    let uses_limbeck = |folder: &Path| Manifest::read(folder).is_ok_and(|manifest| manifest.depends_on_limbeck());
    let limbeck = |name: &str| name == "limbeck" || name.starts_with("limbeck_");
    let mut crates: Vec<String> = package
        .path_dependencies
        .iter()
        .filter(|(name, folder)| !limbeck(name) && uses_limbeck(folder))
        .map(|(name, _)| name.clone())
        .collect();
    crates.sort();
    crates
}

fn binary_source(crates: &[String]) -> String {
    let mut out = String::from(
        "//! The `limbeck` command for this project, with its models and migrations linked in.\n//!\n//! A crate that \
         is never named is not linked: name every crate that has models.\n\n",
    );
    for name in crates {
        out.push_str(&format!("use {name} as _;\n"));
    }
    out.push_str(
        "\nfn main() -> std::process::ExitCode {\n    limbeck_cli::main(limbeck_migrate::embed!(\"migrations\"))\n}\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_names_every_crate() {
        let source = binary_source(&["my_app".into(), "models".into()]);
        assert!(source.contains("\nuse my_app as _;\nuse models as _;\n\nfn main()"), "{source}");
    }
}
