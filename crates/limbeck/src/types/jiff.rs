//! Dates and times by the `jiff` crate.
//!
//! As with `chrono`, what is finer than a microsecond is cut when a default makes it or when it is bound, and the
//! object in memory gets the cut value. A `Timestamp` is a moment; the civil types are readings of a calendar and a
//! clock. A `Span` of months has no length; an interval is a `SignedDuration`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Cell, ColumnType, DecodeError, Element, Placeholder, Value, clock};
use crate::schema::SqlType;

impl ColumnType for Timestamp {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::DateTime { timezone: true };

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::DateTime(micros(*self))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        let micros = cell.datetime()?;
        Timestamp::from_microsecond(micros).map_err(|_| beyond("a moment", clock::format_datetime(micros)))
    }

    fn normalize(&mut self) {
        *self = Timestamp::from_microsecond(micros(*self)).unwrap_or(*self);
    }
}

/// The microsecond that a moment is in. That of `as_microsecond` lies towards 1970, and so after a moment before it.
fn micros(moment: Timestamp) -> i64 {
    moment.as_nanosecond().div_euclid(1000) as i64
}

impl Placeholder for Timestamp {
    fn placeholder() -> Self {
        Timestamp::UNIX_EPOCH
    }
}

impl ColumnType for DateTime {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::DateTime { timezone: false };

    #[inline]
    fn encode(&self) -> Value<'_> {
        let days = i64::from(days(self.date()));
        Value::Timestamp(days * clock::MICROS_PER_DAY + micros_of_day(self.time()))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        let micros = cell.timestamp()?;
        let date = date(micros.div_euclid(clock::MICROS_PER_DAY) as i32)?;
        Ok(date.to_datetime(time(micros.rem_euclid(clock::MICROS_PER_DAY))?))
    }

    fn normalize(&mut self) {
        let mut time = self.time();
        ColumnType::normalize(&mut time);
        *self = self.date().to_datetime(time);
    }
}

impl Placeholder for DateTime {
    fn placeholder() -> Self {
        TimeZone::UTC.to_datetime(Timestamp::UNIX_EPOCH)
    }
}

impl ColumnType for Date {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Date;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Date(days(*self))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        date(cell.date()?)
    }
}

impl Placeholder for Date {
    fn placeholder() -> Self {
        DateTime::placeholder().date()
    }
}

impl ColumnType for Time {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Time;

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::Time(micros_of_day(*self))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        time(cell.time()?)
    }

    fn normalize(&mut self) {
        *self = time(micros_of_day(*self)).unwrap_or(*self);
    }
}

impl Placeholder for Time {
    fn placeholder() -> Self {
        Time::midnight()
    }
}

impl ColumnType for SignedDuration {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Interval;

    #[inline]
    fn encode(&self) -> Value<'_> {
        clock::interval(i64::try_from(self.as_micros()).ok(), self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.interval().map(SignedDuration::from_micros)
    }

    fn normalize(&mut self) {
        if let Ok(micros) = i64::try_from(self.as_micros()) {
            *self = SignedDuration::from_micros(micros);
        }
    }
}

impl Placeholder for SignedDuration {
    fn placeholder() -> Self {
        SignedDuration::ZERO
    }
}

impl Element for Timestamp {}
impl Element for DateTime {}
impl Element for Date {}
impl Element for Time {}
impl Element for SignedDuration {}

fn days(date: Date) -> i32 {
    clock::days_from_civil(i32::from(date.year()), date.month() as u32, date.day() as u32)
}

fn date(days: i32) -> Result<Date, DecodeError> {
    let (year, month, day) = clock::civil_from_days(days);
    let date = i16::try_from(year).ok().and_then(|year| Date::new(year, month as i8, day as i8).ok());
    date.ok_or_else(|| beyond("a date", clock::format_date(days)))
}

fn micros_of_day(time: Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond() / 1000)
}

fn time(micros: i64) -> Result<Time, DecodeError> {
    let seconds = micros / 1_000_000;
    let nanos = (micros % 1_000_000 * 1000) as i32;
    Time::new((seconds / 3600) as i8, (seconds / 60 % 60) as i8, (seconds % 60) as i8, nanos)
        .map_err(|_| beyond("a time of day", clock::format_time(micros)))
}

#[cold]
fn beyond(expected: &'static str, found: String) -> DecodeError {
    DecodeError::new(expected, format!("{found}, which jiff cannot hold"))
}
