//! The page of the book has every rule as the rules have it. `LIMBECK_BLESS=1` writes that part of it anew.

use std::fmt::Write as _;
use std::path::Path;

use limbeck_migrate::lint::models::{RULES, Rule};

use crate::support::root;

const BEGIN: &str = "<!-- What follows is written by the tests of limbeck-migrate: LIMBECK_BLESS=1 cargo test -->\n";

fn section(rule: &Rule) -> String {
    let mut out = format!("\n## {} {}\n\n", rule.code, rule.name);
    let fix = if rule.fixable { ", `--fix`" } else { "" };
    let _ = writeln!(out, "{} *{}{fix}*\n", rule.summary, rule.severity);
    let _ = writeln!(out, "Why: {}\n\nInstead: {}\n", one_line(rule.reason), one_line(rule.fix));
    if !rule.exceptions.is_empty() {
        let _ = writeln!(out, "But: {}\n", one_line(rule.exceptions));
    }
    out.push_str("```rust\n");
    for (module, title, text) in [("wrong", "Wrong", rule.wrong()), ("right", "Right", rule.right())] {
        // The reader sees the models, the compiler modules of them.
        let _ = writeln!(out, "# pub mod {module} {{ use limbeck::prelude::*;\n// {title}:\n{text}\n# }}");
        if module == "wrong" {
            out.push('\n');
        }
    }
    out.push_str("# fn main() {}\n```\n");
    out
}

/// The text in lines as long as those of the book.
fn one_line(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line + word.chars().count() > 112 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[test]
fn the_book_has_every_rule() {
    let path = root().join(Path::new("../../docs/src/lint.md"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rules) = page.split_once(BEGIN).expect("the page has its mark");
    let wanted: String = RULES.iter().map(section).collect();
    if std::env::var_os("LIMBECK_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{wanted}")).unwrap();
        return;
    }
    assert!(rules == wanted, "docs/src/lint.md is not what the rules say: run this test with LIMBECK_BLESS=1");
    for rule in RULES {
        assert!(head.contains(&format!("[{}](#", rule.code)), "the table of {path:?} has no {rule:?}");
    }
}
