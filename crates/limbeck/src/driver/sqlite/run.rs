//! Running statements on SQLite: inline while they are short, on a blocking thread when they are not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{CachedStatement, Connection, StatementStatus};

use super::bind::{Binds, BoundAny, bind};
use super::transaction::{Patience, lost};
use super::{Sqlite, Tx, error, lock};
use crate::driver::row::RowSource as Source;
use crate::driver::{Access, Begin, Bind, Meter, Returns, Row, RowSink, Stmt, Write, WriteError, Written};
use crate::error::{Error, Result};
use crate::types::Value;

/// How many rows of a batch are written before other tasks of the thread get a turn.
const TURN: usize = 256;

/// How many long statements a connection remembers.
const LONG_KEPT: usize = 64;

/// A statement on a thread of its own that takes no longer than this might as well run inline.
const SHORT: Duration = Duration::from_millis(5);

/// Why a statement did not run to its end.
enum Stop {
    Database(rusqlite::Error),
    Caller(Error),
    /// It writes, and the transaction is one for reading.
    NeedsWrite,
    /// It exceeded its budget.
    TooLong,
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Stop::Database(error)
    }
}

impl Sqlite {
    pub(crate) async fn query(
        &mut self,
        meter: &mut Meter,
        stmt: &Arc<Stmt>,
        params: &[Bind<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        self.writable(meter, stmt).await?;
        self.rows(meter, &stmt.sql, Binds { values: params, params: &stmt.params }, sink).await
    }

    /// Makes a transaction for reading one for writing, if the statement writes.
    async fn writable(&mut self, meter: &mut Meter, stmt: &Stmt) -> Result<()> {
        if self.tx == Tx::Read && stmt.access == Access::Writes {
            return Box::pin(self.begin(meter, Begin::Write)).await;
        }
        Ok(())
    }

    pub(crate) async fn query_raw(
        &mut self,
        meter: &mut Meter,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        self.unknown_settings |= sets_something(sql);
        let params: Vec<Bind<'_>> = params.iter().map(|v| Bind::One(v.borrowed())).collect();
        self.rows(meter, sql, Binds { values: &params, params: &[] }, sink).await?;
        self.follow();
        Ok(())
    }

    pub(crate) async fn execute(&mut self, meter: &mut Meter, stmt: &Arc<Stmt>, params: &[Bind<'_>]) -> Result<u64> {
        self.ready().await?;
        self.writable(meter, stmt).await?;
        let before = lock(&self.db).total_changes();
        self.rows(meter, &stmt.sql, Binds { values: params, params: &stmt.params }, &mut Ignore).await?;
        Ok(affected(&lock(&self.db), before))
    }

    pub(crate) async fn execute_raw(&mut self, meter: &mut Meter, sql: &str) -> Result<u64> {
        self.ready().await?;
        if self.tx == Tx::Read {
            self.begin(meter, Begin::Write).await?;
        }
        if self.tx == Tx::Lost {
            return Err(lost());
        }
        meter.statement();
        meter.round_trip();
        self.unknown_settings |= sets_something(sql);
        let text: Arc<str> = sql.into();
        let mut patience = Patience::new(self.busy_timeout);
        loop {
            let text = Arc::clone(&text);
            // An index over a large table takes minutes, and a migration does not mind a thread hop.
            let outcome = self
                .on_thread(move |db| {
                    let before = db.total_changes();
                    let mut stmt = db.prepare(&text)?;
                    let mut rows = stmt.raw_query();
                    while rows.next()?.is_some() {}
                    drop(rows);
                    Ok(affected(db, before))
                })
                .await?;
            match outcome {
                Ok(count) => {
                    self.follow();
                    return Ok(count);
                }
                Err(e) if error::is_busy(&e) && patience.lasts() => {}
                Err(e) => return Err(self.failed(e)),
            }
            patience.pause().await;
        }
    }

    pub(crate) async fn ping(&mut self, _: &mut Meter) -> Result<()> {
        // No network lies between; a file that was removed or damaged is for the next statement to find.
        Ok(())
    }

    /// Raw SQL may have begun or ended a transaction: SQLite says.
    fn follow(&mut self) {
        let open = !lock(&self.db).is_autocommit();
        match self.tx {
            Tx::None if open => self.tx = Tx::Write,
            Tx::Write if !open => self.tx = Tx::None,
            Tx::Read if !open && !self.memory => self.tx = Tx::None,
            _ => {}
        }
    }

    async fn rows(&mut self, meter: &mut Meter, sql: &str, params: Binds<'_>, sink: &mut dyn RowSink) -> Result<()> {
        self.ready().await?;
        if self.tx == Tx::Lost {
            return Err(lost());
        }
        meter.statement();
        meter.round_trip();
        if !self.long.is_empty() && self.long.contains(sql) {
            return Box::pin(self.rows_on_thread(sql, params, sink)).await;
        }
        let mut patience = Patience::new(self.busy_timeout);
        loop {
            match self.rows_inline(meter, sql, params, sink) {
                Ok(()) => return Ok(()),
                Err(Stop::TooLong) => {
                    sink.restart();
                    if self.long.len() >= LONG_KEPT {
                        self.long.clear();
                    }
                    self.long.insert(sql.into());
                    return Box::pin(self.rows_on_thread(sql, params, sink)).await;
                }
                Err(Stop::NeedsWrite) => Box::pin(self.begin(meter, Begin::Write)).await?,
                Err(Stop::Caller(e)) => return Err(e),
                Err(Stop::Database(e)) if error::is_busy(&e) && patience.lasts() => {
                    sink.restart();
                    patience.pause().await;
                }
                Err(Stop::Database(e)) => return Err(self.failed(e)),
            }
        }
    }

    fn rows_inline(&self, meter: &mut Meter, sql: &str, params: Binds<'_>, sink: &mut dyn RowSink) -> Result<(), Stop> {
        let db = lock(&self.db);
        let mut stmt = prepared(&db, meter, sql)?;
        let reads = stmt.readonly();
        if !reads && self.tx == Tx::Read {
            return Err(Stop::NeedsWrite);
        }
        bind_all(&mut stmt, params.iter()).map_err(|e| match e {
            Some(e) => Stop::Database(e),
            None => Stop::Caller(wrong_count(&stmt, params.len())),
        })?;
        if reads {
            self.watch.arm();
        }
        let mut rows = stmt.raw_query();
        let outcome = loop {
            match rows.next() {
                Ok(Some(row)) => {
                    if let Err(e) = sink.row(Row(Source::Sqlite(row))) {
                        break Err(Stop::Caller(e));
                    }
                }
                Ok(None) => break Ok(()),
                Err(e) if reads && error::is_interrupted(&e) => break Err(Stop::TooLong),
                Err(e) => break Err(Stop::Database(e)),
            }
        };
        if reads {
            self.watch.relax();
        }
        outcome
    }

    /// Runs a query on a thread that may block, and brings its rows back.
    #[cold]
    async fn rows_on_thread(&mut self, sql: &str, params: Binds<'_>, sink: &mut dyn RowSink) -> Result<()> {
        let text: Arc<str> = sql.into();
        let params: Arc<[Owned]> =
            params.iter().map(|bind| owned(&bind)).collect::<rusqlite::Result<_>>().map_err(error::convert)?;
        let mut patience = Patience::new(self.busy_timeout);
        let (Buffered { rows, names }, took) = loop {
            let (text, params) = (Arc::clone(&text), Arc::clone(&params));
            let outcome = self.on_thread(move |db| {
                let begun = Instant::now();
                buffered(db, &text, &params).map(|rows| (rows, begun.elapsed()))
            });
            match outcome.await? {
                Ok(done) => break done,
                Err(e) if error::is_busy(&e) && patience.lasts() => {}
                Err(e) => return Err(self.failed(e)),
            }
            patience.pause().await;
        };
        if took < SHORT {
            self.long.remove(sql);
        }
        for (i, row) in rows.iter().enumerate() {
            sink.row(Row(Source::SqliteBuffer(row, &names)))?;
            if i % TURN == TURN - 1 {
                tokio::task::coop::consume_budget().await;
            }
        }
        Ok(())
    }

    pub(crate) async fn write(&mut self, meter: &mut Meter, writes: &[Write<'_>]) -> Result<Vec<Written>, WriteError> {
        self.ready().await?;
        let mut out = Vec::with_capacity(writes.len());
        for (index, write) in writes.iter().enumerate() {
            let before_rows = |error| WriteError { index, row: None, error, done: Vec::new() };
            if self.tx == Tx::Read {
                self.begin(meter, Begin::Write).await.map_err(before_rows)?;
            }
            if self.tx == Tx::Lost {
                return Err(before_rows(lost()));
            }
            meter.statement();
            meter.round_trip();
            let mut written = Written::default();
            if let Returns::RowId | Returns::Columns(_) = write.returns {
                let width = if let Returns::Columns(n) = write.returns { n } else { 1 };
                written.returned.reserve(write.rows.len() * width);
            }
            let mut row = 0;
            let mut patience = Patience::new(self.busy_timeout);
            while row < write.rows.len() {
                if row > 0 {
                    tokio::task::yield_now().await;
                }
                let end = write.rows.len().min(row + TURN);
                match self.write_inline(meter, write, &mut row, end, &mut written) {
                    Ok(()) => {}
                    // Outside a transaction, where each row takes the lock by itself.
                    Err(Stop::Database(e)) if error::is_busy(&e) && patience.lasts() => patience.pause().await,
                    Err(Stop::Database(e)) => {
                        let error = self.failed(e).with_sql(&write.stmt.sql);
                        return Err(WriteError { index, row: Some(row), error, done: out });
                    }
                    Err(Stop::Caller(error)) => return Err(WriteError { index, row: Some(row), error, done: out }),
                    Err(Stop::NeedsWrite | Stop::TooLong) => return Err(before_rows(lost())),
                }
            }
            out.push(written);
        }
        Ok(out)
    }

    /// Steps the statement for the rows from `row` to `end`; `row` is the next one to do.
    fn write_inline(
        &self,
        meter: &mut Meter,
        write: &Write<'_>,
        row: &mut usize,
        end: usize,
        out: &mut Written,
    ) -> Result<(), Stop> {
        let db = lock(&self.db);
        let mut stmt = prepared(&db, meter, &write.stmt.sql)?;
        let params = stmt.parameter_count();
        if params != write.stmt.params.len() {
            return Err(Stop::Caller(wrong_count(&stmt, write.stmt.params.len())));
        }
        while *row < end {
            for param in 0..params {
                let value = write.rows.value(*row, param);
                bind(&mut stmt, param + 1, &value, write.stmt.params[param])?;
            }
            match write.returns {
                Returns::Count => {
                    let affected = stmt.raw_execute()? as u64;
                    out.affected += affected;
                    if affected == 0 {
                        out.missed.push(*row);
                    }
                }
                Returns::RowId => {
                    out.affected += stmt.raw_execute()? as u64;
                    out.returned.push(Value::I64(db.last_insert_rowid()));
                }
                Returns::Columns(width) => {
                    let start = out.returned.len();
                    let mut rows = stmt.raw_query();
                    let outcome = loop {
                        match rows.next() {
                            Ok(Some(found)) => {
                                for column in 0..width {
                                    out.returned.push(returned(found.get_ref(column)?));
                                }
                                out.affected += 1;
                            }
                            Ok(None) => break Ok(()),
                            Err(e) => break Err(e),
                        }
                    };
                    if let Err(e) = outcome {
                        out.returned.truncate(start);
                        return Err(e.into());
                    }
                    if out.returned.len() == start {
                        out.missed.push(*row);
                    }
                }
            }
            *row += 1;
        }
        Ok(())
    }
}

fn prepared<'c>(db: &'c Connection, meter: &mut Meter, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    let stmt = db.prepare_cached(sql)?;
    if stmt.get_status(StatementStatus::Run) == 0 {
        meter.prepare();
    }
    Ok(stmt)
}

/// Binds all parameters. `None` is the error of a wrong number of them, which SQLite would take as NULLs.
fn bind_all<T: ToSql>(
    stmt: &mut CachedStatement<'_>,
    params: impl ExactSizeIterator<Item = T>,
) -> Result<(), Option<rusqlite::Error>> {
    if stmt.parameter_count() != params.len() {
        return Err(None);
    }
    for (i, param) in params.enumerate() {
        stmt.raw_bind_parameter(i + 1, param).map_err(Some)?;
    }
    Ok(())
}

#[cold]
fn wrong_count(stmt: &CachedStatement<'_>, given: usize) -> Error {
    Error::Statement(format!(
        "the statement has {} placeholder(s) and got {given} value(s)\n  in: {}",
        stmt.parameter_count(),
        stmt.expanded_sql().unwrap_or_default()
    ))
}

/// Whether raw SQL may change a setting of the connection, which the next user must not inherit: a PRAGMA, also
/// behind a comment.
fn sets_something(sql: &str) -> bool {
    let sql = sql.trim_start().as_bytes();
    sql.starts_with(b"-") || sql.starts_with(b"/") || sql.get(..6).is_some_and(|w| w.eq_ignore_ascii_case(b"pragma"))
}

/// How many rows the last statement affected; `before` is the total before it. DDL affects none, and
/// SQLite would then repeat the number of the statement before.
fn affected(db: &Connection, before: u64) -> u64 {
    if db.total_changes() == before { 0 } else { db.changes() }
}

/// The rows of a query, copied.
/// A result that another thread read.
struct Buffered {
    names: Vec<String>,
    rows: Vec<Vec<Owned>>,
}

fn buffered(db: &Connection, sql: &str, params: &[Owned]) -> rusqlite::Result<Buffered> {
    let mut stmt = db.prepare_cached(sql)?;
    if stmt.parameter_count() != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), stmt.parameter_count()));
    }
    for (i, param) in params.iter().enumerate() {
        stmt.raw_bind_parameter(i + 1, param)?;
    }
    let width = stmt.column_count();
    let names = stmt.column_names().map(str::to_owned).collect();
    let mut rows = stmt.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(width);
        for column in 0..width {
            values.push(copied(row.get_ref(column)?)?);
        }
        out.push(values);
    }
    Ok(Buffered { names, rows: out })
}

