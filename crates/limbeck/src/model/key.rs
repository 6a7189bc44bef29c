//! Primary keys.

use std::fmt::Debug;
use std::hash::Hash;

use crate::types::{Cell, ColumnType, DecodeError, Value};

/// A primary key: the type of its one column, or a tuple.
pub trait Key: Clone + Eq + Hash + Send + Sync + 'static {
    /// Reads a key; `cell(i)` is the i-th column of the key.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn decode<'r>(cell: impl FnMut(usize) -> Cell<'r>) -> Result<Self, DecodeError>;

    /// The values of the key's columns.
    fn values(&self) -> Vec<Value<'_>>;
}

/// What a primary key of type `K` is made from: one, or what converts into one, as a `&str` into a `String`.
#[diagnostic::on_unimplemented(
    message = "a primary key of type `{K}` cannot be made from a `{Self}`",
    label = "the model's primary key is `{K}`"
)]
pub trait IntoKey<K> {
    /// The key.
    fn into_key(self) -> K;
}

#[diagnostic::do_not_recommend]
impl<K: Key, T: Into<K>> IntoKey<K> for T {
    fn into_key(self) -> K {
        self.into()
    }
}

impl<T: ColumnType + Eq + Hash + Debug> Key for T {
    #[inline]
    fn decode<'r>(mut cell: impl FnMut(usize) -> Cell<'r>) -> Result<Self, DecodeError> {
        T::decode(cell(0))
    }

    fn values(&self) -> Vec<Value<'_>> {
        vec![self.encode()]
    }
}

macro_rules! tuple_key {
    ($($name:ident $index:tt),+) => {
        impl<$($name: ColumnType + Eq + Hash + Debug),+> Key for ($($name,)+) {
            fn decode<'r>(mut cell: impl FnMut(usize) -> Cell<'r>) -> Result<Self, DecodeError> {
                Ok(($($name::decode(cell($index))?,)+))
            }

            fn values(&self) -> Vec<Value<'_>> {
                vec![$(self.$index.encode()),+]
            }
        }
    };
}

tuple_key!(A 0, B 1);
tuple_key!(A 0, B 1, C 2);
tuple_key!(A 0, B 1, C 2, D 3);
