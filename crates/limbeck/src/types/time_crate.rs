//! Dates and times by the `time` crate.
//!
//! As with `chrono`, what is finer than a microsecond is cut when a default makes it or when it is bound, and the
//! object in memory gets the cut value. An `OffsetDateTime` is a moment: databases keep the moment and not the offset,
//! so it comes back in UTC.

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::{Cell, ColumnType, DecodeError, Element, Placeholder, Value, clock};
use crate::schema::SqlType;

impl ColumnType for OffsetDateTime {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::DateTime { timezone: true };

    #[inline]
    fn encode(&self) -> Value<'_> {
        Value::DateTime(self.unix_timestamp() * 1_000_000 + i64::from(self.microsecond()))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        date_time(cell.datetime()?).map(PrimitiveDateTime::assume_utc)
    }

    fn normalize(&mut self) {
        let utc = self.to_offset(UtcOffset::UTC);
        *self = utc.replace_nanosecond(utc.nanosecond() / 1000 * 1000).unwrap_or(utc);
    }
}

impl Placeholder for OffsetDateTime {
    fn placeholder() -> Self {
        OffsetDateTime::UNIX_EPOCH
    }
}

impl ColumnType for PrimitiveDateTime {
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
        date_time(cell.timestamp()?)
    }

    fn normalize(&mut self) {
        *self = self.replace_nanosecond(self.nanosecond() / 1000 * 1000).unwrap_or(*self);
    }
}

impl Placeholder for PrimitiveDateTime {
    fn placeholder() -> Self {
        PrimitiveDateTime::new(Date::placeholder(), Time::MIDNIGHT)
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
        OffsetDateTime::UNIX_EPOCH.date()
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
        Time::MIDNIGHT
    }
}

impl ColumnType for Duration {
    type Base = Self;
    type Null<T: ColumnType> = T;
    const SQL_TYPE: SqlType = SqlType::Interval;

    #[inline]
    fn encode(&self) -> Value<'_> {
        clock::interval(i64::try_from(self.whole_microseconds()).ok(), self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.interval().map(Duration::microseconds)
    }

    fn normalize(&mut self) {
        if let Ok(micros) = i64::try_from(self.whole_microseconds()) {
            *self = Duration::microseconds(micros);
        }
    }
}

impl Placeholder for Duration {
    fn placeholder() -> Self {
        Duration::ZERO
    }
}

impl Element for OffsetDateTime {}
impl Element for PrimitiveDateTime {}
impl Element for Date {}
impl Element for Time {}
impl Element for Duration {}

fn days(date: Date) -> i32 {
    clock::days_from_civil(date.year(), u32::from(u8::from(date.month())), u32::from(date.day()))
}

fn date(days: i32) -> Result<Date, DecodeError> {
    let (year, month, day) = clock::civil_from_days(days);
    let month = Month::try_from(month as u8);
    let date = month.ok().and_then(|month| Date::from_calendar_date(year, month, day as u8).ok());
    date.ok_or_else(|| beyond("a date", clock::format_date(days)))
}

fn date_time(micros: i64) -> Result<PrimitiveDateTime, DecodeError> {
    let date = date(micros.div_euclid(clock::MICROS_PER_DAY) as i32)?;
    Ok(PrimitiveDateTime::new(date, time(micros.rem_euclid(clock::MICROS_PER_DAY))?))
}

fn micros_of_day(time: Time) -> i64 {
    let (hour, minute, second, micros) = time.as_hms_micro();
    (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000 + i64::from(micros)
}

fn time(micros: i64) -> Result<Time, DecodeError> {
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = ((seconds / 3600) as u8, (seconds / 60 % 60) as u8, (seconds % 60) as u8);
    Time::from_hms_micro(hour, minute, second, (micros % 1_000_000) as u32)
        .map_err(|_| beyond("a time of day", clock::format_time(micros)))
}

#[cold]
fn beyond(expected: &'static str, found: String) -> DecodeError {
    DecodeError::new(expected, format!("{found}, which the `time` crate cannot hold"))
}
