//! `limbeck new model`: everything is read, checked and planned before the first byte is written.

use std::path::Path;

use limbeck_migrate::Error;
use serde_json::json;

use super::arguments::NewModel;
use super::change::{self, Change};
use super::content::Content;
use super::edit::{self, Edit};
use super::modules::Crate;
use super::project::Project;
use super::register::{self, Registration};
use super::said::Said;
use super::sides::Plan;
use super::source::{self, Source};
use super::{template, wrong};
use crate::Outcome;
use crate::output::{self, bold, green, line, note, plain};

pub(super) fn run(args: &NewModel, package: Option<&str>) -> Outcome {
    if args.print_template {
        plain(template::BUILT_IN.trim_end());
        output::result("template", template::BUILT_IN.into());
        return Ok(0);
    }
    let said = Said::read(args)?;
    let project = Project::find(package)?;
    let all = Crate::read(&project.root_file, &project.root)?;
    let registration = register::plan(&all, &said.feature, &project.root)?;
    said.check(&all, &project)?;
    let content = Content::plan(&said, &all, &project)?;
    let file = content.file(&said, &project, &registration.file)?;
    let (changes, link) = changes(&all, &project, registration, &content, file)?;
    if args.dry_run {
        for change in &changes {
            plain(change.patch().trim_end_matches('\n'));
        }
        note("this was a dry run: nothing was written");
    } else {
        change::write(&changes)?;
    }
    report(args, package, &said, &content.plan, &changes, link);
    Ok(0)
}

/// All that is to be written, and what a person has to do for the crate to be linked.
fn changes(
    all: &Crate,
    project: &Project,
    registration: Registration,
    content: &Content,
    file: String,
) -> Result<(Vec<Change>, Option<String>), Error> {
    let new = |path: &Path, after: String| Change {
        path: path.to_path_buf(),
        shown: source::shown(path, &project.root),
        before: None,
        after,
    };
    let mut changes = vec![new(&registration.file, file)];
    changes.extend(registration.new.iter().map(|(path, text)| new(path, text.clone())));
    let edits: Vec<&(usize, Edit)> = registration.edits.iter().chain(&content.plan.edits).collect();
    for (i, source) in all.sources.iter().enumerate() {
        let own: Vec<Edit> = edits.iter().filter(|(of, _)| *of == i).map(|(_, edit)| edit.clone()).collect();
        if !own.is_empty() {
            changes.push(edited(source, &own)?);
        }
    }
    for (source, edit) in &registration.found {
        changes.push(edited(source, std::slice::from_ref(edit))?);
    }
    match project.link() {
        Ok(None) => Ok((changes, None)),
        Ok(Some((source, edit))) => {
            changes.push(edited(&source, &[edit])?);
            Ok((changes, None))
        }
        Err(todo) => Ok((changes, Some(todo))),
    }
}

fn edited(source: &Source, edits: &[Edit]) -> Result<Change, Error> {
    let after = edit::apply(&source.text, edits);
    // What was edited still is Rust, or is not written.
    source::parse(&after, &source.shown)
        .map_err(|error| wrong(format!("{} cannot be edited safely, so nothing was written: {error}", source.shown)))?;
    Ok(Change { path: source.path.clone(), shown: source.shown.clone(), before: Some(source.text.clone()), after })
}

/// What a person reads, and what a program does.
fn report(args: &NewModel, package: Option<&str>, said: &Said, plan: &Plan, changes: &[Change], link: Option<String>) {
    let feature = said.feature.last().cloned().unwrap_or_default();
    let of = package.map_or_else(String::new, |package| format!(" -p {package}"));
    let next = [
        format!("limbeck{of} revision --autogenerate -m \"Add {feature} table\""),
        format!("limbeck{of} upgrade head"),
    ];
    if !args.dry_run {
        for change in changes {
            line(&format!("{} {}", green(if change.before.is_some() { "edited" } else { "wrote" }), change.shown));
        }
        for added in &plan.added {
            line(&format!("{} {added}", green("added to")));
        }
    }
    for known in plan.decided.iter().chain(&link) {
        note(known);
    }
    if !args.dry_run {
        line("next, when you have looked at it:");
        for command in &next {
            line(&format!("  {}", bold(command)));
        }
    }
    let file =
        |change: &Change| json!({ "file": change.shown, "new": change.before.is_none(), "patch": change.patch() });
    output::results(json!({
        "dry_run": args.dry_run,
        "files": changes.iter().map(file).collect::<Vec<_>>(),
        "added": plan.added,
        "next": next,
    }));
}
