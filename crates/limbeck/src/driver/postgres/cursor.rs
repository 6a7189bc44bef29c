//! Queries whose rows are fetched some at a time, by a cursor of the server's.
//!
//! Its statements are parsed with every run: a FETCH that is kept prepared would remember the columns of another cursor
//! of the same name.

use tokio_postgres::types::Type;

use super::Postgres;
use super::encode::{Any, type_of};
use crate::driver::cursor::AT_ONCE;
use crate::driver::{Bind, Meter, Row, RowSink, Stmt};
use crate::error::Result;

impl Postgres {
    pub(crate) async fn open_cursor(
        &mut self,
        meter: &mut Meter,
        name: &str,
        stmt: &Stmt,
        params: &[Bind<'_>],
    ) -> Result<()> {
        let sql = format!("DECLARE {name} NO SCROLL CURSOR FOR {}", stmt.sql);
        let types: Vec<Type> = stmt.params.iter().map(|param| type_of(*param)).collect();
        self.unnamed(meter, &sql, params.iter().map(Any).zip(types), &mut Counted { sink: None, rows: 0 }).await?;
        Ok(())
    }

    pub(crate) async fn fetch_cursor(&mut self, meter: &mut Meter, name: &str, sink: &mut dyn RowSink) -> Result<bool> {
        let mut counted = Counted { sink: Some(sink), rows: 0 };
        let none: [(Any<'_>, Type); 0] = [];
        self.unnamed(meter, &format!("FETCH FORWARD {AT_ONCE} FROM {name}"), none.into_iter(), &mut counted).await?;
        Ok(counted.rows == AT_ONCE)
    }
}

/// Counts rows on their way.
struct Counted<'s> {
    sink: Option<&'s mut dyn RowSink>,
    rows: usize,
}

impl RowSink for Counted<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        self.rows += 1;
        self.sink.as_mut().map_or(Ok(()), |sink| sink.row(row))
    }

    fn restart(&mut self) {}
}
