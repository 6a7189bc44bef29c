//! Values on their way from the database: one column of one row, still in the driver's bytes.

use std::borrow::Cow;

use super::{DecodeError, Kind, Value};

/// One column of one row, not yet decoded.
///
/// A [`ColumnType`](super::ColumnType) asks it for what it needs ([`Cell::i64`], [`Cell::text`], …);
/// which database it came from is this type's business alone.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'r>(pub(crate) Source<'r>);

/// Where a cell's bytes lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'r> {
    /// A value that was decoded before: buffered rows, and keys copied from one object to another.
    Value(&'r Value<'r>),
    #[cfg(feature = "sqlite")]
    Sqlite(rusqlite::types::ValueRef<'r>),
    /// PostgreSQL's binary format.
    ///
    /// The oid is 64 bits wide so that nothing lies between the tag and the other variants' pointers: with 32 bits
    /// there a cell was copied from an odd offset, right over what had just been stored, and the processor's wait for
    /// that was a fifth of the time of a read from SQLite.
    #[cfg(feature = "postgres")]
    Postgres { bytes: Option<&'r [u8]>, oid: u64 },
}

type Result<T> = std::result::Result<T, DecodeError>;

/// Microseconds between 1970-01-01, where [`Value`] counts from, and 2000-01-01, where PostgreSQL does.
#[cfg(feature = "postgres")]
pub(crate) const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The same, in days.
#[cfg(feature = "postgres")]
pub(crate) const POSTGRES_EPOCH_DAYS: i32 = 10_957;

impl<'r> Cell<'r> {
    /// A cell over a value that is already decoded.
    pub fn from_value(value: &'r Value<'r>) -> Self {
        Cell(Source::Value(value))
    }

    /// Whether the column is NULL.
    #[inline]
    pub fn is_null(&self) -> bool {
        match self.0 {
            Source::Value(v) => v.is_null(),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(v) => matches!(v, rusqlite::types::ValueRef::Null),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes, .. } => bytes.is_none(),
        }
    }

    /// What this cell holds, in words, for an error message.
    #[cold]
    pub fn describe(&self) -> String {
        match self.0 {
            Source::Value(Value::Null) => "NULL".into(),
            Source::Value(Value::Text(text)) => format!("the text {:?}", shortened(text)),
            Source::Value(v) => shortened(&format!("{v:?}")),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(v) => {
                use rusqlite::types::ValueRef;
                match v {
                    ValueRef::Null => "NULL".into(),
                    ValueRef::Integer(i) => format!("the integer {i}"),
                    ValueRef::Real(r) => format!("the real number {r}"),
                    ValueRef::Text(t) => format!("the text {:?}", shortened(&String::from_utf8_lossy(t))),
                    ValueRef::Blob(b) => format!("a blob of {} bytes", b.len()),
                }
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: None, .. } => "NULL".into(),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid } => {
                use tokio_postgres::types::Type;
                match u32::try_from(oid).ok().and_then(Type::from_oid) {
                    // Only what cannot fail is asked for here: a cell that fails is described.
                    Some(Type::TEXT | Type::VARCHAR) => {
                        format!("the text {:?}", shortened(&String::from_utf8_lossy(b)))
                    }
                    Some(Type::INT8) if b.len() == 8 => format!("the integer {}", i64::from_be_bytes(array(b))),
                    Some(Type::INT4) if b.len() == 4 => format!("the integer {}", i32::from_be_bytes(array(b))),
                    Some(Type::NUMERIC) if self.numeric().is_ok() => match self.numeric() {
                        Ok(number) => format!("the number {number}"),
                        Err(error) => error.found,
                    },
                    Some(Type::UUID) if b.len() == 16 => format!("the UUID {}", hyphenated(&array(b))),
                    Some(Type::JSON | Type::JSONB) => match self.json() {
                        Ok(text) => format!("the JSON {}", shortened(&text)),
                        Err(error) => error.found,
                    },
                    Some(Type::FLOAT8) if b.len() == 8 => format!("the float {}", f64::from_be_bytes(array(b))),
                    Some(ty) => format!("a {} of {} bytes", ty.name(), b.len()),
                    None if oid >= 16384 && std::str::from_utf8(b).is_ok() => {
                        format!("the text {:?}", shortened(&String::from_utf8_lossy(b)))
                    }
                    None => format!("a value of the type with oid {oid}"),
                }
            }
        }
    }

    #[cold]
    fn not<T>(&self, expected: &'static str) -> Result<T> {
        Err(DecodeError::new(expected, self.describe()))
    }

    /// The cell as an integer, whatever width the database keeps it in.
    #[inline]
    pub fn i64(&self) -> Result<i64> {
        match self.0 {
            Source::Value(Value::I64(v)) => Ok(*v),
            Source::Value(Value::I32(v)) => Ok(i64::from(*v)),
            Source::Value(Value::I16(v)) => Ok(i64::from(*v)),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Integer(v)) => Ok(v),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 20 | 21 | 23 | 26 } => match b.len() {
                8 => Ok(i64::from_be_bytes(array(b))),
                4 if matches!(self.0, Source::Postgres { oid: 26, .. }) => Ok(i64::from(u32::from_be_bytes(array(b)))),
                4 => Ok(i64::from(i32::from_be_bytes(array(b)))),
                2 => Ok(i64::from(i16::from_be_bytes(array(b)))),
                _ => self.not("an integer"),
            },
            _ => self.not("an integer"),
        }
    }

    /// The number of a column that has a scale, where it came from SQLite, which keeps 1.5 of 1.50.
    pub(crate) fn scaled(&self, scale: u32) -> Option<Value<'static>> {
        let is_number = match self.0 {
            // Of RETURNING.
            Source::Value(value) => matches!(value, Value::I64(_) | Value::F64(_)),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(_) => !self.is_null(),
            #[cfg(feature = "postgres")]
            Source::Postgres { .. } => false,
        };
        // What is no number means what the type says, and so is left.
        let number = if is_number { self.numeric().ok() } else { None };
        number.map(|number| Value::Decimal(number.at_scale(scale)))
    }

    /// The cell as a float. An integer is one too.
    #[inline]
    pub fn f64(&self) -> Result<f64> {
        match self.0 {
            Source::Value(Value::F64(v)) => Ok(*v),
            Source::Value(Value::F32(v)) => Ok(f64::from(*v)),
            // What SQLite's RETURNING gave of a whole number.
            Source::Value(Value::I64(v)) if *v as f64 as i64 == *v => Ok(*v as f64),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Real(v)) => Ok(v),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Integer(v)) => {
                let float = v as f64;
                // An integer beyond 2^53 has no exact float: refused rather than changed.
                if float as i64 == v { Ok(float) } else { self.not("a float") }
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 700 } if b.len() == 4 => {
                Ok(f64::from(f32::from_be_bytes(array(b))))
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 701 } if b.len() == 8 => Ok(f64::from_be_bytes(array(b))),
            _ => self.not("a float"),
        }
    }

    /// The cell as a boolean; SQLite keeps 0 and 1.
    #[inline]
    pub fn bool(&self) -> Result<bool> {
        match self.0 {
            Source::Value(Value::Bool(v)) => Ok(*v),
            // What SQLite's RETURNING gave.
            Source::Value(Value::I64(v @ (0 | 1))) => Ok(*v == 1),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Integer(v @ (0 | 1))) => Ok(v == 1),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some([b]), oid: 16 } => Ok(*b != 0),
            _ => self.not("a boolean"),
        }
    }

    /// The cell as text.
    #[inline]
    pub fn text(&self) -> Result<&'r str> {
        match self.0 {
            Source::Value(Value::Text(v)) => Ok(v),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(b)) => {
                std::str::from_utf8(b).map_err(|_| DecodeError::new("text", "text that is not UTF-8"))
            }
            // text, varchar, bpchar, name, "char", unknown, and types of extensions that travel as text
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 25 | 1043 | 1042 | 19 | 18 | 705 | 16384.. } => {
                std::str::from_utf8(b).map_err(|_| DecodeError::new("text", "text that is not UTF-8"))
            }
            _ => self.not("text"),
        }
    }

    /// The cell as bytes.
    #[inline]
    pub fn bytes(&self) -> Result<&'r [u8]> {
        match self.0 {
            Source::Value(Value::Bytes(v)) => Ok(v),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Blob(b)) => Ok(b),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 17 } => Ok(b),
            _ => self.not("bytes"),
        }
    }

    /// The cell as a moment: microseconds since 1970-01-01T00:00:00Z.
    ///
    /// On SQLite it is text as SQLAlchemy writes it (`YYYY-MM-DD HH:MM:SS.ffffff`, in UTC); ISO 8601 with
    /// a `T`, a zone, or fewer digits is read as well.
    #[inline]
    pub fn datetime(&self) -> Result<i64> {
        match self.0 {
            Source::Value(Value::DateTime(v)) => Ok(*v),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(v)) => {
                super::clock::parse_datetime(v.as_bytes()).map_or_else(|| self.not("a date and time"), Ok)
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(b)) => {
                super::clock::parse_datetime(b).map_or_else(|| self.not("a date and time"), Ok)
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 1184 } if b.len() == 8 => self.postgres_micros(b),
            _ => self.not("a date and time with zone"),
        }
    }

    /// The parts of a date and time that is kept as text in the usual form, which spares their way through a number;
    /// not checked to be a day and time that there is. `None` says nothing: ask for the number then.
    #[cfg(feature = "chrono")]
    #[inline]
    pub(crate) fn civil(&self) -> Option<super::clock::Civil> {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(b)) => super::clock::civil(b),
            _ => None,
        }
    }

    /// The cell as a date and time of no zone: microseconds since 1970-01-01T00:00:00.
    #[inline]
    pub fn timestamp(&self) -> Result<i64> {
        match self.0 {
            Source::Value(Value::Timestamp(v)) => Ok(*v),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(v)) => {
                super::clock::parse_datetime(v.as_bytes()).map_or_else(|| self.not("a date and time"), Ok)
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(b)) => {
                super::clock::parse_datetime(b).map_or_else(|| self.not("a date and time"), Ok)
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 1114 } if b.len() == 8 => self.postgres_micros(b),
            _ => self.not("a date and time without zone"),
        }
    }

    #[cfg(feature = "postgres")]
    fn postgres_micros(&self, bytes: &[u8]) -> Result<i64> {
        let micros = i64::from_be_bytes(array(bytes));
        match micros {
            i64::MAX => Err(DecodeError::new("a date and time", "infinity")),
            i64::MIN => Err(DecodeError::new("a date and time", "-infinity")),
            _ => micros.checked_add(POSTGRES_EPOCH_MICROS).map_or_else(|| self.not("a date and time"), Ok),
        }
    }

    /// The cell as a calendar date: days since 1970-01-01.
    #[inline]
    pub fn date(&self) -> Result<i32> {
        match self.0 {
            Source::Value(Value::Date(v)) => Ok(*v),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(v)) => {
                super::clock::parse_date(v.as_bytes()).map_or_else(|| self.not("a date"), Ok)
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(b)) => {
                super::clock::parse_date(b).map_or_else(|| self.not("a date"), Ok)
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 1082 } if b.len() == 4 => {
                let days = i32::from_be_bytes(array(b));
                match days {
                    i32::MAX => Err(DecodeError::new("a date", "infinity")),
                    i32::MIN => Err(DecodeError::new("a date", "-infinity")),
                    _ => days.checked_add(POSTGRES_EPOCH_DAYS).map_or_else(|| self.not("a date"), Ok),
                }
            }
            _ => self.not("a date"),
        }
    }

    /// The cell as a time of day: microseconds since midnight.
    ///
    /// PostgreSQL's `24:00` is refused: no other time of day is as late, and it cannot be told from the next day's
    /// first.
    #[inline]
    pub fn time(&self) -> Result<i64> {
        match self.0 {
            Source::Value(Value::Time(v)) => Ok(*v),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(v)) => {
                super::clock::parse_time(v.as_bytes()).map_or_else(|| self.not("a time of day"), Ok)
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(b)) => {
                super::clock::parse_time(b).map_or_else(|| self.not("a time of day"), Ok)
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 1083 } if b.len() == 8 => {
                let micros = i64::from_be_bytes(array(b));
                if (0..super::clock::MICROS_PER_DAY).contains(&micros) {
                    Ok(micros)
                } else {
                    Err(DecodeError::new("a time of day", super::clock::format_time(micros)))
                }
            }
            _ => self.not("a time of day"),
        }
    }

    /// The cell as a length of time: microseconds.
    ///
    /// A day of PostgreSQL's is 24 hours; months have no length, and are refused. On SQLite it is SQLAlchemy's
    /// `Interval`: the date and time that is so long after 1970-01-01.
    #[inline]
    pub fn interval(&self) -> Result<i64> {
        match self.0 {
            Source::Value(Value::Interval(v)) => Ok(*v),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(_)) | Source::Sqlite(rusqlite::types::ValueRef::Text(_)) => {
                self.timestamp().or_else(|_| self.not("an interval"))
            }
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 1186 } if b.len() == 16 => {
                let micros = i64::from_be_bytes(array(&b[..8]));
                let days = i64::from(i32::from_be_bytes(array(&b[8..12])));
                let months = i32::from_be_bytes(array(&b[12..]));
                if months != 0 {
                    return Err(DecodeError::new("an interval of days and less", format!("one of {months} months")));
                }
                let whole = days.checked_mul(super::clock::MICROS_PER_DAY).and_then(|days| days.checked_add(micros));
                whole.map_or_else(|| self.not("an interval"), Ok)
            }
            _ => self.not("an interval"),
        }
    }

    /// The cell as a UUID.
    ///
    /// On SQLite it is 16 bytes, or text with hyphens or without.
    #[inline]
    pub fn uuid(&self) -> Result<[u8; 16]> {
        let bytes = match self.0 {
            Source::Value(Value::Uuid(v)) => return Ok(*v),
            Source::Value(Value::Bytes(v)) => v,
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(v)) => return uuid_of_text(v).map_or_else(|| self.not("a UUID"), Ok),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(_)) => {
                return uuid_of_text(self.text()?).map_or_else(|| self.not("a UUID"), Ok);
            }
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Blob(b)) => b,
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: 2950 } => b,
            _ => return self.not("a UUID"),
        };
        <[u8; 16]>::try_from(bytes).or_else(|_| self.not("a UUID"))
    }

    /// The cell as a JSON text.
    ///
    /// SQLite takes a column that is declared as `JSON` for one of numbers, so a JSON number may be one there.
    #[inline]
    pub fn json(&self) -> Result<Cow<'r, str>> {
        match self.0 {
            Source::Value(Value::Json(v)) => Ok(Cow::Borrowed(v)),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(v)) => Ok(Cow::Borrowed(v)),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::I64(v)) => Ok(Cow::Owned(v.to_string())),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::F64(v)) if v.is_finite() => Ok(Cow::Owned(format!("{v:?}"))),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(_)) => self.text().map(Cow::Borrowed),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Integer(v)) => Ok(Cow::Owned(v.to_string())),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Real(v)) if v.is_finite() => Ok(Cow::Owned(format!("{v:?}"))),
            // jsonb has the version of its format in front.
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(b), oid: oid @ (114 | 3802) } => {
                let text = if oid == 3802 { b.strip_prefix(&[1]) } else { Some(b) };
                let text = text.and_then(|text| std::str::from_utf8(text).ok());
                text.map_or_else(|| self.not("JSON"), |text| Ok(Cow::Borrowed(text)))
            }
            _ => self.not("JSON"),
        }
    }

    /// The cell as a value of a kind.
    pub(crate) fn value(&self, kind: Kind) -> Result<Value<'static>> {
        fn narrow<T: TryFrom<i64>>(wide: i64) -> Result<T> {
            T::try_from(wide).map_err(|_| DecodeError::new("a narrower integer", wide.to_string()))
        }
        if self.is_null() {
            return Ok(Value::Null);
        }
        Ok(match kind {
            Kind::Bool => Value::Bool(self.bool()?),
            Kind::I16 => Value::I16(narrow(self.i64()?)?),
            Kind::I32 => Value::I32(narrow(self.i64()?)?),
            Kind::I64 => Value::I64(self.i64()?),
            Kind::F32 => Value::F32(self.f64()? as f32),
            Kind::F64 => Value::F64(self.f64()?),
            Kind::Text | Kind::Named(_) => Value::Text(self.text()?.to_owned().into()),
            Kind::Bytes => Value::Bytes(self.bytes()?.to_owned().into()),
            Kind::DateTime => Value::DateTime(self.datetime()?),
            Kind::Timestamp => Value::Timestamp(self.timestamp()?),
            Kind::Date => Value::Date(self.date()?),
            Kind::Time => Value::Time(self.time()?),
            Kind::Decimal => Value::Decimal(self.numeric()?),
            Kind::Uuid | Kind::UuidText => Value::Uuid(self.uuid()?),
            Kind::Json => Value::Json(self.json()?.into_owned().into()),
            Kind::Interval => Value::Interval(self.interval()?),
            Kind::Array(element) => Value::Array(self.values(*element)?),
        })
    }
}

/// 32 hexadecimal digits, perhaps with hyphens where a UUID has them.
#[cfg(feature = "sqlite")]
fn uuid_of_text(text: &str) -> Option<[u8; 16]> {
    let digits: Cow<'_, str> = match text.len() {
        36 if [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-') => text.replace('-', "").into(),
        _ => text.into(),
    };
    super::scan::unhex(&digits)?.try_into().ok()
}

/// A UUID as people read it.
pub(crate) fn hyphenated(bytes: &[u8; 16]) -> String {
    let hex = super::scan::hex(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(feature = "postgres")]
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}

/// At most 40 characters of a text, for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}
