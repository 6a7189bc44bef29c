//! Dates and times by the `chrono` crate.
//!
//! Databases keep microseconds. A value with nanoseconds (as `Utc::now()` makes) is cut when a default
//! makes it or when it is bound, and the object in memory gets the cut value: one of the two agree or the
//! next comparison would see a change that nobody made.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

use super::{Cell, ColumnType, DecodeError, Element, Placeholder, Value, clock};
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
        // A leap second, of which no database knows, is the first of the next minute.
        let nanos = self.timestamp_subsec_nanos();
        if !nanos.is_multiple_of(1000) || nanos >= 1_000_000_000 {
            *self = DateTime::from_timestamp_micros(self.timestamp_micros()).unwrap_or(*self);
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
        let mut moment = self.and_utc();
        ColumnType::normalize(&mut moment);
        *self = moment.naive_utc();
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

impl ColumnType for NaiveTime {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Time;

    #[inline]
    fn encode(&self) -> Value<'_> {
        let micros = self.nanosecond() / 1000;
        if micros >= 1_000_000 {
            return Value::Invalid("a leap second, which no database keeps".into());
        }
        Value::Time(i64::from(self.num_seconds_from_midnight()) * 1_000_000 + i64::from(micros))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        let micros = cell.time()?;
        let (seconds, rest) = ((micros / 1_000_000) as u32, (micros % 1_000_000) as u32);
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest * 1000)
            .ok_or_else(|| DecodeError::new("a time of day", clock::format_time(micros)))
    }

    fn normalize(&mut self) {
        if let Some(cut) = self.with_nanosecond(self.nanosecond() / 1000 * 1000) {
            *self = cut;
        }
    }
}

impl Placeholder for NaiveTime {
    fn placeholder() -> Self {
        NaiveTime::MIN
    }
}

/// A length of time. A month has none, so PostgreSQL's intervals of months cannot be read.
impl ColumnType for TimeDelta {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Interval;

    #[inline]
    fn encode(&self) -> Value<'_> {
        clock::interval(self.num_microseconds(), self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.interval().map(TimeDelta::microseconds)
    }

    fn normalize(&mut self) {
        if let Some(micros) = self.num_microseconds() {
            *self = TimeDelta::microseconds(micros);
        }
    }
}

impl Placeholder for TimeDelta {
    fn placeholder() -> Self {
        TimeDelta::zero()
    }
}

impl Element for DateTime<Utc> {}
impl Element for NaiveDateTime {}
impl Element for NaiveDate {}
impl Element for NaiveTime {}
impl Element for TimeDelta {}

#[cold]
fn out_of_range(micros: i64) -> DecodeError {
    DecodeError::new("a date and time", format!("{micros} µs since 1970, which chrono cannot hold"))
}
