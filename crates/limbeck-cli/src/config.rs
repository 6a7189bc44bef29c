//! A project's settings: `limbeck.toml`, `[package.metadata.limbeck]`, the environment.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;

use limbeck::dialect::Dialect;
use limbeck_migrate::Error;
use limbeck_migrate::lint::Policy;
use toml_edit::{Document, DocumentMut, Item, TableLike, TomlError};

use crate::commands::lint;

/// The databases that a project can be on.
pub(crate) const DATABASES: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

/// What a project can say.
const KEYS: &[&str] = &["databases", "migrations", "bin", "urls", "lint"];

/// What a project says of its migrations.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The declared databases; none where it is not said.
    pub(crate) databases: Vec<Dialect>,
    /// The folder of the migrations, as the project says it.
    pub(crate) folder: Option<String>,
    /// The project's binary, as the project says it.
    pub(crate) bin: Option<String>,
    /// Which rules are asked of the models.
    pub(crate) lint: Policy,
    urls: BTreeMap<&'static str, String>,
    environment: HashMap<String, String>,
}

impl Config {
    /// Reads the settings of the package in a folder, if there is one, and the environment.
    pub(crate) fn read(root: Option<&Path>) -> Result<Config, Error> {
        let mut config = Config { environment: environment()?, ..Config::default() };
        let Some(root) = root else { return Ok(config) };
        if let Some(manifest) = Source::read(&root.join("Cargo.toml"))? {
            let metadata = manifest.document.get("package").and_then(|p| p.get("metadata"));
            if let Some(item) = metadata.and_then(|m| m.get("limbeck")) {
                let Some(table) = item.as_table_like() else {
                    return Err(manifest.wrong(item.span(), "`package.metadata.limbeck`: expected a table"));
                };
                config.apply(&manifest, table)?;
            }
        }
        if let Some(own) = Source::read(&root.join("limbeck.toml"))? {
            config.apply(&own, own.document.as_table())?;
        }
        Ok(config)
    }

    fn apply(&mut self, source: &Source, table: &dyn TableLike) -> Result<(), Error> {
        for (key, value) in table.iter() {
            let wrong =
                |item: &Item, expected: &str| Err(source.wrong(item.span(), format!("`{key}`: expected {expected}")));
            match key {
                "databases" => {
                    let Some(names) = value.as_array() else { return wrong(value, "a list of databases") };
                    self.databases.clear();
                    for name in names {
                        let Some(dialect) = name.as_str().and_then(named) else {
                            return wrong(value, "\"sqlite\" and \"postgres\"");
                        };
                        if !self.databases.contains(&dialect) {
                            self.databases.push(dialect);
                        }
                    }
                }
                "migrations" => match value.as_str() {
                    Some(folder) => self.folder = Some(folder.to_string()),
                    None => return wrong(value, "the name of a folder"),
                },
                "bin" => match value.as_str() {
                    Some(bin) => self.bin = Some(bin.to_string()),
                    None => return wrong(value, "the name of a binary"),
                },
                "urls" => {
                    let Some(urls) = value.as_table_like() else { return wrong(value, "a table of URLs") };
                    for (name, url) in urls.iter() {
                        let Some(dialect) = named(name) else {
                            return Err(source.unknown(urls, name, "urls.", &DATABASES.map(|known| known.name())));
                        };
                        let Some(url) = url.as_str() else { return wrong(url, "a URL each for sqlite and postgres") };
                        self.urls.insert(dialect.name(), url.to_string());
                    }
                }
                "lint" => lint::settings::read(&mut self.lint, source, value)?,
                _ => return Err(source.unknown(table, key, "", KEYS)),
            }
        }
        Ok(())
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(|v| v.trim()).filter(|v| !v.is_empty())
    }

