//! The pool: SQLAlchemy's `QueuePool` in meaning.
//!
//! A semaphore says how many connections may be in use; it is fair, and a caller that gives up waiting
//! leaves no trace in it. A [`Lease`] is the right to hold one connection. It is taken before a connection is
//! looked for or opened, and given back when it is dropped, so a future that is dropped at any await leaves
//! the counts whole.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::options::Options;
use crate::driver::Driver;
use crate::error::{Error, Holder, Result};

/// How many connections there are, and how many are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// `pool_size`: how many are kept.
    pub size: usize,
    /// How many are open and wait for use.
    pub idle: usize,
    /// How many are in use, being opened, or being brought back into order after a dropped future.
    pub in_use: usize,
    /// How many of them are beyond `size` and will be closed.
    pub overflow: usize,
}

/// A connection that nobody uses.
pub(super) struct Idle {
    pub(super) driver: Driver,
    pub(super) opened: Instant,
    /// When it was last known to live.
    pub(super) checked: Instant,
}

pub(super) struct Pool {
    permits: Arc<Semaphore>,
    state: Mutex<State>,
    keep: usize,
    limit: usize,
    timeout: Duration,
    recycle: Option<Duration>,
    lifo: bool,
    ping: bool,
}

#[derive(Default)]
struct State {
    idle: VecDeque<Idle>,
    holders: Vec<Option<Held>>,
    free: Vec<usize>,
    closed: bool,
    /// A connection was found dead at this moment: what was last checked before it may be dead as well.
    suspect: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Held {
    location: &'static Location<'static>,
    since: Instant,
}

impl Pool {
    pub(super) fn new(options: &Options) -> Self {
        let limit = options.limit().unwrap_or(Semaphore::MAX_PERMITS).clamp(1, Semaphore::MAX_PERMITS);
        Pool {
            permits: Arc::new(Semaphore::new(limit)),
            state: Mutex::default(),
            keep: options.keep(),
            limit,
            timeout: options.pool_timeout,
            recycle: options.pool_recycle,
            lifo: options.pool_use_lifo,
            ping: options.pool_pre_ping,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to hold a connection.
    pub(super) async fn lease(self: &Arc<Self>, location: &'static Location<'static>) -> Result<Lease> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(Error::Closed),
            Err(TryAcquireError::NoPermits) => {
                let waiting = Arc::clone(&self.permits).acquire_owned();
                // Boxed: who need not wait carries no timer.
                match Box::pin(tokio::time::timeout(self.timeout, waiting)).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return Err(Error::Closed),
                    Err(_) => return Err(self.timed_out()),
                }
            }
        };
        let mut state = self.state();
        let held = Some(Held { location, since: Instant::now() });
        let slot = match state.free.pop() {
            Some(slot) => {
                state.holders[slot] = held;
                slot
            }
            None => {
                state.holders.push(held);
                state.holders.len() - 1
            }
        };
        drop(state);
        Ok(Lease { pool: Arc::clone(self), slot, _permit: permit })
    }

    /// Takes an idle connection, and says whether it has to be asked for a sign of life first.
    /// What is too old is closed on the way.
    pub(super) fn take(&self) -> Option<(Idle, bool)> {
        let mut old = Vec::new();
        let mut state = self.state();
        let found = loop {
            let next = if self.lifo { state.idle.pop_back() } else { state.idle.pop_front() };
            let Some(idle) = next else { break None };
            if idle.driver.is_dead() || self.recycle.is_some_and(|age| idle.opened.elapsed() >= age) {
                old.push(idle);
                continue;
            }
            let suspect = state.suspect.is_some_and(|moment| idle.checked <= moment);
            break Some((idle, self.ping || suspect));
        };
        // Closing may take a while (SQLite's last connection to a file writes a checkpoint): not under the lock.
        drop(state);
        drop(old);
        found
    }

    /// Puts a connection back, or closes it when enough are kept.
    pub(super) fn give(&self, idle: Idle) {
        let mut state = self.state();
        if !state.closed && state.idle.len() < self.keep {
            state.idle.push_back(idle);
        } else {
            drop(state);
            drop(idle);
        }
    }

    /// A connection was found dead: the others may have died with it.
    pub(super) fn suspect_all(&self) {
        self.state().suspect = Some(Instant::now());
    }

    pub(super) fn close(&self) {
        self.permits.close();
        let mut state = self.state();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        drop(idle);
    }

    pub(super) fn status(&self) -> PoolStatus {
        let state = self.state();
        let in_use = state.holders.len() - state.free.len();
        let size = self.keep;
        PoolStatus {
            size: if size == usize::MAX { 0 } else { size },
            idle: state.idle.len(),
            in_use,
            overflow: (in_use + state.idle.len()).saturating_sub(size),
        }
    }

    #[cold]
    fn timed_out(&self) -> Error {
        let state = self.state();
        let mut holders: Vec<Holder> = state
            .holders
            .iter()
            .flatten()
            .map(|held| Holder { location: held.location, held: held.since.elapsed() })
            .collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.held));
        Error::PoolTimeout { waited: self.timeout, limit: self.limit, holders }
    }
}

/// The right to hold one connection.
pub(super) struct Lease {
    pub(super) pool: Arc<Pool>,
    slot: usize,
    /// Given back after the slot, by the order of fields and `drop`.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.holders[self.slot] = None;
        state.free.push(self.slot);
    }
}
