//! Rows as text, so that answers can be compared whatever their types.

use limbeck::prelude::*;

/// A value or a row in words.
pub trait Shown {
    fn shown(&self) -> String;
}

/// SQLite counts money in floats, whose last digits depend on the order of a sum: 12 digits are compared.
impl Shown for Decimal {
    fn shown(&self) -> String {
        self.round_sf(12).unwrap_or(*self).normalize().to_string()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or("NULL".to_owned(), Shown::shown)
    }
}

macro_rules! displayed {
    ($($name:ty),+) => {
        $(impl Shown for $name {
            fn shown(&self) -> String {
                self.to_string()
            }
        })+
    };
}

displayed!(i32, i64, String, NaiveDate);

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<$($name: Shown),+> Shown for ($($name,)+) {
            fn shown(&self) -> String {
                [$(self.$index.shown()),+].join(" | ")
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);

/// A short text that differs where the lines differ.
pub fn fingerprint<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let bytes = lines.flat_map(|line| line.bytes().chain(*b"\n"));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{:08x}", hash >> 32)
}
