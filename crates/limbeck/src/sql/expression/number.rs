//! Numbers: arithmetic by Rust's operators, and their functions.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use super::aggregate::Aggregate;
use super::core::{Expr, Expression};
use super::operand::Operand;
use crate::model::{Column, Model};
use crate::sql::op::{Level, Op, Spelling};
use crate::types::ColumnType;

static ADD: Op = Op::new("+", Level::Add, "{0} + {1}");
static SUB: Op = Op::new("-", Level::Add, "{0} - {1}");
static MUL: Op = Op::new("*", Level::Multiply, "{0} * {1}");
static DIV: Op = Op::new("/", Level::Multiply, "{0} / {1}");
static REM: Op = Op::new("%", Level::Multiply, "{0} % {1}");
static NEG: Op = Op::new("unary -", Level::Unary, "-{0}");
static ABS: Op = Op::new("abs", Level::Atom, "abs({0})");
static SIGN: Op = Op::differing("sign", Level::Atom, "sign({0})", "CAST(sign({0}) AS INTEGER)");
static ROUND: Op = Op::new("round", Level::Atom, "round({0})");
static TO_BIGINT: Op = Op::differing("bigint", Level::Atom, "{0}", "CAST({0} AS BIGINT)");
static TO_DOUBLE: Op = Op::differing("double", Level::Atom, "{0}", "CAST({0} AS DOUBLE PRECISION)");
static ROUND_TO: Op = Op::differing(
    "round_to",
    Level::Atom,
    "round({0}, {1})",
    "CAST(round(CAST({0} AS NUMERIC), {1}) AS DOUBLE PRECISION)",
);
// SQLite's own are left out where it is built without its mathematical functions, as it is by default. Beyond 2^53 a
// float is whole already.
static FLOOR: Op = Op::differing(
    "floor",
    Level::Atom,
    "CAST(iif(abs({0}) < 9007199254740992.0, CAST({0} AS INTEGER) - (({0}) < CAST({0} AS INTEGER)), {0}) AS REAL)",
    "floor({0})",
);
static CEIL: Op = Op::differing(
    "ceil",
    Level::Atom,
    "CAST(iif(abs({0}) < 9007199254740992.0, CAST({0} AS INTEGER) + (({0}) > CAST({0} AS INTEGER)), {0}) AS REAL)",
    "ceil({0})",
);
const NO_MATHS: &str = "it is built without its mathematical functions";
static SQRT: Op = missing("sqrt", "sqrt({0})");
static POWER: Op = missing("power", "power({0}, {1})");
static EXP: Op = missing("exp", "exp({0})");
static LN: Op = missing("ln", "ln({0})");

const fn missing(name: &'static str, postgres: &'static str) -> Op {
    Op { name, level: Level::Atom, sqlite: Spelling::Missing(NO_MATHS), postgres: Spelling::Pattern(postgres) }
}

/// A type that is calculated with: `i16`, `i32`, `i64`, `f32`, `f64`, `Decimal`.
///
/// The operators `+ - * / %` of columns and expressions take values, columns and expressions of the same type; another
/// type is brought to it with [`cast`](super::CastExpression::cast). `%` is for integers and decimals.
///
/// | | SQLite | PostgreSQL |
/// |---|---|---|
/// | an integer by an integer | cut towards zero | cut towards zero |
/// | by zero | NULL, which only an `Option` can hold | an error |
/// | a result that does not fit | an error when it is read | an error |
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number",
    label = "expected a column or an expression of a numeric type"
)]
pub trait Number: ColumnType<Base = Self> {
    /// What the sum of many is.
    type Sum: ColumnType;
    /// What their mean is.
    type Mean: ColumnType;

    /// What brings the database's sum to that type.
    #[doc(hidden)]
    const SUM: Option<&'static Op>;
    /// What brings the database's mean to that type.
    #[doc(hidden)]
    const MEAN: Option<&'static Op>;
    /// Division.
    #[doc(hidden)]
    const DIV: &'static Op = &DIV;
    /// Rounding to a number of digits.
    #[doc(hidden)]
    const ROUND_TO: &'static Op = &ROUND_TO;
}

/// A type whose remainder is exact: integers and `Decimal`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no remainder in SQL",
    label = "expected an integer or a decimal"
)]
pub trait Remainder: Number {
    /// The remainder.
    #[doc(hidden)]
    const REM: &'static Op = &REM;
}

/// A number with a fraction: `f32`, `f64`, `Decimal`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fraction",
    label = "expected a column or an expression of type f32, f64 or Decimal"
)]
pub trait Fraction: Number {}

macro_rules! integer {
    ($($ty:ty),+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Number for $ty {
                type Sum = i64;
                type Mean = f64;
                const SUM: Option<&'static Op> = Some(&TO_BIGINT);
                const MEAN: Option<&'static Op> = Some(&TO_DOUBLE);
            }

            impl Remainder for $ty {}
        )+
    };
}

