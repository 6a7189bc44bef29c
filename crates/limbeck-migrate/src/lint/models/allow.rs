//! What a model says shall not be said of it: `allow(L008, reason = "…")`.

use std::cell::Cell;
use std::ops::Range;

use super::edit::remove_option;
use super::rule::{find, nearest};
use super::source::{Attribute, Opt};
use super::subject::{Findings, Subject};

/// The codes that a model and its fields allow.
pub(super) struct Allowed<'a> {
    all: Vec<Allow<'a>>,
}

/// One code of one `allow`.
struct Allow<'a> {
    code: &'a str,
    range: Range<usize>,
    /// The field that it was said at; `None` is the struct.
    field: Option<&'a str>,
    attribute: &'a Attribute,
    option: &'a Opt,
    /// Whether the option has no other code.
    alone: bool,
    /// Whether it has hidden something.
    used: Cell<bool>,
}

impl<'a> Allowed<'a> {
    /// Those of a model, as far as its source is known.
    pub(super) fn of(subject: &Subject<'a>) -> Self {
        let mut all = Vec::new();
        if let Some(source) = subject.source {
            let own = source.model.attributes.iter().map(|attribute| (attribute, None));
            let of_fields =
                source.model.fields.iter().flat_map(|field| {
                    field.attributes.iter().map(move |attribute| (attribute, Some(field.name.as_str())))
                });
            for (attribute, field) in own.chain(of_fields) {
                for option in attribute.options.iter().filter(|option| option.name == "allow") {
                    let codes = option.inner.iter().take_while(|(word, _)| word != "reason");
                    let alone = codes.clone().count() == 1;
                    all.extend(codes.map(|(code, range)| Allow {
                        code,
                        range: range.clone(),
                        field,
                        attribute,
                        option,
                        alone,
                        used: Cell::new(false),
                    }));
                }
            }
        }
        Allowed { all }
    }

    /// Whether what a rule found is allowed, at the field that it is about or at the struct.
    pub(super) fn hides(&self, code: &str, field: Option<&str>) -> bool {
        let mut hidden = false;
        for allow in self.all.iter().filter(|allow| allow.code == code) {
            if allow.field.is_none() || allow.field == field {
                allow.used.set(true);
                hidden = true;
            }
        }
        hidden
    }
}

/// L900
pub(super) fn unknown(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for allow in out.allowed().all.iter().filter(|allow| find(allow.code).is_none()) {
        let help = match nearest(allow.code) {
            Some(rule) => format!("did you mean `{}`, {}?", rule.code, rule.name),
            None => "`limbeck lint --list` has all codes".to_string(),
        };
        let place = subject.at_range(allow.range.clone(), allow.field);
        out.add(place, format!("there is no rule `{}` to allow", allow.code), help);
    }
}

/// L901. It is the last rule, so that all others have been asked.
pub(super) fn unused(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for allow in &out.allowed().all {
        let Some(rule) = find(allow.code) else { continue };
        if allow.used.get() || !out.was_asked(rule) || rule.code >= "L900" {
            continue;
        }
        let place = subject.at_range(allow.range.clone(), allow.field);
        let message = format!("`allow({})` allows nothing: there is no {} here", rule.code, rule.name);
        let edits = match (&subject.source, allow.alone) {
            (Some(source), true) => vec![remove_option(source.file, allow.attribute, allow.option)],
            _ => Vec::new(),
        };
        out.add_fixable(place, message, "take it out", edits);
    }
}
