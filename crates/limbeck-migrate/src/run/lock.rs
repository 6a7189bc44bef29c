//! One run at a time.

use std::time::{Duration, Instant};

use limbeck::engine::{Connection, Engine};

use super::has_run_lock;
use crate::error::{Error, Result};

/// The number of the lock: `limbeck` in ASCII. Advisory locks belong to one database of a server.
const KEY: i64 = 0x006c_696d_6265_636b;

/// The lock of a run.
///
/// On PostgreSQL an advisory lock of an open transaction, on a connection of its own: it goes with the
/// connection, so that a killed run leaves nothing; it is sound behind a pooler; and it is polled, since a
/// waiter that blocks in `pg_advisory_lock` holds a snapshot, for which `CREATE INDEX CONCURRENTLY` waits.
pub(super) struct Lock {
    connection: Option<Connection>,
}

impl Lock {
    pub(super) async fn take(engine: &Engine, wait: Duration) -> Result<Lock> {
        if !has_run_lock(engine.dialect()) {
            return Ok(Lock { connection: None });
        }
        let mut connection = engine.connect().await?;
        let start = Instant::now();
        loop {
            connection.begin().await?;
            connection.execute_raw("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
            let taken: Vec<(bool,)> =
                connection.fetch_raw(&format!("SELECT pg_try_advisory_xact_lock({KEY})"), &[]).await?;
            if taken.first().is_some_and(|row| row.0) {
                connection.execute_raw("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
                return Ok(Lock { connection: Some(connection) });
            }
            connection.rollback().await?;
            let waited = start.elapsed();
            if waited >= wait {
                return Err(Error::Locked { waited });
            }
            tokio::time::sleep(pause(waited).min(wait - waited)).await;
        }
    }

    /// Makes sure that the lock is still held: its connection may have been lost.
    pub(super) async fn check(&mut self) -> Result<()> {
        if let Some(connection) = &mut self.connection {
            // As a simple query: the portal of an extended one would keep its snapshot until the next statement, and
            // `CREATE INDEX CONCURRENTLY` of this very run would wait for it, for ever.
            connection.execute_raw("SELECT 1").await?;
        }
        Ok(())
    }

    pub(super) async fn release(self) -> Result<()> {
        if let Some(mut connection) = self.connection {
            connection.rollback().await?;
        }
        Ok(())
    }
}

/// A tenth of a second, more the longer it takes, and never the same for two.
pub(super) fn pause(waited: Duration) -> Duration {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    let jitter = Duration::from_millis(u64::from(nanos / 1000 % 50));
    Duration::from_millis(75) + jitter + (waited / 20).min(Duration::from_millis(900))
}