macro_rules! float {
    ($($ty:ty),+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Number for $ty {
                type Sum = f64;
                type Mean = f64;
                const SUM: Option<&'static Op> = Some(&TO_DOUBLE);
                const MEAN: Option<&'static Op> = Some(&TO_DOUBLE);
            }

            impl Fraction for $ty {}
        )+
    };
}

integer!(i16, i32, i64);
float!(f32, f64);

#[cfg(feature = "decimal")]
mod decimal {
    use rust_decimal::Decimal;

    use super::{Fraction, Level, Number, Op, Remainder, Spelling};

    // SQLite keeps a decimal without a fraction as an integer.
    static DIV: Op = Op::differing("/", Level::Multiply, "CAST({0} AS REAL) / {1}", "{0} / {1}");
    static ROUND_TO: Op = Op::new("round_to", Level::Atom, "round({0}, {1})");
    static REM: Op = Op {
        name: "% of decimals",
        level: Level::Multiply,
        sqlite: Spelling::Missing("its % knows only integers"),
        postgres: Spelling::Pattern("{0} % {1}"),
    };

    #[diagnostic::do_not_recommend]
    impl Number for Decimal {
        type Sum = Decimal;
        type Mean = Decimal;
        const SUM: Option<&'static Op> = None;
        const MEAN: Option<&'static Op> = None;
        const DIV: &'static Op = &DIV;
        const ROUND_TO: &'static Op = &ROUND_TO;
    }

    impl Remainder for Decimal {
        const REM: &'static Op = &REM;
    }

    impl Fraction for Decimal {}
}

/// A type whose values can be added to: numbers, text (`||`), and times, to which a length of time is added.
#[diagnostic::on_unimplemented(message = "nothing can be added to a value of type `{Self}`")]
pub trait Plus: ColumnType {
    /// What is added.
    type Other: ColumnType;
    /// What it makes.
    type Output: ColumnType;

    /// How it is spelled.
    #[doc(hidden)]
    const PLUS: &'static Op;
}

/// A type whose values can be subtracted from: numbers, and times, from which a length of time is taken.
#[diagnostic::on_unimplemented(message = "nothing can be subtracted from a value of type `{Self}`")]
pub trait Minus: ColumnType {
    /// What is subtracted.
    type Other: ColumnType;
    /// What it makes.
    type Output: ColumnType;

    /// How it is spelled.
    #[doc(hidden)]
    const MINUS: &'static Op;
}

impl<N: Number> Plus for N {
    type Other = N;
    type Output = N;
    const PLUS: &'static Op = &ADD;
}

impl<N: Number> Minus for N {
    type Other = N;
    type Output = N;
    const MINUS: &'static Op = &SUB;
}

/// What an operator over `A` and the operand `V` gives: `T`, and NULL where one of them may be.
type Either<A, V, B, T> = Expr<<A as ColumnType>::Null<<V as Operand<B>>::Null<T>>>;

macro_rules! operator {
    ($trait:ident, $method:ident, ($($generics:tt)*) $left:ty, $need:ident, $other:ty, $output:ty, $op:expr) => {
        impl<$($generics)* A: ColumnType, V> $trait<V> for $left
        where
            A::Base: $need,
            V: Operand<$other>,
        {
            type Output = Either<A, V, $other, $output>;

            fn $method(self, other: V) -> Self::Output {
                Expr::op($op, vec![self.into_node(), other.into_operand()])
            }
        }
    };
}

macro_rules! operators {
    ($generics:tt $left:ty) => {
        operator!(
            Add, add, $generics $left, Plus, <A::Base as Plus>::Other, <A::Base as Plus>::Output, A::Base::PLUS
        );
        operator!(
            Sub, sub, $generics $left, Minus, <A::Base as Minus>::Other, <A::Base as Minus>::Output, A::Base::MINUS
        );
        operator!(Mul, mul, $generics $left, Number, A::Base, A::Base, &MUL);
        operator!(Div, div, $generics $left, Number, A::Base, A::Base, A::Base::DIV);
        operator!(Rem, rem, $generics $left, Remainder, A::Base, A::Base, A::Base::REM);
        negation!($generics $left);
    };
}

macro_rules! negation {
    (($($generics:tt)*) $left:ty) => {
        impl<$($generics)* A: ColumnType> Neg for $left
        where
            A::Base: Number,
        {
            type Output = Expr<A>;

            fn neg(self) -> Expr<A> {
                Expr::op(&NEG, vec![self.into_node()])
            }
        }
    };
}

operators!((M: Model,) Column<M, A>);
operators!(() Expr<A>);
operators!(() &Expr<A>);
operators!(() Aggregate<A>);

