//! The engine: a database, a pool of connections to it, and what all of them share.

mod builder;
mod cache;
mod channel;
mod connection;
mod echo;
mod options;
mod pool;
mod query;
mod settings;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests;

pub use builder::{EngineBuilder, MaxOverflow};
pub(crate) use cache::StatementCache;
pub use connection::Connection;
pub use options::{IsolationLevel, ResetOnReturn};
pub use pool::PoolStatus;
pub(crate) use query::{Columns, Plan, ValueSink, check_width, explained};
pub use settings::Settings;

pub use crate::driver::Stats;

use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::dialect::Dialect;
use crate::driver::{Address, Begin, Common, Driver, Joined, Meter, Shared, SharedStats, without_password};
use crate::error::{Error, Result};
use options::Options;
use pool::{Idle, Pool};

/// How long a sign of life may take before the connection counts as dead.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// A database and a pool of connections to it. A clone is another handle to the same.
///
/// Make one for each database when the program starts, and keep it. It needs a tokio runtime whose time and
/// I/O drivers are enabled, as `#[tokio::main]` has them.
///
/// ```
/// # use limbeck::engine::Engine;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// let engine = Engine::builder("sqlite::memory:").pool_size(2).connect().await?;
/// let mut connection = engine.connect().await?;
/// let answer: Vec<i64> = connection.fetch_raw("SELECT 6 * 7", &[]).await?;
/// assert_eq!(answer, [42]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    address: Address,
    url: String,
    options: Options,
    pool: Arc<Pool>,
    statements: StatementCache,
    stats: Arc<SharedStats>,
    /// Where connections are brought back into order after their future was dropped.
    runtime: tokio::runtime::Handle,
    /// Keeps a database in memory alive while the pool is empty.
    anchor: Mutex<Option<Driver>>,
    /// For tests: one connection for all, and the right to hold it.
    joint: Option<(Arc<tokio::sync::Mutex<Shared>>, pool::Lease)>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("url", &self.inner.url)
            .field("pool", &self.pool_status())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Begins an engine for a database: `sqlite://blog.db` (relative to the working directory),
    /// `sqlite:///var/lib/blog.db`, `sqlite::memory:`, `postgres://user:password@host:5432/database`.
    ///
    /// A SQLite file that is not there is made. `sqlite::memory:` is one database for the whole engine, and ends
    /// with it.
    pub fn builder(url: impl Into<String>) -> EngineBuilder {
        EngineBuilder::new(url.into())
    }

    /// Begins an engine as [`Settings`] say.
    pub fn from_settings(settings: &Settings) -> EngineBuilder {
        EngineBuilder::from_settings(settings)
    }

    async fn open(builder: EngineBuilder) -> Result<Engine> {
        let EngineBuilder { url, options } = builder;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| {
            Error::Config(
                "limbeck needs a tokio runtime: call `connect` in `#[tokio::main]` or `Runtime::block_on`".into(),
            )
        })?;
        let address = Address::parse(
            &url,
            Common {
                statement_cache: options.statement_cache,
                busy_timeout: options.busy_timeout,
                isolation: options.isolation_level,
            },
        )?;
        let first = address.connect().await?;
        let anchor = if address.needs_anchor() { Some(address.connect().await?) } else { None };
        let pool = Arc::new(Pool::new(&options));
        let now = Instant::now();
        pool.give(Idle { driver: first, opened: now, checked: now });
        Ok(Engine {
            inner: Arc::new(Inner {
                address,
                url: without_password(&url),
                statements: StatementCache::new(options.statement_cache),
                stats: Arc::default(),
                options,
                pool,
                runtime,
                anchor: Mutex::new(anchor),
                joint: None,
            }),
        })
    }

    /// An engine whose connections all share one of this engine's, in a transaction that ends with it and is never
    /// committed.
    pub(crate) async fn joined(&self) -> Result<Engine> {
        let mut connection = self.connect().await?;
        connection.begin_mode(Begin::Write).await?;
        let (driver, lease) = connection.detach()?;
        let options = Options { pool_size: 0, ..self.inner.options.clone() };
        Ok(Engine {
            inner: Arc::new(Inner {
                address: self.inner.address.clone(),
                url: self.inner.url.clone(),
                statements: StatementCache::new(options.statement_cache),
                stats: Arc::default(),
                pool: Arc::new(Pool::new(&options)),
                options,
                runtime: self.inner.runtime.clone(),
                anchor: Mutex::new(None),
                joint: Some((Shared::new(driver), lease)),
            }),
        })
    }

    /// Takes a connection from the pool, or opens one; it goes back when it is dropped.
    ///
    /// # Errors
    /// [`Error::PoolTimeout`] when none becomes free in time, with the places that hold them;
    /// [`Error::Connect`] when a new one cannot be opened; [`Error::Closed`] after [`Engine::close`].
    #[track_caller]
    pub fn connect(&self) -> impl Future<Output = Result<Connection>> + Send + use<> {
        self.connect_at(Location::caller())
    }

    /// [`Engine::connect`] for a caller who is not the one to be named as its holder.
    pub(crate) fn connect_at(
        &self,
        location: &'static Location<'static>,
    ) -> impl Future<Output = Result<Connection>> + Send + use<> {
        let inner = Arc::clone(&self.inner);
        async move { inner.checkout(location).await }
    }

    /// The database's way to spell SQL.
    pub fn dialect(&self) -> Dialect {
        self.inner.address.dialect()
    }

    /// The URL, without its password.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// How many connections there are, and how many are in use.
    pub fn pool_status(&self) -> PoolStatus {
        self.inner.pool.status()
    }

    /// What all connections together have sent.
    pub fn stats(&self) -> Stats {
        self.inner.stats.get()
    }

    /// Rendered statements, shared by all connections.
    #[allow(dead_code)]
    pub(crate) fn statements(&self) -> &StatementCache {
        &self.inner.statements
    }

    /// Closes the idle connections, and each other one when it comes back. Whoever asks for a connection from
    /// now on, or waits for one, gets [`Error::Closed`].
    pub async fn close(&self) {
        self.inner.pool.close();
        let anchor = self.inner.anchor.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(anchor);
        // Lets the tasks that speak to the server say goodbye.
        tokio::task::yield_now().await;
    }
}

impl Inner {
    async fn checkout(self: Arc<Self>, location: &'static Location<'static>) -> Result<Connection> {
        let lease = self.pool.lease(location).await?;
        let mut meter = Meter::new(Arc::clone(&self.stats));
        while let Some((mut idle, ask)) = self.pool.take() {
            if ask {
                let answer = Box::pin(tokio::time::timeout(PING_TIMEOUT, idle.driver.ping(&mut meter))).await;
                if !matches!(answer, Ok(Ok(()))) {
                    // The others that are as old will be asked as well, before their next use.
                    self.pool.suspect_all();
                    continue;
                }
                idle.checked = Instant::now();
            }
            return Ok(Connection::new(self, lease, idle, meter));
        }
        // Seldom run and large, so not a part of every future that takes a connection.
        let driver = match &self.joint {
            Some((shared, _)) => Driver::Joined(Joined::new(Arc::clone(shared))),
            None => Box::pin(self.address.connect()).await?,
        };
        let now = Instant::now();
        Ok(Connection::new(self, lease, Idle { driver, opened: now, checked: now }, meter))
    }
}
