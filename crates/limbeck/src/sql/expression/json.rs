//! JSON: paths into a value, and what is found there.

use serde_json::Value as Json;

use super::core::{Expr, Expression};
use super::form::{Form, Step};
use super::operand::Operand;
use super::text::Container;
use crate::sql::node::Node;
use crate::sql::op::{Level, Op, Spelling};
use crate::types::ColumnType;

// The casts to jsonb do nothing for a column that is one.
static INTEGER: Op = Op::differing(
    "a JSON integer",
    Level::Atom,
    "CASE json_type({0}) WHEN 'integer' THEN json_extract({0}, '$') \
     WHEN 'real' THEN CAST(json_extract({0}, '$') AS INTEGER) END",
    "CASE jsonb_typeof(CAST({0} AS jsonb)) WHEN 'number' THEN \
     CAST(trunc(CAST(CAST({0} AS jsonb) AS numeric)) AS int8) END",
);
static FLOAT: Op = Op::differing(
    "a JSON number",
    Level::Atom,
    "CASE WHEN json_type({0}) IN ('integer', 'real') THEN CAST(json_extract({0}, '$') AS REAL) END",
    "CASE jsonb_typeof(CAST({0} AS jsonb)) WHEN 'number' THEN CAST(CAST({0} AS jsonb) AS float8) END",
);
static BOOLEAN: Op = Op::differing(
    "a JSON boolean",
    Level::Atom,
    "CASE json_type({0}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END",
    "CASE jsonb_typeof(CAST({0} AS jsonb)) WHEN 'boolean' THEN CAST(CAST({0} AS jsonb) AS bool) END",
);
static KIND: Op = Op::differing(
    "the kind of JSON",
    Level::Atom,
    "CASE json_type({0}) WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' WHEN 'integer' THEN 'number' \
     WHEN 'real' THEN 'number' WHEN 'text' THEN 'string' ELSE json_type({0}) END",
    "jsonb_typeof(CAST({0} AS jsonb))",
);
static LENGTH: Op = Op::differing(
    "the length of a JSON array",
    Level::Atom,
    "CASE json_type({0}) WHEN 'array' THEN json_array_length({0}) END",
    "CASE jsonb_typeof(CAST({0} AS jsonb)) WHEN 'array' THEN jsonb_array_length(CAST({0} AS jsonb)) END",
);
/// The value, the member, the key.
static HAS_KEY: Op =
    Op::differing("has_key", Level::Other, "iif({0} IS NULL, NULL, {1} IS NOT NULL)", "CAST({0} AS jsonb) ? {2}");
static CONTAINS: Op = Op {
    name: "`contains` of JSON",
    level: Level::Other,
    sqlite: Spelling::Missing("it has nothing like it; compare the parts, as in `.get(\"a\").text().eq(…)`"),
    postgres: Spelling::Pattern("CAST({0} AS jsonb) @> CAST({1} AS jsonb)"),
};

/// A type that is JSON: `serde_json::Value` and [`Json<T>`](crate::types::Json).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not JSON",
    label = "expected a column or an expression of type `serde_json::Value` or `Json<…>`"
)]
pub trait JsonType: ColumnType {}

#[diagnostic::do_not_recommend]
impl JsonType for Json {}

#[diagnostic::do_not_recommend]
impl<T> JsonType for crate::types::Json<T> where crate::types::Json<T>: ColumnType {}

#[diagnostic::do_not_recommend]
impl Container for Json {
    fn contains(whole: Node, part: Node) -> Expr<bool> {
        Expr::op(&CONTAINS, vec![whole, part])
    }
}

#[diagnostic::do_not_recommend]
impl<T> Container for crate::types::Json<T>
where
    crate::types::Json<T>: ColumnType,
{
    fn contains(whole: Node, part: Node) -> Expr<bool> {
        Expr::op(&CONTAINS, vec![whole, part])
    }
}

/// Paths into JSON. What is not there is NULL, and so is what is not of the kind that is asked for.
///
/// ```
/// # use limbeck::prelude::*;
/// # #[derive(Model)]
/// # struct Event { #[column(primary_key)] id: i64, data: serde_json::Value }
/// let first = Event.data.get("tags").at(0).text();
/// let query = select((Event.id, first.clone()))
///     .filter(Event.data.path(["user", "age"]).integer().ge(18))
///     .filter(first.is_not_null());
/// ```
///
/// Keys and places are written into the statement, as they are in an index over such an expression, which neither
/// database would use otherwise. Keys with a quotation mark or a backslash cannot be written on SQLite: an error when
/// the statement is built.
pub trait JsonExpression: Expression {
    /// A member of an object: `-> 'key'`.
    fn get(self, key: impl Into<String>) -> Expr<Option<Json>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::new(step(self.into_node(), [Step::Key(key.into())]))
    }

    /// An element of an array, counted from 0: `-> 0`.
    fn at(self, index: usize) -> Expr<Option<Json>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::new(step(self.into_node(), [Step::Index(index)]))
    }

    /// A member of a member: `.path(["user", "name"])` is `.get("user").get("name")`.
    fn path<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Expr<Option<Json>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::new(step(self.into_node(), keys.into_iter().map(|key| Step::Key(key.into()))))
    }

    /// It as text: a string without its quotes, anything else as JSON is written, JSON's `null` as NULL: `->>`. Of
    /// objects and arrays the spaces and the order of members are the database's.
    fn text(self) -> Expr<Option<String>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        let (node, steps) = taken(self.into_node());
        Expr::new(Form::Json { node, steps, text: true }.into())
    }

    /// It as an integer: of a number, without its fraction.
    fn integer(self) -> Expr<Option<i64>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::op(&INTEGER, vec![self.into_node()])
    }

    /// It as a float, where it is a number.
    fn float(self) -> Expr<Option<f64>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::op(&FLOAT, vec![self.into_node()])
    }

    /// It as a boolean, where it is one.
    fn boolean(self) -> Expr<Option<bool>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::op(&BOOLEAN, vec![self.into_node()])
    }

    /// `object`, `array`, `string`, `number`, `boolean` or `null`.
    fn json_kind(self) -> Expr<Option<String>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::op(&KIND, vec![self.into_node()])
    }

    /// How many elements it has, where it is an array.
    fn json_len(self) -> Expr<Option<i32>>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        Expr::op(&LENGTH, vec![self.into_node()])
    }

    /// Whether it is an object with a member of that name. PostgreSQL: `?`, which an array of that string answers too.
    fn has_key(self, key: impl Into<String>) -> Expr<bool>
    where
        <Self::Type as ColumnType>::Base: JsonType,
    {
        let (node, key) = (self.into_node(), key.into());
        let member = step(node.clone(), [Step::Key(key.clone())]);
        Expr::op(&HAS_KEY, vec![node, member, Operand::<String>::into_operand(key)])
    }
}

impl<E: Expression> JsonExpression for E {}

/// The whole and the way into it.
fn taken(node: Node) -> (Node, Vec<Step>) {
    match node {
        Node::Form(form) => match *form {
            Form::Json { node, steps, text: false } => (node, steps),
            form => (form.into(), Vec::new()),
        },
        node => (node, Vec::new()),
    }
}

fn step(node: Node, more: impl IntoIterator<Item = Step>) -> Node {
    let (node, mut steps) = taken(node);
    steps.extend(more);
    Form::Json { node, steps, text: false }.into()
}
