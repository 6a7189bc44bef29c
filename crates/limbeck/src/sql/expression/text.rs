//! Text: patterns, and functions of text.

use super::core::{Expr, Expression};
use super::number::Plus;
use super::operand::{Arguments, Operand};
use crate::sql::node::Node;
use crate::sql::op::{Level, Op};
use crate::types::{ColumnType, Kind, Value};

static CONCAT: Op = Op::new("||", Level::Other, "{0} || {1}");
static CONCAT_ALL: Op = Op::new("concat", Level::Atom, "concat({*})");
static LIKE: Op = Op::new("like", Level::Compare, "{0} LIKE {1}");
static NOT_LIKE: Op = Op::new("not_like", Level::Compare, "{0} NOT LIKE {1}");
static ILIKE: Op = Op::differing("ilike", Level::Compare, "{0} LIKE {1}", "{0} ILIKE {1}");
static NOT_ILIKE: Op = Op::differing("not_ilike", Level::Compare, "{0} NOT LIKE {1}", "{0} NOT ILIKE {1}");
static LIKE_ESCAPE: Op = Op::new("like_escape", Level::Compare, "{0} LIKE {1} ESCAPE {2}");
static ILIKE_ESCAPE: Op =
    Op::differing("ilike_escape", Level::Compare, "{0} LIKE {1} ESCAPE {2}", "{0} ILIKE {1} ESCAPE {2}");
/// A pattern that was made of a value: `/` is what [`escaped`] writes before a wildcard.
static LIKE_SLASH: Op = Op::new("like with /", Level::Compare, "{0} LIKE {1} ESCAPE '/'");
/// The same where the database has to do it.
static ESCAPED: Op = Op::new("escaped", Level::Atom, "replace(replace(replace({0}, '/', '//'), '%', '/%'), '_', '/_')");
static BEFORE_ANY: Op = Op::new("_%", Level::Other, "{0} || '%'");
static AFTER_ANY: Op = Op::new("%_", Level::Other, "'%' || {0}");
static WITHIN_ANY: Op = Op::new("%_%", Level::Other, "'%' || {0} || '%'");
static LOWER: Op = Op::new("lower", Level::Atom, "lower({0})");
static UPPER: Op = Op::new("upper", Level::Atom, "upper({0})");
static TRIM: Op = Op::new("trim", Level::Atom, "trim({0})");
static TRIM_START: Op = Op::new("ltrim", Level::Atom, "ltrim({0})");
static TRIM_END: Op = Op::new("rtrim", Level::Atom, "rtrim({0})");
static LENGTH: Op = Op::new("length", Level::Atom, "length({0})");
static SUBSTR: Op = Op::new("substr", Level::Atom, "substr({0}, {1}, {2})");
static SUBSTR_FROM: Op = Op::new("substr from", Level::Atom, "substr({0}, {1})");
static REPLACE: Op = Op::new("replace", Level::Atom, "replace({0}, {1}, {2})");
static POSITION: Op = Op::differing("position", Level::Atom, "instr({0}, {1})", "strpos({0}, {1})");

/// A type that is text: `String`, or `Option<String>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text",
    label = "expected a column or an expression of type String; `.cast::<String>()` makes one of others"
)]
pub trait Text: ColumnType<Base = String> {}

#[diagnostic::do_not_recommend]
impl<T: ColumnType<Base = String>> Text for T {}

impl Plus for String {
    type Other = String;
    type Output = String;
    const PLUS: &'static Op = &CONCAT;
}

/// What a function of text gives: `T`, and NULL where the text may be.
type Same<E, T> = Expr<<<E as Expression>::Type as ColumnType>::Null<T>>;

/// Patterns, and functions of text.
///
/// # Case
///
/// SQLite's `LIKE` ignores the case of ASCII letters, PostgreSQL's does not; that goes for all that is made of it here
/// ([`like`](Self::like), [`starts_with`](Self::starts_with), [`contains`](super::ContainsExpression::contains) …).
/// [`ilike`](Self::ilike) ignores case on both, on SQLite of ASCII letters only. [`lower`](Self::lower) and
/// [`upper`](Self::upper) change ASCII letters on SQLite, and on PostgreSQL what the database's locale says.
pub trait TextExpression: Expression {
    /// `LIKE`, with `%` for any text and `_` for any character. In a pattern PostgreSQL takes a backslash for the sign
    /// that makes the next character an ordinary one, SQLite none: see [`like_escape`](Self::like_escape).
    fn like<V: Operand<String>>(self, pattern: V) -> Expr<bool>
    where
        Self::Type: Text,
    {
        Expr::op(&LIKE, vec![self.into_node(), pattern.into_operand()])
    }

