//! The types of dates and times of the crates that have them.

use super::number::{Minus, Plus};
use super::time::{Dated, Sort, Temporal, Timed};
use super::time_ops::{MINUS, PLUS};
use crate::sql::op::Op;

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
        #[diagnostic::do_not_recommend]
        impl Temporal for $ty {
            const SORT: Sort = Sort::$sort;
        }
    };
    (@dated $date:ty, $interval:ty, $($ty:ty)*) => {
        $(
            #[diagnostic::do_not_recommend]
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
