//! What a query's rows become.

use super::from_row::Positions;
use super::view::ListPlan;
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::session::Loader;
use crate::types::{ColumnType, DecodeError};

/// Something that a row can be read into: a model, a column's type, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "a row cannot be read into `{Self}`",
    label = "expected a model, a column's type (i64, String, Option of one, …), or a tuple of these"
)]
pub trait Fetch: Sized + Send + 'static {
    /// What a session gives for it: a handle for a model, the value itself for anything else.
    type Tracked: Send + 'static;

    /// How many columns it takes.
    fn width() -> usize;

    /// Reads a value of its own, which no session tracks.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn fetch(row: &Row<'_>, at: usize) -> Result<Self, DecodeError>;

    /// Reads a value for a session.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn track(loader: &mut Loader<'_>, row: &Row<'_>, at: usize) -> Result<Self::Tracked>;

    /// Whether a row is without it, as an outer join leaves it: a model's primary key is NULL, or all columns of
    /// anything else.
    fn is_absent(row: &Row<'_>, at: usize) -> bool {
        match Self::model() {
            Some(model) => model.primary_key.iter().any(|column| row.cell(at + column).is_null()),
            None => (at..at + Self::width()).all(|column| row.cell(column).is_null()),
        }
    }

    /// Where the columns are in the rows of a statement written by hand: found once, in its first row. Nothing where
    /// they are taken in their order.
    ///
    /// # Errors
    /// When a column is missing, or there are too many.
    #[doc(hidden)]
    fn resolve(row: &Row<'_>) -> Result<Vec<usize>> {
        crate::engine::check_width::<Self>(row).map(|()| Vec::new())
    }

    /// [`fetch`](Self::fetch) of columns at the positions that [`resolve`](Self::resolve) found.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    #[inline]
    fn fetch_at(row: &Row<'_>, positions: Positions<'_>) -> Result<Self, DecodeError> {
        let _ = positions;
        Self::fetch(row, 0)
    }

    /// [`track`](Self::track) of columns at the positions that [`resolve`](Self::resolve) found.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    #[inline]
    fn track_at(loader: &mut Loader<'_>, row: &Row<'_>, positions: Positions<'_>) -> Result<Self::Tracked> {
        let _ = positions;
        Self::track(loader, row, 0)
    }

    /// Whether a query for it can be built at all.
    ///
    /// # Errors
    /// When it says something that cannot be.
    #[doc(hidden)]
    fn check() -> Result<()> {
        Ok(())
    }

    /// The lists in it, which further statements fill: a view's.
    #[doc(hidden)]
    fn lists() -> ListPlan<Self> {
        ListPlan::none()
    }

    /// The same, of what a session gives.
    #[doc(hidden)]
    fn tracked_lists() -> ListPlan<Self::Tracked> {
        ListPlan::none()
    }

    /// The model, if it is one: its columns can then be selected by name.
    fn model() -> Option<&'static crate::model::ModelDef> {
        None
    }

    /// The name of the column at a position, for error messages: (table, column). The table is empty where the
    /// type does not know it.
    fn column_name(position: usize) -> (String, String) {
        (String::new(), format!("column {}", position + 1))
    }
}

/// Every column type but `Option`, which only `Option` says of itself by its `Null`.
#[diagnostic::do_not_recommend]
impl<T: ColumnType<Null<bool> = bool>> Fetch for T {
    type Tracked = T;

    fn width() -> usize {
        1
    }

    #[inline]
    fn fetch(row: &Row<'_>, at: usize) -> Result<Self, DecodeError> {
        row.get(at)
    }

    #[inline]
    fn track(_: &mut Loader<'_>, row: &Row<'_>, at: usize) -> Result<T> {
        row.get(at).map_err(unnamed)
    }

    #[inline]
    fn is_absent(row: &Row<'_>, at: usize) -> bool {
        row.cell(at).is_null()
    }
}

/// What a row may be without: a column that may be NULL, or an object beyond an outer join.
#[diagnostic::do_not_recommend]
impl<T: Fetch> Fetch for Option<T> {
    type Tracked = Option<T::Tracked>;

    fn width() -> usize {
        T::width()
    }

    #[inline]
    fn fetch(row: &Row<'_>, at: usize) -> Result<Self, DecodeError> {
        if T::is_absent(row, at) { Ok(None) } else { T::fetch(row, at).map(Some) }
    }

    #[inline]
    fn track(loader: &mut Loader<'_>, row: &Row<'_>, at: usize) -> Result<Self::Tracked> {
        if T::is_absent(row, at) { Ok(None) } else { T::track(loader, row, at).map(Some) }
    }

    fn is_absent(row: &Row<'_>, at: usize) -> bool {
        T::is_absent(row, at)
    }

    fn column_name(position: usize) -> (String, String) {
        T::column_name(position)
    }
}

/// A value that could not be read, before the query says what its column is called.
#[cold]
fn unnamed(source: DecodeError) -> Error {
    let (table, column) = <String as Fetch>::column_name(source.column.unwrap_or(0));
    Error::Decode { table, column, source }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Fetch),+> Fetch for ($($name,)+) {
            type Tracked = ($($name::Tracked,)+);

            fn width() -> usize {
                0 $(+ $name::width())+
            }

            #[inline]
            fn fetch(row: &Row<'_>, at: usize) -> Result<Self, DecodeError> {
                let mut next = at;
                Ok(($({
                    let at = next;
                    next += $name::width();
                    let _ = next;
                    $name::fetch(row, at)?
                },)+))
            }

            #[inline]
            fn track(loader: &mut Loader<'_>, row: &Row<'_>, at: usize) -> Result<Self::Tracked> {
                let mut next = at;
                Ok(($({
                    let at = next;
                    next += $name::width();
                    let _ = next;
                    $name::track(loader, row, at)?
                },)+))
            }

            fn is_absent(row: &Row<'_>, at: usize) -> bool {
                let mut next = 0;
                [$({
                    next += $name::width();
                    $name::is_absent(row, at + next - $name::width())
                }),+]
                .iter()
                .all(|absent| *absent)
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
