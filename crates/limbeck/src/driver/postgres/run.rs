//! Running statements on PostgreSQL.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use futures_util::future::{OptionFuture, join};
use tokio_postgres::types::{BorrowToSql, Type};
use tokio_postgres::{Client, Error as PgError, RowStream, SimpleQueryMessage, Statement};

use super::encode::{Any, Column, One, type_of};
use super::pipeline::{Request, in_order};
use super::{Postgres, Tx, decode, error};
use crate::driver::row::RowSource as Source;
use crate::driver::{Bind, Meter, Returns, Row, RowSink, Stmt, Write, WriteError, Written};
use crate::error::{Error, Result};
use crate::types::Value;

impl Postgres {
    pub(crate) async fn query(
        &mut self,
        meter: &mut Meter,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        self.fetch(meter, stmt, params, sink).await.map(|_| ())
    }

    pub(crate) async fn execute(&mut self, meter: &mut Meter, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<u64> {
        self.fetch(meter, stmt, params, &mut Ignore).await
    }

    async fn fetch(
        &mut self,
        meter: &mut Meter,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<u64> {
        let binds = || params.iter().map(Any);
        if !self.statements.enabled() {
            let types: Vec<Type> = stmt.params.iter().map(|p| type_of(*p)).collect();
            return self.unnamed(meter, &stmt.sql, binds().zip(types), sink).await;
        }
        let mut again = true;
        loop {
            let statement = self.prepared(meter, stmt).await?;
            match self.run(meter, &statement, binds(), sink).await {
                Ok(count) => return Ok(count),
                Err(Stop::Caller(e)) => return Err(e),
                Err(Stop::Server(e)) if error::is_stale(&e) => {
                    self.statements.remove(&stmt.id);
                    // In a transaction the server refuses what follows; the next one will do.
                    if self.tx != Tx::None || !again {
                        return Err(self.failed(e));
                    }
                    again = false;
                    sink.restart();
                }
                Err(Stop::Server(e)) => return Err(self.failed(e)),
            }
        }
    }

    pub(crate) async fn query_raw(
        &mut self,
        meter: &mut Meter,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let mut again = true;
        loop {
            let statement = match self.raw.get(sql) {
                Some(statement) => statement,
                None => {
                    let statement = self.prepare(meter, sql, &[]).await?;
                    if self.raw.enabled() {
                        self.raw.insert(sql.into(), statement.clone());
                    }
                    statement
                }
            };
            if statement.params().len() != params.len() {
                return Err(wrong_count(statement.params().len(), params.len()));
            }
            match self.run(meter, &statement, params.iter().map(One), sink).await {
                Ok(_) => break,
                Err(Stop::Caller(e)) => return Err(e),
                Err(Stop::Server(e)) if error::is_stale(&e) && self.tx == Tx::None && again => {
                    self.raw.remove(sql);
                    again = false;
                    sink.restart();
                }
                Err(Stop::Server(e)) => return Err(self.failed(e)),
            }
        }
        self.follow(sql);
        Ok(())
    }

    pub(crate) async fn execute_raw(&mut self, meter: &mut Meter, sql: &str) -> Result<u64> {
        let pending = self.take_pending(meter);
        meter.statement();
        meter.round_trip();
        self.take_off();
        let before = OptionFuture::from(pending.as_deref().map(|sql| self.client.batch_execute(sql)));
        let (before, outcome) = join(before, self.client.simple_query(sql)).await;
        self.flying = false;
        let messages = match before.unwrap_or(Ok(())).and(outcome) {
            Ok(messages) => messages,
            Err(e) => return Err(self.failed(e)),
        };
        self.follow(sql);
        Ok(messages.iter().rev().find_map(count_of).unwrap_or(0))
    }

    /// Raw SQL may begin or end a transaction, or change a table under prepared statements, which would then
    /// fail once.
    fn follow(&mut self, sql: &str) {
        let word: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        match word.to_ascii_uppercase().as_str() {
            "BEGIN" | "START" if self.tx == Tx::None => {
                self.tx = Tx::Open;
                self.unknown = true;
            }
            "COMMIT" | "END" | "ABORT" => {
                self.tx = Tx::None;
                self.unknown = true;
            }
            "ROLLBACK" if !sql.to_ascii_uppercase().contains(" TO ") => {
                self.tx = Tx::None;
                self.unknown = true;
            }
            "ALTER" | "DROP" | "SET" | "RESET" | "DISCARD" | "DEALLOCATE" => {
                self.statements.clear();
                self.raw.clear();
            }
            // Several statements in one text: who knows.
            _ => self.unknown |= sql.trim_end().trim_end_matches(';').contains(';') || word.is_empty(),
        }
    }

    /// The prepared form of a statement.
    async fn prepared(&mut self, meter: &mut Meter, stmt: &Stmt) -> Result<Statement> {
        if let Some(statement) = self.statements.get(&stmt.id) {
            return Ok(statement);
        }
        let types: Vec<Type> = stmt.params.iter().map(|p| type_of(*p)).collect();
        let statement = self.prepare(meter, &stmt.sql, &types).await?;
        self.statements.insert(stmt.id, statement.clone());
        Ok(statement)
    }

    async fn prepare(&mut self, meter: &mut Meter, sql: &str, types: &[Type]) -> Result<Statement> {
        let pending = self.take_pending(meter);
        meter.prepare();
        meter.round_trip();
        self.take_off();
        let before = OptionFuture::from(pending.as_deref().map(|sql| self.client.batch_execute(sql)));
        let (before, outcome) = join(before, self.client.prepare_typed(sql, types)).await;
        self.flying = false;
        before.unwrap_or(Ok(())).and(outcome).map_err(|e| self.failed(e))
    }

    /// Runs a prepared statement, hands its rows to the sink, and says how many it affected.
    async fn run<P: BorrowToSql>(
        &mut self,
        meter: &mut Meter,
        statement: &Statement,
        params: impl ExactSizeIterator<Item = P> + Send,
        sink: &mut dyn RowSink,
    ) -> Result<u64, Stop> {
        let pending = self.take_pending(meter);
        meter.statement();
        meter.round_trip();
        self.take_off();
        let outcome = match &pending {
            None => self.client.query_raw(statement, params).await,
            Some(before) => {
                let (before, rows) =
                    join(self.client.batch_execute(before), self.client.query_raw(statement, params)).await;
                before.and(rows)
            }
        };
        let outcome = match outcome {
            Ok(stream) => drain(stream, sink).await,
            Err(e) => Err(Stop::Server(e)),
        };
        self.flying = false;
        outcome
    }

    /// Runs a statement that is parsed with every run, and keeps nothing on the server.
    pub(super) async fn unnamed<P: BorrowToSql>(
        &mut self,
        meter: &mut Meter,
        sql: &str,
        params: impl Iterator<Item = (P, Type)> + Send,
        sink: &mut dyn RowSink,
    ) -> Result<u64> {
        let pending = self.take_pending(meter);
        meter.statement();
        meter.round_trip();
        self.take_off();
        let before = OptionFuture::from(pending.as_deref().map(|sql| self.client.batch_execute(sql)));
        let (before, rows) = join(before, self.client.query_typed_raw(sql, params)).await;
        let outcome = match before.unwrap_or(Ok(())).and(rows) {
            Ok(stream) => drain(stream, sink).await,
            Err(e) => Err(Stop::Server(e)),
        };
        self.flying = false;
        outcome.map_err(|stop| match stop {
            Stop::Caller(e) => e,
            Stop::Server(e) => self.failed(e),
        })
    }

    pub(crate) async fn write(&mut self, meter: &mut Meter, writes: &[Write<'_>]) -> Result<Vec<Written>, WriteError> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let statements = self.prepare_all(meter, writes).await?;
        let pending = self.take_pending(meter);
        meter.round_trip();
        self.take_off();
        let client = &self.client;
        let mut requests: Vec<Request<'_, Written>> = Vec::with_capacity(writes.len() + 1);
        if let Some(before) = &pending {
            requests.push(Box::pin(async move { client.batch_execute(before).await.map(|()| Written::default()) }));
        }
        let ahead = requests.len();
        for (write, statement) in writes.iter().zip(&statements) {
            meter.statement();
            requests.push(Box::pin(send(client, write, statement.as_ref())));
        }
        let answers = in_order(requests).await;
        self.flying = false;
        let mut out = Vec::with_capacity(writes.len());
        for (at, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(_) if at < ahead => {}
                Ok(written) => out.push(written),
                Err(e) => {
                    let index = at.saturating_sub(ahead);
                    if error::is_stale(&e) {
                        self.statements.remove(&writes[index].stmt.id);
                    }
                    return Err(WriteError { index, row: None, error: self.failed(e), done: out });
                }
            }
        }
        Ok(out)
    }

    /// The prepared forms of all statements of a flush; those that are missing are prepared in one round trip.
    async fn prepare_all(
        &mut self,
        meter: &mut Meter,
        writes: &[Write<'_>],
    ) -> Result<Vec<Option<Statement>>, WriteError> {
        if !self.statements.enabled() {
            return Ok(writes.iter().map(|_| None).collect());
        }
        let mut found: Vec<Option<Statement>> = writes.iter().map(|w| self.statements.get(&w.stmt.id)).collect();
        if found.iter().all(Option::is_some) {
            return Ok(found);
        }
        let mut missing: Vec<usize> = Vec::new();
        for (i, write) in writes.iter().enumerate() {
            if found[i].is_none() && !missing.iter().any(|m| writes[*m].stmt.id == write.stmt.id) {
                missing.push(i);
            }
        }
        let pending = self.take_pending(meter);
        meter.round_trip();
        self.take_off();
        let client = &self.client;
        let mut requests: Vec<Request<'_, Option<Statement>>> = Vec::with_capacity(missing.len() + 1);
        if let Some(before) = &pending {
            requests.push(Box::pin(async move { client.batch_execute(before).await.map(|()| None) }));
        }
        let ahead = requests.len();
        for index in &missing {
            meter.prepare();
            let stmt = &writes[*index].stmt;
            requests.push(Box::pin(async move {
                let types: Vec<Type> = stmt.params.iter().map(|p| type_of(*p)).collect();
                client.prepare_typed(&stmt.sql, &types).await.map(Some)
            }));
        }
        let answers = in_order(requests).await;
        self.flying = false;
        for (at, answer) in answers.into_iter().enumerate() {
            let index = at.checked_sub(ahead).map(|i| missing[i]);
            match (answer, index) {
                (Ok(Some(statement)), Some(index)) => {
                    let id = writes[index].stmt.id;
                    for (slot, write) in found.iter_mut().zip(writes) {
                        if write.stmt.id == id {
                            *slot = Some(statement.clone());
                        }
                    }
                    self.statements.insert(id, statement);
                }
                (Ok(_), _) => {}
                (Err(e), index) => {
                    let index = index.unwrap_or(0);
                    return Err(WriteError { index, row: None, error: self.failed(e), done: Vec::new() });
                }
            }
        }
        Ok(found)
    }
}

/// Why a statement did not run to its end.
enum Stop {
    Server(PgError),
    Caller(Error),
}

/// Hands the rows of a stream to a sink. A sink that fails ends nothing: the rest is read and dropped, so that
/// the connection is between two exchanges afterwards.
async fn drain(stream: RowStream, sink: &mut dyn RowSink) -> Result<u64, Stop> {
    let mut stream = pin!(stream);
    let mut refused = None;
    while let Some(row) = stream.try_next().await.map_err(Stop::Server)? {
        if refused.is_none()
            && let Err(e) = sink.row(Row(Source::Postgres(&row)))
        {
            refused = Some(e);
        }
    }
    match refused {
        Some(e) => Err(Stop::Caller(e)),
        None => Ok(stream.rows_affected().unwrap_or(0)),
    }
}

/// One write of a flush: all rows as arrays.
async fn send(client: &Client, write: &Write<'_>, statement: Option<&Statement>) -> Result<Written, PgError> {
    let count = write.stmt.params.len();
    let columns = (0..count).map(|param| Column { rows: write.rows, param });
    let stream = match statement {
        Some(statement) => client.query_raw(statement, columns).await?,
        None => {
            let types = write.stmt.params.iter().map(|p| type_of(*p));
            client.query_typed_raw(&write.stmt.sql, columns.zip(types)).await?
        }
    };
    let mut stream = pin!(stream);
    let mut written = Written::default();
    if let Returns::Columns(width) = write.returns {
        written.returned.reserve(write.rows.len() * width);
    }
    while let Some(row) = stream.try_next().await? {
        if let Returns::Columns(width) = write.returns {
            let values = Row(Source::Postgres(&row));
            for (column, info) in row.columns().iter().enumerate().take(width) {
                written.returned.push(decode::owned(&values, column, info.type_()));
            }
        }
    }
    written.affected = stream.rows_affected().unwrap_or(0);
    Ok(written)
}

fn count_of(message: &SimpleQueryMessage) -> Option<u64> {
    match message {
        SimpleQueryMessage::CommandComplete(count) => Some(*count),
        _ => None,
    }
}

#[cold]
fn wrong_count(wanted: usize, given: usize) -> Error {
    Error::Statement(format!("the statement has {wanted} placeholder(s) and got {given} value(s)"))
}

/// Takes rows that nobody wants.
struct Ignore;

impl RowSink for Ignore {
    fn row(&mut self, _: Row<'_>) -> Result<()> {
        Ok(())
    }

    fn restart(&mut self) {}
}
