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
        }
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
