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

/// Where an upgrade or a downgrade should end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The newest revision.
    Head,
    /// Before the first revision.
    Base,
    /// This many revisions up (positive) or down (negative).
    Steps(i64),
    /// A revision, by its id or at least four characters of its beginning.
    Revision(String),
}

impl Target {
    /// Reads `head`, `heads`, `base`, `+1`, `-1` or an id.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "head" | "heads" => Target::Head,
            "base" => Target::Base,
            _ if text.starts_with(['+', '-']) => match text.parse::<i64>() {
                Ok(steps) if steps != 0 => Target::Steps(steps),
                _ => return Err(Error::Revision(format!("`{text}` is not a number of revisions, such as +1 or -1"))),
            },
            _ if super::file::is_id(text) => Target::Revision(text.to_string()),
            _ => {
                return Err(Error::Revision(format!(
                    "`{text}` is not a revision: head, base, +1, -1, or an id or its first characters"
                )));
            }
        })
    }
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
                    if revision.parents != source.line.parents {
                        return Err(Error::file(
                            LOCK_FILE,
                            None,
                            format!("the files of {} follow different ones", revision.id),
                        ));
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
                        created: header.created,
                        files: vec![source],
                    });
                }
            }
        }
        Ok(History { revisions: in_order(revisions, &position)? })
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

    /// The newest revision; `None` when there is no revision at all.
    ///
    /// # Errors
    /// When two branches have left two heads.
    pub fn head(&self) -> Result<Option<&Revision>> {
        match self.heads()[..] {
            [] => Ok(None),
            [head] => Ok(Some(head)),
            ref heads => Err(Error::Revision(format!(
                "there are {} heads, {}: make the later one follow the other (`revises=` in its file) and run `limbeck \
                 repair`",
                heads.len(),
                heads.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(" and ")
            ))),
        }
    }

    /// The revision with that id, or with that beginning of an id.
    ///
    /// # Errors
    /// When there is none, more than one, or the beginning is shorter than four characters.
    pub fn find(&self, id: &str) -> Result<&Revision> {
        if let Some(revision) = self.revisions.iter().find(|r| r.id == id) {
            return Ok(revision);
        }
        let matching: Vec<&Revision> = self.revisions.iter().filter(|r| r.id.starts_with(id)).collect();
        match matching[..] {
            [revision] if id.len() >= 4 => Ok(revision),
            [] => Err(Error::Revision(format!("there is no revision `{id}`"))),
            [_] => Err(Error::Revision(format!("`{id}` is too short: give at least four characters of the id"))),
            ref several => Err(Error::Revision(format!(
                "`{id}` may be {}",
                several.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(" or ")
            ))),
        }
    }

    /// The revisions to apply, in order, for a database that has `applied` ones.
    ///
    /// # Errors
    /// When the target is not above, or the database has a revision that is not among these.
    pub fn upgrades(&self, applied: &BTreeSet<String>, target: &Target) -> Result<Vec<&Revision>> {
        self.check_known(applied)?;
        let pending = |wanted: &dyn Fn(&Revision) -> bool| -> Vec<&Revision> {
            self.revisions.iter().filter(|r| !applied.contains(&r.id) && wanted(r)).collect()
        };
        match target {
            Target::Head => {
                self.head()?;
                Ok(pending(&|_| true))
            }
            Target::Steps(steps) if *steps > 0 => {
                self.head()?;
                let mut all = pending(&|_| true);
                let wanted = usize::try_from(*steps).unwrap_or(usize::MAX);
                if all.len() < wanted {
                    return Err(Error::Revision(format!("only {} revision(s) are pending, not {steps}", all.len())));
                }
                all.truncate(wanted);
                Ok(all)
            }
            Target::Revision(id) => {
                let above = self.ancestors(&self.find(id)?.id);
                Ok(pending(&|r| above.contains(r.id.as_str())))
            }
            Target::Steps(_) | Target::Base => Err(Error::Revision(
                "an upgrade goes up: head, +1, or a revision; to go down use `limbeck downgrade`".into(),
            )),
        }
    }

    /// The revisions to take back, in order, for a database that has `applied` ones.
    ///
    /// # Errors
    /// When the target is not below, or the database has a revision that is not among these.
    pub fn downgrades(&self, applied: &BTreeSet<String>, target: &Target) -> Result<Vec<&Revision>> {
        self.check_known(applied)?;
        let mut downward: Vec<&Revision> = self.revisions.iter().filter(|r| applied.contains(&r.id)).collect();
        downward.reverse();
        match target {
            Target::Base => Ok(downward),
            Target::Steps(steps) if *steps < 0 => {
                let wanted = usize::try_from(steps.unsigned_abs()).unwrap_or(usize::MAX);
                if downward.len() < wanted {
                    return Err(Error::Revision(format!(
                        "only {} revision(s) are applied, not {}",
                        downward.len(),
                        -steps
                    )));
                }
                downward.truncate(wanted);
                Ok(downward)
            }
            Target::Revision(id) => {
                let target = self.find(id)?;
                if !applied.contains(&target.id) {
                    return Err(Error::Revision(format!(
                        "the database does not have revision {}, so it cannot go down to it",
                        target.id
                    )));
                }
                Ok(downward
                    .into_iter()
                    .filter(|r| r.id != target.id && self.ancestors(&r.id).contains(target.id.as_str()))
                    .collect())
            }
            Target::Steps(_) | Target::Head => {
                Err(Error::Revision("a downgrade goes down: -1, base, or a revision".into()))
            }
        }
    }

    /// The applied revisions that no other applied one follows.
    pub fn current<'a>(&'a self, applied: &BTreeSet<String>) -> Vec<&'a Revision> {
        let followed: BTreeSet<&str> = self
            .revisions
            .iter()
            .filter(|r| applied.contains(&r.id))
            .flat_map(|r| &r.parents)
            .map(String::as_str)
            .collect();
        self.revisions.iter().filter(|r| applied.contains(&r.id) && !followed.contains(r.id.as_str())).collect()
    }

    fn check_known(&self, applied: &BTreeSet<String>) -> Result<()> {
        match applied.iter().find(|id| !self.revisions.iter().any(|r| r.id == **id)) {
            Some(id) => Err(Error::Revision(format!(
                "the database has revision {id}, which is not among the migrations here: are they older than the database?"
            ))),
            None => Ok(()),
        }
    }

    /// A revision and all that it follows.
    fn ancestors(&self, id: &str) -> BTreeSet<&str> {
        let by_id: HashMap<&str, &Revision> = self.revisions.iter().map(|r| (r.id.as_str(), r)).collect();
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Revision> = by_id.get(id).copied().into_iter().collect();
        while let Some(revision) = next.pop() {
            if seen.insert(revision.id.as_str()) {
                next.extend(revision.parents.iter().filter_map(|p| by_id.get(p.as_str()).copied()));
            }
        }
        seen
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

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|source| source.line.file.as_str())
    }

    fn source(&self, dialect: Dialect) -> Result<&Source> {
        let for_it = |source: &&Source| source.database.is_none_or(|database| database == dialect);
        self.files.iter().find(for_it).ok_or_else(|| {
            let others: Vec<&str> = self.files.iter().filter_map(|s| s.database).map(Dialect::name).collect();
            Error::Revision(format!(
                "revision {} has no file for {}, only for {}: add `{}` to the `databases` of the project",
                self.id,
                dialect.name(),
                others.join(", "),
                dialect.name()
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

/// The revisions with parents first, otherwise in the order of the lock file.
fn in_order(revisions: Vec<Revision>, position: &HashMap<String, usize>) -> Result<Vec<Revision>> {
    let mut left: BTreeMap<usize, Revision> = revisions.into_iter().enumerate().collect();
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(left.len());
    for revision in left.values() {
        if let Some(missing) = revision.parents.iter().find(|parent| !position.contains_key(*parent)) {
            return Err(Error::file(
                LOCK_FILE,
                None,
                format!("revision {} follows {missing}, which is not in the list", revision.id),
            ));
        }
    }
    while !left.is_empty() {
        let ready: Vec<usize> =
            left.iter().filter(|(_, r)| r.parents.iter().all(|p| done.contains(p))).map(|(i, _)| *i).collect();
        if ready.is_empty() {
            let ids: Vec<&str> = left.values().map(|r| r.id.as_str()).collect();
            return Err(Error::file(
                LOCK_FILE,
                None,
                format!("revisions follow each other in a circle: {}", ids.join(", ")),
            ));
        }
        for i in ready {
            if let Some(revision) = left.remove(&i) {
                done.insert(revision.id.clone());
                ordered.push(revision);
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests;
