//! Operators and functions as data: how each database writes them.
//!
//! Whatever the typed face ([`Expression`](super::Expression)) offers beyond comparisons is an [`Op`] in a static:
//! rendering, shapes and checks know all of them at once, so a new function is its spelling and a method.

use crate::dialect::Dialect;

/// An operator or a function.
#[derive(Debug)]
pub struct Op {
    /// What it is called in messages. Two operators have two names.
    pub name: &'static str,
    /// How tightly it binds its operands.
    pub level: Level,
    /// On SQLite.
    pub sqlite: Spelling,
    /// On PostgreSQL.
    pub postgres: Spelling,
}

impl Op {
    /// An operator that all databases write alike.
    pub const fn new(name: &'static str, level: Level, pattern: &'static str) -> Self {
        Op { name, level, sqlite: Spelling::Pattern(pattern), postgres: Spelling::Pattern(pattern) }
    }

    /// An operator that each database writes in its own way.
    pub const fn differing(name: &'static str, level: Level, sqlite: &'static str, postgres: &'static str) -> Self {
        Op { name, level, sqlite: Spelling::Pattern(sqlite), postgres: Spelling::Pattern(postgres) }
    }

    /// How a database writes it.
    pub(crate) const fn spelling(&self, dialect: Dialect) -> &Spelling {
        match dialect {
            Dialect::Sqlite => &self.sqlite,
            Dialect::Postgres => &self.postgres,
        }
    }
}

/// How a database writes an operator.
#[derive(Debug)]
pub enum Spelling {
    /// `{0}` is the first operand, `{1}` the second; `{*}` is all of them and `{1*}` all but the first, separated by
    /// commas. Operands may come in any order and more than once. `{{` is a brace.
    Pattern(&'static str),
    /// It has none: why, and what to do instead. A statement with it is refused when it is built.
    Missing(&'static str),
}

/// How tightly an operator binds, weakest first. An operand that does not bind more tightly is put in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `NOT`
    Not,
    /// `=`, `<`, `LIKE`, `IN`, `IS`
    Compare,
    /// `||`, `->` and all other operators
    Other,
    /// `+` and `-`
    Add,
    /// `*`, `/` and `%`
    Multiply,
    /// `-x`
    Unary,
    /// A name, a value, a call: its operands stand between parentheses or commas already.
    Atom,
}

impl Level {
    /// Whether `a - b - c` is `(a - b) - c`, so that the first operand may be of the same level.
    pub(crate) const fn leans_left(self) -> bool {
        matches!(self, Level::Add | Level::Multiply)
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(&'static str),
    /// One operand.
    Operand(usize),
    /// All operands from this one on, separated by commas.
    Rest(usize),
}

/// The pieces of a pattern, in order.
pub(crate) fn pieces(pattern: &'static str) -> impl Iterator<Item = Piece> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if rest.starts_with("{{") {
            let (brace, tail) = (&rest[..1], &rest[2..]);
            rest = tail;
            return Some(Piece::Text(brace));
        }
        if let Some(tail) = rest.strip_prefix('{')
            && let Some(end) = tail.find('}')
        {
            let inside = &tail[..end];
            rest = &tail[end + 1..];
            return Some(match inside.strip_suffix('*') {
                Some(from) => Piece::Rest(from.parse().unwrap_or(0)),
                None => Piece::Operand(inside.parse().unwrap_or(0)),
            });
        }
        let end = rest[1..].find('{').map_or(rest.len(), |at| at + 1);
        let (text, tail) = rest.split_at(end);
        rest = tail;
        Some(Piece::Text(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_text_and_operands() {
        let found: Vec<Piece> = pieces("f({1}, {{x}, {*}){2*}").collect();
        let text = Piece::Text;
        assert_eq!(
            found,
            [
                text("f("),
                Piece::Operand(1),
                text(", "),
                text("{"),
                text("x}, "),
                Piece::Rest(0),
                text(")"),
                Piece::Rest(2)
            ]
        );
    }
}
