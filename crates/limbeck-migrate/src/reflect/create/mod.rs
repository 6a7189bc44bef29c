//! SQLite's `CREATE TABLE` statements, read and edited.
//!
//! SQLite keeps a table as the text that made it, and only the text has all of it: names of constraints,
//! checks, collations, AUTOINCREMENT, STRICT. A table that has to be rebuilt is therefore made from its own
//! text with the change made in it, never rendered anew.

mod parse;

use limbeck::dialect::{Dialect, ddl};
use limbeck::schema::{Check, Computed, Deferrable};

use crate::token::{self, Kind};
use parse::{column, constraints, matching, split};

/// A `CREATE TABLE` statement in parts, each in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTable {
    pub(crate) columns: Vec<ColumnText>,
    pub(crate) constraints: Vec<ConstraintText>,
    /// `STRICT`, `WITHOUT ROWID`: what stands behind the parenthesis.
    pub(crate) options: String,
}

/// A column in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnText {
    pub(crate) name: String,
    /// The name as it is written, quotes and all.
    pub(crate) written: String,
    pub(crate) type_name: String,
    pub(crate) constraints: Vec<ConstraintText>,
}

/// A constraint in its own words, of a column or of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConstraintText {
    pub(crate) name: Option<String>,
    pub(crate) what: What,
    pub(crate) text: String,
}

/// What a constraint is; the columns are those that it names, so none for a column's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    PrimaryKey(Vec<String>),
    Unique(Vec<String>),
    ForeignKey { columns: Vec<String>, target: String },
    Check(String),
    NotNull,
    Null,
    Default,
    Collate(String),
    Generated(Computed),
}

const TABLE_CONSTRAINTS: [&str; 5] = ["constraint", "primary", "unique", "check", "foreign"];

impl CreateTable {
    /// Reads a statement; `None` for what is not a plain table: `CREATE VIRTUAL TABLE`.
    pub(crate) fn parse(sql: &str) -> Option<CreateTable> {
        let tokens = token::code(Dialect::Sqlite, sql).ok()?;
        let head = tokens.first()?.is("create") && tokens.iter().take(3).any(|t| t.is("table"));
        if !head || tokens.get(1)?.is("virtual") {
            return None;
        }
        let open = tokens.iter().position(|t| t.is_symbol('('))?;
        let close = matching(&tokens, open)?;
        let mut table = CreateTable {
            columns: Vec::new(),
            constraints: Vec::new(),
            options: tokens.get(close + 1).map_or_else(String::new, |t| sql[t.start..].trim().to_string()),
        };
        for item in split(&tokens[open + 1..close]) {
            let first = item.first()?;
            if first.kind == Kind::Word && TABLE_CONSTRAINTS.iter().any(|word| first.is(word)) {
                for constraint in constraints(sql, item) {
                    table.constraints.push(constraint?);
                }
            } else {
                table.columns.push(column(sql, item)?);
            }
        }
        Some(table)
    }

