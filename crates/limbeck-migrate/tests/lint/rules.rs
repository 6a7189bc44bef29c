//! Each rule finds in its wrong example what is marked there, and nothing in the right one.

use std::fs;

use limbeck_migrate::lint::models::{QueryLog, RULES, Rule, apply};

use crate::support::{lint_with, only, root, shown};

const QUERIES: &str =
    "SELECT posts.id FROM posts WHERE posts.slug = ?\nSELECT posts.id FROM posts WHERE posts.views > 5\n";

fn source(rule: &Rule) -> String {
    fs::read_to_string(root().join(format!("src/lint/models/examples/{}.rs", rule.code))).unwrap()
}

/// The lines that are marked: at their end, or in the next line, where rustfmt wants it to be.
fn marked(source: &str) -> Vec<usize> {
    let marked = source.lines().enumerate().filter(|(_, line)| line.ends_with("// here"));
    marked.map(|(i, line)| if line.trim() == "// here" { i } else { i + 1 }).collect()
}

#[test]
fn each_rule_finds_what_breaks_it_on_the_line() {
    let queries = QueryLog::read("echo.log", QUERIES);
    for rule in RULES {
        // An unused `allow` is one of a rule that was asked.
        let mut policy = only(rule.code);
        policy.select.extend((rule.code == "L901").then_some("L008"));
        let module = format!("examples::{}::wrong", rule.code.to_lowercase());
        let report = lint_with(&module, &policy, Some(&queries));
        let found: Vec<usize> = report.findings.iter().map(|finding| finding.location.line).collect();
        assert_eq!(found, marked(&source(rule)), "{rule:?}: {:?}", shown(&report.findings));
        for finding in &report.findings {
            assert_eq!(finding.rule, rule);
            let (start, end) = finding.location.span.expect("a span");
            assert!(source(rule).get(start..end).is_some_and(|text| !text.contains('\n')), "{finding:?}");
            assert!(!finding.message.is_empty() && !finding.help.is_empty());
        }
        assert_eq!(report.unread, [""; 0]);
    }
}

#[test]
fn no_rule_finds_anything_in_what_is_right() {
    let queries = QueryLog::read("echo.log", QUERIES);
    for rule in RULES {
        let mut policy = only(rule.code);
        policy.select.extend((rule.code == "L901").then_some("L008"));
        let module = format!("examples::{}::right", rule.code.to_lowercase());
        let report = lint_with(&module, &policy, Some(&queries));
        assert_eq!(shown(&report.findings), [""; 0], "{rule:?}");
    }
}

/// What a rule says of itself about `--fix` is so, and a fix leaves Rust behind.
#[test]
fn what_can_be_fixed_is_fixed() {
    let queries = QueryLog::read("echo.log", QUERIES);
    for rule in RULES {
        let mut policy = only(rule.code);
        policy.select.extend((rule.code == "L901").then_some("L008"));
        let module = format!("examples::{}::wrong", rule.code.to_lowercase());
        let report = lint_with(&module, &policy, Some(&queries));
        let fixes: Vec<_> =
            report.findings.iter().map(|f| f.edits.as_slice()).filter(|edits| !edits.is_empty()).collect();
        assert_eq!(!fixes.is_empty(), rule.fixable, "{rule:?}");
        let text = source(rule);
        let (fixed, made) = apply(&text, fixes.iter().copied());
        assert_eq!(made, fixes.len(), "{rule:?}");
        assert_eq!(fixed != text, rule.fixable);
        syn::parse_file(&fixed).unwrap_or_else(|error| panic!("{rule:?}: {error}\n{fixed}"));
        // Nothing but the models that are wrong was touched.
        assert_eq!(fixed.split("pub mod right").nth(1), text.split("pub mod right").nth(1));
    }
}