/// A number on the left: `1 - Item.discount`.
macro_rules! left {
    ($ty:ty: $($trait:ident $method:ident $op:expr),+) => {
        $(
            left!(@one $ty, $trait, $method, $op, (M: Model,) Column<M, T>);
            left!(@one $ty, $trait, $method, $op, () Expr<T>);
            left!(@one $ty, $trait, $method, $op, () Aggregate<T>);
        )+
    };
    (@one $ty:ty, $trait:ident, $method:ident, $op:expr, ($($generics:tt)*) $right:ty) => {
        impl<$($generics)* T: ColumnType<Base = $ty>> $trait<$right> for $ty {
            type Output = Expr<T::Null<$ty>>;

            fn $method(self, other: $right) -> Self::Output {
                Expr::op($op, vec![Operand::<$ty>::into_operand(self), other.into_node()])
            }
        }
    };
}

macro_rules! left_integer {
    ($($ty:ty),+) => {
        $(left!($ty: Add add &ADD, Sub sub &SUB, Mul mul &MUL, Div div &DIV, Rem rem &REM);)+
    };
}

macro_rules! left_float {
    ($($ty:ty),+) => {
        $(left!($ty: Add add &ADD, Sub sub &SUB, Mul mul &MUL, Div div &DIV);)+
    };
}

left_integer!(i16, i32, i64);
left_float!(f32, f64);
#[cfg(feature = "decimal")]
left!(
    rust_decimal::Decimal:
    Add add &ADD, Sub sub &SUB, Mul mul &MUL, Div div rust_decimal::Decimal::DIV, Rem rem rust_decimal::Decimal::REM
);

/// What a function of one number gives: `T`, and NULL where the number may be.
type Same<E, T> = Expr<<<E as Expression>::Type as ColumnType>::Null<T>>;

/// Functions of numbers.
pub trait NumberExpression: Expression {
    /// The number without its sign.
    fn abs(self) -> Expr<Self::Type>
    where
        <Self::Type as ColumnType>::Base: Number,
    {
        Expr::op(&ABS, vec![self.into_node()])
    }

    /// -1, 0 or 1.
    fn sign(self) -> Same<Self, i32>
    where
        <Self::Type as ColumnType>::Base: Number,
    {
        Expr::op(&SIGN, vec![self.into_node()])
    }

    /// The nearest whole number. Of one in the middle between two, SQLite takes the one farther from zero, PostgreSQL
    /// that of a decimal too, but of a float the even one.
    fn round(self) -> Expr<Self::Type>
    where
        <Self::Type as ColumnType>::Base: Fraction,
    {
        Expr::op(&ROUND, vec![self.into_node()])
    }

    /// The nearest number with so many digits after the point. SQLite calculates with floats, of decimals too, and
    /// there is no float that is 2.55: it rounds the one below it.
    fn round_to(self, digits: u16) -> Expr<Self::Type>
    where
        <Self::Type as ColumnType>::Base: Fraction,
    {
        let digits = Operand::<i32>::into_operand(i32::from(digits));
        Expr::op(<Self::Type as ColumnType>::Base::ROUND_TO, vec![self.into_node(), digits])
    }

    /// The greatest whole number that is not greater.
    fn floor(self) -> Expr<Self::Type>
    where
        <Self::Type as ColumnType>::Base: Fraction,
    {
        Expr::op(&FLOOR, vec![self.into_node()])
    }

    /// The least whole number that is not less.
    fn ceil(self) -> Expr<Self::Type>
    where
        <Self::Type as ColumnType>::Base: Fraction,
    {
        Expr::op(&CEIL, vec![self.into_node()])
    }

    /// The square root. PostgreSQL only, like the other functions that follow: an error when it is built for SQLite.
    fn sqrt(self) -> Same<Self, f64>
    where
        Self::Type: ColumnType<Base = f64>,
    {
        Expr::op(&SQRT, vec![self.into_node()])
    }

    /// The number raised to a power. PostgreSQL only.
    fn power<V: Operand<f64>>(self, exponent: V) -> Same<Self, V::Null<f64>>
    where
        Self::Type: ColumnType<Base = f64>,
    {
        Expr::op(&POWER, vec![self.into_node(), exponent.into_operand()])
    }

    /// *e* raised to the number. PostgreSQL only.
    fn exp(self) -> Same<Self, f64>
    where
        Self::Type: ColumnType<Base = f64>,
    {
        Expr::op(&EXP, vec![self.into_node()])
    }

    /// The natural logarithm. PostgreSQL only.
    fn ln(self) -> Same<Self, f64>
    where
        Self::Type: ColumnType<Base = f64>,
    {
        Expr::op(&LN, vec![self.into_node()])
    }
}

impl<E: Expression> NumberExpression for E {}
