//! The template of a model's file: names in double braces are replaced.

use limbeck_migrate::Error;

use super::names;

/// The one that is built in.
pub(super) const BUILT_IN: &str = "\
//! The models of {{feature_name}}.

use limbeck::prelude::*;

{{imports}}

{{enums}}

#[derive(Model, Debug)]
#[model(table = \"{{table_name}}\")]
pub struct {{EntityName}} {
    {{fields}}
}
";

/// Where a package, or its workspace, keeps its own.
pub(super) const FILE: &str = "templates/model.rs";

/// What a template's names stand for.
#[derive(Debug)]
pub(super) struct Values {
    /// Names that stand for a word.
    pub(super) words: Vec<(&'static str, String)>,
    /// Names that stand for lines.
    pub(super) blocks: Vec<(&'static str, Vec<String>)>,
}

impl Values {
    fn names(&self) -> Vec<&'static str> {
        self.words.iter().map(|(name, _)| *name).chain(self.blocks.iter().map(|(name, _)| *name)).collect()
    }

    fn lines(&self, name: &str) -> &[String] {
        self.blocks.iter().find(|(known, _)| *known == name).map_or(&[], |(_, lines)| lines)
    }
}

/// Fills a template in. An error names its file and line.
pub(super) fn fill(file: &str, template: &str, values: &Values) -> Result<String, Error> {
    let error = |line: Option<usize>, message: String| Error::File { file: file.to_string(), line, message };
    let mut out = String::new();
    let mut used: Vec<&str> = Vec::new();
    let mut skip_blank = false;
    for (number, line) in template.lines().enumerate() {
        if std::mem::take(&mut skip_blank) && line.trim().is_empty() {
            continue;
        }
        let mut done = String::new();
        let mut rest = line;
        let mut block = None;
        while let Some((before, name, after)) = next_name(rest) {
            let wrong = |message| Err(error(Some(number + 1), message));
            if let Some((_, word)) = values.words.iter().find(|(known, _)| *known == name) {
                done.push_str(before);
                done.push_str(word);
                rest = after;
                continue;
            }
            let Some((known, lines)) = values.blocks.iter().find(|(known, _)| *known == name) else {
                let names = values.names();
                return wrong(match names::nearest(name, &names) {
                    Some(near) => format!("there is nothing called `{name}`: did you mean `{{{{{near}}}}}`?"),
                    None => format!("there is nothing called `{name}`: {}", names.join(", ")),
                });
            };
            if !done.is_empty() || !before.trim().is_empty() || !after.trim().is_empty() {
                return wrong(format!("`{{{{{name}}}}}` stands for whole lines, and needs a line of its own"));
            }
            used.push(known);
            block = Some((before, lines));
            break;
        }
        match block {
            Some((_, lines)) if lines.is_empty() => skip_blank = true,
            Some((indentation, lines)) => {
                for line in lines {
                    out.push_str(if line.is_empty() { "" } else { indentation });
                    out.push_str(line);
                    out.push('\n');
                }
            }
            None => {
                out.push_str(&done);
                out.push_str(rest);
                out.push('\n');
            }
        }
    }
    // What was said of the fields would be lost otherwise.
    let parts: &[&str] = if used.contains(&"fields") {
        &["imports", "enums"]
    } else {
        &["imports", "enums", "columns", "timestamps", "relationships"]
    };
    if let Some(missing) = parts.iter().find(|name| !used.contains(name) && !values.lines(name).is_empty()) {
        let missing =
            if used.contains(&"fields") || ["imports", "enums"].contains(missing) { missing } else { "fields" };
        return Err(error(None, format!("the template has no `{{{{{missing}}}}}`, which this model needs")));
    }
    Ok(out)
}

/// The next `{{name}}` of a line, with what is before and behind it.
fn next_name(line: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = line[from..].find("{{").map(|at| from + at) {
        let inner = &line[open + 2..];
        // Three are braces of Rust.
        if inner.starts_with('{') {
            from = line.len() - inner.trim_start_matches('{').len();
            continue;
        }
        if let Some(close) = inner.find("}}") {
            let name = inner[..close].trim();
            let is_name =
                name.starts_with(char::is_alphabetic) && name.chars().all(|c| c == '_' || c.is_alphanumeric());
            if is_name {
                return Some((&line[..open], name, &inner[close + 2..]));
            }
        }
        from = open + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(imports: &[&str]) -> Values {
        let lines = |lines: &[&str]| lines.iter().map(|line| line.to_string()).collect::<Vec<_>>();
        Values {
            words: vec![("feature_name", "blog".into()), ("EntityName", "Post".into()), ("table_name", "posts".into())],
            blocks: vec![
                ("imports", lines(imports)),
                ("enums", vec![]),
                ("fields", lines(&["pub id: i64,", "pub title: String,"])),
                ("columns", lines(&["pub id: i64,"])),
                ("timestamps", vec![]),
                ("relationships", vec![]),
            ],
        }
    }

    #[test]
    fn the_template_that_is_built_in_has_no_holes() {
        let file = "//! The models of blog.\n\nuse limbeck::prelude::*;\n\nIMPORTS#[derive(Model, Debug)]\n#[model(table = \
                    \"posts\")]\npub struct Post {\n    pub id: i64,\n    pub title: String,\n}\n";
        assert_eq!(fill("f", BUILT_IN, &values(&[])).unwrap(), file.replace("IMPORTS", ""));
        assert_eq!(fill("f", BUILT_IN, &values(&["use a;"])).unwrap(), file.replace("IMPORTS", "use a;\n\n"));
    }

    #[test]
    fn braces_that_are_no_names_stay() {
        let template = "struct {{ EntityName }}Row { {{fields2}} }";
        assert!(fill("f", template, &values(&[])).is_err());
        let template = "// {{}} {{1}} {{{ x }}\n{{columns}}";
        assert_eq!(fill("f", template, &values(&[])).unwrap(), "// {{}} {{1}} {{{ x }}\npub id: i64,\n");
    }

    #[test]
    fn a_mistake_names_the_line() {
        for (template, expected) in [
            ("a\n{{entity_nam}}\n{{fields}}", "f:2: there is nothing called `entity_nam`: feature_name"),
            ("{{EntityNam}}", "f:1: there is nothing called `EntityNam`: did you mean `{{EntityName}}`?"),
            ("x {{fields}}", "f:1: `{{fields}}` stands for whole lines"),
            ("{{EntityName}} {{fields}}", "f:1: `{{fields}}` stands for whole lines"),
            ("{{EntityName}}", "f: the template has no `{{imports}}`"),
            ("{{imports}}", "f: the template has no `{{fields}}`"),
        ] {
            let error = fill("f", template, &values(&["use a;"])).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
