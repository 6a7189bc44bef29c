//! Counting what is sent: the tests of a flush, and people who wonder about a slow page, ask for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much a connection, or all connections of an engine, have sent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Statements. A batch of a flush is one, however many rows it has.
    pub statements: u64,
    /// Exchanges that were awaited. Several statements sent together are one. On SQLite, which has no
    /// network, every statement is one.
    pub round_trips: u64,
    /// Statements that the database had to prepare, because its connection did not know them yet.
    pub prepares: u64,
    /// How many of the statements only began or ended transactions and savepoints. What a flush or a query begins by
    /// itself differs between databases; see [`queries`](Stats::queries).
    pub controls: u64,
}

impl Stats {
    /// The statements that read or wrote something: all but BEGIN, COMMIT, SAVEPOINT and their like.
    pub fn queries(&self) -> u64 {
        self.statements - self.controls
    }
}

impl std::ops::Add for Stats {
    type Output = Stats;

    fn add(self, other: Stats) -> Stats {
        Stats {
            statements: self.statements + other.statements,
            round_trips: self.round_trips + other.round_trips,
            prepares: self.prepares + other.prepares,
            controls: self.controls + other.controls,
        }
    }
}

impl std::ops::Sub for Stats {
    type Output = Stats;

    fn sub(self, earlier: Stats) -> Stats {
        Stats {
            statements: self.statements.saturating_sub(earlier.statements),
            round_trips: self.round_trips.saturating_sub(earlier.round_trips),
            prepares: self.prepares.saturating_sub(earlier.prepares),
            controls: self.controls.saturating_sub(earlier.controls),
        }
    }
}

/// The counters of an engine.
#[derive(Debug, Default)]
pub(crate) struct SharedStats {
    statements: AtomicU64,
    round_trips: AtomicU64,
    prepares: AtomicU64,
    controls: AtomicU64,
}

impl SharedStats {
    pub(crate) fn get(&self) -> Stats {
        Stats {
            statements: self.statements.load(Ordering::Relaxed),
            round_trips: self.round_trips.load(Ordering::Relaxed),
            prepares: self.prepares.load(Ordering::Relaxed),
            controls: self.controls.load(Ordering::Relaxed),
        }
    }
}

/// The counters of a connection, which count for its engine as well.
#[derive(Debug)]
pub(crate) struct Meter {
    own: Stats,
    shared: Arc<SharedStats>,
}

impl Meter {
    pub(crate) fn new(shared: Arc<SharedStats>) -> Self {
        Meter { own: Stats::default(), shared }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.own
    }

    pub(crate) fn statement(&mut self) {
        self.own.statements += 1;
        self.shared.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// A statement that only begins or ends something.
    pub(crate) fn control(&mut self) {
        self.statement();
        self.own.controls += 1;
        self.shared.controls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn round_trip(&mut self) {
        self.own.round_trips += 1;
        self.shared.round_trips.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn prepare(&mut self) {
        self.own.prepares += 1;
        self.shared.prepares.fetch_add(1, Ordering::Relaxed);
    }
}
