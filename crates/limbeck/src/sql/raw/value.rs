//! What can be bound to a statement written by hand, and what can be named in it.

use std::collections::{BTreeSet, HashSet};

use super::pieces::{Part, TableName};
use crate::model::{Column, Model, TableOf};
use crate::sql::expression::Operand;
use crate::sql::node::{ColumnRef, Source};
use crate::types::{ColumnType, Value};

/// A value that can be bound by itself, and the column type `T` as which it is sent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a statement",
    label = "expected a value of a column's type (i64, &str, Option of one, …)"
)]
pub trait Bound<T>: Operand<T> {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Bound<T> for T {}
#[diagnostic::do_not_recommend]
impl<T: ColumnType> Bound<T> for &T {}
#[diagnostic::do_not_recommend]
impl Bound<String> for &str {}
#[diagnostic::do_not_recommend]
impl Bound<String> for Option<&str> {}

/// A value in the braces of a [`sql!`](crate::sql!), which takes it by reference, and the column type `T` as which
/// it is sent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a statement",
    label = "`sql!` names a value of this type",
    note = "expected a value of a column's type (i64, String, Option of one, …) or a reference to one; a list is \
            written `IN {{..list}}`"
)]
pub trait RawValue<T> {
    /// The value, as it is sent.
    #[doc(hidden)]
    fn value(&self) -> Value<'static>;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> RawValue<T> for T {
    fn value(&self) -> Value<'static> {
        let mut value = self.clone();
        value.normalize();
        value.encode().into_owned()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> RawValue<T> for &T {
    fn value(&self) -> Value<'static> {
        RawValue::<T>::value(*self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> RawValue<Option<T>> for Option<&T> {
    fn value(&self) -> Value<'static> {
        self.map_or(Value::Null, RawValue::<T>::value)
    }
}

#[diagnostic::do_not_recommend]
impl RawValue<String> for &str {
    fn value(&self) -> Value<'static> {
        Value::Text((*self).to_owned().into())
    }
}

#[diagnostic::do_not_recommend]
impl RawValue<String> for &&str {
    fn value(&self) -> Value<'static> {
        Value::Text((**self).to_owned().into())
    }
}

#[diagnostic::do_not_recommend]
impl RawValue<String> for Option<&str> {
    fn value(&self) -> Value<'static> {
        self.map_or(Value::Null, |text| Value::Text(text.to_owned().into()))
    }
}

/// A list in the braces of a [`sql!`](crate::sql!): `IN {..ids}`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of values",
    label = "`{{..name}}` takes a vector, a slice, an array or a set of values of a column's type"
)]
pub trait RawList<T> {
    /// The values, as they are sent.
    #[doc(hidden)]
    fn values(&self, values: &mut Vec<Value<'static>>);
}

macro_rules! lists {
    ($([$($generics:tt)*] $list:ty;)+) => {$(
        #[diagnostic::do_not_recommend]
        impl<T, V: RawValue<T>, $($generics)*> RawList<T> for $list {
            fn values(&self, values: &mut Vec<Value<'static>>) {
                values.extend(self.iter().map(RawValue::value));
            }
        }
    )+};
}

lists! {
    [] [V];
    [const N: usize] [V; N];
    [] Vec<V>;
    [] BTreeSet<V>;
    [S] HashSet<V, S>;
}

#[diagnostic::do_not_recommend]
impl<T, L: RawList<T> + ?Sized> RawList<T> for &L {
    fn values(&self, values: &mut Vec<Value<'static>>) {
        (**self).values(values);
    }
}

/// What `{#…}` in a [`sql!`](crate::sql!) can name: a column (`{#Post.title}`) or a table (`{#Post}`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no name in SQL",
    label = "`{{#…}}` takes a column, as `{{#Post.title}}`, or a model, as `{{#Post}}`"
)]
pub trait Names {
    /// The name.
    #[doc(hidden)]
    fn name(&self) -> Part;
}

#[diagnostic::do_not_recommend]
impl<M: Model, T> Names for Column<M, T> {
    fn name(&self) -> Part {
        Part::Column(ColumnRef { model: M::def(), alias: self.alias, index: self.index })
    }
}

#[diagnostic::do_not_recommend]
impl<S: TableOf> Names for S {
    fn name(&self) -> Part {
        Part::Table(TableName(Source { model: S::Model::def(), alias: self.alias() }))
    }
}
