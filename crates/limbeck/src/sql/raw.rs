//! SQL written by hand, with bound values.

use std::marker::PhantomData;

use super::compile::{Compiled, Compiler, Query, Wanted};
use super::expression::Operand;
use super::fetch::Fetch;
use super::node::Node;
use super::render::Renderer;
use super::shape::{Shape, ShapeKind};
use crate::dialect::Dialect;
use crate::driver::{Access, Bind};
use crate::error::{Error, Result};
use crate::model::ModelDef;
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
/// Colons in strings, comments, quoted names and `::` casts are left alone. A slice of an array whose end is a
/// name, `a[1:n]`, needs a space: `a[1 : n]`.
pub fn sql(text: &'static str) -> Sql {
    Sql { text: text.into(), binds: Vec::new() }
}

/// A statement from a text that was put together at run time. The name is a warning: whoever can write the
/// text can do everything that the database user can.
pub fn trusted(text: String) -> Sql {
    Sql { text: text.into(), binds: Vec::new() }
}

impl Sql {
    /// Binds a value to every `:name` in the text. Bound again, the name has the later value, so that a statement
    /// can be kept and run with others.
    pub fn bind<T, V: Bound<T>>(mut self, name: &'static str, value: V) -> Self {
        if let Node::Bind(value, kind) = value.into_operand() {
            self.binds.retain(|(bound, ..)| *bound != name);
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

    /// The text, split at its names, each of which has a value.
    fn parse<'s>(&self, text: &'s str, dialect: Dialect) -> Result<Vec<Piece<'s>>> {
        let pieces = split(text, dialect);
        for piece in &pieces {
            if let Piece::Name(name) = piece
                && self.bound(name).is_none()
            {
                return Err(Error::Statement(format!(
                    "`:{name}` has no value: call `.bind(\"{name}\", …)`\n  in: {text}"
                )));
            }
        }
        for (bound, ..) in &self.binds {
            if !pieces.iter().any(|piece| matches!(piece, Piece::Name(name) if name == bound)) {
                return Err(Error::Statement(format!(
                    "a value is bound to `:{bound}`, which is not in the statement\n  in: {text}"
                )));
            }
        }
        Ok(pieces)
    }

    fn bound(&self, name: &str) -> Option<(&Value<'static>, Kind)> {
        self.binds.iter().find(|(bound, ..)| *bound == name).map(|(_, value, kind)| (value, *kind))
    }

    fn compile_in(&self, compiler: Compiler<'_>, frame: Frame, access: Access) -> Result<Compiled<'_>> {
        let text = frame.inner(&self.text);
        let pieces = self.parse(text, compiler.dialect)?;
        let mut shape = Shape::new(ShapeKind::Raw);
        frame.shape(&mut shape);
        shape.text(text);
        for piece in &pieces {
            if let Piece::Name(name) = piece
                && let Some((value, kind)) = self.bound(name)
            {
                shape.byte(kind as u8);
                shape.binds.push(Bind::One(value.borrowed()));
            }
        }
        compiler.statement(shape, access, |renderer| {
            frame.before(renderer);
            for piece in &pieces {
                match piece {
                    Piece::Text(text) => {
                        renderer.push(text);
                    }
                    Piece::Name(name) => {
                        if let Some((_, kind)) = self.bound(name) {
                            renderer.param(kind);
                        }
                    }
                }
            }
            frame.after(renderer);
            Ok(())
        })
    }

    pub(crate) fn compile_execute(&self, compiler: Compiler<'_>) -> Result<Compiled<'_>> {
        self.compile_in(compiler, Frame::None, Access::Writes)
    }
}

/// What is put around a statement.
#[derive(Clone, Copy)]
enum Frame {
    None,
    Count,
    Exists,
    /// The model's columns by name, in the order in which it reads them.
    Model(&'static ModelDef),
}

impl Frame {
    /// A statement as it can stand in parentheses: without the semicolon at its end.
    fn inner(self, text: &str) -> &str {
        match self {
            Frame::None => text,
            _ => text.trim_end().trim_end_matches(';'),
        }
    }

    fn shape(self, shape: &mut Shape<'_>) {
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

    fn before(self, renderer: &mut Renderer) {
        match self {
            Frame::None => renderer,
            Frame::Count => renderer.push("SELECT count(*) FROM ("),
            Frame::Exists => renderer.push("SELECT EXISTS ("),
            Frame::Model(model) => renderer.push("SELECT ").columns(model, "raw").push(" FROM ("),
        };
    }

    /// The parenthesis is on a line of its own: the statement may end in a `--` comment.
    fn after(self, renderer: &mut Renderer) {
        match self {
            Frame::None => renderer,
            Frame::Count => renderer.push("\n) AS counted"),
            Frame::Exists => renderer.push("\n)"),
            Frame::Model(_) => renderer.push("\n) AS raw"),
        };
    }
}

/// A value that can be bound by itself, and the column type `T` as which it is sent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a statement",
    label = "expected a value of a column's type (i64, &str, Option of one, …)"
)]
pub trait Bound<T>: Operand<T> {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType> Bound<T> for T {}
#[diagnostic::do_not_recommend]
impl<T: ColumnType> Bound<T> for &T {}
#[diagnostic::do_not_recommend]
impl Bound<String> for &str {}
#[diagnostic::do_not_recommend]
impl Bound<String> for Option<&str> {}

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
        let frame = match (wanted, T::model()) {
            (Wanted::Count, _) => Frame::Count,
            (Wanted::Exists, _) => Frame::Exists,
            (Wanted::Rows | Wanted::First | Wanted::One, Some(model)) => Frame::Model(model),
            (Wanted::Rows | Wanted::First | Wanted::One, None) => Frame::None,
        };
        let selects = !matches!(frame, Frame::None) || is_select(&self.sql.text);
        self.sql.compile_in(compiler, frame, if selects { Access::Selects } else { Access::Writes })
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

#[derive(Debug, PartialEq)]
enum Piece<'s> {
    Text(&'s str),
    Name(&'s str),
}

/// Splits a statement at its `:name`s.
fn split(text: &str, dialect: Dialect) -> Vec<Piece<'_>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        at = match bytes[at] {
            b'\'' if dialect == Dialect::Postgres && has_escapes(bytes, at) => quoted(bytes, at, Some(b'\\')),
            b'\'' | b'"' | b'`' => quoted(bytes, at, None),
            b'[' if dialect == Dialect::Sqlite => text[at..].find(']').map_or(bytes.len(), |end| at + end + 1),
            b'-' if bytes[at..].starts_with(b"--") => text[at..].find('\n').map_or(bytes.len(), |end| at + end),
            b'/' if bytes[at..].starts_with(b"/*") => comment(bytes, at, dialect),
            b'$' if dialect == Dialect::Postgres => dollar_quoted(text, at).unwrap_or(at + 1),
            b':' if bytes[at..].starts_with(b"::") => at + 2,
            b':' => {
                let name = &text[at + 1..at + 1 + name_length(&bytes[at + 1..])];
                if !name.is_empty() {
                    pieces.push(Piece::Text(&text[start..at]));
                    pieces.push(Piece::Name(name));
                    start = at + 1 + name.len();
                }
                at + 1 + name.len()
            }
            _ => at + 1,
        };
    }
    pieces.push(Piece::Text(&text[start..]));
    pieces
}

/// How many bytes of an identifier the text begins with.
fn name_length(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        }
        _ => 0,
    }
}

