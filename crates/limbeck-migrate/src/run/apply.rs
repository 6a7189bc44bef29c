//! One revision, up or down.
//!
//! As a rule it is one transaction, with its row of the ledger in it. Where a step says `transaction=none`, the
//! statements before it, the step's own, and those after it are kept apart, and a journal says how far they have come:
//! another run goes on from there.

use std::time::{Duration, Instant};

use limbeck::dialect::Dialect;
use limbeck::engine::Connection;

use super::journal::Journal;
use super::ledger::Ledger;
use super::lock::pause;
use super::progress::{Progress, Watch};
use super::revision::Run;
use super::{Applied, applied_now, online};
use crate::error::{Error, Result};
use crate::revision::{Revision, RevisionFile, Section, Statement, content_hash};

/// Which way a revision goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Up => "up",
            Way::Down => "down",
        }
    }
}

/// For how long a run waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the lock of the run, and for the locks of tables over all tries.
    pub(super) wait: Duration,
    /// For the lock of a table in one try: those who come after it wait too.
    pub(super) lock_timeout: Duration,
}

/// A revision that is to be applied or taken back.
pub(super) struct Work<'a> {
    pub(super) revision: &'a Revision,
    pub(super) file: &'a RevisionFile,
    pub(super) way: Way,
    pub(super) patience: Patience,
    pub(super) watch: &'a Watch,
}

