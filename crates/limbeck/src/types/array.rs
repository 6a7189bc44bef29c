//! Arrays: `Vec<T>` of the scalar types.
//!
//! PostgreSQL has arrays of every type. On SQLite an array is JSON text, and what JSON has no word for is written as
//! the other columns of that type are: dates as text, decimals as numbers, and bytes and UUIDs, which are no text, in
//! hexadecimal digits.

use super::{Cell, ColumnType, DecodeError, Kind, Placeholder, Source, Value};
use crate::schema::{ArrayType, SqlType};

/// A type that an array can be made of: the scalar ones, and `Option` of them.
///
/// For a type of your own: `impl Element for Email {}`. There are no arrays of arrays, nor of JSON, which has its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in an array column",
    label = "arrays are made of scalar types, such as `Vec<i32>` and `Vec<String>`",
    note = "for anything else use `Json<Vec<…>>`; for a type of your own, write `impl limbeck::types::Element for …`"
)]
pub trait Element: ColumnType {}

impl<T: Element> Element for Option<T> {}

macro_rules! elements {
    ($($ty:ty),*) => { $(impl Element for $ty {})* };
}

elements!(bool, i16, i32, i64, f32, f64, String, Vec<u8>);

impl<T: Element> ColumnType for Vec<T> {
    type Base = Self;
    type Null<U: ColumnType> = U;
    const SQL_TYPE: SqlType = SqlType::Array(ArrayType::of::<T>());

    fn encode(&self) -> Value<'_> {
        Value::Array(self.iter().map(T::encode).collect())
    }

    fn decode(cell: Cell<'_>) -> Result<Self, DecodeError> {
        cell.elements()
    }

    fn normalize(&mut self) {
        self.iter_mut().for_each(T::normalize);
    }
}

impl<T: Element> Placeholder for Vec<T> {
    fn placeholder() -> Self {
        Vec::new()
    }
}

impl Cell<'_> {
    /// The cell as an array.
    ///
    /// # Errors
    /// When it is no array of one dimension, or an element of it cannot be read.
    pub fn elements<T: ColumnType>(&self) -> Result<Vec<T>, DecodeError> {
        let mut out = Vec::new();
        self.each_of(ArrayType::kind_of::<T>(), &mut |cell| {
            out.push(T::decode(cell)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// The array as values of a kind.
    pub(crate) fn values(&self, kind: Kind) -> Result<Vec<Value<'static>>, DecodeError> {
        let mut out = Vec::new();
        self.each_of(kind, &mut |cell| {
            out.push(cell.value(kind)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// Visits the elements of an array that PostgreSQL sent.
    #[cfg(feature = "postgres")]
    pub(crate) fn each(&self, visit: &mut dyn FnMut(Cell<'_>) -> Result<(), DecodeError>) -> Result<(), DecodeError> {
        self.each_of(Kind::Text, visit)
    }

    #[cfg_attr(not(feature = "sqlite"), allow(unused_variables, reason = "only JSON does not say it"))]
    fn each_of(
        &self,
        kind: Kind,
        visit: &mut dyn FnMut(Cell<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match self.0 {
            Source::Value(Value::Array(values)) => values.iter().try_for_each(|value| visit(Cell::from_value(value))),
            #[cfg(feature = "sqlite")]
            Source::Value(Value::Text(text)) => self.each_of_json(text, kind, visit),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(rusqlite::types::ValueRef::Text(_)) => self.each_of_json(self.text()?, kind, visit),
            #[cfg(feature = "postgres")]
            Source::Postgres { bytes: Some(bytes), .. } => match postgres::cells(bytes) {
                Some(cells) => cells.into_iter().try_for_each(visit),
                None => Err(DecodeError::new("an array of one dimension", self.describe())),
            },
            _ => Err(DecodeError::new("an array", self.describe())),
        }
    }

    #[cfg(feature = "sqlite")]
    fn each_of_json(
        &self,
        text: &str,
        kind: Kind,
        visit: &mut dyn FnMut(Cell<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let values = super::scan::json_array(text);
        let values = values.ok_or_else(|| DecodeError::new("a JSON array of scalar values", self.describe()))?;
        for value in values {
            let value = match (value, kind) {
                (Value::Text(hex), Kind::Bytes) => match super::scan::unhex(&hex) {
                    Some(bytes) => Value::Bytes(bytes.into()),
                    None => Value::Text(hex),
                },
                (value, _) => value,
            };
            visit(Cell::from_value(&value))?;
        }
        Ok(())
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use crate::types::{Cell, Source};

    /// The elements of an array in PostgreSQL's binary form. `None` for one of several dimensions, and for what is no
    /// array at all.
    pub(super) fn cells(bytes: &[u8]) -> Option<Vec<Cell<'_>>> {
        let mut rest = bytes;
        let dimensions = number(&mut rest)?;
        let _has_nulls = number(&mut rest)?;
        let oid = u64::from(number(&mut rest)? as u32);
        let count = match dimensions {
            0 => return rest.is_empty().then(Vec::new),
            1 => number(&mut rest)?,
            _ => return None,
        };
        let _lower_bound = number(&mut rest)?;
        // Each element has four bytes at least: a count that cannot be is not reserved.
        let count = usize::try_from(count).ok().filter(|count| *count <= rest.len() / 4)?;
        let mut cells = Vec::with_capacity(count);
        for _ in 0..count {
            let bytes = match number(&mut rest)? {
                -1 => None,
                len => {
                    let (element, after) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                    rest = after;
                    Some(element)
                }
            };
            cells.push(Cell(Source::Postgres { bytes, oid }));
        }
        rest.is_empty().then_some(cells)
    }

    fn number(rest: &mut &[u8]) -> Option<i32> {
        let (first, after) = rest.split_first_chunk::<4>()?;
        *rest = after;
        Some(i32::from_be_bytes(*first))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_array_that_is_cut_short_is_none() {
            let mut bytes = Vec::new();
            for part in [1_i32, 0, 23, 2, 1, 4, 7, -1] {
                bytes.extend(part.to_be_bytes());
            }
            let cells = cells(&bytes).unwrap();
            assert_eq!((cells.len(), cells[0].i64(), cells[1].is_null()), (2, Ok(7), true));
            for end in 0..bytes.len() {
                assert!(super::cells(&bytes[..end]).is_none(), "{end}");
            }
            assert_eq!(super::cells(&[0; 12]).map(|cells| cells.len()), Some(0));
            assert!(super::cells(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23]).is_none());
        }
    }
}
