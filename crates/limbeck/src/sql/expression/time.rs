//! Dates and times: their parts, and arithmetic with lengths of time.
//!
//! PostgreSQL calculates with moments in the time zone of the connection; here everything is in UTC, as it is kept.
//! SQLite keeps text, and its functions know milliseconds: the microseconds are carried past them.

use super::core::{Expr, Expression};
use super::operand::Operand;
use super::time_ops::{
    ADD_DAYS, ADD_DAYS_DATE, ADD_DAYS_LOCAL, ADD_MONTHS, ADD_MONTHS_DATE, ADD_MONTHS_LOCAL, DATE, DATE_UTC,
    DAYS_BETWEEN, EPOCH, MINUS, NOW, NOW_LOCAL, TODAY, extract, trunc,
};
use crate::types::ColumnType;

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePart {
    /// The year.
    Year,
    /// The quarter of the year, from 1.
    Quarter,
    /// The month, from 1.
    Month,
    /// The week of ISO 8601, which begins on Monday; the first is the one with the year's first Thursday.
    Week,
    /// The day of the month, from 1.
    Day,
    /// The day of the week: 0 is Sunday.
    DayOfWeek,
    /// The day of the year, from 1.
    DayOfYear,
    /// The hour, from 0.
    Hour,
    /// The minute, from 0.
    Minute,
    /// The second, from 0, without its fraction.
    Second,
}

/// How a type keeps time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Sort {
    /// A moment, in UTC.
    Moment,
    /// A date and time of no zone.
    Local,
    /// A date.
    Date,
    /// A time of day.
    Time,
}

/// A type of dates or times: with the feature `chrono`, `DateTime<Utc>`, `NaiveDateTime`, `NaiveDate` and `NaiveTime`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a date or time",
    label = "expected a column or an expression of such a type"
)]
pub trait Temporal: ColumnType {
    /// How it keeps time.
    #[doc(hidden)]
    const SORT: Sort;
}

/// A type that knows the day: all dates and times but a time of day.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know the day",
    label = "expected a column or an expression that is a date, or a date and time"
)]
pub trait Dated: Temporal {
    /// A day.
    type Date: ColumnType;
    /// A length of time.
    type Interval: ColumnType;
}

/// A type that knows the time of day: all dates and times but a date.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know the time of day",
    label = "expected a column or an expression that is a time, or a date and time"
)]
pub trait Timed: Temporal {}

/// What a function of a time gives: `T`, and NULL where the time may be.
type Same<E, T> = Expr<<<E as Expression>::Type as ColumnType>::Null<T>>;
type Base<E> = <<E as Expression>::Type as ColumnType>::Base;

/// Parts of dates and times, and arithmetic with them. All is in UTC.
///
/// The operators `+` and `-` take a length of time: `Post.created_at + TimeDelta::hours(1)`. A date with a length of
/// time is a date and time.
pub trait TimeExpression: Expression {
    /// A part of it as an integer. A part that the type has not is an error when the statement is built.
    ///
    /// PostgreSQL: `extract`, SQLite: `strftime`.
    fn extract(self, part: DatePart) -> Same<Self, i32>
    where
        Base<Self>: Temporal,
    {
        Expr::op(extract(part, Base::<Self>::SORT), vec![self.into_node()])
    }

    /// The year.
    fn year(self) -> Same<Self, i32>
    where
        Base<Self>: Dated,
    {
        self.extract(DatePart::Year)
    }

    /// The month, from 1.
    fn month(self) -> Same<Self, i32>
    where
        Base<Self>: Dated,
    {
        self.extract(DatePart::Month)
    }

    /// The day of the month, from 1.
    fn day(self) -> Same<Self, i32>
    where
        Base<Self>: Dated,
    {
        self.extract(DatePart::Day)
    }

    /// The hour, from 0.
    fn hour(self) -> Same<Self, i32>
    where
        Base<Self>: Timed,
    {
        self.extract(DatePart::Hour)
    }

    /// The minute, from 0.
    fn minute(self) -> Same<Self, i32>
    where
        Base<Self>: Timed,
    {
        self.extract(DatePart::Minute)
    }

