//! Revisions: their files, their order, and the lock file that lists them.

pub(crate) mod file;
mod graph;
mod hash;
mod lockfile;
mod owned;
mod rebase;
mod split;
mod target;
mod time;
mod walk;
mod write;

pub use file::{Draft, DraftStep, RevisionFile, Section, Statement};
pub use graph::{History, Revision};
pub use hash::content_hash;
pub use lockfile::{LOCK_FILE, Line, LockFile};
pub use owned::owned_tables;
pub use rebase::Rebase;
pub use target::Target;
pub use time::{file_stamp, iso_stamp};
pub use write::{NewRevision, repair_folder, settle_lock_file};