    /// A number of the environment.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.variable(name)?.parse().ok()
    }

    /// Whether statements shall be shown.
    pub(crate) fn debug(&self) -> bool {
        self.variable("DEBUG").is_some_and(|v| matches!(v.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on"))
    }

    /// The database that commands go to.
    pub(crate) fn url(&self, said: Option<&str>) -> Result<String, Error> {
        if let Some(url) = said.or_else(|| self.variable("DATABASE_URL")) {
            return Ok(url.to_string());
        }
        let known: Vec<String> = DATABASES.into_iter().filter_map(|dialect| self.url_of(dialect, None)).collect();
        match &known[..] {
            [url] => Ok(url.clone()),
            [] => Err(Error::Revision(
                "DATABASE_URL is not set: put it into the environment or into .env, or give `--url sqlite://app.db`"
                    .into(),
            )),
            _ => Err(Error::Revision(
                "several databases are declared: say which one by `--url`, or by DATABASE_URL".into(),
            )),
        }
    }

    /// The URL of a declared database, for comparing it with the models.
    pub(crate) fn url_of(&self, dialect: Dialect, said: Option<&str>) -> Option<String> {
        let own = format!("DATABASE_URL_{}", dialect.name().to_uppercase());
        let of_it = |url: &&str| dialect_of(url) == Some(dialect);
        said.filter(of_it)
            .or_else(|| self.variable(&own))
            .or_else(|| self.variable("DATABASE_URL").filter(of_it))
            .or_else(|| self.urls.get(dialect.name()).map(String::as_str))
            .map(str::to_string)
    }

    /// The databases that a new revision is for.
    pub(crate) fn revision_databases(&self, said: Option<&str>) -> Result<Vec<Dialect>, Error> {
        if !self.databases.is_empty() {
            return Ok(self.databases.clone());
        }
        let url = self.url(said)?;
        match dialect_of(&url) {
            Some(dialect) => Ok(vec![dialect]),
            None => Err(Error::Revision(format!(
                "no database is declared, and the scheme of `{}` is not known: sqlite, postgres",
                url.split(':').next().unwrap_or_default()
            ))),
        }
    }
}

/// The database by its name.
pub(crate) fn named(name: &str) -> Option<Dialect> {
    DATABASES.into_iter().find(|dialect| dialect.name() == name)
}

/// The database of a URL.
pub(crate) fn dialect_of(url: &str) -> Option<Dialect> {
    match url.split(':').next()? {
        "sqlite" => Some(Dialect::Sqlite),
        "postgres" | "postgresql" => Some(Dialect::Postgres),
        _ => None,
    }
}

/// A TOML file, with the places of all that it says.
pub(crate) struct Source {
    file: String,
    document: Document<String>,
}

impl Source {
    /// Reads a file; `None` where there is none.
    fn read(path: &Path) -> Result<Option<Source>, Error> {
        let file = shown(path);
        match std::fs::read_to_string(path) {
            Ok(text) => Source::parse(file, text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(file, error)),
        }
    }

    fn parse(file: String, text: String) -> Result<Source, Error> {
        match Document::parse(text.clone()) {
            Ok(document) => Ok(Source { file, document }),
            Err(error) => Err(not_toml(file, &text, &error)),
        }
    }

    /// An error about a place in the file.
    pub(crate) fn wrong(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Error {
        let line = span.map(|span| line_of(self.document.raw(), span.start));
        Error::File { file: self.file.clone(), line, message: message.into() }
    }

    /// An error about a key that nothing reads.
    pub(crate) fn unknown(&self, table: &dyn TableLike, key: &str, before: &str, known: &[&str]) -> Error {
        let hint = match nearest(key, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{before}{nearest}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        let span = table.key(key).and_then(toml_edit::Key::span);
        self.wrong(span, format!("`{before}{key}` is not a setting: {hint}"))
    }
}

/// The word that was probably meant, if one is near enough.
pub(crate) fn nearest<'k>(said: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let (distance, nearest) = known.map(|known| (strsim::damerau_levenshtein(known, said), known)).min()?;
    (distance <= 2.max(said.len() / 3)).then_some(nearest)
}

/// The URL of a database that is only to be read: opened for writing, an SQLite file is made where there is none, and
/// turned to WAL.
pub(crate) fn read_only(url: &str) -> Result<String, Error> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    let Some(path) = path.map(|path| path.split('?').next().unwrap_or(path)) else { return Ok(url.to_string()) };
    if path.is_empty() || path.ends_with(":memory:") {
        return Ok(url.to_string());
    }
    if !Path::new(&path.replace("%20", " ")).exists() {
        return Err(Error::Revision(format!("there is no database at {url}")));
    }
    Ok(format!("sqlite://{path}?mode=ro"))
}

/// The line of a place in a text, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn not_toml(file: String, text: &str, error: &TomlError) -> Error {
    let line = error.span().map(|span| line_of(text, span.start));
    Error::File { file, line, message: format!("this is not TOML: {}", error.message().trim()) }
}

/// A path as a person would type it.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    relative.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}

/// An error about a file of the project.
pub(crate) fn in_file(file: &str, message: impl Into<String>) -> Error {
    Error::File { file: file.to_string(), line: None, message: message.into() }
}

