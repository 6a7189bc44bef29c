//! What `sql!` makes of its text: pieces of it, and what stands between them.

use super::query::Frame;
use super::value::{Names, RawList, RawValue};
use super::{Sql, Text};
use crate::driver::Bind;
use crate::sql::node::{ColumnRef, Source};
use crate::sql::render::Renderer;
use crate::sql::shape::Shape;
use crate::types::{ColumnType, Kind, Value};

/// What braces stand for.
#[derive(Clone, Debug)]
pub enum Part {
    /// A value.
    #[doc(hidden)]
    Value(Value<'static>, Kind),
    /// `IN` or `NOT IN` and a list.
    #[doc(hidden)]
    List { values: Vec<Value<'static>>, kind: Kind, negated: bool },
    /// A column's name, with that of its table.
    #[doc(hidden)]
    Column(ColumnRef),
    /// A table's name.
    #[doc(hidden)]
    Table(TableName),
}

/// A table, as a statement names it.
#[derive(Clone, Copy, Debug)]
pub struct TableName(pub(crate) Source);

impl Sql {
    /// Used by `sql!`: the texts, between each two of which a part is to come.
    #[doc(hidden)]
    pub fn __of(texts: &'static [&'static str]) -> Self {
        Sql { text: Text::Pieces { texts, parts: Vec::with_capacity(texts.len()) }, binds: Vec::new() }
    }

    /// Used by `sql!`.
    #[doc(hidden)]
    pub fn __value<T: ColumnType, V: RawValue<T> + ?Sized>(self, value: &V) -> Self {
        self.part(Part::Value(value.value(), T::SQL_TYPE.kind()))
    }

    /// Used by `sql!`.
    #[doc(hidden)]
    pub fn __list<T: ColumnType, L: RawList<T> + ?Sized>(self, list: &L, negated: bool) -> Self {
        let mut values = Vec::new();
        list.values(&mut values);
        self.part(Part::List { values, kind: T::SQL_TYPE.kind(), negated })
    }

    /// Used by `sql!`.
    #[doc(hidden)]
    pub fn __name<N: Names>(self, name: &N) -> Self {
        self.part(name.name())
    }

    fn part(mut self, part: Part) -> Self {
        if let Text::Pieces { parts, .. } = &mut self.text {
            parts.push(part);
        }
        self
    }
}

/// The texts, the last of them without the end that a frame has no place for.
fn texts(texts: &'static [&'static str], frame: Frame) -> impl Iterator<Item = &'static str> {
    let last = texts.len().saturating_sub(1);
    texts.iter().enumerate().map(move |(index, text)| if index == last { frame.inner(text) } else { text })
}

pub(super) fn shape<'q>(pieces: &'static [&'static str], parts: &'q [Part], frame: Frame, shape: &mut Shape<'q>) {
    shape.byte(1);
    shape.number(pieces.len() as u64);
    let mut parts = parts.iter();
    for text in texts(pieces, frame) {
        shape.text(text);
        match parts.next() {
            None => {}
            Some(Part::Value(value, kind)) => {
                shape.byte(1);
                kind.write(&mut shape.bytes);
                shape.binds.push(Bind::One(value.borrowed()));
            }
            Some(Part::List { values, kind, negated }) => {
                shape.byte(if *negated { 3 } else { 2 });
                kind.write(&mut shape.bytes);
                shape.binds.push(Bind::Many(values));
            }
            Some(Part::Column(column)) => {
                shape.byte(4);
                source(shape, &column.source());
                shape.number(u64::from(column.index));
            }
            Some(Part::Table(table)) => {
                shape.byte(5);
                source(shape, &table.0);
            }
        }
    }
}

fn source(shape: &mut Shape<'_>, source: &Source) {
    shape.number(source.model.id.get() as u64);
    shape.byte(u8::from(source.alias.is_some()));
    shape.text(source.alias.unwrap_or_default());
}

pub(super) fn render(pieces: &'static [&'static str], parts: &[Part], frame: Frame, renderer: &mut Renderer) {
    let mut parts = parts.iter();
    for text in texts(pieces, frame) {
        renderer.push(text);
        match parts.next() {
            None => &mut *renderer,
            Some(Part::Value(_, kind)) => renderer.param(*kind),
            Some(Part::List { kind, negated, .. }) => renderer.in_list(*kind, *negated),
            Some(Part::Column(column)) => {
                let name = column.model.columns[usize::from(column.index)].name;
                renderer.qualified(column.source().name(), name)
            }
            Some(Part::Table(table)) => renderer.ident(table.0.name()),
        };
    }
}
