//! A file of Rust: its text, what is in it, and which bytes are what.

use std::ops::Range;
use std::path::{Path, PathBuf};

use limbeck_migrate::Error;
use proc_macro2::Span;
use syn::Item;
use syn::spanned::Spanned;

use crate::config::in_file;

/// The file.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Its path as a person says it.
    pub(super) shown: String,
    pub(super) text: String,
    pub(super) items: Vec<Item>,
}

impl Source {
    pub(super) fn read(path: &Path, root: &Path) -> Result<Source, Error> {
        let shown = shown(path, root);
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(shown.clone(), error))?;
        let items = parse(&text, &shown)?;
        Ok(Source { path: path.to_path_buf(), shown, text, items })
    }

    /// How its lines end.
    pub(super) fn newline(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// Where the line begins that a byte is in.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if start == 0 && self.text.starts_with(BOM) { BOM.len_utf8().min(at) } else { start }
    }

    /// Where the next line begins, or the file ends.
    pub(super) fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// The number of the line that a byte is in.
    pub(super) fn line_number(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// What a line begins with, up to its first character.
    pub(super) fn indentation(&self, at: usize) -> &str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Where an item begins, with the comments that stand right above it.
    pub(super) fn start_with_comments(&self, item: &Item) -> usize {
        let mut start = self.line_start(bytes(item.span()).start);
        while start > 0 {
            let above = self.line_start(start - 1);
            let line = self.text[above..start].trim();
            if above == start || !line.starts_with("//") || line.starts_with("//!") {
                break;
            }
            start = above;
        }
        start
    }
}

const BOM: char = '\u{feff}';

/// The bytes of a span in the file that it was parsed from.
pub(super) fn bytes(span: Span) -> Range<usize> {
    span.byte_range()
}

/// A file's items. Their spans count from the beginning of the text, whatever it begins with.
pub(super) fn parse(text: &str, shown: &str) -> Result<Vec<Item>, Error> {
    match syn::parse_str::<syn::File>(text) {
        Ok(file) => Ok(file.items),
        Err(error) => Err(Error::File {
            file: shown.to_string(),
            line: Some(error.span().start().line),
            message: format!("this is not Rust as far as it can be read: {error}"),
        }),
    }
}

/// A path as a person says it: from the package's folder.
pub(super) fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// An error at a place of a file.
pub(super) fn at(source: &Source, span: Span, message: impl Into<String>) -> Error {
    match in_file(&source.shown, message) {
        Error::File { file, message, .. } => {
            Error::File { file, line: Some(source.line_number(bytes(span).start)), message }
        }
        other => other,
    }
}
