//! Structs that are read from rows by the names of their columns.
//!
//! The names are looked up once for a statement, in its first row. Each row after that is read by positions.

use super::fetch::Fetch;
use super::select::Select;
use crate::driver::Row;
use crate::error::{Error, Result};
use crate::types::{ColumnType, DecodeError};

/// A struct whose fields are read from columns of the same names. `#[derive(FromRow)]` implements it.
///
/// ```
/// # use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct Post { #[column(primary_key)] id: i64, title: String, views: i64 }
/// #[derive(FromRow, Debug, PartialEq)]
/// struct Report {
///     title: String,
///     #[from_row(name = "how_often")]
///     reads: i64,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> limbeck::Result<()> {
/// # let engine = Engine::builder("sqlite::memory:").connect().await?;
/// # engine.create_all(&limbeck::metadata![Post]?).await?;
/// # let mut session = engine.sessionmaker().open();
/// # session.add(Post::builder().title("Hello").views(7));
/// # session.flush().await?;
///
/// let least = 5;
/// let query = sql!("SELECT views AS how_often, title FROM posts WHERE views >= {least}").rows::<Report>();
/// assert_eq!(session.one(query).await?, Report { title: "Hello".into(), reads: 7 });
///
/// // A typed query has no names, but types: its columns are the fields in their order.
/// let query = select((Post.title, Post.views)).filter(Post.views.ge(least)).rows::<Report>();
/// assert_eq!(session.one(query).await?.reads, 7);
/// # Ok(())
/// # }
/// ```
///
/// # Options of a field: `#[from_row(…)]`
/// - `name = "…"`: the column's name, where it is not the field's.
/// - `default`: a column that is not in the result is `Default::default()`.
/// - `flatten`: the field is a `FromRow` itself, whose columns are in the same row. In an `Option` it is `None` when
///   all of them are NULL, as after an outer join.
/// - `prefix = "author_"`: with `flatten`, what the names of its columns begin with.
///
/// # Errors
/// A column that is missing, or is in the result twice, is an error of the first row, which names the struct, the
/// field, and the columns that are there. A result without rows has nothing to be read from.
#[diagnostic::on_unimplemented(
    message = "a row cannot be read into `{Self}` by the names of its columns",
    label = "add `#[derive(FromRow)]` to this struct"
)]
pub trait FromRow: Fetch<Tracked = Self> {
    /// The row of a typed query that has these fields, in their order.
    type Columns;

    /// Names the columns, in the order of the fields.
    #[doc(hidden)]
    fn fields(fields: &mut Fields);

    /// Reads a value whose first column is the one that is numbered `first` among the positions.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    fn read(row: &Row<'_>, positions: Positions<'_>, first: usize) -> Result<Self, DecodeError>;
}

/// A struct whose fields are a typed query's columns `T`, in their order. It is one trait, so that a struct which does
/// not fit is one error, which names the struct and the columns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the selected columns `{T}`",
    label = "expected a struct with `#[derive(FromRow)]` whose fields have the types `{T}`, in this order"
)]
pub trait FromColumns<T>: FromRow {}

#[diagnostic::do_not_recommend]
impl<T, R: FromRow> FromColumns<T> for R where R::Columns: Same<T> {}

/// That two types are the same.
pub trait Same<T> {}

#[diagnostic::do_not_recommend]
impl<T> Same<T> for T {}

/// Where the columns of a struct are in a row.
#[derive(Clone, Copy, Debug)]
pub struct Positions<'p>(&'p [usize]);

/// A column that is not in the row, and need not be.
const ABSENT: usize = usize::MAX;

impl<'p> Positions<'p> {
    /// In the order of the fields, from the first column of the row on.
    #[doc(hidden)]
    pub const IN_ORDER: Positions<'static> = Positions(&[]);

    pub(crate) fn new(positions: &'p [usize]) -> Self {
        Positions(positions)
    }

    fn of(self, column: usize) -> usize {
        self.0.get(column).copied().unwrap_or(column)
    }

    /// Which of the struct's columns is at a position of the row.
    fn column_at(self, position: usize) -> usize {
        self.0.iter().position(|found| *found == position).unwrap_or(position)
    }
}

/// The columns of a struct while they are gathered.
#[derive(Debug, Default)]
pub struct Fields {
    prefix: String,
    columns: Vec<FieldColumn>,
}

#[derive(Debug)]
struct FieldColumn {
    /// `Report`
    owner: &'static str,
    field: &'static str,
    name: String,
    may_be_absent: bool,
}

impl Fields {
    fn of<T: FromRow>() -> Self {
        let mut fields = Fields::default();
        T::fields(&mut fields);
        fields
    }

    /// Used by `derive(FromRow)`.
    #[doc(hidden)]
    pub fn column(&mut self, owner: &'static str, field: &'static str, name: &str, may_be_absent: bool) {
        let name = format!("{}{name}", self.prefix);
        self.columns.push(FieldColumn { owner, field, name, may_be_absent });
    }

