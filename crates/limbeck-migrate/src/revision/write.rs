//! New revisions, on disk.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use limbeck::dialect::Dialect;

use super::file::{Header, is_id};
use super::lockfile::is_conflict;
use super::{Draft, History, LOCK_FILE, Line, LockFile, content_hash, file_stamp, iso_stamp};
use crate::error::{Error, Result};
use crate::render::Plan;

/// A revision that is to be written: one file, or one for each declared database.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// Its id.
    pub id: String,
    /// What it does.
    pub message: String,
    at: SystemTime,
    parents: Option<Vec<String>>,
    splice: bool,
    labels: Vec<String>,
    depends_on: Vec<String>,
}

impl NewRevision {
    /// A revision with a new id, made now.
    pub fn new(message: &str) -> Self {
        let at = SystemTime::now();
        // RandomState is seeded by the system; the time makes two of one process differ.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u128(at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos()));
        hasher.write(message.as_bytes());
        NewRevision {
            id: format!("{:012x}", hasher.finish() & 0xffff_ffff_ffff),
            message: message.to_string(),
            at,
            parents: None,
            splice: false,
            labels: Vec::new(),
            depends_on: Vec::new(),
        }
    }

    /// The revisions that it follows, as [`Target`](super::Target) can say them one by one, instead of the head:
    /// `base` begins a line of its own, several are a merge.
    #[must_use]
    pub fn follows<I: IntoIterator<Item: Into<String>>>(mut self, revisions: I) -> Self {
        self.parents = Some(revisions.into_iter().map(Into::into).collect());
        self
    }

    /// Lets it follow a revision that others follow already, which begins a branch.
    #[must_use]
    pub fn splice(mut self, splice: bool) -> Self {
        self.splice = splice;
        self
    }

