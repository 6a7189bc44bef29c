//! The commands, each a file.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod current;
pub(crate) mod diff;
pub(crate) mod downgrade;
pub(crate) mod heads;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod repair;
pub(crate) mod revision;
pub(crate) mod upgrade;
