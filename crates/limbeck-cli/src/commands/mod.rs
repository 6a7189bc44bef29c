//! The commands, each a file.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod current;
pub(crate) mod diagram;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod downgrade;
pub(crate) mod heads;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod lint;
pub(crate) mod merge;
#[cfg(feature = "new")]
pub(crate) mod new;
pub(crate) mod rebase;
pub(crate) mod repair;
pub(crate) mod revision;
pub(crate) mod script;
pub(crate) mod show;
pub(crate) mod stamp;
pub(crate) mod test;
pub(crate) mod upgrade;