pub(super) fn owned(bind: &BoundAny<'_>) -> rusqlite::Result<Owned> {
    match bind.to_sql()? {
        ToSqlOutput::Owned(value) => Ok(value),
        ToSqlOutput::Borrowed(value) => copied(value),
        _ => Ok(Owned::Null),
    }
}

pub(super) fn copied(value: ValueRef<'_>) -> rusqlite::Result<Owned> {
    Ok(match value {
        ValueRef::Null => Owned::Null,
        ValueRef::Integer(v) => Owned::Integer(v),
        ValueRef::Real(v) => Owned::Real(v),
        ValueRef::Text(v) => Owned::Text(std::str::from_utf8(v).map_err(|e| rusqlite::Error::Utf8Error(0, e))?.into()),
        ValueRef::Blob(v) => Owned::Blob(v.into()),
    })
}

/// What RETURNING gave. Text that is not UTF-8 stays what it is, bytes: whoever reads it says what is wrong.
fn returned(value: ValueRef<'_>) -> Value<'static> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::I64(v),
        ValueRef::Real(v) => Value::F64(v),
        ValueRef::Text(v) => match std::str::from_utf8(v) {
            Ok(text) => Value::Text(text.to_string().into()),
            Err(_) => Value::Bytes(v.to_vec().into()),
        },
        ValueRef::Blob(v) => Value::Bytes(v.to_vec().into()),
    }
}

