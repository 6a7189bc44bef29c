//! How a revision is said: `head`, `+1`, `3f2a`, `billing@head`, `3f2a-2`.

use super::file::is_id;
use crate::error::{Error, Result};

/// Where an upgrade or a downgrade should end.
///
/// | text | meaning |
/// |---|---|
/// | `head` | the newest revision, where there is one |
/// | `heads` | all that no other revision follows |
/// | `base` | before the first revision |
/// | `+2`, `-1` | so many revisions from where the database is |
/// | `3f2a` | a revision, by its id, by at least four characters of its beginning, or by its label |
/// | `3f2a+1`, `head-2` | so many revisions from another one |
/// | `billing@head`, `billing@-1` | on one branch alone: by its label or a revision of it |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) branch: Option<String>,
    pub(super) place: Place,
    pub(super) steps: i64,
}

/// Where the steps of a target begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where the database is.
    Current,
    Head,
    Heads,
    Base,
    Named(String),
}

impl Target {
    /// The newest revision.
    pub const HEAD: Target = Target { branch: None, place: Place::Head, steps: 0 };
    /// All revisions that no other one follows.
    pub const HEADS: Target = Target { branch: None, place: Place::Heads, steps: 0 };
    /// Before the first revision.
    pub const BASE: Target = Target { branch: None, place: Place::Base, steps: 0 };

    /// A revision by its id, the beginning of it, or its label.
    pub fn revision(id: impl Into<String>) -> Target {
        Target { branch: None, place: Place::Named(id.into()), steps: 0 }
    }

    /// Reads one of the forms above.
    ///
    /// # Errors
    /// When the text is none of them.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::Revision(format!(
                "`{text}` is not a revision: head, heads, base, +1, -1, an id or its first characters, a label, one of \
                 these with steps (3f2a-1), or on one branch (label@head)"
            ))
        };
        let (branch, rest) = match text.split_once('@') {
            Some((branch, rest)) if is_id(branch) => (Some(branch.to_string()), rest),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let (name, steps) = match rest.find(['+', '-']) {
            Some(at) => {
                let steps = rest[at..].parse::<i64>().ok().filter(|steps| *steps != 0);
                let steps = steps.ok_or_else(|| {
                    Error::Revision(format!("`{}` is not a number of revisions, such as +1 or -1", &rest[at..]))
                })?;
                (&rest[..at], steps)
            }
            None => (rest, 0),
        };
        let place = match name {
            "" if steps != 0 => Place::Current,
            "head" => Place::Head,
            "heads" if steps == 0 => Place::Heads,
            "base" => Place::Base,
            _ if is_id(name) && name != "heads" => Place::Named(name.to_string()),
            _ => return Err(wrong()),
        };
        Ok(Target { branch, place, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let target = |branch: Option<&str>, place, steps| Target { branch: branch.map(str::to_string), place, steps };
        let named = |name: &str| Place::Named(name.to_string());
        for (text, wanted) in [
            ("head", Target::HEAD),
            ("heads", Target::HEADS),
            ("base", Target::BASE),
            ("+2", target(None, Place::Current, 2)),
            ("-1", target(None, Place::Current, -1)),
            ("3f2a", Target::revision("3f2a")),
            ("3f2a-2", target(None, named("3f2a"), -2)),
            ("base+1", target(None, Place::Base, 1)),
            ("billing@head", target(Some("billing"), Place::Head, 0)),
            ("billing@+1", target(Some("billing"), Place::Current, 1)),
            ("billing@3f2a", target(Some("billing"), named("3f2a"), 0)),
        ] {
            assert_eq!(Target::parse(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in ["", "@head", "a b", "+0", "+x", "3f2a+", "heads-1", "billing@", "a@b@c", "../x"] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
