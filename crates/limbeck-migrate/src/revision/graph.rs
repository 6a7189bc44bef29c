//! The revisions of a project and their order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use limbeck::dialect::Dialect;

use super::file::Header;
use super::{LOCK_FILE, Line, LockFile, RevisionFile, content_hash};
use crate::Embedded;
use crate::error::{Error, Result};

/// All revisions of a project.
#[derive(Clone, Debug, Default)]
pub struct History {
    revisions: Vec<Revision>,
}

/// A revision: one file, or one for each declared database.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its id.
    pub id: String,
    /// The revisions that it follows; none for the first.
    pub parents: Vec<String>,
    /// What it does.
    pub message: String,
    /// Names of the branch that begins with it.
    pub labels: Vec<String>,
    /// The revisions of other branches that have to be applied before it.
    pub depends_on: Vec<String>,
    /// When it was made.
    pub created: Option<String>,
    files: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    line: Line,
    text: String,
    database: Option<Dialect>,
}

impl History {
    /// The revisions that a program carries in itself.
    ///
    /// # Errors
    /// When the lock file or a revision file cannot be understood, or one was edited after the lock file
    /// recorded it.
    pub fn embedded(embedded: &Embedded) -> Result<Self> {
        let history = History::build(LockFile::parse(embedded.lock)?, |file| {
            let found = embedded.files.iter().find(|(name, _)| *name == file);
            found.map(|(_, text)| (*text).to_string()).ok_or_else(|| {
                Error::file(LOCK_FILE, None, format!("the file `{file}` was not embedded: build the program again"))
            })
        })?;
        if let Some(line) = history.edited().first() {
            return Err(Error::file(
                &line.file,
                None,
                format!("the file was edited after {LOCK_FILE} recorded it: run `limbeck repair` after a look at it"),
            ));
        }
        Ok(history)
    }