    /// `NOT LIKE`
    fn not_like<V: Operand<String>>(self, pattern: V) -> Expr<bool>
    where
        Self::Type: Text,
    {
        Expr::op(&NOT_LIKE, vec![self.into_node(), pattern.into_operand()])
    }

    /// `LIKE` without regard to case. PostgreSQL: `ILIKE`; SQLite: `LIKE`, which is so for ASCII letters.
    fn ilike<V: Operand<String>>(self, pattern: V) -> Expr<bool>
    where
        Self::Type: Text,
    {
        Expr::op(&ILIKE, vec![self.into_node(), pattern.into_operand()])
    }

    /// The opposite of [`ilike`](Self::ilike).
    fn not_ilike<V: Operand<String>>(self, pattern: V) -> Expr<bool>
    where
        Self::Type: Text,
    {
        Expr::op(&NOT_ILIKE, vec![self.into_node(), pattern.into_operand()])
    }

    /// `LIKE … ESCAPE …`: after `escape` a `%` or `_` in the pattern is an ordinary character.
    fn like_escape<V: Operand<String>>(self, pattern: V, escape: char) -> Expr<bool>
    where
        Self::Type: Text,
    {
        Expr::op(&LIKE_ESCAPE, vec![self.into_node(), pattern.into_operand(), character(escape)])
    }

    /// [`ilike`](Self::ilike) with an escape character.
    fn ilike_escape<V: Operand<String>>(self, pattern: V, escape: char) -> Expr<bool>
    where
        Self::Type: Text,
    {
        Expr::op(&ILIKE_ESCAPE, vec![self.into_node(), pattern.into_operand(), character(escape)])
    }

    /// Whether the text begins with the other one, in which `%` and `_` mean themselves.
    fn starts_with<V: Operand<String>>(self, prefix: V) -> Expr<bool>
    where
        Self::Type: Text,
    {
        like_part(self.into_node(), "", prefix.into_operand(), "%", &BEFORE_ANY)
    }

    /// Whether the text ends with the other one, in which `%` and `_` mean themselves.
    fn ends_with<V: Operand<String>>(self, suffix: V) -> Expr<bool>
    where
        Self::Type: Text,
    {
        like_part(self.into_node(), "%", suffix.into_operand(), "", &AFTER_ANY)
    }

    /// This text and the other one after it, `||`; the operator `+` does the same. With one of them NULL it is NULL;
    /// the function [`concat`](fn@super::concat) leaves NULLs out.
    fn concat<V: Operand<String>>(self, other: V) -> Same<Self, V::Null<String>>
    where
        Self::Type: Text,
    {
        Expr::op(&CONCAT, vec![self.into_node(), other.into_operand()])
    }

    /// In lower case. SQLite: ASCII letters only.
    fn lower(self) -> Same<Self, String>
    where
        Self::Type: Text,
    {
        Expr::op(&LOWER, vec![self.into_node()])
    }

    /// In upper case. SQLite: ASCII letters only.
    fn upper(self) -> Same<Self, String>
    where
        Self::Type: Text,
    {
        Expr::op(&UPPER, vec![self.into_node()])
    }

    /// Without spaces at its beginning and end. Other white space stays.
    fn trim(self) -> Same<Self, String>
    where
        Self::Type: Text,
    {
        Expr::op(&TRIM, vec![self.into_node()])
    }

    /// Without spaces at its beginning.
    fn trim_start(self) -> Same<Self, String>
    where
        Self::Type: Text,
    {
        Expr::op(&TRIM_START, vec![self.into_node()])
    }

    /// Without spaces at its end.
    fn trim_end(self) -> Same<Self, String>
    where
        Self::Type: Text,
    {
        Expr::op(&TRIM_END, vec![self.into_node()])
    }

