//! Rows on their way from the database.

use crate::error::Result;
use crate::types::{Cell, ColumnType, DecodeError, Source, Value};

/// One row, still in the driver's bytes. Columns are read by position.
#[derive(Clone, Copy)]
pub struct Row<'r>(pub(crate) RowSource<'r>);

#[derive(Clone, Copy)]
pub(crate) enum RowSource<'r> {
    /// Values that were taken out of a driver's row earlier.
    Values(&'r [Value<'r>]),
    #[cfg(feature = "sqlite")]
    Sqlite(&'r rusqlite::Row<'r>),
    /// A row that another thread read.
    #[cfg(feature = "sqlite")]
    SqliteBuffer(&'r [rusqlite::types::Value], &'r [String]),
    #[cfg(feature = "postgres")]
    Postgres(&'r tokio_postgres::Row),
    /// A row of one of the others, and where in it the deferred columns are that were asked for.
    Undeferred(&'r RowSource<'r>, &'r [Extra]),
}

/// A deferred column that a query fetched: it lies behind the columns that everything else reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extra {
    /// Where the columns of its model begin.
    pub(crate) at: usize,
    /// Which of the model's columns it is.
    pub(crate) column: usize,
    /// Where it is itself.
    pub(crate) position: usize,
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.len()).map(|i| self.cell(i))).finish()
    }
}

impl<'r> Row<'r> {
    /// A row over values.
    pub fn from_values(values: &'r [Value<'r>]) -> Self {
        Row(RowSource::Values(values))
    }

    /// How many columns it has.
    pub fn len(&self) -> usize {
        match self.0 {
            RowSource::Values(values) => values.len(),
            #[cfg(feature = "sqlite")]
            RowSource::Sqlite(row) => row.as_ref().column_count(),
            #[cfg(feature = "sqlite")]
            RowSource::SqliteBuffer(row, _) => row.len(),
            #[cfg(feature = "postgres")]
            RowSource::Postgres(row) => row.len(),
            RowSource::Undeferred(row, _) => Row(*row).len(),
        }
    }

    /// Whether it has no columns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of a column, as the statement gives it. Empty where it has none.
    pub fn name(&self, column: usize) -> &'r str {
        match self.0 {
            RowSource::Values(_) => "",
            #[cfg(feature = "sqlite")]
            RowSource::Sqlite(row) => row.as_ref().column_name(column).unwrap_or_default(),
            #[cfg(feature = "sqlite")]
            RowSource::SqliteBuffer(_, names) => names.get(column).map_or("", String::as_str),
            #[cfg(feature = "postgres")]
            RowSource::Postgres(row) => row.columns().get(column).map_or("", |info| info.name()),
            RowSource::Undeferred(row, _) => Row(*row).name(column),
        }
    }

    /// A column. One beyond the end reads as NULL.
    ///
    /// Inlined without asking, since a cell returned through memory costs more than to find it.
    #[inline(always)]
    pub fn cell(&self, column: usize) -> Cell<'r> {
        const NULL: Cell<'static> = Cell(Source::Value(&Value::Null));
        match self.0 {
            RowSource::Values(values) => values.get(column).map_or(NULL, Cell::from_value),
            #[cfg(feature = "sqlite")]
            RowSource::Sqlite(row) => row.get_ref(column).map_or(NULL, |value| Cell(Source::Sqlite(value))),
            #[cfg(feature = "sqlite")]
            RowSource::SqliteBuffer(row, _) => row.get(column).map_or(NULL, |value| Cell(Source::Sqlite(value.into()))),
            #[cfg(feature = "postgres")]
            RowSource::Postgres(row) => match row.columns().get(column) {
                None => NULL,
                Some(info) => Cell(Source::Postgres {
                    bytes: row.try_get::<_, Option<Raw<'r>>>(column).ok().flatten().map(|raw| raw.0),
                    oid: info.type_().oid().into(),
                }),
            },
            RowSource::Undeferred(row, _) => behind(*row, column),
        }
    }

    /// The same row, with the places of deferred columns.
    pub(crate) fn undeferred<'e>(&'e self, extras: &'e [Extra]) -> Row<'e> {
        Row(RowSource::Undeferred(&self.0, extras))
    }

    /// The deferred columns that were fetched for the model at `at`.
    pub(crate) fn extras(&self, at: usize) -> impl Iterator<Item = Extra> + use<'r> {
        let extras = match self.0 {
            RowSource::Undeferred(_, extras) => extras,
            _ => &[],
        };
        extras.iter().copied().filter(move |extra| extra.at == at)
    }

    /// A deferred column of the model at `at`, if the query fetched it, and its position.
    pub(crate) fn extra(&self, at: usize, column: usize) -> Option<(Cell<'r>, usize)> {
        let extra = self.extras(at).find(|extra| extra.column == column)?;
        Some((self.cell(extra.position), extra.position))
    }

    /// Reads a column.
    ///
    /// # Errors
    /// When it holds something that `T` cannot read; the error knows the position.
    #[inline]
    pub fn get<T: ColumnType>(&self, column: usize) -> Result<T, DecodeError> {
        match T::decode(self.cell(column)) {
            Ok(value) => Ok(value),
            Err(error) => Err(error.at(column)),
        }
    }
}

/// Apart, since what is inlined cannot call itself.
fn behind(row: RowSource<'_>, column: usize) -> Cell<'_> {
    Row(row).cell(column)
}

/// The bytes of a column, whatever its type.
#[cfg(feature = "postgres")]
struct Raw<'r>(&'r [u8]);

#[cfg(feature = "postgres")]
impl<'r> tokio_postgres::types::FromSql<'r> for Raw<'r> {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        raw: &'r [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        true
    }
}

/// Takes the rows of a query as they arrive.
pub(crate) trait RowSink: Send {
    /// The next row.
    fn row(&mut self, row: Row<'_>) -> Result<()>;

    /// The query begins again (SQLite, when a long one moves to a thread of its own): forget the rows.
    fn restart(&mut self);
}