    /// The revisions of a folder. Edited files are not an error here: see [`edited`](Self::edited).
    ///
    /// # Errors
    /// When the lock file or a revision file cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self> {
        let read =
            |path: &Path| std::fs::read_to_string(path).map_err(|source| Error::io(path.display().to_string(), source));
        let lock = folder.join(LOCK_FILE);
        if !lock.exists() {
            return Err(Error::file(
                lock.display().to_string(),
                None,
                "there is no such file: `limbeck init` makes the folder of the migrations",
            ));
        }
        let lock = LockFile::parse(&read(&lock)?)?;
        History::build(lock, |file| read(&folder.join(file)))
    }

    fn build(lock: LockFile, read: impl Fn(&str) -> Result<String>) -> Result<Self> {
        let mut revisions: Vec<Revision> = Vec::new();
        let mut position: HashMap<String, usize> = HashMap::new();
        for line in lock.lines {
            let text = read(&line.file)?;
            let header = Header::read(&line.file, &text)?;
            if header.id != line.id || header.parents != line.parents {
                return Err(Error::file(
                    &line.file,
                    1,
                    format!(
                        "its header is not what {LOCK_FILE} says of it (revision {} after {}): after a look at both, run \
                         `limbeck repair`",
                        line.id,
                        if line.parents.is_empty() { "none".to_string() } else { line.parents.join(", ") }
                    ),
                ));
            }
            let source = Source { database: header.database, text, line };
            match position.get(&source.line.id) {
                Some(&at) => {
                    let revision = &mut revisions[at];
                    if revision.parents != source.line.parents
                        || revision.labels != header.labels
                        || revision.depends_on != header.depends_on
                    {
                        let message = format!(
                            "the headers of the files of {} differ: `revises`, `labels` and `depends_on` have to be the \
                             same for each database",
                            revision.id
                        );
                        return Err(Error::file(&source.line.file, 1, message));
                    }
                    if revision.files.iter().any(|other| other.database == source.database) {
                        return Err(Error::file(
                            LOCK_FILE,
                            None,
                            format!(
                                "`{}` is a second file of revision {} for one database",
                                source.line.file, revision.id
                            ),
                        ));
                    }
                    revision.files.push(source);
                }
                None => {
                    position.insert(source.line.id.clone(), revisions.len());
                    revisions.push(Revision {
                        id: source.line.id.clone(),
                        parents: source.line.parents.clone(),
                        message: header.message,
                        labels: header.labels,
                        depends_on: header.depends_on,
                        created: header.created,
                        files: vec![source],
                    });
                }
            }
        }
        check_labels(&revisions)?;
        Ok(History { revisions: in_order(revisions, &position)? })
    }

    /// The revision with exactly that id.
    pub(crate) fn get(&self, id: &str) -> Option<&Revision> {
        self.revisions.iter().find(|r| r.id == id)
    }

    /// For a message about a name that is not known.
    fn labels_known(&self) -> String {
        let labels: Vec<&str> = self.revisions.iter().flat_map(|r| &r.labels).map(String::as_str).collect();
        if labels.is_empty() { String::new() } else { format!(", and the labels are {}", labels.join(", ")) }
    }

    /// The revisions, parents first.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The lines of the lock file as it is.
    pub fn lock_file(&self) -> LockFile {
        LockFile { lines: self.revisions.iter().flat_map(|r| r.files.iter().map(|f| f.line.clone())).collect() }
    }

    /// The lines of the lock file whose file has another content now, each with the new hash.
    pub fn edited(&self) -> Vec<Line> {
        let files = self.revisions.iter().flat_map(|r| &r.files);
        files
            .filter_map(|source| {
                let hash = source.hash();
                (hash != source.line.hash).then(|| Line { hash, ..source.line.clone() })
            })
            .collect()
    }

    /// The revisions that no other one follows.
    pub fn heads(&self) -> Vec<&Revision> {
        let followed: BTreeSet<&str> = self.revisions.iter().flat_map(|r| &r.parents).map(String::as_str).collect();
        self.revisions.iter().filter(|r| !followed.contains(r.id.as_str())).collect()
    }

    /// Whether no other revision follows it.
    pub fn is_head(&self, revision: &Revision) -> bool {
        !self.revisions.iter().any(|other| other.parents.contains(&revision.id))
    }

    /// The newest revision; `None` when there is no revision at all.
    ///
    /// # Errors
    /// When two branches have left two heads.
    pub fn head(&self) -> Result<Option<&Revision>> {
        match self.heads()[..] {
            [] => Ok(None),
            [head] => Ok(Some(head)),
            ref heads => Err(Error::Revision(format!(
                "there are {} heads, {}: `limbeck rebase` moves one that was not applied behind the other, `limbeck merge` \
                 joins them, and `heads` or one by its id goes on with them apart",
                heads.len(),
                heads.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(" and ")
            ))),
        }
    }

    /// The revision with that id, with that beginning of an id, or with that label.
    ///
    /// # Errors
    /// When there is none, more than one, or the beginning is shorter than four characters.
    pub fn find(&self, id: &str) -> Result<&Revision> {
        let labelled = |r: &&Revision| r.labels.iter().any(|label| label == id);
        if let Some(revision) = self.get(id).or_else(|| self.revisions.iter().find(labelled)) {
            return Ok(revision);
        }
        let matching: Vec<&Revision> = self.revisions.iter().filter(|r| r.id.starts_with(id)).collect();
        match matching[..] {
            [revision] if id.len() >= 4 => Ok(revision),
            [] => Err(Error::Revision(format!("there is no revision `{id}`{}", self.labels_known()))),
            [_] => Err(Error::Revision(format!("`{id}` is too short: give at least four characters of the id"))),
            ref several => Err(Error::Revision(format!(
                "`{id}` may be {}",
                several.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(" or ")
            ))),
        }
    }
}