    /// The number of its characters.
    fn length(self) -> Same<Self, i32>
    where
        Self::Type: Text,
    {
        Expr::op(&LENGTH, vec![self.into_node()])
    }

    /// So many characters from a place on, as SQL counts: the first is 1. What lies beyond the ends is left out; a
    /// place before 1 means other things on other databases.
    fn substr<A: Operand<i32>, B: Operand<i32>>(self, start: A, length: B) -> Same<Self, A::Null<B::Null<String>>>
    where
        Self::Type: Text,
    {
        Expr::op(&SUBSTR, vec![self.into_node(), start.into_operand(), length.into_operand()])
    }

    /// All characters from a place on; the first is 1.
    fn substr_from<A: Operand<i32>>(self, start: A) -> Same<Self, A::Null<String>>
    where
        Self::Type: Text,
    {
        Expr::op(&SUBSTR_FROM, vec![self.into_node(), start.into_operand()])
    }

    /// With every occurrence of a text replaced by another.
    fn replace<A: Operand<String>, B: Operand<String>>(self, from: A, to: B) -> Same<Self, A::Null<B::Null<String>>>
    where
        Self::Type: Text,
    {
        Expr::op(&REPLACE, vec![self.into_node(), from.into_operand(), to.into_operand()])
    }

    /// Where the other text begins in this one, from 1; 0 where it does not. PostgreSQL: `strpos`, SQLite: `instr`.
    fn position<V: Operand<String>>(self, other: V) -> Same<Self, V::Null<i32>>
    where
        Self::Type: Text,
    {
        Expr::op(&POSITION, vec![self.into_node(), other.into_operand()])
    }
}

impl<E: Expression> TextExpression for E {}

/// Texts (and other values, as the database writes them) one after the other. NULLs are left out, so it is never NULL.
pub fn concat(parts: impl Arguments) -> Expr<String> {
    Expr::op(&CONCAT_ALL, parts.into_arguments())
}

/// A type that has `contains`: text, arrays, and JSON on PostgreSQL.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` contains nothing",
    label = "expected a column or an expression that is text, an array or JSON"
)]
pub trait Container: ColumnType {
    /// The condition that one node contains another.
    #[doc(hidden)]
    fn contains(whole: Node, part: Node) -> Expr<bool>;
}

#[diagnostic::do_not_recommend]
impl Container for String {
    fn contains(whole: Node, part: Node) -> Expr<bool> {
        like_part(whole, "%", part, "%", &WITHIN_ANY)
    }
}

/// What contains something.
pub trait ContainsExpression: Expression {
    /// Whether this contains the other one, which is of the same type.
    ///
    /// - A text contains a part of it, in which `%` and `_` mean themselves (`LIKE '%…%'`; for case see
    ///   [`TextExpression`]).
    /// - An array contains an array when it has each of its elements (PostgreSQL: `@>`).
    /// - A JSON object contains one of some of its members (PostgreSQL: `@>`; SQLite has nothing like it, which is an
    ///   error when the statement is built).
    fn contains<V: Operand<<Self::Type as ColumnType>::Base>>(self, part: V) -> Expr<bool>
    where
        <Self::Type as ColumnType>::Base: Container,
    {
        <Self::Type as ColumnType>::Base::contains(self.into_node(), part.into_operand())
    }
}

impl<E: Expression> ContainsExpression for E {}

/// `LIKE` a text with any text before or after it, in which wildcards are ordinary characters.
fn like_part(text: Node, before: &str, part: Node, after: &str, around: &'static Op) -> Expr<bool> {
    let pattern = match part {
        Node::Bind(Value::Text(part), kind) => {
            Node::Bind(Value::Text(format!("{before}{}{after}", escaped(&part)).into()), kind)
        }
        part => Node::Op(around, vec![Node::Op(&ESCAPED, vec![part])]),
    };
    Expr::op(&LIKE_SLASH, vec![text, pattern])
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '/' | '%' | '_') {
            out.push('/');
        }
        out.push(c);
    }
    out
}

fn character(c: char) -> Node {
    Node::Bind(Value::Text(c.to_string().into()), Kind::Text)
}
