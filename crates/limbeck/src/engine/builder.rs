//! Making an engine.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::options::{IsolationLevel, Options, ResetOnReturn};
use super::{Engine, Settings};
use crate::error::Result;

/// What an engine will be. Made by [`Engine::builder`]; [`EngineBuilder::connect`] makes the engine.
///
/// The words and their meaning are those of SQLAlchemy's `create_engine`.
#[must_use = "a builder does nothing until `.connect().await`"]
#[derive(Clone)]
pub struct EngineBuilder {
    pub(super) url: String,
    pub(super) options: Options,
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("url", &crate::driver::without_password(&self.url))
            .finish_non_exhaustive()
    }
}

impl EngineBuilder {
    pub(super) fn new(url: String) -> Self {
        EngineBuilder { url, options: Options::default() }
    }

    pub(super) fn from_settings(settings: &Settings) -> Self {
        let mut builder = EngineBuilder::new(settings.database_url.clone()).echo(settings.debug);
        if let Some(size) = settings.pool_size {
            builder = builder.pool_size(size);
        }
        if let Some(more) = settings.max_overflow {
            builder = builder.max_overflow(more);
        }
        if let Some(timeout) = settings.pool_timeout {
            builder = builder.pool_timeout(timeout);
        }
        if let Some(age) = settings.pool_recycle {
            builder = builder.pool_recycle(age);
        }
        if let Some(ping) = settings.pool_pre_ping {
            builder = builder.pool_pre_ping(ping);
        }
        builder
    }

    /// Writes every statement to standard error, one a line: time, rows, text, parameters. Off by default.
    ///
    /// Whether or not it is on, statements are events of `tracing` (target `limbeck::sql`, level DEBUG).
    pub fn echo(mut self, on: bool) -> Self {
        self.options.echo = on.then(|| -> super::options::EchoSink {
            Arc::new(|line| {
                // A closed standard error is no reason to fail.
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            })
        });
        self
    }

    /// Hands every statement, as `echo` would write it, to a function of yours.
    pub fn echo_to(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.options.echo = Some(Arc::new(sink));
        self
    }

    /// Leaves parameters out of `echo` and of tracing's events: they may be personal. Off by default.
    pub fn hide_parameters(mut self, hide: bool) -> Self {
        self.options.hide_parameters = hide;
        self
    }

    /// How many connections are kept open. 5 by default; 0 means no limit.
    ///
    /// They are opened when they are needed, not at the start.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.options.pool_size = connections;
        self
    }

    /// How many more may be opened when all of `pool_size` are in use; they are closed when they come back.
    /// 10 by default. `-1` or `None` means no limit.
    pub fn max_overflow(mut self, connections: impl Into<MaxOverflow>) -> Self {
        self.options.max_overflow = connections.into().0;
        self
    }

    /// How long to wait for a connection when all are in use, before
    /// [`Error::PoolTimeout`](crate::Error::PoolTimeout). 30 seconds by default.
    pub fn pool_timeout(mut self, timeout: Duration) -> Self {
        self.options.pool_timeout = timeout;
        self
    }

    /// Connections older than this are replaced when they are next asked for. Never by default.
    ///
    /// For servers, proxies and firewalls that end connections after a time.
    pub fn pool_recycle(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.options.pool_recycle = age.into();
        self
    }

    /// Asks the server for a sign of life whenever a connection leaves the pool, and replaces a dead one
    /// without the caller noticing. It costs a round trip. Off by default.
    pub fn pool_pre_ping(mut self, on: bool) -> Self {
        self.options.pool_pre_ping = on;
        self
    }

    /// Takes the connection that came back last instead of the one that is idle longest, so that a server may
    /// end those that are not needed. Off by default.
    pub fn pool_use_lifo(mut self, on: bool) -> Self {
        self.options.pool_use_lifo = on;
        self
    }

    /// What happens to a transaction that is still open when its connection comes back. Rolled back by default.
    pub fn reset_on_return(mut self, reset: ResetOnReturn) -> Self {
        self.options.reset_on_return = reset;
        self
    }

    /// The isolation level of every transaction; the server's default otherwise.
    ///
    /// Say it for a PostgreSQL server whose default is stricter than READ COMMITTED: without it, a session that has
    /// only read so far sends no BEGIN, since under READ COMMITTED each statement has a snapshot of its own anyway.
    ///
    /// SQLite's transactions are always serializable, so it is ignored there.
    pub fn isolation_level(mut self, level: IsolationLevel) -> Self {
        self.options.isolation_level = Some(level);
        self
    }

    /// How many statements are kept rendered by the engine, and prepared by each connection. 500 by default.
    ///
    /// 0 prepares nothing by name on the server, which PgBouncer in transaction mode asks for.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.options.statement_cache = statements;
        self
    }

    /// How long SQLite waits for the lock of another writer before
    /// [`Error::Conflict`](crate::Error::Conflict). 5 seconds by default.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.options.busy_timeout = timeout;
        self
    }

    /// Makes the engine and opens its first connection, so that a wrong URL or a server that is not running
    /// is found here.
    ///
    /// # Errors
    /// When the URL cannot be used, its database is not compiled in, or the server cannot be reached.
    pub async fn connect(self) -> Result<Engine> {
        Engine::open(self).await
    }
}

/// A number of connections, or no limit. See [`EngineBuilder::max_overflow`].
#[derive(Clone, Copy, Debug)]
pub struct MaxOverflow(Option<usize>);

impl From<i32> for MaxOverflow {
    fn from(connections: i32) -> Self {
        MaxOverflow(usize::try_from(connections).ok())
    }
}

impl From<Option<usize>> for MaxOverflow {
    fn from(connections: Option<usize>) -> Self {
        MaxOverflow(connections)
    }
}