impl Revision {
    /// The revision's file for a database, read.
    ///
    /// # Errors
    /// When there is none for it, or it cannot be understood.
    pub fn for_database(&self, dialect: Dialect) -> Result<RevisionFile> {
        let source = self.source(dialect)?;
        RevisionFile::parse(dialect, &source.line.file, &source.text)
    }

    /// The hash of the statements for a database, as they are now.
    ///
    /// # Errors
    /// When there is no file for it.
    pub fn hash(&self, dialect: Dialect) -> Result<String> {
        Ok(content_hash(dialect, &self.source(dialect)?.text))
    }

    /// The revisions that are applied before it: those that it follows and those that it depends on.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.parents.iter().chain(&self.depends_on).map(String::as_str)
    }

    /// Its files: name and text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|source| (source.line.file.as_str(), source.text.as_str()))
    }

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|source| source.line.file.as_str())
    }

    fn source(&self, dialect: Dialect) -> Result<&Source> {
        let for_it = |source: &&Source| source.database.is_none_or(|database| database == dialect);
        self.files.iter().find(for_it).ok_or_else(|| {
            let others: Vec<&str> = self.files.iter().filter_map(|s| s.database).map(Dialect::name).collect();
            Error::Revision(format!(
                "revision {0} has no file for {1}, only for {2}: copy that one, with `database={1}` in its second line \
                 and the SQL of {1}, record it by `limbeck repair`, and name `{1}` in the `databases` of the project, so that the next revisions \
                 have both",
                self.id,
                dialect.name(),
                others.join(", ")
            ))
        })
    }
}

impl Source {
    /// A file that does not say its database is read as PostgreSQL would: its strings are the stricter ones.
    fn hash(&self) -> String {
        content_hash(self.database.unwrap_or(Dialect::Postgres), &self.text)
    }
}

/// A label names one revision, and is not the id of another.
fn check_labels(revisions: &[Revision]) -> Result<()> {
    for (i, revision) in revisions.iter().enumerate() {
        for label in &revision.labels {
            let other = revisions
                .iter()
                .enumerate()
                .find(|(j, other)| other.id == *label || (*j != i && other.labels.contains(label)));
            if let Some((_, other)) = other {
                let file = revision.files.first().map_or(LOCK_FILE, |source| source.line.file.as_str());
                let message = format!("the label `{label}` is taken by revision {}", other.id);
                return Err(Error::file(file, 1, message));
            }
        }
    }
    Ok(())
}

/// The revisions with those that they need first, otherwise in the order of the lock file.
fn in_order(revisions: Vec<Revision>, position: &HashMap<String, usize>) -> Result<Vec<Revision>> {
    let mut waits_for: Vec<usize> = Vec::with_capacity(revisions.len());
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); revisions.len()];
    for (i, revision) in revisions.iter().enumerate() {
        for needed in revision.needs() {
            let Some(&at) = position.get(needed) else {
                let message = format!("revision {} follows {needed}, which is not in the list", revision.id);
                return Err(Error::file(LOCK_FILE, None, message));
            };
            needed_by[at].push(i);
        }
        waits_for.push(revision.needs().count());
    }
    let mut ready: BTreeSet<usize> = (0..revisions.len()).filter(|i| waits_for[*i] == 0).collect();
    let mut left: BTreeMap<usize, Revision> = revisions.into_iter().enumerate().collect();
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(i) = ready.pop_first() {
        ordered.extend(left.remove(&i));
        for &next in &needed_by[i] {
            waits_for[next] -= 1;
            if waits_for[next] == 0 {
                ready.insert(next);
            }
        }
    }
    if left.is_empty() {
        return Ok(ordered);
    }
    let ids: Vec<&str> = left.values().map(|r| r.id.as_str()).collect();
    Err(Error::file(LOCK_FILE, None, format!("revisions follow each other in a circle: {}", ids.join(", "))))
}

#[cfg(test)]
mod tests;
