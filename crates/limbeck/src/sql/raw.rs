//! SQL written by hand, with bound values.

use std::marker::PhantomData;

use super::compile::{Compiled, Compiler, Query, Wanted};
use super::expression::Operand;
use super::fetch::Fetch;
use super::node::Node;
use super::shape::{Shape, ShapeKind};
use crate::dialect::Dialect;
use crate::driver::Bind;
use crate::error::{Error, Result};
use crate::types::{ColumnType, Kind, Value};

/// A statement written by hand: `sql("SELECT … WHERE id = :id").bind("id", 7)`.
///
/// Values travel apart from the text, always. The text is a `&'static str`, so that no value can get into
/// it by accident; for a text that is put together at run time there is [`trusted`].
#[derive(Clone, Debug)]
#[must_use = "a statement does nothing until a session or a connection runs it"]
pub struct Sql {
    text: std::borrow::Cow<'static, str>,
    binds: Vec<(&'static str, Value<'static>, Kind)>,
}

/// A statement from a literal, with `:name` for each value to [`bind`](Sql::bind).
///
/// Colons in strings, comments, quoted names and `::` casts are left alone.
pub fn sql(text: &'static str) -> Sql {
    Sql { text: text.into(), binds: Vec::new() }
}

/// A statement from a text that was put together at run time. The name is a warning: whoever can write the
/// text can do everything that the database user can.
pub fn trusted(text: String) -> Sql {
    Sql { text: text.into(), binds: Vec::new() }
}

impl Sql {
    /// Binds a value to every `:name` in the text.
    pub fn bind<T: ColumnType, V: Operand<T> + Bound<T>>(mut self, name: &'static str, value: V) -> Self {
        if let Node::Bind(value, kind) = value.into_operand() {
            self.binds.push((name, value, kind));
        }
        self
    }

    /// What its rows become: a tuple, a column's type, or a model.
    ///
    /// Tuples are read by position. For a model the statement is wrapped into a subquery, of which the
    /// model's columns are selected by name; it has to be a SELECT then.
    pub fn rows<T: Fetch>(self) -> RawQuery<T> {
        RawQuery { sql: self, marker: PhantomData }
    }

    /// The text in the database's own placeholders, and the binds in their order.
    fn parse(&self) -> Result<Vec<Piece<'_>>> {
        let pieces = split(&self.text);
        for piece in &pieces {
            if let Piece::Name(name) = piece
                && !self.binds.iter().any(|(bound, ..)| bound == name)
            {
                return Err(Error::Statement(format!("`:{name}` has no value: call `.bind(\"{name}\", …)`")));
            }
        }
        for (bound, ..) in &self.binds {
            if !pieces.iter().any(|piece| matches!(piece, Piece::Name(name) if name == bound)) {
                return Err(Error::Statement(format!("a value is bound to `:{bound}`, which is not in the statement")));
            }
        }
        Ok(pieces)
    }

    fn compile_with<'q>(
        &'q self,
        compiler: Compiler<'_>,
        read_only: bool,
        wrap: Option<(&str, &str)>,
    ) -> Result<Compiled<'q>> {
        let pieces = self.parse()?;
        let mut shape = Shape::new(ShapeKind::Raw);
        shape.byte(u8::from(read_only));
        shape.text(wrap.map_or("", |(before, _)| before));
        shape.text(wrap.map_or("", |(_, after)| after));
        shape.text(&self.text);
        for piece in &pieces {
            if let Piece::Name(name) = piece
                && let Some((_, value, kind)) = self.binds.iter().find(|(bound, ..)| bound == name)
            {
                shape.byte(*kind as u8);
                shape.binds.push(Bind::One(value.borrowed()));
            }
        }
        compiler.statement(shape, read_only, |renderer| {
            renderer.push(wrap.map_or("", |(before, _)| before));
            for piece in &pieces {
                match piece {
                    Piece::Text(text) => {
                        renderer.push(text);
                    }
                    Piece::Name(name) => {
                        if let Some((.., kind)) = self.binds.iter().find(|(bound, ..)| bound == name) {
                            renderer.param(*kind);
                        }
                    }
                }
            }
            renderer.push(wrap.map_or("", |(_, after)| after));
            Ok(())
        })
    }

    pub(crate) fn compile_execute(&self, compiler: Compiler<'_>) -> Result<Compiled<'_>> {
        self.compile_with(compiler, false, None)
    }
}

