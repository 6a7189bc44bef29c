//! `CAST`: what each database writes for one kind as another.

use super::core::{Expr, Expression};
use super::form::Form;
use crate::dialect::Dialect;
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
    let around = |before: &str, after: &str| Ok((before.to_owned(), after.to_owned()));
    match dialect {
        Dialect::Postgres => {
            let zone = " AT TIME ZONE 'UTC'";
            match (from, to) {
                (Kind::I16 | Kind::I32 | Kind::I64, Kind::Bool) => around("(", " <> 0)"),
                // By way of the only integer that PostgreSQL casts a boolean to.
                (Kind::Bool, Kind::I16 | Kind::I64 | Kind::F32 | Kind::F64) => {
                    Ok(("CAST(CAST(".into(), format!(" AS INTEGER) AS {})", postgres_name(to))))
                }
                (Kind::DateTime, Kind::Date | Kind::Time | Kind::Text) => {
                    Ok(("CAST((".into(), format!("{zone}) AS {})", postgres_name(to))))
                }
                (Kind::DateTime, Kind::Timestamp) | (Kind::Timestamp, Kind::DateTime) => around("(", &format!("{zone})")),
                (Kind::Date, Kind::DateTime) => Ok(("(CAST(".into(), format!(" AS TIMESTAMP){zone})"))),
                _ => Ok(("CAST(".into(), format!(" AS {})", postgres_name(to)))),
            }
        }
        Dialect::Sqlite => {
            let number = matches!(from, Kind::Bool | Kind::I16 | Kind::I32 | Kind::I64 | Kind::F32 | Kind::F64);
            let day = matches!(from, Kind::Text | Kind::Date | Kind::DateTime | Kind::Timestamp);
            match to {
                _ if from == to => around("(", ")"),
                Kind::I16 | Kind::I32 | Kind::I64 if number || from == Kind::Text => around("CAST(", " AS INTEGER)"),
                Kind::F32 | Kind::F64 if number || from == Kind::Text => around("CAST(", " AS REAL)"),
                Kind::Bool if number => around("(", " <> 0)"),
                Kind::Text if from == Kind::Bool => around("iif(", ", 'true', 'false')"),
                Kind::Text if number || day || from == Kind::Time => around("CAST(", " AS TEXT)"),
                Kind::Date if day => around("date(", ")"),
                // They are kept alike.
                Kind::DateTime | Kind::Timestamp if matches!(from, Kind::DateTime | Kind::Timestamp) => around("(", ")"),
                Kind::DateTime | Kind::Timestamp if day => around("strftime('%Y-%m-%d %H:%M:%f000', ", ")"),
                Kind::Time if matches!(from, Kind::DateTime | Kind::Timestamp) => around("substr(", ", 12)"),
                _ => Err(format!("it has no cast from {from:?} to {to:?}")),
            }
        }
    }
}

/// What PostgreSQL calls a kind.
fn postgres_name(kind: Kind) -> String {
    match kind {
        Kind::Bool => "BOOLEAN",
        Kind::I16 => "SMALLINT",
        Kind::I32 => "INTEGER",
        Kind::I64 => "BIGINT",
        Kind::F32 => "REAL",
        Kind::F64 => "DOUBLE PRECISION",
        Kind::Text => "TEXT",
        Kind::Bytes => "BYTEA",
        Kind::DateTime => "TIMESTAMPTZ",
        Kind::Timestamp => "TIMESTAMP",
        Kind::Date => "DATE",
        Kind::Time => "TIME",
    }
    .to_owned()
}