    /// The statement for a table of another name, a line for each part.
    pub(crate) fn write(&self, name: &str) -> String {
        let columns = self.columns.iter().map(ColumnText::write);
        let constraints = self.constraints.iter().map(|c| c.text.clone());
        let parts: Vec<String> = columns.chain(constraints).collect();
        let space = if self.options.is_empty() { "" } else { " " };
        let name = Dialect::Sqlite.ident(name);
        format!("CREATE TABLE {name} (\n    {}\n){space}{}", parts.join(",\n    "), self.options)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&ColumnText> {
        self.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    fn column_mut(&mut self, name: &str) -> Option<&mut ColumnText> {
        self.columns.iter_mut().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    /// All constraints with the columns that they are about.
    pub(crate) fn all_constraints(&self) -> impl Iterator<Item = (Vec<String>, &ConstraintText)> {
        let of_columns = self.columns.iter().flat_map(|c| c.constraints.iter().map(|k| (vec![c.name.clone()], k)));
        of_columns.chain(self.constraints.iter().map(|k| (k.what.columns().to_vec(), k)))
    }

    /// Whether the table numbers rows and never reuses a number.
    pub(crate) fn is_autoincrement(&self) -> bool {
        self.all_constraints().any(|(_, k)| {
            matches!(k.what, What::PrimaryKey(_))
                && token::code(Dialect::Sqlite, &k.text).is_ok_and(|t| t.iter().any(|t| t.is("autoincrement")))
        })
    }

    /// Whether the table has no rowid.
    pub(crate) fn is_without_rowid(&self) -> bool {
        token::code(Dialect::Sqlite, &self.options).is_ok_and(|t| t.iter().any(|t| t.is("without")))
    }

    /// The one column that is the rowid, if there is one.
    pub(crate) fn rowid_column(&self) -> Option<&str> {
        if self.is_without_rowid() {
            return None;
        }
        let key = self.all_constraints().find(|(_, k)| matches!(k.what, What::PrimaryKey(_)))?.0;
        let [name] = &key[..] else { return None };
        let column = self.column(name)?;
        column.type_name.eq_ignore_ascii_case("integer").then_some(column.name.as_str())
    }

    /// Columns that a copy can write: not the generated ones.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &ColumnText> {
        self.columns.iter().filter(|c| c.computed().is_none())
    }

    // ----------------------------------------------------------------------------------------- edits

    pub(crate) fn add_column(&mut self, definition: &str) {
        let add = format!("CREATE TABLE t ({definition})");
        if let Some(parsed) = CreateTable::parse(&add) {
            self.columns.extend(parsed.columns);
        }
    }

    /// Takes a column out, with the table's constraints that name it: without the column they could not be.
    pub(crate) fn drop_column(&mut self, name: &str) {
        self.columns.retain(|c| !c.name.eq_ignore_ascii_case(name));
        self.constraints
            .retain(|k| !k.what.columns().iter().any(|c| c.eq_ignore_ascii_case(name)) && !k.mentions(name));
    }

    pub(crate) fn set_type(&mut self, name: &str, type_name: &str) {
        if let Some(column) = self.column_mut(name) {
            column.type_name = type_name.to_string();
        }
    }

    pub(crate) fn set_nullable(&mut self, name: &str, nullable: bool) {
        if let Some(column) = self.column_mut(name) {
            column.constraints.retain(|k| !matches!(k.what, What::NotNull | What::Null));
            if !nullable {
                let text = "NOT NULL".to_string();
                column.constraints.push(ConstraintText { name: None, what: What::NotNull, text });
            }
        }
    }

    pub(crate) fn set_default(&mut self, name: &str, default: Option<&str>) {
        if let Some(column) = self.column_mut(name) {
            column.constraints.retain(|k| k.what != What::Default);
            if let Some(default) = default {
                let text = format!("DEFAULT {}", ddl::default_expression(Dialect::Sqlite, default));
                // Before NOT NULL, where new tables have it.
                column.constraints.insert(0, ConstraintText { name: None, what: What::Default, text });
            }
        }
    }

    pub(crate) fn set_computed(&mut self, name: &str, computed: Option<&Computed>) {
        if let Some(column) = self.column_mut(name) {
            column.constraints.retain(|k| !matches!(k.what, What::Generated(_)));
            if let Some(computed) = computed {
                let text = ddl::computed(computed).trim_start().to_string();
                let what = What::Generated(computed.clone());
                column.constraints.insert(0, ConstraintText { name: None, what, text });
            }
        }
    }

    pub(crate) fn set_collation(&mut self, name: &str, collation: Option<&str>) {
        if let Some(column) = self.column_mut(name) {
            column.constraints.retain(|k| !matches!(k.what, What::Collate(_)));
            if let Some(collation) = collation {
                let text = format!("COLLATE {}", Dialect::Sqlite.ident(collation));
                let what = What::Collate(collation.to_string());
                column.constraints.insert(0, ConstraintText { name: None, what, text });
            }
        }
    }

    /// Drops one check of that condition, the one of that name where several have it.
    pub(crate) fn drop_check(&mut self, check: &Check) {
        let is = |k: &ConstraintText, named: bool| {
            matches!(&k.what, What::Check(expression) if *expression == check.expression)
                && (!named || k.name == check.name)
        };
        for named in [true, false] {
            if let Some(at) = self.constraints.iter().position(|k| is(k, named)) {
                self.constraints.remove(at);
                return;
            }
            for column in &mut self.columns {
                if let Some(at) = column.constraints.iter().position(|k| is(k, named)) {
                    column.constraints.remove(at);
                    return;
                }
            }
        }
    }

    pub(crate) fn add_constraint(&mut self, definition: &str) {
        let add = format!("CREATE TABLE t (x, {definition})");
        if let Some(parsed) = CreateTable::parse(&add) {
            self.constraints.extend(parsed.constraints);
        }
    }

    pub(crate) fn drop_primary_key(&mut self) {
        self.drop_where(|what, _| matches!(what, What::PrimaryKey(_)));
    }

    pub(crate) fn drop_unique(&mut self, columns: &[String]) {
        self.drop_where(|what, about| matches!(what, What::Unique(_)) && same_names(about, columns));
    }

    pub(crate) fn drop_foreign_key(&mut self, columns: &[String], target: &str) {
        self.drop_where(|what, about| {
            matches!(what, What::ForeignKey { target: to, .. } if to.eq_ignore_ascii_case(target))
                && same_names(about, columns)
        });
    }

    fn drop_where(&mut self, unwanted: impl Fn(&What, &[String]) -> bool) {
        for column in &mut self.columns {
            let about = [column.name.clone()];
            column.constraints.retain(|k| !unwanted(&k.what, &about));
        }
        self.constraints.retain(|k| !unwanted(&k.what, k.what.columns()));
    }
}

pub(crate) fn same_names(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

impl ColumnText {
    fn write(&self) -> String {
        let mut parts = vec![self.written.as_str()];
        if !self.type_name.is_empty() {
            parts.push(&self.type_name);
        }
        parts.extend(self.constraints.iter().map(|k| k.text.as_str()));
        parts.join(" ")
    }
}

impl ColumnText {
    /// The expression that it is computed by.
    pub(crate) fn computed(&self) -> Option<Computed> {
        self.constraints.iter().find_map(|k| match &k.what {
            What::Generated(computed) => Some(computed.clone()),
            _ => None,
        })
    }

    /// Its collation, unless that is the one that every column has.
    pub(crate) fn collation(&self) -> Option<String> {
        let collation = self.constraints.iter().find_map(|k| match &k.what {
            What::Collate(name) => Some(name.clone()),
            _ => None,
        });
        collation.filter(|name| !name.eq_ignore_ascii_case("binary"))
    }
}

impl ConstraintText {
    /// When a foreign key is checked.
    pub(crate) fn deferrable(&self) -> Deferrable {
        let Ok(tokens) = token::code(Dialect::Sqlite, &self.text) else { return Deferrable::NotDeferrable };
        let said = tokens.iter().position(|t| t.is("deferrable"));
        let Some(at) = said.filter(|&at| at > 0 && !tokens[at - 1].is("not")) else {
            return Deferrable::NotDeferrable;
        };
        let initially = tokens.get(at + 1).is_some_and(|t| t.is("initially"));
        if initially && tokens.get(at + 2).is_some_and(|t| t.is("deferred")) {
            Deferrable::InitiallyDeferred
        } else {
            Deferrable::InitiallyImmediate
        }
    }

    /// Whether an expression of it names this column.
    fn mentions(&self, column: &str) -> bool {
        matches!(self.what, What::Check(_)) && mentions(&self.text, column)
    }
}

/// Whether an SQL text has this identifier in it.
pub(crate) fn mentions(sql: &str, identifier: &str) -> bool {
    mentions_in(Dialect::Sqlite, sql, identifier)
}

/// Whether an SQL text of a database has this identifier in it.
pub(crate) fn mentions_in(dialect: Dialect, sql: &str, identifier: &str) -> bool {
    token::code(dialect, sql).map_or(true, |tokens| {
        tokens
            .iter()
            .filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted))
            .any(|t| t.identifier().is_some_and(|name| name.eq_ignore_ascii_case(identifier)))
    })
}

impl What {
    fn columns(&self) -> &[String] {
        match self {
            What::PrimaryKey(columns) | What::Unique(columns) | What::ForeignKey { columns, .. } => columns,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: &str = r#"CREATE TABLE "odd one" (
        -- the key
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        [a b] VARCHAR(10, 2) CONSTRAINT nn NOT NULL ON CONFLICT IGNORE DEFAULT (1 + (2)) COLLATE NOCASE,
        c UNSIGNED BIG INT NULL DEFAULT NULL CHECK (c > 0 AND "a b" <> ','),
        d REFERENCES other ON DELETE SET NULL ON UPDATE SET DEFAULT NOT DEFERRABLE UNIQUE,
        e TEXT GENERATED ALWAYS AS (lower(c)) STORED,
        f,
        CONSTRAINT uq UNIQUE (c COLLATE NOCASE, f DESC),
        FOREIGN KEY (c, f) REFERENCES "third" (x, y) ON DELETE CASCADE,
        CHECK (f IN (1, 2)) -- last
    ) STRICT"#;

    #[test]
    fn every_part_is_found() {
        let table = CreateTable::parse(ODD).unwrap();
        let columns: Vec<_> = table.columns.iter().map(|c| (c.name.as_str(), c.type_name.as_str())).collect();
        assert_eq!(
            columns,
            [
                ("id", "INTEGER"),
                ("a b", "VARCHAR(10, 2)"),
                ("c", "UNSIGNED BIG INT"),
                ("d", ""),
                ("e", "TEXT"),
                ("f", "")
            ]
        );
        let texts = |i: usize| table.columns[i].constraints.iter().map(|k| k.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts(0), ["PRIMARY KEY AUTOINCREMENT"]);
        assert_eq!(texts(1), ["CONSTRAINT nn NOT NULL ON CONFLICT IGNORE", "DEFAULT (1 + (2))", "COLLATE NOCASE"]);
        assert_eq!(texts(2), ["NULL", "DEFAULT NULL", "CHECK (c > 0 AND \"a b\" <> ',')"]);
        assert_eq!(texts(3), ["REFERENCES other ON DELETE SET NULL ON UPDATE SET DEFAULT NOT DEFERRABLE", "UNIQUE"]);
        assert_eq!(texts(4), ["GENERATED ALWAYS AS (lower(c)) STORED"]);
        assert_eq!(table.constraints[0].name.as_deref(), Some("uq"));
        assert_eq!(table.constraints[0].what, What::Unique(vec!["c".into(), "f".into()]));
        assert_eq!(
            table.constraints[1].what,
            What::ForeignKey { columns: vec!["c".into(), "f".into()], target: "third".into() }
        );
        assert_eq!(table.constraints[2].what, What::Check("f IN (1, 2)".into()));
        assert_eq!(table.options, "STRICT");
        assert_eq!(table.rowid_column(), Some("id"));
        assert!(table.is_autoincrement());
        assert_eq!(table.writable().count(), 5);
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let table = CreateTable::parse(ODD).unwrap();
        assert_eq!(CreateTable::parse(&table.write("odd one")).unwrap(), table);
    }

    #[test]
    fn edits_change_what_they_say_and_nothing_else() {
        let mut table = CreateTable::parse(
            "CREATE TABLE t (a INTEGER NOT NULL, b TEXT COLLATE NOCASE, c INT REFERENCES x (id), \
             CONSTRAINT pk_t PRIMARY KEY (a), CONSTRAINT uq_t_b UNIQUE (b), CHECK (c > 1))",
        )
        .unwrap();
        table.set_nullable("b", false);
        table.set_default("b", Some("lower('X')"));
        table.set_type("a", "BIGINT");
        table.drop_unique(&["B".into()]);
        table.drop_foreign_key(&["c".into()], "x");
        table.add_column("d TEXT NOT NULL");
        table.add_constraint("CONSTRAINT fk FOREIGN KEY (d) REFERENCES y (id)");
        assert_eq!(
            table.write("t"),
            "CREATE TABLE t (\n    a BIGINT NOT NULL,\n    b TEXT DEFAULT (lower('X')) COLLATE NOCASE NOT NULL,\n    c \
             INT,\n    d TEXT NOT NULL,\n    CONSTRAINT pk_t PRIMARY KEY (a),\n    CHECK (c > 1),\n    CONSTRAINT fk \
             FOREIGN KEY (d) REFERENCES y (id)\n)"
        );
        table.drop_column("c");
        table.drop_column("d");
        assert_eq!(table.constraints.len(), 1, "the check and the key went with their columns");
    }

    #[test]
    fn a_virtual_table_is_none() {
        assert!(CreateTable::parse("CREATE VIRTUAL TABLE t USING fts5(a)").is_none());
    }
}
