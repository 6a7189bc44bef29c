//! Expressions in the database's own spelling, so that like is compared with like.
//!
//! PostgreSQL parses an expression and keeps the tree: the default `'a'` comes back as `'a'::character varying`. What
//! a model says is therefore given to the server too, in temporary tables that are rolled back, and read back. SQLite
//! keeps the text, so that its normal form is exact.

use std::collections::HashMap;

use limbeck::dialect::{Dialect, ddl};
use limbeck::engine::Connection;
use limbeck::schema::{Check, Column, Index, Metadata, Table, TableName};

use crate::reflect::Schema;
use crate::token;

/// How the database would write what models want, where it was asked.
#[derive(Clone, Debug, Default)]
pub struct Spelling {
    /// Defaults and computed columns, by table and column.
    columns: HashMap<(TableName, String), String>,
    /// Checks, by table and the text of the model.
    checks: HashMap<(TableName, String), String>,
    /// Indexes, by table and name: what stands behind `USING`.
    indexes: HashMap<(TableName, String), String>,
    /// Why the server could not be asked, when it could not. Texts are compared by their tokens then.
    pub note: Option<String>,
    /// Whether both sides are in the database's own words, so that names and texts count as they are.
    pub(crate) exact: bool,
    /// How the other database would write what this one has.
    pub(crate) back: Option<Box<Spelling>>,
}

const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d \
     JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
     WHERE c.relnamespace = pg_my_temp_schema() AND c.relname LIKE 'limbeck\\_scratch\\_%'";

const CHECKS: &str = "SELECT c.relname::text, k.conname::text, pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint k \
     JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'c' AND c.relnamespace = pg_my_temp_schema() \
     AND c.relname LIKE 'limbeck\\_scratch\\_%'";

const INDEXES: &str = "SELECT c.relname::text, ic.relname::text, pg_get_indexdef(i.indexrelid) FROM pg_index i \
     JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid \
     WHERE c.relnamespace = pg_my_temp_schema() AND c.relname LIKE 'limbeck\\_scratch\\_%'";

/// A part of a table that models say in their own words.
type Texts = Vec<(String, String, Option<String>)>;

impl Spelling {
    /// For two databases of one kind: there is nothing to ask, and names count too.
    pub fn exact() -> Spelling {
        Spelling { exact: true, ..Spelling::default() }
    }

    /// For two databases that were both asked: how the first would write what the second has, and the other way round.
    /// What comes out of a server and goes into it again may be written in yet another way.
    pub(crate) fn both(first: Spelling, second: Spelling) -> Spelling {
        Spelling { exact: true, back: Some(Box::new(second)), ..first }
    }

    /// Whether a constraint or index is not another one for its name.
    pub(crate) fn same_name(&self, wanted: Option<&str>, live: Option<&str>) -> bool {
        !self.exact || wanted == live
    }

    /// Asks the database about all expressions whose text differs from the live one.
    ///
    /// # Errors
    /// When the connection is lost. That the server will not make a temporary table (a standby, missing
    /// rights) is no error: see [`note`](Self::note).
    pub async fn ask(connection: &mut Connection, wanted: &Metadata, live: &Schema) -> crate::Result<Spelling> {
        let suspects: Vec<&Table> = wanted
            .tables
            .iter()
            .filter(|table| live.table(&table.full_name()).is_some_and(|live| is_suspect(table, live)))
            .collect();
        if connection.dialect() != Dialect::Postgres || suspects.is_empty() {
            return Ok(Spelling::default());
        }
        connection.begin().await?;
        let asked = ask_server(connection, &suspects).await;
        connection.rollback().await?;
        match asked {
            Ok(spelling) => Ok(spelling),
            Err(error) if error.is_disconnect() => Err(error.into()),
            Err(error) => Ok(Spelling { note: Some(error.to_string()), ..Spelling::default() }),
        }
    }

    /// Whether the default that a model wants is the live one.
    pub(crate) fn same_default(&self, dialect: Dialect, table: &TableName, wanted: &Column, live: &Column) -> bool {
        let texts = (wanted.server_default.as_deref(), live.server_default.as_deref());
        let (Some(a), Some(b)) = texts else { return texts.0.is_none() == texts.1.is_none() };
        self.same_of_column(dialect, table, wanted, a, b)
    }

