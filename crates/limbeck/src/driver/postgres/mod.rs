//! PostgreSQL, by tokio-postgres.
//!
//! Everything that can share a round trip does. `BEGIN`, `SAVEPOINT` and `RELEASE` are not sent when they are
//! asked for but in front of the next statement ([`Postgres::pending`]); a transaction in which nothing was
//! done never reaches the server. The statements of a flush are sent one behind the other before the first
//! answer is awaited.
//!
//! **Dropped futures.** tokio-postgres keeps the protocol whole: the answer to a request that nobody awaits is
//! read and thrown away. But it does not show in which state the server's transaction is, so any return but a
//! clean one sends ROLLBACK and awaits it. Behind a statement that was given up the ROLLBACK waits a moment;
//! then the statement is cancelled on the server, and the connection closed: a cancel request may arrive late,
//! and must not hit what the next user of the connection runs.

mod connect;
mod cursor;
mod decode;
mod encode;
mod error;
mod literal;
mod pipeline;
mod run;
mod statements;
mod tls;
mod transaction;

pub(crate) use connect::Settings;

use std::time::Duration;

use tokio_postgres::{CancelToken, Client};

use crate::driver::{Leftover, Meter};
use crate::error::{Error, Result};
use statements::Statements;
use tls::Tls;

/// How long what a dropped future left may take to end by itself, before it is cancelled.
const DRAIN: Duration = Duration::from_millis(200);

/// How long a ROLLBACK, or a request to cancel, may take before the connection is given up.
const CLEANUP: Duration = Duration::from_secs(5);

/// A connection.
pub(crate) struct Postgres {
    client: Client,
    cancel: CancelToken,
    tls: Tls,
    /// Prepared, by the identity of a rendered statement.
    statements: Statements<u64>,
    /// Prepared, by the text of a raw one.
    raw: Statements<Box<str>>,
    /// What is sent in front of the next statement.
    pending: String,
    tx: Tx,
    /// `BEGIN ISOLATION LEVEL …`
    begin: &'static str,
    /// An exchange was begun and did not end.
    flying: bool,
    /// A statement of this transaction was given up, and nobody has seen whether it failed.
    doubtful: bool,
    /// Raw SQL may have opened a transaction.
    unknown: bool,
}

/// The transaction as we know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tx {
    None,
    /// Asked for; `BEGIN` is in `pending`.
    Wanted,
    Open,
    /// A statement failed: the server refuses all but a rollback.
    Failed,
}

impl Postgres {
    pub(crate) fn in_transaction(&self) -> bool {
        self.tx != Tx::None
    }

    pub(crate) fn in_write_transaction(&self) -> bool {
        self.in_transaction()
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.tx == Tx::Failed
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.client.is_closed()
    }

    /// An exchange begins. Whoever gets an answer sets `flying` back.
    fn take_off(&mut self) {
        // The connection is used on after a future of it was dropped.
        if self.flying && self.tx != Tx::None {
            self.doubtful = true;
        }
        self.flying = true;
    }

    /// Asks for an empty answer.
    pub(crate) async fn ping(&mut self, meter: &mut Meter) -> Result<()> {
        meter.round_trip();
        self.take_off();
        let answer = self.client.check_connection().await;
        self.flying = false;
        answer.map_err(error::convert)
    }

    pub(crate) fn leftover(&mut self) -> Leftover {
        if self.is_dead() {
            return Leftover::Dead;
        }
        if self.flying || self.unknown || matches!(self.tx, Tx::Open | Tx::Failed) {
            return Leftover::Work;
        }
        self.pending.clear();
        self.tx = Tx::None;
        Leftover::Nothing
    }

    pub(crate) async fn reset(&mut self) -> Result<()> {
        let patience = if self.flying { DRAIN } else { CLEANUP };
        let rollback = self.client.batch_execute("ROLLBACK");
        let outcome = match tokio::time::timeout(patience, rollback).await {
            Ok(outcome) => outcome.map_err(error::convert),
            Err(_) => {
                // The answer to this request says nothing; what counts is that the server stops working.
                let _ = tokio::time::timeout(CLEANUP, self.tls.cancel(&self.cancel)).await;
                Err(Error::ConnectionLost { message: "it was closed to end a statement that was given up".into() })
            }
        };
        self.pending.clear();
        self.tx = Tx::None;
        self.flying = false;
        self.doubtful = false;
        self.unknown = false;
        outcome
    }
}
