//! `--fix`: changes of sources, and `--dry-run`, which shows them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use limbeck_migrate::Error;
use limbeck_migrate::lint::models::{Edit, Finding, Report, apply, is_rust};
use serde_json::json;

use super::{FOUND, ended, place, show};
use crate::Outcome;
use crate::config::in_file;
use crate::output::{beside, counted, green, line, plain, result};
use crate::patch;

/// A file, and what it becomes.
struct Change {
    path: PathBuf,
    before: String,
    after: String,
    fixes: usize,
}

pub(super) fn run(report: &Report, dry: bool) -> Outcome {
    let changes = changes(&report.findings)?;
    if dry {
        let diffs: Vec<String> = changes.iter().map(diff).collect();
        result("diff", diffs.concat().into());
        for diff in &diffs {
            plain(diff.trim_end());
        }
        // Standard output is the diff and nothing else, so that `git apply` can read it.
        if report.findings.is_empty() {
            return Ok(ended(report));
        }
        beside(&show::summary(&report.findings, &counted(report.checked, "model")));
        return Ok(FOUND);
    }
    if report.findings.is_empty() {
        return Ok(ended(report));
    }
    for change in &changes {
        std::fs::write(&change.path, &change.after)
            .map_err(|error| Error::io(change.path.display().to_string(), error))?;
        line(&format!("{} {} in {}", green("mended"), counted(change.fixes, "place"), place(&change.path)));
    }
    let told = changes.iter().map(|change| json!({ "file": place(&change.path), "fixes": change.fixes }));
    result("fixed", told.collect());
    let left: Vec<Finding> = report.findings.iter().filter(|finding| finding.edits.is_empty()).cloned().collect();
    let made: usize = changes.iter().map(|change| change.fixes).sum();
    let postponed = report.findings.len() - left.len() - made;
    if postponed > 0 {
        line(&format!("{} of the same lines left: run it again", counted(postponed, "fix")));
    }
    if left.is_empty() && postponed == 0 {
        return Ok(0);
    }
    // Lines may have moved: what is left is shown as it was found, without them.
    for finding in &left {
        let file = finding.location.path.as_deref().map_or_else(|| finding.location.file.clone(), place);
        line(&format!("left in {file}: {}[{}] {}", finding.severity, finding.rule.code, finding.message));
    }
    if !left.is_empty() {
        line(&show::summary(&left, &counted(report.checked, "model")));
    }
    Ok(FOUND)
}

fn changes(findings: &[Finding]) -> Result<Vec<Change>, Error> {
    let mut by_file: BTreeMap<&Path, Vec<&[Edit]>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.edits.is_empty()) {
        if let Some(path) = &finding.location.path {
            by_file.entry(path).or_default().push(&finding.edits);
        }
    }
    by_file.into_iter().map(|(path, fixes)| change(path, &fixes)).collect()
}

fn change(path: &Path, fixes: &[&[Edit]]) -> Result<Change, Error> {
    let shown = place(path);
    let before = std::fs::read_to_string(path).map_err(|error| Error::io(shown.clone(), error))?;
    let (after, fixes) = apply(&before, fixes.iter().copied());
    if !is_rust(&after) {
        return Err(in_file(&shown, "what --fix would write is no Rust: nothing was changed, please report it"));
    }
    Ok(Change { path: path.to_path_buf(), before, after, fixes })
}

fn diff(change: &Change) -> String {
    patch::unified(&place(&change.path), Some(&change.before), &change.after)
}
