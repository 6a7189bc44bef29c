//! `[lint]` of the settings.
//!
//! ```toml
//! [lint]
//! paths = ["**/models.rs", "**/models/*.rs", "**/db/**"]
//!
//! [lint.rules]
//! L008 = "error"
//!
//! [[lint.overrides]]
//! paths = ["src/legacy/**"]
//! rules = { L008 = "off" }
//! ```

use std::collections::BTreeMap;

use limbeck_migrate::Error;
use limbeck_migrate::lint::models::find;
use limbeck_migrate::lint::{Override, Policy, Severity};
use toml_edit::{Item, TableLike, Value};

use super::unknown_rule;
use crate::config::Source;

const KEYS: &[&str] = &["paths", "rules", "overrides"];
const OVERRIDE: &[&str] = &["paths", "rules"];

/// Reads the table `lint`.
pub(crate) fn read(policy: &mut Policy, source: &Source, item: &Item) -> Result<(), Error> {
    let Some(table) = item.as_table_like() else {
        return Err(source.wrong(item.span(), "`lint`: expected a table"));
    };
    for (key, value) in table.iter() {
        match key {
            "paths" => policy.paths = paths(source, "lint.paths", value)?,
            "rules" => policy.rules = rules(source, "lint.rules", value)?,
            "overrides" => policy.overrides = overrides(source, value)?,
            _ => return Err(source.unknown(table, key, "lint.", KEYS)),
        }
    }
    Ok(())
}

fn overrides(source: &Source, item: &Item) -> Result<Vec<Override>, Error> {
    let wrong = |span| source.wrong(span, "`lint.overrides`: expected tables with `paths` and `rules`");
    let tables: Vec<&dyn TableLike> = match item {
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Item::Value(Value::Array(array)) => {
            let table = |value: &'_ Value| value.is_inline_table();
            if !array.iter().all(table) {
                return Err(wrong(item.span()));
            }
            array.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn TableLike).collect()
        }
        other => return Err(wrong(other.span())),
    };
    let mut all = Vec::new();
    for table in tables {
        if let Some((key, _)) = table.iter().find(|(key, _)| !OVERRIDE.contains(key)) {
            return Err(source.unknown(table, key, "lint.overrides.", OVERRIDE));
        }
        let (Some(for_paths), Some(of_rules)) = (table.get("paths"), table.get("rules")) else {
            return Err(wrong(item.span()));
        };
        all.push(Override {
            paths: paths(source, "lint.overrides.paths", for_paths)?,
            rules: rules(source, "lint.overrides.rules", of_rules)?,
        });
    }
    Ok(all)
}

fn paths(source: &Source, key: &str, item: &Item) -> Result<Vec<String>, Error> {
    let list: Option<Option<Vec<String>>> =
        item.as_array().map(|array| array.iter().map(|value| value.as_str().map(str::to_string)).collect());
    match list {
        Some(Some(paths)) if !paths.is_empty() => {
            match paths.iter().find(|path| path.contains(['[', ']', '{', '}', '!', '\\'])) {
                None => Ok(paths),
                Some(path) => {
                    let message = format!(
                        "`{key}`: `{path}`: a pattern has names and `/`, `*` and `?` within a name, and `**` for any number \
                     of folders; for several write several"
                    );
                    Err(source.wrong(item.span(), message))
                }
            }
        }
        _ => Err(source.wrong(item.span(), format!("`{key}`: expected a list of patterns, such as \"**/models.rs\""))),
    }
}

fn rules(source: &Source, key: &str, item: &Item) -> Result<BTreeMap<&'static str, Severity>, Error> {
    let Some(table) = item.as_table_like() else {
        return Err(source.wrong(item.span(), format!("`{key}`: expected a table, such as {{ L008 = \"off\" }}")));
    };
    let mut all = BTreeMap::new();
    for (named, value) in table.iter() {
        let Some(rule) = find(named) else {
            let span = table.key(named).and_then(toml_edit::Key::span);
            return Err(source.wrong(span, format!("`{key}`: {}", unknown_rule(named))));
        };
        let Some(severity) = value.as_str().and_then(Severity::named) else {
            let message = format!("`{key}.{named}`: expected \"off\", \"warn\" or \"error\"");
            return Err(source.wrong(value.span(), message));
        };
        all.insert(rule.code, severity);
    }
    Ok(all)
}
