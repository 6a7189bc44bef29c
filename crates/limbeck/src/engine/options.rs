//! The words of SQLAlchemy's `create_engine`.

use std::sync::Arc;
use std::time::Duration;

/// How far transactions are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IsolationLevel {
    /// `READ COMMITTED`: each statement sees what was committed before it.
    ReadCommitted,
    /// `REPEATABLE READ`: each transaction sees what was committed before its first statement.
    RepeatableRead,
    /// `SERIALIZABLE`: as if transactions ran one after the other; some fail and have to be run again.
    Serializable,
}

/// What happens to a transaction that is still open when its connection goes back to the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetOnReturn {
    /// It is rolled back.
    #[default]
    Rollback,
    /// It is committed, unless a statement of it failed or was dropped halfway.
    Commit,
}

/// Where echoed statements go.
pub(crate) type EchoSink = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) echo: Option<EchoSink>,
    pub(crate) hide_parameters: bool,
    pub(crate) pool_size: usize,
    /// `None` is without limit.
    pub(crate) max_overflow: Option<usize>,
    pub(crate) pool_timeout: Duration,
    pub(crate) pool_recycle: Option<Duration>,
    pub(crate) pool_pre_ping: bool,
    pub(crate) pool_use_lifo: bool,
    pub(crate) reset_on_return: ResetOnReturn,
    pub(crate) isolation_level: Option<IsolationLevel>,
    pub(crate) statement_cache: usize,
    pub(crate) busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            echo: None,
            hide_parameters: false,
            pool_size: 5,
            max_overflow: Some(10),
            pool_timeout: Duration::from_secs(30),
            pool_recycle: None,
            pool_pre_ping: false,
            pool_use_lifo: false,
            reset_on_return: ResetOnReturn::Rollback,
            isolation_level: None,
            statement_cache: 500,
            busy_timeout: Duration::from_secs(5),
        }
    }
}

impl Options {
    /// How many connections may be in use at once; `None` is without limit.
    pub(crate) fn limit(&self) -> Option<usize> {
        if self.pool_size == 0 {
            return None;
        }
        self.max_overflow.map(|more| self.pool_size.saturating_add(more))
    }

    /// How many idle connections are kept.
    pub(crate) fn keep(&self) -> usize {
        if self.pool_size == 0 { usize::MAX } else { self.pool_size }
    }
}
