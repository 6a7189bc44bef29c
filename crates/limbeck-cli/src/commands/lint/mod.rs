//! `limbeck lint`: what a reviewer would say of the models.
//!
//! The rules are `limbeck_migrate::lint`'s. Here are the settings (`settings`), what a person sees (`show`), what a
//! program gets (`json`), and changes of sources (`fix`).

mod explain;
mod fix;
mod json;
pub(crate) mod settings;
mod show;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use limbeck::model::registered;
use limbeck::schema::Metadata;
use limbeck_migrate::lint::models::{QueryLog, Report, Rule, check, find, nearest};
use limbeck_migrate::{Embedded, Error};

use crate::Outcome;
use crate::args::Args;
use crate::output::{counted, green, line, note, result};
use crate::project::Context;

/// The exit code where something is found.
const FOUND: u8 = 3;

/// The words of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Lint {
    /// Only these rules, by code or name.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) select: Vec<String>,

    /// All but these rules.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,

    /// A log of executed statements, one a line: columns that they filter by and no index begins with are found.
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: Vec<PathBuf>,

    /// Changes the sources where that is mechanical.
    #[arg(long)]
    pub(crate) fix: bool,

    /// Prints what --fix would change, and changes nothing.
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,

    /// Explains a rule, with an example.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["list", "fix", "queries", "select", "ignore"])]
    pub(crate) explain: Option<String>,

    /// Lists the rules.
    #[arg(long, conflicts_with_all = ["fix", "queries", "select", "ignore"])]
    pub(crate) list: bool,
}

pub(crate) fn run(args: &Args, lint: &Lint, embedded: Option<Embedded>) -> Outcome {
    if let Some(named) = &lint.explain {
        explain::rule(said_rule("--explain", named)?);
        return Ok(0);
    }
    if lint.list {
        explain::all();
        return Ok(0);
    }
    // What is wrong with the words is said before anything is compiled.
    let select = rules("--select", &lint.select)?;
    let ignore = rules("--ignore", &lint.ignore)?;
    let queries = queries(&lint.queries, embedded.is_some())?;
    let context = Context::find(args, embedded)?;
    if !context.has_models() {
        return context.run_project_binary();
    }
    let Some(root) = context.root() else {
        return Err(Error::Revision("lint reads the sources of the models: run it in the project's folder".into()));
    };
    let mut policy = context.config.lint.clone();
    policy.select = select;
    policy.ignore = ignore;
    let metadata = Metadata::registered()?;
    let report = check(&registered(), &metadata, root, &policy, queries.as_ref());
    if report.checked == 0 {
        return Err(nothing_checked(&report, &policy.paths));
    }
    json::report(&report);
    notes(&report);
    if lint.fix {
        return fix::run(&report, lint.dry_run);
    }
    show::findings(&report.findings, root)?;
    Ok(ended(&report))
}

/// The last line, and the exit code.
fn ended(report: &Report) -> u8 {
    let models = counted(report.checked, "model");
    if report.findings.is_empty() {
        line(&green(&format!("nothing found in {models}")));
        return 0;
    }
    line(&show::summary(&report.findings, &models));
    FOUND
}

/// What was not checked, or not wholly.
fn notes(report: &Report) {
    if !report.left_out.is_empty() {
        let files: Vec<&str> = report.left_out.keys().map(String::as_str).collect();
        let count = counted(report.left_out.values().sum(), "model");
        note(&format!("{count} not checked, since `[lint] paths` does not name the file: {}", files.join(", ")));
    }
    if !report.unread.is_empty() {
        note(&format!(
            "the source of {} cannot be read, or a macro wrote it: rules that need it were not asked",
            report.unread.join(", ")
        ));
    }
}

fn nothing_checked(report: &Report, paths: &[String]) -> Error {
    let files: Vec<&str> = report.left_out.keys().map(String::as_str).collect();
    Error::Revision(format!(
        "no model was checked: models are in {}, and only {} are asked; set `paths` in the table [lint] of limbeck.toml",
        files.join(", "),
        paths.join(", ")
    ))
}

/// The rules that an option names.
fn rules(option: &str, said: &[String]) -> Result<BTreeSet<&'static str>, Error> {
    said.iter().map(|named| said_rule(option, named).map(|rule| rule.code)).collect()
}

fn said_rule(option: &str, named: &str) -> Result<&'static Rule, Error> {
    find(named.trim()).ok_or_else(|| Error::Revision(format!("{option}: {}", unknown_rule(named))))
}

/// The message for a code that no rule has.
pub(super) fn unknown_rule(named: &str) -> String {
    match nearest(named) {
        Some(rule) => format!("there is no rule `{named}`: did you mean `{}` ({})?", rule.code, rule.name),
        None => format!("there is no rule `{named}`: `limbeck lint --list` has them all"),
    }
}

/// Reads the logs. That one says nothing is noted by the project's own binary alone, which reads them again.
fn queries(files: &[PathBuf], noted: bool) -> Result<Option<QueryLog>, Error> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut all = QueryLog::default();
    for file in files {
        let shown = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| Error::io(shown.clone(), error))?;
        let log = QueryLog::read(&shown, &String::from_utf8_lossy(&bytes));
        if log.is_empty() && noted {
            note(&format!("{shown}: there is no statement in it, one a line"));
        }
        all.add(log);
    }
    result("statements", all.len().into());
    Ok(Some(all))
}

/// A path as a person in the package would write it.
fn place(path: &Path) -> String {
    crate::config::shown(path)
}
