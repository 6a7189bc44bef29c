//! `Cargo.toml`, edited so that nothing else in it moves.

use std::path::{Path, PathBuf};

use limbeck::dialect::Dialect;
use limbeck_migrate::Error;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::BINARY;
use crate::config::{document, in_file, shown};
use crate::project::Package;

/// The crates that the project's binary is made of.
const CRATES: [&str; 2] = ["limbeck-cli", "limbeck-migrate"];

/// The feature with which they are compiled: an application does not need them to run, and should not wait for
/// them to build. The global command turns it on by itself.
const FEATURE: &str = "limbeck-cli";

/// A package's `Cargo.toml`.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    document: DocumentMut,
}

impl Manifest {
    pub(super) fn read(root: &Path) -> Result<Manifest, Error> {
        let path = root.join("Cargo.toml");
        match document(&path)? {
            Some(document) => Ok(Manifest { path, document }),
            None => Err(in_file(&path.display().to_string(), "there is no such file")),
        }
    }

    /// Whether it is a package's, and not only a workspace's.
    pub(super) fn is_package(&self) -> bool {
        self.document.contains_key("package")
    }

    pub(super) fn depends_on_limbeck(&self) -> bool {
        self.dependencies().is_some_and(|table| table.contains_key("limbeck"))
    }

    fn dependencies(&self) -> Option<&dyn TableLike> {
        self.document.get("dependencies")?.as_table_like()
    }

    /// Makes sure that the package uses limbeck, before anything is written.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.depends_on_limbeck() {
            return Ok(());
        }
        Err(in_file(&shown(&self.path), "the package does not depend on limbeck: `cargo add limbeck` first"))
    }

    /// Adds the binary, what it needs, and the databases. Says whether anything changed.
    pub(super) fn prepare(&mut self, package: &Package, root: &Path, databases: &[Dialect]) -> Result<bool, Error> {
        self.check()?;
        let before = self.document.to_string();
        let manifest = before.clone();
        self.add_crates(root, databases)?;
        self.add_binary(package);
        self.add_databases(databases);
        let after = self.document.to_string();
        if after == manifest {
            return Ok(false);
        }
        std::fs::write(&self.path, after).map_err(|error| Error::io(self.path.display().to_string(), error))?;
        Ok(true)
    }

    /// The crates come from where limbeck comes from: the same version, workspace, repository or folder.
    fn add_crates(&mut self, root: &Path, databases: &[Dialect]) -> Result<(), Error> {
        let limbeck = self.dependencies().and_then(|table| table.get("limbeck")).cloned().unwrap_or_default();
        let in_workspace = limbeck.get("workspace").and_then(Item::as_bool) == Some(true);
        let source = if in_workspace { workspace_dependency(root, "limbeck")? } else { None };
        let mut optional: Array = Array::new();
        for name in CRATES {
            if self.dependencies().is_some_and(|table| table.contains_key(name)) {
                continue;
            }
            let shared = in_workspace && workspace_dependency(root, name)?.is_some();
            let mut entry = if shared {
                InlineTable::from_iter([("workspace", Value::from(true))])
            } else {
                // A path of the workspace is relative to its folder, not to the package's.
                let base = if source.is_some() { workspace_folder(root) } else { None };
                sibling(source.as_ref().unwrap_or(&limbeck), name, root, base.as_deref())
            };
            if name == "limbeck-cli" {
                if !shared {
                    entry.insert("default-features", Value::from(false));
                }
                let features: Array = databases.iter().map(|dialect| dialect.name()).collect();
                entry.insert("features", Value::Array(features));
            }
            entry.insert("optional", Value::from(true));
            optional.push(format!("dep:{name}"));
            let dependencies = self.document.entry("dependencies").or_insert_with(|| Item::Table(Table::new()));
            if let Some(table) = dependencies.as_table_like_mut() {
                table.insert(name, value(entry));
            }
        }
        if optional.is_empty() {
            return Ok(());
        }
        let features = self.document.entry("features").or_insert_with(|| Item::Table(Table::new()));
        if let Some(features) = features.as_table_like_mut()
            && !features.contains_key(FEATURE)
        {
            features.insert(FEATURE, value(optional));
        }
        Ok(())
    }

    fn add_binary(&mut self, package: &Package) {
        let name = format!("{}-limbeck", package.name);
        let declared = self.document.get("bin").and_then(Item::as_array_of_tables);
        let is_ours = |table: &Table| {
            let text = |key: &str| table.get(key).and_then(Item::as_str);
            text("name") == Some(name.as_str()) || text("path") == Some(BINARY)
        };
        if declared.is_some_and(|tables| tables.iter().any(is_ours)) {
            return;
        }
        let mut table = Table::new();
        table.insert("name", value(name));
        table.insert("path", value(BINARY));
        let has_feature = |features: &Item| features.as_table_like().is_some_and(|table| table.contains_key(FEATURE));
        if self.document.get("features").is_some_and(has_feature) {
            table.insert("required-features", value(Array::from_iter([FEATURE])));
        }
        let tables = self.document.entry("bin").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(tables) = tables.as_array_of_tables_mut() {
            tables.push(table);
        }
        // `cargo run` goes on running the application, now that there are two programs.
        let others: Vec<_> = package.binaries.iter().filter(|binary| !binary.name.ends_with("-limbeck")).collect();
        if let [only] = &others[..]
            && let Some(own) = self.document.get_mut("package").and_then(Item::as_table_like_mut)
            && !own.contains_key("default-run")
        {
            own.insert("default-run", value(&only.name));
        }
    }

    fn add_databases(&mut self, databases: &[Dialect]) {
        let Some(package) = self.document.get_mut("package").and_then(Item::as_table_mut) else { return };
        let metadata = package.entry("metadata").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(metadata) = metadata.as_table_like_mut() else { return };
        if !metadata.contains_key("limbeck") {
            let mut table = Table::new();
            table.insert("databases", value(databases.iter().map(|dialect| dialect.name()).collect::<Array>()));
            metadata.insert("limbeck", Item::Table(table));
        }
    }
}

