//! Which tables are ours: those that revisions have made.
//!
//! It is read from the `CREATE TABLE`, `DROP TABLE` and `RENAME TO` of the revisions' own statements, so that
//! there is nothing to keep in step, and what a person wrote into a revision counts as well.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::schema::TableName;

use super::History;
use crate::error::Result;
use crate::token::{self, Token};

/// The tables that exist once all revisions are applied, as far as revisions made them.
///
/// # Errors
/// When a revision file cannot be understood.
pub fn owned_tables(history: &History, dialect: Dialect) -> Result<BTreeSet<TableName>> {
    let mut owned = BTreeSet::new();
    for revision in history.revisions() {
        for statement in revision.for_database(dialect)?.upgrade.statements {
            follow(dialect, &statement.sql, &mut owned);
        }
    }
    Ok(owned)
}

fn follow(dialect: Dialect, sql: &str, owned: &mut BTreeSet<TableName>) {
    let Ok(tokens) = token::code(dialect, sql) else { return };
    let Some(table) = tokens.iter().take(5).position(|t| t.is("table")) else { return };
    let rest = &tokens[table + 1..];
    let rest = match rest.iter().position(|t| !["if", "not", "exists", "only"].iter().any(|word| t.is(word))) {
        Some(start) => &rest[start..],
        None => return,
    };
    let first = &tokens[0];
    let temporary = tokens[..table].iter().any(|t| t.is("temp") || t.is("temporary"));
    if first.is("create") && !temporary {
        owned.extend(name(dialect, rest));
    } else if first.is("drop") {
        for part in rest.split(|t| t.is_symbol(',')) {
            if let Some(name) = name(dialect, part) {
                owned.remove(&name);
            }
        }
    } else if first.is("alter")
        && let Some(old) = name(dialect, rest)
    {
        let after = |a: &str, b: &str| {
            let at = rest.windows(2).position(|pair| pair[0].is(a) && pair[1].is(b))?;
            rest.get(at + 2)?.identifier()
        };
        let new = match (after("rename", "to"), after("set", "schema")) {
            (Some(name), _) => TableName { name, ..old.clone() },
            (None, Some(schema)) => TableName { schema: Some(schema), ..old.clone() },
            (None, None) => return,
        };
        if owned.remove(&old) {
            owned.insert(new);
        }
    }
}

/// The name at the beginning. What stands before a point is a schema, of which SQLite has none that matters here.
fn name(dialect: Dialect, tokens: &[Token<'_>]) -> Option<TableName> {
    let first = tokens.first()?.identifier()?;
    if !tokens.get(1).is_some_and(|t| t.is_symbol('.')) {
        return Some(TableName { schema: None, name: first });
    }
    let schema = (dialect != Dialect::Sqlite).then_some(first);
    Some(TableName { schema, name: tokens.get(2)?.identifier()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_go_and_change_their_names() {
        let mut owned = BTreeSet::new();
        for sql in [
            "CREATE TABLE users (id INTEGER)",
            "create table if not exists public.\"Odd one\" (id int)",
            "CREATE TEMP TABLE t (id INTEGER)",
            "CREATE TABLE _limbeck_new_users (id INTEGER)",
            "DROP TABLE users",
            "ALTER TABLE _limbeck_new_users RENAME TO users",
            "ALTER TABLE users RENAME COLUMN a TO b",
            "CREATE TABLE a (x int)",
            "CREATE TABLE b (x int)",
            "DROP TABLE IF EXISTS a, b CASCADE",
            "SELECT 'CREATE TABLE no'",
        ] {
            follow(Dialect::Sqlite, sql, &mut owned);
        }
        let names: Vec<String> = owned.iter().map(TableName::to_string).collect();
        assert_eq!(names, ["Odd one", "users"]);
    }
}
