//! Calendar arithmetic for SQLite's text form of dates and times, which no driver does for us.
//!
//! Days and civil dates convert by Howard Hinnant's algorithms (proleptic Gregorian, exact for every `i32`
//! of days). The text form is SQLAlchemy's: `YYYY-MM-DD HH:MM:SS.ffffff`.

#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
use super::Value;

pub(crate) const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A length of time as it is sent: `micros`, unless they are more than 64 bits hold.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
pub(super) fn interval(micros: Option<i64>, shown: &dyn std::fmt::Display) -> Value<'static> {
    match micros {
        Some(micros) => Value::Interval(micros),
        None => Value::Invalid(format!("{shown}, which is longer than 292 thousand years").into()),
    }
}

/// Days since 1970-01-01 of a civil date.
#[cfg(any(feature = "sqlite", feature = "chrono"))]
pub(crate) fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (i64::from(month) + 9) % 12;
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    (era * 146_097 + doe - 719_468) as i32
}

/// The civil date (year, month, day) of a day since 1970-01-01.
pub(crate) fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    ((yoe + era * 400 + i64::from(month <= 2)) as i32, month, day)
}

#[cfg(feature = "sqlite")]
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n.checked_mul(10)?.checked_add(u32::from(b - b'0')))?)
}

/// `YYYY-MM-DD` as days since 1970-01-01.
#[cfg(feature = "sqlite")]
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        rest => (1, rest),
    };
    let dash = text.iter().position(|b| *b == b'-')?;
    if dash < 4 || text.len() != dash + 6 || text[dash + 3] != b'-' {
        return None;
    }
    let year = sign * i32::try_from(digits(&text[..dash])?).ok()?;
    let month = digits(&text[dash + 1..dash + 3])?;
    let day = digits(&text[dash + 4..])?;
    if !(1..=12).contains(&month) || day == 0 || !(-5_000_000..=5_000_000).contains(&year) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    // 31 February would have rolled over into March.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// `HH:MM[:SS[.ffffff]]` as microseconds since midnight.
#[cfg(feature = "sqlite")]
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    if text.len() < 5 || text[2] != b':' {
        return None;
    }
    let hour = digits(&text[..2])?;
    let minute = digits(&text[3..5])?;
    let (second, fraction) = match &text[5..] {
        [] => (0, 0),
        [b':', s @ ..] if s.len() == 2 => (digits(s)?, 0),
        [b':', a, b, b'.', f @ ..] if (1..=9).contains(&f.len()) => {
            let seconds = digits(&[*a, *b])?;
            let kept = &f[..f.len().min(6)];
            digits(f)?;
            (seconds, digits(kept)? * 10u32.pow(6 - kept.len() as u32))
        }
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(hour * 3600 + minute * 60 + second) * 1_000_000 + i64::from(fraction))
}

/// `YYYY-MM-DD[ T]HH:MM:SS[.ffffff][Z|±HH:MM]` as microseconds since 1970-01-01, in UTC if a zone is given.
#[cfg(feature = "sqlite")]
pub(crate) fn parse_datetime(text: &[u8]) -> Option<i64> {
    parse_canonical(text).or_else(|| parse_any_datetime(text))
}

/// A date and time in its parts.
#[cfg(any(feature = "sqlite", feature = "chrono"))]
pub(crate) struct Civil {
    pub(crate) year: i32,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) micros: u32,
}

/// The parts of the form that is written here, `YYYY-MM-DD HH:MM:SS.ffffff`: nearly every row of nearly every
/// database. That they are digits is checked; that there is such a day and time is not.
#[cfg(feature = "sqlite")]
#[inline]
pub(crate) fn civil(text: &[u8]) -> Option<Civil> {
    let text: &[u8; 26] = text.try_into().ok()?;
    let mut bad = 0;
    let mut number = |from: usize, to: usize| {
        text[from..to].iter().fold(0u32, |n, b| {
            let digit = b.wrapping_sub(b'0');
            bad |= u8::from(digit > 9);
            n * 10 + u32::from(digit)
        })
    };
    let (year, month, day) = (number(0, 4) as i32, number(5, 7), number(8, 10));
    let (hour, minute, second, micros) = (number(11, 13), number(14, 16), number(17, 19), number(20, 26));
    let marks = [text[4], text[7], text[10], text[13], text[16], text[19]] == *b"-- ::.";
    (bad == 0 && marks).then_some(Civil { year, month, day, hour, minute, second, micros })
}

#[cfg(feature = "sqlite")]
fn parse_canonical(text: &[u8]) -> Option<i64> {
    let Civil { year, month, day, hour, minute, second, micros } = civil(text)?;
    let days_in_month = match month {
        2 => 28 + u32::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if day == 0 || day > days_in_month || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(days_from_civil(year, month, day));
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * 1_000_000 + i64::from(micros))
}

