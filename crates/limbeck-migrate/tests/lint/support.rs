//! Running the lint over the models of a module.

use std::collections::BTreeSet;
use std::path::Path;

use limbeck::model::{ModelDef, registered};
use limbeck::schema::Metadata;
use limbeck_migrate::lint::models::{Finding, QueryLog, Report, check};
use limbeck_migrate::lint::{Policy, Severity};

/// Where the files of this package are.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The models of a module of this test: `examples::l001::wrong`.
pub fn models(module: &str) -> Vec<&'static ModelDef> {
    let path = format!("lint::{module}");
    let found: Vec<_> = registered().into_iter().filter(|model| model.module == path).collect();
    assert!(!found.is_empty(), "{path} has models");
    found
}

/// All files, every rule that is not off.
pub fn everywhere() -> Policy {
    Policy { paths: vec!["**".into()], ..Policy::default() }
}

/// All files, one rule.
pub fn only(code: &'static str) -> Policy {
    Policy { select: BTreeSet::from([code]), ..everywhere() }
}

pub fn lint(module: &str, policy: &Policy) -> Report {
    lint_with(module, policy, None)
}

pub fn lint_with(module: &str, policy: &Policy, queries: Option<&QueryLog>) -> Report {
    let models = models(module);
    check(&models, &Metadata::of(&models).unwrap(), root(), policy, queries)
}

/// `L008 Post: …`
pub fn shown(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| format!("{}:{} {}", finding.rule.code, finding.location.line, finding.message))
        .collect()
}

/// A policy with rules said for all files.
pub fn with(rules: &[(&'static str, Severity)]) -> Policy {
    Policy { rules: rules.iter().copied().collect(), ..everywhere() }
}
