//! Functions that take any type, and functions that limbeck does not know.

use super::aggregate::Aggregate;
use super::core::{Expr, Expression};
use super::form::{Call, Form, Function};
use super::operand::{Arguments, Both, Operand};
use crate::sql::node::Node;
use crate::sql::op::{Level, Op};
use crate::types::ColumnType;

static COALESCE: Op = Op::new("coalesce", Level::Atom, "coalesce({*})");
static NULLIF: Op = Op::new("nullif", Level::Atom, "nullif({0}, {1})");
static GREATEST: Op = Op::differing("greatest", Level::Atom, "max({0}, {1})", "greatest({0}, {1})");
static LEAST: Op = Op::differing("least", Level::Atom, "min({0}, {1})", "least({0}, {1})");

/// Functions of an expression of any type.
pub trait ValueExpression: Expression {
    /// This value, or the other where this one is NULL. The result may be NULL only if the other may.
    fn coalesce<V>(self, other: V) -> Expr<V::Null<<Self::Type as ColumnType>::Base>>
    where
        V: Operand<<Self::Type as ColumnType>::Base>,
    {
        let mut operands = match self.into_node() {
            Node::Op(op, operands) if std::ptr::eq(op, &COALESCE) => operands,
            node => vec![node],
        };
        operands.push(other.into_operand());
        Expr::op(&COALESCE, operands)
    }

    /// NULL where this value is the other one.
    fn nullif<V>(self, other: V) -> Expr<Option<<Self::Type as ColumnType>::Base>>
    where
        V: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::op(&NULLIF, vec![self.into_node(), other.into_operand()])
    }

    /// The greater of the two. With one of them NULL, SQLite says NULL and PostgreSQL the other.
    fn greatest<V>(self, other: V) -> Expr<Both<Self::Type, V>>
    where
        V: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::op(&GREATEST, vec![self.into_node(), other.into_operand()])
    }

    /// The lesser of the two. With one of them NULL, SQLite says NULL and PostgreSQL the other.
    fn least<V>(self, other: V) -> Expr<Both<Self::Type, V>>
    where
        V: Operand<<Self::Type as ColumnType>::Base>,
    {
        Expr::op(&LEAST, vec![self.into_node(), other.into_operand()])
    }

    /// `COLLATE`: the text compared and ordered by the rules of that name. Names are the database's: `NOCASE` on
    /// SQLite, `C` or `de-x-icu` on PostgreSQL.
    fn collate(self, collation: &'static str) -> Expr<Self::Type>
    where
        Self::Type: super::text::Text,
    {
        Expr::new(Form::Collate(self.into_node(), collation).into())
    }
}

impl<E: Expression> ValueExpression for E {}

/// A function of the database that limbeck has no word for. The result's type is what you say it is:
/// `func::<String>("quote_ident", User.name)`, `func::<f64>("power", (Item.a, 2.0))`.
///
/// The name goes into the statement as it is, without quotes. What is not a name (letters, digits and `_`, perhaps
/// after a schema and a dot) is an error when the statement is built. For a function that is used more than once,
/// [`sql_function!`](crate::sql_function) makes a typed one.
pub fn func<T: ColumnType>(name: &'static str, arguments: impl Arguments) -> Expr<T> {
    call(name, arguments.into_arguments())
}

/// [`func`] over nodes, for [`sql_function!`](crate::sql_function).
pub fn call<T: ColumnType>(name: &'static str, operands: Vec<Node>) -> Expr<T> {
    Expr::new(Form::Call(Call::new(Function::Name(name), operands, false)).into())
}

/// An aggregate or window function of the database that limbeck has no word for. See [`func`].
pub fn aggregate_func<T: ColumnType>(name: &'static str, arguments: impl Arguments) -> Aggregate<T> {
    aggregate_call(name, arguments.into_arguments())
}

/// [`aggregate_func`] over nodes, for [`sql_function!`](crate::sql_function).
pub fn aggregate_call<T: ColumnType>(name: &'static str, operands: Vec<Node>) -> Aggregate<T> {
    Aggregate::new(Function::Name(name), operands)
}

/// Makes Rust functions of functions of the database: ones that you defined there, or that limbeck has no word for.
///
/// ```
/// use limbeck::prelude::*;
/// use limbeck::sql_function;
/// # #[derive(Model)]
/// # struct Place { #[column(primary_key)] id: i64, name: String, wage: f64 }
///
/// sql_function! {
///     /// How a name sounds (PostgreSQL's extension `fuzzystrmatch`).
///     pub fn soundex(text: String) -> String;
///     /// The same by another name in Rust than in SQL.
///     #[name = "stats.median"]
///     pub aggregate fn median(values: f64) -> Option<f64>;
/// }
///
/// let alike = select(Place).filter(soundex(Place.name).eq(soundex("Jena")));
/// let middle = select(median(Place.wage).filter(Place.name.ne("Jena")));
/// ```
///
/// Arguments are values, columns or expressions of the type that is declared, or NULL; where one of them may be NULL,
/// so may the result. An `aggregate fn` gives an [`Aggregate`], whose type is the declared one.
#[macro_export]
macro_rules! sql_function {
    () => {};
    (@fn [$($doc:tt)*] $sql:expr, $vis:vis, $name:ident, [$($arg:ident: $ty:ty),*], $out:ty) => {
        $($doc)*
        #[allow(non_camel_case_types)]
        $vis fn $name<$($arg: $crate::sql::Operand<$ty>),*>(
            $($arg: $arg),*
        ) -> $crate::sql::Expr<$crate::sql_function!(@null $out $(, $arg: $ty)*)> {
            $crate::__private::call($sql, vec![$($arg.into_operand()),*])
        }
    };
    (@aggregate [$($doc:tt)*] $sql:expr, $vis:vis, $name:ident, [$($arg:ident: $ty:ty),*], $out:ty) => {
        $($doc)*
        #[allow(non_camel_case_types)]
        $vis fn $name<$($arg: $crate::sql::Operand<$ty>),*>($($arg: $arg),*) -> $crate::sql::Aggregate<$out> {
            $crate::__private::aggregate_call($sql, vec![$($arg.into_operand()),*])
        }
    };
    (@null $out:ty) => { $out };
    (@null $out:ty, $arg:ident: $ty:ty $(, $more:ident: $more_ty:ty)*) => {
        <$arg as $crate::sql::Operand<$ty>>::Null<$crate::sql_function!(@null $out $(, $more: $more_ty)*)>
    };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $sql:literal) => { $sql };
    (
        $(#[doc = $doc:expr])* $(#[name = $sql:literal])?
        $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $out:ty;
        $($rest:tt)*
    ) => {
        $crate::sql_function! {
            @fn [$(#[doc = $doc])*] $crate::sql_function!(@name $name $($sql)?), $vis, $name, [$($arg: $ty),*], $out
        }
        $crate::sql_function! { $($rest)* }
    };
    (
        $(#[doc = $doc:expr])* $(#[name = $sql:literal])?
        $vis:vis aggregate fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $out:ty;
        $($rest:tt)*
    ) => {
        $crate::sql_function! {
            @aggregate [$(#[doc = $doc])*]
            $crate::sql_function!(@name $name $($sql)?), $vis, $name, [$($arg: $ty),*], $out
        }
        $crate::sql_function! { $($rest)* }
    };
}