/// Whether the quote at `at` begins an `E'…'` string, in which a backslash takes away what the next character means.
fn has_escapes(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or(b' ', |i| bytes[i]);
    matches!(before(1), b'E' | b'e') && !(before(2).is_ascii_alphanumeric() || before(2) == b'_')
}

/// The end of what is quoted from `at` on. A doubled quote is the end of one text and the begin of the next.
fn quoted(bytes: &[u8], at: usize, escape: Option<u8>) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != bytes[at] {
        end += if Some(bytes[end]) == escape { 2 } else { 1 };
    }
    (end + 1).min(bytes.len())
}

/// The end of the comment that begins at `at`. PostgreSQL nests them.
fn comment(bytes: &[u8], at: usize, dialect: Dialect) -> usize {
    let (mut end, mut depth) = (at + 2, 1);
    while end < bytes.len() {
        if bytes[end..].starts_with(b"*/") {
            depth -= 1;
            end += 2;
            if depth == 0 {
                return end;
            }
        } else if dialect == Dialect::Postgres && bytes[end..].starts_with(b"/*") {
            depth += 1;
            end += 2;
        } else {
            end += 1;
        }
    }
    bytes.len()
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

    fn names(text: &str, dialect: Dialect) -> Vec<&str> {
        split(text, dialect)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Name(name) => Some(name),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn only_real_placeholders_are_found() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let names = |text| names(text, dialect);
            assert_eq!(names("SELECT :a, ':no', \":no\", x::text, :b_2 -- :no\n, :a"), ["a", "b_2", "a"]);
            assert_eq!(names("SELECT 'it''s :no', '10:30', :x"), ["x"]);
            assert_eq!(names("SELECT ':unterminated"), Vec::<&str>::new());
            assert_eq!(names("SELECT /* :no */ :yes, 'é' || :é_is_no_name, ' :no"), ["yes"]);
            assert_eq!(names(":a-:b/:c -- :no"), ["a", "b", "c"]);
        }
    }

    #[test]
    fn each_database_quotes_in_its_own_way() {
        assert_eq!(names("SELECT $$ :no $$, $t$ :no $t$, :yes, $1", Dialect::Postgres), ["yes"]);
        assert_eq!(names(r"SELECT E'\' :no', e'\\', :yes, name'\', :x'", Dialect::Postgres), ["yes", "x"]);
        assert_eq!(names("SELECT /* /* :no */ :no */ :yes, a[:n]", Dialect::Postgres), ["yes", "n"]);
        assert_eq!(names("SELECT [:no], $a, $b, /* /* :no */ :yes", Dialect::Sqlite), ["yes"]);
    }

    #[test]
    fn what_may_write_is_not_run_twice() {
        assert!(is_select("  SELECT 1"));
        assert!(!is_select("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone"));
        assert!(!is_select("DELETE FROM t RETURNING id"));
    }
}
