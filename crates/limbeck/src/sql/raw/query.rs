//! A statement written by hand as a query: what its rows become, and what is put around it for that.

use std::marker::PhantomData;

use super::Sql;
use crate::driver::Access;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::sql::compile::{Compiled, Compiler, Query, Wanted};
use crate::sql::fetch::Fetch;
use crate::sql::render::Renderer;
use crate::sql::shape::Shape;

/// A statement written by hand, and what its rows become.
#[derive(Debug)]
#[must_use = "a query does nothing until a session or a connection runs it"]
pub struct RawQuery<T> {
    sql: Sql,
    marker: PhantomData<fn() -> T>,
}

impl<T> RawQuery<T> {
    pub(super) fn new(sql: Sql) -> Self {
        RawQuery { sql, marker: PhantomData }
    }
}

impl<T> Clone for RawQuery<T> {
    fn clone(&self) -> Self {
        RawQuery::new(self.sql.clone())
    }
}

impl<T: Fetch> Query for RawQuery<T> {
    type Row = T;

    fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>> {
        let frame = match (wanted, T::model()) {
            (Wanted::Count, _) => Frame::Count,
            (Wanted::Exists, _) => Frame::Exists,
            (Wanted::Rows | Wanted::First | Wanted::One, Some(model)) => Frame::Model(model),
            (Wanted::Rows | Wanted::First | Wanted::One, None) => Frame::None,
        };
        let selects = !matches!(frame, Frame::None) || is_select(self.sql.begin());
        self.sql.compile_in(compiler, frame, if selects { Access::Selects } else { Access::Writes })
    }

    fn is_by_name(&self) -> bool {
        true
    }

    fn explain(&self, error: Error) -> Error {
        let mut said = match error {
            Error::Database(said) => said,
            other => return other,
        };
        // The statement lacks a column that the frame around it asks for.
        if let Some(model) = T::model()
            && said.message.contains("raw.")
        {
            let columns: Vec<&str> = model.fetched().iter().map(|column| column.name).collect();
            said.message.push_str(&format!("; a `{}` needs the columns {}", model.name, columns.join(", ")));
        }
        Error::Database(said)
    }
}

/// Whether a statement can only read: a SELECT or VALUES. Anything else may write, as a WITH can.
fn is_select(text: &str) -> bool {
    let word: String = text.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("values")
}

/// What is put around a statement.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    None,
    Count,
    Exists,
    /// The model's columns by name, in the order in which it reads them.
    Model(&'static ModelDef),
}

impl Frame {
    /// A statement as it can stand in parentheses: without the semicolon at its end.
    pub(super) fn inner(self, text: &str) -> &str {
        match self {
            Frame::None => text,
            _ => text.trim_end().trim_end_matches(';'),
        }
    }

    pub(super) fn shape(self, shape: &mut Shape<'_>) {
        match self {
            Frame::None => shape.byte(0),
            Frame::Count => shape.byte(1),
            Frame::Exists => shape.byte(2),
            Frame::Model(model) => {
                shape.byte(3);
                shape.number(model.id.get() as u64);
            }
        }
    }

    pub(super) fn before(self, renderer: &mut Renderer) {
        match self {
            Frame::None => renderer,
            Frame::Count => renderer.push("SELECT count(*) FROM ("),
            Frame::Exists => renderer.push("SELECT EXISTS ("),
            Frame::Model(model) => renderer.push("SELECT ").columns(model, "raw").push(" FROM ("),
        };
    }

    /// The parenthesis is on a line of its own: the statement may end in a `--` comment.
    pub(super) fn after(self, renderer: &mut Renderer) {
        match self {
            Frame::None => renderer,
            Frame::Count => renderer.push("\n) AS counted"),
            Frame::Exists => renderer.push("\n)"),
            Frame::Model(_) => renderer.push("\n) AS raw"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_write_is_not_run_twice() {
        assert!(is_select("  SELECT 1"));
        assert!(!is_select("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone"));
        assert!(!is_select("DELETE FROM t RETURNING id"));
    }
}