impl Work<'_> {
    /// Does it; `None` when another run has done it meanwhile.
    pub(super) async fn run(&self, connection: &mut Connection) -> Result<Option<Applied>> {
        let section = self.section();
        if section.is_whole() {
            self.whole(connection, section).await
        } else {
            self.in_parts(connection, section).await
        }
    }

    fn section(&self) -> &Section {
        const NOTHING: &Section = &Section { statements: Vec::new(), foreign_keys_off: false };
        match self.way {
            Way::Up => &self.file.upgrade,
            Way::Down => self.file.downgrade.as_ref().unwrap_or(NOTHING),
        }
    }

    /// All of it in one transaction.
    async fn whole(&self, connection: &mut Connection, section: &Section) -> Result<Option<Applied>> {
        let start = Instant::now();
        loop {
            let run = self.begin(connection, section).await?;
            let outcome = async {
                let ledger = Ledger::read(connection).await?;
                if self.is_done(&ledger) {
                    return Ok(None);
                }
                self.execute(connection, &section.statements, 0, 0).await?;
                self.record(connection, &ledger).await.map(Some)
            };
            let outcome = outcome.await;
            match run.end(connection, outcome).await {
                Err(error) if self.may_try_again(&error, start) => tokio::time::sleep(pause(start.elapsed())).await,
                outcome => return outcome,
            }
        }
    }

    /// Block by block, each recorded in the journal.
    async fn in_parts(&self, connection: &mut Connection, section: &Section) -> Result<Option<Applied>> {
        // What a revision sets for its session should stay in it.
        connection.close_on_return();
        let ledger = Ledger::read(connection).await?;
        if self.is_done(&ledger) {
            return Ok(None);
        }
        let dialect = connection.dialect();
        let hashes: Vec<String> = section.statements.iter().map(|s| content_hash(dialect, &s.sql)).collect();
        let mut journal = Journal::open(connection, &ledger, &self.revision.id, self.way.name()).await?;
        if let Some(entry) = journal.entries.iter().find(|entry| hashes.get(entry.number) != Some(&entry.hash)) {
            return Err(Error::Revision(format!(
                "{}: statement {} was changed after a run that did not end had begun it: undo the edit, let a run end, and \
                 write a new revision",
                self.file.file,
                entry.number + 1
            )));
        }
        for (first, block) in section.blocks() {
            match block {
                [alone] if !alone.transaction => {
                    self.alone(connection, alone, first, &hashes[first], &mut journal).await?;
                }
                _ => {
                    self.block(connection, section, block, first, &hashes[first..first + block.len()], &mut journal)
                        .await?
                }
            }
        }
        let run = self.begin(connection, section).await?;
        let outcome = async {
            let applied = self.record(connection, &ledger).await?;
            journal.clear(connection).await?;
            Ok(Some(applied))
        };
        let outcome = outcome.await;
        run.end(connection, outcome).await
    }

    /// Statements that share a transaction, with their hashes. It was kept or it was not: the journal's rows are in it.
    async fn block(
        &self,
        connection: &mut Connection,
        section: &Section,
        block: &[Statement],
        first: usize,
        hashes: &[String],
        journal: &mut Journal,
    ) -> Result<()> {
        if journal.entry(first).is_some() {
            return Ok(());
        }
        let start = Instant::now();
        loop {
            let kept = journal.done();
            let run = self.begin(connection, section).await?;
            let outcome = async {
                self.execute(connection, block, first, kept).await?;
                for (number, hash) in (first..).zip(hashes) {
                    journal.record(connection, number, hash, true).await?;
                }
                Ok(())
            };
            let outcome = outcome.await;
            match run.end(connection, outcome).await {
                Err(error) if self.may_try_again(&error, start) => {
                    journal.entries.retain(|entry| entry.number < first);
                    tokio::time::sleep(pause(start.elapsed())).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// A statement outside of any transaction. When it was begun and not seen to end, the catalog is asked.
    async fn alone(
        &self,
        connection: &mut Connection,
        statement: &Statement,
        number: usize,
        hash: &str,
        journal: &mut Journal,
    ) -> Result<()> {
        let begun = match journal.entry(number) {
            Some(entry) if entry.done => return Ok(()),
            entry => entry.is_some(),
        };
        if !online::settle(connection, &statement.sql, begun, self.patience.wait).await? {
            let kept = journal.done();
            if !begun {
                journal.record(connection, number, hash, false).await?;
            }
            let outcome = self.execute(connection, std::slice::from_ref(statement), number, kept).await;
            if let Err(Error::Statement { source, .. }) = &outcome
                && !matches!(**source, limbeck::Error::ConnectionLost { .. })
            {
                // The server has said that it did not do it: the statement may be mended.
                journal.forget(connection, number).await?;
            }
            outcome?;
        }
        journal.record(connection, number, hash, true).await
    }

    async fn begin(&self, connection: &mut Connection, section: &Section) -> Result<Run> {
        let run = Run::begin(connection, section, self.patience.wait).await?;
        if connection.dialect() == Dialect::Postgres {
            let millis = self.patience.lock_timeout.as_millis();
            connection.execute_raw(&format!("SET LOCAL lock_timeout = {millis}")).await?;
        }
        Ok(run)
    }

    /// Whether another transaction was in the way, and there is time for another try. While a statement waits for the
    /// lock of a table, all who want the table wait behind it: so it gives up soon, and comes back later.
    fn may_try_again(&self, error: &Error, start: Instant) -> bool {
        let in_the_way = match error {
            Error::Statement { source, .. } => source.is_retryable(),
            Error::Database(source) => source.is_retryable(),
            _ => false,
        };
        in_the_way && start.elapsed() < self.patience.wait
    }

    /// Runs statements, one message each. `first` is the number of the first in its section.
    async fn execute(
        &self,
        connection: &mut Connection,
        statements: &[Statement],
        first: usize,
        kept: usize,
    ) -> Result<()> {
        let of = self.section().statements.len();
        for (statement, position) in statements.iter().zip(first + 1..) {
            let (file, line) = (&self.file.file, statement.line);
            self.watch.tell(&Progress::Statement { file, line, sql: &statement.sql, position, of });
            if let Err(source) = connection.execute_raw(&statement.sql).await {
                return Err(Error::Statement {
                    file: self.file.file.clone(),
                    line: statement.line,
                    sql: statement.sql.clone(),
                    kept,
                    source: Box::new(source),
                });
            }
        }
        Ok(())
    }

    fn is_done(&self, ledger: &Ledger) -> bool {
        ledger.has(&self.revision.id) == (self.way == Way::Up)
    }

    async fn record(&self, connection: &mut Connection, ledger: &Ledger) -> Result<Applied> {
        let mut applied = applied_now(self.revision, self.file);
        match self.way {
            Way::Up => {
                ledger.create(connection).await?;
                applied.hash = self.revision.hash(connection.dialect())?;
                ledger.add(connection, &applied, &self.revision.parents).await?;
            }
            Way::Down => ledger.remove(connection, &self.revision.id).await?,
        }
        Ok(applied)
    }
}
