//! `VALUES`: rows that the program gives, to join with.

use std::sync::Arc;

use super::subquery::{Body, Columns, Derived, Output, Subquery, ValueRows, next_id};
use crate::schema::SqlType;
use crate::types::{ColumnType, Value};

/// Rows of values under a name: `values([(1, "a"), (2, "b")], "v")`. A row is a tuple of values of column types.
///
/// ```
/// use limbeck::prelude::*;
/// use limbeck::sql::values;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String }
///
/// let wanted = values([(1i64, "first"), (7, "second")], "wanted");
/// let (id, rank) = wanted.columns();
/// let posts = select((Post, rank)).join_on(&wanted, id.eq(Post.id));
/// ```
pub fn values<R: ValuesRow>(rows: impl IntoIterator<Item = R>, name: &'static str) -> Subquery<R::Row> {
    let mut types = Vec::new();
    R::types(&mut types);
    let rows = rows.into_iter().map(|row| {
        let mut values = Vec::with_capacity(types.len());
        row.values(&mut values);
        values
    });
    let rows = rows.collect();
    // What both databases call them.
    let columns = (1..=types.len()).map(|at| Output { name: format!("column{at}").into(), plain: true }).collect();
    let body = Body::Values(Arc::new(ValueRows { types, rows }));
    Subquery::of(Arc::new(Derived { id: next_id(), name, body, columns, models: Vec::new(), refusal: None }))
}

/// A value in a row of [`values`]: of a column's type, or `&str` for text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a row of values",
    label = "expected a value of a column's type (i64, &str, Option of one, …)"
)]
pub trait IntoValue {
    /// The type of the column.
    type Column: ColumnType + Columns;

    /// The value.
    fn into_value(self) -> Self::Column;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType + Columns> IntoValue for T {
    type Column = T;

    fn into_value(self) -> T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl IntoValue for &str {
    type Column = String;

    fn into_value(self) -> String {
        self.to_owned()
    }
}

/// A row of [`values`]: a tuple of values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of values",
    label = "expected a tuple of values, such as `(1, \"a\")`; of a single one, `(1,)`"
)]
pub trait ValuesRow {
    /// The types of the columns, as a tuple.
    type Row: Columns;

    /// The types of the columns.
    #[doc(hidden)]
    fn types(types: &mut Vec<SqlType>);

    /// The values.
    #[doc(hidden)]
    fn values(self, values: &mut Vec<Value<'static>>);
}

macro_rules! values_tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: IntoValue),+> ValuesRow for ($($name,)+) {
            type Row = ($($name::Column,)+);

            fn types(types: &mut Vec<SqlType>) {
                $(types.push(<$name::Column as ColumnType>::SQL_TYPE);)+
            }

            fn values(self, values: &mut Vec<Value<'static>>) {
                $(
                    let mut value = self.$index.into_value();
                    value.normalize();
                    values.push(value.encode().into_owned());
                )+
            }
        }
    };
}

values_tuple!(A 0);
values_tuple!(A 0, B 1);
values_tuple!(A 0, B 1, C 2);
values_tuple!(A 0, B 1, C 2, D 3);
values_tuple!(A 0, B 1, C 2, D 3, E 4);
values_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
values_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
values_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
