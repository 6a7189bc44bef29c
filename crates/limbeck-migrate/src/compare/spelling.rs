//! Expressions in the database's own spelling, so that like is compared with like.
//!
//! PostgreSQL parses a default and keeps the tree: `'a'` comes back as `'a'::character varying`. What a model
//! says is therefore given to the server too, in a temporary table that is rolled back, and read back. SQLite
//! keeps the text, so that its normal form is exact.

use std::collections::HashMap;

use limbeck::dialect::{Dialect, ddl};
use limbeck::engine::Connection;
use limbeck::schema::{Metadata, Table};

use crate::reflect::Schema;
use crate::token;

/// How the database would write the defaults that models want, where it was asked.
#[derive(Clone, Debug, Default)]
pub struct Spelling {
    defaults: HashMap<(String, String), String>,
    /// Why the server could not be asked, when it could not. Texts are compared by their tokens then.
    pub note: Option<String>,
}

const READ_BACK: &str = "SELECT a.attname::text, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d \
     JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
     WHERE d.adrelid = 'pg_temp.limbeck_scratch'::regclass";

impl Spelling {
    /// Asks the database about all defaults whose text differs from the live one.
    ///
    /// # Errors
    /// When the connection is lost. That the server will not make a temporary table (a standby, missing
    /// rights) is no error: see [`note`](Self::note).
    pub async fn ask(connection: &mut Connection, wanted: &Metadata, live: &Schema) -> crate::Result<Spelling> {
        let suspects: Vec<(&Table, usize)> = wanted
            .tables
            .iter()
            .filter_map(|table| Some((table, live.table(&table.name)?)))
            .flat_map(|(table, live)| suspects(table, live))
            .collect();
        if connection.dialect() != Dialect::Postgres || suspects.is_empty() {
            return Ok(Spelling::default());
        }
        connection.begin().await?;
        let asked = ask_server(connection, &suspects).await;
        connection.rollback().await?;
        match asked {
            Ok(defaults) => Ok(Spelling { defaults, note: None }),
            Err(error) if error.is_disconnect() => Err(error.into()),
            Err(error) => Ok(Spelling { defaults: HashMap::new(), note: Some(error.to_string()) }),
        }
    }

    /// Whether a default that a model wants is the live one.
    pub(crate) fn same_default(
        &self,
        dialect: Dialect,
        (table, column): (&str, &str),
        wanted: Option<&str>,
        live: Option<&str>,
    ) -> bool {
        let (Some(wanted), Some(live)) = (wanted, live) else { return wanted.is_none() == live.is_none() };
        match self.defaults.get(&(table.to_string(), column.to_string())) {
            Some(spelled) => spelled == live,
            None => normal_default(dialect, wanted) == normal_default(dialect, live),
        }
    }
}

/// The columns whose default is another text than the live one.
fn suspects<'t>(wanted: &'t Table, live: &Table) -> Vec<(&'t Table, usize)> {
    let differs = |column: &limbeck::schema::Column| {
        let live = live.column(&column.name).and_then(|live| live.server_default.as_deref());
        matches!((column.server_default.as_deref(), live), (Some(a), Some(b)) if a != b)
    };
    (0..wanted.columns.len()).filter(|&i| differs(&wanted.columns[i])).map(|i| (wanted, i)).collect()
}

async fn ask_server(
    connection: &mut Connection,
    suspects: &[(&Table, usize)],
) -> limbeck::Result<HashMap<(String, String), String>> {
    let columns: Vec<String> = suspects
        .iter()
        .enumerate()
        .map(|(n, (table, i))| {
            let column = &table.columns[*i];
            let default = column.server_default.as_deref().unwrap_or("NULL");
            format!("c{n} {} DEFAULT {default}", ddl::type_name(Dialect::Postgres, &column.sql_type))
        })
        .collect();
    connection.execute_raw(&format!("CREATE TEMPORARY TABLE limbeck_scratch ({})", columns.join(", "))).await?;
    connection.execute_raw("SET LOCAL search_path = ''").await?;
    let rows: Vec<(String, Option<String>)> = connection.fetch_raw(READ_BACK, &[]).await?;
    Ok(rows
        .into_iter()
        .filter_map(|(name, expression)| {
            let (table, i) = suspects.get(name.strip_prefix('c')?.parse::<usize>().ok()?)?;
            Some(((table.name.clone(), table.columns[*i].name.clone()), expression?))
        })
        .collect())
}

/// The tokens of a default, without parentheses around all of it.
fn normal_default(dialect: Dialect, text: &str) -> String {
    let mut text = text.trim();
    while let Some(inner) = ddl::without_parentheses(text) {
        text = inner.trim();
    }
    token::normal(dialect, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_defaults_differ_by_what_they_say() {
        let spelling = Spelling::default();
        let same = |a, b| spelling.same_default(Dialect::Sqlite, ("t", "c"), a, b);
        assert!(same(Some("(LOWER( 'X' ))"), Some("lower('X')")));
        assert!(same(Some("current_timestamp"), Some("CURRENT_TIMESTAMP")));
        assert!(same(None, None));
        assert!(!same(Some("'a'"), Some("'A'")));
        assert!(!same(Some("0"), None));
        assert!(!same(None, Some("0")));
        assert!(!same(Some("(1) + (2)"), Some("1) + (2")));
    }
}
