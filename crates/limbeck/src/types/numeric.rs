//! Exact decimal numbers, and their forms in the databases.
//!
//! PostgreSQL's binary `numeric` is exact in both directions. SQLite has no such type: what it keeps is an integer or
//! a 64-bit float, of which 15 significant digits come back as they were written. A number of more digits is refused
//! before it is sent, since SQLite would round it without a word.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::{Cell, DecodeError, Source, Value};

/// The most digits after the point.
const MAX_SCALE: u32 = 28;
/// The digits that a 64-bit float gives back.
#[cfg(feature = "sqlite")]
const FLOAT_DIGITS: u32 = 15;

/// An exact decimal number: a whole number of at most 96 bits, divided by a power of ten. `Decimal` of the crate
/// `rust_decimal` holds the same numbers.
///
/// ```
/// use limbeck::types::Numeric;
///
/// let price = Numeric::new(1950, 2).unwrap();
/// assert_eq!(price.to_string(), "19.50");
/// assert_eq!("19.50".parse(), Ok(price));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Numeric {
    low: u64,
    high: u32,
    scale: u8,
    negative: bool,
}

impl Numeric {
    /// The number `mantissa / 10^scale`. `None` where the mantissa has more than 96 bits, or the scale is above 28.
    pub const fn new(mantissa: i128, scale: u32) -> Option<Self> {
        let size = mantissa.unsigned_abs();
        if scale > MAX_SCALE || size >> 96 != 0 {
            return None;
        }
        Some(Numeric { low: size as u64, high: (size >> 64) as u32, scale: scale as u8, negative: mantissa < 0 })
    }

    /// The number without its point.
    pub const fn mantissa(&self) -> i128 {
        let size = ((self.high as i128) << 64) | self.low as i128;
        if self.negative { -size } else { size }
    }

    /// How many digits stand after the point.
    pub const fn scale(&self) -> u32 {
        self.scale as u32
    }

    /// The same number without zeros at the end of its fraction.
    pub const fn trimmed(&self) -> Self {
        let (mut mantissa, mut scale) = (self.mantissa(), self.scale());
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        match Numeric::new(mantissa, scale) {
            Some(trimmed) => trimmed,
            None => *self,
        }
    }

    /// How many digits it has, without zeros before the first or after the last that is none.
    pub fn significant_digits(&self) -> u32 {
        let mut mantissa = self.mantissa().unsigned_abs();
        while mantissa != 0 && mantissa.is_multiple_of(10) {
            mantissa /= 10;
        }
        mantissa.checked_ilog10().map_or(0, |digits| digits + 1)
    }

    /// How many digits stand before the point.
    pub fn whole_digits(&self) -> u32 {
        let whole = self.mantissa().unsigned_abs() / 10_u128.pow(self.scale());
        whole.checked_ilog10().map_or(0, |digits| digits + 1)
    }

    /// A whole number of ten-thousands: what PostgreSQL's binary form is made of.
    #[cfg(feature = "postgres")]
    pub(crate) fn write_postgres(&self, out: &mut bytes::BytesMut) {
        use bytes::BufMut;
        // The fraction is made of whole groups of four digits, so that the point lies between two.
        let padding = (4 - self.scale() % 4) % 4;
        let mut rest = self.mantissa().unsigned_abs() * 10_u128.pow(padding);
        let fraction_groups = (self.scale() + padding) / 4;
        let mut groups = Vec::with_capacity(8);
        while rest > 0 {
            groups.push((rest % 10_000) as i16);
            rest /= 10_000;
        }
        let weight = groups.len() as i16 - fraction_groups as i16 - 1;
        let zeros = groups.iter().take_while(|group| **group == 0).count();
        groups.drain(..zeros);
        out.put_i16(groups.len() as i16);
        out.put_i16(if groups.is_empty() { 0 } else { weight });
        out.put_u16(if self.negative { 0x4000 } else { 0 });
        out.put_i16(self.scale() as i16);
        for group in groups.iter().rev() {
            out.put_i16(*group);
        }
    }

    /// Reads PostgreSQL's binary form. An error says in words what the number is.
    #[cfg(feature = "postgres")]
    fn read_postgres(bytes: &[u8]) -> Result<Self, String> {
        let odd = || format!("a numeric of {} bytes", bytes.len());
        let long = || "a number that has more than 28 digits".to_string();
        let mut parts = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let mut next = || parts.next().ok_or_else(odd);
        let (count, weight, sign, scale) = (next()?, next()? as i16, next()?, next()?);
        match sign {
            0 | 0x4000 => {}
            0xD000 => return Err("Infinity".into()),
            0xF000 => return Err("-Infinity".into()),
            _ => return Err("NaN".into()),
        }
        // 96 bits are 29 digits: 8 groups, or 9 where the first and the last have a digit each.
        let mut mantissa: u128 = 0;
        for _ in 0..count {
            let group = u128::from(next()?);
            mantissa = mantissa.checked_mul(10_000).and_then(|m| m.checked_add(group)).ok_or_else(long)?;
        }
        // The digits behind the point that the groups have, which may be more or fewer than are meant.
        let have = (i32::from(count) - i32::from(weight) - 1) * 4;
        let number = Numeric::scaled(mantissa, have, i32::from(scale)).ok_or_else(long)?;
        Ok(Numeric { negative: sign != 0 && number.mantissa() != 0, ..number })
    }