/// Which Rust values stand for which column type when nothing else says so.
pub trait Bound<T> {}

impl<T: ColumnType> Bound<T> for T {}
impl Bound<String> for &str {}
impl Bound<String> for &String {}

/// A statement written by hand, and what its rows become.
#[derive(Debug)]
#[must_use = "a query does nothing until a session or a connection runs it"]
pub struct RawQuery<T> {
    sql: Sql,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for RawQuery<T> {
    fn clone(&self) -> Self {
        RawQuery { sql: self.sql.clone(), marker: PhantomData }
    }
}

impl<T: Fetch> Query for RawQuery<T> {
    type Row = T;

    fn compile<'q>(&'q self, compiler: Compiler<'_>, wanted: Wanted) -> Result<Compiled<'q>> {
        let (before, after) = match wanted {
            Wanted::Count => ("SELECT count(*) FROM (".to_owned(), ") AS counted"),
            Wanted::Exists => ("SELECT EXISTS (".to_owned(), ")"),
            Wanted::Rows | Wanted::First | Wanted::One => match T::model() {
                None => return self.sql.compile_with(compiler, is_select(&self.sql.text), None),
                Some(model) => (wrapping(compiler.dialect, model), ") AS raw"),
            },
        };
        self.sql.compile_with(compiler, true, Some((&before, after)))
    }
}

/// `SELECT raw.id, raw.name FROM (`: the model's columns by name, in the order in which it reads them.
fn wrapping(dialect: Dialect, model: &'static crate::model::ModelDef) -> String {
    let mut renderer = super::render::Renderer::new(dialect);
    renderer.push("SELECT ").columns(model, "raw").push(" FROM (");
    renderer.sql
}

/// Whether a statement can only read: a SELECT or VALUES. Anything else may write, as a WITH can.
fn is_select(text: &str) -> bool {
    let word: String = text.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("values")
}

#[derive(Debug, PartialEq)]
enum Piece<'s> {
    Text(&'s str),
    Name(&'s str),
}

/// Splits a statement at its `:name`s.
fn split(text: &str) -> Vec<Piece<'_>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"' | b'`') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += 1;
                }
                at += 1;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'$' => at = dollar_quoted(text, at).unwrap_or(at + 1),
            b':' if bytes.get(at + 1) == Some(&b':') => at += 2,
            b':' if bytes.get(at + 1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') => {
                let end =
                    at + 1 + bytes[at + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                pieces.push(Piece::Text(&text[start..at]));
                pieces.push(Piece::Name(&text[at + 1..end]));
                (start, at) = (end, end);
            }
            _ => at += 1,
        }
    }
    pieces.push(Piece::Text(&text[start..]));
    pieces
}

/// The end of a dollar-quoted string that begins at `at`, if one does.
fn dollar_quoted(text: &str, at: usize) -> Option<usize> {
    let tag_end = at + 1 + text[at + 1..].find('$')?;
    let tag = &text[at..=tag_end];
    let name = &tag[1..tag.len() - 1];
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(text[tag_end + 1..].find(tag).map_or(text.len(), |end| tag_end + 1 + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        split(text)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Name(name) => Some(name),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn only_real_placeholders_are_found() {
        assert_eq!(names("SELECT :a, ':no', \":no\", x::text, :b_2 -- :no\n, :a"), ["a", "b_2", "a"]);
        assert_eq!(names("SELECT /* :no */ $$ :no $$, $t$ :no $t$, :yes, $1"), ["yes"]);
        assert_eq!(names("SELECT 'it''s :no', '10:30', :x"), ["x"]);
        assert_eq!(names("SELECT ':unterminated"), Vec::<&str>::new());
    }

    #[test]
    fn what_may_write_is_not_run_twice() {
        assert!(is_select("  SELECT 1"));
        assert!(!is_select("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone"));
        assert!(!is_select("DELETE FROM t RETURNING id"));
    }
}
