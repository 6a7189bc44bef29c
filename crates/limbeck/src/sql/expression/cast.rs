//! `CAST`: what each database writes for one kind as another.

use super::core::{Expr, Expression};
use super::form::Form;
use crate::dialect::Dialect;
use crate::sql::render::type_of_element;
use crate::types::{ColumnType, Kind};

/// Casts of an expression.
pub trait CastExpression: Expression {
    /// The value as another type: `Post.views.cast::<f64>()`.
    ///
    /// The rules are the database's. For a fraction as an integer PostgreSQL rounds and SQLite cuts; a text that is no
    /// number is an error on PostgreSQL and 0 on SQLite. Moments are taken in UTC. What a database cannot cast is an
    /// error when the statement is built.
    fn cast<T: ColumnType>(self) -> Expr<<Self::Type as ColumnType>::Null<T::Base>> {
        let (from, to) = (Self::Type::SQL_TYPE.kind(), T::SQL_TYPE.kind());
        Expr::new(Form::Cast { node: self.into_node(), from, to }.into())
    }
}

impl<E: Expression> CastExpression for E {}

/// What stands before and after the expression.
///
/// # Errors
/// Why there is no such cast.
pub(super) fn spelling(dialect: Dialect, from: Kind, to: Kind) -> Result<(String, String), String> {
    match dialect {
        Dialect::Postgres => Ok(postgres(from, to)),
        Dialect::Sqlite => match sqlite(from, to) {
            Some((before, after)) => Ok((before.to_owned(), after.to_owned())),
            None => Err(format!("it has no cast from {from:?} to {to:?}")),
        },
    }
}

fn postgres(from: Kind, to: Kind) -> (String, String) {
    use Kind::{Bool, Date, DateTime, F32, F64, I16, I32, I64, Text, Time, Timestamp};
    let zone = " AT TIME ZONE 'UTC'";
    let name = name(to);
    match (from, to) {
        (I16 | I32 | I64, Bool) => ("(".into(), " <> 0)".into()),
        // By way of the only integer that PostgreSQL casts a boolean to.
        (Bool, I16 | I64 | F32 | F64 | Kind::Decimal) => ("CAST(CAST(".into(), format!(" AS integer) AS {name})")),
        (DateTime, Date | Time | Text) => ("CAST((".into(), format!("{zone}) AS {name})")),
        (DateTime, Timestamp) | (Timestamp, DateTime) => ("(".into(), format!("{zone})")),
        (Date, DateTime) => ("(CAST(".into(), format!(" AS timestamp){zone})")),
        _ => ("CAST(".into(), format!(" AS {name})")),
    }
}

/// PostgreSQL's name of a kind.
fn name(kind: Kind) -> String {
    match kind {
        Kind::Named(name) => Dialect::Postgres.ident(name),
        Kind::Array(element) => format!("{}[]", name(*element)),
        other => type_of_element(&other).to_owned(),
    }
}

fn sqlite(from: Kind, to: Kind) -> Option<(&'static str, &'static str)> {
    use Kind::{Bool, Date, DateTime, Decimal, F32, F64, I16, I32, I64, Named, Text, Time, Timestamp};
    let number = matches!(from, Bool | I16 | I32 | I64 | F32 | F64 | Decimal);
    let moment = matches!(from, DateTime | Timestamp);
    let texts = matches!(from, Text | Named(_) | Kind::UuidText | Kind::Json);
    Some(match to {
        _ if from == to => ("(", ")"),
        I16 | I32 | I64 if number || texts => ("CAST(", " AS INTEGER)"),
        F32 | F64 if number || texts => ("CAST(", " AS REAL)"),
        Decimal if number || texts => ("CAST(", " AS NUMERIC)"),
        Bool if number => ("(", " <> 0)"),
        Text if from == Bool => ("iif(", ", 'true', 'false')"),
        Text if number || texts || moment || matches!(from, Date | Time) => ("CAST(", " AS TEXT)"),
        // No more than its text.
        Named(_) | Kind::Json if texts => ("(", ")"),
        Date if texts || moment => ("date(", ")"),
        // The two are kept alike.
        DateTime | Timestamp if moment => ("(", ")"),
        DateTime | Timestamp if texts || from == Date => ("strftime('%Y-%m-%d %H:%M:%f000', ", ")"),
        Time if moment => ("substr(", ", 12)"),
        _ => return None,
    })
}
