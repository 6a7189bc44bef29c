//! The watch over a running statement: a budget of time, and a stop sign.
//!
//! SQLite calls back every few thousand steps of its virtual machine; the callback looks at two atomics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many steps between two looks: some 50 µs.
const STEPS: i32 = 2000;

/// No deadline.
const NEVER: u64 = u64::MAX;

/// A budget that begins to run at the next look: a statement that ends before it never asks for the time.
const ARMED: u64 = u64::MAX - 1;

#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    /// Microseconds after `start`, or one of the constants.
    deadline: AtomicU64,
    budget: Duration,
    stopped: AtomicBool,
}

impl Watch {
    /// Installs a watch on a connection.
    pub(super) fn install(db: &mut rusqlite::Connection, budget: Duration) -> rusqlite::Result<Arc<Self>> {
        let watch = Arc::new(Watch {
            start: Instant::now(),
            deadline: AtomicU64::new(NEVER),
            budget,
            stopped: AtomicBool::new(false),
        });
        let seen = Arc::clone(&watch);
        db.progress_handler(STEPS, Some(move || seen.is_over()))?;
        Ok(watch)
    }

    fn is_over(&self) -> bool {
        if self.stopped.load(Ordering::Relaxed) {
            return true;
        }
        match self.deadline.load(Ordering::Relaxed) {
            NEVER => false,
            ARMED => {
                self.deadline.store(self.now() + self.budget.as_micros() as u64, Ordering::Relaxed);
                false
            }
            deadline => self.now() > deadline,
        }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Gives the statement that runs from now on its budget.
    pub(super) fn arm(&self) {
        self.deadline.store(ARMED, Ordering::Relaxed);
    }

    /// Takes the deadline away.
    pub(super) fn relax(&self) {
        self.deadline.store(NEVER, Ordering::Relaxed);
    }

    /// Stops whatever runs, at its next look.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Lets statements run again.
    pub(super) fn resume(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }
}
