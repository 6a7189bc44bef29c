//! `migrations/limbeck.lock`: a line for each revision file.
//!
//! Every new revision rewrites it, so that two branches which both add one meet as a conflict in git instead
//! of in production, and so that the embedding macro, which includes it, makes rustc see every change.

use std::fmt::Write as _;

use crate::error::{Error, Result};
use crate::revision::file::is_id;

/// The name of the lock file, in the folder of the revisions.
pub const LOCK_FILE: &str = "limbeck.lock";

const HEAD: &str = "\
# The revisions of this folder: id, the ids that it follows, file, hash of its statements.
# Written by `limbeck revision`. After a reviewed edit of a file: `limbeck repair`.
";

/// The lines of the lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// A line for each revision file, parents first.
    pub lines: Vec<Line>,
}

/// A line of the lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The revision's id.
    pub id: String,
    /// The revisions that it follows; none for the first.
    pub parents: Vec<String>,
    /// The file's name, in the same folder.
    pub file: String,
    /// The hash of its statements.
    pub hash: String,
}

/// Whether a line is one that git writes around a conflict.
pub(super) fn is_conflict(line: &str) -> bool {
    ["<<<<<<<", "=======", "|||||||", ">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}

impl LockFile {
    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// When a line is not one; a conflict that git left is named as such.
    pub fn parse(source: &str) -> Result<Self> {
        let mut lines = Vec::new();
        for (i, text) in source.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if is_conflict(text) {
                return Err(Error::file(
                    LOCK_FILE,
                    i + 1,
                    "two branches have added a revision each, and git left the conflict here: `limbeck rebase` moves one \
                     of them behind the other, `limbeck merge` joins them; both write this file anew",
                ));
            }
            let words: Vec<&str> = text.split_whitespace().collect();
            let [id, parents, file, hash] = words[..] else {
                return Err(Error::file(LOCK_FILE, i + 1, "a line has four words: id, parents (or -), file, hash"));
            };
            if !is_id(id) || file.contains(['/', '\\']) {
                return Err(Error::file(LOCK_FILE, i + 1, format!("`{text}` does not name a revision of this folder")));
            }
            let parents = if parents == "-" { Vec::new() } else { parents.split(',').map(str::to_string).collect() };
            lines.push(Line { id: id.to_string(), parents, file: file.to_string(), hash: hash.to_string() });
        }
        Ok(LockFile { lines })
    }

    /// The text of the lock file.
    pub fn write(&self) -> String {
        let mut out = String::from(HEAD);
        for line in &self.lines {
            let parents = if line.parents.is_empty() { "-".to_string() } else { line.parents.join(",") };
            let _ = writeln!(out, "{} {parents} {} {}", line.id, line.file, line.hash);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let line = |id: &str, parents: &[&str]| Line {
            id: id.into(),
            parents: parents.iter().map(|p| p.to_string()).collect(),
            file: format!("{id}.sql"),
            hash: "00ff".into(),
        };
        let lock = LockFile { lines: vec![line("aa", &[]), line("bb", &["aa"]), line("cc", &["aa", "bb"])] };
        assert_eq!(LockFile::parse(&lock.write()).unwrap(), lock);
        assert_eq!(LockFile::parse(&lock.write().replace('\n', "\r\n")).unwrap(), lock);
    }

    #[test]
    fn a_conflict_of_git_is_named() {
        let error = LockFile::parse("aa - a.sql 00\n<<<<<<< HEAD\nbb aa b.sql 11\n").unwrap_err().to_string();
        assert!(error.starts_with("limbeck.lock:2: two branches"), "{error}");
    }

    #[test]
    fn a_file_outside_of_the_folder_is_refused() {
        assert!(LockFile::parse("aa - ../../etc/passwd 00").is_err());
        assert!(LockFile::parse("aa - a.sql").is_err());
    }
}
