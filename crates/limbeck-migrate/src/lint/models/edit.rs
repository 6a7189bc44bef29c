//! Mechanical fixes: small replacements in a source, so that nothing else in it moves.

use std::ops::Range;

use super::source::{Attribute, Field, Opt, SourceFile, Struct};

/// A replacement in a file. An empty range inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes, in bytes.
    pub range: Range<usize>,
    /// What comes.
    pub text: String,
}

impl Edit {
    fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Edit { range, text: text.into() }
    }

    fn meets(&self, other: &Edit) -> bool {
        // Two may be inserted at one place, one after the other.
        self.range.start < other.range.end && other.range.start < self.range.end
    }
}

/// Applies fixes, each of which is made whole or not at all: one that meets an earlier one is left out, and made by the
/// next run. Returns the new text and how many were made.
pub fn apply<'e>(text: &str, fixes: impl IntoIterator<Item = &'e [Edit]>) -> (String, usize) {
    let (mut edits, mut made): (Vec<&Edit>, usize) = (Vec::new(), 0);
    for fix in fixes {
        if !fix.iter().any(|edit| edits.iter().any(|other| edit.meets(other) || edit == *other)) {
            edits.extend(fix);
            made += 1;
        }
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        out.push_str(text.get(at..edit.range.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, made)
}

/// Adds an option to a field's attribute; to a new attribute where it has none of that name.
pub(super) fn add_option(file: &SourceFile, field: &Field, attribute: &str, option: &str) -> Edit {
    if let Some(attribute) = field.attributes.iter().find(|found| found.name == attribute) {
        let Some(inner) = &attribute.inner else {
            let at = attribute.range.end.saturating_sub(1);
            return Edit::new(at..at, format!("({option})"));
        };
        return append(file, inner, option);
    }
    let at = field.declaration;
    let (indent, alone) = indent(&file.text, at);
    let space = if alone { format!("\n{indent}") } else { " ".into() };
    Edit::new(at..at, format!("#[{attribute}({option})]{space}"))
}

/// Adds an option to the attribute of the struct.
pub(super) fn add_model_option(file: &SourceFile, model: &Struct, option: &str) -> Option<Edit> {
    let inner = model.attributes.iter().filter(|found| found.name == "model").find_map(|found| found.inner.clone());
    if let Some(inner) = inner {
        return Some(append(file, &inner, option));
    }
    let at = model.after_derive?;
    let (indent, _) = indent(&file.text, at);
    Some(Edit::new(at..at, format!("\n{indent}#[model({option})]")))
}

/// Adds an option behind those in brackets.
pub(super) fn append(file: &SourceFile, brackets: &Range<usize>, option: &str) -> Edit {
    let inner = file.text.get(brackets.clone()).unwrap_or_default();
    let kept = inner.trim_end();
    let at = brackets.start + kept.len();
    let comma = match kept {
        "" => "",
        _ if kept.ends_with(',') => " ",
        _ => ", ",
    };
    Edit::new(at..at, format!("{comma}{option}"))
}

/// Takes an option out, with its comma; with its attribute, where it is the only one.
pub(super) fn remove_option(file: &SourceFile, attribute: &Attribute, option: &Opt) -> Edit {
    let text = &file.text;
    if attribute.options.len() < 2 {
        return Edit::new(whole(text, &attribute.range), "");
    }
    let after = text.get(option.range.end..).unwrap_or_default();
    let inner_end = attribute.inner.as_ref().map_or(option.range.end, |inner| inner.end);
    let rest = after.trim_start();
    if rest.starts_with(',') {
        let behind = option.range.end + (after.len() - rest.len()) + 1;
        let tail = text.get(behind..inner_end).unwrap_or_default();
        if !tail.trim().is_empty() {
            let end = behind + (tail.len() - tail.trim_start().len());
            return Edit::new(option.range.start..end, "");
        }
    }
    let before = text.get(..option.range.start).unwrap_or_default().trim_end();
    let start = before.strip_suffix(',').map_or(option.range.start, str::len);
    Edit::new(start..option.range.end, "")
}

/// Puts another option in the place of one.
pub(super) fn replace_option(option: &Opt, with: &str) -> Edit {
    Edit::new(option.range.clone(), with)
}

/// Adds fields behind one: each is attributes and `name: Type`.
pub(super) fn add_fields(file: &SourceFile, after: &Field, fields: &[(String, String)]) -> Edit {
    let text = &file.text;
    let (indent, alone) = indent(text, after.declaration);
    let space = if alone { format!("\n{indent}") } else { " ".into() };
    let rest = text.get(after.end..).unwrap_or_default();
    let comma = rest.trim_start().starts_with(',');
    let at = if comma { after.end + (rest.len() - rest.trim_start().len()) + 1 } else { after.end };
    let mut out = String::from(if comma { "" } else { "," });
    for (i, (attribute, declaration)) in fields.iter().enumerate() {
        let end = if comma || i + 1 < fields.len() { "," } else { "" };
        out.push_str(&format!("{space}{attribute}{space}{}{declaration}{end}", after.visibility));
    }
    Edit::new(at..at, out)
}

/// What stands before a place in its line, where that is only space; whether it is.
fn indent(text: &str, at: usize) -> (String, bool) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let space: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let alone = space.len() == line.len();
    (space, alone)
}

/// A range with its whole line, where nothing else is in that.
fn whole(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text.get(..range.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let end = text.get(range.end..).and_then(|after| after.find('\n')).map_or(text.len(), |at| range.end + at + 1);
    let blank = |range: Range<usize>| text.get(range).is_some_and(|part| part.trim().is_empty());
    if blank(start..range.start) && blank(range.end..end) {
        return start..end;
    }
    let after = text.get(range.end..).unwrap_or_default();
    range.start..range.end + (after.len() - after.trim_start_matches(' ').len())
}

#[cfg(test)]
mod tests {
    use super::super::source::SourceFile;
    use super::*;

    const TEXT: &str = "#[derive(Model)]\nstruct Post {\n    #[column(primary_key, unique)]\n    id: i64,\n    \
                        #[column(index)]\n    title: String,\n    /// Text.\n    body: String\n}\n";

    fn edited(edit: impl Fn(&SourceFile, &Struct) -> Edit) -> String {
        let file = SourceFile::of_text(TEXT).unwrap();
        let edit = edit(&file, &file.structs[0]);
        apply(&file.text, [&[edit][..]]).0
    }

    fn removed(field: &'static str, option: &'static str) -> String {
        edited(|file, model| {
            let attribute = &model.field(field).unwrap().attributes[0];
            remove_option(file, attribute, attribute.options.iter().find(|found| found.name == option).unwrap())
        })
    }

    #[test]
    fn an_option_goes_with_its_comma_and_the_last_with_its_line() {
        assert_eq!(removed("id", "unique"), TEXT.replace("primary_key, unique", "primary_key"));
        assert_eq!(removed("id", "primary_key"), TEXT.replace("primary_key, unique", "unique"));
        assert_eq!(removed("title", "index"), TEXT.replace("    #[column(index)]\n", ""));
    }

    #[test]
    fn an_option_comes_where_there_is_an_attribute_and_where_there_is_none() {
        let added = |field: &'static str| {
            edited(|file, model| add_option(file, model.field(field).unwrap(), "column", "length = 9"))
        };
        assert_eq!(added("title"), TEXT.replace("(index)", "(index, length = 9)"));
        assert_eq!(added("body"), TEXT.replace("    body", "    #[column(length = 9)]\n    body"));
        let model = edited(|file, model| add_model_option(file, model, "index(title)").unwrap());
        assert_eq!(model, TEXT.replace("Model)]\n", "Model)]\n#[model(index(title))]\n"));
    }

    #[test]
    fn fields_come_behind_one_with_a_comma_or_without() {
        let field = ("#[column(index)]".to_string(), "a: i64".to_string());
        let behind = |name: &'static str| {
            edited(|file, model| add_fields(file, model.field(name).unwrap(), std::slice::from_ref(&field)))
        };
        let added = "\n    #[column(index)]\n    a: i64";
        assert_eq!(behind("title"), TEXT.replace("title: String,", &format!("title: String,{added},")));
        assert_eq!(behind("body"), TEXT.replace("body: String", &format!("body: String,{added}")));
    }

    #[test]
    fn of_two_that_meet_the_first_is_made() {
        let edits = [Edit::new(0..4, "x"), Edit::new(2..6, "y"), Edit::new(8..8, "z")];
        let (text, made) = apply("0123456789", edits.iter().map(std::slice::from_ref));
        assert_eq!((text.as_str(), made), ("x4567z89", 2));
    }
}
