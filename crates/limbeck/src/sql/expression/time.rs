//! Dates and times: their parts, and arithmetic with lengths of time.
//!
//! PostgreSQL calculates with moments in the time zone of the connection; here everything is in UTC, as it is kept.
//! SQLite keeps text, and its functions know milliseconds: the microseconds are carried past them.

use super::core::{Expr, Expression};
use super::number::{Minus, Plus};
use super::operand::Operand;
use crate::sql::node::Node;
use crate::sql::op::{Level, Op, Spelling};
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

/// What every SQLite pattern takes of a time: without the fraction of its second, which would be rounded.
macro_rules! whole {
    ($n:literal) => {
        concat!("substr({", $n, "}, 1, 19)")
    };
}

/// The microseconds, on SQLite.
macro_rules! fraction {
    ($n:literal) => {
        concat!("CAST(substr({", $n, "} || '000000', 21, 6) AS INTEGER)")
    };
}

/// The ops of one part: of a date or local time, and of a moment.
macro_rules! part {
    ($plain:ident, $moment:ident, $name:literal, $field:literal, $sqlite:expr) => {
        static $plain: Op =
            Op::differing($name, Level::Atom, $sqlite, concat!("CAST(extract(", $field, " FROM {0}) AS int4)"));
        static $moment: Op = Op::differing(
            $name,
            // What stands before AT TIME ZONE has to be in parentheses.
            Level::Unary,
            $sqlite,
            concat!("CAST(extract(", $field, " FROM {0} AT TIME ZONE 'UTC') AS int4)"),
        );
    };
    ($plain:ident, $moment:ident, $name:literal, $field:literal, format $format:literal) => {
        part!($plain, $moment, $name, $field, concat!("CAST(strftime('", $format, "', ", whole!("0"), ") AS INTEGER)"));
    };
}

part!(YEAR, YEAR_UTC, "year", "year", format "%Y");
part!(
    QUARTER,
    QUARTER_UTC,
    "quarter",
    "quarter",
    concat!("((CAST(strftime('%m', ", whole!("0"), ") AS INTEGER) + 2) / 3)")
);
part!(MONTH, MONTH_UTC, "month", "month", format "%m");
part!(WEEK, WEEK_UTC, "week", "week", format "%V");
part!(DAY, DAY_UTC, "day", "day", format "%d");
part!(DOW, DOW_UTC, "day of week", "dow", format "%w");
part!(DOY, DOY_UTC, "day of year", "doy", format "%j");
part!(HOUR, HOUR_UTC, "hour", "hour", format "%H");
part!(MINUTE, MINUTE_UTC, "minute", "minute", format "%M");
static SECOND: Op = Op::differing(
    "second",
    Level::Atom,
    concat!("CAST(strftime('%S', ", whole!("0"), ") AS INTEGER)"),
    "CAST(floor(extract(second FROM {0})) AS int4)",
);

/// What a time of day has no part for, or a date.
const fn lacking(name: &'static str, why: &'static str) -> Op {
    Op { name, level: Level::Atom, sqlite: Spelling::Missing(why), postgres: Spelling::Missing(why) }
}

static NO_DAY: Op =
    lacking("a part of the day's date", "a time of day has none; its parts are hour, minute and second");
static NO_TIME: Op = lacking("a part of the time of day", "a date has none");
static NO_TRUNC: Op = lacking("`date_trunc` to such a part", "truncate to a year, a quarter, a month, a week, a day …");

fn extract(part: DatePart, sort: Sort) -> &'static Op {
    let clock = matches!(part, DatePart::Hour | DatePart::Minute | DatePart::Second);
    match sort {
        Sort::Time if !clock => return &NO_DAY,
        Sort::Date if clock => return &NO_TIME,
        _ => {}
    }
    let (plain, moment) = match part {
        DatePart::Year => (&YEAR, &YEAR_UTC),
        DatePart::Quarter => (&QUARTER, &QUARTER_UTC),
        DatePart::Month => (&MONTH, &MONTH_UTC),
        DatePart::Week => (&WEEK, &WEEK_UTC),
        DatePart::Day => (&DAY, &DAY_UTC),
        DatePart::DayOfWeek => (&DOW, &DOW_UTC),
        DatePart::DayOfYear => (&DOY, &DOY_UTC),
        DatePart::Hour => (&HOUR, &HOUR_UTC),
        DatePart::Minute => (&MINUTE, &MINUTE_UTC),
        // Zones are off by whole minutes.
        DatePart::Second => (&SECOND, &SECOND),
    };
    if sort == Sort::Moment { moment } else { plain }
}

