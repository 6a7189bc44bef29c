//! What a program is told.

use limbeck_migrate::lint::Severity;
use limbeck_migrate::lint::models::{Finding, Report, Rule};
use serde_json::{Value, json};

use super::place;
use crate::output::results;

/// Tells what was found.
pub(super) fn report(report: &Report) {
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    results(json!({
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warn),
        "models": report.checked,
        "not_checked": report.left_out,
        "unread": report.unread,
    }));
}

fn finding(finding: &Finding) -> Value {
    let at = &finding.location;
    json!({
        "code": finding.rule.code,
        "name": finding.rule.name,
        "severity": finding.severity.name(),
        "message": finding.message,
        "help": finding.help,
        "reason": finding.rule.reason,
        "file": at.path.as_deref().map_or_else(|| at.file.clone(), place),
        "line": at.line,
        "column": at.column,
        "model": finding.model,
        "table": finding.table,
        "field": finding.field,
        "fixable": !finding.edits.is_empty(),
    })
}

/// Tells of a rule.
pub(super) fn rule(rule: &Rule) -> Value {
    json!({
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.name(),
        "summary": rule.summary,
        "reason": rule.reason,
        "fix": rule.fix,
        "exceptions": rule.exceptions,
        "fixable": rule.fixable,
        "wrong": rule.wrong(),
        "right": rule.right(),
    })
}