    /// Whether the expression of a computed column is the live one.
    pub(crate) fn same_computed(&self, dialect: Dialect, table: &TableName, wanted: &Column, live: &Column) -> bool {
        match (&wanted.computed, &live.computed) {
            (Some(a), Some(b)) => {
                a.stored == b.stored && self.same_of_column(dialect, table, wanted, &a.expression, &b.expression)
            }
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    fn same_of_column(&self, dialect: Dialect, table: &TableName, column: &Column, wanted: &str, live: &str) -> bool {
        match self.columns.get(&(table.clone(), column.name.clone())) {
            Some(spelled) if wanted == live || spelled == live => true,
            None if normal(dialect, wanted) == normal(dialect, live) => true,
            _ => self.back.as_ref().is_some_and(|back| back.same_of_column(dialect, table, column, live, wanted)),
        }
    }

    /// Whether a check that a model wants is this live one.
    pub(crate) fn same_check(&self, dialect: Dialect, table: &TableName, wanted: &Check, live: &Check) -> bool {
        if !self.same_name(wanted.name.as_deref(), live.name.as_deref()) || wanted.no_inherit != live.no_inherit {
            return false;
        }
        match self.checks.get(&(table.clone(), wanted.expression.clone())) {
            Some(spelled) if *spelled == live.expression => true,
            None if normal(dialect, &wanted.expression) == normal(dialect, &live.expression) => true,
            _ => self.back.as_ref().is_some_and(|back| back.same_check(dialect, table, live, wanted)),
        }
    }

    /// Whether an index that a model wants is this live one.
    pub(crate) fn same_index(&self, dialect: Dialect, table: &TableName, wanted: &Index, live: &Index) -> bool {
        if wanted.unique != live.unique || !self.same_name(Some(&wanted.name), Some(&live.name)) {
            return false;
        }
        if wanted.is_plain() && live.is_plain() {
            return wanted.columns == live.columns;
        }
        if let (Some(a), Some(b)) = (&wanted.definition, &live.definition)
            && a == b
        {
            return true;
        }
        let text = body(dialect, &ddl::create_index(dialect, table, live));
        match self.indexes.get(&(table.clone(), wanted.name.clone())) {
            Some(spelled) if *spelled == text => true,
            None if body(dialect, &ddl::create_index(dialect, table, wanted)) == text => true,
            _ => self.back.as_ref().is_some_and(|back| back.same_index(dialect, table, live, wanted)),
        }
    }
}

/// Whether the server has to be asked about a table.
fn is_suspect(wanted: &Table, live: &Table) -> bool {
    let column = |column: &Column| {
        let Some(live) = live.column(&column.name) else { return false };
        let default = matches!((&column.server_default, &live.server_default), (Some(a), Some(b)) if a != b);
        default || matches!((&column.computed, &live.computed), (Some(a), Some(b)) if a != b)
    };
    let check = |check: &Check| !live.checks.iter().any(|other| other.expression == check.expression);
    wanted.columns.iter().any(column)
        || (!live.checks.is_empty() && wanted.checks.iter().any(check))
        || (!live.indexes.is_empty() && wanted.indexes.iter().any(|index| index.options.is_some()))
        || wanted.indexes.iter().any(|index| {
            let other = live.indexes.iter().find(|other| other.name == index.name);
            let texts = other.map(|other| (&other.definition, &index.definition));
            matches!(texts, Some((Some(a), Some(b))) if a != b)
        })
}

async fn ask_server(connection: &mut Connection, suspects: &[&Table]) -> limbeck::Result<Spelling> {
    let mut spelling = Spelling::default();
    for (n, table) in suspects.iter().enumerate() {
        // One that the server refuses does not hide what it says of the others.
        connection.execute_raw("SAVEPOINT limbeck_scratch").await?;
        match create(connection, n, table).await {
            Ok(()) => connection.execute_raw("RELEASE SAVEPOINT limbeck_scratch").await?,
            Err(error) if error.is_disconnect() => return Err(error),
            Err(error) => {
                connection.execute_raw("ROLLBACK TO SAVEPOINT limbeck_scratch").await?;
                spelling.note.get_or_insert(error.to_string());
                0
            }
        };
    }
    connection.execute_raw("SET LOCAL search_path = ''").await?;
    for (scratch, column, expression) in connection.fetch_raw::<(String, String, Option<String>)>(COLUMNS, &[]).await? {
        if let (Some(table), Some(expression)) = (of(suspects, &scratch), expression) {
            spelling.columns.insert((table.full_name(), column), expression);
        }
    }
    let checks: Texts = connection.fetch_raw(CHECKS, &[]).await?;
    for (scratch, name, expression) in checks {
        let Some(table) = of(suspects, &scratch) else { continue };
        let position = name.strip_prefix("limbeck_check_").and_then(|n| n.parse::<usize>().ok());
        if let (Some(check), Some(spelled)) = (position.and_then(|i| table.checks.get(i)), expression) {
            spelling.checks.insert((table.full_name(), check.expression.clone()), spelled);
        }
    }
    let indexes: Texts = connection.fetch_raw(INDEXES, &[]).await?;
    for (scratch, name, definition) in indexes {
        let Some(table) = of(suspects, &scratch) else { continue };
        let position = name.rsplit('_').next().and_then(|n| n.parse::<usize>().ok());
        if let (Some(index), Some(definition)) = (position.and_then(|i| table.indexes.get(i)), definition) {
            let spelled = body(Dialect::Postgres, &definition);
            spelling.indexes.insert((table.full_name(), index.name.clone()), spelled);
        }
    }
    Ok(spelling)
}

/// The table of `limbeck_scratch_7`.
fn of<'t>(suspects: &[&'t Table], scratch: &str) -> Option<&'t Table> {
    suspects.get(scratch.strip_prefix("limbeck_scratch_")?.parse::<usize>().ok()?).copied()
}

