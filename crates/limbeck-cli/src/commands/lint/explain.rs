//! `--explain` and `--list`.

use limbeck_migrate::lint::models::{RULES, Rule};

use super::json;
use crate::output::{bold, line, result};

/// The columns of a line of text.
const WIDTH: usize = 100;

/// Says what a rule wants, why, and how to follow it.
pub(super) fn rule(rule: &Rule) {
    result("rule", json::rule(rule));
    line(&bold(&format!("{} {} ({})", rule.code, rule.name, rule.severity)));
    line(&wrapped(rule.summary, ""));
    line("");
    line(&wrapped(rule.reason, "Why: "));
    line(&wrapped(rule.fix, "Fix: "));
    if !rule.exceptions.is_empty() {
        line(&wrapped(rule.exceptions, "But: "));
    }
    if rule.fixable {
        line("     `limbeck lint --fix` does it, in plain cases.");
    }
    for (title, text) in [("Wrong:", rule.wrong()), ("Right:", rule.right())] {
        line("");
        line(&bold(title));
        for text in text.lines() {
            line(&if text.is_empty() { String::new() } else { format!("    {text}") });
        }
    }
    line("");
    line(&format!("To allow it: #[model(allow({}, reason = \"…\"))]", rule.code));
}

/// Lists the rules.
pub(super) fn all() {
    result("rules", RULES.iter().map(json::rule).collect());
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in RULES {
        let fix = if rule.fixable { "fix" } else { "   " };
        let severity = rule.severity.name();
        line(&format!("{} {:width$} {severity:5} {fix} {}", bold(rule.code), rule.name, rule.summary));
    }
}

/// A text in lines, indented by what stands before it.
pub(super) fn wrapped(text: &str, before: &str) -> String {
    let mut lines = vec![before.to_string()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().map_or(0, |line| line.chars().count());
        if last + 1 + word.chars().count() > WIDTH {
            lines.push(" ".repeat(before.len()));
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