    /// Used by `derive(FromRow)`.
    #[doc(hidden)]
    pub fn flatten<T: Flatten>(&mut self, prefix: &str) {
        let outer = self.prefix.clone();
        self.prefix.push_str(prefix);
        T::fields(self);
        self.prefix = outer;
    }

    /// Finds the columns in a row.
    fn find(&self, row: &Row<'_>) -> Result<Vec<usize>> {
        let names: Vec<&str> = (0..row.len()).map(|column| row.name(column)).collect();
        self.columns.iter().map(|column| column.find(&names)).collect()
    }
}

impl FieldColumn {
    fn find(&self, names: &[&str]) -> Result<usize> {
        let all = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..names.len()).filter(|column| same(names[*column])).collect()
        };
        let mut found = all(&|name| name == self.name);
        if found.is_empty() {
            // A database may have brought an unquoted name into its own case.
            found = all(&|name| name.eq_ignore_ascii_case(&self.name));
        }
        match found.as_slice() {
            [column] => Ok(*column),
            [] if self.may_be_absent => Ok(ABSENT),
            [] => Err(self.missing(names)),
            _ => Err(Error::Statement(format!(
                "`{}.{}`: the result has several columns `{}`; give each another name by `AS`",
                self.owner, self.field, self.name
            ))),
        }
    }

    #[cold]
    fn missing(&self, names: &[&str]) -> Error {
        let there: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Error::Statement(format!(
            "`{}.{}`: the result has no column `{}`, only {}; rename one by `AS {}` in the statement or by \
             `#[from_row(name = \"…\")]` at the field",
            self.owner,
            self.field,
            self.name,
            there.join(", "),
            self.name
        ))
    }
}

/// Finds the columns of a struct in the first row of a result.
pub fn resolve<T: FromRow>(row: &Row<'_>) -> Result<Vec<usize>> {
    Fields::of::<T>().find(row)
}

/// The struct and the field that a column is for.
pub fn column_name<T: FromRow>(column: usize) -> (String, String) {
    match Fields::of::<T>().columns.get(column) {
        Some(found) => (found.owner.to_owned(), found.field.to_owned()),
        None => (String::new(), format!("column {}", column + 1)),
    }
}

/// The error of a row that could not be read, with the struct's field.
#[cold]
pub fn unreadable<T: Fetch>(source: DecodeError, positions: Positions<'_>) -> Error {
    let (table, column) = T::column_name(positions.column_at(source.column.unwrap_or(0)));
    Error::Decode { table, column, source }
}

/// Reads one column of a struct.
pub fn column<T: ColumnType>(row: &Row<'_>, positions: Positions<'_>, column: usize) -> Result<T, DecodeError> {
    row.get(positions.of(column))
}

/// Reads one column of a struct, if it is there.
pub fn column_or_default<T: ColumnType + Default>(
    row: &Row<'_>,
    positions: Positions<'_>,
    column: usize,
) -> Result<T, DecodeError> {
    match positions.of(column) {
        ABSENT => Ok(T::default()),
        position => row.get(position),
    }
}

/// A field that is marked `flatten`: a [`FromRow`], or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened into a row's columns",
    label = "expected a struct with `#[derive(FromRow)]`, or an `Option` of one"
)]
pub trait Flatten: Sized {
    /// The row of a typed query that has these fields.
    type Columns;

    /// Names the columns.
    #[doc(hidden)]
    fn fields(fields: &mut Fields);

    /// How many columns it takes.
    #[doc(hidden)]
    fn width() -> usize;

    /// Reads the value.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    #[doc(hidden)]
    fn read(row: &Row<'_>, positions: Positions<'_>, first: usize) -> Result<Self, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: FromRow> Flatten for T {
    type Columns = T::Columns;

    fn fields(fields: &mut Fields) {
        <T as FromRow>::fields(fields);
    }

    fn width() -> usize {
        <T as Fetch>::width()
    }

    fn read(row: &Row<'_>, positions: Positions<'_>, first: usize) -> Result<Self, DecodeError> {
        <T as FromRow>::read(row, positions, first)
    }
}

#[diagnostic::do_not_recommend]
impl<T: FromRow> Flatten for Option<T> {
    type Columns = T::Columns;

    fn fields(fields: &mut Fields) {
        <T as FromRow>::fields(fields);
    }

    fn width() -> usize {
        <T as Fetch>::width()
    }

    fn read(row: &Row<'_>, positions: Positions<'_>, first: usize) -> Result<Self, DecodeError> {
        // A cell beyond the end reads as NULL, and so does one that is not there.
        let is_null = |column: usize| row.cell(positions.of(column)).is_null();
        if (first..first + T::width()).all(is_null) {
            return Ok(None);
        }
        <T as FromRow>::read(row, positions, first).map(Some)
    }
}

impl<T: Fetch> Select<T> {
    /// Reads the rows into a struct with [`derive(FromRow)`](FromRow): the selected columns are its fields in their
    /// order, and have their types. For one whose fields are named after a model's there is
    /// [`derive(View)`](macro@crate::sql::View), which writes the query as well.
    pub fn rows<R: FromColumns<T>>(self) -> Select<R> {
        Select::of(self.core)
    }
}