#[cfg(feature = "sqlite")]
fn parse_any_datetime(text: &[u8]) -> Option<i64> {
    let Some(split) = text.iter().position(|b| matches!(b, b' ' | b'T')) else {
        return i64::from(parse_date(text)?).checked_mul(MICROS_PER_DAY);
    };
    let days = parse_date(&text[..split])?;
    let rest = &text[split + 1..];
    let (time, offset_minutes) = match rest {
        [time @ .., b'Z'] => (time, 0),
        _ => match rest.iter().rposition(|b| matches!(b, b'+' | b'-')) {
            Some(at) => {
                let zone = &rest[at + 1..];
                let (hours, minutes) = match zone {
                    [a, b] => (digits(&[*a, *b])?, 0),
                    [a, b, b':', c, d] | [a, b, c, d] => (digits(&[*a, *b])?, digits(&[*c, *d])?),
                    _ => return None,
                };
                let minutes = i64::from(hours * 60 + minutes);
                (&rest[..at], if rest[at] == b'-' { -minutes } else { minutes })
            }
            None => (rest, 0),
        },
    };
    // The first day that 64 bits reach begins before they do.
    let micros = i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(parse_time(time)?);
    i64::try_from(micros - i128::from(offset_minutes * 60_000_000)).ok()
}

/// A date as SQLite's text.
pub(crate) fn format_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(days);
    if year < 0 { format!("-{:04}-{month:02}-{day:02}", -year) } else { format!("{year:04}-{month:02}-{day:02}") }
}

/// A time of day as SQLite's text.
pub(crate) fn format_time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, micros % 1_000_000)
}

/// A length of time, for people and for PostgreSQL: `-36:00:00.000000`.
pub(crate) fn format_interval(micros: i64) -> String {
    let (sign, size) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let seconds = size / 1_000_000;
    format!("{sign}{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, size % 1_000_000)
}

/// A date and time as SQLite's text.
pub(crate) fn format_datetime(micros: i64) -> String {
    if let Some(text) = canonical_datetime(micros) {
        return text.iter().copied().map(char::from).collect();
    }
    // Days of any i64 of microseconds fit an i32.
    let days = micros.div_euclid(MICROS_PER_DAY) as i32;
    format!("{} {}", format_date(days), format_time(micros.rem_euclid(MICROS_PER_DAY)))
}

/// The same for a year of four digits, as nearly every one is: without an allocation, since a flush binds the times of
/// many rows.
pub(crate) fn canonical_datetime(micros: i64) -> Option<[u8; 26]> {
    let days = micros.div_euclid(MICROS_PER_DAY) as i32;
    let rest = micros.rem_euclid(MICROS_PER_DAY);
    let (year, month, day) = civil_from_days(days);
    if !(0..=9999).contains(&year) {
        return None;
    }
    // By hand: a flush of many rows spends more on the formatting machinery than on the rows.
    let mut text = *b"0000-00-00 00:00:00.000000";
    let mut put = |at: usize, value: u32| {
        text[at] = b'0' + (value / 10) as u8;
        text[at + 1] = b'0' + (value % 10) as u8;
    };
    let (seconds, micros) = ((rest / 1_000_000) as u32, (rest % 1_000_000) as u32);
    put(0, year as u32 / 100);
    put(2, year as u32 % 100);
    put(5, month);
    put(8, day);
    put(11, seconds / 3600);
    put(14, seconds / 60 % 60);
    put(17, seconds % 60);
    put(20, micros / 10_000);
    put(22, micros / 100 % 100);
    put(24, micros % 100);
    Some(text)
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_nine_thousand_years_comes_back() {
        for days in days_from_civil(-1000, 1, 1)..days_from_civil(8000, 1, 1) {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
            assert_eq!(parse_date(format_date(days).as_bytes()), Some(days));
        }
    }

    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let mut micros = -62_167_219_200_000_000;
        while micros < 253_402_300_800_000_000 {
            let text = format_datetime(micros);
            assert_eq!(text.len(), 26);
            assert_eq!(parse_datetime(text.as_bytes()), Some(micros), "{text}");
            assert_eq!(parse_any_datetime(text.as_bytes()), Some(micros), "{text}");
            micros += 86_399_999_993_337;
        }
        for bad in ["2023-02-29 00:00:00.000000", "2023-01-01 24:00:00.000000", "2023-01-0x 00:00:00.000000"] {
            assert_eq!(parse_datetime(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn text_forms() {
        let micros = 1_700_000_000_123_456;
        assert_eq!(format_datetime(micros), "2023-11-14 22:13:20.123456");
        for text in [
            "2023-11-14 22:13:20.123456",
            "2023-11-14T22:13:20.123456Z",
            "2023-11-15T00:13:20.123456+02:00",
            "2023-11-14T17:13:20.123456-0500",
            "2023-11-14 22:13:20.123456789",
        ] {
            assert_eq!(parse_datetime(text.as_bytes()), Some(micros), "{text}");
        }
        assert_eq!(format_datetime(-1), "1969-12-31 23:59:59.999999");
        assert_eq!(parse_datetime(b"1969-12-31 23:59:59.999999"), Some(-1));
        for bad in ["", "2023", "2023-02-30", "2023-13-01", "2023-01-01 25:00:00", "2023-01-01 10:00:00.", "x"] {
            assert_eq!(parse_datetime(bad.as_bytes()), None, "{bad}");
        }
    }
}
