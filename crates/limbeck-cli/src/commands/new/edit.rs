//! Edits of a text. Between them every byte stays as it is.

use std::ops::Range;

/// A piece of a text that becomes another. Mostly the piece is empty; otherwise it is white space.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Edit {
        Edit { range: at..at, text: text.into() }
    }
}

/// The text with the edits made. Of several at one place the first comes first.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.range.start);
    let mut out = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for edit in edits {
        out.push_str(&text[done..edit.range.start.max(done)]);
        out.push_str(&edit.text);
        done = edit.range.end.max(done);
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_edits_stays() {
        let edits = [Edit::insert(5, "!"), Edit { range: 0..1, text: "J".into() }, Edit::insert(5, "?")];
        assert_eq!(apply("hello, world", &edits), "Jello!?, world");
        assert_eq!(apply("hello", &[]), "hello");
    }
}
