//! Showing statements while they run: `echo` and tracing's events.

use std::fmt::Write as _;
use std::time::Instant;

use super::options::Options;
use crate::driver::{Bind, Row, RowSink, RowSource};
use crate::error::{Error, Result};
use crate::types::Value;

/// How many characters of one parameter are shown, and how many parameters of a list.
const SHOWN: usize = 120;
const SHOWN_LIST: usize = 10;
/// How many rows of a batch.
const SHOWN_ROWS: usize = 3;

/// The clock of one statement. There is none when nobody looks, and then nothing is counted or formatted.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn now() -> Self {
        Clock(Instant::now())
    }
}

/// Starts the clock of a statement, if anybody looks.
#[inline]
pub(super) fn start(options: &Options) -> Option<Clock> {
    let looked_at = options.echo.is_some() || tracing::enabled!(target: "limbeck::sql", tracing::Level::DEBUG);
    looked_at.then(|| Clock(Instant::now()))
}

/// Shows a statement that has run.
pub(super) fn show(
    options: &Options,
    clock: Clock,
    sql: &str,
    parameters: &dyn Fn(&mut String),
    rows: u64,
    error: Option<&Error>,
) {
    let elapsed = clock.0.elapsed();
    let mut shown = String::new();
    if !options.hide_parameters {
        parameters(&mut shown);
    }
    if let Some(echo) = &options.echo {
        let mut line = format!("{:8.3} ms {rows:>6} rows  ", elapsed.as_secs_f64() * 1e3);
        // One line a statement, whatever its own line breaks.
        for (i, part) in sql.split_whitespace().enumerate() {
            if i > 0 {
                line.push(' ');
            }
            line.push_str(part);
        }
        if !shown.is_empty() {
            line.push_str("  ");
            line.push_str(&shown);
        }
        if let Some(error) = error {
            let text = error.to_string();
            let _ = write!(line, "  FAILED: {}", text.lines().next().unwrap_or_default());
        }
        echo(&line);
    }
    tracing::debug!(
        target: "limbeck::sql",
        sql,
        parameters = shown,
        rows,
        micros = elapsed.as_micros() as u64,
        error = error.map(|e| e.to_string()),
    );
}

/// `[1, "ada", NULL]`
pub(super) fn binds(params: &[Bind<'_>], out: &mut String) {
    if params.is_empty() {
        return;
    }
    out.push('[');
    for (i, param) in params.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        match param {
            Bind::One(v) => value(v, out),
            Bind::Many(list) => {
                out.push('[');
                for (i, v) in list.iter().take(SHOWN_LIST).enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    value(v, out);
                }
                if list.len() > SHOWN_LIST {
                    let _ = write!(out, ", … {} in all", list.len());
                }
                out.push(']');
            }
        }
    }
    out.push(']');
}

/// The parameters of a batch, row by row: `(1, "ada"), (2, "bob"), … 100 rows`.
pub(super) fn rows(source: &dyn RowSource, params: usize, out: &mut String) {
    for row in 0..source.len().min(SHOWN_ROWS) {
        out.push_str(if row > 0 { ", (" } else { "(" });
        for param in 0..params {
            if param > 0 {
                out.push_str(", ");
            }
            value(&source.value(row, param), out);
        }
        out.push(')');
    }
    if source.len() > SHOWN_ROWS {
        let _ = write!(out, ", … {} rows", source.len());
    }
}

/// A value as a person reads it.
pub(super) fn value(value: &Value<'_>, out: &mut String) {
    // Writing to a String does not fail.
    let _ = match value {
        Value::Null => out.write_str("NULL"),
        Value::Bool(v) => write!(out, "{v}"),
        Value::I16(v) => write!(out, "{v}"),
        Value::I32(v) => write!(out, "{v}"),
        Value::I64(v) => write!(out, "{v}"),
        Value::F32(v) => write!(out, "{v:?}"),
        Value::F64(v) => write!(out, "{v:?}"),
        Value::Text(v) | Value::Json(v) => match v.char_indices().nth(SHOWN) {
            Some((at, _)) => write!(out, "{:?}…", &v[..at]),
            None => write!(out, "{v:?}"),
        },
        Value::Bytes(v) => write!(out, "<{} bytes>", v.len()),
        Value::DateTime(v) | Value::Timestamp(v) => out.write_str(&crate::types::clock::format_datetime(*v)),
        Value::Date(v) => out.write_str(&crate::types::clock::format_date(*v)),
        Value::Time(v) => out.write_str(&crate::types::clock::format_time(*v)),
        Value::Interval(v) => out.write_str(&crate::types::clock::format_interval(*v)),
        Value::Decimal(v) => write!(out, "{v}"),
        Value::Uuid(v) => out.write_str(&crate::types::hyphenated(v)),
        Value::Invalid(reason) => write!(out, "<{reason}>"),
        Value::Array(list) => {
            out.push('[');
            for (i, element) in list.iter().take(SHOWN_LIST).enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                self::value(element, out);
            }
            out.write_str(if list.len() > SHOWN_LIST { ", …]" } else { "]" })
        }
    };
}

/// Counts rows on their way to another sink.
pub(super) struct Counted<'s> {
    pub(super) sink: &'s mut dyn RowSink,
    pub(super) rows: u64,
}

impl RowSink for Counted<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        self.rows += 1;
        self.sink.row(row)
    }

    fn restart(&mut self) {
        self.rows = 0;
        self.sink.restart();
    }
}
