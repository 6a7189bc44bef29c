//! The CHECKs that stand for types which a database has not.

use super::Dialect;
use super::enums::enum_check;
use crate::schema::{Check, Column, SqlType, Table, naming};

/// The CHECKs that the types of a table's columns make, beside those that the table has: on SQLite, which takes any
/// value for any column, the values of an enumeration and JSON. PostgreSQL has types for them.
///
/// They are called like the check of a column, `ck_posts_status`. Where the table has another check of that name they
/// are `ck_posts_status_enum` and `ck_posts_data_json`: by name, each would be taken for a change of the other.
pub(super) fn type_checks(dialect: Dialect, table: &Table) -> Vec<Check> {
    let mut made: Vec<Check> = Vec::new();
    if dialect != Dialect::Sqlite {
        return made;
    }
    for column in &table.columns {
        let Some((expression, suffix)) = expression(column) else { continue };
        if table.checks.iter().any(|check| check.expression == expression) {
            continue;
        }
        let is_taken = |name: &String| table.checks.iter().chain(&made).any(|check| check.name.as_ref() == Some(name));
        let mut about = column.name.clone();
        let mut name = naming::check(&table.name, &about);
        while is_taken(&name) {
            about.push_str(suffix);
            name = naming::check(&table.name, &about);
        }
        made.push(Check { name: Some(name), expression, no_inherit: false });
    }
    made
}

/// What has to hold for a column's values to be of its type, and what the check is called after.
fn expression(column: &Column) -> Option<(String, &'static str)> {
    match &column.sql_type {
        SqlType::Enum(values) => Some((enum_check(&column.name, values), "_enum")),
        SqlType::Json { .. } | SqlType::Array(_) => Some((json_check(&column.name), "_json")),
        _ => None,
    }
}

/// `data IS NULL OR json_valid(data)`: what SQLite checks of a column of JSON or of an array, which it keeps as text.
/// NULL is named, since older versions find that it is no JSON, and others than limbeck may write to the table.
pub fn json_check(column: &str) -> String {
    let column = Dialect::Sqlite.ident(column);
    format!("{column} IS NULL OR json_valid({column})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(checks: &[(&str, &str)]) -> Table {
        let check = |(name, expression): &(&str, &str)| Check {
            no_inherit: false,
            name: Some((*name).to_string()),
            expression: (*expression).to_string(),
        };
        Table {
            name: "posts".into(),
            columns: vec![
                Column::new("data", SqlType::Json { binary: true }),
                Column::new("Tags", SqlType::Array(crate::schema::ArrayType::new(&SqlType::Text))),
                Column::new("title", SqlType::Text),
            ],
            checks: checks.iter().map(check).collect(),
            ..Table::default()
        }
    }

    fn made(checks: &[(&str, &str)]) -> Vec<(String, String)> {
        let made = type_checks(Dialect::Sqlite, &table(checks)).into_iter();
        made.map(|check| (check.name.unwrap_or_default(), check.expression)).collect()
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, expression)| ((*name).to_string(), (*expression).to_string())).collect()
    }

    #[test]
    fn json_and_arrays_are_checked_on_sqlite_alone() {
        let both = [
            ("ck_posts_data", "data IS NULL OR json_valid(data)"),
            ("ck_posts_Tags", "\"Tags\" IS NULL OR json_valid(\"Tags\")"),
        ];
        assert_eq!(made(&[]), pairs(&both));
        assert_eq!(type_checks(Dialect::Postgres, &table(&[])), []);
        // Once they are there, no more are made.
        assert_eq!(made(&both), []);
    }

    #[test]
    fn a_name_that_the_table_uses_is_left_to_it() {
        let taken = [("ck_posts_data", "length(data) < 9"), ("ck_posts_Tags", "1"), ("ck_posts_Tags_json", "2")];
        assert_eq!(
            made(&taken),
            pairs(&[
                ("ck_posts_data_json", "data IS NULL OR json_valid(data)"),
                ("ck_posts_Tags_json_json", "\"Tags\" IS NULL OR json_valid(\"Tags\")")
            ])
        );
    }
}
