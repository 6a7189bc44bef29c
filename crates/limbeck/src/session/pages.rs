//! Reading page by page, so that a session need not hold all objects at once.

use std::marker::PhantomData;

use super::Session;
use crate::driver::Row;
use crate::error::Result;
use crate::model::{Model, Tracked};
use crate::sql::Select;
use crate::sql::compile::Wanted;
use crate::sql::paged::Paged;
use crate::types::{Kind, Value};

/// The pages of a query: made by [`Session::pages`].
///
/// It borrows nothing: between pages the session is free to write, to commit, and to
/// [`expunge_all`](Session::expunge_all).
#[derive(Debug)]
pub struct Pages<M> {
    /// The query; what is wrong with it is said by the first page.
    query: Option<Result<Paged>>,
    rows: u64,
    /// How many rows are wanted still.
    left: Option<u64>,
    /// What the page before ended with.
    last: Option<Vec<Value<'static>>>,
    marker: PhantomData<fn() -> M>,
}

impl Session {
    /// The objects of a query in pages of `rows`, each of which begins after the last row of the one before (keyset
    /// pagination): the database finds it by an index, and what is inserted or deleted meanwhile shifts nothing.
    ///
    /// The order is the query's, and then the primary key; its terms are columns. Objects that are read stay in the
    /// session: with [`expunge_all`](Self::expunge_all) between pages, memory stays that of one page.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// # #[derive(Model)]
    /// # struct Post { #[column(primary_key)] id: i64, title: String }
    /// # async fn run(session: &mut limbeck::session::Session) -> limbeck::Result<()> {
    /// let mut pages = session.pages(select(Post).order_by(Post.title), 500);
    /// while let Some(posts) = pages.next(session).await? {
    ///     for post in posts {
    ///         session[post].title.make_ascii_uppercase();
    ///     }
    ///     session.commit().await?;
    ///     session.expunge_all();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages<M: Model>(&self, query: Select<M>, rows: u64) -> Pages<M> {
        let query = Paged::of(query);
        let left = query.as_ref().ok().and_then(Paged::limit);
        Pages { query: Some(query), rows: rows.max(1), left, last: None, marker: PhantomData }
    }
}

impl<M: Model> Pages<M> {
    /// The next page; `None` after the last one. A page is never empty.
    ///
    /// # Errors
    /// [`Error::Statement`](crate::Error::Statement) when the query cannot be read in pages, and as
    /// [`all`](Session::all).
    pub async fn next(&mut self, session: &mut Session) -> Result<Option<Vec<Tracked<M>>>> {
        // A page that could not be read, or whose future was dropped, can be asked for again.
        let query = match &self.query {
            None => return Ok(None),
            Some(Ok(query)) => query.clone(),
            Some(Err(_)) => return self.query.take().map_or(Ok(None), |wrong| wrong.map(|_| None)),
        };
        let rows = self.left.map_or(self.rows, |left| left.min(self.rows));
        if rows == 0 {
            return Ok(None);
        }
        let page = query.page::<M>(rows, self.last.as_deref(), session.line.compiler().dialect);
        let mut tail = Tail { at: M::def().fetched().len(), kinds: query.kinds(), last: None };
        let objects = session.fetch_with(page, Wanted::Rows, Some(&mut tail)).await?;
        if (objects.len() as u64) < rows {
            self.query = None;
        }
        if objects.is_empty() {
            return Ok(None);
        }
        self.left = self.left.map(|left| left.saturating_sub(objects.len() as u64));
        self.last = tail.last;
        Ok(Some(objects))
    }
}

/// The values that the last row ends with.
pub(super) struct Tail {
    at: usize,
    kinds: Vec<Kind>,
    last: Option<Vec<Value<'static>>>,
}

impl Tail {
    pub(super) fn row(&mut self, row: &Row<'_>) -> Result<()> {
        let value = |(index, kind): (usize, &Kind)| {
            let at = self.at + index;
            row.cell(at).value(*kind).map_err(|source| crate::Error::Decode {
                table: String::new(),
                column: row.name(at).to_owned(),
                source: source.at(at),
            })
        };
        self.last = Some(self.kinds.iter().enumerate().map(value).collect::<Result<_>>()?);
        Ok(())
    }
}
