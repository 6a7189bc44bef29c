//! The lint of models: rules over what is compiled, with locations from the sources.
//!
//! * `rule`: the table of rules, and their texts. `subject`: what a rule is asked about, and what it answers.
//! * `names`, `nulls`, `times`, `types`, `relations`, `keys`, `indexes`, `queries`: the rules, by idea.
//! * `allow`: what models say shall not be said of them. `source`, `edit`: sources, and changes of them.
//!
//! The examples of the rules, in `examples/`, are read by `--explain`, printed in the book, and compiled in the tests,
//! where the lint has to find in each exactly what it is there for.

mod allow;
mod edit;
mod indexes;
mod keys;
mod names;
mod nulls;
mod queries;
mod relations;
mod rule;
mod source;
mod subject;
mod times;
mod types;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use limbeck::model::ModelDef;
use limbeck::schema::Metadata;

use super::{Policy, Severity};
pub use edit::{Edit, apply};
pub use queries::QueryLog;
pub use rule::{RULES, Rule, find, nearest};
pub use source::{SourceFile, Sources, is_rust};
pub use subject::{Finding, Location};
use subject::{Findings, Schema, Subject};

/// What the lint found.
#[derive(Debug)]
pub struct Report {
    /// What it found, by file and line.
    pub findings: Vec<Finding>,
    /// How many models were checked.
    pub checked: usize,
    /// Files whose models the settings leave out, and how many these are.
    pub left_out: BTreeMap<String, usize>,
    /// Models whose source cannot be read, or is a macro's: the path of each. Rules that need it were not asked.
    pub unread: Vec<String>,
}

/// Checks models.
///
/// `metadata` is that of the models. `root` is the folder of their package, from which sources are found.
pub fn check(
    models: &[&'static ModelDef],
    metadata: &Metadata,
    root: &Path,
    policy: &Policy,
    queries: Option<&QueryLog>,
) -> Report {
    let mut sources = Sources::new(root);
    let files: Vec<Option<Rc<SourceFile>>> = models.iter().map(|model| sources.file(model)).collect();
    let schema = Schema::new(models, &files, metadata, queries);
    let mut report = Report { findings: Vec::new(), checked: 0, left_out: BTreeMap::new(), unread: Vec::new() };
    for (&model, file) in models.iter().zip(&files) {
        if is_foreign(model) {
            continue;
        }
        let paths = paths(model.location.0, file.as_deref(), root);
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        if !policy.covers(&paths) {
            *report.left_out.entry(model.location.0.to_string()).or_default() += 1;
            continue;
        }
        report.checked += 1;
        let Some(subject) = Subject::new(model, &schema, file.as_deref()) else { continue };
        if subject.source.is_none() {
            report.unread.push(model.path());
        }
        check_model(&subject, policy, &paths, &mut report.findings);
    }
    report.findings.sort_by(|a, b| (&a.location, a.rule.code, &a.message).cmp(&(&b.location, b.rule.code, &b.message)));
    report
}

fn check_model(subject: &Subject<'_>, policy: &Policy, paths: &[&str], out: &mut Vec<Finding>) {
    let severity = |rule: &Rule| policy.severity(rule.code, rule.severity, paths);
    let allowed = allow::Allowed::of(subject);
    // What was not asked is no reason to call an `allow` useless.
    let asked = |rule: &Rule| severity(rule) != Severity::Off && (rule.code != "L004" || subject.schema.has_queries());
    for rule in RULES.iter().filter(|rule| severity(rule) != Severity::Off) {
        let mut found = Findings::new(subject, rule, severity(rule), &allowed, &asked);
        (rule.check)(subject, &mut found);
        out.append(&mut found.found);
    }
}

/// Whether a model is of another workspace, as those of dependencies are: cargo names their files from the root of the
/// file system. They are nobody's business here, and least of all to be fixed.
fn is_foreign(model: &ModelDef) -> bool {
    Path::new(model.location.0).is_absolute()
}

/// The paths that a file has for the settings: as the compiler names it, and in its package.
fn paths(name: &str, file: Option<&SourceFile>, root: &Path) -> Vec<String> {
    let slashes = |path: &str| path.replace('\\', "/");
    let mut out = vec![slashes(name)];
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let path = file.and_then(|file| file.path.canonicalize().ok());
    if let Some(inside) = path.as_ref().and_then(|path| path.strip_prefix(&root).ok()) {
        out.push(slashes(&inside.display().to_string()));
    }
    out
}