/// The ops that cut to one part: a moment, a local time, a date.
macro_rules! trunc {
    ($moment:ident, $local:ident, $date:ident, $name:literal, $day:expr, $rest:expr) => {
        static $moment: Op = Op::differing(
            "date_trunc",
            Level::Atom,
            concat!($day, $rest),
            concat!("date_trunc('", $name, "', {0}, 'UTC')"),
        );
        static $local: Op =
            Op::differing("date_trunc", Level::Atom, concat!($day, $rest), concat!("date_trunc('", $name, "', {0})"));
        static $date: Op = Op::differing(
            "date_trunc",
            Level::Atom,
            $day,
            concat!("CAST(date_trunc('", $name, "', CAST({0} AS timestamp)) AS date)"),
        );
    };
    ($moment:ident, $local:ident, $name:literal, $format:literal) => {
        static $moment: Op = Op::differing(
            "date_trunc",
            Level::Atom,
            concat!("strftime('", $format, "', ", whole!("0"), ")"),
            concat!("date_trunc('", $name, "', {0}, 'UTC')"),
        );
        static $local: Op = Op::differing(
            "date_trunc",
            Level::Atom,
            concat!("strftime('", $format, "', ", whole!("0"), ")"),
            concat!("date_trunc('", $name, "', {0})"),
        );
    };
}

macro_rules! strf {
    ($format:literal) => {
        concat!("strftime('", $format, "', ", whole!("0"), ")")
    };
}

trunc!(TRUNC_YEAR, TRUNC_YEAR_LOCAL, TRUNC_YEAR_DATE, "year", strf!("%Y-01-01"), " || ' 00:00:00.000000'");
trunc!(
    TRUNC_QUARTER,
    TRUNC_QUARTER_LOCAL,
    TRUNC_QUARTER_DATE,
    "quarter",
    concat!(strf!("%Y-"), " || printf('%02d', (CAST(", strf!("%m"), " AS INTEGER) - 1) / 3 * 3 + 1) || '-01'"),
    " || ' 00:00:00.000000'"
);
trunc!(TRUNC_MONTH, TRUNC_MONTH_LOCAL, TRUNC_MONTH_DATE, "month", strf!("%Y-%m-01"), " || ' 00:00:00.000000'");
trunc!(
    TRUNC_WEEK,
    TRUNC_WEEK_LOCAL,
    TRUNC_WEEK_DATE,
    "week",
    concat!("date(", whole!("0"), ", 'weekday 0', '-6 days')"),
    " || ' 00:00:00.000000'"
);
trunc!(TRUNC_DAY, TRUNC_DAY_LOCAL, TRUNC_DAY_DATE, "day", strf!("%Y-%m-%d"), " || ' 00:00:00.000000'");
trunc!(TRUNC_HOUR, TRUNC_HOUR_LOCAL, "hour", "%Y-%m-%d %H:00:00.000000");
trunc!(TRUNC_MINUTE, TRUNC_MINUTE_LOCAL, "minute", "%Y-%m-%d %H:%M:00.000000");
trunc!(TRUNC_SECOND, TRUNC_SECOND_LOCAL, "second", "%Y-%m-%d %H:%M:%S.000000");

