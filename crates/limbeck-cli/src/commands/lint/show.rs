//! What a person sees, in the compiler's manner.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use limbeck_migrate::Error;
use limbeck_migrate::lint::Severity;
use limbeck_migrate::lint::models::Finding;

use super::explain::wrapped;
use super::place;
use crate::output::{counted, is_json, line};

/// Shows each finding with its line. What is the same for all of a rule, the reason and the way to allow it, is said at
/// the first.
pub(super) fn findings(findings: &[Finding], root: &Path) -> Result<(), Error> {
    if is_json() {
        return Ok(());
    }
    let mut texts: HashMap<PathBuf, String> = HashMap::new();
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    for finding in findings {
        let path = finding.location.path.clone();
        if let Some(path) = path.filter(|path| !texts.contains_key(path)) {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::io(path.display().to_string(), error))?;
            texts.insert(path, text);
        }
        let text = finding.location.path.as_ref().and_then(|path| texts.get(path));
        let first = explained.insert(finding.rule.code);
        line(&rendered(finding, text.map(String::as_str), first, root));
        line("");
    }
    Ok(())
}

fn rendered(finding: &Finding, text: Option<&str>, first: bool, root: &Path) -> String {
    let at = &finding.location;
    let file = at.path.as_deref().map_or_else(|| root.join(&at.file).display().to_string(), place);
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warn | Severity::Off => Level::WARNING,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.code);
    let group = match (text, at.span) {
        (Some(text), Some((start, end))) if text.get(start..end).is_some() => {
            let annotation = AnnotationKind::Primary.span(start..end);
            title.element(Snippet::source(text).path(file).annotation(annotation))
        }
        _ => title.element(Origin::path(file).line(at.line)),
    };
    let mut help = finding.help.clone();
    if !finding.edits.is_empty() {
        help.push_str(" (`--fix` does it)");
    }
    let group: Group<'_> = group.element(Level::HELP.message(help));
    let group = match first {
        true => {
            let allow = format!("#[{}(allow({}, reason = \"…\"))]", finding.allowed_in, finding.rule.code);
            group
                .element(Level::NOTE.with_name("why").message(wrapped(finding.rule.reason, "")))
                .element(Level::NOTE.with_name("allow").message(allow))
        }
        false => group,
    };
    Renderer::styled().render(&[group])
}

/// `1 error, 2 warnings in 3 models, of which --fix mends 1`
pub(super) fn summary(findings: &[Finding], models: &str) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let mut parts = Vec::new();
    for (severity, what) in [(Severity::Error, "error"), (Severity::Warn, "warning")] {
        if count(severity) > 0 {
            parts.push(counted(count(severity), what));
        }
    }
    let fixable = findings.iter().filter(|finding| !finding.edits.is_empty()).count();
    let fix = if fixable > 0 { format!("; `limbeck lint --fix` can mend {fixable}") } else { String::new() };
    format!("{} in {models}{fix}", parts.join(", "))
}