/// Takes rows that nobody wants.
struct Ignore;

impl RowSink for Ignore {
    fn row(&mut self, _: Row<'_>) -> Result<()> {
        Ok(())
    }

    fn restart(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Settings, Target};
    use super::*;
    use crate::driver::SharedStats;

    struct Count(usize);

    impl RowSink for Count {
        fn row(&mut self, _: Row<'_>) -> Result<()> {
            self.0 += 1;
            Ok(())
        }

        fn restart(&mut self) {
            self.0 = 0;
        }
    }

    #[tokio::test]
    async fn a_statement_that_was_long_runs_on_a_thread_at_once_until_it_is_short() {
        let target = Target::parse(":memory:").unwrap();
        let settings = Settings { target, statement_cache: 10, busy_timeout: Duration::ZERO };
        let mut db = Sqlite::connect(&settings).await.unwrap();
        let mut meter = Meter::new(Arc::new(SharedStats::default()));
        let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) \
                   SELECT x FROM n WHERE x < 4";
        for (rows, long) in [(10, false), (3_000_000, true), (3_000_000, true), (10, false), (10, false)] {
            let mut sink = Count(0);
            db.query_raw(&mut meter, sql, &[Value::I64(rows)], &mut sink).await.unwrap();
            assert_eq!(sink.0, 3);
            assert_eq!(db.long.contains(sql), long, "after {rows} rows");
        }
    }
}
