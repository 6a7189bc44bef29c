//! Moving a revision behind another one: what two branches that met need, where neither was released.

use std::path::Path;

use super::write::write_whole;
use super::{History, LOCK_FILE, Revision};
use crate::error::{Error, Result};

/// A branch that shall follow another head than the revision that it forked from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebase {
    /// The first revision of the branch, whose `revises` is written anew.
    pub first: String,
    /// All revisions that move, in order.
    pub moved: Vec<String>,
    /// The head behind which they go.
    pub onto: String,
}

impl History {
    /// Plans to move the branch that ends with `head` behind the other one, or behind `onto`. Where `head` is not
    /// said, it is the head that the database does not have.
    ///
    /// # Errors
    /// When there are not two heads, it is not clear which of them moves, the branch contains a merge, or the database
    /// has one of its revisions.
    pub fn rebase<'a>(
        &'a self,
        head: Option<&str>,
        onto: Option<&str>,
        applied: impl Fn(&'a Revision) -> bool,
    ) -> Result<Rebase> {
        let heads = self.heads();
        let names = || heads.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(" and ");
        let head = match head {
            Some(name) => self.find(name)?,
            None if heads.len() < 2 => {
                return Err(nothing_beside());
            }
            None => match heads.iter().filter(|r| !applied(r)).collect::<Vec<_>>()[..] {
                [head] => head,
                _ => {
                    return Err(Error::Revision(format!("say which branch moves, by its head: {}", names())));
                }
            },
        };
        let onto = match onto {
            Some(name) => self.find(name)?,
            None => {
                let moving = self.above(vec![head]);
                match heads.iter().filter(|r| !moving.contains(r.id.as_str())).collect::<Vec<_>>()[..] {
                    [onto] => onto,
                    [] => return Err(nothing_beside()),
                    _ => return Err(Error::Revision(format!("say behind which head by `--onto`: {}", names()))),
                }
            }
        };
        let kept = self.below(vec![onto]);
        let mut first = head;
        while let [parent] = &first.parents[..]
            && !kept.contains(parent.as_str())
            && let Some(parent) = self.get(parent)
        {
            first = parent;
        }
        if kept.contains(first.id.as_str()) {
            return Err(Error::Revision(format!("revision {} does not stand beside {}", head.id, onto.id)));
        }
        if first.parents == [onto.id.as_str()] {
            return Err(Error::Revision(format!("revision {} follows {} already", first.id, onto.id)));
        }
        if first.parents.len() > 1 {
            return Err(Error::Revision(format!(
                "revision {} is a merge, and only a line of revisions can move: `limbeck merge` joins the heads",
                first.id
            )));
        }
        let moving = self.above(vec![first]);
        let moved: Vec<&Revision> = self.revisions().iter().filter(|r| moving.contains(r.id.as_str())).collect();
        if moved.iter().any(|r| r.id == onto.id) {
            return Err(Error::Revision(format!("revision {} comes after {}", onto.id, first.id)));
        }
        if let Some(applied) = moved.iter().find(|r| applied(r)) {
            return Err(Error::Revision(format!(
                "the database has revision {} already: take it back by `limbeck downgrade`, or join the heads by \
                 `limbeck merge`",
                applied.id
            )));
        }
        let moved = moved.into_iter().map(|r| r.id.clone()).collect();
        Ok(Rebase { first: first.id.clone(), moved, onto: onto.id.clone() })
    }
}

impl Rebase {
    /// Writes the `revises` of the first revision anew, in each of its files, and `limbeck.lock`. Nothing else in a
    /// file changes, and neither does the hash of its statements.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn write(&self, folder: &Path, history: &History) -> Result<()> {
        let mut lock = history.lock_file();
        let mut texts = Vec::new();
        for line in lock.lines.iter_mut().filter(|line| line.id == self.first) {
            let path = folder.join(&line.file);
            let text = std::fs::read_to_string(&path).map_err(|e| Error::io(path.display().to_string(), e))?;
            texts.push((path, revises(&text, &self.onto)));
            line.parents = vec![self.onto.clone()];
        }
        // Those that move come last, so that the list reads as it will run.
        lock.lines.sort_by_key(|line| self.moved.contains(&line.id));
        for (path, text) in texts {
            write_whole(&path, &text)?;
        }
        write_whole(&folder.join(LOCK_FILE), &lock.write())
    }
}

fn nothing_beside() -> Error {
    Error::Revision("there is no second head, so nothing is to be moved".into())
}

/// The text with another parent in its header.
fn revises(text: &str, parent: &str) -> String {
    let mut out = String::with_capacity(text.len() + parent.len());
    let mut done = false;
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start_matches('\u{feff}').trim_start().strip_prefix("--").map(str::trim_start);
        if done || !comment.is_some_and(|comment| comment.starts_with("limbeck:")) {
            out.push_str(line);
            continue;
        }
        done = true;
        match line.find("revises=") {
            Some(at) => {
                let start = at + "revises=".len();
                let end = line[start..].find(char::is_whitespace).map_or(line.len(), |i| start + i);
                out.push_str(&line[..start]);
                out.push_str(parent);
                out.push_str(&line[end..]);
            }
            // The first revision of all may leave it out.
            None => {
                let content = line.trim_end();
                out.push_str(content);
                out.push_str(" revises=");
                out.push_str(parent);
                out.push_str(&line[content.len()..]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::revises;

    #[test]
    fn only_the_parent_in_the_header_changes() {
        let text = "\u{feff}-- Add revises=x\r\n-- limbeck: revision=bb revises=aa created=now\r\n\r\nrevises=aa\r\n";
        assert_eq!(revises(text, "cc"), text.replacen("revises=aa", "revises=cc", 1));
        let last = "-- limbeck: revision=bb revises=";
        assert_eq!(revises(last, "cc"), format!("{last}cc"));
        assert_eq!(revises("-- limbeck: revision=bb\nX;\n", "cc"), "-- limbeck: revision=bb revises=cc\nX;\n");
    }
}