    /// Names of the branch that begins with it.
    #[must_use]
    pub fn labels<I: IntoIterator<Item: Into<String>>>(mut self, labels: I) -> Self {
        self.labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// Revisions of other branches that have to be applied before it: ids, beginnings of ids, or labels.
    #[must_use]
    pub fn depends_on<I: IntoIterator<Item: Into<String>>>(mut self, revisions: I) -> Self {
        self.depends_on = revisions.into_iter().map(Into::into).collect();
        self
    }

    /// Another id than a made-up one.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The ids of the revisions that it will follow.
    ///
    /// # Errors
    /// When that is not said and the history has two heads, or a name is not that of one revision.
    pub fn parents(&self, history: &History) -> Result<Vec<String>> {
        let Some(said) = &self.parents else {
            return Ok(history.head()?.map(|head| head.id.clone()).into_iter().collect());
        };
        let mut parents = Vec::new();
        for name in said {
            let target = super::Target::parse(name)?;
            for revision in history.places(&target)? {
                if !parents.contains(&revision.id) {
                    parents.push(revision.id.clone());
                }
            }
        }
        Ok(parents)
    }

    /// Makes sure that it can join the history, before anything is written.
    fn check(&self, history: &History, parents: &[String]) -> Result<()> {
        if !is_id(&self.id) || self.id.len() > 64 {
            return Err(Error::Revision(format!(
                "`{}` is not an id: up to 64 letters, digits and underscores",
                self.id
            )));
        }
        if history.get(&self.id).is_some() {
            return Err(Error::Revision(format!("there is a revision {} already", self.id)));
        }
        for label in &self.labels {
            if !is_id(label) || ["head", "heads", "base", "current"].contains(&label.as_str()) {
                return Err(Error::Revision(format!(
                    "`{label}` cannot be a label: letters, digits and underscores, and not head, heads, base or current"
                )));
            }
            if let Some(other) = history.revisions().iter().find(|r| r.id == *label || r.labels.contains(label)) {
                return Err(Error::Revision(format!("the label `{label}` is taken by revision {}", other.id)));
            }
        }
        let followed = parents.iter().find(|parent| !history.followers(parent).is_empty());
        match followed {
            Some(parent) if !self.splice => {
                Err(Error::Revision(format!("revision {parent} is not a head: `--splice` begins a branch there")))
            }
            _ => Ok(()),
        }
    }

    /// Writes the files into the folder and adds them to `limbeck.lock`. Returns the paths of the files.
    ///
    /// # Errors
    /// When the history has two heads and it is not said which one to follow, a name is not that of a revision or is
    /// taken, or a file cannot be written.
    pub fn write(&self, folder: &Path, history: &History, plans: &[(Dialect, Plan)]) -> Result<Vec<PathBuf>> {
        let parents = self.parents(history)?;
        self.check(history, &parents)?;
        let depends_on = self.depends_on.iter().map(|name| Ok(history.find(name)?.id.clone()));
        let depends_on: Vec<String> = depends_on.collect::<Result<_>>()?;
        let mut lock = history.lock_file();
        let mut paths = Vec::new();
        for (dialect, plan) in plans {
            let draft = Draft {
                message: self.message.clone(),
                id: self.id.clone(),
                parents: parents.clone(),
                labels: self.labels.clone(),
                depends_on: depends_on.clone(),
                created: iso_stamp(self.at),
                upgrade: plan.upgrade.clone(),
                downgrade: plan.downgrade.clone(),
                loses: plan.loses.clone(),
            };
            let text = draft.write(*dialect);
            let file = self.file_name((plans.len() > 1 || has_several(history)).then_some(*dialect));
            let path = folder.join(&file);
            write_whole(&path, &text)?;
            lock.lines.push(Line {
                id: self.id.clone(),
                parents: parents.clone(),
                file,
                hash: content_hash(*dialect, &text),
            });
            paths.push(path);
        }
        write_whole(&folder.join(LOCK_FILE), &lock.write())?;
        Ok(paths)
    }

    /// `20261122T0812_3f2a9c1b7d10_add_widgets.sql`, with the database where there are several.
    fn file_name(&self, dialect: Option<Dialect>) -> String {
        let suffix = dialect.map_or_else(String::new, |dialect| format!(".{}", dialect.name()));
        format!("{}_{}_{}{suffix}.sql", file_stamp(self.at), self.id, slug(&self.message))
    }
}

/// Whether the revisions so far have a file for each of several databases.
fn has_several(history: &History) -> bool {
    history.revisions().last().is_some_and(|revision| revision.files().count() > 1)
}

/// The message as a part of a file name: `add_users_posts_and_tags`.
fn slug(message: &str) -> String {
    let words = message.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words.map(str::to_lowercase) {
        if slug.len() + word.len() > 40 && !slug.is_empty() {
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.extend(word.chars().take(40));
    }
    if slug.is_empty() { "revision".to_string() } else { slug }
}

/// Writes beside the file and renames, so that an interrupted run leaves the old one.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let scratch = path.with_extension("tmp");
    std::fs::write(&scratch, text)
        .and_then(|()| std::fs::rename(&scratch, path))
        .map_err(|source| Error::io(path.display().to_string(), source))
}

/// Writes `limbeck.lock` anew from the files of the folder. Returns the names of the files whose line changed.
///
/// # Errors
/// When a file cannot be read or written, or the files do not make a history.
pub fn repair_folder(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join(LOCK_FILE);
    let old = match std::fs::read_to_string(&path) {
        // A lock file in conflict is what this is for.
        Ok(text) => LockFile::parse(&text).unwrap_or_default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => LockFile::default(),
        Err(source) => return Err(Error::io(path.display().to_string(), source)),
    };
    let new = lock_of_folder(folder, &old)?;
    let changed = new.lines.iter().filter(|line| !old.lines.contains(line)).map(|line| line.file.clone());
    let gone = old.lines.iter().filter(|line| !new.lines.iter().any(|n| n.file == line.file)).map(|l| l.file.clone());
    let changed: Vec<String> = changed.chain(gone).collect();
    if !changed.is_empty() {
        write_whole(&path, &new.write())?;
    }
    // What is recorded must hold together.
    History::read(folder)?;
    Ok(changed)
}

/// Writes `limbeck.lock` anew where git has left a conflict in it: the files of both branches are in the folder, and
/// they say what follows what. Returns whether there was one.
///
/// # Errors
/// As [`repair_folder`].
pub fn settle_lock_file(folder: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(folder.join(LOCK_FILE)).unwrap_or_default();
    let conflict = text.lines().any(is_conflict);
    if conflict {
        repair_folder(folder)?;
    }
    Ok(conflict)
}

/// The lock file that the files of a folder make: what `limbeck repair` writes. Files keep the order of the
/// old lock file; new ones follow by name.
///
/// # Errors
/// When the folder or a file cannot be read, or a file has no header.
fn lock_of_folder(folder: &Path, old: &LockFile) -> Result<LockFile> {
    let io = |source| Error::io(folder.display().to_string(), source);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sql") {
            names.push(name);
        }
    }
    let known = |name: &String| old.lines.iter().position(|line| line.file == *name).unwrap_or(usize::MAX);
    names.sort_by_key(|name| (known(name), name.clone()));
    let mut lines = Vec::new();
    for file in names {
        let path = folder.join(&file);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::io(path.display().to_string(), source))?;
        let header = Header::read(&file, &text)?;
        let dialect = header.database.unwrap_or(Dialect::Postgres);
        lines.push(Line { hash: content_hash(dialect, &text), id: header.id, parents: header.parents, file });
    }
    Ok(LockFile { lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_and_safe() {
        assert_eq!(slug("Add users, posts & tags!"), "add_users_posts_tags");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("…"), "revision");
        assert!(slug(&"word ".repeat(50)).len() <= 42);
        assert!(slug(&"x".repeat(500)).len() <= 40);
    }

    #[test]
    fn ids_are_twelve_hexadecimal_digits_and_differ() {
        let ids: Vec<String> = (0..100).map(|_| NewRevision::new("x").id).collect();
        assert!(ids.iter().all(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit())));
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 100);
    }
}