/// The columns, checks and special indexes of a table, without what refers to other tables.
async fn create(connection: &mut Connection, n: usize, table: &Table) -> limbeck::Result<()> {
    let name = format!("limbeck_scratch_{n}");
    let mut scratch = Table { name: name.clone(), ..Table::default() };
    for column in &table.columns {
        scratch.columns.push(Column { generated: false, identity: None, nullable: true, ..column.clone() });
    }
    for (i, check) in table.checks.iter().enumerate() {
        let name = Some(format!("limbeck_check_{i}"));
        scratch.checks.push(Check { name, ..check.clone() });
    }
    connection
        .execute_raw(&ddl::create_table_with(Dialect::Postgres, &scratch, "CREATE TEMPORARY TABLE", |_| false))
        .await?;
    for (i, index) in table.indexes.iter().enumerate() {
        let own = format!("limbeck_index_{n}_{i}");
        if let Some(definition) = &index.definition {
            // In the server's words already, but those of another server.
            if let Some(body) = behind_the_table(definition) {
                connection.execute_raw(&format!("CREATE INDEX {own} ON {name} {body}")).await?;
            }
            continue;
        }
        if index.options.is_none() {
            continue;
        }
        let index = Index { name: own, ..index.clone() };
        connection.execute_raw(&ddl::create_index(Dialect::Postgres, &TableName::from(name.as_str()), &index)).await?;
    }
    Ok(())
}

/// What `CREATE INDEX` says behind the table's name, as it is.
fn behind_the_table(create: &str) -> Option<&str> {
    let tokens = token::code(Dialect::Postgres, create).ok()?;
    let using = tokens.iter().find(|token| token.is("using"))?;
    Some(&create[using.start..])
}

/// What `CREATE INDEX` says behind the table's name, by its tokens. That it is a B-tree is said by no word.
fn body(dialect: Dialect, create: &str) -> String {
    let Ok(tokens) = token::code(dialect, create) else { return create.to_string() };
    let Some(on) = tokens.iter().position(|token| token.is("on")) else { return create.to_string() };
    let start = tokens[on..].iter().position(|token| token.is("using") || token.is_symbol('('));
    let mut rest = &tokens[start.map_or(on, |start| on + start)..];
    if let [using, method, after @ ..] = rest
        && using.is("using")
        && method.is("btree")
    {
        rest = after;
    }
    rest.first().map_or_else(String::new, |first| normal(dialect, &create[first.start..]))
}

/// The tokens of an expression, without parentheses around all of it.
fn normal(dialect: Dialect, text: &str) -> String {
    let mut text = text.trim();
    while let Some(inner) = ddl::without_parentheses(text) {
        text = inner.trim();
    }
    token::normal(dialect, text)
}

#[cfg(test)]
mod tests {
    use limbeck::schema::SqlType;

    use super::*;

    #[test]
    fn sqlite_defaults_differ_by_what_they_say() {
        let spelling = Spelling::default();
        let column = |default: Option<&str>| Column {
            server_default: default.map(str::to_string),
            ..Column::new("c", SqlType::Text)
        };
        let same = |a, b| spelling.same_default(Dialect::Sqlite, &TableName::from("t"), &column(a), &column(b));
        assert!(same(Some("(LOWER( 'X' ))"), Some("lower('X')")));
        assert!(same(Some("current_timestamp"), Some("CURRENT_TIMESTAMP")));
        assert!(same(None, None));
        assert!(!same(Some("'a'"), Some("'A'")));
        assert!(!same(Some("0"), None));
        assert!(!same(None, Some("0")));
        assert!(!same(Some("(1) + (2)"), Some("1) + (2")));
    }

    #[test]
    fn the_body_of_an_index_is_what_it_says_beside_names() {
        let same = |a: &str, b: &str| body(Dialect::Sqlite, a) == body(Dialect::Sqlite, b);
        assert!(same("CREATE INDEX a ON t (x, lower(y) desc)", "create index b on main.u(x,LOWER(y) DESC)"));
        assert!(same("CREATE INDEX a ON t USING btree (x)", "CREATE INDEX a ON t (x)"));
        assert!(!same("CREATE INDEX a ON t (x) WHERE x > 1", "CREATE INDEX a ON t (x) WHERE x > 2"));
        assert!(!same("CREATE INDEX a ON t (x, y)", "CREATE INDEX a ON t (y, x)"));
    }
}
