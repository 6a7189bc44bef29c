//! Reading row by row, without objects.

use super::Session;
use super::line::Line;
use crate::driver::Cursor;
use crate::engine::ValueSink;
use crate::error::{Error, Result};
use crate::sql::compile::{Compiled, Wanted};
use crate::sql::view::Filling;
use crate::sql::{Fetch, Query};

/// The rows of a query, one by one: made by [`Session::stream`].
///
/// It borrows the session. Dropped before its end it leaves the session usable, and the rest of the rows unread.
pub struct RowStream<'s, Q: Query> {
    line: &'s mut Line,
    query: Q,
    /// `None` when all rows were taken.
    cursor: Option<Cursor>,
    /// Whether the transaction was begun for it alone.
    own: bool,
    sink: ValueSink<Q::Row>,
    /// Rows that were taken and not given out.
    ready: std::vec::IntoIter<Q::Row>,
}

impl<Q: Query> std::fmt::Debug for RowStream<'_, Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream").field("ended", &self.cursor.is_none()).finish_non_exhaustive()
    }
}

impl Session {
    /// The rows of a query one by one, as values of their own that no session tracks: for results that are larger
    /// than the memory that they should take. A few hundred rows are in memory at a time, on PostgreSQL by a cursor of
    /// the server's, in the session's transaction.
    ///
    /// Values have no relationships; [`pages`](Self::pages) gives tracked objects.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String }
    /// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
    /// let mut posts = session.stream(select(Post).order_by(Post.id)).await?;
    /// while let Some(post) = posts.next().await? {
    ///     println!("{}", post.title);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Statement`] when the query loads relationships, or is of a view with lists; and as
    /// [`all`](Self::all).
    pub async fn stream<Q: Query>(&mut self, query: Q) -> Result<RowStream<'_, Q>> {
        if query.core().is_some_and(|core| !core.loads.is_empty()) {
            return Err(Error::Statement(
                "a stream gives values, which have no relationships: leave `.with(…)` away, or read by `pages`".into(),
            ));
        }
        if !Filling::new(Q::Row::lists())?.is_empty() {
            return Err(Error::Statement(
                "a view with lists cannot be streamed, since each list is a statement for many rows: read it in parts, by \
                 `keyset`"
                    .into(),
            ));
        }
        self.autoflush().await?;
        let mut sink = ValueSink::<Q::Row>::new(query.is_by_name(), Filling::none());
        let (cursor, own) = {
            let Compiled { stmt, binds, extras } = query.compile(self.line.compiler(), Wanted::Rows)?;
            sink.columns.undefer(extras);
            self.line.open_cursor(&stmt, &binds).await?
        };
        Ok(RowStream { line: &mut self.line, query, cursor: Some(cursor), own, sink, ready: Vec::new().into_iter() })
    }
}

impl<Q: Query> RowStream<'_, Q> {
    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// When the database refuses, or a column holds something that its type cannot read. After an error there are no
    /// more rows.
    pub async fn next(&mut self) -> Result<Option<Q::Row>> {
        loop {
            if let Some(row) = self.ready.next() {
                return Ok(Some(row));
            }
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            match self.line.fetch_cursor(cursor, &mut self.sink).await {
                Ok(more) => {
                    self.ready = std::mem::take(&mut self.sink.out).into_iter();
                    if !more && let Some(cursor) = self.cursor.take() {
                        self.line.close_cursor(cursor, self.own).await?;
                    }
                }
                Err(error) => {
                    self.cursor = None;
                    self.line.leave_cursor(self.own);
                    return Err(self.query.explain(error));
                }
            }
        }
    }
}

impl<Q: Query> Drop for RowStream<'_, Q> {
    fn drop(&mut self) {
        if self.cursor.take().is_some() {
            self.line.leave_cursor(self.own);
        }
    }
}
