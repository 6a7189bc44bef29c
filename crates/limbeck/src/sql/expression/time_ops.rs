//! How the databases spell the parts of times and arithmetic with them.

use super::time::{DatePart, Sort};
use crate::sql::op::{Level, Op, Spelling};

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

pub(super) fn extract(part: DatePart, sort: Sort) -> &'static Op {
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

pub(super) fn trunc(part: DatePart, sort: Sort) -> &'static Op {
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

pub(super) static DATE: Op =
    Op::differing("date", Level::Atom, concat!("date(", whole!("0"), ")"), "CAST({0} AS date)");
pub(super) static DATE_UTC: Op =
    Op::differing("date", Level::Unary, concat!("date(", whole!("0"), ")"), "CAST({0} AT TIME ZONE 'UTC' AS date)");
pub(super) static EPOCH: Op = Op::differing(
    "epoch",
    Level::Atom,
    concat!("unixepoch(", whole!("0"), ")"),
    "CAST(floor(extract(epoch FROM {0})) AS int8)",
);
pub(super) static NOW: Op = Op::differing("now", Level::Atom, "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "now()");
pub(super) static TODAY: Op =
    Op::differing("today", Level::Atom, "date('now')", "CAST(now() AT TIME ZONE 'UTC' AS date)");

// A length of time is kept by SQLite as SQLAlchemy does, as the moment so long after 1970 began.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
pub(super) static PLUS: Op = Op::differing(
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
pub(super) static MINUS: Op = Op::differing(
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
pub(super) static DAYS_BETWEEN: Op =
    Op::differing("days between", Level::Atom, "CAST(julianday({0}) - julianday({1}) AS INTEGER)", "({0} - {1})");

/// The ops that add days or months: to a moment, a local time, a date.
macro_rules! shift {
    ($moment:ident, $local:ident, $date:ident, $name:literal, $unit:literal, $floor:literal) => {
        pub(super) static $moment: Op = Op::differing(
            $name,
            Level::Unary,
            shift!($unit, $floor),
            concat!("(({0} AT TIME ZONE 'UTC' + make_interval(", $unit, " => {1})) AT TIME ZONE 'UTC')"),
        );
        pub(super) static $local: Op = Op::differing(
            $name,
            Level::Unary,
            shift!($unit, $floor),
            concat!("({0} + make_interval(", $unit, " => {1}))"),
        );
        pub(super) static $date: Op = Op::differing(
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

pub(super) static NOW_LOCAL: Op =
    Op::differing("now", Level::Atom, "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "(now() AT TIME ZONE 'UTC')");
