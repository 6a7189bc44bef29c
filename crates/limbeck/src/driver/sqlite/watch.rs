//! The watch over a running statement: a budget, and a stop sign.
//!
//! SQLite calls back every few thousand steps of its virtual machine; the callback looks at two atomics and,
//! while a budget runs, at the clock.
//!
//! The budget is one of work as well as of time. By time alone, a query that is short on an idle machine would
//! be interrupted and run twice on a busy one, which is the worst moment to double the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// How many steps between two looks: some 50 µs.
const STEPS: i32 = 2000;

/// How long a statement may keep the runtime's thread …
const BUDGET: Duration = Duration::from_millis(10);

/// … once it has been looked at this often: half a million steps, as many as 30,000 rows of ten columns take …
const LOOKS: u32 = 250;

/// … and how long if it has not: it waits for a disk, or the machine is very busy.
const LIMIT: Duration = Duration::from_millis(50);

const OFF: u8 = 0;
/// The budget begins at the next look, so that a statement that ends before it never asks for the time.
const ARMED: u8 = 1;
const RUNNING: u8 = 2;

#[derive(Debug)]
pub(super) struct Watch {
    state: AtomicU8,
    stopped: AtomicBool,
}

impl Watch {
    /// Installs a watch on a connection.
    pub(super) fn install(db: &mut rusqlite::Connection) -> rusqlite::Result<Arc<Self>> {
        let watch = Arc::new(Watch { state: AtomicU8::new(OFF), stopped: AtomicBool::new(false) });
        let seen = Arc::clone(&watch);
        let mut begun = Instant::now();
        let mut looks = 0;
        let look = move || {
            if seen.stopped.load(Ordering::Relaxed) {
                return true;
            }
            match seen.state.load(Ordering::Relaxed) {
                RUNNING => {
                    looks += 1;
                    let elapsed = begun.elapsed();
                    elapsed > LIMIT || (looks > LOOKS && elapsed > BUDGET)
                }
                ARMED => {
                    begun = Instant::now();
                    looks = 0;
                    seen.state.store(RUNNING, Ordering::Relaxed);
                    false
                }
                _ => false,
            }
        };
        db.progress_handler(STEPS, Some(look))?;
        Ok(watch)
    }

    /// Gives the statement that runs from now on its budget.
    pub(super) fn arm(&self) {
        self.state.store(ARMED, Ordering::Relaxed);
    }

    /// Takes the budget away: what runs may take as long as it takes.
    pub(super) fn relax(&self) {
        self.state.store(OFF, Ordering::Relaxed);
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