/// A TOML file to be changed; `None` where there is none.
pub(crate) fn document(path: &Path) -> Result<Option<DocumentMut>, Error> {
    let shown = shown(path);
    match std::fs::read_to_string(path) {
        Ok(text) => text.parse().map(Some).map_err(|error| not_toml(shown, &text, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(shown, error)),
    }
}

/// The environment, and `.env` of this directory or the nearest above for what it lacks.
fn environment() -> Result<HashMap<String, String>, Error> {
    let mut all = HashMap::new();
    match dotenvy::dotenv_iter() {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line.map_err(|error| not_env(&error))?;
                all.insert(name, value);
            }
        }
        Err(error) if error.not_found() => {}
        Err(error) => return Err(not_env(&error)),
    }
    all.extend(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))));
    Ok(all)
}

fn not_env(error: &dotenvy::Error) -> Error {
    let (line, message) = match error {
        dotenvy::Error::LineParse(wrong, _) => {
            let file = std::env::current_dir().ok();
            let file = file.iter().flat_map(|here| here.ancestors()).map(|folder| folder.join(".env"));
            let text = file.into_iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
            let line = text.lines().position(|line| line.trim() == wrong.trim()).map(|index| index + 1);
            // Not the line itself: there may be a password in it.
            (line, "expected NAME=value".to_string())
        }
        other => (None, format!("cannot be read: {other}")),
    };
    Error::File { file: ".env".into(), line, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str, environment: &[(&str, &str)]) -> Result<Config, Error> {
        let environment = environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let mut config = Config { environment, ..Config::default() };
        let source = Source::parse("limbeck.toml".into(), toml.into())?;
        config.apply(&source, source.document.as_table())?;
        Ok(config)
    }

    #[test]
    fn each_declared_database_has_its_url() {
        let toml = "databases = [\"sqlite\", \"postgres\"]\n[urls]\nsqlite = \"sqlite://dev.db\"";
        let config = config(toml, &[("DATABASE_URL", "postgres://a/b")]).unwrap();
        assert_eq!(config.databases, [Dialect::Sqlite, Dialect::Postgres]);
        assert_eq!(config.url(None).unwrap(), "postgres://a/b");
        assert_eq!(config.url_of(Dialect::Sqlite, None).unwrap(), "sqlite://dev.db");
        assert_eq!(config.url_of(Dialect::Postgres, None).unwrap(), "postgres://a/b");
        assert_eq!(config.url_of(Dialect::Sqlite, Some("sqlite://x")).unwrap(), "sqlite://x");
    }

    #[test]
    fn without_a_url_the_error_names_the_variable() {
        assert!(config("", &[]).unwrap().url(None).unwrap_err().to_string().contains("DATABASE_URL"));
        assert_eq!(config("[urls]\nsqlite = \"sqlite://a\"", &[]).unwrap().url(None).unwrap(), "sqlite://a");
    }

    #[test]
    fn the_database_of_a_revision_is_that_of_the_url_unless_declared() {
        let one = config("", &[("DATABASE_URL", "postgresql://a/b")]).unwrap();
        assert_eq!(one.revision_databases(None).unwrap(), [Dialect::Postgres]);
        assert!(config("", &[("DATABASE_URL", "oracle://a")]).unwrap().revision_databases(None).is_err());
    }

    #[test]
    fn mistakes_name_the_file_the_line_and_the_key() {
        for toml in ["databases = \"sqlite\"", "databases = [\"oracle\"]", "colour = 1", "urls = 1", "bin = 2"] {
            let error = config(&format!("migrations = \"m\"\n{toml}"), &[]).unwrap_err().to_string();
            assert!(error.starts_with("limbeck.toml:2: `"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        for (toml, said) in [
            ("database = []", "limbeck.toml:1: `database` is not a setting: did you mean `databases`?"),
            (
                "\n[urls]\npostgre = \"\"",
                "limbeck.toml:3: `urls.postgre` is not a setting: did you mean `urls.postgres`?",
            ),
            (
                "colour = 1",
                "limbeck.toml:1: `colour` is not a setting: there are databases, migrations, bin, urls, lint",
            ),
        ] {
            assert_eq!(config(toml, &[]).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn what_is_no_toml_is_an_error_with_its_line() {
        let error = config("migrations = \"m\"\nbin = \n", &[]).unwrap_err().to_string();
        assert!(error.starts_with("limbeck.toml:2: this is not TOML: "), "{error}");
    }
}
