//! What is to be written: all of it, or nothing.

use std::path::{Path, PathBuf};

use limbeck_migrate::Error;

use crate::patch;

/// A file that will be there, or will be another.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    /// What is there now.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

impl Change {
    /// It as a patch.
    pub(super) fn patch(&self) -> String {
        patch::unified(&self.shown, self.before.as_deref(), &self.after)
    }
}

/// Writes the changes. What cannot be written undoes what was.
pub(super) fn write(changes: &[Change]) -> Result<(), Error> {
    for change in changes {
        let now = std::fs::read_to_string(&change.path).ok();
        if now != change.before {
            return Err(super::wrong(format!("{} was changed in the meantime: nothing was written", change.shown)));
        }
    }
    let mut folders = Vec::new();
    for (done, change) in changes.iter().enumerate() {
        if let Err(error) = write_one(change, &mut folders) {
            for change in changes[..=done].iter().rev() {
                undo(change);
            }
            for folder in folders.iter().rev() {
                let _ = std::fs::remove_dir(folder);
            }
            return Err(Error::io(format!("{} (nothing was written)", change.shown), error));
        }
    }
    Ok(())
}

fn write_one(change: &Change, folders: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if let Some(folder) = change.path.parent() {
        let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
        for folder in missing.into_iter().rev() {
            std::fs::create_dir(folder)?;
            folders.push(folder.to_path_buf());
        }
    }
    if change.before.is_some() {
        return std::fs::write(&change.path, &change.after);
    }
    // Nothing is overwritten, be it made this very moment.
    let mut file = std::fs::File::create_new(&change.path)?;
    std::io::Write::write_all(&mut file, change.after.as_bytes())
}

/// As it was, as far as the system lets one.
fn undo(change: &Change) {
    let now = std::fs::read_to_string(&change.path).ok();
    let _ = match &change.before {
        Some(before) if now.as_ref() != Some(before) => std::fs::write(&change.path, before),
        Some(_) => Ok(()),
        // Only what was written here.
        None if now.as_ref().is_some_and(|now| change.after.starts_with(now)) => std::fs::remove_file(&change.path),
        None => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: PathBuf, before: Option<&str>, after: &str) -> Change {
        Change { shown: path.display().to_string(), path, before: before.map(String::from), after: after.into() }
    }

    #[test]
    fn what_cannot_be_written_undoes_what_was() {
        let folder = limbeck_test_support::TempFolder::new();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("lib.rs"), "old\n").unwrap();
        std::fs::write(path("file"), "").unwrap();
        let changes = [
            change(path("a/b/new.rs"), None, "new\n"),
            change(path("lib.rs"), Some("old\n"), "edited\n"),
            // A file cannot have files in it.
            change(path("file/new.rs"), None, "new\n"),
        ];
        let error = write(&changes).unwrap_err().to_string();
        assert!(error.contains("file/new.rs (nothing was written)"), "{error}");
        assert_eq!(std::fs::read_to_string(path("lib.rs")).unwrap(), "old\n");
        assert!(!path("a").exists());

        write(&changes[..2]).unwrap();
        assert_eq!(std::fs::read_to_string(path("lib.rs")).unwrap(), "edited\n");
        assert_eq!(std::fs::read_to_string(path("a/b/new.rs")).unwrap(), "new\n");
    }

    #[test]
    fn a_file_that_was_changed_since_it_was_read_is_left_alone() {
        let folder = limbeck_test_support::TempFolder::new();
        let path = folder.path().join("lib.rs");
        std::fs::write(&path, "other\n").unwrap();
        let error = write(&[change(path.clone(), Some("old\n"), "edited\n")]).unwrap_err().to_string();
        assert!(error.contains("changed in the meantime"), "{error}");
        assert!(write(&[change(path.clone(), None, "new\n")]).is_err());
        assert_eq!(std::fs::read_to_string(path).unwrap(), "other\n");
    }
}
