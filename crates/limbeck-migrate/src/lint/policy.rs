//! Which rules are asked of which files, and how strictly.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::glob::matches;

/// How strictly a rule is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Not asked.
    Off,
    /// Worth a change.
    Warn,
    /// Wrong.
    Error,
}

impl Severity {
    /// The severity of that name: `off`, `warn`, `error`.
    pub fn named(name: &str) -> Option<Severity> {
        [Severity::Off, Severity::Warn, Severity::Error].into_iter().find(|severity| severity.name() == name)
    }

    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Warn => "warn",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which rules are asked of which files, and how strictly. Rules are named by their codes.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The files whose models are checked, as patterns: `**/models.rs`.
    pub paths: Vec<String>,
    /// What is said of rules for all files.
    pub rules: BTreeMap<&'static str, Severity>,
    /// What is said of rules for some files. Of two that are for one file the later one counts.
    pub overrides: Vec<Override>,
    /// The only rules that are asked, where there are any. One that is off by default is not off then.
    pub select: BTreeSet<&'static str>,
    /// Rules that are not asked, whatever else is said.
    pub ignore: BTreeSet<&'static str>,
}

/// What is said of rules for some files.
#[derive(Clone, Debug, Default)]
pub struct Override {
    /// The files, as patterns.
    pub paths: Vec<String>,
    /// The rules.
    pub rules: BTreeMap<&'static str, Severity>,
}

impl Default for Policy {
    /// Models in `models.rs`, in folders `models` and in folders `db`; every rule as strictly as it is meant.
    fn default() -> Self {
        Policy {
            paths: ["**/models.rs", "**/models/*.rs", "**/db/**"].map(String::from).to_vec(),
            rules: BTreeMap::new(),
            overrides: Vec::new(),
            select: BTreeSet::new(),
            ignore: BTreeSet::new(),
        }
    }
}

impl Policy {
    /// Whether the models of a file are checked. A file may be known by several paths: as the compiler names it, and
    /// within its package.
    pub fn covers(&self, paths: &[&str]) -> bool {
        any(&self.paths, paths)
    }

    /// How strictly a rule is meant in a file.
    pub fn severity(&self, code: &'static str, default: Severity, paths: &[&str]) -> Severity {
        if self.ignore.contains(code) || !(self.select.is_empty() || self.select.contains(code)) {
            return Severity::Off;
        }
        let said = self.overrides.iter().rev().filter(|said| any(&said.paths, paths));
        let said = said.map(|said| &said.rules).chain([&self.rules]).find_map(|rules| rules.get(code).copied());
        match said {
            Some(severity) => severity,
            // Asked for by name.
            None if default == Severity::Off && self.select.contains(code) => Severity::Warn,
            None => default,
        }
    }
}

fn any(patterns: &[String], paths: &[&str]) -> bool {
    patterns.iter().any(|pattern| paths.iter().any(|path| matches(pattern, path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_for_a_file_counts() {
        let off = |code| BTreeMap::from([(code, Severity::Off)]);
        let mut policy = Policy {
            rules: BTreeMap::from([("L001", Severity::Error)]),
            overrides: vec![
                Override { paths: vec!["src/legacy/**".into()], rules: off("L001") },
                Override { paths: vec!["src/legacy/new.rs".into()], rules: BTreeMap::from([("L001", Severity::Warn)]) },
            ],
            ..Policy::default()
        };
        let of = |policy: &Policy, code, path| policy.severity(code, Severity::Warn, &[path]);
        assert_eq!(of(&policy, "L001", "src/models.rs"), Severity::Error);
        assert_eq!(of(&policy, "L001", "src/legacy/models.rs"), Severity::Off);
        assert_eq!(of(&policy, "L001", "src/legacy/new.rs"), Severity::Warn);
        assert_eq!(of(&policy, "L002", "src/legacy/models.rs"), Severity::Warn);
        policy.select.insert("L002");
        assert_eq!(of(&policy, "L001", "src/models.rs"), Severity::Off);
        assert_eq!(policy.severity("L002", Severity::Off, &["src/models.rs"]), Severity::Warn);
        policy.ignore.insert("L002");
        assert_eq!(of(&policy, "L002", "src/models.rs"), Severity::Off);
    }
}