    /// The number `mantissa / 10^have`, with `wanted` digits after the point where it can have them.
    fn scaled(mut mantissa: u128, mut have: i32, wanted: i32) -> Option<Self> {
        if mantissa == 0 {
            return Numeric::new(0, wanted.clamp(0, MAX_SCALE as i32) as u32);
        }
        while have < 0 {
            mantissa = mantissa.checked_mul(10)?;
            have += 1;
        }
        let too_large = |mantissa: u128| mantissa >> 96 != 0;
        while have > 0
            && mantissa.is_multiple_of(10)
            && (have > wanted || have > MAX_SCALE as i32 || too_large(mantissa))
        {
            mantissa /= 10;
            have -= 1;
        }
        while have < wanted.min(MAX_SCALE as i32) {
            match mantissa.checked_mul(10) {
                Some(longer) if !too_large(longer) => mantissa = longer,
                _ => break,
            }
            have += 1;
        }
        Numeric::new(i128::try_from(mantissa).ok()?, u32::try_from(have).ok()?)
    }

    /// The same number with that many digits after the point, or with more where it has more.
    pub(crate) fn at_scale(self, scale: u32) -> Self {
        let longer = || {
            let have = i32::try_from(self.scale()).ok()?;
            Numeric::scaled(self.mantissa().unsigned_abs(), have, i32::try_from(scale).ok()?)
        };
        longer().map_or(self, |number| Numeric { negative: self.negative && number.mantissa() != 0, ..number })
    }

    /// The number that a float stands for: its 15 significant digits.
    #[cfg(feature = "sqlite")]
    fn from_float(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        let digits = FLOAT_DIGITS as usize - 1;
        format!("{float:.digits$e}").parse().ok().map(|number: Numeric| number.trimmed())
    }

    /// As SQLite keeps it: an integer where it is one, else a float.
    #[cfg(feature = "sqlite")]
    pub(crate) fn to_sqlite(self) -> Option<Real> {
        let number = self.trimmed();
        if number.significant_digits() > FLOAT_DIGITS {
            return None;
        }
        match i64::try_from(number.mantissa()) {
            Ok(integer) if number.scale() == 0 => Some(Real::Integer(integer)),
            _ => number.to_string().parse().ok().map(Real::Float),
        }
    }

    /// Whether SQLite keeps it as it is.
    pub(crate) fn fits_sqlite(&self) -> bool {
        self.significant_digits() <= 15
    }
}

/// As numbers: 1.5 is 1.50.
impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        let parts = |number: Numeric| (number.mantissa(), number.scale());
        parts(self.trimmed()) == parts(other.trimmed())
    }
}

impl Eq for Numeric {}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Self) -> Ordering {
        // What stands before the point, then what stands behind it, in units of the smallest fraction there is.
        let parts = |number: &Numeric| {
            let (mantissa, unit) = (number.mantissa(), 10_i128.pow(number.scale()));
            (mantissa / unit, mantissa % unit * 10_i128.pow(MAX_SCALE - number.scale()))
        };
        parts(self).cmp(&parts(other))
    }
}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let number = self.trimmed();
        (number.mantissa(), number.scale()).hash(state);
    }
}

/// A number as SQLite keeps it.
#[cfg(feature = "sqlite")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Real {
    Integer(i64),
    Float(f64),
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.mantissa().unsigned_abs();
        let sign = if self.negative && size != 0 { "-" } else { "" };
        match self.scale() {
            0 => write!(f, "{sign}{size}"),
            scale => {
                let unit = 10_u128.pow(scale);
                write!(f, "{sign}{}.{:0width$}", size / unit, size % unit, width = scale as usize)
            }
        }
    }
}

impl std::str::FromStr for Numeric {
    type Err = DecodeError;

    /// Reads `-12.50`, or `1.25e-3`.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        parse(text).ok_or_else(|| DecodeError::new("a decimal number of at most 28 digits", format!("{text:?}")))
    }
}