/// The folder of the workspace that a package is in.
fn workspace_folder(root: &Path) -> Option<PathBuf> {
    root.ancestors()
        .find(|folder| Manifest::read(folder).is_ok_and(|manifest| manifest.document.contains_key("workspace")))
        .map(Path::to_path_buf)
}

fn workspace_dependency(root: &Path, name: &str) -> Result<Option<Item>, Error> {
    let Some(folder) = workspace_folder(root) else { return Ok(None) };
    let manifest = Manifest::read(&folder)?;
    let dependencies = manifest.document.get("workspace").and_then(|w| w.get("dependencies"));
    Ok(dependencies.and_then(|d| d.get(name)).cloned())
}

/// Where a crate beside limbeck is to be had, given where limbeck is. `base` is the folder that a path of
/// limbeck's is relative to, where that is another than the package's.
fn sibling(limbeck: &Item, name: &str, root: &Path, base: Option<&Path>) -> InlineTable {
    let mut entry = InlineTable::new();
    if let Some(version) = limbeck.as_str() {
        entry.insert("version", Value::from(version));
        return entry;
    }
    for key in ["version", "git", "branch", "tag", "rev", "registry"] {
        if let Some(text) = limbeck.get(key).and_then(Item::as_str) {
            entry.insert(key, Value::from(text));
        }
    }
    if let Some(path) = limbeck.get("path").and_then(Item::as_str) {
        let beside = Path::new(path).parent().unwrap_or(Path::new("")).join(name);
        let path = match base {
            Some(base) if beside.is_relative() => {
                // From the package up to the workspace, and down again.
                let depth = root.strip_prefix(base).map_or(0, |inside| inside.components().count());
                std::iter::repeat_n("..", depth).collect::<PathBuf>().join(&beside)
            }
            _ => beside,
        };
        entry.insert("path", Value::from(path.to_string_lossy().replace('\\', "/")));
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Binary;

    fn package(binaries: &[&str]) -> Package {
        Package {
            name: "my-app".into(),
            manifest: PathBuf::from("Cargo.toml"),
            binaries: binaries.iter().map(|name| Binary { name: name.to_string(), features: vec![] }).collect(),
            library: None,
            path_dependencies: vec![],
        }
    }

    fn prepared(toml: &str, binaries: &[&str]) -> String {
        let folder = limbeck_test_support::TempFolder::new();
        std::fs::write(folder.path().join("Cargo.toml"), toml).unwrap();
        let mut manifest = Manifest::read(folder.path()).unwrap();
        assert!(manifest.prepare(&package(binaries), folder.path(), &[Dialect::Sqlite]).unwrap());
        let text = std::fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
        let mut again = Manifest::read(folder.path()).unwrap();
        let changed = again.prepare(&package(&[binaries, &["my-app-limbeck"]].concat()), folder.path(), &[]).unwrap();
        assert!(!changed, "a second time nothing is left to do: {text}");
        text
    }

    #[test]
    fn what_is_there_stays_where_it_is() {
        let toml = "# Mine.\n[package]\nname = \"my-app\"   # odd   spacing\nversion = \"0.1.0\"\n\n[dependencies]\n\
                    limbeck = { path = \"../limbeck/crates/limbeck\", features = [\"postgres\"] }\n";
        let text = prepared(toml, &["my-app"]);
        for part in [
            "# Mine.\n[package]\nname = \"my-app\"   # odd   spacing\nversion = \"0.1.0\"\ndefault-run = \"my-app\"\n",
            "[package.metadata.limbeck]\ndatabases = [\"sqlite\"]\n",
            "limbeck-cli = { path = \"../limbeck/crates/limbeck-cli\", default-features = false, features = [\"sqlite\"], \
             optional = true }\n",
            "limbeck-migrate = { path = \"../limbeck/crates/limbeck-migrate\", optional = true }\n",
            "[features]\nlimbeck-cli = [\"dep:limbeck-cli\", \"dep:limbeck-migrate\"]\n",
            "[[bin]]\nname = \"my-app-limbeck\"\npath = \"src/bin/limbeck.rs\"\nrequired-features = [\"limbeck-cli\"]\n",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
    }

    #[test]
    fn the_version_of_limbeck_is_that_of_its_crates() {
        let text = prepared("[package]\nname = \"my-app\"\n\n[dependencies]\nlimbeck = \"0.1\"\n", &[]);
        assert!(text.contains("limbeck-migrate = { version = \"0.1\", optional = true }"), "{text}");
        assert!(!text.contains("default-run"), "there is no application to run: {text}");
    }

    #[test]
    fn an_application_that_has_the_crates_already_needs_no_feature() {
        let toml = "[package]\nname = \"my-app\"\n\n[dependencies]\nlimbeck = \"0.1\"\nlimbeck-cli = \"0.1\"\n\
                    limbeck-migrate = \"0.1\"\n";
        let text = prepared(toml, &["my-app"]);
        assert!(!text.contains("feature"), "{text}");
    }

    #[test]
    fn a_package_without_limbeck_is_told_so() {
        let folder = limbeck_test_support::TempFolder::new();
        std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"my-app\"\n").unwrap();
        let error = Manifest::read(folder.path()).unwrap().prepare(&package(&[]), folder.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("cargo add limbeck"), "{error}");
    }
}