    /// The second, from 0, without its fraction.
    fn second(self) -> Same<Self, i32>
    where
        Base<Self>: Timed,
    {
        self.extract(DatePart::Second)
    }

    /// The day.
    fn date(self) -> Same<Self, <Base<Self> as Dated>::Date>
    where
        Base<Self>: Dated,
    {
        let op = if Base::<Self>::SORT == Sort::Moment { &DATE_UTC } else { &DATE };
        Expr::op(op, vec![self.into_node()])
    }

    /// The beginning of the year, month, day … that it is in. Weeks begin on Monday.
    fn date_trunc(self, part: DatePart) -> Expr<Self::Type>
    where
        Base<Self>: Dated,
    {
        Expr::op(trunc(part, Base::<Self>::SORT), vec![self.into_node()])
    }

    /// The seconds since 1970 began, without their fraction.
    fn epoch(self) -> Same<Self, i64>
    where
        Base<Self>: Dated,
    {
        Expr::op(&EPOCH, vec![self.into_node()])
    }

    /// So many days later, or earlier where the number is negative.
    fn add_days<V: Operand<i32>>(self, days: V) -> Same<Self, V::Null<Base<Self>>>
    where
        Base<Self>: Dated,
    {
        let op = match Base::<Self>::SORT {
            Sort::Moment => &ADD_DAYS,
            Sort::Local | Sort::Time => &ADD_DAYS_LOCAL,
            Sort::Date => &ADD_DAYS_DATE,
        };
        Expr::op(op, vec![self.into_node(), days.into_operand()])
    }

    /// So many months later, or earlier where the number is negative; on the last day of the month where it has no such
    /// day: a month after 31 January is the end of February.
    fn add_months<V: Operand<i32>>(self, months: V) -> Same<Self, V::Null<Base<Self>>>
    where
        Base<Self>: Dated,
    {
        let op = match Base::<Self>::SORT {
            Sort::Moment => &ADD_MONTHS,
            Sort::Local | Sort::Time => &ADD_MONTHS_LOCAL,
            Sort::Date => &ADD_MONTHS_DATE,
        };
        Expr::op(op, vec![self.into_node(), months.into_operand()])
    }

    /// How long after another time this is, negative where it is before: of two moments, or two local times.
    fn since<V: Operand<Base<Self>>>(self, earlier: V) -> Same<Self, V::Null<<Base<Self> as Dated>::Interval>>
    where
        Base<Self>: Dated + Timed,
    {
        Expr::op(&MINUS, vec![self.into_node(), earlier.into_operand()])
    }

    /// How many days after another date this is, negative where it is before.
    fn days_since<V: Operand<Base<Self>>>(self, earlier: V) -> Same<Self, V::Null<i32>>
    where
        Base<Self>: Dated<Date = Base<Self>>,
    {
        Expr::op(&DAYS_BETWEEN, vec![self.into_node(), earlier.into_operand()])
    }
}

impl<E: Expression> TimeExpression for E {}

/// The database's clock: on PostgreSQL the moment at which the transaction began, on SQLite that of the statement, in
/// milliseconds. [`now_as`] gives it as the type of another crate.
#[cfg(feature = "chrono")]
pub fn now() -> Expr<chrono::DateTime<chrono::Utc>> {
    now_as()
}

/// The database's clock, as any type of a moment: `now_as::<jiff::Timestamp>()`.
pub fn now_as<T: Dated + Timed>() -> Expr<T> {
    let op = if T::SORT == Sort::Moment { &NOW } else { &NOW_LOCAL };
    Expr::op(op, Vec::new())
}

/// The day in UTC by the database's clock.
#[cfg(feature = "chrono")]
pub fn today() -> Expr<chrono::NaiveDate> {
    today_as()
}

/// The day in UTC by the database's clock, as any type of a day: `today_as::<jiff::civil::Date>()`.
pub fn today_as<T: Dated<Date = T>>() -> Expr<T> {
    Expr::op(&TODAY, Vec::new())
}
