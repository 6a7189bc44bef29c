//! Other values of an enumeration, on PostgreSQL.
//!
//! It can add a value and nothing else. For all the rest there is a new type, to which the columns are converted by way
//! of their text: a row that has a value which is gone stops it, so that nothing is lost in silence.

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::EnumType;

use crate::compare::EnumColumn;

const DIALECT: Dialect = Dialect::Postgres;

/// The statements from one list of values to another. `anew` makes the type anew although values are only added;
/// `released` are those that take down what is in the way of that, and those that put it back.
pub(super) fn alter(
    from: &EnumType,
    to: &EnumType,
    columns: &[EnumColumn],
    anew: bool,
    released: (Vec<String>, Vec<String>),
) -> Vec<String> {
    match added(from, to).filter(|_| !anew) {
        Some(statements) => statements,
        None => [released.0, made_anew(to, columns), released.1].concat(),
    }
}

/// `ALTER TYPE … ADD VALUE`, where that is all: no value goes, and those that stay keep their order.
fn added(from: &EnumType, to: &EnumType) -> Option<Vec<String>> {
    let mut old = from.values().iter().peekable();
    let name = DIALECT.ident(to.name());
    let mut statements = Vec::new();
    let mut before = None;
    for value in to.values() {
        if old.peek() == Some(&value) {
            old.next();
        } else {
            // Before the next that is there; at the end, behind the last that is there by then.
            let place = match (old.peek(), before) {
                (Some(next), _) => format!(" BEFORE {}", ddl::text_literal(next)),
                (None, Some(last)) => format!(" AFTER {}", ddl::text_literal(last)),
                (None, None) => String::new(),
            };
            statements.push(format!("ALTER TYPE {name} ADD VALUE {}{place}", ddl::text_literal(value)));
        }
        before = Some(value.as_ref());
    }
    old.next().is_none().then_some(statements)
}

fn made_anew(to: &EnumType, columns: &[EnumColumn]) -> Vec<String> {
    let name = DIALECT.ident(to.name());
    // Cut where the server would cut it.
    let old: String = format!("_old_{}", to.name()).chars().take(40).collect();
    let mut statements =
        vec![format!("ALTER TYPE {name} RENAME TO {}", DIALECT.ident(&old)), ddl::create_enum(DIALECT, to)];
    for EnumColumn { table, column, array, from_default, to_default } in columns {
        let column = DIALECT.ident(column);
        let alter = |action: String| format!("ALTER TABLE {} ALTER COLUMN {column} {action}", DIALECT.table(table));
        let brackets = if *array { "[]" } else { "" };
        if from_default.is_some() {
            statements.push(alter("DROP DEFAULT".into()));
        }
        statements.push(alter(format!("TYPE {name}{brackets} USING {column}::TEXT{brackets}::{name}{brackets}")));
        if let Some(default) = to_default {
            statements.push(alter(format!("SET DEFAULT {}", ddl::default_expression(DIALECT, default))));
        }
    }
    statements.push(ddl::drop_enum(DIALECT, &old));
    statements
}