fn parse(text: &str) -> Option<Numeric> {
    let text = text.trim();
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok().filter(|e| e.abs() < 1000)?),
        None => (text, 0),
    };
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut mantissa: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        mantissa = mantissa.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
    }
    let have = i32::try_from(fraction.len()).ok()? - exponent;
    let number = Numeric::scaled(mantissa, have, have.max(0))?;
    Some(Numeric { negative: negative && number.mantissa() != 0, ..number })
}

impl Cell<'_> {
    /// The cell as an exact decimal number.
    ///
    /// SQLite keeps such numbers as integers or floats: of a float the first 15 significant digits count, which are
    /// those that were written.
    ///
    /// # Errors
    /// When it holds no number, or one of more digits than a [`Numeric`] has.
    pub fn numeric(&self) -> Result<Numeric, DecodeError> {
        let expected = "a decimal number";
        let found = match self.0 {
            Source::Value(Value::Decimal(number)) => Some(*number),
            Source::Value(Value::I64(integer)) => Numeric::new(i128::from(*integer), 0),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::F64(float)) => Numeric::from_float(*float),
            Source::Value(Value::Text(text)) => parse(text),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Integer(integer)) => Numeric::new(i128::from(integer), 0),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Real(float)) => Numeric::from_float(float),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(text)) => std::str::from_utf8(text).ok().and_then(parse),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(bytes), oid: 1700 } => {
                return Numeric::read_postgres(bytes).map_err(|found| DecodeError::new(expected, found));
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { oid: 20 | 21 | 23, .. } => Numeric::new(i128::from(self.i64()?), 0),
            _ => None,
        };
        found.ok_or_else(|| DecodeError::new(expected, self.describe()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Numeric {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_read_and_written() {
        for text in
            ["0", "0.00", "1", "-1.50", "0.0001", "79228162514264337593543950335", "-0.0000000000000000000000000001"]
        {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1.25e-3").to_string(), "0.00125");
        assert_eq!(number("12e3").to_string(), "12000");
        assert_eq!(number("-0").to_string(), "0");
        for bad in
            ["", ".", "-", "1,5", "0x1", "NaN", "79228162514264337593543950336", "1e40", "1e-40", "1e99999999999"]
        {
            assert!(bad.parse::<Numeric>().is_err(), "{bad}");
        }
    }

    #[test]
    fn order_and_equality_are_those_of_numbers() {
        let mut numbers: Vec<Numeric> =
            ["2", "-0.5", "0.10", "79228162514264337593543950335", "-3", "0.1", "0"].map(number).into();
        numbers.sort();
        let text: Vec<String> = numbers.iter().map(Numeric::to_string).collect();
        assert_eq!(text, ["-3", "-0.5", "0", "0.10", "0.1", "2", "79228162514264337593543950335"]);
        assert_eq!(number("0.10"), number("0.1"));
        assert_ne!(number("0.10"), number("0.01"));
    }

    #[test]
    fn digits_are_counted() {
        let counts = |text: &str| (number(text).significant_digits(), number(text).whole_digits());
        assert_eq!(counts("0.00"), (0, 0));
        assert_eq!(counts("100"), (1, 3));
        assert_eq!(counts("0.0120"), (2, 0));
        assert_eq!(counts("-12.5"), (3, 2));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn what_postgresql_sends_and_no_decimal_holds_is_named() {
        let bytes = |parts: &[u16]| parts.iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(Numeric::read_postgres(&bytes(&[0, 0, 0xC000, 0])), Err("NaN".into()));
        assert_eq!(Numeric::read_postgres(&bytes(&[0, 0, 0xD000, 0])), Err("Infinity".into()));
        assert!(Numeric::read_postgres(&bytes(&[1, 10, 0, 0, 1])).unwrap_err().contains("28 digits"));
        assert!(Numeric::read_postgres(&bytes(&[2, 0, 0, 0, 1])).is_err());
    }

    proptest! {
        #[cfg(feature = "postgres")]
        #[test]
        fn postgresqls_form_comes_back(mantissa in -(1_i128 << 96) + 1..(1_i128 << 96), bits in 0..96_u32, scale in 0..29_u32) {
            let number = Numeric::new(mantissa >> bits, scale).unwrap();
            let mut out = bytes::BytesMut::new();
            number.write_postgres(&mut out);
            prop_assert_eq!(Numeric::read_postgres(&out), Ok(number));
        }

        #[cfg(feature = "sqlite")]
        #[test]
        fn fifteen_digits_come_back_from_a_float(mantissa in -999_999_999_999_999_i128..=999_999_999_999_999, scale in 0..29_u32) {
            let number = Numeric::new(mantissa, scale).unwrap();
            let back = match number.to_sqlite() {
                Some(Real::Integer(integer)) => Numeric::new(i128::from(integer), 0),
                Some(Real::Float(float)) => Numeric::from_float(float),
                None => None,
            };
            prop_assert_eq!(back, Some(number.trimmed()));
        }
    }
}