fn trunc(part: DatePart, sort: Sort) -> &'static Op {
    let (moment, local, date) = match part {
        DatePart::Year => (&TRUNC_YEAR, &TRUNC_YEAR_LOCAL, &TRUNC_YEAR_DATE),
        DatePart::Quarter => (&TRUNC_QUARTER, &TRUNC_QUARTER_LOCAL, &TRUNC_QUARTER_DATE),
        DatePart::Month => (&TRUNC_MONTH, &TRUNC_MONTH_LOCAL, &TRUNC_MONTH_DATE),
        DatePart::Week => (&TRUNC_WEEK, &TRUNC_WEEK_LOCAL, &TRUNC_WEEK_DATE),
        DatePart::Day => (&TRUNC_DAY, &TRUNC_DAY_LOCAL, &TRUNC_DAY_DATE),
        DatePart::Hour => (&TRUNC_HOUR, &TRUNC_HOUR_LOCAL, &NO_TIME),
        DatePart::Minute => (&TRUNC_MINUTE, &TRUNC_MINUTE_LOCAL, &NO_TIME),
        DatePart::Second => (&TRUNC_SECOND, &TRUNC_SECOND_LOCAL, &NO_TIME),
        DatePart::DayOfWeek | DatePart::DayOfYear => (&NO_TRUNC, &NO_TRUNC, &NO_TRUNC),
    };
    match sort {
        Sort::Moment => moment,
        Sort::Local | Sort::Time => local,
        Sort::Date => date,
    }
}

static DATE: Op = Op::differing("date", Level::Atom, concat!("date(", whole!("0"), ")"), "CAST({0} AS date)");
static DATE_UTC: Op =
    Op::differing("date", Level::Unary, concat!("date(", whole!("0"), ")"), "CAST({0} AT TIME ZONE 'UTC' AS date)");
