//! Where a run is, told while it goes on.

use std::fmt;
use std::sync::Arc;

/// What a run begins. Told by [`Migrator::on_progress`](super::Migrator::on_progress).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A revision, which is applied or taken back.
    Revision {
        /// Its id.
        id: &'a str,
        /// What it does.
        message: &'a str,
        /// Which one of this run it is, from 1.
        position: usize,
        /// How many there are in this run.
        of: usize,
    },
    /// A statement of the revision.
    Statement {
        /// The revision file.
        file: &'a str,
        /// The line on which it begins.
        line: usize,
        /// Its text.
        sql: &'a str,
        /// Which one of the revision it is, from 1.
        position: usize,
        /// How many the revision has.
        of: usize,
    },
}

type Told = dyn Fn(&Progress<'_>) + Send + Sync;

/// Who is told, if anybody.
#[derive(Clone, Default)]
pub(super) struct Watch(Option<Arc<Told>>);

impl Watch {
    pub(super) fn new(told: impl Fn(&Progress<'_>) + Send + Sync + 'static) -> Watch {
        Watch(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, progress: &Progress<'_>) {
        if let Some(told) = &self.0 {
            told(progress);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(..)" } else { "None" })
    }
}
