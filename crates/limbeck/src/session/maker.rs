//! Sessions with the same settings, and `transaction`.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::{Hooks, NPlusOne, Options, Session};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// How often `transaction` runs its work before it gives up.
const ATTEMPTS: u32 = 5;

/// Opens sessions with the same settings. It is cheap to clone and made once for a program.
#[derive(Clone, Debug)]
pub struct SessionMaker {
    pub(super) engine: Engine,
    pub(super) options: Options,
    pub(super) hooks: Option<Arc<Hooks>>,
}

impl Engine {
    /// Sessions on this engine. The settings are those of SQLAlchemy, but for `expire_on_commit`, which is
    /// off: an object that was committed can be read without a query.
    pub fn sessionmaker(&self) -> SessionMaker {
        SessionMaker {
            engine: self.clone(),
            options: Options {
                expire_on_commit: false,
                autoflush: true,
                autocommit: false,
                n_plus_one: NPlusOne::default(),
            },
            hooks: None,
        }
    }
}

impl SessionMaker {
    /// Whether a commit lets all objects be read again before they are looked at. Off by default.
    #[must_use]
    pub fn expire_on_commit(mut self, on: bool) -> Self {
        self.options.expire_on_commit = on;
        self
    }

    /// Whether queries flush first, so that they see what was changed. On by default.
    #[must_use]
    pub fn autoflush(mut self, on: bool) -> Self {
        self.options.autoflush = on;
        self
    }

    /// Whether, outside `begin`, every statement and every flush is a committed transaction of its own. Off
    /// by default.
    #[must_use]
    pub fn autocommit(mut self, on: bool) -> Self {
        self.options.autocommit = on;
        self
    }

    /// What a session does that loads a relationship for one object after the other: it warns by default, and can fail
    /// in tests.
    #[must_use]
    pub fn n_plus_one(mut self, guard: NPlusOne) -> Self {
        self.options.n_plus_one = guard;
        self
    }

    /// A new session. It takes no connection before it needs one.
    #[track_caller]
    pub fn open(&self) -> Session {
        Session::open(self, Location::caller())
    }

    /// The same settings and hooks, on another engine: another database of the same models, or that of a test.
    #[must_use]
    pub fn with_engine(&self, engine: Engine) -> SessionMaker {
        SessionMaker { engine, ..self.clone() }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs work in a session of its own: commits when it returns `Ok`, rolls back when it returns `Err`,
    /// and runs it again, in a new session, when the database aborted it because of another transaction (a
    /// serialization failure, a deadlock, a locked database): at most five times, after a growing, random
    /// pause.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Account { #[column(primary_key)] id: i64, balance: i64 }
    /// # async fn f(sessions: limbeck::session::SessionMaker) -> limbeck::Result<()> {
    /// let total = sessions
    ///     .transaction(async |session| {
    ///         let accounts = session.all(select(Account)).await?;
    ///         Ok(accounts.iter().map(|account| session[account].balance).sum::<i64>())
    ///     })
    ///     .await?;
    /// # let _ = total;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the work returns, and what a commit may fail with.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'r> AsyncFnOnce(&'r mut Session) -> Result<T>
            + for<'r> Work<&'r mut Session, Result<T>, Fut: Send>
            + Clone
            + Send,
    {
        self.try_transaction(work).await
    }

    /// [`transaction`](Self::transaction) with an error type of your own.
    ///
    /// # Errors
    /// What the work returns, and what a commit may fail with.
    pub async fn try_transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Error>,
        F: for<'r> AsyncFnOnce(&'r mut Session) -> Result<T, E>
            + for<'r> Work<&'r mut Session, Result<T, E>, Fut: Send>
            + Clone
            + Send,
    {
        let location = Location::caller();
        let mut attempt = 1;
        loop {
            let mut session = Session::open(self, location);
            let outcome = match session.begin().await {
                Ok(()) => work.clone()(&mut session).await,
                Err(error) => Err(error.into()),
            };
            let error = match outcome {
                Ok(value) => match session.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) => error.into(),
                },
                Err(error) => error,
            };
            // Whether to try again is the server's word, not the returned error's, which may be anything.
            let again = session.line.aborted && attempt < ATTEMPTS;
            // What went wrong first is what counts; the pool closes a connection that cannot roll back.
            let _ = session.rollback().await;
            if !again {
                return Err(error);
            }
            tokio::time::sleep(pause(attempt)).await;
            attempt += 1;
        }
    }
}

/// A pause before the next attempt: doubling from 10 ms, of which a random half is taken off, so that two
/// transactions that met once do not meet again.
fn pause(attempt: u32) -> Duration {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let full = 10u64 << attempt.min(6);
    Duration::from_millis(full / 2 + random % (full / 2 + 1))
}

/// An async closure whose future can be named, so that it can be required to be `Send`. Every
/// `AsyncFnOnce` is one; there is nothing to implement.
pub trait Work<A, R>: AsyncFnOnce(A) -> R + FnOnce(A) -> Self::Fut {
    /// The future that the closure returns.
    type Fut: Future<Output = R>;
}

impl<A, R, F, Fut> Work<A, R> for F
where
    F: AsyncFnOnce(A) -> R + FnOnce(A) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}
