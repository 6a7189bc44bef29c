//! The two ways in which revisions write the time, without a date library.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `20261122T0812`: the beginning of a revision's file name, in UTC.
pub fn file_stamp(at: SystemTime) -> String {
    let (year, month, day, hour, minute, _) = parts(at);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}")
}

/// `2026-11-22T08:12:00Z`
pub fn iso_stamp(at: SystemTime) -> String {
    let (year, month, day, hour, minute, second) = parts(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn parts(at: SystemTime) -> (i64, i64, i64, u64, u64, u64) {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = civil((seconds / 86_400) as i64);
    (year, month, day, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// The date of a day since 1970-01-01, by Howard Hinnant's algorithm: years begin in March, so that the leap
/// day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_calendar_dates() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(iso_stamp(at(0)), "1970-01-01T00:00:00Z");
        assert_eq!(iso_stamp(at(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(iso_stamp(at(1_795_335_120)), "2026-11-22T08:12:00Z");
        assert_eq!(file_stamp(at(1_795_335_120)), "20261122T0812");
    }
}
