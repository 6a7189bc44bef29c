//! SQL written by hand, with bound values.
//!
//! There are three ways to a text, and none by which a value could get into it unseen: the macro [`sql!`](crate::sql!),
//! whose braces are bound values; the function [`sql`], whose text is a literal with `:name`s; and [`trusted`], whose
//! name is a warning. Whatever the way, the values travel apart from the text.

mod pieces;
mod query;
mod split;
mod value;

use std::borrow::Cow;

pub use query::RawQuery;
pub use value::{Bound, Names, RawList, RawValue};

use super::compile::{Compiled, Compiler};
use super::fetch::Fetch;
use super::node::Node;
use super::render::Renderer;
use super::shape::{Shape, ShapeKind};
use crate::dialect::Dialect;
use crate::driver::{Access, Bind};
use crate::error::{Error, Result};
use crate::types::{Kind, Value};
use pieces::Part;
use query::Frame;
use split::{Piece, split};

/// A statement written by hand: `sql!("SELECT … WHERE id = {id}")`, or `sql("SELECT … WHERE id = :id").bind("id", 7)`.
///
/// [`rows`](Sql::rows) says what its rows become; a statement without rows is run by `session.execute` or
/// `connection.execute_sql`.
#[derive(Clone, Debug)]
#[must_use = "a statement does nothing until a session or a connection runs it"]
pub struct Sql {
    text: Text,
    binds: Vec<(&'static str, Value<'static>, Kind)>,
}

/// The text of a statement.
#[derive(Clone, Debug)]
enum Text {
    /// With `:name`s, whose values are in `binds`.
    Named(Cow<'static, str>),
    /// Of `sql!`: a part between each two texts.
    Pieces { texts: &'static [&'static str], parts: Vec<Part> },
}

/// A text that is known when the program is compiled, so that no value can have got into it.
#[diagnostic::on_unimplemented(
    message = "the text of a statement is a literal, and this is a `{Self}`",
    label = "expected a literal: bind values by `sql!(\"… {{value}}\")` or `sql(\"… :value\").bind(\"value\", value)`",
    note = "for a text that is put together at run time there is `limbeck::sql::trusted(text)`"
)]
pub trait Literal {
    /// The text.
    fn text(self) -> &'static str;
}

#[diagnostic::do_not_recommend]
impl Literal for &'static str {
    fn text(self) -> &'static str {
        self
    }
}

/// A statement from a literal, with `:name` for each value to [`bind`](Sql::bind). Where the values are at hand,
/// [`sql!`](crate::sql!) is shorter; this one makes a statement that can be kept and run with other values.
///
/// Colons in strings, comments, quoted names and `::` casts are left alone. A slice of an array whose end is a
/// name, `a[1:n]`, needs a space: `a[1 : n]`.
pub fn sql(text: impl Literal) -> Sql {
    Sql { text: Text::Named(text.text().into()), binds: Vec::new() }
}

/// A statement from a text that was put together at run time. The name is a warning: whoever can write the
/// text can do everything that the database user can.
pub fn trusted(text: String) -> Sql {
    Sql { text: Text::Named(text.into()), binds: Vec::new() }
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

    /// What its rows become: a tuple, a column's type, a model, or a struct with
    /// [`derive(FromRow)`](super::FromRow).
    ///
    /// Tuples are read by position, a `FromRow` by the names of the columns. For a model the statement is wrapped into
    /// a subquery, of which the model's columns are selected by name; it has to be a SELECT then.
    pub fn rows<T: Fetch>(self) -> RawQuery<T> {
        RawQuery::new(self)
    }

    /// The named text, split at its names, each of which has a value.
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
        let is_there = |name: &str| pieces.iter().any(|piece| matches!(piece, Piece::Name(found) if *found == name));
        self.all_there(text, is_there)?;
        Ok(pieces)
    }

    /// Refuses values that are bound to nothing.
    fn all_there(&self, text: &str, is_there: impl Fn(&str) -> bool) -> Result<()> {
        match self.binds.iter().find(|(bound, ..)| !is_there(bound)) {
            None => Ok(()),
            Some((bound, ..)) => Err(Error::Statement(format!(
                "a value is bound to `:{bound}`, which is not in the statement\n  in: {text}"
            ))),
        }
    }

    fn bound(&self, name: &str) -> Option<(&Value<'static>, Kind)> {
        self.binds.iter().find(|(bound, ..)| *bound == name).map(|(_, value, kind)| (value, *kind))
    }

    /// The text's beginning: enough to see what kind of statement it is.
    fn begin(&self) -> &str {
        match &self.text {
            Text::Named(text) => text,
            Text::Pieces { texts, .. } => texts.first().copied().unwrap_or_default(),
        }
    }

    fn compile_in(&self, compiler: Compiler<'_>, frame: Frame, access: Access) -> Result<Compiled<'_>> {
        let mut shape = Shape::new(ShapeKind::Raw);
        frame.shape(&mut shape);
        let text = match &self.text {
            Text::Named(text) => text,
            Text::Pieces { texts, parts } => {
                self.all_there(&texts.join("{}"), |_| false)?;
                pieces::shape(texts, parts, frame, &mut shape);
                return compiler.statement(shape, access, |renderer| {
                    frame.before(renderer);
                    pieces::render(texts, parts, frame, renderer);
                    frame.after(renderer);
                    Ok(())
                });
            }
        };
        let text = frame.inner(text);
        let pieces = self.parse(text, compiler.dialect)?;
        shape.byte(0);
        shape.text(text);
        for piece in &pieces {
            if let Piece::Name(name) = piece
                && let Some((value, kind)) = self.bound(name)
            {
                kind.write(&mut shape.bytes);
                shape.binds.push(Bind::One(value.borrowed()));
            }
        }
        compiler.statement(shape, access, |renderer| {
            frame.before(renderer);
            self.render(&pieces, renderer);
            frame.after(renderer);
            Ok(())
        })
    }

    fn render(&self, pieces: &[Piece<'_>], renderer: &mut Renderer) {
        for piece in pieces {
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
    }

    pub(crate) fn compile_execute(&self, compiler: Compiler<'_>) -> Result<Compiled<'_>> {
        self.compile_in(compiler, Frame::None, Access::Writes)
    }
}
