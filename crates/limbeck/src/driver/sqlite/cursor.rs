//! Queries whose rows are taken some at a time: a thread that may block steps the statement, a little ahead of who
//! reads.
//!
//! The connection is that thread's until the last row was taken, or until the connection is used for something else:
//! then the thread is told to stop, as a job whose future was dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::types::Value as Owned;
use tokio::sync::mpsc;

use super::bind::Binds;
use super::run::{copied, owned};
use super::transaction::{Patience, lost};
use super::{Sqlite, Tx, error, lock};
use crate::driver::cursor::AT_ONCE;
use crate::driver::row::RowSource as Source;
use crate::driver::{Bind, Meter, Row, RowSink, Stmt};
use crate::error::Result;

/// How many chunks lie ready.
const AHEAD: usize = 1;

/// The rows of an open query.
pub(crate) struct Chunks {
    receiver: mpsc::Receiver<rusqlite::Result<Chunk>>,
    /// One that was taken to see whether the query runs at all.
    first: Option<Chunk>,
}

#[derive(Default)]
struct Chunk {
    names: Arc<Vec<String>>,
    rows: Vec<Vec<Owned>>,
}

impl Sqlite {
    pub(crate) async fn open_cursor(&mut self, meter: &mut Meter, stmt: &Stmt, params: &[Bind<'_>]) -> Result<Chunks> {
        self.ready().await?;
        if self.tx == Tx::Lost {
            return Err(lost());
        }
        meter.statement();
        meter.round_trip();
        let sql: Arc<str> = (*stmt.sql).into();
        let params = Binds { values: params, params: &stmt.params };
        let params: Arc<[Owned]> =
            params.iter().map(|bind| owned(&bind)).collect::<rusqlite::Result<_>>().map_err(error::convert)?;
        let mut patience = Patience::new(self.busy_timeout);
        loop {
            let (sender, mut receiver) = mpsc::channel(AHEAD);
            let abandoned = Arc::new(AtomicBool::new(false));
            let (db, given_up) = (Arc::clone(&self.db), Arc::clone(&abandoned));
            let (sql, params) = (Arc::clone(&sql), Arc::clone(&params));
            self.flying = Some(abandoned);
            tokio::task::spawn_blocking(move || {
                let outcome = {
                    let db = lock(&db);
                    if given_up.load(Ordering::Acquire) { Ok(()) } else { step(&db, &sql, &params, &sender) }
                };
                if let Err(error) = outcome {
                    // Nobody may be there to hear it.
                    let _ = sender.blocking_send(Err(error));
                }
            });
            match receiver.recv().await {
                Some(Ok(chunk)) => return Ok(Chunks { receiver, first: Some(chunk) }),
                None => {
                    self.flying = None;
                    return Ok(Chunks { receiver, first: None });
                }
                Some(Err(error)) => {
                    self.flying = None;
                    if !error::is_busy(&error) || !patience.lasts() {
                        return Err(self.failed(error));
                    }
                }
            }
            patience.pause().await;
        }
    }

    pub(crate) async fn fetch_cursor(&mut self, chunks: &mut Chunks, sink: &mut dyn RowSink) -> Result<bool> {
        let next = match chunks.first.take() {
            Some(chunk) => Some(Ok(chunk)),
            None => chunks.receiver.recv().await,
        };
        match next {
            Some(Ok(Chunk { names, rows })) => {
                rows.iter().try_for_each(|row| sink.row(Row(Source::SqliteBuffer(row, &names))))?;
                Ok(true)
            }
            Some(Err(error)) => {
                self.flying = None;
                Err(self.failed(error))
            }
            None => {
                self.flying = None;
                Ok(false)
            }
        }
    }
}

/// Runs a statement and sends its rows, until there are no more or nobody takes them.
fn step(
    db: &rusqlite::Connection,
    sql: &str,
    params: &[Owned],
    sender: &mpsc::Sender<rusqlite::Result<Chunk>>,
) -> rusqlite::Result<()> {
    let mut stmt = db.prepare_cached(sql)?;
    if stmt.parameter_count() != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), stmt.parameter_count()));
    }
    for (index, param) in params.iter().enumerate() {
        stmt.raw_bind_parameter(index + 1, param)?;
    }
    let width = stmt.column_count();
    let names: Arc<Vec<String>> = Arc::new(stmt.column_names().into_iter().map(str::to_owned).collect());
    let mut rows = stmt.raw_query();
    let mut chunk = Vec::with_capacity(AT_ONCE);
    while let Some(row) = rows.next()? {
        chunk.push((0..width).map(|column| copied(row.get_ref(column)?)).collect::<rusqlite::Result<Vec<Owned>>>()?);
        if chunk.len() == AT_ONCE {
            let rows = std::mem::replace(&mut chunk, Vec::with_capacity(AT_ONCE));
            if sender.blocking_send(Ok(Chunk { names: Arc::clone(&names), rows })).is_err() {
                return Ok(());
            }
        }
    }
    if !chunk.is_empty() {
        let _ = sender.blocking_send(Ok(Chunk { names, rows: chunk }));
    }
    Ok(())
}