static EPOCH: Op = Op::differing(
    "epoch",
    Level::Atom,
    concat!("unixepoch(", whole!("0"), ")"),
    "CAST(floor(extract(epoch FROM {0})) AS int8)",
);
static NOW: Op = Op::differing("now", Level::Atom, "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "now()");
static TODAY: Op = Op::differing("today", Level::Atom, "date('now')", "CAST(now() AT TIME ZONE 'UTC' AS date)");

// A length of time is kept by SQLite as SQLAlchemy does, as the moment so long after 1970 began.
static PLUS: Op = Op::differing(
    "time + interval",
    Level::Add,
    concat!(
        "strftime('%Y-%m-%d %H:%M:%S', unixepoch(",
        whole!("0"),
        ") + unixepoch(",
        whole!("1"),
        ") + (",
        fraction!("0"),
        " + ",
        fraction!("1"),
        ") / 1000000, 'unixepoch') || printf('.%06d', (",
        fraction!("0"),
        " + ",
        fraction!("1"),
        ") % 1000000)"
    ),
    "{0} + {1}",
);
static MINUS: Op = Op::differing(
    "time - interval",
    Level::Add,
    concat!(
        "strftime('%Y-%m-%d %H:%M:%S', unixepoch(",
        whole!("0"),
        ") - unixepoch(",
        whole!("1"),
        ") - 1 + (",
        fraction!("0"),
        " - ",
        fraction!("1"),
        " + 1000000) / 1000000, 'unixepoch') || printf('.%06d', (",
        fraction!("0"),
        " - ",
        fraction!("1"),
        " + 1000000) % 1000000)"
    ),
    "{0} - {1}",
);
static DAYS_BETWEEN: Op =
    Op::differing("days between", Level::Atom, "CAST(julianday({0}) - julianday({1}) AS INTEGER)", "({0} - {1})");

/// The ops that add days or months: to a moment, a local time, a date.
macro_rules! shift {
    ($moment:ident, $local:ident, $date:ident, $name:literal, $unit:literal, $floor:literal) => {
        static $moment: Op = Op::differing(
            $name,
            Level::Unary,
            shift!($unit, $floor),
            concat!("(({0} AT TIME ZONE 'UTC' + make_interval(", $unit, " => {1})) AT TIME ZONE 'UTC')"),
        );
        static $local: Op = Op::differing(
            $name,
            Level::Unary,
            shift!($unit, $floor),
            concat!("({0} + make_interval(", $unit, " => {1}))"),
        );
        static $date: Op = Op::differing(
            $name,
            Level::Unary,
            concat!("date({0}, {1} || ' ", $unit, "'", $floor, ")"),
            concat!("CAST({0} + make_interval(", $unit, " => {1}) AS date)"),
        );
    };
    ($unit:literal, $floor:literal) => {
        concat!(
            "(strftime('%Y-%m-%d %H:%M:%S', ",
            whole!("0"),
            ", {1} || ' ",
            $unit,
            "'",
            $floor,
            ") || printf('.%06d', ",
            fraction!("0"),
            "))"
        )
    };
}

shift!(ADD_DAYS, ADD_DAYS_LOCAL, ADD_DAYS_DATE, "add_days", "days", "");
shift!(ADD_MONTHS, ADD_MONTHS_LOCAL, ADD_MONTHS_DATE, "add_months", "months", ", 'floor'");

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

/// Makes the types of a crate known: a moment, a local time, a date, a time of day, a length of time.
macro_rules! family {
    ($moment:ty, $local:ty, $date:ty, $time:ty, $interval:ty) => {
        family!(@sort $moment, Moment);
        family!(@sort $local, Local);
        family!(@sort $date, Date);
        family!(@sort $time, Time);
        family!(@dated $date, $interval, $moment $local $date);
        impl Timed for $moment {}
        impl Timed for $local {}
        impl Timed for $time {}
        family!(@plus $moment, $interval, $moment);
        family!(@plus $local, $interval, $local);
        family!(@plus $date, $interval, $local);
        family!(@plus $interval, $interval, $interval);
    };
    (@sort $ty:ty, $sort:ident) => {
        impl Temporal for $ty {
            const SORT: Sort = Sort::$sort;
        }
    };
    (@dated $date:ty, $interval:ty, $($ty:ty)*) => {
        $(
            impl Dated for $ty {
                type Date = $date;
                type Interval = $interval;
            }
        )*
    };
    (@plus $ty:ty, $interval:ty, $output:ty) => {
        impl Plus for $ty {
            type Other = $interval;
            type Output = $output;
            const PLUS: &'static Op = &PLUS;
        }

        impl Minus for $ty {
            type Other = $interval;
            type Output = $output;
            const MINUS: &'static Op = &MINUS;
        }
    };
}

#[cfg(feature = "chrono")]
family!(chrono::DateTime<chrono::Utc>, chrono::NaiveDateTime, chrono::NaiveDate, chrono::NaiveTime, chrono::TimeDelta);
#[cfg(feature = "jiff")]
family!(jiff::Timestamp, jiff::civil::DateTime, jiff::civil::Date, jiff::civil::Time, jiff::SignedDuration);
#[cfg(feature = "time")]
family!(time::OffsetDateTime, time::PrimitiveDateTime, time::Date, time::Time, time::Duration);

/// The database's clock: on PostgreSQL the moment at which the transaction began, on SQLite that of the statement, in
/// milliseconds. [`now_as`] gives it as the type of another crate.
#[cfg(feature = "chrono")]
pub fn now() -> Expr<chrono::DateTime<chrono::Utc>> {
    now_as()
}

/// The database's clock, as any type of a moment: `now_as::<jiff::Timestamp>()`.
pub fn now_as<T: Dated + Timed>() -> Expr<T> {
    let now = Node::Op(&NOW, Vec::new());
    if T::SORT == Sort::Moment {
        return Expr::new(now);
    }
    Expr::op(&NOW_LOCAL, Vec::new())
}

static NOW_LOCAL: Op =
    Op::differing("now", Level::Atom, "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "(now() AT TIME ZONE 'UTC')");

/// The day in UTC by the database's clock.
#[cfg(feature = "chrono")]
pub fn today() -> Expr<chrono::NaiveDate> {
    today_as()
}

/// The day in UTC by the database's clock, as any type of a day: `today_as::<jiff::civil::Date>()`.
pub fn today_as<T: Dated<Date = T>>() -> Expr<T> {
    Expr::op(&TODAY, Vec::new())
}
