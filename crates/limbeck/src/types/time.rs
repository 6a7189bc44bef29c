//! Dates and times by the `chrono` crate.
//!
//! Databases keep microseconds. A value with nanoseconds (as `Utc::now()` makes) is cut when a default
//! makes it or when it is bound, and the object in memory gets the cut value: one of the two agree or the
//! next comparison would see a change that nobody made.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};

use super::{Cell, ColumnType, DecodeError, Placeholder, Value, clock};
use crate::schema::SqlType;

impl ColumnType for DateTime<Utc> {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::DateTime { timezone: true };

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::DateTime(self.timestamp_micros())
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        if let Some(time) = civil(&cell) {
            return Ok(time.and_utc());
        }
        let micros = cell.datetime()?;
        DateTime::from_timestamp_micros(micros).ok_or_else(|| out_of_range(micros))
    }

    fn normalize(&mut self) {
        if let Some(cut) = self.with_nanosecond(self.nanosecond() / 1000 * 1000) {
            *self = cut;
        }
    }
}

/// The short way from SQLite's text; `None` where the long way has to be taken, or to find what is wrong.
#[inline]
fn civil(cell: &Cell<'_>) -> Option<NaiveDateTime> {
    let clock::Civil { year, month, day, hour, minute, second, micros } = cell.civil()?;
    NaiveDate::from_ymd_opt(year, month, day)?.and_hms_micro_opt(hour, minute, second, micros)
}

impl Placeholder for DateTime<Utc> {
    fn placeholder() -> Self {
        DateTime::UNIX_EPOCH
    }
}

impl ColumnType for NaiveDateTime {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::DateTime { timezone: false };

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Timestamp(self.and_utc().timestamp_micros())
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        if let Some(time) = civil(&cell) {
            return Ok(time);
        }
        let micros = cell.timestamp()?;
        DateTime::from_timestamp_micros(micros).map(|t| t.naive_utc()).ok_or_else(|| out_of_range(micros))
    }

    fn normalize(&mut self) {
        if let Some(cut) = self.with_nanosecond(self.nanosecond() / 1000 * 1000) {
            *self = cut;
        }
    }
}

impl Placeholder for NaiveDateTime {
    fn placeholder() -> Self {
        DateTime::UNIX_EPOCH.naive_utc()
    }
}

impl ColumnType for NaiveDate {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Date;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Date(clock::days_from_civil(self.year(), self.month(), self.day()))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        let days = cell.date()?;
        let (year, month, day) = clock::civil_from_days(days);
        NaiveDate::from_ymd_opt(year, month, day)
            .ok_or_else(|| DecodeError::new("a date", format!("day {days} since 1970, which chrono cannot hold")))
    }
}

impl Placeholder for NaiveDate {
    fn placeholder() -> Self {
        DateTime::UNIX_EPOCH.date_naive()
    }
}

#[cold]
fn out_of_range(micros: i64) -> DecodeError {
    DecodeError::new("a date and time", format!("{micros} µs since 1970, which chrono cannot hold"))
}
